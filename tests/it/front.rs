//! The front end: text in, tree and diagnostics out. What is said of each wrong program under
//! `tests/lang` is a snapshot; the trees of all programs there are CPython's.

use crate::oracle;
use crate::process::finish;
use crate::tree;
use insta::{assert_snapshot, glob};
use mini::compile::{Environment, compile};
use mini::diagnostic::{Code, Diagnostic};
use mini::source::{Source, SourceId, Span};
use mini::syntax::ast::Interner;
use mini::syntax::{self, Parsed};
use mini::vm::builtins::is_builtin;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Parses a text and drops the tree, both on a small stack; gives what `look` finds.
pub(crate) fn parse<T: Send>(
    text: &str,
    look: impl FnOnce(&Source, &Interner, &Parsed) -> T + Send,
) -> T {
    let source = Source::new("test.mini", text);
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn_scoped(scope, move || {
                let mut names = Interner::default();
                let parsed = syntax::parse(&source, SourceId(0), &mut names);
                look(&source, &names, &parsed)
            })
            .expect("a thread can be started")
            .join()
            .expect("the front end does not panic")
    })
}

fn render(diagnostics: &[Diagnostic], sources: &[Source], color: bool) -> String {
    mini::cli::render::render(diagnostics, sources, color)
        .as_str()
        .to_owned()
}

/// The rendered diagnostics of a text.
fn messages(text: &str) -> String {
    parse(text, |source, _, parsed| {
        render(&parsed.diagnostics, std::slice::from_ref(source), false)
    })
}

/// What the command line compiles with.
pub(crate) const ENVIRONMENT: Environment = Environment {
    is_builtin,
    embedded: mini::stdlib::embedded,
    frozen: Some(&mini::stdlib::BUILTINS),
};

/// The rendered diagnostics of the whole compilation.
fn all_messages(text: &str) -> String {
    let compiled = compile(Source::new("test.mini", text), &ENVIRONMENT);
    render(&compiled.diagnostics, &compiled.program.sources, false)
}

/// The codes of a text's diagnostics, with their lines.
fn codes(text: &str) -> Vec<(Code, u32)> {
    parse(text, |source, _, parsed| {
        let found = parsed.diagnostics.iter();
        found
            .map(|found| (found.code, source.line(found.span.start)))
            .collect()
    })
}

