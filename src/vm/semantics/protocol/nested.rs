//! Comparison of nested lists, tuples and dicts. It keeps its place in each level in a list of its
//! own, so that nesting takes no room on the host's stack; only dict keys and elements of sets,
//! which seldom nest, are compared by recursion.

use super::equality::{Verdict, holds};
use crate::operator::CompareOp;
use crate::vm::heap::Heap;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;

/// What a recursion costs of the levels that may be entered, compared with a level kept in the
/// list.
pub(super) const RECURSION: usize = 16;

/// Two containers of one kind, and how far they are compared.
#[derive(Clone, Copy)]
struct Level {
    a: Value,
    b: Value,
    at: usize,
}

/// What comes next in a level.
enum Next {
    /// These two items.
    Pair(Value, Value),
    /// Nothing: all of it is equal.
    Equal,
    /// It is not equal, whatever its items.
    Different,
    /// It cannot be told.
    Unknown(Verdict),
}

impl Heap {
    /// Are they two lists, two tuples or two dicts?
    pub(super) fn nest(a: Value, b: Value) -> bool {
        matches!(
            (a, b),
            (Value::List(_), Value::List(_))
                | (Value::Tuple(_), Value::Tuple(_))
                | (Value::Dict(_), Value::Dict(_))
        )
    }

    /// `a op b` of two lists, tuples or dicts.
    pub(super) fn try_nested(&self, op: CompareOp, a: Value, b: Value, left: usize) -> Verdict {
        let equality = matches!(op, CompareOp::Eq | CompareOp::Ne);
        if !equality && matches!(a, Value::Dict(_)) {
            return Verdict::Unordered(a, b);
        }
        if left == 0 {
            return Verdict::TooDeep;
        }
        let flat = match (a, b) {
            (Value::Tuple(x), Value::Tuple(y)) => {
                let (x, y) = (&self.tuples[x].0, &self.tuples[y].0);
                self.try_flat(op, x.iter().copied(), y.iter().copied(), left)
            }
            (Value::List(x), Value::List(y)) => {
                self.try_flat(op, self.lists[x].iter(), self.lists[y].iter(), left)
            }
            _ => None,
        };
        if let Some(verdict) = flat {
            return verdict;
        }
        let mut outer: Vec<Level> = Vec::new();
        let mut level = Level { a, b, at: 0 };
        loop {
            if self.is_flagged() {
                return Verdict::Flagged;
            }
            let depth = outer.len() + 1;
            let different = match self.next_of(&mut level, equality, left.saturating_sub(depth)) {
                Next::Pair(x, y) if x.same(y) => continue,
                Next::Pair(x, y) if Heap::nest(x, y) => {
                    if depth >= left {
                        return Verdict::TooDeep;
                    }
                    outer.push(level);
                    level = Level { a: x, b: y, at: 0 };
                    continue;
                }
                Next::Pair(x, y) => {
                    match self.try_compare(CompareOp::Eq, x, y, left.saturating_sub(depth)) {
                        Verdict::Known(true) => continue,
                        Verdict::Known(false) => Some((x, y)),
                        other => return other,
                    }
                }
                Next::Equal => match outer.pop() {
                    Some(previous) => {
                        level = previous;
                        continue;
                    }
                    None => return Verdict::Known(holds(op, std::cmp::Ordering::Equal)),
                },
                Next::Different => None,
                Next::Unknown(verdict) => return verdict,
            };
            if equality {
                return Verdict::Known(op == CompareOp::Ne);
            }
            // The first difference decides, at every level: dicts have no order, sequences have
            // that of the items, or of their lengths.
            outer.push(level);
            if let Some(level) = outer.iter().find(|level| matches!(level.a, Value::Dict(_))) {
                return Verdict::Unordered(level.a, level.b);
            }
            if let Some((x, y)) = different {
                return self.try_compare(op, x, y, left.saturating_sub(depth));
            }
            let lengths = self.len_fast(level.a).cmp(&self.len_fast(level.b));
            return Verdict::Known(holds(op, lengths));
        }
    }

