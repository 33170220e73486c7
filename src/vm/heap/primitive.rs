//! What objects to wait with hold: locks and their like as plain data, the ends of channels, and
//! where the script made each. What they do is in `vm::state::sync`.

use crate::bytecode::op::CodeIx;
use crate::vm::heap::class::Name;
use crate::vm::heap::value::{ThreadId, Value};
use std::collections::VecDeque;

/// `threading.Lock`.
#[derive(Clone, Debug, Default)]
pub struct Lock {
    pub locked: bool,
    /// Who took it, for reports; anybody may release it.
    pub holder: Option<ThreadId>,
    pub waiters: VecDeque<ThreadId>,
    pub origin: Option<AllocationSite>,
}

/// `threading.RLock`.
#[derive(Clone, Debug, Default)]
pub struct RLock {
    pub holder: Option<ThreadId>,
    pub count: u32,
    pub waiters: VecDeque<ThreadId>,
    pub origin: Option<AllocationSite>,
}

/// `threading.Condition`, over a Lock or an `RLock`.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The lock object.
    pub lock: Value,
    pub waiters: VecDeque<ThreadId>,
    pub origin: Option<AllocationSite>,
}

/// `threading.Semaphore` and `BoundedSemaphore`.
#[derive(Clone, Debug, Default)]
pub struct Semaphore {
    pub value: u64,
    /// The bound, if it has one.
    pub bound: Option<u64>,
    pub waiters: VecDeque<ThreadId>,
    pub origin: Option<AllocationSite>,
}

/// `threading.Event`.
#[derive(Clone, Debug, Default)]
pub struct Event {
    pub set: bool,
    pub waiters: VecDeque<ThreadId>,
    pub origin: Option<AllocationSite>,
}

/// The call that made an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AllocationSite {
    /// In the script.
    pub(in crate::vm) script: Site,
    /// In the library, if the script called that.
    pub(in crate::vm) library: Option<Inside>,
}

/// The instruction after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vm) struct Site {
    pub(in crate::vm) code: CodeIx,
    pub(in crate::vm) next: u32,
}

/// A place in the library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::vm) struct Inside {
    pub(in crate::vm) site: Site,
    /// What the script asked for there: the class of which the object becomes a part, or the
    /// function that makes it.
    pub(in crate::vm) asked: Name,
}

/// Which end of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChannelEnd {
    /// For sending.
    Writer,
    /// For receiving.
    Reader,
}
