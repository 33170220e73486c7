//! When garbage is collected, and what a VM may take of the run's memory: the part of `Vm` that
//! counts bytes.

use crate::vm::Vm;
use crate::vm::heap::class::{Name, Type};
use crate::vm::heap::memory::{Account, Charge, Counted, counted};
use crate::vm::heap::object::Object;
use crate::vm::heap::value::{ThreadId, Value};
use crate::vm::state::cache::Cache;
use crate::vm::state::class::Lookup;
use crate::vm::state::thread::Thread;
use std::sync::Arc;

counted! { Cache: 16, Lookup: 32 }

impl Vm {
    /// `collect_if_due` before a new value is put anywhere. If false is the answer the value must
    /// not be put there: a script that catches the `MemoryError` and tries again would have a
    /// larger one each time.
    #[inline]
    pub(in crate::vm) fn collect_keeping(&mut self, value: Value) -> bool {
        (self.heap.allocated < self.collect_at && !self.heap.shares())
            || self.collect_but_keep(value)
    }

    #[cold]
    pub(in crate::vm) fn collect_but_keep(&mut self, value: Value) -> bool {
        self.kept.push(value);
        let fits = self.collect_if_due();
        self.kept.pop();
        fits
    }

    /// Collects garbage if enough was allocated since the last time; false if what lives leaves no
    /// room to go on with.
    pub(in crate::vm) fn collect_if_due(&mut self) -> bool {
        self.heap.count_copies();
        if self.heap.allocated < self.collect_at {
            return true;
        }
        self.collect();
        self.collect_at >= self.least()
    }

    /// Has a native made so much garbage that it had better let it be collected?
    pub(in crate::vm) fn is_overdue(&self) -> bool {
        /// What a native may make before.
        const MUCH: usize = 16 << 20;
        self.heap.allocated >= self.collect_at.saturating_add(MUCH.min(self.collect_at))
    }

    /// Is there room for so many bytes, for as long as a native runs or for an object that it
    /// makes?
    pub(in crate::vm) fn has_room(&mut self, bytes: usize) -> bool {
        let wanted = self.heap.allocated.saturating_add(bytes);
        let more = wanted.saturating_sub(self.granted);
        let granted = more == 0 || self.memory.try_grow(more);
        if granted {
            self.granted += more;
        }
        granted
    }

    /// Bytes for which there is room, if other VMs take none of them.
    pub(in crate::vm) fn room(&self) -> usize {
        let granted = self.granted.saturating_sub(self.heap.allocated);
        granted.saturating_add(self.memory.account().free())
    }

    /// So many bytes of the run's memory for what leaves it: what nobody has, or else of what it
    /// might have allocated itself.
    pub fn pay(&mut self, bytes: usize) -> Option<Charge> {
        Charge::new(self.account(), bytes).or_else(|| {
            let fits = self.has_room(bytes);
            fits.then(|| {
                self.granted = self.granted.saturating_sub(bytes);
                self.collect_at = self.collect_at.min(self.granted);
                self.memory.split(bytes)
            })
        })
    }

    /// What a channel takes of the run's memory, beside its messages.
    pub fn pay_for_channel(&mut self) -> Option<Charge> {
        const CHANNEL: usize = 512;
        self.pay(CHANNEL)
    }

    /// Is there room for so many bytes, if need be after a collection?
    pub(in crate::vm) fn make_room(&mut self, bytes: usize) -> bool {
        self.has_room(bytes) || {
            self.collect();
            self.has_room(bytes)
        }
    }

