//! Starting an agent.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use swim_core::journal::{Recorder, Secrets};
use swim_core::{Config, Identity, Node, NodeName, Seed};
use tokio::sync::mpsc;
use tracing::{Instrument as _, Span};

use crate::addr::{DEFAULT_PORT, JoinAddr};
use crate::advertise;
use crate::bind::Sockets;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::driver::{
    BareDesk, Datagrams, Desk, Driver, Ignore, KeySaver, Machine, Outlet, Streams,
};
use crate::error::StartError;
use crate::events::{Events, Overflow};
use crate::handle::Handle;
use crate::journal::{JournalFile, Kept};
use crate::keyring_file::{KeyringFileError, read_keyring, write_keyring};
use crate::limit::RateLimit;
use crate::nonce;
use crate::stream::{Budget, Shared};
use crate::throttle::Throttle;
use crate::transport::{Names, Transport};

/// A node with its sockets, run by one task on tokio. See [`Agent::builder`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Agent;

impl Agent {
    /// A builder for an agent with this configuration.
    pub fn builder(config: Arc<Config>) -> Builder {
        Builder {
            config,
            name: None,
            bind: SocketAddr::from(([0, 0, 0, 0], DEFAULT_PORT)),
            advertise: None,
            meta: Vec::new(),
            app_versions: (0, 0, 0),
            seeds: Vec::new(),
            keyring_file: None,
            journal: None,
            events_max: 1024,
            overflow: Overflow::default(),
            rate_limit: Some(RateLimit::default()),
            ignore: None,
            opening: Opening::Bind(Sockets::bind),
            names: Names::Unused,
        }
    }
}

/// Builds an agent.
#[must_use]
pub struct Builder<T = Sockets> {
    config: Arc<Config>,
    name: Option<String>,
    bind: SocketAddr,
    advertise: Option<SocketAddr>,
    meta: Vec<u8>,
    app_versions: (u8, u8, u8),
    pub(crate) seeds: Vec<JoinAddr>,
    keyring_file: Option<PathBuf>,
    pub(crate) journal: Option<PathBuf>,
    events_max: usize,
    overflow: Overflow,
    rate_limit: Option<RateLimit>,
    ignore: Option<Ignore>,
    opening: Opening<T>,
    names: Names,
}

/// Where the transport comes from.
enum Opening<T> {
    Bind(fn(SocketAddr) -> io::Result<T>),
    Given(Arc<T>),
}

impl<T: Transport> Builder<T> {
    /// The name of the node, unique in its cluster. Default: the host's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Where to listen, UDP and TCP. Default `0.0.0.0:7946`. Port 0 takes one that is free for
    /// both.
    pub fn bind(mut self, addr: SocketAddr) -> Self {
        self.bind = addr;
        self
    }

    /// The address that others are told; port 0 stands for the port that is bound.
    ///
    /// Default: the address that is bound. If that is unspecified: the first private address of an
    /// interface that is up and not loopback, else its first other address that is not link-local.
    pub fn advertise(mut self, addr: SocketAddr) -> Self {
        self.advertise = Some(addr);
        self
    }

    /// The application's metadata, at most 512 bytes. Default: none.
    pub fn meta(mut self, meta: impl Into<Vec<u8>>) -> Self {
        self.meta = meta.into();
        self
    }

    /// Smallest, largest and spoken version of the application's protocol. Default: all 0. A Serf
    /// cluster requires `(2, 5, 4)`.
    pub fn app_versions(mut self, min: u8, max: u8, current: u8) -> Self {
        self.app_versions = (min, max, current);
        self
    }

    /// Joins the cluster of these seeds before [`spawn`](Self::spawn) returns. Default: none.
    pub fn join<S: Into<JoinAddr>>(mut self, seeds: impl IntoIterator<Item = S>) -> Self {
        self.seeds.extend(seeds.into_iter().map(Into::into));
        self
    }

