//! `mini test`: scripts in the simulation, held against what they are expected to print. Comments
//! at a script's head say how it is run (`head`), and what comes of all its runs is kept beside it
//! in a file `.expected` (`expectation`).
//!
//! The scripts may be anybody's: nothing that they say lets them write a file, read one that is not
//! beside them, or use more than the command line allows; and whatever is wrong with one, the
//! others are tested.

mod expectation;
mod folder;
mod head;

use crate::cli::args::{SimArgs, TestArgs};
use crate::cli::program::Text;
use crate::cli::record::Record;
use crate::cli::sim::{Streams, heading, options, report};
use crate::cli::timeline::look;
use crate::cli::{Trouble, exit, print, program, run};
use crate::engine::outcome::End;
use crate::engine::sim::{self, Options, Outcome};
use crate::printable;
use crate::printable::{Printable, clean};
use crate::vm::Vm;
use anyhow::bail;
use folder::{Found, What};
use head::Head;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

/// Runs every script under a folder, and says which of them printed something else.
pub(super) fn test(args: &TestArgs, paint: bool) -> Result<i32, Trouble> {
    let (mut tested, mut as_expected) = (0, 0);
    for Found { path, what } in folder::scripts(&args.path)? {
        let verdict = match what {
            What::Script => examine(&path, args, paint)
                .unwrap_or_else(|why| Verdict::Failed(printable!("  ", format!("{why:#}"), "\n"))),
            What::Unfit(why) => Verdict::Failed(printable!("  ", why, "\n")),
            What::Link => Verdict::Skipped(printable!("  it is a link to a folder\n")),
        };
        let (word, details) = match verdict {
            Verdict::Same => ("ok", Printable::new()),
            Verdict::Accepted => ("accepted", Printable::new()),
            Verdict::Failed(details) => ("FAILED", details),
            Verdict::Skipped(details) => ("skipped", details),
        };
        tested += usize::from(word != "skipped");
        as_expected += usize::from(matches!(word, "ok" | "accepted"));
        print(&printable!(path.display(), " ... ", word, "\n", details))?;
    }
    if tested == 0 {
        bail!("{}: no script (.mini) is there", args.path.display());
    }
    print(&printable!(
        as_expected,
        " of ",
        tested,
        " scripts as expected\n"
    ))?;
    Ok(i32::from(as_expected < tested))
}

/// What came of a script.
enum Verdict {
    Same,
    Accepted,
    /// And why.
    Failed(Printable),
    Skipped(Printable),
}

fn examine(script: &Path, args: &TestArgs, paint: bool) -> Result<Verdict, Trouble> {
    let text = program::read(script)?;
    let heads = head::heads(&String::from_utf8_lossy(&text.bytes))?;
    let name = text.file_name();
    let allowed = args.limits();
    let runs: Vec<(Head, SimArgs)> = heads
        .into_iter()
        .map(|head| {
            let asked = head.parse(&name, &allowed)?;
            Ok((head, asked))
        })
        .collect::<Result<_, Trouble>>()?;
    let Some(transcript) = transcript(script, text, &runs, args, paint)? else {
        return Ok(Verdict::Failed(printable!(
            "  it may not run, for the reason above\n"
        )));
    };
    let kept = script.with_extension("expected");
    let expected = expectation::read(&kept)?;
    if expected.as_ref() == Some(&transcript.text) {
        return Ok(Verdict::Same);
    }
    if args.accept {
        expectation::write(&kept, &transcript.text)?;
        return Ok(Verdict::Accepted);
    }
    let why = match expected {
        None => printable!(
            "  nothing is kept to compare with; `mini test --accept` keeps what it prints now\n"
        ),
        Some(expected) => expectation::difference(&expected, &transcript.text),
    };
    Ok(Verdict::Failed(printable!(transcript.notes, why)))
}

/// What all runs of a script print.
#[derive(Default)]
struct Transcript {
    /// Each under the command that it is.
    text: String,
    /// What is to be said of them where they are not as expected.
    notes: Printable,
}

/// None: the script may not run, and the messages have been printed.
fn transcript(
    script: &Path,
    text: Text,
    runs: &[(Head, SimArgs)],
    limits: &TestArgs,
    paint: bool,
) -> Result<Option<Transcript>, Trouble> {
    let name = text.file_name();
    let Some(verified) = program::build(script, &text.called(&name), paint)? else {
        return Ok(None);
    };
    let mut transcript = Transcript::default();
    for (head, args) in runs {
        let vm = run::begin(&verified, args.script.argv()?, &args.limits);
        let (output, error) = (Kept::default(), Kept::default());
        let streams = Streams {
            input: Box::new(io::Cursor::new(head.input(script)?)),
            output: Box::new(output.clone()),
            error: Box::new(error.clone()),
        };
        let look = look(&args.record.look, None, false);
        let record = Record::begin(&args.record, script, || heading(args), look)?;
        let sink = record.as_ref().map(Record::sink);
        let options = options(args, streams, sink, Arc::default());
        let Some(outcome) = within(limits, vm, options)? else {
            bail!(
                "{head}it took more than {} of this machine's time; --timeout allows more",
                limits.timeout
            );
        };
        if let End::Limit(option) = outcome.end {
            let note = printable!("  ", head, "it came to its limit, ", option, "\n");
            transcript.notes.append(&note);
        }
        let _ = writeln!(transcript.text, "$ {}", head.command(&clean(&name)));
        transcript.text += &output.text();
        let told = error.text()
            + run::end_text(&outcome.end).as_str()
            + report(&outcome, args, record)?.as_str();
        if !told.is_empty() {
            let _ = write!(transcript.text, "[standard error]\n{told}");
        }
        let code = exit::of(&outcome.end);
        if code != 0 {
            let _ = writeln!(transcript.text, "[exit code {code}]");
        }
    }
    Ok(Some(transcript))
}

/// How long a script has for its end once it has been told to stop. What is still in the middle of
/// a long builtin then is left to itself: the others are tested meanwhile.
const UNTIL_LEFT: Duration = Duration::from_secs(1);

/// Simulates on a thread of its own, which is told to stop when the time is over; none if it was.
#[expect(clippy::disallowed_methods, reason = "scripts that never end")]
fn within(limits: &TestArgs, vm: Vm, options: Options) -> Result<Option<Outcome>, Trouble> {
    let flag = options.flag.clone();
    let (done, ended) = mpsc::channel();
    let named = std::thread::Builder::new().name("test".into());
    let worker = named.spawn(move || {
        // Nobody may want it any more.
        let _ = done.send(sim::run(vm, options));
    })?;
    let outcome = match ended.recv_timeout(Duration::from_nanos(limits.timeout.0)) {
        Err(RecvTimeoutError::Timeout) => {
            flag.raise();
            ended.recv_timeout(UNTIL_LEFT)
        }
        outcome => outcome,
    };
    match outcome {
        Ok(outcome) => Ok(Some(outcome).filter(|it| !matches!(it.end, End::Interrupted(_)))),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => match worker.join() {
            Err(panic) => std::panic::resume_unwind(panic),
            Ok(()) => unreachable!("it sends before it ends"),
        },
    }
}

/// A stream that is kept.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        let bytes = self.0.lock().expect("nobody panics while writing");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.0.lock().expect("nobody panics while writing");
        kept.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
