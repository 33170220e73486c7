//! The table of a VM's threads. Numbers are given once and never again; what an ended thread has
//! left is forgotten as soon as nobody can ask for it any more.

use crate::vm::heap::memory::{Counted, counted};
use crate::vm::heap::value::ThreadId;
use crate::vm::state::thread::{Status, Thread};
use std::ops::{Index, IndexMut};

/// The threads, by number.
#[derive(Clone, Debug, Default)]
pub struct Threads {
    /// None where a thread has been forgotten. The loop finds its own thread here, unchecked.
    pub(in crate::vm) slots: Vec<Option<Box<Thread>>>,
}

counted! { Option<Box<Thread>>: 8 }

impl Threads {
    /// How many there ever were.
    #[must_use]
    pub fn made(&self) -> usize {
        self.slots.len()
    }

    /// Adds one.
    pub(in crate::vm) fn push(&mut self, thread: Thread) -> ThreadId {
        self.slots.push(Some(Box::new(thread)));
        ThreadId(self.slots.len() as u32 - 1)
    }

    /// Takes back one that has never run.
    pub(in crate::vm) fn take_back(&mut self, thread: ThreadId) {
        if thread.0 as usize + 1 == self.slots.len() {
            self.slots.pop();
        } else {
            self.slots[thread.0 as usize] = None;
        }
    }

    /// A thread that has not been forgotten.
    #[must_use]
    pub fn get(&self, thread: ThreadId) -> Option<&Thread> {
        self.slots.get(thread.0 as usize)?.as_deref()
    }

    /// Those that have not been forgotten, in order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &Thread> {
        self.slots.iter().flatten().map(|it| &**it)
    }

    /// The same, to change.
    pub(in crate::vm) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Thread> {
        self.slots.iter_mut().flatten().map(|it| &mut **it)
    }

    /// The numbers of those that have not ended.
    pub fn alive(&self) -> impl Iterator<Item = ThreadId> {
        let slots = self.slots.iter().enumerate();
        slots.filter_map(|(at, slot)| {
            let thread = slot.as_deref()?;
            (thread.status != Status::Finished).then_some(ThreadId(at as u32))
        })
    }

    /// Forgets the buried threads of which this does not say that somebody knows them.
    pub(in crate::vm) fn forget_buried(&mut self, is_known: impl Fn(ThreadId) -> bool) {
        for (at, slot) in self.slots.iter_mut().enumerate() {
            slot.take_if(|it| it.buried && !is_known(ThreadId(at as u32)));
        }
    }

    /// Bytes of the table itself.
    pub(in crate::vm) fn bytes(&self) -> usize {
        self.slots.capacity() * <Option<Box<Thread>>>::BYTES
    }
}

#[expect(
    clippy::inline_always,
    reason = "every access to a register goes through it, and a call costs as much again"
)]
impl Index<usize> for Threads {
    type Output = Thread;
    #[inline(always)]
    fn index(&self, thread: usize) -> &Thread {
        self.slots[thread].as_deref().expect(REMEMBERED)
    }
}

#[expect(clippy::inline_always, reason = "as above")]
impl IndexMut<usize> for Threads {
    #[inline(always)]
    fn index_mut(&mut self, thread: usize) -> &mut Thread {
        self.slots[thread].as_deref_mut().expect(REMEMBERED)
    }
}

const REMEMBERED: &str = "a thread that somebody knows is remembered";
