//! The arithmetic operators for every value: numbers, concatenation and repetition, `%` formatting,
//! sets, and the dunder methods of the script with their reflected and in-place forms, tried in the
//! order of `Objects/abstract.c` and `slot_nb_add` of `Objects/typeobject.c`.

mod container;
mod convert;
mod number;
mod sequence;

pub(in crate::vm) use number::Number;

use crate::operator::{BinaryOp, UnaryOp};
use crate::vm::heap::class::{Name, name};
use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::integer::{left_shifted_bits, shift_left, shift_right};
use crate::vm::heap::value::Value;
use crate::vm::state::native::{Abrupt, Ctx};
use num_bigint::BigInt;

/// What an operator is called: its method, the reflected and the in-place one, and its symbol in
/// messages.
struct Spelling {
    method: Name,
    reflected: Name,
    in_place: Name,
    symbol: &'static str,
}

const fn spelling(op: BinaryOp) -> Spelling {
    let (method, reflected, in_place, symbol) = match op {
        BinaryOp::Add => (name::ADD, name::RADD, name::IADD, "+"),
        BinaryOp::Sub => (name::SUB, name::RSUB, name::ISUB, "-"),
        BinaryOp::Mul => (name::MUL, name::RMUL, name::IMUL, "*"),
        BinaryOp::Div => (name::TRUEDIV, name::RTRUEDIV, name::ITRUEDIV, "/"),
        BinaryOp::FloorDiv => (name::FLOORDIV, name::RFLOORDIV, name::IFLOORDIV, "//"),
        BinaryOp::Mod => (name::MOD, name::RMOD, name::IMOD, "%"),
        BinaryOp::Pow => (name::POW, name::RPOW, name::IPOW, "** or pow()"),
        BinaryOp::BitAnd => (name::AND, name::RAND, name::IAND, "&"),
        BinaryOp::BitOr => (name::OR, name::ROR, name::IOR, "|"),
        BinaryOp::BitXor => (name::XOR, name::RXOR, name::IXOR, "^"),
        BinaryOp::Shl => (name::LSHIFT, name::RLSHIFT, name::ILSHIFT, "<<"),
        BinaryOp::Shr => (name::RSHIFT, name::RRSHIFT, name::IRSHIFT, ">>"),
    };
    Spelling {
        method,
        reflected,
        in_place,
        symbol,
    }
}

