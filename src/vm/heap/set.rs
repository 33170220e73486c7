//! The hash table behind `set` and `frozenset`: CPython's, entry for entry (`Objects/setobject.c`
//! of 3.11: linear probes of 9, then a perturbed jump; the same growth, the same copying), because
//! the order in which a set of numbers prints is that of its table, and scripts print sets. Like
//! `Dict`, it knows hashes, not how to make them, and asks its caller whether two elements are
//! equal.

use crate::vm::heap::memory::{Counted, counted};
use crate::vm::heap::value::Value;

/// A hash set.
#[derive(Clone, Debug, Default)]
pub struct Set {
    /// May it not change?
    pub frozen: bool,
    /// A power of two long; empty stands for the smallest table without an element.
    table: Box<[Slot]>,
    /// Used and dummy slots.
    fill: usize,
    used: usize,
    /// Where `pop` looks first.
    finger: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u64,
    key: Key,
}

#[derive(Clone, Copy, Debug)]
enum Key {
    Empty,
    /// Removed; probes go on behind it.
    Dummy,
    Live(Value),
}

const VACANT: Slot = Slot {
    hash: 0,
    key: Key::Empty,
};
const SMALLEST: usize = 8;
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;

/// The size of a table that has more slots than so many.
fn slots_above(least: usize) -> usize {
    (least + 1).next_power_of_two().max(SMALLEST)
}

/// The slots that a hash looks at, in order; never ends.
struct Probe {
    at: usize,
    /// How many neighbours of `at` are still to come before the next jump.
    near: usize,
    base: usize,
    perturb: u64,
    mask: usize,
}

impl Probe {
    #[inline]
    fn new(hash: u64, mask: usize) -> Probe {
        let mut probe = Probe {
            at: 0,
            near: 0,
            base: hash as usize & mask,
            perturb: hash,
            mask,
        };
        probe.land();
        probe
    }
    #[inline]
    fn land(&mut self) {
        self.at = self.base;
        self.near = if self.base + LINEAR_PROBES <= self.mask {
            LINEAR_PROBES
        } else {
            0
        };
    }
    #[inline]
    fn advance(&mut self) {
        if self.near > 0 {
            self.near -= 1;
            self.at += 1;
            return;
        }
        self.perturb >>= PERTURB_SHIFT;
        self.base = self
            .base
            .wrapping_mul(5)
            .wrapping_add(1)
            .wrapping_add(self.perturb as usize)
            & self.mask;
        self.land();
    }
}

counted! { Slot: 24 }

