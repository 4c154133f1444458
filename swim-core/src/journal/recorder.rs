//! A node that keeps a journal.

use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::codec::{put_config, put_identity, put_input, put_uint, put_verdict};
use super::digest::Digest;
use super::hide::{self, Pseudonyms};
use super::{DIGEST_EVERY, MAGIC, Poll, Tag};
use crate::config::Config;
use crate::error::Rejected;
use crate::event::Event;
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

/// A [`Node`] of the same call shape that writes down what it is given.
pub struct Recorder {
    node: Node,
    journal: Vec<u8>,
    digest: Digest,
    last: Instant,
    /// Calls of one poll that are not written yet.
    polled: Option<(Poll, u64)>,
    since_digest: u32,
    hidden: Option<Pseudonyms>,
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
        let mut journal = MAGIC.to_vec();
        journal.push(hidden.is_some().into());
        put_config(&mut journal, &config_shown);
        put_identity(&mut journal, &me_shown);
        journal.extend_from_slice(seed.as_bytes());
        put_uint(&mut journal, now.as_nanos());
        let mut node = Node::new(config, me, seed, now);
        node.record_verdicts();
        let (digest, polled) = (Digest::new(), None);
        Self { node, journal, digest, last: now, polled, since_digest: 0, hidden }
    }

    /// The node, to look at.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The digest of all that the node gave out.
    pub fn digest(&self) -> u64 {
        self.digest.value()
    }

    /// The journal's bytes since the last call: append them to its file.
    pub fn take(&mut self) -> Bytes {
        core::mem::take(&mut self.journal).into()
    }

    /// Ends the journal and gives the bytes since the last [`take`](Self::take).
    pub fn finish(mut self) -> Bytes {
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
    pub fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        self.write_polled();
        if self.since_digest >= DIGEST_EVERY {
            self.write_digest();
        }
        // The input stands in the journal before the node takes it, should the node fail.
        self.write_input(now, &input);
        let taken = self.node.handle(now, input);
        self.write_verdicts();
        self.digest.deadline(self.node.poll_timeout());
        taken
    }

    /// As [`Node::poll_transmit`].
    pub fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit> {
        self.count(Poll::Transmit);
        let start = buf.len();
        let sent = self.node.poll_transmit(buf)?;
        self.digest.transmit(&sent, &buf[start..]);
        Some(sent)
    }

    /// As [`Node::poll_exchange`].
    pub fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        self.count(Poll::Exchange);
        let start = buf.len();
        let exchange = self.node.poll_exchange(buf)?;
        self.digest.exchange(&exchange, &buf[start..]);
        Some(exchange)
    }

    /// As [`Node::poll_event`].
    pub fn poll_event(&mut self) -> Option<Event> {
        self.count(Poll::Event);
        let event = self.node.poll_event()?;
        self.digest.event(&event);
        Some(event)
    }

    /// As [`Node::poll_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.node.poll_timeout()
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

    fn write_input(&mut self, now: Instant, input: &Input<'_>) {
        self.since_digest += 1;
        let Some(names) = &mut self.hidden else {
            return self.put(now, input);
        };
        match *input {
            Input::Datagram { at, from, bytes } => {
                let bytes = names.datagram(bytes);
                self.put(now, &Input::Datagram { at, from, bytes: &bytes });
            }
            Input::Request { id, from, bytes } => {
                let bytes = names.stream(bytes);
                self.put(now, &Input::Request { id, from, bytes: &bytes });
            }
            Input::Reply { id, result: Ok(bytes) } => {
                let bytes = names.stream(bytes);
                self.put(now, &Input::Reply { id, result: Ok(&bytes) });
            }
            Input::Command { op, ref command } => {
                let command = names.command(command.clone());
                self.put(now, &Input::Command { op, command });
            }
            Input::Timeout | Input::Unsent { .. } | Input::Reply { .. } => self.put(now, input),
        }
    }

    fn put(&mut self, now: Instant, input: &Input<'_>) {
        // Time that runs backwards is written as standing still, which is how the node takes it.
        put_uint(&mut self.journal, nanos(now.since(self.last)));
        self.last = self.last.max(now);
        put_input(&mut self.journal, self.last, input);
    }

    fn write_verdicts(&mut self) {
        let verdicts = self.node.take_verdicts();
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

impl core::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Recorder of {:?}", self.node)
    }
}
