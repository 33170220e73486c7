//! `in`: membership in every kind of container, and the search for a value in a sequence that
//! `index`, `count` and `remove` share.

use super::Verdict;
use super::mapping::Found;
use super::walk::Outcome;
use crate::operator::CompareOp;
use crate::vm::heap::Heap;
use crate::vm::heap::class::name;
use crate::vm::heap::object::{DictView, Object};
use crate::vm::heap::value::Value;
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};

impl Ctx<'_> {
    /// `item in container`.
    pub fn contains(&mut self, container: Value, item: Value) -> Result<bool, Abrupt> {
        match container {
            Value::List(_) | Value::Tuple(_) => {
                Ok(self.position(container, item, [None; 2])?.is_some())
            }
            Value::Str(text) => {
                if let Value::Str(part) = item {
                    return Ok(self.vm.heap.text(text).contains(self.vm.heap.text(part)));
                }
                let message = format!(
                    "'in <string>' requires string as left operand, not {}",
                    self.vm.type_name(item)
                );
                Err(self.type_error(message))
            }
            Value::Bytes(bytes) => match item {
                Value::Bytes(part) => {
                    let (bytes, part) = (&self.vm.heap.bytes[bytes].0, &self.vm.heap.bytes[part].0);
                    Ok(part.is_empty() || bytes.windows(part.len()).any(|it| it == &**part))
                }
                Value::Int(_) | Value::Bool(_) | Value::Big(_) => {
                    let byte = match item {
                        Value::Int(number) => u8::try_from(number).ok(),
                        Value::Bool(truth) => Some(u8::from(truth)),
                        _ => None,
                    };
                    let Some(byte) = byte else {
                        return Err(self.value_error("byte must be in range(0, 256)"));
                    };
                    Ok(self.vm.heap.bytes[bytes].0.contains(&byte))
                }
                _ => {
                    let message = format!(
                        "a bytes-like object is required, not '{}'",
                        self.vm.type_name(item)
                    );
                    Err(self.type_error(message))
                }
            },
            Value::Dict(dict) => Ok(self.find_key(dict, item)?.1.is_some()),
            Value::Set(set) => self.set_contains(set, item),
            Value::Range(range) => {
                let range = self.vm.heap.ranges[range];
                let number = match item {
                    Value::Int(number) => Some(number),
                    Value::Bool(truth) => Some(i64::from(truth)),
                    Value::Float(number) if number.fract() == 0.0 && number.abs() < 9e18 => {
                        Some(number as i64)
                    }
                    Value::Instance(_) => return self.contains_by_iteration(container, item),
                    _ => None,
                };
                Ok(number.is_some_and(|number| range.position(number).is_some()))
            }
            Value::Object(it) => match self.vm.heap.objects[it] {
                Object::View {
                    dict,
                    view: DictView::Keys,
                } => Ok(self.find_key(dict, item)?.1.is_some()),
                Object::View {
                    dict,
                    view: DictView::Items,
                } => {
                    let (key, value) = match item {
                        Value::Tuple(pair) => match *self.vm.heap.tuples[pair].0 {
                            [key, value] => (key, value),
                            _ => return Ok(false),
                        },
                        _ => return Ok(false),
                    };
                    match self.dict_get(dict, key)? {
                        Some(found) => self.equal(found, value),
                        None => Ok(false),
                    }
                }
                _ => self.contains_by_iteration(container, item),
            },
            Value::Instance(_) => {
                let Some(method) = self.vm.special(container, name::CONTAINS) else {
                    return self.contains_by_iteration(container, item);
                };
                if let Value::None = method {
                    let of = self.vm.type_name(container);
                    let message = format!("'{of}' object is not a container");
                    return Err(self.type_error(message));
                }
                let answer = self.call_special(method, &[container, item])?;
                self.truth(answer)
            }
            _ => self.contains_by_iteration(container, item),
        }
    }

    /// Membership in something that can only be gone through, as far as need be.
    fn contains_by_iteration(&mut self, container: Value, item: Value) -> Result<bool, Abrupt> {
        if !self.is_iterable(container) || self.refuses_iteration(container) {
            let message = format!(
                "argument of type '{}' is not iterable",
                self.vm.type_name(container)
            );
            return Err(self.type_error(message));
        }
        let function = self.vm.library("is_among");
        let answer = self.call(function, &[container, item])?;
        self.truth(answer)
    }

    /// Where in a list or tuple, within these bounds, the first item stands that equals a value. A
    /// list may change while the script compares: each step looks at it as it is.
    pub(in crate::vm) fn position(
        &mut self,
        sequence: Value,
        value: Value,
        bounds: [Option<i64>; 2],
    ) -> Result<Option<usize>, Abrupt> {
        let found = self.or_by_library("find_equal", |ctx| {
            let length = ctx.vm.heap.len_fast(sequence).unwrap_or(0);
            let [start, stop] =
                bounds.map(|bound| bound.map(|bound| from_either_end(bound, length)));
            let (start, stop) = (start.unwrap_or(0), stop.unwrap_or(i64::MAX));
            let left = ctx.nesting_left();
            for at in start..stop.min(length as i64) {
                let item = ctx.vm.heap.sequence_item(sequence, at as usize);
                match ctx.equals_here(item.unwrap_or(Value::None), value, left)? {
                    Some(true) => return Ok(Outcome::Value(Value::Int(at))),
                    Some(false) => {}
                    None => {
                        let (at, stop) = (Value::Int(at), Value::Int(stop));
                        return Ok(Outcome::Rest(vec![sequence, value, at, stop]));
                    }
                }
            }
            Ok(Outcome::Value(Value::Int(-1)))
        })?;
        Ok(usize::try_from(self.index(found)?).ok())
    }

    /// How many items of a list or tuple equal a value.
    pub(in crate::vm) fn occurrences(
        &mut self,
        sequence: Value,
        value: Value,
    ) -> Result<usize, Abrupt> {
        let found = self.or_by_library("count_equal", |ctx| {
            let left = ctx.nesting_left();
            let mut count = 0;
            for at in 0..ctx.vm.heap.len_fast(sequence).unwrap_or(0) {
                let item = ctx.vm.heap.sequence_item(sequence, at);
                let Some(equal) = ctx.equals_here(item.unwrap_or(Value::None), value, left)? else {
                    let (at, count) = (Value::Int(at as i64), Value::Int(count));
                    return Ok(Outcome::Rest(vec![sequence, value, at, count]));
                };
                count += i64::from(equal);
            }
            Ok(Outcome::Value(Value::Int(count)))
        })?;
        Ok(usize::try_from(self.index(found)?).unwrap_or(0))
    }

    /// Is an item the value or equal to it? Nothing if the script must be asked.
    fn equals_here(
        &mut self,
        item: Value,
        value: Value,
        left: usize,
    ) -> Result<Option<bool>, Abrupt> {
        self.vm.heap.worked(Work::Compare, 1);
        if item.same(value) {
            return Ok(Some(true));
        }
        match self.vm.heap.try_compare(CompareOp::Eq, item, value, left) {
            Verdict::Known(equal) => Ok(Some(equal)),
            Verdict::Unordered(..) => Ok(Some(false)),
            Verdict::TooDeep => Err(self.too_deep(" in comparison")),
            Verdict::Flagged => Err(Abrupt::Flagged),
            Verdict::Ask => Ok(None),
        }
    }
}

