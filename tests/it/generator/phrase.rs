//! Texts made from the grammar alone: every kind of statement and expression, with names that mean
//! nothing. They are compiled and never run.
//!
//! A text follows the grammar, with a star wherever one may stand. In every other text one more
//! star is planted before some part of an expression, right or wrong: whether it may stand there is
//! for CPython to say.

use super::random::Random;

/// The text that `seed` stands for.
pub(crate) fn phrase(seed: u64) -> String {
    let mut whole = Phrase::new(seed, None);
    let text = whole.function();
    if seed.is_multiple_of(2) {
        return text;
    }
    let planted = Random::new(seed ^ 0x5354_4152).below(whole.parts.max(1));
    Phrase::new(seed, Some(planted)).function()
}

struct Phrase {
    random: Random,
    lines: Vec<String>,
    indent: usize,
    /// How many parts of expressions there are so far.
    parts: usize,
    /// The part that has a star more.
    planted: Option<usize>,
    /// Within an f-string, whose quotes are double: no other may stand in it.
    in_fstring: bool,
    /// Within a comprehension, where no `yield` may stand.
    in_comprehension: bool,
    in_loop: bool,
    names_given: usize,
}

impl Phrase {
    fn new(seed: u64, planted: Option<usize>) -> Self {
        Self {
            random: Random::new(seed),
            lines: Vec::new(),
            indent: 0,
            parts: 0,
            planted,
            in_fstring: false,
            in_comprehension: false,
            in_loop: false,
            names_given: 0,
        }
    }

    fn function(&mut self) -> String {
        self.block("def phrase():", |it| it.statement(2));
        self.lines.join("\n") + "\n"
    }

    fn line(&mut self, text: &str) {
        self.lines
            .push(format!("{}{text}", "    ".repeat(self.indent)));
    }

    fn block(&mut self, header: &str, body: impl FnOnce(&mut Self)) {
        self.line(header);
        self.indent += 1;
        body(self);
        self.indent -= 1;
    }

    fn fresh(&mut self) -> String {
        self.names_given += 1;
        format!("n{}", self.names_given)
    }

