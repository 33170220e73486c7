//! `f(*args, **kwargs)`: arguments that stand in a list and a dict.

use crate::bytecode::op::Reg;
use crate::vm::Vm;
use crate::vm::heap::class::Type;
use crate::vm::heap::value::Value;
use crate::vm::interpreter::call::Step;
use crate::vm::state::thread::Return;

/// The most arguments of one call: they must fit the stack of a thread.
const MAX_ARGUMENTS: usize = 1 << 20;

impl Vm {
    pub(in crate::vm) fn call_spread(
        &mut self,
        thread: usize,
        callee: Value,
        args: Value,
        kwargs: Value,
        dst: Reg,
    ) -> Step {
        /// Fewer arguments than this need no asking.
        const FEW: usize = 256;
        // They are copied here, to the stack, and to the callee's parameters there.
        const COPIES: usize = 6;
        let length = |value| self.heap.len_fast(value).unwrap_or(0);
        let count = length(args) + length(kwargs);
        if count > FEW && !self.make_room(COPIES * count * size_of::<Value>()) {
            return Err(self.out_of_memory());
        }
        let args = match args {
            Value::List(it) => self.heap.lists[it].to_vec(),
            Value::Tuple(it) => self.heap.tuples[it].0.to_vec(),
            _ => return Err(self.throw(Type::SystemError, "spreading something that is no list")),
        };
        let mut names = Vec::new();
        let mut values = Vec::new();
        match kwargs {
            Value::None => {}
            Value::Dict(it) => {
                let entries: Vec<_> = self.heap.dicts[it].iter().collect();
                for entry in entries {
                    let Value::Str(text) = entry.key else {
                        return Err(self.throw(Type::TypeError, "keywords must be strings"));
                    };
                    let text = self.heap.text_arc(text);
                    names.push(self.intern(&text));
                    values.push(entry.value);
                }
            }
            _ => return Err(self.throw(Type::SystemError, "spreading something that is no dict")),
        }
        if args.len() + values.len() > MAX_ARGUMENTS {
            return Err(self.throw(
                Type::RuntimeError,
                format!("a call takes at most {MAX_ARGUMENTS} arguments in Mini"),
            ));
        }
        let top = self.stack_top(thread);
        self.reserve(thread, top, args.len() + values.len() + 2);
        let stack = &mut self.threads[thread].stack;
        stack[top] = callee;
        stack[top + 1..=top + args.len()].copy_from_slice(&args);
        stack[top + 1 + args.len()..=top + args.len() + values.len()].copy_from_slice(&values);
        self.call_at(
            thread,
            callee,
            top,
            args.len() + values.len(),
            &names,
            Return::To(dst),
        )
    }
}
