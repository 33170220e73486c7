//! What both engines say of a process to its parent: the signals that its exit code tells, and what
//! its function returned. Knows no engine.

use crate::vm::fault::Fault;
use crate::vm::slice::Parcel;
use crate::vm::thread::Outcome;
use crate::vm::value::{ThreadId, Value};
use crate::vm::{Vm, parcel};

/// Numbers of signals, as exit codes tell them (`signal(7)`).
pub(crate) const SIGINT: i32 = 2;
pub(crate) const SIGABRT: i32 = 6;
pub const SIGTERM: i32 = 15;

/// What the function of a child returned or raised, as a parcel of `(True, value)` or `(False,
/// exception)`; or the error of packing it.
pub(crate) fn result(vm: &mut Vm, main: ThreadId) -> Result<Parcel, Fault> {
    let (returned, value) = match vm.threads[main.0 as usize].outcome {
        Some(Outcome::Returned(value)) => (true, value),
        Some(Outcome::Raised(exception)) => (false, exception),
        None => (true, Value::None),
    };
    let pair = vm.heap.new_tuple([Value::Bool(returned), value]);
    parcel::encode(vm, pair).map_err(parcel::Refusal::fault)
}
