//! The lock of a simulated process, under all rules: taking it, letting go, asking for it. The
//! knobs are `gil::lock::Lock`; what they mean in the real interpreters is written there.

use crate::engine::sim::clock::VirtualNs;
use crate::engine::sim::queue::Due;
use crate::engine::sim::task::{Activity, Phase, Step, TaskId};
use crate::engine::sim::world::World;
use crate::event::{Release, What};
use crate::gil::lock::Trigger;
use crate::vm::value::ThreadId;
use std::cmp::Reverse;

/// In so many of so many starts under 2.7 the starter goes on before the new thread. Measured of
/// 2.7.18 on a quiet machine: 387 to 554 of 1,000; it is whoever the system lets be faster.
const STARTERS_FIRST: (u64, u64) = (47, 100);

impl World {
    /// Takes the lock for a task on a core, if it is to be had.
    pub(super) fn try_take(&mut self, task: TaskId) -> bool {
        let process = &mut self.processes[self.tasks[task.0 as usize].process as usize];
        if !process.lock.exists() {
            self.tasks[task.0 as usize]
                .tally
                .change(self.now, Activity::Holding);
            return true;
        }
        if process.gil.holder.is_some() {
            return false;
        }
        process.gil.holder = Some(task);
        self.taken(task);
        true
    }

    /// The task has the lock from now on.
    pub(super) fn taken(&mut self, task: TaskId) {
        let number = self.tasks[task.0 as usize].process;
        let process = &mut self.processes[number as usize];
        let gil = &mut process.gil;
        let switched = gil.last_holder != Some(task);
        if switched {
            gil.last_holder = Some(task);
            gil.switches += 1;
        }
        gil.requested = false;
        gil.asked = None;
        gil.barger = None;
        gil.counted_ns = 0;
        let yielding = std::mem::take(&mut gil.yielding);
        match process.lock.trigger {
            Trigger::WaiterTimer { .. } | Trigger::TimerThread { .. } => self.restart_timer(number),
            Trigger::WaiterTimeout { .. }
            | Trigger::Turns { .. }
            | Trigger::Ticks { .. }
            | Trigger::Free => {}
        }
        let state = &mut self.tasks[task.0 as usize];
        state.tally.acquired(self.now, switched);
        state.turn_left = 0;
        state.asks_at = None;
        self.emit(task, || What::LockAcquired { switched });
        for back in yielding {
            self.come_back(back, task);
        }
    }

    /// One that let go because it was asked comes back, now that another has the lock. If that one
    /// was woken onto the same core (as happens from three threads on), the system does not see at
    /// once that another core is free. Measured of CPython 3.11: with two busy threads each slice
    /// is an interval, with three or four one in five takes up to 4 ms longer, or until another
    /// waiter asks.
    fn come_back(&mut self, task: TaskId, holder: TaskId) {
        let latency = self.wake_latency(task);
        let delay = match self.tasks[holder.0 as usize].phase {
            Phase::Running { core, .. }
                if self.tasks[task.0 as usize].last_core == Some(core) && self.cores.any_idle() =>
            {
                self.choice.up_to(self.costs.balance)
            }
            _ => VirtualNs(0),
        };
        self.wake_after(task, latency, delay);
    }

    /// A task on a core that did not get the lock waits for it.
    pub(super) fn wait_for_lock(&mut self, task: TaskId) {
        let delay = self.timer_delay();
        self.emit(task, || What::LockRequested);
        self.leave_core(task, Phase::Queued);
        let state = &mut self.tasks[task.0 as usize];
        // One that was asleep or blocked until now begins to wait; one that lost a race goes on.
        if state.tally.activity() != Activity::Waiting {
            state.tally.change(self.now, Activity::Waiting);
        }
        state.step = Step::Arrive;
        let (number, generation) = (state.process, state.generation);
        let process = &mut self.processes[number as usize];
        let first = process.gil.waiters.is_empty();
        process.gil.waiters.push_back(task);
        state.switches_before = process.gil.switches;
        match process.lock.trigger {
            Trigger::WaiterTimeout { interval_ns } => {
                // An interval of nothing is one of a microsecond, as in `take_gil`.
                let whole = self.now + VirtualNs(interval_ns.max(1000)) + delay;
                let at = match state.asks_at {
                    Some(at) if !process.lock.restarts_wait => at.max(self.now),
                    _ => whole,
                };
                state.asks_at = Some(at);
                process.gil.timers.push(Reverse((at, task, generation)));
                self.arm_timer(number);
            }
            Trigger::WaiterTimer { .. } | Trigger::TimerThread { .. } => {
                if first {
                    self.restart_timer(number);
                }
            }
            Trigger::Turns { .. } | Trigger::Ticks { .. } | Trigger::Free => {}
        }
    }

