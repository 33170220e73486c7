#![expect(
    unsafe_code,
    reason = "the loop reads registers and instructions without bounds checks; the argument is below"
)]
//! The instruction loop: one text, instantiated for three ways of counting and with or without an observer. It is the one file with `unsafe` code.
//!
//! *Why it is sound.* A VM runs only programs that `bytecode::verify` accepted: every register operand is below the code's window size, every jump lands
//! on an instruction of the same code, and the last instruction never falls through. The stack of a thread always reaches at least to the end of the
//! window of the frame on top (`Vm::reserve` sees to it whenever a frame is pushed), and `registers` is taken anew from it after everything that
//! may have moved the stack: each call out of this file is followed by `refresh!` or `reload!`. `code` points into the program, which the VM's `Arc`
//! keeps alive and nothing changes. No reference into the stack is held across a call.
//!
//! *Counting.* What is left of the budget is the distance from the program counter to `limit`: an instruction that runs on moves the one nearer to the
//! other, and a jump or a change of frame moves both. So straight code counts without doing anything for it, and exactly: the `EXACT` loop gives way to
//! the `STEP` loop, which looks at the distance before each instruction, as soon as it is less than the longest way to the next look. It looks at backward
//! jumps and changes of frame. Where a turn ends and nobody wants anything, the next one begins (`Account`) and the `EXACT` loop runs on. `POLLS` looks at its flag at backward jumps and calls alone, as CPython 3.11 does.
//!
//! *Two levels.* The inner loop runs what is quick. Everything else leaves it (`'slow`) with a step that is carried out in one place behind it, so that the
//! inner loop stays small enough for the compiler to keep its variables in registers.
//!
//! *Stores.* Each arm stores its own result with one store of a whole value. Selecting a value first and storing it once at the end of the arm makes the
//! compiler build it in a stack slot and copy it, which stalls on store forwarding and was measured to cost a factor of 3.5.

use crate::bytecode::op::{Convert, Op, Reg};
use crate::syntax::ast::{BinaryOp, CompareOp};
use crate::vm::Vm;
use crate::vm::attribute::{CACHES, Cache};
use crate::vm::builtins::operators;
use crate::vm::call::{Flow, Step};
use crate::vm::class::{Name, Type, name};
use crate::vm::generator::Resume;
use crate::vm::link::{Image, Link};
use crate::vm::list::Items;
use crate::vm::object::{Cell, Function, Iter, Method, Object};
use crate::vm::slice::{Budget, Slice, Stop};
use crate::vm::thread::{Asking, Frame, Return, Status, ThreadId};
use crate::vm::value::{Ref, Value};
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
    /// These instructions ran, in a row, as `Image::flat` numbers them; each is told once, when the row ends.
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

/// Why the inner loop was left.
enum Slow {
    /// It is time to give way.
    Due,
    /// For a step that may have changed frames.
    Step(Step),
    /// For one that has.
    Left(Step),
    /// An exception was raised; raised anew if `false`.
    Raised(Value, bool),
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
    /// How much more it is after each turn unless the flag is set; 0 for a slice that is not made of turns.
    turn: i64,
    flag: &'a AtomicBool,
}

