//! Integers of any size: the operations whose rules are Python's own, and the bounds that keep one
//! operation from running for ever.

use crate::vm::heap::fault::Fault;
use num_bigint::{BigInt, BigUint, Sign};
use num_integer::Integer;
use num_traits::{One, Signed, ToPrimitive, Zero};

/// A product or power may have this many bits (8 MiB, 20 million digits: seconds of work); beyond,
/// it is a `MemoryError`. One operation runs to its end before any other thread, limit or Ctrl-C
/// gets its turn, so that none may take minutes, as it may in CPython.
pub const MAX_PRODUCT_BITS: u64 = 1 << 26;
/// A division, common divisor or modular power may take this many steps on machine words, for the
/// same reason.
const MAX_STEPS: u64 = 1 << 35;
/// Digits that the decimal text of an integer may have (`sys.int_info.default_max_str_digits`).
pub const MAX_DIGITS: usize = 4300;

/// `a * b`.
pub fn multiply(a: &BigInt, b: &BigInt) -> Result<BigInt, Fault> {
    if a.bits() + b.bits() > MAX_PRODUCT_BITS {
        return Err(Fault::memory());
    }
    Ok(a * b)
}

/// Refuses a division that would take too long: schoolbook, the quotient's length times the
/// divisor's.
fn check_division(a: &BigInt, b: &BigInt) -> Result<(), Fault> {
    let quotient = a.bits().saturating_sub(b.bits()) / 64;
    if quotient * (b.bits() / 64) > MAX_STEPS {
        return Err(Fault::memory());
    }
    Ok(())
}

/// `a // b` within 64 bits; none if the result is not (or `b` is 0).
#[inline]
#[must_use]
pub fn floor_divide_small(a: i64, b: i64) -> Option<i64> {
    let quotient = a.checked_div(b)?;
    Some(quotient - i64::from(a % b != 0 && (a < 0) != (b < 0)))
}

/// `a % b` within 64 bits; none if `b` is 0.
#[inline]
#[must_use]
pub fn modulo_small(a: i64, b: i64) -> Option<i64> {
    if b == -1 {
        return Some(0);
    }
    let rest = a.checked_rem(b)?;
    Some(if rest != 0 && (rest < 0) != (b < 0) {
        rest + b
    } else {
        rest
    })
}

/// `a // b` and `a % b`: the quotient is rounded down, the rest has the divisor's sign. `b` is not
/// 0.
pub fn divide(a: &BigInt, b: &BigInt) -> Result<(BigInt, BigInt), Fault> {
    check_division(a, b)?;
    Ok(a.div_mod_floor(b))
}

/// `a / b`, correctly rounded (`long_true_divide` in `Objects/longobject.c`).
pub fn true_divide(a: &BigInt, b: &BigInt) -> Result<f64, Fault> {
    if b.is_zero() {
        return Err(Fault::zero_division("division by zero"));
    }
    if a.is_zero() {
        return Ok(if b.is_negative() { -0.0 } else { 0.0 });
    }
    if a.bits() <= 53
        && b.bits() <= 53
        && let (Some(a), Some(b)) = (a.to_f64(), b.to_f64())
    {
        // Both are exact.
        return Ok(a / b);
    }
    let too_large = || Fault::overflow("integer division result too large for a float");
    let difference = a.bits() as i64 - b.bits() as i64;
    if difference > 1024 {
        return Err(too_large());
    }
    let negative = a.is_negative() != b.is_negative();
    let signed = |magnitude: f64| if negative { -magnitude } else { magnitude };
    if difference < -1075 {
        return Ok(signed(0.0));
    }
    // A quotient of 55 bits or a little more; fewer where the float will be subnormal.
    let shift = difference.max(-1021) - 55;
    let (numerator, denominator) = if shift <= 0 {
        (a.abs() << -shift, b.abs())
    } else {
        (a.abs(), b.abs() << shift)
    };
    check_division(&numerator, &denominator)?;
    let (quotient, rest) = numerator.div_rem(&denominator);
    let Some(mut quotient) = quotient.to_u64() else {
        unreachable!("it has at most 57 bits")
    };
    // What is lost counts as "a little more", so that no tie is seen where there is none.
    quotient |= u64::from(!rest.is_zero());
    let bits = i64::from(64 - quotient.leading_zeros());
    let extra = (bits.max(-1021 - shift) - 53) as u32;
    let half = 1 << (extra - 1);
    let low = quotient & ((1 << extra) - 1);
    quotient &= !((1 << extra) - 1);
    if low > half || (low == half && quotient >> extra & 1 == 1) {
        quotient += 1 << extra;
    }
    let float = scale(quotient as f64, shift as i32);
    if float.is_infinite() {
        return Err(too_large());
    }
    Ok(signed(float))
}

