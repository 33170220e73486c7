//! A value as an index, as a float, as formatted text: what `operator.index`, `PyFloat_AsDouble`
//! and `format` do.

use crate::vm::heap::class::name;
use crate::vm::heap::fault::Fault;
use crate::vm::heap::number::integer::decimal_text;
use crate::vm::heap::number::repr_float;
use crate::vm::heap::value::Value;
use crate::vm::semantics::format::spec::{Integer, Spec, format_float, format_integer, format_str};
use crate::vm::semantics::operate::Number;
use crate::vm::state::native::{Abrupt, Ctx};

impl Ctx<'_> {
    /// `format(value, spec)`.
    pub fn format(&mut self, value: Value, spec: &str) -> Result<String, Abrupt> {
        if let Some(method) = self.vm.special(value, name::FORMAT) {
            let spec = self.once(|ctx| Ok(ctx.vm.heap.new_str(spec)))?;
            return match self.call(method, &[value, spec])? {
                Value::Str(text) => Ok(self.vm.heap.text(text).to_owned()),
                other => {
                    let message = format!(
                        "__format__ must return a str, not {}",
                        self.vm.type_name(other)
                    );
                    Err(self.type_error(message))
                }
            };
        }
        if spec.is_empty() {
            return self.str(value);
        }
        let (align, of) = match (value, Number::of(value)) {
            (Value::Str(_), _) => ('<', "str"),
            (Value::Bool(_), _) => ('>', "bool"),
            (_, Some(Number::Float(_))) => ('>', "float"),
            (_, Some(Number::Int(_) | Number::Big(_))) => ('>', "int"),
            (_, None) => {
                let message = format!(
                    "unsupported format string passed to {}.__format__",
                    self.vm.type_name(value)
                );
                return Err(self.type_error(message));
            }
        };
        let spec = Spec::parse(spec, align, of);
        let spec = self.ok(spec)?;
        let digits = spec.precision.filter(|_| align == '>').unwrap_or(0);
        self.reserve_text(spec.width.max(digits))?;
        let text = match (value, Number::of(value)) {
            (Value::Str(text), _) => format_str(self.vm.heap.text(text), &spec),
            (_, Some(Number::Float(float))) => format_float(float, &spec),
            (_, Some(Number::Int(it))) => format_integer(Integer::Small(it), &spec),
            (_, Some(Number::Big(it))) => {
                format_integer(Integer::Big(&self.vm.heap.bigs[it]), &spec)
            }
            (_, None) => unreachable!("refused above"),
        };
        self.ok(text)
    }

    /// The text of a number, as `str` and `repr` give it.
    pub(in crate::vm) fn number_text(&mut self, number: Number) -> Result<String, Abrupt> {
        match number {
            Number::Int(it) => Ok(it.to_string()),
            Number::Big(it) => {
                let text = decimal_text(&self.vm.heap.bigs[it]);
                self.ok(text)
            }
            Number::Float(it) => Ok(repr_float(it)),
        }
    }

    /// `operator.index(value)`: an integer of any size.
    pub fn integer(&mut self, value: Value) -> Result<Value, Abrupt> {
        match value {
            Value::Int(_) | Value::Big(_) => return Ok(value),
            Value::Bool(truth) => return Ok(Value::Int(i64::from(truth))),
            _ => {}
        }
        let Some(method) = self.vm.special(value, name::INDEX) else {
            let message = format!(
                "'{}' object cannot be interpreted as an integer",
                self.vm.type_name(value)
            );
            return Err(self.type_error(message));
        };
        match self.call(method, &[value])? {
            result @ (Value::Int(_) | Value::Big(_)) => Ok(result),
            Value::Bool(truth) => Ok(Value::Int(i64::from(truth))),
            other => {
                let message = format!(
                    "__index__ returned non-int (type {})",
                    self.vm.type_name(other)
                );
                Err(self.type_error(message))
            }
        }
    }

    /// A length that a script gives by such a number: none below 0, and more than there can be
    /// where a word does not hold it.
    pub fn size(&mut self, value: Value) -> Result<usize, Abrupt> {
        let size = self.index(value)?.max(0);
        Ok(usize::try_from(size).unwrap_or(usize::MAX))
    }

    /// `operator.index(value)` within 64 bits, for indices and counts; `OverflowError` outside.
    pub fn index(&mut self, value: Value) -> Result<i64, Abrupt> {
        if let Value::Int(index) = value {
            return Ok(index);
        }
        if let Value::Int(index) = self.integer(value)? {
            return Ok(index);
        }
        let message = format!(
            "cannot fit '{}' into an index-sized integer",
            self.vm.type_name(value)
        );
        Err(self.raise(Fault::overflow(message)))
    }

    /// A float from any number (or `__float__`, `__index__`), for `math` and `time`.
    pub fn float(&mut self, value: Value) -> Result<f64, Abrupt> {
        if let Some(float) = self.try_float(value)? {
            return Ok(float);
        }
        let message = format!("must be real number, not {}", self.vm.type_name(value));
        Err(self.type_error(message))
    }

    /// A float from any number; none if it is not one.
    pub(in crate::vm) fn try_float(&mut self, value: Value) -> Result<Option<f64>, Abrupt> {
        if let Some(number) = Number::of(value) {
            let float = number.float(&self.vm.heap);
            return self.ok(float).map(Some);
        }
        if let Some(method) = self.vm.special(value, name::FLOAT) {
            return match self.call(method, &[value])? {
                Value::Float(float) => Ok(Some(float)),
                other => {
                    let message = format!(
                        "{}.__float__ returned non-float (type {})",
                        self.vm.type_name(value),
                        self.vm.type_name(other)
                    );
                    Err(self.type_error(message))
                }
            };
        }
        if self.vm.special(value, name::INDEX).is_some() {
            let integer = self.integer(value)?;
            return self.try_float(integer);
        }
        Ok(None)
    }
}
