//! Every pick that a real machine leaves open goes through one object: which waiter is woken, which
//! thread a core takes up, how long a wake-up takes. What it picks is a function of the schedule
//! and the seed alone.
//!
//! Priorities follow "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs"
//! (Burckhardt et al., ASPLOS 2010): each thread has a random one, the highest wins each pick, and
//! at `depth - 1` picks chosen at random the winner falls below all others.

use crate::engine::sim::clock::VirtualNs;
use crate::engine::sim::task::TaskId;
use crate::spelling::{did_you_mean, nearest};
use std::fmt;
use std::str::FromStr;

/// How picks are made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Schedule {
    /// The one that has waited longest; wake-ups take the time that the cost model says, give or
    /// take an eighth.
    #[default]
    Fifo,
    /// Any, and wake-ups take from half to twice their time.
    Random,
    /// The one with the highest priority, which changes `depth - 1` times.
    Pct { depth: u32 },
}

impl FromStr for Schedule {
    type Err = String;

    fn from_str(text: &str) -> Result<Schedule, String> {
        match text.split_once(':') {
            None if text == "fifo" => Ok(Schedule::Fifo),
            None if text == "random" => Ok(Schedule::Random),
            None if text == "pct" => Ok(Schedule::Pct { depth: 3 }),
            Some(("pct", depth)) => match depth.parse() {
                Ok(depth @ 1..=1000) => Ok(Schedule::Pct { depth }),
                _ => Err(format!(
                    "`{depth}` is no depth; write it as in pct:3, from 1 to 1000"
                )),
            },
            _ => Err(format!(
                "`{text}` is no schedule; there are fifo, random and pct:D{}",
                did_you_mean(nearest(text, ["fifo", "random", "pct"]))
            )),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Schedule::Fifo => f.write_str("fifo"),
            Schedule::Random => f.write_str("random"),
            Schedule::Pct { depth } => write!(f, "pct:{depth}"),
        }
    }
}

/// `SplitMix64` (Steele, Lea, Flood, OOPSLA 2014): small, and the same everywhere.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Random {
        Random(seed ^ 0xA076_1D64_78BD_642F)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }

    /// Less than `bound`, each about equally often.
    fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound.max(1))) >> 64) as u64
    }
}

/// Picks come at least this often before the last change of priorities is due.
const CHANGES_WITHIN: u64 = 1000;

/// Makes the picks of a run.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    schedule: Schedule,
    seed: u64,
    random: Random,
    picks: u64,
    /// Under `Pct`: the priority of each task, higher is first.
    priorities: Vec<u64>,
    /// The picks at which priorities change, the last one first.
    changes: Vec<u64>,
}

impl Choice {
    pub(super) fn new(schedule: Schedule, seed: u64) -> Choice {
        let mut random = Random::new(seed);
        let mut changes = Vec::new();
        if let Schedule::Pct { depth } = schedule {
            changes.extend((1..depth).map(|_| random.below(CHANGES_WITHIN)));
            changes.sort_unstable_by(|a, b| b.cmp(a));
        }
        Choice {
            schedule,
            seed,
            random,
            picks: 0,
            priorities: Vec::new(),
            changes,
        }
    }

    /// One of several tasks, which stand in the order in which they have waited. There is at least
    /// one.
    pub(super) fn pick(&mut self, candidates: &mut dyn ExactSizeIterator<Item = TaskId>) -> usize {
        let count = candidates.len();
        if count < 2 {
            return 0;
        }
        self.picks += 1;
        match self.schedule {
            Schedule::Fifo => 0,
            Schedule::Random => self.random.below(count as u64) as usize,
            Schedule::Pct { .. } => self.highest(candidates),
        }
    }

    /// One of those that wait on the condition variable of a lock, of whom the one at `awake` has
    /// just asked for it. A waiter of glibc's looks whether a signal is there before it goes back
    /// to sleep (`nptl/pthread_cond_wait.c`), so that one often takes the signal that was to wake
    /// another. How often is measured: a thread of CPython 3.11 that sleeps for 1 ms beside two
    /// busy ones gets the lock at the second switch or before in half of all cases, or at the third
    /// (10.4 to 14.5 ms at an interval of 5 ms, 100 at 50), so three times in ten.
    pub(super) fn pick_waiter(
        &mut self,
        candidates: &mut dyn ExactSizeIterator<Item = TaskId>,
        awake: Option<usize>,
    ) -> usize {
        match (self.schedule, awake) {
            (Schedule::Fifo | Schedule::Random, Some(awake)) if candidates.len() > 1 => {
                if self.chance(3, 10) {
                    let others = candidates.len() - 1;
                    let at = match self.schedule {
                        Schedule::Random => self.random.below(others as u64) as usize,
                        Schedule::Fifo | Schedule::Pct { .. } => 0,
                    };
                    at + usize::from(at >= awake)
                } else {
                    awake
                }
            }
            _ => self.pick(candidates),
        }
    }

    fn highest(&mut self, candidates: &mut dyn ExactSizeIterator<Item = TaskId>) -> usize {
        let mut best = (0, 0, 0);
        for (at, task) in candidates.enumerate() {
            let index = task.0 as usize;
            while self.priorities.len() <= index {
                // The top bit keeps fresh priorities above those that fell.
                let priority = self.random.next() | 1 << 63;
                self.priorities.push(priority);
            }
            if self.priorities[index] > best.0 {
                best = (self.priorities[index], at, index);
            }
        }
        if self.changes.last().is_some_and(|&at| at <= self.picks) {
            self.changes.pop();
            // The later it falls the lower it falls.
            self.priorities[best.2] = 1 + self.changes.len() as u64;
        }
        best.1
    }

    /// Do picks of the ready queue go by more than its order?
    pub(super) fn is_fifo(&self) -> bool {
        self.schedule == Schedule::Fifo
    }

    /// How long something really takes that takes so long on average.
    pub(super) fn latency(&mut self, mean: VirtualNs) -> VirtualNs {
        match self.schedule {
            // No two wake-ups take exactly the same time. If they did, slices could fall in step
            // with a script's loops and be cut at the same instruction each time.
            Schedule::Fifo => VirtualNs(mean.0 - mean.0 / 8 + self.random.below(mean.0 / 4 + 1)),
            Schedule::Random | Schedule::Pct { .. } => {
                VirtualNs(mean.0 / 2 + self.random.below(mean.0.saturating_mul(3) / 2 + 1))
            }
        }
    }

    /// Does something happen that happens in `part` of `whole` cases? Of no schedule's making:
    /// where two clocks meet by chance they do so under `fifo`, too.
    pub(super) fn chance(&mut self, part: u64, whole: u64) -> bool {
        self.random.below(whole) < part
    }

    /// A delay of up to this length.
    pub(super) fn up_to(&mut self, length: VirtualNs) -> VirtualNs {
        VirtualNs(self.random.below(length.0 + 1))
    }

    /// Where in a cycle of this length something stands at first, from 1 on.
    pub(super) fn phase(&mut self, length: u64) -> u64 {
        1 + self.random.below(length)
    }

    /// A number that depends on the seed and on how often this was asked.
    pub(super) fn entropy(&mut self) -> u64 {
        self.random.next()
    }

    /// What brings the same schedule about again: the kind of schedule, and the seed.
    pub(super) fn text(&self) -> String {
        match self.schedule {
            Schedule::Fifo if self.seed == 0 => "fifo".into(),
            Schedule::Fifo | Schedule::Random | Schedule::Pct { .. } => {
                format!("{}@{}", self.schedule, self.seed)
            }
        }
    }
}
