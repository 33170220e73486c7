//! The lock of a Mini process: who may run its VM. One small mutex over a few words, never held
//! while anything runs; the rules decide who is next.
//!
//! Each thread has a `Waiter`. A thread that holds the lock and has run its turn looks at one flag,
//! `attention`; where nobody waits that is all. Threads that block *rest*: they let go, and park
//! until another wakes them or their deadline passes. Waking under `every(n)` puts the sleeper into
//! the queue on its behalf, so that it keeps its place in time and is woken by the operating system
//! once, when its turn has come; under the rules of CPython it wakes first and competes then. Under
//! `every(n)`, the thread whose turn is next spins where that pays (`spin`). Knows no VM:
//! `Mutex<Vm>` is taken by whoever holds this lock, and so is never contended.

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
const MAX_SLEEP: Duration = Duration::from_secs(1);

/// A thread as the lock sees it.
#[derive(Debug)]
pub(super) struct Waiter {
    /// Distinct within its process.
    number: u32,
    /// Whom to unpark; set by the thread itself before it first parks.
    os_thread: OnceLock<std::thread::Thread>,
    /// A `Place`; changed under the lock's mutex alone.
    place: AtomicU8,
    /// The park's condition: the lock was handed over, or (where sleepers compete) the rest is
    /// over.
    called: AtomicBool,
    /// It was woken while it was not resting; its next rest ends at once. Changed under the lock's
    /// mutex alone.
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

impl Waiter {
    /// The waiter of a thread that is about to start.
    pub(super) fn new(number: u32, record: Option<Record>) -> Arc<Waiter> {
        Arc::new(Waiter {
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
    pub(super) fn bind_to_this_thread(&self) {
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

    /// Parks until called; spins first if it was hinted.
    fn wait(&self) {
        loop {
            self.spin.spin(&self.called);
            if self.called.swap(false, Ordering::Acquire) {
                return;
            }
            std::thread::park();
        }
    }

    /// Sleeps until the deadline; who notifies it meanwhile is heard at the next look. It does not
    /// park: where thousands are parked, waking any one of them takes the kernel ten times as long,
    /// since it looks for that one among all.
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
            std::thread::sleep(left.min(MAX_SLEEP));
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
    /// Until then, and nothing but the end of its process is to end it before; that may be seen
    /// late.
    Asleep(Instant),
    /// Until something outside all VMs (input) ends it.
    Outside,
}

/// How a wait began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum WaitStart {
    /// It had been woken already, and still holds the lock.
    Notified,
    /// It released the lock and must call `finish_wait`. `last`: no thread of any VM is left that
    /// could wake another.
    Released { last: bool },
}

/// The lock of one Mini process.
#[derive(Debug)]
pub(super) struct Gil {
    state: Mutex<State>,
    /// A thread let go (rules of CPython).
    released: Condvar,
    /// A thread took it (`interval`).
    taken: Condvar,
    /// Somebody wants something of the holder: the lock, or to tell it something. The holder clears
    /// it *before* it looks what.
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
    queue: VecDeque<Arc<Waiter>>,
    /// How many wait (`ticks`).
    waiting: usize,
    /// A waiter asked the holder to let go (`interval`).
    requested: bool,
}

impl State {
    /// Where in the queue the longest waiter is. One that has not begun is passed by, and then so
    /// are those that were started after it.
    fn longest_waiter(&self) -> Option<usize> {
        let mut expects = false;
        self.queue.iter().position(|waiter| match waiter.place() {
            Place::Expected => {
                expects = true;
                false
            }
            Place::New => !expects,
            _ => true,
        })
    }

    /// Takes the longest waiter out of the queue.
    fn next(&mut self) -> Option<Arc<Waiter>> {
        let longest = self.longest_waiter()?;
        self.queue.remove(longest)
    }

    /// Hints the longest waiter that its turn is next; returns it if it must be unparked for that.
    /// `awake` is the caller, which is still running. Nobody is hinted while a thread that has not
    /// started stands first in line: it needs the core that the spinner would take.
    fn hint_turn(&self, awake: &Waiter) -> Option<Arc<Waiter>> {
        let longest = self.longest_waiter()?;
        let hinted = &self.queue[longest];
        let is_hinted = longest == 0 && *SEVERAL_CORES && hinted.spin.hint_turn();
        (is_hinted && hinted.number != awake.number).then(|| hinted.clone())
    }

    /// Is there one whose place is kept before this one?
    fn expects_before(&self, waiter: &Waiter) -> bool {
        let mut before = self
            .queue
            .iter()
            .take_while(|it| it.number != waiter.number);
        before.any(|it| it.place() == Place::Expected)
    }

    /// Notes a new holder; true if it is not the last one.
    fn take(&mut self, waiter: &Waiter) -> bool {
        self.held = true;
        waiter.set_place(Place::Holding);
        let switched = self.last_holder != Some(waiter.number);
        if switched {
            self.last_holder = Some(waiter.number);
            self.switches += 1;
        }
        switched
    }
}

impl Gil {
    /// A lock that nobody holds. `Rules::Off` is not for real threads, which its caller has
    /// refused.
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
    pub(super) fn acquire(&self, waiter: &Arc<Waiter>) {
        let switched = match self.kind {
            Kind::Turns => self.acquire_turn(waiter),
            Kind::Ticks => {
                waiter.tally.wait_begins(self.clock.now_ns());
                self.acquire_tick(waiter)
            }
            Kind::Interval => {
                waiter.tally.wait_begins(self.clock.now_ns());
                self.acquire_interval(waiter)
            }
        };
        waiter.tally.acquired(self.clock.now_ns(), switched);
    }

    /// For a thread that has started another: under `every(n)`, keeps a place among the
    /// waiters for the one it started, unless that one has come to the lock already. So threads
    /// have their first turns in the order in which they were started, however long the operating
    /// system takes to begin with each; and nobody waits for one that has not begun but those that
    /// were started after it.
    pub(super) fn reserve_turn(&self, waiter: &Arc<Waiter>) {
        let mut state = self.state.lock();
        if self.kind == Kind::Turns && waiter.place() == Place::Starting {
            waiter.tally.wait_begins(self.clock.now_ns());
            waiter.set_place(Place::Expected);
            state.queue.push_back(waiter.clone());
        }
    }

    /// Lets go, for something short that may block outside of all VMs; `acquire` follows.
    pub(super) fn release(&self, waiter: &Arc<Waiter>) {
        waiter.tally.block_begins(self.clock.now_ns());
        let state = self.state.lock();
        waiter.set_place(Place::Arriving);
        self.let_go(state, waiter, true);
    }

    /// Lets go for good.
    pub(super) fn retire(&self, waiter: &Arc<Waiter>) {
        waiter.tally.block_begins(self.clock.now_ns());
        let state = self.state.lock();
        waiter.set_place(Place::Arriving);
        // A dying thread does not wait for a taker.
        self.let_go(state, waiter, false);
    }

    /// At the end of a turn, or where the holder saw that it was asked: gives way if the rules say
    /// so, and takes the lock back.
    pub(super) fn offer(&self, waiter: &Arc<Waiter>) {
        match self.kind {
            Kind::Turns => self.offer_turn(waiter),
            Kind::Ticks => self.offer_tick(waiter),
            Kind::Interval => self.offer_interval(waiter),
        }
    }

    /// Lets go in order to rest, unless somebody woke the thread already.
    pub(super) fn begin_wait(&self, waiter: &Arc<Waiter>, until: Until) -> WaitStart {
        let state = self.state.lock();
        if waiter.notified.swap(false, Ordering::Relaxed) {
            return WaitStart::Notified;
        }
        let last = match until {
            Until::Woken => {
                waiter.set_place(Place::RestingForever);
                self.census.begin_wait()
            }
            Until::Deadline(_) | Until::Outside => {
                waiter.set_place(Place::Resting);
                false
            }
            Until::Asleep(_) => {
                waiter.set_place(Place::Asleep);
                false
            }
        };
        waiter.tally.block_begins(self.clock.now_ns());
        self.let_go(state, waiter, true);
        WaitStart::Released { last }
    }

    /// The other half of `begin_wait`: parks until woken or until the deadline, then takes the
    /// lock.
    pub(super) fn finish_wait(&self, waiter: &Arc<Waiter>, until: Until) {
        let called = match until {
            Until::Deadline(deadline) => waiter.wait_until(Some(deadline)),
            Until::Woken | Until::Outside => waiter.wait_until(None),
            Until::Asleep(deadline) => {
                waiter.sleep_until(deadline);
                false
            }
        };
        match self.kind {
            Kind::Turns => {
                let switched = if called {
                    waiter.tally.was_queued()
                } else {
                    self.acquire_turn(waiter)
                };
                waiter.tally.acquired(self.clock.now_ns(), switched);
            }
            Kind::Ticks | Kind::Interval => {
                {
                    let _state = self.state.lock();
                    waiter.set_place(Place::Arriving);
                    waiter.called.store(false, Ordering::Relaxed);
                }
                self.acquire(waiter);
            }
        }
    }

    /// Ends the rest of a thread, or its next one if it is not resting. Anybody may call it, holder
    /// or not.
    pub(super) fn wake(&self, waiter: &Arc<Waiter>) {
        let mut state = self.state.lock();
        match waiter.place() {
            Place::Queued => {}
            Place::Starting
            | Place::Expected
            | Place::New
            | Place::Arriving
            | Place::Holding
            | Place::Asleep => waiter.notified.store(true, Ordering::Relaxed),
            place @ (Place::Resting | Place::RestingForever) => {
                if place == Place::RestingForever {
                    self.census.enter();
                }
                match self.kind {
                    Kind::Turns => {
                        if self.join(&mut state, waiter) {
                            drop(state);
                            waiter.unpark();
                        }
                    }
                    Kind::Ticks | Kind::Interval => {
                        waiter.set_place(Place::Arriving);
                        waiter.call();
                        drop(state);
                        waiter.unpark();
                    }
                }
            }
        }
    }

    fn let_go(
        &self,
        state: parking_lot::MutexGuard<'_, State>,
        waiter: &Waiter,
        wait_for_taker: bool,
    ) {
        match self.kind {
            Kind::Turns => self.release_turn(state),
            Kind::Ticks => self.release_tick(state),
            Kind::Interval => self.release_interval(state, waiter, wait_for_taker),
        }
    }
}

#[cfg(test)]
mod tests;
