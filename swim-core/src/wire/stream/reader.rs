//! Finding the end of a message while it arrives.

use core::ops::Range;

use super::StreamError;
use super::header::{PUSH_PULL, USER, integers};
use crate::wire::msgpack::{NotMsgpack, token};

/// Finds the end of the one message that arrives on a stream.
///
/// Hand all bytes received so far to [`advance`](Self::advance) whenever some have arrived. It
/// looks at new bytes only, apart from at most five that it could not judge yet, so finding the end
/// costs time in proportion to the bytes, in however small pieces they come. It allocates nothing,
/// and an announced length is only ever compared with a bound.
///
/// ```
/// use swim_core::wire::stream::{Limits, Reader, Role, Status};
///
/// let mut reader = Reader::new(Role::Acceptor, Limits::default());
/// let bytes = b"\x08\x81\xaaUserMsgLen\x05hello";
/// assert_eq!(reader.advance(&bytes[..10]), Ok(Status::NeedMore));
/// assert_eq!(reader.advance(bytes), Ok(Status::Complete(0..19)));
/// ```
#[derive(Clone, Debug)]
pub struct Reader {
    role: Role,
    limits: Limits,
    /// Where the next step starts. May lie beyond the bytes received: those between are payload,
    /// and within `frame_bytes_max`.
    at: usize,
    /// Where the frame's type byte is.
    start: usize,
    head: Option<Head>,
    step: Step,
}

/// Which end of the connection this node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Role {
    /// This node connected: it sends a request and reads a reply.
    Dialer,
    /// This node accepted: it reads a request and sends a reply.
    Acceptor,
}

/// Bounds on what a stream may carry; the defaults are those of memberlist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a message that is not encrypted, type byte included: 40 MiB. Room for a push/pull
    /// of a hundred thousand members; a peer can make a reader hold this much.
    pub frame_bytes_max: u32,
    /// Bytes of an encrypted frame without its five bytes of header: 20 MiB.
    pub encrypted_bytes_max: u32,
    /// Nodes in a push/pull: 1,048,576.
    pub nodes_max: u32,
    /// Bytes of a user message, and of the application's state in a push/pull: 20 MiB.
    pub user_bytes_max: u32,
}

/// What is known of a stream once the message's type byte is in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Head {
    /// Where the label is; empty if the stream has no label header.
    pub label: Range<usize>,
    /// The type byte of the message as it is on the wire: encrypted and compressed are types too.
    pub kind: u8,
}

/// How far a [`Reader`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// The message is not complete yet.
    NeedMore,
    /// The message, type byte first, is at these offsets. Bytes after it are to be ignored.
    Complete(Range<usize>),
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// The first byte: a label header or a type byte.
    Label,
    /// The type byte.
    Kind,
    /// The four bytes of an encrypted frame's length.
    Length,
    /// This many msgpack values, then something.
    Values { left: u64, then: Then },
    /// Nothing but payload, which ends at `at`.
    Payload,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    End,
    PushPullNodes,
    UserPayload,
    StatePayload { len: usize },
}

enum Progress {
    Step(Step),
    Starved,
}

impl Reader {
    /// A reader for the message that a node in this role receives.
    pub fn new(role: Role, limits: Limits) -> Self {
        // A reply never starts with a label header (3.1).
        let step = match role {
            Role::Dialer => Step::Kind,
            Role::Acceptor => Step::Label,
        };
        Self { role, limits, at: 0, start: 0, head: None, step }
    }

    /// Looks at what is new in `received`, which is everything since the stream began.
    ///
    /// After an error or a complete message there is nothing more to learn: the answer stays.
    pub fn advance(&mut self, received: &[u8]) -> Result<Status, StreamError> {
        while self.at <= received.len() {
            if let Step::Payload = self.step {
                return Ok(Status::Complete(self.start..self.at));
            }
            match self.next(received)? {
                Progress::Step(step) => self.step = step,
                Progress::Starved => break,
            }
        }
        Ok(Status::NeedMore)
    }

    /// The label and the type byte, as soon as they are known, even if the type is an error.
    ///
    /// Lets a driver refuse a peer before its message is in.
    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    fn next(&mut self, received: &[u8]) -> Result<Progress, StreamError> {
        let unread = received.get(self.at..).unwrap_or_default();
        match self.step {
            Step::Label => self.label(unread),
            Step::Kind => self.kind(unread),
            Step::Length => self.length(unread),
            Step::Values { left, then } => self.values(received, left, then),
            Step::Payload => Ok(Progress::Starved),
        }
    }

    fn label(&mut self, unread: &[u8]) -> Result<Progress, StreamError> {
        match *unread {
            [] | [LABEL] => Ok(Progress::Starved),
            [LABEL, 0, ..] => Err(StreamError::EmptyLabel),
            [LABEL, len, ..] => {
                self.at = 2 + usize::from(len);
                self.start = self.at;
                Ok(Progress::Step(Step::Kind))
            }
            _ => Ok(Progress::Step(Step::Kind)),
        }
    }

