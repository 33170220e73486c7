//! How many threads of all VMs can still do something by themselves: run, wait for a lock that
//! comes round, sleep until a time, read input. When none is left, nobody can ever wake anybody: a
//! deadlock.
//!
//! The count is exact, because who wakes a thread counts it before it may itself rest, and who
//! rests looks for a wake that came already in the same critical section (`Gil::leave`).

use std::sync::atomic::{AtomicUsize, Ordering};

/// The count.
#[derive(Debug, Default)]
pub(super) struct Census {
    active: AtomicUsize,
}

impl Census {
    /// A thread will be able to do something.
    pub(super) fn enter(&self) {
        self.active.fetch_add(1, Ordering::SeqCst);
    }

    /// A thread rests until another wakes it, or is no more; true if it was the last.
    pub(super) fn begin_wait(&self) -> bool {
        self.active.fetch_sub(1, Ordering::SeqCst) == 1
    }

    /// Can none do anything?
    pub(super) fn is_empty(&self) -> bool {
        self.active.load(Ordering::SeqCst) == 0
    }
}
