//! Text to tokens, line ends included. Knows nothing of indentation or brackets (`layout.rs`) and
//! never fails: text that is no token becomes `Bad`, with a diagnostic.
//!
//! logos finds the tokens; by hand are what regular expressions do badly: the ends of strings, what
//! may follow a number, non-ASCII names. F-strings are in `fstring.rs`.

use super::token::{Lexeme, Token};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Source, SourceId, Span};
use logos::Logos;

/// Longest name.
const MAX_NAME_BYTES: usize = 10_000;
/// Most diagnostics that are kept: nobody reads more, and a text of noise must not fill the memory.
const MAX_DIAGNOSTICS: usize = 1_000;
/// How far to look for the quote that closes a typographic one.
const CURLY_LOOK_AHEAD: usize = 1_000;

/// Quotes that word processors put in place of the straight ones, each with the one that closes it.
const CURLY_QUOTES: [(char, char); 5] =
    [('“', '”'), ('‘', '’'), ('„', '“'), ('”', '”'), ('’', '’')];

/// The lexer: where it writes.
pub(crate) struct Lexer<'a> {
    pub(crate) text: &'a str,
    source: &'a Source,
    id: SourceId,
    pub(crate) lexemes: Vec<Lexeme>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Where a diagnostic goes that nobody will see.
    surplus: Option<Diagnostic>,
}

/// A string literal's opening.
#[derive(Clone, Copy)]
pub(crate) struct Quote {
    pub(crate) mark: u8,
    pub(crate) triple: bool,
    pub(crate) raw: bool,
}

impl Quote {
    /// Reads a prefix with its quotes, such as `rb"""`.
    pub(crate) fn new(opening: &str) -> Quote {
        Quote {
            mark: opening.as_bytes()[opening.len() - 1],
            triple: opening.ends_with("'''") || opening.ends_with("\"\"\""),
            raw: opening.contains(['r', 'R']),
        }
    }

    pub(crate) fn width(self) -> usize {
        if self.triple { 3 } else { 1 }
    }
}

/// All tokens of a text.
pub(crate) fn lex(source: &Source, id: SourceId) -> (Vec<Lexeme>, Vec<Diagnostic>) {
    let text: &str = &source.text;
    let mut lexer = Lexer {
        text,
        source,
        id,
        lexemes: Vec::with_capacity(text.len() / 4),
        diagnostics: Vec::new(),
        surplus: None,
    };
    if let Some(at) = text.bytes().position(|byte| byte == 0) {
        lexer
            .report(
                Code::E0110,
                at,
                at + 1,
                "source code cannot contain null bytes",
            )
            .help = Some("is this a text file at all?".into());
    }
    let start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    lexer.run(start, text.len(), false);
    (lexer.lexemes, lexer.diagnostics)
}

