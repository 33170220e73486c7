#![expect(
    unsafe_code,
    reason = "the loop reads registers and instructions without bounds checks; the argument is below"
)]
//! The instruction loop: one text, instantiated for three ways of counting and with or without an
//! observer. It is the one file with `unsafe` code.
//!
//! *Why it is sound.* A VM runs only programs that `bytecode::verify` accepted: every register
//! operand is below the code's window size, every jump lands on an instruction of the same code,
//! and the last instruction never falls through. The stack of a thread always reaches at least to
//! the end of the window of the frame on top (`Vm::reserve` sees to it whenever a frame is pushed),
//! and `registers` is taken anew from it after everything that may have moved the stack: each call
//! out of this file is followed by `refresh!` or `reload!`. `code` points into the program, which
//! the VM's `Arc` keeps alive and nothing changes. No reference into the stack is held across a
//! call.
//!
//! *Counting.* What is left of the budget is the distance from the program counter to the budget's
//! end: an instruction that runs on moves the one nearer to the other, and a jump or a change of
//! frame moves both. So straight code counts without doing anything for it, and exactly: the
//! `EXACT` loop gives way to the `STEP` loop, which looks at the distance before each instruction,
//! as soon as it is less than the longest way to the next look. It looks at jumps and changes of
//! frame. What it keeps (`limit`) is where that would be so, which makes a look one comparison.
//! Where a turn ends and nobody wants anything, the next one begins (`Account`) and the `EXACT`
//! loop runs on. `POLLS` looks at its flag as CPython 3.11 does: at backward jumps, at the start of
//! functions, and after calls of builtins that have no instruction of their own.
//!
//! *The program counter* is the instruction that runs, and is moved on at the top of the loop; so
//! it needs no second register for that instruction's operands. At the start of a code it is the
//! place before the first one, which is never read.
//!
//! *Two levels.* The inner loop runs what is quick: numbers, caches that hit, objects that are this
//! VM's alone. Whatever else an instruction may have to do leaves it (`'exit`) before anything has
//! happened, and is carried out by `slow.rs`. So the inner loop calls hardly anything, reads no
//! operand before it needs it, and is small enough for the compiler to keep its variables in
//! registers.
//!
//! *Stores.* Each arm stores its own result with one store of a whole value. Selecting a value
//! first and storing it once at the end of the arm makes the compiler build it in a stack slot and
//! copy it, which stalls on store forwarding and was measured to cost a factor of 3.5.

use crate::bytecode::op::Op;
use crate::operator::CompareOp;
use crate::vm::Vm;
use crate::vm::heap::MAX_UNASKED;
use crate::vm::heap::class::{Name, Type};
use crate::vm::heap::list::Items;
use crate::vm::heap::object::{Cell, Function, Iter};
use crate::vm::heap::value::{Ref, ThreadId, Value};
use crate::vm::heap::work::Work;
use crate::vm::interpreter::call::{Flow, Step};
use crate::vm::interpreter::slow::{Place, exact_in_f64};
use crate::vm::semantics::protocol::Stepped;
use crate::vm::state::cache::{CACHES, Cache};
use crate::vm::state::link::{Image, Link};
use crate::vm::state::slice::{Budget, Slice, Stop, WaitOn};
use crate::vm::state::stack::Arguments;
use crate::vm::state::thread::{Awaiting, Frame, Return, Status, Thread};
use crate::vm::state::threads::Threads;
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, Ordering};

/// Sees every instruction before it runs. `NoObserver` costs nothing.
pub trait Observer {
    /// Is there anything to tell?
    const ACTIVE: bool;
    /// Is it told of straight runs?
    const METERED: bool = false;
    /// An instruction is about to run.
    fn instruction(&mut self, thread: ThreadId, frame: &Frame, pc: u32, op: Op);
    /// These instructions ran, in a row, as `Image::flat` numbers them; each is told once, when the
    /// row ends.
    fn straight(&mut self, from: usize, to: usize) {
        let _ = (from, to);
    }
}

/// Nobody looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoObserver;

impl Observer for NoObserver {
    const ACTIVE: bool = false;
    fn instruction(&mut self, _: ThreadId, _: &Frame, _: u32, _: Op) {}
}

/// Counts by runs, as long as the budget is longer than any run.
const EXACT: u8 = 0;
/// Counts one by one.
const STEP: u8 = 1;
/// Looks at the budget and the flag at backward jumps and calls alone.
const POLLS: u8 = 2;

/// The longest slice: what is left of it is kept as a distance in bytes.
const MOST: u64 = 1 << 56;

/// Size of an instruction.
const WIDTH: isize = size_of::<Op>() as isize;

/// Why the inner loop hands over.
enum Exit {
    /// The turn may be over.
    TurnOver,
    /// The short form does not apply and has changed nothing: `slow.rs` carries the instruction out
    /// in full.
    InFull,
    /// Likewise, because it touches an object that other VMs still share.
    InFullShared,
    /// The frame on top has changed.
    FrameGone(Step),
}

/// How an instantiation of the loop ended.
enum End {
    Stop(Stop),
    /// What is left of the budget is less than a straight run: count one by one.
    Step,
}

/// The flag of a slice that nothing cuts short.
static NEVER: AtomicBool = AtomicBool::new(false);

/// What a slice may run.
struct Account<'a> {
    /// How much that is in all, as far as is known.
    whole: i64,
    /// How much of it is left, while the loop does not run.
    left: i64,
    /// How much more it is after each turn unless the flag is set; 0 for a slice that is not made
    /// of turns.
    turn: i64,
    flag: &'a AtomicBool,
}

impl Account<'_> {
    /// Adds a turn if nobody minds. The current one may have a straight run of instructions to go:
    /// whoever begins to want something during these is seen at the end of the next one, as if it
    /// had come a moment later.
    #[inline(never)]
    fn renew(&mut self, left: isize, longest_run: isize) -> bool {
        self.left = left as i64;
        // A turn shorter than a straight run would be over before the next look.
        let renewed = self.left < self.turn
            && self.left + self.turn >= longest_run as i64
            && self.whole < MOST as i64
            && !self.flag.load(Ordering::Relaxed);
        if renewed {
            self.whole += self.turn;
            self.left += self.turn;
        }
        renewed
    }
}

impl Vm {
    /// Runs a thread that is ready, at most as far as the budget goes.
    pub fn run(&mut self, thread: ThreadId, budget: Budget<'_>) -> Slice {
        self.run_observed(thread, budget, &mut NoObserver)
    }

