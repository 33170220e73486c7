//! A Mini process: a VM, its lock, the waiters of its threads, and what others want of it.

use crate::engine::deadlock::{Stage, Standing};
use crate::engine::real::gil::{Gil, Waiter};
use crate::engine::real::machine::Machine;
use crate::engine::real::record::Record;
use crate::event::{VmId, What};
use crate::vm::Vm;
use crate::vm::flag::InterruptFlag;
use crate::vm::value::ThreadId;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

/// A process.
pub(super) struct Process {
    /// Its number in the machine's table; 0 is the first one.
    pub(super) number: u64,
    /// What scripts see.
    pub(super) pid: i64,
    pub(super) parent: Option<u64>,
    pub(super) name: Arc<str>,
    pub(super) main: ThreadId,
    /// Locked by whoever holds `gil`.
    pub(super) vm: Mutex<Vm>,
    pub(super) gil: Gil,
    pub(super) waiters: Mutex<FxHashMap<ThreadId, Arc<Waiter>>>,
    /// Threads alive besides the main one that it must wait for at its end.
    pub(super) plain: AtomicUsize,
    /// Threads alive.
    pub(super) alive: AtomicUsize,
    /// Something was sent to it: `ended` or `interrupted`, or somebody wants to look into its VM.
    pub(super) signalled: AtomicBool,
    /// It is over: whoever still runs is to stop.
    pub(super) ended: AtomicBool,
    /// Locked by whoever wants to look into the VM without being a thread of it.
    pub(super) visit: Mutex<()>,
    /// For a builtin that is under way, together with `signalled`.
    pub(super) flag: Arc<InterruptFlag>,
    /// Ctrl-C, for the main thread.
    pub(super) interrupted: AtomicBool,
    /// How far the main thread is, a `Stage`.
    stage: AtomicU8,
    /// What `sys.getswitchinterval` and `sys.getcheckinterval` say.
    pub(super) switch_interval_ns: AtomicU64,
    pub(super) check_interval: AtomicU64,
    /// Processor time of threads that are no more.
    pub(super) past_cpu_ns: AtomicU64,
}

/// A thread of a process, as others see it who may wake it.
#[derive(Clone)]
pub(super) struct Caller {
    pub(super) process: Arc<Process>,
    pub(super) waiter: Arc<Waiter>,
}

impl Caller {
    pub(super) fn wake(&self) {
        self.process.gil.wake(&self.waiter);
    }

    /// Is it the same thread?
    pub(super) fn is(&self, other: &Caller) -> bool {
        Arc::ptr_eq(&self.waiter, &other.waiter)
    }
}

/// What identifies a process.
pub(super) struct Identity {
    pub(super) number: u64,
    pub(super) pid: i64,
    pub(super) parent: Option<u64>,
    pub(super) name: Arc<str>,
}

impl Process {
    /// A process that has no thread yet. Its intervals are its parent's.
    pub(super) fn new(
        mut vm: Vm,
        gil: Gil,
        identity: Identity,
        intervals: (u64, u64),
    ) -> Arc<Process> {
        let flag: Arc<InterruptFlag> = Arc::default();
        vm.heap.set_flag(flag.clone());
        Arc::new(Process {
            number: identity.number,
            pid: identity.pid,
            parent: identity.parent,
            name: identity.name,
            main: vm.main,
            vm: Mutex::new(vm),
            gil,
            waiters: Mutex::default(),
            plain: AtomicUsize::new(0),
            alive: AtomicUsize::new(0),
            signalled: AtomicBool::new(false),
            ended: AtomicBool::new(false),
            visit: Mutex::default(),
            flag,
            interrupted: AtomicBool::new(false),
            stage: AtomicU8::new(Stage::Running as u8),
            switch_interval_ns: AtomicU64::new(intervals.0),
            check_interval: AtomicU64::new(intervals.1),
            past_cpu_ns: AtomicU64::new(0),
        })
    }

    pub(super) fn stage(&self) -> Stage {
        match self.stage.load(Ordering::SeqCst) {
            0 => Stage::Running,
            1 => Stage::Threads,
            _ => Stage::Children,
        }
    }

