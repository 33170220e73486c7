//! Comparing and hashing VMs. Two VMs are equal if no script could tell them apart from here on:
//! same globals, same threads at the same instructions, and heaps that have the same shape. Handles
//! do not matter: objects are numbered in the order in which a walk from the roots meets them, and
//! everything is written in that numbering to one row of bytes, which is what is compared and
//! hashed.
//!
//! Left out on purpose: inline caches, remembered look-ups, free slots, garbage, counts of
//! instructions. Kept although a script could not see it: what dead registers hold, so that two
//! states may count as different that are not (never the other way round).

use crate::vm::Vm;
use crate::vm::heap::class::Name;
use crate::vm::heap::object::{DictView, GeneratorState, Iter, Object, TraceEntry};
use crate::vm::heap::text::Str;
use crate::vm::heap::value::{Ref, ThreadId, Value};
use crate::vm::state::slice::WaitOn;
use crate::vm::state::thread::{Awaiting, LogEntry, Outcome, Pending, Return, Status, Thread};
use rustc_hash::FxHashMap;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};

impl PartialEq for Vm {
    fn eq(&self, other: &Vm) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for Vm {}

impl Hash for Vm {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

impl Vm {
    /// The state as a row of bytes that is the same for equal VMs.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let mut walk = Walk {
            vm: self,
            out: Vec::with_capacity(4096),
            numbers: FxHashMap::default(),
            queue: VecDeque::new(),
        };
        walk.values(&self.globals);
        walk.number(u64::from(self.main.0));
        walk.values(&self.at_exit);
        if let Some((name, parcel)) = &self.spawned {
            walk.text(name);
            walk.number(parcel.bytes.len() as u64);
            walk.out.extend_from_slice(&parcel.bytes);
        }
        for &imported in &self.imported {
            walk.number(u64::from(imported));
        }
        walk.threads_of(&self.woken);
        for thread in self.threads.iter() {
            walk.thread(thread);
        }
        while let Some(object) = walk.queue.pop_front() {
            walk.contents(object);
        }
        walk.out
    }
}

struct Walk<'a> {
    vm: &'a Vm,
    out: Vec<u8>,
    /// Objects by kind and slot, numbered as they were met.
    numbers: FxHashMap<(u8, u32), u64>,
    /// Met, but not yet written.
    queue: VecDeque<Value>,
}

