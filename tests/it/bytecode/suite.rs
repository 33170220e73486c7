//! Every program of the test suite through the text form: compiled, verified, printed, assembled,
//! and printed again.

use mini::bytecode::disassemble::{Options, disassemble};
use mini::bytecode::op::{CodeIx, Op};
use mini::bytecode::verify::{Verified, verify};
use mini::compile::{Compiled, Environment, assemble, compile, is_always_linked};
use mini::source::Source;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::oracle;
use crate::process::{Finished, finish, in_parallel};

const ENVIRONMENT: Environment = Environment {
    is_builtin: mini::vm::builtins::is_builtin,
    embedded: mini::stdlib::embedded,
    frozen: Some(&mini::stdlib::BUILTINS),
};

fn scripts(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("a directory can be read").path();
        if path.is_dir() {
            scripts(&path, found);
        } else if path.extension().is_some_and(|it| it == "mini") {
            found.push(path);
        }
    }
}

/// Nothing reads a register that may be unset but the instructions that ask whether it is, and
/// `cell`, which keeps it so.
fn reads_only_what_it_may(name: &str, verified: &Verified) {
    let codes = &verified.program().codes;
    for (code, index) in codes.iter().zip(0..) {
        for unset in verified.unset_at_entry(CodeIx(index)) {
            let asks = |op: &Op| match *op {
                Op::CheckBound { src } | Op::JumpIfUnbound { src, .. } => src == *unset,
                Op::MakeCell { reg } => reg == *unset,
                _ => false,
            };
            assert!(
                code.ops.iter().any(asks),
                "{name}: {} reads {unset:?} unset",
                code.qualname
            );
        }
    }
}

#[test]
fn disassemble_assemble_disassemble_is_the_identity() {
    let mut paths = Vec::new();
    scripts(Path::new("tests/lang"), &mut paths);
    scripts(Path::new("examples"), &mut paths);
    paths.sort();
    let mut compared = 0;
    for (at, path) in paths.iter().enumerate() {
        let name = path.to_string_lossy();
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let Compiled {
            program,
            diagnostics,
        } = compile(Source::new(&name, &text), &ENVIRONMENT);
        if !diagnostics.is_empty() {
            continue;
        }
        match verify(program.clone()) {
            Ok(verified) => reads_only_what_it_may(&name, &verified),
            Err(faults) => panic!("{name}: {}", faults[0]),
        }
        // With the library linked again; and, as it is the same each time, with the whole library
        // in the text for some.
        let whole = Options {
            source_lines: true,
            leave_out: &is_always_linked,
            ..Options::default()
        };
        let own = Options {
            leave_out: &|name| mini::stdlib::embedded(name).is_some(),
            ..Options::default()
        };
        let some = at % SHARE == 0 || oracle::asked_for_more();
        for options in std::iter::once(own).chain(some.then_some(whole)) {
            let printed = disassemble(&program, options);
            let again = assemble(Source::new("again.masm", &printed), &ENVIRONMENT);
            assert!(
                again.diagnostics.is_empty(),
                "{name}: {:?}",
                again.diagnostics[0]
            );
            if let Err(faults) = verify(again.program.clone()) {
                panic!("{name}, assembled: {}", faults[0]);
            }
            assert!(
                disassemble(&again.program, options) == printed,
                "{name}: the text changes"
            );
        }
        compared += 1;
    }
    println!(
        "{compared} of {} programs compile and survive the text form",
        paths.len()
    );
    assert!(compared > 0);
}

/// One in so many programs is written with the whole library, and run both ways, in an ordinary
/// run.
const SHARE: usize = 10;

/// Folders whose programs print the same each time.
const STEADY: &[&str] = &[
    "classes",
    "closures",
    "comprehensions",
    "context_managers",
    "exceptions",
    "functions",
    "generators",
    "iteration",
    "statements",
    "strings",
];

#[test]
fn assembled_programs_print_what_the_scripts_print() {
    let mut paths = Vec::new();
    for folder in STEADY {
        scripts(&Path::new("tests/lang").join(folder), &mut paths);
    }
    paths.sort();
    let share: Vec<PathBuf> = paths
        .into_iter()
        .enumerate()
        .filter(|(at, _)| at % SHARE == 0 || oracle::asked_for_more())
        .map(|(_, path)| path)
        .collect();
    let differences: Vec<String> = in_parallel(&share, |path| difference(path))
        .into_iter()
        .flatten()
        .collect();
    println!("{} programs run both ways", share.len());
    assert!(
        share.len() >= STEADY.len() && differences.is_empty(),
        "{}",
        differences.join("\n\n")
    );
}

/// What differs between a script and its disassembly, assembled: output, traceback and exit code
/// are to be the same.
fn difference(path: &Path) -> Option<String> {
    let mini = |arguments: &[&Path]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mini"));
        finish(command.args(arguments), b"", Duration::from_mins(1))
    };
    let printed = mini(&[Path::new("dis"), path]);
    let name = path.to_string_lossy().replace('/', "_");
    let assembly = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(name)
        .with_extension("masm");
    std::fs::write(&assembly, &printed.stdout)
        .expect("the folder for temporary files can be written");
    let script = mini(&[Path::new("run"), path]);
    let assembled = mini(&[Path::new("run"), &assembly]);
    let shown = |it: &Finished| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        format!("{:?}\n{}{}", it.code, text(&it.stdout), text(&it.stderr))
    };
    let (script, assembled) = (shown(&script), shown(&assembled));
    (script != assembled).then(|| format!("{}\n{script}\nassembled:\n{assembled}", path.display()))
}
