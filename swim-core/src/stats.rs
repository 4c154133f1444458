//! One counter per drop reason and per bound hit.

use alloc::boxed::Box;

macro_rules! counters {
    ($( $(#[$doc:meta])* $name:ident ),* $(,)?) => {
        /// What a node has counted since it was made.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub struct Stats { $( $(#[$doc])* pub $name: u64, )* }

        impl Stats {
            /// Every counter with its name.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$( (stringify!($name), self.$name) ),*].into_iter()
            }
        }
    };
}

/// The counters of a node: those that a node at rest never touches cost it nothing.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) datagrams_in: u64,
    pub(crate) datagrams_out: u64,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    pub(crate) streams_in: u64,
    pub(crate) streams_out: u64,
    pub(crate) stale: u64,
    pub(crate) probes: u64,
    pub(crate) merges: u64,
    rare: Option<Box<Stats>>,
}

impl Counters {
    /// All counters but those that stand here by themselves.
    #[cold]
    pub(crate) fn rare(&mut self) -> &mut Stats {
        self.rare.get_or_insert_default()
    }

    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            datagrams_in: self.datagrams_in,
            datagrams_out: self.datagrams_out,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            streams_in: self.streams_in,
            streams_out: self.streams_out,
            stale: self.stale,
            probes: self.probes,
            merges: self.merges,
            ..self.rare.as_deref().copied().unwrap_or_default()
        }
    }
}

counters! {
    /// Datagrams taken.
    datagrams_in,
    /// Datagrams handed out.
    datagrams_out,
    /// Bytes of those taken, outer layers not counted.
    bytes_in,
    /// Bytes of those handed out, outer layers not counted.
    bytes_out,
    /// Stream messages taken.
    streams_in,
    /// Stream messages handed out.
    streams_out,
    /// Bytes of those handed out, outer layers not counted. Like the rest of the traffic below,
    /// counted only with [`Config::evidence_events`](crate::Config::evidence_events).
    stream_bytes_out,
    /// States of other nodes that came by push/pull.
    states_in,
    /// Bytes of those that came.
    state_bytes_in,
    /// States of this node handed out for push/pulls.
    states_out,
    /// Bytes of those handed out.
    state_bytes_out,
    /// User broadcasts handed out in datagrams, each as often as it went.
    broadcasts_out,
    /// Bytes of those handed out, their type and what is around them not counted.
    broadcast_bytes_out,
    /// Inputs whose time lay before the last one's; it was taken for the last one's.
    clock_backwards,
    /// Time-outs late by more than the probe time-out; the probe was void.
    late_timeouts,

    /// Parts that do not decode.
    malformed,
    /// Parts of a type that does not belong there.
    wrong_plane,
    /// Pings for another name.
    not_for_me,
    /// Names that are empty, too long or not UTF-8.
    bad_names,
    /// Addresses that are neither 4 nor 16 bytes, or unspecified, or outside the allowed networks.
    bad_addresses,
    /// Metadata longer than 512 bytes.
    bad_meta,
    /// Version bytes that are missing or exclude this node (hazards 3 and 13).
    bad_versions,
    /// Claims of an incarnation beyond the last that can be refuted (hazard 4).
    bad_incarnations,
    /// Entries of a push/pull with an unknown state.
    bad_states,
    /// Members refused by the policy.
    vetoed,
    /// Members refused because the table is full.
    table_full,
    /// Claims that were older than what is known.
    stale,
    /// Claims of a name that another address holds.
    conflicts,
    /// Replies on streams that nobody waits for.
    unexpected_replies,
    /// Acks and nacks that nobody waits for.
    unexpected_acks,
    /// Acks that came after their probe had ended.
    late_acks,
    /// Source addresses in a message that are not plausible; the datagram's own was used.
    implausible_sources,
    /// Pings not relayed: the target is not a member, or too many are under way.
    relays_refused,
    /// Pings, and requests to ping, beyond the first two of a datagram.
    requests_dropped,
    /// Replies dropped because too many wait.
    replies_dropped,
    /// Streams of peers that were neither answered nor closed, because the driver has let too many
    /// answers wait; it closes them when they have had their time.
    hang_ups_dropped,
    /// Replies that waited past their use.
    replies_expired,
    /// Direct messages refused because too many bytes wait.
    direct_dropped,
    /// Messages longer than they may be: of commands, and on streams.
    payloads_too_long,
    /// Commands refused for another reason.
    commands_refused,
    /// Broadcasts dropped because their lane was full.
    broadcasts_dropped,
    /// Events dropped because nobody fetched them.
    events_dropped,
    /// Exchanges, pings and merges refused because too many are under way.
    exchanges_refused,
    /// Exchanges that failed.
    exchanges_failed,

    /// Probes begun.
    probes,
    /// Probes begun while the health score was not 0, and so at a slower rate.
    probes_degraded,
    /// Probes that nobody answered.
    probes_failed,
    /// Probes whose ping never left this node; they blame nobody.
    probes_unsent,
    /// Probes answered only by way of helpers.
    probes_indirect,
    /// Probes answered only by stream.
    probes_stream,
    /// Claims that members are alive, this node's own among them, that changed what is known;
    /// counted only with [`Config::evidence_events`](crate::Config::evidence_events).
    alive_claims,
    /// Members that were taken for dead or left; counted only with
    /// [`Config::evidence_events`](crate::Config::evidence_events).
    dead_claims,
    /// Suspicions begun.
    suspicions,
    /// Suspicions that ended in a death though fewer nodes than wanted had confirmed them.
    suspicions_unconfirmed,
    /// Accusations answered.
    refutations,
    /// Push/pulls merged.
    merges,
}
