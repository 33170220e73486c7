//! What a thread did with the lock: how often it had it, for how long, and how long it waited or
//! was blocked. Written by one thread at a time, at switches alone; a running thread pays nothing.
//! Who writes next has been told so by the one before, through the lock's own mutex or a flag, so
//! nothing here needs a locked instruction; whoever only reads may see a moment's half of a change.

use crate::engine::outcome::Times;
use crate::engine::real::record::Record;
use crate::event::{Release, ThreadId, What};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counts and times of one thread; times in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Tally {
    acquisitions: AtomicU64,
    switches: AtomicU64,
    held_ns: AtomicU64,
    waited_ns: AtomicU64,
    longest_wait_ns: AtomicU64,
    blocked_ns: AtomicU64,
    /// When what the thread is doing began.
    since_ns: AtomicU64,
    doing: AtomicU64,
    /// Did the hand-over under way come from another thread?
    switching: AtomicBool,
    /// Where it tells what it does, if anybody wants to know.
    record: Option<Record>,
}

const BLOCKED: u64 = 0;
const HOLDING: u64 = 1;
const WAITING: u64 = 2;

impl Tally {
    /// A tally of nothing so far.
    pub(super) fn new(record: Option<Record>) -> Tally {
        Tally {
            record,
            ..Tally::default()
        }
    }

    /// Where the thread tells what it does.
    pub(super) fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    fn emit(&self, now_ns: u64, what: What) {
        if let Some(record) = &self.record {
            record.emit(now_ns, what);
        }
    }

    /// The thread wants the lock from now on.
    pub(super) fn wait_begins(&self, now_ns: u64) {
        self.change(now_ns, WAITING);
        self.emit(now_ns, What::LockRequested);
    }

    /// The thread has waited long enough, and asks the holder to let go.
    pub(super) fn asked(&self, now_ns: u64, holder: Option<u32>) {
        if let Some(holder) = holder {
            let holder = ThreadId(holder);
            self.emit(now_ns, What::DropRequested { holder });
        }
    }

    /// The thread does without the lock from now on.
    pub(super) fn block_begins(&self, now_ns: u64) {
        self.change(now_ns, BLOCKED);
        self.emit(now_ns, What::LockReleased(Release::Blocking));
        if let Some(record) = &self.record {
            record.emit_rest(now_ns);
        }
    }

    /// The thread gave way and wants the lock back.
    pub(super) fn turn_ends(&self, now_ns: u64, why: Release) {
        self.change(now_ns, WAITING);
        self.emit(now_ns, What::LockReleased(why));
        self.emit(now_ns, What::LockRequested);
    }

    /// The thread has the lock from now on.
    pub(super) fn acquired(&self, now_ns: u64, switched: bool) {
        add(&self.acquisitions, 1);
        add(&self.switches, u64::from(switched));
        self.change(now_ns, HOLDING);
        self.emit(now_ns, What::LockAcquired { switched });
    }

    /// What the one who hands over says, for the one who takes.
    pub(super) fn note_switch(&self, switched: bool) {
        self.switching.store(switched, Relaxed);
    }

    /// What was noted.
    pub(super) fn was_queued(&self) -> bool {
        self.switching.load(Relaxed)
    }

    /// For how long the thread has done what it does.
    pub(super) fn doing_ns(&self, now_ns: u64) -> u64 {
        now_ns.saturating_sub(self.since_ns.load(Relaxed))
    }

    fn change(&self, now_ns: u64, doing: u64) {
        let spent_ns = self.doing_ns(now_ns);
        self.since_ns.store(now_ns, Relaxed);
        match self.doing.load(Relaxed) {
            HOLDING => add(&self.held_ns, spent_ns),
            WAITING => {
                add(&self.waited_ns, spent_ns);
                if spent_ns > self.longest_wait_ns.load(Relaxed) {
                    self.longest_wait_ns.store(spent_ns, Relaxed);
                }
            }
            _ => add(&self.blocked_ns, spent_ns),
        }
        self.doing.store(doing, Relaxed);
    }

    /// Begins to count.
    pub(super) fn start(&self, now_ns: u64) {
        self.since_ns.store(now_ns, Relaxed);
        self.doing.store(WAITING, Relaxed);
    }

    /// The figures up to now.
    pub(super) fn times(&self, now_ns: u64) -> Times {
        let mut times = Times {
            acquisitions: self.acquisitions.load(Relaxed),
            switches: self.switches.load(Relaxed),
            held_ns: self.held_ns.load(Relaxed),
            waited_ns: self.waited_ns.load(Relaxed),
            longest_wait_ns: self.longest_wait_ns.load(Relaxed),
            blocked_ns: self.blocked_ns.load(Relaxed),
        };
        let spent_ns = self.doing_ns(now_ns);
        match self.doing.load(Relaxed) {
            HOLDING => times.held_ns += spent_ns,
            WAITING => {
                times.waited_ns += spent_ns;
                times.longest_wait_ns = times.longest_wait_ns.max(spent_ns);
            }
            _ => times.blocked_ns += spent_ns,
        }
        times
    }
}

/// One writer at a time.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Relaxed) + more, Relaxed);
}
