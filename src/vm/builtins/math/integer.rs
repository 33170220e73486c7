//! The module `math`: functions of integers, and products of anything.

use crate::operator::BinaryOp;
use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::integer::{
    MAX_PRODUCT_BITS, divide, greatest_common_divisor, multiply, product_of_range, square_root,
};
use crate::vm::heap::value::Value;
use crate::vm::semantics::operate::Number;
use crate::vm::semantics::protocol::{Outcome, Turn};
use crate::vm::state::native::{Abrupt, Ctx, Native, module_native};
use num_bigint::BigInt;
use num_traits::{One, Signed, ToPrimitive, Zero};
use std::ops::Range;

pub(in crate::vm::builtins) const NATIVES: &[Native] = &[
    module_native("_math_factorial", "factorial", "n, /", factorial),
    module_native("_math_isqrt", "isqrt", "n, /", isqrt),
    module_native("_math_comb", "comb", "n, k, /", comb),
    module_native("_math_perm", "perm", "n, k=, /", perm),
    module_native("_math_gcd", "gcd", "*integers", gcd),
    module_native("_math_lcm", "lcm", "*integers", lcm),
    module_native("_math_prod", "prod", "iterable, /, *, start=", prod),
];

/// A value as an integer of any size.
fn integer(ctx: &mut Ctx<'_>, value: Value) -> Result<BigInt, Abrupt> {
    let integer = ctx.integer(value)?;
    let integer = Number::of(integer).expect("an integer");
    Ok(integer.big(&ctx.vm.heap).into_owned())
}

fn factorial(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let n = ctx.arg(0);
    let n = integer(ctx, n)?;
    if n.is_negative() {
        return Err(ctx.value_error("factorial() not defined for negative values"));
    }
    let product = match n.to_i64() {
        Some(n) => product_of_range(2, n as u64),
        None => Err(Fault::overflow(format!(
            "factorial() argument should not exceed {}",
            i64::MAX
        ))),
    };
    ctx.new_integer(product)
}

fn isqrt(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let n = ctx.arg(0);
    let n = integer(ctx, n)?;
    ctx.new_integer(square_root(&n))
}

/// `n` and `k`, which must not be negative.
fn counts(ctx: &mut Ctx<'_>) -> Result<(BigInt, BigInt), Abrupt> {
    let (n, k) = (ctx.arg(0), ctx.arg(1));
    let (n, k) = (integer(ctx, n)?, integer(ctx, k)?);
    for (name, count) in [("n", &n), ("k", &k)] {
        if count.is_negative() {
            return Err(ctx.value_error(format!("{name} must be a non-negative integer")));
        }
    }
    Ok((n, k))
}

fn comb(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (n, k) = counts(ctx)?;
    if k > n {
        return Ok(Value::Int(0));
    }
    let k = (&n - &k).min(k);
    let Some(k) = k.to_i64() else {
        return Err(ctx.raise(Fault::overflow(format!(
            "min(n - k, k) must not exceed {}",
            i64::MAX
        ))));
    };
    let chosen = combinations(&n, k as u64);
    ctx.new_integer(chosen)
}

/// How many ways there are to choose `k` of `n`.
fn combinations(n: &BigInt, k: u64) -> Result<BigInt, Fault> {
    Ok(divide(&arrangements(n, k)?, &product_of_range(2, k)?)?.0)
}

fn perm(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    if matches!(ctx.arg(1), Value::Unbound | Value::None) {
        return factorial(ctx);
    }
    let (n, k) = counts(ctx)?;
    if k > n {
        return Ok(Value::Int(0));
    }
    let Some(k) = k.to_i64() else {
        return Err(ctx.raise(Fault::overflow(format!("k must not exceed {}", i64::MAX))));
    };
    let arranged = arrangements(&n, k as u64);
    ctx.new_integer(arranged)
}

/// `n (n-1) … (n-k+1)`.
fn arrangements(n: &BigInt, k: u64) -> Result<BigInt, Fault> {
    if let Some(n) = n.to_u64() {
        return product_of_range(n - k + 1, n);
    }
    falling(n, 0..k)
}

/// The product of `n - step` for these steps, in halves, so that long factors meet long ones. `n`
/// is a long integer.
fn falling(n: &BigInt, steps: Range<u64>) -> Result<BigInt, Fault> {
    const FEW: u64 = 8;
    let count = steps.end - steps.start;
    if count.saturating_mul(n.bits() - 1) > MAX_PRODUCT_BITS {
        return Err(Fault::memory());
    }
    if count <= FEW {
        return Ok(steps.fold(BigInt::one(), |product, step| product * (n - step)));
    }
    let middle = steps.start + count / 2;
    multiply(
        &falling(n, steps.start..middle)?,
        &falling(n, middle..steps.end)?,
    )
}

fn gcd(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let mut divisor = BigInt::zero();
    for value in ctx.rest() {
        let common = greatest_common_divisor(&divisor, &integer(ctx, value)?);
        divisor = ctx.ok(common)?;
    }
    ctx.new_integer(Ok(divisor))
}

fn lcm(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let mut multiple = BigInt::one();
    for value in ctx.rest() {
        let integer = integer(ctx, value)?;
        if integer.is_zero() || multiple.is_zero() {
            multiple = BigInt::zero();
            continue;
        }
        let product = greatest_common_divisor(&multiple, &integer)
            .and_then(|common| divide(&integer, &common))
            .and_then(|(part, _)| multiply(&multiple, &part));
        multiple = ctx.ok(product)?.abs();
    }
    ctx.new_integer(Ok(multiple))
}

fn prod(ctx: &mut Ctx<'_>) -> Result<Value, Abrupt> {
    let (iterable, start) = (ctx.arg(0), ctx.arg(1));
    ctx.or_by_library("product", |ctx| {
        let mut product = start.or(Value::Int(1));
        let walked = ctx.walk(iterable, |ctx, item| {
            if matches!(product, Value::Instance(_)) || matches!(item, Value::Instance(_)) {
                return Ok(Turn::Ask);
            }
            if ctx.leaves_rest() {
                return Ok(Turn::Ask);
            }
            product = ctx.binary(BinaryOp::Mul, product, item)?;
            Ok(Turn::Done)
        })?;
        ctx.took(iterable, walked.count);
        Ok(match walked.rest {
            None => Outcome::Value(product),
            Some(rest) => Outcome::Rest(vec![product, rest.pending, rest.items]),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{arrangements, combinations};
    use num_bigint::BigInt;

    #[test]
    fn choosing_and_arranging() {
        assert_eq!(combinations(&52.into(), 5), Ok(2_598_960.into()));
        assert_eq!(combinations(&5.into(), 0), Ok(1.into()));
        assert_eq!(arrangements(&5.into(), 3), Ok(60.into()));
        let wide = BigInt::from(1) << 70;
        for k in [0, 1, 2, 8, 9, 100] {
            let one_by_one = (0..k).fold(BigInt::from(1), |product, step| product * (&wide - step));
            assert_eq!(arrangements(&wide, k), Ok(one_by_one));
        }
        assert!(arrangements(&wide, 1 << 40).is_err());
    }
}
