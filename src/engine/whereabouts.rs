//! Where every thread is: for whoever pressed Ctrl-C and wants to know what the run was busy with.
//! Knows no engine.

use crate::engine::deadlock::{Standing, place, reason, table};
use crate::printable;
use crate::printable::Printable;
use crate::vm::slice::SysCall;
use crate::vm::thread::Status;
use crate::vm::value::ThreadId;

/// More rows nobody reads.
const MAX_ROWS: usize = 60;

/// A process whose VM can be looked into, and who runs in it.
pub(crate) struct Seen<'a> {
    pub(crate) standing: Standing<'a>,
    /// The threads that have the lock, or need none.
    pub(crate) running: Vec<ThreadId>,
}

/// A row for each thread of these processes, and one for each of the others, of which nothing but
/// this is known.
pub(crate) fn report(seen: &[Seen<'_>], unseen: &[Printable]) -> Printable {
    let standings: Vec<&Standing<'_>> = seen.iter().map(|it| &it.standing).collect();
    let several = seen.len() + unseen.len() > 1;
    let mut rows = Vec::new();
    for process in seen {
        let Standing { name, vm, .. } = process.standing;
        for &thread in &process.standing.threads {
            let mut row = Printable::new();
            if several {
                row = printable!(name, ", ");
            }
            let name = &vm.threads[thread.0 as usize].name;
            let doing = doing(process, thread, &standings);
            rows.push((printable!(row, name, " ", doing), place(vm, thread)));
        }
    }
    rows.extend(unseen.iter().map(|row| (row.clone(), None)));
    let more = rows.len().saturating_sub(MAX_ROWS);
    if more > 0 {
        rows.truncate(MAX_ROWS);
        rows.push((printable!("and ", more, " more"), None));
    }
    table(rows)
}

fn doing(process: &Seen<'_>, thread: ThreadId, standings: &[&Standing<'_>]) -> String {
    let vm = &process.standing.vm;
    let it = &vm.threads[thread.0 as usize];
    match &it.status {
        Status::Waiting { .. }
        | Status::Finished
        | Status::Calling(
            SysCall::Receive { .. } | SysCall::Send { .. } | SysCall::WaitProcess { .. },
        ) => format!("waits for {}", reason(&process.standing, thread, standings)),
        Status::Calling(SysCall::ReadLine) => "waits for a line of input".to_owned(),
        Status::Calling(SysCall::Write { .. }) => "writes".to_owned(),
        Status::Calling(SysCall::Sleep { .. }) => "sleeps".to_owned(),
        Status::Ready | Status::Calling(_) => {
            let what = match builtin(process, thread) {
                Some(name) => format!("{name}()"),
                None => "code of the script".to_owned(),
            };
            if process.running.contains(&thread) {
                format!("runs {what}")
            } else {
                format!("waits for the interpreter lock, to run {what}")
            }
        }
    }
}

/// The builtin that a thread is in the middle of, by the name that the script calls it.
fn builtin(process: &Seen<'_>, thread: ThreadId) -> Option<String> {
    let vm = &process.standing.vm;
    let it = &vm.threads[thread.0 as usize];
    let pending = it.pending.last()?;
    let native = &vm.image.natives[pending.native];
    let called = pending.depth as usize == it.frames.len() && !native.shown.starts_with('_');
    called.then(|| native.qualified())
}
