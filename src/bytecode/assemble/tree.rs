//! The lines of an assembly text as a tree, and the reading of its literals. What instructions
//! there are is not known here.

use super::report;
use super::token::Token;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use lalrpop_util::ParseError;
use num_bigint::BigInt;
use num_traits::Num;

/// Longest decimal number that is read, as in CPython: reading decimal digits takes more than
/// linear time. Hexadecimal ones have no limit.
const MAX_DECIMAL_DIGITS: usize = 4_300;

/// Something with its place.
#[derive(Clone, Debug)]
pub(crate) struct At<T> {
    pub(crate) span: Span,
    pub(crate) value: T,
}

impl<T> At<T> {
    pub(crate) fn new(start: usize, end: usize, value: T) -> At<T> {
        let span = Span::new(start, end);
        At { span, value }
    }
}

/// A line, or the label before one.
#[derive(Debug)]
pub(crate) enum Item {
    Label(At<String>),
    Instruction(Instruction),
    Directive(At<Directive>),
    /// A piece of a source text, its line end included.
    SourceLine(At<String>),
}

/// Line and column of a start and of an end.
pub(crate) type Position = [u32; 4];

#[derive(Debug)]
pub(crate) struct Instruction {
    /// From the mnemonic to the last operand.
    pub(crate) span: Span,
    pub(crate) mnemonic: At<String>,
    pub(crate) operands: Vec<At<Argument>>,
    pub(crate) place: Option<At<Position>>,
}

/// An operand before the table of instructions says what it has to be.
#[derive(Clone, Debug)]
pub(crate) enum Argument {
    Word(String),
    Attribute(String),
    Integer(BigInt),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    Ellipsis,
    Group(Vec<At<Argument>>),
}

#[derive(Debug)]
pub(crate) enum Directive {
    Module(At<String>),
    Text(SourceName),
    /// Each perhaps with a word before it.
    Globals(Vec<(Option<At<String>>, At<String>)>),
    Func(At<String>, Vec<At<Parameter>>),
    Detail(Detail),
}

/// What is said about the function or module that the line stands in.
#[derive(Debug)]
pub(crate) enum Detail {
    Source(SourceName),
    Name(String),
    Qualname(String),
    Doc(String),
    Line(At<BigInt>),
    Generator,
    Internal,
    Registers(At<BigInt>),
    Captures(Vec<At<String>>),
    Locals(Vec<(At<String>, At<String>)>),
    Guard {
        start: At<String>,
        end: At<String>,
        target: At<String>,
        exception: At<String>,
    },
    Comprehension {
        start: At<String>,
        end: At<String>,
    },
}

/// A source by its name, with a number from the second one of that name on.
#[derive(Clone, Debug)]
pub(crate) struct SourceName {
    pub(crate) name: At<String>,
    pub(crate) number: Option<At<BigInt>>,
}

#[derive(Debug)]
pub(crate) enum Parameter {
    Named(String),
    Slash,
    Star(Option<String>),
    DoubleStar(String),
}

