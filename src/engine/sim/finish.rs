//! How threads and processes begin and end, and what is told when nobody can do anything any more.

use crate::engine::child::{self, SIGTERM};
use crate::engine::deadlock::{self, Stage, Standing};
use crate::engine::outcome::{End, ThreadFigures};
use crate::engine::sim::clock::VirtualNs;
use crate::engine::sim::process::{Gil, Process};
use crate::engine::sim::task::{Activity, Phase, Resume, Task, TaskId};
use crate::engine::sim::world::World;
use crate::engine::stream::{ExitCode, Printed};
use crate::engine::whereabouts::{self, Seen};
use crate::event::{Release, VmId, What};
use crate::gil::lock::{Lock, MainExit, Trigger};
use crate::gil::{DEFAULT_INTERVAL_NS, DEFAULT_TICKS};
use crate::printable::Printable;
use crate::vm::Vm;
use crate::vm::class::Type;
use crate::vm::slice::Stream;
use crate::vm::value::ThreadId;
use std::collections::BTreeSet;
use std::sync::Arc;

/// So many threads and processes are refused by an exception before the run ends.
const MAX_REFUSALS: u64 = 1000;

/// The pid of the first process; the others count on from there.
const FIRST_PID: i64 = 1000;

impl World {
    /// The process that the run begins with.
    pub(super) fn first_process(&mut self, vm: Vm, lock: Lock) {
        let main = vm.main;
        let switch_interval_ns = match lock.trigger {
            Trigger::WaiterTimeout { interval_ns } => interval_ns,
            Trigger::Turns { .. }
            | Trigger::Ticks { .. }
            | Trigger::WaiterTimer { .. }
            | Trigger::TimerThread { .. }
            | Trigger::Free => DEFAULT_INTERVAL_NS,
        };
        let check_interval = match lock.trigger {
            Trigger::Turns { instructions } => instructions,
            Trigger::Ticks { ticks } => ticks,
            Trigger::WaiterTimeout { .. }
            | Trigger::WaiterTimer { .. }
            | Trigger::TimerThread { .. }
            | Trigger::Free => DEFAULT_TICKS,
        };
        self.add_process(
            vm,
            lock,
            (switch_interval_ns, check_interval),
            None,
            "MainProcess".into(),
            false,
        );
        let task = self.new_task(0, main);
        self.wake_task(task, VirtualNs(0));
    }

    /// A child of a process.
    pub(super) fn new_process(
        &mut self,
        vm: Vm,
        parent: Option<u32>,
        name: &str,
        daemon: bool,
    ) -> u32 {
        let number = self.processes.len() as u32;
        let of = &self.processes[parent.unwrap_or(0) as usize];
        let (lock, intervals) = (of.lock, (of.switch_interval_ns, of.check_interval));
        let name = if name.is_empty() {
            format!("Process-{number}").into()
        } else {
            name.into()
        };
        let ends = vm.inherits().map(<[_]>::to_vec);
        self.add_process(vm, lock, intervals, parent, name, daemon);
        if let Some(parent) = parent {
            match ends {
                Some(ends) => self.channels.adopt(&ends, number),
                None => self.channels.inherit(parent, number),
            }
        }
        number
    }

    fn add_process(
        &mut self,
        mut vm: Vm,
        lock: Lock,
        (switch_interval_ns, check_interval): (u64, u64),
        parent: Option<u32>,
        name: Arc<str>,
        daemon: bool,
    ) {
        vm.yields_at_mutex = lock.mutex_lets_go;
        vm.heap.set_flag(self.flag.clone());
        let pid = FIRST_PID + self.processes.len() as i64;
        self.processes_alive += 1;
        let mut gil = Gil::default();
        if let Trigger::Ticks { ticks } = lock.trigger {
            // How far the counter is depends on everything that came before, down to the imports of
            // the interpreter itself.
            gil.ticks_left = self.choice.phase(ticks);
        }
        self.processes.push(Process {
            main: vm.main,
            vm: Some(Box::new(vm)),
            name,
            pid,
            parent,
            daemon,
            lock,
            gil,
            tasks: Vec::new(),
            alive: 0,
            plain: 0,
            stage: Stage::Running,
            interrupted: false,
            switch_interval_ns,
            check_interval,
            cpu: VirtualNs(0),
            exit_code: None,
            result: None,
            waiting: Vec::new(),
            bursts: BTreeSet::new(),
        });
    }