    fn kind(&mut self, unread: &[u8]) -> Result<Progress, StreamError> {
        let Some(&kind) = unread.first() else { return Ok(Progress::Starved) };
        let label = self.start.min(2)..self.start;
        self.head = Some(Head { label, kind });
        if !self.role.reads(kind) {
            return Err(StreamError::Unsupported { kind });
        }
        self.at = self.start + 1;
        Ok(Progress::Step(match kind {
            ENCRYPTED => Step::Length,
            PUSH_PULL_TYPE => Step::Values { left: 1, then: Then::PushPullNodes },
            USER_TYPE => Step::Values { left: 1, then: Then::UserPayload },
            _ => Step::Values { left: 1, then: Then::End },
        }))
    }

    fn length(&mut self, unread: &[u8]) -> Result<Progress, StreamError> {
        let Some(digits) = unread.first_chunk() else { return Ok(Progress::Starved) };
        let len = u32::from_be_bytes(*digits);
        if len > self.limits.encrypted_bytes_max {
            return Err(StreamError::Encrypted {
                len: u64::from(len),
                bytes_max: u64::from(self.limits.encrypted_bytes_max),
            });
        }
        self.at = self.at.saturating_add(4).saturating_add(len as usize);
        Ok(Progress::Step(Step::Payload))
    }

    /// Steps over as many values as there are, at most `left`.
    fn values(&mut self, received: &[u8], left: u64, then: Then) -> Result<Progress, StreamError> {
        let (mut at, mut left) = (self.at, left);
        while left > 0 {
            let token = match token(received.get(at..).unwrap_or_default()) {
                Ok(Some(token)) => token,
                Ok(None) => break,
                Err(NotMsgpack) => return Err(self.malformed()),
            };
            at = self.bounded(at, token.len)?;
            // Cannot overflow within `frame_bytes_max`: every five bytes add less than 2^33.
            left = left.saturating_add(token.children) - 1;
        }
        self.at = at;
        self.step = Step::Values { left, then };
        if left > 0 || at > received.len() {
            return Ok(Progress::Starved);
        }
        self.after_values(received, then)
    }

    /// `at` is within `received`, so every value since the type byte is complete.
    fn after_values(&mut self, received: &[u8], then: Then) -> Result<Progress, StreamError> {
        let values = received.get(self.start + 1..self.at).unwrap_or_default();
        Ok(Progress::Step(match then {
            Then::End => Step::Payload,
            Then::PushPullNodes => {
                let [nodes, state] = integers(values, PUSH_PULL).map_err(|_| self.malformed())?;
                let left = self.nodes(nodes)?;
                Step::Values { left, then: Then::StatePayload { len: self.user_bytes(state)? } }
            }
            Then::UserPayload => {
                let [len] = integers(values, USER).map_err(|_| self.malformed())?;
                let len = self.user_bytes(len)?;
                self.at = self.bounded(self.at, len)?;
                Step::Payload
            }
            Then::StatePayload { len } => {
                self.at = self.bounded(self.at, len)?;
                Step::Payload
            }
        }))
    }

    /// The offset `len` bytes after `at`, if it is still within a message of acceptable length.
    fn bounded(&self, at: usize, len: usize) -> Result<usize, StreamError> {
        let end = at.saturating_add(len);
        let bytes_max = self.limits.frame_bytes_max;
        if end - self.start > bytes_max as usize {
            let bytes_max = u64::from(bytes_max);
            return Err(StreamError::TooLong { kind: self.seen_kind(), bytes_max });
        }
        Ok(end)
    }

    fn nodes(&self, found: i64) -> Result<u64, StreamError> {
        let max = u64::from(self.limits.nodes_max);
        within(found, max).ok_or(StreamError::Nodes { found, max })
    }

    fn user_bytes(&self, found: i64) -> Result<usize, StreamError> {
        let max = u64::from(self.limits.user_bytes_max);
        let len = within(found, max).ok_or(StreamError::UserBytes { found, max })?;
        Ok(len as usize)
    }

    fn malformed(&self) -> StreamError {
        StreamError::Malformed { kind: self.seen_kind() }
    }

    fn seen_kind(&self) -> u8 {
        self.head.as_ref().map_or(0, |head| head.kind)
    }
}

impl Role {
    /// Whether a node in this role may receive this type as the first byte of a frame. Compound,
    /// CRC and label are for datagrams only, so are most messages (1.1).
    pub(crate) fn reads(self, kind: u8) -> bool {
        matches!(kind, ENCRYPTED | COMPRESSED) || self.reads_message(kind)
    }

    /// Whether a node in this role may receive this type once encryption and compression are off.
    pub(crate) fn reads_message(self, kind: u8) -> bool {
        match self {
            Self::Acceptor => matches!(kind, PING | PUSH_PULL_TYPE | USER_TYPE),
            Self::Dialer => matches!(kind, ACK | PUSH_PULL_TYPE | ERROR),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 40 << 20,
            encrypted_bytes_max: 20 << 20,
            nodes_max: 1 << 20,
            user_bytes_max: 20 << 20,
        }
    }
}

fn within(found: i64, max: u64) -> Option<u64> {
    u64::try_from(found).ok().filter(|&found| found <= max)
}

const PING: u8 = 0;
const ACK: u8 = 2;
const PUSH_PULL_TYPE: u8 = 6;
const USER_TYPE: u8 = 8;
const COMPRESSED: u8 = 9;
const ENCRYPTED: u8 = 10;
const ERROR: u8 = 13;
const LABEL: u8 = 244;
