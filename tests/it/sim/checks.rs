//! What was measured on real interpreters, and the simulation of each: how long slices are, what a sleeper waits beside busy threads, how much work is done, who
//! gets how much. Each check says what the real figure is and how near to it the simulation must come.

use crate::sim::machine::{Machine, Run, image};
use mini::event::{Release, What};
use std::fmt::Write as _;

const MS: f64 = 1e6;

/// A program of busy threads, and what else it does.
fn program(busy: usize, turns: u64, rest: &str) -> String {
    let mut text = String::from("import threading, time, sys\n");
    let _ = write!(
        text,
        "def work(n):\n    while n > 0:\n        n -= 1\n{rest}\n\
        threads = [threading.Thread(target=work, args=({turns},)) for _ in range({busy})]\n\
        for t in threads: t.start()\nfor t in threads: t.join()\n"
    );
    text
}

/// How long the lock was held each time until another asked for it, in order of time.
fn slices_ns(run: &Run) -> Vec<f64> {
    let mut since = std::collections::BTreeMap::new();
    let mut slices = Vec::new();
    for event in &run.events {
        match event.what {
            What::LockAcquired { .. } => {
                since.insert(event.thread, event.at_ns);
            }
            What::LockReleased(why) => {
                if let Some(since) = since.remove(&event.thread)
                    && why == Release::Asked
                {
                    slices.push((event.at_ns - since) as f64);
                }
            }
            _ => {}
        }
    }
    slices
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

fn median(values: &[f64]) -> f64 {
    quantile(values, 0.5)
}

#[track_caller]
fn assert_near(what: &str, found: f64, real: f64, tolerance: f64) {
    let ratio = found / real;
    println!("{what}: {found:.3}, really {real:.3}, ratio {ratio:.3}");
    assert!(
        (ratio - 1.0).abs() <= tolerance,
        "{what}: {found:.4}, but really {real:.4}"
    );
}

fn numbers(run: &Run) -> Vec<f64> {
    assert_eq!(run.err, "");
    let lines = run.out.lines();
    lines
        .map(|line| line.parse().expect("a number in each line"))
        .collect()
}

fn interval(ms: f64) -> String {
    format!("sys.setswitchinterval({ms} / 1000)")
}

#[test]
fn a_slice_is_the_interval_and_a_wake_up() {
    // (interval, median of the slices, switches a second), CPython 3.11 on a quiet machine.
    for (ms, real_ms, real_switches) in
        [(1.0, 1.11, 871.0), (5.0, 5.13, 192.0), (50.0, 50.15, 20.0)]
    {
        let turns = ((if ms > 10.0 { 8.0 } else { 30.0 }) * ms * MS / 17.0) as u64;
        let run = Machine::under("cpython-3.11")
            .recorded()
            .run(&image(&program(2, turns, &interval(ms))));
        let slices = slices_ns(&run);
        assert_near("slice in ms", median(&slices) / MS, real_ms, 0.05);
        let switches = slices.len() as f64 / (run.outcome.elapsed.0 as f64 / 1e9);
        assert_near("switches a second", switches, real_switches, 0.15);
    }
}

#[test]
fn four_busy_threads_have_slices_of_one_interval_and_some_of_two() {
    let turns = (80.0 * MS / 17.0) as u64;
    let run = Machine::under("cpython-3.11")
        .random(1)
        .recorded()
        .run(&image(&program(4, turns, &interval(1.0))));
    let slices = slices_ns(&run);
    assert_near("median slice in ms", median(&slices) / MS, 1.10, 0.1);
    let run_ms = run.outcome.elapsed.0 as f64 / MS;
    println!(
        "{} switches in {run_ms:.0} ms; 95 %: {:.2} ms",
        slices.len(),
        quantile(&slices, 0.95) / MS
    );
}

#[test]
fn cruby_gives_a_tenth_of_a_second() {
    for gil in ["cruby-3.2", "cruby-3.3"] {
        let run = Machine::under(gil)
            .recorded()
            .run(&image(&program(2, 9_000_000, "")));
        let slices = slices_ns(&run);
        assert_near(gil, median(&slices) / MS, 100.0, 0.02);
    }
}

/// Some sleeps of a millisecond beside busy threads: by how much each was too long, in milliseconds.
fn overshoots(machine: &Machine, busy: usize, interval_ms: f64) -> Vec<f64> {
    let naps = if interval_ms > 10.0 { 3.0 } else { 21.0 };
    let turns = (naps * (interval_ms * 3.0 + 2.0) * MS / 17.0) as u64;
    let sleeper = format!(
        "{}\ndef nap():\n    for _ in range({naps}):\n        t = time.perf_counter()\n        time.sleep(0.001)\n        \
        print((time.perf_counter() - t - 0.001) * 1000)\nsleeper = threading.Thread(target=nap)",
        interval(interval_ms)
    );
    let text = program(busy, turns, &sleeper).replace(
        "for t in threads: t.start()",
        "for t in threads: t.start()\nsleeper.start()\nsleeper.join()",
    );
    numbers(&machine.run(&image(&text)))
}

#[test]
fn a_sleeper_beside_busy_threads_waits_an_interval() {
    let machine = Machine::under("cpython-3.11");
    let alone = overshoots(&machine, 0, 5.0);
    assert_near("alone, ms", median(&alone), 0.11, 0.15);
    for (ms, real) in [(0.5, 0.72), (5.0, 5.24), (50.0, 50.29)] {
        let beside = overshoots(&machine, 1, ms);
        assert_near("beside one, ms", median(&beside), real, 0.1);
    }
}

#[test]
fn a_sleeper_beside_two_busy_threads_waits_for_whoever_the_system_picks() {
    // Really p50 1.9, 14.5, 100.4 ms, widely spread: who of the waiters gets it is the system's choice, which favours the busy ones more than ours does.
    for ms in [0.5, 5.0] {
        let mut all = Vec::new();
        for seed in 1..=3 {
            all.extend(overshoots(
                &Machine::under("cpython-3.11").random(seed),
                2,
                ms,
            ));
        }
        let middle = median(&all);
        println!("{ms}: p50 {middle:.2}, p99 {:.2}", quantile(&all, 0.99));
        assert!((ms * 0.6..4.0 * ms).contains(&middle), "{ms}: {middle}");
        assert!(quantile(&all, 0.99) > 2.0 * ms);
    }
}

#[test]
fn a_sleeper_hardly_waits_under_2_7_and_not_at_all_without_a_lock() {
    let beside = overshoots(&Machine::under("cpython-2.7"), 1, 5.0);
    assert!(median(&beside) < 0.5, "{}", median(&beside));
    let free = overshoots(&Machine::under("cpython-3.13t"), 1, 5.0);
    assert_near("3.13t, ms", median(&free), 0.11, 0.15);
    let ruby = overshoots(&Machine::under("cruby-3.2"), 1, 100.0);
    assert_near("cruby-3.2, ms", median(&ruby), 101.7, 0.02);
}

/// How often a second a thread gets to call `sleep(0)`.
fn zero_sleeps(gil: &str, busy: usize) -> f64 {
    let rest = "def nap():\n    t = time.perf_counter()\n    n = 0\n    while n < 3 or time.perf_counter() - t < 0.02:\n        time.sleep(0)\n        n += 1\n    \
        print(n / (time.perf_counter() - t))\nsleeper = threading.Thread(target=nap)";
    let text = program(busy, 22_000_000 * u64::from(gil.starts_with("cruby")) + 6_000_000, rest).replace(
        "for t in threads: t.start()",
        "for t in threads: t.start()\nsleeper.start()\nsleeper.join()\nimport os\nsys.stdout.flush()\nos._exit(0)",
    );
    numbers(&Machine::under(gil).run(&image(&text)))[0]
}

#[test]
fn sleeping_for_nothing_costs_an_interval_beside_a_busy_thread() {
    assert_near(
        "3.11, a second",
        zero_sleeps("cpython-3.11", 1),
        201.0,
        0.05,
    );
    assert_near(
        "alone, a second",
        zero_sleeps("cpython-3.11", 0),
        1e6 / 70.0,
        0.1,
    );
    assert_near(
        "3.13t, a second",
        zero_sleeps("cpython-3.13t", 1),
        1e6 / 70.0,
        0.1,
    );
    assert_near("cruby, a second", zero_sleeps("cruby-3.2", 1), 10.0, 0.05);
}

/// What busy threads take together, against one after the other.
fn against_sequential(machine: &Machine, busy: usize) -> f64 {
    let turns = 350_000;
    let text = |rest: &str, busy| {
        let whole = format!("t0 = time.perf_counter()\n{rest}");
        program(busy, turns, &whole) + "print(time.perf_counter() - t0)\n"
    };
    let one_by_one = format!("for _ in range({busy}): work({turns})");
    let sequential = numbers(&machine.run(&image(&text(&one_by_one, 0))))[0];
    numbers(&machine.run(&image(&text("pass", busy))))[0] / sequential
}

#[test]
fn busy_threads_do_no_more_work_together_than_one() {
    for gil in ["cpython-3.9", "cpython-3.12"] {
        let ratio = against_sequential(&Machine::under(gil).cores(4), 3);
        assert_near(gil, ratio, 1.0, 0.05);
    }
    assert_near(
        "cruby-3.3",
        against_sequential(&Machine::under("cruby-3.3"), 2),
        1.0,
        0.02,
    );
    // 2.7 pays for the battle: 1.3 times the processor time of one here, 1.8 times the time in Beazley's measurement of 2009.
    let battle = against_sequential(&Machine::under("cpython-2.7").cores(4), 4);
    assert!((1.02..1.6).contains(&battle), "{battle}");
    // Without a lock as many as there are cores, less what it takes to start them.
    assert_near(
        "3.13t",
        against_sequential(&Machine::under("cpython-3.13t"), 4),
        0.5,
        0.1,
    );
    assert_near(
        "3.13t",
        against_sequential(&Machine::under("cpython-3.13t").cores(4), 4),
        0.25,
        0.1,
    );
}

/// The shares of the lock that busy threads have had by the time the first is done.
fn shares(machine: &Machine, busy: usize) -> Vec<f64> {
    let rest = "done = [0] * 8\nrunning = True\ndef count(me):\n    while running:\n        done[me] += 1\n\
        ts = []";
    let text = format!(
        "{}ts = [threading.Thread(target=count, args=(n,)) for n in range({busy})]\nfor t in ts: t.start()\ntime.sleep(0.4)\nrunning = False\n\
        for t in ts: t.join()\nfor n in range({busy}): print(done[n] / sum(done))\n",
        program(0, 0, &format!("{}\n{rest}", interval(1.0)))
    );
    numbers(&machine.run(&image(&text)))
}

#[test]
fn equal_threads_have_about_equal_shares() {
    // Really 0.49-0.51, 0.30-0.39, 0.23-0.28 among 2, 3, 4 threads of CPython 3.11, on a run of some seconds.
    for (busy, least, most) in [(2, 0.47, 0.53), (3, 0.28, 0.40), (4, 0.19, 0.31)] {
        let shares = shares(&Machine::under("cpython-3.11").random(3), busy);
        let fair = shares.iter().all(|it| (least..=most).contains(it));
        assert!(fair, "{shares:?}");
    }
}

/// The longest that a thread waited for the lock, in the best of three runs with a program whose second thread has work of `what`.
fn longest_wait_ms(gil: &str, what: &str) -> f64 {
    let text = format!(
        "import threading, sys\nsys.setswitchinterval(0.00002)\ndef other():\n    n = 100000\n    while n > 0:\n        n -= 1\n\
        def work(a, b):\n    {what}\nt = threading.Thread(target=other)\nt.start()\nwork(3, 4)\nt.join()\n"
    );
    let run = Machine::under(gil).run(&image(&text));
    assert_eq!(run.err, "");
    let longest = run
        .outcome
        .threads
        .iter()
        .map(|it| it.times.longest_wait_ns);
    longest.max().expect("there are threads") as f64 / MS
}

#[test]
fn a_long_straight_line_can_be_cut_up_to_3_9_and_not_later() {
    let straight = "x = a * b\n    y = x + a\n    ".repeat(60_000) + "return";
    let straight_ms = 120_000.0 * 8.5 / 1e3 / 1e3;
    for gil in ["cpython-2.7", "cpython-3.9"] {
        let longest = longest_wait_ms(gil, &straight);
        assert!(longest < straight_ms * 0.8, "{gil}: {longest} ms");
    }
    for gil in ["cpython-3.10", "cpython-3.11", "cpython-3.13"] {
        let longest = longest_wait_ms(gil, &straight);
        assert!(longest > straight_ms * 0.9, "{gil}: {longest} ms");
    }
}

#[test]
fn a_long_builtin_keeps_the_lock_and_only_without_one_nobody_waits() {
    let call = "x = [a] * 10000000";
    for gil in ["cpython-2.7", "cpython-3.9", "cpython-3.12", "cruby-3.3"] {
        let longest = longest_wait_ms(gil, call);
        assert!(longest > 100.0, "{gil}: {longest} ms");
    }
    assert!(longest_wait_ms("cpython-3.13t", call) < 1.0);
}

#[test]
fn the_end_of_main_waits_for_threads_and_in_cruby_kills_them() {
    let image = image(
        "import threading, time\ndef late():\n    time.sleep(0.01)\n    print('late')\nthreading.Thread(target=late).start()\n",
    );
    for (gil, expected) in [
        ("cpython-2.7", "late\n"),
        ("cpython-3.9", "late\n"),
        ("cpython-3.13t", "late\n"),
        ("cruby-3.2", ""),
        ("cruby-3.3", ""),
    ] {
        assert_eq!(Machine::under(gil).run(&image).out, expected, "{gil}");
    }
}

#[test]
fn a_process_by_fork_and_messages_take_what_they_took() {
    let text = "import multiprocessing, time\ndef nothing():\n    pass\nt = time.perf_counter()\np = multiprocessing.Process(target=nothing)\np.start()\np.join()\n\
        print((time.perf_counter() - t) * 1000)\n";
    let took = numbers(&Machine::under("cpython-3.11").run(&image(text)))[0];
    assert_near("fork and join, ms", took, 2.4, 0.15);
}
