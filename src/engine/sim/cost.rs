//! What things cost in virtual time: named models, and the meter that adds up what a slice costs by
//! the cost classes of its instructions.
//!
//! One of Mini's instructions stands for one to three of CPython's, whose loads of locals and
//! constants are operands here. So the figures per class are of the work that the class stands for,
//! not of an opcode.

use crate::bytecode::op::{Cost, Op, OpKind, Poll};
use crate::engine::sim::clock::VirtualNs;
use crate::gil::lock::Polls;
use crate::spelling::{did_you_mean, nearest};
use crate::vm::link::Image;
use crate::vm::run::Observer;
use crate::vm::thread::Frame;
use crate::vm::value::ThreadId;
use crate::vm::work::{KINDS, Units, Work};

/// A cost model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    /// What users type.
    pub name: &'static str,
    /// Where the figures come from.
    pub about: &'static str,
    /// Picoseconds of an instruction of each class.
    pub class_ps: ClassCosts,
    /// Picoseconds of what builtins do in proportion to the size of something.
    pub work_ps: WorkCosts,
    /// Picoseconds of each byte that an instruction allocates beyond what its class covers.
    pub byte_ps: u64,
    /// A core takes up another thread.
    pub context_switch: VirtualNs,
    /// From waking a thread until it runs, if it slept for a while: its core went into a deep
    /// state.
    pub wake: VirtualNs,
    /// The same if it slept for less than `soon`.
    pub wake_soon: VirtualNs,
    pub soon: VirtualNs,
    /// Reading a clock.
    pub clock: VirtualNs,
    /// How long the lock is free where a holder lets go and takes it back at once, while one that
    /// waited for it is on its way: `sem_post` calls the system, which finds nobody to wake
    /// (`nptl/sem_post.c`). Where nobody is on the way it does not, and the lock is free for a few
    /// nanoseconds, which is never.
    pub retake: VirtualNs,
    /// A core waits for memory that another one has changed: at most so long.
    pub stall: VirtualNs,
    /// The waker's part of a wake-up: the system call.
    pub signal: VirtualNs,
    /// How much later than asked a sleep ends, besides the wake-up.
    pub sleep_slack: VirtualNs,
    /// `sleep(0)`.
    pub sleep_zero: ZeroSleep,
    /// A system call that does not block, such as a write, with all that the interpreter does
    /// around it.
    pub system_call: VirtualNs,
    /// For so much of that time the lock is free: the system's own part of it.
    pub unlocked: VirtualNs,
    /// From starting a thread until it runs. In CPython `benches/fidelity.py` measures it together
    /// with the join, which adds a wake-up.
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
    /// How often the system looks whether a thread that waits for its core could have another one.
    pub balance: VirtualNs,
    /// After this long a core takes up another thread if one is ready.
    pub time_slice: VirtualNs,
}

/// What `time.sleep(0)` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZeroSleep {
    /// It comes back after so long without having slept: a `select` of nothing (up to 3.10).
    AtOnce(VirtualNs),
    /// It sets a timer for so long, and sleeps (`clock_nanosleep` in `Modules/timemodule.c`, 3.11
    /// and later).
    Timer(VirtualNs),
}

/// Picoseconds by cost class. One of Mini's instructions stands for one to three of CPython's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClassCosts {
    pub move_: u32,
    pub jump: u32,
    pub compare: u32,
    pub arithmetic: u32,
    pub divide: u32,
    pub variable: u32,
    pub store: u32,
    pub attribute: u32,
    pub item: u32,
    pub allocate: u32,
    pub iterate: u32,
    pub next: u32,
    pub call: u32,
    pub frame: u32,
    pub with: u32,
    pub raise: u32,
}

/// Picoseconds of a unit of each kind of work (`vm::heap::work`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkCosts {
    pub visit: u32,
    pub compare: u32,
    pub sort: u32,
    pub lookup: u32,
    pub insert: u32,
    pub make: u32,
    pub cut: u32,
    pub place: u32,
    pub byte: u32,
    pub hash: u32,
    pub write: u32,
    pub digit: u32,
    pub lock: u32,
    pub instance: u32,
}

/// Every instruction costs one nanosecond, and nothing else costs anything.
pub const UNIT: Costs = Costs {
    name: "unit",
    about: "each instruction takes 1 ns, and everything else (nearly) nothing: what remains are the rules themselves",
    class_ps: ClassCosts {
        move_: 1000,
        jump: 1000,
        compare: 1000,
        arithmetic: 1000,
        divide: 1000,
        variable: 1000,
        store: 1000,
        attribute: 1000,
        item: 1000,
        allocate: 1000,
        iterate: 1000,
        next: 1000,
        call: 1000,
        frame: 1000,
        with: 1000,
        raise: 1000,
    },
    work_ps: WorkCosts {
        visit: 0,
        compare: 0,
        sort: 0,
        lookup: 0,
        insert: 0,
        make: 0,
        cut: 0,
        place: 0,
        byte: 0,
        hash: 0,
        write: 0,
        digit: 0,
        lock: 0,
        instance: 0,
    },
    byte_ps: 0,
    context_switch: VirtualNs(0),
    wake: VirtualNs(0),
    wake_soon: VirtualNs(0),
    soon: VirtualNs(0),
    clock: VirtualNs(0),
    retake: VirtualNs(1),
    stall: VirtualNs(2),
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
    balance: VirtualNs(0),
    time_slice: VirtualNs(3_000_000),
};

