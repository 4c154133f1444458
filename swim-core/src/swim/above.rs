//! What a layer above a node keeps inside of it: its mail, and its notes about members.
//!
//! The layer owns the node (architecture 3.10). During an input the node puts what concerns the
//! layer into the [`Mail`] instead of among the events; once the input is done the layer takes the
//! mail, reads it where it lies, and gives the space back. So nothing is allocated for a message
//! that turns out to be old, and nothing is lost to a bound on events.

use alloc::vec::Vec;
use core::ops::Range;
use core::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::members::SlotId;
use crate::event::Event;

/// The part of a node that a layer above uses; a bare node has none.
pub(crate) struct Above {
    pub(crate) mail: Mail,
    /// Whether round trips of probes are mail.
    pub(crate) wants_rtt: bool,
    marks: HashMap<SlotId, Mark, FixedState>,
}

/// What the layer above notes about a member. It goes when the member goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// A number that only the layer above understands.
    pub(crate) number: u64,
    /// It was said that the member leaves: once it is gone it has left, and has not failed. The
    /// node remembers those for another time, and does not try to reach them.
    pub(crate) leaves: bool,
}

impl Above {
    pub(crate) fn new(wants_rtt: bool) -> Self {
        let marks = HashMap::with_hasher(FixedState::with_seed(0));
        Self { mail: Mail::default(), wants_rtt, marks }
    }

    pub(crate) fn mark(&self, slot: SlotId) -> Mark {
        self.marks.get(&slot).copied().unwrap_or_default()
    }

    /// Notes something about a member; nothing takes no memory.
    pub(crate) fn set_mark(&mut self, slot: SlotId, mark: Mark) {
        if mark == Mark::default() {
            self.forget(slot);
        } else {
            self.marks.insert(slot, mark);
        }
    }

    pub(crate) fn forget(&mut self, slot: SlotId) {
        self.marks.remove(&slot);
    }
}

/// What waits for the layer above, in order. It is as large as one input makes it.
#[derive(Default)]
pub(crate) struct Mail {
    pub(crate) letters: Vec<Letter>,
    bytes: Vec<u8>,
}

/// One thing that concerns the layer above; bytes stand in the mail.
#[derive(Debug)]
pub(crate) enum Letter {
    Event(Event),
    /// A user message.
    Message {
        bytes: Range<usize>,
    },
    /// Another node's state, from a push/pull.
    State {
        join: bool,
        bytes: Range<usize>,
    },
    /// This node's own probe of a member was answered directly.
    Rtt {
        member: SlotId,
        rtt: Duration,
        bytes: Range<usize>,
    },
}

impl Mail {
    /// More space than this is given back after use.
    const KEPT_BYTES_MAX: usize = 4096;
    const KEPT_LETTERS_MAX: usize = 64;

    pub(crate) fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    pub(crate) fn bytes(&self, range: &Range<usize>) -> &[u8] {
        &self.bytes[range.clone()]
    }

    /// Keeps bytes for a letter.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    /// Empties it, and keeps a little space for the next input.
    pub(crate) fn clear(&mut self) {
        self.letters.clear();
        self.bytes.clear();
        self.letters.shrink_to(Self::KEPT_LETTERS_MAX);
        self.bytes.shrink_to(Self::KEPT_BYTES_MAX);
    }

    /// Gives the space back.
    pub(crate) fn trim(&mut self) {
        if self.is_empty() {
            *self = Self::default();
        }
    }
}
