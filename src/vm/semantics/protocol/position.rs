//! Indices and slices: from what a script writes between brackets to positions in a sequence
//! (`Objects/sliceobject.c`).

use crate::vm::heap::class::{Type, name};
use crate::vm::heap::object::{Object, Range};
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx};
use num_bigint::Sign;

/// A slice of a sequence: `length` positions, `step` apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vm) struct Cut {
    pub(in crate::vm) start: usize,
    pub(in crate::vm) step: i64,
    pub(in crate::vm) length: usize,
}

impl Cut {
    /// The positions, in order of the slice.
    pub(in crate::vm) fn positions(self) -> impl Iterator<Item = usize> {
        (0..self.length).map(move |at| {
            self.start
                .wrapping_add_signed((at as i64 * self.step) as isize)
        })
    }
    /// The positions from the lowest up.
    pub(in crate::vm) fn ascending(self) -> impl DoubleEndedIterator<Item = usize> {
        let stride = usize::try_from(self.step.unsigned_abs()).unwrap_or(usize::MAX);
        let lowest = if self.step < 0 && self.length > 0 {
            self.start - (self.length - 1) * stride
        } else {
            self.start
        };
        (0..self.length).map(move |at| lowest + at * stride)
    }
}

/// A slice's three numbers, clamped to 64 bits, before the sequence's length is known; none where
/// it said nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vm) struct Bounds {
    pub(in crate::vm) lower: Option<i64>,
    pub(in crate::vm) upper: Option<i64>,
    pub(in crate::vm) step: i64,
}

impl Bounds {
    /// Start, stop and step within a sequence of this length (`PySlice_AdjustIndices`).
    #[must_use]
    pub(in crate::vm) fn adjusted(self, length: usize) -> (i64, i64, i64) {
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        let (least, most) = if self.step < 0 {
            (-1, length - 1)
        } else {
            (0, length)
        };
        let adjust = |at: i64| {
            if at < 0 {
                at.saturating_add(length).max(least)
            } else {
                at.min(most)
            }
        };
        let start = self
            .lower
            .map_or(if self.step < 0 { most } else { least }, adjust);
        let stop = self
            .upper
            .map_or(if self.step < 0 { least } else { most }, adjust);
        (start, stop, self.step)
    }

    /// The positions in a sequence of this length.
    #[must_use]
    pub(in crate::vm) fn cut(self, length: usize) -> Cut {
        let (start, stop, step) = self.adjusted(length);
        let range = Range { start, stop, step };
        Cut {
            start: usize::try_from(start).unwrap_or(0),
            step,
            length: usize::try_from(range.len()).unwrap_or(usize::MAX),
        }
    }
}

impl Ctx<'_> {
    /// The numbers of a slice object; none if it is no slice.
    pub(in crate::vm) fn bounds(&mut self, key: Value) -> Result<Option<Bounds>, Abrupt> {
        let Value::Object(it) = key else {
            return Ok(None);
        };
        let Object::Slice { lower, upper, step } = self.vm.heap.objects[it] else {
            return Ok(None);
        };
        // The step is looked at first, as in CPython.
        let step = self.slice_number(step)?.unwrap_or(1).max(-i64::MAX);
        if step == 0 {
            return Err(self.value_error("slice step cannot be zero"));
        }
        Ok(Some(Bounds {
            step,
            lower: self.slice_number(lower)?,
            upper: self.slice_number(upper)?,
        }))
    }

    pub(in crate::vm) fn slice_number(&mut self, value: Value) -> Result<Option<i64>, Abrupt> {
        match value {
            Value::None => Ok(None),
            Value::Int(number) => Ok(Some(number)),
            Value::Bool(truth) => Ok(Some(i64::from(truth))),
            Value::Big(it) => Ok(Some(if self.vm.heap.bigs[it].sign() == Sign::Minus {
                i64::MIN
            } else {
                i64::MAX
            })),
            _ => {
                let Some(method) = self.vm.special(value, name::INDEX) else {
                    return Err(self.type_error(
                        "slice indices must be integers or None or have an __index__ method",
                    ));
                };
                let number = self.call(method, &[value])?;
                match number {
                    Value::Int(_) | Value::Bool(_) | Value::Big(_) => self.slice_number(number),
                    _ => {
                        let message = format!(
                            "__index__ returned non-int (type {})",
                            self.vm.type_name(number)
                        );
                        Err(self.type_error(message))
                    }
                }
            }
        }
    }

    /// A bound that a method takes as an optional argument (`list.index(x, start, stop)`).
    pub(in crate::vm) fn search_bound(&mut self, value: Value) -> Result<Option<i64>, Abrupt> {
        if !value.is_bound() {
            return Ok(None);
        }
        if matches!(value, Value::None) {
            return Err(
                self.type_error("slice indices must be integers or have an __index__ method")
            );
        }
        self.slice_number(value)
    }

    /// An index, counted from the end if negative; none outside of the sequence. `of` says what the
    /// sequence is called in the message.
    pub(in crate::vm) fn place(
        &mut self,
        key: Value,
        length: usize,
        of: &str,
    ) -> Result<Option<usize>, Abrupt> {
        let number = match key {
            Value::Int(number) => number,
            Value::Bool(truth) => i64::from(truth),
            Value::Big(_) => {
                return Err(self.error(
                    Type::IndexError,
                    "cannot fit 'int' into an index-sized integer",
                ));
            }
            _ if self.vm.special(key, name::INDEX).is_some() => self.index(key)?,
            _ => {
                let key = self.vm.type_name(key);
                let message = if of == "string" {
                    format!("string indices must be integers, not '{key}'")
                } else {
                    format!("{of} indices must be integers or slices, not {key}")
                };
                return Err(self.type_error(message));
            }
        };
        Ok(within(number, length))
    }
}

/// An index counted from the start, or from the end if negative; none outside.
#[inline]
#[must_use]
pub(in crate::vm) fn within(index: i64, length: usize) -> Option<usize> {
    let at = if index < 0 {
        usize::try_from(index.checked_add(i64::try_from(length).ok()?)?).ok()?
    } else {
        usize::try_from(index).ok()?
    };
    (at < length).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::{Bounds, within};

    /// Every slice of short sequences takes what a walk by the definition takes.
    #[test]
    fn slices_take_what_their_definition_says() {
        let bound = |at: i64| (at > -9).then_some(at);
        for length in 0..5_usize {
            for lower in (-9..8).map(bound) {
                for upper in (-9..8).map(bound) {
                    for step in [-3, -2, -1, 1, 2, 3] {
                        let (start, stop, _) = Bounds { lower, upper, step }.adjusted(length);
                        let mut expected = Vec::new();
                        let mut at = start;
                        while if step > 0 { at < stop } else { at > stop } {
                            expected.push(at as usize);
                            at += step;
                        }
                        let cut = Bounds { lower, upper, step }.cut(length);
                        assert_eq!(cut.positions().collect::<Vec<_>>(), expected);
                        expected.sort_unstable();
                        assert_eq!(cut.ascending().collect::<Vec<_>>(), expected);
                        assert!(expected.iter().all(|&at| at < length));
                    }
                }
            }
        }
    }

    #[test]
    fn indices_count_from_either_end() {
        assert_eq!(within(2, 3), Some(2));
        assert_eq!(within(3, 3), None);
        assert_eq!(within(-3, 3), Some(0));
        assert_eq!(within(-4, 3), None);
        assert_eq!(within(i64::MIN, 3), None);
        assert_eq!(within(i64::MAX, 3), None);
    }
}
