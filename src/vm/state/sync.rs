//! Lock, `RLock`, Condition, Semaphore and Event: plain state in the VM, guarded by its lock like
//! everything else. Wakes threads by marking them ready (`Vm::wake`); parks nobody itself.
//!
//! Releasing makes the object free and wakes the first waiter, which then tries again: a newcomer
//! may get there first, as in CPython.

use crate::vm::Vm;
use crate::vm::heap::object::Object;
use crate::vm::heap::value::{Ref, ThreadId};
use crate::vm::heap::work::Work;
use std::collections::VecDeque;

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
pub(in crate::vm) fn enqueue(vm: &mut Vm, object: Ref<Object>, thread: ThreadId) {
    if let Some(queue) = queue(vm, object) {
        queue.push_back(thread);
    }
}

/// Takes a thread out of the queue of what it waited for.
pub(in crate::vm) fn dequeue(vm: &mut Vm, object: Ref<Object>, thread: ThreadId) {
    if let Some(queue) = queue(vm, object) {
        queue.retain(|&it| it != thread);
    }
}

/// A thread that was woken will not look at the object after all: the next waiter must.
pub(in crate::vm) fn renounce(vm: &mut Vm, object: Ref<Object>) {
    if let Some(queue) = queue(vm, object)
        && let Some(&next) = queue.front()
    {
        vm.wake(next);
    }
}

/// Takes a lock or an `RLock` for a thread if it is to be had, an `RLock` `count` times over.
pub(in crate::vm) fn try_take(
    vm: &mut Vm,
    object: Ref<Object>,
    thread: ThreadId,
    count: u32,
) -> bool {
    vm.heap.worked(Work::Lock, 1);
    match &mut vm.heap.objects[object] {
        Object::Lock(lock) => {
            let free = !lock.locked;
            if free {
                lock.locked = true;
                lock.holder = Some(thread);
            }
            free
        }
        Object::RLock(lock) => {
            let free = lock.count == 0 || lock.holder == Some(thread);
            if free {
                lock.holder = Some(thread);
                lock.count += count;
            }
            free
        }
        Object::Semaphore(semaphore) => {
            let free = semaphore.value > 0;
            if free {
                semaphore.value -= 1;
            }
            free
        }
        _ => false,
    }
}

/// Lets go of a lock (whoever holds it) or of an `RLock` (its holder alone), of all its levels if
/// `fully`. The number of levels, or none if the thread may not.
pub(in crate::vm) fn release(
    vm: &mut Vm,
    object: Ref<Object>,
    thread: ThreadId,
    fully: bool,
) -> Option<u32> {
    vm.heap.worked(Work::Lock, 1);
    let (levels, next) = match &mut vm.heap.objects[object] {
        Object::Lock(lock) if lock.locked => {
            lock.locked = false;
            lock.holder = None;
            (1, lock.waiters.front().copied())
        }
        Object::RLock(lock) if lock.count > 0 && lock.holder == Some(thread) => {
            let levels = if fully { lock.count } else { 1 };
            lock.count -= levels;
            let free = lock.count == 0;
            if free {
                lock.holder = None;
            }
            (levels, lock.waiters.front().copied().filter(|_| free))
        }
        _ => return None,
    };
    if let Some(next) = next {
        vm.wake(next);
    }
    Some(levels)
}

/// Does the thread hold the lock? Of a plain lock nobody knows whose it is, as in CPython: it is
/// held or not.
pub(in crate::vm) fn is_held(vm: &Vm, object: Ref<Object>, thread: ThreadId) -> bool {
    match &vm.heap.objects[object] {
        Object::Lock(lock) => lock.locked,
        Object::RLock(lock) => lock.count > 0 && lock.holder == Some(thread),
        _ => false,
    }
}

/// Wakes the first threads that wait for an object, at most so many.
pub(in crate::vm) fn wake_first(vm: &mut Vm, object: Ref<Object>, most: usize) {
    for _ in 0..most {
        let Some(next) = queue(vm, object).and_then(VecDeque::pop_front) else {
            return;
        };
        vm.wake(next);
    }
}
