//! The stream plane: joins, push/pulls, stream pings and reliable messages (memberlist spec 3).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;

use bytes::{Bytes, BytesMut};

use super::ctx::Ctx;
use super::sharing;
use super::timers::Due;
use crate::config::Knobs;
use crate::error::Rejected;
use crate::event::{ExchangeError, Outcome};
use crate::ids::{InboundId, NodeName, OpId, OutboundId};
use crate::input::{Exchange, Seat};
use crate::time::Instant;
use crate::wire;

/// What an outbound exchange is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// One seed of a join, and its address.
    Join(OpId, SocketAddr),
    /// A periodic push/pull, or one of a fast join.
    Sync,
    /// An attempt to reach a failed member.
    Reconnect,
    /// The stream ping of the probe of this number.
    StreamPing { seq: u32 },
    /// A reliable message.
    Send { op: OpId, payload: Bytes },
}

impl Purpose {
    /// Whether the other side may refuse this node's members.
    pub(crate) fn is_join(&self) -> bool {
        matches!(self, Self::Join(..) | Self::Reconnect)
    }
}

/// Writes the state of the layer above into a push/pull.
pub(crate) type WriteState<'a> = &'a dyn Fn(&Ctx, &mut BytesMut);

type Above<'a> = Option<WriteState<'a>>;

/// Answers are given while fewer actions than this times the exchanges that may be under way wait
/// for `poll_exchange`, so that a driver that fetches none cannot have them pile up.
const ANSWERS: usize = 2;
/// The same for the ends of inbound streams.
const HANG_UPS: usize = 4;

/// What waits for `poll_exchange`.
enum Action {
    Open(OutboundId),
    /// The state of this node answers a push/pull.
    State {
        id: InboundId,
        join: bool,
    },
    Ack {
        id: InboundId,
        seq: u32,
    },
    Refuse {
        id: InboundId,
        text: String,
    },
    Close(InboundId),
    Cancel(OutboundId),
}

pub(crate) struct Exchanges {
    next_id: u64,
    outbound: BTreeMap<OutboundId, Outbound>,
    actions: VecDeque<Action>,
    joins: Option<Box<Joins>>,
}

/// Joins under way.
#[derive(Default)]
struct Joins {
    of: BTreeMap<OpId, Join>,
    /// Seeds that wait until fewer exchanges are under way.
    waiting: VecDeque<(OpId, Seat)>,
}

struct Outbound {
    seat: Seat,
    purpose: Purpose,
    deadline: Instant,
}

/// A join under way.
struct Join {
    pending: u32,
    reached: u32,
    failed: Vec<(SocketAddr, ExchangeError)>,
}

impl Exchanges {
    pub(crate) fn new() -> Self {
        Self { next_id: 0, outbound: BTreeMap::new(), actions: VecDeque::new(), joins: None }
    }

    /// Starts a join with each of `seats`.
    pub(crate) fn join(&mut self, cx: &mut Ctx, op: OpId, seats: Vec<Seat>) {
        let pending = u32::try_from(seats.len()).unwrap_or(u32::MAX);
        let joins = self.joins.get_or_insert_default();
        joins.of.insert(op, Join { pending, reached: 0, failed: Vec::new() });
        joins.waiting.extend(seats.into_iter().map(|seat| (op, seat)));
        self.open_waiting(cx);
        self.end_join_if_done(cx, op);
    }

    fn open_waiting(&mut self, cx: &mut Ctx) {
        while self.has_room(cx)
            && let Some((op, seat)) =
                self.joins.as_mut().and_then(|joins| joins.waiting.pop_front())
        {
            let deadline = cx.now + cx.config.knobs.stream_timeout;
            let purpose = Purpose::Join(op, seat.addr);
            self.try_open(cx, seat, purpose, deadline);
        }
    }

    fn has_room(&self, cx: &Ctx) -> bool {
        self.outbound.len() < cx.config.knobs.exchanges_max as usize
    }

    /// Starts an exchange, unless too many are under way.
    pub(crate) fn open(
        &mut self,
        cx: &mut Ctx,
        seat: Seat,
        purpose: Purpose,
        deadline: Instant,
    ) -> Result<(), Rejected> {
        if !self.has_room(cx) {
            return Err(Rejected::Busy(cx.config.knobs.exchanges_max));
        }
        let id = OutboundId(self.next_id);
        self.next_id += 1;
        cx.timers.push(deadline, Due::Exchange(id));
        self.outbound.insert(id, Outbound { seat, purpose, deadline });
        self.actions.push_back(Action::Open(id));
        Ok(())
    }

