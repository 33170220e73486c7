//! Output that cannot be written, on a device that is always full: scripts end as they do in
//! CPython 3.11, with its words and its exit code, and no command of Mini's own ends as if all were
//! well.
#![cfg(target_os = "linux")]

use crate::oracle;
use crate::process::in_parallel;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where to a stream goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum To {
    Test,
    Full,
    /// A descriptor that can only be read.
    Unwritable,
}

impl To {
    fn stdio(self) -> Stdio {
        let opened = match self {
            To::Test => return Stdio::piped(),
            To::Full => File::options().write(true).open("/dev/full"),
            To::Unwritable => File::open("/dev/null"),
        };
        opened.expect("every Linux has it").into()
    }
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, text).expect("the folder for tests can be written to");
    path
}

/// The exit code (none after a signal), and what came out on both streams.
fn run(program: &str, arguments: &[&str], out: To, err: To) -> (Option<i32>, String, String) {
    let done = Command::new(program)
        .args(arguments)
        .current_dir(folder())
        .env_remove("PYTHONUNBUFFERED")
        .stdin(Stdio::null())
        .stdout(out.stdio())
        .stderr(err.stdio())
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (done.status.code(), text(done.stdout), text(done.stderr))
}

/// What is said but for the frames of tracebacks: those of the library are Mini's own.
fn headlines(text: &str) -> String {
    let lines = text.lines().filter(|it| !it.starts_with(' '));
    lines.map(|it| it.to_owned() + "\n").collect()
}

const LOST: &str = "Exception ignored in: <_io.TextIOWrapper name='<stdout>' mode='w' encoding='utf-8'>\nOSError: [Errno 28] No space left on device\n";

/// Scripts, their exit code, and whether the loss is told at the end: all as in CPython. Not here:
/// a text of between one and two of its blocks that is still in the buffer at the end, which
/// CPython loses without a word (`flush_io` in Python/pythonrun.c does not look), and Mini does
/// not.
const SCRIPTS: &[(&str, i32, bool)] = &[
    ("x = 1", 0, false),
    ("print('', end='')", 0, false),
    ("print('kept?')", 120, true),
    ("print('kept?', flush=True)\nprint('after')", 120, true),
    ("import sys\nprint('a')\nsys.stdout.flush()", 120, true),
    (
        "import sys\nfor i in range(3):\n    try:\n        print('kept?', i, flush=True)\n    except OSError as e:\n        print(repr(e), e.errno, file=sys.stderr)",
        120,
        true,
    ),
    // Longer than the buffers: it is lost at once, and that was told.
    ("print('x' * 10000)\nprint('x' * 10000)", 1, false),
    ("print('x' * 5000)\nprint('x' * 5000)", 1, false),
    (
        "import sys\nfor i in range(3):\n    try:\n        print('x' * 10000)\n    except OSError as e:\n        print(i, repr(e), file=sys.stderr)",
        0,
        false,
    ),
    ("print('x' * 5000, flush=True)", 1, false),
    ("for i in range(9000):\n    print(i)", 1, false),
    ("print('a')\nimport sys\nsys.exit(3)", 120, true),
    ("print('a')\nimport sys\nsys.exit('why')", 120, true),
    ("print('a')\nimport sys\nsys.exit(130)", 120, true),
    ("print('a')\n1/0", 120, true),
    ("print('a')\nraise KeyboardInterrupt", 130, true),
    ("print('a')\ninput('? ')", 120, true),
    (
        "import threading\ndef f():\n    print('a', flush=True)\nt = threading.Thread(target=f)\nt.start()\nt.join()",
        120,
        true,
    ),
    // A child's loss shows in its exit code alone.
    (
        "import multiprocessing, sys\ndef f():\n    print('a')\nif __name__ == '__main__':\n    p = multiprocessing.Process(target=f)\n    p.start()\n    p.join()\n    print(p.exitcode, file=sys.stderr)",
        0,
        false,
    ),
    (
        "import multiprocessing, sys\ndef f():\n    print('a', flush=True)\nif __name__ == '__main__':\n    p = multiprocessing.Process(target=f)\n    p.start()\n    p.join()\n    print(p.exitcode, file=sys.stderr)\n    print('b')",
        120,
        true,
    ),
    (
        "import multiprocessing\ndef f():\n    pass\nif __name__ == '__main__':\n    print('before')\n    p = multiprocessing.Process(target=f)\n    p.start()",
        120,
        true,
    ),
];

#[test]
fn scripts_whose_output_is_lost_end_as_in_cpython() {
    let python = oracle::python().ok();
    let cases: Vec<(usize, &(&str, i32, bool))> = SCRIPTS.iter().enumerate().collect();
    in_parallel(&cases, |(at, (script, code, told))| {
        let name = format!("lost_output_{at}.py");
        file(&name, script);
        let mini = env!("CARGO_BIN_EXE_mini");
        let expected = python.map(|python| run(python, &[&name], To::Full, To::Test));
        for engine in ["run", "sim"] {
            let (found, _, stderr) = run(mini, &[engine, &name], To::Full, To::Test);
            let at_end = stderr.ends_with(LOST);
            assert_eq!((found, at_end), (Some(*code), *told), "{script}\n{stderr}");
            if let Some((code, _, expected)) = &expected {
                // CPython ends itself by the signal after Ctrl-C.
                assert_eq!(found, code.or(Some(130)), "{script}\n{stderr}");
                assert_eq!(headlines(&stderr), headlines(expected), "{script}");
            }
        }
    });
}

