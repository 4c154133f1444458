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
    /// Tell whoever passes on an accusation of this node at once that it lives; off, it learns so
    /// by gossip. Default true.
    pub answer_accusers: bool,
    /// Send each rumour `retransmit_mult * ceil(ln(n + 1))` times, and suspect for
    /// `suspicion_mult * ceil(ln(n + 1))` probe intervals (SWIM section 5), where memberlist takes
    /// logarithms to base 10. Default false.
    pub natural_log: bool,
    /// All members gossip at the same instants, the multiples of the interval, as in models with
    /// rounds; otherwise each has a phase of its own. Default false.
    pub gossip_in_step: bool,
}

impl Ablation {
    /// Bytes of the switches in a journal, one for each of the first ten. What came later stands
    /// in further bits of the first, zero by default, so that older journals stay readable.
    pub(crate) const BYTES: usize = 10;

    pub(crate) fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [
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
        .map(u8::from);
        bytes[0] |= u8::from(!self.answer_accusers) << 1
            | u8::from(self.natural_log) << 2
            | u8::from(self.gossip_in_step) << 3;
        bytes
    }

    pub(crate) fn from_bytes(bytes: [u8; Self::BYTES]) -> Option<Self> {
        let [first, rest @ ..] = bytes;
        if first >= 1 << 4 || rest.iter().any(|&byte| byte > 1) {
            return None;
        }
        let [
            piggyback_only,
            awareness,
            dynamic_suspicion,
            buddy,
            nacks,
            suspicion,
            refute,
            lateness,
            last_call,
        ] = rest.map(|byte| byte == 1);
        Some(Self {
            random_probe_targets: first & 1 != 0,
            piggyback_only,
            awareness,
            dynamic_suspicion,
            buddy,
            nacks,
            suspicion,
            refute,
            lateness,
            last_call,
            answer_accusers: first & 2 == 0,
            natural_log: first & 4 != 0,
            gossip_in_step: first & 8 != 0,
        })
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
            answer_accusers: true,
            natural_log: false,
            gossip_in_step: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_survive_the_journal() {
        let all_off = Ablation::from_bytes([0; Ablation::BYTES]).unwrap();
        for ablation in [
            Ablation::default(),
            all_off,
            Ablation { answer_accusers: false, ..all_off },
            Ablation { natural_log: true, random_probe_targets: true, ..all_off },
            Ablation { gossip_in_step: true, ..all_off },
        ] {
            assert_eq!(Ablation::from_bytes(ablation.to_bytes()), Some(ablation));
        }
        assert_eq!(Ablation::default().to_bytes(), [0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
        assert_eq!(Ablation::from_bytes([16, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(Ablation::from_bytes([0, 2, 0, 0, 0, 0, 0, 0, 0, 0]), None);
    }
}
