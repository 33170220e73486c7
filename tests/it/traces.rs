//! The files that traces are saved in: what they may take the place of, and what is in them when a
//! run does not come to its end.

use crate::process::finish;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// A folder of its own, empty.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("traces_{name}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("the folder for tests can be written to");
    path
}

fn mini_with(folder: &Path, arguments: &[&str], input: &[u8]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini"));
    command.args(arguments).current_dir(folder);
    let done = finish(&mut command, input, Duration::from_mins(2));
    assert!(!done.timed_out, "{arguments:?}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.code, text(&done.stdout), text(&done.stderr))
}

fn mini(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    mini_with(folder, arguments, b"")
}

const SCRIPT: &str = "print('ran')\n";

#[test]
fn a_trace_takes_the_place_of_a_trace_alone() {
    let folder = folder("place");
    fs::write(folder.join("script.mini"), SCRIPT).unwrap();
    fs::write(folder.join("homework.txt"), "all of it").unwrap();
    fs::write(folder.join("empty"), "").unwrap();
    for engine in ["run", "sim"] {
        let traced = |path: &str| mini(&folder, &[engine, "--trace", path, "script.mini"]);
        for path in ["homework.txt", "empty"] {
            let (code, stdout, stderr) = traced(path);
            assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
            let why = format!("mini: '{path}' is there and is no trace; --force overwrites it\n");
            assert_eq!(stderr, why);
        }
        assert_eq!(fs::read(folder.join("homework.txt")).unwrap(), b"all of it");
        for _ in 0..2 {
            assert_eq!(traced("new"), (Some(0), "ran\n".into(), String::new()));
        }
        let (code, stdout, _) = traced("-");
        assert_eq!((code, &*stdout), (Some(2), ""));
        let (code, stdout, _) = traced(".");
        assert_eq!((code, &*stdout), (Some(2), ""));
        // What was longer leaves nothing behind.
        let longer = [fs::read(folder.join("new")).unwrap(), vec![0; 1000]].concat();
        fs::write(folder.join("new"), longer).unwrap();
        assert_eq!(traced("new").0, Some(0));
        assert_eq!(mini(&folder, &["timeline", "new"]).0, Some(0));
        // A script that is not right has no run, and so no trace.
        fs::write(folder.join("wrong.mini"), "x = (").unwrap();
        let before = fs::read(folder.join("new")).unwrap();
        let wrong = mini(&folder, &[engine, "--trace", "new", "wrong.mini"]);
        assert_eq!(wrong.0, Some(2));
        assert_eq!(fs::read(folder.join("new")).unwrap(), before);
    }
    let forced = ["run", "--force", "--trace", "homework.txt", "script.mini"];
    assert_eq!(
        mini(&folder, &forced),
        (Some(0), "ran\n".into(), String::new())
    );
    assert_eq!(mini(&folder, &["timeline", "homework.txt"]).0, Some(0));
    assert_eq!(mini(&folder, &["run", "--force", "script.mini"]).0, Some(2));
}

#[cfg(unix)]
#[test]
fn err_a_trace_never_takes_the_place_of_the_script() {
    let folder = folder("script");
    let script = folder.join("script.mini");
    fs::write(&script, SCRIPT).unwrap();
    fs::hard_link(&script, folder.join("hard")).unwrap();
    std::os::unix::fs::symlink("script.mini", folder.join("soft")).unwrap();
    std::os::unix::fs::symlink("nothing", folder.join("dangling")).unwrap();
    for engine in ["run", "sim"] {
        for path in ["script.mini", "./script.mini", "hard", "soft"] {
            for script in ["script.mini", "hard", "soft"] {
                let arguments = [engine, "--force", "--trace", path, script];
                let (code, stdout, stderr) = mini(&folder, &arguments);
                assert_eq!((code, &*stdout), (Some(2), ""), "{arguments:?}");
                assert!(stderr.contains("is the script itself"), "{stderr}");
            }
        }
        let arguments = [engine, "--force", "--trace", "dangling", "script.mini"];
        assert_eq!(mini(&folder, &arguments).0, Some(2));
        // As standard input it is the script, too.
        let done = Command::new(env!("CARGO_BIN_EXE_mini"))
            .args([engine, "--force", "--trace", "hard", "-"])
            .current_dir(&folder)
            .stdin(fs::File::open(&script).unwrap())
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(2));
        // Nor of what the run prints.
        let done = Command::new(env!("CARGO_BIN_EXE_mini"))
            .args([engine, "--force", "--trace", "output", "script.mini"])
            .current_dir(&folder)
            .stdout(fs::File::create(folder.join("output")).unwrap())
            .output()
            .unwrap();
        assert_eq!(done.status.code(), Some(2));
    }
    assert_eq!(fs::read_to_string(&script).unwrap(), SCRIPT);
    assert!(!folder.join("nothing").exists());
}

