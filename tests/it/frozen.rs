//! The frozen library (`stdlib/frozen.rs`) is what its text compiles to. `MINI_UPDATE=1` writes it
//! anew.

use mini::bytecode::code::{Code, Const, Guard, Program};
use mini::bytecode::op::{CodeIx, Op, Reg};
use mini::bytecode::verify::{verify, verify_linked};
use mini::compile::{Environment, compile};
use mini::source::Source;
use mini::stdlib;
use mini::vm::builtins::is_builtin;
use std::collections::HashSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// A program of the library alone: the script in it has nothing in it.
fn library() -> Program {
    let environment = Environment {
        is_builtin,
        embedded: stdlib::embedded,
        frozen: None,
    };
    let compiled = compile(Source::new("empty", ""), &environment);
    assert!(
        compiled.diagnostics.is_empty(),
        "{:?}",
        compiled.diagnostics
    );
    compiled.program
}

fn list<T>(items: &[T], each: impl Fn(&T) -> String) -> String {
    let items: Vec<String> = items.iter().map(each).collect();
    format!("&[{}]", items.join(", "))
}

fn constant(value: &Const) -> String {
    match value {
        Const::Int(number) => format!("FrozenConst::Int({number})"),
        Const::Str(text) => format!("FrozenConst::Str({text:?})"),
        Const::Builtin(name) => format!("FrozenConst::Builtin({name:?})"),
        Const::Names(names) => format!(
            "FrozenConst::Names({})",
            list(names, |it| format!("{it:?}"))
        ),
        other => panic!("give `FrozenConst` a form of {other:?}"),
    }
}

fn code(it: &Code, longest_run: u32, unset: &[Reg]) -> String {
    assert!(it.internal, "the library's code is internal");
    let parameters = &it.params;
    assert!(
        parameters.positional as usize == parameters.names.len() && parameters.positional_only == 0,
        "{}: give `FrozenCode` other kinds of parameters",
        it.name
    );
    let mut text = String::new();
    let ops = list(&it.ops, |op| {
        format!("Op::{op:?}")
            .replace("{ op: ", "{ op: CompareOp::")
            .replace("convert: ", "convert: Convert::")
    });
    let spans = list(&it.spans, |span| {
        format!("span({}, {})", span.start, span.end)
    });
    writeln!(text, "    FrozenCode {{").expect("a string takes all");
    for (field, value) in [
        ("name", format!("{:?}", it.name)),
        ("qualname", format!("{:?}", it.qualname)),
        ("docstring", format!("{:?}", it.docstring)),
        ("first_line", it.first_line.to_string()),
        ("ops", ops),
        ("spans", spans),
        ("registers", it.registers.to_string()),
        (
            "parameters",
            list(&parameters.names, |it| format!("{it:?}")),
        ),
        ("handlers", list(&it.handlers, |it| format!("{it:?}"))),
        ("sites", list(&it.sites, |it| format!("{it:?}"))),
        (
            "captures",
            list(&it.captures, |it| format!("Capture::{it:?}")),
        ),
        ("locals", list(&it.locals, |it| format!("{it:?}"))),
        ("generator", it.generator.to_string()),
        ("longest_run", longest_run.to_string()),
        ("unset", list(unset, |it| format!("{it:?}"))),
    ] {
        let line = format!("        {field}: {value},");
        wrap(&line, &mut text);
    }
    writeln!(text, "    }},").expect("a string takes all");
    text
}

/// Breaks a long line between elements.
fn wrap(line: &str, into: &mut String) {
    let mut width = 0;
    for (at, part) in line
        .split_inclusive("), ")
        .flat_map(|it| it.split_inclusive("}, "))
        .enumerate()
    {
        if at > 0 && width + part.len() > 150 {
            into.truncate(into.trim_end().len());
            into.push_str("\n            ");
            width = 12;
        }
        into.push_str(part);
        width += part.len();
    }
    into.push('\n');
}

