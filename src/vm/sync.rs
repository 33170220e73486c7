//! Lock, RLock, Condition, Semaphore and Event: plain state in the VM, guarded by its lock like everything else. Wakes threads by marking them
//! ready (`Vm::wake`); parks nobody itself.
//!
//! Releasing makes the object free and wakes the first waiter, which then tries again: a newcomer may get there first, as in CPython.

use crate::vm::thread::ThreadId;
use crate::vm::value::Value;
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
