//! The hash map behind `dict`: insertion-ordered entries and an index of their positions, laid out
//! and grown as CPython's compact dict is (`Objects/dictobject.c`), so that neighbouring integers
//! are neighbours in memory, and whoever changes a dict while walking over it meets the same
//! entries. Knows hashes, not how to make them, and asks its caller whether two keys are equal, so
//! that a key's `__eq__` may be a function of the script.

use crate::vm::heap::memory::{Counted, counted};
use crate::vm::heap::value::Value;

/// A key with its value. A removed entry stays as a gap (unbound key) until the next rebuild.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub hash: u64,
    pub key: Value,
    pub value: Value,
}

/// An insertion-ordered hash map.
#[derive(Clone, Debug, Default)]
pub struct Dict {
    /// Positions in `entries` plus one, `EMPTY` or `REMOVED`. A power of two long, or empty while
    /// the dict is small enough to look through.
    index: Box<[u32]>,
    entries: Vec<Entry>,
    live: u32,
    /// How many more entries there may be before the next rebuild (`dk_usable`).
    room: u32,
    /// All entries before this one are gaps, so that taking from the front does not walk over them
    /// again and again.
    first: u32,
    kind: Kind,
}

/// What a table is made for (`dk_kind`). The first key decides, and one of another type makes a
/// table of keys of any type from one of texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Kind {
    /// There is no table yet.
    #[default]
    None,
    Texts,
    Any,
}

const EMPTY: u32 = 0;
const REMOVED: u32 = u32::MAX;
/// The slots of the smallest table; so small a dict is looked through and needs no index.
const MIN_SLOTS: usize = 8;

/// How many entries a table of so many slots takes (`USABLE_FRACTION`).
const fn usable(slots: usize) -> usize {
    slots * 2 / 3
}

/// The slots of a table with room for so many keys (`estimate_log2_keysize`).
fn slots_for(keys: usize) -> usize {
    (keys * 3).div_ceil(2).next_power_of_two().max(MIN_SLOTS)
}

/// The sequence of index slots that a hash looks at: CPython's recurrence, which visits every slot.
struct Probe {
    at: usize,
    perturb: u64,
    mask: usize,
}

impl Probe {
    #[inline]
    fn new(hash: u64, slots: usize) -> Probe {
        let mask = slots - 1;
        Probe {
            at: hash as usize & mask,
            perturb: hash,
            mask,
        }
    }
    #[inline]
    fn advance(&mut self) {
        self.perturb >>= 5;
        self.at = (self
            .at
            .wrapping_mul(5)
            .wrapping_add(self.perturb as usize)
            .wrapping_add(1))
            & self.mask;
    }
}

counted! { Entry: 40 }

