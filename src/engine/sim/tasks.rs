//! The table of tasks. Numbers are given once; of a task that is gone nothing remains but that it
//! is gone, which lists of waiters and the queue of events may find out late.

use crate::engine::sim::clock::VirtualNs;
use crate::engine::sim::task::{Phase, Task, TaskId};
use crate::vm::value::ThreadId;
use std::ops::{Index, IndexMut};

/// The tasks, by number.
#[derive(Debug)]
pub(super) struct Tasks {
    slots: Vec<Option<Box<Task>>>,
    /// Those that are gone since the last `forget_gone`.
    leaving: Vec<TaskId>,
    /// What all find who look for one that is gone.
    gone: Task,
}

impl Default for Tasks {
    fn default() -> Tasks {
        let gone = Task {
            phase: Phase::Gone,
            // No event waits for so many changes of phase.
            generation: u32::MAX,
            ..Task::new(u32::MAX, ThreadId(u32::MAX), true, VirtualNs(0))
        };
        Tasks {
            slots: Vec::new(),
            leaving: Vec::new(),
            gone,
        }
    }
}

impl Tasks {
    /// Adds one.
    pub(super) fn push(&mut self, task: Task) -> TaskId {
        let number = u32::try_from(self.slots.len()).expect("fewer than 2^32 threads");
        self.slots.push(Some(Box::new(task)));
        TaskId(number)
    }

    /// Those that are not gone, in order of birth.
    pub(super) fn numbers(&self) -> Vec<TaskId> {
        let slots = self.slots.iter().enumerate();
        slots
            .filter(|(_, slot)| slot.as_ref().is_some_and(|it| it.phase != Phase::Gone))
            .map(|(at, _)| TaskId(at as u32))
            .collect()
    }

    /// A task is gone. It is there until the event is over that has ended it.
    pub(super) fn bury(&mut self, task: TaskId) {
        self.leaving.push(task);
    }

    /// Forgets those that are gone.
    pub(super) fn forget_gone(&mut self) {
        for task in self.leaving.drain(..) {
            self.slots[task.0 as usize] = None;
        }
    }
}

impl Index<usize> for Tasks {
    type Output = Task;
    fn index(&self, task: usize) -> &Task {
        self.slots[task].as_deref().unwrap_or(&self.gone)
    }
}

impl IndexMut<usize> for Tasks {
    fn index_mut(&mut self, task: usize) -> &mut Task {
        self.slots[task].as_deref_mut().unwrap_or(&mut self.gone)
    }
}