/// `float * 2**exponent` where the result is exact or overflows: in two steps, since the power
/// alone may be out of range.
#[must_use]
pub fn scale(float: f64, exponent: i32) -> f64 {
    let mut float = float;
    let mut exponent = exponent;
    while exponent > 1000 {
        float *= 2f64.powi(1000);
        exponent -= 1000;
    }
    while exponent < -1000 {
        float *= 2f64.powi(-1000);
        exponent += 1000;
    }
    float * 2f64.powi(exponent)
}

/// `base ** exponent` for an exponent that is not negative.
pub fn power(base: &BigInt, exponent: &BigInt) -> Result<BigInt, Fault> {
    if exponent.is_zero() {
        return Ok(BigInt::one());
    }
    if base.magnitude().is_one() || base.is_zero() {
        return Ok(if base.is_negative() && exponent.is_even() {
            -base
        } else {
            base.clone()
        });
    }
    let exponent = exponent.to_u32().ok_or_else(Fault::memory)?;
    if (base.bits() - 1).saturating_mul(u64::from(exponent)) > MAX_PRODUCT_BITS {
        return Err(Fault::memory());
    }
    Ok(base.pow(exponent))
}

/// `base ** exponent` within 64 bits, if it is.
#[must_use]
pub fn power_small(base: i64, exponent: i64) -> Option<i64> {
    base.checked_pow(u32::try_from(exponent).ok()?)
}

/// `pow(base, exponent, modulus)`.
pub fn power_modulo(base: &BigInt, exponent: &BigInt, modulus: &BigInt) -> Result<BigInt, Fault> {
    if modulus.is_zero() {
        return Err(Fault::value("pow() 3rd argument cannot be 0"));
    }
    let words = modulus.bits() / 64 + 1;
    let steps = words
        .saturating_mul(words)
        .saturating_mul(exponent.bits() + 1);
    if steps > MAX_STEPS {
        return Err(Fault::memory());
    }
    let positive = modulus.abs();
    if positive.is_one() {
        return Ok(BigInt::zero());
    }
    check_division(base, &positive)?;
    let mut base = base.mod_floor(&positive);
    if exponent.is_negative() {
        base = base
            .modinv(&positive)
            .ok_or_else(|| Fault::value("base is not invertible for the given modulus"))?;
    }
    let result = base.modpow(&exponent.abs(), &positive);
    Ok(if modulus.is_negative() && !result.is_zero() {
        result + modulus
    } else {
        result
    })
}

/// How many bits `integer << count` has, if it is a number at all.
#[must_use]
pub fn left_shifted_bits(integer: &BigInt, count: &BigInt) -> u64 {
    match count.to_u64() {
        Some(count) if !integer.is_zero() => integer.bits().saturating_add(count),
        Some(_) | None => 0,
    }
}

/// `integer << count`, for which there is room.
pub fn shift_left(integer: &BigInt, count: &BigInt) -> Result<BigInt, Fault> {
    if count.is_negative() {
        return Err(Fault::value("negative shift count"));
    }
    if integer.is_zero() {
        return Ok(BigInt::zero());
    }
    match count.to_u64() {
        Some(count) => Ok(integer << count),
        // More digits of 30 bits than CPython counts.
        None if count / 30u32 > BigInt::from(i64::MAX / 4) => {
            Err(Fault::overflow("too many digits in integer"))
        }
        None => Err(Fault::memory()),
    }
}

/// `integer >> count`, rounded down.
pub fn shift_right(integer: &BigInt, count: &BigInt) -> Result<BigInt, Fault> {
    if count.is_negative() {
        return Err(Fault::value("negative shift count"));
    }
    Ok(match count.to_u64() {
        Some(count) if count < integer.bits() => integer >> count,
        Some(_) | None if integer.is_negative() => BigInt::from(-1),
        Some(_) | None => BigInt::zero(),
    })
}