    /// A task for a thread of a VM. It is yet to be woken.
    pub(super) fn new_task(&mut self, number: u32, thread: ThreadId) -> TaskId {
        let process = &mut self.processes[number as usize];
        let main = thread == process.main;
        let state = &process.vm().threads[thread.0 as usize];
        let (name, daemon) = (state.name.clone(), state.daemon);
        process.alive += 1;
        process.plain += usize::from(!main && !daemon);
        let (vm_name, parent) = (process.name.clone(), process.parent);
        let task = self.tasks.push(Task::new(number, thread, daemon, self.now));
        self.processes[number as usize].set_task(thread, Some(task));
        if main {
            self.emit(task, || What::VmBorn {
                name: vm_name,
                parent: parent.map(VmId),
            });
        }
        self.emit(task, || What::ThreadBorn { name, daemon });
        task
    }

    /// Looks at what was sent to the process of a task that has the lock; false if the process is
    /// over.
    pub(super) fn look(&mut self, task: TaskId) -> bool {
        let number = self.tasks[task.0 as usize].process;
        self.tasks[task.0 as usize].notified = false;
        let process = &mut self.processes[number as usize];
        if !std::mem::take(&mut process.interrupted) {
            return true;
        }
        if process.stage != Stage::Running {
            self.end_process(task, number, 130);
            return false;
        }
        let main = process.main;
        process.vm().interrupt(main, Type::KeyboardInterrupt);
        let woken = process.vm().take_woken();
        self.wake_threads(task, &woken);
        true
    }

    /// What a thread's end means: a report, and for the main one the end of its process, once the
    /// others are done.
    pub(super) fn finish(&mut self, task: TaskId, report: Option<String>, exit_code: i32) {
        let (number, thread) = {
            let state = &self.tasks[task.0 as usize];
            (state.process, state.thread)
        };
        let process = &mut self.processes[number as usize];
        let is_main = thread == process.main;
        let is_first = process.parent.is_none();
        let exit_code = ExitCode::new(exit_code, report.is_some(), is_first);
        if let Some(report) = report {
            let report = if is_main && process.parent.is_some() {
                format!("Process {}:\n{report}", process.name)
            } else {
                report
            };
            let (printed, _) = self.console.print(number, Stream::Err, &report, true);
            if printed == Printed::TooMuch {
                self.end = Some(End::Limit("--max-output"));
                return;
            }
        }
        if !is_main {
            return self.end_task(task);
        }
        let process = &mut self.processes[number as usize];
        if process.parent.is_some() {
            process.result = Some(child::result(process.vm(), thread));
        }
        process.stage = Stage::Threads;
        self.finish_main(task, exit_code);
    }

    /// A main thread that has ended waits for the plain threads, then for the children; then its
    /// process ends.
    pub(super) fn finish_main(&mut self, task: TaskId, exit_code: ExitCode) {
        let number = self.tasks[task.0 as usize].process;
        let process = &mut self.processes[number as usize];
        if process.stage == Stage::Threads {
            if process.plain > 0 && process.lock.main_exit == MainExit::Join {
                self.tasks[task.0 as usize].resume = Resume::Finish { exit_code };
                return self.rest(task, None);
            }
            process.stage = Stage::Children;
            for child in self.children(number, true) {
                self.end_process(task, child, -SIGTERM);
            }
        }
        if let Some(child) = self.children(number, false).pop() {
            let waiting = &mut self.processes[child as usize].waiting;
            if !waiting.contains(&task) {
                waiting.push(task);
            }
            self.tasks[task.0 as usize].resume = Resume::Finish { exit_code };
            return self.rest(task, None);
        }
        let written = match self.processes[number as usize].parent {
            None => self.console.finish(),
            Some(_) => self.console.finish_child(number),
        };
        self.end_process(task, number, exit_code.when(written));
    }

    fn children(&self, parent: u32, daemon: bool) -> Vec<u32> {
        let is_child = |it: &Process| {
            it.parent == Some(parent) && it.daemon == daemon && it.exit_code.is_none()
        };
        let processes = self.processes.iter().enumerate();
        processes
            .filter(|(_, it)| is_child(it))
            .map(|(number, _)| number as u32)
            .collect()
    }

    /// A thread that is not its VM's main one is no more.
    fn end_task(&mut self, task: TaskId) {
        self.release(task, Release::End);
        self.emit(task, || What::ThreadEnded);
        self.keep_figures(task);
        self.leave_core(task, Phase::Gone);
        let state = &self.tasks[task.0 as usize];
        let (thread, plain) = (state.thread, !state.daemon);
        let process = &mut self.processes[state.process as usize];
        process.set_task(thread, None);
        process.vm().bury(thread);
        self.tasks.bury(task);
        process.alive -= 1;
        process.plain -= usize::from(plain);
        if plain
            && process.plain == 0
            && process.stage == Stage::Threads
            && let Some(main) = process.task(process.main)
        {
            self.wake_any(task, main);
        }
    }

