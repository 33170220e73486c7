//! THE table of instructions. The enum, its mnemonics, the disassembler, the assembler, the
//! verifier, the costs, the poll classes and the reference page all come from the one macro call at
//! the end of this file; nothing else lists the instructions.
//!
//! Instructions are 8 bytes: an opcode byte, at most one byte operand, and at most three 16-bit
//! operands or one 16-bit and one 32-bit operand. The machine is a register machine in the manner
//! of Lua 5 (`lopcodes.h` there describes each instruction as an equation; so do we): each frame
//! sees a window of registers `R[0]…` on its thread's stack, and a call's arguments are already in
//! place as the callee's first registers. The macro follows wasmtime's Pulley (one table, many
//! expansions).

use crate::operator::CompareOp;
use smallvec::{SmallVec, smallvec};

/// A register of the current window.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Reg(pub u16);

/// A constant of the program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ConstIx(pub u32);

/// A constant of the program, one of the first 65,536. Always a tuple of names here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct NamesIx(pub u16);

/// A module-level variable of the program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct GlobalIx(pub u32);

/// A code object of the program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct CodeIx(pub u32);

/// A module of the program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct ModuleIx(pub u32);

/// A place in this code that looks up a name in an object: it names the attribute (`Code::sites`)
/// and owns an inline cache.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Site(pub u16);

/// A captured variable of the running function (`Code::captures`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct FreeIx(pub u16);

/// A jump, counted from the next instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Far(pub i32);

/// A short jump, counted from the next instruction.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Near(pub i16);

/// A number of registers or items.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Count(pub u16);

/// A number under 256.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Count8(pub u8);

/// A small integer operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Imm(pub i16);

/// A wider integer operand.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Imm32(pub i32);

/// A yes or no.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Flag(pub bool);

/// `!s`, `!r`, `!a` or nothing in an f-string's hole.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Convert {
    /// No conversion: `format(value, spec)`.
    Format,
    /// `str(value)` first.
    Str,
    /// `repr(value)` first.
    Repr,
    /// `ascii(value)` first.
    Ascii,
}

/// One operand, as the text form, the verifier and the reference page see it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Operand {
    Reg(Reg),
    Const(ConstIx),
    Names(NamesIx),
    Global(GlobalIx),
    Code(CodeIx),
    Module(ModuleIx),
    Site(Site),
    Free(FreeIx),
    Far(Far),
    Near(Near),
    Count(Count),
    Count8(Count8),
    Imm(Imm),
    Imm32(Imm32),
    Flag(Flag),
    Convert(Convert),
    Compare(CompareOp),
}

/// What kind of operand stands at a place in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OperandKind {
    Reg,
    Const,
    Names,
    Global,
    Code,
    Module,
    Site,
    Free,
    Far,
    Near,
    Count,
    Count8,
    Imm,
    Imm32,
    Flag,
    Convert,
    Compare,
}

impl OperandKind {
    /// What it is, for messages and the reference.
    #[must_use]
    pub const fn describe(self) -> &'static str {
        match self {
            OperandKind::Reg => "a register (r0, r1, …)",
            OperandKind::Const => "a constant",
            OperandKind::Names => "a list of names, such as (sep, end)",
            OperandKind::Global => "the name of a module-level variable",
            OperandKind::Code => "the name of a function of this module",
            OperandKind::Module => "the name of a module",
            OperandKind::Site => "an attribute, such as .append",
            OperandKind::Free => "a captured cell (free0, free1, …)",
            OperandKind::Far | OperandKind::Near => "a label",
            OperandKind::Count => "a number from 0 to 65,535",
            OperandKind::Count8 => "a number from 0 to 255",
            OperandKind::Imm => "an integer from -32,768 to 32,767",
            OperandKind::Imm32 => "an integer of 32 bits",
            OperandKind::Flag => "true or false",
            OperandKind::Convert => "format, str, repr or ascii",
            OperandKind::Compare => "the name of a comparison, such as lt",
        }
    }
}

