//! The `swim` agent: a node on the command line, with the flags of `serf agent`.

mod flags;
mod keygen;
mod log;
mod print;
mod run;
mod setup;

use std::process::ExitCode;

use flags::{Cli, Verb};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(flags::Stop::Help(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(flags::Stop::Bad(why)) => return fail(&why),
    };
    let done = match cli.verb {
        Verb::Agent(flags) => run::run(&flags),
        Verb::Keygen(flags) => keygen::run(&flags),
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
