//! A node that keeps a journal.

use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::codec::{put_config, put_identity, put_input, put_uint, put_verdict};
use super::digest::Digest;
use super::hide::{self, Pseudonyms};
use super::machine::{Hiding as _, Recorded};
use super::{DIGEST_EVERY, HIDDEN, Kind, MAGIC, OF_SERF, Poll, Tag};
use crate::config::Config;
use crate::input::{Exchange, Input, Transmit};
use crate::member::Identity;
use crate::rng::Seed;
use crate::swim::Node;
use crate::time::{Instant, nanos};

/// What a journal keeps of keys, payloads and metadata.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secrets {
    /// All; a replay is exact.
    Kept,
    /// Pseudonyms of equal length, by a keyed pseudorandom function.
    ///
    /// Hidden are keys, user payloads and their keys, metadata, payloads of acks, application
    /// state, texts of errors and of the policy, and every byte of a message that cannot be read.
    /// What stays: names, addresses, versions, label and the other settings, incarnations and
    /// states, the seed, times and lengths, and which of the hidden things are equal.
    ///
    /// A replay does the same with the pseudonyms, but that two short ones (a byte or two) may
    /// happen to be equal. What it gives out contains them, so the journal holds no digests.
    Hidden {
        /// Secret random bytes: whoever knows them can test guesses. Nothing needs them later.
        key: [u8; 32],
    },
}

/// Does not tell the key.
impl core::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Kept => "Kept",
            Self::Hidden { .. } => "Hidden",
        })
    }
}

/// A [`Node`], or a [`Serf`](crate::serf::Serf) node, of the same call shape that writes down what
/// it is given.
pub struct Recorder<M: Recorded = Node> {
    pub(super) machine: M,
    journal: Vec<u8>,
    digest: Digest,
    last: Instant,
    /// Calls of one poll that are not written yet.
    polled: Option<(Poll, u64)>,
    since_digest: u32,
    hidden: Option<M::Hiding>,
    stopped: bool,
}

impl Recorder {
    /// A node as of [`Node::new`], recorded from its first input on.
    pub fn new(
        config: Arc<Config>,
        me: Identity,
        seed: Seed,
        now: Instant,
        secrets: Secrets,
    ) -> Self {
        let hidden = match secrets {
            Secrets::Kept => None,
            Secrets::Hidden { key } => Some(Pseudonyms::new(&key)),
        };
        let (config_shown, me_shown) = match &hidden {
            Some(names) => (names.config(&config), names.identity(&me)),
            None => (Arc::clone(&config), me.clone()),
        };
        let mut header = Vec::new();
        put_config(&mut header, &config_shown);
        put_identity(&mut header, &me_shown);
        header.extend_from_slice(seed.as_bytes());
        Self::begin(Node::new(config, me, seed, now), &header, now, hidden)
    }

    /// The node, to look at.
    pub fn node(&self) -> &Node {
        &self.machine
    }
}

impl<M: Recorded> Recorder<M> {
    pub(super) fn begin(
        mut machine: M,
        header: &[u8],
        now: Instant,
        hidden: Option<M::Hiding>,
    ) -> Self {
        let mut journal = MAGIC.to_vec();
        let kind = if M::KIND == Kind::Serf { OF_SERF } else { 0 };
        journal.push(if hidden.is_some() { kind | HIDDEN } else { kind });
        journal.extend_from_slice(header);
        put_uint(&mut journal, now.as_nanos());
        machine.bare().record_verdicts();
        Self {
            machine,
            journal,
            digest: Digest::new(),
            last: now,
            polled: None,
            since_digest: 0,
            hidden,
            stopped: false,
        }
    }

    /// The machine, to look at.
    pub const fn machine(&self) -> &M {
        &self.machine
    }

    /// As [`Node::name_addressees`]: the journal is the same with and without.
    pub fn name_addressees(&mut self) {
        self.machine.bare().name_addressees();
    }

    /// The digest of all that the node gave out.
    pub fn digest(&self) -> u64 {
        self.digest.value()
    }

    /// The journal's bytes since the last call: append them to its file.
    pub fn take(&mut self) -> Bytes {
        core::mem::take(&mut self.journal).into()
    }

    /// How many bytes [`take`](Self::take) would give.
    pub const fn pending(&self) -> usize {
        self.journal.len()
    }

