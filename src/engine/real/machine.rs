//! What all processes of a run share: the table of processes, channels, input and output, the
//! clock, the limits, and the end.

use crate::engine::child::SIGTERM;
use crate::engine::deadlock::{self, Standing};
use crate::engine::outcome::{End, ThreadFigures, Times};
use crate::engine::real::Options;
use crate::engine::real::census::Census;
use crate::engine::real::channel::Channels;
use crate::engine::real::clock::MachineClock;
use crate::engine::real::gil::Gil;
use crate::engine::real::input::Input;
use crate::engine::real::output::Output;
use crate::engine::real::process::{Caller, Identity, Process};
use crate::engine::real::record::Sinks;
use crate::engine::real::worker::Worker;
use crate::engine::stream::Streams;
use crate::engine::whereabouts::{self, Seen};
use crate::event::What;
use crate::gil::{DEFAULT_INTERVAL_NS, DEFAULT_TICKS, Rules};
use crate::printable;
use crate::printable::Printable;
use crate::vm::Vm;
use crate::vm::fault::Fault;
use crate::vm::slice::Parcel;
use crate::vm::value::ThreadId;
use parking_lot::{Condvar, Mutex};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// So many threads and processes are refused by an exception before the run ends.
const MAX_REFUSALS: u64 = 1000;

/// How long a thread may take until it lets others look into its VM.
const MAX_LOOK: Duration = Duration::from_millis(200);

/// Sends signals to a run.
#[derive(Clone)]
pub struct Interrupter {
    machine: Arc<Machine>,
}

impl Interrupter {
    pub(super) fn new(machine: Arc<Machine>) -> Interrupter {
        Interrupter { machine }
    }

    /// The first time: `KeyboardInterrupt` in the main thread of the first process. The second
    /// time: the end.
    pub fn interrupt(&self) {
        let mut found = self.machine.found.lock();
        let first = self.machine.processes.lock().process(0);
        match (&*found, first) {
            (None, Some(process)) => {
                let now = self.machine.whereabouts().unwrap_or_default();
                let alone = now.as_str().lines().count() == 1;
                *found = Some(Found { now, alone });
                process.interrupt();
            }
            (found, _) => {
                let now = found.as_ref().map(|it| it.now.clone());
                self.machine.end(End::Interrupted(now.unwrap_or_default()));
            }
        }
    }

    /// Where every thread is; none if the run has ended.
    #[must_use]
    pub fn whereabouts(&self) -> Option<Printable> {
        self.machine.whereabouts()
    }

    /// Ends the run as SIGTERM ends CPython's: at once.
    pub fn terminate(&self) {
        self.machine.end(End::Killed(SIGTERM));
    }
}

/// Where every thread was at a moment.
struct Found {
    now: Printable,
    /// There was one thread only.
    alone: bool,
}

/// What all processes share.
pub(super) struct Machine {
    pub(super) clock: MachineClock,
    pub(super) census: Arc<Census>,
    pub(super) processes: Mutex<Processes>,
    pub(super) channels: Channels,
    pub(super) output: Output,
    pub(super) input: Arc<Input>,
    /// Where threads tell what they do, if anybody wants to know.
    pub(super) sinks: Option<Sinks>,
    /// Instructions that may still be run.
    pub(super) instructions_left: Option<AtomicI64>,
    process_limit: usize,
    /// How many more threads of the operating system there may be.
    os_threads_left: AtomicUsize,
    /// How often a thread or process was refused because there were too many.
    refusals: AtomicU64,
    /// Where the first Ctrl-C found everybody.
    found: Mutex<Option<Found>>,
    end: Mutex<Option<End>>,
    ended: Condvar,
    /// What each thread did that has ended, if that is to be kept.
    figures: Option<Mutex<Vec<ThreadFigures>>>,
}

/// The table of processes.
#[derive(Default)]
pub(super) struct Processes {
    entries: BTreeMap<u64, Entry>,
    alive: usize,
}

struct Entry {
    pid: i64,
    parent: Option<u64>,
    daemon: bool,
    /// Until it ends.
    process: Option<Arc<Process>>,
    /// Until its last thread has left.
    remains: Weak<Process>,
    exit_code: Option<i32>,
    result: Option<Result<Parcel, Fault>>,
    /// Who waits for its end.
    waiting: Vec<Caller>,
}

impl Processes {
    /// A process that has not ended.
    pub(super) fn process(&self, number: u64) -> Option<Arc<Process>> {
        self.entries.get(&number)?.process.clone()
    }

