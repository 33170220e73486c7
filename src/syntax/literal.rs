//! The values of string, bytes and number literals. Knows the text of one literal and nothing else.
//!
//! Follows CPython 3.11's `Parser/string_parser.c` and the "unicodeescape" codec, messages
//! included.

use crate::diagnostic::Code;
use num_bigint::BigInt;

/// What is wrong inside a literal: bytes from its start, and the words.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: Code,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
}

/// Most digits of a decimal integer (CPython's `sys.int_info.default_max_str_digits`).
const MAX_INT_DIGITS: usize = 4300;

/// The value of an integer literal that the lexer found well formed.
pub(crate) fn integer(text: &str) -> Result<BigInt, Fault> {
    let digits: String = text.chars().filter(|&c| c != '_').collect();
    let radix = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', b'o' | b'O', ..] => 8,
        [b'0', b'b' | b'B', ..] => 2,
        _ => 10,
    };
    if radix == 10 && digits.len() > MAX_INT_DIGITS {
        return Err(Fault {
            code: Code::E0504,
            start: 0,
            end: text.len(),
            message: format!(
                "Exceeds the limit ({MAX_INT_DIGITS} digits) for integer string conversion: value has {} digits",
                digits.len()
            ),
            help: Some("write huge numbers in hexadecimal, or compute them: 10 ** 5000"),
        });
    }
    let digits = if radix == 10 {
        &digits[..]
    } else {
        &digits[2..]
    };
    Ok(BigInt::parse_bytes(digits.as_bytes(), radix).expect("the lexer checked the digits"))
}

/// The value of a float literal.
pub(crate) fn float(text: &str) -> f64 {
    let digits: String = text.chars().filter(|&c| c != '_').collect();
    digits.parse().expect("the lexer checked the digits")
}

/// A literal's prefix and body: `rb"..."` is raw, and its body starts after the quotes.
pub(crate) fn split(text: &str) -> (bool, usize, &str) {
    let quotes = text.find(['\'', '"']).expect("a string has quotes");
    let raw = text[..quotes].contains(['r', 'R']);
    let width = if text[quotes..].starts_with("'''") || text[quotes..].starts_with("\"\"\"") {
        3
    } else {
        1
    };
    let start = quotes + width;
    (raw, start, &text[start..text.len() - width])
}

/// The text of a string's body. With `braces`, doubled ones (in f-strings) count once.
pub(crate) fn string(body: &str, raw: bool, braces: bool) -> Result<String, Fault> {
    let mut value = String::with_capacity(body.len());
    let mut rest = body.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '\r' => {
                rest.next_if(|&(_, next)| next == '\n');
                value.push('\n');
            }
            '{' | '}' if braces => {
                rest.next_if(|&(_, next)| next == c);
                value.push(c);
            }
            '\\' if !raw => {
                let Some(&(_, escape)) = rest.peek() else {
                    value.push('\\');
                    continue;
                };
                if braces && matches!(escape, '{' | '}') {
                    value.push('\\');
                    continue;
                }
                rest.next();
                if let Some(width) = hexadecimal_width(escape) {
                    let (length, c) = unicode_escape(&body[at..], escape, width).map_err(|fault| Fault {
                        start: fault.start + at,
                        end: fault.end + at,
                        message: match fault.code {
                            Code::E0105 => format!(
                                "(unicode error) 'unicodeescape' codec can't decode bytes in position {}-{}: {}",
                                at,
                                fault.end + at - 1,
                                fault.message
                            ),
                            _ => fault.message,
                        },
                        ..fault
                    })?;
                    value.push(c);
                    for _ in 2..length {
                        rest.next();
                    }
                    continue;
                }
                match escape {
                    'N' => return Err(named_character(body, at)),
                    '\n' => {}
                    '\r' => {
                        rest.next_if(|&(_, next)| next == '\n');
                    }
                    '0'..='7' => {
                        let (length, number) = octal(&body[at + 1..]);
                        // Three octal digits are at most 0o777, which no surrogate is.
                        value.extend(char::from_u32(number));
                        for _ in 1..length {
                            rest.next();
                        }
                    }
                    _ => match simple_escape(escape) {
                        Some(c) => value.push(c),
                        // Python keeps the backslash of an escape it does not know.
                        None => value.extend(['\\', escape]),
                    },
                }
            }
            c => value.push(c),
        }
    }
    Ok(value)
}

