//! Functions of floats that the standard library has not, or has by other formulas than C: after
//! fdlibm (`asinh`, `acosh`, `atanh`), `Modules/mathmodule.c` of CPython 3.11 (`gamma`, `lgamma`,
//! the norm behind `hypot` and `dist`), and Shewchuk's exact sum.

use crate::vm::heap::fault::Fault;
use std::f64::consts::{LN_2, PI};

/// Below this nothing of a square is left beside 1.
const TINY: f64 = 3.725_290_298_461_914e-9;
/// From here on a square is all that is left beside 1.
const HUGE: f64 = 268_435_456.0;

/// Inverse hyperbolic sine.
#[must_use]
pub fn asinh(x: f64) -> f64 {
    let magnitude = x.abs();
    if !x.is_finite() || magnitude < TINY {
        return x;
    }
    let result = if magnitude > HUGE {
        magnitude.ln() + LN_2
    } else if magnitude > 2.0 {
        (2.0 * magnitude + 1.0 / ((x * x + 1.0).sqrt() + magnitude)).ln()
    } else {
        let square = x * x;
        (magnitude + square / (1.0 + (1.0 + square).sqrt())).ln_1p()
    };
    result.copysign(x)
}

/// Inverse hyperbolic cosine; not-a-number under 1.
#[must_use]
pub fn acosh(x: f64) -> f64 {
    if x < 1.0 {
        f64::NAN
    } else if !x.is_finite() {
        x
    } else if x >= HUGE {
        x.ln() + LN_2
    } else if x > 2.0 {
        (2.0 * x - 1.0 / (x + (x * x - 1.0).sqrt())).ln()
    } else {
        let above = x - 1.0;
        (above + (2.0 * above + above * above).sqrt()).ln_1p()
    }
}

/// Inverse hyperbolic tangent; not-a-number from 1 on.
#[must_use]
pub fn atanh(x: f64) -> f64 {
    let magnitude = x.abs();
    if x.is_nan() || magnitude >= 1.0 {
        return f64::NAN;
    }
    if magnitude < TINY {
        return x;
    }
    let double = magnitude + magnitude;
    let result = if magnitude < 0.5 {
        0.5 * (double + double * magnitude / (1.0 - magnitude)).ln_1p()
    } else {
        0.5 * (double / (1.0 - magnitude)).ln_1p()
    };
    result.copysign(x)
}

/// Parameter and coefficients of Lanczos' approximation, rounded to floats.
const LANCZOS_G: f64 = 6.024_680_040_776_73;
const LANCZOS_G_MINUS_HALF: f64 = 5.524_680_040_776_73;
const LANCZOS_NUMERATOR: [f64; 13] = [
    23_531_376_880.410_76,
    42_919_803_642.649_1,
    35_711_959_237.355_67,
    17_921_034_426.037_21,
    6_039_542_586.352_028,
    1_439_720_407.311_721_6,
    248_874_557.862_054_17,
    31_426_415.585_400_194,
    2_876_370.628_935_372_5,
    186_056.265_395_223_48,
    8_071.672_002_365_816,
    210.824_277_751_579_36,
    2.506_628_274_631_000_2,
];
const LANCZOS_DENOMINATOR: [f64; 13] = [
    0.0,
    39_916_800.0,
    120_543_840.0,
    150_917_976.0,
    105_258_076.0,
    45_995_730.0,
    13_339_535.0,
    2_637_558.0,
    357_423.0,
    32_670.0,
    1_925.0,
    66.0,
    1.0,
];
/// Gamma of a larger number overflows.
const GAMMA_MOST: f64 = 200.0;

fn lanczos_sum(x: f64) -> f64 {
    let pairs = || LANCZOS_NUMERATOR.iter().zip(&LANCZOS_DENOMINATOR);
    let (mut numerator, mut denominator) = (0.0, 0.0);
    // Two forms of the same rational function, each accurate in its half.
    if x < 5.0 {
        for (n, d) in pairs().rev() {
            numerator = numerator * x + n;
            denominator = denominator * x + d;
        }
    } else {
        for (n, d) in pairs() {
            numerator = numerator / x + n;
            denominator = denominator / x + d;
        }
    }
    numerator / denominator
}

