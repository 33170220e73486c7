//! Attributes of classes: setting and deleting them, and which ones a script cannot replace.
//! Looking them up is in `vm::state::class`. Knows nothing of instances' own attributes or of
//! binding.

use crate::vm::Vm;
use crate::vm::heap::class::{Class, Name, name};
use crate::vm::heap::object::{Instance, Object};
use crate::vm::heap::value::{NativeId, Ref, Value};
use crate::vm::state::native::Kind;

impl Vm {
    /// Has it a `__setattr__` of the script's?
    pub(in crate::vm) fn sets_attributes(&self, class: Ref<Class>) -> bool {
        self.class_attribute(class, name::SETATTR)
            .is_some_and(|hook| !matches!(hook, Value::Native(_)))
    }

    /// Is this native a class's own method? Then the class stands for one that CPython has in C:
    /// neither it nor its instances can have something else by this name.
    pub(in crate::vm) fn is_fixed(&self, class: Ref<Class>, wanted: Name) -> bool {
        matches!(
            self.heap.classes[class].own(wanted),
            Some(Value::Native(native)) if self.image.natives[native].kind == Kind::Method
        )
    }

    /// The native that calling a method of an instance comes down to.
    pub(in crate::vm) fn library_method(
        &self,
        instance: Ref<Instance>,
        wanted: Name,
    ) -> Option<NativeId> {
        let class = self.heap.instances[instance].class;
        let Value::Native(native) = self.class_attribute(class, wanted)? else {
            return None;
        };
        (self.image.natives[native].kind == Kind::Method
            && self.instance_attribute(instance, wanted).is_none())
        .then_some(native)
    }

    /// Sets a class's own attribute.
    pub(in crate::vm) fn set_class_attribute(
        &mut self,
        class: Ref<Class>,
        name: Name,
        value: Value,
    ) {
        if let (name::MODULE, Value::Str(text)) = (name, value) {
            self.heap.classes[class].module = self.heap.text_arc(text);
            return;
        }
        let object = &mut self.heap.classes[class];
        if let Some(&at) = object.index.get(&name) {
            let old = std::mem::replace(&mut object.attributes[at as usize].1, value);
            if is_plain(old) && is_plain(value) {
                // Look-ups remember plain values too, but instructions do not; forgetting those few
                // is cheaper than forgetting everything.
                self.forget_lookups(name);
                return;
            }
        } else {
            object.makes |= name == name::NEW;
            object.index.insert(name, object.attributes.len() as u32);
            object.attributes.push((name, value));
        }
        self.class_version += 1;
    }

    /// Tells a property what it is called in the body of a class (`property.__set_name__`).
    pub(in crate::vm) fn name_property(&mut self, value: Value, called: Name) {
        if let Value::Object(it) = value
            && let Object::Property { name, .. } = &mut self.heap.objects[it]
        {
            *name = Some(called);
        }
    }

    /// Deletes a class's own attribute; false if it has none.
    pub(in crate::vm) fn delete_class_attribute(&mut self, class: Ref<Class>, name: Name) -> bool {
        let object = &mut self.heap.classes[class];
        let Some(at) = object.index.remove(&name) else {
            return false;
        };
        object.attributes.remove(at as usize);
        for position in object.index.values_mut() {
            if *position > at {
                *position -= 1;
            }
        }
        self.class_version += 1;
        true
    }
}

/// No function, property or other thing that changes how attributes are looked up.
fn is_plain(value: Value) -> bool {
    !matches!(
        value,
        Value::Function(_) | Value::Native(_) | Value::Object(_) | Value::Unbound
    )
}
