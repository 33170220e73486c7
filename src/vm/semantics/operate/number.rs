//! The operators for numbers: within 64 bits at once, beyond with big integers, with a float in
//! floats.

use crate::operator::BinaryOp;
use crate::vm::heap::Heap;
use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::{float, integer};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};
use num_bigint::BigInt;
use num_traits::Signed;
use std::borrow::Cow;

/// A value that is a number; a bool is an integer.
#[derive(Clone, Copy, Debug)]
pub(in crate::vm) enum Number {
    Int(i64),
    Big(Ref<BigInt>),
    Float(f64),
}

impl Number {
    pub(in crate::vm) fn of(value: Value) -> Option<Number> {
        match value {
            Value::Bool(truth) => Some(Number::Int(i64::from(truth))),
            Value::Int(it) => Some(Number::Int(it)),
            Value::Big(it) => Some(Number::Big(it)),
            Value::Float(it) => Some(Number::Float(it)),
            _ => None,
        }
    }

    pub(in crate::vm) fn value(self) -> Value {
        match self {
            Number::Int(it) => Value::Int(it),
            Number::Big(it) => Value::Big(it),
            Number::Float(it) => Value::Float(it),
        }
    }

    /// The integer that it is; a float is none.
    pub(in crate::vm) fn big(self, heap: &Heap) -> Cow<'_, BigInt> {
        match self {
            Number::Int(it) => Cow::Owned(it.into()),
            Number::Big(it) => Cow::Borrowed(&heap.bigs[it]),
            Number::Float(_) => unreachable!("callers handle floats before integers"),
        }
    }

    /// As a float; an integer may be too large.
    pub(in crate::vm) fn float(self, heap: &Heap) -> Result<f64, Fault> {
        match self {
            Number::Int(it) => Ok(it as f64),
            Number::Big(it) => float::from_big(&heap.bigs[it])
                .ok_or_else(|| Fault::overflow("int too large to convert to float")),
            Number::Float(it) => Ok(it),
        }
    }

    fn is_float(self) -> bool {
        matches!(self, Number::Float(_))
    }

    fn is_zero(self) -> bool {
        match self {
            Number::Int(it) => it == 0,
            Number::Big(_) => false,
            Number::Float(it) => it == 0.0,
        }
    }
}

