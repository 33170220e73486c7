//! Lock, RLock, Condition, Semaphore and Event: plain state in the VM, guarded by its lock like everything else. Wakes threads by marking them
//! ready (`Vm::wake`); parks nobody itself.
//!
//! Releasing makes the object free and wakes the first waiter, which then tries again: a newcomer may get there first, as in CPython.

use crate::vm::Vm;
use crate::vm::object::Object;
use crate::vm::thread::ThreadId;
use crate::vm::value::{Ref, Value};
use std::collections::VecDeque;

/// `threading.Lock`.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    pub locked: bool,
    /// Who took it, for reports; anybody may release it.
    pub holder: Option<ThreadId>,
    pub waiters: VecDeque<ThreadId>,
}

/// `threading.RLock`.
#[derive(Clone, Debug, Default)]
pub struct RLock {
    pub holder: Option<ThreadId>,
    pub count: u32,
    pub waiters: VecDeque<ThreadId>,
}

/// `threading.Condition`, over a Lock or an RLock.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The lock object.
    pub lock: Value,
    pub waiters: VecDeque<ThreadId>,
}

/// `threading.Semaphore` and `BoundedSemaphore`.
#[derive(Clone, Debug, Default)]
pub struct Semaphore {
    pub value: u64,
    /// The bound, if it has one.
    pub bound: Option<u64>,
    pub waiters: VecDeque<ThreadId>,
}

/// `threading.Event`.
#[derive(Clone, Debug, Default)]
pub struct Event {
    pub set: bool,
    pub waiters: VecDeque<ThreadId>,
}

/// The queue of threads that wait for an object.
fn queue(vm: &mut Vm, object: Ref<Object>) -> Option<&mut VecDeque<ThreadId>> {
    match &mut vm.heap.objects[object] {
        Object::Lock(it) => Some(&mut it.waiters),
        Object::RLock(it) => Some(&mut it.waiters),
        Object::Condition(it) => Some(&mut it.waiters),
        Object::Semaphore(it) => Some(&mut it.waiters),
        Object::Event(it) => Some(&mut it.waiters),
        _ => None,
    }
}

/// Puts a thread at the end of the queue of what it waits for.
pub(super) fn enqueue(vm: &mut Vm, object: Ref<Object>, thread: ThreadId) {
    if let Some(queue) = queue(vm, object) {
        queue.push_back(thread);
    }
}

/// Takes a thread out of the queue of what it waited for.
pub(super) fn dequeue(vm: &mut Vm, object: Ref<Object>, thread: ThreadId) {
    if let Some(queue) = queue(vm, object) {
        queue.retain(|&it| it != thread);
    }
}

/// A thread that was woken will not look at the object after all: the next waiter must.
pub(super) fn renounce(vm: &mut Vm, object: Ref<Object>) {
    if let Some(queue) = queue(vm, object)
        && let Some(&next) = queue.front()
    {
        vm.wake(next);
    }
}
