//! The script's input and output. Text goes to writers that the engine is given; nothing depends on
//! what they are, so that a run prints the same bytes anywhere.

use crate::engine::sim::Options;
use crate::engine::stream::{Printed, Streams, read_line};
use crate::vm::memory::Account;
use crate::vm::slice::Stream;
use std::io::{self, BufRead};
use std::sync::Arc;

/// All three streams.
pub(super) struct Console {
    input: Box<dyn BufRead + Send>,
    streams: Streams,
}

impl Console {
    /// Takes the streams out of the options.
    pub(super) fn new(options: &mut Options) -> Console {
        Console {
            input: std::mem::replace(&mut options.input, Box::new(io::empty())),
            streams: Streams::new(
                std::mem::replace(&mut options.output, Box::new(io::sink())),
                std::mem::replace(&mut options.error, Box::new(io::sink())),
                false,
                options.limits.output_bytes,
            ),
        }
    }

    /// Prints. What was due has been given to the operating system, and the answer is what came of
    /// that.
    pub(super) fn print(
        &mut self,
        process: u32,
        stream: Stream,
        text: &str,
        flush: bool,
    ) -> (Printed, io::Result<()>) {
        let printed = self.streams.print(process.into(), stream, text, flush);
        let written = match printed {
            Printed::Due => self.streams.write_out(stream),
            Printed::Kept | Printed::TooMuch => Ok(()),
        };
        (printed, written)
    }

    /// Writes out everything before a fork.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.streams.flush()
    }

    /// Writes out what a child has printed, at its end; false if that cannot be.
    pub(super) fn finish_child(&mut self, process: u32) -> bool {
        self.streams.finish_child(process.into())
    }

    /// Writes out everything at the end; false if that cannot be, which has been told.
    pub(super) fn finish(&mut self) -> bool {
        self.streams.finish()
    }

    /// A line of input with its newline; empty at the end. What was printed is written out first, a
    /// prompt above all.
    pub(super) fn read_line(&mut self, memory: &Arc<Account>) -> io::Result<Vec<u8>> {
        self.streams.prompt();
        read_line(&mut *self.input, memory)
    }
}
