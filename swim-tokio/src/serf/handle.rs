//! What the embedder says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use swim_core::coordinate::Coordinate;
use swim_core::keyring::{Key, Keyring};
use swim_core::serf::{
    Command, KeyReport, Member, Outcome, QueryId, QueryParams, SerfConfig, Tags,
};
use swim_core::wire::serf::KeyRequest;
use swim_core::{Instant, NodeName, Seat};
use tokio::sync::{mpsc, oneshot};

use super::query::{Answer, Answers};
use super::request::{SerfAgentStats, SerfRequest, SerfSnapshot};
use crate::addr::JoinAddr;
use crate::clock::Clock;
use crate::driver::JoinReport;
use crate::error::{CommandError, JoinError};
use crate::join::{Joined, Resolved};

/// Speaks to a running Serf agent. Clones speak to the same one.
///
/// The agent runs until [`shutdown`](Self::shutdown) or until the last handle is dropped. A command
/// is carried out even if the future that waits for its outcome is dropped.
#[derive(Clone, Debug)]
pub struct SerfHandle {
    requests: mpsc::Sender<SerfRequest>,
    local: SocketAddr,
    advertised: SocketAddr,
    name: NodeName,
    clock: Clock,
}

impl SerfHandle {
    pub(crate) const fn new(
        requests: mpsc::Sender<SerfRequest>,
        local: SocketAddr,
        advertised: SocketAddr,
        name: NodeName,
        clock: Clock,
    ) -> Self {
        Self { requests, local, advertised, name, clock }
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
    ///
    /// `replay`: whether user events from before the join are delivered.
    pub async fn join<S: Into<JoinAddr>>(
        &self,
        seeds: impl IntoIterator<Item = S>,
        replay: bool,
    ) -> Result<Joined, JoinError> {
        let Resolved { seats, failures } = Resolved::new(seeds, self.local).await?;
        Resolved::report(failures, self.join_seats(seats, replay).await)
    }

    pub(crate) async fn join_seats(
        &self,
        seats: Vec<Seat>,
        replay: bool,
    ) -> Result<JoinReport, CommandError> {
        let (done, outcome) = oneshot::channel();
        let command = Command::Join { seats: seats.clone(), replay };
        self.ask(SerfRequest::Join { seats, command, done }, outcome).await?
    }

    /// Goes on as a member that was there in an earlier life.
    pub(crate) async fn rejoin(&self, seats: Vec<Seat>) -> Result<JoinReport, CommandError> {
        let (done, outcome) = oneshot::channel();
        let command = Command::Rejoin(seats.clone());
        self.ask(SerfRequest::Join { seats, command, done }, outcome).await?
    }

    /// Tells the cluster that this node leaves, leaves, and waits a little until others have passed
    /// that on. The agent goes on answering until it is shut down.
    pub async fn leave(&self) -> Result<(), CommandError> {
        self.command(Command::Leave).await.map(drop)
    }

    /// Says of another node that it leaves, so that one that failed has left; `prune` has it
    /// forgotten at once. A name that nobody knows is no mistake.
    pub async fn force_leave(
        &self,
        name: impl Into<String>,
        prune: bool,
    ) -> Result<(), CommandError> {
        self.command(Command::ForceLeave { name: name.into(), prune }).await.map(drop)
    }

    /// Replaces the tags, and waits until that was told.
    ///
    /// # Errors
    ///
    /// [`CommandError::TimedOut`] if it was not told in time; the change stands.
    pub async fn set_tags(&self, tags: Tags) -> Result<(), CommandError> {
        self.command(Command::SetTags(tags)).await.map(drop)
    }

    /// Sends an event to every member.
    ///
    /// `coalesce`: of several with this name that come at about the same time, the last is enough.
    pub async fn user_event(
        &self,
        name: impl Into<String>,
        payload: impl Into<Bytes>,
        coalesce: bool,
    ) -> Result<(), CommandError> {
        let (name, payload) = (name.into(), payload.into());
        self.command(Command::UserEvent { name, payload, coalesce }).await.map(drop)
    }

    /// Asks every member that passes the filters; the answers come as a stream that ends when the
    /// time of the query is over.
    pub async fn query(
        &self,
        name: impl Into<String>,
        payload: impl Into<Bytes>,
        params: QueryParams,
    ) -> Result<Answers, CommandError> {
        let (name, payload) = (name.into(), payload.into());
        let (done, answers) = oneshot::channel();
        self.ask(SerfRequest::Query { name, payload, params, done }, answers).await?
    }

    /// Answers a query that came as an event, once.
    pub async fn respond(
        &self,
        query: QueryId,
        payload: impl Into<Bytes>,
    ) -> Result<(), CommandError> {
        self.command(Command::Respond { query, payload: payload.into() }).await.map(drop)
    }

    /// How long it is until `deadline`, which is one of this agent's events.
    pub fn remaining(&self, deadline: Instant) -> Duration {
        deadline.since(self.clock.now())
    }

    /// This node, as others should see it.
    pub async fn me(&self) -> Result<Member, CommandError> {
        let (reply, me) = oneshot::channel();
        self.ask(SerfRequest::Me(reply), me).await
    }

    /// The members as they are known now.
    pub async fn members(&self) -> Result<SerfSnapshot, CommandError> {
        let (reply, snapshot) = oneshot::channel();
        self.ask(SerfRequest::Members(reply), snapshot).await
    }

    /// What was counted so far, and the state of the Serf layer in numbers.
    pub async fn stats(&self) -> Result<SerfAgentStats, CommandError> {
        let (reply, stats) = oneshot::channel();
        self.ask(SerfRequest::Stats(reply), stats).await
    }

    /// The keys in force, primary first.
    pub async fn keyring(&self) -> Result<Keyring, CommandError> {
        let (reply, keyring) = oneshot::channel();
        self.ask(SerfRequest::Keyring(reply), keyring).await
    }

    /// Has every node accept `key` from now on. `relay_factor` as in
    /// [`QueryParams::relay_factor`].
    ///
    /// # Errors
    ///
    /// Only if the query could not be asked; what nodes answered is in the report.
    pub async fn install_key(
        &self,
        key: &Key,
        relay_factor: u8,
    ) -> Result<KeyReport, CommandError> {
        self.ask_keys("_serf_install-key", key.as_bytes(), relay_factor).await
    }

    /// Has every node encrypt with `key`, which must be installed everywhere.
    ///
    /// # Errors
    ///
    /// As [`install_key`](Self::install_key).
    pub async fn use_key(&self, key: &Key, relay_factor: u8) -> Result<KeyReport, CommandError> {
        self.ask_keys("_serf_use-key", key.as_bytes(), relay_factor).await
    }

    /// Has every node forget `key`, which must not be in use.
    ///
    /// # Errors
    ///
    /// As [`install_key`](Self::install_key).
    pub async fn remove_key(&self, key: &Key, relay_factor: u8) -> Result<KeyReport, CommandError> {
        self.ask_keys("_serf_remove-key", key.as_bytes(), relay_factor).await
    }

    /// Asks every node for its keys.
    ///
    /// # Errors
    ///
    /// As [`install_key`](Self::install_key).
    pub async fn list_keys(&self, relay_factor: u8) -> Result<KeyReport, CommandError> {
        self.ask_keys("_serf_list-keys", &[], relay_factor).await
    }

    /// Asks a query about keys; whether `key` is one is for the nodes to say.
    pub(crate) async fn ask_keys(
        &self,
        query: &str,
        key: &[u8],
        relay_factor: u8,
    ) -> Result<KeyReport, CommandError> {
        let mut payload = BytesMut::new();
        KeyRequest { key: Some(key) }.encode(&mut payload);
        let members = self.members().await?;
        let live = |member: &&Member| member.swim().state().is_live();
        let mut report = KeyReport::new(members.all().iter().filter(live).count());
        let params = QueryParams::new().relay_factor(relay_factor);
        let mut answers = self.query(query, payload.freeze(), params).await?;
        while !report.is_complete()
            && let Some(answer) = answers.recv().await
        {
            if let Answer::Response { from, payload } = answer {
                report.handle(from.as_str(), &payload);
            }
        }
        Ok(report)
    }

    /// The network coordinate of the member of this name, or of this node: `None` if it has told
    /// none.
    pub async fn coordinate(
        &self,
        name: impl Into<String>,
    ) -> Result<Option<Coordinate>, CommandError> {
        let (reply, coordinate) = oneshot::channel();
        self.ask(SerfRequest::Coordinate { name: name.into(), reply }, coordinate).await
    }

    /// Replaces the configuration; refused as a whole if it changes what cannot change.
    pub async fn reload(&self, config: Arc<SerfConfig>) -> Result<(), CommandError> {
        self.command(Command::Reload(config)).await.map(drop)
    }

    /// Gives the node a command and waits for its outcome. What is not a success is an error.
    ///
    /// The answers to a query given so are not told; see [`query`](Self::query).
    pub async fn command(&self, command: Command) -> Result<Outcome, CommandError> {
        let (done, outcome) = oneshot::channel();
        match self.ask(SerfRequest::Command { command, done }, outcome).await?? {
            Outcome::TimedOut => Err(CommandError::TimedOut),
            Outcome::Swim(swim_core::Outcome::NotSaved) => Err(CommandError::NotSaved),
            Outcome::Swim(swim_core::Outcome::NoAnswer) => Err(CommandError::NoAnswer),
            outcome => Ok(outcome),
        }
    }

    /// Stops the agent without a word to the cluster, and waits until its port is free. Does
    /// nothing to an agent that has stopped.
    pub async fn shutdown(&self) {
        let _ = self.requests.send(SerfRequest::Stop).await;
        self.stopped().await;
    }

    /// Waits until the agent has stopped, for whatever reason.
    pub async fn stopped(&self) {
        self.requests.closed().await;
    }

    async fn ask<T>(
        &self,
        request: SerfRequest,
        reply: oneshot::Receiver<T>,
    ) -> Result<T, CommandError> {
        self.requests.send(request).await.map_err(|_| CommandError::Stopped)?;
        reply.await.map_err(|_| CommandError::Stopped)
    }
}
