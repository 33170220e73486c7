//! Joins the physical lines inside brackets, and repairs brackets that do not match: after this
//! pass they do.
//!
//! A bracket that is never closed would turn the rest of the file into one expression. It is
//! reported where it opens, and taken for closed before the first line that cannot belong to it.

use super::token::{Lexeme, Token};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Source, SourceId, Span};

/// Deepest nesting of brackets (CPython's limit).
const MAX_NESTED: usize = 200;

struct Joiner<'a> {
    source: &'a Source,
    id: SourceId,
    raw: &'a [Lexeme],
    /// For each raw token: an opener that nothing closes.
    unclosed: Vec<bool>,
    joined: Vec<Lexeme>,
    ends: Vec<usize>,
    /// The open brackets, as numbers of raw tokens.
    open: Vec<usize>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

/// All tokens without line ends, and where each logical line ends in them (none is empty).
pub(crate) fn join(
    source: &Source,
    id: SourceId,
    raw: &[Lexeme],
    diagnostics: &mut Vec<Diagnostic>,
) -> (Vec<Lexeme>, Vec<usize>) {
    let mut joiner = Joiner {
        source,
        id,
        raw,
        unclosed: unclosed(raw),
        joined: Vec::with_capacity(raw.len()),
        ends: Vec::new(),
        open: Vec::new(),
        diagnostics,
    };
    joiner.run();
    (joiner.joined, joiner.ends)
}

/// Which openers would stay open to the end, or be closed by the closer of an outer one.
fn unclosed(raw: &[Lexeme]) -> Vec<bool> {
    let mut marks = vec![false; raw.len()];
    let mut open: Vec<(Token, usize)> = Vec::new();
    let mut formatted = 0_usize;
    for (at, lexeme) in raw.iter().enumerate() {
        match lexeme.token {
            Token::FStart => formatted += 1,
            Token::FEnd => formatted -= 1,
            _ if formatted > 0 => {}
            token if token.is_closer() => {
                if open
                    .iter()
                    .rev()
                    .take(MAX_NESTED)
                    .any(|&(closer, _)| closer == token)
                {
                    while let Some((closer, opener)) = open.pop() {
                        if closer == token {
                            break;
                        }
                        marks[opener] = true;
                    }
                }
            }
            token => open.extend(token.closer().map(|closer| (closer, at))),
        }
    }
    for (_, opener) in open {
        marks[opener] = true;
    }
    marks
}

