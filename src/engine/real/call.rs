//! What a VM asks of the operating system, served: one method for the dispatch, one for each call
//! that blocks.

use crate::engine::child::SIGINT;
use crate::engine::fault;
use crate::engine::outcome::End;
use crate::engine::real::channel::Tried;
use crate::engine::real::clock;
use crate::engine::real::gil::Until;
use crate::engine::real::process::{Caller, Process};
use crate::engine::real::worker::{Held, Next, OS_THREAD_BYTES, Worker};
use crate::engine::stream::Printed;
use crate::event::{VmId, What};
use crate::vm::fault::Fault;
use crate::vm::slice::{Clock, Parcel, Reply, Stream, SysCall};
use crate::vm::thread::Status;
use crate::vm::value::ThreadId;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// How a call that blocks came out.
enum Blocked<T> {
    Done(T),
    TimedOut,
    /// An exception was sent to the thread; there is nothing to answer any more.
    Interrupted,
    /// The process is over.
    Over,
}

impl Worker {
    /// Serves a call and answers it.
    pub(super) fn serve(&mut self, vm: &mut Held<'_>, call: SysCall) -> Next {
        let answer = match call {
            SysCall::Sleep { ns } => return self.sleep(vm, ns),
            SysCall::Write {
                stream,
                text,
                flush,
            } => return self.write(vm, stream, &text, flush),
            SysCall::ReadLine => return self.read_line(vm),
            SysCall::WaitProcess {
                process,
                deadline_ns,
            } => return self.wait_process(vm, process, deadline_ns),
            SysCall::Send {
                channel,
                parcel,
                deadline_ns,
            } => return self.send(vm, channel, &parcel, deadline_ns),
            SysCall::Receive {
                channel,
                deadline_ns,
            } => return self.receive(vm, channel, deadline_ns),
            SysCall::Yield => {
                self.give_way(vm);
                Reply::None
            }
            SysCall::Now(clock) => Reply::Int(self.now(clock)),
            SysCall::StartThread(thread) => self.start_thread(vm, thread),
            SysCall::Fork { name, daemon, .. } => self.fork(vm, name, daemon),
            SysCall::ExitCode { process } => self
                .machine
                .processes
                .lock()
                .exit_code(process)
                .map_or(Reply::None, |code| Reply::Int(code.into())),
            SysCall::ProcessResult { process } => {
                match self.machine.processes.lock().result(process) {
                    None => Reply::None,
                    Some(Ok(parcel)) => Reply::Parcel(parcel),
                    Some(Err(fault)) => Reply::Error(fault),
                }
            }
            SysCall::Kill { process, signal } => {
                let target = self.machine.processes.lock().process(process);
                if let Some(target) = target {
                    self.kill(&target, signal);
                }
                Reply::None
            }
            SysCall::KillPid { pid, signal } => {
                let target = self.machine.processes.lock().by_pid(pid);
                match target {
                    None => Reply::Error(fault::no_such_process()),
                    Some(target) => {
                        self.kill(&target, signal);
                        Reply::None
                    }
                }
            }
            SysCall::ChannelNew { capacity } => {
                let channels = &self.machine.channels;
                match vm.pay_for_channel() {
                    Some(held) => {
                        Reply::Int(channels.open(capacity, self.process.number, held) as i64)
                    }
                    None => Reply::Error(Fault::memory()),
                }
            }
            SysCall::ChannelLen { channel } => Reply::Int(
                self.machine
                    .channels
                    .get(channel)
                    .map_or(0, |it| it.len() as i64),
            ),
            SysCall::ChannelClose { channel, end } => {
                self.machine
                    .channels
                    .close(channel, end, self.process.number);
                Reply::None
            }
            SysCall::SharedNew { parcel } => {
                Reply::Int(self.machine.channels.new_cell(parcel) as i64)
            }
            SysCall::SharedGet { cell } => self
                .machine
                .channels
                .cell(cell)
                .map_or(Reply::None, Reply::Parcel),
            SysCall::SharedSet { cell, parcel } => {
                self.machine.channels.set_cell(cell, parcel);
                Reply::None
            }
            SysCall::Pid => Reply::Int(self.process.pid),
            SysCall::ParentPid => Reply::Int(self.parent_pid()),
            SysCall::CpuCount => Reply::Int(
                std::thread::available_parallelism().map_or(1, |cores| cores.get() as i64),
            ),
            SysCall::SetSwitchInterval { ns } => {
                self.process.switch_interval_ns.store(ns, Ordering::Relaxed);
                let gil = &self.process.gil;
                gil.set_rules(gil.rules().with_interval(ns));
                Reply::None
            }
            SysCall::SwitchInterval => {
                Reply::Int(self.process.switch_interval_ns.load(Ordering::Relaxed) as i64)
            }
            SysCall::SetCheckInterval { instructions } => {
                self.process
                    .check_interval
                    .store(instructions, Ordering::Relaxed);
                let gil = &self.process.gil;
                gil.set_rules(gil.rules().with_instructions(instructions));
                Reply::None
            }
            SysCall::CheckInterval => {
                Reply::Int(self.process.check_interval.load(Ordering::Relaxed) as i64)
            }
            SysCall::GilEnabled => Reply::Bool(true),
            SysCall::Entropy => Reply::Int(RandomState::new().hash_one(clock::wall_ns()) as i64),
        };
        self.answer(vm, answer)
    }

