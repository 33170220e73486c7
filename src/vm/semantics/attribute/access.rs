//! `object.name`, `object.name = value` and `del object.name` as a native or an instruction's slow
//! part does them, with the script's own hooks and properties. Knows nothing of caches.

use super::Found;
use crate::bytecode::code;
use crate::vm::heap::class::{Class, Name, Type, name};
use crate::vm::heap::object::{Function, Instance, Object};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::native::{Abrupt, Ctx};

impl Ctx<'_> {
    /// `object.name`; raises `AttributeError`.
    pub fn get_attr(&mut self, object: Value, name: Name) -> Result<Value, Abrupt> {
        match self.vm.look_up(object, name) {
            Found::Value(value) => Ok(value),
            Found::NoGetter(property, receiver) => {
                if let Some(hook) = self.vm.special(object, name::GETATTR) {
                    return self.call_hook(hook, object, name);
                }
                let class = self.vm.class_of(receiver);
                Err(self.property_lacks("getter", property, class))
            }
            Found::Call(getter, receiver) => {
                let Some(hook) = self.vm.special(object, name::GETATTR) else {
                    return self.call(getter, &[receiver]);
                };
                match self.try_call(getter, &[receiver])? {
                    Ok(value) => Ok(value),
                    Err(exception)
                        if self.vm.is_instance(exception, Type::AttributeError.class()) =>
                    {
                        self.call_hook(hook, object, name)
                    }
                    Err(exception) => Err(Abrupt::Throw(exception)),
                }
            }
            Found::Hook(hook) => self.call_hook(hook, object, name),
            Found::Nothing => Err(Abrupt::Throw(self.vm.no_attribute(object, name))),
        }
    }

    /// What the script's `__getattr__` has.
    fn call_hook(&mut self, hook: Value, object: Value, name: Name) -> Result<Value, Abrupt> {
        let text = self.once(|ctx| Ok(ctx.vm.name_value(name)))?;
        self.call(hook, &[object, text])
    }

    /// `object.name = value`.
    pub fn set_attr(&mut self, object: Value, name: Name, value: Value) -> Result<(), Abrupt> {
        match object {
            Value::Instance(instance) => {
                let class = self.vm.heap.instances[instance].class;
                if let Some(hook) = self.vm.class_attribute(class, name::SETATTR)
                    && !matches!(hook, Value::Native(_))
                {
                    let text = self.once(|ctx| Ok(ctx.vm.name_value(name)))?;
                    self.call(hook, &[object, text, value])?;
                    return Ok(());
                }
                self.set_attr_plainly(object, instance, name, value)
            }
            Value::Class(class) => {
                if self.vm.heap.classes[class].builtin.is_some() {
                    let text = self.vm.name_text(name).clone();
                    let of = self.vm.heap.classes[class].name.clone();
                    return Err(self.type_error(format!(
                        "cannot set '{text}' attribute of immutable type '{of}'"
                    )));
                }
                if self.vm.is_fixed(class, name) {
                    let text = self.vm.name_text(name).clone();
                    let of = self.vm.heap.classes[class].clone();
                    return Err(self.type_error(format!(
                        "cannot set '{text}' attribute of immutable type '{}.{}'",
                        of.module, of.name
                    )));
                }
                match (name, value) {
                    (name::NAME, Value::Str(text)) => {
                        self.vm.heap.classes[class].name = self.vm.heap.text_arc(text);
                    }
                    (name::QUALNAME, Value::Str(text)) => {
                        self.vm.heap.classes[class].qualname = self.vm.heap.text_arc(text);
                    }
                    _ => self.vm.set_class_attribute(class, name, value),
                }
                Ok(())
            }
            Value::Function(function) if matches!(name, name::DEFAULTS | name::KWDEFAULTS) => {
                self.set_defaults(function, name, value)
            }
            Value::Function(function) => {
                let dict = self.vm.function_dict(function);
                let text = self.vm.name_text(name).clone();
                self.vm.dict_set_str(dict, &text, value);
                Ok(())
            }
            Value::Module(module) => {
                if let Some(global) = self.vm.module_global(module, name) {
                    self.vm.globals[global as usize] = value;
                } else {
                    let global = self.vm.globals.len() as u32;
                    self.vm.globals.push(value);
                    self.vm.module_names.insert((module, name), global);
                }
                Ok(())
            }
            Value::Object(it) if matches!(self.vm.heap.objects[it], Object::Namespace(_)) => {
                let Object::Namespace(dict) = self.vm.heap.objects[it] else {
                    unreachable!("just matched")
                };
                let text = self.vm.name_text(name).clone();
                self.vm.dict_set_str(dict, &text, value);
                Ok(())
            }
            _ => {
                let text = self.vm.name_text(name).clone();
                let of = self.vm.type_name(object).to_owned();
                let known = self
                    .vm
                    .class_attribute(self.vm.class_of(object), name)
                    .is_some();
                let message = if known {
                    format!("'{of}' object attribute '{text}' is read-only")
                } else {
                    format!("'{of}' object has no attribute '{text}'")
                };
                Err(self.error(Type::AttributeError, message))
            }
        }
    }

    /// `function.__defaults__ = …`, or `__kwdefaults__`.
    fn set_defaults(
        &mut self,
        function: Ref<Function>,
        name: Name,
        value: Value,
    ) -> Result<(), Abrupt> {
        let heap = &self.vm.heap;
        let made_of = heap.functions[function].code.0 as usize;
        let params = &self.vm.image.program.codes[made_of].params;
        let (positional, keyword_only) = params.names.split_at(params.positional.into());
        match (name, value) {
            (name::DEFAULTS, Value::None | Value::Tuple(_)) => {
                let given = match value {
                    Value::Tuple(it) => &heap.tuples[it].0[..],
                    _ => &[],
                };
                // Of more than there are parameters, the last count.
                let unused = given.len().saturating_sub(positional.len());
                let defaults = given[unused..].into();
                self.vm.heap.functions[function].defaults = defaults;
            }
            (name::KWDEFAULTS, Value::None | Value::Dict(_)) => {
                let keyword_only = &keyword_only[..usize::from(params.keyword_only)];
                let of = |name: &code::Name| match value {
                    Value::Dict(dict) => self
                        .vm
                        .dict_get_str(dict, &self.vm.image.program.names[name.0 as usize]),
                    _ => None,
                };
                let defaults: Box<[Value]> = keyword_only
                    .iter()
                    .map(|name| of(name).unwrap_or(Value::Unbound))
                    .collect();
                self.vm.heap.functions[function].keyword_defaults = defaults;
            }
            (name::DEFAULTS, _) => {
                return Err(self.type_error("__defaults__ must be set to a tuple object"));
            }
            _ => return Err(self.type_error("__kwdefaults__ must be set to a dict object")),
        }
        Ok(())
    }

    /// `object.__setattr__` as every class has it: properties, then the instance's own attributes.
    pub(in crate::vm) fn set_attr_plainly(
        &mut self,
        object: Value,
        instance: Ref<Instance>,
        name: Name,
        value: Value,
    ) -> Result<(), Abrupt> {
        let class = self.vm.heap.instances[instance].class;
        if self.vm.is_fixed(class, name) {
            let text = self.vm.name_text(name).clone();
            let of = &self.vm.heap.classes[class];
            let message = format!(
                "'{}.{}' object attribute '{text}' is read-only",
                of.module, of.name
            );
            return Err(self.error(Type::AttributeError, message));
        }
        if let Some(Value::Object(found)) = self.vm.class_attribute(class, name)
            && let Object::Property { setter, .. } = self.vm.heap.objects[found]
        {
            if matches!(setter, Value::None) {
                return Err(self.property_lacks("setter", found, class));
            }
            self.call(setter, &[object, value])?;
            return Ok(());
        }
        if name == name::DICT {
            let Value::Dict(dict) = value else {
                let of = self.vm.type_name(value).to_owned();
                return Err(self.type_error(format!(
                    "__dict__ must be set to a dictionary, not a '{of}'"
                )));
            };
            self.vm.keep_attributes_in(instance, dict);
            return Ok(());
        }
        if let Some(exception) = self.vm.heap.instances[instance].exception.as_deref_mut() {
            let given = |value| {
                if matches!(value, Value::None) {
                    None
                } else {
                    Some(value)
                }
            };
            match (name, value) {
                (name::CAUSE, _) => {
                    exception.cause = given(value);
                    exception.suppress_context = true;
                    return Ok(());
                }
                (name::CONTEXT, _) => {
                    exception.context = given(value);
                    return Ok(());
                }
                (name::SUPPRESS_CONTEXT, Value::Bool(yes)) => {
                    exception.suppress_context = yes;
                    return Ok(());
                }
                (name::TRACEBACK, _) => {
                    exception.traceback = match value {
                        Value::Object(it) => match &self.vm.heap.objects[it] {
                            Object::Traceback(entries) => entries.clone(),
                            _ => Vec::new(),
                        },
                        _ => Vec::new(),
                    };
                    return Ok(());
                }
                (name::ARGS, _) => {
                    let args = self.collect(value)?;
                    if let Some(exception) =
                        self.vm.heap.instances[instance].exception.as_deref_mut()
                    {
                        exception.args = args;
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        if !self.vm.set_exception_field(instance, name, value) {
            self.vm.set_instance_attribute(instance, name, value);
        }
        Ok(())
    }

    /// `object.__delattr__` as every class has it.
    /// The error of an access for which a property of a class has no function.
    fn property_lacks(
        &mut self,
        function: &str,
        property: Ref<Object>,
        class: Ref<Class>,
    ) -> Abrupt {
        let name = match self.vm.heap.objects[property] {
            Object::Property {
                name: Some(name), ..
            } => format!("'{}' ", self.vm.names[name]),
            _ => String::new(),
        };
        let of = &self.vm.heap.classes[class].qualname;
        let message = format!("property {name}of '{of}' object has no {function}");
        self.error(Type::AttributeError, message)
    }

    pub(in crate::vm) fn del_attr_plainly(
        &mut self,
        object: Value,
        instance: Ref<Instance>,
        name: Name,
    ) -> Result<(), Abrupt> {
        let class = self.vm.heap.instances[instance].class;
        if let Some(Value::Object(found)) = self.vm.class_attribute(class, name)
            && let Object::Property { deleter, .. } = self.vm.heap.objects[found]
        {
            if matches!(deleter, Value::None) {
                return Err(self.property_lacks("deleter", found, class));
            }
            self.call(deleter, &[object])?;
            return Ok(());
        }
        if self.vm.delete_instance_attribute(instance, name) {
            return Ok(());
        }
        Err(Abrupt::Throw(self.vm.no_attribute(object, name)))
    }

    /// `del object.name`.
    pub fn del_attr(&mut self, object: Value, name: Name) -> Result<(), Abrupt> {
        let deleted = match object {
            Value::Instance(instance) => {
                let class = self.vm.heap.instances[instance].class;
                if let Some(hook) = self.vm.class_attribute(class, name::DELATTR)
                    && !matches!(hook, Value::Native(_))
                {
                    let text = self.once(|ctx| Ok(ctx.vm.name_value(name)))?;
                    self.call(hook, &[object, text])?;
                    return Ok(());
                }
                return self.del_attr_plainly(object, instance, name);
            }
            Value::Class(class)
                if self.vm.heap.classes[class].builtin.is_none()
                    && !self.vm.is_fixed(class, name) =>
            {
                self.vm.delete_class_attribute(class, name)
            }
            Value::Module(module) => match self.vm.module_global(module, name) {
                Some(global) => {
                    let slot = &mut self.vm.globals[global as usize];
                    std::mem::replace(slot, Value::Unbound).is_bound()
                }
                None => false,
            },
            _ => false,
        };
        if deleted {
            return Ok(());
        }
        Err(Abrupt::Throw(self.vm.no_attribute(object, name)))
    }
}
