//! Floats: their parts, exact comparison with integers, and the operations whose rules are Python's
//! own (`Objects/floatobject.c`).

use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::decimal::scaled;
use crate::vm::heap::number::read::read_float;
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
            .then_with(|| 0_f64.total_cmp(&(float - whole))),
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
            .then_with(|| 0_f64.total_cmp(&(float - whole))),
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

/// `a // b` and `a % b`; `b` is not 0.
#[must_use]
pub fn divide(a: f64, b: f64) -> (f64, f64) {
    let mut rest = a % b;
    // Close to a whole number, since the rest is exact; rounded below.
    let mut quotient = (a - rest) / b;
    if rest == 0.0 {
        rest = 0.0f64.copysign(b);
    } else if (b < 0.0) != (rest < 0.0) {
        rest += b;
        quotient -= 1.0;
    }
    let whole = if quotient == 0.0 {
        0.0f64.copysign(a / b)
    } else {
        let down = quotient.floor();
        if quotient - down > 0.5 {
            down + 1.0
        } else {
            down
        }
    };
    (whole, rest)
}

/// `a // b`.
pub fn floor_divide(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 {
        return Err(Fault::zero_division("float floor division by zero"));
    }
    Ok(divide(a, b).0)
}

/// `a % b`.
pub fn modulo(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 {
        return Err(Fault::zero_division("float modulo"));
    }
    Ok(divide(a, b).1)
}

/// `a ** b`. A negative number to a fractional power is a complex number in Python; Mini has none
/// and says so.
pub fn power(a: f64, b: f64) -> Result<f64, Fault> {
    if b == 0.0 || a == 1.0 {
        return Ok(1.0);
    }
    if a.is_nan() || b.is_nan() {
        return Ok(f64::NAN);
    }
    if a == 0.0 && b < 0.0 && b.is_finite() {
        return Err(Fault::zero_division(
            "0.0 cannot be raised to a negative power",
        ));
    }
    if a.is_finite() && b.is_finite() {
        if a < 0.0 && b != b.floor() {
            return Err(Fault::value(
                "negative number to a fractional power: the result is complex, and Mini has no complex numbers",
            ));
        }
        let result = a.powf(b);
        return if result.is_infinite() {
            Err(Fault::out_of_range())
        } else {
            Ok(result)
        };
    }
    Ok(a.powf(b))
}

/// An integral float as an integer, as `int`, `math.floor` and `round` give it.
pub fn to_integer(float: f64) -> Result<BigInt, Fault> {
    if float.is_nan() {
        return Err(Fault::value("cannot convert float NaN to integer"));
    }
    if float.is_infinite() {
        return Err(Fault::overflow("cannot convert float infinity to integer"));
    }
    Ok(truncate(float))
}

/// `round(float, digits)`: half to even, on the exact value.
pub fn round(float: f64, digits: i64) -> Result<f64, Fault> {
    if !float.is_finite() || float == 0.0 || digits > 323 {
        return Ok(float);
    }
    let rounded = if digits >= 0 {
        let digits = digits as usize;
        match scaled(float.abs(), digits) {
            // Both are floats exactly, so that the division rounds once.
            Some(scaled) if scaled <= 1 << 53 => {
                (scaled as f64 / 10_u64.pow(digits as u32) as f64).copysign(float)
            }
            _ => read_float(&format!("{float:.digits$}"))?,
        }
    } else if digits < -308 {
        0.0f64.copysign(float)
    } else {
        round_to_tens(float, digits.unsigned_abs() as usize)
    };
    if rounded.is_infinite() {
        return Err(Fault::overflow("rounded value too large to represent"));
    }
    Ok(rounded)
}

/// To a multiple of ten to the power of `zeros`, through all digits of the exact value.
fn round_to_tens(float: f64, zeros: usize) -> f64 {
    let exact = format!("{:.1080}", float.abs());
    let (whole, fraction) = exact.split_once('.').expect("digits were asked for");
    let Some(kept) = whole.len().checked_sub(zeros) else {
        return 0.0f64.copysign(float);
    };
    let (head, tail) = whole.split_at(kept);
    let head: BigInt = if head.is_empty() {
        BigInt::ZERO
    } else {
        head.parse().expect("digits")
    };
    let half = format!("5{}", "0".repeat(zeros - 1));
    let up = match tail.cmp(&half) {
        Ordering::Less => false,
        Ordering::Equal => head.bit(0) || fraction.bytes().any(|digit| digit != b'0'),
        Ordering::Greater => true,
    };
    let text = format!("{}e{zeros}", head + u8::from(up));
    text.parse::<f64>().expect("a number").copysign(float)
}

/// `float.hex()`.
#[must_use]
pub fn to_hex(float: f64) -> String {
    if !float.is_finite() {
        return super::repr_float(float);
    }
    let sign = if float.is_sign_negative() { "-" } else { "" };
    let bits = float.to_bits();
    let fraction = bits & ((1 << 52) - 1);
    let exponent = (bits >> 52 & 0x7ff) as i32;
    match (exponent, fraction) {
        (0, 0) => format!("{sign}0x0.0p+0"),
        (0, _) => format!("{sign}0x0.{fraction:013x}p-1022"),
        _ => format!("{sign}0x1.{fraction:013x}p{:+}", exponent - 1023),
    }
}