#[cfg(unix)]
#[test]
fn err_devices_and_pipes_are_written_to_by_force_alone() {
    let folder = folder("devices");
    fs::write(folder.join("script.mini"), SCRIPT).unwrap();
    let made = Command::new("mkfifo").arg(folder.join("pipe")).status();
    assert!(made.is_ok_and(|it| it.success()), "mkfifo is in POSIX");
    for path in ["pipe", "/dev/null"] {
        let (code, stdout, stderr) = mini(&folder, &["run", "--trace", path, "script.mini"]);
        assert_eq!((code, &*stdout), (Some(2), ""), "{stderr}");
        assert!(stderr.contains("is no plain file"), "{stderr}");
    }
    let forced = ["run", "--force", "--trace", "/dev/null", "script.mini"];
    assert_eq!(mini(&folder, &forced).0, Some(0));
}

/// Threads that never end, once they have said so.
const ENDLESS: &str = "import threading
def work():
    number = 0
    while True:
        number += 1
for _ in range(2):
    threading.Thread(target=work).start()
print('ready', flush=True)
work()
";

#[cfg(unix)]
#[test]
fn a_run_that_is_told_to_end_finishes_its_trace() {
    let folder = folder("terminated");
    fs::write(folder.join("endless.mini"), ENDLESS).unwrap();
    for engine in ["run", "sim"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mini"))
            .args([engine, "--stats", "--trace", "t", "endless.mini"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.as_mut().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let killed = Command::new("kill")
            .args(["-TERM", &child.id().to_string()])
            .status();
        assert!(killed.is_ok_and(|it| it.success()));
        let done = child.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(128 + 15), "{engine}");
        let stats = String::from_utf8_lossy(&done.stderr);
        assert!(stats.contains("MainProcess"), "{stats}");
        let (code, drawn, warning) = mini(&folder, &["timeline", "t"]);
        assert_eq!((code, &*warning), (Some(0), ""), "{engine}");
        assert!(drawn.contains("Thread-2 (work)"), "{drawn}");
    }
}

#[test]
fn a_trace_that_was_cut_off_is_drawn_as_far_as_it_goes() {
    let folder = folder("cut");
    // Long enough for more than one block.
    let script = "import threading, time
def work():
    for _ in range(4000):
        time.sleep(0.001)
threads = [threading.Thread(target=work) for _ in range(3)]
for t in threads: t.start()
for t in threads: t.join()
";
    fs::write(folder.join("script.mini"), script).unwrap();
    assert_eq!(
        mini(&folder, &["sim", "--trace", "whole", "script.mini"]).0,
        Some(0)
    );
    let whole = fs::read(folder.join("whole")).unwrap();
    assert!(whole.len() > 100_000, "{}", whole.len());
    fs::write(folder.join("cut"), &whole[..whole.len() - 30_000]).unwrap();
    let (code, drawn, warning) = mini(&folder, &["timeline", "cut"]);
    assert_eq!(code, Some(0), "{warning}");
    assert!(drawn.starts_with("script.mini simulated"), "{drawn}");
    assert!(drawn.contains("Thread-3 (work)"), "{drawn}");
    insta::assert_snapshot!(warning, @"mini: warning: 'cut' has no end: the run that wrote it was cut off, or a part of the file is missing; what is there is drawn");
    let (_, piped, _) = mini_with(&folder, &["timeline", "-"], &whole[..whole.len() - 30_000]);
    assert_eq!(piped, drawn);
}

/// What goes on for ever and is no trace is told by its beginning.
#[cfg(unix)]
#[test]
fn err_a_device_is_no_trace() {
    let (code, _, stderr) = mini(&folder("device"), &["timeline", "/dev/zero"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("is no trace of Mini's"), "{stderr}");
}
