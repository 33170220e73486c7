//! The lock of a Mini process: who may run its VM. One small mutex over a few words, never held while anything runs; the rules decide who is next.
//!
//! Each thread has a `Seat`. A thread that holds the lock and has run its turn looks at one flag, `attention`; where nobody waits that is all. Threads
//! that block *rest*: they let go, and park until another wakes them or their deadline passes. Waking under `every(n)` puts the sleeper into the queue
//! on its behalf, so that it keeps its place in time and is woken by the operating system once, when its turn has come; under the rules of CPython it
//! wakes first and competes then. Under `every(n)`, who is next and near its turn spins where that pays (`spin`). Knows no VM: `Mutex<Vm>` is taken by
//! whoever holds this lock, and so is never contended.

mod interval;
mod spin;
mod ticks;
mod turns;

use crate::engine::real::census::Census;
use crate::engine::real::clock::MachineClock;
use crate::engine::real::record::Record;
use crate::engine::real::tally::Tally;
use crate::gil::Rules;
use parking_lot::{Condvar, Mutex};
use spin::{SEVERAL_CORES, Spin};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long a sleeper does not look whether its process is over.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// A thread as the lock sees it.
#[derive(Debug)]
pub(super) struct Seat {
    /// Distinct within its process.
    number: u32,
    /// Whom to unpark; set by the thread itself before it first parks.
    os_thread: OnceLock<std::thread::Thread>,
    /// A `Place`; changed under the lock's mutex alone.
    place: AtomicU8,
    /// The park's condition: the lock was handed over, or (where sleepers compete) the rest is over.
    called: AtomicBool,
    /// It was woken while it was not resting; its next rest ends at once. Changed under the lock's mutex alone.
    notified: AtomicBool,
    /// Whether it spins before it parks.
    spin: Spin,
    /// How long its last turn took that ended with somebody waiting.
    turn_ns: AtomicU64,
    /// What it did so far.
    pub(super) tally: Tally,
}

/// Where a thread is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
enum Place {
    /// Its OS thread is about to begin.
    Starting,
    /// The same, and its place in the queue of turns is kept.
    Expected,
    /// In the queue for its first turn.
    New,
    /// Running code of its own, on its way to the lock.
    Arriving,
    /// It has the lock.
    Holding,
    /// In the queue of turns.
    Queued,
    /// Blocked; its deadline or something outside the program will end that.
    Resting,
    /// Blocked until its deadline, which is all that it waits for.
    Asleep,
    /// Blocked until another thread wakes it.
    RestingForever,
}

const PLACES: [Place; 9] = [
    Place::Starting,
    Place::Expected,
    Place::New,
    Place::Arriving,
    Place::Holding,
    Place::Queued,
    Place::Resting,
    Place::Asleep,
    Place::RestingForever,
];

impl Seat {
    /// The seat of a thread that is about to start.
    pub(super) fn new(number: u32, record: Option<Record>) -> Arc<Seat> {
        Arc::new(Seat {
            number,
            os_thread: OnceLock::new(),
            place: AtomicU8::new(Place::Starting as u8),
            called: AtomicBool::new(false),
            notified: AtomicBool::new(false),
            spin: Spin::default(),
            turn_ns: AtomicU64::new(0),
            tally: Tally::new(record),
        })
    }

    /// To be called by the thread itself, first of all.
    pub(super) fn sit_down(&self) {
        self.os_thread.get_or_init(std::thread::current);
    }

    fn place(&self) -> Place {
        PLACES[self.place.load(Ordering::Relaxed) as usize]
    }

    /// Has it the lock?
    pub(super) fn holds(&self) -> bool {
        self.place() == Place::Holding
    }

    fn set_place(&self, place: Place) {
        self.place.store(place as u8, Ordering::Relaxed);
    }

    fn call(&self) {
        self.called.store(true, Ordering::Release);
    }

    fn unpark(&self) {
        if let Some(thread) = self.os_thread.get() {
            thread.unpark();
        }
    }

    /// Parks until called, and spins while its turn is near.
    fn wait(&self) {
        loop {
            self.spin.spin(&self.called);
            if self.called.swap(false, Ordering::Acquire) {
                return;
            }
            std::thread::park();
        }
    }