/// The decimal text of an integer, if it is not longer than CPython allows.
pub fn decimal_text(integer: &BigInt) -> Result<String, Fault> {
    // Ten to the power of the limit has 14,285 bits; what is clearly longer is not even converted.
    if integer.bits() < 14_300 {
        let text = integer.to_string();
        if text.len() - usize::from(integer.is_negative()) <= MAX_DIGITS {
            return Ok(text);
        }
    }
    Err(Fault::value(format!(
        "Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"
    )))
}

/// `round(integer, digits)` for negative digits: to a multiple of a power of ten, half to even.
pub fn round_to_tens(integer: &BigInt, zeros: &BigInt) -> Result<BigInt, Fault> {
    // Ten to this power is more than twice the integer, so that it rounds to 0.
    let enough = integer.bits() / 3 + 2;
    let Some(zeros) = zeros.to_u64().filter(|&zeros| zeros <= enough) else {
        return Ok(BigInt::zero());
    };
    let unit = power(&BigInt::from(10), &BigInt::from(zeros))?;
    check_division(integer, &unit)?;
    let (quotient, rest) = integer.div_mod_floor(&unit);
    let up = match (&rest << 1u32).cmp(&unit) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => quotient.is_odd(),
        std::cmp::Ordering::Greater => true,
    };
    Ok(integer - rest + if up { unit } else { BigInt::zero() })
}

/// How many ones are in the binary text of the magnitude.
#[must_use]
pub fn bit_count(integer: &BigInt) -> i64 {
    integer
        .magnitude()
        .iter_u64_digits()
        .map(|word| i64::from(word.count_ones()))
        .sum()
}

/// `int.to_bytes`, least significant byte first.
pub fn to_bytes(integer: &BigInt, length: usize, signed: bool) -> Result<Vec<u8>, Fault> {
    if integer.is_negative() && !signed {
        return Err(Fault::overflow("can't convert negative int to unsigned"));
    }
    let mut bytes = if integer.is_zero() {
        Vec::new()
    } else if signed {
        integer.to_signed_bytes_le()
    } else {
        integer.to_bytes_le().1
    };
    if bytes.len() > length {
        return Err(Fault::overflow("int too big to convert"));
    }
    let fill = if integer.is_negative() { 0xff } else { 0 };
    bytes.resize(length, fill);
    Ok(bytes)
}

/// `int.from_bytes`, least significant byte first.
#[must_use]
pub fn from_bytes(bytes: &[u8], signed: bool) -> BigInt {
    if signed {
        BigInt::from_signed_bytes_le(bytes)
    } else {
        BigInt::from_bytes_le(Sign::Plus, bytes)
    }
}

/// The largest integer whose square is not above.
pub fn square_root(integer: &BigInt) -> Result<BigInt, Fault> {
    if integer.is_negative() {
        return Err(Fault::value("isqrt() argument must be nonnegative"));
    }
    let words = integer.bits() / 64;
    if words * words > MAX_STEPS {
        return Err(Fault::memory());
    }
    Ok(integer.sqrt())
}

/// The greatest common divisor; never negative.
pub fn greatest_common_divisor(a: &BigInt, b: &BigInt) -> Result<BigInt, Fault> {
    let (large, small) = if a.bits() < b.bits() { (b, a) } else { (a, b) };
    if small.is_zero() {
        return Ok(large.abs());
    }
    // One step of Euclid's makes both equally long.
    check_division(large, small)?;
    let words = small.bits() / 64;
    if words * words > MAX_STEPS {
        return Err(Fault::memory());
    }
    let rest = large.magnitude() % small.magnitude();
    Ok(lehmer(small.magnitude().clone(), rest).into())
}