    /// The usual case, done quickly: sequences of anything but containers; none if that is not so.
    fn try_flat(
        &self,
        op: CompareOp,
        a: impl ExactSizeIterator<Item = Value>,
        b: impl ExactSizeIterator<Item = Value>,
        left: usize,
    ) -> Option<Verdict> {
        if self.is_flagged() {
            return Some(Verdict::Flagged);
        }
        let lengths = a.len().cmp(&b.len());
        match op {
            CompareOp::Eq if lengths.is_ne() => return Some(Verdict::Known(false)),
            CompareOp::Ne if lengths.is_ne() => return Some(Verdict::Known(true)),
            _ => {}
        }
        for (x, y) in a.zip(b) {
            self.worked(Work::Compare, 1);
            if x.same(y) {
                continue;
            }
            if Heap::nest(x, y) {
                return None;
            }
            return Some(
                match (self.try_compare(CompareOp::Eq, x, y, left - 1), op) {
                    (Verdict::Known(true), _) => continue,
                    (Verdict::Known(false), CompareOp::Eq) => Verdict::Known(false),
                    (Verdict::Known(false), CompareOp::Ne) => Verdict::Known(true),
                    (Verdict::Known(false), _) => self.try_compare(op, x, y, left - 1),
                    (other, _) => other,
                },
            );
        }
        Some(Verdict::Known(holds(op, lengths)))
    }

    fn next_of(&self, level: &mut Level, equality: bool, left: usize) -> Next {
        let Level { a, b, at } = *level;
        self.worked(Work::Compare, 1);
        if let (Value::Dict(x), Value::Dict(y)) = (a, b) {
            let (x, y) = (&self.dicts[x], &self.dicts[y]);
            if x.len() != y.len() {
                return Next::Different;
            }
            let Some((position, entry)) = x.next_entry(at) else {
                return Next::Equal;
            };
            level.at = position + 1;
            let mut unknown = None;
            let found = y.find(entry.hash, |key| {
                key.same(entry.key)
                    || match self.try_compare(
                        CompareOp::Eq,
                        key,
                        entry.key,
                        left.saturating_sub(RECURSION),
                    ) {
                        Verdict::Known(equal) => equal,
                        other => {
                            unknown = Some(other);
                            false
                        }
                    }
            });
            return match (unknown, found.and_then(|position| y.entry(position))) {
                (Some(verdict), _) => Next::Unknown(verdict),
                (None, Some(other)) => Next::Pair(entry.value, other.value),
                (None, None) => Next::Different,
            };
        }
        // Lists of unequal lengths are not even looked into.
        if equality && at == 0 && self.len_fast(a) != self.len_fast(b) {
            return Next::Different;
        }
        level.at += 1;
        match (self.sequence_item(a, at), self.sequence_item(b, at)) {
            (Some(x), Some(y)) => Next::Pair(x, y),
            (None, None) => Next::Equal,
            _ => Next::Different,
        }
    }

    /// Compares two sets: `==`, `!=`, and the four that mean subsets.
    pub(super) fn try_sets(
        &self,
        op: CompareOp,
        a: Ref<crate::vm::heap::set::Set>,
        b: Ref<crate::vm::heap::set::Set>,
        left: usize,
    ) -> Verdict {
        if left == 0 {
            return Verdict::TooDeep;
        }
        let (a, b, op) = match op {
            CompareOp::Gt => (b, a, CompareOp::Lt),
            CompareOp::Ge => (b, a, CompareOp::Le),
            _ => (a, b, op),
        };
        let (a, b) = (&self.sets[a], &self.sets[b]);
        let possible = match op {
            CompareOp::Eq | CompareOp::Ne => a.len() == b.len(),
            CompareOp::Lt => a.len() < b.len(),
            _ => a.len() <= b.len(),
        };
        let mut unknown = None;
        let within = possible
            && a.iter().all(|(hash, element)| {
                b.find(hash, |other| {
                    other.same(element)
                        || match self.try_compare(
                            CompareOp::Eq,
                            other,
                            element,
                            left.saturating_sub(RECURSION),
                        ) {
                            Verdict::Known(equal) => equal,
                            verdict => {
                                unknown = Some(verdict);
                                false
                            }
                        }
                })
                .is_some()
            });
        match unknown {
            Some(verdict) => verdict,
            None => Verdict::Known(within != (op == CompareOp::Ne)),
        }
    }
}
