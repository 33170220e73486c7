//! Timelines and traces: what is drawn of a simulated run, what is saved of any, and what becomes
//! of files that are no traces.

mod sealed;

use crate::cases;
use crate::process::finish;
use crate::sim::machine::{Machine, image};
use arbtest::arbitrary::{Result, Unstructured};
use mini::event::trace::{self, Block, Damage, Ending, Heading, Trace};
use mini::event::{
    Blockage, CoreId, Event, Naming, Place, Release, Sink, SyncKind, ThreadId, VmId, What,
};
use mini::report::timeline::{Look, Timeline};
use mini::source::SourceId;
use sealed::sealed;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

fn mini(arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mini"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    let done = finish(&mut command, b"", Duration::from_mins(2));
    assert!(!done.timed_out, "{arguments:?}");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.code, text(&done.stdout), text(&done.stderr))
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

fn text(path: &Path) -> &str {
    path.to_str()
        .expect("the folder for tests has a plain name")
}

/// A threaded program whose runs have events of most kinds.
const BUSY: &str = "import threading, time, queue, multiprocessing\nq = queue.Queue(1)\nlock = threading.Lock()\n\
    def work():\n    for i in range(3):\n        with lock:\n            time.sleep(0.001)\n        q.put(i)\n        sum(range(2000))\n\
    ts = [threading.Thread(target=work) for _ in range(3)]\n\
    for t in ts: t.start()\n\
    for _ in range(9): q.get()\n\
    for t in ts: t.join()\n\
    def child(q): q.put(1)\n\
    mq = multiprocessing.Queue()\np = multiprocessing.Process(target=child, args=(mq,))\np.start()\nmq.get()\np.join()\n";

#[test]
fn timelines_of_the_examples() {
    let cases = [
        ("examples/stories/convoy.mini", "cpython-2.7", "2"),
        ("examples/stories/convoy.mini", "cpython-3.12", "2"),
        ("examples/stories/convoy.mini", "cpython-3.13t", "2"),
        ("examples/stories/convoy.mini", "cruby-3.3", "2"),
        ("examples/stories/four_processes.mini", "cpython-3.12", "2"),
        ("examples/stories/four_processes.mini", "cpython-3.12", "8"),
        ("examples/03_threads_that_compute.mini", "every=100000", "4"),
        ("examples/05_thread_pool.mini", "cpython-3.12", "4"),
        ("examples/12_deadlock.mini", "cpython-3.9", "4"),
        (
            "examples/16_producer_and_consumer.mini",
            "cpython-3.13t",
            "4",
        ),
    ];
    for (example, gil, cores) in cases {
        let options = [
            "--gil",
            gil,
            "--cores",
            cores,
            "--timeline",
            "--width",
            "90",
        ];
        let (_, _, drawn) = mini(&[&["sim"], &options[..], &[example]].concat());
        let name = Path::new(example).file_stem().unwrap_or_default();
        let name = format!("{}@{gil}_{cores}", name.to_string_lossy());
        insta::with_settings!({
            snapshot_path => "../snapshots/timeline", prepend_module_to_snapshot => false, omit_expression => true,
        }, {
            insta::assert_snapshot!(name, drawn);
        });
    }
}

#[test]
fn many_threads_share_a_lane() {
    let script = file("timeline_many.mini");
    let source = "import threading, time\nts = [threading.Thread(target=time.sleep, args=(0.01,), name=f'sleeper {i}') for i in range(1000)]\n\
        for t in ts: t.start()\nfor t in ts: t.join()\n";
    fs::write(&script, source).expect("the folder for tests can be written to");
    let options = ["sim", "--timeline", "--width", "60", "--lanes", "3"];
    let (code, _, drawn) = mini(&[&options[..], &[text(&script)]].concat());
    assert_eq!(code, Some(0), "{drawn}");
    assert!(drawn.contains("\nsleeper 0 "), "{drawn}");
    assert!(drawn.contains("\n… 999 more "), "{drawn}");
    let lanes = drawn
        .lines()
        .skip(3)
        .take_while(|it| !it.starts_with("switches"));
    assert_eq!(lanes.count(), 3, "{drawn}");
    assert!(
        drawn
            .lines()
            .skip(1)
            .all(|it| it.starts_with("switches:") || it.chars().count() <= 60),
        "{drawn}"
    );
}