    /// `run`, seen by an observer.
    ///
    /// # Panics
    /// If the thread is not ready.
    pub fn run_observed<O: Observer>(
        &mut self,
        thread: ThreadId,
        budget: Budget<'_>,
        observer: &mut O,
    ) -> Slice {
        let at = thread.0 as usize;
        assert_eq!(
            self.threads[at].status,
            Status::Ready,
            "only a ready thread can run"
        );
        let (whole, turn, flag, polls) = match budget {
            Budget::Instructions(count) => (count, 0, &NEVER, false),
            Budget::Turns { left, turn, wanted } => (left, turn, wanted, false),
            Budget::Polls { stop, at_most } => (at_most, 0, stop, true),
        };
        let whole = whole.min(MOST) as i64;
        let mut account = Account {
            whole,
            left: whole,
            turn: turn.min(MOST) as i64,
            flag,
        };
        let image = self.image.clone();
        let stop = match self.begin(at) {
            Some(stop) => stop,
            None if polls => match self.execute::<POLLS, O>(at, &image, &mut account, observer) {
                End::Stop(stop) => stop,
                End::Step => unreachable!("the polling loop does not count one by one"),
            },
            None => loop {
                match self.execute::<EXACT, O>(at, &image, &mut account, observer) {
                    End::Stop(stop) => break stop,
                    End::Step => {}
                }
                match self.execute::<STEP, O>(at, &image, &mut account, observer) {
                    End::Stop(Stop::Budget) if account.renew(account.left as isize, 0) => {}
                    End::Stop(stop) => break stop,
                    End::Step => unreachable!("it counts one by one already"),
                }
            },
        };
        let ran = (account.whole - account.left) as u64;
        self.threads[at].instructions += ran;
        Slice { ran, stop }
    }

    /// What comes before a slice's first instruction: the first call of a new thread, an exception
    /// sent from outside, a native that goes on.
    fn begin(&mut self, thread: usize) -> Option<Stop> {
        if let Some((callable, args, kwargs)) = self.threads[thread].start.take() {
            self.wake_starter(thread);
            let names: Vec<Name> = kwargs.iter().map(|&(name, _)| name).collect();
            self.reserve(thread, 0, args.len() + kwargs.len() + 2);
            let stack = &mut self.threads[thread].stack;
            stack[1..=args.len()].copy_from_slice(&args);
            for (place, &(_, value)) in stack[args.len() + 1..].iter_mut().zip(&kwargs) {
                *place = value;
            }
            let step = self.call_at(
                thread,
                callable,
                0,
                args.len() + kwargs.len(),
                &names,
                Return::Thread,
            );
            return self.stop_of(thread, step.map(|flow| self.or_woke(flow)));
        }
        if let Some(exception) = self.threads[thread].interrupt.take() {
            let state = &mut self.threads[thread];
            let waits = state
                .pending
                .last()
                .is_some_and(|pending| pending.depth as usize == state.frames.len());
            // Between two instructions it is the next one that is interrupted, and its guards that
            // count; the counter says what follows it.
            if !waits && let Some(frame) = state.frames.last_mut() {
                frame.pc += 1;
            }
            return self.unwind(thread, exception, true);
        }
        let state = &self.threads[thread];
        if let Some(pending) = state.pending.last()
            && pending.depth as usize == state.frames.len()
            && matches!(pending.awaiting, Awaiting::Nothing | Awaiting::Wake { .. })
        {
            let step = self.resume_native(thread);
            return self.stop_of(thread, step);
        }
        None
    }

    /// Whoever waits for a thread's beginning can go on.
    fn wake_starter(&mut self, thread: usize) {
        let on = WaitOn::Begin(ThreadId(thread as u32));
        for joiner in self.threads[thread].joiners.clone() {
            if matches!(&self.threads[joiner.0 as usize].status, Status::Waiting { on: it, .. } if *it == on)
            {
                self.wake(joiner);
            }
        }
    }

    /// Carries out what a step outside the loop came to.
    fn stop_of(&mut self, thread: usize, step: Step) -> Option<Stop> {
        match step {
            Ok(Flow::Stop(stop)) => Some(stop),
            Ok(Flow::Next | Flow::Switch) => None,
            Err(exception) => self.unwind(thread, exception, true),
        }
    }

