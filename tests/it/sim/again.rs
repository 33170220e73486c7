//! The same inputs give the same bytes, and the engines agree.

use crate::oracle;
use crate::process::{finish, in_parallel};
use crate::sim::machine::{Machine, image};
use mini::gil::preset::PRESETS;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(2);

/// Rules that both engines honour.
const BOTH: &[&str] = &["every=97", "ticks=100", "interval=50us", "cpython-3.12"];

/// Rules that the simulation alone honours, and under which programs end as under CPython.
const SIMULATED: &[&str] = &["off", "cpython-2.7", "cpython-3.9", "cpython-3.14t"];

fn programs(folders: &[&str]) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(root.join(folder)).expect("the folder is there"))
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|it| it == "mini"))
        .collect();
    found.sort();
    found
}

fn mini(command: &str, options: &[&str], program: &Path) -> Command {
    let mut mini = Command::new(env!("CARGO_BIN_EXE_mini"));
    mini.arg(command)
        .args(options)
        .arg(program.file_name().expect("it has a name"))
        .current_dir(program.parent().expect("it is in a folder"));
    mini
}

/// Programs whose simulation takes long.
const LONG: &[&str] = &[
    "02_processes_that_compute",
    "03_threads_that_compute",
    "11_lost_update_repaired",
    "14_too_many_processes",
    "battle",
    "forced_switch",
    "four_processes",
];

