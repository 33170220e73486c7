//! The operations on sets: union, intersection, difference, symmetric difference, as operators and
//! as methods. Each iterates what CPython iterates (`Objects/setobject.c`, `Objects/dictobject.c`
//! for views), since the order of the result depends on it. Where an element's `__eq__` or
//! `__hash__` is a function of the script, the library does the same in Mini.

use super::mapping::Found;
use super::walk::{Outcome, Turn};
use crate::operator::BinaryOp;
use crate::vm::heap::Heap;
use crate::vm::heap::object::{DictView, Object};
use crate::vm::heap::set::Set;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};
use std::cell::Cell;

/// An operation on two sets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::vm) enum Algebra {
    Union,
    Intersection,
    Difference,
    SymmetricDifference,
}

impl Algebra {
    fn of(op: BinaryOp) -> Option<Algebra> {
        match op {
            BinaryOp::BitOr => Some(Algebra::Union),
            BinaryOp::BitAnd => Some(Algebra::Intersection),
            BinaryOp::Sub => Some(Algebra::Difference),
            BinaryOp::BitXor => Some(Algebra::SymmetricDifference),
            BinaryOp::Add
            | BinaryOp::Mul
            | BinaryOp::Div
            | BinaryOp::FloorDiv
            | BinaryOp::Mod
            | BinaryOp::Pow
            | BinaryOp::Shl
            | BinaryOp::Shr => None,
        }
    }
}

/// The right side of an operation.
enum Other {
    Set(Ref<Set>),
    /// A dict's keys or an iterable's items, with their hashes.
    Items {
        items: Vec<(u64, Value)>,
        /// It is a dict: its size is known, and room is made at once.
        dict: bool,
    },
}

/// Equality during an operation, which remembers whether the script would have to be asked.
struct Elements<'a> {
    heap: &'a Heap,
    ask: Cell<bool>,
}

