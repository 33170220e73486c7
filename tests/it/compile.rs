//! What the compiler makes of a text: instructions as text, what it refuses, and that the verifier accepts all of it.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_macros,
    reason = "the programs of the suite are files; how many were verified is told"
)]

use mini::bytecode::disassemble::{Options, disassemble};
use mini::bytecode::verify::verify;
use mini::compile::{Compiled, Environment, compile};
use mini::source::Source;
use std::path::{Path, PathBuf};

/// The builtins of CPython that Mini has, so that these tests need no VM.
const BUILTINS: &[&str] = &[
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "BaseException",
    "BlockingIOError",
    "BrokenPipeError",
    "BufferError",
    "ChildProcessError",
    "ConnectionError",
    "DeprecationWarning",
    "EOFError",
    "Ellipsis",
    "Exception",
    "FileNotFoundError",
    "FloatingPointError",
    "FutureWarning",
    "GeneratorExit",
    "IOError",
    "ImportError",
    "IndentationError",
    "IndexError",
    "InterruptedError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotImplemented",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "ProcessLookupError",
    "RecursionError",
    "ReferenceError",
    "ResourceWarning",
    "RuntimeError",
    "RuntimeWarning",
    "StopAsyncIteration",
    "StopIteration",
    "SyntaxError",
    "SyntaxWarning",
    "SystemError",
    "SystemExit",
    "TimeoutError",
    "TypeError",
    "UnboundLocalError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeError",
    "UserWarning",
    "ValueError",
    "Warning",
    "ZeroDivisionError",
    "abs",
    "all",
    "any",
    "ascii",
    "bin",
    "bool",
    "bytes",
    "callable",
    "chr",
    "classmethod",
    "delattr",
    "dict",
    "divmod",
    "enumerate",
    "filter",
    "float",
    "format",
    "frozenset",
    "getattr",
    "hasattr",
    "hash",
    "hex",
    "id",
    "input",
    "int",
    "isinstance",
    "issubclass",
    "iter",
    "join",
    "len",
    "list",
    "map",
    "max",
    "min",
    "next",
    "object",
    "oct",
    "ord",
    "pow",
    "print",
    "property",
    "range",
    "repr",
    "reversed",
    "round",
    "set",
    "setattr",
    "slice",
    "sorted",
    "spawn_process",
    "spawn_thread",
    "staticmethod",
    "str",
    "sum",
    "super",
    "tuple",
    "type",
    "zip",
    "_native",
];

fn is_builtin(name: &str) -> bool {
    BUILTINS.contains(&name)
}

fn embedded(name: &str) -> Option<&'static str> {
    match name {
        "math" => Some("pi = 3.14\n_secret = 1\ndef sqrt(x):\n    return _native(x)\n"),
        "time" => Some("from math import *\ndef sleep(seconds):\n    pass\n"),
        "concurrent.futures" => Some("class ThreadPoolExecutor:\n    pass\n"),
        "_builtins" => Some("def sort(values):\n    return values\n"),
        _ => None,
    }
}

const ENVIRONMENT: Environment = Environment {
    is_builtin,
    embedded,
};

fn compiled(text: &str) -> Compiled {
    compile(Source::new("test.mini", text), &ENVIRONMENT)
}

/// The instructions of a text that is right, verified.
#[track_caller]
fn instructions(text: &str) -> String {
    let compiled = compiled(text);
    assert_eq!(compiled.diagnostics, [], "{text}");
    let mut program = compiled.program;
    verify(program.clone()).unwrap_or_else(|faults| {
        let text = disassemble(&program, Options::default());
        panic!("{faults:#?}\n{text}")
    });
    program.modules.truncate(1);
    disassemble(&program, Options::default())
}

/// What is wrong with a text: code, place, message and help of each diagnostic.
#[track_caller]
fn refusals(text: &str) -> String {
    let compiled = compiled(text);
    assert!(!compiled.diagnostics.is_empty(), "accepted: {text}");
    let source = &compiled.program.sources[0];
    let lines = compiled.diagnostics.iter().map(|it| {
        let (line, column) = source.line_column(it.span.start);
        let place = &source.text[it.span.start as usize..it.span.end as usize];
        let help = it.help.as_deref().unwrap_or("-");
        format!(
            "{} {line}:{column} `{place}`: {}\n  help: {help}\n",
            it.code.name(),
            it.message
        )
    });
    lines.collect()
}

fn programs(directory: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("a directory of the project") {
        let path = entry.expect("a readable directory").path();
        let skipped = ["refused", "syntax_errors"];
        if path.is_dir() {
            if !skipped.iter().any(|it| path.ends_with(it)) {
                programs(&path, into);
            }
        } else if path.extension().is_some_and(|it| it == "mini") {
            into.push(path);
        }
    }
}

#[test]
fn every_program_of_the_suite_compiles_to_verified_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang");
    let mut paths = Vec::new();
    programs(&root, &mut paths);
    let mut failures = Vec::new();
    let mut verified = 0;
    for path in &paths {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let compiled = compiled(&text);
        if let Some(first) = compiled.diagnostics.first() {
            // The modules of these tests are few and small, and some of the suite's programs are refused.
            let refused = ["E0503", "E0612", "E0617", "E0619"];
            if !refused.contains(&first.code.name()) {
                failures.push(format!("{}: {first:?}", path.display()));
            }
        } else if let Err(faults) = verify(compiled.program) {
            failures.push(format!("{}: {}", path.display(), faults[0]));
        } else {
            verified += 1;
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    println!("{verified} of {} programs verified", paths.len());
    assert!(verified * 2 > paths.len());
}

#[test]
fn a_loop_over_range_counts_in_registers() {
    insta::assert_snapshot!(instructions("def f(n):\n    s = 0\n    for i in range(n):\n        s += i\n    return s\n"), @"");
}

#[test]
fn err_names_that_mini_leaves_out() {
    insta::assert_snapshot!(refusals("eval('1')\nopen('x')\nprint(globals())\n"), @"");
}
