//! Engines: what plays the operating system for VMs. They share how they tell what came of a run
//! and how a script's output is buffered, and nothing else.

pub(crate) mod child;
pub(crate) mod deadlock;
pub(crate) mod fault;
pub mod outcome;
pub mod real;
pub mod sim;
pub(crate) mod stream;
pub(crate) mod whereabouts;

pub use child::SIGTERM;
pub use stream::LOST_OUTPUT;