/// Reads the texts of tokens for the grammar, and takes its complaints.
pub(crate) struct Reader<'s> {
    pub(crate) text: &'s str,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'s> Reader<'s> {
    pub(crate) fn slice(&self, start: usize, end: usize) -> &'s str {
        &self.text[start..end]
    }

    fn report(&mut self, code: Code, start: usize, end: usize, message: String) {
        report(&mut self.diagnostics, code, Span::new(start, end), message);
    }

    /// A line that the grammar could not read. What the lexer has complained about is not said
    /// again.
    pub(crate) fn broken(&mut self, error: &ParseError<usize, Token, ()>) {
        let (start, end, expected) = match error {
            ParseError::UnrecognizedToken {
                token: (_, Token::Bad, _),
                ..
            }
            | ParseError::User { error: () } => return,
            ParseError::UnrecognizedToken {
                token: (start, _, end),
                expected,
            } => (*start, *end, expected),
            ParseError::UnrecognizedEof { location, expected } => (*location, *location, expected),
            ParseError::InvalidToken { location } => (*location, *location, &Vec::new()),
            ParseError::ExtraToken {
                token: (start, _, end),
            } => (*start, *end, &Vec::new()),
        };
        let found = match self.slice(start, end) {
            "" | "\n" | "\r" | "\r\n" => "the end of the line",
            found => found,
        };
        let shown: String = found.chars().take(20).collect();
        let mut message = format!("{shown} does not belong here");
        let expected = expectation(expected);
        if !expected.is_empty() {
            message = format!("{message}; expected {expected}");
        }
        self.report(Code::E0701, start, end, message);
    }

    pub(crate) fn source_line(&self, start: usize, end: usize) -> String {
        let line = &self.slice(start, end)[1..];
        format!("{}\n", line.strip_prefix(' ').unwrap_or(line))
    }

    /// `.name` or `."name"`.
    pub(crate) fn attribute(&mut self, start: usize, end: usize) -> String {
        if self.slice(start + 1, end).starts_with('"') {
            self.text(start + 1, end)
        } else {
            self.slice(start + 1, end).to_owned()
        }
    }

    pub(crate) fn float(&self, start: usize, end: usize) -> f64 {
        match self.slice(start, end) {
            "-nan" => -f64::NAN,
            digits => digits.parse().expect("the lexer lets only floats through"),
        }
    }

    pub(crate) fn integer(&mut self, start: usize, end: usize) -> BigInt {
        let digits = self.slice(start, end);
        let (sign, digits) = match digits.strip_prefix('-') {
            Some(digits) => ("-", digits),
            None => ("", digits),
        };
        let (digits, radix) = match digits.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None => (digits, 10),
        };
        if radix == 10 && digits.len() > MAX_DECIMAL_DIGITS {
            let message = format!("more than {MAX_DECIMAL_DIGITS} digits; write it in hexadecimal");
            self.report(Code::E0706, start, end, message);
            return BigInt::ZERO;
        }
        BigInt::from_str_radix(&format!("{sign}{digits}"), radix)
            .expect("the lexer lets only digits through")
    }

    /// `@line:column-column` or `@line:column-line:column`.
    pub(crate) fn place(&mut self, start: usize, end: usize) -> Position {
        let place = &self.slice(start, end)[1..];
        let numbers: Result<Vec<u32>, _> = place.split([':', '-']).map(str::parse).collect();
        match numbers.as_deref() {
            Ok(&[line, column, end_column]) => [line, column, line, end_column],
            Ok(&[line, column, end_line, end_column]) => [line, column, end_line, end_column],
            _ => {
                self.report(
                    Code::E0706,
                    start,
                    end,
                    "a number in the place is too large".to_owned(),
                );
                [1, 1, 1, 1]
            }
        }
    }

    /// A string literal, quotes included.
    pub(crate) fn text(&mut self, start: usize, end: usize) -> String {
        let mut text = String::with_capacity(end - start);
        self.unescape(
            start + 1,
            end - 1,
            |reader, character, escape| match character {
                Ok(it) => text.push(it),
                Err(byte) if byte.is_ascii() => text.push(char::from(byte)),
                Err(_) => reader.bad_escape(escape, "write \\u{…} for a character beyond \\x7f"),
            },
        );
        text
    }

    /// A bytes literal, prefix and quotes included.
    pub(crate) fn bytes(&mut self, start: usize, end: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(end - start);
        self.unescape(
            start + 2,
            end - 1,
            |reader, character, escape| match character {
                Ok(it) if it.is_ascii() => bytes.push(it as u8),
                Ok(_) => reader.bad_escape(escape, "bytes are ASCII characters and \\x escapes"),
                Err(byte) => bytes.push(byte),
            },
        );
        bytes
    }

    fn bad_escape(&mut self, (start, end): (usize, usize), message: &str) {
        self.report(Code::E0701, start, end, message.to_owned());
    }

    /// Gives each character with its place; the byte of a `\x` as an error.
    fn unescape(
        &mut self,
        start: usize,
        end: usize,
        mut take: impl FnMut(&mut Self, Result<char, u8>, (usize, usize)),
    ) {
        let inner = self.slice(start, end);
        let mut at = 0;
        while let Some(character) = inner[at..].chars().next() {
            let here = start + at;
            if character != '\\' {
                at += character.len_utf8();
                take(self, Ok(character), (here, start + at));
            } else if let Some((value, length)) = escape(&inner[at + 1..]) {
                at += 1 + length;
                take(self, value, (here, start + at));
            } else {
                at += 1;
                let message = "the escapes are \\n \\r \\t \\0 \\\\ \\\" \\' \\xNN \\u{N…}";
                self.bad_escape((here, start + at), message);
            }
        }
    }
}

/// What stands after a backslash, with its length; the byte of a `\x` as an error.
fn escape(after: &str) -> Option<(Result<char, u8>, usize)> {
    let hexadecimal = |digits: &str| {
        let all = digits.bytes().all(|it| it.is_ascii_hexdigit());
        all.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    let simple = |it| Some((Ok(it), 1));
    match after.as_bytes().first()? {
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'0' => simple('\0'),
        &it @ (b'\\' | b'"' | b'\'') => simple(char::from(it)),
        b'x' => {
            let value = hexadecimal(after.get(1..3)?)?;
            Some((Err(u8::try_from(value).ok()?), 3))
        }
        b'u' => {
            let digits = after.strip_prefix("u{")?;
            let length = digits.find('}')?;
            let value = char::from_u32(hexadecimal(&digits[..length])?)?;
            Some((Ok(value), length + 3))
        }
        _ => None,
    }
}

/// The terminals that could have stood there, folded for people: at most four.
fn expectation(expected: &[String]) -> String {
    let mut names: Vec<&str> = expected.iter().map(|name| name.trim_matches('"')).collect();
    let operands = ["integer", "float", "bytes", "..."];
    if operands.iter().all(|name| names.contains(name)) {
        names.retain(|name| {
            !operands.contains(name) && !["word", "string", ".name", "("].contains(name)
        });
        names.insert(0, "an operand");
    }
    if names.len() > 4 {
        return String::new();
    }
    names.join(" or ")
}
