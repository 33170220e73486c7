//! Runs a program to its end, or to the end of one's patience: a test that hangs is a test that
//! fails.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How a program ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// None when a signal ended it, ours included.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) timed_out: bool,
}

impl Finished {
    pub(crate) fn last_line_of_stderr(&self) -> String {
        let text = String::from_utf8_lossy(&self.stderr);
        text.trim_end_matches('\n')
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .to_owned()
    }
}

/// Runs `command` with `input` as its standard input, and kills it after `limit`.
pub(crate) fn finish(command: &mut Command, input: &[u8], limit: Duration) -> Finished {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let mut stdin = child.stdin.take().expect("stdin was asked for");
    let stdout = child.stdout.take().expect("stdout was asked for");
    let stderr = child.stderr.take().expect("stderr was asked for");
    thread::scope(|scope| {
        scope.spawn(move || {
            // A program need not read what it is given.
            let _ = stdin.write_all(input);
        });
        let stdout = scope.spawn(|| everything(stdout));
        let stderr = scope.spawn(|| everything(stderr));
        let (code, timed_out) = wait(&mut child, limit);
        Finished {
            code,
            stdout: stdout.join().expect("reading does not panic"),
            stderr: stderr.join().expect("reading does not panic"),
            timed_out,
        }
    })
}

/// All that comes until the other end is closed.
pub(crate) fn everything(mut from: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    from.read_to_end(&mut bytes)
        .expect("a pipe can be read to its end");
    bytes
}

fn wait(child: &mut Child, limit: Duration) -> (Option<i32>, bool) {
    let deadline = Instant::now() + limit;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait().expect("our own child can be waited for") {
            return (status.code(), false);
        }
        if Instant::now() >= deadline {
            child.kill().expect("our own child can be killed");
            child.wait().expect("our own child can be waited for");
            return (None, true);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// What `work` gives for each of `items`, in their order, on all cores.
pub(crate) fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| {
                scope.spawn(|| {
                    let mut mine = Vec::new();
                    loop {
                        let at = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        let Some(item) = items.get(at) else {
                            return mine;
                        };
                        mine.push((at, work(item)));
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no test panics in its worker"))
            .collect()
    });
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
