//! The known stories about interpreter locks come out in the simulation as they are told, each in a
//! script with what it prints beside it.

use crate::process::{Finished, finish};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn mini_test(options: &[&str], folder: &Path) -> Finished {
    let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
    mini.args(["test", "--color", "never"])
        .args(options)
        .arg(folder);
    finish(&mut mini, b"", Duration::from_mins(3))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_stories_are_as_they_are_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/stories");
    let told = mini_test(&[], &folder);
    assert_eq!(
        told.code,
        Some(0),
        "{}{}",
        text(&told.stdout),
        text(&told.stderr)
    );
}

#[test]
fn mini_test_keeps_compares_and_tells() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mini_test");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("deeper")).expect("the folder for tests can be written to");
    let none = mini_test(&[], &folder);
    assert_eq!(none.code, Some(2), "{}", text(&none.stdout));
    assert!(
        text(&none.stderr).contains("no script"),
        "{}",
        text(&none.stderr)
    );
    let script = folder.join("deeper/one.mini");
    let source =
        "# mini sim --cores 1\n# mini sim --gil off\nprint('hello')\nimport sys\nsys.exit(3)\n";
    fs::write(&script, source).expect("it can be written");
    let new = mini_test(&[], &folder);
    assert_eq!(new.code, Some(1));
    assert!(
        text(&new.stdout).contains("--accept"),
        "{}",
        text(&new.stdout)
    );
    assert_eq!(mini_test(&["--accept"], &folder).code, Some(0));
    let kept = fs::read_to_string(script.with_extension("expected")).expect("it was kept");
    assert_eq!(
        kept,
        "$ mini sim --cores 1 one.mini\nhello\n[exit code 3]\n$ mini sim --gil off one.mini\nhello\n[exit code 3]\n"
    );
    assert_eq!(mini_test(&[], &folder).code, Some(0));
    fs::write(&script, source.replace("hello", "goodbye")).expect("it can be written");
    let different = mini_test(&[], &folder);
    assert_eq!(different.code, Some(1));
    let told = text(&different.stdout);
    assert!(told.contains("-hello\n+goodbye\n"), "{told}");
    fs::write(&script, "# mini sim --cores none\n").expect("it can be written");
    let wrong = mini_test(&[], &folder);
    assert_eq!(wrong.code, Some(1));
    let told = text(&wrong.stdout);
    assert!(
        told.contains("line 1: ") && told.contains("--cores"),
        "{told}"
    );
}

#[test]
fn a_sweep_compares_locks_and_cores() {
    let script = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sweep.mini");
    let source = "import threading\ndef count(n):\n    while n > 0:\n        n -= 1\nts = [threading.Thread(target=count, args=(200000,)) for _ in range(2)]\n\
        for t in ts: t.start()\nfor t in ts: t.join()\n";
    fs::write(&script, source).expect("the folder for tests can be written to");
    let sweep = |format| {
        let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
        mini.args([
            "sweep",
            "--gil",
            "cpython-3.12,cpython-3.13t",
            "--cores",
            "1,2",
        ])
        .args(["--format", format])
        .arg(&script);
        let done = finish(&mut mini, b"", Duration::from_mins(1));
        assert_eq!(done.code, Some(0), "{}", text(&done.stderr));
        text(&done.stdout)
    };
    assert_eq!(sweep("text"), sweep("text"));
    let rows: serde_json::Value = serde_json::from_str(&sweep("json")).expect("it is JSON");
    let speedup = |row: usize| rows[row]["speedup"].as_f64().expect("a number");
    assert!((0.9..1.1).contains(&speedup(1)), "{rows}");
    assert!((1.7..2.1).contains(&speedup(3)), "{rows}");
    assert_eq!(sweep("csv").lines().count(), 5);
}
