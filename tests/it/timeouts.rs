//! A wait with a timeout that nobody ends takes as long as it says: in virtual time to the
//! nanosecond (and what the instructions around it cost), in real time never less. How much more is
//! the machine's affair.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process::finish;

const PATIENCE: Duration = Duration::from_mins(2);

/// In the `unit` model an instruction takes a nanosecond; what stands around a wait in the library
/// is less than this.
const AROUND_NS: u64 = 1000;

fn waits(engine: &[&str], seconds: &str) -> Vec<(String, u64)> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/timeouts.mini");
    let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
    mini.args(engine).arg(program).arg(seconds);
    let ran = finish(&mut mini, b"", PATIENCE);
    assert_eq!(
        ran.code,
        Some(0),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let waits: Vec<(String, u64)> = text
        .lines()
        .map(|line| {
            let (name, took) = line.rsplit_once(' ').expect("name and nanoseconds");
            (name.to_owned(), took.parse().expect("nanoseconds"))
        })
        .collect();
    assert_eq!(waits.len(), 17, "{text}");
    waits
}

#[test]
fn timeouts_are_exact_in_virtual_time() {
    for lock in ["every=1", "interval=5ms", "off"] {
        let engine = ["sim", "--costs", "unit", "--gil", lock];
        for (name, took) in waits(&engine, "0.5") {
            let exact = 500_000_000..500_000_000 + AROUND_NS;
            assert!(exact.contains(&took), "{name} under {lock}: {took} ns");
        }
    }
}

#[test]
fn timeouts_are_never_short_in_real_time() {
    for (name, took) in waits(&["run"], "0.01") {
        assert!(took >= 10_000_000, "{name}: {took} ns");
    }
}
