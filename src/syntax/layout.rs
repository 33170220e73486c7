//! Physical lines to logical ones: joins lines inside brackets, turns indentation into `Indent` and
//! `Dedent`, ends each logical line with `Newline`. What it promises to the grammar stands at the
//! head of `grammar/mini.lalrpop`; where the text does not give that, the promise is kept with
//! made-up tokens, and a diagnostic says what is missing.
//!
//! Indentation is CPython's (`Parser/tokenizer.c`): a tab goes to the next multiple of eight, and
//! the comparison must come out the same with tabs of width one.

use super::brackets::join;
use super::token::{Lexeme, Token};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Source, SourceId, Span};

/// Deepest indentation, in blocks (CPython's limit).
const MAX_LEVELS: usize = 100;

/// What the grammar reads.
pub(crate) struct Layout {
    /// All tokens.
    pub(crate) lexemes: Vec<Lexeme>,
    /// Where each logical line starts, in bytes.
    pub(crate) line_starts: Vec<u32>,
    /// Mistakes of characters, brackets and indentation: where a line has one, what the grammar
    /// says of it is an echo.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Mistakes that rank with the grammar's: the first on a line counts.
    pub(crate) missing: Vec<Diagnostic>,
}

/// A logical line: its tokens (a range of the joined ones) and how far it is indented.
#[derive(Clone, Copy)]
struct Line {
    first: usize,
    last: usize,
    indent: Indent,
}

/// The width of a line's blanks, with tabs of eight and of one.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Indent {
    column: usize,
    alternate: usize,
}

/// An open block.
struct Level {
    indent: Indent,
    /// Indented for no reason: the grammar does not know of it.
    phantom: bool,
    /// The block of a `match`, whose lines are `case`s.
    matching: bool,
}

/// What the line before asks of the next one.
enum Opens {
    Nothing,
    /// A block; `matching` if it is that of a `match`.
    Block {
        matching: bool,
    },
    /// The line ended with a colon that opens nothing: what follows may well be indented, and needs
    /// no second message.
    Dangling,
}

struct Writer<'a> {
    source: &'a Source,
    id: SourceId,
    joined: &'a [Lexeme],
    out: Layout,
    levels: Vec<Level>,
    opens: Opens,
    /// The end of the last token.
    end: u32,
}

/// Lays out the tokens of a text.
pub(crate) fn lay_out(source: &Source, id: SourceId, raw: &[Lexeme]) -> Layout {
    let mut diagnostics = Vec::new();
    let (joined, ends) = join(source, id, raw, &mut diagnostics);
    let mut lines: Vec<Line> = Vec::with_capacity(ends.len());
    let mut first = 0;
    for last in ends {
        lines.push(Line {
            first,
            last,
            indent: indent(source, joined[first].start),
        });
        first = last;
    }
    let mut writer = Writer {
        source,
        id,
        joined: &joined,
        out: Layout {
            lexemes: Vec::with_capacity(joined.len() + 2 * lines.len()),
            line_starts: Vec::with_capacity(lines.len()),
            diagnostics,
            missing: Vec::new(),
        },
        levels: vec![Level {
            indent: Indent {
                column: 0,
                alternate: 0,
            },
            phantom: false,
            matching: false,
        }],
        opens: Opens::Nothing,
        end: 0,
    };
    let mut at = 0;
    while at < lines.len() {
        at = writer.line(&lines, at);
    }
    writer.close_levels(0);
    writer.out
}

/// Measures the blanks before the first token of a line.
fn indent(source: &Source, offset: u32) -> Indent {
    let start = source.line_start(source.line(offset)).unwrap_or(0);
    let mut width = Indent {
        column: 0,
        alternate: 0,
    };
    for byte in source.text[start as usize..offset as usize].bytes() {
        match byte {
            b' ' => {
                width.column += 1;
                width.alternate += 1;
            }
            b'\t' => {
                width.column = (width.column / 8 + 1) * 8;
                width.alternate += 1;
            }
            b'\x0C' => {
                width.column = 0;
                width.alternate = 0;
            }
            _ => {}
        }
    }
    width
}