    /// The loop.
    fn execute<const MODE: u8, O: Observer>(
        &mut self,
        thread: usize,
        image: &Image,
        account: &mut Account<'_>,
        observer: &mut O,
    ) -> End {
        let links = &*image.links;
        // The frame on top, as the loop sees it.
        let mut base: usize;
        let mut function: Ref<Function>;
        let mut link: &Link;
        let mut pc: *const Op;
        let mut registers: *mut Value;
        // Where it is time to look whether the budget ends, if the code went on straight that far:
        // where that is so itself, or a straight run before.
        let mut limit: isize;
        // Where the current straight run began, for observers.
        let mut run_start: *const Op;

        macro_rules! reg {
            ($reg:expr) => {
                // SAFETY: verified operand, current window (see the head of this file).
                *unsafe { &mut *registers.add($reg.0 as usize) }
            };
            // The register so many places behind: verified, too.
            ($reg:expr, $behind:expr) => {
                *unsafe { &mut *registers.add($reg.0 as usize + $behind) }
            };
        }
        // So many registers from one on: verified, too.
        macro_rules! window {
            ($from:expr, $count:expr) => {
                // SAFETY: as above.
                unsafe {
                    std::slice::from_raw_parts(registers.add($from.0 as usize), usize::from($count))
                }
            };
        }
        // Copies a value as two words (see `Value`).
        macro_rules! copy {
            ($to:expr, $from:expr) => {{
                // SAFETY: both are places of values.
                #[allow(unused_unsafe, reason = "some of the places are behind pointers")]
                unsafe {
                    let words = read_words(&raw const $from);
                    write_words(&raw mut $to, words);
                }
            }};
        }
        // Copies an item of a list, if it is there, and goes on.
        macro_rules! item {
            ($list:expr, $at:expr, $dst:expr) => {{
                let at: usize = $at;
                match $list.items() {
                    Items::Values(items) => {
                        if let Some(item) = items.get(at) {
                            copy!(reg!($dst), *item);
                            continue;
                        }
                    }
                    Items::Ints(items) => {
                        if let Some(&item) = items.get(at) {
                            reg!($dst) = Value::Int(item);
                            continue;
                        }
                    }
                    Items::Floats(items) => {
                        if let Some(&item) = items.get(at) {
                            reg!($dst) = Value::Float(item);
                            continue;
                        }
                    }
                    Items::Bools(items) => {
                        if let Some(&item) = items.get(at) {
                            reg!($dst) = Value::Bool(item);
                            continue;
                        }
                    }
                }
            }};
        }
        // Replaces an item of a list, if it is there, and goes on.
        macro_rules! put {
            ($items:expr, $index:expr, $item:expr) => {{
                let at = from_end($index, $items.len());
                if let Some(place) = $items.get_mut(at) {
                    *place = $item;
                    continue;
                }
            }};
        }
        // The number of the instruction behind a place in the current code.
        macro_rules! next_of {
            ($pc:expr) => {{
                // Signed, since the place before the first one is less than nothing.
                let bytes = ($pc as isize).wrapping_sub(link.ops.as_ptr() as isize);
                (bytes >> WIDTH.trailing_zeros()).wrapping_add(1) as u32
            }};
        }
        // The place before an instruction: the loop steps to it from there.
        macro_rules! before {
            ($link:expr, $number:expr) => {
                $link
                    .ops
                    .as_ptr()
                    .wrapping_add($number as usize)
                    .wrapping_sub(1)
            };
        }
        // Writes the program counter back.
        macro_rules! save {
            () => {{
                let at = next_of!(pc);
                // SAFETY: the thread is there, whatever it has called.
                let state = unsafe { own_thread(&mut self.threads, thread) };
                if let Some(frame) = state.frames.last_mut() {
                    frame.pc = at;
                }
            }};
        }
        macro_rules! refresh {
            () => {
                // SAFETY: the window of the frame on top lies within the stack.
                registers = unsafe {
                    own_thread(&mut self.threads, thread)
                        .stack
                        .as_mut_ptr()
                        .add(base)
                }
            };
        }
        // How far before the end of the budget `limit` is, in bytes.
        macro_rules! reserve {
            () => {
                if MODE == EXACT { link.longest_run } else { 0 }
            };
        }
        // Bytes from here to `limit`.
        macro_rules! distance {
            () => {
                limit.wrapping_sub(pc as isize)
            };
        }
        // Bytes from here to the end of the budget.
        macro_rules! left {
            () => {
                distance!().wrapping_add(reserve!())
            };
        }
        // What is left of the budget is so much, here, in this code.
        macro_rules! set_left {
            ($left:expr) => {
                limit = (pc as isize).wrapping_add($left).wrapping_sub(reserve!())
            };
        }
        // Tells an observer of the straight run that ends before `pc`.
        macro_rules! report_run {
            () => {
                if O::METERED && MODE != STEP {
                    let first = link.first_op as usize;
                    observer.straight(
                        first + next_of!(run_start) as usize,
                        first + next_of!(pc) as usize,
                    );
                }
            };
        }
        macro_rules! end {
            ($end:expr) => {{
                account.left = (left!() / WIDTH) as i64;
                return $end;
            }};
        }
        // Is it time to give way, at the instruction `pc`?
        macro_rules! due {
            (poll: $poll:expr) => {
                (MODE == EXACT && distance!() < 0)
                    || (MODE == POLLS
                        && $poll
                        && (distance!() <= 0 || account.flag.load(Ordering::Relaxed)))
            };
        }
        // Begins the next turn if nobody minds, or gives way.
        macro_rules! give_way {
            () => {
                if MODE == EXACT && account.renew(left!() / WIDTH, link.longest_run / WIDTH) {
                    limit = limit.wrapping_add(account.turn as isize * WIDTH);
                } else {
                    save!();
                    end!(if MODE == EXACT {
                        End::Step
                    } else {
                        End::Stop(Stop::Budget)
                    });
                }
            };
        }
        // Takes up the frame on top; what is left of the budget stays what it is.
        macro_rules! reload {
            ($left:expr) => {{
                let left: isize = $left;
                let top = self.threads[thread].frames.last();
                let frame = *top.expect("a thread that goes on has a frame");
                base = frame.base as usize;
                function = frame.function;
                link = &links[frame.code.0 as usize];
                pc = before!(link, frame.pc);
                set_left!(left);
                run_start = pc;
                refresh!();
                if due!(poll: true) {
                    give_way!();
                }
            }};
        }
        reload!((account.left as isize) * WIDTH);
        loop {
            let exit = 'exit: {
                macro_rules! check {
                    (poll: $poll:expr) => {
                        if due!(poll: $poll) {
                            break 'exit Exit::TurnOver;
                        }
                    };
                }
                macro_rules! jump {
                    ($to:expr) => {{
                        let to = $to as isize;
                        report_run!();
                        pc = pc.wrapping_offset(to);
                        limit = limit.wrapping_add(to * WIDTH);
                        run_start = pc;
                        // A look at a forward jump, too, costs the exact loop less than to ask
                        // which one it is; polls are at backward ones alone.
                        if MODE == EXACT || to < 0 {
                            check!(poll: true);
                        }
                    }};
                }
                macro_rules! in_full {
                    () => {
                        break 'exit Exit::InFull
                    };
                }
                // An object that is this VM's alone.
                macro_rules! own {
                    ($arena:ident, $it:expr) => {{
                        let object = $it;
                        if !self.heap.$arena.is_own(object) {
                            break 'exit Exit::InFullShared;
                        }
                        &self.heap.$arena[object]
                    }};
                }
                macro_rules! own_mut {
                    ($arena:ident, $it:expr) => {{
                        let object = $it;
                        if !self.heap.$arena.is_own(object) {
                            break 'exit Exit::InFullShared;
                        }
                        &mut self.heap.$arena[object]
                    }};
                }
                // Calls a function whose arguments are in place, if nothing but a frame is needed
                // for that.
                macro_rules! call {
                    ($called:expr, $count:expr, $base:expr, $ret:expr) => {{
                        let (called, start): (Ref<Function>, usize) = ($called, $base);
                        let code = own!(functions, called).code;
                        // SAFETY: functions have codes of the VM's program.
                        let callee = unsafe { links.get_unchecked(code.0 as usize) };
                        // SAFETY: the thread is there, whatever it has called.
                        let state = unsafe { own_thread(&mut self.threads, thread) };
                        let depth = state.frames.len();
                        if callee.direct == Some($count)
                            && depth < self.limits.recursion
                            && state.stack.len() > start + callee.registers as usize
                            && let Some(caller) = state.frames.last_mut()
                        {
                            caller.pc = next_of!(pc);
                            state.frames.push(Frame {
                                code,
                                pc: 0,
                                base: start as u32,
                                function: called,
                                ret: $ret,
                            });
                            // SAFETY: the window lies within the stack.
                            registers = unsafe { state.stack.as_mut_ptr().add(start) };
                            report_run!();
                            let left = left!();
                            base = start;
                            function = called;
                            link = callee;
                            pc = before!(link, 0u32);
                            set_left!(left);
                            run_start = pc;
                            check!(poll: true);
                            continue;
                        }
                    }};
                }
                // Goes on if a step outside the loop left the frame on top, and leaves if it did
                // not.
                macro_rules! carried_out {
                    ($step:expr, poll: $poll:expr) => {{
                        save!();
                        match $step {
                            Ok(Flow::Next) => {
                                refresh!();
                                if MODE == POLLS {
                                    check!(poll: $poll);
                                }
                                continue;
                            }
                            step => break 'exit Exit::FrameGone(step),
                        }
                    }};
                }
                // Calls a native whose arguments are in place.
                macro_rules! native {
                    ($native:expr, $at:expr, $count:expr, $dst:expr) => {{
                        let native = $native;
                        carried_out!(
                            self.call_native(
                                thread,
                                native,
                                Arguments {
                                    at: $at,
                                    count: $count.into(),
                                    names: &[]
                                },
                                Return::To($dst)
                            ),
                            poll: !image.natives.has_own_instruction(native)
                        )
                    }};
                }
                macro_rules! branch {
                    ($op:ident, $expect:expr, $lhs:expr, $rhs:expr, $to:expr) => {
                        match self.heap.compare_fast(CompareOp::$op, $lhs, $rhs) {
                            Some(truth) => {
                                if truth == $expect.0 {
                                    jump!($to.0);
                                }
                            }
                            None => in_full!(),
                        }
                    };
                }
                macro_rules! compare_jump {
            ($op:ident, $sign:tt, $expect:expr, $lhs:expr, $rhs:expr, $to:expr) => {
                match (reg!($lhs), reg!($rhs)) {
                    (Value::Int(a), Value::Int(b)) => {
                        if (a $sign b) == $expect.0 {
                            jump!($to.0);
                        }
                    }
                    (Value::Float(a), Value::Float(b)) => {
                        if (a $sign b) == $expect.0 {
                            jump!($to.0);
                        }
                    }
                    (a, b) => branch!($op, $expect, a, b, $to),
                }
            };
        }
                macro_rules! compare_jump_imm {
            ($op:ident, $sign:tt, $expect:expr, $lhs:expr, $imm:expr, $to:expr) => {
                match reg!($lhs) {
                    Value::Int(a) => {
                        if (a $sign i64::from($imm.0)) == $expect.0 {
                            jump!($to.0);
                        }
                    }
                    Value::Float(a) => {
                        if (a $sign f64::from($imm.0)) == $expect.0 {
                            jump!($to.0);
                        }
                    }
                    a => branch!($op, $expect, a, Value::Int(i64::from($imm.0)), $to),
                }
            };
        }
                macro_rules! arithmetic {
                    ($checked:ident, $sign:tt, $dst:expr, $lhs:expr, $rhs:expr) => {
                        match (reg!($lhs), reg!($rhs)) {
                            (Value::Int(a), Value::Int(b)) => match a.$checked(b) {
                                Some(c) => reg!($dst) = Value::Int(c),
                                None => in_full!(),
                            },
                            (Value::Float(a), Value::Float(b)) => {
                                reg!($dst) = Value::Float(a $sign b)
                            }
                            _ => in_full!(),
                        }
                    };
                }
                macro_rules! arithmetic_imm {
                    ($checked:ident, $sign:tt, $dst:expr, $lhs:expr, $imm:expr) => {
                        match reg!($lhs) {
                            Value::Int(a) => match a.$checked(i64::from($imm.0)) {
                                Some(c) => reg!($dst) = Value::Int(c),
                                None => in_full!(),
                            },
                            Value::Float(a) => {
                                reg!($dst) = Value::Float(a $sign f64::from($imm.0))
                            }
                            _ => in_full!(),
                        }
                    };
                }
                macro_rules! bitwise {
                    ($sign:tt, $dst:expr, $lhs:expr, $rhs:expr) => {
                        match (reg!($lhs), reg!($rhs)) {
                            (Value::Int(a), Value::Int(b)) => reg!($dst) = Value::Int(a $sign b),
                            _ => in_full!(),
                        }
                    };
                }

                loop {
                    // The code that follows dispatches every instruction. Where it lies across two
                    // lines of the cache, one layout in four, loops take up to 1.5 times as long;
                    // so it is moved to the next line then, by at most 16 bytes. What is more, this
                    // makes the linker begin the whole function at a line, so that its layout does
                    // not depend on what else is in the program.
                    #[cfg(all(target_arch = "x86_64", not(miri)))]
                    // SAFETY: it does nothing.
                    unsafe {
                        std::arch::asm!(
                            ".p2align 6, , 16",
                            options(nomem, nostack, preserves_flags)
                        );
                    }
                    if MODE == STEP {
                        if distance!() <= 0 {
                            save!();
                            end!(End::Stop(Stop::Budget));
                        }
                        if O::METERED {
                            let at = (link.first_op + next_of!(pc)) as usize;
                            observer.straight(at, at + 1);
                        }
                    }
                    if O::ACTIVE {
                        save!();
                        let frame = self.threads[thread]
                            .frames
                            .last()
                            .expect("a running thread has a frame");
                        let at = frame.pc;
                        let op = link.ops[at as usize];
                        observer.instruction(ThreadId(thread as u32), frame, at, op);
                    }
                    pc = pc.wrapping_add(1);
                    // Or the compiler keeps the place before it in a register of its own: 3 to 5 %
                    // more machine instructions.
                    #[cfg(all(target_arch = "x86_64", not(miri)))]
                    #[expect(clippy::pointers_in_nomem_asm_block, reason = "it reads nothing")]
                    // SAFETY: it does nothing.
                    unsafe {
                        std::arch::asm!(
                            "/* {0} */",
                            inout(reg) pc,
                            options(nomem, nostack, preserves_flags)
                        );
                    }
                    // SAFETY: `pc` is an instruction of the current code: frames and verified jumps
                    // lead to these, and the last one does not fall through.
                    match *unsafe { &*pc } {
                        Op::Move { dst, src } => copy!(reg!(dst), reg!(src)),
                        Op::LoadConst { dst, constant } => {
                            // SAFETY: verified constant; the VM holds one value for each constant
                            // of its program.
                            reg!(dst) =
                                unsafe { *self.constants.get_unchecked(constant.0 as usize) };
                        }
                        Op::LoadInt { dst, integer } => {
                            reg!(dst) = Value::Int(i64::from(integer.0));
                        }
                        Op::LoadNone { dst } => reg!(dst) = Value::None,
                        Op::LoadBool { value, dst } => reg!(dst) = Value::Bool(value.0),
                        Op::Unbind { dst } => reg!(dst) = Value::Unbound,
                        Op::CheckBound { src } => {
                            if !reg!(src).is_bound() {
                                in_full!();
                            }
                        }
                        Op::GetGlobal { dst, global } => {
                            // SAFETY: verified variable; the VM holds one place for each variable
                            // of its program.
                            let place = unsafe { self.globals.get_unchecked(global.0 as usize) };
                            if !place.is_bound() {
                                in_full!();
                            }
                            copy!(reg!(dst), *place);
                        }
                        Op::SetGlobal { src, global } => {
                            // SAFETY: as above.
                            *unsafe { self.globals.get_unchecked_mut(global.0 as usize) } =
                                reg!(src);
                        }
                        Op::MakeCell { reg } => {
                            if self.is_collection_due() {
                                in_full!()
                            }
                            let value = reg!(reg);
                            reg!(reg) = self.heap.new_cell(Cell(value));
                        }
                        Op::GetCell { dst, cell } => {
                            let Value::Cell(it) = reg!(cell) else {
                                in_full!()
                            };
                            let place = &own!(cells, it).0;
                            if !place.is_bound() {
                                in_full!();
                            }
                            copy!(reg!(dst), *place);
                        }
                        Op::SetCell { cell, src } => {
                            let Value::Cell(it) = reg!(cell) else {
                                in_full!()
                            };
                            copy!(own_mut!(cells, it).0, reg!(src));
                        }
                        Op::GetFree { dst, free } => {
                            let Some(&cell) = own!(functions, function).cells.get(free.0 as usize)
                            else {
                                in_full!()
                            };
                            let place = &own!(cells, cell).0;
                            if !place.is_bound() {
                                in_full!();
                            }
                            copy!(reg!(dst), *place);
                        }
                        Op::SetFree { src, free } => {
                            let Some(&cell) = own!(functions, function).cells.get(free.0 as usize)
                            else {
                                in_full!()
                            };
                            copy!(own_mut!(cells, cell).0, reg!(src));
                        }

                        Op::Add { dst, lhs, rhs, .. } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Int(a), Value::Int(b)) => match a.checked_add(b) {
                                Some(c) => reg!(dst) = Value::Int(c),
                                None => in_full!(),
                            },
                            (Value::Float(a), Value::Float(b)) => reg!(dst) = Value::Float(a + b),
                            (Value::Str(a), Value::Str(b)) if !self.is_collection_due() => {
                                let joined = self.heap.concatenate(a, b, MAX_UNASKED);
                                if !joined.is_bound() {
                                    in_full!();
                                }
                                reg!(dst) = joined;
                            }
                            _ => in_full!(),
                        },
                        Op::Sub { dst, lhs, rhs, .. } => arithmetic!(checked_sub, -, dst, lhs, rhs),
                        Op::Mul { dst, lhs, rhs, .. } => arithmetic!(checked_mul, *, dst, lhs, rhs),
                        Op::Div { dst, lhs, rhs, .. } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Float(a), Value::Float(b)) if b != 0.0 => {
                                reg!(dst) = Value::Float(a / b);
                            }
                            (Value::Int(a), Value::Int(b))
                                if b != 0 && exact_in_f64(a) && exact_in_f64(b) =>
                            {
                                reg!(dst) = Value::Float(a as f64 / b as f64);
                            }
                            _ => in_full!(),
                        },
                        Op::FloorDiv { dst, lhs, rhs, .. } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Int(a), Value::Int(b)) if b > 0 => {
                                reg!(dst) = Value::Int(a.div_euclid(b));
                            }
                            _ => in_full!(),
                        },
                        Op::Mod { dst, lhs, rhs, .. } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Int(a), Value::Int(b)) if b > 0 => {
                                reg!(dst) = Value::Int(a.rem_euclid(b));
                            }
                            _ => in_full!(),
                        },
                        Op::Pow { dst, lhs, rhs, .. } => {
                            let power = match (reg!(lhs), reg!(rhs)) {
                                (Value::Float(a), Value::Float(b)) => finite_power(a, b),
                                (Value::Float(a), Value::Int(b)) if exact_in_f64(b) => {
                                    finite_power(a, b as f64)
                                }
                                _ => None,
                            };
                            match power {
                                Some(power) => reg!(dst) = Value::Float(power),
                                None => in_full!(),
                            }
                        }
                        Op::BitAnd { dst, lhs, rhs, .. } => bitwise!(&, dst, lhs, rhs),
                        Op::BitOr { dst, lhs, rhs, .. } => bitwise!(|, dst, lhs, rhs),
                        Op::BitXor { dst, lhs, rhs, .. } => bitwise!(^, dst, lhs, rhs),
                        Op::Shl { dst, lhs, rhs, .. } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Int(a), Value::Int(b))
                                if (0..63).contains(&b) && (a << b) >> b == a =>
                            {
                                reg!(dst) = Value::Int(a << b);
                            }
                            _ => in_full!(),
                        },
                        Op::Shr { dst, lhs, rhs, .. } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Int(a), Value::Int(b)) if b >= 0 => {
                                reg!(dst) = Value::Int(a >> b.min(63));
                            }
                            _ => in_full!(),
                        },
                        Op::AddImm { dst, lhs, imm, .. } => {
                            arithmetic_imm!(checked_add, +, dst, lhs, imm);
                        }
                        Op::SubImm { dst, lhs, imm, .. } => {
                            arithmetic_imm!(checked_sub, -, dst, lhs, imm);
                        }
                        Op::MulImm { dst, lhs, imm, .. } => {
                            arithmetic_imm!(checked_mul, *, dst, lhs, imm);
                        }
                        Op::FloorDivImm { dst, lhs, imm, .. } => match reg!(lhs) {
                            // A shift where it will do: the machine's division is tens of cycles,
                            // and `// 2` is what scripts write.
                            Value::Int(a) if imm.0 > 0 && imm.0 & (imm.0 - 1) == 0 => {
                                reg!(dst) = Value::Int(a >> imm.0.trailing_zeros());
                            }
                            Value::Int(a) if imm.0 > 0 => {
                                reg!(dst) = Value::Int(a.div_euclid(i64::from(imm.0)));
                            }
                            _ => in_full!(),
                        },
                        Op::ModImm { dst, lhs, imm, .. } => match reg!(lhs) {
                            Value::Int(a) if imm.0 > 0 && imm.0 & (imm.0 - 1) == 0 => {
                                reg!(dst) = Value::Int(a & i64::from(imm.0 - 1));
                            }
                            Value::Int(a) if imm.0 > 0 => {
                                reg!(dst) = Value::Int(a.rem_euclid(i64::from(imm.0)));
                            }
                            _ => in_full!(),
                        },
                        Op::Neg { dst, src } => match reg!(src) {
                            Value::Int(a) if a != i64::MIN => reg!(dst) = Value::Int(-a),
                            Value::Float(a) => reg!(dst) = Value::Float(-a),
                            _ => in_full!(),
                        },
                        Op::Pos { dst, src } => match reg!(src) {
                            a @ (Value::Int(_) | Value::Float(_)) => reg!(dst) = a,
                            _ => in_full!(),
                        },
                        Op::Invert { dst, src } => match reg!(src) {
                            Value::Int(a) => reg!(dst) = Value::Int(!a),
                            _ => in_full!(),
                        },
                        Op::Not { dst, src } => match reg!(src) {
                            Value::Bool(a) => reg!(dst) = Value::Bool(!a),
                            Value::None => reg!(dst) = Value::Bool(true),
                            Value::Int(a) => reg!(dst) = Value::Bool(a == 0),
                            a => match self.heap.truth_fast(a) {
                                Some(truth) => reg!(dst) = Value::Bool(!truth),
                                None => in_full!(),
                            },
                        },
                        Op::Compare { op, dst, lhs, rhs } => match (op, reg!(lhs), reg!(rhs)) {
                            (CompareOp::Is, a, b) => reg!(dst) = Value::Bool(a.same(b)),
                            (CompareOp::IsNot, a, b) => reg!(dst) = Value::Bool(!a.same(b)),
                            (CompareOp::Eq, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a == b);
                            }
                            (CompareOp::Ne, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a != b);
                            }
                            (CompareOp::Lt, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a < b);
                            }
                            (CompareOp::Le, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a <= b);
                            }
                            (CompareOp::Gt, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a > b);
                            }
                            (CompareOp::Ge, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a >= b);
                            }
                            (op, a, b) => match self.heap.compare_fast(op, a, b) {
                                Some(truth) => reg!(dst) = Value::Bool(truth),
                                None => in_full!(),
                            },
                        },
                        Op::Jump { to } => jump!(to.0),
                        Op::JumpIf { expect, src, to } => match reg!(src) {
                            Value::Bool(truth) => {
                                if truth == expect.0 {
                                    jump!(to.0);
                                }
                            }
                            Value::None => {
                                if !expect.0 {
                                    jump!(to.0);
                                }
                            }
                            Value::Int(number) => {
                                if (number != 0) == expect.0 {
                                    jump!(to.0);
                                }
                            }
                            a => match self.heap.truth_fast(a) {
                                Some(truth) => {
                                    if truth == expect.0 {
                                        jump!(to.0);
                                    }
                                }
                                None => in_full!(),
                            },
                        },
                        Op::JumpIfNone { expect, src, to } => {
                            if matches!(reg!(src), Value::None) == expect.0 {
                                jump!(to.0);
                            }
                        }
                        Op::JumpIfUnbound { src, to } => {
                            if !reg!(src).is_bound() {
                                jump!(to.0);
                            }
                        }
                        Op::JumpLt {
                            expect,
                            lhs,
                            rhs,
                            to,
                        } => compare_jump!(Lt, <, expect, lhs, rhs, to),
                        Op::JumpLe {
                            expect,
                            lhs,
                            rhs,
                            to,
                        } => compare_jump!(Le, <=, expect, lhs, rhs, to),
                        Op::JumpGt {
                            expect,
                            lhs,
                            rhs,
                            to,
                        } => compare_jump!(Gt, >, expect, lhs, rhs, to),
                        Op::JumpGe {
                            expect,
                            lhs,
                            rhs,
                            to,
                        } => compare_jump!(Ge, >=, expect, lhs, rhs, to),
                        Op::JumpEq {
                            expect,
                            lhs,
                            rhs,
                            to,
                        } => compare_jump!(Eq, ==, expect, lhs, rhs, to),
                        Op::JumpNe {
                            expect,
                            lhs,
                            rhs,
                            to,
                        } => compare_jump!(Ne, !=, expect, lhs, rhs, to),
                        Op::JumpNeImm {
                            expect,
                            lhs,
                            imm,
                            to,
                        } => compare_jump_imm!(Ne, !=, expect, lhs, imm, to),
                        Op::JumpLtImm {
                            expect,
                            lhs,
                            imm,
                            to,
                        } => compare_jump_imm!(Lt, <, expect, lhs, imm, to),
                        Op::JumpLeImm {
                            expect,
                            lhs,
                            imm,
                            to,
                        } => compare_jump_imm!(Le, <=, expect, lhs, imm, to),
                        Op::JumpGtImm {
                            expect,
                            lhs,
                            imm,
                            to,
                        } => compare_jump_imm!(Gt, >, expect, lhs, imm, to),
                        Op::JumpGeImm {
                            expect,
                            lhs,
                            imm,
                            to,
                        } => compare_jump_imm!(Ge, >=, expect, lhs, imm, to),
                        Op::JumpEqImm {
                            expect,
                            lhs,
                            imm,
                            to,
                        } => compare_jump_imm!(Eq, ==, expect, lhs, imm, to),
                        Op::RangePrep { base: at } => {
                            let (Value::Int(start), Value::Int(stop), Value::Int(1)) =
                                (reg!(at), reg!(at, 1), reg!(at, 2))
                            else {
                                in_full!()
                            };
                            let (Some(before), Some(turns)) =
                                (start.checked_sub(1), stop.checked_sub(start))
                            else {
                                in_full!()
                            };
                            reg!(at) = Value::Int(before);
                            reg!(at, 1) = Value::Int(turns);
                        }
                        Op::RangeLoop { var, base: at, to } => {
                            let (Value::Int(last), Value::Int(turns), Value::Int(step)) =
                                (&mut reg!(at), &mut reg!(at, 1), &reg!(at, 2))
                            else {
                                in_full!()
                            };
                            if *turns > 0 {
                                // Within the range, which `RangePrep` checked; hand-written code
                                // may wrap, and does so quietly.
                                let next = last.wrapping_add(*step);
                                *turns -= 1;
                                *last = next;
                                reg!(var) = Value::Int(next);
                                jump!(to.0);
                            }
                        }
                        Op::GetIter { dst, src } => match reg!(src) {
                            value @ (Value::Generator(_) | Value::Iter(_)) => reg!(dst) = value,
                            Value::List(list) if !self.is_collection_due() => {
                                reg!(dst) = self.heap.new_iter(Iter::List { list, next: 0 });
                            }
                            _ => in_full!(),
                        },
                        Op::ForIter { dst, iter, to } => {
                            let Value::Iter(it) = reg!(iter) else {
                                in_full!()
                            };
                            let state = own_mut!(iters, it);
                            match state {
                                Iter::List { list, next } => {
                                    let at = *next;
                                    let list = own!(lists, *list);
                                    *next += 1;
                                    item!(list, at, dst);
                                    *state = Iter::Done;
                                    jump!(to.0);
                                }
                                Iter::Range {
                                    next,
                                    left: turns,
                                    step,
                                } => {
                                    if *turns > 0 {
                                        reg!(dst) = Value::Int(*next);
                                        *next = next.wrapping_add(*step);
                                        *turns -= 1;
                                    } else {
                                        jump!(to.0);
                                    }
                                }
                                Iter::Tuple { tuple, next } => {
                                    if let Some(item) = own!(tuples, *tuple).0.get(*next) {
                                        *next += 1;
                                        copy!(reg!(dst), *item);
                                    } else {
                                        *state = Iter::Done;
                                        jump!(to.0);
                                    }
                                }
                                other => {
                                    let is_map = matches!(other, Iter::Map { .. });
                                    if self.is_collection_due() {
                                        in_full!();
                                    }
                                    if is_map {
                                        let start = base + link.registers as usize;
                                        match self.step_map_alone(thread, it, start) {
                                            Stepped::Item(function) => {
                                                let exit =
                                                    next_of!(pc.wrapping_offset(to.0 as isize));
                                                let ret = Return::Item { into: dst, exit };
                                                call!(function, 1u16, start, ret);
                                                unreachable!("it needs nothing but a frame");
                                            }
                                            Stepped::End => jump!(to.0),
                                            Stepped::NotAlone => in_full!(),
                                        }
                                    } else {
                                        match self.heap.step_alone(it) {
                                            Stepped::Item(item) => reg!(dst) = item,
                                            Stepped::End => jump!(to.0),
                                            Stepped::NotAlone => in_full!(),
                                        }
                                    }
                                }
                            }
                        }
                        Op::GetAttr { dst, object, site } => {
                            let at = link.cache_base as usize + CACHES * site.0 as usize;
                            // SAFETY: verified site; the VM holds one cache for each site of its
                            // program.
                            match *unsafe { self.caches.get_unchecked(at) } {
                                Cache::Slot {
                                    shape,
                                    slot,
                                    version,
                                } => {
                                    if let Value::Instance(it) = reg!(object) {
                                        let instance = own!(instances, it);
                                        if instance.shape == shape && version == self.class_version
                                        {
                                            copy!(reg!(dst), instance.slots[slot as usize]);
                                            continue;
                                        }
                                    }
                                }
                                Cache::Global { module, global } => {
                                    if let Value::Module(it) = reg!(object) {
                                        let place = &self.globals[global as usize];
                                        if module == it && place.is_bound() {
                                            copy!(reg!(dst), *place);
                                            continue;
                                        }
                                    }
                                }
                                _ => {}
                            }
                            in_full!();
                        }
                        Op::SetAttr { object, src, site } => {
                            let at = link.cache_base as usize + CACHES * site.0 as usize;
                            // SAFETY: as above.
                            match *unsafe { self.caches.get_unchecked(at) } {
                                Cache::Slot {
                                    shape,
                                    slot,
                                    version,
                                } => {
                                    if let Value::Instance(it) = reg!(object)
                                        && version == self.class_version
                                    {
                                        let instance = own_mut!(instances, it);
                                        if instance.shape == shape {
                                            copy!(instance.slots[slot as usize], reg!(src));
                                            continue;
                                        }
                                    }
                                }
                                Cache::Add { from, to, version } => {
                                    if let Value::Instance(it) = reg!(object)
                                        && version == self.class_version
                                    {
                                        let instance = own_mut!(instances, it);
                                        if instance.shape == from {
                                            instance.shape = to;
                                            instance.slots.push(reg!(src));
                                            self.heap.allocated += size_of::<Value>();
                                            continue;
                                        }
                                    }
                                }
                                _ => {}
                            }
                            in_full!();
                        }
                        Op::GetItem { dst, object, key } => {
                            match reg!(object) {
                                Value::List(list) => {
                                    if let Value::Int(index) = reg!(key) {
                                        let list = own!(lists, list);
                                        item!(list, from_end(index, list.len()), dst);
                                    }
                                }
                                Value::Tuple(tuple) => {
                                    if let Value::Int(index) = reg!(key) {
                                        let items = &own!(tuples, tuple).0;
                                        if let Some(item) = items.get(from_end(index, items.len()))
                                        {
                                            copy!(reg!(dst), *item);
                                            continue;
                                        }
                                    }
                                }
                                Value::Dict(dict) => {
                                    if O::METERED {
                                        self.heap.worked(Work::Lookup, 1);
                                    }
                                    if let Some(value) = self.heap.dict_get_fast(dict, reg!(key)) {
                                        copy!(reg!(dst), *value);
                                        continue;
                                    }
                                }
                                _ => {}
                            }
                            in_full!();
                        }
                        Op::SetItem { object, key, src } => {
                            match reg!(object) {
                                Value::List(list) => {
                                    if let Value::Int(index) = reg!(key) {
                                        let list = own_mut!(lists, list);
                                        match (list.items_mut(), &reg!(src)) {
                                            (Items::Values(items), value) => {
                                                let at = from_end(index, items.len());
                                                if let Some(place) = items.get_mut(at) {
                                                    copy!(*place, *value);
                                                    continue;
                                                }
                                            }
                                            (Items::Ints(items), &Value::Int(item)) => {
                                                put!(items, index, item);
                                            }
                                            (Items::Floats(items), &Value::Float(item)) => {
                                                put!(items, index, item);
                                            }
                                            (Items::Bools(items), &Value::Bool(item)) => {
                                                put!(items, index, item);
                                            }
                                            _ => {}
                                        }
                                    }
                                }
                                Value::Dict(dict) => {
                                    if O::METERED {
                                        self.heap.worked(Work::Insert, 1);
                                    }
                                    if !self.is_collection_due()
                                        && self.heap.dict_set_fast(dict, reg!(key), reg!(src))
                                    {
                                        continue;
                                    }
                                }
                                _ => {}
                            }
                            in_full!();
                        }
                        Op::ListAppend { list, src } => match reg!(list) {
                            Value::List(it) if !self.is_collection_due() => {
                                own_mut!(lists, it).push(reg!(src));
                                self.heap.allocated += size_of::<Value>();
                            }
                            _ => in_full!(),
                        },
                        Op::Call {
                            dst,
                            base: at,
                            count,
                        } => {
                            let window = base + at.0 as usize;
                            match reg!(at) {
                                Value::Function(called) => {
                                    call!(called, count.0, window + 1, Return::To(dst));
                                }
                                Value::Native(native) => {
                                    native!(native, window + 1, count.0, dst);
                                }
                                Value::Class(class) => {
                                    if count.0 == 1
                                        && !self.is_collection_due()
                                        && let Some(text) = self.text_of_int(class, reg!(at, 1))
                                    {
                                        reg!(dst) = text;
                                        continue;
                                    }
                                    if self.is_collection_due() {
                                        in_full!()
                                    }
                                    carried_out!(
                                        self.construct(
                                            thread,
                                            class,
                                            window,
                                            count.0.into(),
                                            &[],
                                            Return::To(dst)
                                        ),
                                        poll: count.0 != 1 || class != Type::Type.class()
                                    );
                                }
                                _ => {}
                            }
                            in_full!();
                        }
                        Op::BuildTuple {
                            dst,
                            base: at,
                            count,
                        } => {
                            if self.is_collection_due() {
                                in_full!();
                            }
                            reg!(dst) = self.heap.new_tuple(window!(at, count.0));
                        }
                        Op::BuildList {
                            dst,
                            base: at,
                            count,
                        } => {
                            if self.is_collection_due() {
                                in_full!();
                            }
                            reg!(dst) = self.heap.new_list(window!(at, count.0));
                        }
                        Op::FormatValue {
                            convert,
                            dst,
                            src,
                            spec,
                        } => {
                            if !self.is_collection_due()
                                && let Some(text) =
                                    self.heap.format_plain(convert, reg!(src), reg!(spec))
                            {
                                reg!(dst) = text;
                                continue;
                            }
                            in_full!();
                        }
                        Op::LoadMethod { dst, object, site } => {
                            let at = link.cache_base as usize + CACHES * site.0 as usize;
                            #[expect(
                                clippy::collapsible_match,
                                reason = "the arms have one form, and the loop stays as it was \
                                          measured"
                            )]
                            // SAFETY: verified site.
                            match *unsafe { self.caches.get_unchecked(at) } {
                                Cache::Method {
                                    shape,
                                    version,
                                    function,
                                } => {
                                    if let Value::Instance(it) = reg!(object)
                                        && own!(instances, it).shape == shape
                                        && version == self.class_version
                                    {
                                        copy!(reg!(dst, 1), reg!(object));
                                        reg!(dst) = Value::Function(function);
                                        continue;
                                    }
                                }
                                Cache::Native { class, native } => {
                                    if self.class_of(reg!(object)).slot == class {
                                        copy!(reg!(dst, 1), reg!(object));
                                        reg!(dst) = Value::Native(native);
                                        continue;
                                    }
                                }
                                Cache::Function {
                                    class,
                                    version,
                                    function,
                                } => {
                                    if matches!(reg!(object), Value::Class(it) if it == class)
                                        && version == self.class_version
                                    {
                                        reg!(dst) = Value::Unbound;
                                        reg!(dst, 1) = Value::Function(function);
                                        continue;
                                    }
                                }
                                _ => {}
                            }
                            in_full!();
                        }
                        Op::CallMethod {
                            dst,
                            base: at,
                            count,
                        } => {
                            let window = base + at.0 as usize + 1;
                            match reg!(at) {
                                Value::Function(function) => {
                                    call!(function, count.0 + 1, window, Return::To(dst));
                                }
                                Value::Unbound => {
                                    if let Value::Function(function) = reg!(at, 1) {
                                        call!(function, count.0, window + 1, Return::To(dst));
                                    }
                                }
                                Value::Native(native)
                                    if native == self.list_append && count.0 == 1 =>
                                {
                                    if let Value::List(list) = reg!(at, 1)
                                        && !self.is_collection_due()
                                    {
                                        own_mut!(lists, list).push(reg!(at, 2));
                                        self.heap.allocated += size_of::<Value>();
                                        reg!(dst) = Value::None;
                                        continue;
                                    }
                                }
                                Value::Native(native) => {
                                    native!(native, window, count.0 + 1, dst);
                                }
                                _ => {}
                            }
                            in_full!();
                        }
                        Op::Return { src } => {
                            if link.generator {
                                let value = reg!(src);
                                save!();
                                let state = &mut self.threads[thread];
                                let ret = state.frames.pop().expect("a return runs in a frame").ret;
                                break 'exit Exit::FrameGone(
                                    self.generator_returned(thread, value, ret),
                                );
                            }
                            // SAFETY: the thread is there, whatever it has called.
                            let state = unsafe { own_thread(&mut self.threads, thread) };
                            let ret = state.frames.pop().expect("a return runs in a frame").ret;
                            if let Return::To(dst) | Return::Item { into: dst, .. } = ret
                                && let Some(frame) = state.frames.last()
                            {
                                report_run!();
                                let left = left!();
                                base = frame.base as usize;
                                function = frame.function;
                                // SAFETY: frames run codes of the VM's program.
                                link = unsafe { links.get_unchecked(frame.code.0 as usize) };
                                pc = before!(link, frame.pc);
                                set_left!(left);
                                run_start = pc;
                                let value = &raw const reg!(src);
                                // SAFETY: the window lies within the stack.
                                registers = unsafe { state.stack.as_mut_ptr().add(base) };
                                // SAFETY: the callee's window is still there.
                                copy!(reg!(dst), *value);
                                check!(poll: false);
                                continue;
                            }
                            break 'exit Exit::FrameGone(self.deliver(thread, reg!(src), ret));
                        }
                        Op::JumpUnlessMatch {
                            exception,
                            class,
                            to,
                        } => match self.matches(reg!(exception), reg!(class)) {
                            Ok(true) => {}
                            Ok(false) => jump!(to.0),
                            Err(_) => in_full!(),
                        },

                        Op::DelGlobal { .. }
                        | Op::DelCell { .. }
                        | Op::DelFree { .. }
                        | Op::DelAttr { .. }
                        | Op::GetSuper { .. }
                        | Op::DelItem { .. }
                        | Op::BuildSlice { .. }
                        | Op::BuildSet { .. }
                        | Op::BuildDict { .. }
                        | Op::BuildString { .. }
                        | Op::ListExtend { .. }
                        | Op::ListToTuple { .. }
                        | Op::SetAdd { .. }
                        | Op::SetUpdate { .. }
                        | Op::DictInsert { .. }
                        | Op::DictMerge { .. }
                        | Op::Unpack { .. }
                        | Op::UnpackStar { .. }
                        | Op::MakeFunction { .. }
                        | Op::SetDefaults { .. }
                        | Op::SetKwDefaults { .. }
                        | Op::NewClass { .. }
                        | Op::SetClassVar { .. }
                        | Op::GetClassVar { .. }
                        | Op::DelClassVar { .. }
                        | Op::CallKw { .. }
                        | Op::CallSpread { .. }
                        | Op::LoadSuperMethod { .. }
                        | Op::Yield { .. }
                        | Op::YieldFrom { .. }
                        | Op::Raise { .. }
                        | Op::RaiseCurrent { .. }
                        | Op::Reraise { .. }
                        | Op::BeginHandler { .. }
                        | Op::EndHandler { .. }
                        | Op::WithEnter { .. }
                        | Op::WithExit { .. }
                        | Op::Import { .. }
                        | Op::ImportFrom { .. } => in_full!(),
                    }
                }
            };
            let mut polls_after = false;
            let step = match exit {
                Exit::TurnOver => {
                    report_run!();
                    give_way!();
                    run_start = pc;
                    continue;
                }
                Exit::InFull | Exit::InFullShared => {
                    save!();
                    // SAFETY: it is an instruction of the current code.
                    let op = unsafe { *pc };
                    let place = Place {
                        thread,
                        base,
                        function,
                        link,
                        image,
                        next: next_of!(pc),
                    };
                    polls_after = MODE == POLLS && self.calls_builtins(op, &place);
                    if matches!(exit, Exit::InFullShared) {
                        self.carry_out_shared(op, &place)
                    } else {
                        self.carry_out(op, &place)
                    }
                }
                Exit::FrameGone(step) => match step {
                    Ok(Flow::Next) => Ok(Flow::Switch),
                    other => other,
                },
            };
            report_run!();
            // What is left was counted up to the frame that was running.
            let left = left!();
            match step {
                Ok(Flow::Next) => {
                    run_start = pc;
                    refresh!();
                    if MODE == POLLS && polls_after && due!(poll: true) {
                        give_way!();
                    }
                }
                Ok(Flow::Switch) => reload!(left),
                Ok(Flow::Stop(stop)) => end!(End::Stop(stop)),
                // The frame on top may be another one by now: its program counter is its own.
                Err(exception) => match self.unwind(thread, exception, true) {
                    None => reload!(left),
                    Some(stop) => end!(End::Stop(stop)),
                },
            }
        }
    }

    /// Is it a call after which CPython looks at its lock, if a builtin is called?
    fn calls_builtins(&self, op: Op, place: &Place<'_>) -> bool {
        match op {
            Op::Call { .. } | Op::CallKw { .. } | Op::CallSpread { .. } => true,
            Op::CallMethod { base, .. } => {
                let stack = &self.threads[place.thread].stack;
                !matches!(stack[place.base + base.0 as usize], Value::Native(it) if it == self.list_append)
            }
            _ => false,
        }
    }

    #[inline]
    fn is_collection_due(&self) -> bool {
        self.heap.allocated >= self.collect_at
    }
}