impl Joiner<'_> {
    fn run(&mut self) {
        // Brackets in the holes of f-strings match: `fstring.rs` saw to it.
        let mut formatted = 0_usize;
        let mut line_begins = true;
        let mut at = 0;
        while at < self.raw.len() {
            let lexeme = self.raw[at];
            match lexeme.token {
                Token::Newline => {
                    line_begins = true;
                    if self.open.is_empty() {
                        self.end_line();
                    } else if self.ends_head() {
                        let colon = self.joined.pop();
                        self.never_closed();
                        self.joined.extend(colon);
                        self.end_line();
                    }
                    at += 1;
                    continue;
                }
                Token::FStart => formatted += 1,
                Token::FEnd => formatted -= 1,
                _ => {}
            }
            if line_begins && !self.open.is_empty() && self.begins_statement(at) {
                self.never_closed();
                self.end_line();
            }
            line_begins = false;
            if formatted > 0 {
                self.joined.push(lexeme);
            } else if lexeme.token.closer().is_some() {
                if self.open.len() >= MAX_NESTED {
                    at = self.too_deep(at);
                    line_begins = true;
                    continue;
                }
                self.open.push(at);
                self.joined.push(lexeme);
            } else if lexeme.token.is_closer() {
                self.close(lexeme);
            } else {
                self.joined.push(lexeme);
            }
            at += 1;
        }
        if !self.open.is_empty() {
            self.never_closed();
        }
        self.end_line();
    }

    fn report(&mut self, code: Code, lexeme: Lexeme, message: String) -> &mut Diagnostic {
        self.diagnostics
            .push(Diagnostic::new(code, self.id, span(lexeme), message));
        self.diagnostics.last_mut().expect("just pushed")
    }

    fn text(&self, lexeme: Lexeme) -> &str {
        &self.source.text[lexeme.start as usize..lexeme.end as usize]
    }

    fn end_line(&mut self) {
        if self.joined.len() > self.ends.last().copied().unwrap_or(0) {
            self.ends.push(self.joined.len());
        }
    }

    /// Closes all open brackets at the last token.
    fn close_all(&mut self) {
        let end = self.joined.last().map_or(0, |last| last.end);
        while let Some(opener) = self.open.pop() {
            self.joined
                .extend(self.raw[opener].token.closer().map(|token| Lexeme {
                    token,
                    start: end,
                    end,
                }));
        }
    }

    fn never_closed(&mut self) {
        let innermost = self.raw[self.open[self.open.len() - 1]];
        let message = format!("'{}' was never closed", self.text(innermost));
        self.report(Code::E0205, innermost, message);
        self.close_all();
    }

    /// Whether the line so far is the head of a compound statement, colon included, but for a
    /// bracket that nothing closes.
    fn ends_head(&self) -> bool {
        let line = &self.joined[self.ends.last().copied().unwrap_or(0)..];
        line.first().is_some_and(|first| first.token.heads_block())
            && line.last().is_some_and(|last| last.token == Token::Colon)
            && self.open.iter().any(|&opener| self.unclosed[opener])
    }

    /// Whether the physical line that begins at this token cannot stand in the open brackets.
    fn begins_statement(&self, at: usize) -> bool {
        let token = self.raw[at].token;
        if token.only_starts_statement() {
            return true;
        }
        if !self.open.iter().any(|&opener| self.unclosed[opener]) {
            return false;
        }
        // From here on: some bracket will never be closed, and the question is only where the
        // reader would say it ends.
        let before = self.joined[self.joined.len() - 1].token;
        let next = self
            .raw
            .get(at + 1)
            .map_or(Token::Newline, |lexeme| lexeme.token);
        let string_joins = |token| {
            matches!(
                token,
                Token::Str | Token::Bytes | Token::FStart | Token::FEnd
            )
        };
        if before.ends_expression()
            && (token.starts_operand() || token == Token::At)
            && !(string_joins(before) && string_joins(token))
        {
            return true;
        }
        let opener_line = self.source.line(self.raw[self.open[0]].start);
        let opener_column = self.column(opener_line);
        let here = self.source.line(self.raw[at].start);
        if self.column(here) > opener_column {
            return false;
        }
        match token {
            Token::Name => matches!(next, Token::Equal | Token::PlusEqual | Token::MinusEqual),
            Token::For | Token::If | Token::Else => {
                let line_end = self.raw[at..]
                    .iter()
                    .position(|lexeme| lexeme.token == Token::Newline)
                    .map_or(self.raw.len(), |length| at + length);
                self.raw[line_end - 1].token == Token::Colon
            }
            _ => false,
        }
    }

    /// How many blanks a line starts with.
    fn column(&self, line: u32) -> usize {
        let start = self.source.line_start(line).unwrap_or(0);
        self.source.text[start as usize..]
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t'))
            .count()
    }

    fn close(&mut self, lexeme: Lexeme) {
        let Some(&opener) = self.open.last() else {
            let message = format!("unmatched '{}'", self.text(lexeme));
            self.report(Code::E0206, lexeme, message);
            // Its line must not end up empty.
            self.joined.push(Lexeme {
                token: Token::Bad,
                ..lexeme
            });
            return;
        };
        let opener = self.raw[opener];
        if opener.token.closer() == Some(lexeme.token) {
            self.open.pop();
            self.joined.push(lexeme);
            return;
        }
        let opener_line = self.source.line(opener.start);
        let place = if opener_line == self.source.line(lexeme.start) {
            String::new()
        } else {
            format!(" on line {opener_line}")
        };
        let message = format!(
            "closing parenthesis '{}' does not match opening parenthesis '{}'{place}",
            self.text(lexeme),
            self.text(opener)
        );
        let report = self.report(Code::E0207, lexeme, message);
        report.related.push((span(opener), "opened here".into()));
        // Where an outer bracket matches, the inner ones were forgotten; else this one was
        // mistyped.
        let outer = self
            .open
            .iter()
            .rposition(|&outer| self.raw[outer].token.closer() == Some(lexeme.token));
        let keep = outer.unwrap_or(self.open.len() - 1);
        while self.open.len() > keep {
            let token = self
                .open
                .pop()
                .and_then(|opener| self.raw[opener].token.closer());
            self.joined.extend(token.map(|token| Lexeme {
                token,
                start: lexeme.start,
                end: lexeme.end,
            }));
        }
    }

    /// Gives up on the statement: returns where the next one begins, as well as can be seen.
    fn too_deep(&mut self, at: usize) -> usize {
        let lexeme = self.raw[at];
        let report = self.report(Code::E0501, lexeme, "too many nested parentheses".into());
        report.label = format!("more than {MAX_NESTED} brackets are open here");
        self.joined.push(Lexeme {
            token: Token::Bad,
            ..lexeme
        });
        self.close_all();
        self.end_line();
        let rest = self.raw[at..].windows(2).position(|pair| {
            pair[0].token == Token::Newline && pair[1].token.only_starts_statement()
        });
        rest.map_or(self.raw.len(), |length| at + length + 1)
    }
}

fn span(lexeme: Lexeme) -> Span {
    Span {
        start: lexeme.start,
        end: lexeme.end,
    }
}