    /// Ends the journal and gives the bytes since the last [`take`](Self::take).
    pub fn finish(mut self) -> Bytes {
        self.end()
    }

    /// As [`finish`](Self::finish), but the machine goes on, without a journal and its cost.
    pub fn stop(&mut self) -> Bytes {
        if self.stopped {
            return Bytes::new();
        }
        self.stopped = true;
        self.end()
    }

    pub(crate) fn end(&mut self) -> Bytes {
        self.write_polled();
        self.write_digest();
        self.take()
    }

    /// As [`Node::handle`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn handle(
        &mut self,
        now: Instant,
        input: Input<'_, M::Command>,
    ) -> Result<(), M::Rejected> {
        if self.stopped {
            let taken = self.machine.handle(now, input);
            self.machine.bare().take_verdicts();
            return taken;
        }
        self.write_polled();
        if self.since_digest >= DIGEST_EVERY {
            self.write_digest();
        }
        // The input stands in the journal before the node takes it, should the node fail.
        self.write_input(now, &input);
        let taken = self.machine.handle(now, input);
        self.write_verdicts();
        self.digest.deadline(self.machine.poll_timeout());
        taken
    }

    /// As [`Node::poll_transmit`].
    pub fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit> {
        if self.stopped {
            return self.machine.poll_transmit(buf);
        }
        self.count(Poll::Transmit);
        let start = buf.len();
        let sent = self.machine.poll_transmit(buf)?;
        self.digest.transmit(&sent, &buf[start..]);
        Some(sent)
    }

    /// As [`Node::poll_exchange`].
    pub fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        if self.stopped {
            return self.machine.poll_exchange(buf);
        }
        self.count(Poll::Exchange);
        let start = buf.len();
        let exchange = self.machine.poll_exchange(buf)?;
        self.digest.exchange(&exchange, &buf[start..]);
        Some(exchange)
    }

    /// As [`Node::poll_event`].
    pub fn poll_event(&mut self) -> Option<M::Event> {
        if self.stopped {
            return self.machine.poll_event();
        }
        self.count(Poll::Event);
        let event = self.machine.poll_event()?;
        self.digest.event(&event);
        Some(event)
    }

    /// As [`Node::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.machine.poll_timeout()
    }

    fn count(&mut self, poll: Poll) {
        match &mut self.polled {
            Some((last, count)) if *last == poll => *count += 1,
            _ => {
                self.write_polled();
                self.polled = Some((poll, 1));
            }
        }
    }

    fn write_polled(&mut self) {
        if let Some((poll, count)) = self.polled.take() {
            self.journal.extend_from_slice(&[0, Tag::Polled as u8, poll as u8]);
            put_uint(&mut self.journal, count);
        }
    }

    fn write_input(&mut self, now: Instant, input: &Input<'_, M::Command>) {
        self.since_digest += 1;
        // Time that runs backwards is written as standing still, which is how the node takes it.
        put_uint(&mut self.journal, nanos(now.since(self.last)));
        self.last = self.last.max(now);
        let Self { journal, last, hidden, .. } = self;
        match hidden {
            Some(hidden) => {
                hidden.hide(input, |input| put_input(journal, *last, input, M::put_command));
            }
            None => put_input(journal, *last, input, M::put_command),
        }
    }

    pub(super) fn write_resume(&mut self, times: [u64; 3]) {
        self.write_polled();
        self.journal.extend_from_slice(&[0, Tag::Resume as u8]);
        for time in times {
            put_uint(&mut self.journal, time);
        }
    }

    fn write_verdicts(&mut self) {
        let verdicts = self.machine.bare().take_verdicts();
        if !verdicts.is_empty() {
            self.journal.extend_from_slice(&[0, Tag::Verdicts as u8]);
            put_uint(&mut self.journal, verdicts.len() as u64);
            for verdict in verdicts {
                let verdict = if self.hidden.is_some() { hide::verdict(verdict) } else { verdict };
                put_verdict(&mut self.journal, &verdict);
            }
        }
    }

    fn write_digest(&mut self) {
        self.since_digest = 0;
        if self.hidden.is_none() {
            self.journal.extend_from_slice(&[0, Tag::Digest as u8]);
            self.journal.extend_from_slice(&self.digest.value().to_le_bytes());
        }
    }
}

impl<M: Recorded + core::fmt::Debug> core::fmt::Debug for Recorder<M> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Recorder of {:?}", self.machine)
    }
}