    fn answer(&mut self, vm: &mut Held<'_>, answer: Reply) -> Next {
        if let Reply::Parcel(parcel) = &answer {
            let channels = &self.machine.channels;
            channels.adopt(&parcel.ends, self.process.number);
        }
        if self.is_asking(vm) {
            vm.answer(self.thread, answer);
        }
        // It may have been sent something by its own call (`os.kill(os.getpid(), …)`).
        self.look(vm)
    }

    fn is_asking(&self, vm: &Held<'_>) -> bool {
        matches!(
            vm.threads[self.thread.0 as usize].status,
            Status::Calling(_)
        )
    }

    /// Tries until it is done, resting in between.
    fn block<T>(
        &mut self,
        vm: &mut Held<'_>,
        deadline_ns: Option<u64>,
        until: Until,
        mut attempt: impl FnMut(&Caller) -> Option<T>,
    ) -> Blocked<T> {
        let caller = self.caller();
        loop {
            if let Some(done) = attempt(&caller) {
                return Blocked::Done(done);
            }
            if deadline_ns.is_some_and(|it| it <= self.machine.clock.now_ns()) {
                return Blocked::TimedOut;
            }
            self.rest(vm, until);
            if self.look(vm) == Next::Leave {
                return Blocked::Over;
            }
            if !self.is_asking(vm) {
                return Blocked::Interrupted;
            }
        }
    }

    fn sleep(&mut self, vm: &mut Held<'_>, ns: u64) -> Next {
        if ns == 0 {
            self.outside(vm, || {});
            return self.answer(vm, Reply::None);
        }
        let deadline_ns = self.machine.clock.now_ns().saturating_add(ns);
        let deadline = self.machine.clock.instant(deadline_ns);
        // The main thread is the one that Ctrl-C wakes.
        let until = if self.thread == self.process.main {
            Until::Deadline(deadline)
        } else {
            Until::Asleep(deadline)
        };
        match self.block(vm, Some(deadline_ns), until, |_| None::<()>) {
            Blocked::Done(()) | Blocked::TimedOut => self.answer(vm, Reply::None),
            Blocked::Interrupted => Next::Go,
            Blocked::Over => Next::Leave,
        }
    }

    fn write(&mut self, vm: &mut Held<'_>, stream: Stream, text: &Arc<str>, flush: bool) -> Next {
        let machine = self.machine.clone();
        let (number, ended) = (self.process.number, &self.process.ended);
        match machine.output.print(number, stream, text, flush, ended) {
            None => self.look(vm),
            Some(Printed::Kept) => self.answer(vm, Reply::None),
            Some(Printed::Due) => match self.outside(vm, || machine.output.write_out(stream)) {
                Ok(()) => self.answer(vm, Reply::None),
                Err(error) => self.answer(vm, Reply::Error(fault::of(&error))),
            },
            Some(Printed::TooMuch) => {
                machine.end(End::Limit("--max-output"));
                Next::Leave
            }
        }
    }