/// Ties an operand's Rust type to its kind and its wrapped form.
pub trait OperandType: Copy {
    /// The kind.
    const KIND: OperandKind;
    /// Wraps.
    fn wrap(self) -> Operand;
    /// Unwraps; `None` if it is of another kind.
    fn unwrap(operand: Operand) -> Option<Self>;
}

macro_rules! operand_types {
    ($($type:ident = $kind:ident)*) => { $(
        impl OperandType for $type {
            const KIND: OperandKind = OperandKind::$kind;
            fn wrap(self) -> Operand { Operand::$kind(self) }
            fn unwrap(operand: Operand) -> Option<Self> {
                if let Operand::$kind(it) = operand { Some(it) } else { None }
            }
        }
    )* };
}
operand_types! {
    Reg = Reg ConstIx = Const NamesIx = Names GlobalIx = Global CodeIx = Code ModuleIx = Module Site = Site FreeIx = Free Far = Far Near = Near
    Count = Count Count8 = Count8 Imm = Imm Imm32 = Imm32 Flag = Flag Convert = Convert CompareOp = Compare
}

/// An operand that is one of a few words in the text form.
pub trait Choice: Copy + 'static {
    /// All of them with their words.
    const ALL: &'static [(Self, &'static str)];
    /// Its word.
    fn word(self) -> &'static str;
    /// The one of a word.
    fn from_word(word: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, it)| *it == word).map(|&(it, _)| it)
    }
}

macro_rules! choices {
    ($($type:ident: $($variant:ident = $word:literal)*;)*) => { $(
        impl Choice for $type {
            const ALL: &'static [($type, &'static str)] = &[$(($type::$variant, $word)),*];
            fn word(self) -> &'static str { match self { $($type::$variant => $word),* } }
        }
    )* };
}
choices! {
    Convert: Format = "format" Str = "str" Repr = "repr" Ascii = "ascii";
    CompareOp: Eq = "eq" Ne = "ne" Lt = "lt" Le = "le" Gt = "gt" Ge = "ge" Is = "is" IsNot = "is_not" In = "in" NotIn = "not_in";
}

/// What an instruction can do to the world outside its registers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Effect {
    /// Touches registers and constants alone, and cannot fail.
    Pure,
    /// May raise or call into the script (through a dunder method); otherwise touches registers
    /// alone.
    Raises,
    /// Reads or writes memory that other threads of the VM can see; may raise.
    Shared,
    /// May call a function, and so block.
    Calls,
}

/// What an instruction costs in virtual time: what it stands for in CPython, by how long that takes
/// there.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Cost {
    /// Moving values between registers and cells, loading constants.
    Move,
    /// A jump or a test of a truth value.
    Jump,
    /// A comparison, with or without a jump.
    Compare,
    /// Arithmetic.
    Arithmetic,
    /// A division or a power.
    Divide,
    /// Reading a module-level variable.
    Variable,
    /// Writing one, which is putting it into a dict.
    Store,
    /// An attribute.
    Attribute,
    /// An item of a container.
    Item,
    /// Making an object.
    Allocate,
    /// A step of a `for` loop over numbers, and the start of another loop.
    Iterate,
    /// A step of a loop over anything else.
    Next,
    /// A call.
    Call,
    /// The frame of a function of the script: a return, or a generator's pause.
    Frame,
    /// Entering and leaving a `with`.
    With,
    /// Raising and handling exceptions.
    Raise,
}

/// Where the real interpreters look at their lock: which family of CPython's instructions this one
/// stands for (`gil-presets`).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Poll {
    /// Never looks, in no version (local variables, constants, stack shuffling).
    Never,
    /// CPython 2.7 counts a tick and 3.2 to 3.9 look; 3.10 and later do not (arithmetic,
    /// attributes, items, globals).
    Plain,
    /// A jump: all versions look when it goes backward; a forward one only in 3.10, when
    /// conditional and taken.
    Jump,
    /// The step of a loop, which every version polls once a turn.
    Loop,
    /// A call: of a script function, at its start, in every version; of a builtin, after it, in
    /// every version but for the specialised few.
    Call,
    /// The return of a script function: up to 3.10.
    Return,
}

