//! The module `math`: functions of floats here, those of integers and of many numbers in `integer`.

pub(super) mod integer;

use crate::vm::heap::class::{Name, name};
use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::float::{from_big, to_integer};
use crate::vm::heap::number::special;
use crate::vm::heap::value::Value;
use crate::vm::semantics::operate::Number;
use crate::vm::state::native::{Abrupt, Ctx, Native, module_native};
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};
use std::f64::consts::PI;

/// What an infinite result of a finite argument means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Infinite {
    /// It is too large for a float.
    Range,
    /// The function has no value there.
    Domain,
}
use Infinite::{Domain, Range};

macro_rules! functions {
    ($($name:literal $shown:literal $signature:literal $function:expr;)*) => {
        pub(super) const NATIVES: &[Native] = &[$(module_native($name, $shown, $signature, $function)),*];
    };
}

functions! {
    "_math_acos" "acos" "x, /" |ctx| apply(ctx, f64::acos, Domain);
    "_math_acosh" "acosh" "x, /" |ctx| apply(ctx, special::acosh, Domain);
    "_math_asin" "asin" "x, /" |ctx| apply(ctx, f64::asin, Domain);
    "_math_asinh" "asinh" "x, /" |ctx| apply(ctx, special::asinh, Domain);
    "_math_atan" "atan" "x, /" |ctx| apply(ctx, f64::atan, Domain);
    "_math_atanh" "atanh" "x, /" |ctx| apply(ctx, special::atanh, Domain);
    "_math_cbrt" "cbrt" "x, /" |ctx| apply(ctx, f64::cbrt, Domain);
    "_math_cos" "cos" "x, /" |ctx| apply(ctx, f64::cos, Domain);
    "_math_cosh" "cosh" "x, /" |ctx| apply(ctx, f64::cosh, Range);
    "_math_erf" "erf" "x, /" |ctx| apply(ctx, libm::erf, Domain);
    "_math_erfc" "erfc" "x, /" |ctx| apply(ctx, libm::erfc, Domain);
    "_math_exp" "exp" "x, /" |ctx| apply(ctx, f64::exp, Range);
    "_math_exp2" "exp2" "x, /" |ctx| apply(ctx, f64::exp2, Range);
    "_math_expm1" "expm1" "x, /" |ctx| apply(ctx, f64::exp_m1, Range);
    "_math_fabs" "fabs" "x, /" |ctx| apply(ctx, f64::abs, Domain);
    "_math_gamma" "gamma" "x, /" |ctx| apply_partial(ctx, special::gamma);
    "_math_lgamma" "lgamma" "x, /" |ctx| apply_partial(ctx, special::ln_gamma);
    "_math_log1p" "log1p" "x, /" |ctx| apply(ctx, f64::ln_1p, Domain);
    "_math_sin" "sin" "x, /" |ctx| apply(ctx, f64::sin, Domain);
    "_math_sinh" "sinh" "x, /" |ctx| apply(ctx, f64::sinh, Range);
    "_math_sqrt" "sqrt" "x, /" |ctx| apply(ctx, f64::sqrt, Domain);
    "_math_tan" "tan" "x, /" |ctx| apply(ctx, f64::tan, Domain);
    "_math_tanh" "tanh" "x, /" |ctx| apply(ctx, f64::tanh, Domain);
    "_math_degrees" "degrees" "x, /" |ctx| plain(ctx, |x| x * (180.0 / PI));
    "_math_radians" "radians" "x, /" |ctx| plain(ctx, |x| x * (PI / 180.0));
    "_math_ulp" "ulp" "x, /" |ctx| plain(ctx, ulp);
    "_math_isfinite" "isfinite" "x, /" |ctx| Ok(Value::Bool(float(ctx, 0)?.is_finite()));
    "_math_isinf" "isinf" "x, /" |ctx| Ok(Value::Bool(float(ctx, 0)?.is_infinite()));
    "_math_isnan" "isnan" "x, /" |ctx| Ok(Value::Bool(float(ctx, 0)?.is_nan()));
    "_math_atan2" "atan2" "y, x, /" |ctx| plain2(ctx, f64::atan2);
    "_math_copysign" "copysign" "x, y, /" |ctx| plain2(ctx, f64::copysign);
    "_math_nextafter" "nextafter" "x, y, /" |ctx| plain2(ctx, libm::nextafter);
    "_math_fmod" "fmod" "x, y, /" |ctx| partial2(ctx, |x, y| x % y);
    "_math_remainder" "remainder" "x, y, /" |ctx| partial2(ctx, libm::remainder);
    "_math_pow" "pow" "x, y, /" pow;
    "_math_log" "log" "*args" log;
    "_math_log2" "log2" "x, /" |ctx| { let x = ctx.arg(0); Ok(Value::Float(logarithm(ctx, x, f64::log2)?)) };
    "_math_log10" "log10" "x, /" |ctx| { let x = ctx.arg(0); Ok(Value::Float(logarithm(ctx, x, f64::log10)?)) };
    "_math_frexp" "frexp" "x, /" frexp;
    "_math_ldexp" "ldexp" "x, i, /" ldexp;
    "_math_modf" "modf" "x, /" modf;
    "_math_isclose" "isclose" "a, b, /, *, rel_tol=, abs_tol=" isclose;
    "_math_floor" "floor" "x, /" |ctx| whole(ctx, name::FLOOR, f64::floor);
    "_math_ceil" "ceil" "x, /" |ctx| whole(ctx, name::CEIL, f64::ceil);
    "_math_trunc" "trunc" "x, /" trunc;
    "_math_fsum" "fsum" "seq, /" fsum;
    "_math_real" "real" "x, /" |ctx| {
        let x = ctx.arg(0);
        Ok(Value::Float(ctx.float(x)?))
    };
    "_math_hypot" "hypot" "*coordinates" hypot;
    "_math_dist" "dist" "p, q, /" dist;
}

