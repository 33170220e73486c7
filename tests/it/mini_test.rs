//! `mini test` on scripts of anybody's: what their heads may ask for, what is no script, and that
//! one bad one does not end the others. And `mini sweep`, where runs go wrong.

use crate::process::finish;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A folder of its own, empty, with a folder `tests` in it.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mini_test_{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(path.join("tests")).expect("the folder for tests can be written to");
    path
}

fn mini(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini"));
    command.args(arguments).current_dir(folder);
    let done = finish(&mut command, b"", Duration::from_mins(4));
    assert!(!done.timed_out, "{arguments:?}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.code, text(&done.stdout), text(&done.stderr))
}

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        fs::write(folder.join("tests").join(name), text).unwrap();
    }
}

fn read(folder: &Path, name: &str) -> String {
    fs::read_to_string(folder.join("tests").join(name)).unwrap()
}

#[test]
fn err_a_head_writes_no_file() {
    let folder = folder("trace");
    let homework = folder.join("homework");
    fs::write(&homework, "all of it").unwrap();
    let path = homework.to_str().unwrap();
    for options in [
        format!("--trace {path}"),
        format!("--trace={path} --force"),
        format!("--force --trace {path}"),
        format!("--trace {path} --timeline"),
    ] {
        write(
            &folder,
            &[(
                "a.mini",
                &format!("# A story.\n# mini sim {options}\nprint(1)\n"),
            )],
        );
        for accept in [&[][..], &["--accept"]] {
            let (code, stdout, stderr) = mini(&folder, &[&["test"], accept, &["tests"]].concat());
            assert_eq!((code, &*stderr), (Some(1), ""), "{options}: {stdout}");
            assert!(stdout.contains("line 2: --trace writes a file"), "{stdout}");
        }
        assert_eq!(fs::read(&homework).unwrap(), b"all of it");
    }
    assert_eq!(fs::read_dir(folder.join("tests")).unwrap().count(), 1);
}

#[test]
fn err_a_head_asks_for_no_more_than_is_allowed() {
    let folder = folder("limits");
    for (asked, allowed) in [
        ("--max-memory 8G", &["--max-memory", "8G"]),
        ("--max-threads 30000", &["--max-threads", "30_000"]),
        ("--max-processes 501", &["--max-processes", "501"]),
        ("--max-output 2M", &["--max-output", "2M"]),
        (
            "--max-instructions 1000000001",
            &["--max-instructions", "2000000000"],
        ),
    ] {
        write(&folder, &[("a.mini", &format!("# mini sim {asked}\n"))]);
        let (code, stdout, _) = mini(&folder, &["test", "tests"]);
        assert_eq!(code, Some(1), "{asked}: {stdout}");
        assert!(
            stdout.contains("line 1: it asks for more than is allowed"),
            "{stdout}"
        );
        let allowed: Vec<String> = allowed.iter().map(|it| it.replace('_', "")).collect();
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        let words = [&["test", "--accept"], &allowed[..], &["tests"]].concat();
        assert_eq!(mini(&folder, &words).0, Some(0), "{words:?}");
        fs::remove_file(folder.join("tests/a.expected")).unwrap();
    }
    // What is allowed holds where a head says nothing, too; and less may be asked for.
    let script = "# mini sim --max-memory 64M --max-output 10\n# mini sim\nprint('x' * 100)\n";
    write(&folder, &[("a.mini", script)]);
    let words = ["test", "--accept", "--max-output", "50", "tests"];
    assert_eq!(mini(&folder, &words).0, Some(0));
    let kept = read(&folder, "a.expected");
    let lines: Vec<usize> = kept.lines().map(|it| it.matches('x').count()).collect();
    assert!(lines.contains(&10) && lines.contains(&50), "{kept}");
}