/// A run of registers that an instruction uses besides those that it names: `base`, `base + 1`, …
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Window {
    /// The operand that says where it begins.
    pub operand: &'static str,
    /// The first.
    pub base: Reg,
    /// How many.
    pub length: u32,
    /// They are written, and not read.
    pub written: bool,
}

/// What a term in the table adds to the length of a window; `names` gives the length of a tuple of
/// names.
trait Extent {
    fn extent(self, names: &dyn Fn(NamesIx) -> u32) -> u32;
}

impl Extent for u32 {
    fn extent(self, _: &dyn Fn(NamesIx) -> u32) -> u32 {
        self
    }
}

impl Extent for Count {
    fn extent(self, _: &dyn Fn(NamesIx) -> u32) -> u32 {
        u32::from(self.0)
    }
}

impl Extent for Count8 {
    fn extent(self, _: &dyn Fn(NamesIx) -> u32) -> u32 {
        u32::from(self.0)
    }
}

impl Extent for NamesIx {
    fn extent(self, names: &dyn Fn(NamesIx) -> u32) -> u32 {
        names(self)
    }
}

macro_rules! ops {
    (@sum $names:ident $($term:tt)+) => { 0 $(+ Extent::extent($term, $names))+ };
    ($(
        $(#[doc = $doc:literal])+
        $name:ident = $mnemonic:literal ( $($field:ident : $type:ty),* )
            $([ $base:ident : $($term:tt)+ ])? $([ > $($written:ident)+ ])? $effect:ident $cost:ident $poll:ident
    )*) => {
        /// An instruction.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[allow(clippy::doc_markdown, reason = "the equations are text for people, not Rust")]
        pub enum Op { $( $(#[doc = $doc])+ $name { $($field: $type),* } ),* }

        /// An instruction without its operands.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
        #[repr(u8)]
        #[allow(clippy::doc_markdown, reason = "the equations are text for people, not Rust")]
        pub enum OpKind { $( $(#[doc = $doc])+ $name ),* }

        impl OpKind {
            /// All of them, in the order of the table.
            pub const ALL: &'static [OpKind] = &[$(OpKind::$name),*];

            /// The name in text.
            #[must_use]
            pub const fn mnemonic(self) -> &'static str { match self { $(OpKind::$name => $mnemonic),* } }

            /// What it does, as equations; the lines of its entry in the table.
            #[must_use]
            pub const fn equation(self) -> &'static [&'static str] { match self { $(OpKind::$name => &[$($doc),+]),* } }

            /// What it can do to the world.
            #[must_use]
            pub const fn effect(self) -> Effect { match self { $(OpKind::$name => Effect::$effect),* } }

            /// Its class of virtual cost.
            #[must_use]
            pub const fn cost(self) -> Cost { match self { $(OpKind::$name => Cost::$cost),* } }

            /// Its poll class.
            #[must_use]
            pub const fn poll(self) -> Poll { match self { $(OpKind::$name => Poll::$poll),* } }

            /// Names and kinds of its operands, in order.
            #[must_use]
            pub const fn operands(self) -> &'static [(&'static str, OperandKind)] {
                match self { $(OpKind::$name => &[$((stringify!($field), <$type as OperandType>::KIND)),*]),* }
            }

            /// Does it write the register of this operand (of a window: the registers) without
            /// reading it first?
            #[must_use]
            pub fn writes(self, operand: &str) -> bool {
                operand == "dst" || match self { $(OpKind::$name => [$($(stringify!($written)),+)?].contains(&operand)),* }
            }

            /// Puts an instruction together; `None` if the operands are not of the kinds that
            /// `operands` names.
            #[must_use]
            pub fn build(self, operands: &[Operand]) -> Option<Op> {
                let mut _rest = operands.iter().copied();
                let op = match self { $(OpKind::$name => Op::$name { $($field: <$type as OperandType>::unwrap(_rest.next()?)?),* }),* };
                _rest.next().is_none().then_some(op)
            }
        }

        impl Op {
            /// Which instruction this is.
            #[must_use]
            pub const fn kind(self) -> OpKind { match self { $(Op::$name { .. } => OpKind::$name),* } }

            /// The run of registers from its operand `base`, if it uses one; `names` gives the
            /// length of a tuple of names.
            #[must_use]
            #[allow(unused_variables, reason = "most instructions have no window")]
            pub fn window(self, names: &dyn Fn(NamesIx) -> u32) -> Option<Window> {
                match self { $(Op::$name { $($field),* } => {
                    let mut _window = None;
                    $( _window = Some(Window { operand: stringify!($base), base: $base, length: ops!(@sum names $($term)+), written: self.kind().writes(stringify!($base)) }); )?
                    _window
                }),* }
            }

            /// Its operands, in order.
            #[must_use]
            pub fn operands(self) -> Operands {
                match self { $(Op::$name { $($field),* } => smallvec![$(<$type as OperandType>::wrap($field)),*]),* }
            }
        }
    };
}

const _: () = assert!(size_of::<Op>() == 8);

/// The operands of an instruction: there is hardly room for more in it, and they are asked for too
/// often to allocate them.
pub type Operands = SmallVec<[Operand; 4]>;

impl Op {
    /// The same instruction with its variable, if it has one, exchanged for another.
    #[must_use]
    pub fn map_globals(self, map: impl Fn(GlobalIx) -> GlobalIx) -> Op {
        let mut operands = self.operands();
        for operand in &mut operands {
            if let Operand::Global(global) = operand {
                *global = map(*global);
            }
        }
        let Some(op) = self.kind().build(&operands) else {
            unreachable!("the kinds of its operands are the same")
        };
        op
    }
}

impl OpKind {
    /// Can the instruction after it in the text be the next one to run?
    #[must_use]
    pub const fn falls_through(self) -> bool {
        !matches!(
            self,
            OpKind::Jump | OpKind::Return | OpKind::Raise | OpKind::RaiseCurrent | OpKind::Reraise
        )
    }

    /// An instruction that both jumps and writes a register does so on one of its two ways alone:
    /// when it jumps (true), or when it does not.
    #[must_use]
    pub const fn writes_when_taken(self) -> Option<bool> {
        match self {
            OpKind::RangeLoop => Some(true),
            OpKind::ForIter => Some(false),
            _ => None,
        }
    }
}

// Byte operands stand first, so that every variant packs into 8 bytes. `L` in an equation is the
// target of the jump; `next` is the following instruction. In brackets: the window, as its base and
// the terms of its length; and after `>` the operands besides `dst` that are written and not read.
ops! {
    /// R[dst] = R[src]
    Move = "move" (dst: Reg, src: Reg) Pure Move Never
    /// R[dst] = constant
    LoadConst = "const" (dst: Reg, constant: ConstIx) Pure Move Never
    /// R[dst] = integer
    LoadInt = "int" (dst: Reg, integer: Imm32) Pure Move Never
    /// R[dst] = None
    LoadNone = "none" (dst: Reg) Pure Move Never
    /// R[dst] = value
    LoadBool = "bool" (value: Flag, dst: Reg) Pure Move Never
    /// R[dst] = unbound
    Unbind = "unbind" (dst: Reg) Pure Move Never
    /// if R[src] is unbound: raise UnboundLocalError naming the local that lives in src
    /// (Code::locals)
    CheckBound = "bound" (src: Reg) Raises Move Never

    /// R[dst] = G[global], else the builtin of that name, else raise NameError
    GetGlobal = "gget" (dst: Reg, global: GlobalIx) Shared Variable Plain
    /// G[global] = R[src]
    SetGlobal = "gset" (src: Reg, global: GlobalIx) Shared Store Plain
    /// G[global] = unbound; raise NameError if it was unbound
    DelGlobal = "gdel" (global: GlobalIx) Shared Store Plain

    /// R[reg] = new cell holding R[reg]
    MakeCell = "cell" (reg: Reg) Pure Allocate Never
    /// R[dst] = contents of the cell R[cell]; raise UnboundLocalError if unbound
    GetCell = "cget" (dst: Reg, cell: Reg) Shared Move Plain
    /// contents of the cell R[cell] = R[src]
    SetCell = "cset" (cell: Reg, src: Reg) Shared Move Plain
    /// contents of the cell R[cell] = unbound; raise UnboundLocalError if it was unbound
    DelCell = "cdel" (cell: Reg) Shared Move Plain
    /// R[dst] = contents of captured cell free; raise NameError if unbound
    GetFree = "fget" (dst: Reg, free: FreeIx) Shared Move Plain
    /// contents of captured cell free = R[src]
    SetFree = "fset" (src: Reg, free: FreeIx) Shared Move Plain
    /// contents of captured cell free = unbound; raise NameError if it was unbound
    DelFree = "fdel" (free: FreeIx) Shared Move Plain

    /// R[dst] = R[lhs] + R[rhs]; with `in_place` as `+=` does it, which asks `__iadd__` first (so
    /// all that have the flag)
    Add = "add" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Arithmetic Plain
    /// R[dst] = R[lhs] - R[rhs]
    Sub = "sub" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Arithmetic Plain
    /// R[dst] = R[lhs] * R[rhs]
    Mul = "mul" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Arithmetic Plain
    /// R[dst] = R[lhs] / R[rhs]
    Div = "div" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Divide Plain
    /// R[dst] = R[lhs] // R[rhs]
    FloorDiv = "floordiv" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Divide Plain
    /// R[dst] = R[lhs] % R[rhs]
    Mod = "mod" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Divide Plain
    /// R[dst] = R[lhs] ** R[rhs]
    Pow = "pow" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Divide Plain
    /// R[dst] = R[lhs] & R[rhs]
    BitAnd = "and" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Arithmetic Plain
    /// R[dst] = R[lhs] | R[rhs]
    BitOr = "or" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Arithmetic Plain
    /// R[dst] = R[lhs] ^ R[rhs]
    BitXor = "xor" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Arithmetic Plain
    /// R[dst] = R[lhs] << R[rhs]
    Shl = "shl" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Arithmetic Plain
    /// R[dst] = R[lhs] >> R[rhs]
    Shr = "shr" (in_place: Flag, dst: Reg, lhs: Reg, rhs: Reg) Raises Arithmetic Plain
    /// R[dst] = R[lhs] + imm
    AddImm = "addi" (in_place: Flag, dst: Reg, lhs: Reg, imm: Imm) Raises Arithmetic Plain
    /// R[dst] = R[lhs] - imm
    SubImm = "subi" (in_place: Flag, dst: Reg, lhs: Reg, imm: Imm) Raises Arithmetic Plain
    /// R[dst] = R[lhs] * imm
    MulImm = "muli" (in_place: Flag, dst: Reg, lhs: Reg, imm: Imm) Raises Arithmetic Plain
    /// R[dst] = R[lhs] // imm
    FloorDivImm = "floordivi" (in_place: Flag, dst: Reg, lhs: Reg, imm: Imm) Raises Divide Plain
    /// R[dst] = R[lhs] % imm
    ModImm = "modi" (in_place: Flag, dst: Reg, lhs: Reg, imm: Imm) Raises Divide Plain
    /// R[dst] = -R[src]
    Neg = "neg" (dst: Reg, src: Reg) Raises Arithmetic Plain
    /// R[dst] = +R[src]
    Pos = "pos" (dst: Reg, src: Reg) Raises Arithmetic Plain
    /// R[dst] = ~R[src]
    Invert = "invert" (dst: Reg, src: Reg) Raises Arithmetic Plain
    /// R[dst] = not R[src]
    Not = "not" (dst: Reg, src: Reg) Raises Compare Plain
    /// R[dst] = R[lhs] op R[rhs]
    Compare = "cmp" (op: CompareOp, dst: Reg, lhs: Reg, rhs: Reg) Raises Compare Plain

    /// go to L
    Jump = "jump" (to: Far) Pure Jump Jump
    /// if truth(R[src]) == expect: go to L
    JumpIf = "jif" (expect: Flag, src: Reg, to: Far) Raises Jump Jump
    /// if (R[src] is None) == expect: go to L
    JumpIfNone = "jnone" (expect: Flag, src: Reg, to: Far) Pure Jump Jump
    /// if R[src] is unbound: go to L
    JumpIfUnbound = "junbound" (src: Reg, to: Far) Pure Jump Never
    /// if truth(R[lhs] < R[rhs]) == expect: go to L
    JumpLt = "jlt" (expect: Flag, lhs: Reg, rhs: Reg, to: Near) Raises Compare Jump
    /// if truth(R[lhs] <= R[rhs]) == expect: go to L
    JumpLe = "jle" (expect: Flag, lhs: Reg, rhs: Reg, to: Near) Raises Compare Jump
    /// if truth(R[lhs] > R[rhs]) == expect: go to L
    JumpGt = "jgt" (expect: Flag, lhs: Reg, rhs: Reg, to: Near) Raises Compare Jump
    /// if truth(R[lhs] >= R[rhs]) == expect: go to L
    JumpGe = "jge" (expect: Flag, lhs: Reg, rhs: Reg, to: Near) Raises Compare Jump
    /// if truth(R[lhs] == R[rhs]) == expect: go to L
    JumpEq = "jeq" (expect: Flag, lhs: Reg, rhs: Reg, to: Near) Raises Compare Jump
    /// if truth(R[lhs] != R[rhs]) == expect: go to L
    JumpNe = "jne" (expect: Flag, lhs: Reg, rhs: Reg, to: Near) Raises Compare Jump
    /// if truth(R[lhs] < imm) == expect: go to L
    JumpLtImm = "jlti" (expect: Flag, lhs: Reg, imm: Imm, to: Near) Raises Compare Jump
    /// if truth(R[lhs] <= imm) == expect: go to L
    JumpLeImm = "jlei" (expect: Flag, lhs: Reg, imm: Imm, to: Near) Raises Compare Jump
    /// if truth(R[lhs] > imm) == expect: go to L
    JumpGtImm = "jgti" (expect: Flag, lhs: Reg, imm: Imm, to: Near) Raises Compare Jump
    /// if truth(R[lhs] >= imm) == expect: go to L
    JumpGeImm = "jgei" (expect: Flag, lhs: Reg, imm: Imm, to: Near) Raises Compare Jump
    /// if truth(R[lhs] == imm) == expect: go to L
    JumpEqImm = "jeqi" (expect: Flag, lhs: Reg, imm: Imm, to: Near) Raises Compare Jump
    /// if truth(R[lhs] != imm) == expect: go to L
    JumpNeImm = "jnei" (expect: Flag, lhs: Reg, imm: Imm, to: Near) Raises Compare Jump

    /// R[base], R[base+1], R[base+2] (start, stop, step) become (start - step, turns left, step);
    /// raise what range() raises
    RangePrep = "rangeprep" (base: Reg) [base: 3] Raises Call Call
    /// if turns left in R[base+1]: R[base] = R[var] = R[base] + R[base+2]; R[base+1] -= 1; go to L
    /// (the body)
    RangeLoop = "rangeloop" (var: Reg, base: Reg, to: Near) [base: 3] [> var] Pure Iterate Loop
    /// R[dst] = iter(R[src])
    GetIter = "iter" (dst: Reg, src: Reg) Calls Iterate Plain
    /// R[dst] = next(R[iter]), or go to L when it is exhausted
    ForIter = "for" (dst: Reg, iter: Reg, to: Near) Calls Next Plain

    /// R[dst] = R[object].name
    GetAttr = "aget" (dst: Reg, object: Reg, site: Site) Shared Attribute Plain
    /// R[object].name = R[src]
    SetAttr = "aset" (object: Reg, src: Reg, site: Site) Shared Attribute Plain
    /// del R[object].name
    DelAttr = "adel" (object: Reg, site: Site) Shared Attribute Plain
    /// R[dst] = super(R[base], R[base+1])
    GetSuper = "super" (dst: Reg, base: Reg) [base: 2] Shared Attribute Plain
    /// R[dst] = R[object][R[key]]
    GetItem = "iget" (dst: Reg, object: Reg, key: Reg) Shared Item Plain
    /// R[object][R[key]] = R[src]
    SetItem = "iset" (object: Reg, key: Reg, src: Reg) Shared Item Plain
    /// del R[object][R[key]]
    DelItem = "idel" (object: Reg, key: Reg) Shared Item Plain
    /// R[dst] = slice(R[base], R[base+1], R[base+2])
    BuildSlice = "slice" (dst: Reg, base: Reg) [base: 3] Pure Allocate Never

    /// R[dst] = [R[base], …, R[base+count-1]]
    BuildList = "list" (dst: Reg, base: Reg, count: Count) [base: count] Pure Allocate Plain
    /// R[dst] = (R[base], …, R[base+count-1])
    BuildTuple = "tuple" (dst: Reg, base: Reg, count: Count) [base: count] Pure Allocate Plain
    /// R[dst] = {R[base], …, R[base+count-1]}
    BuildSet = "set" (dst: Reg, base: Reg, count: Count) [base: count] Raises Allocate Plain
    /// R[dst] = {R[base]: R[base+1], …}, count pairs
    BuildDict = "dict" (dst: Reg, base: Reg, count: Count) [base: count count] Raises Allocate Plain
    /// R[dst] = the string R[base] … R[base+count-1] joined
    BuildString = "string" (dst: Reg, base: Reg, count: Count) [base: count] Pure Allocate Plain
    /// R[dst] = format(convert(R[src]), R[spec]), spec a string
    FormatValue = "format" (convert: Convert, dst: Reg, src: Reg, spec: Reg) Calls Allocate Plain
    /// append R[src] to the list R[list]
    ListAppend = "lappend" (list: Reg, src: Reg) Shared Item Plain
    /// append every item of R[src] to the list R[list]; `call` says that the list is that of a
    /// call's arguments (its callee is one register below)
    ListExtend = "lextend" (call: Flag, list: Reg, src: Reg) Calls Item Plain
    /// R[dst] = tuple(R[list])
    ListToTuple = "totuple" (dst: Reg, list: Reg) Pure Allocate Plain
    /// add R[src] to the set R[set]
    SetAdd = "sadd" (set: Reg, src: Reg) Shared Item Plain
    /// add every item of R[src] to the set R[set]; `folded`: the items are a display of constants,
    /// which CPython keeps as a frozen set
    SetUpdate = "supdate" (folded: Flag, set: Reg, src: Reg) Calls Item Plain
    /// R[dict][R[key]] = R[src], for displays and comprehensions
    DictInsert = "dinsert" (dict: Reg, key: Reg, src: Reg) Shared Item Plain
    /// put every pair of the mapping R[src] into the dict R[dict]; if once: raise TypeError on a
    /// repeated key (keyword arguments)
    DictMerge = "dmerge" (once: Flag, dict: Reg, src: Reg) Calls Item Plain
    /// (R[base], …, R[base+count-1]) = R[src]
    Unpack = "unpack" (src: Reg, base: Reg, count: Count) [base: count] [> base] Calls Item Plain
    /// (R[base], …, *R[base+before], …, R[base+before+after]) = R[src]
    UnpackStar = "unpackstar" (after: Count8, src: Reg, base: Reg, before: Count) [base: before 1 after] [> base] Calls Item Plain

    /// R[dst] = a function of code with the cells that Code::captures names
    MakeFunction = "func" (dst: Reg, code: CodeIx) Pure Allocate Plain
    /// the defaults of the last count positional parameters of the function R[func] are R[base], …
    SetDefaults = "defaults" (func: Reg, base: Reg, count: Count) [base: count] Pure Allocate Never
    /// the defaults of the keyword-only parameters names of the function R[func] are R[base], …
    SetKwDefaults = "kwdefaults" (func: Reg, base: Reg, names: NamesIx) [base: names] Pure Allocate Never
    /// R[dst] = a new class with the base R[base] (object if unbound), named and placed by the
    /// running class body
    NewClass = "class" (dst: Reg, base: Reg) Raises Allocate Plain
    /// the attribute name of the class R[class] = R[src]
    SetClassVar = "kset" (class: Reg, src: Reg, site: Site) Shared Attribute Plain
    /// R[dst] = the attribute name of the class R[class] itself, or unbound
    GetClassVar = "kget" (dst: Reg, class: Reg, site: Site) Shared Attribute Plain
    /// delete the attribute name of the class R[class] itself; raise NameError if it has none
    DelClassVar = "kdel" (class: Reg, site: Site) Shared Attribute Plain

    /// R[dst] = R[base](R[base+1], …, R[base+count])
    Call = "call" (dst: Reg, base: Reg, count: Count) [base: 1 count] Calls Call Call
    /// R[dst] = R[base](positional arguments from R[base+1], then one for each of names)
    CallKw = "callkw" (count: Count8, dst: Reg, base: Reg, names: NamesIx) [base: 1 count names] Calls Call Call
    /// R[dst] = R[base](*R[base+1], **R[base+2]); a tuple or list, and a dict or None
    CallSpread = "callspread" (dst: Reg, base: Reg) [base: 3] Calls Call Call
    /// R[dst], R[dst+1] = the method name of R[object], and R[object]; with any other attribute:
    /// unbound, and the attribute
    LoadMethod = "method" (dst: Reg, object: Reg, site: Site) [dst: 2] Calls Attribute Plain
    /// R[base], R[base+1] = the same for super(R[base], R[base+1]).name
    LoadSuperMethod = "supermethod" (base: Reg, site: Site) [base: 2] Calls Attribute Plain
    /// R[dst] = R[base](R[base+1], …, R[base+1+count]); with R[base] unbound: R[dst] =
    /// R[base+1](R[base+2], …, R[base+1+count])
    CallMethod = "callm" (dst: Reg, base: Reg, count: Count) [base: 2 count] Calls Call Call
    /// return R[src] to the caller; in a generator: end it
    Return = "ret" (src: Reg) Pure Frame Return
    /// give R[src] to whoever drives this generator; R[dst] = what comes back
    Yield = "yield" (dst: Reg, src: Reg) Calls Frame Plain
    /// R[dst] = the value of the generator or iterator R[iter], giving each of its items to whoever
    /// drives this generator
    YieldFrom = "yieldfrom" (dst: Reg, iter: Reg) Calls Frame Never

    /// raise R[exception] from R[cause] (no `from` if unbound)
    Raise = "raise" (exception: Reg, cause: Reg) Raises Raise Plain
    /// raise the exception being handled again; RuntimeError if there is none
    RaiseCurrent = "raisecurrent" () Raises Raise Plain
    /// raise R[exception] again, as it is: the end of a `finally` or of handlers that did not match
    Reraise = "reraise" (exception: Reg) Raises Raise Never
    /// R[saved] = the exception being handled; the exception being handled = R[exception]
    BeginHandler = "handle" (saved: Reg, exception: Reg) [> saved] Pure Raise Never
    /// the exception being handled = R[saved]
    EndHandler = "endhandle" (saved: Reg) Pure Raise Never
    /// unless R[exception] is an instance of R[class] (a class or a tuple of classes): go to L
    JumpUnlessMatch = "jnomatch" (exception: Reg, class: Reg, to: Near) Raises Raise Plain
    /// R[exit] = type(R[manager]).__exit__ bound; R[dst] = R[manager].__enter__()
    WithEnter = "enter" (dst: Reg, exit: Reg, manager: Reg) [> exit] Calls With Call
    /// R[dst] = R[exit](type(R[exception]), R[exception], its traceback); with R[exception] None:
    /// R[exit](None, None, None)
    WithExit = "exit" (dst: Reg, exit: Reg, exception: Reg) Calls With Call

    /// R[dst] = the module, which is run first if it has not been
    Import = "import" (dst: Reg, module: ModuleIx) Calls Call Call
    /// R[dst] = R[module].name, or raise ImportError
    ImportFrom = "from" (dst: Reg, module: Reg, site: Site) Shared Attribute Plain
}