    /// The process with a pid, if it has not ended.
    pub(super) fn by_pid(&self, pid: i64) -> Option<Arc<Process>> {
        self.entries
            .values()
            .find(|entry| entry.pid == pid)?
            .process
            .clone()
    }

    pub(super) fn pid(&self, number: u64) -> Option<i64> {
        self.entries.get(&number).map(|entry| entry.pid)
    }

    /// How a process ended, if it has; one that never was has ended.
    pub(super) fn exit_code(&self, number: u64) -> Option<i32> {
        match self.entries.get(&number) {
            Some(entry) => entry.exit_code,
            None => Some(0),
        }
    }

    /// Notes a thread that waits for the end of a process.
    pub(super) fn wait(&mut self, number: u64, caller: &Caller) {
        if let Some(entry) = self.entries.get_mut(&number)
            && !entry.waiting.iter().any(|it| it.is(caller))
        {
            entry.waiting.push(caller.clone());
        }
    }

    pub(super) fn forget(&mut self, number: u64, caller: &Caller) {
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.waiting.retain(|it| !it.is(caller));
        }
    }

    pub(super) fn result(&self, number: u64) -> Option<Result<Parcel, Fault>> {
        self.entries.get(&number)?.result.clone()
    }

    pub(super) fn set_result(&mut self, number: u64, result: Result<Parcel, Fault>) {
        if let Some(entry) = self.entries.get_mut(&number) {
            entry.result = Some(result);
        }
    }

    /// The children of a process that have not ended.
    pub(super) fn children(&self, parent: u64, daemon: bool) -> Vec<Arc<Process>> {
        self.entries
            .values()
            .filter(|entry| entry.parent == Some(parent) && entry.daemon == daemon)
            .filter_map(|entry| entry.process.clone())
            .collect()
    }

    /// Every process that has not ended.
    pub(super) fn all(&self) -> Vec<Arc<Process>> {
        self.entries
            .values()
            .filter_map(|entry| entry.process.clone())
            .collect()
    }
}

impl ThreadFigures {
    /// The figures of a thread at its end.
    pub(super) fn of(process: &Process, vm: &Vm, thread: ThreadId, times: Times) -> ThreadFigures {
        let it = &vm.threads[thread.0 as usize];
        ThreadFigures {
            process: process.number,
            process_name: process.name.clone(),
            thread: thread.0,
            thread_name: it.name.clone(),
            instructions: it.instructions,
            times,
        }
    }
}

impl Machine {
    /// A machine whose first process begins to run this VM.
    pub(super) fn start(vm: Vm, options: Options) -> Arc<Machine> {
        let machine = Arc::new(Machine {
            clock: MachineClock::start(),
            census: Arc::default(),
            processes: Mutex::default(),
            channels: Channels::default(),
            output: Output::new(Streams::new(
                options.output,
                options.error,
                options.line_buffered,
                options.limits.output_bytes,
            )),
            input: Input::new(options.input, vm.account()),
            sinks: options.sinks,
            instructions_left: options
                .limits
                .instructions
                .map(|it| AtomicI64::new(i64::try_from(it).unwrap_or(i64::MAX))),
            process_limit: options.limits.processes,
            os_threads_left: AtomicUsize::new(options.limits.os_threads),
            refusals: AtomicU64::new(0),
            found: Mutex::new(None),
            end: Mutex::new(None),
            ended: Condvar::new(),
            figures: options.statistics.then(Mutex::default),
        });
        let switch_interval_ns = match options.rules {
            Rules::Interval { ns } => ns,
            Rules::Every { .. } | Rules::Ticks { .. } | Rules::Off => DEFAULT_INTERVAL_NS,
        };
        let check_interval = match options.rules {
            Rules::Every { instructions } | Rules::Ticks { instructions } => instructions,
            Rules::Interval { .. } | Rules::Off => DEFAULT_TICKS,
        };
        let main = vm.main;
        let intervals = (switch_interval_ns, check_interval);
        let first = machine
            .new_process(
                vm,
                options.rules,
                intervals,
                None,
                "MainProcess".into(),
                false,
            )
            .expect("the first process is within every limit");
        let name = first.vm.lock().threads[main.0 as usize].name.clone();
        let started = Worker::new(&machine, &first, main, &name, false).and_then(Worker::start);
        if let Err(error) = started {
            machine.end(End::Bug(format!("no thread could be started: {error}")));
        }
        machine
    }

