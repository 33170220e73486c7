//! Text to tree. Reads no file, prints nothing, and never fails: it gives a tree and a list of
//! diagnostics.
//!
//! The way of a text, one file for each step: `token` and `lexer` (with `fstring`) find the tokens;
//! `brackets` and `layout` make logical lines and blocks of them; the grammar
//! (`grammar/mini.lalrpop`) calls `build` (with `literal` and `target`) to make the nodes of `ast`;
//! `explain` finds words for what did not parse; `check` looks at what parses and is wrong all the
//! same. `operator` finds the sign of an operator in the text of an expression, for tracebacks.

pub mod ast;
mod brackets;
mod build;
mod check;
mod encoding;
mod explain;
mod fstring;
mod layout;
mod lexer;
mod literal;
pub mod operator;
mod target;
mod token;
pub mod walk;

pub use encoding::read;

lalrpop_util::lalrpop_mod!(
    #[allow(
        clippy::all,
        clippy::pedantic,
        unused,
        unreachable_pub,
        unused_qualifications
    )]
    mini
);

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Source, SourceId, Span};
use ast::{Block, Interner};
use build::Builder;
use std::cell::OnceCell;

/// Longest text, in bytes. CPython has no such limit; a tree takes up to two hundred times the
/// memory of its text.
pub const MAX_SOURCE_BYTES: usize = 4 << 20;
/// Longest physical line, in bytes.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// A tree, and what is wrong with its text.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The statements; where one did not parse, an error node.
    pub body: Block,
    /// In the order of their places, at most one for each logical line. Empty if and only if the
    /// text is sound.
    pub diagnostics: Vec<Diagnostic>,
}

/// Parses a text.
pub fn parse(source: &Source, id: SourceId, names: &mut Interner) -> Parsed {
    if let Some(diagnostic) = too_large(source, id).or_else(|| encoding::foreign(source, id)) {
        return Parsed {
            body: Vec::new(),
            diagnostics: vec![diagnostic],
        };
    }
    let (raw, lexical) = lexer::lex(source, id);
    let layout = layout::lay_out(source, id, &raw);
    let mut builder = Builder {
        source,
        id,
        names,
        lexemes: &layout.lexemes,
        syntax: layout.missing,
        checks: Vec::new(),
        fstrings: OnceCell::new(),
    };
    let tokens = layout
        .lexemes
        .iter()
        .map(|lexeme| Ok((lexeme.start, lexeme.token, lexeme.end)));
    let body = match mini::FileParser::new().parse(&mut builder, tokens) {
        Ok(body) => body,
        // The layout pass sees to it that each error can be recovered from; should it fail, say
        // what is known.
        Err(error) => {
            let diagnostic = explain::explain(&builder, error);
            builder.syntax.extend(diagnostic);
            Vec::new()
        }
    };
    check::check(&mut builder, &body);
    let ranks = [lexical, layout.diagnostics, builder.syntax, builder.checks];
    Parsed {
        body,
        diagnostics: one_per_line(ranks, &layout.line_starts),
    }
}

/// Refuses texts whose size alone would be trouble.
fn too_large(source: &Source, id: SourceId) -> Option<Diagnostic> {
    let text = &source.text;
    if text.len() > MAX_SOURCE_BYTES {
        let message = format!("the text is longer than {MAX_SOURCE_BYTES} bytes");
        return Some(Diagnostic::new(Code::E0507, id, Span::default(), message));
    }
    let (start, end) = source
        .lines()
        .find(|&(start, end)| end - start > MAX_LINE_BYTES as u32)?;
    let message = format!(
        "a line of {} bytes; the longest may have {MAX_LINE_BYTES}",
        end - start
    );
    let span = Span { start, end: start };
    Some(Diagnostic::new(Code::E0506, id, span, message))
}

/// Keeps the most telling message of each logical line: of the first rank that has one, the first
/// in the text.
fn one_per_line(ranks: [Vec<Diagnostic>; 4], line_starts: &[u32]) -> Vec<Diagnostic> {
    let mut all: Vec<(usize, usize, Diagnostic)> = Vec::new();
    for (rank, diagnostics) in ranks.into_iter().enumerate() {
        for diagnostic in diagnostics {
            let line = line_starts.partition_point(|&start| start <= diagnostic.span.start);
            all.push((line, rank, diagnostic));
        }
    }
    all.sort_by_key(|(line, rank, found)| {
        // A head that ends too early lacks more than its colon.
        let colon = found.code == Code::E0302;
        (*line, *rank, found.span.start, colon, found.span.end)
    });
    all.dedup_by_key(|(line, _, _)| *line);
    all.into_iter()
        .map(|(_, _, diagnostic)| diagnostic)
        .collect()
}
