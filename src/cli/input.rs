//! Standard input for a simulation, which reads it itself and so is blocked while nobody types. The
//! reading is done by another thread, so that a flag ends the wait. It reads only what somebody
//! asked for.

use crate::cli::terminal;
use crate::vm::flag::InterruptFlag;
use std::io::{self, BufRead, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// How often whoever waits looks at the flag.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Standard input, until the flag is up.
pub(super) struct Input {
    flag: Arc<InterruptFlag>,
    /// From the first wish on.
    reader: Option<Reader>,
    /// What was read, and how much of it was taken.
    chunk: Vec<u8>,
    taken: usize,
}

/// The thread that reads.
struct Reader {
    wish: SyncSender<()>,
    chunks: Receiver<io::Result<Vec<u8>>>,
}

impl Reader {
    #[expect(clippy::disallowed_methods, reason = "the reader of standard input")]
    fn start() -> io::Result<Reader> {
        let (wish, wishes) = sync_channel(1);
        let (chunk, chunks) = sync_channel(1);
        let read = move || {
            let mut source = terminal::input();
            while wishes.recv().is_ok() {
                let read = source.fill_buf().map(<[u8]>::to_vec);
                source.consume(read.as_ref().map_or(0, Vec::len));
                if chunk.send(read).is_err() {
                    return;
                }
            }
        };
        let named = std::thread::Builder::new().name("input".into());
        named.spawn(read)?;
        Ok(Reader { wish, chunks })
    }
}

impl Input {
    pub(super) fn new(flag: Arc<InterruptFlag>) -> Input {
        Input {
            flag,
            reader: None,
            chunk: Vec::new(),
            taken: 0,
        }
    }

    fn next(&mut self) -> io::Result<Vec<u8>> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        let reader = match &mut self.reader {
            Some(reader) => reader,
            none => none.insert(Reader::start()?),
        };
        reader.wish.send(()).map_err(gone)?;
        loop {
            match reader.chunks.recv_timeout(LOOK_EVERY) {
                Ok(chunk) => return chunk,
                Err(RecvTimeoutError::Timeout) if !self.flag.is_up() => {}
                Err(_) => return Err(io::Error::from(io::ErrorKind::BrokenPipe)),
            }
        }
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.chunk.len() {
            self.chunk = self.next()?;
            self.taken = 0;
        }
        Ok(&self.chunk[self.taken..])
    }

    fn consume(&mut self, bytes: usize) {
        self.taken += bytes;
    }
}
