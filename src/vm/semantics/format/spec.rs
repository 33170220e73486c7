//! Format specifications: `[[fill]align][sign][z][#][0][width][grouping][.precision][type]`, after
//! `Python/formatter_unicode.c`. Pure functions.

use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::decimal::{Layout, float_text};
use crate::vm::heap::number::float::from_big;
use crate::vm::heap::number::integer::decimal_text;
use crate::vm::heap::text::character::decimal_value;
use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive};
use std::borrow::Cow;

/// A specification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    fill: char,
    align: char,
    sign: Option<char>,
    /// `z`: no sign for a zero.
    positive_zero: bool,
    /// `#`.
    alternate: bool,
    pub width: usize,
    /// `,` or `_`.
    grouping: Option<char>,
    pub precision: Option<usize>,
    kind: Option<char>,
    /// The name of the value's type, for messages.
    of: &'static str,
}

impl Spec {
    /// Reads a specification for a value of the type `of`, whose text goes to the side `align` if
    /// it does not say.
    pub fn parse(text: &str, align: char, of: &'static str) -> Result<Spec, Fault> {
        let mut rest = Rest(text);
        let mut spec = Spec {
            fill: ' ',
            align,
            sign: None,
            positive_zero: false,
            alternate: false,
            width: 0,
            grouping: None,
            precision: None,
            kind: None,
            of,
        };
        let mut aligned = true;
        let mut filled = false;
        let is_align = |it: Option<char>| it.filter(|it| matches!(it, '<' | '>' | '=' | '^'));
        let mut chars = text.chars();
        let (first, second) = (chars.next(), chars.next());
        if let (Some(fill), Some(align)) = (first, is_align(second)) {
            (spec.fill, spec.align) = (fill, align);
            filled = true;
            rest = Rest(chars.as_str());
        } else if let Some(align) = is_align(first) {
            spec.align = align;
            rest.take(align);
        } else {
            aligned = false;
        }
        spec.sign = ['+', '-', ' '].into_iter().find(|&sign| rest.take(sign));
        spec.positive_zero = rest.take('z');
        spec.alternate = rest.take('#');
        if !filled && rest.take('0') {
            spec.fill = '0';
            if !aligned && align == '>' {
                spec.align = '=';
            }
        }
        spec.width = rest.take_count()?.unwrap_or(0);
        if rest.take(',') {
            spec.grouping = Some(',');
        }
        let both = || Fault::value("Cannot specify both ',' and '_'.");
        if rest.take('_') {
            if spec.grouping.is_some() {
                return Err(both());
            }
            spec.grouping = Some('_');
        }
        if rest.peek() == Some(',') && spec.grouping == Some('_') {
            return Err(both());
        }
        if rest.take('.') {
            let precision = rest.take_count()?;
            spec.precision =
                Some(precision.ok_or_else(|| Fault::value("Format specifier missing precision"))?);
        }
        let mut chars = rest.0.chars();
        spec.kind = chars.next();
        if chars.next().is_some() {
            return Err(Fault::value(format!(
                "Invalid format specifier '{text}' for object of type '{of}'"
            )));
        }
        spec.check_grouping()?;
        Ok(spec)
    }

    fn check_grouping(&self) -> Result<(), Fault> {
        let Some(separator) = self.grouping else {
            return Ok(());
        };
        let kind = self.kind.or(match self.of {
            "str" => Some('s'),
            _ => None,
        });
        match kind {
            None | Some('d' | 'e' | 'f' | 'g' | 'E' | 'F' | 'G' | '%') => Ok(()),
            Some('b' | 'o' | 'x' | 'X') if separator == '_' => Ok(()),
            Some(kind) => Err(Fault::value(format!(
                "Cannot specify '{separator}' with '{}'.",
                shown(kind)
            ))),
        }
    }

    fn unknown_kind(&self) -> Fault {
        let kind = shown(self.kind.unwrap_or(' '));
        Fault::value(format!(
            "Unknown format code '{kind}' for object of type '{}'",
            self.of
        ))
    }