    /// Starts an exchange, or counts that too many are under way.
    pub(crate) fn try_open(
        &mut self,
        cx: &mut Ctx,
        seat: Seat,
        purpose: Purpose,
        deadline: Instant,
    ) {
        if let Err(why) = self.open(cx, seat, purpose, deadline) {
            cx.count_refusal(why);
        }
    }

    /// A push/pull with a member, now.
    pub(crate) fn sync(&mut self, cx: &mut Ctx, with: super::members::SlotId, purpose: Purpose) {
        let record = cx.members.slot(with).record();
        let name = NodeName::from_wire(record.name_bytes()).ok();
        let seat = Seat { addr: record.addr().canonical(), name };
        let deadline = cx.now + cx.config.knobs.stream_timeout;
        self.try_open(cx, seat, purpose, deadline);
    }

    /// The driver hands in the end of an outbound exchange; this is what it was for.
    pub(crate) fn end(&mut self, cx: &mut Ctx, id: OutboundId) -> Result<Purpose, Rejected> {
        // What the driver has not fetched cannot have been answered.
        if self.opening(id).is_some() {
            return Err(Rejected::UnknownExchange);
        }
        self.take(cx, id)
    }

    /// Where an exchange waits to be fetched.
    fn opening(&self, id: OutboundId) -> Option<usize> {
        self.actions.iter().position(|action| matches!(action, Action::Open(o) if *o == id))
    }

    fn take(&mut self, cx: &mut Ctx, id: OutboundId) -> Result<Purpose, Rejected> {
        let Some(Outbound { purpose, .. }) = self.outbound.remove(&id) else {
            return Err(Rejected::UnknownExchange);
        };
        self.open_waiting(cx);
        Ok(purpose)
    }

    /// An exchange has had its time; `None` if it ended before.
    pub(crate) fn on_due(&mut self, cx: &mut Ctx, id: OutboundId) -> Option<Purpose> {
        let ended = self.take(cx, id).ok()?;
        match self.opening(id) {
            // The driver never took it.
            Some(at) => {
                self.actions.remove(at);
            }
            None => self.actions.push_back(Action::Cancel(id)),
        }
        Some(ended)
    }

    /// An exchange ended with `result`: tells whoever waits for it.
    pub(crate) fn finish(
        &mut self,
        cx: &mut Ctx,
        purpose: &Purpose,
        result: Result<(), ExchangeError>,
    ) {
        if result.is_err() {
            cx.stats.rare().exchanges_failed += 1;
        }
        match purpose {
            Purpose::Join(op, seed) => {
                if let Some(join) = self.joins.as_mut().and_then(|joins| joins.of.get_mut(op)) {
                    join.pending -= 1;
                    match result {
                        Ok(()) => join.reached += 1,
                        Err(error) => join.failed.push((*seed, error)),
                    }
                }
                self.end_join_if_done(cx, *op);
            }
            Purpose::Send { op, .. } => {
                cx.done(*op, result.map_or_else(Outcome::Failed, |()| Outcome::Delivered));
            }
            Purpose::Sync | Purpose::Reconnect | Purpose::StreamPing { .. } => {}
        }
    }

    fn end_join_if_done(&mut self, cx: &mut Ctx, op: OpId) {
        let Some(joins) = &mut self.joins else { return };
        if joins.of.get(&op).is_some_and(|join| join.pending == 0)
            && let Some(Join { reached, failed, .. }) = joins.of.remove(&op)
        {
            if joins.of.is_empty() {
                self.joins = None;
            }
            cx.done(op, Outcome::Joined { reached, failed });
        }
    }

    /// Answers a push/pull; too many answers waiting refuse it.
    pub(crate) fn reply_state(
        &mut self,
        cx: &Ctx,
        id: InboundId,
        join: bool,
    ) -> Result<(), Rejected> {
        self.answer(cx, Action::State { id, join })
    }

    pub(crate) fn reply_ack(&mut self, cx: &Ctx, id: InboundId, seq: u32) -> Result<(), Rejected> {
        self.answer(cx, Action::Ack { id, seq })
    }

    fn answer(&mut self, cx: &Ctx, action: Action) -> Result<(), Rejected> {
        let max = cx.config.knobs.exchanges_max;
        if self.actions.len() >= ANSWERS * max as usize {
            return Err(Rejected::Busy(max));
        }
        self.actions.push_back(action);
        Ok(())
    }

    pub(crate) fn refuse(&mut self, cx: &mut Ctx, id: InboundId, text: String) {
        self.hang_up(cx, Action::Refuse { id, text });
    }

    pub(crate) fn close(&mut self, cx: &mut Ctx, id: InboundId) {
        self.hang_up(cx, Action::Close(id));
    }

