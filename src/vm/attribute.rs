//! Attributes: look-up through classes, descriptors, `__getattr__`, shapes of instances, and special methods.

use crate::vm::Vm;
use crate::vm::class::{Class, Name};
use crate::vm::native::{Ctx, Interrupt};
use crate::vm::value::{Ref, Value};

impl Vm {
    /// The class of a value: `type(value)`.
    #[must_use]
    pub fn class_of(&self, value: Value) -> Ref<Class> {
        let _ = value;
        todo!()
    }
    /// What a class or its bases have under a name, without binding.
    #[must_use]
    pub fn class_attribute(&self, class: Ref<Class>, name: Name) -> Option<Value> {
        let _ = (class, name);
        todo!()
    }
    /// The script's own method for a protocol (`__len__`, `__add__` …) of a value: only what a class of the script defines, since builtin types are done in
    /// Rust. To be called with the value as first argument.
    #[must_use]
    pub fn special(&self, value: Value, name: Name) -> Option<Value> {
        let _ = (value, name);
        todo!()
    }
    /// The name for a text, made at need.
    pub fn intern(&mut self, text: &str) -> Name {
        let _ = text;
        todo!()
    }
    /// The name of a value's type, as messages give it.
    #[must_use]
    pub fn type_name(&self, value: Value) -> &str {
        &self.heap.classes[self.class_of(value)].name
    }
    /// Is `class` the same as `of` or derived from it?
    #[must_use]
    pub fn is_subclass(&self, class: Ref<Class>, of: Ref<Class>) -> bool {
        self.heap.classes[class].mro.contains(&of)
    }
}

impl Ctx<'_> {
    /// `object.name`; raises `AttributeError`.
    pub fn get_attr(&mut self, object: Value, name: Name) -> Result<Value, Interrupt> {
        let _ = (object, name);
        todo!()
    }
    /// `object.name = value`.
    pub fn set_attr(&mut self, object: Value, name: Name, value: Value) -> Result<(), Interrupt> {
        let _ = (object, name, value);
        todo!()
    }
    /// `del object.name`.
    pub fn del_attr(&mut self, object: Value, name: Name) -> Result<(), Interrupt> {
        let _ = (object, name);
        todo!()
    }
}