    /// Sleeps until the deadline; who notifies it meanwhile is heard at the next look. It does not park: where thousands are parked, waking any one of them
    /// takes the kernel ten times as long, since it looks for that one among all.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is how the real engine sleeps"
    )]
    fn sleep_until(&self, deadline: Instant) {
        while !self.notified.load(Ordering::Relaxed) {
            let left = deadline.saturating_duration_since(MachineClock::instant_now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(LONGEST_SLEEP));
        }
    }

    /// Parks until called or until the deadline; true if called.
    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let Some(deadline) = deadline else {
            self.wait();
            return true;
        };
        loop {
            self.spin.spin(&self.called);
            if self.called.swap(false, Ordering::Acquire) {
                return true;
            }
            let left = deadline.saturating_duration_since(MachineClock::instant_now());
            if left.is_zero() {
                return false;
            }
            std::thread::park_timeout(left);
        }
    }
}

/// How long a rest may last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Until {
    /// Until another thread of some VM wakes it: if all rest like that, they do so for ever.
    Woken,
    /// Until then.
    Deadline(Instant),
    /// Until then, and nothing but the end of its process is to end it before; that may be seen late.
    Asleep(Instant),
    /// Until something outside all VMs (input) ends it.
    Outside,
}

/// What came of trying to rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Left {
    /// Somebody woke it already; it holds the lock still.
    Notified,
    /// It let go, and must `come_back`. `last`: no thread of any VM is left that could wake another.
    Gone { last: bool },
}

/// The lock of one Mini process.
#[derive(Debug)]
pub(super) struct Gil {
    state: Mutex<State>,
    /// A thread let go (rules of CPython).
    released: Condvar,
    /// A thread took it (`interval`).
    taken: Condvar,
    /// A thread took it for the first time (rules of CPython).
    begun: Condvar,
    /// Somebody wants something of the holder: the lock, or to tell it something. The holder clears it *before* it looks what.
    pub(super) attention: AtomicBool,
    kind: Kind,
    /// Instructions of a turn, or nanoseconds of an interval.
    quantum: AtomicU64,
    clock: MachineClock,
    census: Arc<Census>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Turns,
    Ticks,
    Interval,
}

#[derive(Debug, Default)]
struct State {
    held: bool,
    /// Who had it last, itself included.
    last_holder: Option<u32>,
    /// How often it went from one thread to another.
    switches: u64,
    /// Waiters in order of their coming (`every`).
    queue: VecDeque<Arc<Seat>>,
    /// How many wait (`ticks`).
    waiting: usize,
    /// A waiter asked the holder to let go (`interval`).
    requested: bool,
}

impl State {
    /// Where in the queue the longest waiter is. One that has not begun is passed by, and then so are those that were started after it.
    fn longest_waiter(&self) -> Option<usize> {
        let mut expects = false;
        self.queue.iter().position(|seat| match seat.place() {
            Place::Expected => {
                expects = true;
                false
            }
            Place::New => !expects,
            _ => true,
        })
    }

    /// Takes the longest waiter out of the queue.
    fn next(&mut self) -> Option<Arc<Seat>> {
        let longest = self.longest_waiter()?;
        self.queue.remove(longest)
    }

    /// Tells the longest waiter that its turn is near; who it is, if it is to be unparked for that. The one that tells (`awake`) is not parked yet. Where one that
    /// has not begun would come first, nobody is told: it needs the core on which the other would spin.
    fn call_near(&self, awake: &Seat) -> Option<Arc<Seat>> {
        let longest = self.longest_waiter()?;
        let near = &self.queue[longest];
        let told = longest == 0 && *SEVERAL_CORES && near.spin.call_near();
        (told && near.number != awake.number).then(|| near.clone())
    }

    /// Is there one whose place is kept before this one?
    fn expects_before(&self, seat: &Seat) -> bool {
        let mut before = self.queue.iter().take_while(|it| it.number != seat.number);
        before.any(|it| it.place() == Place::Expected)
    }