impl Ctx<'_> {
    /// `a op b`.
    pub fn binary(&mut self, op: BinaryOp, a: Value, b: Value) -> Result<Value, Abrupt> {
        if let Some(value) = self.try_binary(op, a, b)? {
            return Ok(value);
        }
        if let Some(value) = self.sequence_binary(op, a, b)? {
            return Ok(value);
        }
        let symbol = spelling(op).symbol;
        let hint = match (op, a) {
            (BinaryOp::Shr, Value::Native(print))
                if Some(print) == self.vm.image.natives.find("print") =>
            {
                ". Did you mean \"print(<message>, file=<output_stream>)\"?"
            }
            _ => "",
        };
        Err(self.unsupported(symbol, a, b, hint))
    }

    /// `a op= b`: what is to be assigned.
    pub fn in_place(&mut self, op: BinaryOp, a: Value, b: Value) -> Result<Value, Abrupt> {
        let Spelling {
            in_place, symbol, ..
        } = spelling(op);
        if let Some(method) = self.vm.special(a, in_place) {
            let value = self.call(method, &[a, b])?;
            if !matches!(value, Value::NotImplemented) {
                return Ok(value);
            }
        }
        if let Some(value) = self.container_in_place(op, a, b)? {
            return Ok(value);
        }
        if let Some(value) = self.try_binary(op, a, b)? {
            return Ok(value);
        }
        if let Some(value) = self.list_in_place(op, a, b)? {
            return Ok(value);
        }
        if let Some(value) = self.sequence_binary(op, a, b)? {
            return Ok(value);
        }
        let symbol = if op == BinaryOp::Pow { "**" } else { symbol };
        Err(self.unsupported(&format!("{symbol}="), a, b, ""))
    }

    /// The operator by what numbers and containers know and by the script's methods; none if all of
    /// them decline.
    fn try_binary(&mut self, op: BinaryOp, a: Value, b: Value) -> Result<Option<Value>, Abrupt> {
        if let Some(value) = self.builtin_binary(op, a, b)? {
            return Ok(Some(value));
        }
        let Spelling {
            method, reflected, ..
        } = spelling(op);
        self.by_methods(method, reflected, a, b)
    }

    /// The operator for two values of builtin types; none if it declines.
    pub(in crate::vm) fn builtin_binary(
        &mut self,
        op: BinaryOp,
        a: Value,
        b: Value,
    ) -> Result<Option<Value>, Abrupt> {
        if let (Some(x), Some(y)) = (Number::of(a), Number::of(b)) {
            if let (Value::Bool(x), Value::Bool(y)) = (a, b) {
                match op {
                    BinaryOp::BitAnd => return Ok(Some(Value::Bool(x & y))),
                    BinaryOp::BitOr => return Ok(Some(Value::Bool(x | y))),
                    BinaryOp::BitXor => return Ok(Some(Value::Bool(x ^ y))),
                    BinaryOp::Add
                    | BinaryOp::Sub
                    | BinaryOp::Mul
                    | BinaryOp::Div
                    | BinaryOp::FloorDiv
                    | BinaryOp::Mod
                    | BinaryOp::Pow
                    | BinaryOp::Shl
                    | BinaryOp::Shr => {}
                }
            }
            return self.number_binary(op, x, y);
        }
        match (op, a) {
            (BinaryOp::Mod, Value::Str(text)) => self.percent_str(text, b).map(Some),
            (BinaryOp::Mod, Value::Bytes(bytes)) => self.percent_bytes(bytes, b).map(Some),
            _ => self.container_binary(op, a, b),
        }
    }

    /// The operator by the methods that the script defined for it; none if there is none or all
    /// return `NotImplemented`.
    pub(in crate::vm) fn by_methods(
        &mut self,
        method: Name,
        reflected: Name,
        a: Value,
        b: Value,
    ) -> Result<Option<Value>, Abrupt> {
        let left = self.vm.special(a, method);
        let (class_a, class_b) = (self.vm.class_of(a), self.vm.class_of(b));
        let mut right = if class_a == class_b {
            None
        } else {
            self.vm.special(b, reflected)
        };
        // The right operand goes first if its class derives from the left one's and has a reflected
        // method of its own.
        if let (Some(_), Some(function)) = (left, right)
            && self.vm.is_subclass(class_b, class_a)
            && self
                .vm
                .special(a, reflected)
                .is_none_or(|inherited| !inherited.same(function))
        {
            let value = self.call(function, &[b, a])?;
            if !matches!(value, Value::NotImplemented) {
                return Ok(Some(value));
            }
            right = None;
        }
        for (function, first, second) in [(left, a, b), (right, b, a)] {
            if let Some(function) = function {
                let value = self.call(function, &[first, second])?;
                if !matches!(value, Value::NotImplemented) {
                    return Ok(Some(value));
                }
            }
        }
        Ok(None)
    }

    /// `TypeError` for an operator that neither operand knows.
    pub(in crate::vm) fn unsupported(
        &mut self,
        symbol: &str,
        a: Value,
        b: Value,
        hint: &str,
    ) -> Abrupt {
        let message = format!(
            "unsupported operand type(s) for {symbol}: '{}' and '{}'{hint}",
            self.vm.type_name(a),
            self.vm.type_name(b)
        );
        self.type_error(message)
    }

    /// `op a`; `not` included.
    pub fn unary(&mut self, op: UnaryOp, a: Value) -> Result<Value, Abrupt> {
        let (method, symbol) = match op {
            UnaryOp::Not => return Ok(Value::Bool(!self.truth(a)?)),
            UnaryOp::Neg => (name::NEG, "-"),
            UnaryOp::Pos => (name::POS, "+"),
            UnaryOp::Invert => (name::INVERT, "~"),
        };
        match (op, Number::of(a)) {
            (UnaryOp::Neg, Some(Number::Int(it))) => Ok(match it.checked_neg() {
                Some(negative) => Value::Int(negative),
                None => self.vm.heap.new_int(-BigInt::from(it)),
            }),
            (UnaryOp::Neg, Some(Number::Big(it))) => {
                let negative = -&self.vm.heap.bigs[it];
                Ok(self.vm.heap.new_int(negative))
            }
            (UnaryOp::Neg, Some(Number::Float(it))) => Ok(Value::Float(-it)),
            (UnaryOp::Pos, Some(number)) => Ok(number.value()),
            (UnaryOp::Invert, Some(Number::Int(it))) => Ok(Value::Int(!it)),
            (UnaryOp::Invert, Some(Number::Big(it))) => {
                let inverted = !&self.vm.heap.bigs[it];
                Ok(self.vm.heap.new_int(inverted))
            }
            (UnaryOp::Invert, Some(Number::Float(_)))
            | (UnaryOp::Neg | UnaryOp::Pos | UnaryOp::Invert | UnaryOp::Not, _) => {
                if let Some(method) = self.vm.special(a, method) {
                    return self.call(method, &[a]);
                }
                let message = format!(
                    "bad operand type for unary {symbol}: '{}'",
                    self.vm.type_name(a)
                );
                Err(self.type_error(message))
            }
        }
    }

    /// Sees that there is room for so many bytes, which the native will take: for its result, or
    /// only as long as it runs. If need be garbage is collected, and the native called again; so
    /// this is an ask like any other, and comes before any change. `MemoryError` if there is too
    /// much that lives.
    pub fn reserve(&mut self, bytes: usize) -> Result<(), Abrupt> {
        let bytes = self.held.saturating_add(bytes);
        if self.vm.has_room(bytes) {
            Ok(())
        } else {
            Err(Abrupt::Room { bytes })
        }
    }

    /// The same after something was changed: the native cannot be called again, so that garbage
    /// counts as if it lived.
    pub(in crate::vm) fn reserve_midway(&mut self, bytes: usize) -> Result<(), Abrupt> {
        let bytes = self.held.saturating_add(bytes);
        if self.vm.has_room(bytes) {
            Ok(())
        } else {
            Err(self.raise(Fault::memory()))
        }
    }

    /// `a << b` or `a >> b` of integers.
    fn shift(&mut self, op: BinaryOp, a: Number, b: Number) -> Result<Value, Abrupt> {
        if op == BinaryOp::Shl {
            let bits = left_shifted_bits(&a.big(&self.vm.heap), &b.big(&self.vm.heap));
            self.reserve(usize::try_from(bits / 8).unwrap_or(usize::MAX))?;
        }
        let (a, b) = (a.big(&self.vm.heap), b.big(&self.vm.heap));
        let result = if op == BinaryOp::Shl {
            shift_left(&a, &b)
        } else {
            shift_right(&a, &b)
        };
        self.new_integer(result)
    }
}