    fn read_line(&mut self, vm: &mut Held<'_>) -> Next {
        let machine = self.machine.clone();
        // A prompt has to be seen before somebody can answer it.
        self.outside(vm, || machine.output.prompt());
        let input = machine.input.clone();
        let blocked = self.block(vm, None, Until::Outside, |caller| {
            input.take_or_wait(caller)
        });
        match blocked {
            Blocked::Done(Ok(line)) => {
                let answer = match String::from_utf8(line) {
                    Ok(line) => Reply::Text(line.into()),
                    Err(error) => Reply::Error(fault::not_utf8(&error.utf8_error())),
                };
                self.answer(vm, answer)
            }
            Blocked::Done(Err(error)) => self.answer(vm, Reply::Error(fault::of(&error))),
            Blocked::TimedOut | Blocked::Interrupted => {
                input.forget(&self.caller());
                Next::Go
            }
            Blocked::Over => {
                input.forget(&self.caller());
                Next::Leave
            }
        }
    }

    fn wait_process(&mut self, vm: &mut Held<'_>, process: u64, deadline_ns: Option<u64>) -> Next {
        let machine = self.machine.clone();
        let until = self.until(deadline_ns);
        let blocked = self.block(vm, deadline_ns, until, |caller| {
            let mut processes = machine.processes.lock();
            if processes.exit_code(process).is_some() {
                return Some(());
            }
            processes.wait(process, caller);
            None
        });
        if !matches!(blocked, Blocked::Done(())) {
            machine.processes.lock().forget(process, &self.caller());
        }
        match blocked {
            Blocked::Done(()) => self.answer(vm, Reply::Bool(true)),
            Blocked::TimedOut => self.answer(vm, Reply::Bool(false)),
            Blocked::Interrupted => Next::Go,
            Blocked::Over => Next::Leave,
        }
    }

    fn send(
        &mut self,
        vm: &mut Held<'_>,
        channel: u64,
        parcel: &Parcel,
        deadline_ns: Option<u64>,
    ) -> Next {
        let broken = || Reply::Error(fault::broken_pipe());
        let Some(it) = self.machine.channels.get(channel) else {
            return self.answer(vm, broken());
        };
        let until = self.until(deadline_ns);
        let number = self.process.number;
        let blocked = self.block(vm, deadline_ns, until, |caller| {
            match it.send(parcel, number, caller) {
                Tried::Done(()) => Some(true),
                Tried::Gone => Some(false),
                Tried::Wait => None,
            }
        });
        if !matches!(blocked, Blocked::Done(_)) {
            it.forget(&self.caller());
        }
        match blocked {
            Blocked::Done(true) => {
                let bytes = parcel.bytes.len() as u64;
                self.emit(vm, || What::Sent { channel, bytes });
                self.answer(vm, Reply::Bool(true))
            }
            Blocked::Done(false) => self.answer(vm, broken()),
            Blocked::TimedOut => self.answer(vm, Reply::Bool(false)),
            Blocked::Interrupted => Next::Go,
            Blocked::Over => Next::Leave,
        }
    }

    fn receive(&mut self, vm: &mut Held<'_>, channel: u64, deadline_ns: Option<u64>) -> Next {
        let gone = || Reply::Error(fault::end_of_channel());
        let Some(it) = self.machine.channels.get(channel) else {
            return self.answer(vm, gone());
        };
        let until = self.until(deadline_ns);
        let number = self.process.number;
        let blocked = self.block(vm, deadline_ns, until, |caller| {
            match it.receive(number, caller) {
                Tried::Done(parcel) => Some(Some(parcel)),
                Tried::Gone => Some(None),
                Tried::Wait => None,
            }
        });
        if !matches!(blocked, Blocked::Done(_)) {
            it.forget(&self.caller());
        }
        match blocked {
            Blocked::Done(Some(parcel)) => {
                let bytes = parcel.bytes.len() as u64;
                self.emit(vm, || What::Received { channel, bytes });
                self.answer(vm, Reply::Parcel(parcel))
            }
            Blocked::Done(None) => self.answer(vm, gone()),
            Blocked::TimedOut => self.answer(vm, Reply::None),
            Blocked::Interrupted => Next::Go,
            Blocked::Over => Next::Leave,
        }
    }