#[test]
fn a_head_sets_what_a_lesson_needs() {
    let folder = folder("lesson");
    let script = "# mini sim --gil cpython-3.12 --cores 2 --costs unit --schedule random --seed 3 --recursion 5000
# mini sim lesson.mini one --two 3 < names.txt
# mini sim < names.txt
import os, sys
print(sys.argv, os.cpu_count())
for line in sys.stdin:
    print('hello', line.strip())
";
    write(
        &folder,
        &[("lesson.mini", script), ("names.txt", "Ada\nAlan\n")],
    );
    assert_eq!(mini(&folder, &["test", "--accept", "tests"]).0, Some(0));
    insta::assert_snapshot!(read(&folder, "lesson.expected"), @r"
    $ mini sim --gil cpython-3.12 --cores 2 --costs unit --schedule random --seed 3 --recursion 5000 lesson.mini
    ['lesson.mini'] 2
    $ mini sim lesson.mini one --two 3 < names.txt
    ['lesson.mini', 'one', '--two', '3'] 4
    hello Ada
    hello Alan
    $ mini sim lesson.mini < names.txt
    ['lesson.mini'] 4
    hello Ada
    hello Alan
    ");
    assert_eq!(mini(&folder, &["test", "tests"]).0, Some(0));
}

/// Each with its line, once; and the others are tested all the same.
#[test]
fn err_one_bad_head_does_not_end_the_others() {
    let folder = folder("heads");
    write(
        &folder,
        &[
            ("a.mini", "# mini sim --gli off\n"),
            ("b.mini", "# One.\n\n# mini run --stats\n"),
            ("c.mini", "# mini sim --cores 0\n"),
            ("d.mini", "# mini sim other.mini\n"),
            ("e.mini", "# mini sim --help\n"),
            ("f.mini", "# mini sweep\n"),
            ("g.mini", "# mini sim < ../secret\n"),
            ("h.mini", "# mini sim < nowhere\n"),
            ("i.mini", "# mini sim --format json\n"),
            ("j.mini", "# mini sim --gil 3.12\n"),
            ("k.mini", &"# mini sim\n".repeat(101)),
            ("l.mini", "x = (\n"),
            ("z.mini", "print('fine')\n"),
            ("z.expected", "$ mini sim z.mini\nfine\n"),
        ],
    );
    let (code, stdout, stderr) = mini(&folder, &["test", "tests"]);
    assert_eq!(code, Some(1));
    assert!(
        stderr.contains("l.mini:1") && stderr.matches("error").count() == 1,
        "{stderr}"
    );
    insta::assert_snapshot!(stdout, @r"
    tests/a.mini ... FAILED
      line 1: unexpected argument '--gli' found; did you mean `--gil`?
    tests/b.mini ... FAILED
      line 3: `mini test` simulates, and what `mini run` prints may not be the same twice; write `# mini sim`
    tests/c.mini ... FAILED
      line 1: invalid value '0' for '--cores <N>': 0 is not in 1..=10000
    tests/d.mini ... FAILED
      line 1: it runs 'other.mini', and a script says only how it is run itself
    tests/e.mini ... FAILED
      line 1: it asks for help, not for a run
    tests/f.mini ... FAILED
      line 1: `mini test` simulates, and what `mini sweep` prints may not be the same twice; write `# mini sim`
    tests/g.mini ... FAILED
      line 1: input comes from a file beside the script, as in `< names.txt`
    tests/h.mini ... FAILED
      line 1: can't read 'nowhere': No such file or directory (os error 2)
    tests/i.mini ... FAILED
      line 1: the following required arguments were not provided: --stats
    tests/j.mini ... FAILED
      line 1: invalid value '3.12' for '--gil <RULES>': `3.12` names no rules; there are every=N, ticks=N, interval=TIME (as in 5ms), off, and presets such as cpython-3.12; did you mean `cpython-3.12`?
    tests/k.mini ... FAILED
      line 101: it asks for more than 100 runs
    tests/l.mini ... FAILED
      it may not run, for the reason above
    tests/z.mini ... ok
    1 of 13 scripts as expected
    ");
}

#[cfg(unix)]
#[test]
fn err_what_is_no_script_is_told_and_left_alone() {
    use std::os::unix::fs::symlink;
    let folder = folder("links");
    let tests = folder.join("tests");
    fs::write(folder.join("secret"), "precious").unwrap();
    write(
        &folder,
        &[
            ("a.mini", "print('a')\n"),
            ("b.mini", "print('b')\n"),
            ("c.mini", "print('c')\n"),
        ],
    );
    symlink("..", tests.join("up")).unwrap();
    symlink(".", tests.join("self")).unwrap();
    symlink("/dev/zero", tests.join("device.mini")).unwrap();
    symlink("nothing", tests.join("dangling.mini")).unwrap();
    symlink("../secret", tests.join("a.expected")).unwrap();
    fs::hard_link(folder.join("secret"), tests.join("b.expected")).unwrap();
    symlink("../new", tests.join("c.expected")).unwrap();
    let made = Command::new("mkfifo")
        .args([tests.join("pipe.mini"), tests.join("d.expected")])
        .status();
    assert!(made.is_ok_and(|it| it.success()), "mkfifo is in POSIX");
    write(&folder, &[("d.mini", "print('d')\n")]);
    let (code, stdout, stderr) = mini(&folder, &["test", "--accept", "tests"]);
    assert_eq!((code, &*stderr), (Some(1), ""));
    insta::assert_snapshot!(stdout, @r"
    tests/a.mini ... FAILED
      'tests/a.expected' is a link, and --accept writes through none; put a file in its place
    tests/b.mini ... accepted
    tests/c.mini ... FAILED
      'tests/c.expected' is a link, and --accept writes through none; put a file in its place
    tests/d.mini ... FAILED
      'tests/d.expected' is no plain file
    tests/dangling.mini ... FAILED
      it cannot be opened: No such file or directory (os error 2)
    tests/device.mini ... FAILED
      it is no plain file
    tests/pipe.mini ... FAILED
      it is no plain file
    tests/self ... skipped
      it is a link to a folder
    tests/up ... skipped
      it is a link to a folder
    1 of 7 scripts as expected
    ");
    assert_eq!(fs::read(folder.join("secret")).unwrap(), b"precious");
    assert!(!folder.join("new").exists());
    assert_eq!(read(&folder, "b.expected"), "$ mini sim b.mini\nb\n");
    let left: Vec<_> = fs::read_dir(&tests)
        .unwrap()
        .map(|it| it.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 13, "{left:?}");
    for path in ["tests/pipe.mini", "tests/device.mini", "/dev/zero"] {
        let (code, stdout, _) = mini(&folder, &["test", path]);
        assert_eq!(code, Some(1));
        assert!(stdout.contains("it is no plain file"), "{stdout}");
    }
    let (code, _, stderr) = mini(&folder, &["test", "nowhere"]);
    assert_eq!(code, Some(2), "{stderr}");
}

#[test]
fn err_what_never_ends_ends() {
    let folder = folder("endless");
    write(
        &folder,
        &[
            ("output.mini", "while True:\n    print('x' * 100)\n"),
            ("output.expected", "$ mini sim output.mini\n"),
            ("time.mini", "while True:\n    pass\n"),
            (
                "wait.mini",
                "import time\nwhile True:\n    time.sleep(10)\n",
            ),
        ],
    );
    let (code, stdout, _) = mini(&folder, &["test", "--max-instructions", "100000", "tests"]);
    assert_eq!(code, Some(1));
    assert_eq!(
        stdout
            .matches("it came to its limit, --max-instructions")
            .count(),
        2,
        "{stdout}"
    );
    assert_eq!(
        stdout.matches("it came to its limit, --max-output").count(),
        1,
        "{stdout}"
    );
    // The difference is a megabyte long.
    assert!(
        stdout.len() < 50_000 && stdout.contains("more lines"),
        "{}",
        stdout.len()
    );
    let (code, stdout, _) = mini(
        &folder,
        &[
            "test",
            "--max-instructions",
            "100000000000",
            "--timeout",
            "1ms",
            "tests/time.mini",
        ],
    );
    assert_eq!(code, Some(1));
    assert!(
        stdout.contains("it took more than 1ms of this machine's time"),
        "{stdout}"
    );
    assert!(!folder.join("tests/time.expected").exists());
}

#[test]
fn err_a_sweep_of_runs_that_crash_says_so() {
    let folder = folder("sweep");
    write(
        &folder,
        &[
            ("crash.mini", "1/0\n"),
            (
                "some.mini",
                "import os\nassert os.cpu_count() < 4, '\"few\", please'\n",
            ),
            (
                "stuck.mini",
                "import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()\n",
            ),
            ("exit.mini", "import sys\nsys.exit(7)\n"),
            ("endless.mini", "while True:\n    pass\n"),
            ("fine.mini", "print(1)\n"),
        ],
    );
    let sweep = |name: &str, form: &str| {
        let path = format!("tests/{name}.mini");
        let options = [
            "--gil",
            "off,cpython-3.12",
            "--cores",
            "1,4",
            "--max-instructions",
            "1000",
        ];
        mini(
            &folder,
            &[&["sweep", "--format", form], &options[..], &[&path]].concat(),
        )
    };
    for (name, code, reason) in [
        (
            "crash",
            1,
            "mini: off on 1 core and 3 more: exit code 1: ZeroDivisionError: division by zero\n",
        ),
        (
            "some",
            1,
            "mini: off on 4 cores and 1 more: exit code 1: AssertionError: \"few\", please\n",
        ),
        (
            "stuck",
            3,
            "mini: off on 1 core and 3 more: deadlock: every thread is blocked for ever\n",
        ),
        ("exit", 7, "mini: off on 1 core and 3 more: exit code 7\n"),
        (
            "endless",
            4,
            "mini: off on 1 core and 3 more: the run came to its limit, --max-instructions\n",
        ),
        ("fine", 0, ""),
    ] {
        for form in ["text", "json", "csv"] {
            let (found, _, stderr) = sweep(name, form);
            assert_eq!((found, &*stderr), (Some(code), reason), "{name} as {form}");
        }
    }
    let (_, table, _) = sweep("some", "text");
    assert_eq!(table.matches("1.00").count(), 2, "{table}");
    assert_eq!(table.matches(" - | ").count(), 2, "{table}");
    assert_eq!(table.matches("exit code 1").count(), 2, "{table}");
    let (_, json, _) = sweep("some", "json");
    let rows: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(rows[0]["speedup"], 1.0);
    assert_eq!(rows[0]["reason"], serde_json::Value::Null);
    assert_eq!(rows[1]["speedup"], serde_json::Value::Null);
    assert_eq!(
        rows[1]["reason"],
        "exit code 1: AssertionError: \"few\", please"
    );
    let (_, csv, _) = sweep("some", "csv");
    let last = csv.lines().last().expect("a row for each run");
    assert!(
        last.ends_with(",1,\"exit code 1: AssertionError: \"\"few\"\", please\""),
        "{last}"
    );
    assert!(last.contains(",,"), "{last}");
}

#[test]
fn err_options_without_the_one_that_they_go_with() {
    let folder = folder("options");
    write(&folder, &[("a.mini", "print(1)\n")]);
    for (options, missing) in [
        (&["--format", "json"][..], "--stats"),
        (&["--width", "50"], "--timeline"),
        (&["--lanes", "5"], "--timeline"),
        (&["--force"], "--trace"),
    ] {
        for engine in ["run", "sim"] {
            let words = [&[engine], options, &["tests/a.mini"]].concat();
            let (code, stdout, stderr) = mini(&folder, &words);
            assert_eq!((code, &*stdout), (Some(2), ""), "{words:?}");
            assert!(stderr.contains(missing), "{stderr}");
        }
    }
}