    /// Lets go of the lock; true if another task will have it, or will try to.
    pub(super) fn release(&mut self, task: TaskId, why: Release) -> bool {
        self.emit_ran(task);
        let number = self.tasks[task.0 as usize].process;
        let activity = match why {
            Release::Budget | Release::Asked => Activity::Waiting,
            Release::Blocking | Release::End => Activity::Blocked,
        };
        self.tasks[task.0 as usize].tally.change(self.now, activity);
        if !self.processes[number as usize].lock.exists() {
            return false;
        }
        self.emit(task, || What::LockReleased(why));
        self.processes[number as usize].gil.holder = None;
        self.serve_waiter(number)
    }

    /// The lock fell free: one of those who wait gets it, or is woken to try.
    fn serve_waiter(&mut self, number: u32) -> bool {
        let process = &mut self.processes[number as usize];
        if process.gil.waiters.is_empty() {
            return false;
        }
        let waiters = &process.gil.waiters;
        let at = if process.lock.wakes_in_order {
            0
        } else {
            // Whoever asked last is still awake, if it waits for this lock's condition at all.
            let awake = process.gil.asked.take();
            let awake = awake.and_then(|it| waiters.iter().position(|&other| other == it));
            self.choice.pick_waiter(&mut waiters.iter().copied(), awake)
        };
        let next = process
            .gil
            .waiters
            .remove(at)
            .expect("a pick is one of them");
        let state = &mut self.tasks[next.0 as usize];
        if process.lock.hand_over {
            process.gil.holder = Some(next);
            state.step = Step::Given;
        } else {
            process.gil.woken_waiters += 1;
            state.step = Step::Retry;
        }
        self.wake_task(next, self.wake_latency(next));
        true
    }

    /// Where the holder releases and retakes the lock all the time (`Ticks`), a task that arrives
    /// may find it free for a moment and take it.
    pub(super) fn try_barge(&mut self, task: TaskId) {
        let process = &mut self.processes[self.tasks[task.0 as usize].process as usize];
        if let Trigger::Ticks { ticks } = process.lock.trigger
            && let Some(holder) = process.gil.holder
            && process.gil.woken_waiters > 0
            && process.gil.barger.is_none()
        {
            let period_ps = self.tasks[holder.0 as usize].tick_ps.saturating_mul(ticks);
            let free_ps = self.costs.retake.0 * 1000;
            if self.choice.chance(free_ps, free_ps + period_ps) {
                process.gil.barger = Some(task);
            }
        }
    }

    /// How long the lock stays free while the thread that released it calls the system to wake a
    /// waiter (`Ticks`).
    pub(super) fn wake_gap(&self, number: u32) -> VirtualNs {
        let process = &self.processes[number as usize];
        match process.lock.trigger {
            Trigger::Ticks { .. } if !process.gil.waiters.is_empty() => self.costs.signal,
            Trigger::Ticks { .. } if process.gil.woken_waiters > 0 => self.costs.retake,
            Trigger::Ticks { .. }
            | Trigger::Turns { .. }
            | Trigger::WaiterTimeout { .. }
            | Trigger::WaiterTimer { .. }
            | Trigger::TimerThread { .. }
            | Trigger::Free => VirtualNs(0),
        }
    }

    /// Lets go of the lock, which another task that waits has taken at once.
    pub(super) fn release_to(&mut self, task: TaskId, next: TaskId) {
        self.emit_ran(task);
        let state = &mut self.tasks[task.0 as usize];
        state.tally.change(self.now, Activity::Waiting);
        let number = state.process;
        self.emit(task, || What::LockReleased(Release::Budget));
        let gil = &mut self.processes[number as usize].gil;
        gil.waiters.retain(|&it| it != next);
        gil.holder = Some(next);
        self.tasks[next.0 as usize].step = Step::Given;
        self.wake_task(next, VirtualNs(0));
    }

    /// After letting go because it was asked: does the task wait for a taker?
    pub(super) fn must_see_taker(&self, task: TaskId, requested: bool) -> bool {
        let process = &self.processes[self.tasks[task.0 as usize].process as usize];
        requested && process.lock.forced_switch && process.gil.last_holder == Some(task)
    }

    /// A thread that has just begun, and woken its starter: in 2.7 it then takes a free mutex
    /// (`_active_limbo_lock` in `Lib/threading.py`), at which it lets go. Does it lose the lock
    /// there?
    pub(super) fn lets_starter_first(&mut self, task: TaskId, woken: &[ThreadId]) -> bool {
        let state = &self.tasks[task.0 as usize];
        let (number, thread) = (state.process, state.thread);
        let process = &mut self.processes[number as usize];
        let lets_go = process.lock.mutex_lets_go
            && !woken.is_empty()
            && process.vm().threads[thread.0 as usize].instructions == 0
            && self.choice.chance(STARTERS_FIRST.0, STARTERS_FIRST.1);
        if lets_go {
            self.release(task, Release::Budget);
            self.wait_for_lock(task);
        }
        lets_go
    }