#[test]
fn colours_change_nothing_but_the_colour() {
    let arguments = ["sim", "--timeline", "examples/stories/convoy.mini"];
    let (_, _, plain) = mini(&arguments);
    let (_, _, painted) = mini(&[&["--color", "always"], &arguments[..]].concat());
    assert!(painted.contains("\u{1b}[32m█"), "{painted}");
    let mut stripped = String::new();
    let mut rest = painted.as_str();
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        stripped += before;
        rest = after.split_once('m').expect("it is a colour").1;
    }
    assert_eq!(stripped + rest, plain);
}

#[test]
fn a_saved_trace_is_drawn_like_the_run_itself() {
    let script = file("timeline_saved.mini");
    let saved = file("timeline_saved.trace");
    fs::write(&script, BUSY).expect("the folder for tests can be written to");
    let options = ["--width", "70"];
    let run = [
        "sim",
        "--gil",
        "cpython-3.12",
        "--timeline",
        "--trace",
        text(&saved),
    ];
    let (code, _, drawn) = mini(&[&run[..], &options, &[text(&script)]].concat());
    assert_eq!(code, Some(0), "{drawn}");
    let (code, again, complaint) = mini(&[&["timeline"], &options[..], &[text(&saved)]].concat());
    assert_eq!((code, again, complaint.as_str()), (Some(0), drawn, ""));
}

/// What a timeline makes of the events is what the simulation did: it counts its busy cores itself.
#[test]
fn the_cores_used_are_those_that_the_simulation_counts() {
    for story in ["battle", "hidden_race"] {
        let story = format!("examples/stories/{story}.mini");
        for gil in [
            "every=1000",
            "cpython-2.7",
            "cpython-3.12",
            "off",
            "cruby-3.3",
        ] {
            let options = [
                "--gil",
                gil,
                "--cores",
                "2",
                "--timeline",
                "--stats",
                "--format",
                "json",
            ];
            let (_, _, told) = mini(&[&["sim"], &options[..], &[&story]].concat());
            let (drawn, stats) = told.split_once("\n{").expect("the statistics come last");
            let (_, used) = drawn.split_once("cores used of 2").expect("it is drawn");
            let used = used.split_whitespace().next().expect("a number follows");
            let used: f64 = used.parse().expect("a number follows");
            let stats: serde_json::Value =
                serde_json::from_str(&format!("{{{stats}")).expect("it is JSON");
            let busy = stats["core_busy_ns"].as_array().expect("a list");
            let busy: f64 = busy.iter().filter_map(serde_json::Value::as_f64).sum();
            let counted = busy / stats["elapsed_ns"].as_f64().expect("a number");
            assert!(
                (used - counted).abs() < 0.02,
                "{story} under {gil}: {used}, {counted}"
            );
        }
    }
}

