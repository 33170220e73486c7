//! `every(n)`: turns, in the order of asking. The lock is handed from the holder to the longest
//! waiter and is never free in between, so nobody can slip in. A mutex's own fairness does not give
//! this: it serves only threads that are parked already.

use super::spin::{LEAD, MAX_SPIN};
use super::{Gil, Place, State, Waiter};
use crate::event::Release;
use parking_lot::MutexGuard;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Gil {
    /// Waits for a turn; true if another thread had the lock before.
    pub(super) fn acquire_turn(&self, waiter: &Arc<Waiter>) -> bool {
        {
            let mut state = self.state.lock();
            match waiter.place() {
                Place::Holding | Place::Queued | Place::New => {}
                Place::Expected => self.arrive(&mut state, waiter),
                Place::Starting
                | Place::Arriving
                | Place::Resting
                | Place::Asleep
                | Place::RestingForever => {
                    self.join(&mut state, waiter);
                }
            }
        }
        waiter.wait();
        waiter.tally.was_queued()
    }

    /// Gives a thread the lock if it is free, else a place in the queue; true if it has the lock.
    /// It waits from now on, so that the order of the times told is the order of the queue.
    pub(super) fn join(&self, state: &mut State, waiter: &Arc<Waiter>) -> bool {
        waiter.tally.wait_begins(self.clock.now_ns());
        let new = waiter.place() == Place::Starting;
        if state.held || (new && state.expects_before(waiter)) {
            waiter.set_place(if new { Place::New } else { Place::Queued });
            state.queue.push_back(waiter.clone());
            self.attention.store(true, Ordering::Release);
            false
        } else {
            self.hand_over(state, waiter);
            true
        }
    }

    /// A thread whose place in the queue was kept takes it, or the lock if that is free.
    fn arrive(&self, state: &mut State, waiter: &Arc<Waiter>) {
        waiter.set_place(Place::New);
        if state.held || state.expects_before(waiter) {
            self.attention.store(true, Ordering::Release);
        } else {
            state.queue.retain(|it| it.number != waiter.number);
            self.hand_over(state, waiter);
        }
    }

    pub(super) fn release_turn(&self, mut state: MutexGuard<'_, State>) {
        match state.next() {
            Some(next) => {
                self.hand_over(&mut state, &next);
                drop(state);
                next.unpark();
            }
            None => state.held = false,
        }
    }

    pub(super) fn offer_turn(&self, waiter: &Arc<Waiter>) {
        let mut state = self.state.lock();
        let Some(next) = state.next() else {
            return;
        };
        waiter.set_place(Place::Queued);
        state.queue.push_back(waiter.clone());
        // Read before the next one runs, and noted when it does.
        let now_ns = self.clock.now_ns();
        self.hand_over(&mut state, &next);
        let turn_ns = waiter.tally.doing_ns(now_ns);
        waiter.turn_ns.store(turn_ns, Ordering::Relaxed);
        let hinted = is_short(turn_ns).then(|| state.hint_turn(waiter)).flatten();
        drop(state);
        next.unpark();
        if let Some(hinted) = hinted {
            hinted.unpark();
        }
        waiter.tally.turn_ends(now_ns, Release::Budget);
        waiter.wait();
        let switched = waiter.tally.was_queued();
        waiter.tally.acquired(self.clock.now_ns(), switched);
    }

    /// How many instructions before the end of the turn the holder should hint the next thread;
    /// none if turns are too short to hint within them.
    pub(in crate::engine::real) fn hint_lead(&self, waiter: &Waiter) -> Option<u64> {
        let turn_ns = waiter.turn_ns.load(Ordering::Relaxed);
        let lead = || self.quantum().saturating_mul(LEAD.as_nanos() as u64) / turn_ns;
        (!is_short(turn_ns)).then(lead)
    }

    /// Hints the next thread that its turn is coming.
    pub(in crate::engine::real) fn hint_turn(&self, waiter: &Waiter) {
        let hinted = self.state.lock().hint_turn(waiter);
        if let Some(hinted) = hinted {
            hinted.unpark();
        }
    }

    fn hand_over(&self, state: &mut State, waiter: &Waiter) {
        let switched = state.take(waiter);
        waiter.tally.note_switch(switched);
        // The one before may have cleared it.
        if !state.queue.is_empty() {
            self.attention.store(true, Ordering::Release);
        }
        waiter.call();
    }
}

fn is_short(turn_ns: u64) -> bool {
    u128::from(turn_ns) < MAX_SPIN.as_nanos()
}
