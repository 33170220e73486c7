//! Statements: each prints what came of it, and each that may raise catches and prints that too.

use super::{Kind, Writer};

/// Words that a program raises and catches.
const EXCEPTIONS: [&str; 8] = [
    "ValueError",
    "KeyError",
    "IndexError",
    "TypeError",
    "ZeroDivisionError",
    "RuntimeError",
    "ArithmeticError",
    "LookupError",
];

impl Writer {
    pub(super) fn statement(&mut self) {
        match self.random.below(42) {
            0..=3 => self.guarded(Self::show),
            4..=6 => self.assignment(),
            7 => self.guarded(Self::mixed_kinds),
            8 => self.augmented(),
            9 => self.for_loop(),
            10 => self.while_loop(),
            11 => self.branch(),
            12 | 13 => self.guarded(Self::list_method),
            14 => self.guarded(Self::dict_method),
            15 => self.guarded(Self::set_method),
            16 | 17 => self.guarded(Self::slice_statement),
            18 => self.guarded(Self::unpacking),
            19 => self.guarded(Self::wrong_call),
            20 | 21 => self.raising(),
            22 => self.finally(),
            23 => self.guarded(Self::formats),
            24 => self.guarded(Self::sorting),
            25 | 26 => self.function(),
            27 => self.closure(),
            28 | 29 => self.class(),
            30 | 31 => self.generator(),
            32 => self.guarded(Self::comprehension),
            33 => self.decorator(),
            34 => self.recursion(),
            35 => self.global_counter(),
            36 => self.guarded(Self::assertion),
            37 => self.guarded(Self::integer_methods),
            38 => self.guarded(Self::text_methods),
            39 | 40 => self.guarded(Self::stars),
            _ => self.context_manager(),
        }
    }

    fn show(&mut self) {
        for _ in 0..self.random.between(1, 2) {
            let (a, b) = (self.kind(), self.kind());
            let (a, b) = (self.expression(a, 3), self.expression(b, 2));
            self.line(&format!("print({a}, {b})"));
        }
    }

    /// A new variable or a new value of an old one. A new one has a literal first, so that it is
    /// bound in any case.
    fn assignment(&mut self) {
        let kind = self.kind();
        let known = self.variable(kind).filter(|_| self.random.chance(50));
        let name = known.unwrap_or_else(|| {
            let name = self.fresh("v");
            let value = self.literal(kind);
            self.line(&format!("{name} = {value}"));
            self.bind(&name, kind);
            name
        });
        let value = self.expression(kind, 3);
        self.guarded(|w| {
            w.line(&format!("{name} = clip({value})"));
            w.line(&format!("print({name})"));
        });
    }

    fn augmented(&mut self) {
        let (kind, operators): (_, &[&str]) = match self.random.below(6) {
            0 | 1 => (
                Kind::Integer,
                &["+=", "-=", "*=", "//=", "%=", "&=", "|=", "^="],
            ),
            2 => (Kind::Float, &["+=", "-=", "*=", "/=", "%=", "//="]),
            3 => (Kind::Text, &["+="]),
            4 => (Kind::Numbers, &["|=", "&=", "-=", "^="]),
            _ => (Kind::Integers, &["+="]),
        };
        let Some(name) = self.variable(kind) else {
            return self.first_value();
        };
        let operator = self.random.text(operators);
        let value = self.expression(kind, 2);
        self.guarded(|w| {
            w.line(&format!("{name} {operator} {value}"));
            w.line(&format!("{name} = clip({name})"));
            w.line(&format!("print({name})"));
        });
    }

    /// Operands that mostly do not go together: what matters is the message. No repetition and no
    /// power here, whose results could be of any size.
    fn mixed_kinds(&mut self) {
        let (a, b) = (self.kind(), self.kind());
        let (a, b) = (self.atom(a), self.expression(b, 1));
        let text = match self.random.below(8) {
            0..=3 => {
                let operator = self
                    .random
                    .text(&["+", "-", "/", "//", "&", "|", "^", "<", ">=", "in"]);
                format!("{a} {operator} {b}")
            }
            4 => {
                let unary = self.random.text(&["-", "~", "+"]);
                format!("{unary}({b})")
            }
            5 => {
                let call = self.random.text(&[
                    "len", "abs", "int", "float", "sum", "ord", "max", "sorted", "round",
                ]);
                format!("{call}({b})")
            }
            6 => format!("({a})[{b}]"),
            _ => {
                let name = self.random.text(&[
                    "append", "upper", "keys", "missing", "add", "index", "__len__",
                ]);
                format!("({a}).{name}()")
            }
        };
        self.line(&format!("print({text})"));
    }