    /// Adds a process; none if there are too many. Its main thread is yet to be started.
    pub(super) fn new_process(
        &self,
        vm: Vm,
        rules: Rules,
        intervals: (u64, u64),
        parent: Option<u64>,
        name: Arc<str>,
        daemon: bool,
    ) -> Option<Arc<Process>> {
        let mut processes = self.processes.lock();
        if processes.alive >= self.process_limit.max(1) {
            return None;
        }
        let number = processes.entries.keys().next_back().map_or(0, |it| it + 1);
        // The first process is this program; the others have no number of their own in the
        // operating system, and count on from there.
        let pid = i64::from(std::process::id()) + number as i64;
        let gil = Gil::new(rules, self.clock, self.census.clone());
        let name = if name.is_empty() {
            format!("Process-{number}").into()
        } else {
            name
        };
        let identity = Identity {
            number,
            pid,
            parent,
            name,
        };
        let ends = vm.inherits().map(<[_]>::to_vec);
        let process = Process::new(vm, gil, identity, intervals);
        processes.alive += 1;
        processes.entries.insert(
            number,
            Entry {
                pid,
                parent,
                daemon,
                remains: Arc::downgrade(&process),
                process: Some(process.clone()),
                exit_code: None,
                result: None,
                waiting: Vec::new(),
            },
        );
        drop(processes);
        if let Some(parent) = parent {
            match ends {
                Some(ends) => self.channels.adopt(&ends, number),
                None => self.channels.inherit(parent, number),
            }
        }
        Some(process)
    }

    /// Is there room for one more process?
    pub(super) fn has_room(&self) -> bool {
        self.processes.lock().alive < self.process_limit
    }

    /// Ends a process: from now on it has this exit code (negative: minus the signal that ended
    /// it), and its threads stop as soon as they look.
    pub(super) fn end_process(&self, process: &Process, exit_code: i32) {
        let waiting = {
            let mut processes = self.processes.lock();
            let Some(entry) = processes.entries.get_mut(&process.number) else {
                return;
            };
            if entry.exit_code.is_some() {
                return;
            }
            entry.exit_code = Some(exit_code);
            entry.process = None;
            let waiting = std::mem::take(&mut entry.waiting);
            processes.alive -= 1;
            waiting
        };
        if process.number == 0 {
            self.end(match exit_code {
                -6 => End::Aborted,
                code if code < 0 => End::Killed(-code),
                code => End::Exited(code),
            });
        }
        if let Some(waiter) = process.waiter(process.main)
            && let Some(record) = waiter.tally.record()
        {
            record.emit(self.clock.now_ns(), What::VmEnded { exit_code });
        }
        process.stop();
        self.channels.close_all(process.number);
        for caller in waiting {
            caller.wake();
        }
    }

    /// Ends the run. The first end counts.
    pub(super) fn end(&self, end: End) {
        {
            let mut it = self.end.lock();
            if it.is_some() {
                return;
            }
            *it = Some(end);
        }
        self.ended.notify_all();
        let processes = self.processes.lock().all();
        for process in processes {
            process.stop();
        }
    }

    /// Waits for the end, or brings it about when the time is over.
    pub(super) fn wait(&self, limit: Option<Duration>) -> End {
        let deadline = limit.map(|limit| MachineClock::instant_now() + limit);
        loop {
            let mut end = self.end.lock();
            let out_of_time = loop {
                if let Some(end) = &*end {
                    return end.clone();
                }
                match deadline {
                    None => self.ended.wait(&mut end),
                    Some(deadline) => {
                        if self.ended.wait_until(&mut end, deadline).timed_out() && end.is_none() {
                            break true;
                        }
                    }
                }
            };
            drop(end);
            if out_of_time {
                self.end(End::Limit("--max-time"));
            }
        }
    }

    /// Called by whoever found that no thread can do anything any more.
    pub(super) fn deadlocked(&self) {
        if self.end.lock().is_some() || !self.census.is_empty() {
            return;
        }
        let processes = self.processes.lock().all();
        let vms: Vec<_> = processes.iter().map(|it| it.vm.lock()).collect();
        let stuck: Vec<Standing<'_>> = processes
            .iter()
            .zip(&vms)
            .map(|(process, vm)| process.standing(vm))
            .collect();
        let report = deadlock::report(&stuck);
        drop(vms);
        self.end(End::Deadlock(report));
    }

