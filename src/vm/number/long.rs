//! Operations on very long integers in pieces of milliseconds, and between these the question
//! whether to give up. The results are those of `num_bigint`, which does the pieces, and would not
//! be stopped for minutes.

use crate::vm::fault::Fault;
use num_bigint::BigInt;
use num_integer::Integer;
use num_traits::One;

/// Is the work to be given up?
pub type GivesUp<'a> = &'a dyn Fn() -> bool;

/// A product of integers of so many bits is one piece.
const PIECE_BITS: u64 = 1 << 19;

/// A division is one piece if it takes so many steps on machine words.
const PIECE_STEPS: u64 = 1 << 24;

fn look(gives_up: GivesUp<'_>) -> Result<(), Fault> {
    if gives_up() {
        return Err(Fault::given_up());
    }
    Ok(())
}

/// What is left of an integer without what `>> bits` gives; never negative.
fn low(integer: &BigInt, bits: u64) -> BigInt {
    integer - ((integer >> bits) << bits)
}

/// `a * b`.
pub fn multiply(a: &BigInt, b: &BigInt, gives_up: GivesUp<'_>) -> Result<BigInt, Fault> {
    look(gives_up)?;
    let (long, short) = if a.bits() < b.bits() { (b, a) } else { (a, b) };
    if long.bits() > 8 * PIECE_BITS.max(short.bits() / 4) {
        let half = long.bits() / 2;
        let high = multiply(&(long >> half), short, gives_up)?;
        return Ok((high << half) + multiply(&low(long, half), short, gives_up)?);
    }
    if short.bits() <= PIECE_BITS {
        return Ok(a * b);
    }
    multiply_in_thirds(long, short, gives_up)
}

/// The method of Toom and Cook in three parts, with the sequence of Bodrato ("Towards Optimal
/// Toom-Cook Multiplication", 2007): five products of a third of the length.
fn multiply_in_thirds(a: &BigInt, b: &BigInt, gives_up: GivesUp<'_>) -> Result<BigInt, Fault> {
    let third = a.bits().max(b.bits()) / 3 + 1;
    // The values at 0, 1, -1, -2 and infinity of the polynomial whose coefficients are the parts.
    let values = |it: &BigInt| {
        let lower = low(it, 2 * third);
        let (first, second, third) = (low(&lower, third), lower >> third, it >> (2 * third));
        let outer = &first + &third;
        let (at_one, at_minus_one) = (&outer + &second, outer - second);
        let at_minus_two = ((&at_minus_one + &third) << 1) - &first;
        [first, at_one, at_minus_one, at_minus_two, third]
    };
    let mut products = Vec::with_capacity(5);
    for (a, b) in values(a).iter().zip(&values(b)) {
        products.push(multiply(a, b, gives_up)?);
    }
    let [at_zero, at_one, at_minus_one, at_minus_two, last] =
        <[BigInt; 5]>::try_from(products).expect("as many as values");
    let cubic = (at_minus_two - &at_one) / 3;
    let linear = (at_one - &at_minus_one) >> 1;
    let square = at_minus_one - &at_zero;
    let cubic = ((&square - cubic) >> 1) + (&last << 1);
    let square = square + &linear - &last;
    let linear = linear - &cubic;
    let coefficients = [last, cubic, square, linear, at_zero];
    Ok(coefficients
        .into_iter()
        .reduce(|sum, it| (sum << third) + it)
        .expect("five of them"))
}

/// `a // b` and `a % b`. `b` is not 0.
pub fn divide(a: &BigInt, b: &BigInt, gives_up: GivesUp<'_>) -> Result<(BigInt, BigInt), Fault> {
    look(gives_up)?;
    let quotient_bits = a.bits().saturating_sub(b.bits());
    if (quotient_bits / 64) * (b.bits() / 64) <= PIECE_STEPS {
        return Ok(a.div_mod_floor(b));
    }
    let half = quotient_bits / 2;
    let (high, rest) = divide(&(a >> half), b, gives_up)?;
    let (more, rest) = divide(&((rest << half) + low(a, half)), b, gives_up)?;
    Ok(((high << half) + more, rest))
}

/// `base ** exponent` for an exponent that is not 0.
pub fn power(base: &BigInt, exponent: u32, gives_up: GivesUp<'_>) -> Result<BigInt, Fault> {
    if base.bits().saturating_mul(u64::from(exponent)) <= PIECE_BITS {
        return Ok(base.pow(exponent));
    }
    let mut result = base.clone();
    for bit in (0..exponent.ilog2()).rev() {
        result = multiply(&result, &result, gives_up)?;
        if exponent >> bit & 1 == 1 {
            result = multiply(&result, base, gives_up)?;
        }
    }
    Ok(result)
}

