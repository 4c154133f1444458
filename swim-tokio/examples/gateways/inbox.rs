//! Datagrams that wait for a node.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use swim_tokio::Received;
use tokio::sync::Notify;

/// What a socket's receive buffer is: a bounded queue, and somebody who waits for it.
#[derive(Default)]
pub(crate) struct Inbox {
    waiting: Mutex<VecDeque<Letter>>,
    arrived: Notify,
}

struct Letter {
    from: SocketAddr,
    at: Instant,
    bytes: Box<[u8]>,
}

impl Inbox {
    /// Datagrams that wait at most; more are lost, as they are on a network.
    const LEN_MAX: usize = 1024;

    pub(crate) fn put(&self, from: SocketAddr, bytes: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.len() < Self::LEN_MAX {
            waiting.push_back(Letter { from, at: Instant::now(), bytes: bytes.into() });
            self.arrived.notify_one();
        }
    }

    pub(crate) fn take(&self, buf: &mut [u8]) -> io::Result<Received> {
        let Letter { from, at, bytes } =
            self.waiting().pop_front().ok_or(io::ErrorKind::WouldBlock)?;
        let into = buf.get_mut(..bytes.len()).ok_or(io::ErrorKind::InvalidData)?;
        into.copy_from_slice(&bytes);
        Ok(Received { len: bytes.len(), from, waited: at.elapsed() })
    }

    /// Waits until there is one. A word of it that comes between the look and the wait is kept.
    pub(crate) async fn filled(&self) {
        while self.waiting().is_empty() {
            self.arrived.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Letter>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
