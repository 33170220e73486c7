//! A lock as data: every knob in which the interpreter locks of real interpreters differ. The
//! simulated engine reads all of them; the real one takes the `Rules` that a lock comes down to,
//! where it can honour them.

use super::{DEFAULT_INTERVAL_NS, Rules};

/// An interpreter lock.
#[expect(clippy::struct_excessive_bools, reason = "a table of yes and no")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    /// Who starts a switch, and when.
    pub trigger: Trigger,
    /// Where the holder looks whether it is to let go.
    pub polls: Polls,
    /// Whoever lets go because it was asked waits until another thread has taken the lock (CPython
    /// 3.2: `FORCE_SWITCHING` in `Python/ceval_gil.h`).
    pub forced_switch: bool,
    /// The releaser gives the lock to the longest waiter directly, and it is never free in between:
    /// nobody can barge in (CRuby 3.3, `thread_pthread.c`).
    pub hand_over: bool,
    /// Waiters are woken in the order of their coming; else the operating system picks one (CRuby's
    /// list of waiters against CPython's condition variable).
    pub wakes_in_order: bool,
    /// A waiter that was woken and found the lock taken again waits a whole new interval
    /// (`take_gil`, the loop around `COND_TIMED_WAIT`).
    pub restarts_wait: bool,
    /// A waiter whose time is up asks only if the lock did not change hands since its wait began
    /// (`take_gil`, `saved_switchnum`).
    pub asks_only_without_switch: bool,
    /// `threading.Lock.acquire` lets go of the interpreter lock even if the mutex is free (2.7's
    /// `Modules/threadmodule.c`).
    pub mutex_lets_go: bool,
    /// `Thread.start` comes back when the new thread has begun (CPython's `Lib/threading.py`,
    /// `_started.wait()`).
    pub start_waits: bool,
    /// What becomes of the other threads when the main one ends.
    pub main_exit: MainExit,
    /// What has a lock of its own: a VM of Mini stands for one of these.
    pub scope: Scope,
}

/// Who starts a switch, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// The holder, after exactly so many instructions.
    Turns { instructions: u64 },
    /// The holder, when it has counted so many polls. The counter is the VM's, not the thread's
    /// (2.7's `_Py_Ticker`).
    Ticks { ticks: u64 },
    /// A waiter that has waited so long (`take_gil`).
    WaiterTimeout { interval_ns: u64 },
    /// The first of the waiters, which acts as timer: so long after its wait began it asks the
    /// holder (CRuby up to 3.2, `do_gvl_timer`).
    WaiterTimer { quantum_ns: u64 },
    /// A thread of the interpreter's own that ticks while somebody waits, and asks a holder that
    /// has had its quantum (CRuby 3.3, `timer_thread`).
    TimerThread { quantum_ns: u64, tick_ns: u64 },
    /// Nobody: there is no lock.
    Free,
}

/// Where the holder looks at the lock. Instructions of the library that stand for C code never do.
#[expect(clippy::struct_excessive_bools, reason = "a table of yes and no")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Polls {
    /// After instructions on local variables and constants.
    pub locals: bool,
    /// After arithmetic, comparisons, attributes, items, globals.
    pub plain: bool,
    /// After a jump backward: every turn of a loop.
    pub backward_jump: bool,
    /// After a conditional jump forward that was taken.
    pub forward_jump: bool,
    /// At the start of a function of the script, also where a property or an operator method is
    /// called.
    pub entry: bool,
    /// After the call of a builtin.
    pub builtin: Builtins,
    /// Between the `__enter__` of a free `Lock` or `RLock` and the body of the `with`.
    pub lock_enter: bool,
    /// After the return of a function of the script.
    pub return_: bool,
}

/// After which builtins the holder looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtins {
    /// After every one.
    All,
    /// Not after `len`, `isinstance`, `list.append` and `type(x)`, for which CPython has
    /// instructions of their own.
    Unspecialised,
}

/// What becomes of the other threads when the main one ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MainExit {
    /// It waits for the plain ones; daemons die.
    Join,
    /// They all die.
    Kill,
}

/// What has a lock of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    Process,
    /// A sub-interpreter that asked for it (PEP 684).
    Interpreter,
    Ractor,
}

impl Polls {
    /// Everywhere.
    pub const EVERYWHERE: Polls = Polls {
        locals: true,
        plain: true,
        backward_jump: true,
        forward_jump: true,
        entry: true,
        builtin: Builtins::All,
        lock_enter: true,
        return_: true,
    };

    /// CPython 2.7 counts and 3.2 to 3.9 look at nearly every instruction: all but those that end
    /// in `FAST_DISPATCH` (`Python/ceval.c`).
    pub const MOST: Polls = Polls {
        locals: false,
        forward_jump: false,
        ..Polls::EVERYWHERE
    };

    /// CPython 3.10: jumps taken, calls, function entry (`CHECK_EVAL_BREAKER` in `Python/ceval.c`),
    /// and not after `SETUP_WITH`.
    pub const JUMPS_AND_CALLS: Polls = Polls {
        plain: false,
        lock_enter: false,
        ..Polls::EVERYWHERE.without_locals()
    };

