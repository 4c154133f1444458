//! The settings of a node: its knobs, label, keys, policy, and presets.

mod ablation;
mod error;
mod knob;
mod knobs;
mod network;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::net::IpAddr;
use core::time::Duration;

pub use self::ablation::Ablation;
pub use self::error::ConfigError;
pub(crate) use self::knob::Knob;
pub use self::knob::{KnobError, KnobValue};
pub(crate) use self::knobs::Knobs;
pub use self::network::Network;
use crate::keyring::Keyring;
use crate::policy::Policy;

/// The settings of a node. A `Config` that exists is valid.
///
/// Start from [`Config::lan`], [`Config::wan`] or [`Config::local`].
#[derive(Clone)]
pub struct Config {
    pub(crate) knobs: Knobs,
    pub(crate) label: Vec<u8>,
    pub(crate) allowed: Vec<Network>,
    pub(crate) keyring: Keyring,
    pub(crate) policy: Option<Arc<dyn Policy>>,
    pub(crate) ablation: Ablation,
}

impl Config {
    /// For a local network: memberlist's LAN settings.
    pub fn lan() -> ConfigBuilder {
        ConfigBuilder::of(Knobs::lan())
    }

    /// For the internet: slower and more patient.
    pub fn wan() -> ConfigBuilder {
        ConfigBuilder::of(Knobs::wan())
    }

    /// For one machine: faster.
    pub fn local() -> ConfigBuilder {
        ConfigBuilder::of(Knobs::local())
    }

    pub(crate) fn from_knobs(knobs: Knobs) -> ConfigBuilder {
        ConfigBuilder::of(knobs)
    }

    /// A builder that starts from this configuration, for a reload.
    pub fn to_builder(&self) -> ConfigBuilder {
        ConfigBuilder(self.clone())
    }

    /// The label that separates clusters on one network, at most 255 bytes; empty is none.
    pub fn label(&self) -> &[u8] {
        &self.label
    }

    /// Every knob with its value, by name, in the order of this documentation.
    pub fn knobs(&self) -> Vec<(&'static str, KnobValue)> {
        self.knobs.list()
    }

    /// The keys that a node starts with; [`Node::keyring`](crate::Node::keyring) has those in
    /// force.
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// The networks that members' addresses must lie in; empty allows every address.
    pub fn allowed(&self) -> &[Network] {
        &self.allowed
    }

    /// The research switches.
    pub const fn ablation(&self) -> &Ablation {
        &self.ablation
    }

    /// What of `new` cannot be changed while a node runs.
    pub(crate) fn fixed_difference(&self, new: &Self) -> Option<&'static str> {
        if self.label != new.label {
            return Some("label");
        }
        if self.ablation != new.ablation {
            return Some("ablation");
        }
        self.knobs.fixed_difference(&new.knobs)
    }

    pub(crate) fn allows(&self, ip: IpAddr) -> bool {
        self.allowed.is_empty() || self.allowed.iter().any(|n| n.contains(ip))
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("probe_interval", &self.knobs.probe_interval)
            .field("gossip_interval", &self.knobs.gossip_interval)
            .field("push_pull_interval", &self.knobs.push_pull_interval)
            .finish_non_exhaustive()
    }
}

/// Knobs by name, label, networks and research switches; neither keys nor policy.
///
/// There is no `Deserialize`, since what a file leaves out comes from a preset: take that, and hand
/// the knobs to [`ConfigBuilder::knob`].
#[cfg(feature = "serde")]
impl serde::Serialize for Config {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut out = s.serialize_struct("Config", 4)?;
        out.serialize_field("knobs", &KnobMap(self.knobs()))?;
        out.serialize_field("label", &self.label)?;
        out.serialize_field("allowed", &self.allowed)?;
        out.serialize_field("ablation", &self.ablation)?;
        out.end()
    }
}