    /// Pads a text that has no sign of its own.
    fn pad(&self, text: &str) -> String {
        let length = text.chars().count();
        let missing = self.width.saturating_sub(length);
        let left = match self.align {
            '<' => 0,
            '^' => missing / 2,
            _ => missing,
        };
        let mut out = String::with_capacity(text.len() + missing * self.fill.len_utf8());
        out.extend(std::iter::repeat_n(self.fill, left));
        out.push_str(text);
        out.extend(std::iter::repeat_n(self.fill, missing - left));
        out
    }

    /// Puts a number together: sign, prefix, digits in groups, and what follows the digits, padded.
    fn number(&self, negative: bool, prefix: &str, digits: &str, rest: &str) -> String {
        let sign = match (negative, self.sign) {
            (true, _) => "-",
            (false, Some('+')) => "+",
            (false, Some(' ')) => " ",
            (false, _) => "",
        };
        let around = sign.len() + prefix.len() + rest.len();
        let zeros = self.fill == '0' && self.align == '=';
        let least = if zeros {
            self.width.saturating_sub(around)
        } else {
            0
        };
        let grouped = self.group(digits, least);
        let missing = self.width.saturating_sub(around + grouped.len());
        let (left, inside, right) = match self.align {
            '<' => (0, 0, missing),
            '^' => (missing / 2, 0, missing - missing / 2),
            '=' => (0, missing, 0),
            _ => (missing, 0, 0),
        };
        let mut out = String::with_capacity(around + grouped.len() + missing);
        out.extend(std::iter::repeat_n(self.fill, left));
        out.push_str(sign);
        out.push_str(prefix);
        out.extend(std::iter::repeat_n(self.fill, inside));
        out.push_str(&grouped);
        out.push_str(rest);
        out.extend(std::iter::repeat_n(self.fill, right));
        out
    }

    /// Digits with separators, filled with zeros to at least `least` characters, so that no
    /// separator comes first.
    fn group<'d>(&self, digits: &'d str, least: usize) -> Cow<'d, str> {
        if digits.is_empty() || (self.grouping.is_none() && digits.len() >= least) {
            return digits.into();
        }
        let Some(separator) = self.grouping else {
            return ("0".repeat(least - digits.len()) + digits).into();
        };
        let size = if matches!(self.kind, Some('b' | 'o' | 'x' | 'X')) {
            4
        } else {
            3
        };
        // From the right.
        let mut out: Vec<u8> = Vec::new();
        let mut left = digits.bytes().rev();
        loop {
            let before = left.len();
            let length = size.min(before.max(least.saturating_sub(out.len())).max(1));
            for _ in 0..length {
                out.push(left.next().unwrap_or(b'0'));
            }
            if left.len() == 0 && out.len() >= least {
                break;
            }
            out.push(separator as u8);
        }
        out.reverse();
        let out = String::from_utf8(out).expect("digits and separators are ASCII");
        out.into()
    }
}

/// A type character in messages.
fn shown(kind: char) -> String {
    if matches!(kind, '!'..='\x7f') {
        kind.to_string()
    } else {
        format!("\\x{:x}", u32::from(kind))
    }
}

/// What is left to be read.
struct Rest<'t>(&'t str);

impl Rest<'_> {
    fn peek(&self) -> Option<char> {
        self.0.chars().next()
    }

    /// Goes behind a character, if it is the next one.
    fn take(&mut self, wanted: char) -> bool {
        match self.0.strip_prefix(wanted) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    /// Goes behind a decimal number, if there is one.
    fn take_count(&mut self) -> Result<Option<usize>, Fault> {
        let mut count: Option<usize> = None;
        while let Some(character) = self.peek()
            && let Some(digit) = decimal_value(character)
        {
            let grown = count
                .unwrap_or(0)
                .checked_mul(10)
                .and_then(|it| it.checked_add(digit as usize))
                .filter(|&it| isize::try_from(it).is_ok());
            count = Some(
                grown.ok_or_else(|| Fault::value("Too many decimal digits in format string"))?,
            );
            self.0 = &self.0[character.len_utf8()..];
        }
        Ok(count)
    }
}

/// An integer to be formatted.
#[derive(Clone, Copy)]
pub enum Integer<'i> {
    Small(i64),
    Big(&'i BigInt),
}

