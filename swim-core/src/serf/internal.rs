//! Queries that Serf itself answers (serf spec 4.7).

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;

use super::answer::{Open, text};
use super::core::Core;
use super::keys::key_list;
use super::leave::OWN;
use crate::ids::OpId;
use crate::input::{Command, Input, KeyCommand};
use crate::keyring::{Key, KeyringError};
use crate::serf::{Event, Tags};
use crate::wire::serf::{Conflict, KeyRequest, KeyResponse, List, MemberRecord};

/// Names of such queries begin so.
pub(super) const PREFIX: &[u8] = b"_serf_";

/// Changes of the keyring that others asked for, and that the embedder still has to store.
#[derive(Default)]
pub(super) struct KeyQueries {
    waiting: BTreeMap<OpId, Open>,
    last: u64,
}

/// Marks the numbers of those changes among the Serf layer's own.
const KEYS: u64 = OWN | 1 << 62;
/// Changes that wait at most; more are refused.
const WAITING_MAX: usize = 64;

/// Answers a query.
pub(super) fn on_query(
    cx: &mut Core,
    keys: &mut KeyQueries,
    open: Open,
    name: &[u8],
    payload: &[u8],
) {
    match &name[PREFIX.len()..] {
        // Its ack is the answer.
        b"ping" => {}
        b"conflict" => on_conflict(cx, &open, payload),
        b"install-key" => keys.on_change(cx, open, name, payload, KeyCommand::Install),
        b"use-key" => keys.on_change(cx, open, name, payload, KeyCommand::Use),
        b"remove-key" => keys.on_change(cx, open, name, payload, KeyCommand::Remove),
        b"list-keys" => on_list(cx, &open),
        _ => cx.stats.count().queries_unhandled += 1,
    }
}

/// Tells what this node knows of another; whose its own name is, the others say.
fn on_conflict(cx: &mut Core, open: &Open, name: &[u8]) {
    let slot = cx.node.find(name);
    if slot == Some(cx.node.my_slot()) {
        return;
    }
    let mut answer = BytesMut::new();
    let Some(slot) = slot else {
        Conflict { member: None }.encode(&mut answer);
        return respond(cx, open, &answer);
    };
    let member = cx.member(slot);
    let tags = Tags::decode(member.swim.meta());
    let tags: Vec<_> = tags.iter().map(|(k, v)| (k.as_bytes(), v.as_bytes())).collect();
    let addr = member.addr();
    let ((pmin, pmax, pcur), (dmin, dmax, dcur)) =
        (member.versions().protocol(), member.versions().app());
    let record = MemberRecord {
        name: member.name().as_bytes(),
        addr: Some(addr.wire_ip()),
        port: addr.port(),
        tags: Some(List::from(&tags[..])),
        status: member.status as i64,
        protocol: [pmin, pmax, pcur],
        delegate: [dmin, dmax, dcur],
    };
    Conflict { member: Some(record) }.encode(&mut answer);
    respond(cx, open, &answer);
}

fn respond(cx: &mut Core, open: &Open, payload: &[u8]) {
    if open.send(cx, 0, Some(payload)).is_err() {
        cx.stats.count().responses_too_long += 1;
    }
}

impl KeyQueries {
    fn on_change(
        &mut self,
        cx: &mut Core,
        open: Open,
        name: &[u8],
        payload: &[u8],
        change: fn(Key) -> KeyCommand,
    ) {
        let refusal = match self.change(cx, payload, change) {
            Ok(op) => {
                self.waiting.insert(op, open);
                return;
            }
            Err(refusal) => refusal,
        };
        answer(cx, &open, Err(&refusal));
        if cx.tells_evidence() {
            cx.raise(Event::KeyRefused { query: text(name), why: refusal });
        }
    }

    /// Changes the keyring; the answer comes once that is stored.
    fn change(
        &mut self,
        cx: &mut Core,
        payload: &[u8],
        change: fn(Key) -> KeyCommand,
    ) -> Result<OpId, String> {
        if cx.node.keyring().is_empty() {
            return Err("No keyring to modify (encryption not enabled)".into());
        }
        // Serf itself crashes on an empty payload.
        let request = KeyRequest::decode(payload);
        let request = request.map_err(|e| format!("Failed to decode key request: {e}"))?;
        let key = Key::new(request.key.unwrap_or_default());
        let key = key.map_err(|_| String::from("key size must be 16, 24 or 32 bytes"))?;
        if self.waiting.len() >= WAITING_MAX {
            return Err(format!("more than {WAITING_MAX} changes of the keyring under way"));
        }
        self.last += 1;
        let op = OpId(KEYS | self.last);
        let command = Command::Key(change(key));
        let taken = cx.node.handle(cx.now(), Input::Command { op, command });
        match taken {
            Ok(()) => Ok(op),
            Err(crate::Rejected::Keyring(e)) => Err(refusal(e)),
            Err(e) => Err(format!("{e}")),
        }
    }

    /// A change of the keyring was stored, or not; whether a query asked for it.
    pub(super) fn on_done(&mut self, cx: &mut Core, op: OpId, saved: bool) -> bool {
        let Some(open) = self.waiting.remove(&op) else { return false };
        let result = if saved { Ok(()) } else { Err("the keyring could not be stored") };
        answer(cx, &open, result);
        true
    }
}

/// What Serf says of it.
fn refusal(e: KeyringError) -> String {
    match e {
        KeyringError::Unknown => "requested key is not in the keyring".into(),
        KeyringError::Primary => "removing the primary key is not allowed".into(),
        e => format!("{e}"),
    }
}

fn base64(key: &Key) -> String {
    STANDARD.encode(key.as_bytes())
}

fn answer(cx: &mut Core, open: &Open, result: Result<(), &str>) {
    let message = result.err().unwrap_or_default().as_bytes();
    let response = KeyResponse { result: result.is_ok(), message, keys: None, primary_key: b"" };
    let mut out = BytesMut::new();
    response.encode(&mut out);
    respond(cx, open, &out);
}

/// Lists the keys, as many as there is room for (serf spec 4.9).
fn on_list(cx: &mut Core, open: &Open) {
    let all: Vec<String> = cx.node.keyring().keys().map(base64).collect();
    if all.is_empty() {
        return answer(cx, open, Err("Keyring is empty (encryption not enabled)"));
    }
    let keys: Vec<&[u8]> = all.iter().map(String::as_bytes).collect();
    let encode = |response: &KeyResponse<'_>| {
        let mut out = BytesMut::new();
        response.encode(&mut out);
        out
    };
    let mut message = String::new();
    let fits = |response: &KeyResponse<'_>| open.fits(cx, 0, Some(&encode(response)));
    match key_list(&keys, &mut message, fits) {
        Some(response) => respond(cx, open, &encode(&response)),
        None => cx.stats.count().responses_too_long += 1,
    }
}
