//! Starting a Serf agent.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use swim_core::journal;
use swim_core::serf::{Event, Serf, SerfConfig, Tags};
use swim_core::{NodeName, Seat};

use super::desk::SerfDesk;
use super::handle::SerfHandle;
use super::snapshot::{self, Recorder};
use crate::addr::JoinAddr;
use crate::bind::Sockets;
use crate::builder::{Agent, Builder, Prepared};
use crate::error::StartError;
use crate::events::{Events, Overflow};
use crate::journal::{JournalFile, Kept};
use crate::limit::RateLimit;
use crate::nonce;
use crate::transport::Transport;

/// A Serf node with its sockets, run by one task on tokio. See [`SerfAgent::builder`].
#[derive(Debug)]
#[non_exhaustive]
pub struct SerfAgent;

impl SerfAgent {
    /// A builder for an agent with this configuration.
    pub fn builder(config: Arc<SerfConfig>) -> SerfBuilder {
        let inner = Agent::builder(config.swim().clone());
        SerfBuilder {
            inner,
            config,
            tags: Tags::default(),
            replay: false,
            snapshot: None,
            rejoin_after_leave: false,
        }
    }
}

/// Builds a Serf agent.
#[must_use]
pub struct SerfBuilder<T = Sockets> {
    inner: Builder<T>,
    config: Arc<SerfConfig>,
    tags: Tags,
    replay: bool,
    snapshot: Option<PathBuf>,
    rejoin_after_leave: bool,
}

impl<T: Transport> SerfBuilder<T> {
    /// The tags of the node. Default: none.
    pub fn tags(mut self, tags: Tags) -> Self {
        self.tags = tags;
        self
    }

    /// Whether the join at the start delivers user events from before. Default: no.
    pub const fn replay(mut self, replay: bool) -> Self {
        self.replay = replay;
        self
    }

    /// Keeps members and clocks in a file, in Serf's own format, which either may read (serf spec
    /// 7).
    ///
    /// After a restart no event is delivered again, and members of the file are tried in the
    /// background, in random order, until one of them lets this node join. Default: none.
    pub fn snapshot(mut self, path: impl Into<PathBuf>) -> Self {
        self.snapshot = Some(path.into());
        self
    }

    /// Whether a node that has left joins the members of its snapshot nevertheless. Default: no.
    pub const fn rejoin_after_leave(mut self, rejoin: bool) -> Self {
        self.rejoin_after_leave = rejoin;
        self
    }

    /// As [`Builder::name`].
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with(|inner| inner.name(name))
    }

    /// As [`Builder::bind`].
    pub fn bind(self, addr: SocketAddr) -> Self {
        self.with(|inner| inner.bind(addr))
    }

    /// As [`Builder::advertise`].
    pub fn advertise(self, addr: SocketAddr) -> Self {
        self.with(|inner| inner.advertise(addr))
    }

    /// As [`Builder::join`].
    pub fn join<S: Into<JoinAddr>>(self, seeds: impl IntoIterator<Item = S>) -> Self {
        self.with(|inner| inner.join(seeds))
    }

    /// As [`Builder::keyring_file`].
    pub fn keyring_file(self, path: impl Into<PathBuf>) -> Self {
        self.with(|inner| inner.keyring_file(path))
    }

    /// As [`Builder::journal`].
    pub fn journal(self, path: impl Into<PathBuf>) -> Self {
        self.with(|inner| inner.journal(path))
    }

    /// As [`Builder::events_max`].
    pub fn events_max(self, events_max: usize) -> Self {
        self.with(|inner| inner.events_max(events_max))
    }

    /// As [`Builder::overflow`].
    pub fn overflow(self, overflow: Overflow) -> Self {
        self.with(|inner| inner.overflow(overflow))
    }

    /// As [`Builder::rate_limit`].
    pub fn rate_limit(self, rate_limit: impl Into<Option<RateLimit>>) -> Self {
        self.with(|inner| inner.rate_limit(rate_limit))
    }

    /// As [`Builder::transport`].
    pub fn transport<U: Transport>(self, transport: U) -> SerfBuilder<U> {
        let Self { inner, config, tags, replay, snapshot, rejoin_after_leave } = self;
        let inner = inner.transport(transport);
        SerfBuilder { inner, config, tags, replay, snapshot, rejoin_after_leave }
    }

    /// As [`Builder::require_node_names`].
    pub fn require_node_names(self) -> Self {
        self.with(Builder::require_node_names)
    }

    fn with(self, change: impl FnOnce(Builder<T>) -> Builder<T>) -> Self {
        Self { inner: change(self.inner), ..self }
    }

    /// Starts the agent on the current tokio runtime, and joins the seeds if there are any.
    ///
    /// # Errors
    ///
    /// [`StartError`]; nothing is left running. If there are seeds, one of them must be reached.
    pub async fn spawn(self) -> Result<(SerfHandle, Events<Event>), StartError> {
        let Self { inner, config, tags, replay, snapshot, rejoin_after_leave } = self;
        let prepared = inner.prepare().await?;
        let (name, advertised) = prepared.names();
        let local = prepared.transport.local_addr();
        let Prepared { clock, seed, transport, identity, config: swim } = prepared;
        let config = config.to_builder().swim(swim).build().map_err(StartError::Config)?;
        let mut recorder = None;
        let (mut known, mut resumed) = (Vec::new(), None);
        if let Some(path) = snapshot {
            let fail = |error| StartError::Snapshot { path: path.clone(), error };
            let found = snapshot::open(&path, rejoin_after_leave).map_err(fail)?;
            resumed = Some(found.snapshot.clocks());
            let order = nonce::seed().map_err(|e| StartError::Random(e.into()))?;
            known.extend(found.snapshot.rejoin_list(name.as_str(), order).into_iter().map(seat));
            recorder = Some(Recorder::start(path.clone(), found).map_err(fail)?);
        }
        let now = clock.now();
        let mut serf = match &inner.journal {
            Some(path) => {
                let file = JournalFile::start(path)?;
                Kept::recorded(journal::Recorder::of_serf(config, identity, &tags, seed, now), file)
            }
            None => Kept::Plain(Serf::new(config, identity, &tags, seed, now)),
        };
        if let Some((member_time, event_time, query_time)) = resumed {
            serf.resume(member_time, event_time, query_time);
        }
        let seeds = inner.seeds.clone();
        let desk = |shared| SerfDesk::new(recorder, shared);
        let (requests, events) = inner.start(clock, serf, transport, desk);
        let handle = SerfHandle::new(requests, local, advertised, name, clock);
        if !seeds.is_empty()
            && let Err(e) = handle.join(seeds, replay).await
        {
            handle.shutdown().await;
            return Err(StartError::Join(e));
        }
        if !known.is_empty() {
            tokio::spawn(rejoin(handle.clone(), known));
        }
        Ok((handle, events))
    }
}

fn seat((name, addr): (&str, SocketAddr)) -> Seat {
    Seat { addr, name: NodeName::new(name).ok() }
}

/// Joins one of those that were there before.
async fn rejoin(handle: SerfHandle, known: Vec<Seat>) {
    for seat in known {
        let who = seat.name.as_ref().map(NodeName::to_string).unwrap_or_default();
        tracing::info!("Attempting re-join to previously known node: {who}: {}", seat.addr);
        match handle.rejoin(vec![seat]).await {
            Ok(report) if report.reached > 0 => {
                return tracing::info!("Re-joined to previously known node: {who}");
            }
            Ok(_) => {}
            Err(_) => return,
        }
    }
    tracing::warn!("Failed to re-join any previously known node");
}
