//! The reference page `docs/bytecode.md`: prose by hand, and the instructions from their table. A
//! test holds the file to this text.

use crate::bytecode::op::{Cost, Effect, OpKind, OperandKind, Poll};
use std::fmt::Write as _;

/// The hand-written program that the page shows, and that the tests run.
pub const EXAMPLE: &str = include_str!("../../examples/by_hand.masm");

/// The whole page, as Markdown.
#[must_use]
pub fn reference() -> String {
    let mut page = String::new();
    page.push_str(MODEL);
    page.push_str(TEXT_FORM);
    let _ = write!(page, "```\n{EXAMPLE}```\n\n");
    page.push_str(DIRECTIVES);
    page.push_str(RULES);
    operands(&mut page);
    instructions(&mut page);
    page
}

const MODEL: &str = "\
# Mini's bytecode

This page is made from the table of instructions (`src/bytecode/op.rs`) by `src/bytecode/reference.rs`; a test fails when the two differ, and
`MINI_UPDATE=1 cargo test` writes it anew.

`mini dis FILE` prints a program as the text described here, and `mini run FILE.masm` assembles and runs such text, written by a tool or by hand.
Neither direction loses anything. Mini's own modules are left out and linked again (`--all` prints them too); `--bare` leaves away what only tracebacks need.

## The machine

**Registers and windows.** It is a register machine, in the manner of Lua 5. A function sees registers `r0`, `r1`, … `R[a]` in the equations below is the value
in register `a`. They are a window of its thread's stack; how many there are is said with the function (`.registers`), and no instruction can name another
function's. Most instructions take values from registers and put a value into one. A register that nothing was put into is *unbound*; reading it as a
variable is Python's `UnboundLocalError` (`bound` looks, and raises), and no value of a script is ever unbound.

**Calls.** The function is in a register, `base`, and its arguments in the next ones. The callee's window begins at the first argument: nothing is copied. Parameters
are in the callee's first registers: the positional ones, then the keyword-only ones, then `*args`, then `**kwargs`. The result goes to
the register `dst` of the caller. Keyword arguments (`callkw`) follow the positional ones in the registers, and a list says their names. `callspread` takes a
tuple and a dict. `method` and `callm` call a method without making a bound method, and look it up before its arguments are computed.

**Guards.** A function has a list of guards. While an instruction in a guard's range runs, an exception goes to the guard's target, and is in the guard's register
there. Of several guards that cover an instruction the first in the list counts, so inner ones stand first. A call counts as running until it returns.
`handle` makes an exception the one being handled (what a bare `raise` raises again), `endhandle` puts back the one before; `reraise` passes it on.

**Cells.** A variable that an inner function uses lives in a *cell*, and the register holds the cell (`cell` makes it). `func` makes a function
together with the cells that its code captures (`.captures`), each from a register of the function that makes it, or from a cell which that one captured itself.
`cget` and `cset` go through a cell in a register, `fget` and `fset` through a captured one. That a register holds a cell when an
instruction wants one is looked at as it runs, not before: otherwise the thread gets a `SystemError`.

**Module-level variables** belong to a module and have a name. Where one is unbound, the builtin of its name shows through (`builtin` in
`.globals`), as in Python. A builtin that the module binds no variable over can be a constant: `const r0, print`.

**Sites.** An instruction that looks up an attribute owns a site, with a cache of what it found there the last time. The text shows the attribute alone.

**Budget.** Each instruction counts as one, whatever it does. A thread runs until it has spent its budget, exactly, under `--gil every=n`; rules that stand for CPython look at
the lock only at the instructions that stand for those at which CPython does (*polls* in the table). Virtual time (`mini sim`) takes the cost class of
each instruction instead.

";

const TEXT_FORM: &str = "\
## The text form

A line is empty, a directive, or an instruction; labels stand before an instruction or alone; `;` or `#` begins a comment. An instruction is its name and its operands with commas between, in
the order of the table. A complete program (`examples/by_hand.masm`):