/// `base ** exponent % modulus`, none of which is negative, and the last not 0.
pub fn power_modulo(
    base: &BigInt,
    exponent: &BigInt,
    modulus: &BigInt,
    gives_up: GivesUp<'_>,
) -> Result<BigInt, Fault> {
    let words = modulus.bits() / 64 + 1;
    if words.saturating_mul(words).saturating_mul(exponent.bits()) <= PIECE_STEPS {
        return Ok(base.modpow(exponent, modulus));
    }
    let mut result = BigInt::one();
    for bit in (0..exponent.bits()).rev() {
        result = divide(&multiply(&result, &result, gives_up)?, modulus, gives_up)?.1;
        if exponent.bit(bit) {
            result = divide(&multiply(&result, base, gives_up)?, modulus, gives_up)?.1;
        }
    }
    Ok(result)
}

/// The largest integer whose square is not above one that is not negative (`_approximate_isqrt` in
/// `Modules/mathmodule.c` explains why it is).
pub fn square_root(integer: &BigInt, gives_up: GivesUp<'_>) -> Result<BigInt, Fault> {
    let words = integer.bits() / 64;
    if words * words <= PIECE_STEPS {
        return Ok(integer.sqrt());
    }
    let half = (integer.bits() - 1) / 2;
    let (mut root, mut known) = (BigInt::one(), 0);
    for shift in (0..=half.ilog2()).rev() {
        let before = known;
        known = half >> shift;
        let part = integer >> (2 * half - before - known + 1);
        let quotient = divide(&part, &root, gives_up)?.0;
        root = (root << (known - before - 1)) + quotient;
    }
    if multiply(&root, &root, gives_up)? > *integer {
        root -= 1;
    }
    Ok(root)
}

#[cfg(test)]
mod tests {
    use super::{divide, multiply, power, power_modulo, square_root};
    use crate::vm::fault::Fault;
    use num_bigint::BigInt;
    use num_integer::Integer;
    use std::cell::Cell;

    /// So many bits that look as if they were by chance.
    fn long(bits: u64, seed: u64) -> BigInt {
        let mut state = seed;
        let digits = (0..=bits / 32).map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 32) as u32
        });
        let integer = BigInt::new(num_bigint::Sign::Plus, digits.collect());
        let spare = integer.bits().saturating_sub(bits);
        integer >> spare
    }

    #[test]
    fn pieces_give_the_same_as_the_whole() {
        let never = &|| false;
        for (a, b) in [
            (1 << 21, 1 << 21),
            (5 << 20, 1 << 19),
            (5 << 20, 1000),
            (1 << 22, 3 << 20),
        ] {
            let (a, b) = (long(a, 1), -long(b, 2));
            assert_eq!(multiply(&a, &b, never), Ok(&a * &b));
            assert_eq!(multiply(&b, &-&b, never), Ok(-(&b * &b)));
        }
        for (a, b) in [(3 << 20, 1 << 20), (1 << 22, 40_000)] {
            for (a, b) in [
                (long(a, 3), long(b, 4)),
                (-long(a, 5), long(b, 6)),
                (long(a, 7), -long(b, 8)),
            ] {
                assert_eq!(divide(&a, &b, never), Ok(a.div_mod_floor(&b)));
            }
        }
        assert_eq!(
            power(&BigInt::from(-3), 400_001, never),
            Ok(BigInt::from(-3).pow(400_001))
        );
        let (base, exponent, modulus) = (long(20_000, 9), long(300, 10), long(20_000, 11));
        let whole = base.modpow(&exponent, &modulus);
        assert_eq!(power_modulo(&base, &exponent, &modulus, never), Ok(whole));
        for square in [
            long(600_000, 12),
            BigInt::from(7).pow(220_000),
            BigInt::from(7).pow(220_000) - 1,
        ] {
            assert_eq!(square_root(&square, never), Ok(square.sqrt()));
        }
    }

    #[test]
    fn all_of_them_can_be_given_up() {
        let (a, b) = (long(1 << 22, 1), long(1 << 21, 2));
        let looks = Cell::new(0);
        let soon = || looks.replace(looks.get() + 1) % 4 == 3;
        let given_up = Fault::given_up();
        let tried = [
            multiply(&a, &b, &soon),
            divide(&a, &b, &soon).map(|it| it.0),
            power(&BigInt::from(3), 3_000_000, &soon),
            power_modulo(&long(20_000, 3), &a, &long(20_000, 4), &soon),
            square_root(&a, &soon),
        ];
        for it in tried {
            assert_eq!(it, Err(given_up.clone()));
        }
    }
}
