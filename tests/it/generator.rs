//! Random programs, each a function of its seed: well scoped, always ending, never dying of an
//! uncaught exception, and printing a great deal of what happens on the way.
//!
//! A program keeps clear of what is legitimately unspecified: addresses, hashes of text, the order
//! of a set of text, the clock. It knows nothing of Mini: that CPython runs the same text is the
//! point.
//!
//! Growth is bounded: whatever is assigned goes through `clip`, exponents, shifts and repetitions
//! are reduced, and each loop has a counter.

mod changing_class;
mod definition;
mod dying;
mod expression;
mod format;
mod phrase;
mod random;
mod statement;

pub(crate) use phrase::phrase;
pub(crate) use random::Random;

/// What an expression is made to give. Expressions are well typed on the whole, so that a program
/// gets somewhere; the statements that are about errors mix kinds on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// `int`, of any size.
    Integer,
    Float,
    Text,
    Bool,
    /// `list` of `int`.
    Integers,
    /// `list` of `str`.
    Texts,
    /// `tuple` of anything.
    Tuple,
    /// `dict` from `str` to `int`.
    Table,
    /// `set` of `int`.
    Numbers,
    Bytes,
}

const KINDS: [Kind; 10] = [
    Kind::Integer,
    Kind::Float,
    Kind::Text,
    Kind::Bool,
    Kind::Integers,
    Kind::Texts,
    Kind::Tuple,
    Kind::Table,
    Kind::Numbers,
    Kind::Bytes,
];

/// Keeps a value small enough to be carried around a loop.
const CLIP: &str = "\
def clip(v):
    if isinstance(v, int):
        return v if -10 ** 60 < v < 10 ** 60 else v % 1000000007
    return v[:24] if isinstance(v, (str, list, tuple, bytes)) else v";

/// The program that `seed` stands for.
pub(crate) fn program(seed: u64) -> String {
    let mut writer = Writer::new(seed);
    for line in CLIP.lines() {
        writer.line(line);
    }
    let wanted = writer.lines.len() + writer.random.between(12, 52);
    for _ in 0..writer.random.between(2, 5) {
        writer.first_value();
    }
    while writer.lines.len() < wanted {
        writer.statement();
    }
    writer.last_words();
    writer.lines.join("\n") + "\n"
}

/// A program as far as it is written.
struct Writer {
    random: Random,
    lines: Vec<String>,
    indent: usize,
    /// Variables that certainly hold a value here, innermost last.
    scope: Vec<(String, Kind)>,
    names_given: usize,
}

impl Writer {
    fn new(seed: u64) -> Self {
        Self {
            random: Random::new(seed),
            lines: Vec::new(),
            indent: 0,
            scope: Vec::new(),
            names_given: 0,
        }
    }

    fn line(&mut self, text: &str) {
        self.lines
            .push(format!("{}{text}", "    ".repeat(self.indent)));
    }

    /// A header such as `if x:` with what `body` writes below it. Names that the body binds end
    /// with it.
    fn block(&mut self, header: &str, body: impl FnOnce(&mut Self)) {
        self.line(header);
        self.indent += 1;
        let (known, written) = (self.scope.len(), self.lines.len());
        body(self);
        if self.lines.len() == written {
            self.line("pass");
        }
        self.scope.truncate(known);
        self.indent -= 1;
    }

    /// What `body` writes, with every exception caught and printed.
    fn guarded(&mut self, body: impl FnOnce(&mut Self)) {
        self.block("try:", body);
        self.block("except Exception as e:", |w| {
            w.line("print(type(e).__name__, e)");
        });
    }

    fn fresh(&mut self, stem: &str) -> String {
        self.names_given += 1;
        format!("{stem}{}", self.names_given)
    }

    fn bind(&mut self, name: &str, kind: Kind) {
        self.scope.push((name.to_owned(), kind));
    }

    /// Some variable of this kind.
    fn variable(&mut self, kind: Kind) -> Option<String> {
        let fitting: Vec<_> = self.scope.iter().filter(|(_, k)| *k == kind).collect();
        if fitting.is_empty() {
            return None;
        }
        let pick = self.random.below(fitting.len());
        Some(fitting[pick].0.clone())
    }

    fn kind(&mut self) -> Kind {
        *self.random.pick(&KINDS)
    }

    /// An assignment that cannot fail, so that there is something to work with.
    fn first_value(&mut self) {
        let kind = self.kind();
        let name = self.fresh("v");
        let value = self.literal(kind);
        self.line(&format!("{name} = {value}"));
        self.bind(&name, kind);
    }

    /// Prints what every variable ended as.
    fn last_words(&mut self) {
        let names: Vec<_> = self.scope.iter().map(|(name, _)| name.clone()).collect();
        for some in names.chunks(4) {
            self.line(&format!("print({})", some.join(", ")));
        }
    }
}

/// A program that dies of an uncaught exception.
pub(crate) fn program_that_dies(seed: u64) -> String {
    let mut writer = Writer::new(seed);
    writer.death();
    writer.lines.join("\n") + "\n"
}

/// A program that is all about classes which change.
pub(crate) fn program_of_changing_classes(seed: u64) -> String {
    let mut writer = Writer::new(seed);
    for line in changing_class::SHOWN.lines() {
        writer.line(line);
    }
    for _ in 0..writer.random.between(1, 2) {
        writer.changing_classes();
    }
    writer.lines.join("\n") + "\n"
}

#[test]
fn a_seed_stands_for_one_program() {
    for seed in 0..50 {
        assert_eq!(program(seed), program(seed));
        assert_ne!(program(seed), program(seed + 1));
    }
}

#[test]
fn programs_have_a_readable_size() {
    for seed in 0..200 {
        let lines = program(seed).lines().count();
        assert!((10..=110).contains(&lines), "seed {seed} has {lines} lines");
    }
}
