//! Standard output and standard error of a run, buffered as CPython 3.11 buffers its own, so that
//! the same texts come out at the same moments, and where they cannot be written the same call
//! raises and the same text is lost: `TextIOWrapper` collects a chunk (`_textiowrapper_writeflush`
//! in Modules/_io/textio.c), `BufferedWriter` behind it a block (`_io_BufferedWriter_write_impl` in
//! Modules/_io/bufferedio.c). Knows no engine.
//!
//! Two things are different. All processes of a run share the buffers, so that their lines stand in
//! the order in which they were printed; each byte is somebody's all the same, since what a child
//! cannot write is lost with the child. And what goes to standard error comes after what was
//! printed before it.

use crate::engine::fault;
use crate::vm::memory::{Account, Charge};
use crate::vm::slice::Stream;
use std::io::{self, BufRead, ErrorKind, Write};
use std::sync::Arc;

/// The exit code of a script whose output could not be written. `Py_RunMain` in Modules/main.c took
/// a number that hardly means anything else.
pub const LOST_OUTPUT: i32 = 120;

/// `_CHUNK_SIZE` of a `TextIOWrapper`.
const CHUNK_BYTES: usize = 8192;

/// What `BufferedWriter` is given: the preferred block (`st_blksize`) of pipes and of most files.
const BLOCK_BYTES: usize = 4096;

/// Both streams.
pub(crate) struct Streams {
    out: TextStream,
    err: TextStream,
    limit_bytes: Option<u64>,
    printed_bytes: u64,
}

/// What became of a text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Printed {
    /// It is in a buffer, and may stay there.
    Kept,
    /// It is in a buffer that is to be written out now.
    Due,
    /// It goes beyond what the run may print.
    TooMuch,
}

impl Streams {
    /// `line_buffered` is for standard output; standard error always is.
    pub(crate) fn new(
        out: Box<dyn Write + Send>,
        err: Box<dyn Write + Send>,
        line_buffered: bool,
        limit_bytes: Option<u64>,
    ) -> Streams {
        Streams {
            out: TextStream::new(out, line_buffered),
            err: TextStream::new(err, true),
            limit_bytes,
            printed_bytes: 0,
        }
    }

    /// Puts a text of a process into the buffer of a stream; never blocks on the world outside.
    pub(crate) fn print(
        &mut self,
        process: u64,
        stream: Stream,
        text: &str,
        flush: bool,
    ) -> Printed {
        let room = self
            .limit_bytes
            .map_or(u64::MAX, |limit| limit.saturating_sub(self.printed_bytes));
        self.printed_bytes = self.printed_bytes.saturating_add(text.len() as u64);
        let fits = text.floor_char_boundary(usize::try_from(room).unwrap_or(usize::MAX));
        let due = self.of(stream).put(process, &text[..fits], flush);
        if fits < text.len() {
            Printed::TooMuch
        } else if due {
            Printed::Due
        } else {
            Printed::Kept
        }
    }

    /// Writes out what is due. May block.
    pub(crate) fn write_out(&mut self, stream: Stream) -> io::Result<()> {
        match stream {
            Stream::Out => self.out.write_out(),
            Stream::Err => {
                self.out.try_to_empty();
                self.err.write_out()
            }
        }
    }

    /// Writes out everything before somebody is asked for a line; that it fails is told at the end.
    /// May block.
    pub(crate) fn prompt(&mut self) {
        self.out.try_to_empty();
        self.err.try_to_empty();
    }

    /// Is there anything that is not written yet?
    pub(crate) fn is_pending(&self) -> bool {
        !self.out.is_empty() || !self.err.is_empty()
    }