impl Integer<'_> {
    fn is_negative(self) -> bool {
        match self {
            Integer::Small(it) => it < 0,
            Integer::Big(it) => it.is_negative(),
        }
    }

    fn float(self) -> Option<f64> {
        match self {
            Integer::Small(it) => Some(it as f64),
            Integer::Big(it) => from_big(it),
        }
    }

    fn small(self) -> Option<i64> {
        match self {
            Integer::Small(it) => Some(it),
            Integer::Big(it) => it.to_i64(),
        }
    }

    /// Its digits, without a sign.
    fn digits(self, radix: u32) -> Result<String, Fault> {
        Ok(match (self, radix) {
            (Integer::Small(it), 2) => format!("{:b}", it.unsigned_abs()),
            (Integer::Small(it), 8) => format!("{:o}", it.unsigned_abs()),
            (Integer::Small(it), 16) => format!("{:x}", it.unsigned_abs()),
            (Integer::Small(it), _) => itoa::Buffer::new().format(it.unsigned_abs()).to_owned(),
            (Integer::Big(it), 10) => decimal_text(it)?.trim_start_matches('-').to_owned(),
            (Integer::Big(it), _) => it.magnitude().to_str_radix(radix),
        })
    }
}

/// `format(text, spec)`.
pub fn format_str(text: &str, spec: &Spec) -> Result<String, Fault> {
    match spec.kind {
        None | Some('s') => {}
        Some(_) => return Err(spec.unknown_kind()),
    }
    let refuse = |what: &str| {
        Err(Fault::value(format!(
            "{what} not allowed in string format specifier"
        )))
    };
    match spec.sign {
        Some(' ') => return refuse("Space"),
        Some(_) => return refuse("Sign"),
        None => {}
    }
    if spec.positive_zero {
        return refuse("Negative zero coercion (z)");
    }
    if spec.alternate {
        return refuse("Alternate form (#)");
    }
    if spec.align == '=' {
        return refuse("'=' alignment");
    }
    let cut = match spec.precision {
        Some(precision) => text
            .char_indices()
            .nth(precision)
            .map_or(text, |(end, _)| &text[..end]),
        None => text,
    };
    Ok(spec.pad(cut))
}

/// `format(integer, spec)`.
pub fn format_integer(integer: Integer<'_>, spec: &Spec) -> Result<String, Fault> {
    let (radix, prefix) = match spec.kind {
        None | Some('d' | 'n' | 'c') => (10, ""),
        Some('b') => (2, "0b"),
        Some('o') => (8, "0o"),
        Some('x') => (16, "0x"),
        Some('X') => (16, "0X"),
        Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => {
            let float = integer
                .float()
                .ok_or_else(|| Fault::overflow("int too large to convert to float"))?;
            return format_float(float, spec);
        }
        Some(_) => return Err(spec.unknown_kind()),
    };
    let refuse = |what: &str| {
        Err(Fault::value(format!(
            "{what} not allowed in integer format specifier"
        )))
    };
    if spec.precision.is_some() {
        return refuse("Precision");
    }
    if spec.positive_zero {
        return refuse("Negative zero coercion (z)");
    }
    if spec.kind == Some('c') {
        return format_character(integer, spec);
    }
    let digits = integer.digits(radix)?;
    let digits = if spec.kind == Some('X') {
        digits.to_ascii_uppercase()
    } else {
        digits
    };
    let prefix = if spec.alternate { prefix } else { "" };
    Ok(spec.number(integer.is_negative(), prefix, &digits, ""))
}

fn format_character(integer: Integer<'_>, spec: &Spec) -> Result<String, Fault> {
    let refuse = |what: &str| {
        Err(Fault::value(format!(
            "{what} not allowed with integer format specifier 'c'"
        )))
    };
    if spec.sign.is_some() {
        return refuse("Sign");
    }
    if spec.alternate {
        return refuse("Alternate form (#)");
    }
    let code = integer
        .small()
        .ok_or_else(|| Fault::overflow("Python int too large to convert to C long"))?;
    let character = u32::try_from(code)
        .ok()
        .and_then(char::from_u32)
        .ok_or_else(|| Fault::overflow("%c arg not in range(0x110000)"))?;
    Ok(spec.pad(character.encode_utf8(&mut [0; 4])))
}

