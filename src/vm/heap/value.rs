//! A value of the language: 16 bytes, a tag and a number or a handle. Knows its own identity alone;
//! everything behind a handle is the heap's.

use crate::vm::heap::class::Class;
use crate::vm::heap::dict::Dict;
use crate::vm::heap::list::List;
use crate::vm::heap::object::{
    Bytes, Cell, Function, Generator, Instance, Iter, Method, Object, Range, Tuple,
};
use crate::vm::heap::set::Set;
use crate::vm::heap::text::Str;
use num_bigint::BigInt;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

/// A handle to an object in the arena of its type.
pub struct Ref<T> {
    /// The slot.
    pub slot: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Ref<T> {
    /// The handle of a slot.
    #[must_use]
    pub const fn new(slot: u32) -> Ref<T> {
        Ref {
            slot,
            of: PhantomData,
        }
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Ref<T> {
        *self
    }
}
impl<T> Copy for Ref<T> {}
impl<T> Default for Ref<T> {
    fn default() -> Ref<T> {
        Ref::new(0)
    }
}
impl<T> PartialEq for Ref<T> {
    fn eq(&self, other: &Ref<T>) -> bool {
        self.slot == other.slot
    }
}
impl<T> Eq for Ref<T> {}
impl<T> Hash for Ref<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.slot.hash(state);
    }
}
impl<T> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.slot)
    }
}

/// A value. Copying one copies a number or a handle, never an object.
///
/// The tag has a whole word, so that a value is always written as two words and can be read as two:
/// a load that spans two younger stores waits until both have left the store buffer, which was
/// measured to cost a third of the time of programs that compute with floats.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub enum Value {
    /// No value: a variable before its first assignment, an argument that was not given.
    Unbound,
    None,
    NotImplemented,
    Ellipsis,
    Bool(bool),
    /// An `int` within 64 bits.
    Int(i64),
    Float(f64),
    /// An `int` outside of 64 bits; never one inside (so equal ints have equal forms).
    Big(Ref<BigInt>),
    Str(Ref<Str>),
    Bytes(Ref<Bytes>),
    Tuple(Ref<Tuple>),
    List(Ref<List>),
    Dict(Ref<Dict>),
    /// A `set` or `frozenset`.
    Set(Ref<Set>),
    Range(Ref<Range>),
    Function(Ref<Function>),
    /// A builtin function, or an unbound method of a builtin type.
    Native(NativeId),
    /// A bound method.
    Method(Ref<Method>),
    /// A class, builtin or of the script.
    Class(Ref<Class>),
    /// An instance of a class of the script, or an exception.
    Instance(Ref<Instance>),
    Generator(Ref<Generator>),
    /// An iterator over something builtin.
    Iter(Ref<Iter>),
    /// A captured variable; only ever in registers, never seen by a script.
    Cell(Ref<Cell>),
    /// A module, by its place in the program.
    Module(u32),
    /// Everything less frequent.
    Object(Ref<Object>),
}

const _: () = assert!(size_of::<Value>() == 16);

impl Value {
    /// `is`: the same object (numbers and the like: the same value, which is what CPython does for
    /// the small ones).
    #[must_use]
    pub fn same(self, other: Value) -> bool {
        match (self, other) {
            (Value::Unbound, Value::Unbound)
            | (Value::None, Value::None)
            | (Value::NotImplemented, Value::NotImplemented)
            | (Value::Ellipsis, Value::Ellipsis) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
            (Value::Big(a), Value::Big(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a == b,
            (Value::Bytes(a), Value::Bytes(b)) => a == b,
            (Value::Tuple(a), Value::Tuple(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            (Value::Dict(a), Value::Dict(b)) => a == b,
            (Value::Set(a), Value::Set(b)) => a == b,
            (Value::Range(a), Value::Range(b)) => a == b,
            (Value::Function(a), Value::Function(b)) => a == b,
            (Value::Native(a), Value::Native(b)) => a == b,
            (Value::Method(a), Value::Method(b)) => a == b,
            (Value::Class(a), Value::Class(b)) => a == b,
            (Value::Instance(a), Value::Instance(b)) => a == b,
            (Value::Generator(a), Value::Generator(b)) => a == b,
            (Value::Iter(a), Value::Iter(b)) => a == b,
            (Value::Cell(a), Value::Cell(b)) => a == b,
            (Value::Module(a), Value::Module(b)) => a == b,
            (Value::Object(a), Value::Object(b)) => a == b,
            _ => false,
        }
    }

    /// Is this a value at all?
    #[must_use]
    pub fn is_bound(self) -> bool {
        !matches!(self, Value::Unbound)
    }

    /// The value, or a stand-in where none was given.
    #[must_use]
    pub fn or(self, otherwise: Value) -> Value {
        if self.is_bound() { self } else { otherwise }
    }
}

/// A native, by its place in the table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct NativeId(pub u16);

/// A thread of a VM; 0 is the main thread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ThreadId(pub u32);
