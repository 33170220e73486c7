//! What can be seen in a run's events. A report takes events and gives text; it knows no engine, no
//! clock, no terminal, and prints nothing.

pub mod timeline;