    /// Ends the process of a task with an exit code.
    pub(super) fn end_process_of(&mut self, task: TaskId, exit_code: i32) {
        let number = self.tasks[task.0 as usize].process;
        self.end_process(task, number, exit_code);
    }

    /// Ends a process: from now on it has this exit code (negative: minus the signal that ended
    /// it), and its threads are no more.
    pub(super) fn end_process(&mut self, by: TaskId, number: u32, exit_code: i32) {
        let process = &mut self.processes[number as usize];
        if process.exit_code.is_some() {
            return;
        }
        process.exit_code = Some(exit_code);
        self.processes_alive -= 1;
        let tasks: Vec<TaskId> = process.tasks.iter().copied().flatten().collect();
        let waiting = std::mem::take(&mut process.waiting);
        let main = process.task(process.main);
        for task in tasks {
            let state = &self.tasks[task.0 as usize];
            if state.phase == Phase::Ready {
                self.cores.forget(state.ready_key, task);
            }
            if state.tally.activity() == Activity::Holding {
                self.emit_ran(task);
                if self.processes[number as usize].lock.exists() {
                    self.emit(task, || What::LockReleased(Release::End));
                }
            }
            self.emit(task, || What::ThreadEnded);
            self.keep_figures(task);
            self.leave_core(task, Phase::Gone);
            self.tasks.bury(task);
        }
        self.emit(main.unwrap_or(by), || What::VmEnded { exit_code });
        let process = &mut self.processes[number as usize];
        process.vm = None;
        process.tasks = Vec::new();
        process.gil = Gil::default();
        process.bursts.clear();
        (process.alive, process.plain) = (0, 0);
        if number == 0 {
            self.end = Some(match exit_code {
                -6 => End::Aborted,
                code if code < 0 => End::Killed(-code),
                code => End::Exited(code),
            });
        }
        for woken in self.channels.close_all(number) {
            self.wake_any(by, woken);
        }
        for woken in waiting {
            self.wake_any(by, woken);
        }
    }

    fn keep_figures(&mut self, task: TaskId) {
        if !self.statistics {
            return;
        }
        let state = &self.tasks[task.0 as usize];
        let process = &self.processes[state.process as usize];
        let Some(vm) = &process.vm else { return };
        let thread = &vm.threads[state.thread.0 as usize];
        self.figures.push(ThreadFigures {
            process: u64::from(state.process),
            process_name: process.name.clone(),
            thread: state.thread.0,
            thread_name: thread.name.clone(),
            instructions: thread.instructions,
            times: state.tally.times(self.now),
        });
    }

    /// The figures of those who have not ended, and all in order.
    pub(super) fn remaining_figures(&mut self) {
        for task in self.tasks.numbers() {
            self.keep_figures(task);
        }
        self.figures.sort_by_key(|it| (it.process, it.thread));
    }

    /// What is told when nobody can do anything any more.
    pub(super) fn deadlock(&self) -> Printable {
        let numbers = 0..self.processes.len();
        let stuck: Vec<_> = numbers.filter_map(|number| self.standing(number)).collect();
        deadlock::report(&stuck)
    }

    /// Ends the run because somebody wants it to end, who is told where every thread is.
    pub(super) fn interrupt(&mut self) {
        let numbers = 0..self.processes.len();
        let seen: Vec<Seen<'_>> = numbers.filter_map(|number| self.seen(number)).collect();
        self.end = Some(End::Interrupted(whereabouts::report(&seen, &[])));
    }

    fn seen(&self, number: usize) -> Option<Seen<'_>> {
        let tasks = self.processes[number].tasks.iter().enumerate();
        let holds =
            |task: &TaskId| self.tasks[task.0 as usize].tally.activity() == Activity::Holding;
        let running = tasks.filter(|(_, task)| task.as_ref().is_some_and(holds));
        Some(Seen {
            standing: self.standing(number)?,
            running: running.map(|(at, _)| ThreadId(at as u32)).collect(),
        })
    }

    /// How a process stands that has not ended.
    fn standing(&self, number: usize) -> Option<Standing<'_>> {
        let process = &self.processes[number];
        let threads = process.tasks.iter().enumerate();
        Some(Standing {
            number: number as u64,
            name: &process.name,
            vm: process.vm.as_deref()?,
            threads: threads
                .filter(|(_, task)| task.is_some())
                .map(|(at, _)| ThreadId(at as u32))
                .collect(),
            stage: process.stage,
        })
    }

    /// Notes that a thread or process was refused. A script that goes on trying will never end by
    /// itself: each one that the error ends makes room for another. So after many the run ends.
    pub(super) fn refused(&mut self, limit: &'static str) {
        self.refusals += 1;
        if self.refusals > MAX_REFUSALS {
            self.end = Some(End::Limit(limit));
        }
    }
}