    /// Where the first Ctrl-C found everybody, if there was one, and somebody besides the main
    /// thread, whose traceback says where it was.
    pub(super) fn found(&self) -> Option<Printable> {
        let found = self.found.lock();
        let it = found.as_ref().filter(|it| !it.alone)?;
        Some(it.now.clone())
    }

    /// Where every thread is, as far as their processes let themselves be looked into within a
    /// moment; none if the run has ended.
    fn whereabouts(&self) -> Option<Printable> {
        if self.end.lock().is_some() {
            return None;
        }
        let processes = self.processes.lock().all();
        let _visits: Vec<_> = processes.iter().map(|it| it.visit.lock()).collect();
        for process in &processes {
            process.call_attention();
        }
        let deadline = MachineClock::instant_now() + MAX_LOOK;
        let vms: Vec<_> = processes
            .iter()
            .map(|it| it.vm.try_lock_until(deadline))
            .collect();
        let (mut seen, mut unseen) = (Vec::new(), Vec::new());
        for (process, vm) in processes.iter().zip(&vms) {
            match vm {
                Some(vm) => seen.push(Seen {
                    standing: process.standing(vm),
                    running: process.holders(),
                }),
                None => unseen.push(printable!(
                    &*process.name,
                    " runs a long builtin, which does not say where it is"
                )),
            }
        }
        Some(whereabouts::report(&seen, &unseen))
    }

    /// Keeps what a thread did that is no more.
    pub(super) fn keep(&self, figures: impl FnOnce() -> ThreadFigures) {
        if let Some(kept) = &self.figures {
            kept.lock().push(figures());
        }
    }

    /// What each thread did, those included that have not ended, if that was to be kept.
    pub(super) fn figures(&self) -> Vec<ThreadFigures> {
        let Some(kept) = &self.figures else {
            return Vec::new();
        };
        let now_ns = self.clock.now_ns();
        let mut living = Vec::new();
        for process in self.remains() {
            // Whoever still runs there will not let go soon; what it did is then known but for its
            // instructions and name.
            let vm = process.vm.try_lock_for(Duration::from_millis(10));
            for (&thread, waiter) in process.waiters.lock().iter() {
                let it = vm.as_ref().map(|vm| &vm.threads[thread.0 as usize]);
                living.push(ThreadFigures {
                    process: process.number,
                    process_name: process.name.clone(),
                    thread: thread.0,
                    thread_name: it.map_or_else(|| "".into(), |it| it.name.clone()),
                    instructions: it.map_or(0, |it| it.instructions),
                    times: waiter.tally.times(now_ns),
                });
            }
        }
        // After the living: a thread that ends meanwhile is in both, and not in neither.
        let mut all = kept.lock().clone();
        all.extend(living);
        all.sort_by_key(|it| (it.process, it.thread));
        all.dedup_by_key(|it| (it.process, it.thread));
        all
    }

    /// Closes what threads that have not ended tell; those that have ended have closed theirs.
    pub(super) fn stop_recording(&self) {
        if self.sinks.is_none() {
            return;
        }
        for process in self.remains() {
            for waiter in process.waiters.lock().values() {
                if let Some(record) = waiter.tally.record() {
                    record.close();
                }
            }
        }
    }

    /// Processes that have threads.
    fn remains(&self) -> Vec<Arc<Process>> {
        let processes = self.processes.lock();
        let entries = processes.entries.values();
        entries
            .filter_map(|entry| entry.remains.upgrade())
            .collect()
    }

    /// Notes that a thread or process was refused. A script that goes on trying will never end by
    /// itself: each one that the error ends makes room for another. So after many the run ends.
    pub(super) fn refused(&self, limit: &'static str) {
        if self.refusals.fetch_add(1, Ordering::Relaxed) >= MAX_REFUSALS {
            self.end(End::Limit(limit));
        }
    }

    /// Counts a thread of the operating system against the limit; false if there may be no more.
    pub(super) fn take_os_thread(&self) -> bool {
        let left = &self.os_threads_left;
        left.try_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            left.checked_sub(1)
        })
        .is_ok()
    }

    /// One of them is about to end, or did not begin.
    pub(super) fn give_os_thread(&self) {
        self.os_threads_left.fetch_add(1, Ordering::SeqCst);
    }

    /// Counts instructions against the limit; true if there are none left.
    pub(super) fn spend(&self, instructions: u64) -> bool {
        match &self.instructions_left {
            None => false,
            Some(left) => {
                left.fetch_sub(instructions as i64, Ordering::Relaxed) <= instructions as i64
            }
        }
    }
}
