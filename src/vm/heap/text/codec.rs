//! Encodings: text to bytes and back, for UTF-8, UTF-16, UTF-32, ASCII and Latin-1, with CPython's
//! error handlers. Lone surrogates do not exist in Mini's text, so that the handlers which need
//! them are unknown here.

use crate::vm::heap::class::Type;
use crate::vm::heap::fault::{Coded, Coding, Fault};
use std::fmt::Write;

/// An encoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Codec {
    Utf8,
    Ascii,
    Latin1,
    /// Units of two bytes or four; `None` writes a byte order mark and reads one.
    Wide {
        bytes: usize,
        big_endian: Option<bool>,
    },
}

impl Codec {
    fn find(name: &str) -> Result<Codec, Fault> {
        let plain: String = name
            .chars()
            .map(|it| match it.to_ascii_lowercase() {
                '_' | ' ' => '-',
                other => other,
            })
            .collect();
        let wide = |bytes, big_endian| Codec::Wide { bytes, big_endian };
        Ok(match plain.as_str() {
            "utf-8" | "utf8" | "u8" | "utf" | "cp65001" => Codec::Utf8,
            "ascii" | "us-ascii" | "646" => Codec::Ascii,
            "latin-1" | "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "8859"
            | "cp819" => Codec::Latin1,
            "utf-16" | "utf16" | "u16" => wide(2, None),
            "utf-16-le" | "utf-16le" => wide(2, Some(false)),
            "utf-16-be" | "utf-16be" => wide(2, Some(true)),
            "utf-32" | "utf32" | "u32" => wide(4, None),
            "utf-32-le" | "utf-32le" => wide(4, Some(false)),
            "utf-32-be" | "utf-32be" => wide(4, Some(true)),
            _ => {
                return Err(Fault::new(
                    Type::LookupError,
                    format!("unknown encoding: {name}"),
                ));
            }
        })
    }

    /// As messages call it.
    fn name(self) -> String {
        match self {
            Codec::Utf8 => "utf-8".into(),
            Codec::Ascii => "ascii".into(),
            Codec::Latin1 => "latin-1".into(),
            Codec::Wide { bytes, big_endian } => {
                let order = match big_endian {
                    None => "",
                    Some(false) => "-le",
                    Some(true) => "-be",
                };
                format!("utf-{}{order}", bytes * 8)
            }
        }
    }
}

/// `text.encode(encoding, errors)`.
pub fn encode(text: &str, encoding: &str, errors: &str) -> Result<Vec<u8>, Fault> {
    let codec = Codec::find(encoding)?;
    let limit = match codec {
        Codec::Utf8 => return Ok(text.as_bytes().to_vec()),
        Codec::Wide { bytes, big_endian } => return Ok(encode_wide(text, bytes, big_endian)),
        Codec::Ascii => 128,
        Codec::Latin1 => 256,
    };
    let mut out = Vec::with_capacity(text.len());
    let mut chars = text.chars().enumerate().peekable();
    while let Some((at, character)) = chars.next() {
        let code = u32::from(character);
        if code < limit {
            out.push(code as u8);
            continue;
        }
        match errors {
            "ignore" => {}
            "replace" => out.push(b'?'),
            "backslashreplace" => out.extend(backslashed(code).bytes()),
            "xmlcharrefreplace" => out.extend(format!("&#{code};").bytes()),
            "strict" => {
                let mut last = at;
                while let Some((next, _)) = chars.next_if(|&(_, it)| u32::from(it) >= limit) {
                    last = next;
                }
                return Err(Fault::coding(Coding {
                    encoding: codec.name(),
                    object: Coded::Text(text.to_owned()),
                    start: at,
                    end: last + 1,
                    reason: format!("ordinal not in range({limit})"),
                }));
            }
            _ => return Err(unknown_handler(errors)),
        }
    }
    Ok(out)
}

/// What `str` of a `UnicodeEncodeError` says.
#[must_use]
pub fn encode_message(
    encoding: &str,
    text: &str,
    start: usize,
    end: usize,
    reason: &str,
) -> String {
    let what = match text.chars().nth(start) {
        Some(character) if end == start + 1 => format!(
            "character '{}' in position {start}",
            backslashed(character.into())
        ),
        _ => format!("characters in position {start}-{}", end.saturating_sub(1)),
    };
    format!("'{encoding}' codec can't encode {what}: {reason}")
}

/// What `str` of a `UnicodeDecodeError` says.
#[must_use]
pub fn decode_message(
    encoding: &str,
    bytes: &[u8],
    start: usize,
    end: usize,
    reason: &str,
) -> String {
    let what = match bytes.get(start) {
        Some(byte) if end == start + 1 => format!("byte 0x{byte:02x} in position {start}"),
        _ => format!("bytes in position {start}-{}", end.saturating_sub(1)),
    };
    format!("'{encoding}' codec can't decode {what}: {reason}")
}

