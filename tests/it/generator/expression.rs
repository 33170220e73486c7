//! Expressions, made by the kind of value they give. A depth of 0 asks for a literal or a variable.

use super::{Kind, Writer};

const TEXTS: [&str; 20] = [
    r#""""#,
    r#""a""#,
    r#""abc""#,
    r#""Hello, World""#,
    r#""x y  z""#,
    r#""a,b,,c""#,
    r#"" pad ""#,
    r#""é""#,
    r#""日本語""#,
    r#""12""#,
    r#""-7""#,
    r#""3.5""#,
    r#""tab\there""#,
    r#""it's""#,
    r#"'say "hi"'"#,
    r#""line\nline""#,
    r#""ß😀""#,
    r#""banana""#,
    r#"r"\raw""#,
    r#""MiXed Case 9""#,
];

const FLOATS: [&str; 18] = [
    "0.0",
    "1.0",
    "-1.5",
    "0.1",
    "0.5",
    "2.5",
    "3.14159",
    "1e16",
    "1e-5",
    "123456.789",
    "-0.0",
    "1e100",
    "9.99",
    "1e22",
    "5e-324",
    "1.7e308",
    "float(\"inf\")",
    "float(\"nan\")",
];

const BYTES: [&str; 7] = [
    "b\"\"",
    "b\"abc\"",
    "b\"a,b\"",
    r#"b"\x00\xff""#,
    "b\"it's\"",
    "b\" pad \"",
    r#"b"\n\t9""#,
];

impl Writer {
    /// A value written out, without a variable.
    pub(super) fn literal(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Integer => self.integer_literal(),
            Kind::Float => self.float_literal(),
            Kind::Text => self.random.text(&TEXTS).to_owned(),
            Kind::Bool => self.random.text(&["True", "False"]).to_owned(),
            Kind::Integers => format!("[{}]", self.literals(Kind::Integer)),
            Kind::Texts => format!("[{}]", self.literals(Kind::Text)),
            Kind::Tuple => {
                let (a, b) = (self.kind(), self.kind());
                format!("({}, {})", self.literal(a), self.literal(b))
            }
            Kind::Table => {
                let n = self.random.between(0, 3);
                let entries: Vec<_> = (0..n)
                    .map(|_| format!("{}: {}", self.literal(Kind::Text), self.integer_literal()))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            Kind::Numbers => {
                let n = self.random.between(0, 5);
                let members: Vec<_> = (0..n).map(|_| self.random.below(24).to_string()).collect();
                if members.is_empty() {
                    "set()".to_owned()
                } else {
                    format!("{{{}}}", members.join(", "))
                }
            }
            Kind::Bytes => self.random.text(&BYTES).to_owned(),
        }
    }

    fn literals(&mut self, kind: Kind) -> String {
        let n = self.random.between(0, 5);
        let all: Vec<_> = (0..n).map(|_| self.literal(kind)).collect();
        all.join(", ")
    }

    /// A value with a name, a decimal fraction, or any bits at all.
    fn float_literal(&mut self) -> String {
        match self.random.below(10) {
            0..=5 => self.random.text(&FLOATS).to_owned(),
            6 | 7 => format!("{}.{}", self.random.below(1000), self.random.below(10_000)),
            _ => {
                let any = f64::from_bits(self.random.next());
                // Rust's shortest form is one that CPython reads back as the same number.
                let any = if any.is_finite() { any } else { 0.3 };
                format!("{any:?}")
            }
        }
    }

    /// Mostly small; then the neighbours of the powers of two where representations change; then
    /// truly big.
    fn integer_literal(&mut self) -> String {
        let sign = if self.random.chance(30) { "-" } else { "" };
        match self.random.below(10) {
            0..=5 => format!("{sign}{}", self.random.below(20)),
            6 => format!("{sign}{}", self.random.below(100_000)),
            7 => {
                let power = self.random.text(&["31", "32", "61", "62", "63", "64"]);
                let shift = self.random.text(&["- 1", "+ 0", "+ 1"]);
                format!("({sign}2 ** {power} {shift})")
            }
            8 => format!("{sign}{}", self.random.next()),
            _ => format!(
                "{sign}{}{:019}",
                self.random.next(),
                self.random.next() >> 1
            ),
        }
    }

