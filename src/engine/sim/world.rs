//! The simulated machine: the loop over what is due, and how tasks move between cores, queues and
//! rests.

use crate::engine::LOST_OUTPUT;
use crate::engine::child::SIGABRT;
use crate::engine::outcome::{End, ThreadFigures};
use crate::engine::sim::channel::Channels;
use crate::engine::sim::choice::Choice;
use crate::engine::sim::clock::VirtualNs;
use crate::engine::sim::console::Console;
use crate::engine::sim::core::Cores;
use crate::engine::sim::cost::{Costs, Tariff};
use crate::engine::sim::process::Process;
use crate::engine::sim::queue::{Due, Queue};
use crate::engine::sim::task::{Phase, Resume, Step, TaskId};
use crate::engine::sim::tasks::Tasks;
use crate::engine::sim::{Options, Outcome};
use crate::event::names::Names;
use crate::event::{Blockage, CoreId, Event, Place, Release, Sink, VmId, What};
use crate::vm::Vm;
use crate::vm::flag::InterruptFlag;
use crate::vm::slice::Stop;
use crate::vm::value::ThreadId;
use std::rc::Rc;
use std::sync::Arc;

/// Everything of a run.
pub(super) struct World {
    pub(super) now: VirtualNs,
    pub(super) queue: Queue,
    pub(super) cores: Cores,
    pub(super) tasks: Tasks,
    pub(super) processes: Vec<Process>,
    pub(super) processes_alive: usize,
    pub(super) process_limit: usize,
    pub(super) channels: Channels,
    pub(super) console: Console,
    pub(super) choice: Choice,
    pub(super) costs: Costs,
    pub(super) tariff: Rc<Tariff>,
    pub(super) instructions_left: Option<u64>,
    /// How often a thread or process was refused because there were too many.
    pub(super) refusals: u64,
    pub(super) figures: Vec<ThreadFigures>,
    pub(super) statistics: bool,
    pub(super) end: Option<End>,
    pub(super) time_limit: Option<VirtualNs>,
    /// When the longest time slice is over, if that is due, and its generation.
    time_slice: Option<VirtualNs>,
    time_slice_generation: u32,
    sink: Option<Box<dyn Sink>>,
    /// What the sink has been told of names.
    names: Names,
    /// Once it is up the run ends.
    pub(super) flag: Arc<InterruptFlag>,
}

impl World {
    pub(super) fn new(vm: Vm, mut options: Options) -> World {
        let lock = options.lock;
        let mut world = World {
            now: VirtualNs(0),
            queue: Queue::default(),
            cores: Cores::new(options.cores.max(1)),
            tasks: Tasks::default(),
            processes: Vec::new(),
            processes_alive: 0,
            process_limit: options.limits.processes.max(1),
            channels: Channels::default(),
            console: Console::new(&mut options),
            choice: Choice::new(options.schedule, options.seed),
            costs: options.costs,
            tariff: Rc::new(Tariff::new(&vm.image, &options.costs, lock.polls)),
            instructions_left: options.limits.instructions,
            refusals: 0,
            figures: Vec::new(),
            statistics: options.statistics,
            end: None,
            time_limit: options
                .limits
                .time
                .map(|it| VirtualNs(u64::try_from(it.as_nanos()).unwrap_or(u64::MAX))),
            time_slice: None,
            time_slice_generation: 0,
            sink: options.sink,
            names: Names::default(),
            flag: options.flag,
        };
        world.first_process(vm, lock);
        world
    }

    pub(super) fn run(mut self) -> Outcome {
        let mut events_handled = 0_u64;
        self.dispatch();
        while self.end.is_none() {
            if self.flag.is_up() {
                self.interrupt();
                break;
            }
            let Some((at, due)) = self.queue.pop() else {
                let report = self.deadlock();
                self.end = Some(End::Deadlock(report));
                break;
            };
            if self.time_limit.is_some_and(|limit| at > limit) {
                self.end = Some(End::Limit("--max-time"));
                break;
            }
            self.now = at;
            events_handled += 1;
            self.handle(due);
            if self.end.is_none() {
                self.dispatch();
            }
            self.tasks.forget_gone();
            if self.queue.is_crowded() {
                self.drop_void_events();
            }
        }
        // There is something left where the first process did not come to its end by itself.
        if !self.console.finish() && self.end == Some(End::Exited(0)) {
            self.end = Some(End::Exited(LOST_OUTPUT));
        }
        self.remaining_figures();
        Outcome {
            end: self.end.expect("the loop ends with an end"),
            threads: self.figures,
            elapsed: self.now,
            cores: self.cores.busy(self.now),
            schedule: self.choice.text(),
            events_handled,
        }
    }