impl<'a> Elements<'a> {
    fn new(heap: &'a Heap) -> Elements<'a> {
        Elements {
            heap,
            ask: Cell::new(false),
        }
    }
    /// Are they equal? `unknown` if the script must be asked: what leaves the set as it is.
    fn equal(&self, a: Value, b: Value, unknown: bool) -> bool {
        self.heap.equal_fast(a, b).unwrap_or_else(|| {
            self.ask.set(true);
            unknown
        })
    }
    fn has(&self, set: &Set, hash: u64, value: Value) -> bool {
        set.find(hash, |other| self.equal(other, value, false))
            .is_some()
    }
    fn add(&self, set: &mut Set, hash: u64, value: Value) {
        set.add(hash, value, |other| self.equal(other, value, true));
    }
    fn discard(&self, set: &mut Set, hash: u64, value: Value) -> bool {
        let found = set.find(hash, |other| self.equal(other, value, false));
        if let Some(slot) = found {
            set.remove(slot);
        }
        found.is_some()
    }

    fn update(&self, set: &mut Set, other: &Other) {
        match other {
            Other::Set(other) => set.merge(&self.heap.sets[*other], |a, b| self.equal(a, b, true)),
            Other::Items { items, dict } => {
                if *dict {
                    set.reserve(items.len());
                }
                for &(hash, value) in items {
                    self.add(set, hash, value);
                }
            }
        }
    }

    fn intersection(&self, set: &Set, other: &Other) -> Set {
        let mut result = Set::new(set.frozen);
        let mut keep = |within: &Set, hash, value| {
            if self.has(within, hash, value) {
                self.add(&mut result, hash, value);
            }
        };
        match other {
            Other::Set(other) => {
                let other = &self.heap.sets[*other];
                let (within, from) = if other.len() > set.len() {
                    (other, set)
                } else {
                    (set, other)
                };
                for (hash, value) in from.iter() {
                    keep(within, hash, value);
                }
            }
            Other::Items { items, .. } => {
                for &(hash, value) in items {
                    keep(set, hash, value);
                }
            }
        }
        result
    }

    fn remove_all(&self, set: &mut Set, other: &Other) {
        match other {
            Other::Set(it) => {
                let other = &self.heap.sets[*it];
                let fewer;
                let other = if other.len() >> 3 > set.len() {
                    fewer = self.intersection(set, &Other::Set(*it));
                    &fewer
                } else {
                    other
                };
                for (hash, value) in other.iter() {
                    self.discard(set, hash, value);
                }
            }
            Other::Items { items, .. } => {
                for &(hash, value) in items {
                    self.discard(set, hash, value);
                }
            }
        }
        set.tidy();
    }

    fn difference(&self, set: &Set, other: &Other) -> Set {
        let size = match other {
            Other::Set(other) => Some(self.heap.sets[*other].len()),
            Other::Items { items, dict: true } => Some(items.len()),
            Other::Items { dict: false, .. } => None,
        };
        let Some(size) = size.filter(|&size| set.len() >> 2 <= size) else {
            let mut result = set.copy(set.frozen);
            self.remove_all(&mut result, other);
            return result;
        };
        let keys;
        let within = match other {
            Other::Set(other) => &self.heap.sets[*other],
            Other::Items { .. } => {
                let mut set = Set::new(false);
                set.reserve(size);
                self.update(&mut set, other);
                keys = set;
                &keys
            }
        };
        let mut result = Set::new(set.frozen);
        for (hash, value) in set.iter() {
            if !self.has(within, hash, value) {
                self.add(&mut result, hash, value);
            }
        }
        result
    }

    fn toggle(&self, set: &mut Set, hash: u64, value: Value) {
        if !self.discard(set, hash, value) {
            self.add(set, hash, value);
        }
    }

    /// What is in one of the two, by changing `set` (`set_symmetric_difference_update`).
    fn toggle_all(&self, set: &mut Set, other: &Other) {
        match other {
            Other::Set(other) => {
                for (hash, value) in self.heap.sets[*other].iter() {
                    self.toggle(set, hash, value);
                }
            }
            Other::Items { items, dict: true } => {
                for &(hash, value) in items {
                    self.toggle(set, hash, value);
                }
            }
            Other::Items { dict: false, .. } => {
                let mut distinct = Set::new(false);
                self.update(&mut distinct, other);
                for (hash, value) in distinct.iter() {
                    self.toggle(set, hash, value);
                }
            }
        }
    }

    fn symmetric_difference(&self, set: &Set, other: &Other) -> Set {
        // The copy is of the right side, as in CPython.
        let mut result = Set::new(set.frozen);
        self.update(&mut result, other);
        for (hash, value) in set.iter() {
            self.toggle(&mut result, hash, value);
        }
        result
    }
}

impl Ctx<'_> {
    /// `a op b` of sets and set-like views; none if it is not theirs.
    pub(in crate::vm) fn set_operate(
        &mut self,
        op: BinaryOp,
        a: Value,
        b: Value,
    ) -> Result<Option<Value>, Abrupt> {
        let Some(algebra) = Algebra::of(op) else {
            return Ok(None);
        };
        let heap = &self.vm.heap;
        match (a, b) {
            (Value::Set(left), Value::Set(_)) => {
                let result = self.combine(algebra, left, b)?;
                Ok(Some(self.vm.heap.new_set(result)))
            }
            // A view works with any iterable, a set with a view: the view's side decides.
            _ if matches!(a, Value::Object(_)) && heap.is_set_like(a)
                || matches!(b, Value::Object(_)) && heap.is_set_like(b) =>
            {
                if !self.is_iterable(a) || !self.is_iterable(b) {
                    return Ok(None);
                }
                self.combine_views(algebra, a, b).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// `a op= b` of a set, which changes it; none if it is not a set's.
    pub(in crate::vm) fn set_operate_in_place(
        &mut self,
        op: BinaryOp,
        a: Value,
        b: Value,
    ) -> Result<Option<Value>, Abrupt> {
        let (Some(algebra), Value::Set(set)) = (Algebra::of(op), a) else {
            return Ok(None);
        };
        if self.vm.heap.sets[set].frozen || !self.vm.heap.is_set_like(b) {
            return Ok(None);
        }
        if let Value::Set(_) = b {
            self.combine_in_place(algebra, set, b)?;
        } else {
            let b = self.as_set(b)?;
            self.combine_in_place(algebra, set, b)?;
        }
        Ok(Some(a))
    }

    fn combine_views(&mut self, algebra: Algebra, a: Value, b: Value) -> Result<Value, Abrupt> {
        let heap = &self.vm.heap;
        let size = |value| heap.len_fast(value).unwrap_or(0);
        let (left, right) = match algebra {
            Algebra::Intersection => {
                let view = |value| matches!(value, Value::Object(_)) && heap.is_set_like(value);
                let (a, b) = if view(a) { (a, b) } else { (b, a) };
                let runs_over_a = match b {
                    Value::Set(_) => size(a) <= size(b),
                    _ => view(b) && size(a) < size(b),
                };
                if runs_over_a { (b, a) } else { (a, b) }
            }
            Algebra::Union | Algebra::Difference | Algebra::SymmetricDifference => (a, b),
        };
        // A dict makes a set of its keys in one step, and so in another table than one by one.
        let left = match self.vm.heap.viewed(left) {
            Some((dict, DictView::Keys)) => Value::Dict(dict),
            _ => left,
        };
        let left = self.set_from(left, false)?;
        let Value::Set(left) = self.once(|_| Ok(left))? else {
            unreachable!("it was made a set")
        };
        if algebra == Algebra::Intersection {
            let result = self.combine(algebra, left, right)?;
            return Ok(self.vm.heap.new_set(result));
        }
        // The set was made for this.
        self.combine_in_place(algebra, left, right)?;
        Ok(Value::Set(left))
    }

    /// The result of an operation on a set and an iterable.
    pub(in crate::vm) fn combine(
        &mut self,
        algebra: Algebra,
        left: Ref<Set>,
        right: Value,
    ) -> Result<Set, Abrupt> {
        let library = match algebra {
            Algebra::Union => "set_union",
            Algebra::Intersection => "set_intersection",
            Algebra::Difference => "set_difference",
            Algebra::SymmetricDifference => "set_symmetric_difference",
        };
        self.combine_with(library, left, right, |elements, set, other| match algebra {
            // A set combined with itself is copied.
            Algebra::Union | Algebra::Intersection
                if matches!(right, Value::Set(it) if it == left) =>
            {
                set.copy(set.frozen)
            }
            Algebra::Union => {
                let mut result = set.copy(set.frozen);
                elements.update(&mut result, other);
                result
            }
            Algebra::Intersection => elements.intersection(set, other),
            Algebra::Difference => elements.difference(set, other),
            Algebra::SymmetricDifference => elements.symmetric_difference(set, other),
        })
    }

    /// Changes a set by an operation with an iterable.
    pub(in crate::vm) fn combine_in_place(
        &mut self,
        algebra: Algebra,
        left: Ref<Set>,
        right: Value,
    ) -> Result<(), Abrupt> {
        let result = if matches!(right, Value::Set(it) if it == left) {
            match algebra {
                Algebra::Union => return Ok(()),
                Algebra::Intersection => self.vm.heap.sets[left].copy(false),
                Algebra::Difference | Algebra::SymmetricDifference => {
                    self.vm.heap.sets[left].clear();
                    return Ok(());
                }
            }
        } else {
            match algebra {
                Algebra::Union => {
                    return self.change_in_place(left, right, "set_add_all", |e, set, other| {
                        e.update(set, other);
                    });
                }
                Algebra::Difference => {
                    return self.change_in_place(
                        left,
                        right,
                        "set_discard_all",
                        |e, set, other| {
                            e.remove_all(set, other);
                        },
                    );
                }
                Algebra::Intersection => self.combine(algebra, left, right)?,
                Algebra::SymmetricDifference => {
                    self.combine_with("set_toggled", left, right, |elements, set, other| {
                        let mut result = set.clone();
                        elements.toggle_all(&mut result, other);
                        result
                    })?
                }
            }
        };
        let before = self.vm.heap.sets[left].bytes();
        self.vm.heap.allocated += result.bytes().saturating_sub(before);
        self.vm.heap.sets[left].replace(result);
        Ok(())
    }

    /// Adds or removes elements one by one. If it turns out on the way that the script must be
    /// asked, what was done so far is right as it is, and the library's function does all of it
    /// again.
    fn change_in_place(
        &mut self,
        left: Ref<Set>,
        right: Value,
        library: &str,
        change: impl Fn(&Elements<'_>, &mut Set, &Other),
    ) -> Result<(), Abrupt> {
        if self.vm.heap.is_lazy(right) {
            let function = self.vm.library(library);
            self.call(function, &[Value::Set(left), right])?;
            return Ok(());
        }
        let items = self.other_items(right)?;
        self.reserve_combined(left, right, items.len())?;
        let ahead = usize::from(!matches!(right, Value::Set(_)));
        if !self.has_asked(ahead, library)
            && let Some(other) = self.vm.heap.other(right, &items)
        {
            let mut set = std::mem::take(&mut self.vm.heap.sets[left]);
            let before = set.bytes();
            let elements = Elements::new(&self.vm.heap);
            change(&elements, &mut set, &other);
            let ask = elements.ask.get();
            self.vm.heap.allocated += set.bytes().saturating_sub(before);
            self.vm.heap.sets[left] = set;
            if !ask {
                return Ok(());
            }
        }
        let right = self.stable(right, items)?;
        let function = self.vm.library(library);
        self.call(function, &[Value::Set(left), right])?;
        Ok(())
    }

    /// The items of the right side, unless it is a set and they can be seen there.
    fn other_items(&mut self, right: Value) -> Result<Vec<Value>, Abrupt> {
        match right {
            Value::Set(_) => Ok(Vec::new()),
            _ => self.collect(right),
        }
    }

    /// Sees that there is room for a set of all elements of both sides, and for a copy on the way.
    fn reserve_combined(
        &mut self,
        left: Ref<Set>,
        right: Value,
        items: usize,
    ) -> Result<(), Abrupt> {
        let sets = &self.vm.heap.sets;
        let right = match right {
            Value::Set(right) => sets[right].bytes(),
            _ => Set::bytes_for(items),
        };
        self.reserve(2 * (sets[left].bytes() + right))
    }

    /// The right side as one value for the library's functions.
    fn stable(&mut self, right: Value, items: Vec<Value>) -> Result<Value, Abrupt> {
        match right {
            Value::Set(_) => Ok(right),
            _ => self.once(|ctx| Ok(ctx.vm.heap.new_list(items))),
        }
    }

    /// Runs an operation, or asks the library to if the script has a say in it.
    fn combine_with(
        &mut self,
        library: &str,
        left: Ref<Set>,
        right: Value,
        run: impl Fn(&Elements<'_>, &Set, &Other) -> Set,
    ) -> Result<Set, Abrupt> {
        let lazy = self.vm.heap.is_lazy(right);
        let items = if lazy {
            Vec::new()
        } else {
            self.other_items(right)?
        };
        self.reserve_combined(left, right, items.len())?;
        if !lazy && let Some(other) = self.vm.heap.other(right, &items) {
            let elements = Elements::new(&self.vm.heap);
            let result = run(&elements, &self.vm.heap.sets[left], &other);
            if !elements.ask.get() {
                return Ok(result);
            }
        }
        let right = if lazy {
            right
        } else {
            self.stable(right, items)?
        };
        let function = self.vm.library(library);
        let made = self.call(function, &[Value::Set(left), right])?;
        let Value::Set(made) = made else {
            unreachable!("the library's function returns a set")
        };
        let mut result = self.vm.heap.sets[made].clone();
        result.frozen = self.vm.heap.sets[left].frozen;
        Ok(result)
    }

    /// Are all elements of a set in another?
    pub(in crate::vm) fn is_subset(
        &mut self,
        left: Ref<Set>,
        right: Ref<Set>,
    ) -> Result<bool, Abrupt> {
        let subset = self.compare(
            crate::operator::CompareOp::Le,
            Value::Set(left),
            Value::Set(right),
        )?;
        self.truth(subset)
    }

    /// Have a set and an iterable no element in common?
    pub(in crate::vm) fn is_disjoint(
        &mut self,
        left: Ref<Set>,
        right: Value,
    ) -> Result<bool, Abrupt> {
        let right = self.smaller_first(left, right);
        self.all_are("is_disjoint", right.0, right.1, false)
    }

    /// Is the first to be looked through the smaller of two sets? Then they change places.
    fn smaller_first(&self, left: Ref<Set>, right: Value) -> (Ref<Set>, Value) {
        match right {
            Value::Set(it) if self.vm.heap.sets[it].len() > self.vm.heap.sets[left].len() => {
                (it, Value::Set(left))
            }
            _ => (left, right),
        }
    }

    /// Are all items of an iterable elements of a set?
    pub(in crate::vm) fn is_superset(
        &mut self,
        left: Ref<Set>,
        right: Value,
    ) -> Result<bool, Abrupt> {
        self.all_are("is_superset", left, right, true)
    }

    /// Are all items of an iterable elements of a set, or are none? Looks no further than the first
    /// that decides.
    fn all_are(
        &mut self,
        library: &str,
        set: Ref<Set>,
        items: Value,
        within: bool,
    ) -> Result<bool, Abrupt> {
        let answer = self.or_by_library(library, |ctx| {
            let mut holds = true;
            let walked = ctx.walk(items, |ctx, item| {
                let heap = &ctx.vm.heap;
                let Some(hash) = heap.hash_fast(item) else {
                    return Ok(Turn::Ask);
                };
                let found = match heap.find_in_set(&heap.sets[set], hash, item) {
                    Found::At(_) => true,
                    Found::Absent => false,
                    Found::Ask => return Ok(Turn::Ask),
                };
                if found == within {
                    return Ok(Turn::Done);
                }
                holds = false;
                Ok(Turn::Enough)
            })?;
            ctx.vm.heap.worked(Work::Lookup, walked.count);
            Ok(match walked.rest {
                None => Outcome::Value(Value::Bool(holds)),
                Some(rest) => Outcome::Rest(vec![Value::Set(set), rest.pending, rest.items]),
            })
        })?;
        self.truth(answer)
    }
}

impl Heap {
    /// Are its items made one by one, perhaps by the script? Then each is dealt with before the
    /// next.
    fn is_lazy(&self, right: Value) -> bool {
        !matches!(
            right,
            Value::Set(_)
                | Value::Dict(_)
                | Value::List(_)
                | Value::Tuple(_)
                | Value::Str(_)
                | Value::Bytes(_)
                | Value::Range(_)
        ) && self.viewed(right).is_none()
    }

    /// The right side of an operation; none if an item's hash is the script's to tell (or there is
    /// none).
    fn other(&self, right: Value, items: &[Value]) -> Option<Other> {
        if let Value::Set(set) = right {
            return Some(Other::Set(set));
        }
        let items = items
            .iter()
            .map(|&item| self.hash_fast(item).map(|hash| (hash, item)))
            .collect::<Option<_>>()?;
        let dict = matches!(right, Value::Dict(_));
        Some(Other::Items { items, dict })
    }

    /// The dict behind a view.
    pub(in crate::vm) fn viewed(
        &self,
        value: Value,
    ) -> Option<(Ref<crate::vm::heap::dict::Dict>, DictView)> {
        match value {
            Value::Object(it) => match self.objects[it] {
                Object::View { dict, view } => Some((dict, view)),
                _ => None,
            },
            _ => None,
        }
    }
}