/// sin(pi x), exact at multiples of a half.
fn sin_pi(x: f64) -> f64 {
    let y = x.abs() % 2.0;
    let sine = match (2.0 * y).round() as i64 {
        0 => (PI * y).sin(),
        1 => (PI * (y - 0.5)).cos(),
        2 => (PI * (1.0 - y)).sin(),
        3 => -(PI * (y - 1.5)).cos(),
        _ => (PI * (y - 2.0)).sin(),
    };
    1.0f64.copysign(x) * sine
}

/// The gamma function. None outside of its domain.
#[must_use]
pub fn gamma(x: f64) -> Option<f64> {
    if !x.is_finite() {
        return (x.is_nan() || x > 0.0).then_some(x);
    }
    if x == 0.0 {
        return None;
    }
    if x == x.floor() {
        if x < 0.0 {
            return None;
        }
        if x <= 23.0 {
            return Some((1..x as u64).map(|it| it as f64).product());
        }
    }
    let magnitude = x.abs();
    if magnitude < 1e-20 {
        return Some(1.0 / x);
    }
    if magnitude > GAMMA_MOST {
        return Some(if x < 0.0 {
            0.0 / sin_pi(x)
        } else {
            f64::INFINITY
        });
    }
    let y = magnitude + LANCZOS_G_MINUS_HALF;
    // The rounding error of y.
    let z = if magnitude > LANCZOS_G_MINUS_HALF {
        (y - magnitude) - LANCZOS_G_MINUS_HALF
    } else {
        (y - LANCZOS_G_MINUS_HALF) - magnitude
    } * LANCZOS_G
        / y;
    let split = magnitude >= 140.0;
    let result = if x < 0.0 {
        let mut r = -PI / sin_pi(magnitude) / magnitude * y.exp() / lanczos_sum(magnitude);
        r -= z * r;
        if split {
            let root = y.powf(magnitude / 2.0 - 0.25);
            r / root / root
        } else {
            r / y.powf(magnitude - 0.5)
        }
    } else {
        let mut r = lanczos_sum(magnitude) / y.exp();
        r += z * r;
        if split {
            let root = y.powf(magnitude / 2.0 - 0.25);
            r * root * root
        } else {
            r * y.powf(magnitude - 0.5)
        }
    };
    Some(result)
}

/// The logarithm of the magnitude of the gamma function. None at its poles.
#[must_use]
pub fn ln_gamma(x: f64) -> Option<f64> {
    if x.is_nan() {
        return Some(x);
    }
    if x.is_infinite() {
        return Some(f64::INFINITY);
    }
    if x == x.floor() && x <= 2.0 {
        return (x > 0.0).then_some(0.0);
    }
    let magnitude = x.abs();
    if magnitude < 1e-20 {
        return Some(-magnitude.ln());
    }
    let mut result = lanczos_sum(magnitude).ln() - LANCZOS_G;
    result += (magnitude - 0.5) * ((magnitude + LANCZOS_G - 0.5).ln() - 1.0);
    if x < 0.0 {
        result = PI.ln() - sin_pi(magnitude).abs().ln() - magnitude.ln() - result;
    }
    Some(result)
}

/// The length of a vector, with an error under one unit in the last place. The numbers are not
/// negative.
#[must_use]
pub fn norm(vector: &[f64]) -> f64 {
    let greatest = vector.iter().copied().fold(0.0, f64::max);
    if greatest.is_infinite() {
        return greatest;
    }
    if vector.iter().any(|it| it.is_nan()) {
        return f64::NAN;
    }
    if greatest == 0.0 || vector.len() <= 1 {
        return greatest;
    }
    let (_, exponent) = libm::frexp(greatest);
    if exponent < -1023 {
        let mut sum = CarefulSum::new();
        for x in vector {
            let x = x / greatest;
            sum.add(x * x, 0);
        }
        return greatest * (sum.total - 1.0 + sum.lost[0]).sqrt();
    }
    let scale = libm::ldexp(1.0, -exponent);
    let mut sum = CarefulSum::new();
    for x in vector {
        let (high, low) = halves(x * scale);
        sum.add(high * high, 0);
        sum.add(2.0 * high * low, 1);
        sum.lost[2] += low * low;
    }
    let root = sum.above_one().sqrt();
    // One step of Newton's with the square of the root taken exactly.
    let (high, low) = halves(root);
    sum.add(-high * high, 0);
    sum.add(-2.0 * high * low, 1);
    sum.add(-low * low, 2);
    (root + sum.above_one() / (2.0 * root)) / scale
}

