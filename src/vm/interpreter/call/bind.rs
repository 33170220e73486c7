//! Binding: which argument of a call becomes which parameter of a function of the script, and what
//! CPython says where they do not fit. Knows nothing of frames.

use crate::bytecode::op::CodeIx;
use crate::vm::Vm;
use crate::vm::heap::class::{Name, Type};
use crate::vm::heap::object::Function;
use crate::vm::heap::value::{Ref, Value};
use crate::vm::state::stack::Arguments;

impl Vm {
    /// Binds a call that leaves away nothing but last positional arguments which have defaults;
    /// false if it is another one.
    fn fill_in_defaults(
        &mut self,
        thread: usize,
        function: Ref<Function>,
        code: CodeIx,
        arguments: Arguments<'_>,
    ) -> bool {
        let link = &self.image.links[code.0 as usize];
        let defaults = &self.heap.functions[function].defaults;
        let positional = link.positional as usize;
        let missing = positional.wrapping_sub(arguments.count);
        if !link.simple || !arguments.names.is_empty() || missing > defaults.len() {
            return false;
        }
        let at = arguments.at + arguments.count;
        self.threads[thread].stack[at..at + missing]
            .copy_from_slice(&defaults[defaults.len() - missing..]);
        true
    }

    /// Binds a call without keywords of a function that takes any further arguments, as wrappers
    /// do; false if it is another one.
    fn gather_rest(&mut self, thread: usize, code: CodeIx, arguments: Arguments<'_>) -> bool {
        let params = &self.image.program.codes[code.0 as usize].params;
        let positional = params.positional as usize;
        if !params.star
            || params.keyword_only > 0
            || !arguments.names.is_empty()
            || arguments.count < positional
        {
            return false;
        }
        let double_star = params.double_star;
        let rest = arguments.at + positional;
        let given = &self.threads[thread].stack[rest..arguments.at + arguments.count];
        let given: Box<[Value]> = given.into();
        let gathered = self.heap.new_tuple(given);
        let keywords =
            double_star.then(|| self.heap.new_dict(crate::vm::heap::dict::Dict::default()));
        let stack = &mut self.threads[thread].stack;
        stack[rest] = gathered;
        if let Some(keywords) = keywords {
            stack[rest + 1] = keywords;
        }
        true
    }

