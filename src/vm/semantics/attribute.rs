//! Attributes: what an object has by a name, looked up through instance and class, descriptors and
//! `__getattr__`, and what setting and deleting one does to an instance. What inline caches
//! remember (`vm::state::cache`) must agree with it. Knows nothing of frames: where a method of the
//! script is to be called, it says so (`Found`).

mod access;
mod class;
mod intrinsic;

use crate::vm::Vm;
use crate::vm::heap::class::{Class, Name, Type, name};
use crate::vm::heap::dict::Dict;
use crate::vm::heap::object::{Instance, Method, Object};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::cache::Cache;
use crate::vm::state::native::Kind;
use crate::vm::state::shapes::NO_SHAPE;

/// An instance that is given more attributes than this keeps them in a dict: each shape has all of
/// its names.
const MAX_SLOTS: usize = 128;

impl Vm {
    /// The slot of an instance's own attribute.
    #[must_use]
    pub(in crate::vm) fn instance_slot(&self, instance: &Instance, name: Name) -> Option<usize> {
        self.shapes[instance.shape]
            .names
            .iter()
            .position(|&it| it == name)
    }

    /// An instance's own attribute.
    #[must_use]
    pub fn instance_attribute(&self, instance: Ref<Instance>, name: Name) -> Option<Value> {
        let instance = &self.heap.instances[instance];
        if let Some(dict) = instance.dict {
            return self.dict_get_str(dict, &self.names[name]);
        }
        self.instance_slot(instance, name)
            .map(|slot| instance.slots[slot])
    }

    /// Sets an instance's own attribute.
    pub fn set_instance_attribute(&mut self, instance: Ref<Instance>, name: Name, value: Value) {
        let object = &self.heap.instances[instance];
        if let Some(dict) = object.dict {
            let text = self.names[name].clone();
            self.dict_set_str(dict, &text, value);
            return;
        }
        if let Some(slot) = self.instance_slot(object, name) {
            self.heap.instances[instance].slots[slot] = value;
            return;
        }
        if object.slots.len() == MAX_SLOTS {
            let dict = self.instance_dict(instance);
            let text = self.names[name].clone();
            self.dict_set_str(dict, &text, value);
            return;
        }
        let shape = self.shape_with(object.shape, name);
        let object = &mut self.heap.instances[instance];
        object.shape = shape;
        object.slots.push(value);
        self.heap.allocated += size_of::<Value>();
    }

    /// Gives an instance that has just got its class its attributes.
    pub(in crate::vm) fn give_attributes(
        &mut self,
        instance: Ref<Instance>,
        names: &[Name],
        values: &[Value],
    ) {
        let class = self.heap.instances[instance].class;
        self.heap.instances[instance].shape = self.heap.classes[class].root_shape;
        for (&name, &value) in names.iter().zip(values) {
            self.set_instance_attribute(instance, name, value);
        }
    }

    /// Lets the attributes of an instance be those of a dict from now on.
    pub(in crate::vm) fn keep_attributes_in(&mut self, instance: Ref<Instance>, dict: Ref<Dict>) {
        let object = &mut self.heap.instances[instance];
        object.dict = Some(dict);
        object.shape = NO_SHAPE;
        object.slots = Vec::new();
    }

    /// Deletes an instance's own attribute; false if it has none.
    fn delete_instance_attribute(&mut self, instance: Ref<Instance>, name: Name) -> bool {
        let object = &self.heap.instances[instance];
        if let Some(dict) = object.dict {
            let text = self.names[name].clone();
            return self.dict_remove_str(dict, &text).is_some();
        }
        let Some(slot) = self.instance_slot(object, name) else {
            return false;
        };
        let mut shape = self.heap.classes[object.class].root_shape;
        for kept in self.shapes[object.shape].names.clone() {
            if kept != name {
                shape = self.shape_with(shape, kept);
            }
        }
        let object = &mut self.heap.instances[instance];
        object.shape = shape;
        object.slots.remove(slot);
        true
    }

