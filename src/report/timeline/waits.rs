//! How long threads waited for the things that the script has names for.

use crate::event::names::Thing;
use crate::event::{Event, ThreadId, VmId, What};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The waits of a run.
#[derive(Default)]
pub(super) struct Waits {
    /// What each thread calls each thing that it has waited for.
    names: BTreeMap<(VmId, ThreadId, Thing), Arc<str>>,
    /// Since when threads wait that wait now, and for what.
    under_way: BTreeMap<(VmId, ThreadId), (u64, Arc<str>)>,
    rows: BTreeMap<Arc<str>, Total>,
}

#[derive(Clone, Copy, Default)]
struct Total {
    times: u64,
    ns: u64,
}

/// All waits for one thing, or for several that have the same name.
pub(super) struct Row {
    pub(super) name: Arc<str>,
    pub(super) times: u64,
    pub(super) ns: u64,
}

impl Waits {
    pub(super) fn take(&mut self, event: &Event) {
        let who = (event.vm, event.thread);
        match &event.what {
            What::Named(naming) => {
                if let Some(thing) = Thing::of(event.vm, naming.on) {
                    let name = naming.name.as_str().into();
                    self.names.insert((event.vm, event.thread, thing), name);
                }
            }
            What::Blocked { on, .. } => {
                let name = Thing::of(event.vm, *on)
                    .and_then(|thing| self.names.get(&(event.vm, event.thread, thing)));
                if let Some(name) = name {
                    self.under_way.insert(who, (event.at_ns, name.clone()));
                }
            }
            What::Woken { .. }
            | What::LockRequested
            | What::LockAcquired { .. }
            | What::ThreadEnded
            | What::VmEnded { .. } => {
                if let Some((since_ns, name)) = self.under_way.remove(&who) {
                    self.add(name, since_ns, event.at_ns);
                }
            }
            What::VmBorn { .. }
            | What::ThreadBorn { .. }
            | What::DropRequested { .. }
            | What::LockReleased(_)
            | What::Ran { .. }
            | What::Dispatched
            | What::Preempted
            | What::Forked { .. }
            | What::Sent { .. }
            | What::Received { .. } => {}
        }
    }

    /// Was there any?
    pub(super) fn any(&self) -> bool {
        !self.rows.is_empty()
    }

    fn add(&mut self, name: Arc<str>, since_ns: u64, until_ns: u64) {
        let total = self.rows.entry(name).or_default();
        total.times += 1;
        total.ns = total.ns.saturating_add(until_ns.saturating_sub(since_ns));
    }

    /// The longest, after a run that took so long: waits that nothing has ended lasted until then.
    pub(super) fn longest(&mut self, elapsed_ns: u64, most: usize) -> Vec<Row> {
        for (_, (since_ns, name)) in std::mem::take(&mut self.under_way) {
            self.add(name, since_ns, elapsed_ns);
        }
        let mut rows: Vec<Row> = self
            .rows
            .iter()
            .map(|(name, total)| Row {
                name: name.clone(),
                times: total.times,
                ns: total.ns,
            })
            .collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.ns));
        rows.truncate(most);
        rows
    }
}