    fn one_of(&mut self, words: &[&'static str]) -> &'static str {
        self.random.text(words)
    }

    /// A text, or nothing, in `percent` of a hundred cases.
    fn maybe(&mut self, percent: usize, text: impl FnOnce(&mut Self) -> String) -> String {
        if self.random.chance(percent) {
            text(self)
        } else {
            String::new()
        }
    }

    fn comma(&mut self) -> &'static str {
        if self.random.chance(30) { "," } else { "" }
    }

    // Statements.

    fn statement(&mut self, depth: usize) {
        let kind = self.random.below(if depth == 0 { 13 } else { 22 });
        match kind {
            0 | 1 => {
                let value = self.row(3);
                self.line(&value);
            }
            2 | 3 => {
                let mut text = String::new();
                for _ in 0..self.random.between(1, 2) {
                    text += &self.targets(2);
                    text += " = ";
                }
                let value = self.value();
                self.line(&(text + &value));
            }
            4 => {
                let target = self.place(2);
                let operator = self.one_of(&["+=", "-=", "*=", "//=", "**=", "&=", ">>="]);
                let value = self.value();
                self.line(&format!("{target} {operator} {value}"));
            }
            5 => {
                let target = self.place(2);
                // CPython does not look into the annotations of a function's variables.
                let planted = self.planted.take();
                let annotation = self.test(2);
                self.planted = planted;
                let value = self.maybe(60, |it| format!(" = {}", it.value()));
                self.line(&format!("{target}: {annotation}{value}"));
            }
            6 | 7 => {
                let value = self.maybe(80, |it| format!(" {}", it.row(3)));
                self.line(&format!("return{value}"));
            }
            8 => {
                let value = self.yielded();
                self.line(&value);
            }
            9 => {
                let targets = self.deleted(2);
                self.line(&format!("del {targets}"));
            }
            10 => {
                let text = match self.random.below(4) {
                    0 => "raise".to_owned(),
                    1 => format!("raise {}", self.test(2)),
                    2 => format!("raise {} from {}", self.test(2), self.test(2)),
                    _ => {
                        let message = self.maybe(50, |it| format!(", {}", it.test(2)));
                        format!("assert {}{message}", self.test(3))
                    }
                };
                self.line(&text);
            }
            11 => {
                let name = self.fresh();
                self.line(&format!("global {name}"));
            }
            12 => {
                let leave = ["break", "continue"];
                let word = if self.in_loop {
                    self.one_of(&leave)
                } else {
                    "pass"
                };
                self.line(word);
            }
            13 | 14 => {
                let (target, values) = (self.targets(2), self.row(3));
                self.looped(&format!("for {target} in {values}:"), depth);
            }
            15 => {
                let test = self.test(3);
                self.looped(&format!("while {test}:"), depth);
            }
            16 => {
                let test = self.test(3);
                self.block(&format!("if {test}:"), |it| it.statement(depth - 1));
                if self.random.chance(40) {
                    let test = self.test(2);
                    self.block(&format!("elif {test}:"), |it| it.statement(depth - 1));
                }
                if self.random.chance(40) {
                    self.block("else:", |it| it.statement(depth - 1));
                }
            }
            17 => self.with(depth),
            18 => {
                self.block("try:", |it| it.statement(depth - 1));
                let class = self.test(2);
                let name = self.maybe(40, |it| format!(" as {}", it.name()));
                self.block(&format!("except {class}{name}:"), |it| {
                    it.statement(depth - 1);
                });
                if self.random.chance(40) {
                    let last = self.one_of(&["except:", "else:", "finally:"]);
                    self.block(last, |it| it.statement(depth - 1));
                }
            }
            19 | 20 => self.definition(depth),
            _ => {
                let name = self.fresh();
                let base = self.maybe(30, |it| format!("({})", it.name()));
                self.decorators();
                let in_loop = std::mem::take(&mut self.in_loop);
                self.block(&format!("class {name}{base}:"), |it| {
                    let (target, value) = (it.targets(1), it.row(2));
                    it.line(&format!("{target} = {value}"));
                });
                self.in_loop = in_loop;
            }
        }
    }

    fn looped(&mut self, header: &str, depth: usize) {
        let outside = std::mem::replace(&mut self.in_loop, true);
        self.block(header, |it| it.statement(depth - 1));
        self.in_loop = outside;
        if self.random.chance(25) {
            self.block("else:", |it| it.statement(depth - 1));
        }
    }

    fn with(&mut self, depth: usize) {
        let mut items = Vec::new();
        for _ in 0..self.random.between(1, 3) {
            let context = self.test(2);
            let target = self.maybe(50, |it| format!(" as {}", it.target(2)));
            items.push(context + &target);
        }
        let items = items.join(", ");
        let header = match self.random.below(3) {
            0 => format!("with ({items}{}):", self.comma()),
            1 => format!("with ({}):", self.row(2)),
            _ => format!("with {items}:"),
        };
        self.block(&header, |it| it.statement(depth - 1));
    }

    fn decorators(&mut self) {
        for _ in 0..self.random.below(2) {
            let decorator = self.test(2);
            self.line(&format!("@{decorator}"));
        }
    }

    fn definition(&mut self, depth: usize) {
        self.decorators();
        let name = self.fresh();
        let parameters = self.parameters(true);
        let returns = self.maybe(20, |it| format!(" -> {}", it.test(2)));
        let in_loop = std::mem::take(&mut self.in_loop);
        self.block(&format!("def {name}({parameters}){returns}:"), |it| {
            it.statement(depth - 1);
        });
        self.in_loop = in_loop;
    }

    fn parameters(&mut self, annotated: bool) -> String {
        let mut written = Vec::new();
        let mut defaults = false;
        for _ in 0..self.random.below(3) {
            defaults = defaults || self.random.chance(30);
            written.push(self.parameter("", annotated, defaults));
        }
        if !written.is_empty() && self.random.chance(20) {
            written.push("/".to_owned());
        }
        if self.random.chance(30) {
            let star = if self.random.chance(50) {
                self.parameter("*", annotated, false)
            } else {
                "*".to_owned()
            };
            written.push(star);
            let default = self.random.chance(50);
            written.push(self.parameter("", annotated, default));
        }
        if self.random.chance(20) {
            written.push(self.parameter("**", annotated, false));
        }
        written.join(", ")
    }

    fn parameter(&mut self, stars: &str, annotated: bool, default: bool) -> String {
        let name = self.fresh();
        let annotation = if annotated && self.random.chance(30) {
            format!(": {}", self.test(1))
        } else {
            String::new()
        };
        let default = if default {
            format!("={}", self.test(2))
        } else {
            String::new()
        };
        format!("{stars}{name}{annotation}{default}")
    }

    // Targets.

    fn targets(&mut self, depth: usize) -> String {
        if self.random.chance(40) {
            return self.target(depth);
        }
        self.target_row(depth)
    }

    /// Targets with commas between them, one of which may have a star.
    fn target_row(&mut self, depth: usize) -> String {
        let count = self.random.between(1, 3);
        let star = self.random.below(2 * count);
        let mut written = Vec::new();
        for at in 0..count {
            let stars = if at == star { "*" } else { "" };
            let target = self.target(depth - 1);
            written.push(format!("{stars}{target}"));
        }
        let comma = if count == 1 { "," } else { self.comma() };
        written.join(", ") + comma
    }

    fn target(&mut self, depth: usize) -> String {
        if depth == 0 || self.random.chance(60) {
            return self.place(depth);
        }
        match self.random.below(3) {
            0 => format!("({})", self.target_row(depth)),
            1 => format!("[{}]", self.target_row(depth)),
            _ => format!("({})", self.target(depth - 1)),
        }
    }

    /// A name, an attribute or a subscript.
    fn place(&mut self, depth: usize) -> String {
        let text = match self.random.below(if depth == 0 { 1 } else { 3 }) {
            0 => self.name(),
            1 => self.attribute(depth),
            _ => format!("{}[{}]", self.primary(depth - 1), self.index(depth - 1)),
        };
        self.part(text)
    }

    fn deleted(&mut self, depth: usize) -> String {
        let mut written = Vec::new();
        for _ in 0..self.random.between(1, 2) {
            let one = match self.random.below(if depth == 0 { 1 } else { 3 }) {
                0 => self.place(depth),
                1 => format!("({})", self.deleted(depth - 1)),
                _ => format!("[{}]", self.deleted(depth - 1)),
            };
            written.push(one);
        }
        written.join(", ") + self.comma()
    }

    // Expressions, loosest first.

    /// A part of an expression, which may be the one with the star.
    fn part(&mut self, text: String) -> String {
        self.parts += 1;
        if self.planted == Some(self.parts - 1) {
            format!("*{text}")
        } else {
            text
        }
    }

    fn value(&mut self) -> String {
        if self.random.chance(10) {
            return self.yielded();
        }
        self.row(3)
    }

    fn yielded(&mut self) -> String {
        match self.random.below(3) {
            0 => "yield".to_owned(),
            1 => format!("yield {}", self.row(2)),
            _ => format!("yield from {}", self.test(2)),
        }
    }

    /// One value, or several with stars before some.
    fn row(&mut self, depth: usize) -> String {
        if self.random.chance(50) {
            return self.test(depth);
        }
        self.elements(depth)
    }

    /// Several values with stars before some, or one with a comma.
    fn elements(&mut self, depth: usize) -> String {
        let count = self.random.between(1, 3);
        let mut written = Vec::new();
        for _ in 0..count {
            written.push(self.element(depth.saturating_sub(1)));
        }
        let comma = if count == 1 { "," } else { self.comma() };
        written.join(", ") + comma
    }

    fn element(&mut self, depth: usize) -> String {
        if self.random.chance(35) {
            format!("*{}", self.bits(depth))
        } else {
            self.test(depth)
        }
    }

    fn test(&mut self, depth: usize) -> String {
        let text = match self.random.below(if depth == 0 { 1 } else { 12 }) {
            0..=9 => self.truth(depth),
            10 => format!(
                "{} if {} else {}",
                self.truth(depth - 1),
                self.truth(depth - 1),
                self.test(depth - 1)
            ),
            // The colon of a lambda would begin the format of a hole.
            _ if self.in_fstring => self.truth(depth),
            _ => format!(
                "lambda {}: {}",
                self.parameters(false),
                self.test(depth - 1)
            ),
        };
        self.part(text)
    }

    /// `or`, `and`, `not`, comparisons.
    fn truth(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 1 } else { 10 }) {
            0..=6 => self.bits(depth),
            7 => {
                let word = self.one_of(&["and", "or"]);
                format!("{} {word} {}", self.bits(depth - 1), self.bits(depth - 1))
            }
            8 => format!("not {}", self.bits(depth - 1)),
            _ => {
                let operator = self.one_of(&["<", ">=", "==", "in", "not in", "is", "is not"]);
                format!(
                    "{} {operator} {}",
                    self.bits(depth - 1),
                    self.bits(depth - 1)
                )
            }
        }
    }

    /// What binds as tightly as `|`: the most that may follow a star.
    fn bits(&mut self, depth: usize) -> String {
        let text = match self.random.below(if depth == 0 { 1 } else { 8 }) {
            0..=5 => self.primary(depth),
            6 => {
                let operator = self.one_of(&["|", "^", "&", "<<", "+", "-", "*", "//", "%", "**"]);
                format!(
                    "{} {operator} {}",
                    self.primary(depth - 1),
                    self.primary(depth - 1)
                )
            }
            _ => {
                let sign = self.one_of(&["-", "~", "+"]);
                format!("{sign}{}", self.primary(depth - 1))
            }
        };
        self.part(text)
    }

    fn primary(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 1 } else { 8 }) {
            0..=3 => self.atom(depth),
            4 => self.attribute(depth),
            5 => format!("{}({})", self.primary(depth - 1), self.arguments(depth - 1)),
            _ => format!("{}[{}]", self.primary(depth - 1), self.index(depth - 1)),
        }
    }

    fn attribute(&mut self, depth: usize) -> String {
        let value = self.primary(depth - 1);
        // A full stop right after digits would belong to the number.
        let blank = if value.ends_with('1') { " " } else { "" };
        format!("{value}{blank}.{}", self.name())
    }

    fn arguments(&mut self, depth: usize) -> String {
        let mut written = Vec::new();
        for _ in 0..self.random.below(3) {
            written.push(self.element(depth));
        }
        for _ in 0..self.random.below(2) {
            let name = self.fresh();
            written.push(format!("{name}={}", self.test(depth)));
        }
        if self.random.chance(20) {
            written.push(format!("**{}", self.test(depth)));
        }
        if written.is_empty() && depth > 0 && self.random.chance(40) {
            return self.comprehended(depth, |it| it.test(depth - 1));
        }
        let comma = if written.is_empty() { "" } else { self.comma() };
        written.join(", ") + comma
    }

    fn index(&mut self, depth: usize) -> String {
        let count = self.random.between(1, 2);
        let mut written = Vec::new();
        for _ in 0..count {
            written.push(if self.random.chance(30) {
                let low = self.maybe(50, |it| it.test(depth));
                let high = self.maybe(50, |it| it.test(depth));
                let step = self.maybe(30, |it| format!(":{}", it.test(depth)));
                format!("{low}:{high}{step}")
            } else {
                self.element(depth)
            });
        }
        written.join(", ") + self.comma()
    }

    fn atom(&mut self, depth: usize) -> String {
        match self.random.below(if depth == 0 { 4 } else { 14 }) {
            0..=2 => self.name(),
            3 => self.literal().to_owned(),
            4 => format!("({})", self.test(depth - 1)),
            5 => format!("({})", self.elements(depth)),
            6 => format!("[{}]", self.elements(depth)),
            7 => format!("{{{}}}", self.elements(depth)),
            8 => self.dict(depth),
            9 | 10 => {
                let (open, close) = *self.random.pick(&[("[", "]"), ("{", "}"), ("(", ")")]);
                let inner = self.comprehended(depth, |it| it.test(depth - 1));
                format!("{open}{inner}{close}")
            }
            11 => {
                let inner = self.comprehended(depth, |it| {
                    format!("{}: {}", it.test(depth - 1), it.test(depth - 1))
                });
                format!("{{{inner}}}")
            }
            12 if !self.in_comprehension => format!("({})", self.yielded()),
            _ if !self.in_fstring => self.fstring(depth),
            _ => self.name(),
        }
    }

    fn dict(&mut self, depth: usize) -> String {
        let mut written = Vec::new();
        for _ in 0..self.random.between(1, 2) {
            written.push(if self.random.chance(30) {
                format!("**{}", self.bits(depth - 1))
            } else {
                format!("{}: {}", self.test(depth - 1), self.test(depth - 1))
            });
        }
        format!("{{{}{}}}", written.join(", "), self.comma())
    }

    fn comprehended(&mut self, depth: usize, element: impl FnOnce(&mut Self) -> String) -> String {
        let outside = std::mem::replace(&mut self.in_comprehension, true);
        let mut text = element(self);
        for _ in 0..self.random.between(1, 2) {
            let (targets, values) = (self.targets(1), self.truth(depth - 1));
            text = format!("{text} for {targets} in {values}");
            text += &self.maybe(30, |it| format!(" if {}", it.truth(depth - 1)));
        }
        self.in_comprehension = outside;
        text
    }

    fn fstring(&mut self, depth: usize) -> String {
        self.in_fstring = true;
        // A blank keeps the brace of a display apart.
        let value = self.row(depth - 1);
        let echo = self.one_of(&["", "", "="]);
        let conversion = self.one_of(&["", "", "!r", "!s"]);
        let format = self.maybe(30, |it| format!(":>{{ {} }}", it.test(depth - 1)));
        self.in_fstring = false;
        format!("f\"<{{ {value} {echo}{conversion}{format}}}>\"")
    }

    fn name(&mut self) -> String {
        self.one_of(&["a", "b", "c", "x", "y", "z"]).to_owned()
    }

    fn literal(&mut self) -> &'static str {
        if self.in_fstring {
            return self.one_of(&["1", "None", "True", "..."]);
        }
        self.one_of(&["1", "None", "True", "...", "'s'", "b'b'"])
    }
}