    /// Calls with arguments that a builtin or a method does not take.
    fn wrong_call(&mut self) {
        let call = self.random.text(&[
            "len()",
            "len(1, 2)",
            "[].append()",
            "\"a\".join([1])",
            "int(\"q\")",
            "int(\"12\", 99)",
            "chr(-1)",
            "ord(\"ab\")",
            "range(1.5)",
            "range(1, 2, 0)",
            "max([])",
            "min()",
            "next(iter([]))",
            "[].pop()",
            "{}.popitem()",
            "set().pop()",
            "[1].remove(2)",
            "\"abc\".index(\"z\")",
            "(1).foo",
            "None.bar",
            "undefined_name",
            "sum([\"a\"])",
            "sorted([1, \"a\"])",
            "dict([1])",
            "\"\".split(\"\")",
            "\"%d\" % \"x\"",
            "\"{}\".format()",
            "{[]: 1}",
            "hash({})",
            "[1][\"a\"]",
            "(1, 2)[5]",
            "5()",
            "\"a\" + 1",
            "1 + \"a\"",
            "[] + ()",
            "float(\"x\")",
            "divmod(1, 0)",
            "1 << -1",
            "pow(2, -1, 4)",
            "round(\"a\")",
            "bytes([256])",
            "\"é\".encode(\"ascii\")",
            "b\"\\xff\".decode(\"utf-8\")",
            "list(zip([1], [1, 2], strict=True))",
            "isinstance(1, 2)",
            "enumerate(1)",
            "reversed(1)",
            "(lambda a: a)()",
            "(lambda a: a)(1, 2)",
            "(lambda *, k: k)(1)",
            "str(1, 2)",
            "\"a\".center(\"b\")",
            "[3, 1].sort(5)",
            "{}[\"k\"]",
            "clip()",
            "clip(1, 2)",
            "clip(w=1)",
            "abs()",
        ]);
        self.line(&format!("print({call})"));
    }

    fn for_loop(&mut self) {
        let item = self.fresh("i");
        let (kind, source) = match self.random.below(5) {
            0 => (
                Kind::Integer,
                format!("range({})", self.random.between(1, 5)),
            ),
            1 => (Kind::Integer, format!("{}[:4]", self.atom(Kind::Integers))),
            2 => (Kind::Text, format!("{}[:4]", self.atom(Kind::Texts))),
            3 => (Kind::Text, format!("{}[:5]", self.atom(Kind::Text))),
            _ => (Kind::Text, format!("list({})[:4]", self.atom(Kind::Table))),
        };
        let total = self.variable(Kind::Integer);
        self.block(&format!("for {item} in {source}:"), |w| {
            w.bind(&item, kind);
            if w.random.chance(30) {
                let test = w.expression(Kind::Bool, 1);
                let leave = w.random.text(&["continue", "break"]);
                w.guarded(|w| w.block(&format!("if {test}:"), |w| w.line(leave)));
            }
            w.guarded(|w| {
                let value = w.expression(kind, 2);
                w.line(&format!("print({item}, {value})"));
                if let Some(total) = total {
                    let more = w.expression(Kind::Integer, 1);
                    w.line(&format!("{total} = clip({total} + {more})"));
                }
            });
        });
        if self.random.chance(30) {
            self.block("else:", |w| w.line("print(\"no break\")"));
        }
    }

    fn while_loop(&mut self) {
        let counter = self.fresh("n");
        let limit = self.random.between(1, 5);
        self.line(&format!("{counter} = 0"));
        self.block(&format!("while {counter} < {limit}:"), |w| {
            w.line(&format!("{counter} += 1"));
            w.bind(&counter, Kind::Integer);
            w.guarded(|w| {
                let value = w.expression(Kind::Integer, 2);
                w.line(&format!("print({counter}, {value})"));
                let test = w.expression(Kind::Bool, 2);
                let leave = w.random.text(&["break", "continue"]);
                w.block(&format!("if {test}:"), |w| w.line(leave));
            });
        });
        self.bind(&counter, Kind::Integer);
    }