    /// A literal or a variable of the kind.
    pub(super) fn atom(&mut self, kind: Kind) -> String {
        if self.random.chance(75)
            && let Some(name) = self.variable(kind)
        {
            return name;
        }
        self.literal(kind)
    }

    pub(super) fn expression(&mut self, kind: Kind, depth: usize) -> String {
        if depth == 0 || self.random.chance(15) {
            return self.atom(kind);
        }
        let d = depth - 1;
        if self.random.chance(6) {
            let (a, c, b) = (
                self.expression(kind, d),
                self.expression(Kind::Bool, d),
                self.expression(kind, d),
            );
            return format!("({a} if {c} else {b})");
        }
        if self.random.chance(4) {
            let (a, b) = (self.expression(kind, d), self.expression(kind, d));
            let operator = self.random.text(&["and", "or"]);
            return format!("({a} {operator} {b})");
        }
        match kind {
            Kind::Integer => self.integer(d),
            Kind::Float => self.float(d),
            Kind::Text => self.text(d),
            Kind::Bool => self.truth(d),
            Kind::Integers => self.integers(d),
            Kind::Texts => self.texts(d),
            Kind::Tuple => self.tuple(d),
            Kind::Table => self.table(d),
            Kind::Numbers => self.numbers(d),
            Kind::Bytes => self.bytes(d),
        }
    }

    fn integer(&mut self, d: usize) -> String {
        let a = self.expression(Kind::Integer, d);
        let b = self.expression(Kind::Integer, d);
        match self.random.below(30) {
            0..=3 => format!("({a} + {b})"),
            4 | 5 => format!("({a} - {b})"),
            6 | 7 => format!("({a} * {b})"),
            8 | 9 => format!("({a} // {b})"),
            10 | 11 => format!("({a} % {b})"),
            12 => format!("({a} {} {b})", self.random.text(&["&", "|", "^"])),
            13 => format!("({a} {} ({b} & 63))", self.random.text(&["<<", ">>"])),
            14 => format!(
                "({} ** ({} % 5))",
                self.atom(Kind::Integer),
                self.atom(Kind::Integer)
            ),
            15 => format!("{}{a}", self.random.text(&["-", "~", "+", "- -"])),
            16 => format!("abs({a})"),
            17 => {
                let c = self.atom(Kind::Integer);
                format!(
                    "pow({}, {}, {c})",
                    self.atom(Kind::Integer),
                    self.atom(Kind::Integer)
                )
            }
            18 => format!("divmod({a}, {b})[{}]", self.random.below(2)),
            19 => {
                let kind = *self.random.pick(&[
                    Kind::Text,
                    Kind::Integers,
                    Kind::Table,
                    Kind::Numbers,
                    Kind::Bytes,
                ]);
                format!("len({})", self.expression(kind, d))
            }
            20 => format!(
                "{}({})",
                self.random.text(&["sum", "max", "min", "len"]),
                self.expression(Kind::Integers, d)
            ),
            21 => format!(
                "{}[{}]",
                self.expression(Kind::Integers, d),
                self.random.below(5)
            ),
            22 => format!(
                "{}.get({}, {a})",
                self.expression(Kind::Table, d),
                self.atom(Kind::Text)
            ),
            23 => format!(
                "{}[{}]",
                self.expression(Kind::Table, d),
                self.atom(Kind::Text)
            ),
            24 => format!("int({})", self.expression(Kind::Text, d)),
            25 => format!(
                "{}({})",
                self.random.text(&["int", "round"]),
                self.expression(Kind::Float, d)
            ),
            26 => format!(
                "{}.{}({})",
                self.expression(Kind::Text, d),
                self.random.text(&["find", "count", "rfind", "index"]),
                self.atom(Kind::Text)
            ),
            27 => format!("({a}).bit_length()"),
            28 => format!(
                "(lambda p, q=2: p {} q)({a})",
                self.random.text(&["+", "-", "*", "//"])
            ),
            _ => format!(
                "sum(n {} 2 for n in {})",
                self.random.text(&["*", "+", "%"]),
                self.expression(Kind::Integers, d)
            ),
        }
    }