/// Real threads: what each tells fits together, and all that they ran is told.
#[test]
fn real_threads_tell_what_they_do() {
    let script = file("timeline_real.mini");
    fs::write(&script, BUSY).expect("the folder for tests can be written to");
    for gil in ["every=500", "cpython-2.7", "interval=100us"] {
        let saved = file("timeline_real.trace");
        let run = [
            "run",
            "--gil",
            gil,
            "--stats",
            "--format",
            "json",
            "--trace",
            text(&saved),
        ];
        let (code, _, stats) = mini(&[&run[..], &[text(&script)]].concat());
        assert_eq!(code, Some(0), "{stats}");
        let stats: serde_json::Value = serde_json::from_str(&stats).expect("it is JSON");
        let bytes = fs::read(&saved).expect("the trace was written");
        let trace = Trace::read(&bytes).expect("the trace is whole");
        assert!(!trace.heading.simulated);
        let events: Vec<Event> = trace.events().map(|it| it.expect("an event")).collect();
        let ending = trace.ending.expect("it has its end");
        assert_eq!(ending.events, events.len() as u64);
        for thread in stats["threads"].as_array().expect("a list") {
            let number = |key: &str| thread[key].as_u64().expect("a number");
            let (vm, id) = (number("process") as u32, number("thread") as u32);
            let own = || {
                events
                    .iter()
                    .filter(|it| (it.vm.0, it.thread.0) == (vm, id))
            };
            assert!(own().map(|it| it.at_ns).is_sorted(), "{gil}: {thread}");
            let ran: u64 = own()
                .map(|it| match it.what {
                    What::Ran { instructions, .. } => instructions,
                    _ => 0,
                })
                .sum();
            assert!(ran <= number("instructions"), "{gil}: {ran} of {thread}");
            let mut has_lock = false;
            for event in own() {
                match event.what {
                    What::LockAcquired { .. } => {
                        assert!(!has_lock, "{gil}: {event:?}");
                        has_lock = true;
                    }
                    What::LockReleased(why) => {
                        assert!(has_lock || why == Release::End, "{gil}: {event:?}");
                        has_lock = false;
                    }
                    What::Blocked { .. } => assert!(!has_lock, "{gil}: {event:?}"),
                    _ => {}
                }
            }
            assert!(
                own().any(|it| matches!(it.what, What::ThreadBorn { .. })),
                "{gil}: {thread}"
            );
        }
        let sleeps = |it: &&Event| {
            matches!(
                it.what,
                What::Blocked {
                    on: Blockage::Sleep,
                    ..
                }
            )
        };
        assert_eq!(events.iter().filter(sleeps).count(), 9, "{gil}");
        let lines = events
            .iter()
            .filter(sleeps)
            .map(|it| it.place.map(|it| it.line));
        assert!(lines.into_iter().all(|it| it == Some(7)), "{gil}");
        let (code, drawn, complaint) = mini(&["timeline", text(&saved)]);
        assert_eq!(code, Some(0), "{complaint}");
        assert!(
            drawn.contains("on real threads") && drawn.contains("Process-1"),
            "{drawn}"
        );
    }
}

#[test]
fn files_that_are_no_traces_are_refused() {
    let saved = file("timeline_damaged.trace");
    let whole = small_trace();
    let cases: [(&[u8], &str); 6] = [
        (b"", "is no trace of Mini's"),
        (b"print('hello')\n", "is no trace of Mini's"),
        (&whole[..5], "has no end"),
        (&whole[..9], "has no end"),
        (
            &[&whole[..8], &[2], &whole[9..]].concat(),
            "is a trace of form 2",
        ),
        (
            &[&whole[..60], &[whole[60] ^ 1], &whole[61..]].concat(),
            "is damaged at about byte",
        ),
    ];
    for (bytes, message) in cases {
        fs::write(&saved, bytes).expect("the folder for tests can be written to");
        let (code, drawn, complaint) = mini(&["timeline", text(&saved)]);
        assert_eq!((code, drawn.as_str()), (Some(2), ""), "{complaint}");
        assert!(complaint.contains(message), "{complaint}");
    }
    let (code, _, complaint) = mini(&["timeline", text(&file("timeline_none.trace"))]);
    assert_eq!(code, Some(2), "{complaint}");
    assert!(complaint.contains("can't open file"), "{complaint}");
    let nowhere = file("no_such_folder/x.trace");
    let (code, _, complaint) = mini(&[
        "run",
        "--trace",
        text(&nowhere),
        "examples/10_lost_update.mini",
    ]);
    assert_eq!(code, Some(2), "{complaint}");
    assert!(complaint.contains("can't write trace"), "{complaint}");
}

/// What happened in a run of the simulation.
fn small_run() -> Vec<Event> {
    let run = Machine::under("cpython-3.12").recorded().run(&image(BUSY));
    assert!(run.events.len() > 50, "{}", run.events.len());
    run.events
}

