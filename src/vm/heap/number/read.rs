//! Numbers from text, as `int(text, base)` and `float(text)` read them: white space around,
//! underscores between digits, digits of any script.

use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::integer::MAX_DIGITS;
use crate::vm::heap::text::character::decimal_value;
use crate::vm::heap::text::repr_str;
use num_bigint::{BigInt, BigUint};

/// `int(text, base)`; the base is 0 or 2 to 36. `shown` is what messages show as the text.
pub fn read_int(text: &str, base: u32, shown: impl Fn() -> String) -> Result<BigInt, Fault> {
    let invalid = || {
        // CPython shows 200 characters.
        let shown: String = shown().chars().take(200).collect();
        Fault::value(format!(
            "invalid literal for int() with base {base}: {shown}"
        ))
    };
    let text = plain(text);
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text.as_str()),
    };
    let prefix = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 0,
    };
    // An underscore may follow a prefix.
    let (radix, body) = match (base, prefix) {
        (0, 0) => (10, unsigned),
        (0, _) => (
            prefix,
            unsigned[2..].strip_prefix('_').unwrap_or(&unsigned[2..]),
        ),
        _ if base == prefix => (
            base,
            unsigned[2..].strip_prefix('_').unwrap_or(&unsigned[2..]),
        ),
        _ => (base, unsigned),
    };
    let mut digits = Vec::with_capacity(body.len());
    let mut after_digit = false;
    for byte in body.bytes() {
        if byte == b'_' {
            if !after_digit {
                return Err(invalid());
            }
            after_digit = false;
            continue;
        }
        let digit = char::from(byte).to_digit(radix).ok_or_else(invalid)?;
        digits.push(digit as u8);
        after_digit = true;
    }
    if !after_digit {
        return Err(invalid());
    }
    // Without a prefix, base 0 reads as the language does: no zeros in front.
    if base == 0 && prefix == 0 && digits[0] == 0 && digits.iter().any(|&it| it != 0) {
        return Err(invalid());
    }
    if !radix.is_power_of_two() && digits.len() > MAX_DIGITS {
        return Err(Fault::value(format!(
            "Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion: value has {} digits; use sys.set_int_max_str_digits() to increase the limit",
            digits.len()
        )));
    }
    let Some(magnitude) = BigUint::from_radix_be(&digits, radix) else {
        unreachable!("each digit is less than the base")
    };
    let integer = BigInt::from(magnitude);
    Ok(if negative { -integer } else { integer })
}

/// `float(text)`.
pub fn read_float(text: &str) -> Result<f64, Fault> {
    read_plain_float(&plain(text)).ok_or_else(|| {
        Fault::value(format!(
            "could not convert string to float: {}",
            repr_str(text)
        ))
    })
}

fn read_plain_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        // Underscores stand between digits; Rust reads the rest as Python does.
        let bytes = text.as_bytes();
        for (at, _) in text.match_indices('_') {
            let digit = |at: Option<usize>| {
                at.and_then(|at| bytes.get(at))
                    .is_some_and(u8::is_ascii_digit)
            };
            if !digit(at.checked_sub(1)) || !digit(Some(at + 1)) {
                return None;
            }
        }
        return text.replace('_', "").parse().ok();
    }
    let magnitude = match unsigned.to_ascii_lowercase().as_str() {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => f64::NAN,
        _ => return None,
    };
    Some(if text.starts_with('-') {
        -magnitude
    } else {
        magnitude
    })
}

/// Without the white space around, all digits in ASCII. The separators U+001C to U+001F, white
/// space to `str.isspace`, are none here: CPython compares ASCII with what C takes for a space
/// (`_PyUnicode_TransformDecimalAndSpaceToASCII` in `Objects/unicodeobject.c`).
fn plain(text: &str) -> String {
    text.trim_matches(char::is_whitespace)
        .chars()
        .map(|character| match decimal_value(character) {
            Some(digit) => char::from_digit(digit, 10).expect("a decimal digit"),
            None => character,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{read_float, read_int};

    #[test]
    fn integers_in_every_base() {
        let read = |text: &str, base| read_int(text, base, String::new).ok();
        assert_eq!(read(" -1_000\n", 10), Some((-1000).into()));
        assert_eq!(read("0xff", 16), Some(255.into()));
        assert_eq!(read("0x_ff", 0), Some(255.into()));
        assert_eq!(read("0b1", 16), Some(0xb1.into()));
        assert_eq!(read("00", 0), Some(0.into()));
        assert_eq!(read("٣", 10), Some(3.into()));
        for bad in ["", "+", "_1", "1_", "1__0", "1 2", "0x", "é", "1.5", "--1"] {
            assert_eq!(read(bad, 10), None, "{bad}");
        }
        assert_eq!(read("07", 0), None);
        assert_eq!(read("8", 8), None);
    }

    #[test]
    fn floats() {
        assert_eq!(read_float(" 1_0.5e1_0 "), Ok(10.5e10));
        assert_eq!(read_float(".5"), Ok(0.5));
        assert_eq!(read_float("-5."), Ok(-5.0));
        assert_eq!(read_float("-Infinity"), Ok(f64::NEG_INFINITY));
        assert!(read_float("nan").is_ok_and(f64::is_nan));
        for bad in [
            "", ".", "1e", "1__0", "1_.5", "infin", "+-1", "0x1", "1e5e5", "1 2", "+",
        ] {
            assert!(read_float(bad).is_err(), "{bad}");
        }
    }
}