    fn branch(&mut self) {
        self.guarded(|w| {
            let kind = w.kind();
            let test = w.expression(Kind::Bool, 2);
            w.block(&format!("if {test}:"), Self::show);
            if w.random.chance(50) {
                let other = w.expression(kind, 1);
                w.block(&format!("elif {other}:"), Self::show);
            }
            w.block("else:", Self::show);
        });
    }

    fn list_method(&mut self) {
        let kind = *self.random.pick(&[Kind::Integers, Kind::Texts]);
        let of = if kind == Kind::Integers {
            Kind::Integer
        } else {
            Kind::Text
        };
        let name = self.fresh("l");
        let value = self.expression(kind, 1);
        self.line(&format!("{name} = list({value})"));
        for _ in 0..self.random.between(1, 3) {
            let item = self.atom(of);
            let place = self.random.text(&["0", "-1", "1", "2", "-3"]);
            let call = match self.random.below(11) {
                0 => format!("append({item})"),
                1 => format!("insert({place}, {item})"),
                2 => format!("pop({place})"),
                3 => "pop()".to_owned(),
                4 => format!("remove({item})"),
                5 => format!("extend({})", self.atom(kind)),
                6 => "reverse()".to_owned(),
                7 => format!(
                    "sort({})",
                    self.random.text(&["", "reverse=True", "key=str"])
                ),
                8 => format!("index({item})"),
                9 => format!("count({item})"),
                _ => "copy()".to_owned(),
            };
            self.line(&format!("print({name}.{call}, {name})"));
        }
    }

    fn dict_method(&mut self) {
        let name = self.fresh("d");
        let value = self.expression(Kind::Table, 1);
        self.line(&format!("{name} = dict({value})"));
        for _ in 0..self.random.between(1, 3) {
            let (key, n) = (self.atom(Kind::Text), self.atom(Kind::Integer));
            let call = match self.random.below(10) {
                0 => format!("{name}.get({key})"),
                1 => format!("{name}.setdefault({key}, {n})"),
                2 => format!("{name}.pop({key})"),
                3 => format!("{name}.pop({key}, {n})"),
                4 => format!("{name}.popitem()"),
                5 => format!("{name}.update({})", self.atom(Kind::Table)),
                6 => format!(
                    "list({name}.{}())",
                    self.random.text(&["keys", "values", "items"])
                ),
                7 => format!(
                    "{name}.{}()",
                    self.random.text(&["keys", "values", "items", "copy"])
                ),
                8 => format!("{key} in {name}"),
                _ => format!("sorted({name}.items(), key=lambda kv: (kv[1], kv[0]))"),
            };
            self.line(&format!("print({call}, {name})"));
        }
        let (key, n) = (self.atom(Kind::Text), self.atom(Kind::Integer));
        self.line(&format!("{name}[{key}] = {n}"));
        if self.random.chance(40) {
            let key = self.atom(Kind::Text);
            self.line(&format!("del {name}[{key}]"));
        }
        self.line(&format!("print({name})"));
    }

    fn set_method(&mut self) {
        let name = self.fresh("s");
        let value = self.expression(Kind::Numbers, 1);
        self.line(&format!("{name} = set({value})"));
        for _ in 0..self.random.between(1, 3) {
            let n = self.random.below(24);
            let other = self.atom(Kind::Numbers);
            let call = match self.random.below(8) {
                0 => format!("add({n})"),
                1 => format!("discard({n})"),
                2 => format!("remove({n})"),
                3 => format!("update({other})"),
                4 => format!("issubset({other})"),
                5 => format!("isdisjoint({other})"),
                6 => format!("difference_update({other})"),
                _ => format!("intersection_update({other})"),
            };
            self.line(&format!("print({name}.{call}, sorted({name}), {name})"));
        }
    }

    fn slice_statement(&mut self) {
        let name = self.fresh("l");
        let value = self.expression(Kind::Integers, 1);
        self.line(&format!("{name} = list({value})"));
        for _ in 0..self.random.between(1, 3) {
            let place = self.slice();
            if self.random.chance(60) {
                let new = self.expression(Kind::Integers, 1);
                self.line(&format!("{name}[{place}] = {new}"));
            } else {
                self.line(&format!("del {name}[{place}]"));
            }
            self.line(&format!("print({name})"));
        }
    }

