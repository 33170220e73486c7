//! The life of an OS thread: take the lock, run a slice, act on why it stopped, until the Mini
//! thread ends.

use crate::engine::child::{self, SIGABRT, SIGTERM};
use crate::engine::deadlock::Stage;
use crate::engine::outcome::{End, ThreadFigures};
use crate::engine::real::gil::{Until, WaitStart, Waiter};
use crate::engine::real::machine::Machine;
use crate::engine::real::process::{Caller, Process};
use crate::engine::stream::{ExitCode, Printed};
use crate::event::{Blockage, Place, Release, What};
use crate::vm::Vm;
use crate::vm::class::Type;
use crate::vm::slice::{Budget, Slice, Stop, Stream};
use crate::vm::thread::Status;
use crate::vm::value::ThreadId;
use parking_lot::MutexGuard;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The VM runs on its own stack; what its thread of the operating system needs is bounded. Pages
/// count only once they are touched.
const STACK_BYTES: usize = 1 << 20;

/// What a thread of the operating system takes of memory, beside what its VM has for it: measured
/// with 4,000 that sleep.
pub(super) const OS_THREAD_BYTES: usize = 16 << 10;

/// Longest slice between two looks at what was sent to the process; a longer turn is several
/// slices.
const SLICE_OPS: u64 = 1 << 20;

/// The VM under its lock.
pub(super) type Held<'a> = MutexGuard<'a, Vm>;

/// Does the thread go on?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    Go,
    /// Its process is over, or it is.
    Leave,
}

/// An OS thread at work.
pub(super) struct Worker {
    pub(super) machine: Arc<Machine>,
    pub(super) process: Arc<Process>,
    pub(super) thread: ThreadId,
    pub(super) waiter: Arc<Waiter>,
    daemon: bool,
    /// Instructions left of this turn (under `interval`: 0 when it was asked to look).
    left: u64,
}

impl Worker {
    /// The worker of a Mini thread, which counts as alive from now on.
    pub(super) fn new(
        machine: &Arc<Machine>,
        process: &Arc<Process>,
        thread: ThreadId,
        name: &Arc<str>,
        daemon: bool,
    ) -> io::Result<Worker> {
        if !machine.take_os_thread() {
            return Err(io::Error::from(io::ErrorKind::QuotaExceeded));
        }
        Ok(Worker {
            machine: machine.clone(),
            process: process.clone(),
            thread,
            waiter: process.seat_for(machine, thread, name, daemon),
            daemon,
            left: 0,
        })
    }