    /// The run's account of memory.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        self.memory.account()
    }

    /// Weighs everything, and is granted what it may allocate until the next collection.
    pub(in crate::vm) fn weigh(&mut self) {
        let (own, shared) = self.heap.weigh();
        let threads: usize = self.threads.iter().map(Thread::bytes).sum();
        let threads = threads + self.threads.bytes();
        let own = own + threads + self.tables_bytes();
        // Free slots are taken first: a heap that counted them as in use would grow with each one.
        self.heap.live = own + shared - self.heap.idle_bytes();
        self.memory.set(own);
        let wanted = self.limits.tuning.next_collection(self.heap.live);
        // A part of what is left, so that other VMs of the run can go on, too; but not less than is
        // worth it.
        let account = self.memory.account();
        let (free, least) = (account.free(), account.least());
        let granted = wanted.min((free / 4).max(least)).min(free);
        self.collect_at = if self.memory.try_grow(granted) {
            granted
        } else {
            0
        };
        self.granted = self.collect_at;
        self.collect_even_if_full_at = self.collect_at.max(self.least());
    }

    /// With less than this there is no going on.
    fn least(&self) -> usize {
        let nursery = self.limits.tuning.nursery_bytes;
        self.memory.account().least().min(nursery)
    }

    /// Bytes of the tables that grow with what a script does, and of those that every VM has.
    fn tables_bytes(&self) -> usize {
        let fixed = self.caches.len() * Cache::BYTES
            + self.lookups.len() * Lookup::BYTES
            + (self.globals.len() + self.constants.len()) * size_of::<Value>()
            + self.module_names.len() * 24;
        self.names.bytes() + self.shapes.bytes() + fixed
    }

    /// Frees what no thread can reach, and names and shapes that nothing has.
    pub fn collect(&mut self) {
        self.collect_objects();
        let checks = self.limits.tuning.checks;
        if checks {
            // Before caches go with their shapes: what only they held is free after the next one.
            self.audit(true);
        }
        if checks || self.names.are_crowded() || self.shapes.are_crowded() {
            self.forget_shapes();
            self.forget_names();
        }
        self.weigh();
    }

    /// The same while a call is being made, whose keywords only code that is under way may have.
    pub(in crate::vm) fn collect_but_keep_names(&mut self) {
        self.collect_objects();
        self.weigh();
    }

    fn forget_shapes(&mut self) {
        let classes = self.heap.classes.iter();
        let of_classes = classes.flat_map(|it| {
            let of_record = it.record.as_ref().map(|it| it.shape);
            of_record.into_iter().chain([it.root_shape])
        });
        let of_instances = self.heap.instances.iter().map(|it| it.shape);
        let stays = self.shapes.retain(of_classes.chain(of_instances));
        for cache in &mut self.caches {
            if !cache.shapes().all(|it| stays[it as usize]) {
                *cache = Cache::Empty;
            }
        }
    }

    fn forget_names(&mut self) {
        let mut used = vec![false; self.names.numbers()];
        let mut uses = |name: Name| used[name.0 as usize] = true;
        for (_, shape) in self.shapes.iter() {
            shape.names.iter().copied().for_each(&mut uses);
        }
        for class in self.heap.classes.iter() {
            let fields = class.record.iter().flat_map(|it| &it.fields);
            let attributes = class.attributes.iter().map(|(name, _)| name);
            attributes.chain(fields).copied().for_each(&mut uses);
        }
        for object in self.heap.objects.iter() {
            if let Object::Property {
                name: Some(name), ..
            } = object
            {
                uses(*name);
            }
        }
        for thread in self.threads.iter() {
            thread.keywords().for_each(&mut uses);
        }
        self.names.retain(|it| used[it.0 as usize]);
    }

    fn collect_objects(&mut self) {
        let checks = self.limits.tuning.checks;
        if checks {
            self.audit(false);
        }
        for thread in self.threads.iter_mut() {
            thread.clear_above_top(&self.image);
        }
        for cache in &mut self.caches {
            cache.forget_stale(self.class_version);
        }
        for lookup in &self.lookups {
            lookup.set(Lookup::default());
        }
        let Vm {
            image,
            heap,
            constants,
            globals,
            at_exit,
            kept,
            threads,
            caches,
            ..
        } = self;
        let roots = |visit: &mut dyn FnMut(Value)| {
            // Nothing need hold a builtin class for the VM to find it, and what it holds, by its
            // number.
            for of in Type::ALL {
                visit(of.value());
            }
            for values in [constants, globals, at_exit, kept] {
                for &value in values.iter() {
                    visit(value);
                }
            }
            for thread in threads.iter().filter(|it| !it.buried) {
                thread.roots(image, visit);
            }
            for cache in caches {
                cache.holds().for_each(&mut *visit);
            }
        };
        // Of a buried thread somebody may still ask what it came to.
        let buried = |thread: ThreadId, visit: &mut dyn FnMut(Value)| {
            threads[thread.0 as usize].roots(image, visit);
        };
        let known = heap.collect(roots, buried);
        threads.forget_buried(|it| known.contains(&it));
    }
}
