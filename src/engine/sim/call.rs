//! What a VM asks of the operating system, served in virtual time: one method for the dispatch, one
//! for each call that blocks.

use crate::engine::child::SIGINT;
use crate::engine::fault;
use crate::engine::outcome::End;
use crate::engine::sim::channel::Tried;
use crate::engine::sim::clock::VirtualNs;
use crate::engine::sim::cost::ZeroSleep;
use crate::engine::sim::task::{Resume, TaskId};
use crate::engine::sim::world::World;
use crate::engine::stream::Printed;
use crate::event::What;
use crate::vm::fault::Fault;
use crate::vm::slice::{Clock, Parcel, Reply, SysCall};
use crate::vm::thread::Status;
use crate::vm::value::ThreadId;
use std::io;
use std::sync::Arc;

/// What a task takes of memory, beside its thread.
const TASK_BYTES: usize = 1 << 10;

/// When every run begins, in seconds since the epoch: 1 January 2026. A simulation that asked the
/// wall's clock would not be the same twice.
const EPOCH_S: i64 = 1_767_225_600;

impl World {
    /// Serves a call and answers it.
    pub(super) fn serve(&mut self, task: TaskId, call: SysCall) {
        let number = self.tasks[task.0 as usize].process;
        let answer = match call {
            SysCall::Sleep { ns } => {
                let length = match self.costs.sleep_zero {
                    _ if ns > 0 => VirtualNs(ns),
                    ZeroSleep::Timer(length) => length,
                    ZeroSleep::AtOnce(length) => {
                        self.answer(task, Reply::None);
                        return self.short_call(task, length);
                    }
                };
                let deadline = Some(self.now + length);
                return self.block_in_call(task, call, deadline);
            }
            SysCall::WaitProcess { deadline_ns, .. }
            | SysCall::Send { deadline_ns, .. }
            | SysCall::Receive { deadline_ns, .. } => {
                return self.block_in_call(task, call, deadline_ns.map(VirtualNs));
            }
            SysCall::Write {
                stream,
                text,
                flush,
            } => {
                let printed = self.console.print(number, stream, &text, flush);
                return self.printed(task, printed);
            }
            SysCall::ReadLine => {
                let memory = self.processes[number as usize].vm().account().clone();
                let line = self.console.read_line(&memory);
                if self.flag.is_up() {
                    return self.interrupt();
                }
                let answer = match line {
                    Ok(line) => match String::from_utf8(line) {
                        Ok(line) => Reply::Text(line.into()),
                        Err(error) => Reply::Error(fault::not_utf8(&error.utf8_error())),
                    },
                    Err(error) => Reply::Error(fault::of(&error)),
                };
                self.answer(task, answer);
                return self.short_call(task, self.costs.system_call);
            }
            SysCall::Yield => {
                self.answer(task, Reply::None);
                return self.short_call(task, self.costs.system_call);
            }
            SysCall::Now(clock) => {
                self.owe(task, self.costs.clock);
                Reply::Int(self.clock(task, clock))
            }
            SysCall::StartThread(thread) => self.start_thread(task, thread),
            SysCall::Fork {
                name,
                daemon,
                spawn,
            } => self.fork(task, name, daemon, spawn.is_some()),
            SysCall::ExitCode { process } => self
                .exit_code(process)
                .map_or(Reply::None, |code| Reply::Int(code.into())),
            SysCall::ProcessResult { process } => {
                let process = self.processes.get(process as usize);
                match process.and_then(|it| it.result.clone()) {
                    None => Reply::None,
                    Some(Ok(parcel)) => Reply::Parcel(parcel),
                    Some(Err(fault)) => Reply::Error(fault),
                }
            }
            SysCall::Kill { process, signal } => {
                if self.exit_code(process).is_none() {
                    self.kill(task, process as u32, signal);
                }
                Reply::None
            }
            SysCall::KillPid { pid, signal } => {
                let alive = |it: &crate::engine::sim::process::Process| {
                    it.pid == pid && it.exit_code.is_none()
                };
                match self.processes.iter().position(alive) {
                    None => Reply::Error(fault::no_such_process()),
                    Some(target) => {
                        self.kill(task, target as u32, signal);
                        Reply::None
                    }
                }
            }
            SysCall::ChannelNew { capacity } => {
                match self.processes[number as usize].vm().pay_for_channel() {
                    Some(held) => Reply::Int(self.channels.open(capacity, number, held) as i64),
                    None => Reply::Error(Fault::memory()),
                }
            }
            SysCall::ChannelLen { channel } => Reply::Int(self.channels.len(channel) as i64),
            SysCall::ChannelClose { channel, end } => {
                for woken in self.channels.close(channel, end, number) {
                    self.wake_any(task, woken);
                }
                Reply::None
            }
            SysCall::SharedNew { parcel } => Reply::Int(self.channels.new_cell(parcel) as i64),
            SysCall::SharedGet { cell } => {
                self.channels.cell(cell).map_or(Reply::None, Reply::Parcel)
            }
            SysCall::SharedSet { cell, parcel } => {
                self.channels.set_cell(cell, parcel);
                Reply::None
            }
            SysCall::Pid => Reply::Int(self.processes[number as usize].pid),
            SysCall::ParentPid => Reply::Int(match self.processes[number as usize].parent {
                Some(parent) => self.processes[parent as usize].pid,
                None => 1,
            }),
            SysCall::CpuCount => Reply::Int(self.cores.count() as i64),
            SysCall::SetSwitchInterval { ns } => {
                let process = &mut self.processes[number as usize];
                process.switch_interval_ns = ns;
                process.lock = process.lock.with_interval(ns);
                Reply::None
            }
            SysCall::SwitchInterval => {
                Reply::Int(self.processes[number as usize].switch_interval_ns as i64)
            }
            SysCall::SetCheckInterval { instructions } => {
                let process = &mut self.processes[number as usize];
                process.check_interval = instructions;
                process.lock = process.lock.with_instructions(instructions);
                Reply::None
            }
            SysCall::CheckInterval => {
                Reply::Int(self.processes[number as usize].check_interval as i64)
            }
            SysCall::GilEnabled => Reply::Bool(self.processes[number as usize].lock.exists()),
            SysCall::Entropy => Reply::Int(self.choice.entropy() as i64),
        };
        if self.end.is_none() && self.processes[number as usize].exit_code.is_none() {
            self.answer(task, answer);
            self.go_on(task);
        }
    }

