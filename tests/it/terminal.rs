//! What reaches a terminal: no control character of a script, a name, a path or a trace does, by
//! whichever way Mini shows it. What a script prints itself is its own affair, and so are its
//! tracebacks, which are CPython's to the byte; but for the file's name in them.

use crate::process::finish;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Colour, bell, both kinds of line end, the one-byte form of `ESC [`, an order to write from right
/// to left, delete.
const HOSTILE: &str = "\x1b[31m\x1b]0;title\x07\r\n\u{9b}2J\u{202e}\u{7f}";

/// A folder of its own, named as badly as what is in it.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("terminal_{name}{HOSTILE}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("the folder for tests can be written to");
    path
}

/// All that a command says, on both streams.
fn said<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini"));
    command.args(arguments).current_dir(folder);
    let done = finish(&mut command, b"", Duration::from_mins(2));
    assert!(!done.timed_out, "{command:?}");
    let all = [done.stdout, done.stderr].concat();
    String::from_utf8(all).expect("what Mini says is UTF-8")
}

/// The first thing in a text that a terminal would obey, with what stands around it; colours are
/// Mini's own where it was asked for them.
fn harm(text: &str, colors: bool) -> Option<String> {
    let mut rest = text;
    while let Some(at) = rest.find(|it: char| {
        it.is_control() && !matches!(it, '\n' | '\t')
            || matches!(it, '\u{61c}' | '\u{200e}' | '\u{200f}')
            || matches!(it, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    }) {
        let found = &rest[at..];
        let color = found
            .strip_prefix("\x1b[")
            .map(|it| it.trim_start_matches(|it: char| it.is_ascii_digit() || it == ';'))
            .and_then(|it| it.strip_prefix('m'));
        match color {
            Some(after) if colors => rest = after,
            _ => {
                let around: String = found.chars().take(40).collect();
                return Some(around.escape_debug().to_string());
            }
        }
    }
    None
}

/// Runs a command with and without colours; gives what it says without.
fn harmless(folder: &Path, arguments: &[&str]) -> String {
    let painted = said(folder, &[&["--color", "always"], arguments].concat());
    assert_eq!(harm(&painted, true), None, "{arguments:?} in colour");
    let plain = said(folder, &[&["--color", "never"], arguments].concat());
    assert_eq!(harm(&plain, false), None, "{arguments:?}");
    plain
}

/// Threads, processes and things to wait for, under the worst of names.
const NAMES: &str = r#"import multiprocessing, threading
name = "\x1b[31m\x1b]0;title\x07\r\n\x9b2J\u202e\x7f"
process = multiprocessing.Process(target=len, args=((),), name=name)
process.start()
process.join()
lock = threading.Lock()
lock.acquire()
thread = threading.Thread(target=lock.acquire, name=name)
thread.start()
"#;

#[test]
fn names_of_threads_and_processes_do_no_harm() {
    let folder = folder("names");
    let ends = ["lock.release()\n", "thread.join()\n"];
    for end in ends {
        let script = format!("names{HOSTILE}.mini");
        fs::write(folder.join(&script), NAMES.to_owned() + end).unwrap();
        for engine in ["run", "sim"] {
            let text = harmless(
                &folder,
                &[engine, "--stats", "--timeline", "--trace", "t", &script],
            );
            assert!(text.contains(r"\x1b[31m"), "{text}");
            assert_eq!(text.contains("deadlock:"), end == ends[1], "{text}");
            let json = harmless(&folder, &[engine, "--stats", "--format", "json", &script]);
            let json = &json[json.find("{\n").expect("an object")..];
            let stats: serde_json::Value = serde_json::from_str(json).expect("JSON");
            let names: Vec<&str> = stats["threads"]
                .as_array()
                .expect("a list of threads")
                .iter()
                .flat_map(|it| [&it["process_name"], &it["thread_name"]])
                .filter_map(|it| it.as_str())
                .collect();
            assert_eq!(names.iter().filter(|it| **it == HOSTILE).count(), 2);
            let drawn = harmless(&folder, &["timeline", "t"]);
            assert!(drawn.contains(r"\x1b[31m"), "{drawn}");
        }
    }
}

#[test]
fn names_of_files_and_texts_of_scripts_do_no_harm() {
    let folder = folder("files");
    let script = format!("script{HOSTILE}.mini");
    let write = |text: &str| fs::write(folder.join(&script), text).unwrap();
    write("1/0\n");
    for command in ["run", "sim"] {
        let text = harmless(&folder, &[command, &script]);
        assert!(
            text.contains(r"\x1b[31m\x1b]0;title\x07\r\n\x9b2J\u202e\x7f.mini"),
            "{text}"
        );
    }
    harmless(&folder, &["sweep", &script]);
    harmless(&folder, &["test", "."]);
    write(&format!(
        "x = '{}'\nx = $\n",
        HOSTILE.replace(['\r', '\n'], "")
    ));
    for command in ["check", "run", "sim", "sweep", "test", "dis"] {
        let text = harmless(&folder, &[command, &script]);
        assert!(text.contains("E0101"), "{text}");
    }
    write(&format!("x = '{}'\n", HOSTILE.replace(['\r', '\n'], "")));
    let text = harmless(&folder, &["dis", &script]);
    assert!(text.contains(r"\u{1b}[31m"), "{text}");
}

/// Assembly text names its sources itself.
#[test]
fn names_of_sources_in_assembly_text_do_no_harm() {
    let folder = folder("assembly");
    fs::write(folder.join("a.mini"), "def f():\n    1/0\nf()\n").unwrap();
    let text = said(&folder, &["dis", "a.mini"]).replace("a.mini", "\\u{1b}[31m\\u{9b}2J");
    fs::write(folder.join("a.masm"), text).unwrap();
    for command in ["run", "sim", "dis"] {
        harmless(&folder, &[command, "a.masm"]);
    }
    let text = harmless(&folder, &["run", "a.masm"]);
    assert!(
        text.contains(r#"File "\x1b[31m\x9b2J", line 2, in f"#),
        "{text}"
    );
}

#[test]
fn what_is_typed_does_no_harm_in_messages() {
    let folder = folder("typed");
    fs::write(folder.join("right.mini"), "print(1)\n").unwrap();
    let option = format!("--{HOSTILE}");
    let about_options = [
        "gil",
        "costs",
        "schedule",
        "cores",
        "seed",
        "max-time",
        "max-memory",
    ]
    .map(|it| {
        vec![
            "sim".to_owned(),
            format!("--{it}"),
            HOSTILE.to_owned(),
            "right.mini".into(),
        ]
    });
    for words in about_options {
        harmless(
            &folder,
            &words.iter().map(String::as_str).collect::<Vec<&str>>(),
        );
    }
    let text = harmless(&folder, &["run", "--gil", HOSTILE, "right.mini"]);
    assert!(text.contains(r"\x1b[31m"), "{text}");
    for words in [
        &[HOSTILE][..],
        &[&option],
        &["run", &option, "right.mini"],
        &["run", HOSTILE],
        &["check", HOSTILE],
        &["timeline", HOSTILE],
        &["timeline", "right.mini"],
        &["test", HOSTILE],
        &["explain", HOSTILE],
        &["completions", HOSTILE],
        &["sim", "--trace", HOSTILE, "right.mini"],
        &["sim", "--trace", &format!("no/{HOSTILE}"), "right.mini"],
        &["--color", HOSTILE],
    ] {
        harmless(&folder, words);
    }
}

#[test]
fn what_tests_compare_does_no_harm() {
    let folder = folder("compared");
    let print = "print(\"\\x1b[31m\\x07\\x9b2J\\u202e\")\n";
    fs::write(folder.join(format!("a{HOSTILE}.mini")), print).unwrap();
    let text = harmless(&folder, &["test", "--accept", "."]);
    assert!(text.contains("1 of 1"), "{text}");
    let kept = folder.join(format!("a{HOSTILE}.expected"));
    let expected = fs::read_to_string(&kept).unwrap();
    assert!(
        expected.contains("\n\x1b[31m\x07\u{9b}2J\u{202e}\n"),
        "{expected:?}"
    );
    fs::write(&kept, expected + HOSTILE).unwrap();
    let text = harmless(&folder, &["test", "."]);
    assert!(
        text.contains("FAILED") && text.contains(r"-\x1b[31m"),
        "{text}"
    );
    fs::write(
        folder.join("head.mini"),
        format!("# mini sim --gil {HOSTILE}\n"),
    )
    .unwrap();
    harmless(&folder, &["test", "."]);
}