    /// Takes events out of the queue that will be void when their time comes: deadlines above all,
    /// of those who were woken before.
    fn drop_void_events(&mut self) {
        let World {
            queue,
            tasks,
            time_slice_generation,
            ..
        } = self;
        queue.retain(|due| match *due {
            Due::Burst { task, generation }
            | Due::Ready { task, generation }
            | Due::Deadline { task, generation } => tasks[task.0 as usize].generation == generation,
            Due::LockTimer { .. } => true,
            Due::TimeSlice { generation } => *time_slice_generation == generation,
        });
    }

    fn handle(&mut self, due: Due) {
        match due {
            Due::Burst { task, generation } => {
                if self.tasks[task.0 as usize].generation == generation {
                    self.step(task);
                }
            }
            Due::Ready { task, generation } => {
                if self.tasks[task.0 as usize].generation == generation {
                    self.ready(task);
                }
            }
            Due::Deadline { task, generation } => {
                let state = &self.tasks[task.0 as usize];
                if state.generation == generation && state.phase == Phase::Blocked {
                    self.emit(task, || What::Woken { by: None });
                    self.wake_task(task, self.wake_latency(task));
                }
            }
            Due::LockTimer {
                process,
                generation,
            } => self.lock_timer(process, generation),
            Due::TimeSlice { generation } => {
                if self.time_slice_generation == generation {
                    self.time_slice = None;
                    self.time_slice_over();
                }
            }
        }
    }

    /// A task changes phase; what was due in the old one is void.
    pub(super) fn enter(&mut self, task: TaskId, phase: Phase) -> u32 {
        let state = &mut self.tasks[task.0 as usize];
        state.phase = phase;
        state.generation += 1;
        state.generation
    }

    /// What a task does now that its burst is over.
    fn step(&mut self, task: TaskId) {
        let state = &mut self.tasks[task.0 as usize];
        let number = state.process as usize;
        let step = std::mem::replace(&mut state.step, Step::Arrive);
        match step {
            Step::Arrive | Step::Retry => {
                let took = self.try_take(task);
                if !took {
                    self.try_barge(task);
                }
                if step == Step::Retry {
                    self.processes[number].gil.woken_waiters -= 1;
                }
                if took {
                    self.go_on(task);
                } else {
                    self.wait_for_lock(task);
                }
            }
            Step::Given => {
                self.taken(task);
                self.go_on(task);
            }
            Step::Sliced { stop, polled } => self.sliced(task, stop, polled),
            Step::Depart { deadline } => self.depart(task, deadline),
        }
    }

    /// What a task with the lock does.
    pub(super) fn go_on(&mut self, task: TaskId) {
        if !self.look(task) {
            return;
        }
        let state = &mut self.tasks[task.0 as usize];
        match std::mem::replace(&mut state.resume, Resume::Run) {
            Resume::Run => self.slice(task),
            Resume::Wait => self.wait(task),
            Resume::Call { call, deadline } => self.block_in_call(task, call, deadline),
            Resume::Finish { exit_code } => self.finish_main(task, exit_code),
        }
    }

    /// The effects of a slice that has run, at the time when it is over.
    fn sliced(&mut self, task: TaskId, stop: Stop, polled: bool) {
        let woken = std::mem::take(&mut self.tasks[task.0 as usize].woken);
        self.wake_threads(task, &woken);
        match stop {
            Stop::Budget | Stop::Woke | Stop::Flagged => {
                if self.gives_way(task, polled) || self.lets_starter_first(task, &woken) {
                    return;
                }
                self.go_on(task);
            }
            Stop::Waiting => self.wait(task),
            Stop::Call(call) => self.serve(task, call),
            Stop::Finished { report, exit_code } => self.finish(task, report, exit_code),
            Stop::Exit(code) => self.end_process_of(task, code & 0xff),
            Stop::Abort => self.end_process_of(task, -SIGABRT),
        }
    }

    /// A task on a core keeps it for so long; then comes its step.
    pub(super) fn burst(&mut self, task: TaskId, length: VirtualNs) {
        let state = &mut self.tasks[task.0 as usize];
        let Phase::Running { core, .. } = state.phase else {
            unreachable!("only tasks on cores have bursts")
        };
        let length = length + std::mem::take(&mut state.debt);
        let until = self.now + length;
        state.cpu += length;
        let number = state.process;
        let process = &mut self.processes[number as usize];
        process.cpu += length;
        let generation = self.enter(task, Phase::Running { core, until });
        self.note_burst(task, Some(until));
        self.queue.push(until, Due::Burst { task, generation });
    }

    /// Takes a task off its core.
    pub(super) fn leave_core(&mut self, task: TaskId, phase: Phase) {
        self.emit_ran(task);
        let state = &self.tasks[task.0 as usize];
        if let Phase::Running { core, .. } = state.phase {
            let state = &mut self.tasks[task.0 as usize];
            state.weight_ns = self.cores.leave(core, self.now);
            state.last_core = Some(core);
            state.off_since = self.now;
            self.note_burst(task, None);
        }
        self.enter(task, phase);
    }

