//! Concatenation and repetition of strings, bytes, lists and tuples, with their in-place forms for
//! lists. What would be too large is refused before it is made.

use crate::operator::BinaryOp;
use crate::vm::heap::MAX_TEXT_BYTES;
use crate::vm::heap::class::{Type, name};
use crate::vm::heap::fault::Fault;
use crate::vm::heap::list::List;
use crate::vm::heap::object::Bytes;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};

impl Ctx<'_> {
    /// `+` and `*` of sequences, after everything else has declined; none if neither operand is a
    /// sequence.
    pub(super) fn sequence_binary(
        &mut self,
        op: BinaryOp,
        a: Value,
        b: Value,
    ) -> Result<Option<Value>, Abrupt> {
        match op {
            BinaryOp::Add if is_sequence(a) => self.concatenate(a, b).map(Some),
            BinaryOp::Mul if is_sequence(a) => self.repeat(a, b).map(Some),
            BinaryOp::Mul if is_sequence(b) => self.repeat(b, a).map(Some),
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::FloorDiv
            | BinaryOp::Mod
            | BinaryOp::Pow
            | BinaryOp::BitAnd
            | BinaryOp::BitOr
            | BinaryOp::BitXor
            | BinaryOp::Shl
            | BinaryOp::Shr => Ok(None),
        }
    }

    /// `list += iterable` and `list *= count`, which change the list; none for other values and
    /// operators.
    pub(super) fn list_in_place(
        &mut self,
        op: BinaryOp,
        a: Value,
        b: Value,
    ) -> Result<Option<Value>, Abrupt> {
        let Value::List(list) = a else {
            return Ok(None);
        };
        match op {
            BinaryOp::Add => {
                self.extend_list(list, b)?;
            }
            BinaryOp::Mul => {
                let count = self.repetitions(b)?;
                let once = self.vm.heap.lists[list].to_vec();
                self.reserve_items(once.len(), count)?;
                self.grow(list, |items| {
                    if count == 0 {
                        items.clear();
                    }
                    for _ in 1..count {
                        items.extend(once.iter().copied());
                    }
                });
            }
            BinaryOp::Sub
            | BinaryOp::Div
            | BinaryOp::FloorDiv
            | BinaryOp::Mod
            | BinaryOp::Pow
            | BinaryOp::BitAnd
            | BinaryOp::BitOr
            | BinaryOp::BitXor
            | BinaryOp::Shl
            | BinaryOp::Shr => return Ok(None),
        }
        Ok(Some(a))
    }

    /// Changes a list and reports its growth to the heap.
    fn grow(&mut self, list: Ref<List>, change: impl FnOnce(&mut List)) {
        let items = &mut self.vm.heap.lists[list];
        let before = items.bytes();
        change(items);
        let growth = items.bytes().saturating_sub(before);
        self.vm.heap.allocated += growth;
    }

    fn concatenate(&mut self, a: Value, b: Value) -> Result<Value, Abrupt> {
        match (a, b) {
            (Value::Str(a), Value::Str(b)) => {
                self.reserve(self.vm.heap.growth_of_concatenation(a, b))?;
                Ok(self.vm.heap.concatenate(a, b, usize::MAX))
            }
            (Value::Bytes(a), Value::Bytes(b)) => {
                let bytes = &self.vm.heap.bytes;
                self.reserve_bytes(bytes[a].0.len() + bytes[b].0.len())?;
                let (a, b) = (&self.vm.heap.bytes[a].0, &self.vm.heap.bytes[b].0);
                let joined = [&a[..], &b[..]].concat();
                Ok(self.vm.heap.new_bytes(Bytes(joined.into())))
            }
            (Value::List(a), Value::List(b)) => {
                let lists = &self.vm.heap.lists;
                self.reserve_items(lists[a].len() + lists[b].len(), 1)?;
                let (a, b) = (&self.vm.heap.lists[a], &self.vm.heap.lists[b]);
                let joined: List = a.iter().chain(b.iter()).collect();
                Ok(self.vm.heap.new_list(joined))
            }
            (Value::Tuple(x), Value::Tuple(y)) => {
                let tuples = &self.vm.heap.tuples;
                if tuples[x].0.is_empty() {
                    return Ok(b);
                }
                if tuples[y].0.is_empty() {
                    return Ok(a);
                }
                self.reserve_items(tuples[x].0.len() + tuples[y].0.len(), 1)?;
                let (x, y) = (&self.vm.heap.tuples[x].0, &self.vm.heap.tuples[y].0);
                let joined = [&x[..], &y[..]].concat();
                Ok(self.vm.heap.new_tuple(joined))
            }
            _ => {
                let (left, right) = (self.vm.type_name(a), self.vm.type_name(b));
                let message = if left == Type::Bytes.name() {
                    format!("can't concat {right} to bytes")
                } else {
                    format!("can only concatenate {left} (not \"{right}\") to {left}")
                };
                Err(self.type_error(message))
            }
        }
    }

    fn repeat(&mut self, sequence: Value, count: Value) -> Result<Value, Abrupt> {
        let count = self.repetitions(count)?;
        match sequence {
            Value::Str(text) => {
                let bytes = self.vm.heap.text(text).len();
                if bytes > 1 && bytes.saturating_mul(count) > isize::MAX as usize {
                    return Err(self.raise(Fault::overflow("repeated string is too long")));
                }
                if count == 1 {
                    return Ok(sequence);
                }
                self.reserve_text(bytes.saturating_mul(count))?;
                let repeated = self.vm.heap.text(text).repeat(count);
                Ok(self.vm.heap.new_string(repeated))
            }
            Value::Bytes(bytes) => {
                if count == 1 {
                    return Ok(sequence);
                }
                let length = self.vm.heap.bytes[bytes].0.len();
                if length > 1 && length.saturating_mul(count) > isize::MAX as usize {
                    return Err(self.raise(Fault::overflow("repeated bytes are too long")));
                }
                self.reserve_bytes(length.saturating_mul(count))?;
                let repeated = self.vm.heap.bytes[bytes].0.repeat(count);
                Ok(self.vm.heap.new_bytes(Bytes(repeated.into())))
            }
            Value::List(list) => {
                let items: List = self.vm.heap.lists[list].iter().collect();
                self.reserve(items.bytes().saturating_mul(count))?;
                let repeated = items.repeat(count);
                self.vm.heap.worked(Work::Place, repeated.len());
                Ok(self.vm.heap.new_list(repeated))
            }
            Value::Tuple(tuple) => {
                if count == 1 {
                    return Ok(sequence);
                }
                self.reserve_items(self.vm.heap.tuples[tuple].0.len(), count)?;
                let items = self.vm.heap.tuples[tuple].0.repeat(count);
                self.vm.heap.worked(Work::Place, items.len());
                Ok(self.vm.heap.new_tuple(items))
            }
            _ => unreachable!("only sequences are repeated"),
        }
    }

    /// How often a sequence is to be repeated; never less than 0 times.
    fn repetitions(&mut self, count: Value) -> Result<usize, Abrupt> {
        let is_index = matches!(count, Value::Bool(_) | Value::Int(_) | Value::Big(_))
            || self.vm.special(count, name::INDEX).is_some();
        if !is_index {
            let message = format!(
                "can't multiply sequence by non-int of type '{}'",
                self.vm.type_name(count)
            );
            return Err(self.type_error(message));
        }
        self.size(count)
    }

    /// Refuses a text of so many bytes that would be too large.
    pub(in crate::vm) fn reserve_text(&mut self, bytes: usize) -> Result<(), Abrupt> {
        if bytes > MAX_TEXT_BYTES {
            return Err(self.raise(Fault::memory()));
        }
        self.reserve(bytes)
    }

    /// Sees that there is room for a bytes object that is gathered in a vector and then copied to
    /// where threads may share it.
    pub(in crate::vm) fn reserve_bytes(&mut self, bytes: usize) -> Result<(), Abrupt> {
        self.reserve(bytes.saturating_mul(2))
    }

    fn reserve_items(&mut self, items: usize, count: usize) -> Result<(), Abrupt> {
        self.reserve(
            items
                .saturating_mul(count)
                .saturating_mul(size_of::<Value>()),
        )
    }
}

fn is_sequence(value: Value) -> bool {
    matches!(
        value,
        Value::Str(_) | Value::Bytes(_) | Value::List(_) | Value::Tuple(_)
    )
}
