//! The command line from outside: what is typed, what is printed, and the exit code.

use crate::process::finish;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

fn mini(args: &[&str]) -> (Option<i32>, String, String) {
    mini_with(args, b"")
}

fn mini_with(args: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini"));
    command.args(args).current_dir(folder());
    let done = finish(&mut command, input, Duration::from_mins(2));
    assert!(!done.timed_out, "{args:?}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.code, text(&done.stdout), text(&done.stderr))
}

fn folder() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR"))
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = folder().join(name);
    fs::write(&path, text).expect("the folder for tests can be written to");
    path
}

#[test]
fn a_file_alone_is_run_with_its_arguments() {
    file("cli_args.mini", "import sys\nprint(sys.argv)\n");
    let expected = (
        Some(0),
        "['cli_args.mini', 'a', '--verbose', '-x']\n".to_string(),
        String::new(),
    );
    let given = ["cli_args.mini", "a", "--verbose", "-x"];
    assert_eq!(mini(&given), expected);
    assert_eq!(mini(&[&["run"], &given[..]].concat()), expected);
    assert_eq!(
        mini(&[&["--color", "never"], &given[..]].concat()),
        expected
    );
    assert_eq!(mini(&[&["--gil", "ticks"], &given[..]].concat()), expected);
}

#[test]
fn standard_input_is_a_script_too() {
    let ran = mini_with(&["-"], b"print(6 * 7)\n");
    assert_eq!(ran, (Some(0), "42\n".into(), String::new()));
}

#[test]
fn the_script_reads_standard_input() {
    file("cli_input.mini", "print(input('name? ') + '!')\n");
    let ran = mini_with(&["cli_input.mini"], b"Ann\n");
    assert_eq!(ran, (Some(0), "name? Ann!\n".into(), String::new()));
}

#[test]
fn exit_codes_are_the_scripts() {
    for (text, code) in [
        ("", 0),
        ("raise SystemExit", 0),
        ("raise SystemExit(3)", 3),
        ("raise SystemExit('why')", 1),
        ("1/0", 1),
        ("import os\nos._exit(5)", 5),
        ("import os\nos.kill(os.getpid(), 15)", 143),
        ("import sys\nsys.exit(300)", 44),
        ("import sys\nsys.exit(-1)", 255),
    ] {
        file("cli_exit.mini", text);
        assert_eq!(mini(&["cli_exit.mini"]).0, Some(code), "{text}");
    }
}

#[test]
fn err_a_wrong_text_is_told_and_not_run() {
    file("cli_wrong.mini", "print(1)\nx = (\n");
    for command in ["run", "check", "dis"] {
        let (code, stdout, stderr) = mini(&[command, "cli_wrong.mini"]);
        assert_eq!((code, &*stdout), (Some(2), ""), "{command}");
        assert!(stderr.contains("cli_wrong.mini:2"), "{stderr}");
        assert!(!stderr.contains('\x1b'));
    }
    let (_, _, stderr) = mini(&["--color", "always", "check", "cli_wrong.mini"]);
    assert!(stderr.contains('\x1b'), "{stderr}");
    file("cli_right.mini", "print(1)\n");
    let checked = mini(&["check", "cli_right.mini"]);
    assert_eq!(checked, (Some(0), String::new(), String::new()));
}