/// The same as a trace.
fn small_trace() -> Vec<u8> {
    save(&heading(), &[&small_run()], 1)
}

/// The sample in the documentation is a trace.
#[test]
fn the_sample_of_the_form_can_be_read() {
    let page = fs::read_to_string("docs/trace-format.md").expect("the page is there");
    let (_, sample) = page.split_once("## A sample").expect("it has a sample");
    let sample = sample.split("```").nth(1).expect("between fences");
    let mut bytes = Vec::new();
    for line in sample.lines() {
        let hex = line.trim_start();
        // What a line means stands after three spaces.
        let hex = hex.split_once("   ").map_or(hex, |(hex, _)| hex);
        for byte in hex.split_whitespace() {
            bytes.push(u8::from_str_radix(byte, 16).unwrap_or_else(|_| panic!("{line}")));
        }
    }
    let trace = Trace::read(&bytes).expect("it is whole");
    assert_eq!(trace.heading.script, "hello.mini");
    let ending = Ending {
        events: 8,
        elapsed_ns: 48,
    };
    assert_eq!(trace.ending, Some(ending));
    let events: Vec<Event> = trace.events().map(|it| it.expect("an event")).collect();
    assert_eq!(events.len(), 8);
    let ran = What::Ran {
        instructions: 5,
        since_ns: 0,
    };
    assert_eq!(events[4].what, ran);
}

fn heading() -> Heading {
    Heading {
        simulated: true,
        cores: Some(2),
        lock: "cpython-3.12".into(),
        script: "test.mini".into(),
    }
}

fn save(heading: &Heading, blocks: &[&[Event]], elapsed_ns: u64) -> Vec<u8> {
    let mut bytes = trace::begin(heading);
    let mut block = Block::default();
    let mut events = 0;
    for part in blocks {
        part.iter().for_each(|it| block.push(it));
        let (part, count) = block.take();
        bytes.extend(part);
        events += count;
    }
    bytes.extend(trace::end(&Ending { events, elapsed_ns }));
    bytes
}

/// However a file is cut, what can be read of it is what was written first, up to a whole block;
/// and it is known to have no end.
#[test]
fn what_is_cut_is_read_as_far_as_it_goes() {
    let written = small_run();
    let blocks: Vec<&[Event]> = written.chunks(16).collect();
    let whole = save(&heading(), &blocks, 1);
    let heading_bytes = trace::begin(&heading()).len();
    let mut lengths = Vec::new();
    for length in 0..whole.len() {
        let read = Trace::read(&whole[..length]);
        if length < heading_bytes {
            let expected = match length {
                0 => Damage::Foreign,
                _ => Damage::Truncated,
            };
            assert_eq!(read.err(), Some(expected), "{length} of {}", whole.len());
            continue;
        }
        let trace = read.expect("its heading is whole");
        assert_eq!(trace.ending, None);
        let events: Vec<Event> = trace.events().map(|it| it.expect("an event")).collect();
        assert_eq!(events, written[..events.len()]);
        let last_ns = events.iter().map(|it| it.at_ns).max();
        assert_eq!(trace.elapsed_ns(), Ok(last_ns.unwrap_or(0)));
        lengths.push(events.len());
    }
    lengths.dedup();
    assert!(lengths.is_sorted());
    assert_eq!(lengths.len(), blocks.len() + 1, "{lengths:?}");
    assert_eq!(lengths.last(), Some(&written.len()));
}

/// However a file is changed, it is refused, or read up to the change and known to have no end:
/// where a length is changed, the rest of the file may look cut off.
#[test]
fn damage_is_found() {
    let written = small_run();
    let blocks: Vec<&[Event]> = written.chunks(16).collect();
    let whole = save(&heading(), &blocks, 1);
    assert!(Trace::read(&whole).is_ok());
    for at in 0..whole.len() {
        for flip in [1, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at] ^= flip;
            let Ok(trace) = Trace::read(&changed) else {
                continue;
            };
            assert_eq!(trace.ending, None, "byte {at} changed by {flip}");
            let events: Vec<Event> = trace.events().map(|it| it.expect("an event")).collect();
            assert_eq!(events, written[..events.len()], "byte {at} by {flip}");
        }
    }
    let mut longer = whole.clone();
    longer.push(0);
    assert!(Trace::read(&longer).is_err());
}