    /// What `multiprocessing` does before a fork (`util._flush_std_streams`). May block.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()?;
        self.err.flush()
    }

    /// A child has come to its end. False if what it printed cannot be written: it is gone then,
    /// and the child's exit code is 1, without a word. May block.
    pub(crate) fn finish_child(&mut self, process: u64) -> bool {
        let written = [&mut self.out, &mut self.err]
            .into_iter()
            .all(|it| !it.has(process) || it.flush().is_ok());
        self.out.forget(process);
        self.err.forget(process);
        written
    }

    /// The run has come to its end. False if something cannot be written: CPython says so as far as
    /// it can, and its exit code is `LOST_OUTPUT`. May block.
    pub(crate) fn finish(&mut self) -> bool {
        let written = self.out.flush();
        if let Err(error) = &written {
            self.out.clear();
            let told = format!(
                "Exception ignored in: <_io.TextIOWrapper name='<stdout>' mode='w' encoding='utf-8'>\n{}\n",
                fault::of(error)
            );
            self.err.put(0, &told, true);
        }
        let told = self.err.flush();
        self.err.clear();
        written.is_ok() && told.is_ok()
    }

    fn of(&mut self, stream: Stream) -> &mut TextStream {
        match stream {
            Stream::Out => &mut self.out,
            Stream::Err => &mut self.err,
        }
    }
}

/// The exit code of a process whose main thread has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ExitCode {
    /// Once all that it printed is written.
    written: i32,
    /// If that cannot be done.
    lost: i32,
}

impl ExitCode {
    /// From the main thread's own, and whether a report came with it.
    pub(crate) fn new(code: i32, has_report: bool, is_first: bool) -> ExitCode {
        /// After `KeyboardInterrupt` CPython ends itself by the signal, whatever else there is.
        const INTERRUPTED: i32 = 130;
        let lost = match (is_first, code) {
            (true, INTERRUPTED) if has_report => code,
            (true, _) => LOST_OUTPUT,
            (false, _) => 1,
        };
        ExitCode {
            // Negative codes are for signals.
            written: code & 0xff,
            lost,
        }
    }

    /// The code, now that it is known whether everything is written.
    pub(crate) fn when(self, written: bool) -> i32 {
        if written { self.written } else { self.lost }
    }
}