    /// Notes a new holder; true if it is not the last one.
    fn take(&mut self, seat: &Seat) -> bool {
        self.held = true;
        seat.set_place(Place::Holding);
        let switched = self.last_holder != Some(seat.number);
        if switched {
            self.last_holder = Some(seat.number);
            self.switches += 1;
        }
        switched
    }
}

impl Gil {
    /// A lock that nobody holds. `Rules::Off` is not for real threads, which its caller has refused.
    pub(super) fn new(rules: Rules, clock: MachineClock, census: Arc<Census>) -> Gil {
        let (kind, quantum) = match rules {
            Rules::Every { instructions } => (Kind::Turns, instructions),
            Rules::Ticks { instructions } => (Kind::Ticks, instructions),
            Rules::Interval { ns } => (Kind::Interval, ns),
            Rules::Off => unreachable!("real threads share a VM under a lock only"),
        };
        Gil {
            state: Mutex::default(),
            released: Condvar::new(),
            taken: Condvar::new(),
            begun: Condvar::new(),
            attention: AtomicBool::new(false),
            kind,
            quantum: AtomicU64::new(quantum),
            clock,
            census,
        }
    }

    /// The rules in force.
    pub(super) fn rules(&self) -> Rules {
        let quantum = self.quantum();
        match self.kind {
            Kind::Turns => Rules::Every {
                instructions: quantum,
            },
            Kind::Ticks => Rules::Ticks {
                instructions: quantum,
            },
            Kind::Interval => Rules::Interval { ns: quantum },
        }
    }

    /// Does a turn end after a number of instructions (`quantum`), rather than when somebody asks?
    #[inline]
    pub(super) fn counts(&self) -> bool {
        self.kind != Kind::Interval
    }

    /// Instructions of a turn, or nanoseconds of an interval.
    #[inline]
    pub(super) fn quantum(&self) -> u64 {
        self.quantum.load(Ordering::Relaxed)
    }

    /// Puts other numbers into force; the kind of rules is for life.
    pub(super) fn set_rules(&self, rules: Rules) {
        match rules {
            Rules::Every { instructions } | Rules::Ticks { instructions } => {
                self.quantum.store(instructions, Ordering::Relaxed);
            }
            Rules::Interval { ns } => self.quantum.store(ns, Ordering::Relaxed),
            Rules::Off => {}
        }
    }

    /// Waits for the lock.
    pub(super) fn acquire(&self, seat: &Arc<Seat>) {
        let switched = match self.kind {
            Kind::Turns => self.acquire_turn(seat),
            Kind::Ticks => {
                seat.tally.wait_begins(self.clock.now_ns());
                self.acquire_tick(seat)
            }
            Kind::Interval => {
                seat.tally.wait_begins(self.clock.now_ns());
                self.acquire_interval(seat)
            }
        };
        seat.tally.acquired(self.clock.now_ns(), switched);
    }

    /// Notes a holder that competed for the lock; true if it is not the last one.
    fn take_up(&self, state: &mut State, seat: &Seat) -> bool {
        let first = seat.place() == Place::Starting;
        let switched = state.take(seat);
        if first {
            self.begun.notify_all();
        }
        switched
    }

    /// For a thread that has started another, and has let go of the lock for that: under the rules of CPython, where waiters have no order, waits until the other
    /// one has had the lock, as `Thread.start` does there (`_started.wait()` in `Lib/threading.py`).
    pub(super) fn await_begin(&self, seat: &Seat) {
        if self.kind != Kind::Turns {
            let mut state = self.state.lock();
            while seat.place() == Place::Starting {
                self.begun.wait(&mut state);
            }
        }
    }

    /// For the same thread, once it has the lock back: under `every(n)`, keeps a place among the waiters for the one it started, unless that one has come to the
    /// lock already. So threads have their first turns in the order in which they were started, however long the operating system takes to begin with each; and
    /// nobody waits for one that has not begun but those that were started after it.
    pub(super) fn line_up(&self, seat: &Arc<Seat>) {
        let mut state = self.state.lock();
        if self.kind == Kind::Turns && seat.place() == Place::Starting {
            seat.tally.wait_begins(self.clock.now_ns());
            seat.set_place(Place::Expected);
            state.queue.push_back(seat.clone());
        }
    }

