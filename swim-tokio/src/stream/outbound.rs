//! A stream that this node opens (memberlist spec 3).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use swim_core::wire::stream::Role;
use swim_core::wire::{Kind, Message};
use swim_core::{ExchangeError, NodeName, OutboundId};
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout_at};

use crate::layers::Layers;
use crate::stream::frame::{ReceiveError, receive, send};
use crate::stream::{Mail, Mailbox, Shared};
use crate::transport::{Nameless, Names, Target, Transport};

/// A stream to open.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: OutboundId,
    pub(crate) to: SocketAddr,
    pub(crate) name: Option<NodeName>,
    pub(crate) message: Bytes,
    pub(crate) reply_due: bool,
    pub(crate) deadline: Instant,
    pub(crate) layers: Layers,
}

/// Sends the message, waits for the reply if one is due, and tells the driver.
pub(crate) async fn call(
    shared: Arc<Shared>,
    mailbox: Mailbox,
    transport: Arc<impl Transport>,
    call: Call,
) {
    let Call { id, to, reply_due, deadline, .. } = call;
    let result = match timeout_at(deadline, exchange(&shared, &*transport, call)).await {
        Ok(result) => result,
        Err(_) => Err(Failure::new(ExchangeError::TimedOut, "timed out")),
    };
    let (result, why) = match result {
        Ok(reply) => match (refusal(&reply), reply_due) {
            // The node reads an error as well as it reads a reply.
            (why, true) => (Ok(reply), why),
            (Some(why), false) => (Err(ExchangeError::Remote), Some(why)),
            (None, false) => (Ok(Bytes::new()), None),
        },
        Err(Failure { error, why }) => (Err(error), Some(why)),
    };
    if why.is_some() {
        shared.counters.streams_failed.up();
    }
    // Fails only if the driver stops.
    let _ = mailbox.send(Mail::Reply { id, to, result, why }).await;
}

struct Failure {
    error: ExchangeError,
    why: String,
}

impl Failure {
    fn new(error: ExchangeError, why: impl ToString) -> Self {
        Self { error, why: why.to_string() }
    }
}

async fn exchange(
    shared: &Shared,
    transport: &impl Transport,
    call: Call,
) -> Result<Bytes, Failure> {
    let Call { to, name, message, reply_due, deadline, layers, .. } = call;
    if name.is_none() && shared.names == Names::Required {
        shared.counters.streams_unnamed.up();
        return Err(Failure::new(ExchangeError::Refused, Nameless));
    }
    shared.counters.streams_opened.up();
    let target = Target { addr: to, name: name.as_ref().map(NodeName::as_str) };
    let timeout = deadline.saturating_duration_since(Instant::now());
    let mut stream = transport.dial(target, timeout).await.map_err(|e| {
        let error = match e.kind() {
            io::ErrorKind::TimedOut => ExchangeError::TimedOut,
            _ => ExchangeError::Refused,
        };
        Failure::new(error, e)
    })?;
    let sent = send(&mut stream, &layers, Role::Dialer, message).await;
    sent.map_err(|e| Failure::new(ExchangeError::Closed, e))?;
    let received = if reply_due {
        receive(&mut stream, &layers, Role::Dialer, &shared.outbound).await
    } else {
        // Nothing is due, but a peer that cannot read the message says so, and all others close.
        stream.shutdown().await.map_err(|e| Failure::new(ExchangeError::Closed, e))?;
        let end = receive(&mut stream, &layers, Role::Dialer, &shared.outbound);
        timeout_at(deadline, end).await.unwrap_or(Ok(None))
    };
    match received {
        Ok(Some(reply)) => Ok(reply),
        Ok(None) if !reply_due => Ok(Bytes::new()),
        Ok(None) => Err(Failure::new(ExchangeError::Closed, "closed without an answer")),
        Err(e @ ReceiveError::Frame(_)) => {
            Err(Failure::new(ExchangeError::Malformed, format!("bad answer: {e}")))
        }
        Err(e) => Err(Failure::new(ExchangeError::Closed, e)),
    }
}

/// What the peer says if its reply is an error.
fn refusal(reply: &[u8]) -> Option<String> {
    if reply.first() != Some(&Kind::Error.byte()) {
        return None;
    }
    match Message::decode(reply) {
        Ok(Message::Error(e)) => {
            let text = String::from_utf8_lossy(&e.text[..e.text.len().min(TEXT_BYTES_MAX)]);
            Some(format!("it answered: {}", text.escape_debug()))
        }
        _ => Some("it answered with an error that cannot be read".into()),
    }
}

/// Of a peer's error text, as much as a log line can bear.
const TEXT_BYTES_MAX: usize = 256;
