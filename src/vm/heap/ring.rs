//! What `collections.deque` keeps its items in: a ring, which is quick at both ends. Plain data.

use crate::vm::heap::value::Value;
use std::collections::VecDeque;

/// Items in a row, perhaps at most so many of them.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    items: VecDeque<Value>,
    /// Adding more drops items at the other end.
    bound: Option<usize>,
    /// What the iterators that have begun since the last change know it by, if there is one. A
    /// number of changes would do, but would make equal rings unequal.
    state: Option<Value>,
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
    /// Turns the order round. CPython's iterators do not take that for a change.
    pub fn reverse(&mut self) {
        self.items.make_contiguous().reverse();
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
        if !self.items.is_empty() {
            self.change();
        }
        match side {
            Side::Left => self.items.pop_front(),
            Side::Right => self.items.pop_back(),
        }
    }
    /// Moves so many items from the right end to the left, or, if negative, the other way.
    pub fn rotate(&mut self, steps: i64) {
        if let Ok(length @ 2..) = i64::try_from(self.items.len()) {
            self.change();
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
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Value> + '_ {
        self.items.iter().copied()
    }
    /// An iterator begins: what it is to know the present state by, which is `fresh` if nobody has
    /// asked since the last change.
    pub fn watch(&mut self, fresh: Value) -> Value {
        *self.state.get_or_insert(fresh)
    }
    /// What the present state is known by.
    #[must_use]
    pub fn state(&self) -> Option<Value> {
        self.state
    }
    /// Bytes that the storage takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<Value>()
    }
    fn change(&mut self) {
        self.state = None;
    }
}
