//! Iteration: `iter`, `next`, and taking all items.
//!
//! A step of an iterator may ask (the function of a `map`, a generator inside of a `zip`), and a
//! native that asks runs again from its start. So a step changes nothing on its way: it notes the
//! new states of the iterators it moved, looks them up in its notes (`zip(it, it)` moves the same
//! one twice), and puts them in place at its end.

use super::walk::LOOK_EVERY;
use crate::operator::CompareOp;
use crate::vm::heap::Heap;
use crate::vm::heap::class::{Type, name};
use crate::vm::heap::dict::Dict;
use crate::vm::heap::object::{DictView, Iter, Object};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};

/// How deep a step follows iterators over iterators: a level takes some two kilobytes of the host's
/// stack in a build without optimisation.
pub(super) const ITERATORS_NESTING: usize = 200;

/// The size of a container that an iterator has seen change: none has it, so it raises again.
const CHANGED: usize = usize::MAX;

/// The new states of iterators that a step moved, in order.
type Moves = Vec<(Ref<Iter>, Iter)>;

impl Ctx<'_> {
    /// Can `iter` make an iterator of it?
    pub(in crate::vm) fn is_iterable(&self, value: Value) -> bool {
        match value {
            Value::Instance(_) => {
                self.vm.special(value, name::ITER).is_some()
                    || self.vm.special(value, name::GETITEM).is_some()
            }
            Value::List(_)
            | Value::Tuple(_)
            | Value::Str(_)
            | Value::Bytes(_)
            | Value::Dict(_)
            | Value::Set(_)
            | Value::Range(_)
            | Value::Generator(_)
            | Value::Iter(_) => true,
            Value::Object(it) => matches!(self.vm.heap.objects[it], Object::View { .. }),
            _ => false,
        }
    }

    /// Does its class say that it is not iterable after all (`__iter__ = None`)? Some messages
    /// differ.
    pub(in crate::vm) fn refuses_iteration(&self, value: Value) -> bool {
        matches!(self.vm.special(value, name::ITER), Some(Value::None))
    }

    /// Does `next` work on it?
    pub(in crate::vm) fn is_iterator(&self, value: Value) -> bool {
        matches!(value, Value::Iter(_) | Value::Generator(_))
            || self.vm.special(value, name::NEXT).is_some()
    }

    /// `iter(value)`.
    pub fn iterator_of(&mut self, value: Value) -> Result<Value, Abrupt> {
        if let Some(iter) = self.vm.heap.iter_fast(value) {
            return Ok(iter);
        }
        let method = self.vm.special(value, name::ITER);
        if let Some(method) = method.filter(|method| !matches!(method, Value::None)) {
            let iterator = self.call(method, &[value])?;
            if self.is_iterator(iterator) {
                return Ok(iterator);
            }
            let message = format!(
                "iter() returned non-iterator of type '{}'",
                self.vm.type_name(iterator)
            );
            return Err(self.type_error(message));
        }
        if method.is_none() && self.vm.special(value, name::GETITEM).is_some() {
            return Ok(self.vm.heap.new_iter(Iter::Sequence {
                object: value,
                next: 0,
            }));
        }
        let message = format!("'{}' object is not iterable", self.vm.type_name(value));
        Err(self.type_error(message))
    }

    /// `next(iterator)`; none when it is exhausted. Changes the iterator only when no ask is open.
    pub fn next(&mut self, iterator: Value) -> Result<Option<Value>, Abrupt> {
        let mut moves = Moves::new();
        let left = self.nesting_left().min(ITERATORS_NESTING);
        let item = self.step(iterator, &mut moves, left)?;
        for (iter, state) in moves {
            self.vm.heap.iters[iter] = state;
        }
        Ok(item)
    }

    /// One step of an iterator; what it moved is in `moves`.
    fn step(
        &mut self,
        iterator: Value,
        moves: &mut Moves,
        left: usize,
    ) -> Result<Option<Value>, Abrupt> {
        let iter = match iterator {
            Value::Iter(iter) => iter,
            Value::Generator(_) => {
                let next = Value::Native(crate::vm::state::natives::NEXT);
                return self.call_for_item(next, &[iterator]);
            }
            _ => {
                let Some(method) = self.vm.special(iterator, name::NEXT) else {
                    let message = format!(
                        "'{}' object is not an iterator",
                        self.vm.type_name(iterator)
                    );
                    return Err(self.type_error(message));
                };
                return self.call_for_item(method, &[iterator]);
            }
        };
        let Some(left) = left.checked_sub(1) else {
            return Err(self.too_deep(""));
        };
        // Each kind has a function of its own, so that a level of iterators over iterators takes
        // little of the host's stack.
        match state(&self.vm.heap, moves, iter) {
            Iter::Done
            | Iter::List { .. }
            | Iter::Tuple { .. }
            | Iter::Str { .. }
            | Iter::Bytes { .. }
            | Iter::Range { .. }
            | Iter::Items { .. } => Ok(self.step_plain(iter, moves)),
            Iter::Dict { .. } => self.step_dict(iter, moves),
            Iter::DictReversed { .. } => self.step_dict_reversed(iter, moves),
            Iter::Set { .. } => self.step_set(iter, moves),
            Iter::Reversed { .. } => self.step_reversed(iter, moves),
            &Iter::Enumerate { inner, next } => self.step_enumerate(iter, inner, next, moves, left),
            Iter::Zip { inner, strict } => {
                let (count, strict) = (inner.len(), *strict);
                self.step_zip(iter, count, strict, moves, left)
            }
            Iter::Map { function, inner } => {
                let (function, count) = (*function, inner.len());
                self.step_map(iter, function, count, moves, left)
            }
            &Iter::Filter { function, inner } => {
                let next = self.vm.library("next_passing");
                self.call_for_item(next, &[function, inner])
            }
            &Iter::Call { function, sentinel } => self.step_call(iter, function, sentinel, moves),
            &Iter::Sequence { object, next } => self.step_sequence(iter, object, next, moves),
        }
    }

    #[inline(never)]
    fn step_plain(&mut self, iter: Ref<Iter>, moves: &mut Moves) -> Option<Value> {
        let mut moved = state(&self.vm.heap, moves, iter).clone();
        let item = self.vm.heap.step_plainly(&mut moved);
        moves.push((iter, moved));
        item
    }

    #[inline(never)]
    fn step_dict(&mut self, iter: Ref<Iter>, moves: &mut Moves) -> Result<Option<Value>, Abrupt> {
        let &Iter::Dict {
            dict,
            next,
            size,
            left,
            view,
        } = state(&self.vm.heap, moves, iter)
        else {
            return Ok(None);
        };
        let object = &self.vm.heap.dicts[dict];
        if object.len() != size {
            let moved = Iter::Dict {
                dict,
                next,
                size: CHANGED,
                left,
                view,
            };
            return Err(self.changed(iter, moved, "dictionary changed size during iteration"));
        }
        let Some((at, entry)) = object.next_entry(next) else {
            moves.push((iter, Iter::Done));
            return Ok(None);
        };
        let Some(left) = left.checked_sub(1) else {
            let message = "dictionary keys changed during iteration";
            return Err(self.changed(iter, Iter::Done, message));
        };
        let next = at + 1;
        moves.push((
            iter,
            Iter::Dict {
                dict,
                next,
                size,
                left,
                view,
            },
        ));
        Ok(Some(self.vm.heap.dict_item(view, entry.key, entry.value)))
    }

    #[inline(never)]
    fn step_dict_reversed(
        &mut self,
        iter: Ref<Iter>,
        moves: &mut Moves,
    ) -> Result<Option<Value>, Abrupt> {
        let &Iter::DictReversed {
            dict,
            end,
            size,
            view,
        } = state(&self.vm.heap, moves, iter)
        else {
            return Ok(None);
        };
        let object = &self.vm.heap.dicts[dict];
        if object.len() != size {
            let moved = Iter::DictReversed {
                dict,
                end,
                size: CHANGED,
                view,
            };
            return Err(self.changed(iter, moved, "dictionary changed size during iteration"));
        }
        let Some((end, entry)) = object.entry_before(end) else {
            moves.push((iter, Iter::Done));
            return Ok(None);
        };
        moves.push((
            iter,
            Iter::DictReversed {
                dict,
                end,
                size,
                view,
            },
        ));
        Ok(Some(self.vm.heap.dict_item(view, entry.key, entry.value)))
    }

    /// What an iterator raises whose container has changed; it stays as `moved` says.
    fn changed(&mut self, iter: Ref<Iter>, moved: Iter, message: &str) -> Abrupt {
        self.vm.heap.iters[iter] = moved;
        self.error(Type::RuntimeError, message)
    }

    #[inline(never)]
    fn step_set(&mut self, iter: Ref<Iter>, moves: &mut Moves) -> Result<Option<Value>, Abrupt> {
        let &Iter::Set { set, next, size } = state(&self.vm.heap, moves, iter) else {
            return Ok(None);
        };
        let object = &self.vm.heap.sets[set];
        if object.len() != size {
            let size = CHANGED;
            let moved = Iter::Set { set, next, size };
            return Err(self.changed(iter, moved, "Set changed size during iteration"));
        }
        let Some((at, element)) = object.next_element(next) else {
            moves.push((iter, Iter::Done));
            return Ok(None);
        };
        let next = at + 1;
        moves.push((iter, Iter::Set { set, next, size }));
        Ok(Some(element))
    }

    #[inline(never)]
    fn step_reversed(
        &mut self,
        iter: Ref<Iter>,
        moves: &mut Moves,
    ) -> Result<Option<Value>, Abrupt> {
        let &Iter::Reversed { sequence, left } = state(&self.vm.heap, moves, iter) else {
            return Ok(None);
        };
        let mut item = None;
        if let Some(at) = left.checked_sub(1) {
            item = match (sequence, self.vm.special(sequence, name::GETITEM)) {
                (Value::Instance(_), Some(method)) => {
                    self.call_for_indexed(method, sequence, at as i64)?
                }
                _ => self.vm.heap.sequence_item(sequence, at),
            };
        }
        let moved = match item {
            Some(_) => Iter::Reversed {
                sequence,
                left: left - 1,
            },
            None => Iter::Done,
        };
        moves.push((iter, moved));
        Ok(item)
    }

    #[inline(never)]
    fn step_enumerate(
        &mut self,
        iter: Ref<Iter>,
        inner: Value,
        next: i64,
        moves: &mut Moves,
        left: usize,
    ) -> Result<Option<Value>, Abrupt> {
        let Some(item) = self.step(inner, moves, left)? else {
            return Ok(None);
        };
        let number = Value::Int(next);
        let next = next.saturating_add(1);
        moves.push((iter, Iter::Enumerate { inner, next }));
        Ok(Some(self.vm.heap.new_tuple([number, item])))
    }

    #[inline(never)]
    fn step_map(
        &mut self,
        iter: Ref<Iter>,
        function: Value,
        count: usize,
        moves: &mut Moves,
        left: usize,
    ) -> Result<Option<Value>, Abrupt> {
        let mut args = Vec::with_capacity(count);
        for at in 0..count {
            match self.step(inner_of(&self.vm.heap, iter, at), moves, left)? {
                Some(item) => args.push(item),
                None => return Ok(None),
            }
        }
        self.call_for_item(function, &args)
    }

    #[inline(never)]
    fn step_call(
        &mut self,
        iter: Ref<Iter>,
        function: Value,
        sentinel: Value,
        moves: &mut Moves,
    ) -> Result<Option<Value>, Abrupt> {
        if let Some(item) = self.call_for_item(function, &[])? {
            let equal = self.compare(CompareOp::Eq, sentinel, item)?;
            if !self.truth(equal)? {
                return Ok(Some(item));
            }
        }
        moves.push((iter, Iter::Done));
        Ok(None)
    }

    #[inline(never)]
    fn step_sequence(
        &mut self,
        iter: Ref<Iter>,
        object: Value,
        next: i64,
        moves: &mut Moves,
    ) -> Result<Option<Value>, Abrupt> {
        let Some(method) = self.vm.special(object, name::GETITEM) else {
            return Ok(None);
        };
        let item = self.call_for_indexed(method, object, next)?;
        let moved = match item {
            Some(_) => Iter::Sequence {
                object,
                next: next + 1,
            },
            None => Iter::Done,
        };
        moves.push((iter, moved));
        Ok(item)
    }

    #[inline(never)]
    fn step_zip(
        &mut self,
        iter: Ref<Iter>,
        count: usize,
        strict: bool,
        moves: &mut Moves,
        left: usize,
    ) -> Result<Option<Value>, Abrupt> {
        let mut items = Vec::with_capacity(count);
        for at in 0..count {
            let inner = inner_of(&self.vm.heap, iter, at);
            if let Some(item) = self.step(inner, moves, left)? {
                items.push(item);
                continue;
            }
            if strict && at > 0 {
                return Err(self.uneven_zip(at, "shorter"));
            }
            if strict {
                for other in 1..count {
                    let inner = inner_of(&self.vm.heap, iter, other);
                    if self.step(inner, moves, left)?.is_some() {
                        return Err(self.uneven_zip(other, "longer"));
                    }
                }
            }
            return Ok(None);
        }
        if items.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.vm.heap.new_tuple(items)))
    }

    fn uneven_zip(&mut self, at: usize, how: &str) -> Abrupt {
        let others = if at == 1 {
            "argument 1".to_owned()
        } else {
            format!("arguments 1-{at}")
        };
        self.value_error(format!("zip() argument {} is {how} than {others}", at + 1))
    }

    /// Calls something whose `StopIteration` means that there is no item.
    fn call_for_item(&mut self, function: Value, args: &[Value]) -> Result<Option<Value>, Abrupt> {
        match self.try_call(function, args)? {
            Ok(item) => Ok(Some(item)),
            Err(exception) if self.is_of(exception, Type::StopIteration) => Ok(None),
            Err(exception) => Err(Abrupt::Throw(exception)),
        }
    }

    /// Calls a `__getitem__` whose `IndexError` means that there is no item.
    fn call_for_indexed(
        &mut self,
        method: Value,
        object: Value,
        index: i64,
    ) -> Result<Option<Value>, Abrupt> {
        match self.try_call(method, &[object, Value::Int(index)])? {
            Ok(item) => Ok(Some(item)),
            Err(exception)
                if self.is_of(exception, Type::IndexError)
                    || self.is_of(exception, Type::StopIteration) =>
            {
                Ok(None)
            }
            Err(exception) => Err(Abrupt::Throw(exception)),
        }
    }

    fn is_of(&self, exception: Value, class: Type) -> bool {
        self.vm
            .is_subclass(self.vm.class_of(exception), class.class())
    }

    /// All items of an iterable. The same ones however often the native runs again, so that it may
    /// ask about them.
    pub fn collect(&mut self, iterable: Value) -> Result<Vec<Value>, Abrupt> {
        let list = match iterable {
            // What cannot change needs no copy.
            Value::Tuple(tuple) => {
                let items = self.vm.heap.tuples[tuple].0.to_vec();
                self.vm.heap.worked(Work::Visit, items.len());
                return Ok(items);
            }
            _ if !self.was_collected_by_script() && self.vm.heap.can_drain(iterable) => {
                if let Some(length) = self.vm.heap.len_fast(iterable) {
                    self.reserve(length.saturating_mul(size_of::<Value>()))?;
                }
                self.once(|ctx| {
                    let items = ctx.drain(iterable)?;
                    Ok(ctx.vm.heap.new_list(items))
                })?
            }
            _ => self.collect_by_script(iterable)?,
        };
        let Value::List(list) = list else {
            return Ok(Vec::new());
        };
        // For this copy, and for what is made of it.
        self.reserve(2 * self.vm.heap.lists[list].len() * size_of::<Value>())?;
        Ok(self.vm.heap.lists[list].to_vec())
    }

    /// All items of an iterable, as CPython has them where it wants a list or a tuple and makes a
    /// list of anything else (`PySequence_Fast`): it is the iterator then that is asked for its
    /// length.
    pub(in crate::vm) fn collect_sequence(
        &mut self,
        iterable: Value,
    ) -> Result<Vec<Value>, Abrupt> {
        if !matches!(iterable, Value::Instance(_)) || !self.is_iterable(iterable) {
            return self.collect(iterable);
        }
        let function = self.vm.library("collect_sequence");
        let list = self.call(function, &[iterable])?;
        self.collect(list)
    }

    /// All items of an iterable, for a native that asks nothing afterwards: without the copy that
    /// `collect` keeps for the next run.
    pub(in crate::vm) fn take_all(&mut self, iterable: Value) -> Result<Vec<Value>, Abrupt> {
        if self.was_collected_by_script() || !self.vm.heap.can_drain(iterable) {
            return self.collect(iterable);
        }
        if let Some(length) = self.vm.heap.len_fast(iterable) {
            self.reserve(length.saturating_mul(size_of::<Value>()))?;
        }
        self.drain(iterable)
    }

    /// All items of a builtin container as they are now; none if the iterable is of another kind.
    pub(in crate::vm) fn items_now(&self, iterable: Value) -> Option<Vec<Value>> {
        match iterable {
            Value::List(list) => Some(self.vm.heap.lists[list].to_vec()),
            Value::Tuple(tuple) => Some(self.vm.heap.tuples[tuple].0.to_vec()),
            Value::Set(set) => Some(self.vm.heap.sets[set].iter().map(|it| it.1).collect()),
            Value::Dict(dict) => Some(self.vm.heap.dicts[dict].iter().map(|it| it.key).collect()),
            _ => None,
        }
    }

    /// Did an earlier run ask the script for the items? Then the iterator, which is exhausted now,
    /// no longer shows it.
    fn was_collected_by_script(&self) -> bool {
        ["collect", "collect_map", "collect_sized"]
            .into_iter()
            .any(|function| self.has_asked(0, function))
    }

    fn collect_by_script(&mut self, iterable: Value) -> Result<Value, Abrupt> {
        if !self.is_iterable(iterable) {
            let message = format!("'{}' object is not iterable", self.vm.type_name(iterable));
            return Err(self.type_error(message));
        }
        if let Value::Iter(it) = iterable
            && let Iter::Map { function, inner } = &self.vm.heap.iters[it]
            && let [inner] = **inner
        {
            let args = [*function, inner];
            let function = self.vm.library("collect_map");
            return self.call(function, &args);
        }
        let sized = matches!(iterable, Value::Instance(_))
            && [name::LEN, name::LENGTH_HINT]
                .into_iter()
                .any(|method| self.vm.special(iterable, method).is_some());
        let function = self
            .vm
            .library(if sized { "collect_sized" } else { "collect" });
        self.call(function, &[iterable])
    }

    /// Asks an iterable how many items it has, as CPython does before it makes a list of them
    /// (`PyObject_LengthHint`). Here nothing comes of the answer but what the script does
    /// meanwhile, and an exception.
    pub(in crate::vm) fn ask_length_hint(&mut self) -> Result<(), Abrupt> {
        let value = self.arg(0);
        if !matches!(value, Value::Instance(_)) {
            return Ok(());
        }
        if let Some(method) = self.vm.special(value, name::LEN) {
            match self.try_call(method, &[value])? {
                Ok(length) => match self.index(length) {
                    Ok(length) if length >= 0 => return Ok(()),
                    Ok(_) => return Err(self.value_error("__len__() should return >= 0")),
                    Err(Abrupt::Throw(error)) if self.is_of(error, Type::TypeError) => {}
                    Err(interrupt) => return Err(interrupt),
                },
                Err(error) if self.is_of(error, Type::TypeError) => {}
                Err(error) => return Err(Abrupt::Throw(error)),
            }
        }
        let Some(method) = self.vm.special(value, name::LENGTH_HINT) else {
            return Ok(());
        };
        let hint = match self.try_call(method, &[value])? {
            Ok(hint) => hint,
            Err(error) if self.is_of(error, Type::TypeError) => return Ok(()),
            Err(error) => return Err(Abrupt::Throw(error)),
        };
        match hint {
            Value::NotImplemented | Value::Bool(_) | Value::Int(0..) => Ok(()),
            Value::Int(_) => Err(self.value_error("__length_hint__() should return >= 0")),
            Value::Big(_) => Err(self.error(
                Type::OverflowError,
                "Python int too large to convert to C ssize_t",
            )),
            _ => {
                let of = self.vm.type_name(hint);
                let message = format!("__length_hint__ must be an integer, not {of}");
                Err(self.type_error(message))
            }
        }
    }

    /// Takes all items of something that never asks.
    fn drain(&mut self, iterable: Value) -> Result<Vec<Value>, Abrupt> {
        if let Some(items) = self.items_now(iterable) {
            self.vm.heap.worked(Work::Visit, items.len());
            return Ok(items);
        }
        let iterator = self.iterator_of(iterable)?;
        let mut items = Vec::new();
        if let Value::Iter(iter) = iterator
            && self.vm.heap.iters[iter].is_plain()
        {
            let mut moved = self.vm.heap.iters[iter].clone();
            while let Some(item) = self.vm.heap.step_plainly(&mut moved) {
                items.push(item);
                if items.len().is_multiple_of(LOOK_EVERY) {
                    // Until it is known to have moved, it can begin again.
                    self.reserve(items.len() * size_of::<Value>())?;
                    self.look()?;
                }
            }
            self.vm.heap.iters[iter] = moved;
            self.vm.heap.worked(Work::Make, items.len());
            return Ok(items);
        }
        while let Some(item) = self.next(iterator)? {
            items.push(item);
            if items.len().is_multiple_of(LOOK_EVERY) {
                self.reserve_midway(2 * items.len() * size_of::<Value>())?;
            }
        }
        Ok(items)
    }
}