    /// Puts arguments where the parameters are, from `arguments.at` on.
    pub(super) fn bind_function(
        &mut self,
        thread: usize,
        function: Ref<Function>,
        code: CodeIx,
        arguments: Arguments<'_>,
    ) -> Result<(), Value> {
        if self.fill_in_defaults(thread, function, code, arguments) {
            return Ok(());
        }
        if self.gather_rest(thread, code, arguments) {
            return Ok(());
        }
        let image = self.image.clone();
        let object = &image.program.codes[code.0 as usize];
        let params = &object.params;
        let positional = params.positional as usize;
        let keyword_only = params.keyword_only as usize;
        let given: Vec<Value> =
            self.threads[thread].stack[arguments.at..arguments.at + arguments.count].to_vec();
        let by_position = arguments.count - arguments.names.len();
        let mut slots = vec![Value::Unbound; positional + keyword_only];
        let taken = by_position.min(positional);
        slots[..taken].copy_from_slice(&given[..taken]);
        let rest = &given[taken..by_position];
        let mut extra = Vec::new();
        for (at, &keyword) in arguments.names.iter().enumerate() {
            let value = given[by_position + at];
            let found = params.names[..positional + keyword_only]
                .iter()
                .position(|name| image.names[name.0 as usize] == keyword);
            match found {
                Some(slot) if slot >= params.positional_only as usize => {
                    if slots[slot].is_bound() {
                        let text = self.names[keyword].clone();
                        return Err(self.throw(
                            Type::TypeError,
                            format!(
                                "{}() got multiple values for argument '{text}'",
                                object.qualname
                            ),
                        ));
                    }
                    slots[slot] = value;
                }
                Some(_) if !params.double_star => {
                    let text = self.names[keyword].clone();
                    return Err(self.throw(
                        Type::TypeError,
                        format!("{}() got some positional-only arguments passed as keyword arguments: '{text}'", object.qualname),
                    ));
                }
                _ if params.double_star => extra.push((keyword, value)),
                _ => {
                    let text = self.names[keyword].clone();
                    return Err(self.throw(
                        Type::TypeError,
                        format!(
                            "{}() got an unexpected keyword argument '{text}'",
                            object.qualname
                        ),
                    ));
                }
            }
        }
        if !rest.is_empty() && !params.star {
            return Err(self.too_many(function, code, by_position, &arguments, &slots));
        }
        let defaults = &self.heap.functions[function].defaults;
        let first_default = positional - defaults.len().min(positional);
        for (slot, value) in slots[..positional].iter_mut().enumerate() {
            if !value.is_bound() && slot >= first_default {
                *value = defaults[slot - first_default];
            }
        }
        for (slot, value) in self.heap.functions[function]
            .keyword_defaults
            .iter()
            .enumerate()
        {
            if let Some(place) = slots.get_mut(positional + slot)
                && !place.is_bound()
            {
                *place = *value;
            }
        }
        for (range, kind) in [
            (0..positional, "positional"),
            (positional..positional + keyword_only, "keyword-only"),
        ] {
            let missing: Vec<usize> = range.filter(|&slot| !slots[slot].is_bound()).collect();
            if !missing.is_empty() {
                let names: Vec<String> = missing
                    .iter()
                    .map(|&slot| {
                        format!(
                            "'{}'",
                            self.names[image.names[params.names[slot].0 as usize]]
                        )
                    })
                    .collect();
                let listed = match &names[..] {
                    [one] => one.clone(),
                    [a, b] => format!("{a} and {b}"),
                    [init @ .., last] => format!("{}, and {last}", init.join(", ")),
                    [] => unreachable!("not empty"),
                };
                let plural = if names.len() == 1 { "" } else { "s" };
                return Err(self.throw(
                    Type::TypeError,
                    format!(
                        "{}() missing {} required {kind} argument{plural}: {listed}",
                        object.qualname,
                        names.len()
                    ),
                ));
            }
        }
        if params.star {
            let rest = rest.to_vec();
            slots.push(self.heap.new_tuple(rest));
        }
        if params.double_star {
            let Value::Dict(dict) = self.heap.new_dict(crate::vm::heap::dict::Dict::default())
            else {
                unreachable!("new_dict makes a dict")
            };
            for (keyword, value) in extra {
                let text = self.names[keyword].clone();
                self.dict_set_str(dict, &text, value);
            }
            slots.push(Value::Dict(dict));
        }
        self.threads[thread].stack[arguments.at..arguments.at + slots.len()]
            .copy_from_slice(&slots);
        Ok(())
    }

    fn too_many(
        &mut self,
        function: Ref<Function>,
        code: CodeIx,
        given: usize,
        arguments: &Arguments<'_>,
        _slots: &[Value],
    ) -> Value {
        let image = self.image.clone();
        let object = &image.program.codes[code.0 as usize];
        let positional = object.params.positional as usize;
        let defaults = self.heap.functions[function].defaults.len();
        let least = positional - defaults.min(positional);
        let keyword_only: Vec<Name> = object.params.names
            [positional..positional + object.params.keyword_only as usize]
            .iter()
            .map(|name| image.names[name.0 as usize])
            .collect();
        let by_keyword = arguments
            .names
            .iter()
            .filter(|name| keyword_only.contains(name))
            .count();
        let takes = if defaults > 0 {
            format!("from {least} to {positional} positional arguments")
        } else {
            format!(
                "{positional} positional argument{}",
                if positional == 1 { "" } else { "s" }
            )
        };
        let message = if by_keyword > 0 {
            format!(
                "{}() takes {takes} but {given} positional argument{} (and {by_keyword} keyword-only argument{}) were given",
                object.qualname,
                if given == 1 { "" } else { "s" },
                if by_keyword == 1 { "" } else { "s" },
            )
        } else {
            format!(
                "{}() takes {takes} but {given} {} given",
                object.qualname,
                if given == 1 { "was" } else { "were" }
            )
        };
        self.throw(Type::TypeError, message)
    }
}