";

const DIRECTIVES: &str = "\
What the text does not say is deduced: the pools of constants, names and variables; how many registers a function needs; and where an instruction comes from. Without
`.source` it comes from its own line of the assembly text, and tracebacks show that. So a program by hand needs little more than its instructions.

| directive | says |
|---|---|
| `.module NAME` | a module begins; what follows up to the first `.func` is its own code. The first module is the script, and the line may be left away for it. A module that is imported and stands nowhere in the text must be one of Mini's own, and is linked; `_builtins`, which every program has, always is. |
| `.globals a, builtin print` | the module's variables in order; those with `builtin` show the builtin of their name while unbound. Others are added where they are used. |
| `.func NAME(a, /, b, *args, key, **rest)` | a function begins, with parameters as in a `def`. `func` names it so. |
| `.registers N` | the number of registers |
| `.captures r1, free0` | the cells that it captures, as the function that makes it sees them |
| `.guard L1 .. L2 -> L3, r4` | while an instruction from `L1` up to, but not, `L2` runs, an exception goes to `L3` and into `r4` |
| `.comprehension L1 .. L2` | a comprehension: from `L1`, where its list, set or dict is made, up to, but not, `L2`. It is a frame of its own in tracebacks. |
| `.locals r0 x, r1 y` | where named variables live, for messages; the parameters if absent |
| `.generator` | calling it makes a generator |
| `.internal` | part of Mini's own library that stands for a C function of CPython: tracebacks leave it out |
| `.name \"f\"`, `.qualname \"C.f\"` | its `__name__` and `__qualname__`, where they are not what `.func` says |
| `.doc \"…\"` | its `__doc__` |
| `.source \"file.mini\"` | the places of its instructions are in this text; said in a module, it holds for the module's functions |
| `.line N` | the line where it begins |
| `.text \"file.mini\"` | a source text follows: lines after `\\|`, or string literals where a line has no end or has control characters |

An instruction's place is `@line:column-column` (or `@line:column-line:column`), columns in bytes from 1, the end not included; an instruction without one
has the place of the one before.

Constants are written as in Python (`None`, `True`, `3`, `2.5`, `inf`, `\"text\"`, `b\"bytes\"`, `(1, (2, 3))`, `...`); a bare word is the builtin of that name. Integers may be
hexadecimal. Strings stand in double quotes, with the escapes `\\n \\r \\t \\0 \\\\ \\\" \\' \\xNN \\u{N}`. A name that is not made of letters, digits and underscores stands in quotes wherever
it stands (`.\"odd name\"`).

A flag with its usual value may be left away: `expect` is usually true (`jif r0, end` and `jif false, r0, end`), `in_place` and `once` are usually false.

";

const RULES: &str = "\
## What is checked before a program runs

Nothing runs that breaks one of these rules, wherever it comes from (`src/bytecode/verify.rs`):

- registers exist, those of windows, guards, parameters, locals and captures included;
- constants, names, variables, functions, modules, sites and captured cells exist, and lists of names stand only where one is wanted, each name once;
- jumps and guards go to instructions of the same function, and the last instruction does not run on;
- guards lie within one another or apart, inner ones first;
- comprehensions stand in the order of their first instructions, which make a list, set or dict;
- each instruction has a place, and it is in its source text;
- parameters have names and registers;
- a function is made in its own module, where the cells that it captures exist;
- only generators yield; a module takes no parameters, captures nothing, does not yield, and is not made into a function;
- each variable belongs to one module, and only that module's code uses it;
- a site is used by one kind of instruction;
- tuple constants are neither too deep nor too large.

";

fn operands(page: &mut String) {
    page.push_str("## Operands\n\n| operand of kind | is written as |\n|---|---|\n");
    let mut seen: Vec<OperandKind> = Vec::new();
    for kind in OpKind::ALL {
        for &(_, operand) in kind.operands() {
            if !seen.contains(&operand) {
                seen.push(operand);
                let _ = writeln!(page, "| {operand:?} | {} |", operand.describe());
            }
        }
    }
    page.push('\n');
}