    /// Keeps the keyring in a file: a JSON array of base64 keys, primary first, as Serf's.
    ///
    /// If the file exists its keys are used instead of the configuration's; if not it is made, from
    /// those. Every change of the keyring is stored before the command that made it ends. Default:
    /// none, and a change lasts as long as the agent.
    pub fn keyring_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.keyring_file = Some(path.into());
        self
    }

    /// Keeps a journal in a file of mode 0600: all that the node is given from its start on, keys
    /// and payloads among it, so that [`swim_core::journal`] can run it again bit for bit.
    ///
    /// Journals of earlier lives are kept as `PATH.1` to `PATH.4`; a file that is none is an error.
    /// The journal ends with the agent, or at 1 GiB (whoever may send can bring that about), or
    /// when it cannot be written, which the log tells; the agent goes on. Default: none.
    pub fn journal(mut self, path: impl Into<PathBuf>) -> Self {
        self.journal = Some(path.into());
        self
    }

    /// Events that wait for the consumer at most. Default 1,024; held within 1 and 1,048,576.
    pub fn events_max(mut self, events_max: usize) -> Self {
        self.events_max = events_max.clamp(1, EVENTS_MAX);
        self
    }

    /// What to do with more. Default [`Overflow::Lag`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// How much one source may send, `None` for any amount. Default: [`RateLimit::default`].
    pub fn rate_limit(mut self, rate_limit: impl Into<Option<RateLimit>>) -> Self {
        self.rate_limit = rate_limit.into();
        self
    }

    /// Has another transport carry what the agent sends and receives, instead of sockets bound to
    /// [`bind`](Self::bind). It is told the names of nodes wherever they are known.
    pub fn transport<U: Transport>(self, transport: U) -> Builder<U> {
        let Self { config, name, bind, advertise, meta, app_versions, seeds, .. } = self;
        let Self { keyring_file, journal, events_max, overflow, rate_limit, ignore, .. } = self;
        let names = match self.names {
            Names::Unused => Names::Told,
            names => names,
        };
        Builder {
            config,
            name,
            bind,
            advertise,
            meta,
            app_versions,
            seeds,
            keyring_file,
            journal,
            events_max,
            overflow,
            rate_limit,
            ignore,
            opening: Opening::Given(Arc::new(transport)),
            names,
        }
    }

    /// Refuses and counts ([`DriverStats`](crate::DriverStats)) whatever is for nobody of a known
    /// name, for transports on which an address alone leads nowhere.
    ///
    /// A seed is `NAME/ADDRESS` then; a join by an address alone fails, and says why. A direct
    /// message needs a [`Seat`](swim_core::Seat) with a name. Whoever is told that it was wrongly
    /// accused, by somebody who only passed that on, is not answered but by gossip. Default: not
    /// required.
    pub fn require_node_names(mut self) -> Self {
        self.names = Names::Required;
        self
    }

    /// Drops datagrams from some sources unseen, to test what streams are for.
    #[doc(hidden)]
    pub fn ignore_datagrams_from(
        mut self,
        ignore: impl Fn(SocketAddr) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.ignore = Some(Arc::new(ignore));
        self
    }

    /// Starts the agent on the current tokio runtime, and joins the seeds if there are any.
    ///
    /// # Errors
    ///
    /// [`StartError`]; nothing is left running. If there are seeds, one of them must be reached.
    pub async fn spawn(self) -> Result<(Handle, Events), StartError> {
        let prepared = self.prepare().await?;
        let (name, advertised) = prepared.names();
        let local = prepared.transport.local_addr();
        let Prepared { clock, seed, transport, identity, config } = prepared;
        let node = match &self.journal {
            Some(path) => {
                let file = JournalFile::start(path)?;
                let secrets = Secrets::Kept;
                Kept::recorded(Recorder::new(config, identity, seed, clock.now(), secrets), file)
            }
            None => Kept::Plain(Node::new(config, identity, seed, clock.now())),
        };
        let seeds = self.seeds.clone();
        let (requests, events) = self.start(clock, node, transport, BareDesk::new);
        let handle = Handle::new(requests, local, advertised, name);
        if !seeds.is_empty()
            && let Err(e) = handle.join(seeds).await
        {
            handle.shutdown().await;
            return Err(StartError::Join(e));
        }
        Ok((handle, events))
    }

    /// Makes everything that can fail: randomness, transport, name, keys.
    pub(crate) async fn prepare(&self) -> Result<Prepared<T>, StartError> {
        let clock = Clock::new();
        let seed = nonce::seed().map_err(|e| StartError::Random(e.into()))?;
        let transport = self.open().await?;
        let identity = self.identity(&*transport)?;
        let config = self.config_with_keys()?;
        Ok(Prepared { clock, seed, transport, identity, config })
    }

    async fn open(&self) -> Result<Arc<T>, StartError> {
        match &self.opening {
            Opening::Given(transport) => Ok(transport.clone()),
            Opening::Bind(bind) => {
                let addr = self.bind;
                let transport = bind(addr).map_err(|error| StartError::Bind { addr, error })?;
                // Sending starts at once instead of finding the socket not ready.
                transport.writable().await;
                Ok(Arc::new(transport))
            }
        }
    }

    /// The configuration with the keys of the keyring file, which is made if it does not exist.
    fn config_with_keys(&self) -> Result<Arc<Config>, StartError> {
        let Some(path) = &self.keyring_file else { return Ok(self.config.clone()) };
        if let Some(ring) = read_keyring(path).map_err(StartError::Keyring)? {
            let config = self.config.to_builder().keyring(ring).build();
            return config.map_err(StartError::Config);
        }
        let ring = self.config.keyring();
        if ring.is_empty() {
            return Err(StartError::Keyring(KeyringFileError::missing(path)));
        }
        write_keyring(path, ring).map_err(StartError::Keyring)?;
        Ok(self.config.clone())
    }

    fn identity(&self, transport: &T) -> Result<Identity, StartError> {
        let addr = self.advertised(transport)?;
        let name = match &self.name {
            Some(name) => name.clone(),
            None => host_name().ok_or(StartError::NoName)?,
        };
        let (min, max, current) = self.app_versions;
        Identity::new(&name, addr)
            .and_then(|me| me.meta(&self.meta))
            .and_then(|me| me.app_versions(min, max, current))
            .map_err(StartError::Identity)
    }

    fn advertised(&self, transport: &T) -> Result<SocketAddr, StartError> {
        let local = transport.local_addr();
        let mut addr = match self.advertise.or_else(|| transport.advertised_addr()) {
            Some(addr) => addr,
            None if !local.ip().is_unspecified() => local,
            None => {
                let ip = advertise::choose(local.ip(), &advertise::interface_addrs());
                SocketAddr::new(ip.ok_or(StartError::NoAddress { bind: local })?, 0)
            }
        };
        if addr.port() == 0 {
            addr.set_port(local.port());
        }
        // An IPv4 address goes out in its 4-byte form, as that of a memberlist node does that was
        // told its address.
        addr.set_ip(addr.ip().to_canonical());
        Ok(addr)
    }

    /// Starts the task that drives a machine.
    pub(crate) fn start<D: Desk>(
        self,
        clock: Clock,
        mut machine: D::Machine,
        transport: Arc<T>,
        desk: impl FnOnce(Arc<Shared>) -> D,
    ) -> (mpsc::Sender<D::Request>, Events<<D::Machine as Machine>::Event>) {
        if self.names != Names::Unused {
            machine.name_addressees();
        }
        let shared = Arc::new(Shared {
            clock,
            counters: Counters::default(),
            throttle: Throttle::default(),
            names: self.names,
            inbound: Budget::new(INBOUND_BYTES_MAX),
            outbound: Budget::new(OUTBOUND_BYTES_MAX),
        });
        let (mailbox, mail) = mpsc::channel(MAIL_MAX);
        let (requests, asked) = mpsc::channel(REQUESTS_MAX);
        let (consumer, events) = mpsc::channel(self.events_max);
        let held_max = match self.overflow {
            Overflow::Lag => 0,
            Overflow::HoldBack => machine.node().config().events_max() as usize,
        };
        let limit = self.rate_limit;
        let (datagrams, streams) = (limit.map(|l| l.datagrams()), limit.map(|l| l.streams()));
        let (carried, mailed) = (transport.clone(), mailbox.clone());
        let span = span_of(machine.node());
        let driver = Driver {
            clock,
            datagrams: Datagrams::new(carried, datagrams, self.ignore, shared.clone()),
            streams: Streams::new(transport, streams, mailed, shared.clone()),
            mail,
            requests: asked,
            outlet: Outlet::new(consumer, held_max, shared.clone()),
            keys: KeySaver::new(self.keyring_file, mailbox),
            desk: desk(shared),
            node: machine,
        };
        tokio::spawn(driver.run().instrument(span));
        (requests, Events(events))
    }
}