    /// Starts its OS thread, which takes the operating system some time and no lock of Mini's.
    pub(super) fn start(self) -> io::Result<()> {
        let (machine, process) = (self.machine.clone(), self.process.clone());
        let (waiter, thread, daemon) = (self.waiter.clone(), self.thread, self.daemon);
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where Mini threads begin"
        )]
        let started = std::thread::Builder::new()
            .name(format!("mini {}.{}", process.number, thread.0))
            .stack_size(STACK_BYTES)
            .spawn(move || self.work());
        if let Err(error) = started {
            end_record(&waiter, &machine);
            process.vacate(&machine, thread, daemon);
            machine.give_os_thread();
            return Err(error);
        }
        Ok(())
    }

    fn work(mut self) {
        let lived = catch_unwind(AssertUnwindSafe(|| {
            self.waiter.bind_to_this_thread();
            self.process.gil.acquire(&self.waiter);
            let process = self.process.clone();
            let mut vm = process.vm.lock();
            self.begin_turn();
            self.live(&mut vm);
            self.emit_ran(&vm);
            self.keep_figures(&vm);
            if self.thread != self.process.main {
                vm.bury(self.thread);
            }
        }));
        if let Err(panic) = lived {
            let message = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
                .unwrap_or_default();
            self.machine.end(End::Bug(message));
        }
        self.process
            .past_cpu_ns
            .fetch_add(super::clock::thread_cpu_ns(), Ordering::Relaxed);
        end_record(&self.waiter, &self.machine);
        // Before others can know of the end: whoever has joined it may start another.
        self.machine.give_os_thread();
        let last = self.process.vacate(&self.machine, self.thread, self.daemon);
        self.process.gil.retire(&self.waiter);
        if last {
            self.machine.deadlocked();
        }
    }

    fn live(&mut self, vm: &mut Held<'_>) {
        if self.look(vm) == Next::Leave {
            return;
        }
        loop {
            if self.left == 0 {
                if self.process.gil.attention.load(Ordering::Acquire)
                    && self.attend(vm) == Next::Leave
                {
                    return;
                }
            } else if self.process.signalled.load(Ordering::Relaxed) && self.look(vm) == Next::Leave
            {
                return;
            }
            let Slice { ran, stop } = self.slice(vm);
            if self.machine.spend(ran) {
                self.machine.end(End::Limit("--max-instructions"));
                return;
            }
            self.wake_others(vm);
            let next = match stop {
                Stop::Budget | Stop::Woke => Next::Go,
                Stop::Flagged => self.look(vm),
                Stop::Waiting => self.wait(vm),
                Stop::Call(call) => self.serve(vm, call),
                Stop::Finished { report, exit_code } => {
                    self.finish(vm, report, exit_code);
                    Next::Leave
                }
                Stop::Exit(code) => {
                    self.keep_figures(vm);
                    self.machine.end_process(&self.process, code & 0xff);
                    Next::Leave
                }
                Stop::Abort => {
                    self.keep_figures(vm);
                    self.machine.end_process(&self.process, -SIGABRT);
                    Next::Leave
                }
            };
            if next == Next::Leave {
                return;
            }
        }
    }

    /// Runs a slice: the rest of the turn, and those that follow it as long as nobody wants
    /// anything. The loop of the VM itself begins them, so that a turn costs a few machine
    /// instructions where nobody waits.
    fn slice(&mut self, vm: &mut Held<'_>) -> Slice {
        let gil = &self.process.gil;
        let quantum = gil.quantum();
        let bound = match &self.machine.instructions_left {
            None => SLICE_OPS,
            Some(left) => SLICE_OPS.min(left.load(Ordering::Relaxed).max(1) as u64),
        };
        if !gil.counts() {
            let budget = Budget::Polls {
                stop: &gil.attention,
                at_most: bound,
            };
            let slice = vm.run(self.thread, budget);
            self.left = u64::from(slice.stop != Stop::Budget);
            return slice;
        }
        if self.left == 0 {
            self.left = quantum;
        }
        let budget = if quantum <= SLICE_OPS && self.machine.instructions_left.is_none() {
            if let Some(before) = self.until_hint() {
                return self.run_until_hint(vm, before);
            }
            Budget::Turns {
                left: self.left,
                turn: quantum,
                wanted: &gil.attention,
            }
        } else {
            Budget::Instructions(self.left.min(bound))
        };
        let slice = vm.run(self.thread, budget);
        self.left = match self.left.checked_sub(slice.ran) {
            Some(left) => left,
            None => quantum - 1 - (slice.ran - self.left - 1) % quantum,
        };
        slice
    }

    /// If a waiter should be hinted shortly before the end of this turn: how many instructions are
    /// left until then.
    fn until_hint(&self) -> Option<u64> {
        let gil = &self.process.gil;
        if !gil.attention.load(Ordering::Relaxed) {
            return None;
        }
        self.left
            .checked_sub(gil.hint_lead(&self.waiter)?)
            .filter(|it| *it > 0)
    }

    /// Runs that many, and hints the waiter.
    fn run_until_hint(&mut self, vm: &mut Held<'_>, instructions: u64) -> Slice {
        let slice = vm.run(self.thread, Budget::Instructions(instructions));
        self.left -= slice.ran;
        if slice.ran == instructions {
            self.process.gil.hint_turn(&self.waiter);
        }
        slice
    }

    /// The end of a turn at which somebody wants something.
    fn attend(&mut self, vm: &mut Held<'_>) -> Next {
        // Cleared before looking for reasons: one that comes later sets it again.
        self.process.gil.attention.store(false, Ordering::SeqCst);
        if self.look(vm) == Next::Leave {
            return Next::Leave;
        }
        self.emit_ran(vm);
        MutexGuard::unlocked(vm, || self.process.gil.offer(&self.waiter));
        self.look(vm)
    }

    /// Looks at what was sent to the process.
    pub(super) fn look(&self, vm: &mut Held<'_>) -> Next {
        if self.process.flag.is_up() {
            self.process.flag.lower();
        }
        // Read first: nearly always nothing was sent, and a swap would take the line from whoever
        // else reads it.
        if !self.process.signalled.load(Ordering::SeqCst)
            || !self.process.signalled.swap(false, Ordering::SeqCst)
        {
            return Next::Go;
        }
        if self.process.ended.load(Ordering::SeqCst) {
            self.process.signalled.store(true, Ordering::SeqCst);
            self.process.flag.raise();
            return Next::Leave;
        }
        if self.process.visit.is_locked() {
            MutexGuard::unlocked(vm, || drop(self.process.visit.lock()));
        }
        if self.process.interrupted.swap(false, Ordering::SeqCst) {
            if self.process.stage() != Stage::Running {
                self.machine.end_process(&self.process, 130);
                return Next::Leave;
            }
            vm.interrupt(self.process.main, Type::KeyboardInterrupt);
            self.wake_others(vm);
        }
        Next::Go
    }

    /// Wakes the threads that this slice made ready.
    pub(super) fn wake_others(&self, vm: &mut Held<'_>) {
        let woken = vm.take_woken();
        self.process.wake(&woken);
    }

    /// Lets go of the lock, rests, and takes it back, with a turn of its own.
    pub(super) fn rest(&mut self, vm: &mut Held<'_>, until: Until) {
        self.emit_ran(vm);
        self.announce_rest(vm, until);
        let (gil, waiter) = (&self.process.gil, &self.waiter);
        MutexGuard::unlocked(vm, || match gil.begin_wait(waiter, until) {
            WaitStart::Notified => {
                if let Some(record) = waiter.tally.record() {
                    record.will_not_rest();
                }
            }
            WaitStart::Released { last } => {
                if last {
                    self.machine.deadlocked();
                }
                gil.finish_wait(waiter, until);
            }
        });
        self.begin_turn();
    }

    /// Does something that may block outside of all VMs, without the lock.
    pub(super) fn outside<T>(&mut self, vm: &mut Held<'_>, act: impl FnOnce() -> T) -> T {
        self.emit_ran(vm);
        let (gil, waiter) = (&self.process.gil, &self.waiter);
        let result = MutexGuard::unlocked(vm, || {
            gil.release(waiter);
            let result = act();
            gil.acquire(waiter);
            result
        });
        self.begin_turn();
        result
    }

    /// Tells what it ran since the last time.
    fn emit_ran(&self, vm: &Vm) {
        if let Some(record) = self.waiter.tally.record() {
            let instructions = vm.threads[self.thread.0 as usize].instructions;
            let place = Place::last(vm, self.thread);
            record.emit_ran(self.machine.clock.now_ns(), place, instructions);
        }
    }

    /// Says what it is about to wait for.
    fn announce_rest(&self, vm: &Vm, until: Until) {
        let Some(record) = self.waiter.tally.record() else {
            return;
        };
        let on = Blockage::of(vm, self.thread).unwrap_or(match self.process.stage() {
            Stage::Children => Blockage::Children,
            Stage::Running | Stage::Threads => Blockage::Threads,
        });
        let until_ns = match until {
            Until::Deadline(deadline) | Until::Asleep(deadline) => {
                Some(self.machine.clock.ns(deadline))
            }
            Until::Woken | Until::Outside => None,
        };
        record.emit_name(self.machine.clock.now_ns(), vm);
        record.will_rest(on, until_ns, Place::last(vm, self.thread));
    }

    /// Tells what it did outside of its VM.
    pub(super) fn emit(&self, vm: &Vm, what: impl FnOnce() -> What) {
        if let Some(record) = self.waiter.tally.record() {
            let place = Place::last(vm, self.thread);
            record.emit_at(self.machine.clock.now_ns(), place, what());
        }
    }

    fn begin_turn(&mut self) {
        let gil = &self.process.gil;
        self.left = if gil.counts() { gil.quantum() } else { 1 };
    }

    /// Waits inside the VM, until another thread has made this one ready or its deadline has
    /// passed.
    fn wait(&mut self, vm: &mut Held<'_>) -> Next {
        loop {
            let deadline_ns = match &vm.threads[self.thread.0 as usize].status {
                Status::Waiting { deadline_ns, .. } => *deadline_ns,
                Status::Ready | Status::Calling(_) | Status::Finished => return Next::Go,
            };
            let until = self.until(deadline_ns);
            if let Until::Deadline(_) = until
                && deadline_ns.is_some_and(|it| it <= self.machine.clock.now_ns())
            {
                vm.time_out(self.thread);
                return Next::Go;
            }
            self.rest(vm, until);
            if self.look(vm) == Next::Leave {
                return Next::Leave;
            }
        }
    }

    pub(super) fn until(&self, deadline_ns: Option<u64>) -> Until {
        match deadline_ns {
            None => Until::Woken,
            Some(ns) => Until::Deadline(self.machine.clock.instant(ns)),
        }
    }

    /// This thread, for those who will wake it.
    pub(super) fn caller(&self) -> Caller {
        Caller {
            process: self.process.clone(),
            waiter: self.waiter.clone(),
        }
    }

    /// What a thread's end means: a report, and for the main one the end of its process, once the
    /// others are done.
    fn finish(&mut self, vm: &mut Held<'_>, report: Option<String>, exit_code: i32) {
        let is_main = self.thread == self.process.main;
        let is_first = self.process.parent.is_none();
        let exit_code = ExitCode::new(exit_code, report.is_some(), is_first);
        if let Some(report) = report {
            let report = if is_main && self.process.parent.is_some() {
                format!("Process {}:\n{report}", self.process.name)
            } else {
                report
            };
            self.complain(vm, &report);
        }
        if !is_main {
            return;
        }
        if self.process.parent.is_some() {
            let result = child::result(vm, self.process.main);
            self.machine
                .processes
                .lock()
                .set_result(self.process.number, result);
        }
        self.process.set_stage(Stage::Threads);
        while self.process.plain.load(Ordering::SeqCst) > 0 {
            self.rest(vm, Until::Woken);
            if self.look(vm) == Next::Leave {
                return;
            }
        }
        self.process.set_stage(Stage::Children);
        let number = self.process.number;
        let daemons = self.machine.processes.lock().children(number, true);
        for child in daemons {
            self.machine.end_process(&child, -SIGTERM);
        }
        loop {
            let Some(child) = self.machine.processes.lock().children(number, false).pop() else {
                break;
            };
            let ended = {
                let mut processes = self.machine.processes.lock();
                processes.wait(child.number, &self.caller());
                processes.exit_code(child.number).is_some()
            };
            if !ended {
                self.rest(vm, Until::Woken);
                if self.look(vm) == Next::Leave {
                    return;
                }
            }
        }
        let exit_code = exit_code.when(self.finish_streams(vm));
        self.keep_figures(vm);
        self.machine.end_process(&self.process, exit_code);
    }

    /// Writes out what the process has printed, without the lock; false if it cannot be written.
    fn finish_streams(&mut self, vm: &mut Held<'_>) -> bool {
        let (machine, process) = (self.machine.clone(), self.process.clone());
        if !machine.output.is_pending() {
            return true;
        }
        self.outside(vm, || match process.parent {
            None => machine.output.finish(),
            Some(_) => machine.output.finish_child(process.number),
        })
    }

    /// Writes a report to standard error, without the lock. That it cannot be written shows at the
    /// end.
    fn complain(&mut self, vm: &mut Held<'_>, text: &str) {
        let (machine, process) = (self.machine.clone(), self.process.clone());
        let printed = machine
            .output
            .print(process.number, Stream::Err, text, true, &process.ended);
        match printed {
            None | Some(Printed::Kept) => {}
            Some(Printed::Due) => {
                let _ = self.outside(vm, || machine.output.write_out(Stream::Err));
            }
            Some(Printed::TooMuch) => machine.end(End::Limit("--max-output")),
        }
    }

    fn keep_figures(&self, vm: &Held<'_>) {
        self.machine.keep(|| {
            let times = self.waiter.tally.times(self.machine.clock.now_ns());
            ThreadFigures::of(&self.process, vm, self.thread, times)
        });
    }
}

/// The thread is no more. It says so before it lets go of its waiter, since the run may be over the
/// moment after.
fn end_record(waiter: &Waiter, machine: &Machine) {
    if let Some(record) = waiter.tally.record() {
        let now_ns = machine.clock.now_ns();
        record.emit(now_ns, What::LockReleased(Release::End));
        record.emit(now_ns, What::ThreadEnded);
        record.close();
    }
}
