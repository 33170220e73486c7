//! Floats as decimal text: the shortest that reads back the same, or with a number of digits, in
//! the layouts of `PyOS_double_to_string` (`Python/pystrtod.c`). The digits themselves are Rust's,
//! which rounds exactly (half to even) as David Gay's `dtoa` does in CPython.

use std::fmt::Write;

/// How a float is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// The shortest text that reads back as the same float.
    Shortest,
    /// `e`: one digit before the point, so many behind it, and an exponent.
    Exponent(usize),
    /// `f`: so many digits behind the point.
    Fixed(usize),
    /// `g`: so many digits in all, with an exponent where the number is large or small; trailing
    /// zeros go.
    General(usize),
}

/// `repr(float)`.
#[must_use]
pub fn repr_float(float: f64) -> String {
    float_text(float, Layout::Shortest, false, true)
}

/// A float in a layout. `alternate` (`#`) keeps the point and the zeros of `General`; `dot_zero`
/// makes sure that it looks like a float.
#[must_use]
pub fn float_text(float: f64, layout: Layout, alternate: bool, dot_zero: bool) -> String {
    if float.is_nan() {
        return "nan".into();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.into();
    }
    let mut out = String::with_capacity(USUAL);
    if float.is_sign_negative() {
        out.push('-');
    }
    let magnitude = float.abs();
    match layout {
        Layout::Shortest => {
            let digits = Digits::shortest(magnitude);
            let exponent = digits.point <= -4 || digits.point > 16;
            digits.lay_out(&mut out, exponent, 0, alternate, dot_zero);
        }
        Layout::Exponent(precision) => {
            let digits = Digits::significant(magnitude, precision.saturating_add(1));
            digits.lay_out(&mut out, true, precision + 1, alternate, dot_zero);
        }
        Layout::Fixed(precision) => {
            if let Some(scaled) = scaled(magnitude, precision) {
                let mut buffer = itoa::Buffer::new();
                let digits = buffer.format(scaled);
                let (whole, behind) = digits.split_at(digits.len().saturating_sub(precision));
                out.push_str(if whole.is_empty() { "0" } else { whole });
                if precision > 0 {
                    out.push('.');
                    out.push_str(&ZEROS[behind.len()..precision]);
                    out.push_str(behind);
                }
            } else {
                let computed = precision.min(MAX_DIGITS);
                let _ = write!(out, "{magnitude:.computed$}");
                out.push_str(&"0".repeat(precision - computed));
            }
            if precision == 0 {
                if dot_zero {
                    out.push_str(".0");
                } else if alternate {
                    out.push('.');
                }
            }
        }
        Layout::General(precision) => {
            let precision = precision.max(1);
            let mut digits = Digits::significant(magnitude, precision);
            let widest = precision as i64 - i64::from(dot_zero);
            let exponent = digits.point <= -4 || digits.point > widest;
            if !alternate {
                digits.trim();
            }
            let keep = if alternate { precision } else { 0 };
            digits.lay_out(&mut out, exponent, keep, alternate, dot_zero);
        }
    }
    out
}

/// Room for what most floats take.
const USUAL: usize = 24;

/// No float has more digits than this on either side of its point; what is asked beyond is zeros.
const MAX_DIGITS: usize = 1100;

/// Up to so many digits behind the point, an integer of 128 bits holds all that `scaled` computes
/// with.
const FEW_DIGITS: usize = 15;

/// As many zeros.
const ZEROS: &str = "000000000000000";

/// A float that is not negative times ten to the power of `digits`, exactly, and then rounded to an
/// integer, half to even; none where that is not short work.
#[must_use]
pub fn scaled(magnitude: f64, digits: usize) -> Option<u64> {
    if digits > FEW_DIGITS {
        return None;
    }
    let bits = magnitude.to_bits();
    // The float is `mantissa` divided by two to the power of `shift`.
    let mantissa = bits & ((1 << 52) - 1) | (1 << 52);
    let shift = 1075 - (bits >> 52) as i64;
    if !(1..128).contains(&shift) {
        return None;
    }
    let product = u128::from(mantissa) * 10_u128.pow(digits as u32);
    let whole = product >> shift;
    let rest = product & ((1 << shift) - 1);
    let half = 1 << (shift - 1);
    let up = rest > half || (rest == half && whole & 1 == 1);
    u64::try_from(whole + u128::from(up)).ok()
}

/// Digits with the place of the point: `0.DIGITS` times ten to the power of `point`.
struct Digits {
    text: String,
    point: i64,
}

impl Digits {
    /// The fewest that read back as the same float and, of these, the nearest; where two are
    /// equally near, the even one as in `dtoa` (Rust takes the upper one). No float of fewer than
    /// 15 digits lies half-way between two shorter ones.
    fn shortest(magnitude: f64) -> Digits {
        let digits = Digits::parse(&format!("{magnitude:e}"));
        if digits.text.len() < 15 {
            return digits;
        }
        let rounded = format!("{magnitude:.*e}", digits.text.len() - 1);
        if rounded.parse() == Ok(magnitude) {
            Digits::parse(&rounded)
        } else {
            digits
        }
    }