    /// Binds what was found in a class to the value through which it was looked up. A property is
    /// left to the caller.
    fn bind(&mut self, found: Value, receiver: Value, class: Ref<Class>) -> Value {
        match found {
            Value::Function(_) => self.heap.new_method(Method {
                receiver,
                function: found,
            }),
            Value::Native(native) => match self.image.natives[native].kind {
                Kind::Static | Kind::Getter => found,
                Kind::Plain | Kind::Method => self.heap.new_method(Method {
                    receiver,
                    function: found,
                }),
                Kind::Class => self.heap.new_method(Method {
                    receiver: Value::Class(class),
                    function: found,
                }),
            },
            Value::Object(object) => match self.heap.objects[object] {
                Object::StaticMethod(inner) => inner,
                Object::ClassMethod(function) => self.heap.new_method(Method {
                    receiver: Value::Class(class),
                    function,
                }),
                _ => found,
            },
            _ => found,
        }
    }

    /// The property that a value is, and its getter.
    fn as_property(&self, found: Value) -> Option<(Ref<Object>, Value)> {
        match found {
            Value::Object(object) => match self.heap.objects[object] {
                Object::Property { getter, .. } => Some((object, getter)),
                _ => None,
            },
            _ => None,
        }
    }

    /// What reading an attribute comes to that is a property.
    fn read_property(&self, found: Value, receiver: Value) -> Option<Found> {
        Some(match self.as_property(found)? {
            (property, Value::None) => Found::NoGetter(property, receiver),
            (_, getter) => Found::Call(getter, receiver),
        })
    }

    /// Looks an attribute up without calling the script: the value, or what must be called for it,
    /// or nothing.
    pub(in crate::vm) fn look_up(&mut self, object: Value, wanted: Name) -> Found {
        match object {
            Value::Class(class) => {
                if let Some(found) = self.class_attribute(class, wanted) {
                    let bound = match found {
                        Value::Function(_) => found,
                        Value::Native(native) if self.image.natives[native].kind != Kind::Class => {
                            found
                        }
                        _ => self.bind(found, object, class),
                    };
                    return Found::Value(bound);
                }
                self.class_intrinsic(class, wanted)
                    .map_or(Found::Nothing, Found::Value)
            }
            Value::Module(module) => {
                if let Some(global) = self.module_global(module, wanted)
                    && self.globals[global as usize].is_bound()
                {
                    return Found::Value(self.globals[global as usize]);
                }
                self.intrinsic(object, wanted)
                    .map_or(Found::Nothing, Found::Value)
            }
            Value::Object(it) if matches!(self.heap.objects[it], Object::Super { .. }) => {
                let Object::Super { class, object } = self.heap.objects[it] else {
                    unreachable!("just matched")
                };
                let (of, receiver) = match object {
                    Value::Class(of) => (of, object),
                    _ => (self.class_of(object), object),
                };
                let above = match object {
                    Value::None => None,
                    _ => self.attribute_above(of, class, wanted),
                };
                let Some(found) = above else {
                    return match &*self.names[wanted] {
                        "__class__" => Found::Value(Type::Super.value()),
                        "__self__" => Found::Value(object),
                        "__self_class__" if object.same(Value::None) => Found::Value(object),
                        "__self_class__" => Found::Value(Value::Class(of)),
                        "__thisclass__" => Found::Value(Value::Class(class)),
                        _ => Found::Nothing,
                    };
                };
                if let Some(read) = self.read_property(found, receiver) {
                    return read;
                }
                if matches!(receiver, Value::Class(_)) && matches!(found, Value::Function(_)) {
                    return Found::Value(found);
                }
                Found::Value(self.bind(found, receiver, of))
            }
            _ => {
                let class = self.class_of(object);
                let found = self.class_attribute(class, wanted);
                if let Some(found) = found
                    && let Some(read) = self.read_property(found, object)
                {
                    return read;
                }
                match object {
                    Value::Instance(instance) => {
                        if let Some(value) = self.instance_attribute(instance, wanted) {
                            return Found::Value(value);
                        }
                    }
                    Value::Object(it) => {
                        if let Object::Namespace(dict) = self.heap.objects[it] {
                            let text = self.names[wanted].clone();
                            if let Some(value) = self.dict_get_str(dict, &text) {
                                return Found::Value(value);
                            }
                        }
                    }
                    _ => {}
                }
                if let Some(found) = found {
                    return Found::Value(self.bind(found, object, class));
                }
                if let Some(value) = self.intrinsic(object, wanted) {
                    return Found::Value(value);
                }
                if let Value::Instance(_) = object {
                    if let Some(hook) = self.class_attribute(class, name::GETATTR) {
                        return Found::Hook(hook);
                    }
                    if wanted == name::DOC || wanted == name::MODULE {
                        return self
                            .class_intrinsic(class, wanted)
                            .map_or(Found::Nothing, Found::Value);
                    }
                }
                Found::Nothing
            }
        }
    }

