//! Inputs with keys and user payloads replaced by pseudonyms of equal length.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::digest::Digest;
use crate::input::{Command, Input, KeyCommand};
use crate::keyring::{Key, Keyring};
use crate::wire::{Compound, Kind, Limits, Parts, PushPull, Scratch, UserHeader};

/// Pseudonyms of one recorder: equal bytes get equal ones, so that what belongs together still
/// does.
pub(super) struct Pseudonyms {
    key: u64,
    scratch: Scratch,
}

impl Pseudonyms {
    pub(super) fn new(key: u64) -> Self {
        Self { key, scratch: Scratch::default() }
    }

    pub(super) fn keyring(&self, ring: &Keyring) -> Keyring {
        let mut hidden = Keyring::empty();
        for key in ring.keys() {
            hidden.add(self.key(key)).expect("as many keys as before");
        }
        hidden
    }

    /// The datagrams that stand for one: its parts without nesting, user payloads replaced.
    pub(super) fn datagram(&mut self, bytes: &[u8]) -> Vec<BytesMut> {
        let key = self.key;
        let mut out = Vec::new();
        let mut parts = Parts::new(bytes, &mut self.scratch, Limits::default());
        let mut ended = false;
        while !ended {
            let mut buf = BytesMut::new();
            let mut compound = Compound::begin(&mut buf);
            while compound.count() < Compound::PARTS_MAX {
                let Some(part) = parts.next_part() else {
                    ended = true;
                    break;
                };
                // A part that cannot be read stays one that cannot.
                let part = part.unwrap_or(&[u8::MAX]);
                let written = compound.part(|buf| {
                    buf.extend_from_slice(part);
                    if part.first() == Some(&Kind::User.byte()) {
                        let start = buf.len() - part.len() + 1;
                        scramble(key, &mut buf[start..]);
                    }
                });
                written.expect("a part of a datagram fits into another");
            }
            compound.finish();
            out.push(buf);
        }
        out
    }

    /// A stream message, its user payload replaced.
    pub(super) fn stream<'a>(&self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        let secret = match bytes.first().copied().and_then(Kind::from_byte) {
            Some(Kind::PushPull) => PushPull::decode(bytes, &Limits::default())
                .map(|state| bytes.len() - state.user_state().len()),
            Some(Kind::User) => UserHeader::decode_prefix(&bytes[1..]).map(|(_, used)| 1 + used),
            _ => return Cow::Borrowed(bytes),
        };
        let mut bytes = bytes.to_vec();
        // What does not decode is replaced whole, but for its type.
        let at = secret.unwrap_or(1).min(bytes.len());
        scramble(self.key, &mut bytes[at..]);
        Cow::Owned(bytes)
    }

    pub(super) fn input<'a>(&self, input: Input<'a>) -> Input<'a> {
        match input {
            Input::Command { op, command } => Input::Command { op, command: self.command(command) },
            other => other,
        }
    }

    fn command(&self, command: Command) -> Command {
        match command {
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
            Command::Reload(config) => {
                let builder = config.to_builder().keyring(self.keyring(&config.keyring));
                Command::Reload(builder.build().expect("only the keys are other ones"))
            }
            other => other,
        }
    }

    fn bytes(&self, bytes: &[u8]) -> Bytes {
        let mut bytes = bytes.to_vec();
        scramble(self.key, &mut bytes);
        bytes.into()
    }

    fn key(&self, key: &Key) -> Key {
        let mut bytes = key.as_bytes().to_vec();
        scramble(self.key, &mut bytes);
        Key::new(&bytes).expect("the length is that of a key")
    }
}

/// Replaces `bytes` by a stream that depends on the key and on all of them.
fn scramble(key: u64, bytes: &mut [u8]) {
    use core::hash::Hasher as _;

    let mut digest = Digest::new();
    digest.write_u64(key);
    digest.write(bytes);
    for chunk in bytes.chunks_mut(8) {
        digest.write_u64(key);
        chunk.copy_from_slice(&digest.value().to_le_bytes()[..chunk.len()]);
    }
}
