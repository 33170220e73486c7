//! How often each of some things is there: what `collections.Counter` counts in one step.

use super::mapping::Found;
use crate::vm::Vm;
use crate::vm::heap::Heap;
use crate::vm::heap::dict::Dict;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use rustc_hash::FxHashMap;

/// A dict from things to numbers, in the order in which they came first.
pub(in crate::vm) struct Tally(Ref<Dict>);

impl Tally {
    /// Counts the items of a string, list or tuple; nothing for other things, where a method of the
    /// script must be asked, and where there is no room for so many different ones at once.
    pub(in crate::vm) fn of(vm: &mut Vm, iterable: Value) -> Option<Tally> {
        /// What is asked for when there are so many.
        const MANY: usize = 1 << 10;
        /// An entry here and in the dict that gets it, both grown by doubling, and one on the way.
        const EACH: usize = 5 * 48;
        let heap = &mut vm.heap;
        let length = heap.len_fast(iterable)?;
        let Value::Dict(dict) = heap.new_dict(Dict::default()) else {
            unreachable!("new_dict makes a dict")
        };
        match iterable {
            Value::Str(text) => {
                let mut places: FxHashMap<char, usize> = FxHashMap::default();
                let mut found: Vec<(char, i64)> = Vec::new();
                for character in heap.text(text).chars() {
                    let place = *places.entry(character).or_insert_with(|| {
                        found.push((character, 0));
                        found.len() - 1
                    });
                    found[place].1 += 1;
                }
                for (character, count) in found {
                    let mut buffer = [0; 4];
                    let key = heap.new_str(&*character.encode_utf8(&mut buffer));
                    heap.dict_set_fast(dict, key, Value::Int(count));
                }
            }
            Value::List(_) | Value::Tuple(_) => {
                for at in 0..length {
                    let heap = &mut vm.heap;
                    let key = heap.sequence_item(iterable, at)?;
                    let hash = heap.hash_fast(key)?;
                    match heap.find_in_dict(dict, hash, key) {
                        Found::At(place) => {
                            let Some(&Value::Int(count)) = heap.dicts[dict].value(place) else {
                                unreachable!("a tally holds numbers")
                            };
                            heap.dicts[dict].set_value(place, Value::Int(count + 1));
                        }
                        Found::Absent => {
                            heap.dict_put(dict, hash, None, key, Value::Int(1));
                            let many = heap.dicts[dict].len();
                            if many.is_power_of_two() && many >= MANY && !vm.has_room(many * EACH) {
                                return None;
                            }
                        }
                        Found::Ask => return None,
                    }
                }
            }
            _ => return None,
        }
        vm.heap.worked(Work::Lookup, length);
        vm.heap.worked(Work::Insert, length);
        Some(Tally(dict))
    }

    /// Adds these numbers to those in a dict; false, with nothing changed, if one there is no small
    /// number or a method of the script must be asked.
    pub(in crate::vm) fn add_to(&self, heap: &mut Heap, counts: Ref<Dict>) -> bool {
        let mut sums = Vec::with_capacity(heap.dicts[self.0].len());
        for entry in heap.dicts[self.0].iter() {
            let Value::Int(more) = entry.value else {
                unreachable!("a tally holds numbers")
            };
            let (place, sum) = match heap.find_in_dict(counts, entry.hash, entry.key) {
                Found::At(place) => match heap.dicts[counts].value(place) {
                    Some(Value::Int(before)) => (Some(place), before.checked_add(more)),
                    _ => return false,
                },
                Found::Absent => (None, Some(more)),
                Found::Ask => return false,
            };
            let Some(sum) = sum else {
                return false;
            };
            sums.push((entry, place, sum));
        }
        for (entry, place, sum) in sums {
            heap.dict_put(counts, entry.hash, place, entry.key, Value::Int(sum));
        }
        true
    }
}