/// The state of an iterator as a step sees it.
fn state<'a>(heap: &'a Heap, moves: &'a Moves, iter: Ref<Iter>) -> &'a Iter {
    moves
        .iter()
        .rev()
        .find(|it| it.0 == iter)
        .map_or(&heap.iters[iter], |it| &it.1)
}

/// One of the iterators that a `zip` or `map` runs over.
pub(super) fn inner_of(heap: &Heap, iter: Ref<Iter>, at: usize) -> Value {
    match &heap.iters[iter] {
        Iter::Zip { inner, .. } | Iter::Map { inner, .. } => inner[at],
        _ => Value::None,
    }
}

impl Heap {
    /// An iterator over a builtin container; iterators are their own.
    #[inline]
    #[must_use]
    pub fn iter_fast(&mut self, value: Value) -> Option<Value> {
        match value {
            Value::Iter(_) | Value::Generator(_) => Some(value),
            _ => {
                let iter = self.iter_of_container(value)?;
                Some(self.new_iter(iter))
            }
        }
    }

    /// The first state of an iterator over a builtin container.
    #[inline]
    pub(super) fn iter_of_container(&self, value: Value) -> Option<Iter> {
        Some(match value {
            Value::List(list) => Iter::List { list, next: 0 },
            Value::Tuple(tuple) => Iter::Tuple { tuple, next: 0 },
            Value::Str(text) => Iter::Str { text, next: 0 },
            Value::Bytes(bytes) => Iter::Bytes { bytes, next: 0 },
            Value::Range(it) => {
                let range = self.ranges[it];
                Iter::Range {
                    next: range.start,
                    left: range.len(),
                    step: range.step,
                }
            }
            Value::Dict(dict) => self.iter_of_dict(dict, DictView::Keys),
            Value::Set(set) => Iter::Set {
                set,
                next: 0,
                size: self.sets[set].len(),
            },
            Value::Object(it) => match self.objects[it] {
                Object::View { dict, view } => self.iter_of_dict(dict, view),
                _ => return None,
            },
            _ => return None,
        })
    }

