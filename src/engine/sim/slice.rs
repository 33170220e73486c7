//! How far a slice goes: to where somebody could want something of the thread, and no further. The
//! VM runs it at once; what it cost is the length of the burst.

use crate::engine::outcome::End;
use crate::engine::sim::clock::VirtualNs;
use crate::engine::sim::cost::{Costs, Meter};
use crate::engine::sim::poll::Before;
use crate::engine::sim::task::{Step, TaskId};
use crate::engine::sim::world::World;
use crate::event::Release;
use crate::gil::lock::{Polls, Trigger};
use crate::vm::Vm;
use crate::vm::slice::{Budget, Stop};
use crate::vm::value::ThreadId;
use crate::vm::work::Allowance;

/// Longest slice, in instructions.
const MAX_OPS: u64 = 1 << 16;

/// Longest slice under `Ticks` while nobody waits but somebody may come: how late the holder
/// notices, about 4 µs.
const TICKS_OPS: u64 = 1 << 9;

/// Longest slice without a lock while another thread of the VM may wake up.
const FREE_PS: u64 = 10_000_000;

/// Without a lock one in so many slices is held up by the memory.
const STALLS_IN: u64 = 256;

/// So many instructions one by one at most, in search of a place where the holder looks.
const MAX_STEPS: u64 = 1 << 12;

/// The first slice of a thread, in instructions: from it the cost of the following ones is
/// foreseen.
const FIRST_OPS: u64 = 1 << 6;

/// An instruction's class covers so many bytes that it allocates.
const COVERED_BYTES: u64 = 64;

/// A slice in the making.
struct Run<'a> {
    vm: &'a mut Vm,
    thread: ThreadId,
    meter: Meter<'a>,
    costs: &'a Costs,
    /// Instructions that may still be run.
    left: u64,
    ran: u64,
    spent_ps: u64,
    ticks: u64,
    polled: bool,
}

impl Run<'_> {
    /// Runs so many instructions at most; why it stopped.
    fn ops(&mut self, most: u64) -> Stop {
        let bytes_before = self.vm.heap.bytes_ever();
        let most = most.min(self.left).max(1);
        let budget = Budget::Instructions(most);
        let slice = self.vm.run_observed(self.thread, budget, &mut self.meter);
        let (spent_ps, ticks) = self.meter.take();
        let bytes = self.vm.heap.bytes_ever() - bytes_before;
        let covered = slice.ran * COVERED_BYTES;
        self.spent_ps += spent_ps
            + bytes
                .saturating_sub(covered)
                .saturating_mul(self.costs.byte_ps);
        if let Some(units) = self.vm.heap.take_work() {
            self.spent_ps += self.costs.work_ps.total(&units);
        }
        self.ticks += ticks;
        self.ran += slice.ran;
        self.left = self.left.saturating_sub(slice.ran);
        slice.stop
    }

    /// Runs until so much is spent, or a little less or more.
    fn until(&mut self, limit_ps: u64, mean_ps: u64) -> Stop {
        loop {
            let rest_ps = limit_ps.saturating_sub(self.spent_ps);
            // An eighth is left for what costs more than the mean; the next round takes care of it.
            let most = (rest_ps / 8 * 7 / mean_ps.max(1)).clamp(1, MAX_OPS);
            let stop = self.ops(most);
            if stop != Stop::Budget
                || self.spent_ps >= limit_ps
                || self.ran >= MAX_OPS
                || self.left == 0
            {
                return stop;
            }
        }
    }

    /// Runs until so many ticks are counted.
    fn ticks(&mut self, ticks: u64) -> Stop {
        loop {
            let stop = self.ops(ticks - self.ticks);
            if stop != Stop::Budget || self.ticks >= ticks || self.ran >= MAX_OPS || self.left == 0
            {
                return stop;
            }
        }
    }

    /// Runs until the holder looks.
    fn seek_poll(&mut self, polls: Polls) -> Stop {
        for _ in 0..MAX_STEPS {
            let before = Before::of(self.vm, self.thread);
            let stop = self.ops(1);
            if stop != Stop::Budget || self.left == 0 {
                return stop;
            }
            if before.is_some_and(|it| it.polls(self.vm, self.thread, polls)) {
                self.polled = true;
                return stop;
            }
        }
        Stop::Budget
    }
}

