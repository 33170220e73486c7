//! A thread as the simulated operating system sees it: where it is, what it will do when it next
//! runs, and what it did so far.

use crate::engine::outcome::Times;
use crate::engine::sim::clock::VirtualNs;
use crate::engine::stream::ExitCode;
use crate::vm::slice::{Stop, SysCall};
use crate::vm::value::ThreadId;

/// A thread of any process, in order of birth.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) struct TaskId(pub(super) u32);

/// Where a task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// It could run, and waits for a core.
    Ready,
    /// On a core, until its burst ends.
    Running {
        core: u16,
        until: VirtualNs,
    },
    /// It waits for the lock.
    Queued,
    /// It let go because it was asked, and waits until another has taken the lock.
    Yielding,
    /// It waits for something else.
    Blocked,
    /// It was woken, and will be ready soon.
    Waking,
    /// It was born, and the system is about to set it up.
    Starting,
    Gone,
}

/// What a task does when its burst is over (or, if it has none, when it comes onto a core).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// Take the lock.
    Arrive,
    /// Take the lock, for which it waited and was woken.
    Retry,
    /// It was handed the lock.
    Given,
    /// Its slice has run; this is why it stopped. `polled`: at a place where the holder looks.
    Sliced { stop: Stop, polled: bool },
    /// Begin the rest that was put off until another had taken the lock.
    Depart { deadline: Option<VirtualNs> },
}

/// What a task does once it has the lock.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Resume {
    /// Go on with the script.
    Run,
    /// Look whether what it waited for inside its VM has come.
    Wait,
    /// Try the call again that blocked.
    Call {
        call: SysCall,
        deadline: Option<VirtualNs>,
    },
    /// It is a main thread that has ended, and its process ends with this code once all is done.
    Finish { exit_code: ExitCode },
}

/// A task.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) process: u32,
    pub(super) thread: ThreadId,
    pub(super) daemon: bool,
    pub(super) phase: Phase,
    /// Counts changes of phase; what was due under an older number is void.
    pub(super) generation: u32,
    pub(super) step: Step,
    pub(super) resume: Resume,
    /// What is left of its burst while it has no core.
    pub(super) burst_left: VirtualNs,
    /// What it owes for things that were done at once: forks, messages.
    pub(super) debt: VirtualNs,
    /// Fractions of a nanosecond.
    pub(super) carry_ps: u64,
    /// The mean cost of its instructions of late.
    pub(super) mean_ps: u64,
    /// The mean cost of what it counts as a tick (`Ticks`).
    pub(super) tick_ps: u64,
    /// The core that it left, and when.
    pub(super) last_core: Option<u16>,
    pub(super) off_since: VirtualNs,
    /// Instructions left of its turn (`every`).
    pub(super) turn_left: u64,
    /// Processor time.
    pub(super) cpu: VirtualNs,
    /// Processor time as the scheduler weighs it: who comes back from a rest is not owed all of it.
    pub(super) weight_ns: u64,
    /// The number of switches when its wait for the lock began.
    pub(super) switches_before: u64,
    /// When its wait for the lock is up, for rules under which a lost race does not begin it anew.
    pub(super) asks_at: Option<VirtualNs>,
    /// A call of a builtin was just answered: the holder looks before it goes on.
    pub(super) answered: bool,
    /// Without a lock: when its burst ends, as its VM has noted.
    pub(super) noted_until: VirtualNs,
    /// Instructions that no event has reported yet, and since when.
    pub(super) unemitted: u64,
    pub(super) untold_since: VirtualNs,
    /// It was woken while it was on its way to rest, which then ends at once.
    pub(super) notified: bool,
    /// Threads of its VM that its slice has made ready.
    pub(super) woken: Vec<ThreadId>,
    /// Its place in the queue of those who are ready.
    pub(super) ready_key: (u64, u64),
    pub(super) tally: Tally,
}

impl Task {
    pub(super) fn new(process: u32, thread: ThreadId, daemon: bool, now: VirtualNs) -> Task {
        Task {
            process,
            thread,
            daemon,
            phase: Phase::Starting,
            generation: 0,
            step: Step::Arrive,
            resume: Resume::Run,
            burst_left: VirtualNs(0),
            debt: VirtualNs(0),
            carry_ps: 0,
            mean_ps: 0,
            tick_ps: 0,
            last_core: None,
            off_since: now,
            turn_left: 0,
            cpu: VirtualNs(0),
            weight_ns: 0,
            switches_before: 0,
            asks_at: None,
            answered: false,
            noted_until: VirtualNs(0),
            notified: false,
            woken: Vec::new(),
            ready_key: (0, 0),
            unemitted: 0,
            untold_since: now,
            tally: Tally::new(now),
        }
    }
}

/// What a task is doing, for its figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Activity {
    Holding,
    Waiting,
    Blocked,
}

/// Counts and times.
#[derive(Debug)]
pub(super) struct Tally {
    activity: Activity,
    since: VirtualNs,
    times: Times,
}

impl Tally {
    fn new(now: VirtualNs) -> Tally {
        Tally {
            activity: Activity::Waiting,
            since: now,
            times: Times::default(),
        }
    }

    pub(super) fn change(&mut self, now: VirtualNs, activity: Activity) {
        self.times = self.times(now);
        self.since = now;
        self.activity = activity;
    }

    pub(super) fn acquired(&mut self, now: VirtualNs, switched: bool) {
        self.change(now, Activity::Holding);
        self.times.acquisitions += 1;
        self.times.switches += u64::from(switched);
    }

    pub(super) fn times(&self, now: VirtualNs) -> Times {
        let mut times = self.times;
        let spent_ns = now.since(self.since).0;
        match self.activity {
            Activity::Holding => times.held_ns += spent_ns,
            Activity::Waiting => {
                times.waited_ns += spent_ns;
                times.longest_wait_ns = times.longest_wait_ns.max(spent_ns);
            }
            Activity::Blocked => times.blocked_ns += spent_ns,
        }
        times
    }

    pub(super) fn activity(&self) -> Activity {
        self.activity
    }
}
