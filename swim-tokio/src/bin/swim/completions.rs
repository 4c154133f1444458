//! `swim completions`.

use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell as Known;

use crate::flags::{Cli, CompletionsFlags, Shell};

pub(crate) fn run(flags: &CompletionsFlags) -> ExitCode {
    let shell = match flags.shell {
        Shell::Bash => Known::Bash,
        Shell::Elvish => Known::Elvish,
        Shell::Fish => Known::Fish,
        Shell::Powershell => Known::PowerShell,
        Shell::Zsh => Known::Zsh,
    };
    clap_complete::generate(shell, &mut Cli::command(), "swim", &mut std::io::stdout().lock());
    ExitCode::SUCCESS
}
