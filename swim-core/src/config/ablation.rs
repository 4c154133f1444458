//! Switches that only experiments touch.

/// Switches for experiments, each with the protocol's own setting as default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a table of experiments")]
#[expect(clippy::exhaustive_structs, reason = "experiments spell every switch out")]
pub struct Ablation {
    /// Probe a random member each time instead of going round (SWIM section 4.3). Default false.
    pub random_probe_targets: bool,
    /// Send rumours only on probe packets, in no rounds of their own. Default false.
    pub piggyback_only: bool,
    /// Lifeguard's health score. Default true.
    pub awareness: bool,
    /// Lifeguard's suspicions that shorten as they are confirmed; off, all last the smallest time.
    /// Default true.
    pub dynamic_suspicion: bool,
    /// Tell a suspect of the suspicion first (Lifeguard's buddy system). Default true.
    pub buddy: bool,
    /// Ask helpers for nacks. Default true.
    pub nacks: bool,
    /// Suspect members at all; off, a failed probe is a death. Default true.
    pub suspicion: bool,
    /// Answer accusations; off, a wronged member stays accused (a negative control). Default true.
    pub refute: bool,
    /// A node that slept does not accuse others (architecture 3.5). Default true.
    pub lateness: bool,
    /// Ask a suspect by itself before it is declared dead, and those whom a push/pull accuses or
    /// another declares dead at once. Default true.
    pub last_call: bool,
}

impl Ablation {
    pub(crate) const FLAGS: usize = 10;

    pub(crate) const fn to_flags(self) -> [bool; Self::FLAGS] {
        [
            self.random_probe_targets,
            self.piggyback_only,
            self.awareness,
            self.dynamic_suspicion,
            self.buddy,
            self.nacks,
            self.suspicion,
            self.refute,
            self.lateness,
            self.last_call,
        ]
    }

    pub(crate) const fn from_flags(flags: [bool; Self::FLAGS]) -> Self {
        let [
            random_probe_targets,
            piggyback_only,
            awareness,
            dynamic_suspicion,
            buddy,
            nacks,
            suspicion,
            refute,
            lateness,
            last_call,
        ] = flags;
        Self {
            random_probe_targets,
            piggyback_only,
            awareness,
            dynamic_suspicion,
            buddy,
            nacks,
            suspicion,
            refute,
            lateness,
            last_call,
        }
    }
}

impl Default for Ablation {
    fn default() -> Self {
        Self {
            random_probe_targets: false,
            piggyback_only: false,
            awareness: true,
            dynamic_suspicion: true,
            buddy: true,
            nacks: true,
            suspicion: true,
            refute: true,
            lateness: true,
            last_call: true,
        }
    }
}
