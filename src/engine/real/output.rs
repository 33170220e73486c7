//! What scripts print, for all threads of a run: the streams under a lock of their own, which is
//! held while they are written.

use crate::engine::stream::{Printed, Streams};
use crate::vm::slice::Stream;
use parking_lot::Mutex;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

/// Both streams.
pub(super) struct Output(Mutex<Streams>);

impl Output {
    pub(super) fn new(streams: Streams) -> Output {
        Output(Mutex::new(streams))
    }

    /// Puts a text into the buffer of a stream; never blocks on the world outside. None if its
    /// process is no more, and the text forgotten.
    pub(super) fn print(
        &self,
        process: u64,
        stream: Stream,
        text: &str,
        flush: bool,
        ended: &AtomicBool,
    ) -> Option<Printed> {
        let mut streams = self.0.lock();
        // Under the same lock as the writing: what a process prints after its end is known to
        // others never stands after what they print then.
        if ended.load(Ordering::SeqCst) {
            return None;
        }
        Some(streams.print(process, stream, text, flush))
    }

    /// Is there anything that is not written yet?
    pub(super) fn is_pending(&self) -> bool {
        self.0.lock().is_pending()
    }

    /// Writes out what is due. May block, as may what follows.
    pub(super) fn write_out(&self, stream: Stream) -> io::Result<()> {
        self.0.lock().write_out(stream)
    }

    /// Writes out everything before somebody is asked for a line.
    pub(super) fn prompt(&self) {
        self.0.lock().prompt();
    }

    /// Writes out everything before a fork.
    pub(super) fn flush(&self) -> io::Result<()> {
        self.0.lock().flush()
    }

    /// Writes out what a child has printed, at its end; false if that cannot be.
    pub(super) fn finish_child(&self, process: u64) -> bool {
        self.0.lock().finish_child(process)
    }

    /// Writes out everything at the end; false if that cannot be, which has been told.
    pub(super) fn finish(&self) -> bool {
        self.0.lock().finish()
    }
}
