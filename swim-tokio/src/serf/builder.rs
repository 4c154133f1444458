//! Starting a Serf agent.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use swim_core::serf::{Event, Serf, SerfConfig, Tags};

use super::desk::SerfDesk;
use super::handle::SerfHandle;
use crate::addr::JoinAddr;
use crate::builder::{Agent, Builder, Prepared};
use crate::error::StartError;
use crate::events::{Events, Overflow};
use crate::limit::RateLimit;

/// A Serf node with its sockets, run by one task on tokio. See [`SerfAgent::builder`].
#[derive(Debug)]
#[non_exhaustive]
pub struct SerfAgent;

impl SerfAgent {
    /// A builder for an agent with this configuration.
    pub fn builder(config: Arc<SerfConfig>) -> SerfBuilder {
        let inner = Agent::builder(config.swim().clone());
        SerfBuilder { inner, config, tags: Tags::default(), replay: false }
    }
}

/// Builds a Serf agent.
#[must_use]
pub struct SerfBuilder {
    inner: Builder,
    config: Arc<SerfConfig>,
    tags: Tags,
    replay: bool,
}

impl SerfBuilder {
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

    fn with(self, change: impl FnOnce(Builder) -> Builder) -> Self {
        Self { inner: change(self.inner), ..self }
    }

    /// Starts the agent on the current tokio runtime, and joins the seeds if there are any.
    ///
    /// # Errors
    ///
    /// [`StartError`]; nothing is left running. If there are seeds, one of them must be reached.
    pub async fn spawn(self) -> Result<(SerfHandle, Events<Event>), StartError> {
        let Self { inner, config, tags, replay } = self;
        let prepared = inner.prepare().await?;
        let (name, advertised) = prepared.names();
        let local = prepared.sockets.local;
        let Prepared { clock, seed, sockets, identity, config: swim } = prepared;
        let config = config.to_builder().swim(swim).build().map_err(StartError::Config)?;
        let serf = Serf::new(config, identity, &tags, seed, clock.now());
        let seeds = inner.seeds.clone();
        let (requests, events) = inner.start(clock, serf, sockets, SerfDesk::new);
        let handle = SerfHandle::new(requests, local, advertised, name);
        if !seeds.is_empty()
            && let Err(e) = handle.join(seeds, replay).await
        {
            handle.shutdown().await;
            return Err(StartError::Join(e));
        }
        Ok((handle, events))
    }
}
