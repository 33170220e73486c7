//! Texts as literals: `repr` and `ascii` of strings and bytes, after CPython's `unicode_repr`
//! (`Objects/unicodeobject.c`) and `PyBytes_Repr`.

use crate::vm::heap::text::character::is_printable;
use std::fmt::Write;

/// `repr(text)`: in single quotes, or in double ones if only single ones are inside; what is
/// printable stays as it is.
#[must_use]
pub fn repr_str(text: &str) -> String {
    quote(text, is_printable)
}

/// `ascii(text)`: like `repr_str`, with everything beyond ASCII escaped.
#[must_use]
pub fn ascii_str(text: &str) -> String {
    quote(text, |character| character.is_ascii())
}

/// What `ascii` makes of a text that is already a `repr`: escapes what is beyond ASCII and leaves
/// the rest.
#[must_use]
pub fn escape_non_ascii(repr: &str) -> String {
    let mut out = String::with_capacity(repr.len());
    for character in repr.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            escape(&mut out, character);
        }
    }
    out
}

/// `repr(bytes)`.
#[must_use]
pub fn repr_bytes(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        b'"'
    } else {
        b'\''
    };
    let mut out = String::with_capacity(bytes.len() + 3);
    out.push('b');
    out.push(char::from(quote));
    for &byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\t' => out.push_str("\\t"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            _ if byte == quote => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..=b'~' => out.push(char::from(byte)),
            _ => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(char::from(quote));
    out
}

fn quote(text: &str, keep: impl Fn(char) -> bool) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for character in text.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            _ if character == quote => {
                out.push('\\');
                out.push(character);
            }
            ' '..='~' => out.push(character),
            _ if !character.is_ascii() && keep(character) => out.push(character),
            _ => escape(&mut out, character),
        }
    }
    out.push(quote);
    out
}

/// The shortest of the forms `\xhh`, `\uhhhh`, `\Uhhhhhhhh`.
fn escape(out: &mut String, character: char) {
    let code = u32::from(character);
    let _ = match code {
        0..=0xff => write!(out, "\\x{code:02x}"),
        0x100..=0xffff => write!(out, "\\u{code:04x}"),
        _ => write!(out, "\\U{code:08x}"),
    };
}

#[cfg(test)]
mod tests {
    use super::{ascii_str, repr_bytes, repr_str};

    #[test]
    fn the_quote_is_the_one_that_needs_less_escaping() {
        assert_eq!(repr_str("a"), "'a'");
        assert_eq!(repr_str("it's"), "\"it's\"");
        assert_eq!(repr_str("'\""), "'\\'\"'");
        assert_eq!(repr_bytes(b"it's"), "b\"it's\"");
    }

    #[test]
    fn what_does_not_print_is_escaped() {
        assert_eq!(
            repr_str("\0\x7f\u{a0}é\u{300}\u{2028}\u{e000}\u{1f600}"),
            "'\\x00\\x7f\\xa0é\u{300}\\u2028\\ue000\u{1f600}'"
        );
        assert_eq!(ascii_str("é€\u{1f600}"), "'\\xe9\\u20ac\\U0001f600'");
        assert_eq!(repr_bytes(b"\x00a\xff\n"), "b'\\x00a\\xff\\n'");
    }
}