/// A float as two of half the length (Veltkamp).
fn halves(x: f64) -> (f64, f64) {
    let shifted = x * 134_217_729.0;
    let high = shifted - (shifted - x);
    (high, x - high)
}

/// A sum that begins at 1 and keeps what rounding loses.
struct CarefulSum {
    total: f64,
    lost: [f64; 3],
}

impl CarefulSum {
    fn new() -> CarefulSum {
        CarefulSum {
            total: 1.0,
            lost: [0.0; 3],
        }
    }

    fn add(&mut self, x: f64, lost: usize) {
        let before = self.total;
        self.total += x;
        self.lost[lost] += (before - self.total) + x;
    }

    fn above_one(&self) -> f64 {
        self.total - 1.0 + (self.lost[0] + self.lost[1] + self.lost[2])
    }
}

/// The sum of floats, rounded once (Shewchuk's partial sums, as `math.fsum`).
pub fn exact_sum(floats: &[f64]) -> Result<f64, Fault> {
    let mut partials: Vec<f64> = Vec::new();
    let (mut special, mut infinities) = (0.0, 0.0);
    for &float in floats {
        let mut x = float;
        let mut kept = 0;
        for at in 0..partials.len() {
            let mut y = partials[at];
            if x.abs() < y.abs() {
                std::mem::swap(&mut x, &mut y);
            }
            let high = x + y;
            let low = y - (high - x);
            if low != 0.0 {
                partials[kept] = low;
                kept += 1;
            }
            x = high;
        }
        partials.truncate(kept);
        if x == 0.0 {
            continue;
        }
        if x.is_finite() {
            partials.push(x);
            continue;
        }
        if float.is_finite() {
            return Err(Fault::overflow("intermediate overflow in fsum"));
        }
        if float.is_infinite() {
            infinities += float;
        }
        special += float;
        partials.clear();
    }
    if special != 0.0 {
        return if infinities.is_nan() {
            Err(Fault::value("-inf + inf in fsum"))
        } else {
            Ok(special)
        };
    }
    let mut high = partials.pop().unwrap_or(0.0);
    let mut low = 0.0;
    while let Some(y) = partials.pop() {
        let x = high;
        high = x + y;
        low = y - (high - x);
        if low != 0.0 {
            break;
        }
    }
    // Round half to even across the partials.
    if let Some(&next) = partials.last()
        && ((low < 0.0 && next < 0.0) || (low > 0.0 && next > 0.0))
    {
        let double = low * 2.0;
        let rounded = high + double;
        if double == rounded - high {
            high = rounded;
        }
    }
    Ok(high)
}

#[cfg(test)]
mod tests {
    use super::{acosh, asinh, atanh, exact_sum, gamma, ln_gamma, norm};

    /// The expected numbers are CPython 3.11's.
    #[test]
    fn as_cpython_has_them() {
        assert_eq!(gamma(0.5), Some(1.772_453_850_905_515_9));
        assert_eq!(gamma(-170.5), Some(-3.312_739_521_538_607e-308));
        assert_eq!(gamma(5.0), Some(24.0));
        assert_eq!(gamma(0.0), None);
        assert_eq!(ln_gamma(2.5), Some(0.284_682_870_472_919_6));
        assert_eq!(ln_gamma(-0.5), Some(1.265_512_123_484_645));
        assert_eq!(ln_gamma(-1.0), None);
        assert_eq!(asinh(1e300), 691.468_675_078_773_6);
        assert!(acosh(0.5).is_nan() && atanh(1.0).is_nan());
        assert_eq!(norm(&[3.0, 4.0]), 5.0);
        assert_eq!(norm(&[5e-324, 5e-324]), 5e-324);
        assert!(norm(&[f64::NAN, f64::INFINITY]).is_infinite());
    }

    #[test]
    fn a_sum_is_rounded_once() {
        assert_eq!(exact_sum(&[0.1; 10]), Ok(1.0));
        assert_eq!(exact_sum(&[1e16, 1.0, -1e16]), Ok(1.0));
        assert_eq!(exact_sum(&[]), Ok(0.0));
        assert!(exact_sum(&[1e308, 1e308]).is_err());
        assert!(exact_sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_err());
        assert_eq!(exact_sum(&[f64::INFINITY, 1.0]), Ok(f64::INFINITY));
    }
}
