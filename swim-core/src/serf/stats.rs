//! One counter per drop reason and per bound hit of the Serf layer, and what `serf info` prints.

use alloc::boxed::Box;

macro_rules! counters {
    ($( $(#[$doc:meta])* $name:ident ),* $(,)?) => {
        /// What the Serf layer of a node has counted since it was made.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub struct SerfStats { $( $(#[$doc])* pub $name: u64, )* }

        impl SerfStats {
            /// Every counter with its name.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$( (stringify!($name), self.$name) ),*].into_iter()
            }
        }
    };
}

/// The counters of a node that is at rest take no memory.
#[derive(Default)]
pub(super) struct Counters(Option<Box<SerfStats>>);

impl Counters {
    pub(super) fn count(&mut self) -> &mut SerfStats {
        self.0.get_or_insert_default()
    }

    pub(super) fn snapshot(&self) -> SerfStats {
        self.0.as_deref().copied().unwrap_or_default()
    }
}

counters! {
    /// Serf messages that came by datagram or as a direct stream message, of whatever kind; counted
    /// only with [`Config::evidence_events`](crate::Config::evidence_events).
    messages_in,
    /// Bytes of those, their type counted.
    message_bytes_in,
    /// Messages that do not decode, or are of an unknown type.
    malformed,
    /// Intents that were older than what is known.
    intents_stale,
    /// Intents for members not known yet that were not remembered: too many are.
    intents_dropped,
    /// Intents to leave about this node that it refuted, and words about it that were later than
    /// its own.
    leaves_refuted,
    /// Requests to forget a member that was still there when its time was over.
    prunes_refused,
    /// Members that came back within the flap time-out.
    flaps,
    /// User events delivered.
    user_events,
    /// User events that came too late.
    user_events_old,
    /// User events heard before.
    user_events_again,
    /// User events and queries dropped because there are too many of their time.
    crowded,
    /// User events forgotten early because the ring held too many bytes.
    user_events_forgotten,
    /// Queries taken, whether or not their filters match.
    queries,
    /// Queries that came too late.
    queries_old,
    /// Queries heard before.
    queries_again,
    /// Queries whose filters exclude this node.
    queries_filtered,
    /// Queries forgotten before their deadline because too many were open.
    queries_forgotten,
    /// Queries of a name that begins with `_serf_` and means nothing.
    queries_unhandled,
    /// Queries whose asker names no address that can be reached.
    queries_unreachable,
    /// Acks to queries of this node's own.
    acks,
    /// Responses to queries of this node's own.
    responses,
    /// Acks and responses that nobody waits for.
    responses_unexpected,
    /// Acks that came before.
    acks_again,
    /// Responses that came before.
    responses_again,
    /// Acks and responses of more nodes than there were when the query was asked.
    responses_crowded,
    /// Responses of Serf's own that were too long to be sent.
    responses_too_long,
    /// Queries on which every Serf crashes, and that were not passed on.
    hazards_withheld,
    /// Messages passed on for others.
    relayed,
    /// Messages that were not passed on, since their destination is no known member.
    relays_refused,
    /// Broadcasts that no datagram has room for; push/pulls carry events.
    broadcasts_too_long,
    /// States of push/pulls that left the events out, since they would have been too long.
    states_cut,
    /// Coordinates of other nodes that were taken.
    coordinates,
    /// Coordinates of other nodes, or round trips, that make no sense.
    coordinates_rejected,
    /// Round trips that took no time at all, as far as the clock says; they were taken.
    rtts_zero,
    /// Events dropped because nobody fetched them.
    events_dropped,
}

/// What `serf info` prints of the Serf layer (serf spec 8.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Info {
    /// Members that are known.
    pub members: usize,
    /// Those that failed.
    pub failed: usize,
    /// Those that left.
    pub left: usize,
    /// Those that are there and suspected; Serf tells nobody.
    pub suspects: usize,
    /// Lifeguard's health score: 0 is best.
    pub health_score: u32,
    /// The member clock.
    pub member_time: u64,
    /// The event clock.
    pub event_time: u64,
    /// The query clock.
    pub query_time: u64,
    /// Intents that wait to be gossiped.
    pub intent_queue: usize,
    /// User events that wait to be gossiped.
    pub event_queue: usize,
    /// Queries that wait to be gossiped.
    pub query_queue: usize,
    /// Claims about members that wait to be gossiped; Serf tells nobody.
    pub claim_queue: usize,
    /// Whether there are keys.
    pub encrypted: bool,
    /// How often the coordinate had to start afresh.
    pub coordinate_resets: u64,
}
