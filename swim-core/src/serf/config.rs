//! Every knob of the Serf layer: meaning, default, range, and what too small and too large cost.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use crate::config::{Config, ConfigError, Knob};
use crate::member::{Identity, IdentityError};
use crate::serf::{Coalescer, Tags, Window};

/// Writes the struct, its defaults, getters, setters and range check from one table.
macro_rules! knobs {
    ($(
        $(#[$doc:meta])*
        $name:ident : $ty:ty = $default:expr; $range:expr, $reload:expr;
    )*) => {
        #[derive(Clone, Debug)]
        pub(super) struct Knobs { $( pub(super) $name: $ty, )* }

        impl Default for Knobs {
            fn default() -> Self { Self { $( $name: $default, )* } }
        }

        impl Knobs {
            fn check(&self) -> Result<(), ConfigError> {
                $( self.$name.check(stringify!($name), $range)?; )*
                Ok(())
            }

            fn put(&self, out: &mut Vec<u8>) { $( self.$name.put(out); )* }

            fn get(from: &mut &[u8]) -> Option<Self> {
                Some(Self { $( $name: <$ty as Knob>::get(from)?, )* })
            }

            /// The first knob that differs and that a running node cannot change.
            fn fixed_difference(&self, other: &Self) -> Option<&'static str> {
                $(
                    if !$reload && self.$name != other.$name {
                        return Some(stringify!($name));
                    }
                )*
                None
            }
        }

        impl SerfConfig { $( $(#[$doc])* pub fn $name(&self) -> $ty { self.knobs.$name } )* }
        impl SerfConfigBuilder {
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

const RELOAD: bool = true;
const FIXED: bool = false;
const S: fn(u64) -> Duration = Duration::from_secs;
const OFF: Duration = Duration::ZERO;
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

knobs! {
    /// The version of Serf's protocol that this node speaks (serf spec 1.6).
    ///
    /// Default 4, as the library of Serf, Consul and Nomad; 2 to 5. Smaller loses: below 3 tags
    /// are cut down to the role, below 4 there are no queries; larger is understood by newer nodes
    /// only. Fixed.
    protocol: u32 = 4; (2, 5), FIXED;

    /// Bytes of a user event that this node sends, its header included.
    ///
    /// Default 512; 64 to 9,216. Smaller refuses longer events; larger than a datagram, they spread
    /// only by push/pull. Reloadable.
    user_event_bytes_max: u32 = 512; (64, 9216), RELOAD;

    /// Bytes of a query that this node sends, its header included.
    ///
    /// Default 1,024; 128 to 9,216. Smaller refuses longer queries; larger than a datagram, they
    /// reach nobody. Reloadable.
    query_bytes_max: u32 = 1024; (128, 9216), RELOAD;

    /// Bytes of a response that this node sends, its header, and that of a relay, included.
    ///
    /// Default 1,024; 128 to 9,216. Smaller refuses longer answers; larger than a datagram's path,
    /// they are lost with any fragment. Reloadable.
    response_bytes_max: u32 = 1024; (128, 9216), RELOAD;

    /// Lamport times of which user events are remembered, and told to others by push/pull.
    ///
    /// Default 512; 1 to 65,536. Smaller drops more events as too late; larger costs memory and
    /// longer push/pulls. Fixed.
    event_times_max: u32 = 512; (1, 1 << 16), FIXED;

    /// Bytes of user events that are remembered at most; at the bound the oldest are forgotten.
    ///
    /// Default 4 MiB; 4 KiB to 16 MiB, since a push/pull carries them all and has 20 MiB. Smaller
    /// forgets events that somebody still lacks; larger costs memory and longer push/pulls.
    /// Reloadable.
    event_bytes_max: u32 = 4 << 20; (4 << 10, 16 << 20), RELOAD;

    /// Lamport times of which queries are remembered.
    ///
    /// Default 512; 1 to 65,536. Smaller drops more queries as too late; larger costs memory.
    /// Fixed.
    query_times_max: u32 = 512; (1, 1 << 16), FIXED;

    /// A query waits `gossip_interval * query_timeout_mult * ceil(log10(n + 1))` for answers unless
    /// it says otherwise (serf spec 4.1).
    ///
    /// Default 16; 1 to 1,024. Smaller misses slow answers; larger makes whoever waits for all wait
    /// longer. Reloadable.
    query_timeout_mult: u32 = 16; (1, 1024), RELOAD;

    /// Queries of this node's own that are under way at most; more are refused.
    ///
    /// Default 1,024; 1 to 65,536. Smaller refuses queries of a burst; larger costs memory, for who
    /// has answered each. Reloadable.
    queries_max: u32 = 1024; (1, 1 << 16), RELOAD;

    /// Queries of others that this node can still answer at most; the oldest is forgotten for a new
    /// one.
    ///
    /// Default 4,096; 1 to 1,048,576. Smaller answers fewer of those that are slow to be answered;
    /// larger lets others fill more memory. Reloadable.
    open_queries_max: u32 = 4096; (1, 1 << 20), RELOAD;

    /// How long an intent of a member that is not known yet is remembered.
    ///
    /// Default 5 min; 1 s to 24 h. Smaller misses intents that outrun their member; larger costs
    /// memory. Reloadable.
    recent_intent_timeout: Duration = S(300); (S(1), DAY), RELOAD;

    /// Intents of members not known yet that are remembered at most; more are dropped and counted.
    ///
    /// Default 65,536; 16 to 16,777,216. Smaller misses intents in a storm of joins and leaves;
    /// larger lets others fill more memory. Reloadable.
    recent_intents_max: u32 = 1 << 16; (16, 1 << 24), RELOAD;

    /// How long a leave, a forced leave or a change of tags waits for its broadcast.
    ///
    /// Default 5 s; 10 ms to 1 h. Smaller gives up before others know; larger makes whoever waits
    /// wait longer when nobody answers. Reloadable.
    broadcast_timeout: Duration = S(5); (Duration::from_millis(10), HOUR), RELOAD;

    /// How long a node that has left goes on, so that others pass its leave on.
    ///
    /// Default 1 s (Consul 3 s); 0 to 1 h. Smaller stops before others have passed it on, and the
    /// leave looks like a failure; larger makes whoever waits for the end wait. Reloadable.
    leave_propagate_delay: Duration = S(1); (OFF, HOUR), RELOAD;

    /// A member that comes back within this time after it failed is counted as flapping.
    ///
    /// Default 60 s; 0 to 24 h. Only the counter depends on it: smaller counts fewer of those that
    /// come and go, larger also those that were restarted. Reloadable.
    flap_timeout: Duration = S(60); (OFF, DAY), RELOAD;

    /// Broadcasts of one kind (intents, queries, events) that wait at most; the one that was sent
    /// most often is dropped for a new one.
    ///
    /// Default 4,096; 1 to 1,048,576. Ignored if `min_queue_depth` is set. Smaller drops what not
    /// all have heard of; larger costs memory, and lets news wait behind more others. Reloadable.
    max_queue_depth: u32 = 4096; (1, 1 << 20), RELOAD;

    /// If not 0: as many broadcasts of one kind wait as twice the number of members, but at least
    /// so many.
    ///
    /// Default 0 (Consul 4,096); 0 to 1,048,576. Smaller and larger cost what they do of
    /// `max_queue_depth`. Reloadable.
    min_queue_depth: u32 = 0; (0, 1 << 20), RELOAD;

    /// Whether this node asks the others, when another node claims its name, and gives in if most
    /// know that other one.
    ///
    /// Default true (Consul and Nomad false). False lets two nodes of one name fight. Reloadable.
    name_conflict_resolution: bool = true; (), RELOAD;

    /// Whether this node tells its network coordinate, and learns from those of others.
    ///
    /// Default true. True takes about a kibibyte, and some 300 bytes for each member. Fixed.
    coordinates: bool = true; (), FIXED;

    /// How long events of members are gathered at most before they are told together; 0 tells each
    /// at once.
    ///
    /// Default 0 (Serf's agent 3 s); 0 to 1 h. Smaller tells more often, larger tells later. Fixed.
    coalesce_period: Duration = OFF; (OFF, HOUR), FIXED;

    /// Gathered events of members are told sooner if none came for this long.
    ///
    /// Default 1 s; 1 ms to 1 h. Only with `coalesce_period`. Smaller gathers less, larger tells
    /// later. Fixed.
    quiescent_period: Duration = S(1); (Duration::from_millis(1), HOUR), FIXED;

    /// The same as `coalesce_period` for user events that may be coalesced.
    ///
    /// Default 0 (Serf's agent 3 s); 0 to 1 h. Smaller tells more often, larger tells later. Fixed.
    user_coalesce_period: Duration = OFF; (OFF, HOUR), FIXED;

    /// The same as `quiescent_period` for user events that may be coalesced.
    ///
    /// Default 1 s; 1 ms to 1 h. Only with `user_coalesce_period`. Smaller gathers less, larger
    /// tells later. Fixed.
    user_quiescent_period: Duration = S(1); (Duration::from_millis(1), HOUR), FIXED;

    /// How long after broadcasts of one kind have come to be many it is looked whether they still
    /// are, and how often from then on while they are; see
    /// [`Event::QueueDeep`](crate::serf::Event::QueueDeep).
    ///
    /// Default 30 s; 100 ms to 1 h. Smaller tells of bursts that are soon over, larger tells later.
    /// Reloadable.
    queue_check_interval: Duration = S(30); (Duration::from_millis(100), HOUR), RELOAD;

    /// As many broadcasts of one kind (intents, queries, events) that wait are many.
    ///
    /// Default 128 (Consul 1,000,000); 1 to 1,048,576. Smaller tells of what is soon over in a
    /// cluster of that many members, larger of trouble only. Reloadable.
    queue_depth_warning: u32 = 128; (1, 1 << 20), RELOAD;
}

/// The settings of a Serf node, those of its bare node included. One that exists is valid.
///
/// How long failed and left members are remembered, how failed ones are tried again, and the merge
/// veto are settings of the bare node: [`Config::reconnect_timeout`],
/// [`Config::tombstone_timeout`], [`Config::reconnect_interval`], [`Policy`](crate::Policy).
#[derive(Clone, Debug)]
pub struct SerfConfig {
    pub(super) knobs: Knobs,
    pub(super) swim: Arc<Config>,
}

impl SerfConfig {
    /// Serf's defaults on top of a bare node's settings.
    pub fn builder(swim: Arc<Config>) -> SerfConfigBuilder {
        SerfConfigBuilder(Self { knobs: Knobs::default(), swim })
    }

    /// A builder that starts from this configuration, for a reload.
    pub fn to_builder(&self) -> SerfConfigBuilder {
        SerfConfigBuilder(self.clone())
    }

    /// The settings of the bare node.
    pub const fn swim(&self) -> &Arc<Config> {
        &self.swim
    }

    /// Writes the knobs for a journal.
    pub(crate) fn put_knobs(&self, out: &mut Vec<u8>) {
        self.knobs.put(out);
    }

    /// What of `new` cannot be changed while a node runs.
    pub(super) fn fixed_difference(&self, new: &Self) -> Option<&'static str> {
        let knob = self.knobs.fixed_difference(&new.knobs);
        knob.or_else(|| self.swim.fixed_difference(&new.swim))
    }

    /// What gathers events, if anything does.
    pub(super) fn coalescer(&self) -> Option<Coalescer> {
        let window = |quantum: Duration, quiescent: Duration| {
            (!quantum.is_zero()).then_some(Window { quantum, quiescent })
        };
        let knobs = &self.knobs;
        let members = window(knobs.coalesce_period, knobs.quiescent_period);
        let users = window(knobs.user_coalesce_period, knobs.user_quiescent_period);
        (members.is_some() || users.is_some()).then(|| Coalescer::new(members, users))
    }

    /// This identity as a Serf node announces it: with its tags, and with its version.
    ///
    /// # Errors
    ///
    /// None that tags that exist could cause; the type is that of [`Identity`].
    pub fn identity(&self, me: Identity, tags: &Tags) -> Result<Identity, IdentityError> {
        let protocol = self.protocol_byte();
        me.meta(&tags.encode(protocol))?.app_versions(PROTOCOL_MIN, PROTOCOL_MAX, protocol)
    }

    pub(super) fn protocol_byte(&self) -> u8 {
        u8::try_from(self.knobs.protocol).unwrap_or(PROTOCOL_MAX)
    }
}

const PROTOCOL_MIN: u8 = 2;
const PROTOCOL_MAX: u8 = 5;

/// Builds a [`SerfConfig`].
#[derive(Clone, Debug)]
pub struct SerfConfigBuilder(SerfConfig);

impl SerfConfigBuilder {
    /// Checks every knob against its range.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the knob, its value and the bound.
    pub fn build(self) -> Result<Arc<SerfConfig>, ConfigError> {
        self.0.knobs.check()?;
        Ok(Arc::new(self.0))
    }

    /// Takes the knobs from the front of a journal; `None` if it is cut short.
    pub(crate) fn get_knobs(mut self, from: &mut &[u8]) -> Option<Self> {
        self.0.knobs = Knobs::get(from)?;
        Some(self)
    }

    /// Replaces the settings of the bare node.
    #[must_use]
    pub fn swim(mut self, swim: Arc<Config>) -> Self {
        self.0.swim = swim;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_valid_and_bad_knobs_are_named() {
        let builder = SerfConfig::builder(Config::lan().build().unwrap());
        assert!(builder.clone().build().is_ok());
        let refused = builder.clone().user_event_bytes_max(9217).build().unwrap_err();
        assert_eq!(refused.to_string(), "user_event_bytes_max is 9217, not in 64..=9216");
        let (a, b) = (builder.clone().build().unwrap(), builder.protocol(5).build().unwrap());
        assert_eq!(a.fixed_difference(&b), Some("protocol"));
    }
}
