//! What is to happen, in order of time, and of coming where the times are equal.

use crate::engine::sim::clock::VirtualNs;
use crate::engine::sim::task::TaskId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that is to happen. Those that carry a generation are void once the task has moved on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Due {
    /// What a task does on its core is done.
    Burst { task: TaskId, generation: u32 },
    /// A task that was woken can run.
    Ready { task: TaskId, generation: u32 },
    /// The deadline of a task that is blocked.
    Deadline { task: TaskId, generation: u32 },
    /// The first of the lock timers of a process, or its timer thread.
    LockTimer { process: u32, generation: u32 },
    /// The longest time slice of a core is over.
    TimeSlice { generation: u32 },
}

/// The queue.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<(VirtualNs, u64, Due)>>,
    made: u64,
    /// How many were left when it was last cleared of those that are void.
    left: usize,
}

/// Fewer than so many are not worth looking through.
const FEW: usize = 4096;

impl Queue {
    pub(super) fn push(&mut self, at: VirtualNs, due: Due) {
        self.made += 1;
        self.heap.push(Reverse((at, self.made, due)));
    }

    /// Have so many come since it was last looked through that to do it again costs little?
    pub(super) fn is_crowded(&self) -> bool {
        self.heap.len() > (self.left * 2).max(FEW)
    }

    /// Keeps only what is not void.
    pub(super) fn retain(&mut self, is_valid: impl Fn(&Due) -> bool) {
        self.heap.retain(|Reverse((_, _, due))| is_valid(due));
        self.left = self.heap.len();
    }

    pub(super) fn pop(&mut self) -> Option<(VirtualNs, Due)> {
        self.heap.pop().map(|Reverse((at, _, due))| (at, due))
    }
}
