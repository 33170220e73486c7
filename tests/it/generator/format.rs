//! Formatted text: f-strings, `format`, `str.format` and the `%` operator, with specs that make
//! sense and specs that do not.

use super::{Kind, Writer};

const INTEGER_SPECS: [&str; 20] = [
    "d", "5d", "05d", "x", "X", "b", "o", "#x", "#b", ",", "_", "+", " d", "<8", ">10", "^12",
    "*>9", "e", ".2f", "08,d",
];

const FLOAT_SPECS: [&str; 16] = [
    ".2f", "f", ".0f", ".3e", "e", ".4g", "g", ",", "+.1f", "%", ".1%", "010.3f", "<12", "^14.2f",
    ".10", "*>12.1e",
];

const TEXT_SPECS: [&str; 9] = ["", "<8", ">8", "^9", ".2", "*^10", "-<6.3", "s", "12s"];

impl Writer {
    /// An f-string. CPython before 3.12 allows neither the outer quotes nor a backslash inside a
    /// field, so a field holds a variable or plain digits.
    pub(super) fn formatted(&mut self) -> String {
        let kind = self.kind();
        let Some(name) = self.variable(kind) else {
            return format!("f\"{{{}}}\"", self.random.below(100));
        };
        let spec = match kind {
            Kind::Integer | Kind::Float | Kind::Text if self.random.chance(40) => self.spec(),
            Kind::Integer => self.random.text(&INTEGER_SPECS).to_owned(),
            Kind::Float => self.random.text(&FLOAT_SPECS).to_owned(),
            Kind::Text => self.random.text(&TEXT_SPECS).to_owned(),
            Kind::Bool
            | Kind::Integers
            | Kind::Texts
            | Kind::Tuple
            | Kind::Table
            | Kind::Numbers
            | Kind::Bytes => String::new(),
        };
        match self.random.below(6) {
            0 => format!("f\"{{{name}=}}\""),
            1 => format!("f\"{{{name}!r:>12}}|\""),
            2 => format!("f\"{{{name}}}{{{{}}}}{{{name}!s}}\""),
            3 => format!("format({name}, \"{spec}\")"),
            4 => format!("\"[{{0:{spec}}}]\".format({name})"),
            _ => format!("f\"<{{{name}:{spec}}}>\""),
        }
    }

    /// Any format spec, sensible or not: a refusal has its message too.
    fn spec(&mut self) -> String {
        [
            self.random
                .text(&["", "", "<", ">", "^", "=", "*<", "0^", "é>", "-="]),
            self.random.text(&["", "", "", "+", "-", " "]),
            self.random.text(&["", "", "", "", "#", "z"]),
            self.random.text(&["", "", "", "0"]),
            self.random.text(&["", "1", "6", "11", "20"]),
            self.random.text(&["", "", "", ",", "_"]),
            self.random.text(&["", "", ".0", ".1", ".3", ".12"]),
            self.random.text(&[
                "", "", "d", "x", "X", "o", "b", "f", "F", "e", "E", "g", "G", "n", "%", "s",
            ]),
        ]
        .concat()
    }

    /// Any flags, width and precision of the `%` operator.
    fn percent_spec(&mut self) -> String {
        [
            "%",
            self.random
                .text(&["", "", "-", "+", " ", "0", "#", "-+", "+0", "#0"]),
            self.random.text(&["", "", "1", "7", "14"]),
            self.random.text(&["", "", ".0", ".2", ".5"]),
            self.random.text(&[
                "d", "i", "x", "X", "o", "f", "e", "g", "G", "E", "s", "r", "a",
            ]),
        ]
        .concat()
    }

    pub(super) fn percent_formatted(&mut self) -> String {
        match self.random.below(9) {
            6..=8 => {
                let kind = *self.random.pick(&[Kind::Integer, Kind::Float, Kind::Text]);
                let (spec, value) = (self.percent_spec(), self.atom(kind));
                format!("(\"<{spec}>\" % ({value},))")
            }
            0 => format!(
                "(\"%d|%5d|%x\" % ({}, {}, 255))",
                self.atom(Kind::Integer),
                self.atom(Kind::Integer)
            ),
            1 => format!("(\"%.2f %e %g\" % ({0}, {0}, {0}))", self.atom(Kind::Float)),
            2 => format!(
                "(\"%s-%r\" % ({}, {}))",
                self.atom(Kind::Text),
                self.atom(Kind::Text)
            ),
            3 => format!(
                "(\"%5s|%-5s|%.2s\" % ({0}, {0}, {0}))",
                self.atom(Kind::Text)
            ),
            4 => format!(
                "(\"%(k)s=%(v)05d\" % {{\"k\": {}, \"v\": {}}})",
                self.atom(Kind::Text),
                self.atom(Kind::Integer)
            ),
            _ => {
                let kind = self.kind();
                format!("(\"%s %%\" % ({},))", self.atom(kind))
            }
        }
    }
}
