//! Queues of parcels between VMs, and cells that all of them see, for the simulation: the same
//! rules as between real processes, in code of its own. Whoever is to be woken is returned.

use crate::engine::sim::task::TaskId;
use crate::vm::memory::Charge;
use crate::vm::primitive::ChannelEnd;
use crate::vm::slice::Parcel;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// All channels and cells of a run.
#[derive(Debug, Default)]
pub(super) struct Channels {
    open: BTreeMap<u64, Channel>,
    cells: BTreeMap<u64, Parcel>,
    made: u64,
}

#[derive(Debug)]
struct Channel {
    /// The memory that it takes.
    _held: Charge,
    /// 0 has no bound.
    capacity: usize,
    messages: VecDeque<Parcel>,
    writers: BTreeSet<u32>,
    readers: BTreeSet<u32>,
    sending: VecDeque<TaskId>,
    receiving: VecDeque<TaskId>,
}

/// What came of a try.
#[derive(Debug)]
pub(super) enum Tried<T> {
    /// Done, and this task can go on now.
    Done(T, Option<TaskId>),
    /// It cannot be done now; the task is noted.
    Wait,
    /// It can never be done: no process has the other end.
    Gone,
}

impl Channels {
    pub(super) fn open(&mut self, capacity: usize, process: u32, held: Charge) -> u64 {
        self.made += 1;
        let channel = Channel {
            _held: held,
            capacity,
            messages: VecDeque::new(),
            writers: BTreeSet::from([process]),
            readers: BTreeSet::from([process]),
            sending: VecDeque::new(),
            receiving: VecDeque::new(),
        };
        self.open.insert(self.made, channel);
        self.made
    }

    /// A fork copies the ends that the parent has open.
    pub(super) fn inherit(&mut self, parent: u32, child: u32) {
        for channel in self.open.values_mut() {
            if channel.writers.contains(&parent) {
                channel.writers.insert(child);
            }
            if channel.readers.contains(&parent) {
                channel.readers.insert(child);
            }
        }
    }

    /// A process has these ends from now on.
    pub(super) fn adopt(&mut self, ends: &[(u64, ChannelEnd)], process: u32) {
        for (number, end) in ends {
            if let Some(channel) = self.open.get_mut(number) {
                match end {
                    ChannelEnd::Writer => channel.writers.insert(process),
                    ChannelEnd::Reader => channel.readers.insert(process),
                };
            }
        }
    }

    /// A process does without an end from now on.
    #[must_use]
    pub(super) fn close(&mut self, number: u64, end: ChannelEnd, process: u32) -> Vec<TaskId> {
        let Some(channel) = self.open.get_mut(&number) else {
            return Vec::new();
        };
        let (processes, waiting) = match end {
            ChannelEnd::Writer => (&mut channel.writers, &mut channel.receiving),
            ChannelEnd::Reader => (&mut channel.readers, &mut channel.sending),
        };
        processes.remove(&process);
        let woken = if processes.is_empty() {
            waiting.drain(..).collect()
        } else {
            Vec::new()
        };
        if channel.writers.is_empty() && channel.readers.is_empty() {
            self.open.remove(&number);
        }
        woken
    }

    /// A process is no more.
    #[must_use]
    pub(super) fn close_all(&mut self, process: u32) -> Vec<TaskId> {
        let numbers: Vec<u64> = self.open.keys().copied().collect();
        let mut woken = Vec::new();
        for number in numbers {
            woken.extend(self.close(number, ChannelEnd::Writer, process));
            woken.extend(self.close(number, ChannelEnd::Reader, process));
        }
        woken
    }

    /// Puts a message in, if there is room.
    pub(super) fn send(
        &mut self,
        number: u64,
        parcel: &Parcel,
        process: u32,
        task: TaskId,
    ) -> Tried<()> {
        let Some(channel) = self.open.get_mut(&number) else {
            return Tried::Gone;
        };
        if channel.readers.is_empty() || !channel.writers.contains(&process) {
            return Tried::Gone;
        }
        if channel.is_full() {
            note(&mut channel.sending, task);
            return Tried::Wait;
        }
        channel.messages.push_back(parcel.clone());
        Tried::Done((), channel.receiving.pop_front())
    }

    /// Takes a message, if there is one.
    pub(super) fn receive(&mut self, number: u64, process: u32, task: TaskId) -> Tried<Parcel> {
        let Some(channel) = self.open.get_mut(&number) else {
            return Tried::Gone;
        };
        if !channel.readers.contains(&process) {
            return Tried::Gone;
        }
        match channel.messages.pop_front() {
            Some(parcel) => Tried::Done(parcel, channel.sending.pop_front()),
            None if channel.writers.is_empty() => Tried::Gone,
            None => {
                note(&mut channel.receiving, task);
                Tried::Wait
            }
        }
    }

    /// Forgets a task that will not try again. If it was woken for nothing, others are woken in its
    /// place.
    #[must_use]
    pub(super) fn forget(&mut self, number: u64, task: TaskId) -> Vec<TaskId> {
        let Some(channel) = self.open.get_mut(&number) else {
            return Vec::new();
        };
        let waiting = channel.sending.len() + channel.receiving.len();
        channel.sending.retain(|&it| it != task);
        channel.receiving.retain(|&it| it != task);
        if channel.sending.len() + channel.receiving.len() < waiting {
            return Vec::new();
        }
        let mut woken = Vec::new();
        if !channel.messages.is_empty() {
            woken.extend(channel.receiving.pop_front());
        }
        if !channel.is_full() {
            woken.extend(channel.sending.pop_front());
        }
        woken
    }

    /// How many messages are in a channel.
    pub(super) fn len(&self, number: u64) -> usize {
        self.open.get(&number).map_or(0, |it| it.messages.len())
    }

    pub(super) fn new_cell(&mut self, parcel: Parcel) -> u64 {
        self.made += 1;
        self.cells.insert(self.made, parcel);
        self.made
    }

    pub(super) fn cell(&self, number: u64) -> Option<Parcel> {
        self.cells.get(&number).cloned()
    }

    pub(super) fn set_cell(&mut self, number: u64, parcel: Parcel) {
        self.cells.insert(number, parcel);
    }
}

impl Channel {
    fn is_full(&self) -> bool {
        self.capacity != 0 && self.messages.len() >= self.capacity
    }
}

/// Notes a task once, however often it looks.
fn note(waiting: &mut VecDeque<TaskId>, task: TaskId) {
    if !waiting.contains(&task) {
        waiting.push_back(task);
    }
}
