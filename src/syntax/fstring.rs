//! F-strings: their text and holes as tokens of the one stream. The grammar then sees an ordinary
//! bracketed construct.
//!
//! As in CPython 3.11 (`Parser/string_parser.c`, `fstring_find_expr`): the string ends at the first
//! quote that matches, and what stands in a hole is found before it is lexed. So holes hold no
//! backslash, no comment and no quote of the string's own kind, and the nesting of f-strings is
//! bounded by the four kinds of quotes.

use super::lexer::{Lexer, Quote, closing_quote};
use super::token::Token;
use crate::diagnostic::Code;

/// Deepest nesting of brackets in a hole (CPython's limit).
const MAX_NESTED: usize = 200;
/// How far to look for the end that Python 3.12 would see.
const LOOK_AHEAD_BYTES: usize = 2_000;

/// A mistake in an f-string: where, and CPython's words for it.
struct Fault {
    code: Code,
    start: usize,
    end: usize,
    message: String,
    /// Whether the string's end came too early: perhaps a quote inside was taken for it.
    early_end: bool,
}

impl Fault {
    fn new(start: usize, end: usize, message: impl Into<String>) -> Fault {
        Fault {
            code: Code::E0107,
            start,
            end,
            message: format!("f-string: {}", message.into()),
            early_end: false,
        }
    }

    fn early_end(at: usize, message: impl Into<String>) -> Fault {
        Fault {
            early_end: true,
            ..Fault::new(at, at + 1, message)
        }
    }
}

impl Lexer<'_> {
    /// Lexes the f-string that opens at `start` and whose text is `body..close`. Returns where to
    /// go on.
    pub(crate) fn fstring(
        &mut self,
        start: usize,
        body: usize,
        close: usize,
        quote: Quote,
    ) -> usize {
        let (lexemes, diagnostics) = (self.lexemes.len(), self.diagnostics.len());
        let mut end = close + quote.width();
        self.push(Token::FStart, start, body);
        match self.parts(body, close, quote, 0) {
            Ok(_) => self.push(Token::FEnd, close, end),
            Err(fault) => {
                self.lexemes.truncate(lexemes);
                self.diagnostics.truncate(diagnostics);
                let meant = if fault.early_end {
                    end_in_python_312(self.text, body, quote, 0)
                } else {
                    None
                };
                if let Some(meant) = meant {
                    let report = self.report(
                        Code::E0108,
                        close,
                        end,
                        "f-string: the string's own quotes cannot stand inside its braces",
                    );
                    report.label = "the f-string ends here".into();
                    report.help = Some(format!(
                        "use the other kind of quotes inside: {}",
                        if quote.mark == b'"' { '\'' } else { '"' }
                    ));
                    end = meant;
                } else {
                    self.report(fault.code, fault.start, fault.end, fault.message);
                }
                self.push(Token::Bad, start, end);
            }
        }
        end
    }

    /// Text and holes up to `close`, or in a format spec (`level` above 0) up to its `}`. Returns
    /// where it stopped.
    fn parts(
        &mut self,
        from: usize,
        close: usize,
        quote: Quote,
        level: usize,
    ) -> Result<usize, Fault> {
        let bytes = self.text.as_bytes();
        let text = if quote.raw {
            Token::FRawText
        } else {
            Token::FText
        };
        let (mut at, mut text_start) = (from, from);
        while at < close {
            match bytes[at] {
                b'\\' if !quote.raw => {
                    if bytes[at + 1..close].starts_with(b"N{") {
                        let name = &bytes[at..close];
                        at += name
                            .iter()
                            .position(|&byte| byte == b'}')
                            .map_or(name.len(), |length| length + 1);
                    } else if matches!(bytes.get(at + 1), Some(b'{' | b'}')) {
                        at += 1;
                    } else {
                        at += 2;
                    }
                }
                brace @ (b'{' | b'}')
                    if level == 0 && bytes[at + 1..close].first() == Some(&brace) =>
                {
                    at += 2;
                }
                b'}' if level == 0 => {
                    return Err(Fault::new(at, at + 1, "single '}' is not allowed"));
                }
                b'}' => break,
                b'{' => {
                    if text_start < at {
                        self.push(text, text_start, at);
                    }
                    at = self.hole(at, close, quote, level)?;
                    text_start = at;
                }
                _ => at += 1,
            }
        }
        let at = at.min(close);
        if text_start < at {
            self.push(text, text_start, at);
        }
        Ok(at)
    }

    /// The hole that opens at `open`. Returns where it ended.
    fn hole(
        &mut self,
        open: usize,
        close: usize,
        quote: Quote,
        level: usize,
    ) -> Result<usize, Fault> {
        if level >= 2 {
            return Err(Fault::new(open, open + 1, "expressions nested too deeply"));
        }
        let text = self.text;
        let bytes = text.as_bytes();
        let expecting = |at: usize| {
            if at < close {
                Fault::new(open, open + 1, "expecting '}'")
            } else {
                Fault::early_end(open, "expecting '}'")
            }
        };
        let start = open + 1;
        let mut at = expression_end(text, start, close)?;
        if at >= close {
            return Err(expecting(at));
        }
        if text[start..at].trim().is_empty() {
            let message = if bytes[at] == b'}' {
                "empty expression not allowed".to_owned()
            } else {
                format!("expression required before '{}'", bytes[at] as char)
            };
            return Err(Fault::new(open, at + 1, message));
        }
        self.push(Token::HoleOpen, open, start);
        self.run(start, at, true);
        if bytes[at] == b'=' {
            let echo = at;
            at += 1;
            while bytes[..close].get(at).is_some_and(u8::is_ascii_whitespace) {
                at += 1;
            }
            self.push(Token::HoleEcho, echo, at);
        }
        if at < close && bytes[at] == b'!' {
            if !matches!(bytes[..close].get(at + 1), Some(b's' | b'r' | b'a')) {
                return Err(Fault::new(
                    at,
                    at + 1,
                    "invalid conversion character: expected 's', 'r', or 'a'",
                ));
            }
            self.push(Token::HoleConversion, at, at + 2);
            at += 2;
        }
        if at < close && bytes[at] == b':' {
            self.push(Token::HoleColon, at, at + 1);
            at = self.parts(at + 1, close, quote, level + 1)?;
        }
        if at >= close || bytes[at] != b'}' {
            return Err(expecting(at));
        }
        self.push(Token::HoleClose, at, at + 1);
        Ok(at + 1)
    }
}

