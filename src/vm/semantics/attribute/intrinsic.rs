//! Attributes that objects have by themselves: `__dict__`, `__name__`, `__class__` and what
//! functions, exceptions and classes tell of themselves. Knows nothing of descriptors or caches.

use crate::vm::Vm;
use crate::vm::heap::class::{Class, Name, Type, name};
use crate::vm::heap::object::{Function, Instance, Method, Object};
use crate::vm::heap::value::{Ref, Value};
use std::sync::Arc;

impl Vm {
    /// Names that a value of a builtin kind has besides its class's: functions, classes,
    /// exceptions, modules.
    pub(super) fn intrinsic(&mut self, object: Value, wanted: Name) -> Option<Value> {
        match object {
            _ if wanted == name::CLASS => Some(Value::Class(self.class_of(object))),
            Value::Function(function) => self.function_attribute(function, wanted),
            Value::Native(native) => match wanted {
                name::NAME | name::QUALNAME => {
                    Some(self.heap.new_str(self.image.natives[native].shown))
                }
                name::DOC => Some(Value::None),
                name::MODULE => Some(self.heap.new_str("builtins")),
                _ => None,
            },
            Value::Method(method) => {
                let Method { receiver, function } = self.heap.methods[method];
                match wanted {
                    name::SELF => Some(receiver),
                    name::FUNC => Some(function),
                    _ => self.intrinsic(function, wanted),
                }
            }
            Value::Generator(it) => {
                let function = self.heap.generators[it].function;
                matches!(wanted, name::NAME | name::QUALNAME)
                    .then(|| self.function_attribute(function, wanted))
                    .flatten()
            }
            Value::Instance(instance) => self.exception_attribute(instance, wanted),
            Value::Module(module) => (wanted == name::NAME).then(|| {
                let text = self.image.program.modules[module as usize].name.clone();
                self.heap.new_str(text)
            }),
            _ => crate::vm::semantics::protocol::builtin_attribute(self, object, wanted),
        }
    }

    fn function_attribute(&mut self, function: Ref<Function>, wanted: Name) -> Option<Value> {
        if let Some(attributes) = self.heap.functions[function].attributes {
            let text = self.names[wanted].clone();
            if let Some(value) = self.dict_get_str(attributes, &text) {
                return Some(value);
            }
        }
        let code = &self.image.program.codes[self.heap.functions[function].code.0 as usize];
        let text = match wanted {
            name::NAME => code.name.clone(),
            name::QUALNAME => code.qualname.clone(),
            name::MODULE => self.image.program.modules[code.module as usize]
                .name
                .clone(),
            name::DOC => match &code.docstring {
                Some(text) => text.clone(),
                None => return Some(Value::None),
            },
            name::DICT => {
                let attributes = self.function_dict(function);
                return Some(Value::Dict(attributes));
            }
            name::DEFAULTS => {
                let defaults = self.heap.functions[function].defaults.clone();
                return Some(if defaults.is_empty() {
                    Value::None
                } else {
                    self.heap.new_tuple(defaults)
                });
            }
            name::KWDEFAULTS => return Some(self.keyword_defaults(function)),
            _ => return None,
        };
        Some(self.heap.new_str(text))
    }

    /// The defaults of the keyword-only parameters in a dict, which is made anew each time:
    /// changing it changes no default.
    fn keyword_defaults(&mut self, function: Ref<Function>) -> Value {
        let object = &self.heap.functions[function];
        let params = &self.image.program.codes[object.code.0 as usize].params;
        let names = &params.names[usize::from(params.positional)..];
        let given: Vec<_> = names
            .iter()
            .zip(&object.keyword_defaults)
            .filter(|(_, value)| value.is_bound())
            .map(|(name, &value)| (self.image.program.names[name.0 as usize].clone(), value))
            .collect();
        if given.is_empty() {
            return Value::None;
        }
        let dict = self.heap.new_dict(crate::vm::heap::dict::Dict::default());
        if let Value::Dict(it) = dict {
            for (name, value) in given {
                self.dict_set_str(it, &name, value);
            }
        }
        dict
    }

    pub(super) fn function_dict(
        &mut self,
        function: Ref<Function>,
    ) -> Ref<crate::vm::heap::dict::Dict> {
        if let Some(attributes) = self.heap.functions[function].attributes {
            return attributes;
        }
        let Value::Dict(attributes) = self.heap.new_dict(crate::vm::heap::dict::Dict::default())
        else {
            unreachable!("new_dict makes a dict")
        };
        self.heap.functions[function].attributes = Some(attributes);
        attributes
    }