/// The value of a bytes literal's body.
pub(crate) fn bytes(body: &str, raw: bool) -> Result<Vec<u8>, Fault> {
    if let Some((at, c)) = body.char_indices().find(|(_, c)| !c.is_ascii()) {
        return Err(Fault {
            code: Code::E0106,
            start: at,
            end: at + c.len_utf8(),
            message: "bytes can only contain ASCII literal characters".into(),
            help: Some("write the byte as an escape such as \\xe9, or encode a string"),
        });
    }
    let text = body.as_bytes();
    let mut value = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'\r' => {
                at += usize::from(text.get(at) == Some(&b'\n'));
                value.push(b'\n');
            }
            b'\\' if !raw => {
                let escape = text.get(at).map_or('\\', |&byte| char::from(byte));
                at += 1;
                match escape {
                    '\n' => {}
                    '\r' => at += usize::from(text.get(at) == Some(&b'\n')),
                    'x' => {
                        let digits = body.get(at..at + 2).filter(|digits| is_hexadecimal(digits));
                        let Some(digits) = digits else {
                            return Err(Fault {
                                code: Code::E0105,
                                start: at - 2,
                                end: at,
                                message: format!(
                                    "(value error) invalid \\x escape at position {}",
                                    at - 2
                                ),
                                help: Some("\\x takes two hexadecimal digits"),
                            });
                        };
                        value.extend(u8::from_str_radix(digits, 16));
                        at += 2;
                    }
                    '0'..='7' => {
                        let (length, number) = octal(&body[at - 1..]);
                        value.push((number & 0xFF) as u8);
                        at += length - 1;
                    }
                    _ => match simple_escape(escape) {
                        Some(c) => value.push(c as u8),
                        None => value.extend([b'\\', escape as u8]),
                    },
                }
            }
            byte => value.push(byte),
        }
    }
    Ok(value)
}

fn simple_escape(escape: char) -> Option<char> {
    Some(match escape {
        '\\' | '\'' | '"' => escape,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0C',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0B',
        _ => return None,
    })
}

/// Up to three octal digits: how many, and their value.
fn octal(text: &str) -> (usize, u32) {
    let length = text
        .bytes()
        .take(3)
        .take_while(|byte| matches!(byte, b'0'..=b'7'))
        .count();
    let number = u32::from_str_radix(&text[..length], 8).expect("one to three octal digits");
    (length, number)
}

fn hexadecimal_width(escape: char) -> Option<usize> {
    match escape {
        'x' => Some(2),
        'u' => Some(4),
        'U' => Some(8),
        _ => None,
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `\x`, `\u` or `\U` and so many hexadecimal digits at the start of the text: its length, and the
/// character.
fn unicode_escape(text: &str, escape: char, width: usize) -> Result<(usize, char), Fault> {
    let digits = text
        .bytes()
        .skip(2)
        .take(width)
        .take_while(u8::is_ascii_hexdigit)
        .count();
    let fault = |code, message: String, help| Fault {
        code,
        start: 0,
        end: 2 + digits,
        message,
        help,
    };
    if digits < width {
        let form = "X".repeat(width);
        return Err(fault(
            Code::E0105,
            format!("truncated \\{escape}{form} escape"),
            Some("write all the hexadecimal digits, or double the backslash: \\\\"),
        ));
    }
    let number =
        u32::from_str_radix(&text[2..2 + width], 16).expect("at most eight hexadecimal digits");
    match char::from_u32(number) {
        Some(c) => Ok((2 + width, c)),
        None if (0xD800..0xE000).contains(&number) => Err(fault(
            Code::E0615,
            format!("the lone surrogate U+{number:04X} cannot stand in a string of Mini"),
            Some("write the whole character: \"\\U0001F600\" rather than its two halves"),
        )),
        None => Err(fault(
            Code::E0105,
            "illegal Unicode character".into(),
            Some("the last character is \\U0010ffff"),
        )),
    }
}

fn named_character(body: &str, at: usize) -> Fault {
    let rest = &body[at..];
    let end = at + rest.find('}').map_or(2, |length| length + 1);
    Fault {
        code: Code::E0614,
        start: at,
        end,
        message: "characters by name (\\N{...}) are left out of Mini".into(),
        help: Some("write the character itself, or its number: \"\\u2764\""),
    }
}