    /// CPython 3.11 to 3.13: `RESUME`, `JUMP_BACKWARD` and unspecialised calls, and not after
    /// `BEFORE_WITH` (`Python/ceval.c`, `Python/bytecodes.c`).
    pub const LOOPS_AND_CALLS: Polls = Polls {
        locals: false,
        plain: false,
        backward_jump: true,
        forward_jump: false,
        entry: true,
        builtin: Builtins::Unspecialised,
        lock_enter: false,
        return_: false,
    };

    /// CPython 3.14: `with` loads `__enter__` and calls it, as other builtins are called
    /// (`LOAD_SPECIAL` and `CALL` in `Python/bytecodes.c`).
    pub const LOOPS_CALLS_AND_WITH: Polls = Polls {
        lock_enter: true,
        ..Polls::LOOPS_AND_CALLS
    };

    /// CRuby: branches and the end of every frame (`RUBY_VM_CHECK_INTS` in `insns.def` and
    /// `vm_insnhelper.c`).
    pub const BRANCHES_AND_RETURNS: Polls = Polls {
        locals: false,
        plain: false,
        backward_jump: true,
        forward_jump: true,
        entry: false,
        builtin: Builtins::All,
        lock_enter: true,
        return_: true,
    };

    const fn without_locals(self) -> Polls {
        Polls {
            locals: false,
            ..self
        }
    }
}

impl Lock {
    /// CPython 3.12's, the newest with nothing special about it.
    pub(super) const PLAIN: Lock = Lock {
        trigger: Trigger::WaiterTimeout {
            interval_ns: DEFAULT_INTERVAL_NS,
        },
        polls: Polls::LOOPS_AND_CALLS,
        forced_switch: true,
        hand_over: false,
        wakes_in_order: false,
        restarts_wait: true,
        asks_only_without_switch: true,
        mutex_lets_go: false,
        start_waits: true,
        main_exit: MainExit::Join,
        scope: Scope::Interpreter,
    };

    /// The lock of Mini's own rules.
    #[must_use]
    pub fn of(rules: Rules) -> Lock {
        match rules {
            Rules::Every { instructions } => Lock {
                trigger: Trigger::Turns { instructions },
                polls: Polls::EVERYWHERE,
                forced_switch: false,
                hand_over: true,
                wakes_in_order: true,
                restarts_wait: false,
                asks_only_without_switch: false,
                ..Lock::PLAIN
            },
            Rules::Ticks { instructions } => Lock {
                trigger: Trigger::Ticks {
                    ticks: instructions,
                },
                polls: Polls::EVERYWHERE,
                forced_switch: false,
                restarts_wait: false,
                asks_only_without_switch: false,
                ..Lock::PLAIN
            },
            Rules::Interval { ns } => Lock {
                trigger: Trigger::WaiterTimeout { interval_ns: ns },
                ..Lock::PLAIN
            },
            Rules::Off => Lock {
                trigger: Trigger::Free,
                ..Lock::PLAIN
            },
        }
    }

    /// What real threads can make of it; none if they cannot.
    #[must_use]
    pub fn rules(&self) -> Option<Rules> {
        match self.trigger {
            Trigger::Turns { instructions } => Some(Rules::Every { instructions }),
            Trigger::Ticks { ticks } => Some(Rules::Ticks {
                instructions: ticks,
            }),
            Trigger::WaiterTimeout { interval_ns } => Some(Rules::Interval { ns: interval_ns }),
            Trigger::WaiterTimer { .. } | Trigger::TimerThread { .. } | Trigger::Free => None,
        }
    }

    /// The same lock with another interval (`sys.setswitchinterval`), if it is of the kind that has
    /// one.
    #[must_use]
    pub fn with_interval(self, ns: u64) -> Lock {
        match self.trigger {
            Trigger::WaiterTimeout { .. } => Lock {
                trigger: Trigger::WaiterTimeout { interval_ns: ns },
                ..self
            },
            Trigger::Turns { .. }
            | Trigger::Ticks { .. }
            | Trigger::WaiterTimer { .. }
            | Trigger::TimerThread { .. }
            | Trigger::Free => self,
        }
    }

    /// The same lock with another number of instructions to a turn (`sys.setcheckinterval`), if it
    /// is of the kind that counts.
    #[must_use]
    pub fn with_instructions(self, instructions: u64) -> Lock {
        let trigger = match self.trigger {
            Trigger::Turns { .. } => Trigger::Turns { instructions },
            Trigger::Ticks { .. } => Trigger::Ticks {
                ticks: instructions,
            },
            trigger @ (Trigger::WaiterTimeout { .. }
            | Trigger::WaiterTimer { .. }
            | Trigger::TimerThread { .. }
            | Trigger::Free) => trigger,
        };
        Lock { trigger, ..self }
    }

    /// Is there a lock at all?
    #[must_use]
    pub fn exists(&self) -> bool {
        self.trigger != Trigger::Free
    }
}
