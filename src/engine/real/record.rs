//! What a thread does while it runs: its events, into a sink of its own. Threads do not share
//! sinks, and a thread's is locked by itself nearly always (whoever wakes it under `every(n)` says
//! so on its behalf), so emitting one costs little; where nobody records there is nothing to lock.

use crate::event::names::Names;
use crate::event::{Blockage, Event, Place, Sink, ThreadId, VmId, What};
use crate::vm::Vm;
use parking_lot::Mutex;
use std::fmt;

/// Makes a sink for a thread.
pub type Sinks = Box<dyn Fn() -> Box<dyn Sink> + Send + Sync>;

/// The events of one thread.
pub(super) struct Record {
    vm: VmId,
    thread: ThreadId,
    /// Until the thread or the run ends.
    emitting: Mutex<Option<Emitting>>,
}

struct Emitting {
    sink: Box<dyn Sink>,
    /// What it will wait for, once it has let go of the lock.
    rest: Option<(Blockage, Option<u64>, Option<Place>)>,
    /// The names that have been emitted.
    names: Names,
    /// Instructions that have been emitted, and when they were.
    emitted: u64,
    emitted_ns: u64,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("vm", &self.vm)
            .field("thread", &self.thread)
            .finish_non_exhaustive()
    }
}

impl Record {
    pub(super) fn new(sinks: &Sinks, process: u64, thread: ThreadId) -> Record {
        Record {
            vm: VmId(process as u32),
            thread,
            emitting: Mutex::new(Some(Emitting {
                sink: sinks(),
                rest: None,
                names: Names::default(),
                emitted: 0,
                emitted_ns: 0,
            })),
        }
    }

    /// Something happened.
    pub(super) fn emit(&self, at_ns: u64, what: What) {
        self.emit_at(at_ns, None, what);
    }

    /// Something happened in a line of the script.
    pub(super) fn emit_at(&self, at_ns: u64, place: Option<Place>, what: What) {
        let mut emitting = self.emitting.lock();
        let Some(emitting) = &mut *emitting else {
            return;
        };
        if let What::LockAcquired { .. } = what {
            emitting.emitted_ns = at_ns;
        }
        emitting.sink.take(self.event(at_ns, place, what));
    }

    /// So many instructions have been run since the thread began.
    pub(super) fn emit_ran(&self, at_ns: u64, place: Option<Place>, instructions: u64) {
        let mut emitting = self.emitting.lock();
        let Some(emitting) = &mut *emitting else {
            return;
        };
        let what = What::Ran {
            instructions: instructions - std::mem::replace(&mut emitting.emitted, instructions),
            since_ns: std::mem::replace(&mut emitting.emitted_ns, at_ns),
        };
        emitting.sink.take(self.event(at_ns, place, what));
    }

    /// What the script calls the thing that it will wait for, if that has not been emitted before.
    pub(super) fn emit_name(&self, at_ns: u64, vm: &Vm) {
        let mut emitting = self.emitting.lock();
        let Some(emitting) = &mut *emitting else {
            return;
        };
        if let Some(what) = emitting.names.new_name(vm, self.vm, self.thread) {
            emitting.sink.take(self.event(at_ns, None, what));
        }
    }

    /// The next time that the thread lets go of the lock it does so in order to wait for this.
    pub(super) fn will_rest(&self, on: Blockage, until_ns: Option<u64>, place: Option<Place>) {
        if let Some(emitting) = &mut *self.emitting.lock() {
            emitting.rest = Some((on, until_ns, place));
        }
    }

    /// It did not have to wait.
    pub(super) fn will_not_rest(&self) {
        if let Some(emitting) = &mut *self.emitting.lock() {
            emitting.rest = None;
        }
    }

    /// The thread rests, if that is why it let go of the lock.
    pub(super) fn emit_rest(&self, at_ns: u64) {
        let mut emitting = self.emitting.lock();
        let Some(emitting) = &mut *emitting else {
            return;
        };
        if let Some((on, until_ns, place)) = emitting.rest.take() {
            let what = What::Blocked { on, until_ns };
            emitting.sink.take(self.event(at_ns, place, what));
        }
    }

    /// Nothing more will be emitted. The sink is gone when this returns, whoever else closes it at
    /// the same time.
    pub(super) fn close(&self) {
        let mut emitting = self.emitting.lock();
        *emitting = None;
    }

    fn event(&self, at_ns: u64, place: Option<Place>, what: What) -> Event {
        Event {
            at_ns,
            vm: self.vm,
            thread: self.thread,
            core: None,
            place,
            what,
        }
    }
}