    fn float(&mut self, d: usize) -> String {
        let a = self.expression(Kind::Float, d);
        let b = self.expression(Kind::Float, d);
        match self.random.below(16) {
            0 | 1 => format!("({a} + {b})"),
            2 => format!("({a} - {b})"),
            3 | 4 => format!("({a} * {b})"),
            5 => format!("({a} / {b})"),
            6 => format!("({a} {} {b})", self.random.text(&["%", "//"])),
            7 => format!(
                "({} / {})",
                self.expression(Kind::Integer, d),
                self.expression(Kind::Integer, d)
            ),
            8 => format!(
                "({a} {} {})",
                self.random.text(&["+", "-", "*"]),
                self.expression(Kind::Integer, d)
            ),
            9 => format!("float({})", self.expression(Kind::Integer, d)),
            10 => format!(
                "round({a}, {})",
                self.random
                    .text(&["0", "1", "2", "3", "5", "-1", "-2", "None"])
            ),
            11 => format!("{}({a})", self.random.text(&["abs", "-", "+"])),
            12 => format!("{}({a}, {b})", self.random.text(&["max", "min"])),
            13 => format!("abs({a}) ** 0.5"),
            14 => format!("float({})", self.expression(Kind::Text, d)),
            _ => format!("sum([{a}, {b}, 0.1])"),
        }
    }

    fn text(&mut self, d: usize) -> String {
        let a = self.expression(Kind::Text, d);
        match self.random.below(24) {
            0..=2 => format!("({a} + {})", self.expression(Kind::Text, d)),
            3 => format!("({a} * {})", self.random.below(4)),
            4 | 5 => format!("{a}[{}]", self.slice()),
            6 | 7 => {
                let method = self.random.text(&[
                    "upper",
                    "lower",
                    "title",
                    "strip",
                    "lstrip",
                    "rstrip",
                    "swapcase",
                    "capitalize",
                    "casefold",
                    "expandtabs",
                ]);
                format!("{a}.{method}()")
            }
            8 => format!(
                "{a}.replace({}, {})",
                self.atom(Kind::Text),
                self.atom(Kind::Text)
            ),
            9 => {
                let method = self.random.text(&["center", "ljust", "rjust"]);
                format!("{a}.{method}({}, \"*\")", self.random.below(12))
            }
            10 => format!("{a}.zfill({})", self.random.below(9)),
            11 | 12 => {
                let kind = self.kind();
                let how = self.random.text(&["str", "repr", "ascii"]);
                format!("{how}({})", self.expression(kind, d))
            }
            13 => format!(
                "{}.join({})",
                self.atom(Kind::Text),
                self.expression(Kind::Texts, d)
            ),
            14..=16 => self.formatted(),
            17 => self.percent_formatted(),
            18 => {
                let kind = self.kind();
                let conversion = self.random.text(&["", "!r", "!s"]);
                format!(
                    "\"<{{{conversion}}}|{{}}>\".format({a}, {})",
                    self.expression(kind, d)
                )
            }
            19 => format!("chr(97 + {} % 26)", self.expression(Kind::Integer, d)),
            20 => format!("{a}[{}]", self.random.below(4)),
            21 => format!(
                "{}({}).lower()",
                self.random.text(&["hex", "bin", "oct"]),
                self.expression(Kind::Integer, d)
            ),
            22 => format!("{}.decode(\"utf-8\")", self.expression(Kind::Bytes, d)),
            _ => format!(
                "{a}.{}({})",
                self.random.text(&["removeprefix", "removesuffix", "strip"]),
                self.atom(Kind::Text)
            ),
        }
    }