#[test]
fn what_cpython_loses_without_a_word_is_told() {
    for length in [4096, 5000, 8190] {
        let script = format!("print('x' * {length})");
        file("lost_silently.py", &script);
        for engine in ["run", "sim"] {
            let mini = env!("CARGO_BIN_EXE_mini");
            let found = run(mini, &[engine, "lost_silently.py"], To::Full, To::Test);
            assert_eq!(found, (Some(120), String::new(), LOST.to_owned()));
        }
    }
}

#[test]
fn standard_error_that_is_full_and_output_that_cannot_be_written() {
    let python = oracle::python().ok();
    let cases = [
        ("1/0", To::Test, To::Full, 120),
        (
            "import sys\nprint('x', file=sys.stderr)\nprint('out')",
            To::Test,
            To::Full,
            120,
        ),
        (
            "import sys\ntry:\n    sys.stderr.write('x')\n    print('not yet')\n    sys.stderr.flush()\nexcept OSError as e:\n    print(repr(e))",
            To::Test,
            To::Full,
            120,
        ),
        ("x = (", To::Test, To::Full, 120),
        ("print('a')", To::Full, To::Full, 120),
        ("print('a')", To::Unwritable, To::Test, 120),
        ("print('a')", To::Unwritable, To::Unwritable, 120),
    ];
    for (at, (script, out, err, code)) in cases.into_iter().enumerate() {
        let name = format!("lost_error_{at}.py");
        file(&name, script);
        let mini = env!("CARGO_BIN_EXE_mini");
        for engine in ["run", "sim"] {
            let found = run(mini, &[engine, &name], out, err);
            assert_eq!(found.0, Some(code), "{script}: {}", found.2);
            if let Some(python) = python {
                assert_eq!(found, run(python, &[&name], out, err), "{script}");
            }
        }
    }
}

#[test]
fn err_no_command_that_loses_its_output_ends_well() {
    file("lost_script.mini", "print(1)\n");
    file("lost_wrong.mini", "x = (\n");
    let mini = env!("CARGO_BIN_EXE_mini");
    let trace = folder().join("lost.trace");
    let _ = fs::remove_file(&trace);
    let traced = ["sim", "--trace", "lost.trace", "lost_script.mini"];
    assert_eq!(run(mini, &traced, To::Test, To::Test).0, Some(0));
    for arguments in [
        &["dis", "lost_script.mini"][..],
        &["explain"],
        &["explain", "E0101"],
        &["completions", "bash"],
        &["sweep", "--cores", "1", "lost_script.mini"],
        &["test", "--accept", "lost_script.mini"],
        &["timeline", "lost.trace"],
        &["--help"],
        &["run", "--help"],
        &["--version"],
    ] {
        let (code, _, stderr) = run(mini, arguments, To::Full, To::Test);
        assert_eq!(code, Some(120), "{arguments:?}: {stderr}");
        assert!(
            stderr.contains("can't write to standard output: No space left"),
            "{stderr}"
        );
    }
    for arguments in [
        &["run", "--stats", "lost_script.mini"][..],
        &["run", "--timeline", "lost_script.mini"],
        &["sim", "--stats", "lost_script.mini"],
        &["sim", "--timeline", "lost_script.mini"],
        &["check", "lost_wrong.mini"],
        &["run", "--nonsense"],
    ] {
        let (code, _, _) = run(mini, arguments, To::Test, To::Full);
        assert_eq!(code, Some(120), "{arguments:?}");
    }
}

#[test]
fn a_reader_that_has_gone_away_is_told_of_as_in_cpython() {
    let script = "import time\ntime.sleep(0.2)\nprint('a')\n";
    file("lost_pipe.mini", script);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let done = Command::new(env!("CARGO_BIN_EXE_mini"))
        .args(["run", "lost_pipe.mini"])
        .current_dir(folder())
        .stdout(writer)
        .stderr(Stdio::piped())
        .output()
        .expect("it starts");
    assert_eq!(done.status.code(), Some(120));
    let told = LOST.replace(
        "OSError: [Errno 28] No space left on device",
        "BrokenPipeError: [Errno 32] Broken pipe",
    );
    assert_eq!(String::from_utf8_lossy(&done.stderr), told);
}

/// Whose signal ends a program that does not see to it.
#[test]
fn a_file_that_is_too_large_is_an_error_of_the_write() {
    file("lost_large.mini", "print('a' * 100)\n");
    for command in ["run", "sim", "dis"] {
        let mini = env!("CARGO_BIN_EXE_mini");
        let script =
            format!("ulimit -f 0; exec '{mini}' {command} lost_large.mini > lost_large.out");
        let (code, _, stderr) = run("sh", &["-c", &script], To::Test, To::Test);
        assert_eq!(code, Some(120), "{command}: {stderr}");
        assert!(stderr.contains("File too large"), "{stderr}");
    }
}
