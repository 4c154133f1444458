//! What the embedder says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use swim_core::keyring::{Key, Keyring};
use swim_core::{Command, Config, KeyCommand, Lane, NodeName, Outcome, Seat};
use tokio::sync::{mpsc, oneshot};

use crate::addr::JoinAddr;
use crate::driver::Request;
use crate::error::{CommandError, JoinError};
use crate::join::{Joined, Resolved};
use crate::snapshot::{AgentStats, Snapshot};

/// Speaks to a running agent. Clones speak to the same one.
///
/// The agent runs until [`shutdown`](Self::shutdown) or until the last handle is dropped. A command
/// is carried out even if the future that waits for its outcome is dropped.
#[derive(Clone, Debug)]
pub struct Handle {
    requests: mpsc::Sender<Request>,
    local: SocketAddr,
    advertised: SocketAddr,
    name: NodeName,
}

/// How to send a message to one node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delivery {
    /// In a datagram, which may be lost. The outcome says only that it was queued.
    Datagram,
    /// By a stream, with an outcome.
    Stream,
}

/// What became of a broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spread {
    /// It was sent as often as it will be.
    Sent,
    /// A newer broadcast of the same key took its place.
    Displaced,
    /// The lane was full, and this broadcast had been sent most often.
    Dropped,
}

impl Handle {
    pub(crate) const fn new(
        requests: mpsc::Sender<Request>,
        local: SocketAddr,
        advertised: SocketAddr,
        name: NodeName,
    ) -> Self {
        Self { requests, local, advertised, name }
    }

    /// Where the agent listens, with the port that was taken if port 0 was asked for.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The address that others were told when the agent started.
    pub const fn advertised_addr(&self) -> SocketAddr {
        self.advertised
    }

    /// The name of this node.
    pub const fn name(&self) -> &NodeName {
        &self.name
    }

    /// Exchanges state with each of `seeds`; fails only if that worked with none of them.
    pub async fn join<S: Into<JoinAddr>>(
        &self,
        seeds: impl IntoIterator<Item = S>,
    ) -> Result<Joined, JoinError> {
        let Resolved { seats, failures } = Resolved::new(seeds, self.local).await?;
        let (done, outcome) = oneshot::channel();
        let request = Request::Join { seats, done };
        let report = self.ask(request, outcome).await.and_then(|report| report);
        Resolved::report(failures, report)
    }

    /// Tells the cluster that this node leaves, and waits until that was said often enough. The
    /// agent goes on answering until it is shut down.
    pub async fn leave(&self) -> Result<(), CommandError> {
        self.command(Command::Leave).await.map(drop)
    }

    /// Replaces the metadata, and waits until the change was broadcast.
    pub async fn set_meta(&self, meta: impl Into<Bytes>) -> Result<(), CommandError> {
        self.command(Command::SetMeta(meta.into())).await.map(drop)
    }

    /// Replaces the application state that goes with every push/pull.
    pub async fn set_app_state(&self, state: impl Into<Bytes>) -> Result<(), CommandError> {
        self.command(Command::SetAppState(state.into())).await.map(drop)
    }

    /// Sends `payload` to every member by gossip, and waits until it was sent as often as it will
    /// be.
    ///
    /// A broadcast that is queued is displaced by a newer one of the same lane and key. In a
    /// cluster of one it waits for somebody to send to.
    pub async fn broadcast(
        &self,
        lane: Lane,
        key: Option<Bytes>,
        payload: impl Into<Bytes>,
    ) -> Result<Spread, CommandError> {
        let payload = payload.into();
        Ok(match self.command(Command::Broadcast { lane, key, payload }).await? {
            Outcome::Displaced => Spread::Displaced,
            Outcome::Dropped => Spread::Dropped,
            _ => Spread::Sent,
        })
    }

    /// Sends `payload` to one node: an address, or a [`Seat`] with the name of whoever is there.
    pub async fn send(
        &self,
        to: impl Into<Seat>,
        payload: impl Into<Bytes>,
        by: Delivery,
    ) -> Result<(), CommandError> {
        let (to, reliable, payload) = (to.into(), by == Delivery::Stream, payload.into());
        self.command(Command::Send { to, reliable, payload }).await.map(drop)
    }

    /// Pings the node of this name at this address once: the time until its answer.
    pub async fn ping(&self, name: NodeName, to: SocketAddr) -> Result<Duration, CommandError> {
        match self.command(Command::Ping { name, to }).await? {
            Outcome::Pong(rtt) => Ok(rtt),
            _ => Err(CommandError::NoAnswer),
        }
    }

    /// The members as they are known now.
    pub async fn members(&self) -> Result<Snapshot, CommandError> {
        let (reply, snapshot) = oneshot::channel();
        self.ask(Request::Members(reply), snapshot).await
    }

    /// What was counted so far.
    pub async fn stats(&self) -> Result<AgentStats, CommandError> {
        let (reply, stats) = oneshot::channel();
        self.ask(Request::Stats(reply), stats).await
    }

    /// The keys in force, primary first.
    pub async fn keyring(&self) -> Result<Keyring, CommandError> {
        let (reply, keyring) = oneshot::channel();
        self.ask(Request::Keyring(reply), keyring).await
    }

    /// Accepts `key` from now on. This and the two below return when the keyring file, if there is
    /// one, holds the change.
    pub async fn install_key(&self, key: Key) -> Result<(), CommandError> {
        self.command(Command::Key(KeyCommand::Install(key))).await.map(drop)
    }

    /// Encrypts with `key`, which must be installed, from now on.
    pub async fn use_key(&self, key: Key) -> Result<(), CommandError> {
        self.command(Command::Key(KeyCommand::Use(key))).await.map(drop)
    }

    /// Forgets `key`, which must not be in use.
    pub async fn remove_key(&self, key: Key) -> Result<(), CommandError> {
        self.command(Command::Key(KeyCommand::Remove(key))).await.map(drop)
    }

    /// Replaces the configuration; refused as a whole if it changes what cannot change.
    pub async fn reload(&self, config: Arc<Config>) -> Result<(), CommandError> {
        self.command(Command::Reload(config)).await.map(drop)
    }

    /// Gives the node a command and waits for its outcome. What is not a success is an error.
    pub async fn command(&self, command: Command) -> Result<Outcome, CommandError> {
        let (done, outcome) = oneshot::channel();
        match self.ask(Request::Command { command, done }, outcome).await?? {
            Outcome::Failed(e) => Err(CommandError::Exchange(e)),
            Outcome::NotSaved => Err(CommandError::NotSaved),
            outcome => Ok(outcome),
        }
    }

    /// Stops the agent without a word to the cluster, and waits until its port is free. Does
    /// nothing to an agent that has stopped.
    pub async fn shutdown(&self) {
        let _ = self.requests.send(Request::Stop).await;
        self.stopped().await;
    }

    /// Waits until the agent has stopped, for whatever reason.
    pub async fn stopped(&self) {
        self.requests.closed().await;
    }

    async fn ask<T>(
        &self,
        request: Request,
        reply: oneshot::Receiver<T>,
    ) -> Result<T, CommandError> {
        self.requests.send(request).await.map_err(|_| CommandError::Stopped)?;
        reply.await.map_err(|_| CommandError::Stopped)
    }
}
