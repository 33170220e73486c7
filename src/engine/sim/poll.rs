//! Where the holder of a lock looks whether it is to let go: the poll classes of the bytecode, seen
//! from what an instruction did.

use crate::bytecode::op::{Cost, Op, Poll};
use crate::gil::lock::{Builtins, Polls};
use crate::vm::Vm;
use crate::vm::class::Type;
use crate::vm::object::Object;
use crate::vm::thread::Frame;
use crate::vm::value::{ThreadId, Value};

/// Where a thread is before an instruction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    depth: usize,
    frame: Frame,
    op: Op,
    /// It calls a builtin that CPython has an instruction for.
    specialised: bool,
    /// It is the `with` of a `Lock` or `RLock`.
    enters_lock: bool,
    /// It is in code of the library that stands for C.
    internal: bool,
}

impl Before {
    /// None if the thread has no frame yet.
    pub(super) fn of(vm: &Vm, thread: ThreadId) -> Option<Before> {
        let state = &vm.threads[thread.0 as usize];
        let frame = *state.frames.last()?;
        let code = &vm.image.program.codes[frame.code.0 as usize];
        let op = *code.ops.get(frame.pc as usize)?;
        Some(Before {
            depth: state.frames.len(),
            frame,
            op,
            specialised: is_specialised(vm, thread, &frame, op),
            enters_lock: enters_lock(vm, thread, &frame, op),
            internal: code.internal,
        })
    }

    /// Does the holder look now that the instruction has run?
    pub(super) fn polls(&self, vm: &Vm, thread: ThreadId, polls: Polls) -> bool {
        let state = &vm.threads[thread.0 as usize];
        let Some(after) = state.frames.last() else {
            return false;
        };
        let depth = state.frames.len();
        if vm.image.program.codes[after.code.0 as usize].internal {
            // The `__enter__` of a lock that is made of another one is a function in CPython.
            let enters = matches!(self.op, Op::WithEnter { .. }) && !self.internal;
            return enters && depth > self.depth && polls.entry;
        }
        if depth > self.depth {
            return polls.entry;
        }
        if depth < self.depth {
            // The end of a library function is that of a builtin.
            return if self.internal { true } else { polls.return_ };
        }
        match self.op.kind().poll() {
            Poll::Never => polls.locals,
            Poll::Plain => polls.plain,
            Poll::Return => polls.return_,
            Poll::Jump | Poll::Loop => {
                let backward = after.pc <= self.frame.pc;
                let taken = after.pc != self.frame.pc + 1;
                let compares = self.op.kind().cost() == Cost::Compare;
                (backward && polls.backward_jump)
                    || (taken && !backward && is_conditional(self.op) && polls.forward_jump)
                    || (compares && polls.plain)
            }
            Poll::Call if self.enters_lock => polls.lock_enter,
            Poll::Call => match polls.builtin {
                Builtins::All => true,
                Builtins::Unspecialised => !self.specialised,
            },
        }
    }
}

fn is_conditional(op: Op) -> bool {
    !matches!(op, Op::Jump { .. })
}

/// In CPython these two have an `__enter__` in C; those of all other locks are functions, at whose
/// start it looks.
fn enters_lock(vm: &Vm, thread: ThreadId, frame: &Frame, op: Op) -> bool {
    let Op::WithEnter { manager, .. } = op else {
        return false;
    };
    let at = frame.base as usize + manager.0 as usize;
    match vm.threads[thread.0 as usize].stack.get(at) {
        Some(Value::Object(it)) => {
            matches!(vm.heap.objects[*it], Object::Lock(_) | Object::RLock(_))
        }
        _ => false,
    }
}

/// `len`, `isinstance`, `list.append` and `type(x)`.
fn is_specialised(vm: &Vm, thread: ThreadId, frame: &Frame, op: Op) -> bool {
    let register = |at: u16| {
        vm.threads[thread.0 as usize]
            .stack
            .get(frame.base as usize + at as usize)
    };
    #[expect(
        clippy::match_same_arms,
        reason = "what is no call although it takes the place of one is named"
    )]
    match op {
        // Preparing a loop over a range is no call.
        Op::RangePrep { .. } => false,
        Op::Call { base, count, .. } => match register(base.0) {
            Some(Value::Native(native)) => vm.image.natives.has_own_instruction(*native),
            Some(Value::Class(class)) => count.0 == 1 && *class == Type::Type.class(),
            _ => false,
        },
        Op::CallMethod { base, count, .. } => {
            count.0 == 1
                && matches!(register(base.0), Some(Value::Native(native)) if *native == vm.list_append)
                && matches!(register(base.0 + 1), Some(Value::List(_)))
        }
        _ => false,
    }
}