/// A bound of a search, counted from the end if it is negative.
fn from_either_end(bound: i64, length: usize) -> i64 {
    if bound < 0 {
        bound.saturating_add(length as i64).max(0)
    } else {
        bound
    }
}

impl Heap {
    /// `item in container` for the frequent builtin containers, unless the script must be asked or
    /// something must be raised.
    pub(super) fn contains_fast(&self, container: Value, item: Value) -> Option<bool> {
        // Whoever asks in full sees the flag.
        if self.is_flagged() {
            return None;
        }
        let found = |found: Found| match found {
            Found::At(_) => Some(true),
            Found::Absent => Some(false),
            Found::Ask => None,
        };
        match container {
            Value::Dict(dict) => found(self.find_in_dict(dict, self.hash_fast(item)?, item)),
            Value::Set(set) => {
                found(self.find_in_set(&self.sets[set], self.hash_fast(item)?, item))
            }
            Value::List(list) => self.is_among(self.lists[list].iter(), item),
            Value::Tuple(tuple) => self.is_among(self.tuples[tuple].0.iter().copied(), item),
            Value::Str(text) => match item {
                Value::Str(part) => {
                    self.worked(Work::Byte, self.text(text).len());
                    Some(self.text(text).contains(self.text(part)))
                }
                _ => None,
            },
            _ => None,
        }
    }

    fn is_among(&self, mut items: impl Iterator<Item = Value>, wanted: Value) -> Option<bool> {
        items
            .find_map(|item| {
                self.worked(Work::Compare, 1);
                match self.equal_fast(item, wanted) {
                    Some(false) => None,
                    known => Some(known),
                }
            })
            .unwrap_or(Some(false))
    }
}
