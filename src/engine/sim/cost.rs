//! What things cost in virtual time: named models, and the meter that adds up what a slice costs by the cost classes of its instructions.
//!
//! One of Mini's instructions stands for one to three of CPython's, whose loads of locals and constants are operands here. So the figures per class are of the work
//! that the class stands for, not of an opcode.

use crate::bytecode::op::{Cost, Op, OpKind, Poll};
use crate::engine::sim::clock::VirtualNs;
use crate::gil::lock::Polls;
use crate::vm::link::Image;
use crate::vm::run::Observer;
use crate::vm::thread::Frame;
use crate::vm::thread::ThreadId;

/// A cost model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// What users type.
    pub name: &'static str,
    /// Where the figures come from.
    pub about: &'static str,
    /// Picoseconds of an instruction of each class.
    pub class_ps: ClassCosts,
    /// Picoseconds of each byte that an instruction allocates beyond what its class covers: what `'x' * n` takes in C.
    pub byte_ps: u64,
    /// Picoseconds of each step of a builtin that goes over many things: what `sum(a)` takes for an item of a list.
    pub step_ps: u64,
    /// A core takes up another thread.
    pub context_switch: VirtualNs,
    /// From waking a thread until it runs, if it slept for a while: its core went into a deep state.
    pub wake: VirtualNs,
    /// The same if it slept for less than `soon`.
    pub wake_soon: VirtualNs,
    pub soon: VirtualNs,
    /// How long the lock is free where a holder lets go and takes it back at once.
    pub retake: VirtualNs,
    /// The waker's part of a wake-up: the system call.
    pub signal: VirtualNs,
    /// How much later than asked a sleep ends, besides the wake-up.
    pub sleep_slack: VirtualNs,
    /// `sleep(0)`.
    pub sleep_zero: ZeroSleep,
    /// A system call that does not block, such as a write, with all that the interpreter does around it.
    pub system_call: VirtualNs,
    /// For so much of that time the lock is free: the system's own part of it.
    pub unlocked: VirtualNs,
    /// From starting a thread until it runs.
    pub thread_start: VirtualNs,
    /// Copying a VM, besides its objects.
    pub fork: VirtualNs,
    /// Picoseconds of each object copied.
    pub fork_object_ps: u64,
    /// A process that begins from nothing.
    pub spawn: VirtualNs,
    /// A message, besides its bytes: one end of it.
    pub message: VirtualNs,
    /// Picoseconds of each of its bytes.
    pub message_byte_ps: u64,
    /// After this long a core takes up another thread if one is ready.
    pub time_slice: VirtualNs,
}

/// What `time.sleep(0)` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZeroSleep {
    /// It comes back after so long without having slept: a `select` of nothing (up to 3.10).
    AtOnce(VirtualNs),
    /// It sets a timer for so long, and sleeps (`clock_nanosleep` in `Modules/timemodule.c`, 3.11 and later).
    Timer(VirtualNs),
}

/// Picoseconds by cost class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassCosts {
    pub move_: u32,
    pub jump: u32,
    pub arithmetic: u32,
    pub variable: u32,
    pub attribute: u32,
    pub item: u32,
    pub allocate: u32,
    pub iterate: u32,
    pub call: u32,
    pub raise: u32,
}

/// Every instruction costs one nanosecond, and nothing else costs anything.
pub const UNIT: Costs = Costs {
    name: "unit",
    about: "each instruction takes 1 ns, and everything else (nearly) nothing: what remains are the rules themselves",
    class_ps: ClassCosts {
        move_: 1000,
        jump: 1000,
        arithmetic: 1000,
        variable: 1000,
        attribute: 1000,
        item: 1000,
        allocate: 1000,
        iterate: 1000,
        call: 1000,
        raise: 1000,
    },
    byte_ps: 0,
    step_ps: 0,
    context_switch: VirtualNs(0),
    wake: VirtualNs(0),
    wake_soon: VirtualNs(0),
    soon: VirtualNs(0),
    retake: VirtualNs(1),
    signal: VirtualNs(0),
    sleep_slack: VirtualNs(0),
    sleep_zero: ZeroSleep::AtOnce(VirtualNs(0)),
    system_call: VirtualNs(0),
    unlocked: VirtualNs(0),
    thread_start: VirtualNs(0),
    fork: VirtualNs(0),
    fork_object_ps: 0,
    spawn: VirtualNs(0),
    message: VirtualNs(0),
    message_byte_ps: 0,
    time_slice: VirtualNs(3_000_000),
};

