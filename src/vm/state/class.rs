//! Which class a value has, and what classes have: look-up along the order of bases, with its
//! memory.

use crate::vm::Vm;
use crate::vm::heap::class::{Class, Name, Type};
use crate::vm::heap::object::{DictView, Iter, Object};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::native::{Kind, Native};

/// One entry of the memory of look-ups through classes.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) struct Lookup {
    class: u32,
    name: u32,
    version: u32,
    found: Option<Value>,
}

pub(in crate::vm) const LOOKUPS: usize = 1024;

impl Default for Lookup {
    fn default() -> Lookup {
        Lookup {
            class: u32::MAX,
            name: u32::MAX,
            version: u32::MAX,
            found: None,
        }
    }
}

impl Vm {
    /// The class of a value: `type(value)`.
    #[must_use]
    pub fn class_of(&self, value: Value) -> Ref<Class> {
        let of = match value {
            Value::Instance(it) => return self.heap.instances[it].class,
            Value::Unbound | Value::None => Type::NoneType,
            Value::NotImplemented => Type::NotImplementedType,
            Value::Ellipsis => Type::EllipsisType,
            Value::Bool(_) => Type::Bool,
            Value::Int(_) | Value::Big(_) => Type::Int,
            Value::Float(_) => Type::Float,
            Value::Str(_) => Type::Str,
            Value::Bytes(_) => Type::Bytes,
            Value::Tuple(_) => Type::Tuple,
            Value::List(_) => Type::List,
            Value::Dict(_) => Type::Dict,
            Value::Set(it) => {
                if self.heap.sets[it].frozen {
                    Type::FrozenSet
                } else {
                    Type::Set
                }
            }
            Value::Range(_) => Type::Range,
            Value::Function(_) => Type::Function,
            Value::Native(_) => Type::BuiltinFunction,
            Value::Method(it) => match self.heap.methods[it].function {
                Value::Native(_) => Type::BuiltinFunction,
                _ => Type::MethodType,
            },
            Value::Class(_) => Type::Type,
            Value::Generator(_) => Type::Generator,
            Value::Iter(it) => match &self.heap.iters[it] {
                Iter::Done | Iter::List { .. } | Iter::Items { .. } => Type::ListIterator,
                Iter::Tuple { .. } => Type::TupleIterator,
                Iter::Str { text, .. } if self.heap.text(*text).is_ascii() => {
                    Type::StrAsciiIterator
                }
                Iter::Str { .. } => Type::StrIterator,
                Iter::Bytes { .. } => Type::BytesIterator,
                Iter::Range { .. } => Type::RangeIterator,
                Iter::Dict {
                    view: DictView::Keys,
                    ..
                } => Type::DictKeyIterator,
                Iter::Dict {
                    view: DictView::Values,
                    ..
                } => Type::DictValueIterator,
                Iter::Dict {
                    view: DictView::Items,
                    ..
                } => Type::DictItemIterator,
                Iter::Set { .. } => Type::SetIterator,
                Iter::DictReversed {
                    view: DictView::Keys,
                    ..
                } => Type::DictReverseKeyIterator,
                Iter::DictReversed {
                    view: DictView::Values,
                    ..
                } => Type::DictReverseValueIterator,
                Iter::DictReversed {
                    view: DictView::Items,
                    ..
                } => Type::DictReverseItemIterator,
                Iter::Reversed {
                    sequence: Value::List(_),
                    ..
                } => Type::ReversedIterator,
                Iter::Reversed { .. } => Type::Reversed,
                Iter::Enumerate { .. } => Type::Enumerate,
                Iter::Zip { .. } => Type::Zip,
                Iter::Map { .. } => Type::Map,
                Iter::Filter { .. } => Type::Filter,
                Iter::Call { .. } => Type::CallableIterator,
                Iter::Sequence { .. } => Type::SequenceIterator,
            },
            Value::Cell(_) => Type::Cell,
            Value::Module(_) => Type::Module,
            Value::Object(it) => match &self.heap.objects[it] {
                Object::Free => Type::Object,
                Object::Slice { .. } => Type::Slice,
                Object::Property { getter, .. } => match self.builtin_getter(*getter) {
                    Some(_) => Type::GetSetDescriptor,
                    None => Type::Property,
                },
                Object::StaticMethod(_) => Type::StaticMethod,
                Object::ClassMethod(_) => Type::ClassMethod,
                Object::Super { .. } => Type::Super,
                Object::View {
                    view: DictView::Keys,
                    ..
                } => Type::DictKeys,
                Object::View {
                    view: DictView::Values,
                    ..
                } => Type::DictValues,
                Object::View {
                    view: DictView::Items,
                    ..
                } => Type::DictItems,
                Object::Lock(_) => Type::Lock,
                Object::RLock(_) => Type::RLock,
                Object::Condition(_) => Type::Condition,
                Object::Semaphore(_) => Type::Semaphore,
                Object::Event(_) => Type::Event,
                Object::ThreadHandle(_) => Type::ThreadHandle,
                Object::ProcessHandle { .. } => Type::ProcessHandle,
                Object::Channel { .. } => Type::Channel,
                Object::Ring(_) => Type::Ring,
                Object::Traceback(_) => Type::Traceback,
                Object::Namespace(_) => Type::Namespace,
            },
        };
        of.class()
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

    /// Is the value an instance of this class or one derived from it?
    #[must_use]
    pub fn is_instance(&self, value: Value, of: Ref<Class>) -> bool {
        self.is_subclass(self.class_of(value), of)
    }

    /// What a class or its bases have under a name, without binding.
    #[must_use]
    pub fn class_attribute(&self, class: Ref<Class>, name: Name) -> Option<Value> {
        let at = (class.slot.wrapping_mul(31).wrapping_add(name.0)) as usize & (LOOKUPS - 1);
        let lookup = &self.lookups[at];
        let lookup = lookup.get();
        if lookup.class == class.slot
            && lookup.name == name.0
            && lookup.version == self.class_version
        {
            return lookup.found;
        }
        let found = self.heap.classes[class]
            .mro
            .iter()
            .find_map(|&class| self.heap.classes[class].own(name));
        self.lookups[at].set(Lookup {
            class: class.slot,
            name: name.0,
            version: self.class_version,
            found,
        });
        found
    }

    /// What the classes of `of` that come after `above` have by this name.
    pub(in crate::vm) fn attribute_above(
        &self,
        of: Ref<Class>,
        above: Ref<Class>,
        wanted: Name,
    ) -> Option<Value> {
        let mut after = self.heap.classes[of].mro.iter();
        after.find(|&&it| it == above);
        after.find_map(|&base| self.heap.classes[base].own(wanted))
    }

    /// The look-ups that are remembered and would be used.
    pub(in crate::vm) fn remembered_lookups(
        &self,
    ) -> impl Iterator<Item = (Ref<Class>, Name, Option<Value>)> {
        let lookups = self.lookups.iter().map(std::cell::Cell::get);
        lookups
            .filter(|it| it.version == self.class_version && it.class != u32::MAX)
            .map(|it| (Ref::new(it.class), Name(it.name), it.found))
    }

    pub(in crate::vm) fn forget_lookups(&mut self, name: Name) {
        for lookup in &self.lookups {
            if lookup.get().name == name.0 {
                lookup.set(Lookup::default());
            }
        }
    }

    /// The native that reads an attribute of a builtin type, if a property's getter is such a one.
    pub(in crate::vm) fn builtin_getter(&self, getter: Value) -> Option<&'static Native> {
        let Value::Native(it) = getter else {
            return None;
        };
        let native = &self.image.natives[it];
        (native.kind == Kind::Getter).then_some(native)
    }

    /// The script's own method for a protocol (`__len__`, `__add__` …) of a value: only what a
    /// class of the script or the library defines, since builtin types are done in Rust. To be
    /// called with the value as first argument.
    #[must_use]
    pub fn special(&self, value: Value, name: Name) -> Option<Value> {
        let Value::Instance(it) = value else {
            return None;
        };
        match self.class_attribute(self.heap.instances[it].class, name)? {
            Value::Native(native) if self.image.natives[native].kind != Kind::Method => None,
            found => Some(found),
        }
    }
}
