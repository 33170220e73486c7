//! Classes that change under way: the same few instructions look attributes up again and again,
//! while methods, properties and variables of classes and instances come, go and hide each other.
//! What an instruction remembers of its last look-up must never show.

use super::Writer;

/// What was found, as far as it can be compared: what has an address in its text goes by its type.
pub(super) const SHOWN: &str = "\
def shown(it):
    if isinstance(it, tuple):
        return tuple(shown(part) for part in it)
    return it if isinstance(it, (int, str)) else type(it).__name__";

/// The attributes that are looked up, each by an instruction of its own.
const LOOKS: [(&str, &str); 6] = [
    ("called", "o.m()"),
    ("read", "o.x"),
    ("computed", "o.p"),
    ("shared", "o.shared"),
    ("static", "o.s(2)"),
    ("above", "o.up()"),
];

impl Writer {
    pub(super) fn changing_classes(&mut self) {
        let (base, middle, look) = (self.fresh("A"), self.fresh("B"), self.fresh("look"));
        self.first_class(&base);
        self.second_class(&middle, &base);
        self.block(&format!("def {look}(o):"), |w| {
            w.line("seen = []");
            for (name, what) in LOOKS {
                w.block("try:", |w| w.line(&format!("seen.append({what})")));
                w.block("except Exception as e:", |w| {
                    w.line(&format!(
                        "seen.append((\"{name}\", type(e).__name__, str(e)))"
                    ));
                });
            }
            w.line("return [shown(it) for it in seen]");
        });
        let objects = self.fresh("objects");
        self.line(&format!("{objects} = [{base}(), {middle}(), {base}()]"));
        let changes = self.random.between(3, 8);
        self.block(&format!("for turn in range({changes}):"), |w| {
            w.block(&format!("for o in {objects} + {objects}:"), |w| {
                w.line(&format!("print({look}(o))"));
            });
            w.block("try:", |w| {
                for turn in 0..changes {
                    let word = if turn == 0 { "if" } else { "elif" };
                    let change = w.change(&base, &middle, &objects);
                    w.block(&format!("{word} turn == {turn}:"), |w| {
                        for line in &change {
                            w.line(line);
                        }
                    });
                }
            });
            w.block("except Exception as e:", |w| {
                w.line("print(type(e).__name__, e)");
            });
        });
    }

    fn first_class(&mut self, name: &str) {
        let shared = self.random.below(9);
        self.block(&format!("class {name}:"), |w| {
            w.line(&format!("shared = {shared}"));
            w.block("def __init__(self):", |w| w.line("self.x = 1"));
            w.block("def m(self):", |w| {
                w.line(&format!("return \"{name}.m\", self.x"));
            });
            w.line("@property");
            w.block("def p(self):", |w| {
                w.line(&format!("return \"{name}.p\", self.x"));
            });
            w.line("@staticmethod");
            w.block("def s(a):", |w| w.line(&format!("return \"{name}.s\", a")));
            w.block("def up(self):", |w| {
                w.line(&format!("return \"{name}.up\""));
            });
        });
    }

    fn second_class(&mut self, name: &str, base: &str) {
        let own = self.random.below(4);
        self.block(&format!("class {name}({base}):"), |w| {
            w.block("def up(self):", |w| {
                w.line(&format!("return \"{name}.up\", super().up()"));
            });
            if own > 0 {
                w.block("def m(self):", |w| {
                    w.line(&format!("return \"{name}.m\", super().m()"));
                });
            }
            if own > 1 {
                w.block("def __init__(self):", |w| {
                    w.line("super().__init__()");
                    w.line("self.y = 2");
                });
            }
        });
    }

    /// Something that changes what a look-up finds.
    fn change(&mut self, base: &str, middle: &str, objects: &str) -> Vec<String> {
        let class = if self.random.chance(60) { base } else { middle };
        let object = format!("{objects}[{}]", self.random.below(3));
        let name = self.random.text(&["m", "x", "p", "shared", "s", "up"]);
        let value = self.random.text(&[
            "5",
            "lambda *a: (\"new\", len(a))",
            "property(lambda self: (\"property\", type(self).__name__))",
            "staticmethod(lambda *a: (\"static\", a))",
            "classmethod(lambda cls, *a: (\"class\", cls.__name__, a))",
            "\"text\"",
        ]);
        match self.random.below(9) {
            0..=2 => vec![format!("{class}.{name} = {value}")],
            3 => vec![format!("del {class}.{name}")],
            4 => vec![format!("{object}.{name} = {value}")],
            5 => vec![format!("del {object}.{name}")],
            6 => vec![format!("{object}.__dict__[\"{name}\"] = 7")],
            7 => vec![format!("{object} = {class}()")],
            _ => {
                let made = self.fresh("D");
                vec![
                    format!("class {made}({class}):"),
                    format!("    {name} = {value}"),
                    format!("{object} = {made}()"),
                ]
            }
        }
    }
}
