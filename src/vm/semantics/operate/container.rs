//! Operators of sets, dict views and dicts.

use crate::operator::BinaryOp;
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx};

impl Ctx<'_> {
    /// `a op b` of containers; none if it is not theirs.
    pub(super) fn container_binary(
        &mut self,
        op: BinaryOp,
        a: Value,
        b: Value,
    ) -> Result<Option<Value>, Abrupt> {
        match (op, a, b) {
            (BinaryOp::BitOr, Value::Dict(left), Value::Dict(right)) => {
                let made = self.once(|ctx| {
                    let copy = ctx.vm.heap.dicts[left].copied();
                    Ok(ctx.vm.heap.new_dict(copy))
                })?;
                let Value::Dict(target) = made else {
                    unreachable!("just made")
                };
                self.dict_merge(target, right)?;
                Ok(Some(made))
            }
            _ => self.set_operate(op, a, b),
        }
    }

    /// `a op= b` of containers that it changes; none if it is not theirs.
    pub(super) fn container_in_place(
        &mut self,
        op: BinaryOp,
        a: Value,
        b: Value,
    ) -> Result<Option<Value>, Abrupt> {
        match (op, a) {
            (BinaryOp::BitOr, Value::Dict(target)) => {
                self.dict_update(target, b)?;
                Ok(Some(a))
            }
            _ => self.set_operate_in_place(op, a, b),
        }
    }
}
