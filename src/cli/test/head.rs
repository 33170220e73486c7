//! What a script's head says of how it is run: comments that are commands,
//!
//! ```text
//! # mini sim --gil cpython-2.7 --cores 2 --stats
//! # mini sim --seed 7 orders.mini --fast 3 < orders.txt
//! ```
//!
//! one for each run (without any: `mini sim`). The script's own name stands there only where
//! arguments follow it; its input comes from a file beside it, or is empty. A head sets what a
//! lesson needs. It writes nothing, and asks for no more than the command line of `mini test`
//! allows.

use crate::cli::args::{Args, LimitArgs, SimArgs};
use crate::cli::command::Command;
use crate::cli::{Trouble, stray};
use crate::spelling::did_you_mean;
use crate::syntax::MAX_SOURCE_BYTES;
use anyhow::{anyhow, bail};
use clap::error::{ContextKind, ErrorKind};
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Component, Path};

/// What such a line begins with.
const MARK: &str = "# mini ";

/// Most runs of a script.
const MAX_RUNS: usize = 100;

/// One run.
pub(super) struct Head {
    /// The line that asks for it, from 1; none if none does.
    line: Option<usize>,
    /// What follows `mini sim`, but for the input.
    words: Vec<String>,
    /// The file that its input comes from.
    input: Option<String>,
}

/// Says where it stands, at the beginning of a message.
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.line.map_or(Ok(()), |line| write!(f, "line {line}: "))
    }
}

/// The runs that the head of a script asks for.
pub(super) fn heads(text: &str) -> Result<Vec<Head>, Trouble> {
    let lines = text
        .lines()
        .enumerate()
        .take_while(|(_, line)| line.starts_with('#') || line.trim().is_empty());
    let mut heads = Vec::new();
    for (at, line) in lines {
        let Some(rest) = line.strip_prefix(MARK) else {
            continue;
        };
        let mut words = rest.split_whitespace().map(str::to_owned);
        match words.next().as_deref() {
            Some("sim") => {}
            Some(other @ ("run" | "sweep")) => bail!(
                "line {}: `mini test` simulates, and what `mini {other}` prints may not be the same twice; write `# mini sim`",
                at + 1
            ),
            _ => continue,
        }
        if heads.len() == MAX_RUNS {
            bail!("line {}: it asks for more than {MAX_RUNS} runs", at + 1);
        }
        heads.push(Head::new(Some(at + 1), words.collect())?);
    }
    if heads.is_empty() {
        heads.push(Head::new(None, Vec::new())?);
    }
    Ok(heads)
}

impl Head {
    fn new(line: Option<usize>, mut words: Vec<String>) -> Result<Head, Trouble> {
        let mut head = Head {
            line,
            words: Vec::new(),
            input: None,
        };
        if let Some(at) = words.iter().position(|it| it.starts_with('<')) {
            let input = words.split_off(at).join(" ");
            let name = input.trim_start_matches('<').trim();
            let beside = Path::new(name).components().collect::<Vec<_>>();
            if !matches!(beside[..], [Component::Normal(_)]) {
                bail!("{head}input comes from a file beside the script, as in `< names.txt`");
            }
            head.input = Some(name.to_owned());
        }
        head.words = words;
        Ok(head)
    }

    /// The command as one would type it.
    pub(super) fn command(&self, script: &str) -> String {
        let mut command = String::from("mini sim");
        for word in &self.words {
            command += " ";
            command += word;
        }
        if !self.words.iter().any(|it| it == script) {
            command += " ";
            command += script;
        }
        if let Some(input) = &self.input {
            command += " < ";
            command += input;
        }
        command
    }

    /// What the script reads.
    #[expect(clippy::disallowed_methods, reason = "what scripts read is in files")]
    pub(super) fn input(&self, script: &Path) -> Result<Vec<u8>, Trouble> {
        let Some(name) = &self.input else {
            return Ok(Vec::new());
        };
        let path = script.with_file_name(name);
        // Of the file itself: a link may lead anywhere.
        let of =
            fs::symlink_metadata(&path).map_err(|it| anyhow!("{self}can't read '{name}': {it}"))?;
        if !of.is_file() || of.len() > MAX_SOURCE_BYTES as u64 {
            bail!("{self}'{name}' is no plain file of less than {MAX_SOURCE_BYTES} bytes");
        }
        fs::read(&path).map_err(|it| anyhow!("{self}can't read '{name}': {it}"))
    }

