//! The report of a deadlock: each thread, what it waits for, who holds that, and where. Knows no
//! engine.

use crate::event::SyncKind;
use crate::printable;
use crate::printable::Printable;
use crate::vm::Vm;
use crate::vm::allocation_site::article;
use crate::vm::object::Object;
use crate::vm::slice::{SysCall, WaitOn};
use crate::vm::thread::Status;
use crate::vm::value::{ThreadId, Value};

/// How far the main thread of a process is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Stage {
    /// It runs the script.
    Running,
    /// It has ended and waits for the other threads.
    Threads,
    /// It waits for child processes.
    Children,
}

/// A process, and how it stands with its threads.
pub(crate) struct Standing<'a> {
    /// Its number in the run.
    pub(crate) number: u64,
    pub(crate) name: &'a str,
    pub(crate) vm: &'a Vm,
    /// Its threads that have not ended, in order.
    pub(crate) threads: Vec<ThreadId>,
    pub(crate) stage: Stage,
}

/// Describes every thread of these processes, all of which are blocked for ever.
pub(crate) fn report(processes: &[Standing<'_>]) -> Printable {
    let standings: Vec<&Standing<'_>> = processes.iter().collect();
    let mut rows: Vec<(Printable, Option<String>)> = Vec::new();
    for process in processes {
        let vm = process.vm;
        for &thread in &process.threads {
            let mut row = Printable::new();
            if processes.len() > 1 {
                row = printable!(process.name, ", ");
            }
            let name = &vm.threads[thread.0 as usize].name;
            row = printable!(
                row,
                name,
                " waits for ",
                reason(process, thread, &standings)
            );
            let handling = vm.threads[thread.0 as usize].handling;
            if let Value::Instance(_) = handling {
                row = printable!(row, " while it handles ", vm.type_name(handling));
            }
            rows.push((row, place(vm, thread)));
        }
    }
    let mut report = printable!("deadlock: every thread is blocked for ever\n");
    report.append(&table(rows));
    report
}

/// Rows that are indented, and behind them places in a column of their own.
pub(crate) fn table(rows: Vec<(Printable, Option<String>)>) -> Printable {
    let width = rows.iter().map(|(row, _)| row.columns()).max().unwrap_or(0);
    let mut table = Printable::new();
    for (row, place) in rows {
        table.append(&printable!("  ", row));
        if let Some(place) = place {
            table.repeat(' ', width - row.columns());
            table.append(&printable!("  at ", place));
        }
        table.own("\n");
    }
    table
}

/// What a thread that cannot go on waits for.
pub(crate) fn reason(
    process: &Standing<'_>,
    thread: ThreadId,
    processes: &[&Standing<'_>],
) -> String {
    let vm = process.vm;
    let it = &vm.threads[thread.0 as usize];
    match &it.status {
        Status::Waiting { on, .. } => waits_for(vm, *on, thread),
        Status::Calling(SysCall::Receive { channel, .. }) => match vm.channel_origin(*channel) {
            Some(origin) if origin.tokens => origin.describe("lock"),
            Some(origin) => format!("a message in {}", origin.describe("channel")),
            None => format!("a message in channel {channel}"),
        },
        Status::Calling(SysCall::Send { channel, .. }) => match vm.channel_origin(*channel) {
            Some(origin) => format!("room in {}", origin.describe("channel")),
            None => format!("room in channel {channel}"),
        },
        Status::Calling(SysCall::WaitProcess { process, .. }) => {
            match processes.iter().find(|it| it.number == *process) {
                Some(child) => format!("the end of process {}", child.name),
                None => "the end of a process".into(),
            }
        }
        Status::Finished => match process.stage {
            Stage::Running | Stage::Threads => "the other threads to end".into(),
            Stage::Children => "its child processes to end".into(),
        },
        Status::Ready | Status::Calling(_) => "nothing".into(),
    }
}

fn waits_for(vm: &Vm, on: WaitOn, waiter: ThreadId) -> String {
    let object = match on {
        WaitOn::Thread(other) => return format!("{} to end", vm.threads[other.0 as usize].name),
        WaitOn::Begin(other) => return format!("{} to begin", vm.threads[other.0 as usize].name),
        WaitOn::Object(object) => object,
    };
    let (kind, held_by) = SyncKind::of(vm, object);
    let origin = vm.origin(object);
    let name = kind.name();
    let what = match &origin {
        Some(origin) => origin.describe(name),
        None => article(name).to_owned() + name,
    };
    // What becomes of a part is the whole's affair.
    let is_part = origin.as_ref().is_some_and(|origin| origin.is_part(name));
    let rest = match (kind, held_by) {
        (SyncKind::Lock | SyncKind::RLock, Some(holder)) if holder == waiter => {
            " that it holds itself".to_owned()
        }
        (SyncKind::Lock | SyncKind::RLock, Some(holder)) => {
            format!(" held by {}", vm.threads[holder.0 as usize].name)
        }
        (SyncKind::Lock | SyncKind::RLock, None) => String::new(),
        (SyncKind::Condition | SyncKind::Semaphore | SyncKind::Event, _) if is_part => {
            String::new()
        }
        (SyncKind::Condition, _) => " to be notified".to_owned(),
        (SyncKind::Semaphore, _) => match &vm.heap.objects[object] {
            Object::Semaphore(it) => format!(", which stands at {}", it.value),
            _ => String::new(),
        },
        (SyncKind::Event, _) => " to be set".to_owned(),
    };
    what + &rest
}

/// `script.mini:12`: the innermost line of the script itself.
pub(crate) fn place(vm: &Vm, thread: ThreadId) -> Option<String> {
    let program = &vm.image.program;
    vm.threads[thread.0 as usize]
        .frames
        .iter()
        .rev()
        .find_map(|frame| {
            let code = &program.codes[frame.code.0 as usize];
            if code.internal || code.module != 0 {
                return None;
            }
            let source = &program.sources[code.source.0 as usize];
            let span = code.spans.get((frame.pc as usize).saturating_sub(1))?;
            Some(format!("{}:{}", source.name, source.line(span.start)))
        })
}