/// CPython 3.11 on the two-core machine of the measurements: a turn of `while n > 0: n -= 1` takes 17 ns, a lock's acquire and release 63, a slice under two
/// threads is the interval and 0.11 to 0.13 ms, a sleep of 1 ms lasts 1.11, `sleep(0)` 0.07, a write 1.5 µs, an empty process by fork 2.4 ms, by spawn 44, a message between
/// processes there and back 84 µs.
pub const CPYTHON_3_11: Costs = Costs {
    name: "cpython-3.11",
    about: "CPython 3.11 as measured on a machine with two cores",
    class_ps: ClassCosts {
        move_: 1500,
        jump: 4000,
        arithmetic: 8500,
        variable: 5000,
        attribute: 4000,
        item: 8000,
        allocate: 30_000,
        iterate: 14_000,
        call: 9000,
        raise: 60_000,
    },
    byte_ps: 25,
    step_ps: 5_000,
    context_switch: VirtualNs(2_000),
    wake: VirtualNs(50_000),
    wake_soon: VirtualNs(8_000),
    soon: VirtualNs(200_000),
    retake: VirtualNs(50),
    signal: VirtualNs(2_000),
    sleep_slack: VirtualNs(60_000),
    sleep_zero: ZeroSleep::Timer(VirtualNs(2_000)),
    system_call: VirtualNs(1_500),
    unlocked: VirtualNs(150),
    thread_start: VirtualNs(50_000),
    fork: VirtualNs(2_300_000),
    fork_object_ps: 6_700,
    spawn: VirtualNs(42_000_000),
    message: VirtualNs(1_000),
    message_byte_ps: 1_000,
    time_slice: VirtualNs(3_000_000),
};

/// CPython 2.7: `sleep(0)` returns at once, after 1 µs, and a call of the system takes 2.65 (377,000 a second). The rest as 3.11: what its loop is slower
/// changes no ratio.
pub const CPYTHON_2_7: Costs = Costs {
    name: "cpython-2.7",
    about: "as cpython-3.11, but `sleep(0)` takes 1 µs and another system call 2.65",
    sleep_zero: ZeroSleep::AtOnce(VirtualNs(1_000)),
    system_call: VirtualNs(2_650),
    ..CPYTHON_3_11
};

/// Free-threaded CPython 3.13: about 40 % slower than with the lock (Doc/howto/free-threading-python.rst @ 3.13.5).
pub const CPYTHON_3_13T: Costs = Costs {
    name: "cpython-3.13t",
    about: "as cpython-3.11, each instruction 40 % slower",
    class_ps: CPYTHON_3_11.class_ps.scaled(140),
    ..CPYTHON_3_11
};

/// Free-threaded CPython 3.14: about 10 % slower than with the lock (PEP 779).
pub const CPYTHON_3_14T: Costs = Costs {
    name: "cpython-3.14t",
    about: "as cpython-3.11, each instruction 10 % slower",
    class_ps: CPYTHON_3_11.class_ps.scaled(110),
    ..CPYTHON_3_11
};

/// All models.
pub const MODELS: &[&Costs] = &[
    &UNIT,
    &CPYTHON_2_7,
    &CPYTHON_3_11,
    &CPYTHON_3_13T,
    &CPYTHON_3_14T,
];