impl World {
    /// Runs a slice of a task that has the lock and a core; its effects come when its time has
    /// passed.
    pub(super) fn slice(&mut self, task: TaskId) {
        let state = &mut self.tasks[task.0 as usize];
        let (number, thread) = (state.process, state.thread);
        let answered = std::mem::take(&mut state.answered);
        let process = &mut self.processes[number as usize];
        let asked = process.gil.requested && !matches!(process.lock.trigger, Trigger::Free);
        if answered && asked && !is_in_library(process.vm(), thread) {
            // The end of a call of a builtin that took a system call.
            if self.gives_way(task, true) {
                return;
            }
        }
        let tariff = self.tariff.clone();
        let state = &mut self.tasks[task.0 as usize];
        let process = &mut self.processes[number as usize];
        let mut vm = process
            .vm
            .take()
            .expect("only tasks of living processes run");
        if let Some(limit) = self.time_limit {
            // A builtin that goes beyond it is the end of the run, and need not be done.
            vm.heap.allow_work(Some(Allowance {
                prices: self.costs.work_ps.prices(),
                most: limit.since(self.now).0.saturating_mul(1000),
            }));
        }
        let mean_ps = state.mean_ps;
        let mut run = Run {
            vm: &mut vm,
            thread,
            meter: Meter::new(&tariff),
            costs: &self.costs,
            left: self.instructions_left.unwrap_or(u64::MAX),
            ran: 0,
            spent_ps: 0,
            ticks: 0,
            polled: false,
        };
        let lock = process.lock;
        let gil = &mut process.gil;
        let stop = match lock.trigger {
            Trigger::Turns { instructions } => {
                if state.turn_left == 0 {
                    state.turn_left = instructions;
                }
                let stop = run.ops(state.turn_left.min(MAX_OPS));
                state.turn_left = state.turn_left.saturating_sub(run.ran);
                stop
            }
            Trigger::Ticks { ticks } => {
                if gil.ticks_left == 0 || gil.ticks_left > ticks {
                    gil.ticks_left = ticks;
                }
                if gil.waiters.is_empty() {
                    let most = if process.alive > 1 {
                        TICKS_OPS
                    } else {
                        MAX_OPS
                    };
                    let stop = run.ops(most);
                    let over = run.ticks % ticks;
                    gil.ticks_left = if over < gil.ticks_left {
                        gil.ticks_left - over
                    } else {
                        gil.ticks_left + ticks - over
                    };
                    stop
                } else {
                    let stop = run.ticks(gil.ticks_left);
                    gil.ticks_left = gil.ticks_left.saturating_sub(run.ticks);
                    stop
                }
            }
            Trigger::WaiterTimeout { .. }
            | Trigger::WaiterTimer { .. }
            | Trigger::TimerThread { .. }
                if gil.requested =>
            {
                run.seek_poll(lock.polls)
            }
            Trigger::WaiterTimeout { .. }
            | Trigger::WaiterTimer { .. }
            | Trigger::TimerThread { .. }
                if mean_ps == 0 =>
            {
                run.ops(FIRST_OPS)
            }
            Trigger::WaiterTimeout { interval_ns: ns }
            | Trigger::WaiterTimer { quantum_ns: ns }
            | Trigger::TimerThread { tick_ns: ns, .. } => {
                // Nobody can ask earlier: whoever comes later waits the whole length.
                let whole_ps = ns.max(1000).saturating_mul(1000);
                match gil.timer {
                    Some(at) => {
                        let limit_ps = at.since(self.now).0.saturating_mul(1000).max(1);
                        run.until(limit_ps.min(whole_ps), mean_ps)
                    }
                    None => run.ops((whole_ps / 8 * 7 / mean_ps).clamp(1, MAX_OPS)),
                }
            }
            Trigger::Free => {
                let peer = process.bursts.iter().find(|(_, other)| *other != task);
                match peer {
                    Some(&(until, _)) => {
                        // Cores that share memory do not run in step: now and then one has to wait
                        // for a line of its cache.
                        if self.choice.chance(1, STALLS_IN) {
                            state.debt += self.choice.up_to(self.costs.stall);
                        }
                        let limit_ps = until.since(self.now).0 * 1000;
                        let mut stop = run.ops(1);
                        while stop == Stop::Budget && run.spent_ps < limit_ps && run.left > 0 {
                            stop = run.ops(1);
                        }
                        stop
                    }
                    None if process.alive > 1 && mean_ps == 0 => run.ops(FIRST_OPS),
                    None if process.alive > 1 => run.until(FREE_PS, mean_ps),
                    None => run.ops(MAX_OPS),
                }
            }
        };
        if let Some(tick_ps) = run.spent_ps.checked_div(run.ticks) {
            state.tick_ps = tick_ps;
        }
        let Run {
            ran,
            spent_ps,
            polled,
            left,
            ..
        } = run;
        state.woken = vm.take_woken();
        process.vm = Some(vm);
        if ran >= 16 {
            let mean_ps = spent_ps / ran;
            state.mean_ps = if state.mean_ps == 0 {
                mean_ps
            } else {
                (state.mean_ps * 3 + mean_ps) / 4
            };
        }
        if state.unemitted == 0 {
            state.untold_since = self.now;
        }
        state.unemitted += ran;
        let ps = spent_ps + state.carry_ps;
        state.carry_ps = ps % 1000;
        state.step = Step::Sliced { stop, polled };
        if let Some(all) = &mut self.instructions_left {
            *all = left;
            if left == 0 {
                self.end = Some(End::Limit("--max-instructions"));
                return;
            }
        }
        self.burst(task, VirtualNs(ps / 1000));
    }