/// Every example and story, under every preset: twice the same, the second time in a process that
/// has one core alone. What it says of its time, its cores and its threads is part of that, and so
/// are its timeline and its trace.
#[test]
fn the_same_command_gives_the_same_bytes() {
    let examples = programs(&["examples", "examples/stories"]);
    assert!(examples.len() >= 32);
    let mut cases: Vec<(PathBuf, &str)> = Vec::new();
    for (at, example) in examples.iter().enumerate() {
        let stem = example.file_stem().unwrap_or_default().to_string_lossy();
        let long = LONG.contains(&&*stem);
        for (of, preset) in PRESETS.iter().enumerate() {
            // One preset for each example; all of them, and the long ones, where more is asked for.
            if oracle::asked_for_more() || (!long && at % PRESETS.len() == of) {
                cases.push((example.clone(), preset.name));
            }
        }
    }
    let pins = can_pin();
    if !pins {
        println!("not compared with one core: no taskset here");
    }
    let wrong: Vec<String> = in_parallel(&cases, |(example, preset)| {
        let stem = example
            .file_stem()
            .expect("it has a name")
            .to_string_lossy();
        let trace = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("again_{stem}_{preset}.trace"))
            .to_string_lossy()
            .into_owned();
        let options = [
            "--timeline",
            "--trace",
            &trace,
            "--gil",
            preset,
            "--cores",
            "2",
            "--stats",
            "--schedule",
            "random",
            "--seed",
            "7",
        ];
        let run = |mut mini: Command| {
            let done = finish(&mut mini, b"", PATIENCE);
            let saved = fs::read(&trace).expect("the trace was written");
            fs::remove_file(&trace).expect("the trace can be removed");
            (done, saved)
        };
        let (first, first_trace) = run(mini("sim", &options, example));
        let again = mini("sim", &options, example);
        let (second, second_trace) = run(if pins { pinned(&again) } else { again });
        let same = first_trace == second_trace
            && first.stdout == second.stdout
            && first.stderr == second.stderr
            && first.code == second.code
            && !first.timed_out;
        (!same).then(|| format!("{} under {preset}", example.display()))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Can a process be kept to one core here?
fn can_pin() -> bool {
    let tried = Command::new("taskset").args(["-c", "0", "true"]).status();
    tried.is_ok_and(|it| it.success())
}

/// The same command on one core of this machine.
fn pinned(command: &Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned
        .args(["-c", "0"])
        .arg(command.get_program())
        .args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        pinned.current_dir(folder);
    }
    pinned
}

/// Programs without races print what CPython prints, with fifty seeds of two kinds of schedule.
#[test]
fn race_free_programs_print_the_same_with_fifty_seeds() {
    let programs = programs(&["tests/lang/threads", "tests/lang/processes"]);
    let mut cases = Vec::new();
    for (at, program) in programs.iter().enumerate() {
        for seed in 1..=50_usize {
            // One seed for each program; all of them where more is asked for.
            if oracle::asked_for_more() || at % 50 + 1 == seed {
                cases.push((program.clone(), seed));
            }
        }
    }
    let wrong: Vec<String> = in_parallel(&cases, |(program, seed)| {
        let expected = fs::read(program.with_extension("out")).expect("each has its .out");
        let input = fs::read(program.with_extension("in")).unwrap_or_default();
        let text = seed.to_string();
        let schedule = ["random", "pct:3"][seed % 2];
        let gil = SIMULATED[seed % SIMULATED.len()];
        let options = ["--gil", gil, "--schedule", schedule, "--seed", &text];
        let ran = finish(&mut mini("sim", &options, program), &input, PATIENCE);
        (ran.stdout != expected)
            .then(|| format!("mini sim {} {}", options.join(" "), program.display()))
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All programs of the language's tests that run: those that are refused have nothing to print.
fn all_programs() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lang");
    let mut themes: Vec<String> = fs::read_dir(root)
        .expect("the folder is there")
        .map(|entry| entry.expect("it can be listed"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| format!("tests/lang/{}", entry.file_name().to_string_lossy()))
        .collect();
    themes.sort();
    let themes: Vec<&str> = themes.iter().map(String::as_str).collect();
    let mut all = programs(&themes);
    all.retain(|program| program.with_extension("out").exists());
    assert!(all.len() > 300, "{}", all.len());
    all
}

/// Did a program print what is kept beside it? Of those named `unordered_*` the lines are sorted.
fn printed_as_kept(program: &Path, printed: &[u8]) -> bool {
    let kept = fs::read_to_string(program.with_extension("out")).expect("each has its .out");
    let printed = String::from_utf8_lossy(printed);
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("unordered_") {
        let mut lines: Vec<&str> = printed.lines().collect();
        lines.sort_unstable();
        return lines.into_iter().eq(kept.lines());
    }
    printed == kept
}

/// Race-free programs print what CPython prints, under all rules of either engine, with any
/// schedule.
#[test]
fn the_engines_agree() {
    let programs = if oracle::asked_for_more() {
        all_programs()
    } else {
        programs(&["tests/lang/threads", "tests/lang/processes"])
    };
    assert!(programs.len() > 50);
    let mut cases: Vec<(PathBuf, &str, &str)> = Vec::new();
    for (at, program) in programs.iter().enumerate() {
        for (of, gil) in BOTH.iter().chain(SIMULATED).enumerate() {
            if oracle::asked_for_more() || (at + of) % 4 == 0 {
                cases.push((program.clone(), gil, "sim"));
                if BOTH.contains(gil) && oracle::asked_for_more() {
                    cases.push((program.clone(), gil, "run"));
                }
            }
        }
    }
    let wrong: Vec<String> = in_parallel(&cases, |(program, gil, command)| {
        let input = fs::read(program.with_extension("in")).unwrap_or_default();
        let ran = finish(
            &mut mini(command, &["--gil", gil], program),
            &input,
            PATIENCE,
        );
        let code = i32::from(program.with_extension("err").exists());
        (!printed_as_kept(program, &ran.stdout) || ran.code != Some(code)).then(|| {
            format!(
                "mini {command} --gil {gil} {}: exit code {:?}\n{}",
                program.display(),
                ran.code,
                String::from_utf8_lossy(&ran.stderr)
            )
        })
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Programs of the other themes know one thread alone: a share of them is enough to see that the
/// simulation answers what they ask.
#[test]
fn programs_with_one_thread_run_in_the_simulation_too() {
    let share = if oracle::asked_for_more() { 1 } else { 15 };
    let some: Vec<PathBuf> = all_programs().into_iter().step_by(share).collect();
    let wrong: Vec<String> = in_parallel(&some, |program| {
        let input = fs::read(program.with_extension("in")).unwrap_or_default();
        let ran = finish(&mut mini("sim", &[], program), &input, PATIENCE);
        (!printed_as_kept(program, &ran.stdout)).then(|| program.display().to_string())
    })
    .into_iter()
    .flatten()
    .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const RACE_FREE: &str = "
import threading, queue, time
from concurrent.futures import ThreadPoolExecutor
lock = threading.Lock()
total = 0
def add(n):
    global total
    for i in range(n):
        with lock:
            total += i
threads = [threading.Thread(target=add, args=(40,)) for _ in range(4)]
for t in threads: t.start()
for t in threads: t.join()
print(total)
q = queue.Queue(2)
def produce():
    for i in range(10):
        q.put(i)
got = []
t = threading.Thread(target=produce)
t.start()
while len(got) < 10:
    got.append(q.get())
    time.sleep(0.001)
t.join()
print(got)
with ThreadPoolExecutor(3) as pool:
    print(list(pool.map(lambda n: n * n, range(12))))
";

/// Fifty seeds of two kinds of schedule, and the output is that of the first.
#[test]
fn race_free_programs_print_the_same_with_any_seed() {
    let image = image(RACE_FREE);
    let expected = Machine::under("cpython-3.12").run(&image).out;
    assert_eq!(
        expected,
        "3120\n[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n[0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121]\n"
    );
    for seed in 1..=50 {
        let gil = [
            "every=7",
            "cpython-2.7",
            "interval=10us",
            "off",
            "cruby-3.3",
        ][seed as usize % 5];
        let mut machine = Machine::under(gil).cores(1 + seed as u16 % 3).random(seed);
        if seed % 2 == 0 {
            machine.schedule = mini::engine::sim::Schedule::Pct { depth: 3 };
        }
        let run = machine.run(&image);
        assert_eq!(run.out, expected, "{gil}, seed {seed}: {}", run.err);
    }
}

/// Two runs in one program, events included.
#[test]
fn events_are_the_same_each_time() {
    let image = image(RACE_FREE);
    for preset in PRESETS {
        let machine = Machine::under(preset.name).random(5).recorded();
        let (first, second) = (machine.run(&image), machine.run(&image));
        assert!(first.events.len() > 100, "{}", first.events.len());
        assert_eq!(first.events, second.events, "{}", preset.name);
        assert_eq!(first.outcome, second.outcome, "{}", preset.name);
        let times: Vec<u64> = first.events.iter().map(|it| it.at_ns).collect();
        assert!(times.is_sorted(), "{}", preset.name);
    }
}