    pub(super) fn set_stage(&self, stage: Stage) {
        self.stage.store(stage as u8, Ordering::SeqCst);
    }

    /// The waiter of a thread that is alive.
    pub(super) fn waiter(&self, thread: ThreadId) -> Option<Arc<Waiter>> {
        self.waiters.lock().get(&thread).cloned()
    }

    /// Wakes threads that the VM has made ready.
    pub(super) fn wake(&self, threads: &[ThreadId]) {
        for &thread in threads {
            if let Some(waiter) = self.waiter(thread) {
                self.gil.wake(&waiter);
            }
        }
    }

    /// Sends Ctrl-C to the main thread.
    pub(super) fn interrupt(&self) {
        self.interrupted.store(true, Ordering::SeqCst);
        self.call_attention();
        self.wake(&[self.main]);
    }

    /// Tells every thread to stop, wherever it is. `Machine::end_process` calls it, once the exit
    /// code is known.
    pub(super) fn stop(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.call_attention();
        let waiters: Vec<Arc<Waiter>> = self.waiters.lock().values().cloned().collect();
        for waiter in waiters {
            self.gil.wake(&waiter);
        }
    }

    /// Processor time of all its threads. Of the others that live, the time in which they held the
    /// lock stands for it: none computes without.
    pub(super) fn cpu_ns(&self, own: &Waiter, now_ns: u64) -> u64 {
        let live: u64 = self
            .waiters
            .lock()
            .values()
            .map(|waiter| {
                if std::ptr::eq(&raw const **waiter, own) {
                    super::clock::thread_cpu_ns()
                } else {
                    waiter.tally.times(now_ns).held_ns
                }
            })
            .sum();
        self.past_cpu_ns.load(Ordering::Relaxed) + live
    }

    /// Makes whoever runs its VM look at what was sent.
    pub(super) fn call_attention(&self) {
        self.signalled.store(true, Ordering::SeqCst);
        self.flag.raise();
        self.gil.attention.store(true, Ordering::SeqCst);
    }

    /// How it stands, for reports.
    pub(super) fn standing<'a>(&'a self, vm: &'a Vm) -> Standing<'a> {
        let mut threads: Vec<ThreadId> = self.waiters.lock().keys().copied().collect();
        threads.sort();
        Standing {
            number: self.number,
            name: &self.name,
            vm,
            threads,
            stage: self.stage(),
        }
    }

    /// Who has the lock, if anybody has.
    pub(super) fn holders(&self) -> Vec<ThreadId> {
        let waiters = self.waiters.lock();
        let holding = waiters.iter().filter(|(_, waiter)| waiter.holds());
        holding.map(|(thread, _)| *thread).collect()
    }

    /// A thread is about to start.
    pub(super) fn seat_for(
        &self,
        machine: &Machine,
        thread: ThreadId,
        name: &Arc<str>,
        daemon: bool,
    ) -> Arc<Waiter> {
        let now_ns = machine.clock.now_ns();
        let record = machine
            .sinks
            .as_ref()
            .map(|sinks| Record::new(sinks, self.number, thread));
        if let Some(record) = &record {
            if thread == self.main {
                let (name, parent) = (self.name.clone(), self.parent);
                let parent = parent.map(|it| VmId(it as u32));
                record.emit(now_ns, What::VmBorn { name, parent });
            }
            let name = name.clone();
            record.emit(now_ns, What::ThreadBorn { name, daemon });
        }
        let waiter = Waiter::new(thread.0, record);
        waiter.tally.start(now_ns);
        machine.census.enter();
        self.alive.fetch_add(1, Ordering::SeqCst);
        if thread != self.main && !daemon {
            self.plain.fetch_add(1, Ordering::SeqCst);
        }
        self.waiters.lock().insert(thread, waiter.clone());
        waiter
    }

    /// A thread is no more (or could not start). True if nobody in any VM can do anything now.
    pub(super) fn vacate(&self, machine: &Machine, thread: ThreadId, daemon: bool) -> bool {
        self.waiters.lock().remove(&thread);
        self.alive.fetch_sub(1, Ordering::SeqCst);
        if thread != self.main && !daemon && self.plain.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.wake(&[self.main]);
        }
        machine.census.begin_wait()
    }
}
