//! Receiving and sending the one message that a stream carries each way.

use std::fmt;
use std::io;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use swim_core::envelope::{Compression, DecryptError, FrameBuffers, FrameError, FrameReader, Lzw};
use swim_core::wire::stream::{Limits, Role};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::layers::Layers;
use crate::stream::Budget;
use crate::stream::budget::Reservation;

/// Reads, decrypts and expands the message that arrives on `stream`; `None` if the stream ends
/// before its first byte.
pub(super) async fn receive(
    stream: &mut (impl AsyncRead + Unpin),
    layers: &Layers,
    role: Role,
    budget: &Arc<Budget>,
) -> Result<Option<Bytes>, ReceiveError> {
    let mut reservation = Reservation::new(budget);
    let mut reader = FrameReader::new(layers.outer(), role, Limits::default());
    let mut received = BytesMut::with_capacity(READ_BYTES);
    let frame = loop {
        if received.len() == received.capacity() && !reservation.cover(received.len() * 2) {
            return Err(ReceiveError::Crowded);
        }
        match stream.read_buf(&mut received).await {
            Ok(0) if received.is_empty() => return Ok(None),
            Ok(0) => return Err(ReceiveError::Cut { received: received.len() }),
            Ok(_) => {}
            Err(e) => return Err(ReceiveError::Io(e)),
        }
        if let Some(frame) = reader.advance(&received).map_err(ReceiveError::Frame)? {
            break frame;
        }
    };
    received.truncate(frame.end);
    let frame = received.split_off(frame.start).freeze();
    let layers = layers.clone();
    let opened = blocking_if_large(frame.len(), move || open(&layers, role, &frame)).await;
    opened.map(Some).map_err(ReceiveError::Frame)
}

fn open(layers: &Layers, role: Role, frame: &Bytes) -> Result<Bytes, FrameError> {
    let mut buffers = FrameBuffers::default();
    let mut lzw = Lzw::default();
    let message = layers.outer().open_frame(role, frame, &mut lzw, &mut buffers)?;
    Ok(Bytes::copy_from_slice(message))
}

/// Wraps `message` and writes it.
pub(super) async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    layers: &Layers,
    role: Role,
    message: Bytes,
) -> io::Result<()> {
    let layers = layers.clone();
    let sealed = blocking_if_large(message.len(), move || seal(&layers, role, &message)).await?;
    stream.write_all(&sealed).await
}

fn seal(layers: &Layers, role: Role, message: &[u8]) -> io::Result<BytesMut> {
    let mut nonce = [0; 12];
    getrandom::fill(&mut nonce)?;
    let mut lzw = Lzw::default();
    let compressor = layers.config.compression().then_some(&mut lzw as &mut dyn Compression);
    let mut sealed = BytesMut::new();
    let result = layers.outer().seal_frame(role, nonce, message, compressor, &mut sealed);
    result.map_err(io::Error::other)?;
    Ok(sealed)
}

/// Runs `work` here, or on a thread of its own if it is about so many bytes that other tasks would
/// wait for it noticeably.
async fn blocking_if_large<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> T {
    if bytes < LARGE_BYTES {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => std::panic::resume_unwind(e.into_panic()),
    }
}

/// Why no message came.
#[derive(Debug)]
pub(super) enum ReceiveError {
    /// What came is not acceptable.
    Frame(FrameError),
    /// The stream ended within the message.
    Cut { received: usize },
    /// The stream broke.
    Io(io::Error),
    /// All streams together hold too many bytes.
    Crowded,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(FrameError::Decrypt(e @ DecryptError::NoKey { .. })) => {
                write!(f, "{e}; another encryption key?")
            }
            Self::Frame(FrameError::Unacceptable { .. }) => f.write_str("it is of another label"),
            Self::Frame(e) => e.fmt(f),
            Self::Cut { received } => {
                write!(f, "it ends within its message, after {received} bytes")
            }
            Self::Io(e) => e.fmt(f),
            Self::Crowded => f.write_str("streams hold too many bytes already"),
        }
    }
}

/// Most requests fit.
const READ_BYTES: usize = 4 << 10;
/// Compressing this much takes about a millisecond.
const LARGE_BYTES: usize = 64 << 10;
