//! What `every(n)` promises of real threads, counted from what they told of a run: a turn is whole,
//! and the next one is the longest waiter's.

use crate::process::finish;
use mini::event::trace::Trace;
use mini::event::{Event, Release, ThreadId, What};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Threads that compute, and some that come and go meanwhile.
const BUSY: &str = "
import threading, time
together = threading.Barrier(COMPUTING)
def compute():
    together.wait()
    total = 0
    for number in range(TURNS):
        total += number % 7
def come_and_go():
    for _ in range(20):
        time.sleep(0.0005)
threads = [threading.Thread(target=compute) for _ in range(COMPUTING)]
threads += [threading.Thread(target=come_and_go) for _ in range(GUESTS)]
for thread in threads: thread.start()
for thread in threads: thread.join()
";

/// What became of the turns of a run.
#[derive(Debug, Default)]
struct Turns {
    /// That ended by their budget while somebody waited.
    contested: usize,
    /// Of these, how many went to whoever had waited longest.
    fair: usize,
    /// That ended by their budget, and what they ran.
    budgets: Vec<u64>,
}

impl Turns {
    fn of(mut events: Vec<Event>) -> Turns {
        // Stable: a thread's own events are in order already.
        events.sort_by_key(|event| event.at_ns);
        let mut turns = Turns::default();
        let mut waiting: BTreeMap<ThreadId, u64> = BTreeMap::new();
        let mut ran: BTreeMap<ThreadId, u64> = BTreeMap::new();
        let mut longest: Option<ThreadId> = None;
        for Event {
            at_ns,
            thread,
            what,
            ..
        } in events
        {
            match what {
                What::LockRequested => {
                    waiting.insert(thread, at_ns);
                }
                What::LockAcquired { .. } => {
                    waiting.remove(&thread);
                    ran.insert(thread, 0);
                    if let Some(longest) = longest.take() {
                        turns.contested += 1;
                        turns.fair += usize::from(longest == thread);
                    }
                }
                What::Ran { instructions, .. } => *ran.entry(thread).or_default() += instructions,
                What::LockReleased(Release::Budget) => {
                    // One whose place is kept although the operating system has not begun with it
                    // is passed by.
                    longest = waiting
                        .iter()
                        .filter(|(thread, _)| ran.contains_key(thread))
                        .min_by_key(|(_, since)| **since)
                        .map(|(&thread, _)| thread);
                    turns.budgets.push(ran[&thread]);
                }
                _ => {}
            }
        }
        turns
    }
}

fn turns(every: u64, computing: usize, guests: usize) -> Turns {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let name = format!("turns_{every}_{computing}_{guests}");
    let (script, saved) = (
        folder.join(format!("{name}.mini")),
        folder.join(format!("{name}.trace")),
    );
    let text = BUSY
        .replace("COMPUTING", &computing.to_string())
        .replace("GUESTS", &guests.to_string())
        .replace("TURNS", &(every * 100).to_string());
    fs::write(&script, text).expect("the folder for tests can be written to");
    let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
    mini.args(["run", "--gil", &format!("every={every}"), "--trace"])
        .args([&saved, &script]);
    let done = finish(&mut mini, b"", Duration::from_mins(2));
    assert_eq!(done.code, Some(0), "{done:?}");
    let bytes = fs::read(&saved).expect("the trace was written");
    let trace = Trace::read(&bytes).expect("the trace is whole");
    Turns::of(trace.events().map(|it| it.expect("an event")).collect())
}

/// At least 99 in 100; by design all, but for what the clock cannot tell apart.
#[test]
fn turns_that_are_over_go_to_the_longest_waiter() {
    for (every, computing, guests) in [(200, 2, 0), (1000, 3, 0), (1000, 5, 3), (5000, 2, 5)] {
        let turns = turns(every, computing, guests);
        let Turns {
            contested, fair, ..
        } = turns;
        println!("every={every}, {computing} + {guests} threads: {fair} of {contested} turns");
        assert!(contested > 100, "every={every}: {contested} turns");
        assert!(
            fair * 100 >= contested * 99,
            "every={every}, {computing} + {guests} threads: {fair} of {contested} turns"
        );
    }
}

#[test]
fn turns_that_are_over_ran_whole_turns() {
    for (every, computing, guests) in [(1, 2, 0), (37, 3, 2), (1000, 2, 1)] {
        let turns = turns(every, computing, guests);
        assert!(turns.budgets.len() > 20, "{turns:?}");
        for &ran in &turns.budgets {
            assert!(ran > 0 && ran % every == 0, "every={every}: {ran}");
        }
    }
}