/// Whatever events there are, they come back as they were, and can be drawn.
#[test]
fn events_come_back_as_they_were() {
    cases::run("events_come_back_as_they_were", 1_000, 4_000, |u| {
        let mut blocks = Vec::new();
        for _ in 0..u.int_in_range(0..=4)? {
            let count = u.int_in_range(1..=20)?;
            blocks.push(
                (0..count)
                    .map(|_| event(u))
                    .collect::<Result<Vec<Event>>>()?,
            );
        }
        let heading = Heading {
            simulated: u.arbitrary()?,
            cores: u.arbitrary()?,
            lock: u.arbitrary()?,
            script: u.arbitrary()?,
        };
        let blocks: Vec<&[Event]> = blocks.iter().map(Vec::as_slice).collect();
        let elapsed_ns = u.arbitrary()?;
        let bytes = save(&heading, &blocks, elapsed_ns);
        let trace = Trace::read(&bytes).expect("it was just written");
        assert_eq!(trace.heading, heading);
        assert_eq!(trace.elapsed_ns(), Ok(elapsed_ns));
        let back: Vec<Event> = trace.events().map(|it| it.expect("an event")).collect();
        assert_eq!(back, blocks.concat());
        drawn(&trace, u)
    });
}

/// Bytes with a right checksum that nobody wrote: whatever they are, reading ends, and what is read
/// can be drawn.
#[test]
fn any_bytes_can_be_read() {
    cases::run("any_bytes_can_be_read", 1_000, 2_000, |u| {
        let payload: Vec<u8> = u.arbitrary()?;
        let bytes = sealed(&payload, u.arbitrary()?);
        let trace = Trace::read(&bytes).expect("its parts are whole");
        drawn(&trace, u)
    });
}

/// The trace of a run with a few bytes of its events changed, taken out, put in or said twice, and
/// sealed anew: it is read as far as it makes sense, and drawn.
#[test]
fn damaged_traces_can_be_read() {
    let mut block = Block::default();
    for event in &small_run() {
        block.push(event);
    }
    let (framed, _) = block.take();
    // Its kind and its length stand before it, in two bytes, and its checksum behind.
    let length_bytes = framed[1..].iter().take_while(|&&it| it >= 0x80).count() + 1;
    let whole = &framed[1 + length_bytes..framed.len() - 4];
    cases::run("damaged_traces_can_be_read", 1_000, 300, |u| {
        let mut payload = whole.to_vec();
        for _ in 0..u.int_in_range(1..=6)? {
            let from = u.int_in_range(0..=payload.len() - 1)?;
            let to = (from + u.int_in_range(1..=12)?).min(payload.len());
            match u.int_in_range(0..=3)? {
                0 => payload[from] = u.arbitrary()?,
                1 => drop(payload.drain(from..to)),
                2 => payload.insert(from, *u.choose(&[0, 1, 0x7f, 0x80, 0xff])?),
                _ => {
                    let piece = payload[from..to].to_vec();
                    let at = u.int_in_range(0..=payload.len())?;
                    payload.splice(at..at, piece);
                }
            }
            if payload.is_empty() {
                return Ok(());
            }
        }
        let bytes = sealed(&payload, u.arbitrary()?);
        let trace = Trace::read(&bytes).expect("its parts are whole");
        drawn(&trace, u)
    });
}

