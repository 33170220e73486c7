//! The hash table behind `set` and `frozenset`: CPython's, entry for entry (`Objects/setobject.c`: linear probes of 9, then a perturbed jump; the same
//! growth), because the order in which a set of numbers prints is that of its table, and scripts print sets.

use crate::vm::value::Value;

/// A hash set.
#[derive(Clone, Debug, Default)]
pub struct Set {
    /// May it not change?
    pub frozen: bool,
    table: Vec<Slot>,
    /// Used and dummy slots.
    fill: usize,
    used: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u64,
    key: Key,
}

#[derive(Clone, Copy, Debug)]
enum Key {
    Empty,
    Dummy,
    Live(Value),
}

impl Set {
    #[must_use]
    pub fn len(&self) -> usize {
        self.used
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }
    /// Elements in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (u64, Value)> + '_ {
        self.table.iter().filter_map(|slot| match slot.key {
            Key::Live(value) => Some((slot.hash, value)),
            Key::Empty | Key::Dummy => None,
        })
    }
}