    /// The run of a script of this name, within these limits.
    pub(super) fn parse(&self, name: &str, allowed: &LimitArgs) -> Result<SimArgs, Trouble> {
        let refused = |why: &str| anyhow!("{self}{why}");
        let matches = self.matches(name).map_err(|why| refused(&why))?;
        let (_, asked) = matches.subcommand().expect("`sim` was asked for");
        let given = |option: &str| asked.value_source(option) == Some(ValueSource::CommandLine);
        let mut args = match Args::from_arg_matches(&matches)?.command {
            Command::Sim(args) => args,
            other => bail!("{self}this is no `mini sim`: {other:?}"),
        };
        if args.script.file() != Path::new(name) {
            let other = args.script.file().display();
            bail!("{self}it runs '{other}', and a script says only how it is run itself");
        }
        if args.record.trace.is_some() {
            return Err(refused("--trace writes a file, which no head may"));
        }
        let limits = &mut args.limits;
        let limit = |option: &str, more: bool| match (given(option), more) {
            (true, true) => Err(refused(&format!(
                "it asks for more than is allowed; `mini test --{}` allows more",
                option.replace('_', "-")
            ))),
            (given, _) => Ok(!given),
        };
        if limit("max_memory", limits.max_memory > allowed.max_memory)? {
            limits.max_memory = allowed.max_memory;
        }
        if limit("max_threads", limits.max_threads > allowed.max_threads)? {
            limits.max_threads = allowed.max_threads;
        }
        if limit(
            "max_processes",
            limits.max_processes > allowed.max_processes,
        )? {
            limits.max_processes = allowed.max_processes;
        }
        if limit("max_time", is_more(limits.max_time, allowed.max_time))? {
            limits.max_time = allowed.max_time;
        }
        if limit(
            "max_instructions",
            is_more(limits.max_instructions, allowed.max_instructions),
        )? {
            limits.max_instructions = allowed.max_instructions;
        }
        if limit("max_output", is_more(limits.max_output, allowed.max_output))? {
            limits.max_output = allowed.max_output;
        }
        Ok(args)
    }

    /// The command line, with the script's name at its end where that is not there.
    fn matches(&self, name: &str) -> Result<clap::ArgMatches, String> {
        let known = Args::command();
        let words = ["mini", "sim"].into_iter();
        let words = words.chain(self.words.iter().map(String::as_str));
        let mut words: Vec<OsString> = words.map(Into::into).collect();
        let mut parsed = known.clone().try_get_matches_from(&words);
        if matches!(&parsed, Err(error) if error.kind() == ErrorKind::MissingRequiredArgument) {
            words.push(name.into());
            parsed = known.clone().try_get_matches_from(&words);
        }
        parsed.map_err(|mut error| {
            if !error.use_stderr() {
                return "it asks for help, not for a run".into();
            }
            stray::suggest_option(&mut error, &words, &known);
            let meant = error
                .get(ContextKind::SuggestedArg)
                .map(ToString::to_string);
            // What is wrong; after an empty line there are hints for those who type.
            let told = error.render().to_string();
            let lines = told.lines().map(str::trim).take_while(|it| !it.is_empty());
            let told = lines.collect::<Vec<&str>>().join(" ");
            let told = told.strip_prefix("error: ").unwrap_or(&told);
            format!("{told}{}", did_you_mean(meant))
        })
    }
}

/// None is as much as one likes.
fn is_more<T: PartialOrd>(asked: Option<T>, allowed: Option<T>) -> bool {
    match (asked, allowed) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(asked), Some(allowed)) => asked > allowed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(Option<usize>, String)> {
        let heads = heads(text).expect("they are right");
        heads
            .iter()
            .map(|it| (it.line, it.words.join(" ")))
            .collect()
    }

    #[test]
    fn the_head_of_a_script_says_how_it_is_run() {
        let text = "# A story.\n# mini sim --cores 1\n\n# mini sim\n# mini simply\n# mini is small\nx = 1\n# mini sim --cores 2\n";
        let expected = [(Some(2), "--cores 1".into()), (Some(4), String::new())];
        assert_eq!(words(text), expected);
        assert_eq!(words("x = 1\n"), [(None, String::new())]);
    }

    #[test]
    fn a_command_is_as_one_would_type_it() {
        for (line, command) in [
            ("# mini sim", "mini sim a.mini"),
            ("# mini sim  --seed 7", "mini sim --seed 7 a.mini"),
            ("# mini sim a.mini x --seed", "mini sim a.mini x --seed"),
            ("# mini sim <in.txt", "mini sim a.mini < in.txt"),
            ("# mini sim a.mini x < in", "mini sim a.mini x < in"),
        ] {
            assert_eq!(heads(line).unwrap()[0].command("a.mini"), command);
        }
    }
}
