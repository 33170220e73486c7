//! Floats: their parts, and exact comparison with integers.

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};
use std::cmp::Ordering;

/// A finite, positive float as an integer times a power of two.
#[must_use]
pub fn split(float: f64) -> (u64, i32) {
    let bits = float.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 {
        (fraction, -1074)
    } else {
        (fraction | 1 << 52, exponent - 1075)
    }
}

/// The float nearest to an integer, ties to even; none if it is beyond the largest float.
#[must_use]
pub fn from_big(integer: &BigInt) -> Option<f64> {
    let float = integer.to_f64()?;
    float.is_finite().then_some(float)
}

/// A finite float without its fraction.
#[must_use]
pub fn truncate(float: f64) -> BigInt {
    let whole = float.trunc();
    let (mantissa, exponent) = split(whole.abs());
    let magnitude = if exponent < 0 {
        BigInt::from(mantissa >> exponent.unsigned_abs().min(63))
    } else {
        BigInt::from(mantissa) << exponent
    };
    if float < 0.0 { -magnitude } else { magnitude }
}

/// Compares exactly; none for not-a-number.
#[must_use]
pub fn compare_int(integer: i64, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // 2^63 is a float; everything from there on is beyond all of `i64`.
    if float >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if float < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc();
    Some(
        integer
            .cmp(&(whole as i64))
            .then_with(|| 0.0.partial_cmp(&(float - whole)).expect("finite")),
    )
}

/// Compares exactly; none for not-a-number.
#[must_use]
pub fn compare_big(integer: &BigInt, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    if float.is_infinite() {
        return Some(if float > 0.0 {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    }
    let whole = float.trunc();
    Some(
        integer
            .cmp(&truncate(float))
            .then_with(|| 0.0.partial_cmp(&(float - whole)).expect("finite")),
    )
}

/// `float.as_integer_ratio()` of a finite float, in lowest terms.
#[must_use]
pub fn ratio(float: f64) -> (BigInt, BigInt) {
    let (mut mantissa, mut exponent) = split(float.abs());
    if mantissa == 0 {
        return (BigInt::ZERO, BigInt::from(1));
    }
    let shift = (mantissa.trailing_zeros() as i32).min((-exponent).max(0));
    mantissa >>= shift;
    exponent += shift;
    let mut numerator = BigInt::from(mantissa);
    let mut denominator = BigInt::from(1);
    if exponent >= 0 {
        numerator <<= exponent;
    } else {
        denominator <<= -exponent;
    }
    if float < 0.0 {
        numerator = -numerator.abs();
    }
    (numerator, denominator)
}
