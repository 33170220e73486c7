//! What a suspended generator runs over: the sub-iterator of its `yield from`.

use crate::bytecode::op::{CodeIx, Op, Reg};
use crate::vm::Vm;
use crate::vm::heap::object::{Generator, GeneratorState};
use crate::vm::heap::value::{Ref, Value};

impl Vm {
    /// The register of the sub-iterator, if the next instruction is a `yield from`.
    pub(in crate::vm) fn delegate_at(&self, code: CodeIx, pc: u32) -> Option<Reg> {
        match self.image.program.codes[code.0 as usize]
            .ops
            .get(pc as usize)
        {
            Some(&Op::YieldFrom { iter, .. }) => Some(iter),
            _ => None,
        }
    }

    /// What a generator's `yield from` runs over, if it is suspended there.
    pub(in crate::vm) fn sub_iterator(&self, generator: Ref<Generator>) -> Option<Value> {
        let object = &self.heap.generators[generator];
        let GeneratorState::Suspended { .. } = object.state else {
            return None;
        };
        let code = self.heap.functions[object.function].code;
        let iter = self.delegate_at(code, object.pc)?;
        object.registers.get(usize::from(iter.0)).copied()
    }
}
