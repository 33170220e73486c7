//! What `collections.deque` keeps its items in: a ring, which is quick at both ends. Plain data.

use crate::vm::value::Value;
use std::collections::VecDeque;

/// Items in a row, perhaps at most so many of them.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    items: VecDeque<Value>,
    /// Adding more drops items at the other end.
    bound: Option<usize>,
    /// How many iterators are under way. Changes are counted while there is one.
    watchers: u32,
    changes: u64,
}

/// Which end of a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

impl Ring {
    #[must_use]
    pub fn new(bound: Option<usize>) -> Ring {
        Ring {
            bound,
            ..Ring::default()
        }
    }
    #[must_use]
    pub fn bound(&self) -> Option<usize> {
        self.bound
    }
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Value> {
        self.items.get(index).copied()
    }
    /// Replaces an item, which is there.
    pub fn set(&mut self, index: usize, value: Value) {
        self.items[index] = value;
    }
    /// Adds an item at one end, and drops one at the other if there would be too many.
    pub fn push(&mut self, side: Side, value: Value) {
        self.change();
        match side {
            Side::Left => self.items.push_front(value),
            Side::Right => self.items.push_back(value),
        }
        if self.bound.is_some_and(|bound| self.items.len() > bound) {
            match side {
                Side::Left => self.items.pop_back(),
                Side::Right => self.items.pop_front(),
            };
        }
    }
    pub fn pop(&mut self, side: Side) -> Option<Value> {
        self.change();
        match side {
            Side::Left => self.items.pop_front(),
            Side::Right => self.items.pop_back(),
        }
    }
    /// Moves so many items from the right end to the left, or, if negative, the other way.
    pub fn rotate(&mut self, steps: i64) {
        self.change();
        if let Ok(length @ 1..) = i64::try_from(self.items.len()) {
            self.items.rotate_right(steps.rem_euclid(length) as usize);
        }
    }
    /// Puts these items in the place of all.
    pub fn replace(&mut self, items: impl IntoIterator<Item = Value>) {
        self.change();
        self.items = items.into_iter().collect();
        if let Some(bound) = self.bound {
            let more = self.items.len().saturating_sub(bound);
            self.items.drain(..more);
        }
    }
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Value> + '_ {
        self.items.iter().copied()
    }
    /// An iterator begins: the number of changes so far.
    pub fn watch(&mut self) -> u64 {
        self.watchers += 1;
        self.changes
    }
    /// An iterator ends.
    pub fn unwatch(&mut self) {
        self.watchers -= 1;
        if self.watchers == 0 {
            self.changes = 0;
        }
    }
    /// Changes of size or order, as far as an iterator is there to care; and how many there are.
    #[must_use]
    pub fn changes(&self) -> (u64, u32) {
        (self.changes, self.watchers)
    }
    /// Bytes that the storage takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<Value>()
    }
    fn change(&mut self) {
        self.changes += u64::from(self.watchers > 0);
    }
}
