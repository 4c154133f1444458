//! Queries that came: passed on, acknowledged, delivered once and answered once (serf spec 4.3 to
//! 4.5).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;

use bytes::{Bytes, BytesMut};

use super::core::{Core, QUERIES};
use super::expression::Expressions;
use super::filter;
use super::internal::{self, KeyQueries};
use super::ring::{Heard, Ring};
use crate::ids::Addr;
use crate::serf::{Event, QueryEvent, QueryId, Rejected};
use crate::time::Instant;
use crate::wire::serf::{Destination, Message, Query, Relay, Response};

/// Queries of recent times, and those that can still be answered.
pub(super) struct Answers {
    ring: Ring<u32>,
    open: BTreeMap<QueryId, Open>,
    /// Numbers the next.
    next: u64,
    pub(super) keys: KeyQueries,
    expressions: Expressions,
}

/// A query that can still be answered.
#[derive(Clone, Debug)]
pub(super) struct Open {
    ltime: u64,
    id: u32,
    to: Addr,
    source: Box<[u8]>,
    relay_factor: u8,
    deadline: Instant,
    is_answered: bool,
}

impl Answers {
    pub(super) fn new() -> Self {
        Self {
            ring: Ring::new(),
            open: BTreeMap::new(),
            next: 1,
            keys: KeyQueries::default(),
            expressions: Expressions::default(),
        }
    }

    /// From now on queries of older times are not delivered.
    pub(super) fn raise_min_time(&mut self, time: u64) {
        self.ring.raise_min_time(time);
    }

    /// A query came: what is news is passed on as it came, if its asker wants that and nobody
    /// crashes on it.
    pub(super) fn on_message(&mut self, cx: &mut Core, query: &Query<'_>, message: &[u8]) {
        if !self.take(cx, query) || !query.is_broadcast() {
            return;
        }
        if query.crashes_serf() {
            cx.stats.count().hazards_withheld += 1;
            return;
        }
        cx.broadcast(QUERIES, Bytes::copy_from_slice(message), None);
    }

    /// Acknowledges and delivers a query that is news; whether it is.
    pub(super) fn take(&mut self, cx: &mut Core, query: &Query<'_>) -> bool {
        cx.clocks.query.witness(query.ltime);
        let slots = cx.config.knobs.query_times_max;
        let heard =
            self.ring.hear(slots, cx.clocks.query.time(), query.ltime, |&id| id == query.id);
        let stats = cx.stats.count();
        match heard {
            Heard::New => stats.queries += 1,
            Heard::Old => stats.queries_old += 1,
            Heard::Again => stats.queries_again += 1,
            Heard::Crowded => stats.crowded += 1,
        }
        if heard != Heard::New {
            return false;
        }
        self.ring.remember(slots, query.ltime, query.id, 1, usize::MAX);
        if cx.tells_evidence() {
            cx.raise(Event::QueryHeard { name: text(query.name) });
        }
        if !filter::all_match(query, cx.node.my_record(), &mut self.expressions) {
            cx.stats.count().queries_filtered += 1;
            return true;
        }
        let to = Addr::from_wire(query.addr.unwrap_or_default(), query.port).ok();
        let reachable = |to: &Addr| to.port() != 0 && !to.canonical().ip().is_unspecified();
        let Some(to) = to.filter(reachable) else {
            cx.stats.count().queries_unreachable += 1;
            return true;
        };
        let open = Open {
            ltime: query.ltime,
            id: query.id,
            to,
            source: query.source_node.into(),
            relay_factor: query.relay_factor,
            deadline: cx.now() + query.timeout(),
            is_answered: false,
        };
        if query.wants_ack() {
            // An ack is as short as a response can be.
            let _ = open.send(cx, Response::ACK, None);
        }
        let payload = query.payload.unwrap_or_default();
        if query.name.starts_with(internal::PREFIX) {
            internal::on_query(cx, &mut self.keys, open, query.name, payload);
        } else {
            self.deliver(cx, open, query.name, payload);
        }
        true
    }

    fn deliver(&mut self, cx: &mut Core, open: Open, name: &[u8], payload: &[u8]) {
        while self.open.len() >= cx.config.knobs.open_queries_max as usize
            && self.open.pop_first().is_some()
        {
            cx.stats.count().queries_forgotten += 1;
        }
        let id = QueryId(self.next);
        self.next += 1;
        let event = QueryEvent {
            id,
            ltime: open.ltime,
            name: text(name),
            payload: Bytes::copy_from_slice(payload),
            source: text(&open.source),
            deadline: open.deadline,
        };
        self.open.insert(id, open);
        cx.arm_purge();
        cx.raise(Event::Query(event));
    }

