//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// SWIM membership that speaks to memberlist and Serf.
#[derive(Debug, Parser)]
#[command(name = "swim", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Runs a node until it is interrupted, which makes it leave.
    Agent(AgentFlags),
    /// Prints a new key for --encrypt.
    Keygen(KeygenFlags),
}

/// Runs a node until it is interrupted, which makes it leave.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct AgentFlags {
    /// Name of this node, unique in the cluster [default: the host's name]
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<String>,

    /// Where to listen, UDP and TCP: IP, IP:PORT or :PORT; IPv6 in brackets
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:7946")]
    pub(crate) bind: String,

    /// Address that others are told [default: the one that is bound, or a private one of this host]
    #[arg(long, value_name = "ADDR")]
    pub(crate) advertise: Option<String>,

    /// Somebody to join at the start; may be repeated. Without a port: the port of this node
    #[arg(long, value_name = "ADDR")]
    pub(crate) join: Vec<String>,

    /// Key to encrypt with: base64 of 16, 24 or 32 bytes
    #[arg(long, value_name = "KEY")]
    pub(crate) encrypt: Option<String>,

    /// Where the keys are kept: read if the file exists, else made from --encrypt
    #[arg(long, value_name = "FILE")]
    pub(crate) keyring_file: Option<PathBuf>,

    /// Label of the cluster, which separates it from others on the same network
    #[arg(long, value_name = "LABEL", default_value = "")]
    pub(crate) label: String,

    /// Timing for a local network, the internet or one machine
    #[arg(long, value_enum, default_value = "lan")]
    pub(crate) profile: Profile,

    /// Sends what it sends without compressing it
    #[arg(long)]
    pub(crate) disable_compression: bool,

    /// trace, debug, info, warn or err
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub(crate) log_level: String,

    /// Form in which events are printed on standard output
    #[arg(long, value_enum, default_value = "text")]
    pub(crate) events: Format,
}

/// Prints a new key for --encrypt.
#[derive(Args, Debug)]
pub(crate) struct KeygenFlags {
    /// Bytes of the key: 16, 24 or 32
    #[arg(long, value_name = "N", default_value = "32")]
    pub(crate) bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Profile {
    Lan,
    Wan,
    Local,
}

impl Profile {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Wan => "wan",
            Self::Local => "local",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Help or version was asked for.
    Help(String),
    /// The flags are wrong; one line.
    Bad(String),
}

impl Cli {
    pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, Stop> {
        Self::try_parse_from(args.into_iter().map(two_dashes)).map_err(|e| match e.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Stop::Help(e.to_string()),
            _ => Stop::Bad(one_line(&e.to_string())),
        })
    }
}

/// Serf's flags have one dash or two: `-node=a` is `--node=a`.
fn two_dashes(arg: OsString) -> OsString {
    let is_long = |text: &str| {
        let mut bytes = text.bytes();
        bytes.next() == Some(b'-')
            && bytes.next().is_some_and(|b| b.is_ascii_lowercase())
            && bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'-')
    };
    match arg.to_str() {
        Some(text) if is_long(text) => format!("-{text}").into(),
        _ => arg,
    }
}

/// The first paragraph of what the parser says, without its prefix.
fn one_line(text: &str) -> String {
    let lines = text.trim_start_matches("error: ").lines().map(str::trim);
    let first: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    first.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Cli, Stop> {
        Cli::read(line.split(' ').map(Into::into))
    }

    fn agent(line: &str) -> AgentFlags {
        match read(line).unwrap().verb {
            Verb::Agent(flags) => flags,
            Verb::Keygen(_) => unreachable!(),
        }
    }

    #[test]
    fn flags_are_those_of_serf_with_one_dash_or_two() {
        let ours =
            agent("swim agent --node a --bind 127.0.0.1 --join b --join c --log-level debug");
        let serfs = agent("swim agent -node=a -bind=127.0.0.1 -join=b -join=c -log-level=debug");
        for flags in [ours, serfs] {
            assert_eq!(flags.node.as_deref(), Some("a"));
            assert_eq!(flags.bind, "127.0.0.1");
            assert_eq!(flags.join, ["b", "c"]);
            assert_eq!(flags.log_level, "debug");
            assert_eq!((flags.profile, flags.events), (Profile::Lan, Format::Text));
        }
    }

    #[test]
    fn of_a_flag_that_is_given_twice_the_last_one_counts() {
        assert_eq!(agent("swim agent --node a --join x --node b --join y").node.unwrap(), "b");
    }

    #[test]
    fn a_value_may_start_with_a_dash_if_it_stands_behind_its_flag() {
        assert_eq!(agent("swim agent --label=-x").label, "-x");
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for (line, says) in [
            ("swim agent --bogus", "unexpected argument '--bogus' found"),
            ("swim agent -bogus", "unexpected argument '--bogus' found"),
            (
                "swim agent --profile moon",
                "invalid value 'moon' for '--profile <PROFILE>' [possible values: lan, wan, local]",
            ),
            ("swim agent --node", "a value is required for '--node <NAME>' but none was supplied"),
            ("swim fly", "unrecognized subcommand 'fly'"),
        ] {
            match read(line) {
                Err(Stop::Bad(why)) => assert_eq!(why, says),
                other => panic!("{line}: {other:?}"),
            }
        }
        assert!(matches!(read("swim --help"), Err(Stop::Help(_))));
        assert!(matches!(read("swim agent -h"), Err(Stop::Help(_))));
    }
}
