//! A receiver of figures.

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};

/// Keeps each line once. Whoever sends is not waited for, so it reads from the start: a socket that
/// is full drops what comes, and some figures come once.
pub(crate) struct Statsd {
    addr: SocketAddr,
    lines: Arc<Mutex<BTreeSet<String>>>,
}

impl Statsd {
    pub(crate) fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (addr, lines) = (socket.local_addr().unwrap(), Arc::<Mutex<BTreeSet<_>>>::default());
        let found = lines.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(len) = socket.recv(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..len]);
                found.lock().unwrap().extend(text.lines().map(Into::into));
            }
        });
        Self { addr, lines }
    }

    pub(crate) const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What has come so far.
    pub(crate) fn lines(&self) -> BTreeSet<String> {
        self.lines.lock().unwrap().clone()
    }
}
