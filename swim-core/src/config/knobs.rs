//! Every knob of a node: meaning, default, range, what too small and too large cost, and whether a
//! reload changes it.

use alloc::vec::Vec;
use core::time::Duration;

use super::{Config, ConfigBuilder, ConfigError, Knob, KnobError, KnobValue, knob};

const MS: fn(u64) -> Duration = Duration::from_millis;
const S: fn(u64) -> Duration = Duration::from_secs;
const OFF: Duration = Duration::ZERO;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// Writes the struct, its presets, getters, setters, range check and journal form from one table.
macro_rules! knobs {
    ($(
        $(#[$doc:meta])*
        $name:ident : $ty:ty = $lan:expr, $wan:expr, $local:expr; $range:expr, $reload:ident;
    )*) => {
        #[derive(Clone)]
        pub(crate) struct Knobs { $( pub(crate) $name: $ty, )* }

        impl Knobs {
            pub(super) fn lan() -> Self { Self { $( $name: $lan, )* } }
            pub(super) fn wan() -> Self { Self { $( $name: $wan, )* } }
            pub(super) fn local() -> Self { Self { $( $name: $local, )* } }

            pub(super) fn check(&self) -> Result<(), ConfigError> {
                $( self.$name.check(stringify!($name), $range)?; )*
                Ok(())
            }

            pub(super) fn list(&self) -> Vec<(&'static str, KnobValue)> {
                alloc::vec![$( (stringify!($name), self.$name.value()), )*]
            }

            pub(super) fn set(&mut self, name: &str, value: KnobValue) -> Result<(), KnobError> {
                match name {
                    $( stringify!($name) => {
                        let expected = <$ty as Knob>::KIND;
                        let value = <$ty as Knob>::of(value).ok_or(KnobError::Kind { expected })?;
                        value.check(stringify!($name), $range).map_err(KnobError::Range)?;
                        self.$name = value;
                    } )*
                    _ => return Err(KnobError::Unknown),
                }
                Ok(())
            }

            /// The first knob that differs and that a running node cannot change.
            pub(super) fn fixed_difference(&self, other: &Self) -> Option<&'static str> {
                $(
                    if !knob::$reload && self.$name != other.$name {
                        return Some(stringify!($name));
                    }
                )*
                None
            }

            pub(crate) fn put(&self, out: &mut Vec<u8>) { $( self.$name.put(out); )* }

            pub(crate) fn get(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $( $name: <$ty as Knob>::get(from)?, )* })
            }
        }

        impl Config { $( $(#[$doc])* pub fn $name(&self) -> $ty { self.knobs.$name } )* }
        impl ConfigBuilder {
            $(
                $(#[$doc])*
                #[must_use]
                pub fn $name(mut self, value: $ty) -> Self {
                    self.0.knobs.$name = value;
                    self
                }
            )*
        }
    };
}

knobs! {
    /// Time between two probes by this node.
    ///
    /// Default 1 s (wan 5 s, local 1 s); 1 ms to 1 h. Smaller finds failures sooner and costs
    /// packets in proportion; larger delays detection, whose time-outs are multiples of it.
    /// Reloadable.
    probe_interval: Duration = S(1), S(5), S(1); (MS(1), HOUR), RELOAD;

    /// How long an ack may take before helpers are asked.
    ///
    /// Default 500 ms (wan 3 s, local 200 ms); 1 ms to 1 h. Set it to the 99th percentile of the
    /// round trip. Smaller asks helpers needlessly; larger leaves them less of the interval, and at
    /// `probe_interval` or above they are never asked in time. Reloadable.
    probe_timeout: Duration = MS(500), S(3), MS(200); (MS(1), HOUR), RELOAD;

    /// How many members are asked to ping one that did not answer (SWIM's *k*).
    ///
    /// Default 3 (local 1); 0 to 16. Smaller means more false suspicions under loss; larger costs
    /// packets only while something fails. Reloadable.
    indirect_checks: u32 = 3, 3, 1; (0, 16), RELOAD;

    /// Whether a member that answered neither a ping nor its helpers is pinged over a stream.
    ///
    /// Default true. False lets a network that drops datagrams only look like failed members; true
    /// costs a stream for each member that fails.
    /// [`Policy::stream_ping`](crate::Policy::stream_ping) decides for each member. Reloadable.
    stream_pings: bool = true, true, true; (), RELOAD;

    /// Each rumour is sent `retransmit_mult * ceil(log10(n + 1))` times by each node.
    ///
    /// Default 4 (local 2); 1 to 64. Smaller leaves members uninformed until the next push/pull;
    /// larger costs bytes in proportion. Reloadable.
    retransmit_mult: u32 = 4, 4, 2; (1, 64), RELOAD;

    /// A suspicion that nobody confirms or refutes lasts at least `suspicion_mult * max(1,
    /// log10(n)) * probe_interval` once it is fully confirmed.
    ///
    /// Default 4 (wan 6, local 3); 1 to 64. Smaller finds failures sooner and wrongs slow members
    /// more often; larger keeps failed members listed as live for longer. Reloadable; running
    /// suspicions keep theirs.
    suspicion_mult: u32 = 4, 6, 3; (1, 64), RELOAD;

    /// An unconfirmed suspicion lasts this many times the smallest time (Lifeguard's beta).
    ///
    /// Default 6; 1 to 64. 1 is plain SWIM. Smaller lets one slow node declare others dead; larger
    /// makes failures that few see take longer. Reloadable; running suspicions keep theirs.
    suspicion_max_mult: u32 = 6, 6, 6; (1, 64), RELOAD;

    /// Health scores run from 0 to one less than this; a score multiplies `probe_interval` by one
    /// more than itself.
    ///
    /// Default 8; 1 to 64. 1 switches the health score off (memberlist spec 9, hazard 28: 0 is
    /// refused). Smaller lets a slow node accuse more others; larger makes it probe more seldom, so
    /// that it finds failures late for longer. Reloadable.
    awareness_max: u32 = 8, 8, 8; (1, 64), RELOAD;

    /// Time between two gossip rounds while something is queued.
    ///
    /// Default 200 ms (wan 500 ms, local 100 ms); 1 ms to 1 h. Smaller spreads news faster in more
    /// datagrams; larger saves them, and news that are late cause suspicions that last. Reloadable.
    gossip_interval: Duration = MS(200), MS(500), MS(100); (MS(1), HOUR), RELOAD;

    /// How many members get each gossip round.
    ///
    /// Default 3 (wan 4); 0 to 64. Smaller spreads news more slowly, and 0 leaves only piggybacking
    /// on probes; larger costs datagrams in proportion and tells many members what they know.
    /// Reloadable.
    gossip_nodes: u32 = 3, 4, 3; (0, 64), RELOAD;

    /// A dead member is still gossiped to for this long, so that it can refute.
    ///
    /// Default 30 s (wan 60 s, local 15 s); 0 to 24 h. Smaller leaves a member that was wronged
    /// without word of it until somebody reconnects; larger wastes datagrams on those that are
    /// gone. Reloadable.
    gossip_to_the_dead_time: Duration = S(30), S(60), S(15); (OFF, DAY), RELOAD;

    /// Time between two exchanges of full state, scaled up with `log2(n)` above 32 members.
    ///
    /// Default 30 s (wan 60 s, local 15 s); 0 (never) to 24 h. Smaller repairs lost gossip sooner
    /// and costs bytes linear in the number of members; larger, or never, leaves members that
    /// missed some news without them for as long. Reloadable.
    push_pull_interval: Duration = S(30), S(60), S(15); (OFF, DAY), RELOAD;

    /// Deadline of a stream exchange: connect, write and read together.
    ///
    /// Default 10 s (wan 30 s, local 1 s); 1 ms to 1 h. Smaller gives up on states that a slow link
    /// needs longer for, so that joins fail; larger keeps one of the `exchanges_max` places for a
    /// peer that does not answer. Reloadable.
    stream_timeout: Duration = S(10), S(30), S(1); (MS(1), HOUR), RELOAD;

    /// Bytes that a datagram is packed to, all layers included.
    ///
    /// Default 1,400; 256 to 65,507. Smaller carries fewer news in each datagram and refuses longer
    /// broadcasts; larger than the path's MTU, every loss of a fragment loses the whole. A message
    /// cannot be cut: a longer one, such as the claim about a member with much metadata (some 850
    /// bytes at most), is sent as it is; a suspect's ping and the suspicion, which go together, go
    /// apart if both do not fit. Reloadable; queued broadcasts that fit no more are dropped.
    datagram_bytes_max: u32 = 1400, 1400, 1400; (256, 65_507), RELOAD;

    /// The version of memberlist's protocol that this node speaks; below 2 encrypts with version 0.
    ///
    /// Default 2; 1 to 5. Only a cluster of very old nodes needs another. Smaller is understood by
    /// those only, and pads what it encrypts; larger is understood by newer ones only. Fixed.
    protocol_version: u32 = 2, 2, 2; (1, 5), FIXED;

    /// A dead member's name may be taken over from another address after this long; 0 is never.
    ///
    /// Default 0; 0 to 30 days. A left member's name may be taken at once. Smaller lets somebody
    /// else take the name of a member that is cut off for a while; larger, or never, makes a host
    /// that comes back elsewhere wait. Reloadable.
    dead_node_reclaim_time: Duration = OFF, OFF, OFF; (OFF, MONTH), RELOAD;

    /// Time between two attempts to reach a failed member by push/pull, so that a healed partition
    /// merges by itself; 0 is never.
    ///
    /// Default 30 s; 0 to 24 h. Each failed member is tried about once in this time by the whole
    /// cluster (Serf spec 3.7). Smaller costs streams to hosts that are gone; larger, or never,
    /// leaves the halves of a healed partition apart for longer. Reloadable.
    reconnect_interval: Duration = S(30), S(30), S(30); (OFF, DAY), RELOAD;

    /// A failed member is kept, and retried, for this long.
    ///
    /// Default 24 h; 0 to 30 days. Smaller forgets members in long partitions; larger keeps the
    /// dead in memory and in every push/pull. [`Policy::reap_after`](crate::Policy::reap_after)
    /// overrides it for a member. Reloadable.
    reconnect_timeout: Duration = DAY, DAY, DAY; (OFF, MONTH), RELOAD;

    /// A member that left is remembered for this long, so that old news does not bring it back.
    ///
    /// Default 24 h; 0 to 30 days. Smaller lets a node that was away for longer bring it back as
    /// failed; larger keeps the left in memory and in every push/pull.
    /// [`Policy::reap_after`](crate::Policy::reap_after) overrides it for a member. Reloadable.
    tombstone_timeout: Duration = DAY, DAY, DAY; (OFF, MONTH), RELOAD;

    /// Time between two looks for members to forget.
    ///
    /// Default 15 s; 10 ms to 1 h. Smaller costs a walk over the dead and the left each time;
    /// larger forgets them, and gives the memory of a burst back, that much later. Reloadable.
    reap_interval: Duration = S(15), S(15), S(15); (MS(10), HOUR), RELOAD;

    /// After a join, how many more push/pulls with members just learned follow while the number of
    /// known members still grows; 0 switches fast join off.
    ///
    /// Default 8; 0 to 64. It lets a storm of joins complete in seconds, where gossip alone takes
    /// minutes (architecture 3.14). Smaller leaves the rest of a storm to gossip; larger costs
    /// whole states as long as members keep coming. Meanwhile a node that knew nobody before does
    /// not gossip what push/pulls teach it: those who taught it do. It does one push/pull more when
    /// all is quiet, after 4 to 8 times the `fast_join_pause`. Reloadable.
    fast_join_rounds: u32 = 8, 8, 8; (0, 64), RELOAD;

    /// Largest pause before each such push/pull; the pause is drawn from half of it up to it.
    ///
    /// Default 600 ms (wan 3 s, local 300 ms); 1 ms to 1 h. Smaller asks before others have learned
    /// anything, and uses up the rounds; larger makes a storm of joins take longer. Reloadable.
    fast_join_pause: Duration = MS(600), S(3), MS(300); (MS(1), HOUR), RELOAD;

    /// Members kept at most, this node and the dead included; more are refused and counted.
    ///
    /// Default 1,048,576; 2 to 16,777,216. A member takes about 150 bytes. Smaller refuses members
    /// that are really there, which others then know and this node does not; larger lets whoever
    /// may join fill more memory. Fixed.
    members_max: u32 = 1 << 20, 1 << 20, 1 << 20; (2, 1 << 24), FIXED;

    /// User broadcasts queued at most in each lane; the most often sent is dropped for a new one.
    ///
    /// Default 4,096; 1 to 1,048,576. Smaller drops broadcasts of a burst before all have heard of
    /// them; larger takes memory, up to a datagram for each, and lets news wait behind more others.
    /// Reloadable; a smaller one acts when the next is queued.
    lane_len_max: u32 = 4096, 4096, 4096; (1, 1 << 20), RELOAD;

    /// Bytes of direct messages waiting for `poll_transmit` at most, each counted for 96 more than
    /// its payload and the name that it goes to; more are refused.
    ///
    /// Default 1 MiB; 1 KiB to 1 GiB. Smaller refuses messages that a driver would get rid of in a
    /// moment; larger takes memory while a socket is full. Reloadable.
    direct_bytes_max: u32 = 1 << 20, 1 << 20, 1 << 20; (1 << 10, 1 << 30), RELOAD;

    /// Events waiting for `poll_event` at most; the oldest are dropped and told as
    /// [`Event::Lagged`](crate::Event::Lagged).
    ///
    /// Default 65,536; 16 to 16,777,216. Smaller makes whoever reads them seldom read all members
    /// afresh more often; larger takes memory while nobody reads. Reloadable.
    events_max: u32 = 1 << 16, 1 << 16, 1 << 16; (16, 1 << 24), RELOAD;

    /// Acks, nacks and relayed pings waiting for `poll_transmit` at most; more are dropped.
    ///
    /// Default 4,096; 16 to 1,048,576. Smaller leaves pings of a burst unanswered, and this node
    /// suspected; larger takes memory while a socket is full, for answers that come too late.
    /// Reloadable.
    replies_max: u32 = 4096, 4096, 4096; (16, 1 << 20), RELOAD;

    /// Pings relayed for others at a time; more are dropped and counted.
    ///
    /// Default 1,024; 0 to 65,536. One requester may hold a quarter of them. Smaller gives others
    /// less help when many members fail at once, and 0 none; larger takes memory, and lets more of
    /// others' pings leave from here. Reloadable.
    relays_max: u32 = 1024, 1024, 1024; (0, 1 << 16), RELOAD;

    /// Stream exchanges under way at a time, each way.
    ///
    /// Default 128; 1 to 65,536 (memberlist spec 3.3 has 128 for inbound push/pulls). Smaller
    /// refuses some of a storm of joins, who try again; larger takes the memory of as many whole
    /// states. Reloadable.
    exchanges_max: u32 = 128, 128, 128; (1, 1 << 16), RELOAD;

    /// Whether acks go only to the datagram's source or to a member's known address, and pings are
    /// relayed only to members.
    ///
    /// Default true. False follows Go, which lets anybody aim a node's packets at a third party
    /// (memberlist spec 9, hazard 18); true leaves the pings of a stranger behind an address that
    /// translates unanswered at the address that it names. Reloadable.
    plausible_addresses_only: bool = true, true, true; (), RELOAD;

    /// Whether large messages are compressed by the driver (LZW); input is accepted either way.
    ///
    /// Default true. False saves CPU and costs bytes. Reloadable.
    compression: bool = true, true, true; (), RELOAD;

    /// With a keyring: whether what does not decrypt is refused.
    ///
    /// Default true. False lets a cluster be rolled from plaintext to encrypted, and whoever can
    /// send a datagram be believed meanwhile. Reloadable.
    verify_incoming: bool = true, true, true; (), RELOAD;

    /// With a keyring: whether what is sent is encrypted.
    ///
    /// Default true. False sends names and payloads in clear, for those that have no key yet.
    /// Reloadable; queued broadcasts that fit no more are dropped.
    verify_outgoing: bool = true, true, true; (), RELOAD;

    /// Whether a label on inbound traffic is refused because something in front strips it.
    ///
    /// Default false (memberlist spec 1.7). True without something in front takes the traffic of
    /// other clusters for this one's; false behind something that strips labels hears nobody.
    /// Fixed.
    skip_inbound_label_check: bool = false, false, false; (), FIXED;

    /// Whether [`Event::Suspected`](crate::Event::Suspected),
    /// [`Event::Confirmed`](crate::Event::Confirmed), [`Event::Trusted`](crate::Event::Trusted),
    /// [`Event::Accused`](crate::Event::Accused) and
    /// [`Event::Refuted`](crate::Event::Refuted) are raised, and of a Serf node
    /// [`serf::Event::Evidence`](crate::serf::Event::Evidence),
    /// [`QueryHeard`](crate::serf::Event::QueryHeard) and
    /// [`KeyRefused`](crate::serf::Event::KeyRefused). Also whether traffic is counted by kind, see
    /// [`Stats`](crate::Stats).
    ///
    /// Default false. True raises many events under loss, which crowd others out of `events_max`.
    /// Reloadable.
    evidence_events: bool = false, false, false; (), RELOAD;

    /// Whether [`Event::Rtt`](crate::Event::Rtt) is raised for each probe that is answered
    /// directly.
    ///
    /// Default false. True raises an event each `probe_interval`, and copies the ack's payload.
    /// Reloadable.
    rtt_events: bool = false, false, false; (), RELOAD;
}