    fn exception_attribute(&mut self, instance: Ref<Instance>, wanted: Name) -> Option<Value> {
        if wanted == name::DICT {
            return Some(Value::Dict(self.instance_dict(instance)));
        }
        let object = &self.heap.instances[instance];
        let exception = object.exception.as_deref()?;
        let class = object.class;
        Some(match wanted {
            name::ARGS => {
                let args = exception.args.clone();
                self.heap.new_tuple(args)
            }
            name::CAUSE => exception.cause.unwrap_or(Value::None),
            name::CONTEXT => exception.context.unwrap_or(Value::None),
            name::SUPPRESS_CONTEXT => Value::Bool(exception.suppress_context),
            name::TRACEBACK => {
                if exception.traceback.is_empty() {
                    Value::None
                } else {
                    let entries = exception.traceback.clone();
                    self.heap.new_object(Object::Traceback(entries))
                }
            }
            name::ENCODING | name::OBJECT | name::START | name::END | name::REASON
                if exception.args.len() == 5
                    && self.is_subclass(class, Type::UnicodeError.class()) =>
            {
                let parts = [
                    name::ENCODING,
                    name::OBJECT,
                    name::START,
                    name::END,
                    name::REASON,
                ];
                let at = parts.iter().position(|&it| it == wanted);
                exception.args[at.unwrap_or(0)]
            }
            name::MSG if self.is_subclass(class, Type::ImportError.class()) => {
                exception.args.first().copied().unwrap_or(Value::None)
            }
            name::EXCEPTION_NAME | name::OBJ
                if [Type::ImportError, Type::AttributeError, Type::NameError]
                    .iter()
                    .any(|of| self.is_subclass(class, of.class())) =>
            {
                Value::None
            }
            _ => return self.exception_field(instance, wanted),
        })
    }

    /// The `__dict__` of an instance, in which its attributes live from now on.
    pub(super) fn instance_dict(
        &mut self,
        instance: Ref<Instance>,
    ) -> Ref<crate::vm::heap::dict::Dict> {
        if let Some(dict) = self.heap.instances[instance].dict {
            return dict;
        }
        let Value::Dict(dict) = self.heap.new_dict(crate::vm::heap::dict::Dict::default()) else {
            unreachable!("new_dict makes a dict")
        };
        let names = self.shapes[self.heap.instances[instance].shape]
            .names
            .clone();
        let slots = self.heap.instances[instance].slots.clone();
        for (name, value) in names.into_iter().zip(slots) {
            let text = self.names[name].clone();
            self.dict_set_str(dict, &text, value);
        }
        self.keep_attributes_in(instance, dict);
        dict
    }

    pub(super) fn class_intrinsic(&mut self, class: Ref<Class>, wanted: Name) -> Option<Value> {
        let object = &self.heap.classes[class];
        Some(match wanted {
            // The builtin `_thread.lock` has its module in its name, as messages show it.
            name::NAME if object.builtin.is_some() => {
                let text = object.name.rsplit('.').next().unwrap_or_default();
                let text: Arc<str> = text.into();
                self.heap.new_str(text)
            }
            name::NAME => {
                let text = object.name.clone();
                self.heap.new_str(text)
            }
            name::QUALNAME => {
                let text = object.qualname.clone();
                self.heap.new_str(text)
            }
            name::MODULE => {
                let text = object.module.clone();
                self.heap.new_str(text)
            }
            name::BASE => object.base.map_or(Value::None, Value::Class),
            name::BASES => {
                let bases: Vec<Value> =
                    object.base.iter().map(|&base| Value::Class(base)).collect();
                self.heap.new_tuple(bases)
            }
            name::MRO => {
                let mro: Vec<Value> = object
                    .mro
                    .iter()
                    .map(|&class| Value::Class(class))
                    .collect();
                self.heap.new_tuple(mro)
            }
            name::DOC => Value::None,
            name::CLASS => Type::Type.value(),
            name::DICT => {
                let attributes = object.attributes.clone();
                let Value::Dict(dict) = self.heap.new_dict(crate::vm::heap::dict::Dict::default())
                else {
                    unreachable!("new_dict makes a dict")
                };
                for (name, value) in attributes {
                    let text = self.names[name].clone();
                    self.dict_set_str(dict, &text, value);
                }
                Value::Dict(dict)
            }
            _ => return None,
        })
    }
}
