//! How many bytes objects keep outside of their slots, as the allocator gives them out. Knows
//! nothing of who counts them.

use crate::vm::heap::class::{Class, Name, Record};
use crate::vm::heap::dict::Dict;
use crate::vm::heap::list::List;
use crate::vm::heap::memory::{Counted, block, counted};
use crate::vm::heap::object::{
    Bytes, Cell, Exception, Function, Generator, Instance, Iter, Method, Object, Range, TraceEntry,
    Tuple,
};
use crate::vm::heap::ring::Ring;
use crate::vm::heap::set::Set;
use crate::vm::heap::text::{Buffer, Str};
use crate::vm::heap::value::{Ref, ThreadId, Value};
use num_bigint::BigInt;
use std::mem::size_of_val;

/// What an object weighs beside its slot.
pub trait Weight: Counted {
    /// Bytes that it keeps on the allocator's heap.
    fn outer_bytes(&self) -> usize;
}

/// The two counts of its owners that something shared has.
const COUNTS: usize = 16;

counted! {
    BigInt: 32,
    Buffer: 24,
    Bytes: 16,
    Cell: 16,
    Class: 160,
    Dict: 56,
    Exception: 112,
    Function: 64,
    Generator: 48,
    Instance: 48,
    Iter: 40,
    List: 32,
    Method: 32,
    Name: 4,
    Object: 80,
    Range: 24,
    Record: 72,
    Ref<Class>: 4,
    Ring: 64,
    Set: 48,
    Str: 40,
    ThreadId: 4,
    TraceEntry: 8,
    Tuple: 16,
    Value: 16,
    (Name, Value): 24,
}

fn shared(text: &str) -> usize {
    block(text.len() + COUNTS)
}

/// A vector's room for so many things.
fn room<T: Counted>(capacity: usize) -> usize {
    block(capacity * T::BYTES)
}

impl Weight for BigInt {
    fn outer_bytes(&self) -> usize {
        block(usize::try_from(self.bits() / 8 + 8).unwrap_or(usize::MAX / 2))
    }
}
impl Weight for Str {
    fn outer_bytes(&self) -> usize {
        block(Str::outer_bytes(self))
    }
}
impl Weight for Buffer {
    fn outer_bytes(&self) -> usize {
        block(self.0.capacity())
    }
}
impl Weight for Bytes {
    fn outer_bytes(&self) -> usize {
        block(self.0.len() + COUNTS)
    }
}
impl Weight for Range {
    fn outer_bytes(&self) -> usize {
        0
    }
}
impl Weight for Tuple {
    fn outer_bytes(&self) -> usize {
        block(size_of_val(&*self.0))
    }
}
impl Weight for List {
    fn outer_bytes(&self) -> usize {
        block(self.bytes())
    }
}
impl Weight for Dict {
    fn outer_bytes(&self) -> usize {
        block(self.bytes())
    }
}
impl Weight for Set {
    fn outer_bytes(&self) -> usize {
        block(self.bytes())
    }
}
impl Weight for Function {
    fn outer_bytes(&self) -> usize {
        block(size_of_val(&*self.cells))
            + block(size_of_val(&*self.defaults))
            + block(size_of_val(&*self.keyword_defaults))
    }
}
impl Weight for Method {
    fn outer_bytes(&self) -> usize {
        0
    }
}
impl Weight for Class {
    fn outer_bytes(&self) -> usize {
        let names = [&self.name, &self.qualname, &self.module];
        let names: usize = names.iter().map(|it| shared(it)).sum();
        // An entry of the index takes its key, its value and a byte of the table's.
        let index = block(self.index.capacity() * 9);
        let record = self.record.as_ref().map_or(0, |it| {
            block(Record::BYTES)
                + room::<Name>(it.fields.capacity())
                + room::<Value>(it.defaults.capacity())
        });
        names
            + room::<Ref<Class>>(self.mro.capacity())
            + room::<(Name, Value)>(self.attributes.capacity())
            + index
            + record
    }
}
impl Weight for Instance {
    fn outer_bytes(&self) -> usize {
        let exception = self.exception.as_ref();
        let exception = exception.map_or(0, |it| block(Exception::BYTES) + it.outer_bytes());
        room::<Value>(self.slots.capacity()) + exception
    }
}
impl Weight for Exception {
    fn outer_bytes(&self) -> usize {
        room::<Value>(self.args.capacity())
            + room::<Value>(self.fields.capacity())
            + room::<TraceEntry>(self.traceback.capacity())
    }
}
impl Weight for Generator {
    fn outer_bytes(&self) -> usize {
        block(size_of_val(&*self.registers))
    }
}
impl Weight for Iter {
    fn outer_bytes(&self) -> usize {
        match self {
            Iter::Zip { inner, .. } | Iter::Map { inner, .. } => block(size_of_val(&**inner)),
            Iter::Done
            | Iter::List { .. }
            | Iter::Tuple { .. }
            | Iter::Str { .. }
            | Iter::Bytes { .. }
            | Iter::Range { .. }
            | Iter::Dict { .. }
            | Iter::DictReversed { .. }
            | Iter::Set { .. }
            | Iter::Reversed { .. }
            | Iter::Items { .. }
            | Iter::Enumerate { .. }
            | Iter::Filter { .. }
            | Iter::Call { .. }
            | Iter::Sequence { .. } => 0,
        }
    }
}
impl Weight for Cell {
    fn outer_bytes(&self) -> usize {
        0
    }
}
impl Weight for Object {
    fn outer_bytes(&self) -> usize {
        let waiters = match self {
            Object::Lock(it) => &it.waiters,
            Object::RLock(it) => &it.waiters,
            Object::Condition(it) => &it.waiters,
            Object::Semaphore(it) => &it.waiters,
            Object::Event(it) => &it.waiters,
            Object::Ring(ring) => return block(Ring::BYTES) + block(ring.bytes()),
            Object::Traceback(entries) => return room::<TraceEntry>(entries.capacity()),
            Object::ProcessHandle { name, .. } => return shared(name),
            Object::Free
            | Object::Slice { .. }
            | Object::Property { .. }
            | Object::StaticMethod(_)
            | Object::ClassMethod(_)
            | Object::Super { .. }
            | Object::View { .. }
            | Object::ThreadHandle(_)
            | Object::Channel { .. }
            | Object::Namespace(_) => return 0,
        };
        room::<ThreadId>(waiters.capacity())
    }
}
