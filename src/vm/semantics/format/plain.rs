//! The commonest of what f-strings show, without asking anybody.

use crate::bytecode::op::Convert;
use crate::vm::heap::value::Value;
use crate::vm::heap::{Heap, WHOLE_LIMIT};
use crate::vm::semantics::format::spec::{Integer, Spec, format_float, format_integer, format_str};

impl Heap {
    /// What an f-string shows of a string, a float or an integer within 64 bits, if that can
    /// neither fail nor be large.
    pub(in crate::vm) fn format_plain(
        &mut self,
        convert: Convert,
        value: Value,
        spec: Value,
    ) -> Option<Value> {
        let (Convert::Format | Convert::Str, Value::Str(spec)) = (convert, spec) else {
            return None;
        };
        if self.strs[spec].is_empty() {
            return match value {
                Value::Str(_) => Some(value),
                Value::Int(number) => Some(self.new_int_text(number)),
                _ => None,
            };
        }
        let (align, of) = match (convert, value) {
            (_, Value::Str(_)) => ('<', "str"),
            (Convert::Format, Value::Int(_)) => ('>', "int"),
            (Convert::Format, Value::Float(_)) => ('>', "float"),
            _ => return None,
        };
        let spec = Spec::parse(self.text(spec), align, of).ok()?;
        if spec.width.max(spec.precision.unwrap_or(0)) > WHOLE_LIMIT {
            return None;
        }
        let text = match value {
            Value::Str(text) => format_str(self.text(text), &spec),
            Value::Int(number) => format_integer(Integer::Small(number), &spec),
            Value::Float(float) => format_float(float, &spec),
            _ => return None,
        };
        text.ok().map(|text| self.new_str(text))
    }
}
