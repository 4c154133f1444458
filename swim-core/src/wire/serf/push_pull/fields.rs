//! Encoding a state from wherever its parts are kept.

use bytes::BytesMut;

use crate::wire::msgpack::{Writer, head_len, opt_raw_len, raw_len, uint64_len, write};
use crate::wire::serf::{Event, Kind};

/// What a [`PushPull`](crate::wire::serf::PushPull) is encoded from: iterators over the owner's own
/// tables, which are walked a few times and never collected.
///
/// `None` in place of an iterator is a list that is absent; a real node has all of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct PushPullFields<S, L, E> {
    /// The sender's member clock.
    pub ltime: u64,
    /// Name and status time of each known member, in any order.
    pub status_ltimes: Option<S>,
    /// Names of the members that have left.
    pub left: Option<L>,
    /// The sender's event clock.
    pub event_ltime: u64,
    /// The ring of recent events, all slots of it, empty ones too.
    pub events: Option<E>,
    /// The sender's query clock.
    pub query_ltime: u64,
}

/// A slot of the ring that is in use: the events of one time.
#[derive(Clone, Copy, Debug)]
pub struct Slot<V> {
    /// Their time.
    pub ltime: u64,
    /// The events.
    pub events: Option<V>,
}

impl<'a, S, L, E, V> PushPullFields<S, L, E>
where
    S: Iterator<Item = (&'a [u8], u64)> + Clone,
    L: Iterator<Item = &'a [u8]> + Clone,
    E: Iterator<Item = Option<Slot<V>>> + Clone,
    V: Iterator<Item = Event<'a>> + Clone,
{
    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        self.encode_in(self.encoded_len(), out);
    }

    /// The same, of a state of which [`encoded_len`](Self::encoded_len) is known.
    pub(crate) fn encode_in(&self, len: usize, out: &mut BytesMut) {
        write(out, len, |to| {
            to.put(&[Kind::PushPull.byte(), 0x86]);
            to.put(b"\xaaEventLTime");
            to.uint64(self.event_ltime);
            to.put(b"\xa6Events");
            list(to, &self.events, Writer::list, |to, slot| match slot {
                None => to.put(&[0xc0]),
                Some(slot) => slot.write(to),
            });
            to.put(b"\xa5LTime");
            to.uint64(self.ltime);
            to.put(b"\xabLeftMembers");
            list(to, &self.left, Writer::list, Writer::raw);
            to.put(b"\xaaQueryLTime");
            to.uint64(self.query_ltime);
            to.put(b"\xacStatusLTimes");
            list(to, &self.status_ltimes, Writer::map, |to, (name, ltime)| {
                to.raw(name);
                to.uint64(ltime);
            });
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub fn encoded_len(&self) -> usize {
        let events = list_len(&self.events, |slot| slot.map_or(1, |slot| slot.len()));
        let left = list_len(&self.left, raw_len);
        let times = list_len(&self.status_ltimes, |(name, time)| raw_len(name) + uint64_len(time));
        let clocks = [self.event_ltime, self.ltime, self.query_ltime].map(uint64_len);
        2 + 11 + 7 + events + 6 + 12 + left + 11 + 13 + times + clocks.iter().sum::<usize>()
    }
}

impl<'a, V: Iterator<Item = Event<'a>> + Clone> Slot<V> {
    fn write(&self, to: &mut Writer<'_>) {
        to.put(b"\x82\xa6Events");
        list(to, &self.events, Writer::list, |to, event| {
            to.put(b"\x82\xa4Name");
            to.raw(event.name);
            to.put(b"\xa7Payload");
            to.opt_raw(event.payload);
        });
        to.put(b"\xa5LTime");
        to.uint64(self.ltime);
    }

    fn len(&self) -> usize {
        let events = list_len(&self.events, |event| {
            1 + 5 + raw_len(event.name) + 8 + opt_raw_len(event.payload)
        });
        1 + 7 + events + 6 + uint64_len(self.ltime)
    }
}

/// Head and elements, or nil.
fn list<'b, I: Iterator + Clone>(
    to: &mut Writer<'b>,
    elements: &Option<I>,
    head: impl Fn(&mut Writer<'b>, usize),
    element: impl Fn(&mut Writer<'b>, I::Item),
) {
    match elements {
        None => to.put(&[0xc0]),
        Some(elements) => {
            head(to, elements.clone().count());
            elements.clone().for_each(|item| element(to, item));
        }
    }
}

fn list_len<I: Iterator + Clone>(elements: &Option<I>, len: impl Fn(I::Item) -> usize) -> usize {
    elements.as_ref().map_or(1, |elements| {
        let add = |(count, sum), item| (count + 1, sum + len(item));
        let (count, sum) = elements.clone().fold((0, 0), add);
        head_len(count) + sum
    })
}
