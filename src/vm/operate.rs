//! The arithmetic operators for every value: numbers, concatenation and repetition, `%` formatting, sets, and the dunder methods of the script with their
//! reflected and in-place forms.

use crate::syntax::ast::{BinaryOp, UnaryOp};
use crate::vm::native::{Ctx, Interrupt};
use crate::vm::value::Value;

impl Ctx<'_> {
    /// `a op b`.
    pub fn binary(&mut self, op: BinaryOp, a: Value, b: Value) -> Result<Value, Interrupt> {
        let _ = (op, a, b);
        todo!()
    }
    /// `a op= b`: what is to be assigned.
    pub fn in_place(&mut self, op: BinaryOp, a: Value, b: Value) -> Result<Value, Interrupt> {
        let _ = (op, a, b);
        todo!()
    }
    /// `op a`; `not` included.
    pub fn unary(&mut self, op: UnaryOp, a: Value) -> Result<Value, Interrupt> {
        let _ = (op, a);
        todo!()
    }
    /// `format(value, spec)`.
    pub fn format(&mut self, value: Value, spec: &str) -> Result<String, Interrupt> {
        let _ = (value, spec);
        todo!()
    }
    /// `operator.index(value)` within 64 bits, for indices and counts; `OverflowError` outside.
    pub fn index(&mut self, value: Value) -> Result<i64, Interrupt> {
        let _ = value;
        todo!()
    }
    /// A float from any number (or `__float__`, `__index__`), for `math` and `time`.
    pub fn float(&mut self, value: Value) -> Result<f64, Interrupt> {
        let _ = value;
        todo!()
    }
}
