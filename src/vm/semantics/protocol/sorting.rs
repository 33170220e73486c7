//! Sorting, as `sorted` and `list.sort` do it: stable, by `<` alone. Keys of builtin types are
//! compared here; where a method of the script must be asked, the library's `sort_places` does the
//! same in Mini.

use super::Verdict;
use super::walk::Outcome;
use crate::operator::CompareOp;
use crate::vm::heap::Heap;
use crate::vm::heap::list::List;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};

/// Runs are made at least this long by insertion; CPython's `merge_compute_minrun`.
fn shortest_run(mut length: usize) -> usize {
    let mut odd = 0;
    while length >= 64 {
        odd |= length & 1;
        length >>= 1;
    }
    length + odd
}

/// Items in ascending order; or in the order that they had when something was raised, with what it
/// was.
type Order = Result<Vec<Value>, (Vec<Value>, Abrupt)>;

impl Ctx<'_> {
    /// The items in ascending order of their keys. The items must be the same each time the native
    /// runs (`Ctx::collect`).
    pub(in crate::vm) fn sorted(
        &mut self,
        items: Vec<Value>,
        key: Value,
        reverse: bool,
    ) -> Result<Vec<Value>, Abrupt> {
        self.reserve_order(items.len(), key)?;
        self.ordered(items, key, reverse)?
            .map_err(|(_, raised)| raised)
    }

    /// `list.sort`: as long as the script has a say in it, the list is empty.
    pub(in crate::vm) fn sort_list(
        &mut self,
        list: Ref<List>,
        key: Value,
        reverse: bool,
    ) -> Result<(), Abrupt> {
        // Once the list is lent it would be lost with the call.
        self.reserve_order(self.vm.heap.lists[list].len(), key)?;
        let keyed = is_given(key);
        let lent = self.begin(|ctx| {
            if !keyed && ctx.sort_list_here(list, reverse)? {
                return Ok(Outcome::Value(Value::None));
            }
            Ok(Outcome::Rest(ctx.vm.heap.lists[list].lend()))
        })?;
        let Outcome::Rest(items) = lent else {
            return Ok(());
        };
        let (items, raised) = match self.ordered(items, key, reverse)? {
            Ok(items) => (items, None),
            Err((items, raised)) => (items, Some(raised)),
        };
        let untouched = self.vm.heap.lists[list].give_back(items);
        match raised {
            Some(raised) => Err(raised),
            None if !untouched => Err(self.value_error("list modified during sort")),
            None => Ok(()),
        }
    }

    /// Sorts a list by the order of its items, unless the script must be asked.
    fn sort_list_here(&mut self, list: Ref<List>, reverse: bool) -> Result<bool, Abrupt> {
        if self.vm.heap.lists[list].len() < 2 {
            return Ok(true);
        }
        let mut items = self.vm.heap.lists[list].to_vec();
        if reverse {
            items.reverse();
        }
        let (places, verdict) = self.vm.heap.sort(&items, self.nesting_left());
        match verdict {
            Verdict::Ask => return Ok(false),
            Verdict::Flagged => return Err(Abrupt::Flagged),
            Verdict::Known(_) | Verdict::Unordered(..) | Verdict::TooDeep => {}
        }
        self.vm.heap.lists[list] = placed(&items, &places, reverse).into_iter().collect();
        self.sort_verdict(verdict).map_or(Ok(true), Err)
    }

    /// What is raised where a sort stopped before its end.
    fn sort_verdict(&mut self, verdict: Verdict) -> Option<Abrupt> {
        match verdict {
            Verdict::Unordered(a, b) => Some(self.unordered(CompareOp::Lt, a, b)),
            Verdict::TooDeep => Some(self.too_deep(" in comparison")),
            Verdict::Known(_) | Verdict::Ask | Verdict::Flagged => None,
        }
    }

    /// Sees that there is room for putting so many items in order.
    fn reserve_order(&mut self, items: usize, key: Value) -> Result<(), Abrupt> {
        /// Four lists of values, two of places, pairs of keys and places with half as many to
        /// spare.
        const EACH: usize = 4 * size_of::<Value>() + 2 * size_of::<u32>() + 36;
        /// A call with its argument, and its result.
        const CALLED: usize = 40 + 32 + size_of::<Value>();
        let each = if is_given(key) { EACH + CALLED } else { EACH };
        self.reserve(items.saturating_mul(each))
    }

    fn ordered(
        &mut self,
        mut items: Vec<Value>,
        key: Value,
        reverse: bool,
    ) -> Result<Order, Abrupt> {
        let mut keys = if is_given(key) {
            let calls = items.iter().map(|&item| (key, vec![item])).collect();
            match self.try_call_all(calls)? {
                Ok(keys) => keys,
                Err(raised) => return Ok(Err((items, Abrupt::Throw(raised)))),
            }
        } else {
            items.clone()
        };
        // Equal items keep their order in a descending sort too: both ends of it are turned round.
        if reverse {
            keys.reverse();
            items.reverse();
        }
        let (places, raised) = self.sorted_places(keys)?;
        let items = placed(&items, &places, reverse);
        Ok(match raised {
            None => Ok(items),
            Some(raised) => Err((items, raised)),
        })
    }

    /// The places of keys in ascending order; or as far as they came, and what was raised then.
    fn sorted_places(&mut self, keys: Vec<Value>) -> Result<(Vec<u32>, Option<Abrupt>), Abrupt> {
        let (places, verdict) = self.vm.heap.sort(&keys, self.nesting_left());
        if matches!(verdict, Verdict::Flagged) {
            return Err(Abrupt::Flagged);
        }
        if !matches!(verdict, Verdict::Ask) {
            return Ok((places, self.sort_verdict(verdict)));
        }
        let count = keys.len();
        let keys = self.once(|ctx| Ok(ctx.vm.heap.new_list(keys)))?;
        let places = self.once(|ctx| {
            let places = (0..count as i64).map(Value::Int);
            Ok(ctx.vm.heap.new_list(places.collect::<List>()))
        })?;
        let function = self.vm.library("sort_places");
        let raised = self.try_call(function, &[keys, places])?.err();
        let Value::List(places) = places else {
            unreachable!("just made")
        };
        let places: Vec<u32> = self.vm.heap.lists[places]
            .iter()
            .filter_map(|place| match place {
                Value::Int(place) => u32::try_from(place).ok(),
                _ => None,
            })
            .collect();
        assert_eq!(places.len(), count, "each key has its place");
        Ok((places, raised.map(Abrupt::Throw)))
    }
}