    fn answer(&mut self, task: TaskId, answer: Reply) {
        let state = &mut self.tasks[task.0 as usize];
        state.answered = true;
        let thread = state.thread;
        if let Reply::Parcel(parcel) = &answer {
            self.channels.adopt(&parcel.ends, state.process);
        }
        let vm = self.processes[state.process as usize].vm();
        if matches!(vm.threads[thread.0 as usize].status, Status::Calling(_)) {
            vm.answer(thread, answer);
        }
    }

    /// Tries a call that may block; rests if it does, and is called again when the task is back.
    pub(super) fn block_in_call(
        &mut self,
        task: TaskId,
        call: SysCall,
        deadline: Option<VirtualNs>,
    ) {
        let state = &self.tasks[task.0 as usize];
        let (number, thread) = (state.process, state.thread);
        let status = &self.processes[number as usize].vm().threads[thread.0 as usize].status;
        if !matches!(status, Status::Calling(_)) {
            // An exception was sent to the thread; there is nothing to answer any more.
            self.forget(task, &call);
            return self.go_on(task);
        }
        let answer = match &call {
            SysCall::Sleep { .. } => None,
            SysCall::WaitProcess { process, .. } => self.try_wait(task, *process),
            SysCall::Send {
                channel, parcel, ..
            } => self.try_send(task, *channel, parcel),
            SysCall::Receive { channel, .. } => self.try_receive(task, *channel),
            other => unreachable!("{other:?} does not block"),
        };
        let answer = answer.or_else(|| {
            let late = deadline.is_some_and(|it| it <= self.now);
            late.then(|| {
                self.forget(task, &call);
                match call {
                    SysCall::WaitProcess { .. } | SysCall::Send { .. } => Reply::Bool(false),
                    _ => Reply::None,
                }
            })
        });
        #[expect(clippy::single_match_else, reason = "two ways on, side by side")]
        match answer {
            Some(answer) => {
                self.answer(task, answer);
                self.go_on(task);
            }
            None => {
                self.tasks[task.0 as usize].resume = Resume::Call { call, deadline };
                self.rest(task, deadline);
            }
        }
    }

