//! Doing again what a journal says.

use alloc::collections::VecDeque;
use core::fmt;
use core::time::Duration;

use bytes::BytesMut;

use super::codec::{Reader, get_input, get_verdict};
use super::digest::Digest;
use super::machine::Recorded;
use super::{HIDDEN, Kind, MAGIC, OF_SERF, Poll, Tag};
use crate::serf::Serf;
use crate::swim::{Node, Verdict};
use crate::time::Instant;

/// Whose journal this is.
///
/// # Errors
///
/// [`JournalError::NoJournal`] if these bytes are no journal of this version.
pub fn kind(journal: &[u8]) -> Result<Kind, JournalError> {
    match journal.strip_prefix(&MAGIC).and_then(<[u8]>::first) {
        Some(&(0 | HIDDEN)) => Ok(Kind::Bare),
        Some(&OF_SERF) => Ok(Kind::Serf),
        _ => Err(JournalError::NoJournal),
    }
}

/// Replays the whole journal of a bare node and checks its digests. The result is where it ended.
///
/// # Errors
///
/// [`JournalError`] at the first record that cannot be read or whose digest differs.
pub fn replay(journal: &[u8]) -> Result<Replay<'_>, JournalError> {
    Replay::open(journal)?.finish()
}

/// As [`replay()`], of a Serf node.
///
/// # Errors
///
/// As there.
pub fn replay_serf(journal: &[u8]) -> Result<Replay<'_, Serf>, JournalError> {
    Replay::open_serf(journal)?.finish()
}

/// A journal being replayed, a record at a time.
#[derive(Debug)]
pub struct Replay<'a, M: Recorded = Node> {
    machine: M,
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
    /// [`JournalError`] if these bytes are no journal of this version, or not of a bare node.
    pub fn open(journal: &'a [u8]) -> Result<Self, JournalError> {
        Self::begin(journal)
    }

    /// The node as it is after the records so far.
    pub fn node(&self) -> &Node {
        &self.machine
    }
}

impl<'a> Replay<'a, Serf> {
    /// Reads the header and makes the node.
    ///
    /// # Errors
    ///
    /// [`JournalError`] if these bytes are no journal of this version, or not of a Serf node.
    pub fn open_serf(journal: &'a [u8]) -> Result<Self, JournalError> {
        Self::begin(journal)
    }
}

impl<'a, M: Recorded> Replay<'a, M> {
    fn begin(journal: &'a [u8]) -> Result<Self, JournalError> {
        let kind = kind(journal)?;
        if kind != M::KIND {
            return Err(JournalError::OtherKind(kind));
        }
        let mut from = Reader(&journal[MAGIC.len() + 1..]);
        let (machine, now) = M::open(&mut from)
            .ok_or(JournalError::Malformed { at: journal.len() - from.0.len() })?;
        Ok(Self {
            machine,
            from,
            len: journal.len(),
            now,
            digest: Digest::new(),
            digests: 0,
            records: 0,
            buf: BytesMut::new(),
        })
    }

    fn finish(mut self) -> Result<Self, JournalError> {
        while self.step(|_| ())? {}
        Ok(self)
    }

    /// Takes the next record; false at the end. Events go to `on_event`.
    ///
    /// # Errors
    ///
    /// [`JournalError`] if it cannot be read, or its digest differs.
    pub fn step(&mut self, on_event: impl FnMut(M::Event)) -> Result<bool, JournalError> {
        if self.from.0.is_empty() {
            return Ok(false);
        }
        let at = self.len - self.from.0.len();
        self.records += 1;
        self.record(on_event).unwrap_or(Err(JournalError::Malformed { at })).map(|()| true)
    }

    fn record(&mut self, on_event: impl FnMut(M::Event)) -> Option<Result<(), JournalError>> {
        self.now = self.now + Duration::from_nanos(self.from.uint()?);
        match Tag::of(self.from.byte()?)? {
            Tag::Polled => self.poll(on_event)?,
            Tag::Digest => return self.check(),
            // Read ahead with the input before; alone they mean nothing.
            Tag::Verdicts => return None,
            Tag::Resume => {
                let times = [self.from.uint()?, self.from.uint()?, self.from.uint()?];
                self.machine.resume(times)?;
            }
            tag => {
                let input = get_input(tag, self.now, &mut self.from, M::get_command)?;
                let verdicts = self.verdicts()?;
                self.machine.bare().replay_verdicts(verdicts);
                // A refusal is part of the replay: the node counts it as it did then.
                let _ = self.machine.handle(self.now, input);
                self.digest.deadline(self.machine.poll_timeout());
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

    fn poll(&mut self, mut on_event: impl FnMut(M::Event)) -> Option<()> {
        let poll = Poll::of(self.from.byte()?)?;
        for _ in 0..self.from.uint()? {
            self.buf.clear();
            let more = match poll {
                Poll::Transmit => self
                    .machine
                    .poll_transmit(&mut self.buf)
                    .map(|sent| self.digest.transmit(&sent, &self.buf))
                    .is_some(),
                Poll::Exchange => self
                    .machine
                    .poll_exchange(&mut self.buf)
                    .map(|exchange| self.digest.exchange(&exchange, &self.buf))
                    .is_some(),
                Poll::Event => match self.machine.poll_event() {
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

    /// The machine as it is after the records so far.
    pub const fn machine(&self) -> &M {
        &self.machine
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

/// Why a journal cannot be replayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JournalError {
    /// The bytes do not begin like a journal of this version.
    NoJournal,
    /// It is the journal of another kind of machine: of this.
    OtherKind(Kind),
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
            Self::OtherKind(kind) => write!(f, "this is the journal of {kind}"),
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
