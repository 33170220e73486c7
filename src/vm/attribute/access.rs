//! `object.name`, `object.name = value` and `del object.name` as a native or an instruction's slow part does them, with the script's own hooks and properties.
//! Knows nothing of caches.

use super::{Found, NO_SHAPE};
use crate::vm::class::{Name, Type, name};
use crate::vm::native::{Ctx, Interrupt};
use crate::vm::object::{Instance, Object};
use crate::vm::value::{Ref, Value};

impl Ctx<'_> {
    /// `object.name`; raises `AttributeError`.
    pub fn get_attr(&mut self, object: Value, name: Name) -> Result<Value, Interrupt> {
        match self.vm.look_up(object, name) {
            Found::Value(value) => Ok(value),
            Found::Call(Value::None, _) => {
                let text = self.vm.name_text(name).clone();
                let of = self.vm.type_name(object).to_owned();
                Err(self.error(
                    Type::AttributeError,
                    format!("property '{text}' of '{of}' object has no getter"),
                ))
            }
            Found::Call(getter, receiver) => {
                let hook = match receiver {
                    Value::Instance(it) => self
                        .vm
                        .class_attribute(self.vm.heap.instances[it].class, name::GETATTR),
                    _ => None,
                };
                let Some(hook) = hook else {
                    return self.call(getter, &[receiver]);
                };
                match self.try_call(getter, &[receiver])? {
                    Ok(value) => Ok(value),
                    Err(exception)
                        if self.vm.is_instance(exception, Type::AttributeError.class()) =>
                    {
                        let text = self.once(|ctx| Ok(ctx.vm.name_value(name)))?;
                        self.call(hook, &[receiver, text])
                    }
                    Err(exception) => Err(Interrupt::Throw(exception)),
                }
            }
            Found::Hook(hook) => {
                let text = self.once(|ctx| Ok(ctx.vm.name_value(name)))?;
                self.call(hook, &[object, text])
            }
            Found::Nothing => Err(Interrupt::Throw(self.vm.no_attribute(object, name))),
        }
    }

    /// `object.name = value`.
    pub fn set_attr(&mut self, object: Value, name: Name, value: Value) -> Result<(), Interrupt> {
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
                        self.vm.heap.classes[class].name = self.vm.heap.text_arc(text)
                    }
                    (name::QUALNAME, Value::Str(text)) => {
                        self.vm.heap.classes[class].qualname = self.vm.heap.text_arc(text)
                    }
                    _ => self.vm.set_class_attribute(class, name, value),
                }
                Ok(())
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

    /// `object.__setattr__` as every class has it: properties, then the instance's own attributes.
    pub(in crate::vm) fn set_attr_plainly(
        &mut self,
        object: Value,
        instance: Ref<Instance>,
        name: Name,
        value: Value,
    ) -> Result<(), Interrupt> {
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
                let text = self.vm.name_text(name).clone();
                let of = self.vm.type_name(object).to_owned();
                return Err(self.error(
                    Type::AttributeError,
                    format!("property '{text}' of '{of}' object has no setter"),
                ));
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
            let object = &mut self.vm.heap.instances[instance];
            object.dict = Some(dict);
            object.shape = NO_SHAPE;
            object.slots = Vec::new();
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
    pub(in crate::vm) fn del_attr_plainly(
        &mut self,
        object: Value,
        instance: Ref<Instance>,
        name: Name,
    ) -> Result<(), Interrupt> {
        let class = self.vm.heap.instances[instance].class;
        if let Some(Value::Object(found)) = self.vm.class_attribute(class, name)
            && let Object::Property { deleter, .. } = self.vm.heap.objects[found]
        {
            if matches!(deleter, Value::None) {
                let text = self.vm.name_text(name).clone();
                let of = self.vm.type_name(object).to_owned();
                return Err(self.error(
                    Type::AttributeError,
                    format!("property '{text}' of '{of}' object has no deleter"),
                ));
            }
            self.call(deleter, &[object])?;
            return Ok(());
        }
        if self.vm.delete_instance_attribute(instance, name) {
            return Ok(());
        }
        Err(Interrupt::Throw(self.vm.no_attribute(object, name)))
    }

    /// `del object.name`.
    pub fn del_attr(&mut self, object: Value, name: Name) -> Result<(), Interrupt> {
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
        Err(Interrupt::Throw(self.vm.no_attribute(object, name)))
    }
}