/// The text of `stdlib/frozen.rs`.
fn rust(program: &Program) -> String {
    // The script's own code comes last.
    let (_, codes) = program.codes.split_last().expect("a script has code");
    let verified = verify(program.clone()).expect("the library is right");
    let globals = list(&program.globals, |it| format!("{it:?}"));
    let mut text = String::from(
        "/// What `builtins.mini` compiles to.\npub static BUILTINS: Frozen = Frozen {\n",
    );
    for (field, value) in [
        ("names", list(&program.names, |it| format!("{it:?}"))),
        ("consts", list(&program.consts, constant)),
        ("globals", globals),
    ] {
        wrap(&format!("    {field}: {value},"), &mut text);
    }
    let text_bytes = stdlib::embedded("_builtins").map_or(0, str::len);
    writeln!(text, "    text_bytes: {text_bytes},").expect("a string takes all");
    text.push_str("    codes: CODES,\n};\n\nstatic CODES: &[FrozenCode] = &[\n");
    text.extend((0..).zip(codes).map(|(at, it)| {
        let at = CodeIx(at);
        code(it, verified.longest_run(at), verified.unset_at_entry(at))
    }));
    text.push_str("];\n");
    HEAD.replace("OPERANDS", &imported(&text)) + &text
}

/// What stands before the tables; `OPERANDS` are the types of operands that occur in them.
const HEAD: &str = "\
//! The library module `_builtins`, compiled. Written by a test (`MINI_UPDATE=1 cargo test --test it
//! frozen`); not for reading.

use crate::bytecode::code::{Global, Guard, Name};
use crate::bytecode::frozen::{Frozen, FrozenCode, FrozenConst};
use crate::bytecode::op::{OPERANDS};
use crate::source::Span;
use crate::operator::CompareOp;

const fn span(start: u32, end: u32) -> Span {
    Span { start, end }
}

";

/// The names of `bytecode::op` that a text has.
fn imported(text: &str) -> String {
    let types = [
        "CodeIx", "ConstIx", "Convert", "Count", "Count8", "Far", "Flag", "FreeIx", "GlobalIx",
        "Imm", "Imm32", "ModuleIx", "NamesIx", "Near", "Op", "Reg", "Site",
    ];
    let words: HashSet<&str> = text.split(|it: char| !it.is_alphanumeric()).collect();
    let used: Vec<&str> = types.into_iter().filter(|it| words.contains(it)).collect();
    used.join(", ")
}

#[test]
fn the_frozen_library_is_what_its_text_compiles_to() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/stdlib/frozen.rs");
    let wanted = rust(&library());
    if std::env::var_os("MINI_UPDATE").is_some() {
        fs::write(&path, wanted).expect("the sources can be written");
    } else {
        let found = fs::read_to_string(&path).expect("the frozen library is there");
        assert!(
            found == wanted,
            "builtins.mini or the compiler has changed: MINI_UPDATE=1 cargo test --test it frozen"
        );
    }
}

#[test]
fn a_program_is_the_same_with_the_frozen_library() {
    let with = |frozen| {
        let environment = Environment {
            is_builtin,
            embedded: stdlib::embedded,
            frozen,
        };
        let script = "import threading, collections\nprint(sorted([3, 1, 2], key=len), collections.Counter, 1 + 1, 'key')\n";
        compile(Source::new("script", script), &environment).program
    };
    let frozen = with(Some(&stdlib::BUILTINS));
    assert!(frozen == with(None));
    let again = verify(frozen.clone()).expect("it is right");
    let once = verify_linked(frozen.clone(), &stdlib::BUILTINS).expect("it is right");
    for at in (0..frozen.codes.len() as u32).map(CodeIx) {
        assert_eq!(again.longest_run(at), once.longest_run(at));
        assert_eq!(again.unset_at_entry(at), once.unset_at_entry(at));
    }
}

type Change = fn(&mut Program);

#[test]
fn what_only_looks_like_the_frozen_library_is_verified() {
    let program = library();
    let wrong: [(&str, Change); 6] = [
        ("an operand", |it| {
            it.codes[1].ops[0] = Op::Return { src: Reg(999) }
        }),
        ("fewer registers", |it| it.codes[1].registers = 0),
        ("a jump past the end", |it| {
            let guard = Guard {
                start: 0,
                end: 1,
                target: 9999,
                exception: Reg(0),
            };
            it.codes[1].handlers.insert(0, guard);
        }),
        ("a shorter text", |it| {
            it.sources[1] = Source::new("<_builtins>", "x");
        }),
        ("a variable of nobody's", |it| {
            it.modules[1].globals.truncate(1);
        }),
        ("a name less", |it| it.names.truncate(1)),
    ];
    assert!(verify_linked(program.clone(), &stdlib::BUILTINS).is_ok());
    for (what, change) in wrong {
        let mut program = program.clone();
        change(&mut program);
        assert!(verify_linked(program, &stdlib::BUILTINS).is_err(), "{what}");
    }
}