/// The common divisor by Lehmer's algorithm (Knuth, `The Art of Computer Programming` 4.5.2,
/// algorithm L; `_PyLong_GCD` in CPython's `Objects/longobject.c`): many of Euclid's steps are
/// worked out on the leading bits, and done to the whole numbers at once. `a` is not below `b`.
#[expect(clippy::many_single_char_names, reason = "as in the source")]
fn lehmer(mut a: BigUint, mut b: BigUint) -> BigUint {
    /// Bits that are looked at; what the steps come to has half as many.
    const LEADING: u64 = 124;
    loop {
        let shift = a.bits().saturating_sub(LEADING);
        let leading = |it: &BigUint| (it >> shift).to_i128().expect("so many bits fit");
        let (x, y) = (leading(&a), leading(&b));
        if shift == 0 {
            return x.gcd(&y).unsigned_abs().into();
        }
        (a, b) = match euclid_steps(x, y) {
            Some(([p, q, r, s], true)) => (&a * p - &b * q, &b * s - &a * r),
            Some(([p, q, r, s], false)) => (&b * p - &a * q, &a * s - &b * r),
            None if b.is_zero() => return a,
            None => {
                let rest = &a % &b;
                (b, rest)
            }
        };
    }
}

/// What those steps of Euclid's come to that are the same for all numbers that begin with these
/// bits, signs aside, and whether they are an even number. Nothing if there is not one such step.
#[expect(clippy::many_single_char_names, reason = "as in the source")]
fn euclid_steps(mut x: i128, mut y: i128) -> Option<([u64; 4], bool)> {
    let [mut p, mut q, mut r, mut s] = [1i128, 0, 0, 1];
    let mut steps = 0;
    while y > r {
        let quotient = (x + (p - 1)) / (y - r);
        let next = quotient.checked_mul(s).and_then(|it| it.checked_add(q));
        let rest = quotient.checked_mul(y).and_then(|it| x.checked_sub(it));
        let (Some(next), Some(rest)) = (next, rest) else {
            break;
        };
        if next > rest {
            break;
        }
        let last = p + quotient * r;
        (x, y) = (y, rest);
        [p, q, r, s] = [s, r, next, last];
        steps += 1;
    }
    let fits = |it: i128| u64::try_from(it).ok();
    let matrix = [fits(p)?, fits(q)?, fits(r)?, fits(s)?];
    (steps > 0).then_some((matrix, steps % 2 == 0))
}

/// The product of `low..=high`, by halves, so that the factors stay of equal length.
pub fn product_of_range(low: u64, high: u64) -> Result<BigInt, Fault> {
    if low > high {
        return Ok(BigInt::one());
    }
    let bits = (high - low)
        .saturating_add(1)
        .saturating_mul(u64::from(64 - low.leading_zeros()).saturating_sub(1));
    if bits > MAX_PRODUCT_BITS {
        return Err(Fault::memory());
    }
    if high - low < 8 {
        return Ok((low..=high).fold(BigInt::one(), |product, it| product * it));
    }
    let middle = low + (high - low) / 2;
    multiply(
        &product_of_range(low, middle)?,
        &product_of_range(middle + 1, high)?,
    )
}

#[cfg(test)]
mod tests {
    use super::{
        divide, floor_divide_small, from_bytes, greatest_common_divisor, modulo_small, power,
        power_modulo, round_to_tens, scale, shift_left, shift_right, to_bytes, true_divide,
    };
    use num_bigint::BigInt;

    fn big(text: &str) -> BigInt {
        text.parse().expect("decimal digits")
    }

    #[test]
    fn division_rounds_down_and_the_rest_has_the_divisors_sign() {
        for (a, b, quotient, rest) in [
            (7, 2, 3, 1),
            (-7, 2, -4, 1),
            (7, -2, -4, -1),
            (-7, -2, 3, -1),
            (6, -2, -3, 0),
        ] {
            assert_eq!(floor_divide_small(a, b), Some(quotient));
            assert_eq!(modulo_small(a, b), Some(rest));
            assert_eq!(
                divide(&a.into(), &b.into()),
                Ok((quotient.into(), rest.into()))
            );
        }
        assert_eq!(floor_divide_small(i64::MIN, -1), None);
        assert_eq!(modulo_small(i64::MIN, -1), Some(0));
        assert_eq!(floor_divide_small(1, 0), None);
    }

