//! One entry of a state by reference: bytes to and from what is said of one member.

use core::iter::Peekable;

use bytes::{BufMut as _, BytesMut};

use crate::member::State;
use crate::swim::members::{Base, Slot};
use crate::wire::NodeState;

/// What an entry begins with: a tag above, a place on the roster below.
const TAG_SHIFT: u32 = 30;
const PLACE: u32 = (1 << TAG_SHIFT) - 1;
/// As everybody's table has it at first.
const AT_REST: u32 = 0;
/// Incarnation and state follow.
const CHANGED: u32 = 1;
/// Nobody: only where the places that are not named count.
const ABSENT: u32 = 2;
/// The entry of a push/pull follows, behind its length.
const LITERAL: u32 = 3;

/// What is said of one member.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry<'a> {
    /// Whom the roster has at this place.
    Placed { place: u32, incarnation: u32, state: State },
    /// Nobody is known of this place.
    Absent { place: u32 },
    /// Somebody of whom the roster says something else; the place is one past all if the roster
    /// has not even the name.
    Literal { place: u32, node: NodeState<'a> },
}

impl<'a> Entry<'a> {
    /// What a table says, whose slot has the name at `place`.
    #[inline]
    pub(super) fn of(shelf: &Base, place: Option<u32>, known: Slot<'a>) -> Self {
        let (record, incarnation, state) = (known.record(), known.incarnation(), known.state());
        match place {
            Some(place) if shelf.record(place) == Some(record) => {
                Self::Placed { place, incarnation, state }
            }
            place => Self::Literal { place: place.unwrap_or(PLACE), node: known.entry() },
        }
    }

    /// Its length in a push/pull.
    #[inline]
    pub(super) fn wire_len(&self, shelf: &Base) -> usize {
        match self {
            Self::Placed { place, incarnation: 1, state: State::Alive } => {
                shelf.len_at_rest(*place)
            }
            other => other.node(shelf).map_or(0, |node| node.encoded_len()),
        }
    }

    /// The same, as a push/pull has it.
    #[inline]
    pub(crate) fn node(&self, shelf: &'a Base) -> Option<NodeState<'a>> {
        match *self {
            Self::Placed { place, incarnation, state } => {
                Some(Slot::new(shelf.record(place)?, incarnation, state).entry())
            }
            Self::Absent { .. } => None,
            Self::Literal { node, .. } => Some(node),
        }
    }

    fn place(&self) -> u32 {
        match *self {
            Self::Placed { place, .. } | Self::Absent { place } | Self::Literal { place, .. } => {
                place
            }
        }
    }

    #[inline]
    pub(super) fn write(&self, buf: &mut BytesMut) {
        match self {
            Self::Placed { place, incarnation: 1, state: State::Alive } => {
                buf.put_u32_le(AT_REST << TAG_SHIFT | place);
            }
            Self::Placed { place, incarnation, state } => {
                buf.put_u32_le(CHANGED << TAG_SHIFT | place);
                buf.put_u32_le(*incarnation);
                buf.put_u8(*state as u8);
            }
            Self::Absent { place } => buf.put_u32_le(ABSENT << TAG_SHIFT | place),
            Self::Literal { place, node } => {
                buf.put_u32_le(LITERAL << TAG_SHIFT | place);
                buf.put_u16_le(node.encoded_len() as u16);
                node.encode(buf);
            }
        }
    }

    #[inline]
    fn read(bytes: &mut &'a [u8]) -> Option<Self> {
        let head = u32::from_le_bytes(*split(bytes)?);
        let place = head & PLACE;
        match head >> TAG_SHIFT {
            AT_REST => Some(Self::Placed { place, incarnation: 1, state: State::Alive }),
            CHANGED => {
                let incarnation = u32::from_le_bytes(*split(bytes)?);
                let [state] = *split(bytes)?;
                let state = State::from_number(state.into())?;
                Some(Self::Placed { place, incarnation, state })
            }
            ABSENT => Some(Self::Absent { place }),
            _ => {
                let len = u16::from_le_bytes(*split(bytes)?);
                let (entry, rest) = bytes.split_at_checked(len.into())?;
                *bytes = rest;
                let (node, _) = NodeState::decode_prefix(entry).ok()?;
                Some(Self::Literal { place, node })
            }
        }
    }
}

/// A chunk off the front.
#[inline]
fn split<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (chunk, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(chunk)
}

/// Entries, one after the other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entries<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) left: u32,
}

impl<'a> Iterator for Entries<'a> {
    type Item = Entry<'a>;

    #[inline]
    fn next(&mut self) -> Option<Entry<'a>> {
        self.left = self.left.checked_sub(1)?;
        let entry = Entry::read(&mut self.bytes);
        if entry.is_none() {
            self.left = 0;
        }
        entry
    }
}

/// Entries, and in between, in order, those at rest at the places asked for that they do not name.
pub(super) struct Joined<'a, P: Iterator<Item = u32>> {
    entries: Peekable<Entries<'a>>,
    places: Peekable<P>,
}

impl<'a, P: Iterator<Item = u32>> Joined<'a, P> {
    pub(super) fn new(entries: Entries<'a>, places: impl IntoIterator<IntoIter = P>) -> Self {
        let places = places.into_iter().peekable();
        Self { entries: entries.peekable(), places }
    }
}

impl<'a, P: Iterator<Item = u32>> Iterator for Joined<'a, P> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        let named = self.entries.peek().map(Entry::place);
        match (named, self.places.peek().copied()) {
            (Some(named), Some(place)) if place < named => {}
            (Some(named), place) => {
                if place == Some(named) {
                    self.places.next();
                }
                return self.entries.next();
            }
            (None, _) => {}
        }
        let place = self.places.next()?;
        Some(Entry::Placed { place, incarnation: 1, state: State::Alive })
    }
}
