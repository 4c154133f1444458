//! One place of the table: what is stored, and what is shown.

use crate::ids::Incarnation;
use crate::member::{Member, Parts, Record, State};
use crate::wire::NodeState;

/// The replicated fact about one member, as a table shows it; a hole has no record.
#[derive(Clone, Copy)]
pub(crate) struct Slot<'a> {
    pub(super) record: Option<&'a Record>,
    pub(super) incarnation: u32,
    pub(super) state: State,
    pub(super) settled: bool,
}

impl<'a> Slot<'a> {
    /// A member of this record.
    pub(crate) const fn new(record: &'a Record, incarnation: u32, state: State) -> Self {
        Self { record: Some(record), incarnation, state, settled: false }
    }

    pub(super) const HOLE: Self =
        Self { record: None, incarnation: 0, state: State::Left, settled: false };

    pub(crate) fn incarnation(&self) -> u32 {
        self.incarnation
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// Whether it is known of a suspect that nobody who confirms it is heard any more.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled
    }

    /// The record of a slot that is no hole.
    pub(crate) fn record(&self) -> &'a Record {
        self.record.expect("slot ids in use name slots in use")
    }

    /// What a push/pull says of it.
    #[inline]
    pub(crate) fn entry(&self) -> NodeState<'a> {
        let Parts { versions, port, ip, name, meta } = self.record().parts();
        NodeState {
            name,
            addr: Some(ip),
            port,
            meta: Some(meta).filter(|meta| !meta.is_empty()),
            incarnation: self.incarnation,
            state: self.state as u8 as _,
            vsn: Some(versions),
        }
    }

    pub(super) fn is_live(&self) -> bool {
        self.record.is_some() && self.state.is_live()
    }

    pub(super) fn member(&self) -> Option<Member> {
        let record = self.record?.clone();
        Some(Member { record, incarnation: Incarnation(self.incarnation), state: self.state })
    }

    pub(super) fn stored(&self) -> Stored {
        let Self { record, incarnation, state, settled } = *self;
        Stored { record: record.cloned(), incarnation, state, settled }
    }
}

/// The same, as most tables keep it.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) record: Option<Record>,
    pub(super) incarnation: u32,
    pub(super) state: State,
    /// A suspect that has all confirmations that count. Most of what is said of a suspect is said
    /// after that, and need not look for the suspicion. False if that takes a closer look.
    pub(super) settled: bool,
}

impl Stored {
    pub(super) const HOLE: Self = Self::new(None, 0, State::Left);

    pub(super) const fn new(record: Option<Record>, incarnation: u32, state: State) -> Self {
        Self { record, incarnation, state, settled: false }
    }

    #[inline]
    pub(super) fn view(&self) -> Slot<'_> {
        let Self { record, incarnation, state, settled } = self;
        let (incarnation, state, settled) = (*incarnation, *state, *settled);
        Slot { record: record.as_ref(), incarnation, state, settled }
    }
}
