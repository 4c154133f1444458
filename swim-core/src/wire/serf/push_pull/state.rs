//! The user state of a push/pull (sections 1.4, 2.5).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::{self, Body};
use crate::wire::msgpack::Reader;
use crate::wire::serf::kind::decoder;
use crate::wire::serf::list::Element;
use crate::wire::serf::{Items, List, PushPullFields, Slot};

/// The whole state of a node: status times of members and recent events (serf spec 2.5).
///
/// Everything in it was checked when it was decoded, down to the last event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PushPull<'a> {
    /// The sender's member clock.
    pub ltime: u64,
    /// When the status of each known member last changed; 0 if that is unknown.
    pub status_ltimes: Option<List<'a, (&'a [u8], u64)>>,
    /// Names of the members that have left.
    pub left: Option<List<'a, &'a [u8]>>,
    /// The sender's event clock.
    pub event_ltime: u64,
    /// The ring of recent events, a slot for each element; most are empty. Its length and order are
    /// the sender's.
    pub events: Option<List<'a, Option<EventSet<'a>>>>,
    /// The sender's query clock.
    pub query_ltime: u64,
}

/// The events of one time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventSet<'a> {
    /// Their time.
    pub ltime: u64,
    /// The events.
    pub events: Option<List<'a, Event<'a>>>,
}

/// An event without its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event<'a> {
    /// As in [`UserEvent`](crate::wire::serf::UserEvent).
    pub name: &'a [u8],
    /// As in [`UserEvent`](crate::wire::serf::UserEvent).
    pub payload: Option<&'a [u8]>,
}

decoder!(PushPull, PushPull);

impl<'a> PushPull<'a> {
    /// Appends type byte and body. Whoever has no lists at hand encodes [`PushPullFields`].
    pub fn encode(&self, out: &mut BytesMut) {
        self.fields().encode(out);
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub fn encoded_len(&self) -> usize {
        self.fields().encoded_len()
    }

    #[expect(clippy::type_complexity, reason = "it is written only here")]
    fn fields(
        &self,
    ) -> PushPullFields<
        Items<'a, (&'a [u8], u64)>,
        Items<'a, &'a [u8]>,
        impl Iterator<Item = Option<Slot<Items<'a, Event<'a>>>>> + Clone + use<'a>,
    > {
        let slot =
            |set: EventSet<'a>| Slot { ltime: set.ltime, events: set.events.map(List::iter) };
        PushPullFields {
            ltime: self.ltime,
            status_ltimes: self.status_ltimes.map(List::iter),
            left: self.left.map(List::iter),
            event_ltime: self.event_ltime,
            events: self.events.map(|events| events.iter().map(move |set| set.map(slot))),
            query_ltime: self.query_ltime,
        }
    }
}

impl<'a> Body<'a> for PushPull<'a> {
    const FIELDS: &'static [&'static [u8]] =
        &[b"LTime", b"StatusLTimes", b"LeftMembers", b"EventLTime", b"Events", b"QueryLTime"];

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.ltime = from.u64()?,
            1 => self.status_ltimes = List::read_map(from)?,
            2 => self.left = List::read(from)?,
            3 => self.event_ltime = from.u64()?,
            4 => self.events = List::read(from)?,
            5 => self.query_ltime = from.u64()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

impl<'a> Body<'a> for EventSet<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"LTime", b"Events"];

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.ltime = from.u64()?,
            1 => self.events = List::read(from)?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

impl<'a> Body<'a> for Event<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"Name", b"Payload"];

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.name = from.text()?,
            1 => self.payload = from.bytes()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

/// A slot of the ring.
impl<'a> Element<'a> for Option<EventSet<'a>> {
    fn read(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        if from.accept_nil() { Ok(None) } else { body::read(from).map(Some) }
    }
}

impl<'a> Element<'a> for Event<'a> {
    fn read(from: &mut Reader<'a>) -> Result<Self, DecodeError> {
        body::read(from)
    }
}
