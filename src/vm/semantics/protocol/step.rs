//! Steps of iterators that need nothing but the heap: no script, no engine, no exception. They are
//! done in place, and within the run loop; all others are `Ctx::next`'s.

use super::iteration::{ITERATORS_NESTING, inner_of};
use crate::vm::heap::Heap;
use crate::vm::heap::object::Iter;
use crate::vm::heap::value::{Ref, Value};
use smallvec::SmallVec;

/// What came of trying a step of an iterator without the script, the engine or an exception.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) enum Stepped<T = Value> {
    /// The next item.
    Item(T),
    /// There are no more items.
    End,
    /// It cannot be done alone. Nothing has changed.
    NotAlone,
}

impl From<Option<Value>> for Stepped {
    fn from(item: Option<Value>) -> Stepped {
        item.map_or(Stepped::End, Stepped::Item)
    }
}

impl Iter {
    /// Does a step of it need neither the script nor other iterators, and raise nothing?
    pub(super) fn is_plain(&self) -> bool {
        matches!(
            self,
            Iter::Done
                | Iter::List { .. }
                | Iter::Tuple { .. }
                | Iter::Str { .. }
                | Iter::Bytes { .. }
                | Iter::Range { .. }
                | Iter::Items { .. }
        )
    }
}

impl Heap {
    /// A step of an iterator, in place, if it needs nothing but the heap and raises nothing.
    /// Otherwise `Ctx::next` must do it.
    pub(in crate::vm) fn step_alone(&mut self, iter: Ref<Iter>) -> Stepped {
        if !self.steps_alone(Value::Iter(iter), ITERATORS_NESTING) {
            return Stepped::NotAlone;
        }
        self.step_in_place(iter).into()
    }

    /// Does the next step of an iterator need nothing but the heap, and raise nothing?
    fn steps_alone(&self, iterator: Value, left: usize) -> bool {
        let Value::Iter(iter) = iterator else {
            return false;
        };
        match &self.iters[iter] {
            &Iter::Dict {
                dict,
                next,
                size,
                left,
                ..
            } => {
                let dict = &self.dicts[dict];
                dict.len() == size && (left > 0 || dict.next_entry(next).is_none())
            }
            Iter::DictReversed { dict, size, .. } => self.dicts[*dict].len() == *size,
            Iter::Set { set, size, .. } => self.sets[*set].len() == *size,
            Iter::Reversed { sequence, .. } => !matches!(sequence, Value::Instance(_)),
            Iter::Enumerate { inner, .. } => left > 0 && self.steps_alone(*inner, left - 1),
            Iter::Zip { inner, strict } => {
                let mut inner = inner.iter();
                !strict && left > 0 && inner.all(|&inner| self.steps_alone(inner, left - 1))
            }
            Iter::Map { .. } | Iter::Filter { .. } | Iter::Call { .. } | Iter::Sequence { .. } => {
                false
            }
            plain => plain.is_plain(),
        }
    }

    /// The step of an iterator for which `steps_alone` holds.
    fn step_in_place(&mut self, iter: Ref<Iter>) -> Option<Value> {
        let item = match &self.iters[iter] {
            &Iter::Dict {
                dict, next, view, ..
            } => match self.dicts[dict].next_entry(next) {
                Some((at, entry)) => {
                    if let Iter::Dict { next, left, .. } = &mut self.iters[iter] {
                        *next = at + 1;
                        *left -= 1;
                    }
                    Some(self.dict_item(view, entry.key, entry.value))
                }
                None => None,
            },
            &Iter::DictReversed {
                dict, end, view, ..
            } => match self.dicts[dict].entry_before(end) {
                Some((at, entry)) => {
                    if let Iter::DictReversed { end, .. } = &mut self.iters[iter] {
                        *end = at;
                    }
                    Some(self.dict_item(view, entry.key, entry.value))
                }
                None => None,
            },
            &Iter::Set { set, next, .. } => match self.sets[set].next_element(next) {
                Some((at, element)) => {
                    if let Iter::Set { next, .. } = &mut self.iters[iter] {
                        *next = at + 1;
                    }
                    Some(element)
                }
                None => None,
            },
            &Iter::Reversed { sequence, left } => {
                let at = left.checked_sub(1);
                if let (Some(at), Iter::Reversed { left, .. }) = (at, &mut self.iters[iter]) {
                    *left = at;
                }
                at.and_then(|at| self.sequence_item(sequence, at))
            }
            // The two that are not exhausted themselves where what they run over is.
            &Iter::Enumerate { inner, next } => {
                let item = self.step_inner(inner)?;
                if let Iter::Enumerate { next, .. } = &mut self.iters[iter] {
                    *next = next.saturating_add(1);
                }
                return Some(self.new_tuple([Value::Int(next), item]));
            }
            Iter::Zip { inner, .. } => {
                let count = inner.len();
                if count == 0 {
                    return None;
                }
                let mut items = SmallVec::<[Value; 4]>::with_capacity(count);
                for at in 0..count {
                    items.push(self.step_inner(inner_of(self, iter, at))?);
                }
                return Some(self.new_tuple(&items[..]));
            }
            _ => {
                let mut moved = std::mem::take(&mut self.iters[iter]);
                let item = self.step_plainly(&mut moved);
                self.iters[iter] = moved;
                return item;
            }
        };
        if item.is_none() {
            self.iters[iter] = Iter::Done;
        }
        item
    }

    fn step_inner(&mut self, inner: Value) -> Option<Value> {
        match inner {
            Value::Iter(inner) => self.step_in_place(inner),
            _ => unreachable!("what steps alone runs over iterators of the heap"),
        }
    }

    /// A step of an iterator that needs nothing but the heap (`Iter::is_plain`); others are left as
    /// they are.
    #[inline]
    pub(in crate::vm) fn step_plainly(&mut self, iter: &mut Iter) -> Option<Value> {
        let item = match iter {
            Iter::List { list, next } | Iter::Items { items: list, next } => {
                let item = self.lists[*list].get(*next);
                *next += 1;
                item
            }
            Iter::Tuple { tuple, next } => {
                let item = self.tuples[*tuple].0.get(*next).copied();
                *next += 1;
                item
            }
            Iter::Str { text, next } => {
                let rest = &self.text(*text)[*next..];
                match rest.chars().next() {
                    Some(character) => {
                        *next += character.len_utf8();
                        Some(self.new_character(character))
                    }
                    None => None,
                }
            }
            Iter::Bytes { bytes, next } => {
                let item = self.bytes[*bytes].0.get(*next).copied();
                *next += 1;
                item.map(|byte| Value::Int(i64::from(byte)))
            }
            Iter::Range { next, left, step } => {
                if *left == 0 {
                    None
                } else {
                    let item = *next;
                    *next = next.wrapping_add(*step);
                    *left -= 1;
                    Some(Value::Int(item))
                }
            }
            Iter::Done
            | Iter::Dict { .. }
            | Iter::DictReversed { .. }
            | Iter::Set { .. }
            | Iter::Reversed { .. }
            | Iter::Enumerate { .. }
            | Iter::Zip { .. }
            | Iter::Map { .. }
            | Iter::Filter { .. }
            | Iter::Call { .. }
            | Iter::Sequence { .. } => return None,
        };
        if item.is_none() {
            *iter = Iter::Done;
        }
        item
    }
}
