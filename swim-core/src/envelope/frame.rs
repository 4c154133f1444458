//! The framed message of a stream.

use core::ops::Range;

use bytes::{BufMut as _, BytesMut};

use crate::envelope::compress::{COMPRESSED, put_always};
use crate::envelope::{Compression, FrameError, Label, Nonce, Outer, SealError, Verify, crypt};
use crate::wire::stream::{Head, Limits, Reader, Role, Status, StreamError};

/// Reads the one message that arrives on a stream, refusing as early as possible.
///
/// A wrong label, a missing key or missing encryption is reported as soon as the message's type
/// byte is in, whatever the rest would be.
#[derive(Clone, Debug)]
pub struct FrameReader<'a> {
    outer: Outer<'a>,
    role: Role,
    reader: Reader,
    head_checked: bool,
}

impl<'a> FrameReader<'a> {
    /// A reader for what a node in this role receives.
    pub fn new(outer: Outer<'a>, role: Role, limits: Limits) -> Self {
        Self { outer, role, reader: Reader::new(role, limits), head_checked: false }
    }

    /// Looks at what is new in `received`, which is everything since the stream began.
    ///
    /// Returns where the frame is once it is complete; [`Outer::open_frame`] then opens it.
    pub fn advance(&mut self, received: &[u8]) -> Result<Option<Range<usize>>, FrameError> {
        let status = self.reader.advance(received);
        if !self.head_checked
            && let Some(head) = self.reader.head()
        {
            self.check(head, received)?;
            self.head_checked = true;
        }
        match status.map_err(FrameError::Stream)? {
            Status::Complete(frame) => Ok(Some(frame)),
            Status::NeedMore => Ok(None),
        }
    }

    fn check(&self, head: &Head, received: &[u8]) -> Result<(), FrameError> {
        let label = received.get(head.label.clone()).unwrap_or_default();
        // Replies carry no label, whatever is configured.
        if self.role == Role::Acceptor && !self.outer.accepts_label(label) {
            return Err(FrameError::Unacceptable { label_len: label.len() });
        }
        self.outer.check_kind(head.kind)
    }
}

/// Where messages are decrypted and expanded. Keep it from call to call to save allocations, or
/// drop it after a stream to save memory.
#[derive(Clone, Debug, Default)]
pub struct FrameBuffers {
    decrypted: BytesMut,
    expanded: BytesMut,
}

impl Outer<'_> {
    /// Appends the framed `message` to `out`.
    ///
    /// A dialer's frame has the label header in front, an acceptor's has none. With a compressor
    /// the message is compressed, even if that makes it longer, as memberlist does. `nonce` counts
    /// only if [`Outer::encrypts`]. On error `out` is as it was.
    pub fn seal_frame(
        &self,
        role: Role,
        nonce: Nonce,
        message: &[u8],
        compressor: Option<&mut dyn Compression>,
        out: &mut BytesMut,
    ) -> Result<(), SealError> {
        let start = out.len();
        if role == Role::Dialer {
            self.label.put_header(out);
        }
        if !self.encrypts() {
            put_always(message, compressor, out);
            return Ok(());
        }
        let frame = out.len();
        out.put_slice(&[0; FRAME_HEADER_LEN]);
        crypt::begin(self.version, &nonce, out);
        let text = out.len();
        put_always(message, compressor, out);
        self.seal_rest(out, frame, text).inspect_err(|_| out.truncate(start))
    }

    /// Fills in the header at `frame` and encrypts what starts at `text`.
    fn seal_rest(&self, out: &mut BytesMut, frame: usize, text: usize) -> Result<(), SealError> {
        let len = self.version.blob_len(out.len() - text);
        let bytes_max = BLOB_BYTES_MAX as usize;
        let announced = u32::try_from(len).ok().filter(|&len| len <= BLOB_BYTES_MAX);
        let announced = announced.ok_or(SealError::TooLong { len, bytes_max })?;
        let header = header(announced);
        out[frame..frame + FRAME_HEADER_LEN].copy_from_slice(&header);
        let blob = frame + FRAME_HEADER_LEN;
        crypt::finish(self.keyring, self.version, Aad::new(header, self.label).bytes(), out, blob)
    }

    /// The message in a complete `frame`, as [`FrameReader`] found it: decrypted, and expanded if
    /// it is compressed, type byte first.
    ///
    /// The message is of a type that a node in this role reads.
    pub fn open_frame<'b>(
        &self,
        role: Role,
        frame: &'b [u8],
        compression: &mut dyn Compression,
        buffers: &'b mut FrameBuffers,
    ) -> Result<&'b [u8], FrameError> {
        let &kind = frame.first().ok_or(FrameError::Empty)?;
        self.check_kind(kind)?;
        let message = if kind == ENCRYPTED {
            self.decrypt_frame(frame, &mut buffers.decrypted)?
        } else {
            frame
        };
        let message = match message {
            [COMPRESSED, body @ ..] => {
                buffers.expanded.clear();
                compression.expand(body, &mut buffers.expanded).map_err(FrameError::Expand)?;
                &buffers.expanded[..]
            }
            _ => message,
        };
        match message {
            [] => Err(FrameError::Empty),
            [kind, ..] if role.reads_message(*kind) => Ok(message),
            [kind, ..] => Err(FrameError::Stream(StreamError::Unsupported { kind: *kind })),
        }
    }

    fn decrypt_frame<'b>(
        &self,
        frame: &[u8],
        buffer: &'b mut BytesMut,
    ) -> Result<&'b [u8], FrameError> {
        let malformed = FrameError::Stream(StreamError::Malformed { kind: ENCRYPTED });
        let (header, blob) = frame.split_first_chunk().ok_or(malformed)?;
        let aad = Aad::new(*header, self.label);
        crypt::open(self.keyring, aad.bytes(), blob, buffer).map_err(FrameError::Decrypt)
    }

    fn check_kind(&self, kind: u8) -> Result<(), FrameError> {
        match (kind == ENCRYPTED, self.keyring.is_empty()) {
            (true, true) => Err(FrameError::NoKeys),
            (false, false) if self.incoming == Verify::Enforced => Err(FrameError::NotEncrypted),
            _ => Ok(()),
        }
    }
}

fn header(len: u32) -> [u8; FRAME_HEADER_LEN] {
    let [a, b, c, d] = len.to_be_bytes();
    [ENCRYPTED, a, b, c, d]
}

/// What a frame authenticates beside its text: its header, then the label (3.2).
struct Aad {
    bytes: [u8; FRAME_HEADER_LEN + Label::BYTES_MAX],
    len: usize,
}

impl Aad {
    fn new(header: [u8; FRAME_HEADER_LEN], label: Label<'_>) -> Self {
        let label = label.as_bytes();
        let len = FRAME_HEADER_LEN + label.len();
        let mut bytes = [0; FRAME_HEADER_LEN + Label::BYTES_MAX];
        bytes[..FRAME_HEADER_LEN].copy_from_slice(&header);
        bytes[FRAME_HEADER_LEN..len].copy_from_slice(label);
        Self { bytes, len }
    }

    fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

const ENCRYPTED: u8 = 10;
const FRAME_HEADER_LEN: usize = 5;
/// Receivers refuse more (3.2).
const BLOB_BYTES_MAX: u32 = 20 << 20;
