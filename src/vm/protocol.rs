//! The protocols of the language as natives use them: truth, equality, order, hash, text, length, iteration, items. Each does what the operator or the
//! builtin of that name does, for every value, and asks the script where a dunder method is defined there.

use crate::syntax::ast::CompareOp;
use crate::vm::native::{Ctx, Interrupt};
use crate::vm::value::Value;

impl Ctx<'_> {
    /// `bool(value)`.
    pub fn truth(&mut self, value: Value) -> Result<bool, Interrupt> {
        let _ = value;
        todo!()
    }
    /// `a == b`, as a truth value; identical objects are equal, as containers have it (`PyObject_RichCompareBool`).
    pub fn equal(&mut self, a: Value, b: Value) -> Result<bool, Interrupt> {
        let _ = (a, b);
        todo!()
    }
    /// `a op b`, any comparison operator, `in` and `is` included.
    pub fn compare(&mut self, op: CompareOp, a: Value, b: Value) -> Result<Value, Interrupt> {
        let _ = (op, a, b);
        todo!()
    }
    /// `hash(value)`, CPython's numbers for everything but text.
    pub fn hash(&mut self, value: Value) -> Result<i64, Interrupt> {
        let _ = value;
        todo!()
    }
    /// `repr(value)`.
    pub fn repr(&mut self, value: Value) -> Result<String, Interrupt> {
        let _ = value;
        todo!()
    }
    /// `str(value)`.
    pub fn str(&mut self, value: Value) -> Result<String, Interrupt> {
        let _ = value;
        todo!()
    }
    /// `len(value)`.
    pub fn len(&mut self, value: Value) -> Result<usize, Interrupt> {
        let _ = value;
        todo!()
    }
    /// `iter(value)`.
    pub fn iter(&mut self, value: Value) -> Result<Value, Interrupt> {
        let _ = value;
        todo!()
    }
    /// `next(iterator)`; none when it is exhausted. Changes the iterator only when no ask is open.
    pub fn next(&mut self, iterator: Value) -> Result<Option<Value>, Interrupt> {
        let _ = iterator;
        todo!()
    }
    /// All items of an iterable.
    pub fn collect(&mut self, iterable: Value) -> Result<Vec<Value>, Interrupt> {
        let _ = iterable;
        todo!()
    }
    /// `object[key]`.
    pub fn get_item(&mut self, object: Value, key: Value) -> Result<Value, Interrupt> {
        let _ = (object, key);
        todo!()
    }
    /// `object[key] = value`.
    pub fn set_item(&mut self, object: Value, key: Value, value: Value) -> Result<(), Interrupt> {
        let _ = (object, key, value);
        todo!()
    }
    /// `del object[key]`.
    pub fn del_item(&mut self, object: Value, key: Value) -> Result<(), Interrupt> {
        let _ = (object, key);
        todo!()
    }
}
