//! Constant folding of one node whose operands are folded already: arithmetic on literals that
//! cannot raise and whose result stays small. The bounds are those of CPython's `Python/ast_opt.c`
//! (128 bits, 4,096 characters).

use crate::compile::derived::Derived;
use crate::operator::{BinaryOp, UnaryOp};
use crate::syntax::ast::{Expr, ExprKind};
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::{Signed, ToPrimitive, Zero};

const MAX_BITS: u64 = 128;
const MAX_LENGTH: usize = 4096;

/// Replaces `node` by its value if it is arithmetic on literals, and there is room for it.
pub(super) fn fold(node: &mut Expr, derived: &mut Derived) {
    let value = match &node.kind {
        ExprKind::Unary { op, operand } => unary(*op, &operand.kind),
        ExprKind::Binary { op, left, right } => binary(*op, &left.kind, &right.kind),
        _ => None,
    };
    if let (Some(ExprKind::Str(text)), ExprKind::Binary { left, right, .. }) = (&value, &node.kind)
        && !derived.take(text.len().saturating_sub(length(left) + length(right)))
    {
        return;
    }
    if let Some(value) = value {
        node.kind = value;
        node.depth = 1;
    }
}

/// The truth of a literal, if it is one.
pub(super) fn truth(node: &Expr) -> Option<bool> {
    match &node.kind {
        ExprKind::None | ExprKind::False => Some(false),
        ExprKind::True | ExprKind::Ellipsis => Some(true),
        ExprKind::Int(value) => Some(!value.is_zero()),
        ExprKind::Float(value) => Some(*value != 0.0),
        ExprKind::Str(text) => Some(!text.is_empty()),
        ExprKind::Bytes(bytes) => Some(!bytes.is_empty()),
        _ => None,
    }
}

/// The length of a text, which goes when it becomes part of another.
fn length(node: &Expr) -> usize {
    match &node.kind {
        ExprKind::Str(text) => text.len(),
        _ => 0,
    }
}

fn boolean(value: bool) -> ExprKind {
    if value {
        ExprKind::True
    } else {
        ExprKind::False
    }
}

fn unary(op: UnaryOp, operand: &ExprKind) -> Option<ExprKind> {
    match (op, operand) {
        (UnaryOp::Neg, ExprKind::Int(value)) => Some(ExprKind::Int(-value)),
        (UnaryOp::Neg, ExprKind::Float(value)) => Some(ExprKind::Float(-value)),
        (UnaryOp::Pos, ExprKind::Int(value)) => Some(ExprKind::Int(value.clone())),
        (UnaryOp::Pos, ExprKind::Float(value)) => Some(ExprKind::Float(*value)),
        (UnaryOp::Invert, ExprKind::Int(value)) => Some(ExprKind::Int(!value)),
        (UnaryOp::Not, ExprKind::True) => Some(boolean(false)),
        (UnaryOp::Not, ExprKind::False | ExprKind::None) => Some(boolean(true)),
        _ => None,
    }
}

fn binary(op: BinaryOp, left: &ExprKind, right: &ExprKind) -> Option<ExprKind> {
    match (left, right) {
        (ExprKind::Int(a), ExprKind::Int(b)) => integers(op, a, b),
        (ExprKind::Float(a), ExprKind::Float(b)) => floats(op, *a, *b),
        (ExprKind::Float(a), ExprKind::Int(b)) => floats(op, *a, exact(b)?),
        (ExprKind::Int(a), ExprKind::Float(b)) => floats(op, exact(a)?, *b),
        (ExprKind::Str(a), ExprKind::Str(b)) if op == BinaryOp::Add => {
            (a.len() + b.len() <= MAX_LENGTH).then(|| ExprKind::Str(format!("{a}{b}").into()))
        }
        (ExprKind::Str(text), ExprKind::Int(times))
        | (ExprKind::Int(times), ExprKind::Str(text))
            if op == BinaryOp::Mul =>
        {
            let times = times.to_usize()?;
            (text.len().checked_mul(times)? <= MAX_LENGTH)
                .then(|| ExprKind::Str(text.repeat(times).into()))
        }
        _ => None,
    }
}

/// An integer as a float where that loses nothing.
fn exact(value: &BigInt) -> Option<f64> {
    (value.bits() <= 53).then(|| value.to_f64()).flatten()
}

fn integers(op: BinaryOp, a: &BigInt, b: &BigInt) -> Option<ExprKind> {
    if a.bits() > MAX_BITS || b.bits() > MAX_BITS {
        return None;
    }
    let value = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::FloorDiv if !b.is_zero() => a.div_floor(b),
        BinaryOp::Mod if !b.is_zero() => a.mod_floor(b),
        BinaryOp::Div if !b.is_zero() => return Some(ExprKind::Float(exact(a)? / exact(b)?)),
        BinaryOp::Pow if !b.is_negative() => {
            let exponent = b.to_u32()?;
            if a.bits().checked_mul(u64::from(exponent))? > MAX_BITS {
                return None;
            }
            a.pow(exponent)
        }
        BinaryOp::BitAnd => a & b,
        BinaryOp::BitOr => a | b,
        BinaryOp::BitXor => a ^ b,
        BinaryOp::Shl if !b.is_negative() => {
            let by = b.to_u64()?;
            if a.bits().checked_add(by)? > MAX_BITS {
                return None;
            }
            a << by
        }
        BinaryOp::Shr if !b.is_negative() => a >> b.to_u64()?,
        BinaryOp::FloorDiv
        | BinaryOp::Mod
        | BinaryOp::Div
        | BinaryOp::Pow
        | BinaryOp::Shl
        | BinaryOp::Shr => return None,
    };
    (value.bits() <= MAX_BITS).then_some(ExprKind::Int(value))
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Option<ExprKind> {
    let value = match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div if b != 0.0 => a / b,
        BinaryOp::Div
        | BinaryOp::FloorDiv
        | BinaryOp::Mod
        | BinaryOp::Pow
        | BinaryOp::BitAnd
        | BinaryOp::BitOr
        | BinaryOp::BitXor
        | BinaryOp::Shl
        | BinaryOp::Shr => return None,
    };
    Some(ExprKind::Float(value))
}