    /// Without a lock: notes when the burst of a task ends, for those who share its VM.
    fn note_burst(&mut self, task: TaskId, until: Option<VirtualNs>) {
        let state = &mut self.tasks[task.0 as usize];
        let process = &mut self.processes[state.process as usize];
        if process.lock.exists() {
            return;
        }
        process.bursts.remove(&(state.noted_until, task));
        if let Some(until) = until {
            state.noted_until = until;
            process.bursts.insert((until, task));
        }
    }

    /// Gives cores to those who are ready.
    fn dispatch(&mut self) {
        while let Some((task, core, changes)) = self.cores.dispatch(self.now, &mut self.choice) {
            let switch = if changes {
                self.costs.context_switch
            } else {
                VirtualNs(0)
            };
            let state = &mut self.tasks[task.0 as usize];
            let length = std::mem::take(&mut state.burst_left) + switch;
            let until = self.now + length;
            let generation = self.enter(task, Phase::Running { core, until });
            self.note_burst(task, Some(until));
            self.emit(task, || What::Dispatched);
            self.queue.push(until, Due::Burst { task, generation });
        }
        if self.cores.is_crowded() {
            self.arm_time_slice();
        }
    }

    fn arm_time_slice(&mut self) {
        let Some((since, _)) = self.cores.longest() else {
            return;
        };
        let at = (since + self.costs.time_slice).max(self.now);
        if self.time_slice.is_some_and(|it| it <= at) {
            return;
        }
        self.time_slice = Some(at);
        self.time_slice_generation += 1;
        let generation = self.time_slice_generation;
        self.queue.push(at, Due::TimeSlice { generation });
    }

    fn time_slice_over(&mut self) {
        if let Some((since, task)) = self.cores.longest()
            && self.cores.is_crowded()
            && since + self.costs.time_slice <= self.now
        {
            self.preempt(task);
        }
    }

    /// Takes the core away from a task in the middle of its burst.
    fn preempt(&mut self, task: TaskId) {
        let Phase::Running { until, .. } = self.tasks[task.0 as usize].phase else {
            return;
        };
        self.emit(task, || What::Preempted);
        self.leave_core(task, Phase::Ready);
        let state = &mut self.tasks[task.0 as usize];
        state.burst_left = until.since(self.now);
        state.ready_key = self.cores.enqueue(task, state.weight_ns);
    }

    /// How long a task takes to run once it is woken.
    pub(super) fn wake_latency(&self, task: TaskId) -> VirtualNs {
        let slept = self.now.since(self.tasks[task.0 as usize].off_since);
        if slept < self.costs.soon {
            self.costs.wake_soon
        } else {
            self.costs.wake
        }
    }

    /// A task that rested or waited will be ready after a while.
    pub(super) fn wake_task(&mut self, task: TaskId, latency: VirtualNs) {
        self.wake_after(task, latency, VirtualNs(0));
    }

    /// The same, after so much more.
    pub(super) fn wake_after(&mut self, task: TaskId, latency: VirtualNs, delay: VirtualNs) {
        let starts = self.tasks[task.0 as usize].phase == Phase::Starting;
        let phase = if starts {
            Phase::Starting
        } else {
            Phase::Waking
        };
        let generation = self.enter(task, phase);
        let at = self.now + self.choice.latency(latency) + delay;
        self.queue.push(at, Due::Ready { task, generation });
    }

    /// A task is ready; it may take the place of one that has had much more.
    fn ready(&mut self, task: TaskId) {
        if self.tasks[task.0 as usize].phase == Phase::Starting && !self.cores.any_idle() {
            // From here on it waits for a core.
            self.emit(task, || What::Woken { by: None });
        }
        self.enter(task, Phase::Ready);
        let state = &mut self.tasks[task.0 as usize];
        state.weight_ns = self.cores.weight_after_rest(state.weight_ns);
        let weight_ns = state.weight_ns;
        if let Some(victim) = self.cores.victim(self.now, weight_ns) {
            self.preempt(victim);
        }
        self.tasks[task.0 as usize].ready_key = self.cores.enqueue(task, weight_ns);
    }

    /// Wakes threads that a VM has made ready.
    pub(super) fn wake_threads(&mut self, by: TaskId, threads: &[ThreadId]) {
        let number = self.tasks[by.0 as usize].process;
        for &woken in threads {
            if let Some(task) = self.processes[number as usize].task(woken) {
                self.wake_any(by, task);
            }
        }
    }

