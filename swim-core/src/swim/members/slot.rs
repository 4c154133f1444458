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
}

impl<'a> Slot<'a> {
    /// A member of this record.
    pub(crate) const fn new(record: &'a Record, incarnation: u32, state: State) -> Self {
        Self { record: Some(record), incarnation, state }
    }

    pub(super) const HOLE: Self = Self { record: None, incarnation: 0, state: State::Left };

    pub(crate) fn incarnation(&self) -> u32 {
        self.incarnation
    }

    pub(crate) fn state(&self) -> State {
        self.state
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
        let Self { record, incarnation, state } = *self;
        Stored { record: record.cloned(), incarnation, state }
    }
}

/// The same, as most tables keep it.
#[derive(Clone)]
pub(super) struct Stored {
    pub(super) record: Option<Record>,
    pub(super) incarnation: u32,
    pub(super) state: State,
}

impl Stored {
    pub(super) const HOLE: Self = Self { record: None, incarnation: 0, state: State::Left };

    #[inline]
    pub(super) fn view(&self) -> Slot<'_> {
        let Self { record, incarnation, state } = self;
        Slot { record: record.as_ref(), incarnation: *incarnation, state: *state }
    }
}