impl Account<'_> {
    /// Adds a turn if nobody minds. The current one may have a straight run of instructions to go: whoever begins to want something during these is seen at
    /// the end of the next one, as if it had come a moment later.
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

    /// What comes before a slice's first instruction: the first call of a new thread, an exception sent from outside, a native that goes on.
    fn begin(&mut self, thread: usize) -> Option<Stop> {
        if let Some((callable, args, kwargs)) = self.threads[thread].start.take() {
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
            return self.settle(thread, step);
        }
        if let Some(exception) = self.threads[thread].interrupt.take() {
            let state = &mut self.threads[thread];
            let waits = state
                .pending
                .last()
                .is_some_and(|pending| pending.depth as usize == state.frames.len());
            // Between two instructions it is the next one that is interrupted, and its guards that count; the counter says what follows it.
            if !waits && let Some(frame) = state.frames.last_mut() {
                frame.pc += 1;
            }
            return self.unwind(thread, exception, true);
        }
        let state = &self.threads[thread];
        if let Some(pending) = state.pending.last()
            && pending.depth as usize == state.frames.len()
            && matches!(pending.asking, Asking::Nothing | Asking::Wake { .. })
        {
            let step = self.pump(thread);
            return self.settle(thread, step);
        }
        None
    }

    /// Carries out what a step outside the loop came to.
    fn settle(&mut self, thread: usize, step: Step) -> Option<Stop> {
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
        // Where the budget ends, if the code went on straight that far.
        let mut limit: isize;
        // Where the current straight run began, for observers.
        let mut mark: *const Op;

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
        // Copies a value as two words (see `Value`).
        macro_rules! copy {
            ($to:expr, $from:expr) => {{
                // SAFETY: both are places of values.
                #[allow(unused_unsafe, reason = "some of the places are behind pointers")]
                unsafe {
                    copy_words(&raw mut $to, &raw const $from);
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
        macro_rules! index_of {
            ($pc:expr) => {
                // SAFETY: both point into the current code.
                unsafe { $pc.offset_from(link.ops.as_ptr()) as u32 }
            };
        }
        // Writes the program counter back.
        macro_rules! save {
            () => {{
                let at = index_of!(pc);
                // SAFETY: the thread is there, whatever it has called.
                let state = unsafe { self.threads.get_unchecked_mut(thread) };
                if let Some(frame) = state.frames.last_mut() {
                    frame.pc = at;
                }
            }};
        }
        macro_rules! refresh {
            () => {
                // SAFETY: the window of the frame on top lies within the stack.
                registers = unsafe {
                    self.threads
                        .get_unchecked_mut(thread)
                        .stack
                        .as_mut_ptr()
                        .add(base)
                }
            };
        }
        // Bytes from here to the end of the budget.
        macro_rules! left {
            () => {
                limit.wrapping_sub(pc as isize)
            };
        }
        // Tells an observer of the straight run that ends before `pc`.
        macro_rules! row {
            () => {
                if O::METERED && MODE != STEP {
                    let first = link.first_op as usize;
                    observer.straight(
                        first + index_of!(mark) as usize,
                        first + index_of!(pc) as usize,
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
                (MODE == EXACT && left!() < link.longest_run)
                    || (MODE == POLLS
                        && $poll
                        && (left!() <= 0 || account.flag.load(Ordering::Relaxed)))
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
                // SAFETY: a frame's program counter is an instruction of its code.
                pc = unsafe { link.ops.as_ptr().add(frame.pc as usize) };
                limit = (pc as isize).wrapping_add(left);
                mark = pc;
                refresh!();
                if due!(poll: true) {
                    give_way!();
                }
            }};
        }
        reload!((account.left as isize) * WIDTH);
        loop {
            let slow = 'slow: {
                macro_rules! check {
                    (poll: $poll:expr) => {
                        if due!(poll: $poll) {
                            break 'slow Slow::Due;
                        }
                    };
                }
                macro_rules! jump {
                    ($to:expr) => {{
                        let to = $to as isize;
                        row!();
                        // SAFETY: verified jump.
                        pc = unsafe { pc.offset(to) };
                        limit = limit.wrapping_add(to * WIDTH);
                        mark = pc;
                        if to < 0 {
                            check!(poll: true);
                        }
                    }};
                }
                // Something outside this file that may change frames.
                macro_rules! out {
                    ($step:expr) => {{
                        save!();
                        break 'slow Slow::Step($step);
                    }};
                }
                macro_rules! throw {
                    ($exception:expr) => {{
                        let exception = $exception;
                        throw!(exception, true)
                    }};
                    ($exception:expr, $fresh:expr) => {{
                        let exception = $exception;
                        save!();
                        break 'slow Slow::Raised(exception, $fresh);
                    }};
                }
                // After something was made; what could not be kept is undone.
                macro_rules! collect {
                    ($($undo:expr)?) => {
                        if self.is_collection_due() {
                            save!();
                            if !self.collect_if_due() {
                                $($undo;)?
                                throw!(self.out_of_memory());
                            }
                        }
                    };
                }
                // Calls a function whose arguments are in place, if nothing but a frame is needed for that.
                macro_rules! call {
                    ($called:expr, $count:expr, $base:expr, $dst:expr) => {{
                        let (called, start): (Ref<Function>, usize) = ($called, $base);
                        let code = self.heap.functions[called].code;
                        // SAFETY: functions have codes of the VM's program.
                        let callee = unsafe { links.get_unchecked(code.0 as usize) };
                        // SAFETY: the thread is there, whatever it has called.
                        let state = unsafe { self.threads.get_unchecked_mut(thread) };
                        let depth = state.frames.len();
                        if callee.direct == Some($count)
                            && depth < self.limits.recursion
                            && state.stack.len() > start + callee.registers as usize
                            && let Some(caller) = state.frames.last_mut()
                        {
                            caller.pc = index_of!(pc);
                            state.frames.push(Frame {
                                code,
                                pc: 0,
                                base: start as u32,
                                function: called,
                                ret: Return::To($dst),
                            });
                            // SAFETY: the window lies within the stack.
                            registers = unsafe { state.stack.as_mut_ptr().add(start) };
                            row!();
                            let left = left!();
                            base = start;
                            function = called;
                            link = callee;
                            pc = link.ops.as_ptr();
                            limit = (pc as isize).wrapping_add(left);
                            mark = pc;
                            check!(poll: true);
                            continue;
                        }
                    }};
                }
                macro_rules! ask {
            ($native:expr, [$($arg:expr),*], $dst:expr) => {{
                let args = [$($arg),*];
                out!(self.ask(thread, $native, &args, Return::To($dst)))
            }};
        }
                macro_rules! binary {
                    ($op:ident, $in_place:expr, $dst:expr, $lhs:expr, $rhs:expr) => {{
                        let args = [reg!($lhs), reg!($rhs)];
                        out!(self.ask(
                            thread,
                            operators::of_binary(BinaryOp::$op, $in_place.0),
                            &args,
                            Return::To($dst)
                        ))
                    }};
                }
                // Where a taken jump of the current instruction goes, as an instruction number.
                macro_rules! target {
                    ($to:expr) => {
                        (index_of!(pc) as i64 + $to.0 as i64) as u32
                    };
                }
                macro_rules! branch {
                    ($op:ident, $expect:expr, $lhs:expr, $rhs:expr, $to:expr) => {{
                        let args = [$lhs, $rhs];
                        match self.heap.compare_fast(CompareOp::$op, args[0], args[1]) {
                            Some(truth) => {
                                if truth == $expect.0 {
                                    jump!($to.0);
                                }
                            }
                            None => {
                                let ret = Return::Branch {
                                    expect: $expect.0,
                                    target: target!($to),
                                };
                                out!(self.ask(
                                    thread,
                                    operators::of_compare(CompareOp::$op),
                                    &args,
                                    ret
                                ))
                            }
                        }
                    }};
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
            ($op:ident, $checked:ident, $sign:tt, $in_place:expr, $dst:expr, $lhs:expr, $rhs:expr) => {
                match (reg!($lhs), reg!($rhs)) {
                    (Value::Int(a), Value::Int(b)) => match a.$checked(b) {
                        Some(c) => reg!($dst) = Value::Int(c),
                        None => binary!($op, $in_place, $dst, $lhs, $rhs),
                    },
                    (Value::Float(a), Value::Float(b)) => reg!($dst) = Value::Float(a $sign b),
                    (Value::Float(a), Value::Int(b)) if exact_in_f64(b) => reg!($dst) = Value::Float(a $sign b as f64),
                    (Value::Int(a), Value::Float(b)) if exact_in_f64(a) => reg!($dst) = Value::Float(a as f64 $sign b),
                    _ => binary!($op, $in_place, $dst, $lhs, $rhs),
                }
            };
        }
                macro_rules! arithmetic_imm {
            ($op:ident, $checked:ident, $sign:tt, $in_place:expr, $dst:expr, $lhs:expr, $imm:expr) => {
                match reg!($lhs) {
                    Value::Int(a) => match a.$checked(i64::from($imm.0)) {
                        Some(c) => reg!($dst) = Value::Int(c),
                        None => ask!(operators::of_binary(BinaryOp::$op, false), [Value::Int(a), Value::Int(i64::from($imm.0))], $dst),
                    },
                    Value::Float(a) => reg!($dst) = Value::Float(a $sign f64::from($imm.0)),
                    a => ask!(operators::of_binary(BinaryOp::$op, $in_place.0), [a, Value::Int(i64::from($imm.0))], $dst),
                }
            };
        }
                macro_rules! bitwise {
            ($op:ident, $sign:tt, $in_place:expr, $dst:expr, $lhs:expr, $rhs:expr) => {
                match (reg!($lhs), reg!($rhs)) {
                    (Value::Int(a), Value::Int(b)) => reg!($dst) = Value::Int(a $sign b),
                    _ => binary!($op, $in_place, $dst, $lhs, $rhs),
                }
            };
        }

                loop {
                    if MODE == STEP {
                        if left!() <= 0 {
                            save!();
                            end!(End::Stop(Stop::Budget));
                        }
                        if O::METERED {
                            let at = (link.first_op + index_of!(pc)) as usize;
                            observer.straight(at, at + 1);
                        }
                    }
                    // SAFETY: `pc` is an instruction of the current code, and the last one does not fall through.
                    let op = unsafe { &*pc };
                    if O::ACTIVE {
                        save!();
                        let frame = self.threads[thread]
                            .frames
                            .last()
                            .expect("a running thread has a frame");
                        observer.instruction(ThreadId(thread as u32), frame, index_of!(pc), *op);
                    }
                    // SAFETY: at most one past the last instruction.
                    pc = unsafe { pc.add(1) };
                    match *op {
                        Op::Move { dst, src } => copy!(reg!(dst), reg!(src)),
                        Op::LoadConst { dst, constant } => {
                            // SAFETY: verified constant; the VM holds one value for each constant of its program.
                            reg!(dst) =
                                unsafe { *self.constants.get_unchecked(constant.0 as usize) };
                        }
                        Op::LoadInt { dst, integer } => {
                            reg!(dst) = Value::Int(i64::from(integer.0))
                        }
                        Op::LoadNone { dst } => reg!(dst) = Value::None,
                        Op::LoadBool { value, dst } => reg!(dst) = Value::Bool(value.0),
                        Op::Unbind { dst } => reg!(dst) = Value::Unbound,
                        Op::CheckBound { src } => {
                            if !reg!(src).is_bound() {
                                throw!(self.unbound_local(thread, src));
                            }
                        }

                        Op::GetGlobal { dst, global } => {
                            // SAFETY: verified variable; the VM holds one place for each variable of its program.
                            let place = unsafe { self.globals.get_unchecked(global.0 as usize) };
                            if place.is_bound() {
                                copy!(reg!(dst), *place);
                                continue;
                            }
                            match self.unbound_global(global.0) {
                                Ok(value) => reg!(dst) = value,
                                Err(exception) => throw!(exception),
                            }
                        }
                        Op::SetGlobal { src, global } => {
                            // SAFETY: as above.
                            *unsafe { self.globals.get_unchecked_mut(global.0 as usize) } =
                                reg!(src);
                        }
                        Op::DelGlobal { global } => {
                            if std::mem::replace(
                                &mut self.globals[global.0 as usize],
                                Value::Unbound,
                            )
                            .is_bound()
                            {
                                continue;
                            }
                            throw!(self.name_error(global.0));
                        }

                        Op::MakeCell { reg } => {
                            let value = reg!(reg);
                            reg!(reg) = self.heap.new_cell(Cell(value));
                        }
                        Op::GetCell { dst, cell } => {
                            let Value::Cell(it) = reg!(cell) else {
                                throw!(self.no_cell())
                            };
                            let place = &self.heap.cells[it].0;
                            if !place.is_bound() {
                                throw!(self.unbound_local(thread, cell));
                            }
                            copy!(reg!(dst), *place);
                        }
                        Op::SetCell { cell, src } => match reg!(cell) {
                            Value::Cell(it) => copy!(self.heap.cells[it].0, reg!(src)),
                            _ => throw!(self.no_cell()),
                        },
                        Op::DelCell { cell } => match reg!(cell) {
                            Value::Cell(it) => {
                                if !std::mem::replace(&mut self.heap.cells[it].0, Value::Unbound)
                                    .is_bound()
                                {
                                    throw!(self.unbound_local(thread, cell));
                                }
                            }
                            _ => throw!(self.no_cell()),
                        },
                        Op::GetFree { dst, free } => {
                            let Some(cell) = self.free_cell(function, free.0) else {
                                throw!(self.no_cell())
                            };
                            let place = &self.heap.cells[cell].0;
                            if !place.is_bound() {
                                throw!(self.unbound_free(thread, free.0));
                            }
                            copy!(reg!(dst), *place);
                        }
                        Op::SetFree { src, free } => match self.free_cell(function, free.0) {
                            Some(cell) => copy!(self.heap.cells[cell].0, reg!(src)),
                            None => throw!(self.no_cell()),
                        },
                        Op::DelFree { free } => match self.free_cell(function, free.0) {
                            Some(cell) => {
                                if !std::mem::replace(&mut self.heap.cells[cell].0, Value::Unbound)
                                    .is_bound()
                                {
                                    throw!(self.unbound_free(thread, free.0));
                                }
                            }
                            None => throw!(self.no_cell()),
                        },

                        Op::Add {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Str(a), Value::Str(b)) => {
                                let joined = self.heap.concatenate(a, b);
                                if self.is_collection_due() {
                                    save!();
                                    if !self.keeps(thread, joined) {
                                        throw!(self.out_of_memory());
                                    }
                                }
                                reg!(dst) = joined;
                            }
                            _ => arithmetic!(Add, checked_add, +, in_place, dst, lhs, rhs),
                        },
                        Op::Sub {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => {
                            arithmetic!(Sub, checked_sub, -, in_place, dst, lhs, rhs)
                        }
                        Op::Mul {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => {
                            arithmetic!(Mul, checked_mul, *, in_place, dst, lhs, rhs)
                        }
                        Op::Div {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Float(a), Value::Float(b)) if b != 0.0 => {
                                reg!(dst) = Value::Float(a / b)
                            }
                            (Value::Int(a), Value::Int(b))
                                if b != 0 && exact_in_f64(a) && exact_in_f64(b) =>
                            {
                                reg!(dst) = Value::Float(a as f64 / b as f64)
                            }
                            (Value::Float(a), Value::Int(b)) if b != 0 && exact_in_f64(b) => {
                                reg!(dst) = Value::Float(a / b as f64)
                            }
                            _ => binary!(Div, in_place, dst, lhs, rhs),
                        },
                        Op::FloorDiv {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Int(a), Value::Int(b)) if b > 0 => {
                                reg!(dst) = Value::Int(a.div_euclid(b))
                            }
                            _ => binary!(FloorDiv, in_place, dst, lhs, rhs),
                        },
                        Op::Mod {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Int(a), Value::Int(b)) if b > 0 => {
                                reg!(dst) = Value::Int(a.rem_euclid(b))
                            }
                            _ => binary!(Mod, in_place, dst, lhs, rhs),
                        },
                        Op::Pow {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => {
                            let power = match (reg!(lhs), reg!(rhs)) {
                                (Value::Float(a), Value::Float(b)) => finite_power(a, b),
                                (Value::Float(a), Value::Int(b)) if exact_in_f64(b) => {
                                    finite_power(a, b as f64)
                                }
                                _ => None,
                            };
                            match power {
                                Some(power) => reg!(dst) = Value::Float(power),
                                None => binary!(Pow, in_place, dst, lhs, rhs),
                            }
                        }
                        Op::BitAnd {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => bitwise!(BitAnd, &, in_place, dst, lhs, rhs),
                        Op::BitOr {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => bitwise!(BitOr, |, in_place, dst, lhs, rhs),
                        Op::BitXor {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => bitwise!(BitXor, ^, in_place, dst, lhs, rhs),
                        Op::Shl {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Int(a), Value::Int(b))
                                if (0..63).contains(&b) && (a << b) >> b == a =>
                            {
                                reg!(dst) = Value::Int(a << b)
                            }
                            _ => binary!(Shl, in_place, dst, lhs, rhs),
                        },
                        Op::Shr {
                            in_place,
                            dst,
                            lhs,
                            rhs,
                        } => match (reg!(lhs), reg!(rhs)) {
                            (Value::Int(a), Value::Int(b)) if b >= 0 => {
                                reg!(dst) = Value::Int(a >> b.min(63))
                            }
                            _ => binary!(Shr, in_place, dst, lhs, rhs),
                        },
                        Op::AddImm {
                            in_place,
                            dst,
                            lhs,
                            imm,
                        } => arithmetic_imm!(Add, checked_add, +, in_place, dst, lhs, imm),
                        Op::SubImm {
                            in_place,
                            dst,
                            lhs,
                            imm,
                        } => arithmetic_imm!(Sub, checked_sub, -, in_place, dst, lhs, imm),
                        Op::MulImm {
                            in_place,
                            dst,
                            lhs,
                            imm,
                        } => arithmetic_imm!(Mul, checked_mul, *, in_place, dst, lhs, imm),
                        Op::FloorDivImm {
                            in_place,
                            dst,
                            lhs,
                            imm,
                        } => match reg!(lhs) {
                            // A shift where it will do: the machine's division is tens of cycles, and `// 2` is what scripts write.
                            Value::Int(a) if imm.0 > 0 && imm.0 & (imm.0 - 1) == 0 => {
                                reg!(dst) = Value::Int(a >> imm.0.trailing_zeros())
                            }
                            Value::Int(a) if imm.0 > 0 => {
                                reg!(dst) = Value::Int(a.div_euclid(i64::from(imm.0)))
                            }
                            a => ask!(
                                operators::of_binary(BinaryOp::FloorDiv, in_place.0),
                                [a, Value::Int(i64::from(imm.0))],
                                dst
                            ),
                        },
                        Op::ModImm {
                            in_place,
                            dst,
                            lhs,
                            imm,
                        } => match reg!(lhs) {
                            Value::Int(a) if imm.0 > 0 && imm.0 & (imm.0 - 1) == 0 => {
                                reg!(dst) = Value::Int(a & i64::from(imm.0 - 1))
                            }
                            Value::Int(a) if imm.0 > 0 => {
                                reg!(dst) = Value::Int(a.rem_euclid(i64::from(imm.0)))
                            }
                            a => ask!(
                                operators::of_binary(BinaryOp::Mod, in_place.0),
                                [a, Value::Int(i64::from(imm.0))],
                                dst
                            ),
                        },
                        Op::Neg { dst, src } => match reg!(src) {
                            Value::Int(a) if a != i64::MIN => reg!(dst) = Value::Int(-a),
                            Value::Float(a) => reg!(dst) = Value::Float(-a),
                            a => ask!(operators::NEG, [a], dst),
                        },
                        Op::Pos { dst, src } => match reg!(src) {
                            a @ (Value::Int(_) | Value::Float(_)) => reg!(dst) = a,
                            a => ask!(operators::POS, [a], dst),
                        },
                        Op::Invert { dst, src } => match reg!(src) {
                            Value::Int(a) => reg!(dst) = Value::Int(!a),
                            a => ask!(operators::INVERT, [a], dst),
                        },
                        Op::Not { dst, src } => match reg!(src) {
                            Value::Bool(a) => reg!(dst) = Value::Bool(!a),
                            Value::None => reg!(dst) = Value::Bool(true),
                            Value::Int(a) => reg!(dst) = Value::Bool(a == 0),
                            a => match self.heap.truth_fast(a) {
                                Some(truth) => reg!(dst) = Value::Bool(!truth),
                                None => ask!(operators::NOT, [a], dst),
                            },
                        },
                        Op::Compare { op, dst, lhs, rhs } => match (op, reg!(lhs), reg!(rhs)) {
                            (CompareOp::Is, a, b) => reg!(dst) = Value::Bool(a.same(b)),
                            (CompareOp::IsNot, a, b) => reg!(dst) = Value::Bool(!a.same(b)),
                            (CompareOp::Eq, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a == b)
                            }
                            (CompareOp::Ne, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a != b)
                            }
                            (CompareOp::Lt, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a < b)
                            }
                            (CompareOp::Le, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a <= b)
                            }
                            (CompareOp::Gt, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a > b)
                            }
                            (CompareOp::Ge, Value::Int(a), Value::Int(b)) => {
                                reg!(dst) = Value::Bool(a >= b)
                            }
                            (op, a, b) => match self.heap.compare_fast(op, a, b) {
                                Some(truth) => reg!(dst) = Value::Bool(truth),
                                None => ask!(operators::of_compare(op), [a, b], dst),
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
                                None => {
                                    let ret = Return::Branch {
                                        expect: expect.0,
                                        target: target!(to),
                                    };
                                    out!(self.ask(thread, operators::TRUTH, &[a], ret));
                                }
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
                            let window = base + at.0 as usize;
                            out!(self.range_prep(thread, window, at));
                        }
                        Op::RangeLoop { var, base: at, to } => {
                            match (reg!(at), reg!(at, 1), reg!(at, 2)) {
                                (Value::Int(last), Value::Int(turns), Value::Int(step)) => {
                                    if turns > 0 {
                                        // Within the range, which `RangePrep` checked; hand-written code may wrap, and does so quietly.
                                        let next = Value::Int(last.wrapping_add(step));
                                        reg!(at) = next;
                                        reg!(var) = next;
                                        reg!(at, 1) = Value::Int(turns - 1);
                                        jump!(to.0);
                                    }
                                }
                                _ => throw!(self.throw(
                                    Type::SystemError,
                                    "a range loop without its preparation"
                                )),
                            }
                        }
                        Op::GetIter { dst, src } => match reg!(src) {
                            value @ (Value::Generator(_) | Value::Iter(_)) => reg!(dst) = value,
                            Value::List(list) => {
                                reg!(dst) = self.heap.new_iter(Iter::List { list, next: 0 })
                            }
                            value => ask!(operators::ITER, [value], dst),
                        },
                        Op::ForIter { dst, iter, to } => {
                            match reg!(iter) {
                                Value::Iter(it) => match &mut self.heap.iters[it] {
                                    Iter::List { list, next } => {
                                        let at = *next;
                                        *next += 1;
                                        let list = &self.heap.lists[*list];
                                        item!(list, at, dst);
                                        self.heap.iters[it] = Iter::Done;
                                        jump!(to.0);
                                        continue;
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
                                        continue;
                                    }
                                    Iter::Tuple { tuple, next } => {
                                        if let Some(item) = self.heap.tuples[*tuple].0.get(*next) {
                                            *next += 1;
                                            copy!(reg!(dst), *item);
                                        } else {
                                            self.heap.iters[it] = Iter::Done;
                                            jump!(to.0);
                                        }
                                        continue;
                                    }
                                    _ => {}
                                },
                                Value::Generator(generator) => {
                                    let ret = Return::Item {
                                        into: dst,
                                        exit: target!(to),
                                    };
                                    out!(self.resume(
                                        thread,
                                        generator,
                                        Resume::Send(Value::None),
                                        ret
                                    ));
                                }
                                _ => {}
                            }
                            let ret = Return::Item {
                                into: dst,
                                exit: target!(to),
                            };
                            let iterator = reg!(iter);
                            out!(self.for_next(thread, iterator, ret));
                        }

                        Op::GetAttr { dst, object, site } => {
                            let at = link.cache_base as usize + CACHES * site.0 as usize;
                            // SAFETY: verified site; the VM holds one cache for each site of its program.
                            match *unsafe { self.caches.get_unchecked(at) } {
                                Cache::Slot {
                                    shape,
                                    slot,
                                    version,
                                } => {
                                    if let Value::Instance(it) = reg!(object) {
                                        let instance = &self.heap.instances[it];
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
                            let name = link.sites[site.0 as usize];
                            out!(self.get_attribute(thread, reg!(object), name, Some(at), dst));
                        }
                        Op::SetAttr { object, src, site } => {
                            let at = link.cache_base as usize + CACHES * site.0 as usize;
                            // SAFETY: as above.
                            if let &Cache::Slot {
                                shape,
                                slot,
                                version,
                            } = unsafe { self.caches.get_unchecked(at) }
                                && let Value::Instance(it) = reg!(object)
                                && version == self.class_version
                            {
                                let instance = &mut self.heap.instances[it];
                                if instance.shape == shape {
                                    copy!(instance.slots[slot as usize], reg!(src));
                                    continue;
                                }
                            }
                            let name = link.sites[site.0 as usize];
                            out!(self.set_attribute(thread, reg!(object), name, reg!(src), at));
                        }
                        Op::DelAttr { object, site } => {
                            let args = [
                                reg!(object),
                                Value::Int(i64::from(link.sites[site.0 as usize].0)),
                            ];
                            out!(self.ask(thread, operators::DEL_ATTR, &args, Return::Drop));
                        }
                        Op::GetSuper { dst, base: at } => {
                            match self.new_super(reg!(at), reg!(at, 1)) {
                                Ok(object) => reg!(dst) = object,
                                Err(error) => throw!(error),
                            }
                        }
                        Op::GetItem { dst, object, key } => {
                            match reg!(object) {
                                Value::List(list) => {
                                    if let Value::Int(index) = reg!(key) {
                                        let list = &self.heap.lists[list];
                                        item!(list, from_end(index, list.len()), dst);
                                    }
                                }
                                Value::Tuple(tuple) => {
                                    if let Value::Int(index) = reg!(key) {
                                        let items = &self.heap.tuples[tuple].0;
                                        if let Some(item) = items.get(from_end(index, items.len()))
                                        {
                                            copy!(reg!(dst), *item);
                                            continue;
                                        }
                                    }
                                }
                                Value::Dict(dict) => {
                                    if let Some(value) = self.heap.dict_get_fast(dict, reg!(key)) {
                                        copy!(reg!(dst), *value);
                                        continue;
                                    }
                                }
                                _ => {}
                            }
                            ask!(operators::GET_ITEM, [reg!(object), reg!(key)], dst);
                        }
                        Op::SetItem { object, key, src } => {
                            match reg!(object) {
                                Value::List(list) => {
                                    if let Value::Int(index) = reg!(key) {
                                        let list = &mut self.heap.lists[list];
                                        match (list.items_mut(), &reg!(src)) {
                                            (Items::Values(items), value) => {
                                                let at = from_end(index, items.len());
                                                if let Some(place) = items.get_mut(at) {
                                                    copy!(*place, *value);
                                                    continue;
                                                }
                                            }
                                            (Items::Ints(items), &Value::Int(item)) => {
                                                let at = from_end(index, items.len());
                                                if let Some(place) = items.get_mut(at) {
                                                    *place = item;
                                                    continue;
                                                }
                                            }
                                            _ => {
                                                let at = from_end(index, list.len());
                                                if list.set(at, reg!(src)) {
                                                    continue;
                                                }
                                            }
                                        }
                                    }
                                }
                                Value::Dict(dict) => {
                                    if self.heap.dict_set_fast(dict, reg!(key), reg!(src)) {
                                        collect!();
                                        continue;
                                    }
                                }
                                _ => {}
                            }
                            let args = [reg!(object), reg!(key), reg!(src)];
                            out!(self.ask(thread, operators::SET_ITEM, &args, Return::Drop));
                        }
                        Op::DelItem { object, key } => {
                            let args = [reg!(object), reg!(key)];
                            out!(self.ask(thread, operators::DEL_ITEM, &args, Return::Drop));
                        }
                        Op::BuildSlice { dst, base: at } => {
                            let (lower, upper, step) = (reg!(at), reg!(at, 1), reg!(at, 2));
                            reg!(dst) = self.heap.new_object(Object::Slice { lower, upper, step });
                        }

                        Op::BuildList {
                            dst,
                            base: at,
                            count,
                        } => {
                            let window = base + at.0 as usize;
                            let items = self.threads[thread].stack
                                [window..window + count.0 as usize]
                                .to_vec();
                            reg!(dst) = self.heap.new_list(items);
                            collect!();
                        }
                        Op::BuildTuple {
                            dst,
                            base: at,
                            count,
                        } => {
                            let window = base + at.0 as usize;
                            let items: Box<[Value]> = self.threads[thread].stack
                                [window..window + count.0 as usize]
                                .into();
                            reg!(dst) = self.heap.new_tuple(items);
                            collect!();
                        }
                        Op::BuildSet {
                            dst,
                            base: at,
                            count,
                        } => {
                            let window = base + at.0 as usize;
                            let items = self.threads[thread].stack
                                [window..window + count.0 as usize]
                                .to_vec();
                            out!(self.ask_many(thread, operators::BUILD_SET, &items, dst));
                        }
                        Op::BuildDict {
                            dst,
                            base: at,
                            count,
                        } => {
                            let window = base + at.0 as usize;
                            let items = self.threads[thread].stack
                                [window..window + 2 * count.0 as usize]
                                .to_vec();
                            out!(self.ask_many(thread, operators::BUILD_DICT, &items, dst));
                        }
                        Op::BuildString {
                            dst,
                            base: at,
                            count,
                        } => {
                            let window = base + at.0 as usize;
                            match self.build_string(thread, window, count.0 as usize) {
                                Ok(text) => reg!(dst) = text,
                                Err(exception) => throw!(exception),
                            }
                        }
                        Op::FormatValue {
                            convert,
                            dst,
                            src,
                            spec,
                        } => {
                            if let (Value::Str(wanted), Convert::Format | Convert::Str) =
                                (reg!(spec), convert)
                                && self.heap.strs[wanted].is_empty()
                            {
                                match reg!(src) {
                                    value @ Value::Str(_) => {
                                        reg!(dst) = value;
                                        continue;
                                    }
                                    Value::Int(number) => {
                                        reg!(dst) = self.heap.new_int_text(number);
                                        collect!();
                                        continue;
                                    }
                                    _ => {}
                                }
                            }
                            ask!(
                                operators::FORMAT,
                                [reg!(src), reg!(spec), Value::Int(convert as i64)],
                                dst
                            );
                        }
                        Op::ListAppend { list, src } => match reg!(list) {
                            Value::List(it) => {
                                let value = reg!(src);
                                self.heap.lists[it].push(value);
                                self.heap.allocated += size_of::<Value>();
                                collect!(self.heap.lists[it].pop());
                            }
                            _ => throw!(self.throw(
                                Type::SystemError,
                                "appending to something that is no list"
                            )),
                        },
                        Op::ListExtend { call, list, src } => match reg!(list) {
                            Value::List(_) => {
                                let callee = if call.0 && list.0 >= 1 {
                                    reg!(Reg(list.0 - 1))
                                } else {
                                    Value::None
                                };
                                let args = [reg!(list), reg!(src), callee];
                                out!(self.ask(thread, operators::EXTEND, &args, Return::Drop));
                            }
                            _ => {
                                throw!(self.throw(
                                    Type::SystemError,
                                    "extending something that is no list"
                                ))
                            }
                        },
                        Op::ListToTuple { dst, list } => match reg!(list) {
                            Value::List(it) => {
                                let items = self.heap.lists[it].to_vec();
                                reg!(dst) = self.heap.new_tuple(items);
                            }
                            _ => throw!(self.throw(
                                Type::SystemError,
                                "making a tuple of something that is no list"
                            )),
                        },
                        Op::SetAdd { set, src } => {
                            match reg!(set) {
                                Value::Set(_) => {
                                    let args = [reg!(set), reg!(src)];
                                    out!(self.ask(thread, operators::SET_ADD, &args, Return::Drop));
                                }
                                _ => {
                                    throw!(self.throw(
                                        Type::SystemError,
                                        "adding to something that is no set"
                                    ))
                                }
                            }
                        }
                        Op::SetUpdate { folded, set, src } => match reg!(set) {
                            Value::Set(_) => {
                                let args = [reg!(set), reg!(src), Value::Bool(folded.0)];
                                out!(self.ask(thread, operators::SET_UPDATE, &args, Return::Drop));
                            }
                            _ => {
                                throw!(
                                    self.throw(
                                        Type::SystemError,
                                        "adding to something that is no set"
                                    )
                                )
                            }
                        },
                        Op::DictInsert { dict, key, src } => match reg!(dict) {
                            Value::Dict(_) => {
                                let args = [reg!(dict), reg!(key), reg!(src)];
                                out!(self.ask(thread, operators::SET_ITEM, &args, Return::Drop));
                            }
                            _ => throw!(self.throw(
                                Type::SystemError,
                                "inserting into something that is no dict"
                            )),
                        },
                        Op::DictMerge { once, dict, src } => match reg!(dict) {
                            Value::Dict(_) => {
                                // The compiler builds keyword arguments where `CallSpread` wants them: two registers above the callee.
                                let callee = if once.0 && dict.0 >= 2 {
                                    reg!(Reg(dict.0 - 2))
                                } else {
                                    Value::None
                                };
                                let args = [reg!(dict), reg!(src), Value::Bool(once.0), callee];
                                out!(self.ask(thread, operators::MERGE, &args, Return::Drop));
                            }
                            _ => throw!(self.throw(
                                Type::SystemError,
                                "merging into something that is no dict"
                            )),
                        },
                        Op::Unpack {
                            src,
                            base: at,
                            count,
                        } => {
                            let source = reg!(src);
                            let window = base + at.0 as usize;
                            if self.unpack_fast(thread, source, window, count.0 as usize) {
                                refresh!();
                                continue;
                            }
                            let ret = Return::Spread {
                                base: at,
                                count: count.0,
                            };
                            out!(self.ask(
                                thread,
                                operators::UNPACK,
                                &[source, Value::Int(i64::from(count.0)), Value::None],
                                ret
                            ));
                        }
                        Op::UnpackStar {
                            after,
                            src,
                            base: at,
                            before,
                        } => {
                            let ret = Return::Spread {
                                base: at,
                                count: before.0 + 1 + u16::from(after.0),
                            };
                            let args = [
                                reg!(src),
                                Value::Int(i64::from(before.0)),
                                Value::Int(i64::from(after.0)),
                            ];
                            out!(self.ask(thread, operators::UNPACK, &args, ret));
                        }

                        Op::MakeFunction { dst, code: made } => {
                            match self.make_function(thread, base, function, made) {
                                Ok(value) => reg!(dst) = value,
                                Err(exception) => throw!(exception),
                            }
                        }
                        Op::SetDefaults {
                            func,
                            base: at,
                            count,
                        } => {
                            let window = base + at.0 as usize;
                            let defaults: Box<[Value]> = self.threads[thread].stack
                                [window..window + count.0 as usize]
                                .into();
                            match reg!(func) {
                                Value::Function(it) => self.heap.functions[it].defaults = defaults,
                                _ => throw!(self.throw(
                                    Type::SystemError,
                                    "defaults for something that is no function"
                                )),
                            }
                        }
                        Op::SetKwDefaults {
                            func,
                            base: at,
                            names,
                        } => {
                            let window = base + at.0 as usize;
                            let func = reg!(func);
                            if let Err(exception) =
                                self.set_keyword_defaults(thread, func, window, names.0)
                            {
                                throw!(exception);
                            }
                        }
                        Op::NewClass { dst, base: at } => {
                            let parent = reg!(at);
                            match self.new_class(thread, parent) {
                                Ok(class) => reg!(dst) = class,
                                Err(exception) => throw!(exception),
                            }
                        }
                        Op::SetClassVar { class, src, site } => match reg!(class) {
                            Value::Class(it) => {
                                let value = reg!(src);
                                let name = link.sites[site.0 as usize];
                                self.set_class_attribute(it, name, value);
                                // A class that says what is equal must say how to hash, or cannot be hashed.
                                if name == name::EQ
                                    && self.heap.classes[it].own(name::HASH).is_none()
                                {
                                    self.set_class_attribute(it, name::HASH, Value::None);
                                }
                            }
                            _ => throw!(self.no_class()),
                        },
                        Op::GetClassVar { dst, class, site } => match reg!(class) {
                            Value::Class(it) => {
                                reg!(dst) = self.heap.classes[it]
                                    .own(link.sites[site.0 as usize])
                                    .unwrap_or(Value::Unbound)
                            }
                            _ => throw!(self.no_class()),
                        },
                        Op::DelClassVar { class, site } => match reg!(class) {
                            Value::Class(it) => {
                                let name = link.sites[site.0 as usize];
                                if !self.delete_class_attribute(it, name) {
                                    let message = format!(
                                        "name '{}' is not defined",
                                        self.names[name.0 as usize]
                                    );
                                    throw!(self.throw(Type::NameError, message));
                                }
                            }
                            _ => throw!(self.no_class()),
                        },

                        Op::Call {
                            dst,
                            base: at,
                            count,
                        } => {
                            if let Value::Function(called) = reg!(at) {
                                call!(called, count.0, base + at.0 as usize + 1, dst);
                            }
                            let window = base + at.0 as usize;
                            out!(self.call_at(
                                thread,
                                reg!(at),
                                window,
                                count.0 as usize,
                                &[],
                                Return::To(dst)
                            ));
                        }
                        Op::CallKw {
                            count,
                            dst,
                            base: at,
                            names,
                        } => {
                            let callee = reg!(at);
                            let window = base + at.0 as usize;
                            let names = &image.keyword_names[names.0 as usize];
                            out!(self.call_at(
                                thread,
                                callee,
                                window,
                                count.0 as usize + names.len(),
                                names,
                                Return::To(dst)
                            ));
                        }
                        Op::CallSpread { dst, base: at } => {
                            let (callee, args, kwargs) = (reg!(at), reg!(at, 1), reg!(at, 2));
                            out!(self.call_spread(thread, callee, args, kwargs, dst));
                        }
                        Op::LoadMethod { dst, object, site } => {
                            let at = link.cache_base as usize + CACHES * site.0 as usize;
                            // SAFETY: verified site.
                            match *unsafe { self.caches.get_unchecked(at) } {
                                Cache::Method {
                                    shape,
                                    version,
                                    function,
                                } => {
                                    if let Value::Instance(it) = reg!(object)
                                        && self.heap.instances[it].shape == shape
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
                            let name = link.sites[site.0 as usize];
                            out!(self.load_method(thread, reg!(object), name, at, dst));
                        }
                        Op::LoadSuperMethod { base: at, site } => {
                            let name = link.sites[site.0 as usize];
                            let cache = link.cache_base as usize + CACHES * site.0 as usize;
                            let pair = (reg!(at), reg!(at, 1));
                            out!(self.load_super_method(thread, pair, name, cache, at));
                        }
                        Op::CallMethod {
                            dst,
                            base: at,
                            count,
                        } => {
                            let window = base + at.0 as usize + 1;
                            match reg!(at) {
                                Value::Function(function) => {
                                    call!(function, count.0 + 1, window, dst);
                                }
                                Value::Unbound => {
                                    if let Value::Function(function) = reg!(at, 1) {
                                        call!(function, count.0, window + 1, dst);
                                    }
                                }
                                Value::Native(native)
                                    if native == self.list_append && count.0 == 1 =>
                                {
                                    if let Value::List(list) = reg!(at, 1) {
                                        self.heap.lists[list].push(reg!(at, 2));
                                        self.heap.allocated += size_of::<Value>();
                                        reg!(dst) = Value::None;
                                        collect!(self.heap.lists[list].pop());
                                        continue;
                                    }
                                }
                                _ => {}
                            }
                            out!(self.call_method(thread, reg!(at), window, count.0 as usize, dst));
                        }
                        Op::Return { src } => {
                            if link.generator {
                                let value = reg!(src);
                                save!();
                                let state = &mut self.threads[thread];
                                let ret = state.frames.pop().expect("a return runs in a frame").ret;
                                break 'slow Slow::Left(
                                    self.generator_returned(thread, value, ret),
                                );
                            }
                            // SAFETY: the thread is there, whatever it has called.
                            let state = unsafe { self.threads.get_unchecked_mut(thread) };
                            let ret = state.frames.pop().expect("a return runs in a frame").ret;
                            if let Return::To(dst) | Return::Item { into: dst, .. } = ret
                                && let Some(frame) = state.frames.last()
                            {
                                row!();
                                let left = left!();
                                base = frame.base as usize;
                                function = frame.function;
                                // SAFETY: frames run codes of the VM's program, and their program counters are instructions of these.
                                link = unsafe { links.get_unchecked(frame.code.0 as usize) };
                                // SAFETY: as above.
                                pc = unsafe { link.ops.as_ptr().add(frame.pc as usize) };
                                limit = (pc as isize).wrapping_add(left);
                                mark = pc;
                                let value = &raw const reg!(src);
                                // SAFETY: the window lies within the stack.
                                registers = unsafe { state.stack.as_mut_ptr().add(base) };
                                // SAFETY: the callee's window is still there.
                                copy!(reg!(dst), *value);
                                check!(poll: false);
                                continue;
                            }
                            break 'slow Slow::Left(self.deliver(thread, reg!(src), ret));
                        }
                        Op::Yield { dst, src } => {
                            let value = reg!(src);
                            let at = index_of!(pc);
                            out!(self.suspend(thread, value, dst, at));
                        }
                        Op::YieldFrom { dst, iter } => {
                            let resumed = std::mem::take(&mut self.threads[thread].resumed);
                            let sent = if resumed { reg!(dst) } else { Value::None };
                            let iterator = reg!(iter);
                            out!(self.delegate(thread, iterator, sent, dst));
                        }

                        Op::Raise { exception, cause } => {
                            let (raised, cause) = (reg!(exception), reg!(cause));
                            throw!(self.raise(thread, raised, cause));
                        }
                        Op::RaiseCurrent {} => {
                            let current = self.threads[thread].handling;
                            if matches!(current, Value::None) {
                                throw!(
                                    self.throw(
                                        Type::RuntimeError,
                                        "No active exception to reraise"
                                    )
                                );
                            }
                            throw!(current, false);
                        }
                        Op::Reraise { exception } => {
                            let exception = reg!(exception);
                            match exception {
                                Value::Instance(it)
                                    if self.heap.instances[it].exception.is_some() =>
                                {
                                    throw!(exception, false)
                                }
                                _ => throw!(self.throw(
                                    Type::SystemError,
                                    "raising something again that is no exception"
                                )),
                            }
                        }
                        Op::BeginHandler { saved, exception } => {
                            let handling = std::mem::replace(
                                &mut self.threads[thread].handling,
                                reg!(exception),
                            );
                            reg!(saved) = handling;
                        }
                        Op::EndHandler { saved } => self.threads[thread].handling = reg!(saved),
                        Op::JumpUnlessMatch {
                            exception,
                            class,
                            to,
                        } => {
                            let (raised, class) = (reg!(exception), reg!(class));
                            match self.matches(raised, class) {
                                Ok(true) => {}
                                Ok(false) => jump!(to.0),
                                Err(exception) => throw!(exception),
                            }
                        }
                        Op::WithEnter { dst, exit, manager } => {
                            let manager = reg!(manager);
                            match self.context_methods(manager) {
                                Ok((enter, leave)) => {
                                    reg!(exit) = self.heap.new_method(Method {
                                        receiver: manager,
                                        function: leave,
                                    });
                                    out!(self.call_value(
                                        thread,
                                        enter,
                                        &[manager],
                                        Return::To(dst)
                                    ));
                                }
                                Err(exception) => throw!(exception),
                            }
                        }
                        Op::WithExit {
                            dst,
                            exit,
                            exception,
                        } => {
                            let (exit, raised) = (reg!(exit), reg!(exception));
                            let args = self.exit_arguments(raised);
                            out!(self.call_value(thread, exit, &args, Return::To(dst)));
                        }

                        Op::Import { dst, module } => {
                            if self.imported[module.0 as usize] {
                                reg!(dst) = Value::Module(module.0);
                            } else {
                                out!(self.import(thread, module.0, dst));
                            }
                        }
                        Op::ImportFrom { dst, module, site } => {
                            let name = link.sites[site.0 as usize];
                            match self.import_from(reg!(module), name) {
                                Ok(value) => reg!(dst) = value,
                                Err(exception) => throw!(exception),
                            }
                        }
                    }
                }
            };
            // What is left was counted up to the frame that was running.
            row!();
            let left = left!();
            let (step, left_frame) = match slow {
                Slow::Due => {
                    give_way!();
                    mark = pc;
                    continue;
                }
                Slow::Step(step) => (step, false),
                Slow::Left(step) => (step, true),
                Slow::Raised(exception, fresh) => match self.unwind(thread, exception, fresh) {
                    None => (Ok(Flow::Switch), true),
                    Some(stop) => (Ok(Flow::Stop(stop)), true),
                },
            };
            match step {
                Ok(Flow::Next) if !left_frame => {
                    mark = pc;
                    refresh!();
                }
                Ok(Flow::Next | Flow::Switch) => reload!(left),
                Ok(Flow::Stop(stop)) => end!(End::Stop(stop)),
                // The frame on top may be another one by now: its program counter is its own.
                Err(exception) => match self.unwind(thread, exception, true) {
                    None => reload!(left),
                    Some(stop) => end!(End::Stop(stop)),
                },
            }
        }
    }

    #[inline]
    fn is_collection_due(&self) -> bool {
        self.heap.allocated >= self.collect_at
    }

    #[inline]
    fn free_cell(&self, function: Ref<Function>, free: u16) -> Option<Ref<Cell>> {
        if function.slot == u32::MAX {
            return None;
        }
        self.heap.functions[function]
            .cells
            .get(free as usize)
            .copied()
    }
}

/// Is the integer one that a float holds exactly? (Beyond, conversions round, and the slow path does it as CPython does.)
#[inline]
fn exact_in_f64(number: i64) -> bool {
    number.unsigned_abs() <= 1 << 53
}

/// The position that an index means: negative ones count from the end. Past either end it is past the end.
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

/// Copies a value with two loads of a word each. The loads are volatile because the compiler would make one of them.
///
/// # Safety
/// `to` can be written to and `from` be read.
#[inline]
unsafe fn copy_words(to: *mut Value, from: *const Value) {
    const { assert!(size_of::<Value>() == 2 * size_of::<u64>()) };
    let (to, from) = (
        to.cast::<MaybeUninit<u64>>(),
        from.cast::<MaybeUninit<u64>>(),
    );
    // SAFETY: the caller's; a value is two words, of which the second may be partly uninitialized.
    unsafe {
        let (tag, payload) = (from.read_volatile(), from.add(1).read_volatile());
        to.write(tag);
        to.add(1).write(payload);
    }
}