    /// Ends the rest of a task of any process, or the one that it is about to begin.
    pub(super) fn wake_any(&mut self, by: TaskId, task: TaskId) {
        let state = &mut self.tasks[task.0 as usize];
        if state.phase == Phase::Blocked {
            self.owe(by, self.costs.signal);
            let waker = &self.tasks[by.0 as usize];
            let by = Some((VmId(waker.process), waker.thread));
            self.emit(task, || What::Woken { by });
            self.wake_task(task, self.wake_latency(task));
        } else {
            state.notified = true;
        }
    }

    /// What a task did at once takes it time later.
    pub(super) fn owe(&mut self, task: TaskId, cost: VirtualNs) {
        self.tasks[task.0 as usize].debt += cost;
    }

    /// Lets go of the lock and rests until woken or until the deadline. If another asked for the
    /// lock, that one is seen to have it first.
    pub(super) fn rest(&mut self, task: TaskId, deadline: Option<VirtualNs>) {
        let number = self.tasks[task.0 as usize].process;
        let requested = self.processes[number as usize].gil.requested;
        let must_see_taker = self.must_see_taker(task, requested);
        self.release(task, Release::Blocking);
        if must_see_taker {
            self.processes[number as usize].gil.requested = false;
            self.wait_for_taker(task, Step::Depart { deadline });
        } else {
            self.depart(task, deadline);
        }
    }

    fn emit_blocked(&mut self, task: TaskId, deadline: Option<VirtualNs>) {
        let state = &self.tasks[task.0 as usize];
        let process = &self.processes[state.process as usize];
        let Some(vm) = &process.vm else { return };
        let on = Blockage::of(vm, state.thread).unwrap_or(match process.stage {
            crate::engine::deadlock::Stage::Children => Blockage::Children,
            crate::engine::deadlock::Stage::Running | crate::engine::deadlock::Stage::Threads => {
                Blockage::Threads
            }
        });
        let until_ns = deadline.map(|it| it.0);
        let news = self.names.new_name(vm, VmId(state.process), state.thread);
        if let Some(what) = news {
            self.emit(task, || what);
        }
        self.emit(task, || What::Blocked { on, until_ns });
    }

    fn depart(&mut self, task: TaskId, deadline: Option<VirtualNs>) {
        if self.sink.is_some() && !self.tasks[task.0 as usize].notified {
            self.emit_blocked(task, deadline);
        }
        self.leave_core(task, Phase::Blocked);
        let state = &mut self.tasks[task.0 as usize];
        state.step = Step::Arrive;
        let generation = state.generation;
        // What it waits for may have come while it waited for a taker.
        if std::mem::take(&mut self.tasks[task.0 as usize].notified) {
            self.wake_task(task, VirtualNs(0));
        } else if let Some(deadline) = deadline {
            let at = deadline.max(self.now) + self.choice.latency(self.costs.sleep_slack);
            self.queue.push(at, Due::Deadline { task, generation });
        }
    }

    /// Lets go of the lock for a call that the system serves at once, and comes back. The lock is
    /// free for the system's own part of the time; the rest of it is the interpreter's.
    pub(super) fn short_call(&mut self, task: TaskId, length: VirtualNs) {
        let unlocked = length.min(self.costs.unlocked);
        let number = self.tasks[task.0 as usize].process;
        let gap = self.wake_gap(number);
        let requested = self.processes[number as usize].gil.requested;
        let must_see_taker = self.must_see_taker(task, requested);
        self.release(task, Release::Blocking);
        if must_see_taker {
            self.processes[number as usize].gil.requested = false;
            self.owe(task, length);
            self.wait_for_taker(task, Step::Arrive);
        } else {
            self.tasks[task.0 as usize].step = Step::Arrive;
            self.burst(task, unlocked + gap);
            self.owe(task, length.since(unlocked));
        }
    }

    /// Tells the sink, if there is one.
    pub(super) fn emit(&mut self, task: TaskId, what: impl FnOnce() -> What) {
        let Some(sink) = &mut self.sink else { return };
        let state = &self.tasks[task.0 as usize];
        let core = match state.phase {
            Phase::Running { core, .. } => Some(CoreId(core)),
            Phase::Ready
            | Phase::Queued
            | Phase::Yielding
            | Phase::Blocked
            | Phase::Waking
            | Phase::Starting
            | Phase::Gone => None,
        };
        let vm = self.processes[state.process as usize].vm.as_deref();
        sink.take(Event {
            at_ns: self.now.0,
            vm: VmId(state.process),
            thread: state.thread,
            core,
            place: vm.and_then(|vm| Place::last(vm, state.thread)),
            what: what(),
        });
    }

    /// Tells what a task ran since the last time.
    pub(super) fn emit_ran(&mut self, task: TaskId) {
        let state = &mut self.tasks[task.0 as usize];
        let instructions = std::mem::take(&mut state.unemitted);
        let since_ns = state.untold_since.0;
        if instructions > 0 {
            self.emit(task, || What::Ran {
                instructions,
                since_ns,
            });
        }
    }
}