    #[test]
    fn true_division_is_rounded_once() {
        let ratio = |a: &str, b: &str| true_divide(&big(a), &big(b)).expect("a float");
        assert_eq!(ratio("9007199254740993", "1"), 9_007_199_254_740_992.0);
        assert_eq!(ratio("9007199254740995", "1"), 9_007_199_254_740_996.0);
        assert_eq!(ratio("1", "3"), 1.0 / 3.0);
        let huge = BigInt::from(10).pow(400);
        assert_eq!(true_divide(&huge, &(&huge * 3)), Ok(1.0 / 3.0));
        assert_eq!(true_divide(&BigInt::from(-3), &huge), Ok(-0.0));
        assert_eq!(
            true_divide(&BigInt::from(5), &(BigInt::from(1) << 1075)),
            Ok(1e-323)
        );
        assert_eq!(
            true_divide(&BigInt::from(1), &(BigInt::from(1) << 1075)),
            Ok(0.0)
        );
        assert_eq!(
            true_divide(&BigInt::from(3), &(BigInt::from(1) << 1076)),
            Ok(5e-324)
        );
        assert!(true_divide(&huge, &BigInt::from(1)).is_err());
        assert_eq!(scale(1.0, -1074), 5e-324);
    }

    #[test]
    fn absurd_results_are_refused_before_they_are_computed() {
        assert!(power(&big("10"), &big("10000000000")).is_err());
        assert!(power(&big("10"), &big("99999999999999999999999")).is_err());
        assert_eq!(
            power(&big("-1"), &big("99999999999999999999999")),
            Ok(big("-1"))
        );
        assert!(shift_left(&big("1"), &big("99999999999999999999999")).is_err());
        assert_eq!(
            shift_left(&big("0"), &big("99999999999999999999999")),
            Ok(big("0"))
        );
        assert_eq!(
            shift_right(&big("-5"), &big("99999999999999999999999")),
            Ok(big("-1"))
        );
        assert_eq!(shift_right(&big("-5"), &big("1")), Ok(big("-3")));
    }

    #[test]
    fn modular_powers_take_negative_exponents_and_moduli() {
        let modulo = |a: i64, b: i64, c: i64| power_modulo(&a.into(), &b.into(), &c.into());
        assert_eq!(modulo(2, 3, -5), Ok((-2).into()));
        assert_eq!(modulo(2, -1, 7), Ok(4.into()));
        assert_eq!(modulo(3, 5, 1), Ok(0.into()));
        assert_eq!(modulo(-3, 3, 7), Ok(1.into()));
        assert!(modulo(2, -1, 4).is_err());
        assert!(modulo(2, 1, 0).is_err());
    }

    #[test]
    fn rounding_to_tens_is_half_to_even() {
        for (integer, rounded) in [
            (15, 20),
            (25, 20),
            (-15, -20),
            (-25, -20),
            (14, 10),
            (26, 30),
            (5, 0),
            (-6, -10),
        ] {
            assert_eq!(
                round_to_tens(&integer.into(), &1.into()),
                Ok(rounded.into())
            );
        }
        assert_eq!(round_to_tens(&50.into(), &2.into()), Ok(0.into()));
        assert_eq!(round_to_tens(&51.into(), &2.into()), Ok(100.into()));
        assert_eq!(
            round_to_tens(&51.into(), &big("999999999999999999999")),
            Ok(0.into())
        );
    }

    #[test]
    fn bytes_go_both_ways() {
        assert_eq!(to_bytes(&(-1).into(), 2, true), Ok(vec![0xff, 0xff]));
        assert_eq!(to_bytes(&128.into(), 1, false), Ok(vec![0x80]));
        assert!(to_bytes(&128.into(), 1, true).is_err());
        assert!(to_bytes(&256.into(), 1, false).is_err());
        assert_eq!(to_bytes(&0.into(), 0, false), Ok(vec![]));
        assert_eq!(from_bytes(&[0xff, 0xff], true), (-1).into());
        assert_eq!(from_bytes(&[], false), 0.into());
    }

    #[test]
    fn common_divisors_are_those_of_euclid() {
        let euclid = |mut a: BigInt, mut b: BigInt| {
            while b != BigInt::ZERO {
                (a, b) = (b.clone(), a % b);
            }
            a
        };
        let mut a = big("1");
        let mut b = big("3");
        for step in 1u32..400 {
            let shared = BigInt::from(step) << (step % 130);
            let (x, y) = (&a * &shared, &b * &shared);
            let found = greatest_common_divisor(&x, &-&y);
            assert_eq!(found, Ok(euclid(x, y)), "step {step}");
            // Neighbours of the golden ratio take the most steps; now and then a long quotient.
            (a, b) = (b.clone(), a + &b * if step % 7 == 0 { u64::MAX } else { 1 });
        }
    }
}