impl Lexer<'_> {
    /// Adds a diagnostic, unless the line has one.
    pub(crate) fn report(
        &mut self,
        code: Code,
        start: usize,
        end: usize,
        message: impl Into<String>,
    ) -> &mut Diagnostic {
        // Some places are given in bytes: to the next character.
        let start = self.text.floor_char_boundary(start);
        let span = Span::new(start, self.text.ceil_char_boundary(end));
        let diagnostic = Diagnostic::new(code, self.id, span, message);
        let same_line = self.diagnostics.last().is_some_and(|last| {
            last.code != Code::E0110
                && self.source.line(last.span.start) == self.source.line(span.start)
        });
        if same_line || self.diagnostics.len() >= MAX_DIAGNOSTICS {
            return self.surplus.insert(diagnostic);
        }
        self.diagnostics.push(diagnostic);
        self.diagnostics.last_mut().expect("just pushed")
    }

    /// Adds a token.
    pub(crate) fn push(&mut self, token: Token, start: usize, end: usize) {
        let span = Span::new(start, end);
        self.lexemes.push(Lexeme {
            token,
            start: span.start,
            end: span.end,
        });
    }

    /// Lexes a part of the text; in the hole of an f-string, line ends are blanks.
    pub(crate) fn run(&mut self, from: usize, to: usize, hole: bool) {
        let text = self.text;
        let mut tokens = Token::lexer(&text[..to]);
        tokens.bump(from);
        while let Some(token) = tokens.next() {
            let token = token.unwrap_or(Token::Other);
            let (start, end) = (tokens.span().start, tokens.span().end);
            let next = match token {
                Token::Newline if hole => end,
                Token::Name => self.name(start, end, to),
                Token::Int | Token::Float | Token::Imaginary => self.number(token, start, end, to),
                Token::Quote => self.string(start, end, to),
                Token::Other => self.other(start, end, to),
                token => {
                    self.push(token, start, end);
                    end
                }
            };
            tokens.bump(next - end);
        }
    }

    fn name(&mut self, start: usize, ascii_end: usize, to: usize) -> usize {
        let rest = &self.text[ascii_end..to];
        let end = ascii_end
            + rest
                .find(|c| !unicode_ident::is_xid_continue(c))
                .unwrap_or(rest.len());
        if end - start > MAX_NAME_BYTES {
            self.report(
                Code::E0505,
                start,
                start + 1,
                format!(
                    "a name of {} bytes; the longest may have {MAX_NAME_BYTES}",
                    end - start
                ),
            );
            self.push(Token::Bad, start, end);
            return end;
        }
        if let Some(odd) = self.text[start..end].chars().find(|&c| changes_form(c)) {
            self.report(
                Code::E0113,
                start,
                end,
                format!(
                    "the name '{}' holds '{odd}', which Python would replace by another character",
                    &self.text[start..end]
                ),
            )
            .help = Some("write the name with plain letters".into());
        }
        // A name that continues past ASCII is no keyword, even if it begins like one.
        self.push(Token::Name, start, end);
        end
    }

    /// Checks what follows a number, as CPython's tokenizer does (`verify_end_of_number`): a
    /// keyword may, a letter or digit may not.
    fn number(&mut self, token: Token, start: usize, end: usize, to: usize) -> usize {
        let text = self.text;
        let rest = &text[end..to];
        let follows = rest.chars().next().unwrap_or(' ');
        let keyword = ["and", "else", "for", "if", "in", "is", "not", "or"]
            .iter()
            .any(|word| rest.starts_with(word));
        if !unicode_ident::is_xid_continue(follows) || keyword {
            if token == Token::Imaginary {
                self.report(
                    Code::E0605,
                    start,
                    end,
                    "complex numbers are left out of Mini",
                )
                .help = Some(
                    "keep the real and the imaginary part in two floats, or in a tuple".into(),
                );
                self.push(Token::Bad, start, end);
            } else {
                self.push(token, start, end);
            }
            return end;
        }
        let bad_end = end
            + rest
                .find(|c| !unicode_ident::is_xid_continue(c))
                .unwrap_or(rest.len());
        let message = malformed_number(&text[start..end], &text[end..bad_end]);
        let help = if message.starts_with("leading zeros") {
            Some("remove the zeros, or write `0o` before an octal number".into())
        } else if token == Token::Int && rest.starts_with(|c: char| c.is_alphabetic()) {
            Some("a name cannot start with a digit".into())
        } else {
            None
        };
        self.report(Code::E0104, start, bad_end, message).help = help;
        self.push(Token::Bad, start, bad_end);
        bad_end
    }

    fn string(&mut self, start: usize, body: usize, to: usize) -> usize {
        let opening = &self.text[start..body];
        let quote = Quote::new(opening);
        let scan = closing_quote(&self.text.as_bytes()[..to], body, quote);
        let close = match scan {
            Ok(close) => close,
            Err(stop) => return self.unterminated(start, quote, stop),
        };
        let end = close + quote.width();
        if opening.contains(['f', 'F']) {
            return self.fstring(start, body, close, quote);
        }
        let token = if opening.contains(['b', 'B']) {
            Token::Bytes
        } else {
            Token::Str
        };
        self.push(token, start, end);
        end
    }

    fn unterminated(&mut self, start: usize, quote: Quote, stop: usize) -> usize {
        let text = self.text;
        let last = Span::new(stop.saturating_sub(1).max(start), stop);
        let detected = self.source.line(last.start);
        if quote.triple {
            self.report(
                Code::E0103,
                start,
                start + opening_width(&text[start..]),
                format!("unterminated triple-quoted string literal (detected at line {detected})"),
            )
            .label = "this string is never closed".into();
        } else {
            let report = self.report(
                Code::E0102,
                start,
                stop,
                format!("unterminated string literal (detected at line {detected})"),
            );
            report.help = Some(format!(
                "close it with {} on the same line; a string over several lines takes three quotes",
                quote.mark as char
            ));
        }
        self.push(Token::Bad, start, stop);
        stop
    }

    fn other(&mut self, start: usize, end: usize, to: usize) -> usize {
        let text = self.text;
        let found = text[start..end].chars().next().unwrap_or('\0');
        if unicode_ident::is_xid_start(found) {
            return self.name(start, end, to);
        }
        // A run of bad characters is one error.
        let again = self
            .lexemes
            .last()
            .is_some_and(|last| last.token == Token::Bad && last.end as usize == start);
        let mut next = end;
        if !again {
            let number = u32::from(found);
            if found == '\\' && text[end..to].is_empty() {
                self.report(Code::E0109, start, end, "unexpected EOF while parsing");
            } else if found == '\\' {
                self.report(
                    Code::E0109,
                    start,
                    end,
                    "unexpected character after line continuation character",
                )
                .help = Some("a backslash joins two lines only as the last character".into());
                // Blanks after it: the line was meant to go on.
                let rest = &text[end..to];
                let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
                let after = &rest[blanks..];
                if after.starts_with("\r\n") {
                    next = end + blanks + 2;
                } else if after.starts_with(['\n', '\r']) {
                    next = end + blanks + 1;
                }
            } else if let Some(&(_, close)) = CURLY_QUOTES.iter().find(|pair| pair.0 == found) {
                let closed = text[end..to]
                    .char_indices()
                    .take(CURLY_LOOK_AHEAD)
                    .take_while(|(_, c)| !matches!(c, '\n' | '\r'))
                    .find(|&(_, c)| c == close);
                if let Some((length, _)) = closed {
                    next = end + length + close.len_utf8();
                }
                let report = self.report(
                    Code::E0101,
                    start,
                    end,
                    format!("invalid character '{found}' (U+{number:04X})"),
                );
                report.label = "a typographic quote".into();
                report.help = Some("write strings with straight quotes: \" or '".into());
            } else if found.is_ascii() && !found.is_ascii_control() {
                let report = self.report(Code::E0101, start, end, "invalid syntax");
                report.label = format!("`{found}` means nothing here");
                report.help = match found {
                    '$' => Some("a name is written without a sign".into()),
                    '!' => Some("write `not` to negate, `!=` for \"is not equal\"".into()),
                    '`' => Some("write `repr(x)`".into()),
                    '?' => Some("write `a if test else b` to choose between two values".into()),
                    _ => None,
                };
            } else if found.is_control() || found.is_whitespace() || is_invisible(found) {
                if found != '\0' {
                    self.report(
                        Code::E0101,
                        start,
                        end,
                        format!("invalid non-printable character U+{number:04X}"),
                    );
                }
            } else {
                self.report(
                    Code::E0101,
                    start,
                    end,
                    format!("invalid character '{found}' (U+{number:04X})"),
                );
            }
        }
        self.push(Token::Bad, start, next);
        next
    }
}

