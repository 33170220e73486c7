//! Definitions: functions, closures, classes, generators and context managers, each followed by its
//! use.

use super::{Kind, Writer};

impl Writer {
    /// What `body` writes, seeing globals and nothing that it binds outliving it.
    fn definition(
        &mut self,
        header: &str,
        parameters: &[(&str, Kind)],
        body: impl FnOnce(&mut Self),
    ) {
        self.block(header, |w| {
            for (name, kind) in parameters {
                w.bind(name, *kind);
            }
            body(w);
        });
    }

    pub(super) fn function(&mut self) {
        let name = self.fresh("f");
        let (first, second, result) = (self.kind(), self.kind(), self.kind());
        let default = self.literal(second);
        let shape = self.random.below(4);
        let parameters = match shape {
            0 => format!("a, b={default}"),
            1 => format!("a, *rest, b={default}"),
            2 => format!("a, b={default}, **named"),
            _ => format!("a, *, b={default}"),
        };
        self.definition(
            &format!("def {name}({parameters}):"),
            &[("a", first), ("b", second)],
            |w| {
                let local = w.fresh("t");
                let value = w.expression(result, 2);
                w.line(&format!("{local} = {value}"));
                w.bind(&local, result);
                let test = w.expression(Kind::Bool, 2);
                w.block(&format!("if {test}:"), |w| {
                    let early = w.expression(first, 1);
                    w.line(&format!("return {early}"));
                });
                match shape {
                    1 => w.line(&format!("return {local}, rest")),
                    2 => w.line(&format!("return {local}, named")),
                    _ => w.line(&format!("return {local}")),
                }
            },
        );
        self.calls(&name, first, second);
    }

    fn calls(&mut self, name: &str, first: Kind, second: Kind) {
        for _ in 0..self.random.between(1, 2) {
            let (a, b) = (self.expression(first, 1), self.expression(second, 1));
            let arguments = match self.random.below(7) {
                0 | 1 => a,
                2 => format!("{a}, b={b}"),
                3 => format!("b={b}, a={a}"),
                4 => format!("{a}, {b}"),
                5 => format!("*[{a}, {b}], **{{\"c\": 1}}"),
                _ => format!("a={a}"),
            };
            self.guarded(|w| w.line(&format!("print({name}({arguments}))")));
        }
    }

    pub(super) fn closure(&mut self) {
        let (outer, inner) = (self.fresh("make"), self.fresh("g"));
        let kind = *self
            .random
            .pick(&[Kind::Integer, Kind::Text, Kind::Integers]);
        let start = self.literal(kind);
        self.definition(&format!("def {outer}(state):"), &[("state", kind)], |w| {
            w.line("calls = 0");
            w.bind("calls", Kind::Integer);
            w.definition(&format!("def {inner}(x):"), &[("x", kind)], |w| {
                w.line("nonlocal state, calls");
                w.line("calls += 1");
                let value = w.expression(kind, 2);
                w.line(&format!("state = clip({value})"));
                w.line("return calls, state");
            });
            let tail = w.random.text(&["", ", lambda: state"]);
            w.line(&format!("return {inner}, lambda y: (y, calls){tail}"));
        });
        let call = self.fresh("c");
        let argument = self.expression(kind, 1);
        self.line(&format!("{call}, *others = {outer}({start})"));
        self.guarded(|w| {
            w.line(&format!("print({call}({argument}), {call}({start}))"));
            w.line("print(others[0](5), len(others))");
        });
    }

    pub(super) fn generator(&mut self) {
        let name = self.fresh("gen");
        let kind = *self.random.pick(&[Kind::Integer, Kind::Text, Kind::Tuple]);
        let limit = self.random.between(1, 4);
        self.definition(&format!("def {name}(a):"), &[("a", kind)], |w| {
            w.line("got = None");
            w.block("try:", |w| {
                w.block(&format!("for k in range({limit}):"), |w| {
                    w.bind("k", Kind::Integer);
                    let value = w.expression(kind, 2);
                    w.line(&format!("got = yield ({value}, got)"));
                });
                if w.random.chance(40) {
                    let more = w.expression(Kind::Integers, 1);
                    w.line(&format!("yield from {more}"));
                }
            });
            w.block("except ValueError as e:", |w| w.line("yield repr(e)"));
            if w.random.chance(50) {
                w.block("finally:", |w| w.line("print(\"closed\")"));
            }
            w.line("return \"returned\"");
        });
        let argument = self.expression(kind, 1);
        let it = self.fresh("it");
        let step = self.random.below(6);
        self.guarded(|w| {
            w.line(&format!("{it} = {name}({argument})"));
            match step {
                0 => w.line(&format!("print(list({it}))")),
                1 => w.line(&format!("print(next({it}), {it}.send(7), list({it}))")),
                2 => w.line(&format!(
                    "print(next({it}), {it}.throw(ValueError(\"thrown\")), next({it}, \"end\"))"
                )),
                3 => w.line(&format!("print(next({it}), {it}.close(), list({it}))")),
                4 => w.line(&format!("print([x for x, _ in zip({it}, range(3))])")),
                _ => {
                    w.line(&format!("print(next({it}), {it}.send(\"s\"))"));
                    w.line(&format!("print({it}.throw(KeyError(1)))"));
                }
            }
            // A generator that is left unfinished is closed when CPython drops it: not a time to
            // rely on.
            w.line(&format!("print({it}.close())"));
        });
    }