    fn unpacking(&mut self) {
        let kind = *self
            .random
            .pick(&[Kind::Integers, Kind::Texts, Kind::Tuple, Kind::Text]);
        let value = self.expression(kind, 2);
        let (a, b) = (self.fresh("p"), self.fresh("p"));
        let targets = match self.random.below(5) {
            0 => format!("{a}, {b}"),
            1 => format!("{a}, *{b}"),
            2 => format!("*{a}, {b}"),
            3 => format!("({a}), [*{b}]"),
            _ => format!("[{a}, {b}]"),
        };
        self.line(&format!("{targets} = {value}"));
        self.line(&format!("print({a}, {b})"));
    }

    /// Stars wherever one may stand.
    fn stars(&mut self) {
        let (a, b) = (
            self.expression(Kind::Integers, 1),
            self.expression(Kind::Texts, 1),
        );
        let (c, n) = (self.atom(Kind::Tuple), self.atom(Kind::Integer));
        let (name, item) = (self.fresh("s"), self.fresh("i"));
        match self.random.below(9) {
            0 => self.line(&format!("print(*{a}, {n}, *{b}, sep=\"|\")")),
            1 => self.block(&format!("for {item} in *{a}, {n}, *{c}:"), |w| {
                w.line(&format!("print({item})"));
            }),
            2 => {
                self.line(&format!("{name} = {{(1, 2): {n}, (1,): 0}}"));
                self.line(&format!("{item} = [1, *({a})[:1]]"));
                self.line(&format!("{name}[*{item}] = 5"));
                self.line(&format!("{name}[1, *{item}[1:]] += 1"));
                self.line(&format!("print({name}, {name}[*{item}], {name}[*[1]])"));
                self.line(&format!("del {name}[*{item}]"));
                self.line(&format!("print({name}[*{item}])"));
            }
            3 => {
                self.block(&format!("def {name}(*{item}):"), |w| {
                    w.line(&format!("return *{item}, {n}, *{b}"));
                });
                self.line(&format!("print({name}(*{a}, *{c}))"));
            }
            4 => {
                self.block(&format!("def {name}():"), |w| {
                    w.line(&format!("{item} = yield *{a}, {n}"));
                    w.line(&format!("yield *{b},"));
                });
                self.line(&format!("print(*{name}())"));
            }
            5 => {
                self.line(&format!("{name}: tuple = *{a}, {n}"));
                self.line(&format!("{name} += *{b}, {n}"));
                self.line(&format!("print({name})"));
            }
            6 => self.line(&format!("print([*{a}, *{c}], (*{b},), len({{*{a}, {n}}}))")),
            7 => {
                self.line(&format!("{name}, (*{item},), = *{a}, {b}"));
                self.line(&format!("print({name}, {item})"));
            }
            _ => self.line(&format!("print(f\"{{*{a}, {n}}}\", *[*{b}][1:])")),
        }
    }

    fn raising(&mut self) {
        let (raised, caught) = (self.random.text(&EXCEPTIONS), self.random.text(&EXCEPTIONS));
        let kind = self.kind();
        let argument = self.atom(kind);
        let value = self.expression(Kind::Integer, 2);
        let how = self.random.below(5);
        let (plain, other) = (self.random.chance(40), self.random.text(&EXCEPTIONS));
        self.guarded(|w| {
            w.block("try:", |w| {
                w.line(&format!("print({value})"));
                let call = if plain {
                    String::new()
                } else {
                    format!("({argument})")
                };
                w.line(&format!("raise {raised}{call}"));
            });
            w.block(&format!("except {caught} as e:"), |w| {
                w.line("print(\"caught\", repr(e), e.args)");
                match how {
                    0 => w.line("raise"),
                    1 => w.line(&format!("raise {other}(\"again\") from e")),
                    2 => w.line(&format!("raise {other}(\"during\")")),
                    _ => w.line("print(type(e.__context__).__name__)"),
                }
            });
            if how == 3 {
                w.block("else:", |w| w.line("print(\"else\")"));
            }
            if how > 2 {
                w.block("finally:", |w| w.line("print(\"finally\")"));
            }
        });
    }

