//! The operating system under the lock: cores, and who runs on them. Fair in the manner of Linux
//! (`kernel/sched/fair.c`): the ready thread with the least processor time goes first, a time slice
//! bounds how long others wait, and a thread that comes back from a rest goes before those that
//! have computed meanwhile. Each operation is logarithmic in the number of threads and cores.

use crate::engine::sim::choice::Choice;
use crate::engine::sim::clock::VirtualNs;
use crate::engine::sim::task::TaskId;
use std::collections::BTreeSet;

/// A thread that was woken takes the core of one that is ahead of it by more than this (Linux:
/// `sysctl_sched_wakeup_granularity`, 1 ms).
const WAKEUP_GRANULARITY_NS: i64 = 1_000_000;

/// Who comes back from a rest is owed no more than this (Linux: half of `sysctl_sched_latency`, 6
/// ms).
const OWED_NS: u64 = 3_000_000;

/// Among so many of those who are ready a random schedule picks.
const PICK_AMONG: usize = 64;

#[derive(Debug, Default)]
struct Core {
    task: Option<TaskId>,
    /// When the task came onto it.
    since: VirtualNs,
    /// The task's weight then.
    weight_ns: u64,
    last: Option<TaskId>,
    busy: VirtualNs,
}

/// All cores, and who is ready.
#[derive(Debug)]
pub(super) struct Cores {
    all: Vec<Core>,
    idle: BTreeSet<u16>,
    /// Weight, order of coming, task.
    ready: BTreeSet<(u64, u64, TaskId)>,
    came: u64,
    /// The cores at work: since when.
    by_start: BTreeSet<(VirtualNs, u16)>,
    /// The cores at work: their task's weight now, less the time that it is now, which does not
    /// change while they work.
    by_weight: BTreeSet<(i64, u16)>,
    /// The weight of the last one that came onto a core: what a newcomer begins with.
    floor_ns: u64,
}

impl Cores {
    pub(super) fn new(count: u16) -> Cores {
        Cores {
            all: (0..count).map(|_| Core::default()).collect(),
            idle: (0..count).collect(),
            ready: BTreeSet::new(),
            came: 0,
            by_start: BTreeSet::new(),
            by_weight: BTreeSet::new(),
            floor_ns: 0,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// The weight of a task that becomes ready after a rest.
    pub(super) fn weight_after_rest(&self, weight_ns: u64) -> u64 {
        weight_ns.max(self.floor_ns.saturating_sub(OWED_NS))
    }

    /// Notes a task that is ready; its place in the queue.
    pub(super) fn enqueue(&mut self, task: TaskId, weight_ns: u64) -> (u64, u64) {
        self.came += 1;
        self.ready.insert((weight_ns, self.came, task));
        (weight_ns, self.came)
    }

    /// Forgets a task that is not ready any more.
    pub(super) fn forget(&mut self, (weight_ns, came): (u64, u64), task: TaskId) {
        self.ready.remove(&(weight_ns, came, task));
    }

    /// Is a core free?
    pub(super) fn any_idle(&self) -> bool {
        !self.idle.is_empty()
    }

    /// Does a task stand ready while no core is free?
    pub(super) fn is_crowded(&self) -> bool {
        self.idle.is_empty() && !self.ready.is_empty()
    }

    /// Gives a free core to one that is ready: the task, its core, and whether the core has to
    /// change over from another task.
    pub(super) fn dispatch(
        &mut self,
        now: VirtualNs,
        choice: &mut Choice,
    ) -> Option<(TaskId, u16, bool)> {
        let &first_idle = self.idle.first()?;
        let picked = if choice.is_fifo() || self.ready.len() < 2 {
            *self.ready.first()?
        } else {
            let some: Vec<_> = self.ready.iter().take(PICK_AMONG).copied().collect();
            some[choice.pick(&mut some.iter().map(|&(_, _, task)| task))]
        };
        self.ready.remove(&picked);
        let (weight_ns, _, task) = picked;
        // The core that it ran on last, if that one is near at hand and free; its caches are warm.
        let core = *self
            .idle
            .iter()
            .take(PICK_AMONG)
            .find(|&&it| self.all[it as usize].last == Some(task))
            .unwrap_or(&first_idle);
        self.idle.remove(&core);
        let it = &mut self.all[core as usize];
        let changes = it.last.is_some_and(|last| last != task);
        it.task = Some(task);
        it.last = Some(task);
        it.since = now;
        it.weight_ns = weight_ns;
        self.floor_ns = self.floor_ns.max(weight_ns);
        self.by_start.insert((now, core));
        self.by_weight
            .insert((weight_ns as i64 - now.0 as i64, core));
        Some((task, core, changes))
    }

    /// The task of a core leaves it; its weight from now on.
    pub(super) fn leave(&mut self, core: u16, now: VirtualNs) -> u64 {
        let it = &mut self.all[core as usize];
        let ran = now.since(it.since);
        self.by_start.remove(&(it.since, core));
        self.by_weight
            .remove(&(it.weight_ns as i64 - it.since.0 as i64, core));
        it.task = None;
        it.busy += ran;
        self.idle.insert(core);
        it.weight_ns + ran.0
    }

    /// The task on a core that a newcomer of this weight takes the place of at once, if there is
    /// one.
    pub(super) fn victim(&self, now: VirtualNs, weight_ns: u64) -> Option<TaskId> {
        if !self.idle.is_empty() {
            return None;
        }
        let &(weight, core) = self.by_weight.last()?;
        let ahead = weight + now.0 as i64 - weight_ns as i64;
        (ahead > WAKEUP_GRANULARITY_NS)
            .then_some(self.all[core as usize].task)
            .flatten()
    }

    /// Who has been on a core for longest, and since when.
    pub(super) fn longest(&self) -> Option<(VirtualNs, TaskId)> {
        let &(since, core) = self.by_start.first()?;
        Some((since, self.all[core as usize].task?))
    }

    /// How long each core was busy.
    pub(super) fn busy(&self, now: VirtualNs) -> Vec<VirtualNs> {
        let busy = |it: &Core| match it.task {
            Some(_) => it.busy + now.since(it.since),
            None => it.busy,
        };
        self.all.iter().map(busy).collect()
    }
}
