//! Properties that hold for any input. The front end: whatever the text, there is a tree and there
//! are messages, at once, and all places lie in the text and on boundaries of characters; what is
//! accepted is compiled, to bytecode that the verifier accepts.

use crate::front::{self, ENVIRONMENT};
use crate::{cases, generator, mutation};
use arbtest::arbitrary::Result;
use mini::bytecode::verify::verify;
use mini::cli::render::render;
use mini::compile::{Compiled, compile};
use mini::source::{Source, SourceId, Span};
use mini::syntax::ast::{Block, Expr, ExprKind, StmtKind};
use mini::syntax::{self, walk};

/// Compiles, and looks at the messages; what has none passes the verifier.
fn compiles(text: &str) {
    let compiled = compile(Source::new("test.mini", text), &ENVIRONMENT);
    messages_are_sound(&compiled);
    if compiled.diagnostics.is_empty()
        && let Err(faults) = verify(compiled.program)
    {
        panic!("{}\n{text}", faults[0]);
    }
}

/// The places of all messages lie in their texts, and they can be drawn.
pub(crate) fn messages_are_sound(compiled: &Compiled) {
    let (diagnostics, sources) = (&compiled.diagnostics, &compiled.program.sources);
    for found in diagnostics {
        let source = &sources[usize::from(found.source.0)];
        within(source, found.span);
        found
            .related
            .iter()
            .for_each(|(span, _)| within(source, *span));
    }
    assert_eq!(
        render(diagnostics, sources, true).is_empty(),
        diagnostics.is_empty()
    );
}

/// Parses, looks at all places, renders; compiles.
fn holds(text: &str) {
    compiles(text);
    let (source, body, diagnostics) = front::parse(text, |source, _, parsed| {
        (
            source.clone(),
            parsed.body.clone(),
            parsed.diagnostics.clone(),
        )
    });
    let mut line = 0;
    for found in &diagnostics {
        within(&source, found.span);
        found
            .related
            .iter()
            .for_each(|(span, _)| within(&source, *span));
        assert!(!found.message.is_empty());
        assert!(found.span.start >= line, "out of order in {text:?}");
        line = found.span.start;
    }
    let mut errors = 0;
    block(&source, &body, &mut errors);
    if diagnostics.is_empty() {
        assert_eq!(errors, 0, "an error node without a message in {text:?}");
    }
    assert_eq!(
        render(&diagnostics, std::slice::from_ref(&source), true).is_empty(),
        diagnostics.is_empty()
    );
}

fn within(source: &Source, span: Span) {
    let (start, end) = (span.start as usize, span.end as usize);
    assert!(
        start <= end && source.text.is_char_boundary(start) && source.text.is_char_boundary(end),
        "{span:?} in {:?}",
        source.text
    );
}

fn block(source: &Source, body: &Block, errors: &mut usize) {
    for stmt in body {
        within(source, stmt.span);
        let expr = |value: &Expr, errors: &mut usize| expression(source, value, errors);
        match &stmt.kind {
            StmtKind::Error => *errors += 1,
            StmtKind::Expr(value) => expr(value, errors),
            StmtKind::Assign { targets, value } => {
                for target in targets {
                    expr(target, errors);
                }
                expr(value, errors);
            }
            StmtKind::AugAssign { target, value, .. } => {
                expr(target, errors);
                expr(value, errors);
            }
            StmtKind::AnnAssign {
                target,
                annotation,
                value,
            } => {
                expr(target, errors);
                expr(annotation, errors);
                if let Some(value) = value {
                    expr(value, errors);
                }
            }
            StmtKind::If { branches, orelse } => {
                for (test, body) in branches {
                    expr(test, errors);
                    block(source, body, errors);
                }
                block(source, orelse, errors);
            }
            StmtKind::While { test, body, orelse } => {
                expr(test, errors);
                block(source, body, errors);
                block(source, orelse, errors);
            }
            StmtKind::For {
                target,
                iter,
                body,
                orelse,
            } => {
                expr(target, errors);
                expr(iter, errors);
                block(source, body, errors);
                block(source, orelse, errors);
            }
            StmtKind::Break | StmtKind::Continue | StmtKind::Pass => {}
            StmtKind::Return(value) => value.iter().for_each(|value| expr(value, errors)),
            StmtKind::FunctionDef(def) => {
                within(source, def.name.span);
                block(source, &def.body, errors);
            }
            StmtKind::ClassDef(class) => {
                within(source, class.name.span);
                block(source, &class.body, errors);
            }
            StmtKind::Global(names) | StmtKind::Nonlocal(names) => {
                for name in names {
                    within(source, name.span);
                }
            }
            StmtKind::Try(parts) => {
                block(source, &parts.body, errors);
                for handler in &parts.handlers {
                    within(source, handler.span);
                    block(source, &handler.body, errors);
                }
                block(source, &parts.orelse, errors);
                block(source, &parts.finally, errors);
            }
            StmtKind::Raise { exception, cause } => {
                let values = [exception, cause].into_iter().flatten();
                values.for_each(|value| expr(value, errors));
            }
            StmtKind::With { items, body } => {
                for item in items {
                    expr(&item.context, errors);
                    if let Some(target) = &item.target {
                        expr(target, errors);
                    }
                }
                block(source, body, errors);
            }
            StmtKind::Assert { test, message } => {
                expr(test, errors);
                if let Some(message) = message {
                    expr(message, errors);
                }
            }
            StmtKind::Delete(targets) => targets.iter().for_each(|target| expr(target, errors)),
            StmtKind::Import(names) | StmtKind::ImportFrom { names, .. } => {
                for name in names {
                    within(source, name.path.span);
                }
            }
        }
    }
}