    fn truth(&mut self, d: usize) -> String {
        match self.random.below(14) {
            0..=3 => {
                let kind = *self.random.pick(&[
                    Kind::Integer,
                    Kind::Float,
                    Kind::Text,
                    Kind::Integers,
                    Kind::Numbers,
                ]);
                let operator = self.random.text(&["<", "<=", ">", ">=", "==", "!="]);
                format!(
                    "({} {operator} {})",
                    self.expression(kind, d),
                    self.expression(kind, d)
                )
            }
            4 => {
                let (a, b, c) = (
                    self.expression(Kind::Integer, d),
                    self.expression(Kind::Integer, d),
                    self.expression(Kind::Integer, d),
                );
                format!("({a} < {b} <= {c})")
            }
            5 => format!(
                "({} in {})",
                self.atom(Kind::Text),
                self.expression(Kind::Text, d)
            ),
            6 => format!(
                "({} not in {})",
                self.atom(Kind::Integer),
                self.expression(Kind::Integers, d)
            ),
            7 => format!("(not {})", self.expression(Kind::Bool, d)),
            8 => {
                let kind = self.kind();
                format!("bool({})", self.expression(kind, d))
            }
            9 => {
                let kind = self.kind();
                let of = self
                    .random
                    .text(&["int", "str", "(int, float)", "list", "bool", "dict"]);
                format!("isinstance({}, {of})", self.atom(kind))
            }
            10 => {
                let method = self.random.text(&[
                    "isalpha",
                    "isdigit",
                    "isupper",
                    "islower",
                    "isspace",
                    "isalnum",
                    "istitle",
                    "isidentifier",
                    "isprintable",
                    "isdecimal",
                    "isnumeric",
                    "isascii",
                ]);
                format!("{}.{method}()", self.expression(Kind::Text, d))
            }
            11 => {
                let method = self.random.text(&["startswith", "endswith"]);
                format!(
                    "{}.{method}({})",
                    self.expression(Kind::Text, d),
                    self.atom(Kind::Text)
                )
            }
            12 => format!(
                "{}({})",
                self.random.text(&["any", "all"]),
                self.expression(Kind::Integers, d)
            ),
            _ => {
                let (a, b) = (self.kind(), self.kind());
                format!(
                    "({} {} {})",
                    self.atom(a),
                    self.random.text(&["==", "!="]),
                    self.atom(b)
                )
            }
        }
    }

    fn integers(&mut self, d: usize) -> String {
        let a = self.expression(Kind::Integers, d);
        match self.random.below(14) {
            0 | 1 => format!("{a}[{}]", self.slice()),
            2 => format!("({a} + {})", self.expression(Kind::Integers, d)),
            3 => format!(
                "sorted({a}{})",
                self.random
                    .text(&["", ", reverse=True", ", key=lambda n: -n", ", key=abs"])
            ),
            4 | 5 => {
                let body = self
                    .random
                    .text(&["n * n", "n + 1", "-n", "n % 7", "n // 2", "abs(n)"]);
                let test = self.random.text(&["", " if n % 2", " if n > 0", " if n"]);
                format!("[{body} for n in {a}{test}]")
            }
            6 => format!(
                "list(range({}, {}, {}))",
                self.random.below(5),
                self.random.below(15),
                self.random.between(1, 3)
            ),
            7 => format!("[*{a}, {}]", self.expression(Kind::Integer, d)),
            8 => format!(
                "list({})",
                self.random
                    .text(&["reversed([3, 1, 2])", "range(6)", "map(int, \"407\")"])
            ),
            9 => format!(
                "list(map(lambda n: n {} 3, {a}))",
                self.random.text(&["+", "*", "%", "//"])
            ),
            10 => format!("[i * n for i, n in enumerate({a})]"),
            11 => format!(
                "[x * y for x in {a}[:3] for y in range({})]",
                self.random.below(4)
            ),
            12 => format!("sorted({})", self.expression(Kind::Numbers, d)),
            _ => format!("({a} * {})", self.random.below(3)),
        }
    }

    fn texts(&mut self, d: usize) -> String {
        let a = self.expression(Kind::Texts, d);
        let t = self.expression(Kind::Text, d);
        match self.random.below(12) {
            0 => format!("{t}.split()"),
            1 => format!("{t}.split({})", self.atom(Kind::Text)),
            2 => format!(
                "{t}.{}",
                self.random.text(&[
                    "splitlines()",
                    "rsplit(\",\", 1)",
                    "split(\" \")",
                    "split(None, 1)"
                ])
            ),
            3 => format!("list({t})"),
            4 => format!(
                "sorted({a}{})",
                self.random
                    .text(&["", ", key=len", ", reverse=True", ", key=str.lower"])
            ),
            5 => format!(
                "[s.{}() for s in {a}]",
                self.random.text(&["upper", "strip", "title"])
            ),
            6 => format!("[s + str(i) for i, s in enumerate({a}) if s]"),
            7 => format!("list({}.keys())", self.expression(Kind::Table, d)),
            8 => format!("({a} + [{t}])"),
            9 => format!("{a}[{}]", self.slice()),
            10 => format!("[x + y for x, y in zip({a}, {t})]"),
            _ => format!("[str(n) for n in {}]", self.expression(Kind::Integers, d)),
        }
    }

