//! Inputs with keys, payloads and metadata replaced by pseudonyms of equal length.

use alloc::sync::Arc;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::prf::Prf;
use crate::config::Config;
use crate::input::{Command, KeyCommand};
use crate::keyring::{Key, Keyring};
use crate::member::Identity;
use crate::swim::Verdict;
use crate::wire::{
    Ack, Alive, Compound, ErrorReply, Kind, Limits, Message, NodeState, Parts, PushPull,
    PushPullHeader, Scratch, UserHeader, compound_len,
};

/// Pseudonyms of one recorder: equal bytes get equal ones, so that what belongs together still
/// does.
#[expect(unnameable_types, reason = "only machines of this crate have journals")]
pub struct Pseudonyms {
    prf: Prf,
    scratch: Scratch,
}

impl Pseudonyms {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self { prf: Prf::new(key), scratch: Scratch::default() }
    }

    pub(super) fn config(&self, config: &Config) -> Arc<Config> {
        let mut keyring = Keyring::empty();
        for key in config.keyring.keys() {
            keyring.add(self.key(key)).expect("as many keys as before");
        }
        let builder = config.to_builder().keyring(keyring);
        builder.build().expect("only the keys are other ones")
    }

    pub(super) fn identity(&self, me: &Identity) -> Identity {
        me.clone().meta(&self.prf.of(&me.meta)).expect("the length is as before")
    }

    /// The datagram that stands for one: its messages, nested no deeper than their number needs.
    pub(super) fn datagram(&mut self, bytes: &[u8]) -> BytesMut {
        let mut messages = Vec::new();
        let mut parts = Parts::new(bytes, &mut self.scratch, Limits::default());
        while let Some(part) = parts.next_part() {
            let mut message = BytesMut::new();
            // A part that cannot be opened stays one that cannot.
            message_of(&self.prf, part.unwrap_or(&[u8::MAX]), &mut message);
            // Only what was compressed can be longer. A user message is one still if it is cut, and
            // anything else of such a length is refused either way.
            message.truncate(Compound::PART_BYTES_MAX);
            messages.push(message);
        }
        let mut groups = pack(&messages);
        match groups.len() {
            0 => BytesMut::new(),
            1 => groups.remove(0),
            _ => compound(&groups),
        }
    }

    /// The stream message that stands for one.
    pub(super) fn stream(&self, bytes: &[u8]) -> BytesMut {
        let mut out = BytesMut::with_capacity(bytes.len());
        match bytes.first().copied().and_then(Kind::from_byte) {
            Some(Kind::PushPull) => match PushPull::decode(bytes, &Limits::default()) {
                Ok(state) => self.state(&state, &mut out),
                Err(_) => unreadable(bytes, &mut out),
            },
            Some(Kind::User) => match UserHeader::decode_prefix(&bytes[1..]) {
                Ok((header, used)) => {
                    header.encode(&mut out);
                    out.extend_from_slice(&self.prf.of(&bytes[1 + used..]));
                }
                Err(_) => unreadable(bytes, &mut out),
            },
            _ => message_of(&self.prf, bytes, &mut out),
        }
        out
    }

    fn state(&self, state: &PushPull<'_>, out: &mut BytesMut) {
        let user_state = self.prf.of(state.user_state());
        let nodes = u32::try_from(state.len()).expect("a header counts them");
        let user_state_len = u32::try_from(user_state.len()).expect("a header tells it");
        PushPullHeader { join: state.join, nodes, user_state_len }.encode(out);
        for node in state.nodes() {
            let meta = node.meta.map(|meta| self.prf.of(meta));
            NodeState { meta: meta.as_deref(), ..node }.encode(out);
        }
        out.extend_from_slice(&user_state);
    }

    pub(super) fn command(&self, command: Command) -> Command {
        match command {
            Command::SetMeta(meta) => Command::SetMeta(self.bytes(&meta)),
            Command::Broadcast { lane, key, payload } => Command::Broadcast {
                lane,
                key: key.map(|key| self.bytes(&key)),
                payload: self.bytes(&payload),
            },
            Command::SetAckPayload(payload) => Command::SetAckPayload(self.bytes(&payload)),
            Command::SetAppState(state) => Command::SetAppState(self.bytes(&state)),
            Command::Send { to, reliable, payload } => {
                Command::Send { to, reliable, payload: self.bytes(&payload) }
            }
            Command::Key(change) => Command::Key(match change {
                KeyCommand::Install(key) => KeyCommand::Install(self.key(&key)),
                KeyCommand::Use(key) => KeyCommand::Use(self.key(&key)),
                KeyCommand::Remove(key) => KeyCommand::Remove(self.key(&key)),
            }),
            Command::Reload(config) => Command::Reload(self.config(&config)),
            Command::Join(_)
            | Command::Leave
            | Command::SetAddress(_)
            | Command::Ping { .. }
            | Command::KeyringSaved(_) => command,
        }
    }

    fn bytes(&self, bytes: &[u8]) -> Bytes {
        self.prf.of(bytes).into()
    }

    fn key(&self, key: &Key) -> Key {
        Key::new(&self.prf.of(key.as_bytes())).expect("the length is that of a key")
    }
}

