//! Engines: what plays the operating system for VMs.

pub mod real;