    /// Ends an inbound stream; a driver that has let too much wait must do so by itself.
    fn hang_up(&mut self, cx: &mut Ctx, action: Action) {
        if self.actions.len() < HANG_UPS * cx.config.knobs.exchanges_max as usize {
            self.actions.push_back(action);
        } else {
            cx.stats.rare().hang_ups_dropped += 1;
        }
    }

    /// What must hold at all times.
    pub(crate) fn audit(&self, knobs: &Knobs) {
        assert!(self.outbound.len() <= knobs.exchanges_max as usize);
        let opening = |action: &&Action| matches!(action, Action::Open(_));
        assert!(self.actions.iter().filter(opening).count() <= self.outbound.len());
        // A stream is cancelled after it was fetched, and those opened later are fetched later.
        let max = knobs.exchanges_max as usize;
        let cancelling = |action: &&Action| matches!(action, Action::Cancel(_));
        assert!(self.actions.iter().filter(cancelling).count() <= max);
        assert!(self.actions.len() <= (HANG_UPS + 2) * max, "{} actions", self.actions.len());
        let mut joins = self.joins.iter().flat_map(|joins| joins.of.values());
        assert!(joins.all(|join| join.pending > 0), "a join that is over is told");
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.actions.is_empty()
    }

    /// The next action; `above` writes the state of the layer above, if there is one.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Ctx,
        buf: &mut BytesMut,
        above: Above<'_>,
    ) -> Option<Exchange> {
        let start = buf.len();
        let exchange = match self.actions.pop_front()? {
            Action::Open(id) => {
                let out = self.outbound.get(&id).expect("an action goes when its exchange does");
                write_request(cx, out, above, buf);
                Exchange::Open {
                    id,
                    to: out.seat.addr,
                    name: out.seat.name.clone(),
                    len: buf.len() - start,
                    reply_due: !matches!(out.purpose, Purpose::Send { .. }),
                    deadline: out.deadline,
                }
            }
            Action::State { id, join } => {
                write_state(cx, join, above, buf);
                Exchange::Reply { id, len: buf.len() - start }
            }
            Action::Ack { id, seq } => {
                wire::Ack { seq, payload: None }.encode(buf);
                Exchange::Reply { id, len: buf.len() - start }
            }
            Action::Refuse { id, text } => {
                wire::ErrorReply { text: text.as_bytes() }.encode(buf);
                Exchange::Refuse { id, len: buf.len() - start, text }
            }
            Action::Close(id) => Exchange::Close { id },
            Action::Cancel(id) => Exchange::Cancel { id },
        };
        if let Exchange::Open { len, .. } | Exchange::Reply { len, .. } = exchange {
            cx.stats.streams_out += 1;
            if let Some(figures) = cx.figures() {
                figures.stream_bytes_out += len as u64;
            }
        }
        Some(exchange)
    }
}

fn write_request(cx: &mut Ctx, out: &Outbound, above: Above<'_>, buf: &mut BytesMut) {
    match &out.purpose {
        Purpose::StreamPing { seq } => {
            // Under another name nobody there may answer for the member (memberlist spec 3.4).
            let name = out.seat.name.as_ref().map_or("", NodeName::as_str);
            cx.ping(*seq, name.as_bytes()).encode(buf);
        }
        Purpose::Send { payload, .. } => {
            let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            wire::UserHeader { len }.encode(buf);
            buf.extend_from_slice(payload);
        }
        Purpose::Join(..) | Purpose::Sync | Purpose::Reconnect => {
            write_state(cx, out.purpose.is_join(), above, buf);
        }
    }
}

/// Everything this node knows (memberlist spec 3.3).
fn write_state(cx: &mut Ctx, join: bool, above: Above<'_>, buf: &mut BytesMut) {
    let start = buf.len();
    write_all(cx, join, above, buf);
    if let Some(figures) = cx.figures() {
        figures.states_out += 1;
        figures.state_bytes_out += (buf.len() - start) as u64;
    }
}

fn write_all(cx: &Ctx, join: bool, above: Above<'_>, buf: &mut BytesMut) {
    // The header has its length, so it is written apart; a push/pull is O(n) anyway.
    let mut written = BytesMut::new();
    let app_state = match above {
        Some(write) => {
            write(cx, &mut written);
            &written[..]
        }
        None => cx.app.as_ref().map_or(&[][..], |app| &app.app_state),
    };
    if cx.shares_states {
        return sharing::write(&cx.members, join, app_state, buf);
    }
    let user_state_len = u32::try_from(app_state.len()).unwrap_or(u32::MAX);
    let header = wire::PushPullHeader { join, nodes: cx.members.len(), user_state_len };
    header.encode(buf);
    for (_, slot) in cx.members.iter() {
        slot.entry().encode(buf);
    }
    buf.extend_from_slice(app_state);
}