/// `float.fromhex()`.
pub fn from_hex(text: &str) -> Result<f64, Fault> {
    let invalid = || Fault::value("invalid hexadecimal floating-point string");
    // What C takes for a space, and nothing else (`float_fromhex` in `Objects/floatobject.c`).
    let text = text.trim_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let signed = |magnitude: f64| {
        if text.starts_with('-') {
            -magnitude
        } else {
            magnitude
        }
    };
    let lower = unsigned.to_ascii_lowercase();
    match lower.as_str() {
        "inf" | "infinity" => return Ok(signed(f64::INFINITY)),
        "nan" => return Ok(signed(f64::NAN)),
        _ => {}
    }
    let body = lower.strip_prefix("0x").unwrap_or(&lower);
    let (mantissa, exponent) = match body.split_once('p') {
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_digit()) {
                return Err(invalid());
            }
            let magnitude = digits
                .parse::<i64>()
                .unwrap_or(i64::MAX / 4)
                .min(i64::MAX / 4);
            (
                mantissa,
                if exponent.starts_with('-') {
                    -magnitude
                } else {
                    magnitude
                },
            )
        }
        None => (body, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if !digits.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Err(invalid());
    }
    let numerator = BigInt::parse_bytes(digits.as_bytes(), 16).ok_or_else(invalid)?;
    if numerator.sign() == num_bigint::Sign::NoSign {
        return Ok(signed(0.0));
    }
    let exponent = exponent - 4 * fraction.len() as i64;
    let top = exponent.saturating_add(numerator.bits() as i64);
    let too_large = || Fault::overflow("hexadecimal value too large to represent as a float");
    if top > 1024 {
        return Err(too_large());
    }
    if top < -1074 {
        return Ok(signed(0.0));
    }
    let value = if exponent >= 0 {
        from_big(&(numerator << exponent))
    } else {
        super::integer::true_divide(&numerator, &(BigInt::from(1) << -exponent)).ok()
    };
    value.map(signed).ok_or_else(too_large)
}

#[cfg(test)]
mod tests {
    use super::{compare_big, compare_int, divide, from_hex, power, ratio, round, to_hex};
    use num_bigint::BigInt;
    use std::cmp::Ordering;

    #[test]
    fn comparison_with_integers_is_exact() {
        let above = (1i64 << 53) + 1;
        assert_eq!(
            compare_int(above, 9_007_199_254_740_992.0),
            Some(Ordering::Greater)
        );
        assert_eq!(
            compare_int(i64::MAX, 9_223_372_036_854_775_808.0),
            Some(Ordering::Less)
        );
        assert_eq!(compare_int(-1, -1.5), Some(Ordering::Greater));
        assert_eq!(compare_int(1, 1.5), Some(Ordering::Less));
        assert_eq!(compare_int(0, f64::NAN), None);
        let huge = BigInt::from(10).pow(30);
        assert_eq!(compare_big(&huge, 1e30), Some(Ordering::Less));
        assert_eq!(compare_big(&huge, f64::INFINITY), Some(Ordering::Less));
        assert_eq!(compare_big(&-huge, -1e30), Some(Ordering::Greater));
    }

    #[test]
    fn division_has_the_divisors_sign() {
        assert_eq!(divide(7.5, 2.0), (3.0, 1.5));
        assert_eq!(divide(-7.5, 2.0), (-4.0, 0.5));
        assert_eq!(divide(7.5, -2.0), (-4.0, -0.5));
        assert_eq!(divide(1.0, 0.1), (9.0, 0.099_999_999_999_999_95));
        assert!(divide(-0.0, 2.0).1.is_sign_positive());
    }

    #[test]
    fn powers_refuse_what_is_no_float() {
        assert_eq!(power(2.0, 0.5), Ok(2f64.sqrt()));
        assert_eq!(power(f64::NAN, 0.0), Ok(1.0));
        assert!(power(0.0, -1.0).is_err());
        assert!(power(10.0, 400.0).is_err());
        assert!(power(-8.0, 0.5).is_err());
    }

    #[test]
    fn rounding_is_half_to_even_on_the_exact_value() {
        for (float, digits, rounded) in [
            (2.675, 2, 2.67),
            (2.5, 0, 2.0),
            (15.0, -1, 20.0),
            (25.0, -1, 20.0),
            (25.1, -1, 30.0),
            (-5.0, -1, -0.0),
            (5.1, -1, 10.0),
            (1e300, -300, 1e300),
            (1e22, -400, 0.0),
            (0.1, 500, 0.1),
        ] {
            assert_eq!(round(float, digits), Ok(rounded), "{float} {digits}");
        }
        assert!(round(1.7e308, -308).is_err());
    }

    #[test]
    fn parts_and_hexadecimal_text() {
        assert_eq!(ratio(-2.25), (BigInt::from(-9), BigInt::from(4)));
        assert_eq!(ratio(1e20).1, BigInt::from(1));
        assert_eq!(to_hex(0.1), "0x1.999999999999ap-4");
        assert_eq!(to_hex(5e-324), "0x0.0000000000001p-1022");
        for float in [0.1, -1e300, 5e-324, 1.0, 0.0] {
            assert_eq!(from_hex(&to_hex(float)), Ok(float));
        }
        assert_eq!(from_hex("-0x.8"), Ok(-0.5));
        assert_eq!(from_hex("0x1p-1075"), Ok(0.0));
        assert!(from_hex("0x1p1024").is_err());
        assert!(from_hex("0x").is_err() && from_hex("1.p").is_err());
    }
}
