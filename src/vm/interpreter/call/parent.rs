//! `super` called as any other class, where the compiler could not see what it means: without
//! arguments it looks into the frame of its caller, as CPython's does (`super_init_without_args` in
//! `Objects/typeobject.c`).

use crate::bytecode::code::Code;
use crate::bytecode::op::Op;
use crate::vm::Vm;
use crate::vm::heap::class::{Name, Type};
use crate::vm::heap::object::Object;
use crate::vm::heap::value::Value;
use crate::vm::state::thread::Frame;

impl Vm {
    /// The arguments lie from `at` on.
    pub(super) fn construct_super(
        &mut self,
        thread: usize,
        at: usize,
        count: usize,
        names: &[Name],
    ) -> Result<Value, Value> {
        if !names.is_empty() {
            return Err(self.throw(Type::TypeError, "super() takes no keyword arguments"));
        }
        let stack = &self.threads[thread].stack;
        let (class, object) = match count {
            0 => self.class_and_object(thread)?,
            1 => (stack[at], Value::None),
            2 => (stack[at], stack[at + 1]),
            _ => {
                let message = format!("super() expected at most 2 arguments, got {count}");
                return Err(self.throw(Type::TypeError, message));
            }
        };
        self.new_super(class, object)
    }

    /// `super(class, object)`; of `None`, and without an object, it is one that has nothing.
    pub(in crate::vm) fn new_super(&mut self, class: Value, object: Value) -> Result<Value, Value> {
        let Value::Class(above) = class else {
            let message = format!(
                "super() argument 1 must be a type, not {}",
                self.type_name(class)
            );
            return Err(self.throw(Type::TypeError, message));
        };
        let is_below = |of| self.heap.classes[of].mro.contains(&above);
        let fits = matches!(object, Value::None)
            || is_below(self.class_of(object))
            || matches!(object, Value::Class(of) if is_below(of));
        if !fits {
            let message = "super(type, obj): obj must be an instance or subtype of type";
            return Err(self.throw(Type::TypeError, message));
        }
        Ok(self.heap.new_object(Object::Super {
            class: above,
            object,
        }))
    }

    /// The class whose method is running, and what the method was called for.
    fn class_and_object(&mut self, thread: usize) -> Result<(Value, Value), Value> {
        let image = self.image.clone();
        let codes = &image.program.codes;
        let frames = self.threads[thread].frames.iter().rev();
        let mut frames = frames.map(|frame| (*frame, &codes[frame.code.0 as usize]));
        let Some((frame, code)) = frames.find(|(_, code)| !code.internal) else {
            return Err(self.throw(Type::RuntimeError, "super(): no current frame"));
        };
        let is_class = is_class_body(code);
        // The argument of a comprehension is an iterator, which is no instance of the class.
        let within = code.frames_at(frame.pc.saturating_sub(1)).count() > 1;
        let object = if within {
            Value::Ellipsis
        } else if code.params.positional == 0 || is_class {
            return Err(self.throw(Type::RuntimeError, "super(): no arguments"));
        } else {
            match self.threads[thread].stack[frame.base as usize] {
                Value::Cell(cell) => self.heap.cells[cell].0,
                value => value,
            }
        };
        if !object.is_bound() {
            return Err(self.throw(Type::RuntimeError, "super(): arg[0] deleted"));
        }
        let class = if is_class {
            Some(Value::Unbound)
        } else {
            self.captured_class(frame, code)
        };
        let message = match class {
            Some(class @ Value::Class(_)) => return Ok((class, object)),
            Some(Value::Unbound) => "super(): empty __class__ cell".to_owned(),
            Some(other) => {
                let of = self.type_name(other);
                format!("super(): __class__ is not a type ({of})")
            }
            None => "super(): __class__ cell not found".to_owned(),
        };
        Err(self.throw(Type::RuntimeError, message))
    }

    /// What is in the cell `__class__`, if the function has captured it.
    fn captured_class(&self, frame: Frame, code: &Code) -> Option<Value> {
        let captures = 0..code.captures.len() as u16;
        let at = captures
            .into_iter()
            .find(|&free| self.image.free_name(frame.code, free) == "__class__")?;
        let cell = *self.heap.functions[frame.function]
            .cells
            .get(usize::from(at))?;
        Some(self.heap.cells[cell].0)
    }
}

/// Does the instruction at `pc` read `__class__` for a `super()`, as the compiler writes it: with
/// the object behind it, and then the instruction that takes both?
pub(in crate::vm) fn feeds_super(code: &Code, pc: usize) -> bool {
    let (Some(Op::GetFree { dst, .. }), Some(taker)) = (code.ops.get(pc), code.ops.get(pc + 2))
    else {
        return false;
    };
    matches!(taker, Op::GetSuper { base, .. } | Op::LoadSuperMethod { base, .. } if base == dst)
}

/// The body of a class makes the class first.
fn is_class_body(code: &Code) -> bool {
    let mut ops = code.ops.iter();
    let first = ops.find(|op| !matches!(op, Op::MakeCell { .. }));
    matches!(first, Some(Op::NewClass { .. }))
}
