//! Many cases of one property, the same ones on each machine. `MINI_CASES=200000 cargo test` sets
//! their number; a failing case prints the line that runs it alone, and so does one that goes on
//! for minutes.

use arbtest::arbitrary::{Result, Unstructured};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How long one case may take on the slowest of machines. Beyond that it hangs.
const PATIENCE: Duration = Duration::from_mins(if cfg!(miri) { 600 } else { 5 });

/// Runs a property on `ordinary` cases (or as many as `MINI_CASES` says), each made from `bytes`
/// bytes that depend on its number alone. A case that runs out of bytes is left out.
pub(crate) fn run(
    name: &str,
    ordinary: u64,
    bytes: usize,
    property: impl Fn(&mut Unstructured<'_>) -> Result<()>,
) {
    let number = |variable: &str| {
        std::env::var(variable)
            .ok()
            .map(|text| text.parse().expect("a number"))
    };
    let cases = match number("MINI_CASE") {
        Some(one) => one..one + 1,
        None => 0..number("MINI_CASES").unwrap_or(ordinary),
    };
    let (begins, begun) = channel();
    let watched = name.to_owned();
    std::thread::spawn(move || {
        let mut running = None;
        loop {
            match (begun.recv_timeout(PATIENCE), running) {
                (Ok(case), _) => running = Some(case),
                (Err(RecvTimeoutError::Timeout), Some(case)) => {
                    eprintln!("a hang: MINI_CASE={case} cargo test --test it {watched}");
                    std::process::abort();
                }
                (Err(RecvTimeoutError::Timeout), None) => {}
                (Err(RecvTimeoutError::Disconnected), _) => return,
            }
        }
    });
    let mut slowest = (Duration::ZERO, 0);
    for case in cases {
        begins.send(case).expect("the watch goes on");
        let start = Instant::now();
        let bytes = noise(case, bytes);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            property(&mut Unstructured::new(&bytes))
        }));
        if let Err(panic) = outcome {
            eprintln!("to run this case alone: MINI_CASE={case} cargo test --test it {name}");
            resume_unwind(panic);
        }
        slowest = slowest.max((start.elapsed(), case));
    }
    println!("{name}: case {} took longest, {:?}", slowest.1, slowest.0);
}

/// Bytes that look random: `SplitMix64` (Steele, Lea, Flood 2014) from the case's number.
fn noise(case: u64, bytes: usize) -> Vec<u8> {
    let mut state = case.wrapping_mul(0xA076_1D64_78BD_642F);
    let mut out = Vec::with_capacity(bytes + 8);
    while out.len() < bytes {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = state;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        out.extend_from_slice(&(word ^ (word >> 31)).to_le_bytes());
    }
    out.truncate(bytes);
    out
}
