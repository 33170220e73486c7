//! Hashes of numbers: equal numbers of any type have equal hashes, by reduction modulo the prime
//! 2^61 - 1 (`Python/pyhash.c`).

use num_bigint::{BigInt, Sign};
use num_traits::ToPrimitive;

const BITS: u32 = 61;
const MODULUS: u64 = (1 << BITS) - 1;
/// The hash of infinity.
const INFINITE: i64 = 314_159;

/// `hash` of an integer within 64 bits.
#[must_use]
pub fn hash_int(integer: i64) -> i64 {
    signed(integer.unsigned_abs() % MODULUS, integer < 0)
}

/// `hash` of any integer.
#[must_use]
pub fn hash_big(integer: &BigInt) -> i64 {
    let Some(rest) = (integer.magnitude() % MODULUS).to_u64() else {
        unreachable!("it is less than the modulus")
    };
    signed(rest, integer.sign() == Sign::Minus)
}

/// `hash` of a float; none for not-a-number, whose hash is its object's.
#[must_use]
pub fn hash_float(float: f64) -> Option<i64> {
    if float.is_infinite() {
        return Some(if float > 0.0 { INFINITE } else { -INFINITE });
    }
    if float.is_nan() {
        return None;
    }
    let (mantissa, exponent) = super::float::split(float.abs());
    // Multiplying by 2 is a rotation of the 61 bits.
    let shift = exponent.rem_euclid(BITS as i32) as u32;
    let mantissa = mantissa % MODULUS;
    let rotated = ((mantissa << shift) & MODULUS) | (mantissa >> (BITS - shift));
    Some(signed(rotated % MODULUS, float < 0.0))
}

/// -1 means an error in C, so no hash is -1.
fn signed(rest: u64, negative: bool) -> i64 {
    match if negative {
        -(rest as i64)
    } else {
        rest as i64
    } {
        -1 => -2,
        hash => hash,
    }
}

#[cfg(test)]
mod tests {
    use super::{hash_big, hash_float, hash_int};
    use num_bigint::BigInt;

    #[test]
    fn equal_numbers_have_equal_hashes() {
        assert_eq!(hash_int(-1), -2);
        assert_eq!(hash_float(-1.0), Some(-2));
        assert_eq!(hash_int(1 << 61), 1);
        assert_eq!(hash_float((1u64 << 61) as f64), Some(1));
        assert_eq!(hash_big(&(BigInt::from(1) << 100)), 1 << 39);
        assert_eq!(hash_float(2f64.powi(100)), Some(1 << 39));
        assert_eq!(hash_float(0.5), Some(1 << 60));
        assert_eq!(hash_float(0.1), Some(230_584_300_921_369_408));
        assert_eq!(hash_float(-1e300), Some(-1_224_995_262_755_759_164));
        assert_eq!(hash_float(f64::INFINITY), Some(314_159));
        assert_eq!(hash_float(0.0), Some(0));
        assert_eq!(hash_float(5e-324), Some(1 << 24));
    }
}