/// What instructions take in CPython 3.11, each in the middle of a loop that is hot. Statements of
/// which these are parts, as `benches/fidelity.py` measures them, or by the same means; in
/// nanoseconds.
const CPYTHON_3_11_CLASSES: ClassCosts = ClassCosts {
    // `y = x` of locals: 1 to 3; a closure's `x += 1` is arithmetic and two of these: 13 to 15.
    move_: 1_000,
    // `v and w`, with two globals: 6.
    jump: 2_000,
    // `v is None`, with a global: 5.8; a turn of `while n > 0: n -= 1` is this and arithmetic: 17
    // to 19.
    compare: 5_500,
    // `n += 1`, whose result is no small number that CPython keeps: 13 to 15.
    arithmetic: 12_500,
    // `b % c`, `b // c`: 16 to 20.
    divide: 17_000,
    // `v`: 1.7 to 2.5.
    variable: 2_000,
    // `x = 1`: 10.4 to 12. It has no instruction of its own, and goes by way of the dict.
    store: 10_000,
    // `o.x` with a global: 4.2.
    attribute: 2_000,
    // `a[i]` of locals: 3 to 4.6; a dict's are a lookup or an insertion more.
    item: 3_500,
    // `x = [0, 0]`: 36 to 38, with two moves and the store; `x = []` 26, `x = (v, v)` 35, a
    // `lambda` 43 without the store.
    allocate: 24_000,
    // A turn of `for _ in range(n)`: 12 to 15.
    iterate: 14_000,
    // A turn of `for i in a`: 5 to 5.5, with a jump.
    next: 3_500,
    // `len(a)`: 8 to 10, `a.append(0)`: 8 to 9, `abs(v)`: 8.3, each with its operands. Builtins
    // that have no instruction of their own and look at what they are given take more: `isinstance`
    // 28, `int(v)` 41.
    call: 5_300,
    // `f()`: 17 to 20, `o.f()`: 22, each with the call and its operands.
    frame: 10_500,
    // `with l`: 115 to 154, with the lock taken and let go.
    with: 40_000,
    // `try: raise ValueError` and its handler: 105 to 112, with the instance made.
    raise: 27_000,
};

/// What builtins take in CPython 3.11 for a unit of each kind of work, from calls on a million
/// things or ten million bytes, as `benches/fidelity.py` measures them; in nanoseconds.
const CPYTHON_3_11_WORK: WorkCosts = WorkCosts {
    // `sum(a)`: 4.3 to 5.4.
    visit: 5_000,
    // `-1 in a`: 6.1 to 7.1; `max(a)` is this and a visit: 10.6 to 12.9.
    compare: 6_500,
    // `sorted(a)`: 90 to 93 ms, with twenty million of them.
    sort: 4_400,
    // `d['k']` more than `a[0]`: 3 to 5.
    lookup: 5_000,
    // `d['k'] += 1` more than `a[0] += 1`: 20, and `d['k'] = 1` more than `a[0] = 1`: 10; a lookup
    // is 5 of the one.
    insert: 12_500,
    // `list(range(n))`: 29.6 to 30.7.
    make: 30_000,
    // `'abc abc …'.split()`: 13.1 to 14.9 ms for 250,000.
    cut: 53_000,
    // `[0] * n`: 0.55, of which 0.09 are for its bytes.
    place: 450,
    // `t.find('z')`: 0.011.
    byte: 11,
    // A string's, once: 0.6.
    hash: 625,
    // `repr(a)` of a list of numbers: 2.5.
    write: 2_500,
    // `3 ** 20000`: 98 µs.
    digit: 6_400,
    // `l.acquire(); l.release()`: 58 to 66, with two calls.
    lock: 24_000,
    // `C()`: 51 to 61, with the call.
    instance: 50_000,
};

/// CPython 3.11 on the two-core machine of the measurements: besides what instructions take, a
/// slice under two threads is the interval and 0.11 to 0.15 ms, a sleep of 1 ms is 0.08 to 0.11
/// late, `sleep(0)` takes 67 to 75 µs, a write 1.5, a message to another thread and back 37 to 64,
/// one to another process and back 34 to 46 and 1.6 to 2.2 ms with a million bytes, a thread's
/// start and end 80 to 128 µs, an empty process by fork 1.7 to 2.4 ms and 5 more with a million
/// objects, by spawn 44 to 63. A `FUTEX_WAKE` of nobody takes 235 to 283 ns, and a word that one
/// core writes is read by the other after 31 to 124.
pub const CPYTHON_3_11: Costs = Costs {
    name: "cpython-3.11",
    about: "CPython 3.11 as measured on a machine with two cores",
    class_ps: CPYTHON_3_11_CLASSES,
    work_ps: CPYTHON_3_11_WORK,
    byte_ps: 11,
    context_switch: VirtualNs(2_000),
    wake: VirtualNs(43_000),
    wake_soon: VirtualNs(17_000),
    soon: VirtualNs(200_000),
    clock: VirtualNs(25),
    retake: VirtualNs(240),
    stall: VirtualNs(100),
    signal: VirtualNs(2_000),
    sleep_slack: VirtualNs(53_000),
    sleep_zero: ZeroSleep::Timer(VirtualNs(2_000)),
    system_call: VirtualNs(1_500),
    unlocked: VirtualNs(150),
    thread_start: VirtualNs(81_000),
    fork: VirtualNs(1_800_000),
    fork_object_ps: 5_000,
    spawn: VirtualNs(50_000_000),
    message: VirtualNs(1_000),
    message_byte_ps: 900,
    balance: VirtualNs(4_000_000),
    time_slice: VirtualNs(3_000_000),
};

