//! Queries of this node's own: asked, and their answers collected (serf spec 4.2, 4.6).

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use bytes::{Bytes, BytesMut};

use super::answer::Answers;
use super::conflict::Vote;
use super::core::{Core, QUERIES};
use super::timers::Due;
use crate::ids::{NodeName, OpId};
use crate::serf::{Event, Outcome, QueryParams, Rejected};
use crate::time::{Instant, nanos};
use crate::wire::serf::{Filter, List, Query, Response};

/// Queries of this node's own that are under way, by their times.
#[derive(Default)]
pub(super) struct Queries(BTreeMap<u64, Asked>);

struct Asked {
    id: u32,
    purpose: Purpose,
    wants_ack: bool,
    deadline: Instant,
    acked: BTreeSet<NodeName>,
    answered: BTreeSet<NodeName>,
    /// Acks, and responses, at most: as many as there were members.
    answers_max: usize,
}

/// Who wants to know.
pub(super) enum Purpose {
    /// The embedder.
    Command(OpId),
    /// This node: whose its name is.
    Conflict(Box<Vote>),
}

/// Versions of Serf's protocol before this one have no queries.
const PROTOCOL_MIN: u8 = 4;
/// Serf draws numbers of 31 bits.
const ID_BITS: u32 = 0x7fff_ffff;

impl Queries {
    /// Asks all whom `params` mean.
    pub(super) fn ask(
        &mut self,
        cx: &mut Core,
        answers: &mut Answers,
        (name, payload): (&str, &[u8]),
        params: &QueryParams,
        purpose: Purpose,
    ) -> Result<(), Rejected> {
        let protocol = cx.config.protocol_byte();
        if protocol < PROTOCOL_MIN {
            return Err(Rejected::NoQueries(protocol));
        }
        let queries_max = cx.config.knobs.queries_max;
        if self.0.len() >= queries_max as usize {
            return Err(Rejected::Busy(queries_max));
        }
        let timeout = params.timeout.unwrap_or_else(|| cx.default_query_timeout());
        let me = cx.node.my_record().clone();
        let filters = filters(params);
        let filters: Vec<&[u8]> = filters.iter().map(|filter| &filter[..]).collect();
        let query = Query {
            ltime: cx.clocks.query.time(),
            id: cx.node.random_u32() & ID_BITS,
            addr: Some(me.wire_ip()),
            port: me.port(),
            source_node: me.name_bytes(),
            filters: Some(List::from(&filters[..])).filter(|filters| !filters.is_empty()),
            flags: if params.ack { Query::ACK } else { 0 },
            relay_factor: params.relay_factor,
            timeout_ns: i64::try_from(nanos(timeout)).unwrap_or(i64::MAX),
            name: name.as_bytes(),
            payload: Some(payload),
        };
        if query.crashes_serf() {
            return Err(Rejected::EmptyKeyRequest);
        }
        query.fits(cx.config.knobs.query_bytes_max as usize)?;
        let mut message = BytesMut::with_capacity(query.encoded_len());
        query.encode(&mut message);
        let deadline = cx.now() + timeout;
        let asked = Asked {
            id: query.id,
            purpose,
            wants_ack: params.ack,
            deadline,
            acked: BTreeSet::new(),
            answered: BTreeSet::new(),
            answers_max: cx.node.known_len(),
        };
        self.0.insert(query.ltime, asked);
        cx.timers.push(deadline, Due::QueryEnd(query.ltime));
        answers.take(cx, &query);
        cx.broadcast(QUERIES, message.freeze(), None);
        Ok(())
    }

    /// Whether this node asks whose its name is.
    pub(super) fn is_voting(&self) -> bool {
        self.0.values().any(|asked| matches!(asked.purpose, Purpose::Conflict(_)))
    }

    /// An ack or a response came.
    pub(super) fn on_response(&mut self, cx: &mut Core, response: &Response<'_>) {
        let now = cx.now();
        let asked = self.0.get_mut(&response.ltime).filter(|asked| {
            let wanted = asked.wants_ack || !response.is_ack();
            asked.id == response.id && now <= asked.deadline && wanted
        });
        let (Some(asked), Ok(from)) = (asked, NodeName::from_wire(response.from)) else {
            cx.stats.count().responses_unexpected += 1;
            return;
        };
        let heard = if response.is_ack() { &mut asked.acked } else { &mut asked.answered };
        if heard.contains(&from) {
            let stats = cx.stats.count();
            let again =
                if response.is_ack() { &mut stats.acks_again } else { &mut stats.responses_again };
            *again += 1;
            return;
        }
        if heard.len() >= asked.answers_max {
            cx.stats.count().responses_crowded += 1;
            return;
        }
        heard.insert(from.clone());
        let stats = cx.stats.count();
        *(if response.is_ack() { &mut stats.acks } else { &mut stats.responses }) += 1;
        let payload = response.payload.unwrap_or_default();
        match &mut asked.purpose {
            Purpose::Command(op) if response.is_ack() => {
                let op = *op;
                cx.raise(Event::Ack { op, from });
            }
            Purpose::Command(op) => {
                let (op, payload) = (*op, Bytes::copy_from_slice(payload));
                cx.raise(Event::Response { op, from, payload });
            }
            Purpose::Conflict(vote) => vote.count(cx.node.my_record(), payload),
        }
    }

    /// The time of a query is over.
    pub(super) fn on_end(&mut self, cx: &mut Core, ltime: u64) {
        let Some(asked) = self.0.remove(&ltime) else { return };
        match asked.purpose {
            Purpose::Command(op) => {
                let count = |heard: &BTreeSet<_>| u32::try_from(heard.len()).unwrap_or(u32::MAX);
                let (acks, responses) = (count(&asked.acked), count(&asked.answered));
                cx.done(op, Outcome::Answered { acks, responses });
            }
            Purpose::Conflict(vote) => vote.judge(cx),
        }
    }
}

/// The filters as they are sent; none of them is empty, on which every Serf crashes.
fn filters(params: &QueryParams) -> Vec<BytesMut> {
    let encode = |filter: Filter<'_>| {
        let mut out = BytesMut::new();
        filter.encode(&mut out);
        out
    };
    let nodes: Vec<&[u8]> = params.nodes.iter().map(|name| name.as_bytes()).collect();
    let nodes = Some(Filter::Nodes(Some(List::from(&nodes[..])))).filter(|_| !nodes.is_empty());
    let tags = params
        .tags
        .iter()
        .map(|(tag, expr)| Filter::Tag { tag: tag.as_bytes(), expr: expr.as_bytes() });
    nodes.into_iter().chain(tags).map(encode).collect()
}