/// Tells the lines of several nodes in one process apart, in whatever log the embedder has.
fn span_of(node: &Node) -> Span {
    let (me, config) = (node.me(), node.config());
    let label = String::from_utf8_lossy(config.label());
    tracing::info_span!("node", name = me.name(), label = &*label)
}

/// What a machine is made of, and the transport that it gets.
pub(crate) struct Prepared<T> {
    pub(crate) clock: Clock,
    pub(crate) seed: Seed,
    pub(crate) transport: Arc<T>,
    pub(crate) identity: Identity,
    pub(crate) config: Arc<Config>,
}

impl<T> Prepared<T> {
    /// Name and address of the node.
    pub(crate) fn names(&self) -> (NodeName, SocketAddr) {
        (self.identity.name().clone(), self.identity.addr().canonical())
    }
}

/// The name of this host, under which a node starts that is given no other.
#[cfg(unix)]
pub fn host_name() -> Option<String> {
    nix::unistd::gethostname().ok()?.into_string().ok().filter(|name| !name.is_empty())
}

/// The name of this host, under which a node starts that is given no other.
#[cfg(not(unix))]
pub fn host_name() -> Option<String> {
    std::env::var("COMPUTERNAME").ok().filter(|name| !name.is_empty())
}

/// Commands that wait for the driver; whoever gives more waits.
const REQUESTS_MAX: usize = 256;
/// Messages from streams that wait for the driver; the streams wait.
const MAIL_MAX: usize = 64;
/// Bytes of messages that all inbound streams are receiving: three push/pulls of the largest size,
/// or hundreds of usual ones.
const INBOUND_BYTES_MAX: usize = 128 << 20;
/// The same of the answers to streams of this node, which has few open at a time.
const OUTBOUND_BYTES_MAX: usize = 128 << 20;
/// Events that a consumer may be behind at most, so that a typing error does not take all memory.
const EVENTS_MAX: usize = 1 << 20;