/// Is there a function that makes keys of items?
fn is_given(key: Value) -> bool {
    key.is_bound() && !matches!(key, Value::None)
}

/// The items at these places, from the last to the first if they were turned round.
fn placed(items: &[Value], places: &[u32], reverse: bool) -> Vec<Value> {
    let mut placed: Vec<Value> = places.iter().map(|&at| items[at as usize]).collect();
    if reverse {
        placed.reverse();
    }
    placed
}

impl Heap {
    /// The places of keys in ascending order, and what stood in the way, where they are not all
    /// sorted: nothing if the verdict is known.
    fn sort(&self, keys: &[Value], left: usize) -> (Vec<u32>, Verdict) {
        let mut places: Vec<u32> = (0..u32::try_from(keys.len()).unwrap_or(u32::MAX)).collect();
        let key = |place: u32| keys[place as usize];
        // One pass to see whether all keys are of one simple type, which then needs no more
        // looking.
        let integers = keys.iter().zip(&places).map(|(key, &place)| match key {
            Value::Int(number) => Some((*number, place)),
            _ => None,
        });
        if let Some(mut integers) = integers.collect::<Option<Vec<_>>>() {
            integers.sort_by(|a, b| {
                self.worked(Work::Sort, 1);
                a.0.cmp(&b.0)
            });
            let places = integers.into_iter().map(|it| it.1).collect();
            return (places, Verdict::Known(true));
        }
        let texts = keys.iter().zip(&places).map(|(key, &place)| match key {
            Value::Str(text) => Some((self.text(*text), place)),
            _ => None,
        });
        if let Some(mut texts) = texts.collect::<Option<Vec<_>>>() {
            texts.sort_by(|a, b| {
                self.worked(Work::Sort, 2);
                a.0.cmp(b.0)
            });
            let places = texts.into_iter().map(|it| it.1).collect();
            return (places, Verdict::Known(true));
        }
        let mut less = |a: u32, b: u32| {
            self.worked(Work::Compare, 2);
            if self.is_flagged() {
                return Err(Verdict::Flagged);
            }
            match self.try_compare(CompareOp::Lt, key(a), key(b), left) {
                Verdict::Known(less) => Ok(less),
                other => Err(other),
            }
        };
        match merge_sort(&mut places, &mut less) {
            Ok(()) => (places, Verdict::Known(true)),
            Err(verdict) => (places, verdict),
        }
    }
}