#[cfg(feature = "serde")]
struct KnobMap(Vec<(&'static str, KnobValue)>);

#[cfg(feature = "serde")]
impl serde::Serialize for KnobMap {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Builds a [`Config`].
#[derive(Clone, Debug)]
pub struct ConfigBuilder(Config);

impl ConfigBuilder {
    fn of(knobs: Knobs) -> Self {
        Self(Config {
            knobs,
            label: Vec::new(),
            allowed: Vec::new(),
            keyring: Keyring::default(),
            policy: None,
            ablation: Ablation::default(),
        })
    }

    /// Checks every knob against its range.
    pub fn build(self) -> Result<Arc<Config>, ConfigError> {
        self.0.knobs.check()?;
        if self.0.label.len() > 255 {
            return Err(ConfigError::LabelTooLong(self.0.label.len()));
        }
        Ok(Arc::new(self.0))
    }

    /// Sets a knob by its name, for tools that read settings from a file.
    ///
    /// # Errors
    ///
    /// [`KnobError`] if there is no such knob, or the value is of another kind or out of range.
    pub fn knob(mut self, name: &str, value: KnobValue) -> Result<Self, KnobError> {
        self.0.knobs.set(name, value)?;
        Ok(self)
    }

    /// A label of 1 to 255 bytes that separates clusters on one network; empty, the default, is
    /// none. It costs its length and two bytes in every datagram. Fixed.
    #[must_use]
    pub fn label(mut self, label: &[u8]) -> Self {
        self.0.label = label.to_vec();
        self
    }

    /// Accepts only members whose address lies in one of these networks; none, the default, allows
    /// all.
    ///
    /// Too few shut members out, whom others then know and this node does not; too many admit
    /// whoever reaches the port. Each is compared with every claim that is new. Reloadable; members
    /// that are there already stay.
    #[must_use]
    pub fn allowed(mut self, networks: &[Network]) -> Self {
        self.0.allowed = networks.to_vec();
        self
    }

    /// The keys to start with; an empty ring, the default, leaves encryption off.
    ///
    /// Every key costs a decryption of each datagram that an earlier one does not open. Fixed:
    /// changes are commands, and a reload must name these keys or those in force.
    #[must_use]
    pub fn keyring(mut self, keyring: Keyring) -> Self {
        self.0.keyring = keyring;
        self
    }

    /// Who may join, who is pinged by stream, who is forgotten when. Default: none, and all is
    /// allowed.
    ///
    /// It is asked about every claim that is new and every push/pull, so it should be quick. A
    /// policy that refuses much splits the cluster, since other nodes decide for themselves.
    /// Reloadable.
    #[must_use]
    pub fn policy(mut self, policy: Arc<dyn Policy>) -> Self {
        self.0.policy = Some(policy);
        self
    }

    /// The research switches; the default is the protocol. Fixed.
    #[must_use]
    pub const fn ablation(mut self, ablation: Ablation) -> Self {
        self.0.ablation = ablation;
        self
    }

    /// Changes some of the research switches as they stand, say after a preset. Fixed.
    #[must_use]
    pub fn ablate(mut self, change: impl FnOnce(&mut Ablation)) -> Self {
        change(&mut self.0.ablation);
        self
    }

    /// The protocol of the SWIM paper (2002): one helper, three times `ceil(ln(n + 1))` sends of a
    /// rumour and periods of a suspicion; no gossip rounds, push/pull, health score, dynamic
    /// suspicions, nacks, stream pings or healing.
    #[must_use]
    pub fn swim2002(self) -> Self {
        self.ablation(Ablation {
            piggyback_only: true,
            awareness: false,
            dynamic_suspicion: false,
            buddy: false,
            nacks: false,
            lateness: false,
            last_call: false,
            answer_accusers: false,
            natural_log: true,
            ..Ablation::default()
        })
        .indirect_checks(1)
        .retransmit_mult(3)
        .suspicion_mult(3)
        .stream_pings(false)
        .push_pull_interval(Duration::ZERO)
        .reconnect_interval(Duration::ZERO)
        .fast_join_rounds(0)
    }

    /// memberlist as it was in 2018: Lifeguard without fast join, healing, lateness rule, last
    /// calls and direct answers to accusers.
    #[must_use]
    pub fn memberlist2018(self) -> Self {
        let forget = self.0.knobs.gossip_to_the_dead_time;
        let off = Ablation {
            lateness: false,
            last_call: false,
            answer_accusers: false,
            ..Ablation::default()
        };
        self.ablation(off)
            .reconnect_interval(Duration::ZERO)
            .reconnect_timeout(forget)
            .tombstone_timeout(forget)
            .fast_join_rounds(0)
    }

    /// Lifeguard as its paper (2018) has it: alpha 5, beta 6.
    #[must_use]
    pub fn lifeguard(self) -> Self {
        self.memberlist2018().suspicion_mult(5).suspicion_max_mult(6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_valid() {
        for preset in [Config::lan(), Config::wan(), Config::local()] {
            preset.clone().build().unwrap();
            preset.clone().swim2002().build().unwrap();
            preset.clone().memberlist2018().build().unwrap();
            preset.lifeguard().build().unwrap();
        }
    }

    #[test]
    fn a_bad_knob_names_itself_its_value_and_its_range() {
        let e = Config::lan().awareness_max(0).build().unwrap_err();
        assert_eq!(alloc::format!("{e}"), "awareness_max is 0, not in 1..=64");
        let e = Config::lan().probe_interval(Duration::ZERO).build().unwrap_err();
        assert_eq!(alloc::format!("{e}"), "probe_interval is 0ns, not in 1ms..=3600s");
    }

    #[test]
    fn every_knob_can_be_set_by_its_name() {
        let wan = Config::wan().stream_pings(false).build().unwrap();
        let set = |b: ConfigBuilder, (name, value)| b.knob(name, value).unwrap();
        let copy = wan.knobs().into_iter().fold(Config::lan(), set).build().unwrap();
        assert_eq!(copy.knobs(), wan.knobs());
        assert_ne!(copy.knobs(), Config::lan().build().unwrap().knobs());
    }

    #[test]
    fn a_knob_that_cannot_be_set_says_why() {
        let e = |name, value| alloc::format!("{}", Config::lan().knob(name, value).unwrap_err());
        assert_eq!(e("budy", KnobValue::Flag(true)), "there is no knob of this name");
        assert_eq!(e("probe_interval", KnobValue::Number(1)), "the knob takes a time");
        let range = "awareness_max is 0, not in 1..=64";
        assert_eq!(e("awareness_max", KnobValue::Number(0)), range);
    }

    #[test]
    fn knobs_survive_the_journal() {
        let config = Config::wan().gossip_nodes(7).stream_pings(false).build().unwrap();
        let mut bytes = Vec::new();
        config.knobs.put(&mut bytes);
        let mut rest = &bytes[..];
        let back = Knobs::get(&mut rest).unwrap();
        assert!(rest.is_empty());
        assert_eq!((back.gossip_nodes, back.stream_pings), (7, false));
        assert_eq!(back.fixed_difference(&config.knobs), None);
        assert!(Knobs::get(&mut &bytes[1..]).is_none());
    }
}