    fn iter_of_dict(&self, dict: Ref<Dict>, view: DictView) -> Iter {
        let size = self.dicts[dict].len();
        Iter::Dict {
            dict,
            next: 0,
            size,
            left: size,
            view,
        }
    }

    /// An iterator over items that were made beforehand.
    pub(in crate::vm) fn new_iter_over(&mut self, items: Vec<Value>) -> Value {
        let Value::List(items) = self.new_list(items) else {
            unreachable!("just made")
        };
        self.new_iter(Iter::Items { items, next: 0 })
    }

    /// What iteration over a dict gives for an entry.
    #[inline]
    pub(in crate::vm) fn dict_item(&mut self, view: DictView, key: Value, value: Value) -> Value {
        match view {
            DictView::Keys => key,
            DictView::Values => value,
            DictView::Items => self.new_tuple([key, value]),
        }
    }

    /// Can all its items be taken without asking the script?
    fn can_drain(&self, value: Value) -> bool {
        match value {
            Value::List(_)
            | Value::Tuple(_)
            | Value::Str(_)
            | Value::Bytes(_)
            | Value::Dict(_)
            | Value::Set(_)
            | Value::Range(_) => true,
            Value::Object(it) => matches!(self.objects[it], Object::View { .. }),
            Value::Iter(_) => self.can_drain_iter(value, 20),
            _ => false,
        }
    }

