//! A simulated process: a VM, the state of its lock, its tasks.

use crate::engine::deadlock::Stage;
use crate::engine::sim::clock::VirtualNs;
use crate::engine::sim::task::TaskId;
use crate::gil::lock::Lock;
use crate::vm::Vm;
use crate::vm::fault::Fault;
use crate::vm::slice::Parcel;
use crate::vm::value::ThreadId;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::sync::Arc;

/// A process.
#[derive(Debug)]
pub(super) struct Process {
    /// Until it ends.
    pub(super) vm: Option<Box<Vm>>,
    pub(super) name: Arc<str>,
    pub(super) pid: i64,
    pub(super) parent: Option<u32>,
    pub(super) daemon: bool,
    pub(super) main: ThreadId,
    pub(super) lock: Lock,
    pub(super) gil: Gil,
    /// For each thread of the VM its task, if it has one.
    pub(super) tasks: Vec<Option<TaskId>>,
    /// Tasks that have not ended, and those among them that the main one waits for at its end.
    pub(super) alive: usize,
    pub(super) plain: usize,
    pub(super) stage: Stage,
    /// Ctrl-C was sent to it.
    pub(super) interrupted: bool,
    /// What `sys.getswitchinterval` and `sys.getcheckinterval` say.
    pub(super) switch_interval_ns: u64,
    pub(super) check_interval: u64,
    /// Processor time of all its tasks.
    pub(super) cpu: VirtualNs,
    pub(super) exit_code: Option<i32>,
    pub(super) result: Option<Result<Parcel, Fault>>,
    /// Who waits for its end.
    pub(super) waiting: Vec<TaskId>,
    /// Without a lock: when the bursts end that are under way.
    pub(super) bursts: BTreeSet<(VirtualNs, TaskId)>,
}

/// The state of a lock.
#[derive(Debug, Default)]
pub(super) struct Gil {
    pub(super) holder: Option<TaskId>,
    pub(super) last_holder: Option<TaskId>,
    /// How often it went from one to another.
    pub(super) switches: u64,
    /// The longest first.
    pub(super) waiters: VecDeque<TaskId>,
    /// How many have been woken to try to take it and are still on their way.
    pub(super) woken_waiters: u32,
    /// Somebody asked the holder to let go.
    pub(super) requested: bool,
    /// The waiter that asked last: it was awake a moment ago.
    pub(super) asked: Option<TaskId>,
    /// Those who let go because they were asked, and wait for a taker.
    pub(super) yielding: Vec<TaskId>,
    /// When waiters' times are up, each with its generation (`WaiterTimeout`).
    pub(super) timers: BinaryHeap<Reverse<(VirtualNs, TaskId, u32)>>,
    /// When the timer that is due next is due, and its generation.
    pub(super) timer: Option<VirtualNs>,
    pub(super) timer_generation: u32,
    /// Ticks left until the holder offers the lock (`Ticks`).
    pub(super) ticks_left: u64,
    /// A waiter that found the lock free for a moment and has it when the turn ends (`Ticks`).
    pub(super) barger: Option<TaskId>,
    /// What the timer thread has counted for the holder (`TimerThread`).
    pub(super) counted_ns: u64,
}

impl Process {
    /// The VM of a process that has not ended.
    pub(super) fn vm(&mut self) -> &mut Vm {
        self.vm
            .as_mut()
            .expect("only tasks of living processes run")
    }

    pub(super) fn task(&self, thread: ThreadId) -> Option<TaskId> {
        self.tasks.get(thread.0 as usize).copied().flatten()
    }

    pub(super) fn set_task(&mut self, thread: ThreadId, task: Option<TaskId>) {
        let at = thread.0 as usize;
        if self.tasks.len() <= at {
            self.tasks.resize(at + 1, None);
        }
        self.tasks[at] = task;
    }
}
