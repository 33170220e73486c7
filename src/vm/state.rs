//! What a VM consists of beside its heap: threads and their frames, names, shapes, caches, the
//! linked program, and what it says to engines and natives. What needs the whole of a VM but runs
//! nothing is here, too: collecting it, comparing it, auditing it. Knows what an operation needs,
//! and not what it means.

pub mod allocation_site;
pub(super) mod audit;
pub(super) mod cache;
pub(super) mod canonical;
pub(super) mod class;
pub(super) mod collect;
pub(super) mod exception;
pub mod link;
pub mod names;
pub mod native;
pub mod natives;
pub(super) mod shapes;
pub mod slice;
pub(super) mod stack;
pub mod sync;
pub mod thread;
pub mod threads;
pub mod vm;
