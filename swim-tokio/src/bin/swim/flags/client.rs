//! Flags of the commands that speak to a running agent.

use std::time::Duration;

use clap::{Args, ValueEnum};

use swim_tokio::agent::parse_duration;

/// How to reach the agent.
#[derive(Args, Debug)]
pub(crate) struct RpcFlags {
    /// Address of the agent's RPC listener
    #[arg(long, value_name = "ADDR", env = "SERF_RPC_ADDR", default_value = "127.0.0.1:7373")]
    pub(crate) rpc_addr: String,

    /// Token that the agent asks for
    #[arg(
        long,
        value_name = "TOKEN",
        env = "SERF_RPC_AUTH",
        default_value = "",
        hide_env_values = true
    )]
    pub(crate) rpc_auth: String,
}

/// Lists the members of the cluster.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct MembersFlags {
    /// Tells the versions of the protocol, too (in text)
    #[arg(long)]
    pub(crate) detailed: bool,

    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: String,

    /// Only members whose name matches this regular expression from end to end
    #[arg(long, value_name = "REGEX", default_value = "")]
    pub(crate) name: String,

    /// The same for the tag `role`; in favour of --tag role=REGEX
    #[arg(long, value_name = "REGEX", default_value = "", hide = true)]
    pub(crate) role: String,

    /// Only members whose status (alive, leaving, left, failed) matches
    #[arg(long, value_name = "REGEX", default_value = "")]
    pub(crate) status: String,

    /// Only members whose tag matches; may be repeated
    #[arg(long, value_name = "KEY=REGEX")]
    pub(crate) tag: Vec<String>,

    /// Keeps the list on the screen up to date until interrupted
    #[arg(long)]
    pub(crate) watch: bool,

    #[command(flatten)]
    pub(crate) rpc: RpcFlags,
}

/// Sends a user event to all members.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct EventFlags {
    /// Whether a later event of the same name may stand for this one: true or false
    #[arg(
        long,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_value = "true",
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub(crate) coalesce: bool,

    #[command(flatten)]
    pub(crate) rpc: RpcFlags,

    /// Name of the event and, if there is one, its payload
    #[arg(value_names = ["NAME", "PAYLOAD"], num_args = 0.., allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// Asks the members a question and prints their answers.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct QueryFlags {
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: String,

    /// Asks only this node; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Vec<String>,

    /// Asks only nodes whose tag matches this regular expression somewhere; may be repeated
    #[arg(long, value_name = "KEY=REGEX")]
    pub(crate) tag: Vec<String>,

    /// How long answers are taken, as 15s or 500ms [default: by the size of the cluster]
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = parse_duration,
        default_value = "0s",
        hide_default_value = true
    )]
    pub(crate) timeout: Duration,

    /// Nodes need not say that they have the query
    #[arg(long)]
    pub(crate) no_ack: bool,

    /// Nodes through which each answer is relayed in addition, 0 to 255
    #[arg(long, value_name = "N", default_value = "0")]
    pub(crate) relay_factor: i64,

    #[command(flatten)]
    pub(crate) rpc: RpcFlags,

    /// Name of the query and, if there is one, its payload
    #[arg(value_names = ["NAME", "PAYLOAD"], num_args = 0.., allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// Makes the agent join a cluster.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct JoinFlags {
    /// User events of the past are delivered, too
    #[arg(long)]
    pub(crate) replay: bool,

    #[command(flatten)]
    pub(crate) rpc: RpcFlags,

    /// Addresses of members: HOST, HOST:PORT or NAME/HOST:PORT
    #[arg(value_name = "ADDR", num_args = 0.., allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// Makes a failed member one that has left.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct ForceLeaveFlags {
    /// Forgets it at once
    #[arg(long)]
    pub(crate) prune: bool,

    #[command(flatten)]
    pub(crate) rpc: RpcFlags,

    /// Name of the member
    #[arg(value_name = "NAME", num_args = 0.., allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// Prints what the agent knows of itself.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct InfoFlags {
    /// text or json
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: String,

    #[command(flatten)]
    pub(crate) rpc: RpcFlags,
}

/// Lists and changes the keys of all members.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct KeysFlags {
    /// Gives all members this key, to open messages with
    #[arg(long = "install", value_name = "KEY", default_value = "")]
    pub(crate) install: String,

    /// Makes all members seal with this key, which they must have
    #[arg(long = "use", value_name = "KEY", default_value = "")]
    pub(crate) primary: String,

    /// Takes this key from all members; not the one that they seal with
    #[arg(long, value_name = "KEY", default_value = "")]
    pub(crate) remove: String,

    /// Lists the keys and how many members have each
    #[arg(long)]
    pub(crate) list: bool,

    #[command(flatten)]
    pub(crate) rpc: RpcFlags,
}

/// Changes the tags of the agent.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct TagsFlags {
    /// Makes or changes a tag; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// Takes a tag away; may be repeated
    #[arg(long, value_name = "KEY")]
    pub(crate) delete: Vec<String>,

    #[command(flatten)]
    pub(crate) rpc: RpcFlags,
}

/// Prints the agent's log and events as they come.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct MonitorFlags {
    /// trace, debug, info, warn or err
    #[arg(long, value_name = "LEVEL", default_value = "INFO")]
    pub(crate) log_level: String,

    #[command(flatten)]
    pub(crate) rpc: RpcFlags,
}

/// Tests whether all members that are alive answer.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct ReachabilityFlags {
    /// Tells who answers, and when
    #[arg(long)]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) rpc: RpcFlags,
}

/// Estimates the round-trip time between two members.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct RttFlags {
    #[command(flatten)]
    pub(crate) rpc: RpcFlags,

    /// Names of two members; of one: to the agent
    #[arg(value_names = ["NODE1", "NODE2"], num_args = 0.., allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// Tells who said that a member is suspect or dead, by which evidence, and when.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct WhyFlags {
    #[command(flatten)]
    pub(crate) rpc: RpcFlags,

    /// Name of the member
    #[arg(value_names = ["NODE"], num_args = 0.., allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
}

/// Makes the agent leave the cluster and end.
#[derive(Args, Debug)]
#[command(args_override_self = true)]
pub(crate) struct LeaveFlags {
    #[command(flatten)]
    pub(crate) rpc: RpcFlags,
}

/// Prints a script that completes commands and flags.
#[derive(Args, Debug)]
pub(crate) struct CompletionsFlags {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Elvish,
    Fish,
    Powershell,
    Zsh,
}