/// The tree of a sound text, in CPython's words.
fn tree(text: &str) -> String {
    parse(text, |source, names, parsed| {
        let said = render(&parsed.diagnostics, std::slice::from_ref(source), false);
        assert!(said.is_empty(), "{said}");
        tree::dump(&parsed.body, names)
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang")
}

/// The texts of the programs under `tests/lang` that have fewer bytes than this.
pub(crate) fn texts(bytes: usize) -> Vec<String> {
    programs()
        .iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .filter(|text| text.len() < bytes)
        .collect()
}

/// All programs under `tests/lang`.
pub(crate) fn programs() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "mini") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn text_of(path: &Path) -> String {
    let bytes = std::fs::read(path).expect("the program can be read");
    let source = syntax::read("test.mini", &bytes, SourceId(0)).expect("the program is UTF-8");
    source.text.to_string()
}

pub(crate) fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn mistakes_are_explained() {
    settings().bind(|| {
        glob!("../lang/syntax_errors", "*.mini", |path| {
            let text = text_of(path);
            assert_snapshot!("syntax_errors", all_messages(&text));
        });
    });
}

#[test]
fn programs_that_mini_leaves_out_are_refused() {
    let mut settings = settings();
    settings.add_filter("; Mini has [a-z_., ]+", "; Mini has […]");
    settings.bind(|| {
        glob!("../lang/refused", "*.mini", |path| {
            let text = text_of(path);
            let said = all_messages(&text);
            assert!(!said.is_empty(), "{} is accepted", path.display());
            assert_snapshot!("refused", said);
        });
    });
}

/// What can be seen without resolving names.
#[test]
fn python_that_mini_leaves_out_is_refused_by_name() {
    let left_out = [
        "async def f(): pass",
        "x = await f()",
        "[x async for x in y]",
        "match x:\n    case 1:\n        pass\n    case {'a': b} if b: pass",
        "if (n := 1): pass",
        "print(n := 1)",
        "a @ b",
        "a @= b",
        "z = 1j",
        "try:\n    pass\nexcept* A:\n    pass",
        "type X = int",
        "def f[T](x): pass",
        "class A[T]: pass",
        "from . import a",
        "from .. b import c",
        "s = '\\N{DASH}'",
        "s = '\\ud800'",
        "(x): int = 1",
        "ﬁ = 1",
    ];
    let said: String = left_out.map(messages).concat();
    settings().bind(|| assert_snapshot!("left_out", said));
}

/// The examples of `mini explain` are what they claim to be.
#[test]
fn explanations_have_true_examples() {
    for &code in Code::ALL {
        let explanation = code.explanation();
        assert!(
            explanation.ends_with(['.', ')']) || explanation.contains("Right:"),
            "{code:?}"
        );
        let Some((prose, rest)) = explanation.split_once("Wrong:") else {
            continue;
        };
        let (wrong, right) = rest
            .split_once("Right:")
            .expect("a wrong way has a right one");
        assert!(prose.len() > 40, "{code:?} is explained in too few words");
        let example = |text: &str| -> String {
            let lines = text
                .lines()
                .map(|line| line.strip_prefix("    ").unwrap_or(line));
            lines
                .collect::<Vec<_>>()
                .join("\n")
                .trim_matches('\n')
                .to_owned()
                + "\n"
        };
        assert_eq!(codes(&example(right)), [], "the right way of {code:?}");
        let found = codes(&example(wrong));
        let found: Vec<Code> = found.into_iter().map(|(code, _)| code).collect();
        if FOUND_BY_THE_COMPILER.contains(&code) {
            assert_eq!(found, [], "{code:?}");
        } else {
            assert!(found.contains(&code), "{code:?}: found {found:?}");
        }
    }
}

/// Codes of what parses.
const FOUND_BY_THE_COMPILER: [Code; 12] = [
    Code::E0412,
    Code::E0413,
    Code::E0608,
    Code::E0609,
    Code::E0610,
    Code::E0611,
    Code::E0612,
    Code::E0613,
    Code::E0617,
    Code::E0618,
    Code::E0619,
    Code::E0508,
];

#[test]
fn each_wrong_line_gives_one_message_and_the_others_their_nodes() {
    let text = "\
a = 1
b = = 2
def f(x:
    c = 3
    return 1 +
d = (4,
e = 5
if e = 5:
    g = $
else:
    h = 6
i = 'seven
j = 8
";
    assert_eq!(
        codes(text)
            .iter()
            .map(|&(_, line)| line)
            .collect::<Vec<_>>(),
        [2, 3, 5, 6, 8, 9, 12]
    );
    let dump = parse(text, |_, names, parsed| tree::dump(&parsed.body, names));
    assert_snapshot!(dump, @r"
    Assign([Name(a)], Constant(int 0x1))
    ERROR
    FunctionDef(f, arguments([], [arg(x, None)], None, [], [], None, []), [Assign([Name(c)], Constant(int 0x3)), ERROR], [], None, None)
    Assign([Name(d)], Tuple([Constant(int 0x4)]))
    Assign([Name(e)], Constant(int 0x5))
    If(Name(e), [Assign([Name(g)], ERROR)], [Assign([Name(h)], Constant(int 0x6))])
    Assign([Name(i)], ERROR)
    Assign([Name(j)], Constant(int 0x8))
    ");
}

#[test]
fn statements_have_cpythons_trees() {
    assert_snapshot!(tree("with (a, b): pass"), @r"With([withitem(Name(a), None), withitem(Name(b), None)], [Pass()])");
    assert_snapshot!(tree("with (a, b) as c, (d): pass"), @r"With([withitem(Tuple([Name(a), Name(b)]), Name(c)), withitem(Name(d), None)], [Pass()])");
    assert_snapshot!(tree("with (a as b, c,): pass"), @r"With([withitem(Name(a), Name(b)), withitem(Name(c), None)], [Pass()])");
    assert_snapshot!(tree("x: int; y.z: 'a' = 1, 2"), @r"
    AnnAssign(Name(x), Name(int), None)
    AnnAssign(Attribute(Name(y), z), Constant('a'), Tuple([Constant(int 0x1), Constant(int 0x2)]))
    ");
    assert_snapshot!(tree("def f(): a = b, *c = yield d"), @r"FunctionDef(f, arguments([], [], None, [], [], None, []), [Assign([Name(a), Tuple([Name(b), Starred(Name(c))])], Yield(Name(d)))], [], None, None)");
    assert_snapshot!(tree("f(a, *b, c=1, **d)(x for x in y if x if not x)"), @r"Expr(Call(Call(Name(f), [Name(a), Starred(Name(b))], [keyword(c, Constant(int 0x1)), keyword(None, Name(d))]), [GeneratorExp(Name(x), [comprehension(Name(x), Name(y), [Name(x), UnaryOp(Not, Name(x))])])], []))");
    assert_snapshot!(tree("f'{x!r:>{w}}{{}}' r'\\d'[0:1, ::-1, ...].y"), @r"Expr(Attribute(Subscript(JoinedStr([FormattedValue(Name(x), 114, JoinedStr([Constant('>'), FormattedValue(Name(w), -1, None)])), Constant(<123 125 92 100>)]), Tuple([Slice(Constant(int 0x0), Constant(int 0x1), None), Slice(None, None, UnaryOp(USub, Constant(int 0x1))), Constant(Ellipsis)])), y))");
    assert_snapshot!(tree("def f(a, b=1, /, c=2, *d, e, g=3, **h) -> int: 'doc'"), @r"FunctionDef(f, arguments([arg(a, None), arg(b, None)], [arg(c, None)], arg(d, None), [arg(e, None), arg(g, None)], [None, Constant(int 0x3)], arg(h, None), [Constant(int 0x1), Constant(int 0x2)]), [Expr(Constant('doc'))], [], Name(int), 'doc')");
    assert_snapshot!(tree("not a < b <= c is not d not in e"), @r"Expr(UnaryOp(Not, Compare(Name(a), [Lt, LtE, IsNot, NotIn], [Name(b), Name(c), Name(d), Name(e)])))");
    assert_snapshot!(tree("-x ** -y ** z + a if b else lambda *c, d=1: c"), @r"Expr(IfExp(Name(b), BinOp(UnaryOp(USub, BinOp(Name(x), Pow, UnaryOp(USub, BinOp(Name(y), Pow, Name(z))))), Add, Name(a)), Lambda(arguments([], [], arg(c, None), [arg(d, None)], [Constant(int 0x1)], None, []), Name(c))))");
    assert_snapshot!(tree("from a.b import (c as d, e,); import f.g as h; from i import *"), @r"
    ImportFrom(a.b, [alias(c, d), alias(e, None)])
    Import([alias(f.g, h)])
    ImportFrom(i, [alias(*, None)])
    ");
}

#[test]
fn all_programs_have_cpythons_trees() {
    let python = match oracle::python() {
        Ok(python) => python,
        Err(reason) => {
            println!("not compared: {reason}");
            return;
        }
    };
    let programs = programs();
    let names: Vec<String> = programs
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/tree.py");
    let answer = finish(
        Command::new(python)
            .arg(script)
            .env("PYTHONIOENCODING", "utf-8"),
        names.join("\n").as_bytes(),
        Duration::from_secs(100),
    );
    let answer = String::from_utf8(answer.stdout).expect("the answer is UTF-8");
    let mut trees = answer.split("\n.\n");
    let mut compared = 0;
    for (path, name) in programs.iter().zip(&names) {
        let expected = trees.next().expect("an answer for each program");
        let expected = expected.trim_start_matches(".\n");
        let text = text_of(path);
        let found = parse(&text, |_, names, parsed| {
            let sound = parsed.diagnostics.is_empty();
            sound.then(|| tree::dump(&parsed.body, names))
        });
        match found {
            Some(found) if expected != "SYNTAX ERROR" => {
                assert_eq!(found, expected, "{name}");
                compared += 1;
            }
            // What CPython's compiler finds after parsing, and what Mini leaves out.
            _ => {}
        }
    }
    println!("{compared} trees compared");
    assert!(compared * 10 > programs.len() * 7);
}

/// So many blocks, each in the one before.
fn stairs(count: usize) -> String {
    let heads = (0..count).map(|depth| " ".repeat(depth) + "if 1:\n");
    heads.collect()
}

#[test]
fn limits_are_told_at_once() {
    let deep = |open: &str, close: &str, count: usize| {
        format!("x = {}1{}\n", open.repeat(count), close.repeat(count))
    };
    let cases = [
        (Code::E0501, deep("(", ")", 100_000)),
        (Code::E0501, deep("[", "", 100_000)),
        (Code::E0501, deep("{1:", "}", 100_000)),
        (Code::E0501, "f(".repeat(100_000)),
        (Code::E0503, deep("-", "", 100_000)),
        (Code::E0503, deep("not ", "", 100_000)),
        (Code::E0503, deep("1+", "", 100_000)),
        (Code::E0503, deep("1**", "", 100_000)),
        (Code::E0503, deep("lambda:", "", 100_000)),
        (Code::E0503, deep("", " if 1 else 1", 50_000)),
        (Code::E0503, format!("x{}\n", ".a".repeat(100_000))),
        (Code::E0503, format!("x{}\n", "()".repeat(100_000))),
        (Code::E0503, format!("x{}\n", "[0]".repeat(100_000))),
        (Code::E0504, format!("x = {}\n", "9".repeat(500_000))),
        (Code::E0505, format!("x = {}\n", "a".repeat(1_000_000))),
        (Code::E0506, format!("x = [{}]\n", "1, ".repeat(700_000))),
        (Code::E0507, "x".repeat(10_000_000)),
        (Code::E0507, "x = 1\n".repeat(6_000_000)),
        (Code::E0110, "x = 1\0\n".repeat(10_000)),
        (Code::E0110, "\0".repeat(1_000_000)),
        (Code::E0502, stairs(500)),
        (
            Code::E0509,
            format!("with a{}: pass\n", ", a()".repeat(32_766)),
        ),
        (
            Code::E0509,
            format!("with (a{}): pass\n", ", a()".repeat(32_766)),
        ),
    ];
    for (code, text) in cases {
        let found = codes(&text);
        let found: Vec<Code> = found.into_iter().map(|(code, _)| code).collect();
        let start: String = text.chars().take(20).collect();
        assert!(
            found.contains(&code),
            "{start:?}…: {found:?} instead of {code:?}"
        );
    }
    // Just within the limits.
    for text in [
        deep("(", ")", 200),
        deep("-", "", 998),
        format!("x = {}\n", "9".repeat(4300)),
        format!("x = [{}]\n", "1, ".repeat(300_000)),
        format!("x = {}\n", "0 or ".repeat(200_000) + "1"),
        format!("x = {}\n", "0 < ".repeat(200_000) + "1"),
        stairs(99) + &" ".repeat(99) + "x\n",
        format!("if 1: pass\n{}", "elif 1: pass\n".repeat(20_000)),
        format!("x = [0{}]\n", " for a in b".repeat(20_000)),
        format!("with (a{}): pass\n", ", a()".repeat(19)),
    ] {
        assert_eq!(codes(&text), []);
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_place() {
    for (bytes, expected) in [
        (
            &b"x = 1\ny = '\xff'\n"[..],
            "Non-UTF-8 code starting with '\\xff' on line 2",
        ),
        (
            b"\xff\xfex\0 \0",
            "Non-UTF-8 code starting with '\\xff' on line 1",
        ),
        (
            b"x = '\xc3",
            "Non-UTF-8 code starting with '\\xc3' on line 1",
        ),
    ] {
        let (source, diagnostic) =
            *syntax::read("test.mini", bytes, SourceId(0)).expect_err("no text");
        assert_eq!(diagnostic.message, expected);
        let said = render(&[diagnostic], &[source], false);
        assert!(said.contains("E0111"), "{said}");
    }
    assert_eq!(
        codes("#!python\n# -*- coding: latin-1 -*-\n"),
        [(Code::E0111, 2)]
    );
    assert_eq!(codes("x = 1\n# coding: latin-1\n"), []);
    assert_eq!(codes("# vim: set fileencoding=UTF-8 :\nx = 1\n"), []);
}

#[test]
fn any_place_can_be_shown() {
    let text = "a = 'é'\n\tb = '名前'\r\nc\u{301} = \"🦀\" # 🏳️‍🌈\r\u{feff}d\0 = 1\n\n";
    let source = Source::new("test.mini", text);
    let end = text.len() as u32 + 3;
    for start in 0..end {
        for length in [0, 1, 2, 7, 100] {
            let span = Span {
                start,
                end: start + length,
            };
            let mut diagnostic = Diagnostic::new(Code::E0301, SourceId(0), span, "wrong");
            diagnostic.label = "here".into();
            diagnostic.related.push((
                Span {
                    start: end - start,
                    end,
                },
                "and here".into(),
            ));
            for color in [false, true] {
                let said = render(
                    std::slice::from_ref(&diagnostic),
                    std::slice::from_ref(&source),
                    color,
                );
                assert!(said.contains("wrong"));
            }
        }
    }
    let elsewhere = Diagnostic::new(Code::E0301, SourceId(7), Span::default(), "wrong");
    assert!(render(&[elsewhere], &[source], false).contains("error[E0301]: wrong"));
}

#[test]
fn many_messages_are_counted_and_not_shown() {
    let said = messages(&"x = )\n".repeat(2_000));
    assert_eq!(said.matches("error[E0206]").count(), 50);
    assert!(
        said.ends_with("error: and 1950 more\n\n"),
        "{}",
        &said[said.len() - 100..]
    );
}

#[test]
fn line_ends_marks_and_blanks_do_not_matter() {
    let plain = "if a:\n    b\n\n# c\n    d(1,\n2)\ne = '''f\ng'''\n";
    let expected = tree(plain);
    for text in [
        plain.replace('\n', "\r\n"),
        plain.replace('\n', "\r"),
        plain.trim_end().to_owned(),
        format!("\u{feff}{plain}"),
        plain.replace("    ", "\t"),
        plain.replace("    ", " \x0C  "),
        plain.replace('\n', "  \n"),
        plain.replace("d(1,\n2)", "d(1, \\\n2)"),
    ] {
        // The blanks before a line end belong to the string.
        assert_eq!(tree(&text).replace("32 32 10", "10"), expected);
    }
}
