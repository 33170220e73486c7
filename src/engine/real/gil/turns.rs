//! `every(n)`: turns, in the order of asking. The lock is handed from the holder to the longest waiter and is never free in between, so nobody can
//! slip in. A mutex's own fairness does not give this: it serves only threads that are parked already.

use super::spin::{LEAD, LONGEST_SPIN};
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
            match seat.place() {
                Place::Holding | Place::Queued | Place::New => {}
                Place::Expected => self.arrive(&mut state, seat),
                Place::Starting
                | Place::Arriving
                | Place::Resting
                | Place::Asleep
                | Place::RestingForever => {
                    self.join(&mut state, seat);
                }
            }
        }
        seat.wait();
        seat.tally.was_queued()
    }

    /// Gives a thread the lock if it is free, else a place in the queue; true if it has the lock. It waits from now on, so that the order of the times told is
    /// the order of the queue.
    pub(super) fn join(&self, state: &mut State, seat: &Arc<Seat>) -> bool {
        seat.tally.wait_begins(self.clock.now_ns());
        let new = seat.place() == Place::Starting;
        if state.held || (new && state.expects_before(seat)) {
            seat.set_place(if new { Place::New } else { Place::Queued });
            state.queue.push_back(seat.clone());
            self.attention.store(true, Ordering::Release);
            false
        } else {
            self.hand_over(state, seat);
            true
        }
    }

    /// A thread whose place in the queue was kept takes it, or the lock if that is free.
    fn arrive(&self, state: &mut State, seat: &Arc<Seat>) {
        seat.set_place(Place::New);
        if state.held || state.expects_before(seat) {
            self.attention.store(true, Ordering::Release);
        } else {
            state.queue.retain(|it| it.number != seat.number);
            self.hand_over(state, seat);
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

    pub(super) fn offer_turn(&self, seat: &Arc<Seat>) {
        let mut state = self.state.lock();
        let Some(next) = state.next() else {
            return;
        };
        seat.set_place(Place::Queued);
        state.queue.push_back(seat.clone());
        // Read before the next one runs, and noted when it does.
        let now_ns = self.clock.now_ns();
        self.hand_over(&mut state, &next);
        let turn_ns = seat.tally.doing_ns(now_ns);
        seat.turn_ns.store(turn_ns, Ordering::Relaxed);
        let near = is_short(turn_ns).then(|| state.call_near(seat)).flatten();
        drop(state);
        next.unpark();
        if let Some(near) = near {
            near.unpark();
        }
        seat.tally.turn_ends(now_ns, Release::Budget);
        seat.wait();
        let switched = seat.tally.was_queued();
        seat.tally.acquired(self.clock.now_ns(), switched);
    }

    /// How many instructions before the end of its turn the holder is to tell the next thread that it is near, if turns are so long that it is to be told then.
    pub(in crate::engine::real) fn lead(&self, seat: &Seat) -> Option<u64> {
        let turn_ns = seat.turn_ns.load(Ordering::Relaxed);
        let lead = || self.quantum().saturating_mul(LEAD.as_nanos() as u64) / turn_ns;
        (!is_short(turn_ns)).then(lead)
    }

    /// Tells the next thread that it is near.
    pub(in crate::engine::real) fn call_near(&self, seat: &Seat) {
        let near = self.state.lock().call_near(seat);
        if let Some(near) = near {
            near.unpark();
        }
    }

    fn hand_over(&self, state: &mut State, seat: &Seat) {
        let switched = state.take(seat);
        seat.tally.note_switch(switched);
        // The one before may have cleared it.
        if !state.queue.is_empty() {
            self.attention.store(true, Ordering::Release);
        }
        seat.call();
    }
}

fn is_short(turn_ns: u64) -> bool {
    u128::from(turn_ns) < LONGEST_SPIN.as_nanos()
}
