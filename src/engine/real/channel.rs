//! Queues of parcels between VMs, and cells that all of them see. They live outside of every VM,
//! under mutexes of their own.

use crate::engine::real::process::Caller;
use crate::vm::memory::Charge;
use crate::vm::primitive::ChannelEnd;
use crate::vm::slice::Parcel;
use parking_lot::Mutex;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;
use std::sync::Arc;

/// All channels and cells of a run.
#[derive(Default)]
pub(super) struct Channels {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    channels: FxHashMap<u64, Arc<Channel>>,
    cells: FxHashMap<u64, Parcel>,
    made: u64,
}

/// One channel.
pub(super) struct Channel {
    /// The memory that it takes.
    _held: Charge,
    state: Mutex<State>,
}

struct State {
    /// 0 has no bound.
    capacity: usize,
    messages: VecDeque<Parcel>,
    /// The processes that may still send, and receive.
    writers: FxHashSet<u64>,
    readers: FxHashSet<u64>,
    sending: VecDeque<Caller>,
    receiving: VecDeque<Caller>,
}

/// What came of a try.
#[derive(Debug)]
pub(super) enum Tried<T> {
    Done(T),
    /// It cannot be done now; the caller is noted and will be woken.
    Wait,
    /// It can never be done: no process has the other end.
    Gone,
}

impl Channels {
    /// A new channel, both ends open in this process.
    pub(super) fn open(&self, capacity: usize, process: u64, held: Charge) -> u64 {
        let mut table = self.table.lock();
        table.made += 1;
        let number = table.made;
        table.channels.insert(
            number,
            Arc::new(Channel {
                _held: held,
                state: Mutex::new(State {
                    capacity,
                    messages: VecDeque::new(),
                    writers: [process].into_iter().collect(),
                    readers: [process].into_iter().collect(),
                    sending: VecDeque::new(),
                    receiving: VecDeque::new(),
                }),
            }),
        );
        number
    }

    pub(super) fn get(&self, channel: u64) -> Option<Arc<Channel>> {
        self.table.lock().channels.get(&channel).cloned()
    }

    /// A fork copies the ends that the parent has open.
    pub(super) fn inherit(&self, parent: u64, child: u64) {
        for channel in self.table.lock().channels.values() {
            let mut state = channel.state.lock();
            if state.writers.contains(&parent) {
                state.writers.insert(child);
            }
            if state.readers.contains(&parent) {
                state.readers.insert(child);
            }
        }
    }

    /// A process has these ends from now on.
    pub(super) fn adopt(&self, ends: &[(u64, ChannelEnd)], process: u64) {
        for &(channel, end) in ends {
            let Some(channel) = self.get(channel) else {
                continue;
            };
            let mut state = channel.state.lock();
            match end {
                ChannelEnd::Writer => state.writers.insert(process),
                ChannelEnd::Reader => state.readers.insert(process),
            };
        }
    }

    /// A process does without an end from now on.
    pub(super) fn close(&self, channel: u64, end: ChannelEnd, process: u64) {
        let Some(it) = self.get(channel) else { return };
        let unused = it.close(end, process);
        if unused {
            self.table.lock().channels.remove(&channel);
        }
    }

    /// A process is no more.
    pub(super) fn close_all(&self, process: u64) {
        let channels: Vec<u64> = self.table.lock().channels.keys().copied().collect();
        for channel in channels {
            self.close(channel, ChannelEnd::Writer, process);
            self.close(channel, ChannelEnd::Reader, process);
        }
    }

    /// A new cell.
    pub(super) fn new_cell(&self, parcel: Parcel) -> u64 {
        let mut table = self.table.lock();
        table.made += 1;
        let number = table.made;
        table.cells.insert(number, parcel);
        number
    }

    pub(super) fn cell(&self, cell: u64) -> Option<Parcel> {
        self.table.lock().cells.get(&cell).cloned()
    }

    pub(super) fn set_cell(&self, cell: u64, parcel: Parcel) {
        self.table.lock().cells.insert(cell, parcel);
    }
}

impl Channel {
    /// Puts a message in, if there is room.
    pub(super) fn send(&self, parcel: &Parcel, process: u64, caller: &Caller) -> Tried<()> {
        let mut state = self.state.lock();
        if state.readers.is_empty() || !state.writers.contains(&process) {
            return Tried::Gone;
        }
        if state.capacity != 0 && state.messages.len() >= state.capacity {
            note(&mut state.sending, caller);
            return Tried::Wait;
        }
        state.messages.push_back(parcel.clone());
        let next = state.receiving.pop_front();
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
        Tried::Done(())
    }

    /// Takes a message, if there is one.
    pub(super) fn receive(&self, process: u64, caller: &Caller) -> Tried<Parcel> {
        let mut state = self.state.lock();
        if !state.readers.contains(&process) {
            return Tried::Gone;
        }
        let Some(parcel) = state.messages.pop_front() else {
            if state.writers.is_empty() {
                return Tried::Gone;
            }
            note(&mut state.receiving, caller);
            return Tried::Wait;
        };
        let next = state.sending.pop_front();
        drop(state);
        if let Some(next) = next {
            next.wake();
        }
        Tried::Done(parcel)
    }

    /// Forgets a caller that will not try again. If it was woken for nothing, the next one is woken
    /// in its place.
    pub(super) fn forget(&self, caller: &Caller) {
        let mut state = self.state.lock();
        let waiting = state.sending.len() + state.receiving.len();
        state.sending.retain(|it| !it.is(caller));
        state.receiving.retain(|it| !it.is(caller));
        if state.sending.len() + state.receiving.len() < waiting {
            return;
        }
        let receiver = if state.messages.is_empty() {
            None
        } else {
            state.receiving.pop_front()
        };
        let sender = if state.capacity == 0 || state.messages.len() < state.capacity {
            state.sending.pop_front()
        } else {
            None
        };
        drop(state);
        for caller in receiver.into_iter().chain(sender) {
            caller.wake();
        }
    }

    /// How many messages are in it.
    pub(super) fn len(&self) -> usize {
        self.state.lock().messages.len()
    }

    /// True if no process has any end of it.
    fn close(&self, end: ChannelEnd, process: u64) -> bool {
        let mut state = self.state.lock();
        let woken: Vec<Caller> = match end {
            ChannelEnd::Writer => {
                state.writers.remove(&process);
                if state.writers.is_empty() {
                    state.receiving.drain(..).collect()
                } else {
                    Vec::new()
                }
            }
            ChannelEnd::Reader => {
                state.readers.remove(&process);
                if state.readers.is_empty() {
                    state.sending.drain(..).collect()
                } else {
                    Vec::new()
                }
            }
        };
        let unused = state.writers.is_empty() && state.readers.is_empty();
        drop(state);
        for caller in woken {
            caller.wake();
        }
        unused
    }
}

/// Notes a caller once, however often it looks.
fn note(waiting: &mut VecDeque<Caller>, caller: &Caller) {
    if !waiting.iter().any(|it| it.is(caller)) {
        waiting.push_back(caller.clone());
    }
}
