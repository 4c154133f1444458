//! The `swim` command: an agent, and the commands that speak to one, with the flags of `serf`.

mod agent;
mod client;
mod completions;
mod flags;
mod keygen;
mod log;
mod say;

use std::process::ExitCode;

use flags::{Cli, Stop, Verb};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(Stop::Help(text)) => {
            say::text(format_args!("{text}"));
            return ExitCode::SUCCESS;
        }
        Err(Stop::NoCommand(text)) => {
            eprint!("{text}");
            return ExitCode::from(NO_COMMAND);
        }
        Err(Stop::Bad(why)) => return fail(&why),
    };
    let done = match &cli.verb {
        Verb::Agent(flags) => agent::run(flags),
        Verb::Keygen(flags) => keygen::run(flags),
        Verb::Completions(flags) => Ok(completions::run(flags)),
        verb => client::run(verb),
    };
    match done {
        Ok(code) => code,
        Err(why) => fail(&why),
    }
}

/// One line says what is wrong.
fn fail(why: &str) -> ExitCode {
    eprintln!("swim: {why}");
    ExitCode::FAILURE
}

/// Serf's exit code if there is no such command.
const NO_COMMAND: u8 = 127;