    fn try_wait(&mut self, task: TaskId, process: u64) -> Option<Reply> {
        if self.exit_code(process).is_some() {
            return Some(Reply::Bool(true));
        }
        let waiting = &mut self.processes[process as usize].waiting;
        if !waiting.contains(&task) {
            waiting.push(task);
        }
        None
    }

    fn try_send(&mut self, task: TaskId, channel: u64, parcel: &Parcel) -> Option<Reply> {
        let number = self.tasks[task.0 as usize].process;
        match self.channels.send(channel, parcel, number, task) {
            Tried::Wait => None,
            Tried::Gone => Some(Reply::Error(fault::broken_pipe())),
            Tried::Done((), woken) => {
                let bytes = parcel.bytes.len() as u64;
                self.emit(task, || What::Sent { channel, bytes });
                self.owe_message(task, bytes);
                if let Some(woken) = woken {
                    self.wake_any(task, woken);
                }
                Some(Reply::Bool(true))
            }
        }
    }

    fn try_receive(&mut self, task: TaskId, channel: u64) -> Option<Reply> {
        let number = self.tasks[task.0 as usize].process;
        match self.channels.receive(channel, number, task) {
            Tried::Wait => None,
            Tried::Gone => Some(Reply::Error(fault::end_of_channel())),
            Tried::Done(parcel, woken) => {
                let bytes = parcel.bytes.len() as u64;
                self.emit(task, || What::Received { channel, bytes });
                self.owe_message(task, bytes);
                if let Some(woken) = woken {
                    self.wake_any(task, woken);
                }
                Some(Reply::Parcel(parcel))
            }
        }
    }

    fn owe_message(&mut self, task: TaskId, bytes: u64) {
        let bytes_ns = bytes.saturating_mul(self.costs.message_byte_ps) / 1000;
        self.owe(task, self.costs.message + VirtualNs(bytes_ns));
    }

    /// A task will not try a call again.
    fn forget(&mut self, task: TaskId, call: &SysCall) {
        match call {
            SysCall::WaitProcess { process, .. } => {
                if let Some(it) = self.processes.get_mut(*process as usize) {
                    it.waiting.retain(|&it| it != task);
                }
            }
            SysCall::Send { channel, .. } | SysCall::Receive { channel, .. } => {
                for woken in self.channels.forget(*channel, task) {
                    self.wake_any(task, woken);
                }
            }
            _ => {}
        }
    }

    /// Waits inside the VM, until another thread has made this one ready or its deadline has
    /// passed.
    pub(super) fn wait(&mut self, task: TaskId) {
        let state = &self.tasks[task.0 as usize];
        let (number, thread) = (state.process, state.thread);
        let now = self.now;
        let vm = self.processes[number as usize].vm();
        let deadline = match &vm.threads[thread.0 as usize].status {
            Status::Waiting { deadline_ns, .. } => deadline_ns.map(VirtualNs),
            Status::Ready | Status::Calling(_) | Status::Finished => return self.go_on(task),
        };
        if deadline.is_some_and(|it| it <= now) {
            vm.time_out(thread);
            return self.go_on(task);
        }
        self.tasks[task.0 as usize].resume = Resume::Wait;
        self.rest(task, deadline);
    }