/// The thread whose slice it is.
///
/// # Safety
/// It is there: no thread is forgotten while it runs.
#[inline]
unsafe fn own_thread(threads: &mut Threads, thread: usize) -> &mut Thread {
    // SAFETY: the caller's.
    unsafe {
        let slot = threads.slots.get_unchecked_mut(thread);
        slot.as_deref_mut().unwrap_unchecked()
    }
}

/// The position that an index means: negative ones count from the end. Past either end it is past
/// the end.
#[inline]
fn from_end(index: i64, length: usize) -> usize {
    let at = if index < 0 {
        index.wrapping_add(length as i64)
    } else {
        index
    };
    at as usize
}

/// `a ** b` where nothing can be wrong about it.
#[inline(never)]
fn finite_power(a: f64, b: f64) -> Option<f64> {
    let power = a.powf(b);
    (a > 0.0 && b.is_finite() && power.is_finite()).then_some(power)
}

/// The two words of a value, of which the second may be partly uninitialized.
type Words = [MaybeUninit<u64>; 2];

/// Reads a value by two loads of a word each. They are volatile because the compiler would make one
/// of them.
///
/// # Safety
/// `from` can be read.
#[inline]
unsafe fn read_words(from: *const Value) -> Words {
    const { assert!(size_of::<Value>() == size_of::<Words>()) };
    let from = from.cast::<MaybeUninit<u64>>();
    // SAFETY: the caller's.
    unsafe { [from.read_volatile(), from.add(1).read_volatile()] }
}

/// Writes a value that `read_words` read, by two stores of a word each. Whoever copies must have
/// read before it takes the place to write to, which may be the same.
///
/// # Safety
/// `to` can be written to.
#[inline]
unsafe fn write_words(to: *mut Value, words: Words) {
    let to = to.cast::<MaybeUninit<u64>>();
    // SAFETY: the caller's.
    unsafe {
        to.write(words[0]);
        to.add(1).write(words[1]);
    }
}
