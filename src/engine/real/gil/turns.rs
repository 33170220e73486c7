//! `every(n)`: turns, in the order of asking. The lock is handed from the holder to the longest waiter and is never free in between, so nobody can
//! slip in. A mutex's own fairness does not give this: it serves only threads that are parked already.

use super::{Gil, Place, Seat, State};
use crate::event::Release;
use parking_lot::MutexGuard;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Gil {
    /// Waits for a turn; true if another thread had the lock before.
    pub(super) fn acquire_turn(&self, seat: &Arc<Seat>) -> bool {
        {
            let mut state = self.state.lock();
            if !matches!(seat.place(), Place::Queued | Place::Holding) {
                self.join(&mut state, seat);
            }
        }
        seat.wait();
        seat.tally.was_queued()
    }

    /// Gives a thread the lock if it is free, else a place in the queue; true if it has the lock. It waits from now on, so that the order of the times told is
    /// the order of the queue.
    pub(super) fn join(&self, state: &mut State, seat: &Arc<Seat>) -> bool {
        seat.tally.wait_begins(self.clock.now_ns());
        if state.held {
            seat.set_place(Place::Queued);
            state.queue.push_back(seat.clone());
            self.attention.store(true, Ordering::Release);
            false
        } else {
            hand_over(state, seat);
            true
        }
    }

    pub(super) fn release_turn(mut state: MutexGuard<'_, State>) {
        match state.queue.pop_front() {
            Some(next) => {
                hand_over(&mut state, &next);
                drop(state);
                next.unpark();
            }
            None => state.held = false,
        }
    }

    pub(super) fn offer_turn(&self, seat: &Arc<Seat>) {
        let mut state = self.state.lock();
        let Some(next) = state.queue.pop_front() else {
            return;
        };
        seat.set_place(Place::Queued);
        state.queue.push_back(seat.clone());
        // Cleared by the holder before it came here; the one after it finds somebody waiting again.
        self.attention.store(true, Ordering::Release);
        // Read before the next one runs, and noted when it does.
        let now_ns = self.clock.now_ns();
        hand_over(&mut state, &next);
        drop(state);
        next.unpark();
        seat.tally.turn_ends(now_ns, Release::Budget);
        seat.wait();
        let switched = seat.tally.was_queued();
        seat.tally.acquired(self.clock.now_ns(), switched);
    }
}

fn hand_over(state: &mut State, seat: &Seat) {
    let switched = state.take(seat);
    seat.tally.note_switch(switched);
    seat.call();
}