/// CPython 2.7: `sleep(0)` returns at once, after 1 µs, and a call of the system takes 2.65
/// (377,000 a second). The rest as 3.11: what its loop is slower changes no ratio.
pub const CPYTHON_2_7: Costs = Costs {
    name: "cpython-2.7",
    about: "as cpython-3.11, but `sleep(0)` takes 1 µs and another system call 2.65",
    sleep_zero: ZeroSleep::AtOnce(VirtualNs(1_000)),
    system_call: VirtualNs(2_650),
    ..CPYTHON_3_11
};

/// Free-threaded CPython 3.13: about 40 % slower than with the lock
/// (Doc/howto/free-threading-python.rst @ 3.13.5).
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
        format!(
            "`{name}` is no cost model; there are {}{}",
            names.join(", "),
            did_you_mean(nearest(name, names.iter().copied()))
        )
    })
}

impl ClassCosts {
    /// The same with each instruction taking so many hundredths of its time.
    #[must_use]
    pub const fn scaled(self, percent: u32) -> ClassCosts {
        let ClassCosts {
            move_,
            jump,
            compare,
            arithmetic,
            divide,
            variable,
            store,
            attribute,
            item,
            allocate,
            iterate,
            next,
            call,
            frame,
            with,
            raise,
        } = self;
        ClassCosts {
            move_: move_ * percent / 100,
            jump: jump * percent / 100,
            compare: compare * percent / 100,
            arithmetic: arithmetic * percent / 100,
            divide: divide * percent / 100,
            variable: variable * percent / 100,
            store: store * percent / 100,
            attribute: attribute * percent / 100,
            item: item * percent / 100,
            allocate: allocate * percent / 100,
            iterate: iterate * percent / 100,
            next: next * percent / 100,
            call: call * percent / 100,
            frame: frame * percent / 100,
            with: with * percent / 100,
            raise: raise * percent / 100,
        }
    }

    fn of(&self, class: Cost) -> u32 {
        match class {
            Cost::Move => self.move_,
            Cost::Jump => self.jump,
            Cost::Compare => self.compare,
            Cost::Arithmetic => self.arithmetic,
            Cost::Divide => self.divide,
            Cost::Variable => self.variable,
            Cost::Store => self.store,
            Cost::Attribute => self.attribute,
            Cost::Item => self.item,
            Cost::Allocate => self.allocate,
            Cost::Iterate => self.iterate,
            Cost::Next => self.next,
            Cost::Call => self.call,
            Cost::Frame => self.frame,
            Cost::With => self.with,
            Cost::Raise => self.raise,
        }
    }
}

impl WorkCosts {
    /// What a unit of each kind takes, in picoseconds.
    pub(super) fn prices(&self) -> Units {
        let WorkCosts {
            visit,
            compare,
            sort,
            lookup,
            insert,
            make,
            cut,
            place,
            byte,
            hash,
            write,
            digit,
            lock,
            instance,
        } = *self;
        let mut prices = [0; KINDS];
        for (kind, ps) in [
            (Work::Visit, visit),
            (Work::Compare, compare),
            (Work::Sort, sort),
            (Work::Lookup, lookup),
            (Work::Insert, insert),
            (Work::Make, make),
            (Work::Cut, cut),
            (Work::Place, place),
            (Work::Byte, byte),
            (Work::Hash, hash),
            (Work::Write, write),
            (Work::Digit, digit),
            (Work::Lock, lock),
            (Work::Instance, instance),
        ] {
            prices[kind as usize] = u64::from(ps);
        }
        prices
    }

    /// What so many units of all kinds take, in picoseconds.
    pub(super) fn total(&self, units: &Units) -> u64 {
        let kinds = units.iter().zip(self.prices());
        kinds.fold(0, |total: u64, (units, ps)| {
            total.saturating_add(units.saturating_mul(ps))
        })
    }
}

/// How many bits of a sum are picoseconds; the others count ticks.
const PS_BITS: u32 = 44;

/// Prefix sums over all instructions of a program: picoseconds, and in the upper bits ticks. The
/// difference of two is what a straight run costs, so that a slice is metered where it is counted,
/// and not at each instruction.
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
                || (polls.plain && kind.cost() == Cost::Compare)
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