    fn tuple(&mut self, d: usize) -> String {
        let (a, b) = (self.kind(), self.kind());
        match self.random.below(8) {
            0 | 1 => format!("({}, {})", self.expression(a, d), self.expression(b, d)),
            2 => format!(
                "divmod({}, {})",
                self.expression(Kind::Integer, d),
                self.expression(Kind::Integer, d)
            ),
            3 => format!(
                "{}.{}({})",
                self.expression(Kind::Text, d),
                self.random.text(&["partition", "rpartition"]),
                self.atom(Kind::Text)
            ),
            4 => format!("tuple({})", self.expression(Kind::Integers, d)),
            5 => format!(
                "({} + ({},))",
                self.expression(Kind::Tuple, d),
                self.expression(a, d)
            ),
            6 => format!("{}[{}]", self.expression(Kind::Tuple, d), self.slice()),
            _ => format!(
                "({}, *{})",
                self.expression(a, d),
                self.expression(Kind::Integers, d)
            ),
        }
    }

    fn table(&mut self, d: usize) -> String {
        let a = self.expression(Kind::Table, d);
        match self.random.below(8) {
            0 => format!(
                "{{**{a}, {}: {}}}",
                self.atom(Kind::Text),
                self.expression(Kind::Integer, d)
            ),
            1 => format!("({a} | {})", self.expression(Kind::Table, d)),
            2 => format!("{{s: len(s) for s in {}}}", self.expression(Kind::Texts, d)),
            3 => format!(
                "dict(zip({}, {}))",
                self.expression(Kind::Texts, d),
                self.expression(Kind::Integers, d)
            ),
            4 => format!("{{k: v * 2 for k, v in {a}.items() if v}}"),
            5 => format!("dict({a}, key={})", self.expression(Kind::Integer, d)),
            6 => format!(
                "dict.fromkeys({}, {})",
                self.expression(Kind::Text, d),
                self.atom(Kind::Integer)
            ),
            _ => format!("dict(sorted({a}.items()))"),
        }
    }

    /// Members stay within 0 to 999, where CPython's order is a function of the operations alone.
    fn numbers(&mut self, d: usize) -> String {
        let a = self.expression(Kind::Numbers, d);
        match self.random.below(6) {
            0 | 1 => format!(
                "({a} {} {})",
                self.random.text(&["|", "&", "-", "^"]),
                self.expression(Kind::Numbers, d)
            ),
            2 => format!(
                "{{n % 1000 for n in {}}}",
                self.expression(Kind::Integers, d)
            ),
            3 => format!("set(range({}))", self.random.below(12)),
            4 => {
                let method = self.random.text(&[
                    "union",
                    "intersection",
                    "difference",
                    "symmetric_difference",
                ]);
                format!("{a}.{method}({})", self.expression(Kind::Numbers, d))
            }
            _ => format!("{{len(s) for s in {}}}", self.expression(Kind::Texts, d)),
        }
    }

    fn bytes(&mut self, d: usize) -> String {
        let a = self.expression(Kind::Bytes, d);
        match self.random.below(7) {
            0 => format!("({a} + {})", self.expression(Kind::Bytes, d)),
            1 => format!("{a}[{}]", self.slice()),
            2 => format!("{}.encode(\"utf-8\")", self.expression(Kind::Text, d)),
            3 => format!(
                "bytes(n % 256 for n in {})",
                self.expression(Kind::Integers, d)
            ),
            4 => format!(
                "{a}.{}()",
                self.random
                    .text(&["upper", "lower", "strip", "title", "swapcase"])
            ),
            5 => format!(
                "{a}.replace({}, {})",
                self.atom(Kind::Bytes),
                self.atom(Kind::Bytes)
            ),
            _ => format!("({a} * {})", self.random.below(3)),
        }
    }

    /// What stands between the brackets of a slice.
    pub(super) fn slice(&mut self) -> String {
        let mut bound = |from: &[&'static str]| self.random.text(from);
        let edges = ["", "0", "1", "2", "3", "-1", "-2", "-4", "9"];
        let (low, high) = (bound(&edges), bound(&edges));
        let step = bound(&["", "", ":2", ":-1", ":-2", ":"]);
        format!("{low}:{high}{step}")
    }
}
