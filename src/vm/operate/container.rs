//! Operators of sets, dict views and dicts.

use crate::syntax::ast::BinaryOp;
use crate::vm::native::{Ctx, Interrupt};
use crate::vm::value::Value;

impl Ctx<'_> {
    /// `a op b` of containers; none if it is not theirs.
    pub(super) fn container_binary(
        &mut self,
        _op: BinaryOp,
        _a: Value,
        _b: Value,
    ) -> Result<Option<Value>, Interrupt> {
        Ok(None)
    }

    /// `a op= b` of containers that it changes; none if it is not theirs.
    pub(super) fn container_in_place(
        &mut self,
        _op: BinaryOp,
        _a: Value,
        _b: Value,
    ) -> Result<Option<Value>, Interrupt> {
        Ok(None)
    }
}