impl Dict {
    /// An empty one with room for this many keys, of which all may be texts.
    #[must_use]
    pub fn with_capacity(keys: usize, texts: bool) -> Dict {
        let mut dict = Dict {
            entries: Vec::with_capacity(keys),
            ..Dict::default()
        };
        if keys > usable(MIN_SLOTS) {
            dict.kind = if texts { Kind::Texts } else { Kind::Any };
            dict.rebuild(slots_for(keys));
        }
        dict
    }
    /// What `copy` gives: the same table, unless much of it is gaps.
    #[must_use]
    pub fn copied(&self) -> Dict {
        if self.len() >= self.entries.len() * 2 / 3 {
            self.clone()
        } else {
            self.compacted()
        }
    }
    /// What `dict(self)` gives: the same table if it has no gaps and is no larger than it need be.
    #[must_use]
    pub fn merged(&self) -> Dict {
        let slots = self.slots();
        let tight = slots == MIN_SLOTS || usable(slots / 2) < self.len();
        if self.len() == self.entries.len() && tight {
            self.clone()
        } else {
            self.compacted()
        }
    }
    fn compacted(&self) -> Dict {
        let mut dict = Dict {
            entries: self.iter().collect(),
            live: self.live,
            kind: self.kind,
            ..Dict::default()
        };
        dict.rebuild(slots_for(dict.len()));
        dict
    }
    /// Makes room for the keys of another dict, at once if they are many (`dict_merge`).
    pub fn expect(&mut self, other: &Dict) {
        if usable(self.slots()) < other.len() {
            if self.kind != Kind::Any {
                self.kind = other.kind;
            }
            self.rebuild(slots_for(self.len() + other.len()));
        }
    }
    fn slots(&self) -> usize {
        self.index.len().max(MIN_SLOTS)
    }
    /// How many keys.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.live as usize
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }
    /// The position of the entry whose hash is `hash` and for whose key `equal` says yes; positions
    /// are stable until the next insertion or removal.
    #[inline]
    pub fn find(&self, hash: u64, mut equal: impl FnMut(Value) -> bool) -> Option<usize> {
        if self.index.is_empty() {
            return self
                .entries
                .iter()
                .position(|entry| entry.hash == hash && entry.key.is_bound() && equal(entry.key));
        }
        let mut probe = Probe::new(hash, self.index.len());
        loop {
            let slot = self.index[probe.at];
            if slot == EMPTY {
                return None;
            }
            if slot != REMOVED {
                let entry = &self.entries[slot as usize - 1];
                if entry.hash == hash && equal(entry.key) {
                    return Some(slot as usize - 1);
                }
            }
            probe.advance();
        }
    }
    /// All keys with this hash and their positions, in probe order: the candidates, where equality
    /// needs the script.
    #[must_use]
    pub fn candidates(&self, hash: u64) -> Vec<(usize, Value)> {
        let found = |&position: &usize| {
            let entry = &self.entries[position];
            entry.hash == hash && entry.key.is_bound()
        };
        let positions: Vec<usize> = if self.index.is_empty() {
            (0..self.entries.len()).filter(found).collect()
        } else {
            let mut positions = Vec::new();
            let mut probe = Probe::new(hash, self.index.len());
            while self.index[probe.at] != EMPTY {
                if self.index[probe.at] != REMOVED {
                    positions.push(self.index[probe.at] as usize - 1);
                }
                probe.advance();
            }
            // The sequence may come by a slot twice before its perturbation is used up.
            let mut seen = Vec::new();
            positions.retain(|position| {
                found(position) && !seen.contains(position) && {
                    seen.push(*position);
                    true
                }
            });
            positions
        };
        positions
            .into_iter()
            .map(|position| (position, self.entries[position].key))
            .collect()
    }
    /// Adds an entry for a key that is not there.
    pub fn push(&mut self, hash: u64, key: Value, value: Value) {
        let kind = match key {
            Value::Str(_) => Kind::Texts,
            _ => Kind::Any,
        };
        let changes = self.kind == Kind::None || self.kind == Kind::Texts && kind == Kind::Any;
        if changes || self.room == 0 {
            if changes {
                self.kind = kind;
            }
            self.rebuild((self.len() * 3).next_power_of_two().max(MIN_SLOTS));
        }
        self.room -= 1;
        self.entries.push(Entry { hash, key, value });
        self.live += 1;
        if !self.index.is_empty() {
            self.place(hash, self.entries.len());
        }
    }
    #[must_use]
    pub fn entry(&self, position: usize) -> Option<Entry> {
        self.entries
            .get(position)
            .copied()
            .filter(|entry| entry.key.is_bound())
    }
    /// The first live entry at or after a position, with its position.
    #[inline]
    #[must_use]
    pub fn next_entry(&self, from: usize) -> Option<(usize, Entry)> {
        (from.max(self.first as usize)..self.entries.len())
            .find_map(|position| self.entry(position).map(|entry| (position, entry)))
    }
    /// The last live entry before a position, with its position.
    #[must_use]
    pub fn entry_before(&self, position: usize) -> Option<(usize, Entry)> {
        (self.first as usize..position.min(self.entries.len()))
            .rev()
            .find_map(|position| self.entry(position).map(|entry| (position, entry)))
    }
    /// How many live entries there are before a position.
    #[must_use]
    pub fn count_before(&self, position: usize) -> usize {
        let end = position.min(self.entries.len());
        self.entries[..end]
            .iter()
            .filter(|entry| entry.key.is_bound())
            .count()
    }
    /// The last live entry.
    #[must_use]
    pub fn last_entry(&self) -> Option<(usize, Entry)> {
        self.entry_before(self.entries.len())
    }
    /// The value at a position where a key was found.
    #[must_use]
    pub fn value(&self, position: usize) -> Option<&Value> {
        self.entries.get(position).map(|entry| &entry.value)
    }
    #[inline]
    pub fn set_value(&mut self, position: usize, value: Value) {
        self.entries[position].value = value;
    }
    /// Removes the entry at a position, which must be live, and returns it.
    pub fn remove(&mut self, position: usize) -> Entry {
        let entry = self.entries[position];
        if !self.index.is_empty() {
            let mut probe = Probe::new(entry.hash, self.index.len());
            while self.index[probe.at] as usize != position + 1 {
                probe.advance();
            }
            self.index[probe.at] = REMOVED;
        }
        self.entries[position].key = Value::Unbound;
        self.entries[position].value = Value::Unbound;
        self.live -= 1;
        let gaps = self.entries[self.first as usize..].iter();
        self.first += gaps.take_while(|entry| !entry.key.is_bound()).count() as u32;
        entry
    }
    /// Removes the last live entry, and the gaps behind it.
    pub fn pop(&mut self) -> Option<Entry> {
        let (position, _) = self.last_entry()?;
        let entry = self.remove(position);
        self.entries.truncate(position);
        self.first = self.first.min(position as u32);
        Some(entry)
    }
    pub fn clear(&mut self) {
        *self = Dict::default();
    }
    /// Live entries in order.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Entry> + '_ {
        self.entries
            .iter()
            .copied()
            .filter(|entry| entry.key.is_bound())
    }
    /// Bytes that the storage takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.index) + self.entries.capacity() * Entry::BYTES
    }
    /// What is wrong with it, for those who look for faults of Mini's.
    pub(in crate::vm) fn fault(&self) -> Option<&'static str> {
        let bound = |entry: &Entry| entry.key.is_bound();
        if self.entries.iter().filter(|it| bound(it)).count() != self.live as usize {
            return Some("a dict has counted its keys wrong");
        }
        if self.entries.iter().take(self.first as usize).any(bound) {
            return Some("a dict has keys before its first");
        }
        let taken = usable(self.slots()) - self.entries.len().min(usable(self.slots()));
        if self.kind != Kind::None && taken < self.room as usize {
            return Some("a dict has counted its room wrong");
        }
        if self.index.is_empty() {
            return (self.entries.len() > usable(MIN_SLOTS)).then_some("a large dict has no index");
        }
        if self.index.iter().all(|it| *it != EMPTY) {
            return Some("a dict has a full index");
        }
        let lost = self.entries.iter().enumerate().any(|(position, entry)| {
            let mut probe = Probe::new(entry.hash, self.index.len());
            while self.index[probe.at] != EMPTY && self.index[probe.at] as usize != position + 1 {
                probe.advance();
            }
            bound(entry) && self.index[probe.at] == EMPTY
        });
        lost.then_some("a dict does not find one of its keys")
    }
    /// Drops the gaps, and makes a table of so many slots.
    fn rebuild(&mut self, slots: usize) {
        if self.len() < self.entries.len() {
            self.entries.retain(|entry| entry.key.is_bound());
        }
        self.first = 0;
        self.room = (usable(slots) - self.entries.len()) as u32;
        if slots == MIN_SLOTS {
            self.index = Box::default();
            return;
        }
        if self.index.len() == slots {
            self.index.fill(EMPTY);
        } else {
            self.index = vec![EMPTY; slots].into_boxed_slice();
        }
        for position in 0..self.entries.len() {
            self.place(self.entries[position].hash, position + 1);
        }
    }
    fn place(&mut self, hash: u64, slot: usize) {
        let mut probe = Probe::new(hash, self.index.len());
        while self.index[probe.at] != EMPTY {
            probe.advance();
        }
        self.index[probe.at] = u32::try_from(slot)
            .ok()
            .filter(|&slot| slot != REMOVED)
            .expect("the memory limit is under 2^32 entries");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(value: i64) -> impl FnMut(Value) -> bool {
        move |key| matches!(key, Value::Int(it) if it == value)
    }

    fn keys(dict: &Dict) -> Vec<i64> {
        dict.iter()
            .map(|entry| match entry.key {
                Value::Int(key) => key,
                other => panic!("{other:?} is no key of these tests"),
            })
            .collect()
    }

    /// Inserts and removes keys as a list of pairs does, which is the model.
    #[test]
    fn agrees_with_a_list_of_pairs() {
        let (mut dict, mut model) = (Dict::default(), Vec::<(i64, i64)>::new());
        let mut random: u64 = 7;
        for turn in 0..60_000_i64 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // Few keys, many with equal low bits, so that removed slots and long probes occur; now
            // and then the dict runs empty.
            let key = ((random >> 33) % 150) as i64 * if random & 1 == 0 { 1 } else { 4096 };
            let hash = key as u64;
            let growing = (turn / 1000) % 3 != 2;
            match (dict.find(hash, int(key)), growing) {
                (Some(position), true) => {
                    dict.set_value(position, Value::Int(turn));
                    model.iter_mut().find(|it| it.0 == key).expect("there").1 = turn;
                }
                (None, true) => {
                    assert!(model.iter().all(|it| it.0 != key));
                    dict.push(hash, Value::Int(key), Value::Int(turn));
                    model.push((key, turn));
                }
                (Some(position), false) => {
                    dict.remove(position);
                    model.retain(|it| it.0 != key);
                }
                (None, false) => assert!(model.iter().all(|it| it.0 != key)),
            }
            assert_eq!(dict.len(), model.len());
            if turn % 64 == 0 {
                assert_eq!(keys(&dict), model.iter().map(|it| it.0).collect::<Vec<_>>());
            }
            assert!(matches!(
                (dict.next_entry(0).map(|it| it.1.key), model.first()),
                (None, None) | (Some(Value::Int(_)), Some(_))
            ));
        }
    }

    #[test]
    fn candidates_are_all_keys_of_one_hash_once() {
        for others in [0, 3, 40] {
            let mut dict = Dict::default();
            for other in 0..others {
                dict.push(other as u64 + 1, Value::Int(other), Value::None);
            }
            for key in 100..103 {
                dict.push(5 << 40, Value::Int(key), Value::None);
            }
            let found: Vec<usize> = dict.candidates(5 << 40).iter().map(|it| it.0).collect();
            let expected: Vec<usize> = (0..3).map(|it| it + others as usize).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn taking_from_either_end_keeps_the_rest() {
        let mut dict = Dict::with_capacity(1000, false);
        for key in 0..1000 {
            dict.push(key as u64, Value::Int(key), Value::None);
        }
        for _ in 0..300 {
            let (front, _) = dict.next_entry(0).expect("not empty");
            dict.remove(front);
            let (back, _) = dict.last_entry().expect("not empty");
            dict.remove(back);
        }
        assert_eq!(keys(&dict), (300..700).collect::<Vec<_>>());
        assert_eq!(dict.find(299, int(299)), None);
        assert!(dict.find(300, int(300)).is_some());
    }
}