impl Set {
    /// An empty one.
    #[must_use]
    pub fn new(frozen: bool) -> Set {
        Set {
            frozen,
            ..Set::default()
        }
    }
    #[must_use]
    pub fn len(&self) -> usize {
        self.used
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }
    /// Elements in the order of the table, with their hashes.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Value)> + '_ {
        self.table.iter().filter_map(|slot| match slot.key {
            Key::Live(value) => Some((slot.hash, value)),
            Key::Empty | Key::Dummy => None,
        })
    }
    /// The first element in a slot at or after this one, and its slot.
    #[inline]
    #[must_use]
    pub fn next_element(&self, from: usize) -> Option<(usize, Value)> {
        (from..self.table.len()).find_map(|at| match self.table[at].key {
            Key::Live(value) => Some((at, value)),
            Key::Empty | Key::Dummy => None,
        })
    }
    /// How many elements there are in this slot and behind it.
    #[must_use]
    pub fn count_from(&self, slot: usize) -> usize {
        let rest = self.table.iter().skip(slot);
        rest.filter(|slot| matches!(slot.key, Key::Live(_))).count()
    }
    /// The slot of the element whose hash is `hash` and for which `equal` says yes.
    pub fn find(&self, hash: u64, mut equal: impl FnMut(Value) -> bool) -> Option<usize> {
        if self.table.is_empty() {
            return None;
        }
        let mut probe = Probe::new(hash, self.mask());
        loop {
            let slot = &self.table[probe.at];
            match slot.key {
                Key::Empty => return None,
                Key::Live(value) if slot.hash == hash && equal(value) => return Some(probe.at),
                Key::Live(_) | Key::Dummy => probe.advance(),
            }
        }
    }
    /// All elements with this hash and their slots, in probe order: the candidates, where equality
    /// needs the script.
    #[must_use]
    pub fn candidates(&self, hash: u64) -> Vec<(usize, Value)> {
        let mut found: Vec<(usize, Value)> = Vec::new();
        if self.table.is_empty() {
            return found;
        }
        let mut probe = Probe::new(hash, self.mask());
        loop {
            let slot = &self.table[probe.at];
            match slot.key {
                Key::Empty => return found,
                Key::Live(value)
                    if slot.hash == hash && found.iter().all(|it| it.0 != probe.at) =>
                {
                    found.push((probe.at, value));
                }
                Key::Live(_) | Key::Dummy => {}
            }
            probe.advance();
        }
    }
    /// Adds an element unless an equal one is there; true if it was added (`set_add_entry`).
    pub fn add(&mut self, hash: u64, value: Value, equal: impl FnMut(Value) -> bool) -> bool {
        if self.find(hash, equal).is_some() {
            return false;
        }
        self.add_new(hash, value);
        true
    }
    /// Adds an element that is not there: into the last dummy on its way, or else into the first
    /// empty slot.
    pub fn add_new(&mut self, hash: u64, value: Value) {
        if self.table.is_empty() {
            self.table = vec![VACANT; SMALLEST].into_boxed_slice();
        }
        let mut probe = Probe::new(hash, self.mask());
        let mut dummy = None;
        loop {
            match self.table[probe.at].key {
                Key::Empty => break,
                Key::Dummy => dummy = Some(probe.at),
                Key::Live(_) => {}
            }
            probe.advance();
        }
        let key = Key::Live(value);
        self.table[dummy.unwrap_or(probe.at)] = Slot { hash, key };
        self.used += 1;
        if dummy.is_some() {
            return;
        }
        self.fill += 1;
        if self.fill * 5 >= self.mask() * 3 {
            self.resize(self.grown());
        }
    }
    /// How many bytes the table takes into which the next new element may move them all; usually
    /// none.
    #[must_use]
    pub fn growth(&self) -> usize {
        if (self.fill + 1) * 5 < self.mask() * 3 {
            return 0;
        }
        slots_above(self.grown()) * Slot::BYTES
    }
    /// How many bytes the table takes that `reserve` makes for so many elements.
    #[must_use]
    pub fn bytes_for(elements: usize) -> usize {
        slots_above(2 * elements) * Slot::BYTES
    }
    /// Removes the element in a slot.
    pub fn remove(&mut self, slot: usize) {
        self.table[slot].key = Key::Dummy;
        self.used -= 1;
    }
    /// Takes out the element that CPython's `pop` takes: the next one in the table.
    pub fn pop(&mut self) -> Option<Value> {
        if self.used == 0 {
            return None;
        }
        let (slot, value) = self
            .next_element(self.finger & self.mask())
            .or_else(|| self.next_element(0))?;
        self.remove(slot);
        self.finger = slot + 1;
        Some(value)
    }
    pub fn clear(&mut self) {
        // Where `pop` goes on is not forgotten, as in CPython.
        *self = Set {
            finger: self.finger,
            ..Set::new(self.frozen)
        };
    }
    /// Takes over the elements of another set, as `set_swap_bodies` does.
    pub fn replace(&mut self, other: Set) {
        *self = Set {
            frozen: self.frozen,
            finger: self.finger,
            ..other
        };
    }
    /// A copy, laid out as CPython lays out copies: without dummies, in a table for its size.
    #[must_use]
    pub fn copy(&self, frozen: bool) -> Set {
        let mut copy = Set::new(frozen);
        copy.merge(self, |_, _| false);
        copy
    }
    /// Adds all elements of another set (`set_merge`). `equal` gets one of this set and one of the
    /// other with the same hash.
    pub fn merge(&mut self, other: &Set, mut equal: impl FnMut(Value, Value) -> bool) {
        if other.used == 0 {
            return;
        }
        self.reserve(other.used);
        if self.fill == 0 {
            if self.mask() == other.mask() && other.fill == other.used {
                self.table.clone_from(&other.table);
            } else {
                if self.table.is_empty() {
                    self.table = vec![VACANT; SMALLEST].into_boxed_slice();
                }
                for (hash, value) in other.iter() {
                    self.place(hash, value);
                }
            }
            self.fill = other.used;
            self.used = other.used;
            return;
        }
        for (hash, value) in other.iter() {
            self.add(hash, value, |mine| equal(mine, value));
        }
    }
    /// Makes room for so many more elements in one step, as `set_update_internal` does for sets and
    /// dicts.
    pub fn reserve(&mut self, more: usize) {
        if (self.fill + more) * 5 >= self.mask() * 3 {
            self.resize((self.used + more) * 2);
        }
    }
    /// Drops the dummies when there are many, as `difference_update` does at its end.
    pub fn tidy(&mut self) {
        if self.fill - self.used > self.mask() / 4 {
            self.resize(self.grown());
        }
    }
    /// Bytes that the storage takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.table.len() * Slot::BYTES
    }

    /// What is wrong with it, for those who look for faults of Mini's.
    pub(in crate::vm) fn fault(&self) -> Option<&'static str> {
        let filled = |slot: &&Slot| !matches!(slot.key, Key::Empty);
        if self.iter().count() != self.used || self.table.iter().filter(filled).count() != self.fill
        {
            return Some("a set has counted its elements wrong");
        }
        if !self.table.is_empty() && self.fill == self.table.len() {
            return Some("a set has no empty slot");
        }
        let lost = self.table.iter().enumerate().any(|(at, slot)| {
            let mut probe = Probe::new(slot.hash, self.mask());
            while probe.at != at && !matches!(self.table[probe.at].key, Key::Empty) {
                probe.advance();
            }
            matches!(slot.key, Key::Live(_)) && probe.at != at
        });
        lost.then_some("a set does not find one of its elements")
    }

    fn mask(&self) -> usize {
        self.table.len().max(SMALLEST) - 1
    }
    fn grown(&self) -> usize {
        if self.used > 50_000 {
            self.used * 2
        } else {
            self.used * 4
        }
    }
    /// A new table with more slots than `least` (`set_table_resize`).
    fn resize(&mut self, least: usize) {
        let size = slots_above(least);
        if size == SMALLEST && self.table.len() <= SMALLEST && self.fill == self.used {
            return;
        }
        let old = std::mem::replace(&mut self.table, vec![VACANT; size].into_boxed_slice());
        self.fill = self.used;
        for slot in old {
            if let Key::Live(value) = slot.key {
                self.place(slot.hash, value);
            }
        }
    }
    /// Puts an element that is not there into the first empty slot of a table without dummies
    /// (`set_insert_clean`).
    fn place(&mut self, hash: u64, value: Value) {
        let mut probe = Probe::new(hash, self.mask());
        while !matches!(self.table[probe.at].key, Key::Empty) {
            probe.advance();
        }
        self.table[probe.at] = Slot {
            hash,
            key: Key::Live(value),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::Set;
    use crate::vm::heap::number::hash::hash_int;
    use crate::vm::heap::value::Value;

    fn same(key: i64) -> impl FnMut(Value) -> bool {
        move |value| matches!(value, Value::Int(it) if it == key)
    }

    fn set_of(keys: &[i64]) -> Set {
        let mut set = Set::new(false);
        add(&mut set, keys);
        set
    }

    fn add(set: &mut Set, keys: &[i64]) {
        for &key in keys {
            set.add(hash_int(key) as u64, Value::Int(key), same(key));
        }
    }

    fn discard(set: &mut Set, key: i64) {
        let slot = set.find(hash_int(key) as u64, same(key)).expect("there");
        set.remove(slot);
    }

    fn order(set: &Set) -> Vec<i64> {
        set.iter()
            .map(|(_, value)| match value {
                Value::Int(key) => key,
                other => panic!("{other:?} is no element of these tests"),
            })
            .collect()
    }

    const SIX: [i64; 6] = [3, 70, 5, 100, 64, 37];

    /// The orders are those that CPython 3.11 prints for the same operations.
    #[test]
    fn orders_are_those_of_cpython() {
        let mut set = set_of(&SIX);
        assert_eq!(order(&set), [64, 3, 100, 5, 70, 37]);
        discard(&mut set, 5);
        add(&mut set, &[69]);
        assert_eq!(order(&set), [64, 3, 100, 69, 70, 37]);
        discard(&mut set, 100);
        assert_eq!(order(&set.copy(false)), [64, 3, 69, 70, 37]);

        let mut set = set_of(&SIX);
        set.pop();
        set.pop();
        add(&mut set, &[128]);
        set.pop();
        assert_eq!(order(&set), [128, 5, 70, 37]);

        let mut set = set_of(&SIX);
        set.merge(&set_of(&[200, 201, 8, 9, 1000, 77, 65]), |_, _| false);
        assert_eq!(
            order(&set),
            [64, 65, 3, 100, 5, 70, 37, 200, 201, 1000, 8, 9, 77]
        );

        let wide = [-1, -2, 1 << 40, (1 << 61) - 1, -(1 << 40), 7, -64];
        assert_eq!(
            order(&set_of(&wide)),
            [1 << 40, (1 << 61) - 1, -(1 << 40), -64, 7, -2, -1]
        );
    }

    #[test]
    fn agrees_with_the_standard_set() {
        let (mut set, mut model) = (Set::new(false), std::collections::BTreeSet::new());
        let mut random: u64 = 11;
        for turn in 0..40_000 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // Many keys with equal low bits, so that probes are long.
            let key = (random >> 40) as i64 % 300 * if random & 1 == 0 { 1 } else { 1 << 32 };
            match (random >> 33) % 16 {
                0 => {
                    if let Some(Value::Int(popped)) = set.pop() {
                        assert!(model.remove(&popped));
                    }
                }
                1..=7 => {
                    if model.remove(&key) {
                        discard(&mut set, key);
                    }
                }
                8 => set = set.copy(false),
                _ => {
                    let new = set.add(hash_int(key) as u64, Value::Int(key), same(key));
                    assert_eq!(new, model.insert(key));
                }
            }
            assert_eq!(set.len(), model.len());
            assert_eq!(
                set.find(hash_int(key) as u64, same(key)).is_some(),
                model.contains(&key)
            );
            if turn % 100 == 0 {
                let mut elements = order(&set);
                elements.sort_unstable();
                assert!(elements.iter().eq(&model));
            }
        }
    }

    #[test]
    fn candidates_are_all_elements_of_one_hash_once() {
        let mut set = set_of(&[1, 2, 3, 9, 17]);
        for key in 100..104 {
            set.add_new(9, Value::Int(key));
        }
        assert_eq!(set.candidates(9).len(), 5);
        assert_eq!(set.candidates(2).len(), 1);
        assert!(set.candidates(4).is_empty());
        assert!(Set::new(false).candidates(4).is_empty());
    }
}