fn drawn(trace: &Trace<'_>, u: &mut Unstructured<'_>) -> Result<()> {
    let look = Look {
        width: u.int_in_range(0..=300)?,
        lanes: u.int_in_range(0..=5)?,
        paint: u.arbitrary()?,
    };
    let mut timeline = Timeline::new(trace.heading.clone(), trace.elapsed_ns().unwrap_or(0), look);
    trace
        .events()
        .map_while(std::result::Result::ok)
        .for_each(|it| timeline.take(it));
    assert!(timeline.text().as_str().contains("\ncor"));
    Ok(())
}

fn event(u: &mut Unstructured<'_>) -> Result<Event> {
    let thread = |u: &mut Unstructured<'_>| Ok(ThreadId(u.arbitrary()?));
    let vm = |u: &mut Unstructured<'_>| Ok(VmId(u.arbitrary()?));
    let place = |u: &mut Unstructured<'_>| {
        Ok(Place {
            source: SourceId(u.arbitrary()?),
            line: u.arbitrary()?,
        })
    };
    let some = u.arbitrary()?;
    Ok(Event {
        at_ns: u.arbitrary()?,
        vm: VmId(u.int_in_range(0..=2)?),
        thread: ThreadId(u.int_in_range(0..=3)?),
        core: u.arbitrary::<Option<u16>>()?.map(CoreId),
        place: if some { Some(place(u)?) } else { None },
        what: match u.int_in_range(0..=17)? {
            0 => What::VmBorn {
                name: u.arbitrary::<String>()?.into(),
                parent: u.arbitrary::<Option<u32>>()?.map(VmId),
            },
            1 => What::VmEnded {
                exit_code: u.arbitrary()?,
            },
            2 => What::ThreadBorn {
                name: u.arbitrary::<String>()?.into(),
                daemon: u.arbitrary()?,
            },
            3 => What::ThreadEnded,
            4 => What::LockRequested,
            5 => What::LockAcquired {
                switched: u.arbitrary()?,
            },
            6 => What::DropRequested { holder: thread(u)? },
            7 => What::LockReleased(*u.choose(&[
                Release::Budget,
                Release::Asked,
                Release::Blocking,
                Release::End,
            ])?),
            8 => What::Ran {
                instructions: u.arbitrary()?,
                since_ns: u.arbitrary()?,
            },
            9 => What::Blocked {
                on: blockage(u)?,
                until_ns: u.arbitrary()?,
            },
            10 => What::Woken { by: None },
            11 => What::Woken {
                by: Some((vm(u)?, thread(u)?)),
            },
            12 => What::Dispatched,
            13 => What::Preempted,
            14 => What::Forked {
                child: vm(u)?,
                objects: u.arbitrary()?,
                bytes: u.arbitrary()?,
            },
            15 => What::Sent {
                channel: u.arbitrary()?,
                bytes: u.arbitrary()?,
            },
            16 => What::Named(Arc::new(Naming {
                on: blockage(u)?,
                name: u.arbitrary()?,
            })),
            _ => What::Received {
                channel: u.arbitrary()?,
                bytes: u.arbitrary()?,
            },
        },
    })
}

fn blockage(u: &mut Unstructured<'_>) -> Result<Blockage> {
    Ok(match u.int_in_range(0..=10)? {
        0 => Blockage::Sleep,
        1 => Blockage::Object {
            kind: *u.choose(&[
                SyncKind::Lock,
                SyncKind::RLock,
                SyncKind::Condition,
                SyncKind::Semaphore,
                SyncKind::Event,
            ])?,
            number: u.arbitrary()?,
            held_by: u.arbitrary::<Option<u32>>()?.map(ThreadId),
        },
        2 => Blockage::Thread(ThreadId(u.arbitrary()?)),
        3 => Blockage::Threads,
        4 => Blockage::Process(VmId(u.arbitrary()?)),
        5 => Blockage::Children,
        6 => Blockage::Room {
            channel: u.arbitrary()?,
        },
        7 => Blockage::Message {
            channel: u.arbitrary()?,
        },
        8 => Blockage::Input,
        9 => Blockage::Begin(ThreadId(u.arbitrary()?)),
        _ => Blockage::System,
    })
}