impl Ctx<'_> {
    /// A computed integer as a value, or its fault raised.
    pub(in crate::vm) fn new_integer(
        &mut self,
        integer: Result<BigInt, Fault>,
    ) -> Result<Value, Abrupt> {
        let integer = self.ok(integer)?;
        Ok(self.vm.heap.new_int(integer))
    }

    pub(super) fn number_binary(
        &mut self,
        op: BinaryOp,
        a: Number,
        b: Number,
    ) -> Result<Option<Value>, Abrupt> {
        if a.is_float() || b.is_float() {
            return self.float_binary(op, a, b);
        }
        if let (Number::Int(x), Number::Int(y)) = (a, b)
            && let Some(value) = small(op, x, y)
        {
            return Ok(Some(value));
        }
        self.big_binary(op, a, b).map(Some)
    }

    /// `a op b` of integers of any size.
    fn big_binary(&mut self, op: BinaryOp, a: Number, b: Number) -> Result<Value, Abrupt> {
        let divided = |heap: &Heap| integer::divide(&a.big(heap), &b.big(heap));
        let heap = &self.vm.heap;
        let result = match op {
            BinaryOp::Add => Ok(&*a.big(heap) + &*b.big(heap)),
            BinaryOp::Sub => Ok(&*a.big(heap) - &*b.big(heap)),
            BinaryOp::Mul => integer::multiply(&a.big(heap), &b.big(heap)),
            BinaryOp::Div => {
                let quotient = integer::true_divide(&a.big(heap), &b.big(heap));
                return Ok(Value::Float(self.ok(quotient)?));
            }
            BinaryOp::FloorDiv | BinaryOp::Mod if b.is_zero() => {
                Err(Fault::zero_division(if op == BinaryOp::Mod {
                    "integer modulo by zero"
                } else {
                    "integer division or modulo by zero"
                }))
            }
            BinaryOp::FloorDiv => divided(heap).map(|(quotient, _)| quotient),
            BinaryOp::Mod => divided(heap).map(|(_, rest)| rest),
            BinaryOp::Pow => {
                let exponent = b.big(heap);
                if exponent.is_negative() {
                    let power = a.float(heap).and_then(|a| float::power(a, b.float(heap)?));
                    return Ok(Value::Float(self.ok(power)?));
                }
                integer::power(&a.big(heap), &exponent)
            }
            BinaryOp::BitAnd => Ok(&*a.big(heap) & &*b.big(heap)),
            BinaryOp::BitOr => Ok(&*a.big(heap) | &*b.big(heap)),
            BinaryOp::BitXor => Ok(&*a.big(heap) ^ &*b.big(heap)),
            BinaryOp::Shl | BinaryOp::Shr => return self.shift(op, a, b),
        };
        let products = self.products(op, a, b, &result);
        self.vm.heap.worked(Work::Digit, products);
        self.new_integer(result)
    }

    /// How many products of digits an operation on integers takes: as many as long multiplication
    /// does, where it multiplies or divides.
    fn products(
        &self,
        op: BinaryOp,
        a: Number,
        b: Number,
        result: &Result<BigInt, Fault>,
    ) -> usize {
        let heap = &self.vm.heap;
        let digits = |number: &BigInt| usize::try_from(number.bits() / 64).unwrap_or(usize::MAX);
        match op {
            BinaryOp::Mul | BinaryOp::FloorDiv | BinaryOp::Mod => {
                let (a, b) = (digits(&a.big(heap)), digits(&b.big(heap)));
                a.saturating_mul(b) / 2
            }
            BinaryOp::Pow => {
                let made = result.as_ref().map_or(0, digits);
                made.saturating_mul(made) / 16
            }
            BinaryOp::Add
            | BinaryOp::Sub
            | BinaryOp::Div
            | BinaryOp::BitAnd
            | BinaryOp::BitOr
            | BinaryOp::BitXor
            | BinaryOp::Shl
            | BinaryOp::Shr => digits(&a.big(heap)).max(digits(&b.big(heap))),
        }
    }

    /// `a op b` where one of them is a float; none for the operators that floats have not.
    fn float_binary(
        &mut self,
        op: BinaryOp,
        a: Number,
        b: Number,
    ) -> Result<Option<Value>, Abrupt> {
        let compute: fn(f64, f64) -> Result<f64, Fault> = match op {
            BinaryOp::Add => |a, b| Ok(a + b),
            BinaryOp::Sub => |a, b| Ok(a - b),
            BinaryOp::Mul => |a, b| Ok(a * b),
            BinaryOp::Div => |a, b| {
                if b == 0.0 {
                    Err(Fault::zero_division("float division by zero"))
                } else {
                    Ok(a / b)
                }
            },
            BinaryOp::FloorDiv => float::floor_divide,
            BinaryOp::Mod => float::modulo,
            BinaryOp::Pow => float::power,
            BinaryOp::BitAnd
            | BinaryOp::BitOr
            | BinaryOp::BitXor
            | BinaryOp::Shl
            | BinaryOp::Shr => return Ok(None),
        };
        let heap = &self.vm.heap;
        let result = a.float(heap).and_then(|a| compute(a, b.float(heap)?));
        Ok(Some(Value::Float(self.ok(result)?)))
    }
}

/// `a op b` within 64 bits; none if the result is not, or is an error.
fn small(op: BinaryOp, a: i64, b: i64) -> Option<Value> {
    let result = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        BinaryOp::Div => {
            // Both are floats exactly, so that one division rounds once.
            let exact = |it: i64| it.unsigned_abs() <= 1 << 53;
            return (b != 0 && exact(a) && exact(b)).then(|| Value::Float(a as f64 / b as f64));
        }
        BinaryOp::FloorDiv => integer::floor_divide_small(a, b),
        BinaryOp::Mod => integer::modulo_small(a, b),
        BinaryOp::Pow => integer::power_small(a, b),
        BinaryOp::BitAnd => Some(a & b),
        BinaryOp::BitOr => Some(a | b),
        BinaryOp::BitXor => Some(a ^ b),
        BinaryOp::Shl => {
            let count = u32::try_from(b).ok().filter(|&count| count < 63)?;
            Some(a << count).filter(|shifted| shifted >> count == a)
        }
        BinaryOp::Shr => u32::try_from(b).ok().map(|count| a >> count.min(63)),
    };
    result.map(Value::Int)
}
