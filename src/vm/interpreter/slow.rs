//! What an instruction does where the run loop's own short form of it does not apply: operands that
//! are not numbers, caches that miss, everything that makes or asks for something. Slower, and
//! complete: what the loop does quickly is a part of what is said here or in what is called from
//! here.
//!
//! It runs between two instructions: the frame's program counter is saved and says what follows. It
//! neither counts nor looks at budgets.

use crate::bytecode::op::{Flag, FreeIx, Near, Op, Reg, Site};
use crate::operator::{BinaryOp, CompareOp};
use crate::vm::Vm;
use crate::vm::builtins::operators;
use crate::vm::heap::class::{Name, Type, name};
use crate::vm::heap::object::{Cell, Function, Iter, Method, Object};
use crate::vm::heap::value::{Ref, Value};
use crate::vm::interpreter::call::{Flow, Step};
use crate::vm::interpreter::generator::Resume;
use crate::vm::state::cache::CACHES;
use crate::vm::state::link::{Image, Link};
use crate::vm::state::thread::Return;

/// Where an instruction runs: the frame on top, as the loop sees it.
#[derive(Clone, Copy)]
pub(in crate::vm) struct Place<'a> {
    pub(in crate::vm) thread: usize,
    /// Where its window begins on the thread's stack.
    pub(in crate::vm) base: usize,
    pub(in crate::vm) function: Ref<Function>,
    pub(in crate::vm) link: &'a Link,
    pub(in crate::vm) image: &'a Image,
    /// The number of the instruction that follows.
    pub(in crate::vm) next: u32,
}

impl Place<'_> {
    /// The attribute name of a site.
    fn name(&self, site: Site) -> Name {
        self.link.sites[site.0 as usize]
    }

    /// The first of a site's caches.
    fn cache(&self, site: Site) -> usize {
        self.link.cache_base as usize + CACHES * site.0 as usize
    }

    /// Where registers from this one on lie on the stack.
    fn window(&self, from: Reg) -> usize {
        self.base + from.0 as usize
    }

    /// A jump that is taken if the answer has this truth.
    fn branch(&self, expect: Flag, to: i64) -> Return {
        Return::Branch {
            expect: expect.0,
            target: self.target(to),
        }
    }

    /// The number of the instruction that a jump goes to.
    fn target(&self, to: i64) -> u32 {
        (i64::from(self.next) + to) as u32
    }

    /// An iterator's next item, or a jump behind the loop.
    fn item(&self, into: Reg, to: Near) -> Return {
        Return::Item {
            into,
            exit: self.target(to.0.into()),
        }
    }
}

/// `a op b` of a float and an integer that a float holds exactly, where that is one operation of
/// the machine.
fn mixed(op: BinaryOp, a: Value, b: Value) -> Option<Value> {
    let (a, b) = match (a, b) {
        (Value::Float(a), Value::Int(b)) if exact_in_f64(b) => (a, b as f64),
        (Value::Int(a), Value::Float(b)) if exact_in_f64(a) => (a as f64, b),
        _ => return None,
    };
    Some(Value::Float(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Sub => a - b,
        BinaryOp::Mul => a * b,
        BinaryOp::Div if b != 0.0 => a / b,
        _ => return None,
    }))
}

/// Is the integer one that a float holds exactly? (Beyond, conversions round, and the slow path
/// does it as CPython does.)
#[inline]
pub(in crate::vm) fn exact_in_f64(number: i64) -> bool {
    number.unsigned_abs() <= 1 << 53
}

impl Vm {
    /// Carries out an instruction on an object that others share, which may copy pages of them.
    pub(in crate::vm) fn carry_out_shared(&mut self, op: Op, place: &Place<'_>) -> Step {
        self.heap.note_shared_use();
        self.carry_out(op, place)
    }