fn expression(source: &Source, expr: &Expr, errors: &mut usize) {
    within(source, expr.span);
    *errors += usize::from(matches!(expr.kind, ExprKind::Error));
    let mut depth = 0;
    walk::children(&expr.kind, &mut |child| {
        depth = depth.max(child.depth);
        expression(source, child, errors);
    });
    let own = if let ExprKind::Lambda { .. } = expr.kind {
        4
    } else {
        1
    };
    assert_eq!(expr.depth, depth + own);
}

#[test]
fn arbitrary_bytes_give_messages() {
    cases::run("arbitrary_bytes_give_messages", 3_000, 400, |input| {
        let length = input.int_in_range(0..=300)?;
        let bytes = input.bytes(length.min(input.len()))?;
        match syntax::read("test.mini", bytes, SourceId(0)) {
            Ok(source) => holds(&source.text),
            Err(refused) => {
                let (source, diagnostic) = *refused;
                within(&source, diagnostic.span);
                assert!(!render(&[diagnostic], &[source], true).is_empty());
            }
        }
        // Random bytes are hardly ever UTF-8; as characters they are always a text.
        let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
        holds(&text);
        Ok(())
    });
}

/// Pieces of programs, with what goes wrong in them.
pub(crate) const PIECES: &[&str] = &[
    "\n",
    "\n    ",
    "\n        ",
    "\n\t",
    "\n  ",
    "\r\n",
    "\r",
    " ",
    " ",
    "\\\n",
    "\\",
    ";",
    ":",
    ":\n    ",
    ":\n\t",
    ",",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ".",
    "...",
    "->",
    "=",
    "==",
    ":=",
    "+",
    "-",
    "*",
    "**",
    "/",
    "//",
    "%",
    "@",
    "&",
    "|",
    "^",
    "~",
    "<<",
    ">>",
    "<",
    ">",
    "<=",
    ">=",
    "!=",
    "!",
    "+=",
    "@=",
    "**=",
    "<>",
    "&&",
    "++",
    "$",
    "?",
    "`",
    "“",
    "”",
    "é",
    "名",
    "🦀",
    "\u{301}",
    "\u{feff}",
    "\0",
    "\x0C",
    "x",
    "y",
    "self",
    "print",
    "match",
    "case",
    "type",
    "_",
    "f",
    "0",
    "1",
    "12",
    "1.5",
    "1e9",
    "0x1F",
    "0777",
    "1_000",
    "1__0",
    "2j",
    "9abc",
    "''",
    "'a'",
    "\"b\"",
    "b'c'",
    "r'\\d'",
    "'",
    "\"",
    "'''",
    "\"\"\"",
    "f'",
    "f\"",
    "f'{x}'",
    "f\"{x!r:>{w}}\"",
    "f'{",
    "}'",
    "'\\x4'",
    "'\\N{DASH}'",
    "# note",
    "False",
    "None",
    "True",
    "and",
    "as",
    "assert",
    "async",
    "await",
    "break",
    "class",
    "continue",
    "def",
    "del",
    "elif",
    "else",
    "except",
    "finally",
    "for",
    "from",
    "global",
    "if",
    "import",
    "in",
    "is",
    "lambda",
    "nonlocal",
    "not",
    "or",
    "pass",
    "raise",
    "return",
    "try",
    "while",
    "with",
    "yield",
    "def f(x):\n    ",
    "class A:\n    ",
    "if x:\n    ",
    "else:\n    ",
    "try:\n    ",
    "except A:\n    ",
    "for x in y:\n    ",
    "while x:\n    ",
];

#[test]
fn arbitrary_pieces_give_messages() {
    cases::run("arbitrary_pieces_give_messages", 6_000, 400, |input| {
        let count = input.int_in_range(0..=60)?;
        let mut text = String::new();
        for _ in 0..count {
            text.push_str(input.choose(PIECES)?);
            if input.ratio(1, 2)? {
                text.push(' ');
            }
        }
        holds(&text);
        Ok(())
    });
}

#[test]
fn mutated_programs_give_messages() {
    let programs = front::texts(8_000);
    cases::run("mutated_programs_give_messages", 1_000, 200, |input| {
        let mut text = input.choose(&programs)?.clone();
        for _ in 0..input.int_in_range(1..=4)? {
            mutation::characters(&mut text, PIECES, input)?;
        }
        holds(&text);
        Ok(())
    });
}

/// Lines of one program among those of another, and texts of the generators with changed tokens.
#[test]
fn spliced_programs_give_messages() {
    let programs = front::texts(8_000);
    cases::run("spliced_programs_give_messages", 1_000, 400, |input| {
        let mut text = match input.int_in_range(0..=3)? {
            0 => generator::program(input.arbitrary()?),
            1 => (0..4)
                .map(|_| Ok(generator::phrase(input.arbitrary()?)))
                .collect::<Result<String>>()?,
            _ => input.choose(&programs)?.clone(),
        };
        let other = input.choose(&programs)?;
        if input.ratio(1, 2)? {
            mutation::tokens(&mut text, other, input)?;
        }
        for _ in 0..input.int_in_range(0..=3)? {
            let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
            let others: Vec<&str> = other.split_inclusive('\n').collect();
            let at = input.int_in_range(0..=lines.len())?;
            let from = input.int_in_range(0..=others.len())?;
            let to = others.len().min(from + input.int_in_range(0..=8)?);
            let gone = lines.len().min(at + input.int_in_range(0..=4)?);
            lines.splice(at..gone, others[from..to].iter().copied());
            text = lines.concat();
        }
        holds(&text);
        Ok(())
    });
}
