//! Functions of numbers: `abs`, `round`, `divmod`, `pow`, `bin`, `oct`, `hex`.

use crate::operator::BinaryOp;
use crate::vm::heap::class::name;
use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::{float, integer};
use crate::vm::heap::value::Value;
use crate::vm::semantics::operate::Number;
use crate::vm::state::native::{Abrupt, Ctx, Native, native};
use num_bigint::BigInt;
use num_traits::Signed;

pub(super) const NATIVES: &[Native] = &[
    native("abs", "x, /", abs),
    native("round", "number, ndigits=", round),
    native("divmod", "x, y, /", divmod),
    native("pow", "base, exp, mod=", pow),
    native("bin", "number, /", |ctx| in_base(ctx, 2, "0b")),
    native("oct", "number, /", |ctx| in_base(ctx, 8, "0o")),
    native("hex", "number, /", |ctx| in_base(ctx, 16, "0x")),
];

fn abs(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let x = ctx.arg(0);
    if let Some(number) = Number::of(x) {
        return Ok(absolute(ctx, number));
    }
    if let Some(method) = ctx.vm.special(x, name::ABS) {
        return ctx.call(method, &[x]);
    }
    let message = format!("bad operand type for abs(): '{}'", ctx.vm.type_name(x));
    Err(ctx.type_error(message))
}

/// `abs` of a number.
pub(super) fn absolute(ctx: &mut Ctx<'_>, number: Number) -> Value {
    match number {
        Number::Int(it) => match it.checked_abs() {
            Some(magnitude) => Value::Int(magnitude),
            None => ctx.vm.heap.new_int(BigInt::from(it).abs()),
        },
        Number::Big(it) => {
            let magnitude = ctx.vm.heap.bigs[it].abs();
            ctx.vm.heap.new_int(magnitude)
        }
        Number::Float(it) => Value::Float(it.abs()),
    }
}

fn round(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (value, digits) = (ctx.arg(0), ctx.arg(1));
    if let Some(number) = Number::of(value) {
        return rounded(ctx, number, digits);
    }
    let Some(method) = ctx.vm.special(value, name::ROUND) else {
        let message = format!(
            "type {} doesn't define __round__ method",
            ctx.vm.type_name(value)
        );
        return Err(ctx.type_error(message));
    };
    match digits {
        Value::Unbound | Value::None => ctx.call(method, &[value]),
        _ => ctx.call(method, &[value, digits]),
    }
}

/// `round(number, digits)`.
pub(super) fn rounded(ctx: &mut Ctx<'_>, number: Number, digits: Value) -> Result<Value, Abrupt> {
    let whole = matches!(digits, Value::Unbound | Value::None);
    match number {
        Number::Float(it) if whole => {
            let integer = float::to_integer(it.round_ties_even());
            ctx.new_integer(integer)
        }
        Number::Float(it) => {
            let digits = ctx.index(digits)?;
            let rounded = float::round(it, digits);
            Ok(Value::Float(ctx.ok(rounded)?))
        }
        Number::Int(_) | Number::Big(_) if whole => Ok(number.value()),
        Number::Int(_) | Number::Big(_) => {
            let digits = ctx.integer(digits)?;
            let digits = Number::of(digits).expect("an integer");
            let digits = digits.big(&ctx.vm.heap).into_owned();
            if !digits.is_negative() {
                return Ok(number.value());
            }
            let rounded = integer::round_to_tens(&number.big(&ctx.vm.heap), &-digits);
            ctx.new_integer(rounded)
        }
    }
}

fn divmod(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (x, y) = (ctx.arg(0), ctx.arg(1));
    if let (Some(a), Some(b)) = (Number::of(x), Number::of(y)) {
        return divided(ctx, a, b);
    }
    match ctx.by_methods(name::DIVMOD, name::RDIVMOD, x, y)? {
        Some(value) => Ok(value),
        None => Err(ctx.unsupported("divmod()", x, y, "")),
    }
}

/// `divmod` of two numbers.
pub(super) fn divided(ctx: &mut Ctx<'_>, a: Number, b: Number) -> Result<Value, Abrupt> {
    let heap = &ctx.vm.heap;
    let pair = if matches!(a, Number::Float(_)) || matches!(b, Number::Float(_)) {
        let (a, b) = (a.float(heap), b.float(heap));
        let (a, b) = (ctx.ok(a)?, ctx.ok(b)?);
        if b == 0.0 {
            return Err(ctx.raise(Fault::zero_division("float divmod()")));
        }
        let (quotient, rest) = float::divide(a, b);
        [Value::Float(quotient), Value::Float(rest)]
    } else {
        let divisor = b.big(heap);
        if *divisor == BigInt::ZERO {
            return Err(ctx.raise(Fault::zero_division("integer division or modulo by zero")));
        }
        let result = integer::divide(&a.big(heap), &divisor);
        let (quotient, rest) = ctx.ok(result)?;
        [ctx.vm.heap.new_int(quotient), ctx.vm.heap.new_int(rest)]
    };
    Ok(ctx.vm.heap.new_tuple(pair))
}

fn pow(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (base, exponent, modulus) = (ctx.arg(0), ctx.arg(1), ctx.arg(2));
    if matches!(modulus, Value::Unbound | Value::None) {
        return ctx.binary(BinaryOp::Pow, base, exponent);
    }
    let numbers = (Number::of(base), Number::of(exponent), Number::of(modulus));
    if let (Some(a), Some(b), Some(c)) = numbers {
        if [a, b, c].iter().any(|it| matches!(it, Number::Float(_))) {
            return Err(
                ctx.type_error("pow() 3rd argument not allowed unless all arguments are integers")
            );
        }
        let heap = &ctx.vm.heap;
        let power = integer::power_modulo(&a.big(heap), &b.big(heap), &c.big(heap));
        return ctx.new_integer(power);
    }
    if let Some(method) = ctx.vm.special(base, name::POW) {
        let power = ctx.call(method, &[base, exponent, modulus])?;
        if !matches!(power, Value::NotImplemented) {
            return Ok(power);
        }
    }
    let message = format!(
        "unsupported operand type(s) for ** or pow(): '{}', '{}', '{}'",
        ctx.vm.type_name(base),
        ctx.vm.type_name(exponent),
        ctx.vm.type_name(modulus)
    );
    Err(ctx.type_error(message))
}

fn in_base(ctx: &mut Ctx<'_>, base: u32, prefix: &str) -> Result<Value, Abrupt> {
    let number = ctx.arg(0);
    let number = ctx.integer(number)?;
    let number = Number::of(number).expect("an integer");
    let number = number.big(&ctx.vm.heap);
    let sign = if number.is_negative() { "-" } else { "" };
    let text = format!("{sign}{prefix}{}", number.magnitude().to_str_radix(base));
    Ok(ctx.vm.heap.new_string(text))
}
