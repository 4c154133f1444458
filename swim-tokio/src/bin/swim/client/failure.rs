//! What a command says when it fails.

use std::fmt;
use std::io;

use clap::CommandFactory as _;
use swim_tokio::rpc::ClientError;

use crate::flags::Cli;

/// Text for standard output, without its last newline.
#[derive(Debug)]
pub(super) struct Failure(String);

impl Failure {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// `what` was done when this happened.
    pub(super) fn of(what: &str, error: &ClientError) -> Self {
        Self(format!("{what}: {}", in_gos_words(error)))
    }

    /// The arguments are wrong: why, and how the command is used.
    pub(super) fn usage(command: &str, why: &str) -> Self {
        let mut cli = Cli::command();
        // Else the usage would lack the name of the program.
        cli.build();
        let help = cli.find_subcommand_mut(command).map(|c| c.render_help().to_string());
        let help = help.unwrap_or_default();
        match why {
            "" => Self(help),
            _ => Self(format!("{why}\n\n{}", help.trim_end())),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<io::Error> for Failure {
    fn from(e: io::Error) -> Self {
        Self(format!("cannot print: {e}"))
    }
}

/// What Serf's client says, which scripts may look for.
fn in_gos_words(error: &ClientError) -> String {
    match error {
        ClientError::Closed => "client closed".into(),
        ClientError::Connect { addr, .. } if !addr.contains(':') => {
            format!("dial tcp: address {addr}: missing port in address")
        }
        ClientError::Connect { addr, error } => match error.raw_os_error() {
            Some(_) => format!("dial tcp {addr}: connect: {}", os_text(error)),
            None => format!("dial tcp {addr}: {error}"),
        },
        other => other.to_string(),
    }
}

/// `Connection refused (os error 111)` is `connection refused` in Go.
fn os_text(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
