//! The command line.

mod agent;
mod client;
mod dashes;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Args as _, Command, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub(crate) use agent::{AgentFlags, Format, KeygenFlags};
pub(crate) use client::{
    CompletionsFlags, EventFlags, ForceLeaveFlags, InfoFlags, JoinFlags, KeysFlags, LeaveFlags,
    MembersFlags, MonitorFlags, QueryFlags, ReachabilityFlags, RpcFlags, RttFlags, Shell,
    TagsFlags, WhyFlags,
};

/// SWIM membership that speaks to memberlist and Serf.
///
/// The commands and flags are those of `serf`; a flag has one dash or two. All but agent, keygen,
/// version and completions speak to a running agent, ours or Serf's.
#[derive(Debug, Parser)]
#[command(name = "swim", version, disable_help_subcommand = true, disable_version_flag = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Runs a node until it is interrupted, which makes it leave
    Agent(Box<AgentFlags>),
    /// Sends a user event to all members
    Event(EventFlags),
    /// Makes a failed member one that has left
    ForceLeave(ForceLeaveFlags),
    /// Prints what the agent knows of itself
    Info(InfoFlags),
    /// Makes the agent join a cluster
    Join(JoinFlags),
    /// Prints a new key for --encrypt
    Keygen(KeygenFlags),
    /// Lists and changes the keys of all members
    Keys(KeysFlags),
    /// Makes the agent leave the cluster and end
    Leave(LeaveFlags),
    /// Lists the members of the cluster
    Members(MembersFlags),
    /// Prints the agent's log and events as they come
    Monitor(MonitorFlags),
    /// Asks the members a question and prints their answers
    Query(QueryFlags),
    /// Tests whether all members that are alive answer
    Reachability(ReachabilityFlags),
    /// Estimates the round-trip time between two members
    Rtt(RttFlags),
    /// Changes the tags of the agent
    Tags(TagsFlags),
    /// Prints the versions of this program and of the protocol
    Version,
    /// Tells who said that a member is suspect or dead, by which evidence, and when
    Why(WhyFlags),
    /// Prints a script that completes commands and flags
    Completions(CompletionsFlags),
}

/// Why there is nothing to run.
#[derive(Debug)]
pub(crate) enum Stop {
    /// Help was asked for.
    Help(String),
    /// There is no such command, or none was given; what there is.
    NoCommand(String),
    /// The flags are wrong; one line.
    Bad(String),
}

impl Cli {
    pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Self, Stop> {
        let args: Vec<OsString> = args.into_iter().collect();
        match &args[..] {
            [_, verb, flags @ ..] if verb == "agent" => {
                Self::agent(flags).map_or_else(|| Self::any(args), Ok)
            }
            _ => Self::any(args),
        }
    }

    /// The agent's flags, if nothing is wrong with them. It runs for long, and would keep the pages
    /// that it takes to know the flags of all other commands.
    fn agent(flags: &[OsString]) -> Option<Self> {
        let command = AgentFlags::augment_args(Command::new("agent").no_binary_name(true));
        let flags = dashes::rewrite(&command, flags.iter().cloned()).ok()?;
        let matches = command.try_get_matches_from(flags).ok()?;
        let flags = AgentFlags::from_arg_matches(&matches).ok()?;
        Some(Self { verb: Verb::Agent(Box::new(flags)) })
    }

    /// The command, or why there is none.
    fn any(args: impl IntoIterator<Item = OsString>) -> Result<Self, Stop> {
        let mut args = args.into_iter();
        let program = args.next().unwrap_or_else(|| "swim".into());
        let mut cli = Self::command();
        let verb = match args.next() {
            Some(flag) if is_one_of(&flag, &["-v", "-version", "--version"]) => "version".into(),
            Some(flag) if is_one_of(&flag, &["-h", "-help", "--help"]) => {
                return Err(Stop::Help(cli.render_long_help().to_string()));
            }
            Some(verb) => verb,
            None => return Err(Stop::NoCommand(cli.render_long_help().to_string())),
        };
        let command = verb.to_str().and_then(|name| cli.find_subcommand(name));
        let Some(command) = command else {
            return Err(Stop::NoCommand(cli.render_long_help().to_string()));
        };
        let flags = dashes::rewrite(command, args).map_err(Stop::Bad)?;
        let matches = cli.try_get_matches_from([program, verb].into_iter().chain(flags));
        matches.and_then(|matches| Self::from_arg_matches(&matches)).map_err(|e| match e.kind() {
            ErrorKind::DisplayHelp => Stop::Help(e.to_string()),
            _ => Stop::Bad(one_line(&e.to_string())),
        })
    }
}

fn is_one_of(arg: &OsString, flags: &[&str]) -> bool {
    flags.iter().any(|flag| arg == flag)
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
            Verb::Agent(flags) => *flags,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_are_those_of_serf_with_one_dash_or_two() {
        let ours =
            agent("swim agent --node a --bind 127.0.0.1 --join b --join c --log-level debug");
        let serfs = agent("swim agent -node=a -bind=127.0.0.1 -join=b -join=c -log-level=debug");
        for flags in [ours, serfs] {
            assert_eq!(flags.node.as_deref(), Some("a"));
            assert_eq!(flags.bind.as_deref(), Some("127.0.0.1"));
            assert_eq!(flags.join, ["b", "c"]);
            assert_eq!(flags.log_level.as_deref(), Some("debug"));
            assert_eq!((flags.profile, flags.events), (None, Format::Text));
        }
    }

    #[test]
    fn of_a_flag_that_is_given_twice_the_last_one_counts() {
        assert_eq!(agent("swim agent --node a --join x --node b --join y").node.unwrap(), "b");
    }

    #[test]
    fn a_value_may_start_with_a_dash_if_it_stands_behind_its_flag() {
        assert_eq!(agent("swim agent --label=-x").label.as_deref(), Some("-x"));
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for (line, says) in [
            ("swim agent --bogus", "flag provided but not defined: -bogus"),
            ("swim agent -bogus=1", "flag provided but not defined: -bogus"),
            (
                "swim agent --events moon",
                "invalid value 'moon' for '--events <EVENTS>' [possible values: text, json]",
            ),
            ("swim agent --node", "flag needs an argument: -node"),
            (
                "swim event -coalesce=maybe a",
                "invalid boolean value \"maybe\" for -coalesce: parse error",
            ),
        ] {
            match read(line) {
                Err(Stop::Bad(why)) => assert_eq!(why, says),
                other => panic!("{line}: {other:?}"),
            }
        }
        assert!(matches!(read("swim --help"), Err(Stop::Help(_))));
        assert!(matches!(read("swim fly"), Err(Stop::NoCommand(_))));
        assert!(matches!(read("swim"), Err(Stop::NoCommand(_))));
        assert!(matches!(read("swim agent -h"), Err(Stop::Help(_))));
    }

    #[test]
    fn behind_the_first_argument_there_are_no_flags() {
        match read("swim event -coalesce=F -rpc-addr a:1 deploy -now").unwrap().verb {
            Verb::Event(flags) => {
                assert_eq!((flags.coalesce, &*flags.rpc.rpc_addr), (false, "a:1"));
                assert_eq!(flags.args, ["deploy", "-now"]);
            }
            other => panic!("{other:?}"),
        }
        match read("swim join -replay=false -- -x").unwrap().verb {
            Verb::Join(flags) => assert_eq!((flags.replay, flags.args), (false, vec!["-x".into()])),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_commands_are_consistent() {
        Cli::command().debug_assert();
    }
}