fn backslashed(code: u32) -> String {
    match code {
        0..=0xff => format!("\\x{code:02x}"),
        0x100..=0xffff => format!("\\u{code:04x}"),
        _ => format!("\\U{code:08x}"),
    }
}

fn unknown_handler(errors: &str) -> Fault {
    Fault::new(
        Type::LookupError,
        format!("unknown error handler name '{errors}'"),
    )
}

fn encode_wide(text: &str, bytes: usize, big_endian: Option<bool>) -> Vec<u8> {
    let mut units: Vec<u32> = Vec::new();
    if big_endian.is_none() {
        units.push(0xfeff);
    }
    if bytes == 2 {
        units.extend(text.encode_utf16().map(u32::from));
    } else {
        units.extend(text.chars().map(u32::from));
    }
    let big_endian = big_endian.unwrap_or(false);
    units
        .into_iter()
        .flat_map(|unit| {
            let all = unit.to_le_bytes();
            let mut unit: Vec<u8> = all[..bytes].to_vec();
            if big_endian {
                unit.reverse();
            }
            unit
        })
        .collect()
}

/// What cannot be decoded: its bytes, and why.
struct Undecodable {
    first: usize,
    end: usize,
    reason: &'static str,
}

/// `bytes.decode(encoding, errors)`.
pub fn decode(bytes: &[u8], encoding: &str, errors: &str) -> Result<String, Fault> {
    let codec = Codec::find(encoding)?;
    let mut out = String::with_capacity(bytes.len());
    let (mut at, codec) = match codec {
        Codec::Wide {
            bytes: width,
            big_endian: None,
        } => byte_order(bytes, width),
        other => (0, other),
    };
    while at < bytes.len() {
        let bad = match codec {
            Codec::Utf8 => decode_utf8(bytes, &mut at, &mut out),
            Codec::Ascii => decode_ascii(bytes, &mut at, &mut out),
            Codec::Latin1 => {
                out.extend(bytes[at..].iter().map(|&it| char::from(it)));
                break;
            }
            Codec::Wide {
                bytes: width,
                big_endian,
            } => decode_wide(bytes, &mut at, &mut out, width, big_endian == Some(true)),
        };
        let Some(bad) = bad else { break };
        match errors {
            "ignore" => {}
            "replace" => out.push('\u{fffd}'),
            "backslashreplace" => {
                for byte in &bytes[bad.first..bad.end] {
                    let _ = write!(out, "\\x{byte:02x}");
                }
            }
            "strict" => return Err(decode_error(codec, bytes, &bad)),
            "xmlcharrefreplace" => {
                return Err(Fault::new(
                    Type::TypeError,
                    "don't know how to handle UnicodeDecodeError in error callback",
                ));
            }
            _ => return Err(unknown_handler(errors)),
        }
        at = bad.end;
    }
    Ok(out)
}

fn decode_error(codec: Codec, bytes: &[u8], bad: &Undecodable) -> Fault {
    Fault::coding(Coding {
        encoding: codec.name(),
        object: Coded::Bytes(bytes.to_vec()),
        start: bad.first,
        end: bad.end,
        reason: bad.reason.to_owned(),
    })
}

/// Decodes as far as it goes; then says what is wrong, or nothing at the end.
fn decode_utf8(bytes: &[u8], at: &mut usize, out: &mut String) -> Option<Undecodable> {
    let error = match std::str::from_utf8(&bytes[*at..]) {
        Ok(rest) => {
            out.push_str(rest);
            return None;
        }
        Err(error) => error,
    };
    let first = *at + error.valid_up_to();
    out.push_str(std::str::from_utf8(&bytes[*at..first]).expect("valid up to here"));
    let (end, reason) = match error.error_len() {
        None => (bytes.len(), "unexpected end of data"),
        Some(_) if matches!(bytes[first], 0x80..=0xc1 | 0xf5..) => {
            (first + 1, "invalid start byte")
        }
        Some(length) => (first + length, "invalid continuation byte"),
    };
    Some(Undecodable { first, end, reason })
}

fn decode_ascii(bytes: &[u8], at: &mut usize, out: &mut String) -> Option<Undecodable> {
    let rest = &bytes[*at..];
    let length = rest.iter().take_while(|it| it.is_ascii()).count();
    out.extend(rest[..length].iter().map(|&it| char::from(it)));
    let first = *at + length;
    (first < bytes.len()).then_some(Undecodable {
        first,
        end: first + 1,
        reason: "ordinal not in range(128)",
    })
}

/// Reads a byte order mark: where the text begins, and in which order it is.
fn byte_order(bytes: &[u8], width: usize) -> (usize, Codec) {
    let mark: &[u8] = if width == 2 {
        &[0xff, 0xfe]
    } else {
        &[0xff, 0xfe, 0, 0]
    };
    let reversed: Vec<u8> = mark.iter().rev().copied().collect();
    let (at, big_endian) = if bytes.starts_with(mark) {
        (width, false)
    } else if bytes.starts_with(&reversed) {
        (width, true)
    } else {
        (0, false)
    };
    let codec = Codec::Wide {
        bytes: width,
        big_endian: Some(big_endian),
    };
    (at, codec)
}

