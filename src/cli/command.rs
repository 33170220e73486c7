//! The commands: one table, from which the type derives and what clap is to know of them. A
//! command's options are made only when it is the one that was typed: those of all others take
//! longer than reading the command line.

use crate::cli::args::{
    CheckArgs, CompletionsArgs, DisArgs, ExplainArgs, RunArgs, SimArgs, SweepArgs, TestArgs,
    TimelineArgs,
};
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Error, FromArgMatches, Subcommand};

macro_rules! commands {
    ($($variant:ident($args:ty) = $name:literal: $about:literal,)*) => {
        /// What was typed.
        #[derive(Debug)]
        pub(super) enum Command {
            $($variant($args),)*
        }

        impl FromArgMatches for Command {
            fn from_arg_matches(matches: &ArgMatches) -> Result<Command, Error> {
                Command::from_arg_matches_mut(&mut matches.clone())
            }

            fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Command, Error> {
                match matches.remove_subcommand() {
                    $(Some((name, mut of)) if name == $name => {
                        <$args>::from_arg_matches_mut(&mut of).map(Command::$variant)
                    })*
                    _ => Err(Error::new(ErrorKind::MissingSubcommand)),
                }
            }

            fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
                *self = Command::from_arg_matches(matches)?;
                Ok(())
            }
        }

        impl Subcommand for Command {
            fn augment_subcommands(command: clap::Command) -> clap::Command {
                command
                    .subcommand_required(true)
                    .arg_required_else_help(true)
                    $(.subcommand(
                        clap::Command::new($name)
                            .about($about)
                            .defer(|it| <$args>::augment_args(it).about($about)),
                    ))*
            }

            fn augment_subcommands_for_update(command: clap::Command) -> clap::Command {
                Command::augment_subcommands(command)
            }

            fn has_subcommand(name: &str) -> bool {
                [$($name),*].contains(&name)
            }
        }
    };
}

commands! {
    Run(RunArgs) = "run": "Run a script on real threads under a real lock",
    Sim(SimArgs) = "sim": "Simulate a script on virtual cores in virtual time, under the lock of any interpreter; the same each time",
    Sweep(SweepArgs) = "sweep": "Simulate a script under several locks and numbers of cores, and compare how long it takes",
    Timeline(TimelineArgs) = "timeline": "Draw a saved trace: who held the lock when, and who waited",
    Test(TestArgs) = "test": "Simulate scripts and compare what they print with what is kept beside them",
    Check(CheckArgs) = "check": "Report what is wrong with a script, without running it",
    Dis(DisArgs) = "dis": "Print a script's bytecode",
    Explain(ExplainArgs) = "explain": "Explain a code that a message has, as in `mini explain E0101`",
    Completions(CompletionsArgs) = "completions": "Print what a shell needs to complete commands and options",
}
