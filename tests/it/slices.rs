//! Slices of a VM: whatever the budget, exactly so many instructions run, and however a run is cut,
//! it is the same run.

use crate::sim::machine::image;
use mini::vm::slice::{Budget, Stop};
use mini::vm::{Limits, Vm};
use std::sync::atomic::{AtomicBool, Ordering};

/// A VM that is about to run a script.
pub(crate) fn vm(text: &str) -> Vm {
    Vm::new(image(text), Limits::default())
}

/// Arithmetic, calls, loops, containers, generators and exceptions: every kind of thing a slice can
/// end in the middle of.
const MIXTURE: &str = "
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def squares(n):
    for i in range(n):
        yield i * i
class Box:
    def __init__(self, value):
        self.value = value
    def __lt__(self, other):
        return self.value < other.value
total = fib(12) + sum(squares(50))
boxes = sorted(Box(n * 7 % 31) for n in range(31))
for n in range(100):
    try:
        total += boxes[n].value
    except IndexError:
        total -= 1
text = ','.join([str(n) for n in range(200)])
";

#[test]
fn a_slice_that_ends_by_its_budget_ran_exactly_that_many_instructions() {
    let mut totals = Vec::new();
    for budget in [1, 2, 7, 100, 1000, 1 << 20] {
        let mut vm = vm(MIXTURE);
        let main = vm.main;
        let mut total = 0;
        loop {
            let slice = vm.run(main, Budget::Instructions(budget));
            total += slice.ran;
            match slice.stop {
                Stop::Budget => assert_eq!(slice.ran, budget),
                Stop::Finished { report, .. } => {
                    assert_eq!(report, None);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(vm.threads[0].instructions, total);
        totals.push(total);
    }
    // However it is cut, it is the same run.
    assert!(totals.iter().all(|&total| total == totals[0]), "{totals:?}");
    assert!(totals[0] > 5000, "{totals:?}");
}

/// One turn after the other, in one slice as long as nobody minds.
#[test]
fn a_slice_of_turns_ends_with_a_turn() {
    let (calm, wanted) = (AtomicBool::new(false), AtomicBool::new(true));
    let mut totals = Vec::new();
    for (turn, first) in [(1, 1), (7, 3), (100, 100), (1000, 1), (1 << 20, 5)] {
        let mut vm = vm(MIXTURE);
        let main = vm.main;
        let mut total = 0;
        let mut left = first;
        for slices in 0.. {
            // Every other slice ends with its first turn.
            let wanted = if slices % 2 == 0 { &wanted } else { &calm };
            let slice = vm.run(main, Budget::Turns { left, turn, wanted });
            total += slice.ran;
            match slice.stop {
                Stop::Budget => {
                    assert!(slices % 2 == 0);
                    assert_eq!(slice.ran, left);
                    left = turn;
                }
                Stop::Finished { report, .. } => {
                    assert_eq!(report, None);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(vm.threads[0].instructions, total);
        totals.push(total);
    }
    assert!(totals.iter().all(|&total| total == totals[0]), "{totals:?}");
}

/// The flag comes from another thread at any moment.
#[test]
fn turns_that_are_interrupted_from_outside_are_whole() {
    let endless = "n = 0\nwhile True:\n    n += 1\n    if n % 5 == 0: n += 2\n";
    // A straight run that is longer than the turns.
    let long = format!("n = 0\nwhile True:\n    n = n % 5{}\n", " + n".repeat(100));
    for (turn, text) in [
        (1, endless),
        (10, endless),
        (1000, endless),
        (10, &long),
        (37, &long),
    ] {
        let mut vm = vm(text);
        let main = vm.main;
        for _ in 0..20 {
            let wanted = AtomicBool::new(false);
            let slice = std::thread::scope(|scope| {
                scope.spawn(|| wanted.store(true, Ordering::Relaxed));
                let wanted = &wanted;
                vm.run(
                    main,
                    Budget::Turns {
                        left: turn,
                        turn,
                        wanted,
                    },
                )
            });
            assert_eq!((slice.stop, slice.ran % turn), (Stop::Budget, 0));
        }
    }
}