/// An argument as a float.
fn float(ctx: &mut Ctx<'_>, index: usize) -> Result<f64, Abrupt> {
    let value = ctx.arg(index);
    ctx.float(value)
}

fn domain_error() -> Fault {
    Fault::value("math domain error")
}

fn range_error() -> Fault {
    Fault::overflow("math range error")
}

/// A function of one float, with C's errors as exceptions (`math_1` in `Modules/mathmodule.c`).
fn apply(ctx: &mut Ctx<'_>, function: fn(f64) -> f64, infinite: Infinite) -> Result<Value, Abrupt> {
    let x = float(ctx, 0)?;
    let result = function(x);
    if result.is_nan() && !x.is_nan() {
        return Err(ctx.raise(domain_error()));
    }
    if result.is_infinite() && x.is_finite() {
        return Err(ctx.raise(match infinite {
            Range => range_error(),
            Domain => domain_error(),
        }));
    }
    Ok(Value::Float(result))
}

/// A function that says itself where it has no value.
fn apply_partial(ctx: &mut Ctx<'_>, function: fn(f64) -> Option<f64>) -> Result<Value, Abrupt> {
    let x = float(ctx, 0)?;
    match function(x) {
        None => Err(ctx.raise(domain_error())),
        Some(result) if result.is_infinite() && x.is_finite() => Err(ctx.raise(range_error())),
        Some(result) => Ok(Value::Float(result)),
    }
}

/// A function of one float that has no errors.
fn plain(ctx: &mut Ctx<'_>, function: fn(f64) -> f64) -> Result<Value, Abrupt> {
    Ok(Value::Float(function(float(ctx, 0)?)))
}

/// A function of two floats that has no errors.
fn plain2(ctx: &mut Ctx<'_>, function: fn(f64, f64) -> f64) -> Result<Value, Abrupt> {
    Ok(Value::Float(function(float(ctx, 0)?, float(ctx, 1)?)))
}