    fn printed(&mut self, task: TaskId, (printed, written): (Printed, io::Result<()>)) {
        match printed {
            Printed::Kept => {
                self.answer(task, Reply::None);
                self.go_on(task);
            }
            Printed::Due => {
                let answer =
                    written.map_or_else(|error| Reply::Error(fault::of(&error)), |()| Reply::None);
                self.answer(task, answer);
                self.short_call(task, self.costs.system_call);
            }
            Printed::TooMuch => self.end = Some(End::Limit("--max-output")),
        }
    }

    fn clock(&self, task: TaskId, which: Clock) -> i64 {
        let state = &self.tasks[task.0 as usize];
        let ns = match which {
            Clock::Wall => return EPOCH_S * 1_000_000_000 + self.now.0 as i64,
            Clock::Monotonic => self.now,
            Clock::Process => self.processes[state.process as usize].cpu,
            Clock::Thread => state.cpu,
        };
        ns.0 as i64
    }

    fn start_thread(&mut self, task: TaskId, thread: ThreadId) -> Reply {
        let number = self.tasks[task.0 as usize].process;
        let process = &mut self.processes[number as usize];
        let alive = process.alive;
        let vm = process.vm();
        if alive < vm.limits.threads && vm.pay_for_thread(thread, TASK_BYTES) {
            let new = self.new_task(number, thread);
            let waits = self.processes[number as usize].lock.start_waits;
            if !waits {
                self.owe(task, self.costs.thread_start);
            }
            self.wake_task(new, self.costs.thread_start);
            return Reply::Bool(waits);
        }
        vm.unmake_thread(thread);
        self.refused("--max-threads");
        Reply::Error(fault::no_more_threads())
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "it takes what its call holds, as the others do"
    )]
    fn fork(&mut self, task: TaskId, name: Arc<str>, daemon: bool, spawns: bool) -> Reply {
        if let Err(error) = self.console.flush() {
            return Reply::Error(fault::of(&error));
        }
        if self.processes_alive >= self.process_limit {
            self.refused("--max-processes");
            return Reply::Error(fault::no_more_processes());
        }
        let state = &self.tasks[task.0 as usize];
        let (number, thread) = (state.process, state.thread);
        let parent = self.processes[number as usize].vm();
        let objects = parent.heap.objects() as u64;
        let bytes = (parent.heap.live + parent.heap.allocated) as u64;
        let Some(vm) = parent.fork(thread) else {
            self.refused("--max-memory");
            return Reply::Error(fault::no_memory_to_fork());
        };
        let cost = if spawns {
            self.costs.spawn
        } else {
            self.costs.fork + VirtualNs(objects * self.costs.fork_object_ps / 1000)
        };
        let child = self.new_process(vm, Some(number), &name, daemon);
        self.emit(task, || What::Forked {
            child: crate::event::VmId(child),
            objects,
            bytes,
        });
        let main = self.processes[child as usize].main;
        let new = self.new_task(child, main);
        // Half of it is the parent's; the child begins when all of it is done.
        self.owe(task, VirtualNs(cost.0 / 2));
        self.wake_task(new, cost);
        Reply::Process {
            process: u64::from(child),
            pid: self.processes[child as usize].pid,
        }
    }

    fn kill(&mut self, by: TaskId, target: u32, signal: i32) {
        match signal {
            0 => {}
            SIGINT => {
                let process = &mut self.processes[target as usize];
                process.interrupted = true;
                if let Some(main) = process.task(process.main) {
                    self.wake_any(by, main);
                }
            }
            _ => self.end_process(by, target, -signal),
        }
    }

    /// How a process ended, if it has; one that never was has ended.
    pub(super) fn exit_code(&self, process: u64) -> Option<i32> {
        match self.processes.get(process as usize) {
            Some(it) => it.exit_code,
            None => Some(0),
        }
    }
}
