//! The `serf` command against agents of either side.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;

use swim_tokio::rpc::{Feed, LogTap, Server, ServerConfig};
use swim_tokio::serf::SerfBackend;

use crate::ours::Ours;

/// What a command printed, and its exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// Standard output, and then what went to standard error.
    pub(crate) out: String,
    pub(crate) code: Option<i32>,
}

/// Runs a command of `serf` against the agent whose RPC port this is.
pub(crate) async fn serf(rpc: SocketAddr, args: &[&str]) -> Said {
    let mut command = Command::new("serf");
    command.arg(args[0]).arg(format!("-rpc-addr={rpc}")).args(&args[1..]);
    let ran = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let out = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
    Said { out, code: ran.status.code() }
}

impl Ours {
    /// An RPC port of this agent, which is open as long as the server lives.
    pub(crate) async fn serve(&self) -> Server {
        let backend = Arc::new(SerfBackend::new(self.handle.clone()));
        let addr = "127.0.0.1:0".parse().unwrap();
        let (feed, log, config) = (Feed::new(), LogTap::new(), ServerConfig::new());
        Server::bind(addr, backend, feed, log, config).await.unwrap()
    }
}
