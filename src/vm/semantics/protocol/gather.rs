//! Putting the items of an iterable into a list, a set or a dict: one by one, so that what makes
//! the items sees what is there already, and what is there stays if one of them raises.

use super::mapping::Found;
use super::walk::{Outcome, Turn};
use crate::vm::heap::Heap;
use crate::vm::heap::class::name;
use crate::vm::heap::dict::Dict;
use crate::vm::heap::list::List;
use crate::vm::heap::set::Set;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};

impl Ctx<'_> {
    /// `list.extend(iterable)`.
    pub(in crate::vm) fn extend_list(
        &mut self,
        list: Ref<List>,
        iterable: Value,
    ) -> Result<(), Abrupt> {
        self.or_by_library("append_all", |ctx| {
            let mut more = Vec::new();
            let walked = ctx.walk(iterable, |ctx, item| Ok(ctx.keep(&mut more, item)))?;
            ctx.took(iterable, walked.count);
            ctx.vm.heap.change_list(list, |items| items.extend(more));
            Ok(match walked.rest {
                None => Outcome::Value(Value::None),
                Some(rest) => Outcome::Rest(vec![Value::List(list), rest.pending, rest.items]),
            })
        })?;
        Ok(())
    }

    /// Puts a value into a list that is not on the heap yet. Where there is no room for it the
    /// library goes on, whose each step may collect garbage.
    fn keep(&mut self, items: &mut Vec<Value>, item: Value) -> Turn {
        // They grow by doubling, and are copied at the end.
        if items.len() == items.capacity() && !self.has_room_for(items.len(), 4) {
            return Turn::Ask;
        }
        items.push(item);
        Turn::Done
    }

    /// Is there room for so many times as many values as something has that grows by doubling? Of
    /// what is small it is not asked.
    fn has_room_for(&mut self, values: usize, times: usize) -> bool {
        const SMALL: usize = 1 << 10;
        values < SMALL || self.vm.has_room(times * values * size_of::<Value>())
    }

    /// A set of an iterable's items.
    pub fn set_from(&mut self, iterable: Value, frozen: bool) -> Result<Value, Abrupt> {
        if let Value::Set(it) = iterable {
            self.reserve(self.vm.heap.sets[it].bytes())?;
            let copy = self.vm.heap.sets[it].copy(frozen);
            self.vm.heap.worked(Work::Visit, copy.len());
            return Ok(self.vm.heap.new_set(copy));
        }
        if let Value::Dict(dict) = iterable {
            self.reserve(Set::bytes_for(self.vm.heap.dicts[dict].len()))?;
        }
        let outcome = self.begin(|ctx| {
            let mut set = Set::new(false);
            if let Value::Dict(dict) = iterable {
                set.reserve(ctx.vm.heap.dicts[dict].len());
            }
            let walked = ctx.walk(iterable, |ctx, item| {
                let growth = set.growth();
                if growth > 0 && !ctx.vm.has_room(set.bytes() + growth) {
                    return Ok(Turn::Ask);
                }
                Ok(ctx.vm.heap.add(&mut set, item))
            })?;
            ctx.took(iterable, walked.count);
            ctx.vm.heap.worked(Work::Insert, walked.count);
            set.frozen = frozen && walked.rest.is_none();
            let set = ctx.vm.heap.new_set(set);
            Ok(match walked.rest {
                None => Outcome::Value(set),
                Some(rest) => Outcome::Rest(vec![set, rest.pending, rest.items]),
            })
        })?;
        let args = match outcome {
            Outcome::Value(set) => return Ok(set),
            Outcome::Rest(args) => args,
        };
        let function = self.vm.library("add_all");
        self.call(function, &args)?;
        match args[0] {
            Value::Set(it) => {
                self.vm.heap.sets[it].frozen = frozen;
                Ok(args[0])
            }
            other => unreachable!("it began as a set, not {other:?}"),
        }
    }

    /// Puts a mapping's or an iterable's pairs into a dict.
    pub(in crate::vm) fn dict_update(
        &mut self,
        dict: Ref<Dict>,
        source: Value,
    ) -> Result<(), Abrupt> {
        if let Value::Dict(from) = source {
            return self.dict_merge(dict, from);
        }
        if matches!(source, Value::Instance(_))
            && self
                .vm
                .class_attribute(self.vm.class_of(source), name::KEYS)
                .is_some()
        {
            let function = self.vm.library("put_mapping");
            self.call(function, &[Value::Dict(dict), source])?;
            return Ok(());
        }
        self.or_by_library("put_pairs", |ctx| {
            let mut at = 0;
            let walked = ctx.walk(source, |ctx, item| {
                if !matches!(item, Value::Tuple(_) | Value::List(_)) {
                    return Ok(Turn::Ask);
                }
                let (key, value) = ctx.pair(item, at)?;
                at += 1;
                Ok(ctx.put(dict, key, value))
            })?;
            ctx.took(source, walked.count);
            ctx.vm.heap.worked(Work::Insert, walked.count);
            let at = Value::Int(walked.count as i64);
            Ok(match walked.rest {
                None => Outcome::Value(Value::None),
                Some(rest) => Outcome::Rest(vec![Value::Dict(dict), at, rest.pending, rest.items]),
            })
        })?;
        Ok(())
    }

    /// The key and the value that item number `at` of an iterable of pairs is.
    pub(in crate::vm) fn pair(&mut self, item: Value, at: i64) -> Result<(Value, Value), Abrupt> {
        if !self.is_iterable(item) {
            return Err(self.type_error(format!(
                "cannot convert dictionary update sequence element #{at} to a sequence"
            )));
        }
        match *self.collect_sequence(item)? {
            [key, value] => Ok((key, value)),
            ref other => {
                let length = other.len();
                Err(self.value_error(format!(
                    "dictionary update sequence element #{at} has length {length}; 2 is required"
                )))
            }
        }
    }

    /// What the items of an iterable come to, each converted before the next is taken: here, or, of
    /// an object of the script's, by the native of this name; `sized` where CPython asks for its
    /// length.
    pub(in crate::vm) fn collect_through(
        &mut self,
        native: &str,
        sized: bool,
        iterable: Value,
        mut convert: impl FnMut(&mut Self, Value) -> Result<Value, Abrupt>,
    ) -> Result<Vec<Value>, Abrupt> {
        let all = self.or_by_library("collect_through", |ctx| {
            let mut values = Vec::new();
            let walked = ctx.walk(iterable, |ctx, item| {
                if let Value::Instance(_) = item {
                    return Ok(Turn::Ask);
                }
                let value = convert(ctx, item)?;
                Ok(ctx.keep(&mut values, value))
            })?;
            ctx.took(iterable, walked.count);
            let values = ctx.vm.heap.new_list(values);
            Ok(match walked.rest {
                None => Outcome::Value(values),
                Some(rest) => {
                    let convert = Value::Native(
                        ctx.vm
                            .image
                            .natives
                            .find(native)
                            .expect("it is in the table"),
                    );
                    let sized = Value::Bool(sized);
                    Outcome::Rest(vec![convert, sized, values, rest.pending, rest.items])
                }
            })
        })?;
        self.collect(all)
    }

    /// Puts a value under a key.
    fn put(&mut self, dict: Ref<Dict>, key: Value, value: Value) -> Turn {
        let length = self.vm.heap.dicts[dict].len();
        let fits = !length.is_power_of_two() || self.has_room_for(length, 8);
        if fits && self.vm.heap.dict_set_fast(dict, key, value) {
            Turn::Done
        } else {
            Turn::Ask
        }
    }

    /// Puts one value under each key of an iterable.
    pub(in crate::vm) fn dict_put_keys(
        &mut self,
        dict: Ref<Dict>,
        keys: Value,
        value: Value,
    ) -> Result<(), Abrupt> {
        self.or_by_library("put_keys", |ctx| {
            let walked = ctx.walk(keys, |ctx, key| Ok(ctx.put(dict, key, value)))?;
            ctx.took(keys, walked.count);
            ctx.vm.heap.worked(Work::Insert, walked.count);
            Ok(match walked.rest {
                None => Outcome::Value(Value::None),
                Some(rest) => {
                    Outcome::Rest(vec![Value::Dict(dict), value, rest.pending, rest.items])
                }
            })
        })?;
        Ok(())
    }
}

impl Heap {
    /// Adds a value to a set that is not on the heap yet.
    fn add(&self, set: &mut Set, value: Value) -> Turn {
        let Some(hash) = self.hash_fast(value) else {
            return Turn::Ask;
        };
        match self.find_in_set(set, hash, value) {
            Found::At(_) => Turn::Done,
            Found::Absent => {
                set.add_new(hash, value);
                Turn::Done
            }
            Found::Ask => Turn::Ask,
        }
    }
}
