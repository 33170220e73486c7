//! `interval(t)`: CPython since 3.2 (`Python/ceval_gil.h`). A waiter that has waited `t`, during
//! which no switch happened, asks the holder to let go; the holder sees that at a poll, lets go,
//! and waits until somebody took the lock, so that it cannot win its own lock back.

use super::{Gil, State, Waiter};
use crate::event::Release;
use parking_lot::MutexGuard;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

impl Gil {
    /// Waits for the lock; true if another thread had it before.
    pub(super) fn acquire_interval(&self, waiter: &Arc<Waiter>) -> bool {
        let mut state = self.state.lock();
        self.take_interval(&mut state, waiter)
    }

    fn take_interval(&self, state: &mut MutexGuard<'_, State>, waiter: &Waiter) -> bool {
        while state.held {
            // Read anew for each wait: `sys.setswitchinterval` may have changed it.
            let interval = Duration::from_nanos(self.quantum.load(Ordering::Relaxed));
            let switches = state.switches;
            let timed_out = self.released.wait_for(state, interval).timed_out();
            // A switch meanwhile means that another waiter was served: a whole new interval begins.
            if timed_out && state.held && state.switches == switches {
                state.requested = true;
                waiter.tally.asked(self.clock.now_ns(), state.last_holder);
                self.attention.store(true, Ordering::Release);
            }
        }
        let switched = state.take(waiter);
        state.requested = false;
        self.taken.notify_one();
        switched
    }

    pub(super) fn release_interval(
        &self,
        mut state: MutexGuard<'_, State>,
        waiter: &Waiter,
        wait_for_taker: bool,
    ) {
        state.held = false;
        self.released.notify_one();
        if wait_for_taker {
            self.wait_for_taker(&mut state, waiter);
        }
    }

    /// The forced switch: whoever asked is in `take_interval` and stays there until it has the
    /// lock, so this ends.
    fn wait_for_taker(&self, state: &mut MutexGuard<'_, State>, waiter: &Waiter) {
        if state.requested {
            state.requested = false;
            while state.last_holder == Some(waiter.number) {
                self.taken.wait(state);
            }
        }
    }

    pub(super) fn offer_interval(&self, waiter: &Arc<Waiter>) {
        let mut state = self.state.lock();
        if !state.requested {
            return;
        }
        waiter.tally.turn_ends(self.clock.now_ns(), Release::Asked);
        state.held = false;
        self.released.notify_one();
        self.wait_for_taker(&mut state, waiter);
        let switched = self.take_interval(&mut state, waiter);
        drop(state);
        waiter.tally.acquired(self.clock.now_ns(), switched);
    }
}