/// A line with its newline; empty at the end of the input. An error of the kind `OutOfMemory` if
/// there is no room for all of it; the rest is left to be read.
pub(crate) fn read_line(source: &mut dyn BufRead, memory: &Arc<Account>) -> io::Result<Vec<u8>> {
    /// The line, the string that is made of it, and the room that a vector has to spare.
    const TAKES: usize = 4;
    let mut line = Vec::new();
    let mut held = Charge::none(memory);
    loop {
        let found = match source.fill_buf() {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let end = found.iter().position(|it| *it == b'\n');
        let taken = end.map_or(found.len(), |at| at + 1);
        if !held.try_grow(TAKES * taken) {
            return Err(io::Error::from(ErrorKind::OutOfMemory));
        }
        line.extend_from_slice(&found[..taken]);
        source.consume(taken);
        if end.is_some() || taken == 0 {
            return Ok(line);
        }
    }
}

/// One of them.
struct TextStream {
    sink: Box<dyn Write + Send>,
    line_buffered: bool,
    /// What `TextIOWrapper` collects.
    chunk: Bytes,
    /// What it has handed on. Whatever of it does not fit into the block is lost where it cannot be
    /// written,
    leaving: Bytes,
    /// and with it so many bytes of the chunk: those of the text for which there was no more room.
    at_stake: usize,
    /// What `BufferedWriter` holds, and keeps until it is written.
    block: Bytes,
    /// The block is to be written as well.
    flush: bool,
}

impl TextStream {
    fn new(sink: Box<dyn Write + Send>, line_buffered: bool) -> TextStream {
        TextStream {
            sink,
            line_buffered,
            chunk: Bytes::default(),
            leaving: Bytes::default(),
            at_stake: 0,
            block: Bytes::default(),
            flush: false,
        }
    }

    /// True if something is to be written out now.
    fn put(&mut self, process: u64, text: &str, flush: bool) -> bool {
        let flush = flush || self.line_buffered && text.contains(['\n', '\r']);
        if self.chunk.len() + text.len() > CHUNK_BYTES {
            self.leaving.append(&mut self.chunk);
            self.at_stake = text.len();
        }
        self.chunk.push(process, text.as_bytes());
        if flush || self.chunk.len() >= CHUNK_BYTES {
            self.hand_on();
        }
        if !flush && self.block.len() + self.leaving.len() <= BLOCK_BYTES {
            self.settle();
        }
        self.flush |= flush;
        !self.leaving.is_empty() || flush && !self.block.is_empty()
    }

    fn hand_on(&mut self) {
        self.leaving.append(&mut self.chunk);
        self.at_stake = 0;
    }

    /// What was handed on fits into the block.
    fn settle(&mut self) {
        self.block.append(&mut self.leaving);
        self.at_stake = 0;
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on();
        self.flush = true;
        self.write_out()
    }

    fn write_out(&mut self) -> io::Result<()> {
        let flush = std::mem::take(&mut self.flush);
        if self.block.len() + self.leaving.len() > BLOCK_BYTES
            && let Err(error) = self.make_room()
        {
            self.leaving.clear();
            self.chunk.drop_first(std::mem::take(&mut self.at_stake));
            return Err(error);
        }
        self.settle();
        if flush {
            self.block.write_to(&mut self.sink, 0)?;
            self.sink.flush()?;
        }
        Ok(())
    }

    fn make_room(&mut self) -> io::Result<()> {
        self.block.write_to(&mut self.sink, 0)?;
        self.leaving.write_to(&mut self.sink, BLOCK_BYTES)
    }

    /// Writes everything, or what can be written; the rest stays.
    fn try_to_empty(&mut self) {
        for layer in [&mut self.block, &mut self.leaving] {
            if layer.write_to(&mut self.sink, 0).is_err() {
                return;
            }
        }
        self.at_stake = 0;
        if self.chunk.write_to(&mut self.sink, 0).is_err() {
            return;
        }
        // What the sink itself holds back is told of at the end.
        let _ = self.sink.flush();
    }

    fn layers(&self) -> [&Bytes; 3] {
        [&self.block, &self.leaving, &self.chunk]
    }

    fn is_empty(&self) -> bool {
        self.layers().iter().all(|it| it.is_empty())
    }

    fn has(&self, process: u64) -> bool {
        self.layers()
            .iter()
            .any(|it| it.owners.iter().any(|(owner, _)| *owner == process))
    }

    fn forget(&mut self, process: u64) {
        self.block.forget(process);
        self.leaving.forget(process);
        self.chunk.forget(process);
    }

    fn clear(&mut self) {
        self.block.clear();
        self.leaving.clear();
        self.chunk.clear();
    }
}

/// Bytes that are not written yet, and whose they are.
#[derive(Default)]
struct Bytes {
    bytes: Vec<u8>,
    /// Processes with how many of the bytes are theirs, in order.
    owners: Vec<(u64, usize)>,
}

impl Bytes {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn push(&mut self, process: u64, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.bytes.extend_from_slice(bytes);
        match self.owners.last_mut() {
            Some((last, count)) if *last == process => *count += bytes.len(),
            _ => self.owners.push((process, bytes.len())),
        }
    }

    fn append(&mut self, more: &mut Bytes) {
        if self.is_empty() {
            std::mem::swap(self, more);
            more.clear();
            return;
        }
        self.bytes.append(&mut more.bytes);
        self.owners.append(&mut more.owners);
    }

    fn forget(&mut self, process: u64) {
        let mut at = 0;
        for (owner, count) in &mut self.owners {
            if *owner == process {
                self.bytes.drain(at..at + std::mem::take(count));
            } else {
                at += *count;
            }
        }
        self.owners.retain(|(_, count)| *count > 0);
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.owners.clear();
    }

    /// Writes until at most so many bytes are left.
    fn write_to(&mut self, sink: &mut impl Write, most_left: usize) -> io::Result<()> {
        while self.len() > most_left {
            match sink.write(&self.bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => self.drop_first(written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn drop_first(&mut self, written: usize) {
        if written == self.len() {
            return self.clear();
        }
        self.bytes.drain(..written);
        let mut left = written;
        for (_, count) in &mut self.owners {
            let gone = left.min(*count);
            *count -= gone;
            left -= gone;
        }
        self.owners.retain(|(_, count)| *count > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// A disk that has room for so many bytes.
    #[derive(Clone, Default)]
    struct Disk {
        room: Arc<Mutex<usize>>,
        bytes: Arc<Mutex<Vec<u8>>>,
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let mut room = self.room.lock().unwrap();
            let fits = bytes.len().min(*room);
            if fits == 0 && !bytes.is_empty() {
                return Err(io::Error::from_raw_os_error(28));
            }
            *room -= fits;
            self.bytes.lock().unwrap().extend_from_slice(&bytes[..fits]);
            Ok(fits)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn streams(disk: &Disk) -> Streams {
        Streams::new(Box::new(disk.clone()), Box::new(io::sink()), false, None)
    }

    /// Prints, and writes out what is due.
    fn print(streams: &mut Streams, process: u64, text: &str, flush: bool) -> io::Result<()> {
        match streams.print(process, Stream::Out, text, flush) {
            Printed::Due => streams.write_out(Stream::Out),
            Printed::Kept | Printed::TooMuch => Ok(()),
        }
    }

    #[test]
    fn everything_comes_out_in_order() {
        let disk = Disk::default();
        *disk.room.lock().unwrap() = usize::MAX;
        let mut streams = streams(&disk);
        let mut expected = String::new();
        for at in 0_usize..2000 {
            // Short and long, around the sizes of the buffers.
            let text = format!("{at} {}\n", "x".repeat(at * at * 7 % 9000));
            print(&mut streams, at as u64 % 3, &text, at.is_multiple_of(17)).unwrap();
            if at.is_multiple_of(31) {
                streams.prompt();
            }
            expected += &text;
        }
        assert!(streams.finish());
        assert!(*disk.bytes.lock().unwrap() == expected.into_bytes());
    }

    #[test]
    fn a_text_that_raised_is_not_told_of_again() {
        let disk = Disk::default();
        let mut streams = streams(&disk);
        assert!(print(&mut streams, 0, &"x".repeat(10_000), false).is_err());
        assert!(streams.finish());
        print(&mut streams, 0, &"x".repeat(5_000), false).unwrap();
        assert!(print(&mut streams, 0, &"y".repeat(5_000), false).is_err());
        assert!(!streams.is_pending());
    }

    #[test]
    fn a_short_text_is_kept_for_another_attempt() {
        let disk = Disk::default();
        let mut streams = streams(&disk);
        assert!(print(&mut streams, 0, "kept", true).is_err());
        *disk.room.lock().unwrap() = 2;
        assert!(print(&mut streams, 0, "?", true).is_err());
        assert_eq!(disk.bytes.lock().unwrap().as_slice(), b"ke");
        *disk.room.lock().unwrap() = 100;
        assert!(streams.finish());
        assert_eq!(disk.bytes.lock().unwrap().as_slice(), b"kept?");
    }

    #[test]
    fn what_a_child_cannot_write_is_lost_with_it_and_nothing_else() {
        let disk = Disk::default();
        let mut streams = streams(&disk);
        for (process, text) in [(0, "a"), (1, "b"), (0, "c"), (1, "d"), (2, "e")] {
            print(&mut streams, process, text, false).unwrap();
        }
        assert!(streams.finish_child(7), "it has printed nothing");
        assert!(!streams.finish_child(1));
        *disk.room.lock().unwrap() = 100;
        assert!(streams.finish());
        assert_eq!(disk.bytes.lock().unwrap().as_slice(), b"ace");
    }
}
