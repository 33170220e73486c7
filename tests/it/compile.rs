//! What the compiler makes of a text: instructions as text, what it refuses, and that the verifier
//! accepts all of it.

use crate::front::ENVIRONMENT;
use mini::bytecode::disassemble::{Options, disassemble};
use mini::bytecode::verify::verify;
use mini::compile::{Compiled, compile};
use mini::source::Source;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Snapshots of one folder of programs, each with what `view` makes of it.
fn check(folder: &str, view: fn(&str) -> String) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("../snapshots/compile/{folder}"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.add_filter(r"Mini has \w+\..*", "Mini has […]");
    settings.add_filter(r"Mini has \w+,.*", "Mini has […]");
    settings.bind(|| {
        insta::glob!("../compile", &format!("{folder}/*.mini"), |path| {
            let text = std::fs::read_to_string(path).expect("a text");
            insta::assert_snapshot!(folder, view(&text));
        });
    });
}

#[test]
fn instructions_are_these() {
    check("instructions", instructions);
}

#[test]
fn err_refusals_name_the_construct_and_the_way_out() {
    check("refused", refusals);
}

fn compiled(text: &str) -> Compiled {
    compile(Source::new("test.mini", text), &ENVIRONMENT)
}

/// The instructions of a text that is right, verified.
#[track_caller]
fn instructions(text: &str) -> String {
    let compiled = compiled(text);
    assert_eq!(compiled.diagnostics, [], "{text}");
    let program = compiled.program;
    verify(program.clone()).unwrap_or_else(|faults| {
        let text = disassemble(&program, Options::default());
        panic!("{faults:#?}\n{text}")
    });
    let options = Options {
        leave_out: &|name| name != "__main__",
        ..Options::default()
    };
    disassemble(&program, options)
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
            // A builtin class that the VM does not have yet is a refusal, not a fault of the
            // compiler.
            let refused = ["E0618"];
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

/// A thread with the stack that the compiler must do with.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(work);
    thread.expect("a thread").join().expect("no panic");
}

#[test]
fn the_deepest_trees_compile_on_a_small_stack() {
    on_a_small_stack(|| {
        let nested = |open: &str, close: &str, times: usize| {
            format!("x = {}y{}\n", open.repeat(times), close.repeat(times))
        };
        // Brackets nest at most 200 deep, as in CPython; operators go on to the limit of the tree.
        let mut texts = vec![
            nested("(1 + (", "))", 95),
            nested("f(", ")", 190),
            nested("[", "]", 190),
            nested("{0: ", "}", 190),
            nested("(lambda: ", ")", 190),
            nested("[z for x in ", "]", 190),
            nested("(z for x in ", ")", 190),
            nested("-", "", 480),
            nested("not ", "", 480),
            nested("lambda: ", "", 240),
            nested("z if x else ", "", 480),
            nested("", " + 1", 480),
            nested("", ".a", 480),
            nested("", "()", 480),
            nested("", "[0]", 480),
            nested("2 ** ", "", 480),
        ];
        for (head, levels) in [
            ("if x:", 95),
            ("def f():", 95),
            ("class C:", 95),
            // Static blocks nest 20 deep, as in CPython.
            ("while x:", 20),
            ("for x in y:", 20),
            ("with x:", 20),
            ("try:", 19),
        ] {
            let mut text = String::new();
            for depth in 0..levels {
                let _ = writeln!(text, "{}{head}", " ".repeat(depth));
            }
            let _ = writeln!(text, "{}pass", " ".repeat(levels));
            if head == "try:" {
                for depth in (0..levels).rev() {
                    let _ = writeln!(text, "{0}except x:\n{0} pass", " ".repeat(depth));
                }
            }
            texts.push(text);
        }
        for text in texts {
            let compiled = compiled(&text);
            assert_eq!(compiled.diagnostics, [], "{text}");
            assert!(verify(compiled.program).is_ok(), "{text}");
        }
    });
}

#[test]
fn jumps_over_much_text_still_arrive() {
    let body = "        x = f(x, 1, 2, 3)\n".repeat(9_000);
    let text = format!(
        "def g(f, x, n, items):\n    for i in range(n):\n        if i < 5:\n            continue\n{body}\
         \n    for x in items:\n{body}    while x < n:\n{body}    if x == 3:\n{body}    return x\n"
    );
    let text = instructions(&text);
    for mnemonic in ["rangeloop", "for ", "jlt ", "jeqi"] {
        let line = text.lines().find(|line| line.contains(mnemonic));
        assert!(line.is_some(), "{mnemonic}");
    }
}

#[test]
fn err_nested_finally_blocks_do_not_grow_without_bound() {
    let mut text = String::new();
    for depth in 0..20 {
        let indent = " ".repeat(depth);
        let _ = writeln!(text, "{indent}try:\n{indent} f()\n{indent}finally:");
    }
    let _ = writeln!(text, "{}f()", " ".repeat(20));
    assert!(refusals(&text).starts_with("E0508"));
}