/// A merge sort of runs, the counterpart of the library's `sort_places`. The standard library's
/// sort is none: it may panic where `<` is no order (floats that are not numbers), and cannot stop
/// early.
fn merge_sort<E>(
    places: &mut [u32],
    less: &mut impl FnMut(u32, u32) -> Result<bool, E>,
) -> Result<(), E> {
    let count = places.len();
    let shortest = shortest_run(count);
    let mut runs = Vec::new();
    let mut low = 0;
    while low < count {
        let mut high = end_of_run(&mut places[low..], less)? + low;
        let end = (low + shortest).min(count);
        if high < end {
            insert(&mut places[low..end], high - low, less)?;
            high = end;
        }
        runs.push((low, high));
        low = high;
    }
    let mut spare = Vec::with_capacity(count);
    while runs.len() > 1 {
        let mut merged = Vec::with_capacity(runs.len().div_ceil(2));
        for pair in runs.chunks(2) {
            let low = pair[0].0;
            let high = pair[pair.len() - 1].1;
            if let [_, (middle, _)] = *pair {
                merge(&mut places[low..high], middle - low, &mut spare, less)?;
            }
            merged.push((low, high));
        }
        runs = merged;
    }
    Ok(())
}

/// Where the run at the beginning ends; a descending one is turned round.
fn end_of_run<E>(
    places: &mut [u32],
    less: &mut impl FnMut(u32, u32) -> Result<bool, E>,
) -> Result<usize, E> {
    if places.len() < 2 {
        return Ok(places.len());
    }
    let descending = less(places[1], places[0])?;
    let mut end = 2;
    while end < places.len() && less(places[end], places[end - 1])? == descending {
        end += 1;
    }
    if descending {
        places[..end].reverse();
    }
    Ok(end)
}

/// Binary insertion of everything from `start` on.
fn insert<E>(
    places: &mut [u32],
    start: usize,
    less: &mut impl FnMut(u32, u32) -> Result<bool, E>,
) -> Result<(), E> {
    for at in start..places.len() {
        let place = places[at];
        let (mut left, mut right) = (0, at);
        while left < right {
            let middle = usize::midpoint(left, right);
            if less(place, places[middle])? {
                right = middle;
            } else {
                left = middle + 1;
            }
        }
        places[left..=at].rotate_right(1);
    }
    Ok(())
}

fn merge<E>(
    places: &mut [u32],
    middle: usize,
    spare: &mut Vec<u32>,
    less: &mut impl FnMut(u32, u32) -> Result<bool, E>,
) -> Result<(), E> {
    spare.clear();
    spare.extend_from_slice(places);
    let (left, right) = spare.split_at(middle);
    let (mut i, mut j) = (0, 0);
    for at in 0..places.len() {
        let take_right = i == left.len()
            || j < right.len()
                && match less(right[j], left[i]) {
                    Ok(less) => less,
                    // What is left of both stays there.
                    Err(error) => {
                        let rest = left[i..].iter().chain(&right[j..]);
                        places[at..]
                            .iter_mut()
                            .zip(rest)
                            .for_each(|(slot, &it)| *slot = it);
                        return Err(error);
                    }
                };
        places[at] = if take_right { right[j] } else { left[i] };
        if take_right {
            j += 1;
        } else {
            i += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::merge_sort;
    use std::convert::Infallible;

    #[test]
    fn sorts_stably_whatever_the_runs() {
        let mut random: u64 = 3;
        for count in (0..200).chain([1000, 5000]) {
            for shape in 0..4_u64 {
                let keys: Vec<u64> = (0..count)
                    .map(|at| {
                        random = random
                            .wrapping_mul(6_364_136_223_846_793_005)
                            .wrapping_add(1);
                        match shape {
                            0 => random >> 58,
                            1 => at / 3,
                            2 => (count - at) / 2,
                            _ => at % 50 + (random >> 62),
                        }
                    })
                    .collect();
                let mut places: Vec<u32> = (0..count as u32).collect();
                let mut expected = places.clone();
                expected.sort_by_key(|&at| keys[at as usize]);
                let Ok(()) = merge_sort(&mut places, &mut |a, b| {
                    Ok::<_, Infallible>(keys[a as usize] < keys[b as usize])
                });
                assert_eq!(places, expected);
            }
        }
    }

    #[test]
    fn an_order_that_is_none_still_ends() {
        let keys: Vec<f64> = (0..300)
            .map(|at| {
                if at % 7 == 0 {
                    f64::NAN
                } else {
                    f64::from(at % 90)
                }
            })
            .collect();
        let mut places: Vec<u32> = (0..300).collect();
        let Ok(()) = merge_sort(&mut places, &mut |a, b| {
            Ok::<_, Infallible>(keys[a as usize] < keys[b as usize])
        });
        places.sort_unstable();
        assert_eq!(places, (0..300).collect::<Vec<u32>>());
    }
}