impl Writer<'_> {
    fn diagnostic(&self, code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, self.id, span, message)
    }

    fn push(&mut self, token: Token, start: u32, end: u32) {
        self.out.lexemes.push(Lexeme { token, start, end });
    }

    /// A token that the text does not have.
    fn make(&mut self, token: Token) {
        let end = self.end;
        self.push(token, end, end);
    }

    /// Writes one line and what its indentation means; returns the number of the next one to write.
    fn line(&mut self, lines: &[Line], at: usize) -> usize {
        let line = lines[at];
        let start = self.joined[line.first].start;
        self.out.line_starts.push(start);
        let opens = std::mem::replace(&mut self.opens, Opens::Nothing);
        self.indent(line.indent, &opens, self.joined[line.first]);

        let mut tokens = self.joined[line.first..line.last].to_vec();
        let matching = self.levels.last().is_some_and(|level| level.matching);
        let subject = self.soften(&mut tokens, matching);
        let deeper = lines
            .get(at + 1)
            .is_some_and(|next| next.indent.column > line.indent.column);
        let complete = self.block_colon(&mut tokens, deeper);
        if tokens[0].token == Token::At {
            self.decorator(&mut tokens, line, lines.get(at + 1));
        }
        let last = tokens[tokens.len() - 1];
        let head = tokens[0];
        self.end = last.end.max(tokens[0].end);
        self.out.lexemes.extend(tokens);
        self.make(Token::Newline);
        if last.token == Token::Colon {
            self.opens = Opens::Dangling;
        }
        if last.token != Token::BlockColon {
            return at + 1;
        }
        if !deeper {
            if complete {
                self.missing_block(head, subject, lines.get(at + 1));
            }
            self.empty_block();
            return at + 1;
        }
        if self.levels.len() >= MAX_LEVELS {
            let next = self.joined[lines[at + 1].first];
            let report = self.diagnostic(
                Code::E0502,
                Span {
                    start: next.start,
                    end: next.end,
                },
                "too many levels of indentation",
            );
            self.out.line_starts.push(next.start);
            self.out.diagnostics.push(report);
            self.empty_block();
            let rest = lines[at + 1..]
                .iter()
                .position(|next| next.indent.column <= line.indent.column);
            return rest.map_or(lines.len(), |length| at + 1 + length);
        }
        self.opens = Opens::Block { matching: subject };
        at + 1
    }

    /// Compares a line's indentation with that of the open blocks.
    fn indent(&mut self, indent: Indent, opens: &Opens, first: Lexeme) {
        let top = self.levels[self.levels.len() - 1].indent;
        let span = Span {
            start: first.start,
            end: first.end,
        };
        if let Opens::Block { matching } = *opens {
            if indent.alternate <= top.alternate {
                self.inconsistent(span);
            }
            self.levels.push(Level {
                indent,
                phantom: false,
                matching,
            });
            self.push(Token::Indent, first.start, first.start);
        } else if indent.column > top.column {
            if !matches!(opens, Opens::Dangling) {
                let mut report = self.diagnostic(Code::E0201, span, "unexpected indent");
                report.help =
                    Some("only the block after a line that ends with ':' is indented".into());
                self.out.diagnostics.push(report);
            }
            self.levels.push(Level {
                indent,
                phantom: true,
                matching: false,
            });
        } else {
            if indent.column < top.column {
                self.dedent(indent, span);
            }
            let top = self.levels[self.levels.len() - 1].indent;
            if indent.column == top.column && indent.alternate != top.alternate {
                self.inconsistent(span);
            }
        }
    }

    fn inconsistent(&mut self, span: Span) {
        let mut report = self.diagnostic(
            Code::E0203,
            span,
            "inconsistent use of tabs and spaces in indentation",
        );
        report.help = Some("indent with spaces only, four for each level".into());
        self.out.diagnostics.push(report);
    }

    /// Closes the blocks that a line ends.
    fn dedent(&mut self, indent: Indent, span: Span) {
        while self.levels[self.levels.len() - 1].indent.column > indent.column {
            let below = self.levels[self.levels.len() - 2].indent.column;
            if below < indent.column {
                // Between two levels: taken for the inner one from here on, so that it is said
                // once.
                let mut report = self.diagnostic(
                    Code::E0202,
                    span,
                    "unindent does not match any outer indentation level",
                );
                report.help = Some(
                    "line it up with the start of an earlier line of the block it belongs to"
                        .into(),
                );
                self.out.diagnostics.push(report);
                let top = self.levels.len() - 1;
                self.levels[top].indent = indent;
                return;
            }
            self.close_levels(self.levels.len() - 1);
        }
    }

    /// Closes all blocks but the outermost and `count - 1` in it.
    fn close_levels(&mut self, count: usize) {
        while self.levels.len() > count.max(1) {
            if self.levels.pop().is_some_and(|level| !level.phantom) {
                self.make(Token::Dedent);
            }
        }
    }

    /// Words that Mini's grammar does not have: `async`, `await`, `match`, `case`, `type`, and
    /// `else if`. Refuses them by name and leaves tokens of the same shape. Says whether the line
    /// heads a `match`.
    fn soften(&mut self, tokens: &mut Vec<Lexeme>, in_match: bool) -> bool {
        let asynchronous = tokens
            .iter()
            .find(|lexeme| matches!(lexeme.token, Token::Async | Token::Await));
        if let Some(&word) = asynchronous {
            let name = self.text(word);
            let mut report = self.diagnostic(
                Code::E0601,
                span(word),
                format!("'{name}' is left out of Mini"),
            );
            report.help = Some(
                "Mini is about threads: write an ordinary function and run it with `threading.Thread` or an executor"
                    .into(),
            );
            self.out.missing.push(report);
            tokens.retain(|lexeme| !matches!(lexeme.token, Token::Async | Token::Await));
            if tokens.is_empty() {
                tokens.push(Lexeme {
                    token: Token::Bad,
                    ..word
                });
            }
        }
        let (first, last) = (tokens[0], tokens[tokens.len() - 1]);
        let second = tokens.get(1).map(|lexeme| lexeme.token);
        if first.token == Token::Else && second == Some(Token::If) {
            let both = span(first).to(span(tokens[1]));
            let mut report = self.diagnostic(Code::E0305, both, "expected ':'");
            report.help = Some("write `elif` for \"else if\"".into());
            self.out.missing.push(report);
            tokens.remove(0);
            tokens[0].token = Token::Elif;
            return false;
        }
        if first.token != Token::Name {
            return false;
        }
        match self.text(first) {
            "match" if last.token == Token::Colon && tokens.len() > 2 => {
                let mut report = self.diagnostic(
                    Code::E0602,
                    span(first),
                    "the 'match' statement is left out of Mini",
                );
                report.help = Some("compare with `if` and `elif`".into());
                self.out.missing.push(report);
                *tokens = vec![
                    as_token(first, Token::If),
                    as_token(first, Token::Bad),
                    last,
                ];
                true
            }
            "case" if in_match => {
                let colon = colon_at_depth_0(tokens).unwrap_or(tokens.len());
                tokens.splice(
                    ..colon,
                    [as_token(first, Token::If), as_token(first, Token::Bad)],
                );
                false
            }
            "type" if second == Some(Token::Name) => {
                let mut report = self.diagnostic(
                    Code::E0607,
                    span(first),
                    "type aliases are left out of Mini",
                );
                report.help = Some("assign the class to a name: `Pair = tuple`".into());
                self.out.missing.push(report);
                *tokens = vec![as_token(first, Token::Bad)];
                false
            }
            _ => false,
        }
    }

    /// Gives the colon after a head its own token, made up if it is missing. Says whether the text
    /// had one.
    fn block_colon(&mut self, tokens: &mut Vec<Lexeme>, deeper: bool) -> bool {
        if !tokens[0].token.heads_block() {
            let last = tokens.len() - 1;
            if tokens[last].token == Token::Colon && deeper {
                tokens[last].token = Token::BlockColon;
            }
            return true;
        }
        if let Some(colon) = colon_at_depth_0(tokens) {
            tokens[colon].token = Token::BlockColon;
            return true;
        }
        let end = tokens[tokens.len() - 1].end;
        let mut report = self.diagnostic(Code::E0302, Span { start: end, end }, "expected ':'");
        report.label = "put a ':' here".into();
        self.out.missing.push(report);
        tokens.push(Lexeme {
            token: Token::BlockColon,
            start: end,
            end,
        });
        false
    }

    /// A decorator must stand directly above what it decorates.
    fn decorator(&mut self, tokens: &mut Vec<Lexeme>, line: Line, next: Option<&Line>) {
        let follows = next.is_some_and(|next| {
            let token = self.joined[next.first].token;
            next.indent.column == line.indent.column
                && matches!(token, Token::At | Token::Def | Token::Class | Token::Async)
        });
        if follows {
            return;
        }
        let mut report = self.diagnostic(Code::E0309, span(tokens[0]), "invalid syntax");
        report.label = "nothing to decorate".into();
        report.help =
            Some("a decorator stands on the line above `def` or `class`, equally indented".into());
        self.out.missing.push(report);
        let last = tokens[tokens.len() - 1];
        *tokens = vec![Lexeme {
            token: Token::Bad,
            start: tokens[0].start,
            end: last.end,
        }];
    }

    fn missing_block(&mut self, head: Lexeme, matching: bool, next: Option<&Line>) {
        let what = match head.token {
            _ if matching => "'match' statement",
            Token::Def => "function definition",
            Token::Class => "class definition",
            Token::If => "'if' statement",
            Token::Elif => "'elif' statement",
            Token::Else => "'else' statement",
            Token::For => "'for' statement",
            Token::While => "'while' statement",
            Token::With => "'with' statement",
            Token::Try => "'try' statement",
            Token::Except => "'except' statement",
            _ => "'finally' statement",
        };
        let place = next.map_or(
            Span {
                start: self.end,
                end: self.end,
            },
            |next| span(self.joined[next.first]),
        );
        let message = format!(
            "expected an indented block after {what} on line {}",
            self.source.line(head.start)
        );
        let mut report = self.diagnostic(Code::E0204, place, message);
        report
            .related
            .push((span(head), "the block belongs to this".into()));
        report.help =
            Some("indent the block by four spaces; an empty one is written `pass`".into());
        self.out.diagnostics.push(report);
    }

    /// A block with nothing in it, for the grammar.
    fn empty_block(&mut self) {
        for token in [Token::Indent, Token::Bad, Token::Newline, Token::Dedent] {
            self.make(token);
        }
    }

    fn text(&self, lexeme: Lexeme) -> &str {
        &self.source.text[lexeme.start as usize..lexeme.end as usize]
    }
}

fn span(lexeme: Lexeme) -> Span {
    Span {
        start: lexeme.start,
        end: lexeme.end,
    }
}

fn as_token(lexeme: Lexeme, token: Token) -> Lexeme {
    Lexeme { token, ..lexeme }
}

/// Where the colon after a head is: outside brackets and f-strings, and not that of a `lambda`.
fn colon_at_depth_0(tokens: &[Lexeme]) -> Option<usize> {
    let mut depth = 0_usize;
    let mut lambdas = 0_usize;
    for (at, lexeme) in tokens.iter().enumerate() {
        match lexeme.token {
            Token::LeftParen | Token::LeftBracket | Token::LeftBrace | Token::FStart => depth += 1,
            Token::RightParen | Token::RightBracket | Token::RightBrace | Token::FEnd => {
                depth = depth.saturating_sub(1);
            }
            Token::Lambda if depth == 0 => lambdas += 1,
            Token::Colon if depth == 0 && lambdas > 0 => lambdas -= 1,
            Token::Colon if depth == 0 => return Some(at),
            _ => {}
        }
    }
    None
}
