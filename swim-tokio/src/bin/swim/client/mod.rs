//! The commands that speak to a running agent, ours or Serf's, with the text and the exit codes of
//! `serf`. Serf writes complaints to standard output, too.

mod columns;
mod event;
mod failure;
mod gojson;
mod info;
mod keys;
mod members;
mod membership;
mod monitor;
mod query;
mod reachability;
mod rtt;
mod tags;
mod version;
mod watch;
mod why;

use std::io::{self, Write as _};
use std::process::ExitCode;

use swim_tokio::rpc::Client;

use crate::flags::{RpcFlags, Verb};
use failure::Failure;

/// Runs a command; `None` if it is none of these.
pub(crate) fn run(verb: &Verb) -> Result<ExitCode, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| format!("cannot start: {e}"))?;
    match runtime.block_on(dispatch(verb)) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(failure) => {
            let mut out = io::stdout().lock();
            // Whoever does not read it does not miss it.
            let _ = writeln!(out, "{failure}");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn dispatch(verb: &Verb) -> Result<(), Failure> {
    match verb {
        Verb::Members(flags) if flags.watch => watch::run(flags).await,
        Verb::Members(flags) => members::run(flags).await,
        Verb::Event(flags) => event::run(flags).await,
        Verb::Query(flags) => query::run(flags).await,
        Verb::Join(flags) => membership::join(flags).await,
        Verb::Leave(flags) => membership::leave(flags).await,
        Verb::ForceLeave(flags) => membership::force_leave(flags).await,
        Verb::Info(flags) => info::run(flags).await,
        Verb::Keys(flags) => keys::run(flags).await,
        Verb::Tags(flags) => tags::run(flags).await,
        Verb::Monitor(flags) => monitor::run(flags).await,
        Verb::Reachability(flags) => reachability::run(flags).await,
        Verb::Rtt(flags) => rtt::run(flags).await,
        Verb::Version => version::run(),
        Verb::Why(flags) => why::run(flags).await,
        Verb::Agent(_) | Verb::Keygen(_) | Verb::Completions(_) => Ok(()),
    }
}

async fn connect(flags: &RpcFlags) -> Result<Client, Failure> {
    let builder = Client::builder(&flags.rpc_addr).auth(&flags.rpc_auth);
    builder.connect().await.map_err(|e| Failure::of("Error connecting to Serf agent", &e))
}