    /// Leaves the core until another has taken the lock; then it does `step`.
    pub(super) fn wait_for_taker(&mut self, task: TaskId, step: Step) {
        self.leave_core(task, Phase::Yielding);
        let state = &mut self.tasks[task.0 as usize];
        state.step = step;
        let number = state.process;
        self.processes[number as usize].gil.yielding.push(task);
    }

    /// The time of a waiter is up, or the timer thread ticks.
    pub(super) fn lock_timer(&mut self, number: u32, generation: u32) {
        let process = &mut self.processes[number as usize];
        if process.gil.timer_generation != generation || process.exit_code.is_some() {
            return;
        }
        process.gil.timer = None;
        match process.lock.trigger {
            Trigger::WaiterTimeout { interval_ns } => {
                let interval = VirtualNs(interval_ns.max(1000)) + self.timer_delay();
                self.waiters_time_out(number, interval);
            }
            Trigger::WaiterTimer { .. } => {
                if let (Some(&first), Some(holder)) =
                    (process.gil.waiters.front(), process.gil.holder)
                {
                    self.ask(number, first, holder);
                    self.restart_timer(number);
                }
            }
            Trigger::TimerThread {
                quantum_ns,
                tick_ns,
            } => {
                if let (Some(&first), Some(holder)) =
                    (process.gil.waiters.front(), process.gil.holder)
                {
                    process.gil.counted_ns += tick_ns;
                    if process.gil.counted_ns >= quantum_ns {
                        self.ask(number, first, holder);
                    }
                    self.restart_timer(number);
                }
            }
            Trigger::Turns { .. } | Trigger::Ticks { .. } | Trigger::Free => {}
        }
    }

    /// How much later than its length a timed wait ends: the system's timers are late, and then the
    /// waiter must wake up before it can ask.
    fn timer_delay(&mut self) -> VirtualNs {
        let mean = self.costs.sleep_slack + self.costs.wake;
        self.choice.latency(mean)
    }

    fn waiters_time_out(&mut self, number: u32, interval: VirtualNs) {
        loop {
            let process = &mut self.processes[number as usize];
            match process.gil.timers.peek() {
                Some(&Reverse((at, ..))) if at <= self.now => {}
                _ => break,
            }
            let Some(Reverse((_, task, generation))) = process.gil.timers.pop() else {
                break;
            };
            let state = &mut self.tasks[task.0 as usize];
            if state.generation != generation || state.phase != Phase::Queued {
                continue;
            }
            let undisturbed = state.switches_before == process.gil.switches
                || !process.lock.asks_only_without_switch;
            // It goes on waiting, a whole interval.
            state.switches_before = process.gil.switches;
            // It was awake for a moment.
            state.off_since = self.now;
            let again = Reverse((self.now + interval, task, generation));
            process.gil.timers.push(again);
            if let Some(holder) = process.gil.holder
                && undisturbed
            {
                self.ask(number, task, holder);
            }
        }
        self.arm_timer(number);
    }

    fn ask(&mut self, number: u32, waiter: TaskId, holder: TaskId) {
        let gil = &mut self.processes[number as usize].gil;
        gil.requested = true;
        gil.asked = Some(waiter);
        let holder = self.tasks[holder.0 as usize].thread;
        self.emit(waiter, || What::DropRequested { holder });
    }

    /// Sees to it that the first of the waiters' timers is due.
    fn arm_timer(&mut self, number: u32) {
        let process = &mut self.processes[number as usize];
        let gil = &mut process.gil;
        // Timers of those who wait no more.
        while let Some(&Reverse((_, task, generation))) = gil.timers.peek() {
            let state = &self.tasks[task.0 as usize];
            if state.generation == generation && state.phase == Phase::Queued {
                break;
            }
            gil.timers.pop();
        }
        let Some(&Reverse((at, ..))) = gil.timers.peek() else {
            return;
        };
        if gil.timer.is_none_or(|timer| at < timer) {
            self.set_timer(number, at);
        }
    }

    /// The timer of CRuby begins anew, for whoever waits.
    fn restart_timer(&mut self, number: u32) {
        let process = &mut self.processes[number as usize];
        process.gil.timer = None;
        process.gil.timer_generation += 1;
        if process.gil.waiters.is_empty() {
            return;
        }
        let length_ns = match process.lock.trigger {
            Trigger::WaiterTimer { quantum_ns } => quantum_ns,
            Trigger::TimerThread { tick_ns, .. } => tick_ns,
            Trigger::WaiterTimeout { .. }
            | Trigger::Turns { .. }
            | Trigger::Ticks { .. }
            | Trigger::Free => return,
        };
        let delay = self.timer_delay();
        self.set_timer(number, self.now + VirtualNs(length_ns) + delay);
    }

    fn set_timer(&mut self, process: u32, at: VirtualNs) {
        let gil = &mut self.processes[process as usize].gil;
        gil.timer = Some(at);
        gil.timer_generation += 1;
        let generation = gil.timer_generation;
        self.queue.push(
            at,
            Due::LockTimer {
                process,
                generation,
            },
        );
    }
}