/// A function of two floats without a value where it gives not-a-number.
fn partial2(ctx: &mut Ctx<'_>, function: fn(f64, f64) -> f64) -> Result<Value, Abrupt> {
    let (x, y) = (float(ctx, 0)?, float(ctx, 1)?);
    let result = function(x, y);
    if result.is_nan() && !x.is_nan() && !y.is_nan() {
        return Err(ctx.raise(domain_error()));
    }
    Ok(Value::Float(result))
}

fn ulp(x: f64) -> f64 {
    let magnitude = x.abs();
    if !magnitude.is_finite() {
        return magnitude;
    }
    let above = magnitude.next_up();
    if above.is_infinite() {
        magnitude - magnitude.next_down()
    } else {
        above - magnitude
    }
}

fn pow(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (x, y) = (float(ctx, 0)?, float(ctx, 1)?);
    let result = x.powf(y);
    if x.is_finite() && y.is_finite() {
        if result.is_nan() || (result.is_infinite() && x == 0.0) {
            return Err(ctx.raise(domain_error()));
        }
        if result.is_infinite() {
            return Err(ctx.raise(range_error()));
        }
    }
    Ok(Value::Float(result))
}

/// A logarithm of any number; integers may be beyond all floats.
fn logarithm(ctx: &mut Ctx<'_>, x: Value, function: fn(f64) -> f64) -> Result<f64, Abrupt> {
    let x = match Number::of(x) {
        Some(Number::Big(it)) => {
            let integer = &ctx.vm.heap.bigs[it];
            if !integer.is_positive() {
                return Err(ctx.raise(domain_error()));
            }
            if let Some(float) = from_big(integer) {
                return Ok(function(float));
            }
            // A fraction of at most 64 bits times a power of two.
            let shift = integer.bits() - 64;
            let fraction: BigInt = integer >> shift;
            let fraction = fraction
                .to_f64()
                .expect("64 bits are within a float's range");
            let (fraction, exponent) = libm::frexp(fraction);
            return Ok(function(fraction) + function(2.0) * (f64::from(exponent) + shift as f64));
        }
        Some(Number::Int(_) | Number::Float(_)) | None => ctx.float(x)?,
    };
    if x <= 0.0 {
        return Err(ctx.raise(domain_error()));
    }
    Ok(function(x))
}

fn log(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (x, base) = match ctx.rest()[..] {
        [x] => (x, None),
        [x, base] => (x, Some(base)),
        _ => return Err(ctx.type_error("math.log requires 1 to 2 arguments")),
    };
    let numerator = logarithm(ctx, x, f64::ln)?;
    let Some(base) = base else {
        return Ok(Value::Float(numerator));
    };
    let denominator = logarithm(ctx, base, f64::ln)?;
    if denominator == 0.0 {
        return Err(ctx.raise(Fault::zero_division("float division by zero")));
    }
    Ok(Value::Float(numerator / denominator))
}

fn frexp(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let x = float(ctx, 0)?;
    let (fraction, exponent) = if x.is_finite() && x != 0.0 {
        libm::frexp(x)
    } else {
        (x, 0)
    };
    let pair = [Value::Float(fraction), Value::Int(exponent.into())];
    Ok(ctx.vm.heap.new_tuple(pair))
}

fn ldexp(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let x = float(ctx, 0)?;
    let exponent = match Number::of(ctx.arg(1)) {
        Some(Number::Int(it)) => it.clamp(i32::MIN.into(), i32::MAX.into()) as i32,
        Some(Number::Big(it)) if ctx.vm.heap.bigs[it].is_positive() => i32::MAX,
        Some(Number::Big(_)) => i32::MIN,
        Some(Number::Float(_)) | None => {
            return Err(ctx.type_error("Expected an int as second argument to ldexp."));
        }
    };
    let result = libm::ldexp(x, exponent);
    if result.is_infinite() && x.is_finite() {
        return Err(ctx.raise(range_error()));
    }
    Ok(Value::Float(result))
}