/// The verdict without its text, which may quote what the policy was shown.
pub(super) fn verdict(verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Admit(Err(text)) => Verdict::Admit(Err("*".repeat(text.len()))),
        Verdict::Admit(Ok(())) | Verdict::StreamPing(_) | Verdict::ReapAfter(_) => verdict,
    }
}

/// Appends what stands for a message of a datagram, or of a stream if it is of another kind than
/// those that only streams have.
fn message_of(prf: &Prf, bytes: &[u8], out: &mut BytesMut) {
    match Message::decode(bytes) {
        Ok(Message::Ack(ack)) => {
            let payload = ack.payload.map(|payload| prf.of(payload));
            Ack { payload: payload.as_deref(), ..ack }.encode(out);
        }
        Ok(Message::Alive(alive)) => {
            let meta = alive.meta.map(|meta| prf.of(meta));
            Alive { meta: meta.as_deref(), ..alive }.encode(out);
        }
        Ok(Message::User(payload)) => Message::User(&prf.of(payload)).encode(out),
        Ok(Message::Error(error)) => ErrorReply { text: &prf.of(error.text) }.encode(out),
        // Encoded afresh, without fields and bytes that nobody reads.
        Ok(message) => message.encode(out),
        Err(_) => unreadable(bytes, out),
    }
}

/// Appends a message of equal type and length that cannot be read either.
fn unreadable(bytes: &[u8], out: &mut BytesMut) {
    let end = out.len() + bytes.len();
    out.extend_from_slice(&bytes[..bytes.len().min(1)]);
    // No body begins with a negative number.
    out.resize(end, u8::MAX);
}

/// Compounds of as many messages as fit each.
fn pack(messages: &[BytesMut]) -> Vec<BytesMut> {
    let (mut groups, mut first, mut bytes) = (Vec::new(), 0, 0);
    for (i, message) in messages.iter().enumerate() {
        let len = compound_len(i + 1 - first, bytes + message.len());
        if i > first && (i - first == Compound::PARTS_MAX || len > Compound::PART_BYTES_MAX) {
            groups.push(compound(&messages[first..i]));
            (first, bytes) = (i, 0);
        }
        bytes += message.len();
    }
    if first < messages.len() {
        groups.push(compound(&messages[first..]));
    }
    groups
}

fn compound(parts: &[BytesMut]) -> BytesMut {
    let mut out = BytesMut::new();
    let mut compound = Compound::begin(&mut out);
    for part in parts {
        let added = compound.part(|out| out.extend_from_slice(part));
        added.expect("no more parts than fit, and none too long");
    }
    compound.finish();
    out
}
