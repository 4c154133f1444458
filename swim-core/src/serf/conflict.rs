//! Whose a name is that two nodes claim: the others know (serf spec 3.9).

use super::core::Core;
use crate::ids::Addr;
use crate::member::Record;
use crate::serf::Event;
use crate::wire::serf::Conflict;

/// A vote about this node's own name.
#[derive(Debug, Default)]
pub(super) struct Vote {
    votes: u32,
    matching: u32,
}

impl Vote {
    /// Counts an answer; what does not decode is none.
    pub(super) fn count(&mut self, me: &Record, answer: &[u8]) {
        let Ok(Conflict { member }) = Conflict::decode(answer) else { return };
        self.votes += 1;
        let addr = member.and_then(|member| Addr::from_wire(member.addr?, member.port).ok());
        if addr.is_some_and(|addr| addr.same_place(&me.addr())) {
            self.matching += 1;
        }
    }

    /// A node that most do not know gives in.
    pub(super) fn judge(&self, cx: &mut Core) {
        let Self { votes, matching } = *self;
        if matching < votes / 2 + 1 {
            cx.raise(Event::Outvoted { votes, matching });
        }
    }
}