fn modf(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let x = float(ctx, 0)?;
    let (fraction, whole) = if x.is_infinite() {
        (0.0f64.copysign(x), x)
    } else {
        ((x - x.trunc()).copysign(x), x.trunc())
    };
    let pair = [Value::Float(fraction), Value::Float(whole)];
    Ok(ctx.vm.heap.new_tuple(pair))
}

fn isclose(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (a, b) = (float(ctx, 0)?, float(ctx, 1)?);
    let relative = ctx.arg(2).or(Value::Float(1e-9));
    let relative = ctx.float(relative)?;
    let absolute = ctx.arg(3).or(Value::Float(0.0));
    let absolute = ctx.float(absolute)?;
    if relative < 0.0 || absolute < 0.0 {
        return Err(ctx.value_error("tolerances must be non-negative"));
    }
    let close = a == b || {
        let difference = (b - a).abs();
        a.is_finite()
            && b.is_finite()
            && (difference <= (relative * b).abs()
                || difference <= (relative * a).abs()
                || difference <= absolute)
    };
    Ok(Value::Bool(close))
}

/// `floor` and `ceil`: the script's method, or the float rounded.
fn whole(ctx: &mut Ctx<'_>, method: Name, round: fn(f64) -> f64) -> Result<Value, Abrupt> {
    let x = ctx.arg(0);
    match Number::of(x) {
        Some(number @ (Number::Int(_) | Number::Big(_))) => return Ok(number.value()),
        Some(Number::Float(_)) | None => {}
    }
    if let Some(method) = ctx.vm.special(x, method) {
        return ctx.call(method, &[x]);
    }
    let float = ctx.float(x)?;
    ctx.new_integer(to_integer(round(float)))
}

fn trunc(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let x = ctx.arg(0);
    match Number::of(x) {
        Some(Number::Float(float)) => ctx.new_integer(to_integer(float)),
        Some(number) => Ok(number.value()),
        None => {
            if let Some(method) = ctx.vm.special(x, name::TRUNC) {
                return ctx.call(method, &[x]);
            }
            let message = format!(
                "type {} doesn't define __trunc__ method",
                ctx.vm.type_name(x)
            );
            Err(ctx.type_error(message))
        }
    }
}

/// Values as floats.
fn floats(ctx: &mut Ctx<'_>, values: Vec<Value>) -> Result<Vec<f64>, Abrupt> {
    let mut floats = Vec::with_capacity(values.len());
    for value in values {
        floats.push(ctx.float(value)?);
    }
    Ok(floats)
}

fn fsum(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let sequence = ctx.arg(0);
    let convert = |ctx: &mut Ctx<'_>, item| Ok(Value::Float(ctx.float(item)?));
    let values = ctx.collect_through("_math_real", false, sequence, convert)?;
    let values = floats(ctx, values)?;
    let sum = special::exact_sum(&values);
    Ok(Value::Float(ctx.ok(sum)?))
}

fn hypot(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let coordinates = ctx.rest();
    let coordinates = floats(ctx, coordinates)?;
    let magnitudes: Vec<f64> = coordinates.into_iter().map(f64::abs).collect();
    Ok(Value::Float(special::norm(&magnitudes)))
}

fn dist(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (p, q) = (ctx.arg(0), ctx.arg(1));
    let (p, q) = (ctx.collect(p)?, ctx.collect(q)?);
    if p.len() != q.len() {
        return Err(ctx.value_error("both points must have the same number of dimensions"));
    }
    let (p, q) = (floats(ctx, p)?, floats(ctx, q)?);
    let apart: Vec<f64> = p.iter().zip(&q).map(|(p, q)| (p - q).abs()).collect();
    Ok(Value::Float(special::norm(&apart)))
}
