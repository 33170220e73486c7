//! `ticks(n)`: CPython up to 2.7 (`Python/ceval.c`, `Python/thread_pthread.h`). A plain binary
//! semaphore: the holder lets go and takes it back at once. It nearly always wins, because a waiter
//! has to be woken first; whoever comes by while the lock is free takes it.

use super::{Gil, State, Waiter};
use crate::event::Release;
use parking_lot::MutexGuard;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Gil {
    /// Waits for the lock; true if another thread had it before.
    pub(super) fn acquire_tick(&self, waiter: &Arc<Waiter>) -> bool {
        let mut state = self.state.lock();
        while state.held {
            state.waiting += 1;
            self.attention.store(true, Ordering::Release);
            self.released.wait(&mut state);
            state.waiting -= 1;
        }
        state.take(waiter)
    }

    pub(super) fn release_tick(&self, mut state: MutexGuard<'_, State>) {
        state.held = false;
        drop(state);
        self.released.notify_one();
    }

    pub(super) fn offer_tick(&self, waiter: &Arc<Waiter>) {
        // Read before letting go: the waiter that this wakes often takes the core as well.
        let released_ns = {
            let state = self.state.lock();
            if state.waiting == 0 {
                return;
            }
            let now_ns = self.clock.now_ns();
            self.release_tick(state);
            now_ns
        };
        let state = self.state.lock();
        if state.held {
            drop(state);
            waiter.tally.turn_ends(released_ns, Release::Budget);
            let switched = self.acquire_tick(waiter);
            waiter.tally.acquired(self.clock.now_ns(), switched);
        } else {
            let mut state = state;
            state.take(waiter);
            if state.waiting > 0 {
                self.attention.store(true, Ordering::Release);
            }
        }
    }
}
