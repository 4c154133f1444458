//! A stream that a peer opened (memberlist spec 3).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use swim_core::InboundId;
use swim_core::wire::ErrorReply;
use swim_core::wire::stream::Role;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::layers::Layers;
use crate::stream::frame::{ReceiveError, receive, send};
use crate::stream::{Answer, Mail, Mailbox, Shared, Slot};
use crate::throttle::Plane;

/// A stream just accepted.
#[derive(Debug)]
pub(crate) struct Inbound<S> {
    pub(crate) id: InboundId,
    pub(crate) from: SocketAddr,
    pub(crate) stream: S,
    pub(crate) layers: Layers,
    /// Held while the stream is open.
    pub(crate) slot: Slot,
}

/// Reads the request, hands it to the driver, and writes the answer.
///
/// The request has the stream time-out to come in, the answer has it once more to go out.
pub(crate) async fn serve(
    shared: Arc<Shared>,
    mailbox: Mailbox,
    inbound: Inbound<impl AsyncRead + AsyncWrite + Unpin>,
) {
    let Inbound { id, from, mut stream, layers, slot: _slot } = inbound;
    let deadline = Instant::now() + layers.config.stream_timeout();
    let received = receive(&mut stream, &layers, Role::Acceptor, &shared.inbound);
    let message = match timeout_at(deadline, received).await {
        Ok(Ok(Some(message))) => message,
        Ok(Ok(None)) => return,
        Ok(Err(e)) => return refuse(&shared, stream, from, &layers, &e).await,
        Err(_) => return shared.counters.streams_broken.up(),
    };
    let (answer, answered) = oneshot::channel();
    let request = Mail::Request { id, from, message, answer };
    // Elapsed: the node is too busy to take it. Closed: it stops, or owes no answer.
    let Ok(Ok(())) = timeout_at(deadline, mailbox.send(request)).await else { return };
    let Ok(Ok(Answer { message, layers })) = timeout_at(deadline, answered).await else { return };
    write_and_close(stream, &layers, message).await;
}

/// Tells the peer what is wrong if it may know, and the operator in any case.
async fn refuse(
    shared: &Shared,
    stream: impl AsyncRead + AsyncWrite + Unpin,
    from: SocketAddr,
    layers: &Layers,
    error: &ReceiveError,
) {
    let counters = &shared.counters;
    let text = match error {
        ReceiveError::Frame(e) => {
            counters.streams_unopened.up();
            shared.throttle.warn(shared.clock.now(), from, Plane::Stream, error);
            e.reply_text()
        }
        ReceiveError::Cut { .. } => {
            counters.streams_broken.up();
            tracing::debug!("stream from {from}: {error}");
            Some("the request is cut short")
        }
        ReceiveError::Io(_) => {
            counters.streams_broken.up();
            tracing::debug!("stream from {from}: {error}");
            None
        }
        ReceiveError::Crowded => {
            counters.streams_bytes_limited.up();
            shared.throttle.warn(shared.clock.now(), from, Plane::Stream, error);
            None
        }
    };
    if let Some(text) = text {
        let mut message = BytesMut::new();
        ErrorReply { text: text.as_bytes() }.encode(&mut message);
        write_and_close(stream, layers, message.freeze()).await;
    }
}

/// Writes the answer and waits until the peer has closed, because closing a socket with unread
/// bytes resets the connection and can take the answer with it.
async fn write_and_close(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    layers: &Layers,
    message: Bytes,
) {
    let linger = async {
        send(&mut stream, layers, Role::Acceptor, message).await?;
        stream.shutdown().await?;
        let mut rest = [0; 512];
        while stream.read(&mut rest).await? > 0 {}
        io::Result::Ok(())
    };
    let deadline = Instant::now() + layers.config.stream_timeout();
    if let Ok(Err(e)) = timeout_at(deadline, linger).await {
        tracing::debug!("answer not taken: {e}");
    }
}