    fn finally(&mut self) {
        let name = self.fresh("f");
        let (a, b) = (
            self.expression(Kind::Integer, 2),
            self.expression(Kind::Integer, 1),
        );
        let late = self.random.text(&[
            "print(\"late\")",
            "x += 1",
            "return x * 2",
            "raise KeyError(x)",
        ]);
        self.block(&format!("def {name}(x):"), |w| {
            w.block("for k in range(3):", |w| {
                w.block("try:", |w| {
                    w.block("if k == x % 4:", |w| w.line(&format!("return x + {a}")));
                    w.line(&format!("print(k, {b})"));
                });
                w.block("finally:", |w| w.line(late));
            });
            w.line("return \"end\"");
        });
        let argument = self.random.below(5);
        self.guarded(|w| w.line(&format!("print({name}({argument}))")));
    }

    fn formats(&mut self) {
        for _ in 0..self.random.between(1, 3) {
            let (a, b) = (
                self.expression(Kind::Text, 2),
                self.expression(Kind::Text, 1),
            );
            self.line(&format!("print({a}, {b}, sep=\"|\")"));
        }
    }

    fn sorting(&mut self) {
        let items = match self.random.below(3) {
            0 => self.expression(Kind::Integers, 2),
            1 => self.expression(Kind::Texts, 2),
            _ => format!(
                "[{}, {}]",
                self.expression(Kind::Tuple, 1),
                self.expression(Kind::Tuple, 1)
            ),
        };
        let name = self.fresh("l");
        self.line(&format!("{name} = {items}"));
        let key = self.random.text(&[
            "str",
            "repr",
            "lambda x: (len(str(x)), str(x))",
            "lambda x: str(x)[::-1]",
            "None",
            "len",
        ]);
        let reverse = self.random.text(&["True", "False"]);
        self.line(&format!(
            "print(sorted({name}, key={key}, reverse={reverse}))"
        ));
        self.line(&format!(
            "print(min({name}, key={key}), max({name}, key={key}), sorted({name}))"
        ));
    }

    fn comprehension(&mut self) {
        let source = self.expression(Kind::Integers, 1);
        self.scope.push(("n".to_owned(), Kind::Integer));
        let value = self.expression(Kind::Integer, 2);
        let test = self.expression(Kind::Bool, 1);
        self.scope.pop();
        let text = match self.random.below(4) {
            0 => format!("[{value} for n in {source} if {test}]"),
            1 => format!("{{n: {value} for n in {source}}}"),
            2 => format!("list({value} for n in {source})"),
            _ => format!("[[{value} for n in range(k)] for k in range(3) if k]"),
        };
        self.line(&format!("print({text})"));
    }
    fn assertion(&mut self) {
        let test = self.expression(Kind::Bool, 2);
        let kind = self.kind();
        let text = self.atom(kind);
        self.line(&format!("assert {test}, {text}"));
        self.line("print(\"held\")");
    }

    fn integer_methods(&mut self) {
        let (a, b) = (
            self.expression(Kind::Integer, 2),
            self.expression(Kind::Integer, 1),
        );
        let call = self.random.text(&[
            "bit_length()",
            "bit_count()",
            "to_bytes(9, \"big\", signed=True)",
            "to_bytes(2, \"little\")",
            "as_integer_ratio()",
            "conjugate()",
            "__add__(1)",
            "real",
        ]);
        self.line(&format!(
            "print(({a}).{call}, hash({b}), ({b}) == float({b}))"
        ));
        self.line(&format!(
            "print(format({a}, \",\"), {b} < 1.5e10, str({b})[::-1], {a} / {b})"
        ));
    }

    fn text_methods(&mut self) {
        let (a, b) = (
            self.expression(Kind::Text, 2),
            self.expression(Kind::Float, 2),
        );
        let call = self.random.text(&[
            "splitlines(True)",
            "expandtabs(3)",
            "encode(\"ascii\", \"ignore\")",
            "encode(\"latin-1\", \"replace\")",
            "translate(str.maketrans(\"abc\", \"xyz\"))",
            "rsplit(None, 1)",
            "partition(\"a\")",
            "__contains__(\"a\")",
            "title().swapcase()",
        ]);
        self.line(&format!("print(({a}).{call}, [ord(c) for c in ({a})[:3]])"));
        let call = self.random.text(&[
            "hex()",
            "is_integer()",
            "as_integer_ratio()",
            "__floordiv__(2)",
            "__eq__(1)",
        ]);
        self.line(&format!("print(({b}).{call}, -({b}), int({b}))"));
    }
}
