//! Assembly text to tokens. Knows no instruction, and never fails: text that is no token becomes
//! `Bad`, with a diagnostic.

use super::{MAX_DIAGNOSTICS, report};
use crate::bytecode::verify::MAX_TUPLE_DEPTH;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use logos::Logos;

/// A token; its text is in the source. The comments in `grammar/masm.lalrpop` say what the
/// terminals are for.
#[derive(Logos, Clone, Copy, PartialEq, Eq, Debug)]
#[logos(skip r"[ \t\x0C\u{FEFF}]+", skip(r"[;#][^\r\n]*", allow_greedy = true))]
// Letters and digits, and nearly all beyond ASCII: a superset of what `disassemble` writes without
// quotes.
#[logos(subpattern letter = r"[A-Za-z_\u{A1}-\u{FEFE}\u{FF00}-\u{10FFFF}]")]
#[logos(subpattern plain = r"[0-9A-Za-z_\u{A1}-\u{FEFE}\u{FF00}-\u{10FFFF}]")]
#[logos(subpattern text = r#""([^"\\\r\n]|\\[^\r\n])*""#)]
pub(crate) enum Token {
    #[regex(r"\r\n|\n|\r")]
    Newline,
    #[regex(r"((?&letter)(?&plain)*|<(?&plain)+>)(\.((?&plain)+|<(?&plain)+>))*")]
    Word,
    #[regex(r"\.((?&letter)(?&plain)*|(?&text))")]
    Attribute,
    #[regex(r"-?([0-9][0-9_]*|0x[0-9a-fA-F]+)")]
    Integer,
    #[regex(r"-?([0-9]+\.[0-9]*([eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)|-inf|-nan")]
    Float,
    #[regex(r"(?&text)")]
    Text,
    #[regex(r"b(?&text)")]
    Bytes,
    #[regex(r"@[0-9]+:[0-9]+-([0-9]+:)?[0-9]+")]
    Place,
    #[regex(r"\|[^\r\n]*", allow_greedy = true)]
    SourceLine,
    #[token("...")]
    Ellipsis,
    #[token("..")]
    To,
    #[token("->")]
    Arrow,
    #[token(",")]
    Comma,
    #[token(":")]
    Colon,
    #[token("(")]
    Open,
    #[token(")")]
    Close,
    #[token("/")]
    Slash,
    #[token("*")]
    Star,
    #[token("**")]
    DoubleStar,

    // Made from an attribute that begins a line.
    Module,
    Source,
    Globals,
    Func,
    Name,
    Qualname,
    Doc,
    Line,
    Generator,
    Internal,
    Registers,
    Captures,
    Locals,
    Guard,
    Comprehension,
    SourceText,

    Bad,
}

/// The directives. Each begins its line.
const DIRECTIVES: &[(&str, Token)] = &[
    (".module", Token::Module),
    (".source", Token::Source),
    (".globals", Token::Globals),
    (".func", Token::Func),
    (".name", Token::Name),
    (".qualname", Token::Qualname),
    (".doc", Token::Doc),
    (".line", Token::Line),
    (".generator", Token::Generator),
    (".internal", Token::Internal),
    (".registers", Token::Registers),
    (".captures", Token::Captures),
    (".locals", Token::Locals),
    (".guard", Token::Guard),
    (".comprehension", Token::Comprehension),
    (".text", Token::SourceText),
];

/// A token with its place, as the grammar takes it.
pub(crate) type Lexeme = (usize, Token, usize);

/// All tokens of a text; the last line is ended if the text does not.
pub(crate) fn lex(text: &str, diagnostics: &mut Vec<Diagnostic>) -> Vec<Lexeme> {
    let mut lexemes: Vec<Lexeme> = Vec::with_capacity(text.len() / 4);
    let mut depth = 0;
    for (token, range) in Token::lexer(text).spanned() {
        let (start, end) = (range.start, range.end);
        let begins = lexemes
            .last()
            .is_none_or(|&(_, last, _)| last == Token::Newline);
        let token = match token {
            Ok(Token::Attribute) if begins => directive(text, start, end, diagnostics),
            Ok(Token::Newline) => {
                depth = 0;
                Token::Newline
            }
            Ok(Token::Open) => {
                depth += 1;
                if depth > MAX_TUPLE_DEPTH {
                    if depth == MAX_TUPLE_DEPTH + 1 {
                        let message = format!("more than {MAX_TUPLE_DEPTH} brackets are open");
                        report(diagnostics, Code::E0706, Span::new(start, end), message);
                    }
                    Token::Bad
                } else {
                    Token::Open
                }
            }
            Ok(Token::Close) => {
                depth = depth.saturating_sub(1);
                Token::Close
            }
            Ok(token) => token,
            Err(()) => {
                if let Some((_, Token::Bad, last_end)) = lexemes.last_mut()
                    && *last_end == start
                {
                    *last_end = end;
                    continue;
                }
                bad(text, start, end, diagnostics);
                Token::Bad
            }
        };
        lexemes.push((start, token, end));
    }
    if lexemes
        .last()
        .is_some_and(|&(_, last, _)| last != Token::Newline)
    {
        lexemes.push((text.len(), Token::Newline, text.len()));
    }
    lexemes
}

fn bad(text: &str, start: usize, end: usize, diagnostics: &mut Vec<Diagnostic>) {
    let found = &text[start..end];
    let message = if found.contains('"') {
        "the string is not closed on its line".to_owned()
    } else {
        let shown: String = found.chars().take(20).collect();
        format!("no token begins with {shown:?}")
    };
    report(diagnostics, Code::E0701, Span::new(start, end), message);
}

fn directive(text: &str, start: usize, end: usize, diagnostics: &mut Vec<Diagnostic>) -> Token {
    let word = &text[start..end];
    if let Some(&(_, token)) = DIRECTIVES.iter().find(|(directive, _)| *directive == word) {
        return token;
    }
    report(
        diagnostics,
        Code::E0702,
        Span::new(start, end),
        format!("there is no directive {word}"),
    );
    if diagnostics.len() <= MAX_DIAGNOSTICS
        && let Some(diagnostic) = diagnostics.last_mut()
    {
        let all: Vec<_> = DIRECTIVES.iter().map(|(directive, _)| *directive).collect();
        diagnostic.help = Some(format!("the directives are {}", all.join(", ")));
    }
    Token::Bad
}