    pub(super) fn class(&mut self) {
        let (name, kind) = (
            self.fresh("C"),
            *self
                .random
                .pick(&[Kind::Integer, Kind::Text, Kind::Integers, Kind::Float]),
        );
        let shared = self.literal(Kind::Integer);
        let default = self.literal(kind);
        self.block(&format!("class {name}:"), |w| {
            w.line(&format!("shared = {shared}"));
            w.block(&format!("def __init__(self, x={default}):"), |w| {
                w.line("self.x = x");
            });
            w.block("def __repr__(self):", |w| {
                w.line(&format!("return f\"{name}({{self.x!r}})\""));
            });
            for _ in 0..w.random.between(1, 4) {
                w.method(&name, kind);
            }
        });
        let object = self.fresh("o");
        let mut owner = name.clone();
        if self.random.chance(45) {
            owner = self.subclass(&name, kind);
        }
        let argument = if self.random.chance(60) {
            default.as_str()
        } else {
            ""
        };
        self.line(&format!("{object} = {owner}({argument})"));
        let uses = self.random.between(2, 4);
        for _ in 0..uses {
            let use_text = self.object_use(&object, &name, kind);
            self.guarded(|w| w.line(&format!("print({use_text})")));
        }
    }

    fn method(&mut self, class: &str, kind: Kind) {
        let value = {
            self.scope.push(("self.x".to_owned(), kind));
            self.scope.push(("other.x".to_owned(), kind));
            let value = self.expression(kind, 2);
            self.scope.truncate(self.scope.len() - 2);
            value
        };
        let (header, body) = match self.random.below(14) {
            0 => (
                "def __add__(self, other):",
                format!("return {class}({value})"),
            ),
            1 => (
                "def __radd__(self, other):",
                "return (\"radd\", other, self)".to_owned(),
            ),
            2 => (
                "def __eq__(self, other):",
                "return self.x == other.x".to_owned(),
            ),
            3 => (
                "def __lt__(self, other):",
                "return self.x < other.x".to_owned(),
            ),
            4 => ("def __len__(self):", "return len(self.x)".to_owned()),
            5 => ("def __getitem__(self, i):", "return self.x[i]".to_owned()),
            6 => ("def __call__(self, other):", format!("return {value}")),
            7 => (
                "def __iter__(self):",
                "return iter([self.x, self.x])".to_owned(),
            ),
            8 => (
                "def __contains__(self, item):",
                "return item == self.x".to_owned(),
            ),
            9 => ("def __bool__(self):", "return self.shared > 3".to_owned()),
            10 => (
                "def __getattr__(self, name):",
                "return \"no \" + name".to_owned(),
            ),
            11 => (
                "def __iadd__(self, other):",
                "self.x = clip(self.x + other.x); return self".to_owned(),
            ),
            12 => (
                "def __format__(self, spec):",
                "return f\"<{spec}>\"".to_owned(),
            ),
            _ => ("def __neg__(self):", "return -self.x".to_owned()),
        };
        self.block(header, |w| w.line(&body));
        let decorated = self.random.below(5);
        match decorated {
            0 => {
                self.line("@property");
                self.block("def twice(self):", |w| w.line("return self.x + self.x"));
            }
            1 => {
                self.line("@staticmethod");
                self.block("def plain(a=1):", |w| w.line("return (a, a)"));
            }
            2 => {
                self.line("@classmethod");
                self.block("def made(cls):", |w| {
                    w.line("return cls.__name__, cls.shared");
                });
            }
            _ => {}
        }
    }

    fn subclass(&mut self, base: &str, kind: Kind) -> String {
        let name = self.fresh("D");
        let extra = self.literal(kind);
        let redefines = self.random.below(3);
        self.block(&format!("class {name}({base}):"), |w| {
            w.block("def __init__(self, *args):", |w| {
                w.line("super().__init__(*args)");
                w.line(&format!("self.extra = {extra}"));
            });
            match redefines {
                0 => w.block("def __repr__(self):", |w| {
                    w.line("return \"sub \" + super().__repr__()");
                }),
                1 => w.line("shared = 99"),
                _ => w.block("def __str__(self):", |w| {
                    w.line("return f\"{self.extra} {self!r}\"");
                }),
            }
        });
        name
    }

