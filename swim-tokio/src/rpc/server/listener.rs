//! Taking connections.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::counters::Counters;
use super::session;
use super::{Backend, Feed, LogTap, ServerStats};

/// A running server. It stops when this is dropped.
#[derive(Debug)]
pub struct Server {
    local: SocketAddr,
    counters: Arc<Counters>,
    running: watch::Sender<bool>,
}

/// How a server behaves.
#[derive(Clone)]
pub struct ServerConfig {
    token: String,
    clients_max: usize,
    handshake_timeout: Duration,
    write_timeout: Duration,
}

impl ServerConfig {
    /// Without a token, for 256 clients.
    pub fn new() -> Self {
        Self {
            token: String::new(),
            clients_max: 256,
            handshake_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
        }
    }

    /// What clients must show before they are served; the empty text asks for none. Default: empty.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// Connections at a time; further ones are closed at once. Default: 256. Too few lock people
    /// out, too many take memory: up to some 100 kB each.
    #[must_use]
    pub const fn clients_max(mut self, clients: usize) -> Self {
        self.clients_max = clients;
        self
    }

    /// How long a client may take to open the session. Default: 30 s.
    #[must_use]
    pub const fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.handshake_timeout = timeout;
        self
    }

    /// How long a client may take nothing of what waits for it before it is cut off. Default: 60 s.
    #[must_use]
    pub const fn write_timeout(mut self, timeout: Duration) -> Self {
        self.write_timeout = timeout;
        self
    }
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ServerConfig {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("has_token", &!self.token.is_empty())
            .field("clients_max", &self.clients_max)
            .field("handshake_timeout", &self.handshake_timeout)
            .field("write_timeout", &self.write_timeout)
            .finish()
    }
}

/// What all sessions of a server share.
#[derive(Debug)]
pub(super) struct Shared<B> {
    pub(super) backend: Arc<B>,
    pub(super) feed: Feed,
    pub(super) log: LogTap,
    pub(super) counters: Arc<Counters>,
    pub(super) token: String,
    pub(super) handshake_timeout: Duration,
    pub(super) write_timeout: Duration,
}

impl Server {
    /// Listens at `addr` and serves until it is dropped.
    ///
    /// # Errors
    ///
    /// What the system says when it refuses the address.
    pub async fn bind<B: Backend>(
        addr: SocketAddr,
        backend: Arc<B>,
        feed: Feed,
        log: LogTap,
        config: ServerConfig,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let local = listener.local_addr()?;
        let counters = Arc::<Counters>::default();
        let (running, stopped) = watch::channel(true);
        let ServerConfig { token, clients_max, handshake_timeout, write_timeout } = config;
        let shared = Arc::new(Shared {
            backend,
            feed,
            log,
            counters: counters.clone(),
            token,
            handshake_timeout,
            write_timeout,
        });
        tokio::spawn(accept(listener, shared, clients_max, stopped));
        Ok(Self { local, counters, running })
    }

    /// Where it listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// What it has seen so far.
    pub fn stats(&self) -> ServerStats {
        self.counters.read()
    }

    /// Closes the listener and all connections, and waits for that.
    pub async fn shutdown(self) {
        let _ = self.running.send(false);
        self.running.closed().await;
    }
}

async fn accept<B: Backend>(
    listener: TcpListener,
    shared: Arc<Shared<B>>,
    clients_max: usize,
    mut stopped: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(clients_max));
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // The client is gone already, or there are no more descriptors.
                Err(e) => {
                    tracing::warn!("cannot accept a client: {e}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            },
            () = end(&mut stopped) => return,
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            shared.counters.refused();
            tracing::warn!("more than {clients_max} clients: {peer} is refused");
            continue;
        };
        shared.counters.accepted();
        tracing::info!("Accepted client: {peer}");
        let (shared, mut stopped) = (shared.clone(), stopped.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = serve(stream, shared) => {}
                () = end(&mut stopped) => {}
            }
            drop(place);
        });
    }
}

/// Waits until the server is shut down or dropped.
async fn end(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|running| !running).await;
}

async fn serve<B: Backend>(stream: TcpStream, shared: Arc<Shared<B>>) {
    let _ = stream.set_nodelay(true);
    session::run(stream, shared).await;
}

/// After an error that may come again at once.
const PAUSE: Duration = Duration::from_millis(100);