    /// Answers a query.
    pub(super) fn respond(
        &mut self,
        cx: &mut Core,
        query: QueryId,
        payload: &[u8],
    ) -> Result<(), Rejected> {
        let now = cx.now();
        let open = self.open.get_mut(&query).filter(|open| now <= open.deadline);
        let open = open.ok_or(Rejected::PastDeadline)?;
        if open.is_answered {
            return Err(Rejected::AlreadyResponded);
        }
        open.send(cx, 0, Some(payload))?;
        open.is_answered = true;
        Ok(())
    }

    /// Forgets the queries whose time is over.
    pub(super) fn on_purge(&mut self, cx: &mut Core) {
        let now = cx.now();
        self.open.retain(|_, open| now <= open.deadline);
        if !self.open.is_empty() {
            cx.arm_purge();
        }
    }
}

impl Open {
    /// Whether a response with this payload is short enough to be sent, and to be relayed.
    pub(super) fn fits(&self, cx: &Core, flags: u32, payload: Option<&[u8]>) -> bool {
        self.encode(cx, flags, payload).is_ok()
    }

    /// Sends an ack or a response, to the asker and by as many helpers as it wants.
    pub(super) fn send(
        &self,
        cx: &mut Core,
        flags: u32,
        payload: Option<&[u8]>,
    ) -> Result<(), Rejected> {
        let (message, relay) = self.encode(cx, flags, payload)?;
        cx.node.send(self.to, &self.source, message);
        let Some(relay) = relay else { return Ok(()) };
        let me = cx.node.my_slot();
        let k = usize::from(self.relay_factor);
        let helpers = cx.node.pick_members(k, |slot, record, live| {
            live && slot != me && record.protocol_max() >= RELAYS_SINCE
        });
        for slot in helpers {
            let helper = cx.node.at(slot);
            cx.node.send(helper.addr(), helper.name().as_bytes(), relay.clone());
        }
        Ok(())
    }

    /// The message, and the one around it for helpers if there are to be any.
    fn encode(
        &self,
        cx: &Core,
        flags: u32,
        payload: Option<&[u8]>,
    ) -> Result<(Bytes, Option<Bytes>), Rejected> {
        let me = cx.node.my_record();
        let (ltime, id, from) = (self.ltime, self.id, me.name_bytes());
        let response = Response { ltime, id, from, flags, payload };
        let bytes_max = cx.config.knobs.response_bytes_max as usize;
        response.fits(bytes_max)?;
        let mut message = BytesMut::with_capacity(response.encoded_len());
        response.encode(&mut message);
        let message = message.freeze();
        let factor = usize::from(self.relay_factor);
        if factor == 0 || cx.node.known_len() < factor + 1 {
            return Ok((message, None));
        }
        let to = Destination { ip: Some(self.to.wire_ip()), port: self.to.port(), zone: b"" };
        let relay = Relay { to, node: &self.source, inner: &message };
        relay.fits(bytes_max)?;
        let mut around = BytesMut::with_capacity(relay.encoded_len());
        relay.encode(&mut around);
        Ok((message, Some(around.freeze())))
    }
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The first version of memberlist's protocol whose nodes relay, as Serf counts it (serf spec 1.6).
const RELAYS_SINCE: u8 = 5;

/// Passes a message on for another node, once, to a member.
pub(super) fn relay(cx: &mut Core, relay: &Relay<'_>) {
    if let Ok(Message::Query(query)) = Message::decode(relay.inner)
        && query.crashes_serf()
    {
        cx.stats.count().hazards_withheld += 1;
        return;
    }
    match destination(cx, relay) {
        Some(to) => {
            cx.node.send(to, relay.node, Bytes::copy_from_slice(relay.inner));
            cx.stats.count().relayed += 1;
        }
        None => cx.stats.count().relays_refused += 1,
    }
}

/// Where a message is to be passed on to. Anybody could aim it at a third party, so it must be a
/// member, unless the configuration allows all addresses.
fn destination(cx: &Core, relay: &Relay<'_>) -> Option<Addr> {
    let to = Addr::from_wire(relay.to.ip?, relay.to.port).ok()?;
    if to.port() == 0 || to.canonical().ip().is_unspecified() || relay.inner.is_empty() {
        return None;
    }
    let is_member = || {
        let slot = cx.node.find(relay.node);
        slot.is_some_and(|slot| cx.node.at(slot).addr().same_place(&to))
    };
    let allowed = !cx.node.config().plausible_addresses_only() || is_member();
    allowed.then_some(to)
}
