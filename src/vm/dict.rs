//! The hash map behind `dict`: insertion-ordered entries and an open-addressing index, in the manner of CPython's compact dict (`Objects/dictobject.c`).
//! Knows hashes, not how to make them, and asks its caller whether two keys are equal, so that a key's `__eq__` may be a function of the script.

use crate::vm::value::Value;

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
    /// Positions in `entries` plus one; 0 is empty. A power of two long, or empty.
    index: Vec<u32>,
    entries: Vec<Entry>,
    live: usize,
}

impl Dict {
    /// How many keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }
    /// The position of the entry whose hash is `hash` and for whose key `equal` says yes; positions are stable until the next insertion.
    #[inline]
    pub fn find(&self, hash: u64, mut equal: impl FnMut(Value) -> bool) -> Option<usize> {
        if self.index.is_empty() {
            return None;
        }
        let mask = self.index.len() - 1;
        let mut at = spread(hash) & mask;
        loop {
            let position = self.index[at];
            if position == 0 {
                return None;
            }
            let entry = &self.entries[position as usize - 1];
            if entry.hash == hash && entry.key.is_bound() && equal(entry.key) {
                return Some(position as usize - 1);
            }
            at = (at + 1) & mask;
        }
    }
    /// All keys with this hash, in probe order: the candidates, where equality needs the script.
    #[must_use]
    pub fn candidates(&self, hash: u64) -> Vec<(usize, Value)> {
        let mut found = Vec::new();
        let _ = self.find(hash, |key| {
            found.push(key);
            false
        });
        found
            .into_iter()
            .map(|key| {
                (
                    self.entries
                        .iter()
                        .position(|entry| entry.key.same(key))
                        .expect("a candidate is an entry"),
                    key,
                )
            })
            .collect()
    }
    /// Adds an entry for a key that is not there.
    pub fn push(&mut self, hash: u64, key: Value, value: Value) {
        if (self.entries.len() + 1) * 3 > self.index.len() * 2 {
            self.rebuild();
        }
        self.entries.push(Entry { hash, key, value });
        self.live += 1;
        let position = self.entries.len();
        self.place(hash, position);
    }
    #[must_use]
    pub fn entry(&self, position: usize) -> Option<Entry> {
        self.entries
            .get(position)
            .copied()
            .filter(|entry| entry.key.is_bound())
    }
    /// The first live entry at or after a position, with its position.
    #[must_use]
    pub fn next_entry(&self, from: usize) -> Option<(usize, Entry)> {
        (from..self.entries.len())
            .find_map(|position| self.entry(position).map(|entry| (position, entry)))
    }
    /// The last live entry.
    #[must_use]
    pub fn last_entry(&self) -> Option<(usize, Entry)> {
        (0..self.entries.len())
            .rev()
            .find_map(|position| self.entry(position).map(|entry| (position, entry)))
    }
    #[inline]
    pub fn set_value(&mut self, position: usize, value: Value) {
        self.entries[position].value = value;
    }
    /// Removes the entry at a position and returns it.
    pub fn remove(&mut self, position: usize) -> Entry {
        let entry = self.entries[position];
        self.entries[position].key = Value::Unbound;
        self.entries[position].value = Value::Unbound;
        self.live -= 1;
        if self.live == 0 {
            self.clear();
        }
        entry
    }
    pub fn clear(&mut self) {
        *self = Dict::default();
    }
    /// Live entries in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Entry> + '_ {
        self.entries
            .iter()
            .copied()
            .filter(|entry| entry.key.is_bound())
    }
    /// Bytes that the storage takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.index.capacity() * size_of::<u32>() + self.entries.capacity() * size_of::<Entry>()
    }
    fn rebuild(&mut self) {
        self.entries.retain(|entry| entry.key.is_bound());
        let size = ((self.live + 1) * 3).next_power_of_two().max(8);
        self.index.clear();
        self.index.resize(size, 0);
        for position in 0..self.entries.len() {
            self.place(self.entries[position].hash, position + 1);
        }
    }
    fn place(&mut self, hash: u64, position: usize) {
        let mask = self.index.len() - 1;
        let mut at = spread(hash) & mask;
        while self.index[at] != 0 {
            at = (at + 1) & mask;
        }
        self.index[at] = u32::try_from(position).expect("fewer than 2^32 entries");
    }
}

/// Fibonacci hashing: neighbouring hashes (small integers are their own) land apart enough for linear probing.
fn spread(hash: u64) -> usize {
    (hash.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20) as usize
}
