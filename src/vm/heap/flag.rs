//! How an engine reaches a thread that is in the middle of a builtin. The budget bounds a slice in
//! instructions, but a builtin is one instruction however long it takes (`sum(range(10**11))`). So
//! builtins that may be long look at a flag every now and then. Where it is up they give up, as if
//! they had asked something: nothing is changed yet, and they are called again from their beginning
//! if the thread goes on. Knows no engine.

use std::sync::atomic::{AtomicBool, Ordering};

/// Somebody wants something of whoever runs a VM.
#[derive(Debug, Default)]
pub struct InterruptFlag(AtomicBool);

impl InterruptFlag {
    /// Makes a builtin that is under way give up at its next look. Anybody may call it.
    pub fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// To be called before looking for what is wanted: whoever wants something later raises it
    /// again.
    pub fn lower(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    /// Is it up?
    #[inline]
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