    /// Lets go, for something short that may block outside of all VMs; `acquire` follows.
    pub(super) fn release(&self, seat: &Arc<Seat>) {
        seat.tally.block_begins(self.clock.now_ns());
        let state = self.state.lock();
        seat.set_place(Place::Arriving);
        self.let_go(state, seat, true);
    }

    /// Lets go for good.
    pub(super) fn leave_for_good(&self, seat: &Arc<Seat>) {
        seat.tally.block_begins(self.clock.now_ns());
        let state = self.state.lock();
        seat.set_place(Place::Arriving);
        // A dying thread does not wait for a taker.
        self.let_go(state, seat, false);
    }

    /// At the end of a turn, or where the holder saw that it was asked: gives way if the rules say so, and takes the lock back.
    pub(super) fn offer(&self, seat: &Arc<Seat>) {
        match self.kind {
            Kind::Turns => self.offer_turn(seat),
            Kind::Ticks => self.offer_tick(seat),
            Kind::Interval => self.offer_interval(seat),
        }
    }

    /// Lets go in order to rest, unless somebody woke the thread already.
    pub(super) fn leave(&self, seat: &Arc<Seat>, until: Until) -> Left {
        let state = self.state.lock();
        if seat.notified.swap(false, Ordering::Relaxed) {
            return Left::Notified;
        }
        let last = match until {
            Until::Woken => {
                seat.set_place(Place::RestingForever);
                self.census.leave()
            }
            Until::Deadline(_) | Until::Outside => {
                seat.set_place(Place::Resting);
                false
            }
            Until::Asleep(_) => {
                seat.set_place(Place::Asleep);
                false
            }
        };
        seat.tally.block_begins(self.clock.now_ns());
        self.let_go(state, seat, true);
        Left::Gone { last }
    }

    /// The other half of `leave`: parks until woken or until the deadline, then takes the lock.
    pub(super) fn come_back(&self, seat: &Arc<Seat>, until: Until) {
        let called = match until {
            Until::Deadline(deadline) => seat.wait_until(Some(deadline)),
            Until::Woken | Until::Outside => seat.wait_until(None),
            Until::Asleep(deadline) => {
                seat.sleep_until(deadline);
                false
            }
        };
        match self.kind {
            Kind::Turns => {
                let switched = if called {
                    seat.tally.was_queued()
                } else {
                    self.acquire_turn(seat)
                };
                seat.tally.acquired(self.clock.now_ns(), switched);
            }
            Kind::Ticks | Kind::Interval => {
                {
                    let _state = self.state.lock();
                    seat.set_place(Place::Arriving);
                    seat.called.store(false, Ordering::Relaxed);
                }
                self.acquire(seat);
            }
        }
    }

    /// Ends the rest of a thread, or its next one if it is not resting. Anybody may call it, holder or not.
    pub(super) fn wake(&self, seat: &Arc<Seat>) {
        let mut state = self.state.lock();
        match seat.place() {
            Place::Queued => {}
            Place::Starting
            | Place::Expected
            | Place::New
            | Place::Arriving
            | Place::Holding
            | Place::Asleep => seat.notified.store(true, Ordering::Relaxed),
            place @ (Place::Resting | Place::RestingForever) => {
                if place == Place::RestingForever {
                    self.census.enter();
                }
                match self.kind {
                    Kind::Turns => {
                        if self.join(&mut state, seat) {
                            drop(state);
                            seat.unpark();
                        }
                    }
                    Kind::Ticks | Kind::Interval => {
                        seat.set_place(Place::Arriving);
                        seat.call();
                        drop(state);
                        seat.unpark();
                    }
                }
            }
        }
    }

    fn let_go(&self, state: parking_lot::MutexGuard<'_, State>, seat: &Seat, wait_for_taker: bool) {
        match self.kind {
            Kind::Turns => self.release_turn(state),
            Kind::Ticks => self.release_tick(state),
            Kind::Interval => self.release_interval(state, seat, wait_for_taker),
        }
    }
}

#[cfg(test)]
mod tests;