impl Walk<'_> {
    fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    fn number(&mut self, number: u64) {
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }

    /// Attribute names go by their text: their numbers depend on the order in which they were first
    /// used.
    fn name(&mut self, name: Name) {
        let text = self.vm.names[name].clone();
        self.text(&text);
    }

    fn values<'v>(&mut self, values: impl IntoIterator<Item = &'v Value>) {
        let before = self.out.len();
        self.number(0);
        let mut count = 0_u64;
        for value in values {
            self.value(*value);
            count += 1;
        }
        self.out[before..before + 8].copy_from_slice(&count.to_le_bytes());
    }

    fn threads_of<'t>(&mut self, threads: impl IntoIterator<Item = &'t ThreadId>) {
        for thread in threads {
            self.number(u64::from(thread.0) + 1);
        }
        self.number(0);
    }

    /// Writes a value: a plain one itself, an object by its number.
    fn value(&mut self, value: Value) {
        let slot = match value {
            Value::Unbound => return self.byte(0),
            Value::None => return self.byte(1),
            Value::NotImplemented => return self.byte(2),
            Value::Ellipsis => return self.byte(3),
            Value::Bool(yes) => return self.byte(4 + u8::from(yes)),
            Value::Int(number) => {
                self.byte(6);
                return self.number(number as u64);
            }
            Value::Float(number) => {
                self.byte(7);
                return self.number(number.to_bits());
            }
            Value::Native(native) => {
                self.byte(8);
                return self.number(u64::from(native.0));
            }
            Value::Module(module) => {
                self.byte(9);
                return self.number(u64::from(module));
            }
            Value::Big(it) => (10, it.slot),
            Value::Str(it) => (11, it.slot),
            Value::Bytes(it) => (12, it.slot),
            Value::Tuple(it) => (13, it.slot),
            Value::List(it) => (14, it.slot),
            Value::Dict(it) => (15, it.slot),
            Value::Set(it) => (16, it.slot),
            Value::Range(it) => (17, it.slot),
            Value::Function(it) => (18, it.slot),
            Value::Method(it) => (19, it.slot),
            Value::Class(it) => (20, it.slot),
            Value::Instance(it) => (21, it.slot),
            Value::Generator(it) => (22, it.slot),
            Value::Iter(it) => (23, it.slot),
            Value::Cell(it) => (24, it.slot),
            Value::Object(it) => (25, it.slot),
        };
        self.byte(slot.0);
        let fresh = self.numbers.len() as u64;
        let number = *self.numbers.entry(slot).or_insert(fresh);
        if number == fresh {
            self.queue.push_back(value);
        }
        self.number(number);
    }

    fn string(&mut self, string: Ref<Str>) {
        let vm = self.vm;
        self.text(vm.heap.text(string));
    }

    /// Writes what an object holds.
    fn contents(&mut self, object: Value) {
        let vm = self.vm;
        let heap = &vm.heap;
        match object {
            Value::Big(it) => self.text(&heap.bigs[it].to_str_radix(32)),
            Value::Str(it) => self.string(it),
            Value::Bytes(it) => {
                self.number(heap.bytes[it].0.len() as u64);
                self.out.extend_from_slice(&heap.bytes[it].0);
            }
            Value::Tuple(it) => self.values(&heap.tuples[it].0),
            Value::List(it) => self.values(&heap.lists[it].to_vec()),
            Value::Dict(it) => {
                self.number(heap.dicts[it].len() as u64);
                for entry in heap.dicts[it].iter() {
                    self.value(entry.key);
                    self.value(entry.value);
                }
            }
            Value::Set(it) => {
                let set = &heap.sets[it];
                self.number(set.len() as u64 * 2 + u64::from(set.frozen));
                for (_, value) in set.iter() {
                    self.value(value);
                }
            }
            Value::Range(it) => {
                let range = heap.ranges[it];
                self.number(range.start as u64);
                self.number(range.stop as u64);
                self.number(range.step as u64);
            }
            Value::Function(it) => {
                let function = &heap.functions[it];
                self.number(u64::from(function.code.0));
                for &cell in &function.cells {
                    self.value(Value::Cell(cell));
                }
                self.values(&function.defaults);
                self.values(&function.keyword_defaults);
                self.value(function.attributes.map_or(Value::None, Value::Dict));
            }
            Value::Method(it) => {
                self.value(heap.methods[it].receiver);
                self.value(heap.methods[it].function);
            }
            Value::Class(it) => {
                let class = &heap.classes[it];
                self.text(&class.qualname);
                self.text(&class.module);
                self.value(class.base.map_or(Value::None, Value::Class));
                if class.builtin.is_none() {
                    self.number(class.attributes.len() as u64);
                    for &(name, value) in &class.attributes {
                        self.name(name);
                        self.value(value);
                    }
                }
                if let Some(record) = &class.record {
                    self.value(record.init);
                    record.fields.iter().for_each(|&it| self.name(it));
                    self.values(&record.defaults);
                }
            }
            Value::Instance(it) => {
                let instance = &heap.instances[it];
                self.value(Value::Class(instance.class));
                for (at, &value) in instance.slots.iter().enumerate() {
                    self.name(vm.shapes[instance.shape].names[at]);
                    self.value(value);
                }
                self.value(instance.dict.map_or(Value::None, Value::Dict));
                self.byte(u8::from(instance.exception.is_some()));
                if let Some(exception) = &instance.exception {
                    self.values(&exception.args);
                    self.values(&exception.fields);
                    self.value(exception.cause.unwrap_or(Value::Unbound));
                    self.value(exception.context.unwrap_or(Value::Unbound));
                    self.byte(u8::from(exception.suppress_context));
                    self.trace(&exception.traceback);
                }
            }
            Value::Generator(it) => {
                let generator = &heap.generators[it];
                self.value(Value::Function(generator.function));
                self.number(u64::from(generator.pc));
                self.number(match generator.state {
                    GeneratorState::Fresh => 0,
                    GeneratorState::Running => 1,
                    GeneratorState::Finished => 2,
                    GeneratorState::Suspended { into } => 3 + u64::from(into),
                    GeneratorState::Delegating { into } => (1 << 32) + u64::from(into),
                });
                self.values(&generator.registers);
                self.value(generator.handling.unwrap_or(Value::Unbound));
            }
            Value::Iter(it) => self.iterator(&heap.iters[it]),
            Value::Cell(it) => self.value(heap.cells[it].0),
            Value::Object(it) => self.object(&heap.objects[it]),
            _ => unreachable!("only objects are queued"),
        }
    }

    fn trace(&mut self, entries: &[TraceEntry]) {
        self.number(entries.len() as u64);
        for entry in entries {
            self.number(u64::from(entry.code.0) << 32 | u64::from(entry.pc));
        }
    }

    fn view(&mut self, view: DictView) {
        self.byte(match view {
            DictView::Keys => 0,
            DictView::Values => 1,
            DictView::Items => 2,
        });
    }

    fn iterator(&mut self, iterator: &Iter) {
        match iterator {
            Iter::Done => self.byte(0),
            Iter::List { list, next } => self.place(1, Value::List(*list), *next as u64),
            Iter::Tuple { tuple, next } => self.place(2, Value::Tuple(*tuple), *next as u64),
            Iter::Str { text, next } => self.place(3, Value::Str(*text), *next as u64),
            Iter::Bytes { bytes, next } => self.place(4, Value::Bytes(*bytes), *next as u64),
            Iter::Range { next, left, step } => {
                self.byte(5);
                self.number(*next as u64);
                self.number(*left);
                self.number(*step as u64);
            }
            Iter::Dict {
                dict,
                next,
                size,
                left,
                view,
            } => {
                self.place(6, Value::Dict(*dict), *next as u64);
                self.number(*size as u64);
                self.number(*left as u64);
                self.view(*view);
            }
            Iter::DictReversed {
                dict,
                end,
                size,
                view,
            } => {
                self.place(17, Value::Dict(*dict), *end as u64);
                self.number(*size as u64);
                self.view(*view);
            }
            Iter::Set { set, next, size } => {
                self.place(7, Value::Set(*set), *next as u64);
                self.number(*size as u64);
            }
            Iter::Reversed { sequence, left } => self.place(8, *sequence, *left as u64),
            Iter::Items { items, next } => self.place(9, Value::List(*items), *next as u64),
            Iter::Enumerate { inner, next } => self.place(10, *inner, *next as u64),
            Iter::Zip { inner, strict } => {
                self.byte(11 + u8::from(*strict));
                self.values(inner);
            }
            Iter::Map { function, inner } => {
                self.byte(13);
                self.value(*function);
                self.values(inner);
            }
            Iter::Filter { function, inner } => {
                self.byte(14);
                self.value(*function);
                self.value(*inner);
            }
            Iter::Call { function, sentinel } => {
                self.byte(15);
                self.value(*function);
                self.value(*sentinel);
            }
            Iter::Sequence { object, next } => self.place(16, *object, *next as u64),
        }
    }

    fn place(&mut self, tag: u8, value: Value, next: u64) {
        self.byte(tag);
        self.value(value);
        self.number(next);
    }

    fn object(&mut self, object: &Object) {
        match object {
            Object::Free => self.byte(0),
            Object::Slice { lower, upper, step } => {
                self.byte(1);
                self.values(&[*lower, *upper, *step]);
            }
            Object::Property {
                getter,
                setter,
                deleter,
                doc,
                name,
            } => {
                self.byte(2);
                self.values(&[*getter, *setter, *deleter, *doc]);
                if let Some(name) = name {
                    self.name(*name);
                }
            }
            Object::StaticMethod(value) => {
                self.byte(3);
                self.value(*value);
            }
            Object::ClassMethod(value) => {
                self.byte(4);
                self.value(*value);
            }
            Object::Super { class, object } => {
                self.byte(5);
                self.values(&[Value::Class(*class), *object]);
            }
            Object::View { dict, view } => {
                self.byte(6);
                self.view(*view);
                self.value(Value::Dict(*dict));
            }
            Object::Lock(lock) => {
                self.byte(7 + u8::from(lock.locked));
                self.threads_of(&lock.holder);
                self.threads_of(&lock.waiters);
            }
            Object::RLock(lock) => {
                self.byte(9);
                self.number(u64::from(lock.count));
                self.threads_of(&lock.holder);
                self.threads_of(&lock.waiters);
            }
            Object::Condition(condition) => {
                self.byte(10);
                self.value(condition.lock);
                self.threads_of(&condition.waiters);
            }
            Object::Semaphore(semaphore) => {
                self.byte(11);
                self.number(semaphore.value);
                self.number(semaphore.bound.map_or(0, |bound| bound + 1));
                self.threads_of(&semaphore.waiters);
            }
            Object::Event(event) => {
                self.byte(12 + u8::from(event.set));
                self.threads_of(&event.waiters);
            }
            Object::ThreadHandle(thread) => {
                self.byte(14);
                self.number(u64::from(thread.0));
            }
            Object::ProcessHandle { process, pid, name } => {
                self.byte(15);
                self.number(*process);
                self.number(*pid as u64);
                self.text(name);
            }
            Object::Channel { channel, end, .. } => {
                self.byte(16);
                self.number(*channel);
                self.text(&format!("{end:?}"));
            }
            Object::Traceback(entries) => {
                self.byte(17);
                self.trace(entries);
            }
            Object::Namespace(dict) => {
                self.byte(18);
                self.value(Value::Dict(*dict));
            }
            Object::Ring(ring) => {
                self.byte(19);
                self.number(ring.bound().map_or(0, |bound| bound as u64 + 1));
                self.value(ring.state().unwrap_or(Value::Unbound));
                self.number(ring.len() as u64);
                for item in ring.iter() {
                    self.value(item);
                }
            }
        }
    }

    fn thread(&mut self, thread: &Thread) {
        self.text(&thread.name);
        self.byte(u8::from(thread.daemon));
        self.status(&thread.status);
        for frame in &thread.frames {
            self.number(u64::from(frame.code.0) << 32 | u64::from(frame.pc));
            self.number(u64::from(frame.base));
            if frame.function.slot != u32::MAX {
                self.value(Value::Function(frame.function));
            }
            self.ret(frame.ret);
        }
        for pending in &thread.pending {
            self.pending(pending);
        }
        self.values(&thread.stack[..thread.top(&self.vm.image)]);
        self.values(&thread.constructing);
        for &ret in &thread.construct_returns {
            self.ret(ret);
        }
        for &module in &thread.importing {
            self.number(u64::from(module));
        }
        for &generator in &thread.generators {
            self.value(Value::Generator(generator));
        }
        self.values(&[
            thread.handling,
            thread.object,
            thread.interrupt.unwrap_or(Value::Unbound),
        ]);
        for outcome in [thread.outcome, thread.ending] {
            match outcome {
                None => self.byte(0),
                Some(Outcome::Returned(value)) => {
                    self.byte(1);
                    self.value(value);
                }
                Some(Outcome::Raised(value)) => {
                    self.byte(2);
                    self.value(value);
                }
            }
        }
        self.threads_of(&thread.joiners);
        if let Some((callable, args, kwargs)) = &thread.start {
            self.value(*callable);
            self.values(args);
            for &(name, value) in kwargs {
                self.name(name);
                self.value(value);
            }
        }
        self.byte(u8::from(thread.resumed) * 2 + u8::from(thread.reporting));
    }

    fn status(&mut self, status: &Status) {
        match status {
            Status::Ready => self.byte(0),
            Status::Waiting { on, deadline_ns } => {
                self.byte(1);
                self.wait(*on);
                self.number(deadline_ns.map_or(0, |deadline| deadline + 1));
            }
            Status::Calling(call) => {
                self.byte(2);
                // Calls hold no handles, so their debug form is canonical.
                self.text(&format!("{call:?}"));
            }
            Status::Finished => self.byte(3),
        }
    }

    fn wait(&mut self, on: WaitOn) {
        match on {
            WaitOn::Object(object) => self.value(Value::Object(object)),
            WaitOn::Thread(thread) => self.number(u64::from(thread.0)),
            WaitOn::Begin(thread) => {
                self.text("begin");
                self.number(u64::from(thread.0));
            }
        }
    }

    /// Where a value goes holds registers and places in code alone.
    fn ret(&mut self, ret: Return) {
        self.text(&format!("{ret:?}"));
    }

    fn pending(&mut self, pending: &Pending) {
        self.number(u64::from(pending.native.0));
        self.number(u64::from(pending.bound.args_at));
        self.number(u64::from(pending.bound.args));
        self.number(u64::from(pending.bound.rest_at));
        self.number(u64::from(pending.bound.rest));
        self.number(u64::from(pending.depth));
        self.ret(pending.ret);
        for &(name, value) in &pending.extra {
            self.name(name);
            self.value(value);
        }
        for entry in &pending.log {
            match entry {
                LogEntry::Calls { calls, results } => {
                    self.byte(1);
                    self.calls(calls);
                    self.values(results);
                }
                LogEntry::Raised { calls, exception } => {
                    self.byte(2);
                    self.calls(calls);
                    self.value(*exception);
                }
                LogEntry::Engine(value) => {
                    self.byte(3);
                    self.value(*value);
                }
                LogEntry::Whole(value) => {
                    self.byte(6);
                    self.value(*value);
                }
                LogEntry::Woken => self.byte(4),
                LogEntry::TimedOut => self.byte(5),
            }
        }
        match &pending.awaiting {
            Awaiting::Nothing => self.byte(6),
            Awaiting::Calls {
                calls,
                results,
                catch,
            } => {
                self.byte(7 + u8::from(*catch));
                self.calls(calls);
                self.values(results);
            }
            Awaiting::Engine => self.byte(9),
            Awaiting::Wake { on, guarded } => {
                self.byte(10 + u8::from(*guarded));
                self.wait(*on);
            }
        }
    }

    fn calls(&mut self, calls: &[(Value, Vec<Value>)]) {
        for (function, args) in calls {
            self.value(*function);
            self.values(args);
        }
    }
}