    /// The message of an `AttributeError`.
    pub(in crate::vm) fn no_attribute(&mut self, object: Value, wanted: Name) -> Value {
        let text = self.names[wanted].clone();
        let message = match object {
            Value::Class(class) => format!(
                "type object '{}' has no attribute '{text}'",
                self.heap.classes[class].name
            ),
            Value::Module(module) => format!(
                "module '{}' has no attribute '{text}'",
                self.image.program.modules[module as usize].name
            ),
            Value::Object(it) if matches!(self.heap.objects[it], Object::Super { .. }) => {
                format!("'super' object has no attribute '{text}'")
            }
            _ => format!(
                "'{}' object has no attribute '{text}'",
                self.type_name(object)
            ),
        };
        let message = self.heap.new_string(message);
        self.new_exception(Type::AttributeError, vec![message])
    }

    /// Fills the cache of an instruction that read `wanted` from `object`, if the look-up is of a
    /// kind that can be remembered.
    pub(in crate::vm) fn cache_for(&self, object: Value, wanted: Name) -> Cache {
        match object {
            Value::Instance(instance) => {
                let object = &self.heap.instances[instance];
                if object.dict.is_some() {
                    return Cache::Empty;
                }
                let found = self.class_attribute(object.class, wanted);
                if let Some(found) = found
                    && self.as_property(found).is_some()
                {
                    return Cache::Empty;
                }
                if let Some(slot) = self.instance_slot(object, wanted) {
                    return Cache::Slot {
                        shape: object.shape,
                        slot: slot as u32,
                        version: self.class_version,
                    };
                }
                match found {
                    Some(Value::Function(function)) => Cache::Method {
                        shape: object.shape,
                        version: self.class_version,
                        function,
                    },
                    Some(Value::Native(native)) if self.is_fixed(object.class, wanted) => {
                        Cache::Native {
                            class: object.class.slot,
                            native,
                        }
                    }
                    _ => Cache::Empty,
                }
            }
            Value::Module(module) => self
                .module_global(module, wanted)
                .map_or(Cache::Empty, |global| Cache::Global { module, global }),
            Value::Class(class) => match self.class_attribute(class, wanted) {
                Some(Value::Function(function)) => Cache::Function {
                    class,
                    version: self.class_version,
                    function,
                },
                _ => Cache::Empty,
            },
            // What a `super()` finds depends on its class, not on its type.
            Value::Object(it) if matches!(self.heap.objects[it], Object::Super { .. }) => {
                Cache::Empty
            }
            _ => {
                let class = self.class_of(object);
                match self.class_attribute(class, wanted) {
                    Some(Value::Native(native))
                        if self.image.natives[native].kind == Kind::Plain =>
                    {
                        Cache::Native {
                            class: class.slot,
                            native,
                        }
                    }
                    _ => Cache::Empty,
                }
            }
        }
    }
}

/// What a look-up came to.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) enum Found {
    Value(Value),
    /// The value is what this getter returns for this receiver.
    Call(Value, Value),
    /// It is this property, which has no getter, of this receiver.
    NoGetter(Ref<Object>, Value),
    /// The class has a `__getattr__`, to be called with the object and the name.
    Hook(Value),
    Nothing,
}
