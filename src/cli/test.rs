//! `mini test`: scripts in the simulation, held against what they are expected to print. Each `.mini` file says in comments at its head how it is to be run,
//!
//! ```text
//! # mini sim --gil cpython-2.7 --cores 2 --stats
//! ```
//!
//! once for each run (without any: `mini sim`), and what came of all of them is kept beside it in a file `.expected`.

use crate::cli::args::{Args, Command, SimArgs, TestArgs};
use crate::cli::record::Record;
use crate::cli::sim::{Streams, heading, report, simulate};
use crate::cli::timeline::look;
use crate::cli::{Trouble, exit, print, program, run};
use crate::printable;
use crate::printable::Printable;
use anyhow::{Context, bail};
use clap::Parser;
use similar::TextDiff;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What a line at the head of a script begins with that says how it is to be run.
const HEADER: &str = "# mini sim";

/// Runs every script under a folder, and says which of them printed something else.
pub(super) fn test(args: &TestArgs, paint: bool) -> Result<i32, Trouble> {
    let scripts = scripts(&args.path)?;
    if scripts.is_empty() {
        bail!("{}: no script (.mini) is there", args.path.display());
    }
    let mut failed = 0;
    for script in &scripts {
        let verdict = examine(script, args.accept, paint)?;
        let (word, details) = match &verdict {
            Verdict::Same => ("ok", Printable::new()),
            Verdict::Accepted => ("accepted", Printable::new()),
            Verdict::New => (
                "FAILED",
                printable!(
                    "  nothing is kept to compare with; `mini test --accept` keeps what it prints now\n"
                ),
            ),
            Verdict::Different(diff) => ("FAILED", Printable::lines(diff)),
            Verdict::Refused => ("FAILED", Printable::new()),
        };
        failed += usize::from(word == "FAILED");
        print(&printable!(script.display(), " ... ", word, "\n", details))?;
    }
    print(&printable!(
        scripts.len() - failed,
        " of ",
        scripts.len(),
        " scripts as expected\n"
    ))?;
    Ok(i32::from(failed > 0))
}

/// What came of a script.
enum Verdict {
    Same,
    Accepted,
    /// There is nothing to compare with.
    New,
    /// Where it differs.
    Different(String),
    /// It may not run; that has been said.
    Refused,
}

/// The script itself, or all under a folder, in order.
fn scripts(path: &Path) -> Result<Vec<PathBuf>, Trouble> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).with_context(|| format!("can't list '{}'", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "mini") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[expect(clippy::disallowed_methods, reason = "expectations are files")]
fn examine(script: &Path, accept: bool, paint: bool) -> Result<Verdict, Trouble> {
    let Some(found) = transcript(script, paint)? else {
        return Ok(Verdict::Refused);
    };
    let kept = script.with_extension("expected");
    let expected = match fs::read_to_string(&kept) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(error).with_context(|| format!("can't read '{}'", kept.display()));
        }
    };
    if expected.as_ref() == Some(&found) {
        return Ok(Verdict::Same);
    }
    if accept {
        fs::write(&kept, found).with_context(|| format!("can't write '{}'", kept.display()))?;
        return Ok(Verdict::Accepted);
    }
    Ok(match expected {
        None => Verdict::New,
        Some(expected) => Verdict::Different(
            TextDiff::from_lines(&expected, &found)
                .unified_diff()
                .header("expected", "printed")
                .to_string(),
        ),
    })
}

/// What all runs of a script print, each under the command that it is. None: it may not run, and the messages have been printed.
#[expect(clippy::disallowed_methods, reason = "scripts are read here")]
fn transcript(script: &Path, paint: bool) -> Result<Option<String>, Trouble> {
    let text = fs::read(script).with_context(|| format!("can't read '{}'", script.display()))?;
    let name = script
        .file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let Some(verified) = program::load_as(script, Some(&name), paint)? else {
        return Ok(None);
    };
    let mut transcript = String::new();
    for options in runs(&String::from_utf8_lossy(&text)) {
        let args = parse(&options, &name).with_context(|| script.display().to_string())?;
        let vm = run::begin(&verified, args.script.argv()?, &args.limits);
        let (output, error) = (Kept::default(), Kept::default());
        let streams = Streams {
            input: Box::new(io::empty()),
            output: Box::new(output.clone()),
            error: Box::new(error.clone()),
        };
        let record = Record::begin(
            &args.record,
            script,
            || heading(&args),
            look(&args.record.look, None, false),
        )?;
        let sink = record.as_ref().map(Record::sink);
        let outcome = simulate(vm, &args, streams, sink, Arc::default());
        let command = ["mini sim", &options, &name].map(str::trim).join(" ");
        let _ = writeln!(transcript, "$ {}", command.replace("  ", " "));
        transcript += &output.text();
        let told = error.text()
            + run::end_text(&outcome.end).as_str()
            + report(&outcome, &args, record)?.as_str();
        if !told.is_empty() {
            let _ = write!(transcript, "[standard error]\n{told}");
        }
        let code = exit::of(&outcome.end);
        if code != 0 {
            let _ = writeln!(transcript, "[exit code {code}]");
        }
    }
    Ok(Some(transcript))
}

/// The options of each run that the comments at a script's head ask for.
fn runs(text: &str) -> Vec<String> {
    let head = text
        .lines()
        .take_while(|line| line.starts_with('#') || line.trim().is_empty());
    let mut runs: Vec<String> = head
        .filter_map(|line| line.strip_prefix(HEADER))
        .filter(|rest| rest.is_empty() || rest.starts_with(' '))
        .map(|rest| rest.trim().to_owned())
        .collect();
    if runs.is_empty() {
        runs.push(String::new());
    }
    runs
}

fn parse(options: &str, name: &str) -> Result<SimArgs, Trouble> {
    let words = ["mini", "sim"]
        .into_iter()
        .chain(options.split_whitespace())
        .chain([name]);
    match Args::try_parse_from(words)?.command {
        Command::Sim(args) => Ok(args),
        _ => bail!("`{HEADER} {options}` is no `mini sim`"),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_script_says_how_it_is_run() {
        let text = "# A story.\n# mini sim --cores 1\n\n# mini sim\n# mini simply\nx = 1\n# mini sim --cores 2\n";
        assert_eq!(runs(text), ["--cores 1", ""]);
        assert_eq!(runs("x = 1\n"), [""]);
    }
}
