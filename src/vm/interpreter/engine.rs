//! What an engine says to a VM beside `run`: the answer to a call, and that it is to fork.

use crate::vm::Vm;
use crate::vm::heap::value::{ThreadId, Value};
use crate::vm::semantics::parcel;
use crate::vm::state::slice::{Reply, SysCall};
use crate::vm::state::thread;
use crate::vm::state::thread::{Awaiting, LogEntry, Return, Status, Thread};

impl Vm {
    /// Answers the call that a thread stopped with.
    pub fn answer(&mut self, thread: ThreadId, answer: Reply) {
        let at = thread.0 as usize;
        if !matches!(self.threads[at].status, Status::Calling(_)) {
            return;
        }
        let answered = match answer {
            Reply::None => Ok(Value::None),
            Reply::Bool(yes) => Ok(Value::Bool(yes)),
            Reply::Int(number) => Ok(Value::Int(number)),
            Reply::Text(text) => Ok(self.heap.new_str(text)),
            Reply::Process { process, pid } => Ok(self
                .heap
                .new_tuple([Value::Int(process as i64), Value::Int(pid)])),
            Reply::Parcel(parcel) => match parcel::decode_with_room(self, &parcel) {
                Ok(value) => Ok(self.heap.new_tuple([value])),
                Err(refusal) => Err(refusal.fault()),
            },
            Reply::Error(fault) => Err(fault),
        };
        let answered = answered.map_err(|fault| self.exception_of(fault));
        let state = &mut self.threads[at];
        state.status = Status::Ready;
        match answered {
            Ok(value) => {
                if let Some(pending) = state.pending.last_mut() {
                    pending.log.push(LogEntry::Engine(value));
                    pending.awaiting = Awaiting::Nothing;
                }
            }
            Err(exception) => state.interrupt = Some(exception),
        }
    }

    /// The child of a fork: a copy in which only the calling thread goes on, as main thread, inside
    /// the native that asked for the fork, which is answered `None` there. What that native returns
    /// is the child's outcome. A child that is spawned begins from nothing. None if there is no
    /// room for it.
    ///
    /// # Panics
    /// If the thread is not inside a native; a bug of Mini's.
    pub fn fork(&mut self, thread: ThreadId) -> Option<Vm> {
        if let Status::Calling(SysCall::Fork {
            name,
            spawn: Some(parcel),
            ..
        }) = &self.threads[thread.0 as usize].status
        {
            let child = self.spawn(name.clone(), parcel.clone());
            return (!self.account().is_overdrawn()).then_some(child);
        }
        self.heap.freeze(&mut self.memory);
        // What is not shared now is copied.
        if self.memory.bytes() > self.account().free() {
            self.collect();
            self.heap.freeze(&mut self.memory);
            if self.memory.bytes() > self.account().free() {
                return None;
            }
        }
        let mut child = self.clone();
        child.woken.clear();
        let others: Vec<ThreadId> = child.threads.alive().filter(|it| *it != thread).collect();
        for other in others {
            let at = other.0 as usize;
            if let Status::Waiting { on, .. } = child.threads[at].status {
                child.leave_queue(on, other);
            }
            let state = &mut child.threads[at];
            let (name, daemon) = (state.name.clone(), state.daemon);
            *state = Thread {
                object: state.object,
                status: Status::Finished,
                outcome: Some(thread::Outcome::Returned(Value::None)),
                buried: true,
                ..Thread::new(&name, daemon)
            };
        }
        child.main = thread;
        // Of the thread that forks nothing remains but the native, with the arguments on its stack.
        let state = &mut child.threads[thread.0 as usize];
        let mut pending = state
            .pending
            .pop()
            .expect("a fork is asked for by a native");
        pending.ret = Return::Thread;
        pending.depth = 0;
        let name = state.name.clone();
        *state = Thread {
            status: state.status.clone(),
            object: state.object,
            stack: std::mem::take(&mut state.stack),
            pending: vec![pending],
            ..Thread::new(&name, false)
        };
        child.answer(thread, Reply::None);
        Some(child)
    }
}