    fn can_drain_iter(&self, value: Value, left: usize) -> bool {
        let Value::Iter(it) = value else {
            return false;
        };
        match &self.iters[it] {
            Iter::Dict { .. } | Iter::DictReversed { .. } | Iter::Set { .. } => true,
            Iter::Reversed { sequence, .. } => !matches!(sequence, Value::Instance(_)),
            Iter::Enumerate { inner, .. } => left > 0 && self.can_drain_iter(*inner, left - 1),
            Iter::Zip { inner, .. } => {
                left > 0
                    && inner
                        .iter()
                        .all(|&inner| self.can_drain_iter(inner, left - 1))
            }
            Iter::Map { .. } | Iter::Filter { .. } | Iter::Call { .. } | Iter::Sequence { .. } => {
                false
            }
            plain => plain.is_plain(),
        }
    }

    /// How many items an iterator is known to give at least (`__length_hint__`).
    #[must_use]
    pub(in crate::vm) fn iter_left(&self, iter: Ref<Iter>) -> usize {
        match &self.iters[iter] {
            Iter::List { list, next } | Iter::Items { items: list, next } => {
                self.lists[*list].len().saturating_sub(*next)
            }
            Iter::Tuple { tuple, next } => self.tuples[*tuple].0.len().saturating_sub(*next),
            Iter::Range { left, .. } => usize::try_from(*left).unwrap_or(usize::MAX),
            Iter::Reversed { left, .. } => *left,
            Iter::Str { text, next } => self.text(*text)[*next..].chars().count(),
            Iter::Bytes { bytes, next } => self.bytes[*bytes].0.len().saturating_sub(*next),
            Iter::Dict {
                dict, size, left, ..
            } if self.dicts[*dict].len() == *size => *left,
            Iter::DictReversed {
                dict, end, size, ..
            } if self.dicts[*dict].len() == *size => self.dicts[*dict].count_before(*end),
            Iter::Set { set, next, size } if self.sets[*set].len() == *size => {
                self.sets[*set].count_from(*next)
            }
            Iter::Done
            | Iter::Dict { .. }
            | Iter::DictReversed { .. }
            | Iter::Set { .. }
            | Iter::Enumerate { .. }
            | Iter::Zip { .. }
            | Iter::Map { .. }
            | Iter::Filter { .. }
            | Iter::Call { .. }
            | Iter::Sequence { .. } => 0,
        }
    }
}
