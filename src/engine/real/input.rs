//! Standard input, read by an OS thread of its own, so that a thread that waits for a line can be
//! interrupted. It reads only what somebody asked for.

use crate::engine::real::process::Caller;
use crate::engine::stream::read_line;
use crate::vm::memory::Account;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::io::{self, BufRead};
use std::sync::Arc;

/// The lines to come.
pub(super) struct Input {
    state: Mutex<State>,
    asked: Condvar,
    /// What a line may take of.
    memory: Arc<Account>,
}

#[derive(Default)]
struct State {
    source: Option<Box<dyn BufRead + Send>>,
    /// Lines that were read for threads that did not take them (yet).
    lines: VecDeque<io::Result<Vec<u8>>>,
    /// Who waits, the longest first.
    waiting: VecDeque<Caller>,
    /// How many lines the reader is to read.
    wanted: usize,
    started: bool,
    at_end: bool,
}

impl Input {
    pub(super) fn new(source: Box<dyn BufRead + Send>, memory: &Arc<Account>) -> Arc<Input> {
        Arc::new(Input {
            state: Mutex::new(State {
                source: Some(source),
                ..State::default()
            }),
            asked: Condvar::new(),
            memory: memory.clone(),
        })
    }

    /// A line if one is there (empty at the end of input); else the caller is noted and will be
    /// woken.
    pub(super) fn take_or_wait(self: &Arc<Input>, caller: &Caller) -> Option<io::Result<Vec<u8>>> {
        let mut state = self.state.lock();
        if let Some(line) = state.lines.pop_front() {
            return Some(line);
        }
        if state.at_end {
            return Some(Ok(Vec::new()));
        }
        if !state.waiting.iter().any(|it| it.is(caller)) {
            state.waiting.push_back(caller.clone());
        }
        if state.wanted < state.waiting.len() {
            state.wanted += 1;
        }
        if let Some(source) = state.source.take()
            && !state.started
        {
            state.started = true;
            let input = self.clone();
            #[expect(clippy::disallowed_methods, reason = "the reader of standard input")]
            let reader = std::thread::Builder::new()
                .name("input".into())
                .spawn(move || input.read(source));
            if let Err(error) = reader {
                state.at_end = true;
                state.waiting.pop_back();
                return Some(Err(error));
            }
        }
        self.asked.notify_one();
        None
    }

    /// Forgets a caller that was interrupted.
    pub(super) fn forget(&self, caller: &Caller) {
        self.state.lock().waiting.retain(|it| !it.is(caller));
    }

    fn read(&self, mut source: Box<dyn BufRead + Send>) {
        loop {
            let mut state = self.state.lock();
            while state.wanted == 0 {
                self.asked.wait(&mut state);
            }
            state.wanted -= 1;
            drop(state);
            let read = read_line(&mut *source, &self.memory);
            let mut state = self.state.lock();
            match read {
                Ok(line) if line.is_empty() => state.at_end = true,
                Ok(line) => state.lines.push_back(Ok(line)),
                Err(error) => state.lines.push_back(Err(error)),
            }
            let woken: Vec<Caller> = if state.at_end {
                state.waiting.drain(..).collect()
            } else {
                state.waiting.pop_front().into_iter().collect()
            };
            let at_end = state.at_end;
            drop(state);
            for caller in woken {
                caller.wake();
            }
            if at_end {
                return;
            }
        }
    }
}