    fn give_way(&mut self, vm: &mut Held<'_>) {
        match self.process.gil.rules() {
            crate::gil::Rules::Every { .. } => self.outside(vm, || {}),
            crate::gil::Rules::Ticks { .. }
            | crate::gil::Rules::Interval { .. }
            | crate::gil::Rules::Off => self.outside(vm, std::thread::yield_now),
        }
    }

    fn now(&self, which: Clock) -> i64 {
        match which {
            Clock::Wall => clock::wall_ns(),
            Clock::Monotonic => self.machine.clock.now_ns() as i64,
            Clock::Process => {
                self.process
                    .cpu_ns(&self.waiter, self.machine.clock.now_ns()) as i64
            }
            Clock::Thread => clock::thread_cpu_ns() as i64,
        }
    }

    fn start_thread(&mut self, vm: &mut Held<'_>, thread: ThreadId) -> Reply {
        let it = &vm.threads[thread.0 as usize];
        let (name, daemon) = (it.name.clone(), it.daemon);
        if self.process.alive.load(Ordering::SeqCst) < vm.limits.threads
            && vm.pay_for_thread(thread, OS_THREAD_BYTES)
            && let Ok(worker) = Worker::new(&self.machine, &self.process, thread, &name, daemon)
        {
            let waiter = worker.waiter.clone();
            // As in CPython, the lock is held meanwhile (`PyThread_start_new_thread`).
            if worker.start().is_ok() {
                self.process.gil.reserve_turn(&waiter);
                return Reply::Bool(true);
            }
        }
        vm.unmake_thread(thread);
        self.machine.refused("--max-threads");
        Reply::Error(fault::no_more_threads())
    }

    fn fork(&mut self, vm: &mut Held<'_>, name: Arc<str>, daemon: bool) -> Reply {
        let machine = self.machine.clone();
        if machine.output.is_pending()
            && let Err(error) = self.outside(vm, || machine.output.flush())
        {
            return Reply::Error(fault::of(&error));
        }
        let intervals = (
            self.process.switch_interval_ns.load(Ordering::Relaxed),
            self.process.check_interval.load(Ordering::Relaxed),
        );
        // Copying the VM is the costly part; do without where there is no room for it.
        let child = if self.machine.has_room() {
            let Some(child) = vm.fork(self.thread) else {
                self.machine.refused("--max-memory");
                return Reply::Error(fault::no_memory_to_fork());
            };
            self.machine.new_process(
                child,
                self.process.gil.rules(),
                intervals,
                Some(self.process.number),
                name,
                daemon,
            )
        } else {
            None
        };
        if let Some(child) = child {
            let objects = vm.heap.objects() as u64;
            let bytes = (vm.heap.live + vm.heap.allocated) as u64;
            let main = child.main;
            let its_name = child.vm.lock().threads[main.0 as usize].name.clone();
            let started = Worker::new(&self.machine, &child, main, &its_name, false)
                .and_then(|worker| self.outside(vm, || worker.start()));
            if started.is_ok() {
                self.emit(vm, || What::Forked {
                    child: VmId(child.number as u32),
                    objects,
                    bytes,
                });
                return Reply::Process {
                    process: child.number,
                    pid: child.pid,
                };
            }
            self.machine.end_process(&child, 1);
        }
        self.machine.refused("--max-processes");
        Reply::Error(fault::no_more_processes())
    }

    fn kill(&self, target: &Process, signal: i32) {
        match signal {
            0 => {}
            SIGINT => target.interrupt(),
            _ => self.machine.end_process(target, -signal),
        }
    }

    fn parent_pid(&self) -> i64 {
        match self.process.parent {
            Some(parent) => self.machine.processes.lock().pid(parent).unwrap_or(1),
            None => parent_of_program(),
        }
    }
}

#[cfg(unix)]
fn parent_of_program() -> i64 {
    std::os::unix::process::parent_id().into()
}

#[cfg(not(unix))]
fn parent_of_program() -> i64 {
    1
}