/// Where the expression in a hole ends: at `}`, `!`, `:` or `=` outside brackets and strings, or at
/// `close`.
fn expression_end(text: &str, start: usize, close: usize) -> Result<usize, Fault> {
    let bytes = &text.as_bytes()[..close];
    let mut openers: Vec<u8> = Vec::new();
    let mut at = start;
    while at < close {
        let byte = bytes[at];
        let next = bytes.get(at + 1).copied().unwrap_or(0);
        match byte {
            b'\\' => {
                return Err(Fault {
                    message: "f-string expression part cannot include a backslash".into(),
                    ..Fault::new(at, at + 1, "")
                });
            }
            b'#' => {
                return Err(Fault {
                    message: "f-string expression part cannot include '#'".into(),
                    ..Fault::new(at, at + 1, "")
                });
            }
            b'\'' | b'"' => {
                let triple = bytes[at..].starts_with(&[byte; 3]);
                let mark = Quote {
                    mark: byte,
                    triple,
                    raw: true,
                };
                // Ends of lines do not matter in here: only a triple-quoted string can hold one.
                let mut inside = at + mark.width();
                loop {
                    match bytes.get(inside) {
                        None => return Err(Fault::early_end(at, "unterminated string")),
                        Some(b'\\') => {
                            return Err(Fault {
                                message: "f-string expression part cannot include a backslash"
                                    .into(),
                                ..Fault::new(inside, inside + 1, "")
                            });
                        }
                        Some(_) if bytes[inside..].starts_with(&[byte; 3][..mark.width()]) => break,
                        Some(_) => inside += 1,
                    }
                }
                at = inside + mark.width();
                continue;
            }
            b'(' | b'[' | b'{' => {
                if openers.len() >= MAX_NESTED {
                    return Err(Fault::new(at, at + 1, "too many nested parenthesis"));
                }
                openers.push(byte);
            }
            b'!' | b':' | b'}' | b'=' | b'<' | b'>' if openers.is_empty() => {
                if next == b'=' && matches!(byte, b'!' | b'=' | b'<' | b'>') {
                    at += 2;
                    continue;
                }
                if !matches!(byte, b'<' | b'>') {
                    return Ok(at);
                }
            }
            b')' | b']' | b'}' => match openers.pop() {
                None => {
                    let message = format!("unmatched '{}'", byte as char);
                    return Err(Fault::new(at, at + 1, message));
                }
                Some(opener)
                    if !matches!((opener, byte), (b'(', b')') | (b'[', b']') | (b'{', b'}')) =>
                {
                    let message = format!(
                        "closing parenthesis '{}' does not match opening parenthesis '{}'",
                        byte as char, opener as char
                    );
                    return Err(Fault::new(at, at + 1, message));
                }
                Some(_) => {}
            },
            _ => {}
        }
        at += 1;
    }
    match openers.last() {
        Some(&opener) => Err(Fault::early_end(
            start,
            format!("unmatched '{}'", opener as char),
        )),
        None => Ok(close),
    }
}

/// Where the f-string would end if its quotes could be used again inside its holes, as since Python
/// 3.12; looked for on the same line and not far, for a better message.
fn end_in_python_312(text: &str, body: usize, quote: Quote, level: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let limit = bytes.len().min(body + LOOK_AHEAD_BYTES);
    let bytes = &bytes[..limit];
    let mut depth = 0_usize;
    let mut at = body;
    loop {
        match *bytes.get(at)? {
            b'\n' | b'\r' if !quote.triple => return None,
            b'\\' => at += 1,
            b'{' if depth == 0 && bytes.get(at + 1) == Some(&b'{') => at += 1,
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            byte if depth == 0 && bytes[at..].starts_with(&[quote.mark; 3][..quote.width()]) => {
                debug_assert_eq!(byte, quote.mark);
                return Some(at + quote.width());
            }
            mark @ (b'\'' | b'"') if depth > 0 => {
                let inner = Quote {
                    mark,
                    triple: bytes[at..].starts_with(&[mark; 3]),
                    raw: false,
                };
                let inner_body = at + inner.width();
                let formatted = matches!(bytes[at - 1], b'f' | b'F');
                at = if formatted && level < 4 {
                    end_in_python_312(text, inner_body, inner, level + 1)?
                } else {
                    closing_quote(bytes, inner_body, inner).ok()? + inner.width()
                };
                continue;
            }
            _ => {}
        }
        at += 1;
    }
}
