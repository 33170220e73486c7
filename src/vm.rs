//! The pure core: a VM is a value. It knows no clock, no thread of the operating system, no lock,
//! no file, and prints nothing; an engine plays the operating system for it. Its one verb is
//! `Vm::run`.

pub mod builtins;
pub mod heap;
pub mod interpreter;
pub mod semantics;
pub mod state;

pub use heap::{class, fault, flag, memory, object, primitive, tuning, value, work};
pub use interpreter::run;
pub use semantics::parcel;
pub use state::vm::{Limits, Vm};
pub use state::{allocation_site, link, slice, thread};