    fn object_use(&mut self, object: &str, class: &str, kind: Kind) -> String {
        let value = self.expression(kind, 1);
        match self.random.below(18) {
            0 => format!("{object}, str({object}), [{object}]"),
            1 => format!("{object} + {class}({value})"),
            2 => format!("5 + {object}"),
            3 => format!("{object} == {class}({value}), {object} != {class}({value})"),
            4 => format!("{object} < {class}({value}), {object} > {class}({value})"),
            5 => format!("len({object})"),
            6 => format!("{object}[{}]", self.random.below(3)),
            7 => format!("{object}({class}({value}))"),
            8 => format!("list({object})"),
            9 => format!("{value} in {object}"),
            10 => format!("bool({object}), not {object}"),
            11 => format!("{object}.missing"),
            12 => format!("{object}.twice, {object}.plain(), {object}.made()"),
            13 => format!("f\"{{{object}}} {{{object}!r:>20}}\""),
            14 => format!(
                "getattr({object}, \"x\"), hasattr({object}, \"y\"), getattr({object}, \"z\", None), {object}.shared"
            ),
            15 => {
                format!("isinstance({object}, {class}), type({object}).__name__, {object}.__dict__")
            }
            16 => format!("-{object}"),
            _ => format!("sorted([{object}, {class}({value})])"),
        }
    }

    pub(super) fn context_manager(&mut self) {
        let name = self.fresh("M");
        let swallow = self
            .random
            .text(&["True", "False", "None", "kind is ValueError"]);
        let raised = self.random.text(&[
            "pass",
            "raise ValueError(\"in with\")",
            "1 / 0",
            "raise KeyError",
        ]);
        self.block(&format!("class {name}:"), |w| {
            w.block("def __enter__(self):", |w| {
                w.line("print(\"enter\")");
                w.line("return 5");
            });
            w.block("def __exit__(self, kind, value, trace):", |w| {
                w.line("print(\"exit\", repr(value))");
                w.line(&format!("return {swallow}"));
            });
        });
        self.guarded(|w| {
            w.block(&format!("with {name}() as m, {name}():"), |w| {
                w.bind("m", Kind::Integer);
                let value = w.expression(Kind::Integer, 2);
                w.line(&format!("print(m, {value})"));
                w.line(raised);
            });
            w.line("print(\"after\")");
        });
    }

    pub(super) fn decorator(&mut self) {
        let (name, decorated) = (self.fresh("deco"), self.fresh("f"));
        let kind = self.kind();
        let times = self.random.between(1, 3);
        self.block(&format!("def {name}(times):"), |w| {
            w.block("def wrap(f):", |w| {
                w.block("def inner(*args, **named):", |w| {
                    w.line("print(f.__name__, args, named)");
                    w.line("return [f(*args, **named) for _ in range(times)]");
                });
                w.line("return inner");
            });
            w.line("return wrap");
        });
        self.line(&format!("@{name}({times})"));
        self.definition(&format!("def {decorated}(a, b=0):"), &[("a", kind)], |w| {
            let value = w.expression(kind, 2);
            w.line(&format!("return {value}, b"));
        });
        let argument = self.expression(kind, 1);
        let more = self.random.text(&["", ", b=1", ", 2", ", c=3"]);
        self.guarded(|w| {
            w.line(&format!(
                "print({decorated}({argument}{more}), {decorated}.__name__)"
            ));
        });
    }

    pub(super) fn recursion(&mut self) {
        let name = self.fresh("r");
        let kind = *self
            .random
            .pick(&[Kind::Integer, Kind::Text, Kind::Integers, Kind::Float]);
        let start = self.literal(kind);
        let depth = self.random.between(1, 7);
        self.definition(
            &format!("def {name}(n, a):"),
            &[("n", Kind::Integer), ("a", kind)],
            |w| {
                w.block("if n <= 0:", |w| w.line("return a"));
                let value = w.expression(kind, 2);
                w.line(&format!("b = clip({value})"));
                w.line(&format!("return {name}(n - 1, b)"));
            },
        );
        self.guarded(|w| w.line(&format!("print({name}({depth}, {start}))")));
    }

    pub(super) fn global_counter(&mut self) {
        let Some(counter) = self
            .variable(Kind::Integer)
            .filter(|name| name.starts_with('v'))
        else {
            return self.first_value();
        };
        let name = self.fresh("bump");
        let value = self.expression(Kind::Integer, 2);
        let leave = self.random.text(&["return None", "pass", "del by"]);
        self.block(&format!("def {name}(by=1):"), |w| {
            w.line(&format!("global {counter}"));
            w.line(&format!("{counter} = clip({counter} * by + {value})"));
            w.line(leave);
        });
        self.guarded(|w| {
            w.line(&format!("print({name}(), {name}(3), {counter})"));
            w.line(&format!("print({name}({counter}), {counter})"));
        });
    }
}
