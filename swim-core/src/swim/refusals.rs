//! Counting what is refused, once.

use super::ctx::Ctx;
use crate::error::Rejected;

impl Ctx {
    /// Counts an input that is refused, or a part of a datagram.
    #[cold]
    pub(crate) fn count_refusal(&mut self, why: Rejected) {
        let stats = self.stats.rare();
        *match why {
            Rejected::Malformed(_) | Rejected::Nesting(_) => &mut stats.malformed,
            Rejected::WrongPlane => &mut stats.wrong_plane,
            Rejected::NotForMe => &mut stats.not_for_me,
            Rejected::Busy(_) => &mut stats.exchanges_refused,
            Rejected::UnknownExchange => &mut stats.unexpected_replies,
            Rejected::PayloadTooLong { .. } => &mut stats.payloads_too_long,
            Rejected::QueueFull(_) => &mut stats.direct_dropped,
            Rejected::Leaving
            | Rejected::MetaTooLong(_)
            | Rejected::FixedKnob(_)
            | Rejected::Keyring(_)
            | Rejected::Unreachable => &mut stats.commands_refused,
            // Counted where a state is verified, as it may be that of a reply, too.
            Rejected::Vetoed | Rejected::Incompatible => return,
        } += 1;
    }
}
