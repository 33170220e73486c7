//! What the script calls the things that threads wait for, as events: each thread says it before it
//! waits for a thing for the first time. Knows VMs; knows no engine.

use super::{Blockage, Naming, ThreadId, VmId, What};
use crate::vm::Vm;
use crate::vm::primitive::AllocationSite;
use crate::vm::slice::{SysCall, WaitOn};
use crate::vm::thread::Status;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A thing that threads wait for, as far as events tell things apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Thing {
    /// An object of a VM, by its number there. Another may have that number when it is gone.
    Object { vm: VmId, number: u32 },
    /// A channel; no two of a run have the same number.
    Channel(u64),
}

impl Thing {
    /// What a thread of a VM waits for, if that is a thing.
    #[must_use]
    pub fn of(vm: VmId, on: Blockage) -> Option<Thing> {
        match on {
            Blockage::Object { number, .. } => Some(Thing::Object { vm, number }),
            Blockage::Room { channel } | Blockage::Message { channel } => {
                Some(Thing::Channel(channel))
            }
            Blockage::Sleep
            | Blockage::Thread(_)
            | Blockage::Begin(_)
            | Blockage::Threads
            | Blockage::Process(_)
            | Blockage::Children
            | Blockage::Input
            | Blockage::System => None,
        }
    }
}

/// What has been said already, and by whom.
#[derive(Debug, Default)]
pub struct Names {
    said: BTreeMap<(VmId, ThreadId, Thing), Option<AllocationSite>>,
}

impl Names {
    /// What a thread that is about to wait says of the thing, if it has not said so before and the
    /// script has a name for it.
    pub fn new_name(&mut self, vm: &Vm, number: VmId, thread: ThreadId) -> Option<What> {
        let on = Blockage::of(vm, thread)?;
        let thing = Thing::of(number, on)?;
        let object = match &vm.threads[thread.0 as usize].status {
            Status::Waiting {
                on: WaitOn::Object(object),
                ..
            } => Some(*object),
            _ => None,
        };
        let allocation_site = object.and_then(|it| vm.allocation_site_of(it));
        let before = self.said.insert((number, thread, thing), allocation_site);
        if before.is_some_and(|before| before == allocation_site) {
            return None;
        }
        let (origin, kind) = match (object, &vm.threads[thread.0 as usize].status) {
            (Some(object), _) => (vm.origin(object)?, on.kind()),
            (
                None,
                Status::Calling(SysCall::Send { channel, .. } | SysCall::Receive { channel, .. }),
            ) => (vm.channel_origin(*channel)?, "channel"),
            _ => return None,
        };
        let name = origin.describe(kind);
        Some(What::Named(Arc::new(Naming { on, name })))
    }
}