#[test]
fn err_files_that_cannot_be_read() {
    let (code, _, stderr) = mini(&["no_such_file.mini"]);
    assert_eq!(code, Some(2));
    insta::assert_snapshot!(stderr, @r"
    mini: can't open file 'no_such_file.mini': No such file or directory (os error 2)
    ");
    fs::write(folder().join("cli_latin.mini"), b"x = 1\nprint('\xe9')\n").unwrap();
    let (code, _, stderr) = mini(&["cli_latin.mini"]);
    assert_eq!(code, Some(2));
    insta::assert_snapshot!(stderr, @r"
    error[E0111]: Non-UTF-8 code starting with '\xe9' on line 2
     --> cli_latin.mini:2:8
      |
    2 | print('�')
      |        ^
      |
      = help: save the file as UTF-8
    ");
}

#[test]
fn err_options_that_mean_nothing() {
    file("cli_right.mini", "print(1)\n");
    for (options, says) in [
        (["--gil", "sometimes"], "there are every=N"),
        (["--gil", "off"], "real threads need the lock"),
        (["--max-memory", "much"], "512M"),
        (["--max-time", "soon"], "5ms"),
    ] {
        let (code, stdout, stderr) = mini(&[&["run"], &options[..], &["cli_right.mini"]].concat());
        assert_eq!((code, &*stdout), (Some(2), ""), "{options:?}");
        assert!(stderr.contains(says), "{stderr}");
    }
}

#[test]
fn what_dis_prints_runs() {
    let script = "
import threading
def f(n):
    print('thread', n)
t = threading.Thread(target=f, args=(1,))
t.start()
t.join()
";
    file("cli_dis.mini", script);
    let (code, text, _) = mini(&["dis", "cli_dis.mini"]);
    assert_eq!(code, Some(0));
    assert!(text.contains("; 4 |     print('thread', n)"), "{text}");
    file("cli_dis.masm", &text);
    let ran = mini(&["run", "cli_dis.masm"]);
    assert_eq!(ran, (Some(0), "thread 1\n".into(), String::new()));
}

#[test]
fn err_assembly_text_that_is_wrong() {
    file(
        "cli_wrong.masm",
        ".module __main__\n.registers 1\n        frobnicate r0\n",
    );
    let (code, stdout, stderr) = mini(&["cli_wrong.masm"]);
    assert_eq!((code, &*stdout), (Some(2), ""));
    assert!(stderr.contains("cli_wrong.masm:3"), "{stderr}");
}

#[test]
fn codes_are_explained() {
    let (code, all, _) = mini(&["explain"]);
    assert_eq!(code, Some(0));
    let first = all.lines().next().expect("there are codes");
    let name = first.split(' ').next().expect("it begins with the code");
    let (code, stdout, _) = mini(&["explain", &name.to_lowercase()]);
    assert_eq!(code, Some(0));
    assert!(
        stdout.starts_with(name) && stdout.lines().count() > 2,
        "{stdout}"
    );
    let (code, _, stderr) = mini(&["explain", "E9999"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("there is no code `E9999`"), "{stderr}");
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, stdout, _) = mini(&["completions", shell]);
        assert_eq!(code, Some(0));
        assert!(stdout.contains("max-instructions"), "{shell}");
    }
}

#[test]
fn help_has_the_exit_codes() {
    let (code, stdout, _) = mini(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(
        stdout.contains("3  deadlock: every thread was blocked for ever"),
        "{stdout}"
    );
    assert_eq!(mini(&[]).0, Some(2));
}

/// As with `python3`: none of it is Mini's, whatever it looks like.
#[test]
fn all_that_follows_the_script_is_its_own() {
    file("cli_after.mini", "import sys\nprint(sys.argv[1:])\n");
    let after = [
        "--seed",
        "7",
        "--gil=off",
        "-h",
        "--help",
        "--",
        "--color",
        "never",
        "x",
    ];
    let expected = format!("{after:?}\n").replace('"', "'");
    for before in [
        &[][..],
        &["run"],
        &["sim"],
        &["sim", "--seed", "3"],
        &["run", "--"],
    ] {
        let (code, stdout, stderr) = mini(&[before, &["cli_after.mini"], &after].concat());
        assert_eq!((code, &stdout), (Some(0), &expected), "{before:?}");
        let noted = stderr.contains("` comes after cli_after.mini");
        assert_eq!(noted, before.last() != Some(&"--"), "{before:?}: {stderr}");
        assert_eq!(stderr.lines().count(), usize::from(noted), "{stderr}");
    }
    let (_, _, stderr) = mini(&["sim", "cli_after.mini", "x", "--gli", "off"]);
    insta::assert_snapshot!(stderr, @"mini: note: `--gli` comes after cli_after.mini, so it is an argument of the script. Mini's own `--gil` goes before cli_after.mini; write `--` before cli_after.mini to be rid of this note");
    let (_, _, stderr) = mini(&["sim", "cli_after.mini", "--verbose", "--file", "-g", "off"]);
    assert_eq!(stderr, "");
}

#[test]
fn err_what_was_misspelt_is_guessed() {
    file("cli_spelt.mini", "print(1)\n");
    for (typed, meant) in [
        (&["rnu", "cli_spelt.mini"][..], "did you mean `mini run`?"),
        (&["swep", "cli_spelt.mini"], "did you mean `mini sweep`?"),
        (
            &["sim", "--gil", "3.12", "cli_spelt.mini"],
            "did you mean `cpython-3.12`?",
        ),
        (
            &["run", "--gil", "cpython3.9", "cli_spelt.mini"],
            "did you mean `cpython-3.9`?",
        ),
        (
            &["sim", "--gil", "evry=10", "cli_spelt.mini"],
            "did you mean `every=10`?",
        ),
        (
            &["sim", "--schedule", "radnom", "cli_spelt.mini"],
            "did you mean `random`?",
        ),
        (
            &["sim", "--costs", "3.13t", "cli_spelt.mini"],
            "did you mean `cpython-3.13t`?",
        ),
        (
            &["sim", "--gli", "off", "cli_spelt.mini"],
            "similar argument exists: '--gil'",
        ),
        (&["run", "cli_spelt"], "did you mean `cli_spelt.mini`?"),
        (&["cli_speld.mini"], "did you mean `cli_spelt.mini`?"),
        (&["./cli_spelt.mnii"], "did you mean `./cli_spelt.mini`?"),
        (
            &["check", "cli_spelt.min"],
            "did you mean `cli_spelt.mini`?",
        ),
    ] {
        let (code, stdout, stderr) = mini(typed);
        assert_eq!((code, &*stdout), (Some(2), ""), "{typed:?}");
        assert!(stderr.contains(meant), "{typed:?}: {stderr}");
        assert_eq!(
            stderr.matches("mean").count(),
            usize::from(meant.contains("mean"))
        );
    }
    // A file may be called as it likes.
    fs::copy(folder().join("cli_spelt.mini"), folder().join("rnu")).unwrap();
    assert_eq!(mini(&["rnu"]), (Some(0), "1\n".into(), String::new()));
    fs::remove_file(folder().join("rnu")).unwrap();
}

/// Help that sends a learner to a command must not send them to one that is not there.
#[test]
fn each_command_that_a_message_or_a_page_names_is_there() {
    let (_, help, _) = mini(&["help"]);
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty())
        .collect();
    assert!(commands.contains(&"run"), "{help}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    let mut folders = vec![root.join("src"), root.join("docs"), root.join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("it is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    let (mut seen, mut wrong) = (0, Vec::new());
    for file in files {
        let text = fs::read_to_string(&file).expect("sources and pages are text");
        for (at, _) in text.match_indices("`mini ") {
            let rest = &text[at + "`mini ".len()..];
            let end = rest.find(|it: char| !it.is_ascii_lowercase());
            let word = &rest[..end.unwrap_or(rest.len())];
            let is_file = rest[word.len()..].starts_with(['.', '/']);
            if word.is_empty() || is_file {
                continue;
            }
            seen += 1;
            if !commands.contains(&word) {
                wrong.push(format!("{}: `mini {word}`", file.display()));
            }
        }
    }
    assert!(seen > 50, "{seen} commands were seen");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