    /// After a slice that ended where the thread could go on: does it let go of the lock instead?
    pub(super) fn gives_way(&mut self, task: TaskId, polled: bool) -> bool {
        let state = &self.tasks[task.0 as usize];
        let process = &mut self.processes[state.process as usize];
        match process.lock.trigger {
            Trigger::Turns { .. } => {
                if state.turn_left > 0 || process.gil.waiters.is_empty() {
                    return false;
                }
                self.release(task, Release::Budget);
                self.wait_for_lock(task);
                true
            }
            Trigger::Ticks { .. } => {
                if process.gil.ticks_left > 0 || process.gil.waiters.is_empty() {
                    return false;
                }
                if let Some(barger) = process.gil.barger.take() {
                    self.release_to(task, barger);
                    self.wait_for_lock(task);
                    return true;
                }
                // The lock is free while the system wakes a waiter; then the holder tries to take
                // it back.
                self.release(task, Release::Budget);
                self.tasks[task.0 as usize].step = Step::Arrive;
                self.burst(task, self.costs.signal);
                true
            }
            Trigger::WaiterTimeout { .. }
            | Trigger::WaiterTimer { .. }
            | Trigger::TimerThread { .. } => {
                if !process.gil.requested || !polled {
                    return false;
                }
                process.gil.requested = false;
                let must_see_taker = self.must_see_taker(task, true);
                self.release(task, Release::Asked);
                let state = &mut self.tasks[task.0 as usize];
                state.step = Step::Arrive;
                let process = &self.processes[state.process as usize];
                if must_see_taker {
                    self.wait_for_taker(task, Step::Arrive);
                } else if process.gil.holder.is_some() {
                    self.wait_for_lock(task);
                } else {
                    self.burst(task, VirtualNs(0));
                }
                true
            }
            Trigger::Free => false,
        }
    }
}

/// Is the thread in code that stands for C?
fn is_in_library(vm: &Vm, thread: ThreadId) -> bool {
    let frames = &vm.threads[thread.0 as usize].frames;
    frames
        .last()
        .is_some_and(|it| vm.image.program.codes[it.code.0 as usize].internal)
}
