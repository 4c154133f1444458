//! Doing again what a journal says.

use alloc::collections::VecDeque;
use core::fmt;
use core::time::Duration;

use bytes::BytesMut;

use super::codec::{Reader, get_config, get_identity, get_input, get_verdict};
use super::digest::Digest;
use super::{MAGIC, Poll, Tag};
use crate::event::Event;
use crate::rng::Seed;
use crate::swim::{Node, Verdict};
use crate::time::Instant;

/// Replays a whole journal and checks its digests. The result is where it ended.
///
/// # Errors
///
/// [`JournalError`] at the first record that cannot be read or whose digest differs.
pub fn replay(journal: &[u8]) -> Result<Replay<'_>, JournalError> {
    let mut replay = Replay::open(journal)?;
    while replay.step(|_| ())? {}
    Ok(replay)
}

/// A journal being replayed, a record at a time.
#[derive(Debug)]
pub struct Replay<'a> {
    node: Node,
    from: Reader<'a>,
    len: usize,
    now: Instant,
    digest: Digest,
    digests: u64,
    records: u64,
    buf: BytesMut,
}

impl<'a> Replay<'a> {
    /// Reads the header and makes the node.
    ///
    /// # Errors
    ///
    /// [`JournalError`] if these bytes are no journal of this version.
    pub fn open(journal: &'a [u8]) -> Result<Self, JournalError> {
        let mut from = Reader(journal);
        if from.take(MAGIC.len()) != Some(&MAGIC) {
            return Err(JournalError::NoJournal);
        }
        let (node, now) = open_node(&mut from)
            .ok_or(JournalError::Malformed { at: journal.len() - from.0.len() })?;
        Ok(Self {
            node,
            from,
            len: journal.len(),
            now,
            digest: Digest::new(),
            digests: 0,
            records: 0,
            buf: BytesMut::new(),
        })
    }

    /// Takes the next record; false at the end. Events go to `on_event`.
    ///
    /// # Errors
    ///
    /// [`JournalError`] if it cannot be read, or its digest differs.
    pub fn step(&mut self, on_event: impl FnMut(Event)) -> Result<bool, JournalError> {
        if self.from.0.is_empty() {
            return Ok(false);
        }
        let at = self.len - self.from.0.len();
        self.records += 1;
        self.record(on_event).unwrap_or(Err(JournalError::Malformed { at })).map(|()| true)
    }

    fn record(&mut self, on_event: impl FnMut(Event)) -> Option<Result<(), JournalError>> {
        self.now = self.now + Duration::from_nanos(self.from.uint()?);
        match Tag::of(self.from.byte()?)? {
            Tag::Polled => self.poll(on_event)?,
            Tag::Digest => return self.check(),
            // Read ahead with the input before; alone they mean nothing.
            Tag::Verdicts => return None,
            tag => {
                let input = get_input(tag, self.now, &mut self.from)?;
                let verdicts = self.verdicts()?;
                self.node.replay_verdicts(verdicts);
                // A refusal is part of the replay: the node counts it as it did then.
                let _ = self.node.handle(self.now, input);
                self.digest.deadline(self.node.poll_timeout());
            }
        }
        Some(Ok(()))
    }

    /// What the policy decided about the input just read, if it was asked.
    fn verdicts(&mut self) -> Option<VecDeque<Verdict>> {
        let mut ahead = self.from.clone();
        if ahead.byte() != Some(0) || ahead.byte() != Some(Tag::Verdicts as u8) {
            return Some(VecDeque::new());
        }
        let count = ahead.uint()?;
        let mut verdicts = VecDeque::new();
        for _ in 0..count {
            verdicts.push_back(get_verdict(&mut ahead)?);
        }
        self.from = ahead;
        Some(verdicts)
    }

    fn poll(&mut self, mut on_event: impl FnMut(Event)) -> Option<()> {
        let poll = Poll::of(self.from.byte()?)?;
        for _ in 0..self.from.uint()? {
            self.buf.clear();
            let more = match poll {
                Poll::Transmit => self
                    .node
                    .poll_transmit(&mut self.buf)
                    .map(|sent| self.digest.transmit(&sent, &self.buf))
                    .is_some(),
                Poll::Exchange => self
                    .node
                    .poll_exchange(&mut self.buf)
                    .map(|exchange| self.digest.exchange(&exchange, &self.buf))
                    .is_some(),
                Poll::Event => match self.node.poll_event() {
                    Some(event) => {
                        self.digest.event(&event);
                        on_event(event);
                        true
                    }
                    None => false,
                },
            };
            if !more {
                // Nothing more can come before the next input, however often it was asked.
                break;
            }
        }
        Some(())
    }

    fn check(&mut self) -> Option<Result<(), JournalError>> {
        let recorded = u64::from_le_bytes(self.from.take(8)?.try_into().ok()?);
        self.digests += 1;
        let replayed = self.digest.value();
        let record = self.records;
        Some(if recorded == replayed {
            Ok(())
        } else {
            Err(JournalError::Differs { record, recorded, replayed })
        })
    }

    /// The node as it is after the records so far.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The time of the last record.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The digest of all that the node gave out so far.
    pub fn digest(&self) -> u64 {
        self.digest.value()
    }

    /// How many digests of the journal were compared, all equal. A journal whose secrets are hidden
    /// has none.
    pub fn digests_checked(&self) -> u64 {
        self.digests
    }

    /// How many records were replayed.
    pub fn records(&self) -> u64 {
        self.records
    }
}

fn open_node(from: &mut Reader<'_>) -> Option<(Node, Instant)> {
    let _hidden = from.byte()?;
    let config = get_config(from)?;
    let me = get_identity(from)?;
    let seed = Seed::from_bytes(*from.take(32)?.first_chunk()?);
    let now = Instant::from_nanos(from.uint()?);
    Some((Node::new(config, me, seed, now), now))
}

/// Why a journal cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalError {
    /// The bytes do not begin like a journal of this version.
    NoJournal,
    /// The record at this byte makes no sense, or is cut short.
    Malformed {
        /// Offset in bytes.
        at: usize,
    },
    /// The node gave out something else than it did when it was recorded.
    Differs {
        /// The record whose digest differs; what differs came after the one before.
        record: u64,
        /// The digest in the journal.
        recorded: u64,
        /// The digest of the replay.
        replayed: u64,
    },
}

impl fmt::Display for JournalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJournal => f.write_str("not a journal of this version"),
            Self::Malformed { at } => write!(f, "journal makes no sense at byte {at}"),
            Self::Differs { record, recorded, replayed } => write!(
                f,
                "replay differs before record {record}: digest {replayed:016x}, \
                 recorded {recorded:016x}"
            ),
        }
    }
}

impl core::error::Error for JournalError {}