    /// Carries out an instruction. What is wrong with hand-written bytecode beyond what the
    /// verifier sees is a `SystemError`.
    pub(in crate::vm) fn carry_out(&mut self, op: Op, place: &Place<'_>) -> Step {
        let Place { thread, base, .. } = *place;
        // All that instructions make out here: exceptions, functions, bound methods, classes. Those
        // that keep account of which exception is handled must not fail in between.
        let may_fail = !matches!(op, Op::BeginHandler { .. } | Op::EndHandler { .. });
        if may_fail && self.heap.allocated >= self.collect_even_if_full_at {
            self.collect_or_fail()?;
        }
        macro_rules! reg {
            ($reg:expr) => {
                self.threads[thread].stack[base + $reg.0 as usize]
            };
            ($reg:expr, $behind:expr) => {
                self.threads[thread].stack[base + $reg.0 as usize + $behind]
            };
        }
        macro_rules! ask {
            ($native:expr, [$($arg:expr),*], $ret:expr) => {{
                let args = [$($arg),*];
                return self.ask(thread, $native, &args, $ret);
            }};
        }
        macro_rules! refuse {
            ($message:literal) => {
                return Err(self.throw(Type::SystemError, $message))
            };
        }
        macro_rules! binary {
            ($op:ident, $in_place:expr, $dst:expr, $lhs:expr, $rhs:expr) => {
                return self.binary(place, BinaryOp::$op, $in_place, $dst, [$lhs, $rhs])
            };
        }
        macro_rules! branch {
            ($op:ident, $expect:expr, $lhs:expr, $rhs:expr, $to:expr) => {
                ask!(
                    operators::of_compare(CompareOp::$op),
                    [$lhs, $rhs],
                    place.branch($expect, $to)
                )
            };
        }
        match op {
            Op::CheckBound { src } => return Err(self.unbound_local(thread, src)),
            Op::GetGlobal { dst, global } => reg!(dst) = self.unbound_global(global.0)?,
            Op::DelGlobal { global } => {
                let place = &mut self.globals[global.0 as usize];
                if !std::mem::replace(place, Value::Unbound).is_bound() {
                    return Err(self.name_error(global.0));
                }
            }
            Op::MakeCell { reg } => {
                let value = reg!(reg);
                reg!(reg) = self.heap.new_cell(Cell(value));
            }
            Op::GetCell { dst, cell } => {
                let Value::Cell(it) = reg!(cell) else {
                    return Err(self.no_cell());
                };
                let value = self.heap.cells[it].0;
                if !value.is_bound() {
                    return Err(self.unbound_local(thread, cell));
                }
                reg!(dst) = value;
            }
            Op::SetCell { cell, src } => {
                let Value::Cell(it) = reg!(cell) else {
                    return Err(self.no_cell());
                };
                self.heap.cells[it].0 = reg!(src);
            }
            Op::DelCell { cell } => {
                let Value::Cell(it) = reg!(cell) else {
                    return Err(self.no_cell());
                };
                if !std::mem::replace(&mut self.heap.cells[it].0, Value::Unbound).is_bound() {
                    return Err(self.unbound_local(thread, cell));
                }
            }
            Op::GetFree { dst, free } => {
                let Some(cell) = self.free_cell(place.function, free) else {
                    return Err(self.no_cell());
                };
                let value = self.heap.cells[cell].0;
                if !value.is_bound() {
                    return Err(self.unbound_free(thread, free.0));
                }
                reg!(dst) = value;
            }
            Op::SetFree { src, free } => {
                let Some(cell) = self.free_cell(place.function, free) else {
                    return Err(self.no_cell());
                };
                self.heap.cells[cell].0 = reg!(src);
            }
            Op::DelFree { free } => {
                let Some(cell) = self.free_cell(place.function, free) else {
                    return Err(self.no_cell());
                };
                if !std::mem::replace(&mut self.heap.cells[cell].0, Value::Unbound).is_bound() {
                    return Err(self.unbound_free(thread, free.0));
                }
            }

            Op::Add {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(Add, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::Sub {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(Sub, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::Mul {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(Mul, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::Div {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(Div, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::FloorDiv {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(FloorDiv, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::Mod {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(Mod, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::Pow {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(Pow, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::BitAnd {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(BitAnd, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::BitOr {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(BitOr, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::BitXor {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(BitXor, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::Shl {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(Shl, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::Shr {
                in_place,
                dst,
                lhs,
                rhs,
            } => binary!(Shr, in_place, dst, reg!(lhs), reg!(rhs)),
            Op::AddImm {
                in_place,
                dst,
                lhs,
                imm,
            } => binary!(Add, in_place, dst, reg!(lhs), Value::Int(imm.0.into())),
            Op::SubImm {
                in_place,
                dst,
                lhs,
                imm,
            } => binary!(Sub, in_place, dst, reg!(lhs), Value::Int(imm.0.into())),
            Op::MulImm {
                in_place,
                dst,
                lhs,
                imm,
            } => binary!(Mul, in_place, dst, reg!(lhs), Value::Int(imm.0.into())),
            Op::FloorDivImm {
                in_place,
                dst,
                lhs,
                imm,
            } => binary!(FloorDiv, in_place, dst, reg!(lhs), Value::Int(imm.0.into())),
            Op::ModImm {
                in_place,
                dst,
                lhs,
                imm,
            } => binary!(Mod, in_place, dst, reg!(lhs), Value::Int(imm.0.into())),
            Op::Neg { dst, src } => ask!(operators::NEG, [reg!(src)], Return::To(dst)),
            Op::Pos { dst, src } => ask!(operators::POS, [reg!(src)], Return::To(dst)),
            Op::Invert { dst, src } => ask!(operators::INVERT, [reg!(src)], Return::To(dst)),
            Op::Not { dst, src } => ask!(operators::NOT, [reg!(src)], Return::To(dst)),
            Op::Compare { op, dst, lhs, rhs } => ask!(
                operators::of_compare(op),
                [reg!(lhs), reg!(rhs)],
                Return::To(dst)
            ),
            Op::JumpIf { expect, src, to } => {
                if self.special(reg!(src), name::BOOL).is_none()
                    && let Some(length) = self.special_at_once(thread, name::LEN, [reg!(src)])
                    && let Value::Int(length) = length?
                {
                    return self.deliver(
                        thread,
                        Value::Bool(length != 0),
                        place.branch(expect, to.0.into()),
                    );
                }
                ask!(
                    operators::TRUTH,
                    [reg!(src)],
                    place.branch(expect, to.0.into())
                )
            }
            Op::JumpLt {
                expect,
                lhs,
                rhs,
                to,
            } => branch!(Lt, expect, reg!(lhs), reg!(rhs), to.0.into()),
            Op::JumpLtImm {
                expect,
                lhs,
                imm,
                to,
            } => branch!(Lt, expect, reg!(lhs), Value::Int(imm.0.into()), to.0.into()),
            Op::JumpLe {
                expect,
                lhs,
                rhs,
                to,
            } => branch!(Le, expect, reg!(lhs), reg!(rhs), to.0.into()),
            Op::JumpLeImm {
                expect,
                lhs,
                imm,
                to,
            } => branch!(Le, expect, reg!(lhs), Value::Int(imm.0.into()), to.0.into()),
            Op::JumpGt {
                expect,
                lhs,
                rhs,
                to,
            } => branch!(Gt, expect, reg!(lhs), reg!(rhs), to.0.into()),
            Op::JumpGtImm {
                expect,
                lhs,
                imm,
                to,
            } => branch!(Gt, expect, reg!(lhs), Value::Int(imm.0.into()), to.0.into()),
            Op::JumpGe {
                expect,
                lhs,
                rhs,
                to,
            } => branch!(Ge, expect, reg!(lhs), reg!(rhs), to.0.into()),
            Op::JumpGeImm {
                expect,
                lhs,
                imm,
                to,
            } => branch!(Ge, expect, reg!(lhs), Value::Int(imm.0.into()), to.0.into()),
            Op::JumpEq {
                expect,
                lhs,
                rhs,
                to,
            } => branch!(Eq, expect, reg!(lhs), reg!(rhs), to.0.into()),
            Op::JumpEqImm {
                expect,
                lhs,
                imm,
                to,
            } => branch!(Eq, expect, reg!(lhs), Value::Int(imm.0.into()), to.0.into()),
            Op::JumpNe {
                expect,
                lhs,
                rhs,
                to,
            } => branch!(Ne, expect, reg!(lhs), reg!(rhs), to.0.into()),
            Op::JumpNeImm {
                expect,
                lhs,
                imm,
                to,
            } => branch!(Ne, expect, reg!(lhs), Value::Int(imm.0.into()), to.0.into()),

            Op::RangePrep { base: at } => return self.range_prep(thread, place.window(at), at),
            Op::RangeLoop { .. } => refuse!("a range loop without its preparation"),
            Op::GetIter { dst, src } => match reg!(src) {
                Value::List(list) => {
                    reg!(dst) = self.heap.new_iter(Iter::List { list, next: 0 });
                }
                value => ask!(operators::ITER, [value], Return::To(dst)),
            },
            Op::ForIter { dst, iter, to } => {
                let ret = place.item(dst, to);
                return match reg!(iter) {
                    Value::Generator(generator) => {
                        self.resume(thread, generator, Resume::Send(Value::None), ret)
                    }
                    iterator => self.for_next(thread, iterator, ret),
                };
            }

            Op::GetAttr { dst, object, site } => {
                let (name, cache) = (place.name(site), place.cache(site));
                return self.get_attribute(thread, reg!(object), name, Some(cache), dst);
            }
            Op::SetAttr { object, src, site } => {
                let (name, cache) = (place.name(site), place.cache(site));
                return self.set_attribute(thread, reg!(object), name, reg!(src), cache);
            }
            Op::DelAttr { object, site } => {
                let name = Value::Int(place.name(site).0.into());
                ask!(operators::DEL_ATTR, [reg!(object), name], Return::Drop)
            }
            Op::GetSuper { dst, base: at } => reg!(dst) = self.new_super(reg!(at), reg!(at, 1))?,
            Op::GetItem { dst, object, key } => {
                let (object, key) = (reg!(object), reg!(key));
                if let Some(item) = self.heap.item_fast(object, key) {
                    if !self.collect_keeping(item) {
                        return Err(self.out_of_memory());
                    }
                    reg!(dst) = item;
                    return Ok(Flow::Next);
                }
                if let Some(method) = self.special(object, name::GETITEM) {
                    return self.call_value(thread, method, &[object, key], Return::To(dst));
                }
                ask!(operators::GET_ITEM, [object, key], Return::To(dst))
            }
            Op::SetItem { object, key, src } => {
                self.collect_or_fail()?;
                let args = [reg!(object), reg!(key), reg!(src)];
                if let Some(method) = self.special(args[0], name::SETITEM) {
                    return self.call_value(thread, method, &args, Return::Drop);
                }
                return self.ask(thread, operators::SET_ITEM, &args, Return::Drop);
            }
            Op::DelItem { object, key } => {
                ask!(operators::DEL_ITEM, [reg!(object), reg!(key)], Return::Drop)
            }
            Op::BuildSlice { dst, base: at } => {
                let (lower, upper, step) = (reg!(at), reg!(at, 1), reg!(at, 2));
                reg!(dst) = self.heap.new_object(Object::Slice { lower, upper, step });
            }

            Op::BuildList {
                dst,
                base: at,
                count,
            } => {
                let items = self.operands(place, at, count.0.into()).to_vec();
                reg!(dst) = self.heap.new_list(items);
                self.collect_or_fail()?;
            }
            Op::BuildTuple {
                dst,
                base: at,
                count,
            } => {
                let items: Box<[Value]> = self.operands(place, at, count.0.into()).into();
                reg!(dst) = self.heap.new_tuple(items);
                self.collect_or_fail()?;
            }
            Op::BuildSet {
                dst,
                base: at,
                count,
            } => {
                let items = self.operands(place, at, count.0.into()).to_vec();
                return self.ask_many(thread, operators::BUILD_SET, &items, dst);
            }
            Op::BuildDict {
                dst,
                base: at,
                count,
            } => {
                let items = self.operands(place, at, 2 * count.0 as usize).to_vec();
                if let Some(dict) = self.heap.build_dict(&items) {
                    if !self.collect_keeping(dict) {
                        return Err(self.out_of_memory());
                    }
                    reg!(dst) = dict;
                    return Ok(Flow::Next);
                }
                return self.ask_many(thread, operators::BUILD_DICT, &items, dst);
            }
            Op::BuildString {
                dst,
                base: at,
                count,
            } => reg!(dst) = self.build_string(thread, place.window(at), count.0 as usize)?,
            Op::FormatValue {
                convert,
                dst,
                src,
                spec,
            } => {
                if let Some(text) = self.heap.format_plain(convert, reg!(src), reg!(spec)) {
                    reg!(dst) = text;
                    return self.collect_or_fail().map(|()| Flow::Next);
                }
                ask!(
                    operators::FORMAT,
                    [reg!(src), reg!(spec), Value::Int(convert as i64)],
                    Return::To(dst)
                )
            }
            Op::ListAppend { list, src } => {
                let Value::List(it) = reg!(list) else {
                    refuse!("appending to something that is no list")
                };
                self.collect_or_fail()?;
                self.heap.lists[it].push(reg!(src));
                self.heap.allocated += size_of::<Value>();
            }
            Op::ListExtend { call, list, src } => {
                let Value::List(_) = reg!(list) else {
                    refuse!("extending something that is no list")
                };
                let callee = if call.0 && list.0 >= 1 {
                    reg!(Reg(list.0 - 1))
                } else {
                    Value::None
                };
                ask!(
                    operators::EXTEND,
                    [reg!(list), reg!(src), callee],
                    Return::Drop
                )
            }
            Op::ListToTuple { dst, list } => {
                let Value::List(it) = reg!(list) else {
                    refuse!("making a tuple of something that is no list")
                };
                let items = self.heap.lists[it].to_vec();
                reg!(dst) = self.heap.new_tuple(items);
            }
            Op::SetAdd { set, src } => {
                let Value::Set(_) = reg!(set) else {
                    refuse!("adding to something that is no set")
                };
                ask!(operators::SET_ADD, [reg!(set), reg!(src)], Return::Drop)
            }
            Op::SetUpdate { folded, set, src } => {
                let Value::Set(_) = reg!(set) else {
                    refuse!("adding to something that is no set")
                };
                ask!(
                    operators::SET_UPDATE,
                    [reg!(set), reg!(src), Value::Bool(folded.0)],
                    Return::Drop
                )
            }
            Op::DictInsert { dict, key, src } => {
                let Value::Dict(_) = reg!(dict) else {
                    refuse!("inserting into something that is no dict")
                };
                ask!(
                    operators::SET_ITEM,
                    [reg!(dict), reg!(key), reg!(src)],
                    Return::Drop
                )
            }
            Op::DictMerge { once, dict, src } => {
                let Value::Dict(_) = reg!(dict) else {
                    refuse!("merging into something that is no dict")
                };
                // The compiler builds keyword arguments where `CallSpread` wants them: two
                // registers above the callee.
                let callee = if once.0 && dict.0 >= 2 {
                    reg!(Reg(dict.0 - 2))
                } else {
                    Value::None
                };
                ask!(
                    operators::MERGE,
                    [reg!(dict), reg!(src), Value::Bool(once.0), callee],
                    Return::Drop
                )
            }
            Op::Unpack {
                src,
                base: at,
                count,
            } => {
                let source = reg!(src);
                if !self.unpack_fast(thread, source, place.window(at), count.0 as usize) {
                    let ret = Return::Spread {
                        base: at,
                        count: count.0,
                    };
                    ask!(
                        operators::UNPACK,
                        [source, Value::Int(count.0.into()), Value::None],
                        ret
                    )
                }
            }
            Op::UnpackStar {
                after,
                src,
                base: at,
                before,
            } => {
                let ret = Return::Spread {
                    base: at,
                    count: before.0 + 1 + u16::from(after.0),
                };
                ask!(
                    operators::UNPACK,
                    [
                        reg!(src),
                        Value::Int(before.0.into()),
                        Value::Int(after.0.into())
                    ],
                    ret
                )
            }

            Op::MakeFunction { dst, code } => {
                reg!(dst) = self.make_function(thread, base, place.function, code)?;
            }
            Op::SetDefaults {
                func,
                base: at,
                count,
            } => {
                let Value::Function(it) = reg!(func) else {
                    refuse!("defaults for something that is no function")
                };
                let defaults: Box<[Value]> = self.operands(place, at, count.0.into()).into();
                self.heap.functions[it].defaults = defaults;
            }
            Op::SetKwDefaults {
                func,
                base: at,
                names,
            } => self.set_keyword_defaults(thread, reg!(func), place.window(at), names.0)?,
            Op::NewClass { dst, base: at } => reg!(dst) = self.new_class(thread, reg!(at))?,
            Op::SetClassVar { class, src, site } => {
                let Value::Class(it) = reg!(class) else {
                    return Err(self.no_class());
                };
                let name = place.name(site);
                self.name_property(reg!(src), name);
                self.set_class_attribute(it, name, reg!(src));
                // A class that says what is equal must say how to hash, or cannot be hashed.
                if name == name::EQ && self.heap.classes[it].own(name::HASH).is_none() {
                    self.set_class_attribute(it, name::HASH, Value::None);
                }
            }
            Op::GetClassVar { dst, class, site } => {
                let Value::Class(it) = reg!(class) else {
                    return Err(self.no_class());
                };
                let found = self.heap.classes[it].own(place.name(site));
                reg!(dst) = found.unwrap_or(Value::Unbound);
            }
            Op::DelClassVar { class, site } => {
                let Value::Class(it) = reg!(class) else {
                    return Err(self.no_class());
                };
                let name = place.name(site);
                if !self.delete_class_attribute(it, name) {
                    let name = &self.names[name];
                    let message = format!("name '{name}' is not defined");
                    return Err(self.throw(Type::NameError, message));
                }
            }

            Op::Call {
                dst,
                base: at,
                count,
            } => {
                let (callee, window) = (reg!(at), place.window(at));
                let ret = Return::To(dst);
                return self.call_at(thread, callee, window, count.0.into(), &[], ret);
            }
            Op::CallKw {
                count,
                dst,
                base: at,
                names,
            } => {
                let (callee, window) = (reg!(at), place.window(at));
                let names = &place.image.keyword_names[names.0 as usize];
                let count = count.0 as usize + names.len();
                return self.call_at(thread, callee, window, count, names, Return::To(dst));
            }
            Op::CallSpread { dst, base: at } => {
                let (callee, args, kwargs) = (reg!(at), reg!(at, 1), reg!(at, 2));
                return self.call_spread(thread, callee, args, kwargs, dst);
            }
            Op::LoadMethod { dst, object, site } => {
                let (name, cache) = (place.name(site), place.cache(site));
                return self.load_method(thread, reg!(object), name, cache, dst);
            }
            Op::LoadSuperMethod { base: at, site } => {
                let (name, cache) = (place.name(site), place.cache(site));
                let pair = (reg!(at), reg!(at, 1));
                return self.load_super_method(thread, pair, name, cache, at);
            }
            Op::CallMethod {
                dst,
                base: at,
                count,
            } => {
                let window = place.window(at) + 1;
                return self.call_method(thread, reg!(at), window, count.0.into(), dst);
            }
            Op::Yield { dst, src } => return self.suspend(thread, reg!(src), dst, place.next),
            Op::YieldFrom { dst, iter } => {
                let resumed = std::mem::take(&mut self.threads[thread].resumed);
                let sent = if resumed { reg!(dst) } else { Value::None };
                return self.delegate(thread, reg!(iter), sent, dst);
            }

            Op::Raise { exception, cause } => {
                let [raised, from] = [reg!(exception), reg!(cause)];
                let makes = [raised, from].map(|value| self.is_made_by_script(value));
                if makes.contains(&true) {
                    let function = self.library("raise_made");
                    let given = Value::Bool(from.is_bound());
                    let [make, make_cause] = makes.map(Value::Bool);
                    let args = [raised, make, given, from.or(Value::None), make_cause];
                    return self.call_value(thread, function, &args, Return::To(exception));
                }
                return Err(self.raise(thread, raised, from));
            }
            Op::RaiseCurrent {} => {
                let current = self.threads[thread].handling;
                if matches!(current, Value::None) {
                    let message = "No active exception to reraise";
                    return Err(self.throw(Type::RuntimeError, message));
                }
                return self.raise_again(thread, current);
            }
            Op::Reraise { exception } => match reg!(exception) {
                Value::Instance(it) if self.heap.instances[it].exception.is_some() => {
                    return self.raise_again(thread, Value::Instance(it));
                }
                _ => refuse!("raising something again that is no exception"),
            },
            Op::BeginHandler { saved, exception } => {
                let raised = reg!(exception);
                reg!(saved) = std::mem::replace(&mut self.threads[thread].handling, raised);
            }
            Op::EndHandler { saved } => self.threads[thread].handling = reg!(saved),
            Op::JumpUnlessMatch {
                exception, class, ..
            } => {
                self.matches(reg!(exception), reg!(class))?;
            }
            Op::WithEnter { dst, exit, manager } => {
                let manager = reg!(manager);
                let (enter, leave) = self.context_methods(manager)?;
                reg!(exit) = self.heap.new_method(Method {
                    receiver: manager,
                    function: leave,
                });
                return self.call_value(thread, enter, &[manager], Return::To(dst));
            }
            Op::WithExit {
                dst,
                exit,
                exception,
            } => {
                let args = self.exit_arguments(reg!(exception));
                return self.call_value(thread, reg!(exit), &args, Return::To(dst));
            }

            Op::Import { dst, module } => {
                if !self.imported[module.0 as usize] {
                    return self.import(thread, module.0, dst);
                }
                reg!(dst) = Value::Module(module.0);
            }
            Op::ImportFrom { dst, module, site } => {
                reg!(dst) = self.import_from(reg!(module), place.name(site))?;
            }

            Op::Move { .. }
            | Op::LoadConst { .. }
            | Op::LoadInt { .. }
            | Op::LoadNone { .. }
            | Op::LoadBool { .. }
            | Op::Unbind { .. }
            | Op::SetGlobal { .. }
            | Op::Jump { .. }
            | Op::JumpIfNone { .. }
            | Op::JumpIfUnbound { .. }
            | Op::Return { .. } => unreachable!("the loop always carries it out itself"),
        }
        Ok(Flow::Next)
    }

    /// The cell that a function captured. Code that is no function's has none.
    fn free_cell(&self, function: Ref<Function>, free: FreeIx) -> Option<Ref<Cell>> {
        if function.slot == u32::MAX {
            return None;
        }
        let cells = &self.heap.functions[function].cells;
        cells.get(free.0 as usize).copied()
    }

    /// An operator, of operands for which the loop has no short form.
    fn binary(
        &mut self,
        place: &Place<'_>,
        op: BinaryOp,
        in_place: Flag,
        dst: Reg,
        operands: [Value; 2],
    ) -> Step {
        let [lhs, rhs] = operands;
        let result = if let (BinaryOp::Add, Value::Str(a), Value::Str(b)) = (op, lhs, rhs) {
            let growth = self.heap.growth_of_concatenation(a, b);
            if growth > 0 && !self.make_room(growth) {
                return Err(self.out_of_memory());
            }
            let joined = self.heap.concatenate(a, b, usize::MAX);
            if !self.collect_keeping(joined) {
                return Err(self.out_of_memory());
            }
            joined
        } else if let Some(number) = mixed(op, lhs, rhs) {
            number
        } else {
            let native = operators::of_binary(op, in_place.0);
            return self.ask(place.thread, native, &operands, Return::To(dst));
        };
        self.threads[place.thread].stack[place.window(dst)] = result;
        Ok(Flow::Next)
    }

    /// The values in so many registers from one on.
    fn operands(&self, place: &Place<'_>, from: Reg, count: usize) -> &[Value] {
        let window = place.window(from);
        &self.threads[place.thread].stack[window..window + count]
    }

    /// Collects garbage if it is time; `MemoryError` if what lives is too much.
    fn collect_or_fail(&mut self) -> Result<(), Value> {
        if self.collect_if_due() {
            Ok(())
        } else {
            Err(self.out_of_memory())
        }
    }

    /// Raises an exception that keeps its traceback.
    fn raise_again(&mut self, thread: usize, exception: Value) -> Step {
        Ok(match self.unwind(thread, exception, false) {
            None => Flow::Switch,
            Some(stop) => Flow::Stop(stop),
        })
    }
}