fn decode_wide(
    bytes: &[u8],
    at: &mut usize,
    out: &mut String,
    width: usize,
    big_endian: bool,
) -> Option<Undecodable> {
    let unit = |at: usize| -> Option<u32> {
        let unit = bytes.get(at..at + width)?;
        let fold = |sum: u32, &byte: &u8| sum << 8 | u32::from(byte);
        Some(if big_endian {
            unit.iter().fold(0, fold)
        } else {
            unit.iter().rev().fold(0, fold)
        })
    };
    while *at < bytes.len() {
        let first = *at;
        let bad = |end: usize, reason| Some(Undecodable { first, end, reason });
        let Some(high) = unit(first) else {
            return bad(bytes.len(), "truncated data");
        };
        if let Some(character) = char::from_u32(high) {
            out.push(character);
            *at += width;
            continue;
        }
        if width == 4 {
            let reason = if high > 0x0010_ffff {
                "code point not in range(0x110000)"
            } else {
                "code point in surrogate code point range(0xd800, 0xe000)"
            };
            return bad(first + 4, reason);
        }
        if high >= 0xdc00 {
            return bad(first + 2, "illegal encoding");
        }
        match unit(first + 2) {
            None => return bad(bytes.len(), "unexpected end of data"),
            Some(low @ 0xdc00..=0xdfff) => {
                let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                out.extend(char::from_u32(code));
                *at += 4;
            }
            Some(_) => return bad(first + 2, "illegal UTF-16 surrogate"),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{decode, decode_message, encode, encode_message};
    use crate::vm::heap::fault::{Coded, Fault};

    /// What the exception would say.
    fn told(fault: Fault) -> String {
        let Some(coding) = fault.coding else {
            return fault.message.into_owned();
        };
        let (start, end) = (coding.start, coding.end);
        match &coding.object {
            Coded::Text(text) => encode_message(&coding.encoding, text, start, end, &coding.reason),
            Coded::Bytes(bytes) => {
                decode_message(&coding.encoding, bytes, start, end, &coding.reason)
            }
        }
    }
    fn encoded(text: &str, encoding: &str, errors: &str) -> Result<Vec<u8>, String> {
        encode(text, encoding, errors).map_err(told)
    }
    fn decoded(bytes: &[u8], encoding: &str, errors: &str) -> Result<String, String> {
        decode(bytes, encoding, errors).map_err(told)
    }

    #[test]
    fn what_goes_out_comes_back() {
        let text = "aé€\u{1f600}";
        for encoding in ["UTF-8", "utf_16", "utf-16-be", "utf-32", "utf-32-le"] {
            let bytes = encoded(text, encoding, "strict").expect("encodes all");
            assert_eq!(decoded(&bytes, encoding, "strict").as_deref(), Ok(text));
        }
        assert_eq!(encoded("é", "latin-1", "strict"), Ok(vec![0xe9]));
        assert_eq!(
            encoded("a", "utf-16", "strict"),
            Ok(vec![0xff, 0xfe, b'a', 0])
        );
    }

    #[test]
    fn errors_say_where() {
        assert_eq!(
            encoded("a€€b", "latin-1", "strict"),
            Err("'latin-1' codec can't encode characters in position 1-2: ordinal not in range(256)".into())
        );
        assert_eq!(
            decoded(b"a\xe2\x82", "utf-8", "strict"),
            Err("'utf-8' codec can't decode bytes in position 1-2: unexpected end of data".into())
        );
        assert_eq!(
            decoded(b"\xed\xa0\x80", "utf8", "strict"),
            Err(
                "'utf-8' codec can't decode byte 0xed in position 0: invalid continuation byte"
                    .into()
            )
        );
        assert_eq!(
            decoded(b"a\0b", "utf-16-le", "strict"),
            Err("'utf-16-le' codec can't decode byte 0x62 in position 2: truncated data".into())
        );
        assert_eq!(
            encoded("a", "cp1252", "strict"),
            Err("unknown encoding: cp1252".into())
        );
    }

    #[test]
    fn handlers() {
        assert_eq!(
            encoded("a€b", "ascii", "xmlcharrefreplace"),
            Ok(b"a&#8364;b".to_vec())
        );
        assert_eq!(
            encoded("a€b", "ascii", "backslashreplace"),
            Ok(b"a\\u20acb".to_vec())
        );
        assert_eq!(
            decoded(b"\xc0\x80x", "utf-8", "replace").as_deref(),
            Ok("\u{fffd}\u{fffd}x")
        );
        assert_eq!(decoded(b"a\xffb", "utf-8", "ignore").as_deref(), Ok("ab"));
        assert_eq!(
            decoded(b"a\xff", "ascii", "backslashreplace").as_deref(),
            Ok("a\\xff")
        );
    }
}