/// `format(float, spec)`.
pub fn format_float(float: f64, spec: &Spec) -> Result<String, Fault> {
    if spec.precision.is_some_and(|it| it > i32::MAX as usize) {
        return Err(Fault::value("precision too big"));
    }
    let precision = spec.precision.unwrap_or(6);
    let (layout, dot_zero) = match spec.kind {
        None => match spec.precision {
            None => (Layout::Shortest, true),
            Some(precision) => (Layout::General(precision), true),
        },
        Some('e' | 'E') => (Layout::Exponent(precision), false),
        Some('f' | 'F' | '%') => (Layout::Fixed(precision), false),
        Some('g' | 'G' | 'n') => (Layout::General(precision), false),
        Some(_) => return Err(spec.unknown_kind()),
    };
    let percent = spec.kind == Some('%');
    let float = if percent { float * 100.0 } else { float };
    let mut text = float_text(float, layout, spec.alternate, dot_zero);
    if matches!(spec.kind, Some('E' | 'F' | 'G')) {
        text.make_ascii_uppercase();
    }
    if percent {
        text.push('%');
    }
    let (text, mut negative) = match text.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (text.as_str(), false),
    };
    if spec.positive_zero {
        let mantissa = text.split(['e', 'E']).next().unwrap_or("");
        negative &= mantissa.bytes().any(|it| !matches!(it, b'0' | b'.' | b'%'));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    Ok(spec.number(negative, "", &text[..digits], &text[digits..]))
}

#[cfg(test)]
mod tests {
    use super::{Integer, Spec, format_float, format_integer, format_str};

    fn int(integer: i64, spec: &str) -> String {
        let text = Spec::parse(spec, '>', "int")
            .and_then(|it| format_integer(Integer::Small(integer), &it));
        text.unwrap_or_else(|fault| fault.message.into_owned())
    }
    fn float(float: f64, spec: &str) -> String {
        let text = Spec::parse(spec, '>', "float").and_then(|it| format_float(float, &it));
        text.unwrap_or_else(|fault| fault.message.into_owned())
    }
    fn text(text: &str, spec: &str) -> String {
        let text = Spec::parse(spec, '<', "str").and_then(|it| format_str(text, &it));
        text.unwrap_or_else(|fault| fault.message.into_owned())
    }

    #[test]
    fn integers() {
        for (integer, spec, expected) in [
            (1_234_567, ",", "1,234,567"),
            (123, "05,", "0,123"),
            (123, "04,", "0,123"),
            (1234, "010,", "00,001,234"),
            (255, "#06x", "0x00ff"),
            (255, "_b", "1111_1111"),
            (255, "#X", "0XFF"),
            (-5, "05", "-0005"),
            (-5, "^6", "  -5  "),
            (5, "*=+6", "+****5"),
            (97, "c", "a"),
            (97, "3c", "  a"),
            (3, ".2f", "3.00"),
            (1, ".2", "Precision not allowed in integer format specifier"),
            (
                1,
                "5dd",
                "Invalid format specifier '5dd' for object of type 'int'",
            ),
            (1, ",x", "Cannot specify ',' with 'x'."),
        ] {
            assert_eq!(int(integer, spec), expected, "{integer} {spec}");
        }
    }

    #[test]
    fn floats() {
        for (value, spec, expected) in [
            (2.71999, ".2f", "2.72"),
            (0.256, ".1%", "25.6%"),
            (1_234_567.891, ",.2f", "1,234,567.89"),
            (1.0, "", "1.0"),
            (1e20, ".3", "1e+20"),
            (123.0, ".3", "1.23e+02"),
            (12.0, ".3", "12.0"),
            (f64::INFINITY, "010", "0000000inf"),
            (f64::NAN, "F", "NAN"),
            (-0.001, "z.1f", "0.0"),
            (1234.5, "012,.1f", "00,001,234.5"),
            (
                1.5,
                "x",
                "Unknown format code 'x' for object of type 'float'",
            ),
        ] {
            assert_eq!(float(value, spec), expected, "{value} {spec}");
        }
    }

    #[test]
    fn texts() {
        for (value, spec, expected) in [
            ("hello", "^11.3", "    hel    "),
            ("é", "*>3", "**é"),
            ("x", "05", "x0000"),
            (
                "x",
                "=5",
                "'=' alignment not allowed in string format specifier",
            ),
            ("x", "d", "Unknown format code 'd' for object of type 'str'"),
        ] {
            assert_eq!(text(value, spec), expected, "{value} {spec}");
        }
    }
}