    fn significant(magnitude: f64, count: usize) -> Digits {
        let behind = count.saturating_sub(1).min(MAX_DIGITS);
        Digits::parse(&format!("{magnitude:.behind$e}"))
    }

    /// Reads Rust's `1.234e-5`.
    fn parse(text: &str) -> Digits {
        let (mantissa, exponent) = text.split_once('e').expect("an exponent was asked for");
        Digits {
            text: mantissa.chars().filter(|&it| it != '.').collect(),
            point: exponent.parse::<i64>().expect("an exponent of Rust's") + 1,
        }
    }

    fn trim(&mut self) {
        let kept = self.text.trim_end_matches('0').len().max(1);
        self.text.truncate(kept);
    }

    /// Writes them with at least `keep` digits, with or without an exponent.
    fn lay_out(
        &self,
        out: &mut String,
        exponent: bool,
        keep: usize,
        alternate: bool,
        dot_zero: bool,
    ) {
        // Digits before the point.
        let before = if exponent { 1 } else { self.point };
        let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
        let length = self.text.len() as i64;
        if before <= 0 {
            out.push_str("0.");
            out.push_str(&zeros(-before));
            out.push_str(&self.text);
            out.push_str(&zeros(keep as i64 - length));
        } else {
            let whole = before.min(length);
            out.push_str(&self.text[..whole as usize]);
            out.push_str(&zeros(before - length));
            let behind = length.max(keep as i64) - before;
            if behind > 0 {
                out.push('.');
                out.push_str(&self.text[whole as usize..]);
                out.push_str(&zeros(behind - (length - whole)));
            } else if dot_zero && !exponent {
                out.push_str(".0");
            } else if alternate {
                out.push('.');
            }
        }
        if exponent {
            let power = self.point - 1;
            let sign = if power < 0 { '-' } else { '+' };
            let _ = write!(out, "e{sign}{:02}", power.abs());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Layout, float_text, repr_float, scaled};

    #[test]
    fn repr_switches_to_exponents_where_cpython_does() {
        for (float, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (2.5e-7, "2.5e-07"),
            (1e22, "1e+22"),
            (4_641_947_141_184_146.0 / 8.0, "580243392648018.2"),
            (9.536_743_164_062_5e-7, "9.5367431640625e-07"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(repr_float(float), text);
        }
    }

    /// The short way to digits behind the point comes to what the long one does.
    #[test]
    fn scaled_floats_have_the_digits_of_exact_ones() {
        let mut state = 1_u64;
        for round in 0..20_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let float = match round % 4 {
                0 => f64::from_bits(state >> 1),
                1 => (state >> 40) as f64 / 1024.0,
                2 => (state >> 44) as f64 / 1000.0,
                _ => (state >> 11) as f64 / (1_u64 << (state & 63)) as f64,
            };
            let digits = (state >> 5) as usize % 16;
            let exact = format!("{float:.digits$}");
            if float.is_finite() {
                assert_eq!(
                    float_text(float, Layout::Fixed(digits), false, false),
                    exact
                );
                if let Some(scaled) = scaled(float, digits) {
                    let plain = exact.replace('.', "");
                    assert_eq!(Ok(scaled), plain.parse(), "{float:e} {digits}");
                }
            }
        }
    }

    #[test]
    fn layouts_with_digits_round_half_to_even_on_the_exact_value() {
        let text = |float, layout| float_text(float, layout, false, false);
        assert_eq!(text(0.5, Layout::Fixed(0)), "0");
        assert_eq!(text(1.5, Layout::Fixed(0)), "2");
        assert_eq!(text(2.5, Layout::Fixed(0)), "2");
        assert_eq!(text(2.675, Layout::Fixed(2)), "2.67");
        assert_eq!(text(1e-7, Layout::Exponent(0)), "1e-07");
        assert_eq!(text(0.0, Layout::Exponent(3)), "0.000e+00");
        assert_eq!(text(100_000.0, Layout::General(6)), "100000");
        assert_eq!(text(1_000_000.0, Layout::General(6)), "1e+06");
        assert_eq!(text(0.0001, Layout::General(6)), "0.0001");
        assert_eq!(text(0.000_012_34, Layout::General(3)), "1.23e-05");
        assert_eq!(float_text(1.0, Layout::General(6), true, false), "1.00000");
        assert_eq!(float_text(0.0, Layout::General(3), true, false), "0.00");
        assert_eq!(
            float_text(1e10, Layout::General(3), true, false),
            "1.00e+10"
        );
        assert_eq!(float_text(1.0, Layout::Fixed(0), true, false), "1.");
        assert_eq!(float_text(1.0, Layout::Exponent(0), true, false), "1.e+00");
        assert_eq!(text(1.0, Layout::Fixed(1200)).len(), 1202);
    }
}
