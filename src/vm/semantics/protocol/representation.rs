//! `repr` and `str`. One walk over a value (`Writer`) writes what is known and leaves holes where
//! an object has its own `__repr__`; then all of these are asked at once and fill the holes, so
//! that the text of a list of ten thousand objects takes two passes, not ten thousand.

use super::writer::{TooDeep, Writer};
use crate::vm::Vm;
use crate::vm::heap::value::Value;
use crate::vm::heap::work::Work;
use crate::vm::state::native::{Abrupt, Ctx};

impl Ctx<'_> {
    /// `repr(value)`.
    pub fn repr(&mut self, value: Value) -> Result<String, Abrupt> {
        self.write(|writer, vm| writer.repr(vm, value))
    }

    /// `str(value)`.
    pub fn str(&mut self, value: Value) -> Result<String, Abrupt> {
        if let Value::Str(text) = value {
            self.reserve(2 * self.vm.heap.text(text).len())?;
            return Ok(self.vm.heap.text(text).to_owned());
        }
        self.write(|writer, vm| writer.str(vm, value))
    }

    /// `str` of several values, with a text between them and one at the end: what `print` writes.
    pub fn str_all(
        &mut self,
        values: &[Value],
        between: &str,
        end: &str,
    ) -> Result<String, Abrupt> {
        self.write(|writer, vm| {
            for (at, &value) in values.iter().enumerate() {
                if at > 0 {
                    writer.text(between);
                }
                writer.str(vm, value)?;
            }
            writer.text(end);
            Ok(())
        })
    }

    /// `repr` as a builtin class defines it, even if the value's own class has another.
    pub(in crate::vm) fn inherited_repr(&mut self, value: Value) -> Result<String, Abrupt> {
        self.write(|writer, vm| writer.inherited_repr(vm, value))
    }

    /// `str` as a builtin class defines it: what an exception says, or the value's `repr`.
    pub(in crate::vm) fn inherited_str(&mut self, value: Value) -> Result<String, Abrupt> {
        self.write(|writer, vm| writer.inherited_str(vm, value))
    }

    fn write(
        &mut self,
        write: impl FnOnce(&mut Writer, &Vm) -> Result<(), TooDeep>,
    ) -> Result<String, Abrupt> {
        let mut writer = Writer::new(self.nesting_left(), self.vm.room());
        if write(&mut writer, self.vm).is_err() {
            return Err(self.too_deep(" while getting the repr of an object"));
        }
        let Writer {
            out,
            holes,
            fault,
            wants,
            ..
        } = writer;
        self.vm.heap.worked(Work::Write, out.len());
        if let Some(fault) = fault {
            return Err(self.raise(fault));
        }
        if let Some(bytes) = wants {
            return Err(Abrupt::Room { bytes });
        }
        if holes.is_empty() {
            return Ok(out);
        }
        let calls = holes.iter().map(|it| (it.method, vec![it.object]));
        let answers = self.call_all(calls.collect())?;
        let said = answers.iter().map(|it| match it {
            Value::Str(text) => self.vm.heap.text(*text).len(),
            _ => 0,
        });
        let length = out.len() + said.sum::<usize>();
        self.reserve(length)?;
        let mut whole = String::with_capacity(length);
        let mut from = 0;
        for (hole, answer) in holes.iter().zip(answers) {
            let Value::Str(text) = answer else {
                let message = format!(
                    "{} returned non-string (type {})",
                    hole.called,
                    self.vm.type_name(answer)
                );
                return Err(self.type_error(message));
            };
            whole.push_str(&out[from..hole.at]);
            whole.push_str(self.vm.heap.text(text));
            from = hole.at;
        }
        whole.push_str(&out[from..]);
        Ok(whole)
    }
}

/// `str(value)` as far as it goes without calling the script; where a method of the script would be
/// called, nothing is written.
pub(in crate::vm) fn plain_str(vm: &Vm, value: Value) -> String {
    let mut writer = Writer::new(100, vm.room());
    match writer.str(vm, value) {
        Ok(()) => writer.out,
        Err(TooDeep) => "<too deeply nested>".to_owned(),
    }
}