/// How wide a string's prefix and quotes are.
fn opening_width(text: &str) -> usize {
    let prefix = text.find(['\'', '"']).unwrap_or(0);
    let triple = ["'''", "\"\"\""]
        .iter()
        .any(|quotes| text[prefix..].starts_with(quotes));
    prefix + if triple { 3 } else { 1 }
}

/// Where the closing quote begins; or, if there is none, where the search stopped (the end of the
/// line, or of the text).
pub(crate) fn closing_quote(bytes: &[u8], body: usize, quote: Quote) -> Result<usize, usize> {
    let mut at = body;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => {
                at += if bytes[at + 1..].starts_with(b"\r\n") {
                    3
                } else {
                    2
                };
                continue;
            }
            b'\n' | b'\r' if !quote.triple => return Err(at),
            byte if byte == quote.mark
                && (!quote.triple || bytes[at..].starts_with(&[quote.mark; 3])) =>
            {
                return Ok(at);
            }
            _ => {}
        }
        at += 1;
    }
    Err(bytes.len())
}

/// CPython's words for a number that runs into something else.
fn malformed_number(good: &str, rest: &str) -> String {
    let first = rest.chars().next().unwrap_or(' ');
    let second = rest.chars().nth(1).unwrap_or(' ');
    let kind = |letter: char| match letter {
        'x' | 'X' => Some("hexadecimal"),
        'o' | 'O' => Some("octal"),
        'b' | 'B' => Some("binary"),
        _ => None,
    };
    let (kind, digit) = if let Some(kind) = good.chars().nth(1).and_then(kind) {
        (kind, first)
    } else if let (true, Some(kind)) = (good == "0", kind(first)) {
        (kind, second)
    } else if good.ends_with(['j', 'J']) {
        ("imaginary", ' ')
    } else {
        let zeros = good.bytes().all(|byte| byte == b'0' || byte == b'_');
        if zeros && (first.is_ascii_digit() || first == '_' && second.is_ascii_digit()) {
            return "leading zeros in decimal integer literals are not permitted; \
                    use an 0o prefix for octal integers"
                .into();
        }
        ("decimal", ' ')
    };
    if digit.is_ascii_digit() && kind != "hexadecimal" {
        return format!("invalid digit '{digit}' in {kind} literal");
    }
    format!("invalid {kind} literal")
}

/// Characters that take no room and are no letters: zero-width spaces and joiners, marks of
/// direction, byte-order marks.
fn is_invisible(c: char) -> bool {
    matches!(
        u32::from(c),
        0xAD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xE000..=0xF8FF | 0xFFF0..=0xFFFB
    )
}

/// Whether normal form NFKC, which Python applies to names, may change the character: combining
/// marks, ligatures, wide and styled letters. The ranges are wider than the standard's list, so
/// that no name can silently mean another.
fn changes_form(c: char) -> bool {
    matches!(
        u32::from(c),
        0xAA | 0xB5 | 0xBA
            | 0x132..=0x133
            | 0x13F..=0x140
            | 0x149
            | 0x17F
            | 0x1C4..=0x1CC
            | 0x1F1..=0x1F3
            | 0x2B0..=0x2FF
            | 0x300..=0x36F
            | 0x3D0..=0x3D6
            | 0x1D2C..=0x1D6A
            | 0x2070..=0x209F
            | 0x2100..=0x218F
            | 0x3131..=0x318E
            | 0xF900..=0xFAFF
            | 0xFB00..=0xFDFF
            | 0xFE70..=0xFEFC
            | 0xFF00..=0xFFEF
            | 0x1D400..=0x1D7FF
            | 0x1EE00..=0x1EEFF
            | 0x2F800..=0x2FA1F
    )
}
