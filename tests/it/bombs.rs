//! Programs that make something grow for as long as they are let (`tests/bombs`): each ends by
//! itself, with a `MemoryError` or without, and never takes more than a fifth over its limit, plus
//! what the program itself needs. A file for each thing that a script can make grow.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::oracle;
use crate::process::in_parallel;

const LIMIT_MIB: usize = 16;
/// Most of the memory that may be resident at once.
const MAX_KIB: usize = LIMIT_MIB * 1024 * 6 / 5 + (16 << 10);

const PATIENCE: Duration = Duration::from_mins(5);

const ENGINES: [&str; 2] = ["run", "sim"];

#[test]
fn nothing_grows_beyond_the_limit() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bombs");
    let mut bombs: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be read").path())
        .collect();
    bombs.sort();
    // By turns on either engine, or on both where more is asked for.
    let cases: Vec<(&PathBuf, &str)> = (0..)
        .zip(&bombs)
        .flat_map(|(at, bomb)| ENGINES.map(|engine| (at, bomb, engine)))
        .filter(|&(at, _, engine)| oracle::asked_for_more() || ENGINES[at % 2] == engine)
        .map(|(_, bomb, engine)| (bomb, engine))
        .collect();
    assert!(cases.len() >= 20);
    let faults: Vec<String> = in_parallel(&cases, |&(bomb, engine)| {
        fault(bomb, engine).map(|it| format!("{engine} {}: {it}", bomb.display()))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What is wrong with a run.
fn fault(bomb: &Path, engine: &str) -> Option<String> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_mini"))
        .args([engine, "--max-memory", &format!("{LIMIT_MIB}M")])
        .arg(bomb)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("Mini runs");
    let begun = Instant::now();
    let mut peak_kib = 0;
    let status = loop {
        // It only rises, so that looking now and then is enough; where the system does not tell it,
        // nothing is measured.
        peak_kib = peak_kib.max(peak_of(child.id()).unwrap_or(0));
        if let Some(status) = child.try_wait().expect("it can be waited for") {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().expect("it runs");
            child.wait().expect("it ends");
            return Some("does not end".into());
        }
        sleep(Duration::from_millis(2));
    };
    // A script that catches its `MemoryError` may come to the next one at once.
    if !matches!(status.code(), Some(0 | 1)) {
        return Some(format!("{status}"));
    }
    (peak_kib > MAX_KIB).then(|| format!("{peak_kib} KiB were resident, of {MAX_KIB}"))
}

/// The most memory that a process has had so far, in KiB.
fn peak_of(process: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|it| it.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