fn instructions(page: &mut String) {
    page.push_str(
        "## Instructions\n\n\
        *Effect*, what an instruction can do outside of its registers:\n\n",
    );
    let all = OpKind::ALL;
    legend(page, all.iter().map(|kind| kind.effect()), effect);
    page.push_str("\n*Cost*, its class of virtual time:\n\n");
    legend(page, all.iter().map(|kind| kind.cost()), cost);
    page.push_str("\n*Polls*, where the real interpreters look at their lock:\n\n");
    legend(page, all.iter().map(|kind| kind.poll()), poll);
    page.push_str(
        "\n`L` in an equation is the label's instruction. G are the module's variables.\n\n\
        | instruction | does | effect, cost, polls |\n|---|---|---|\n",
    );
    for kind in all {
        let names: Vec<_> = kind.operands().iter().map(|(name, _)| *name).collect();
        let form = format!("{} {}", kind.mnemonic(), names.join(", "));
        let does: Vec<_> = kind.equation().iter().map(|line| line.trim()).collect();
        let does = does.join(" ").replace('|', "\\|");
        let classes = [
            format!("{:?}", kind.effect()),
            format!("{:?}", kind.cost()),
            format!("{:?}", kind.poll()),
        ];
        let classes = classes.join(", ").to_lowercase();
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {classes} |",
            form.trim_end(),
            does.replace('`', "")
        );
    }
}

/// A line for each class that occurs, in the order of its enum.
fn legend<T: std::fmt::Debug + Copy>(
    page: &mut String,
    classes: impl Iterator<Item = T>,
    says: fn(T) -> &'static str,
) {
    let mut seen: Vec<&str> = Vec::new();
    for class in classes {
        if !seen.contains(&says(class)) {
            seen.push(says(class));
            let name = format!("{class:?}").to_lowercase();
            let _ = writeln!(page, "- {name}: {}", says(class));
        }
    }
}

fn effect(effect: Effect) -> &'static str {
    match effect {
        Effect::Pure => "nothing; it cannot fail",
        Effect::Raises => "may raise, or call a dunder method of the script",
        Effect::Shared => "reads or writes memory that other threads see; may raise",
        Effect::Calls => "may call a function, and so block",
    }
}

fn cost(cost: Cost) -> &'static str {
    match cost {
        Cost::Move => "moving values between registers and cells, loading constants",
        Cost::Jump => "a jump, or a test of a truth value",
        Cost::Compare => "a comparison, with or without a jump",
        Cost::Arithmetic => "arithmetic",
        Cost::Divide => "a division or a power",
        Cost::Variable => "reading a module-level variable",
        Cost::Store => "writing a module-level variable",
        Cost::Attribute => "an attribute",
        Cost::Item => "an item of a container",
        Cost::Allocate => "making an object",
        Cost::Iterate => "a step of a `for` loop over numbers, and the start of another loop",
        Cost::Next => "a step of a loop over anything else",
        Cost::Call => "a call",
        Cost::Frame => "the frame of a function of the script: a return, or a generator's pause",
        Cost::With => "entering and leaving a `with`",
        Cost::Raise => "raising and handling exceptions",
    }
}

fn poll(poll: Poll) -> &'static str {
    match poll {
        Poll::Never => "in no version",
        Poll::Plain => "CPython 2.7 counts a tick, 3.2 to 3.9 look, 3.10 and later do not",
        Poll::Jump => {
            "a jump: every version if it goes backward; a forward one only in 3.10, when conditional and taken"
        }
        Poll::Loop => "the step of a loop: every version, once a turn",
        Poll::Call => {
            "a call: of a script's function at its start, of a builtin after it, but for the few that are specialised"
        }
        Poll::Return => "the return of a script's function: up to 3.10",
    }
}
