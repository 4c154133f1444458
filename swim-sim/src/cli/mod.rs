//! The command line.

mod batch;
mod branch;
mod experiment;
mod journal;
mod plan;
mod progress;
mod replay;
mod run;
mod say;
mod scenario;
mod sweep;
mod table;
mod value;
mod vopr;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs thousands of SWIM nodes in virtual time, deterministically, with faults.
///
/// Without a command it runs a first experiment: `swim-sim run` with 1,000 nodes, ten crashes and a
/// partition, in a few seconds.
#[derive(Debug, Parser)]
#[command(name = "swim-sim", version, max_term_width = 100)]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Args>),
    Scenarios(scenario::Args),
    Vopr(vopr::Args),
    Replay(replay::Args),
    Experiment(experiment::Args),
    Plan(plan::Args),
    Sweep(sweep::Args),
    Merge(sweep::MergeArgs),
}

/// Runs the program: exit code 0 if all is well, 1 if an oracle objects or a run proves nothing, 2
/// if an argument makes no sense.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(e) if e.use_stderr() => return refuse(&e),
        // Help and version.
        Err(e) => e.exit(),
    };
    match args.command {
        None => run::first(),
        Some(Command::Run(args)) => run::main(&args),
        Some(Command::Scenarios(args)) => scenario::main(&args),
        Some(Command::Vopr(args)) => vopr::main(&args),
        Some(Command::Replay(args)) => replay::main(&args),
        Some(Command::Experiment(args)) => experiment::main(&args),
        Some(Command::Plan(args)) => plan::main(&args),
        Some(Command::Sweep(args)) => sweep::main(&args),
        Some(Command::Merge(args)) => sweep::merge(&args),
    }
}

/// Says what the parser refuses, in one line where one line says it all.
fn refuse(e: &clap::Error) -> ExitCode {
    use clap::error::ErrorKind::{
        ArgumentConflict, InvalidSubcommand, InvalidValue, UnknownArgument, ValueValidation,
    };
    let text = e.to_string();
    let short = matches!(
        e.kind(),
        ArgumentConflict | InvalidSubcommand | InvalidValue | UnknownArgument | ValueValidation
    );
    match text.lines().next().filter(|_| short) {
        Some(line) => eprintln!("{line}"),
        None => eprint!("{text}"),
    }
    ExitCode::from(2)
}

/// Says what is wrong with an argument, in one line.
fn usage(text: &str) -> ExitCode {
    eprintln!("error: {text}");
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