/// The model of a name, or which there are.
pub fn model(name: &str) -> Result<&'static Costs, String> {
    let found = MODELS.iter().find(|it| it.name == name);
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = MODELS.iter().map(|it| it.name).collect();
        format!("`{name}` is no cost model; there are {}", names.join(", "))
    })
}

impl ClassCosts {
    const fn scaled(self, percent: u32) -> ClassCosts {
        ClassCosts {
            move_: self.move_ * percent / 100,
            jump: self.jump * percent / 100,
            arithmetic: self.arithmetic * percent / 100,
            variable: self.variable * percent / 100,
            attribute: self.attribute * percent / 100,
            item: self.item * percent / 100,
            allocate: self.allocate * percent / 100,
            iterate: self.iterate * percent / 100,
            call: self.call * percent / 100,
            raise: self.raise * percent / 100,
        }
    }

    fn of(&self, class: Cost) -> u32 {
        match class {
            Cost::Move => self.move_,
            Cost::Jump => self.jump,
            Cost::Arithmetic => self.arithmetic,
            Cost::Variable => self.variable,
            Cost::Attribute => self.attribute,
            Cost::Item => self.item,
            Cost::Allocate => self.allocate,
            Cost::Iterate => self.iterate,
            Cost::Call => self.call,
            Cost::Raise => self.raise,
        }
    }
}

/// How many bits of a sum are picoseconds; the others count ticks.
const PS_BITS: u32 = 44;

/// Prefix sums over all instructions of a program: picoseconds, and in the upper bits ticks. The difference of two is what a straight run costs, so that a slice
/// is metered where it is counted, and not at each instruction.
#[derive(Debug)]
pub(super) struct Tariff {
    sums: Box<[u64]>,
}

impl Tariff {
    pub(super) fn new(image: &Image, costs: &Costs, polls: Polls) -> Tariff {
        let mut sum = 0_u64;
        let mut sums = vec![0];
        for op in image.flat() {
            sum += u64::from(costs.class_ps.of(op.kind().cost()));
            sum += u64::from(ticks_of(op, polls)) << PS_BITS;
            sums.push(sum);
        }
        Tariff { sums: sums.into() }
    }
}

/// How many of those that the holder counts the instruction stands for, whichever way it goes.
fn ticks_of(op: Op, polls: Polls) -> u8 {
    let kind = op.kind();
    let counts = match kind.poll() {
        Poll::Never => polls.locals,
        Poll::Plain => polls.plain,
        // `FOR_ITER` and the jump back to it.
        Poll::Loop if polls.plain && !polls.locals => return 2,
        Poll::Loop => polls.backward_jump,
        Poll::Call => polls.entry,
        Poll::Return => polls.return_,
        // A comparison that jumps stands for a comparison and a jump.
        Poll::Jump => {
            polls.locals
                || (polls.plain && kind.cost() == Cost::Arithmetic)
                || (polls.backward_jump && kind == OpKind::Jump)
        }
    };
    u8::from(counts)
}

/// Adds up what a slice costs.
#[derive(Debug)]
pub(super) struct Meter<'a> {
    tariff: &'a Tariff,
    spent: u64,
}

impl<'a> Meter<'a> {
    pub(super) fn new(tariff: &'a Tariff) -> Meter<'a> {
        Meter { tariff, spent: 0 }
    }

    /// Picoseconds and ticks since the last time.
    pub(super) fn take(&mut self) -> (u64, u64) {
        let spent = std::mem::take(&mut self.spent);
        (spent & ((1 << PS_BITS) - 1), spent >> PS_BITS)
    }
}

impl Observer for Meter<'_> {
    const ACTIVE: bool = false;
    const METERED: bool = true;

    fn instruction(&mut self, _: ThreadId, _: &Frame, _: u32, _: Op) {}

    #[inline]
    fn straight(&mut self, from: usize, to: usize) {
        let sums = &self.tariff.sums;
        self.spent += sums[to] - sums[from];
    }
}
