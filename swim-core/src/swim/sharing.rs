//! States by reference: what nodes of one process exchange in place of whole push/pulls.
//!
//! Nodes that share a [`Roster`](super::Roster) need not tell each other what it says. Such a
//! message names places on it, and says what differs; one from a node whose table is the roster
//! with a few changes names the changes only. It teaches exactly what the push/pull that it stands
//! for would, in the same order, and knows that one's length, so that links can be charged for it.
//! It never leaves the process: nodes that were not told to share refuse it.

mod entry;

use alloc::borrow::Cow;

use bytes::{Buf as _, BufMut as _, BytesMut};

use self::entry::Joined;
pub(crate) use self::entry::{Entries, Entry};
use super::members::{Base, Members};
use crate::wire::{DecodeError, NodeState, PushPullHeader};

/// The first byte; no kind of message on the wire has it.
const MARK: u8 = 0xfe;

/// Mark, flags, members, entries, length of the push/pull, length of the user state.
const HEADER_BYTES: usize = 2 + 4 * 4;

const JOIN: u8 = 1;
/// Places that are not named are as on the roster; the entries come in order of places.
const REST: u8 = 2;

/// A message that was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shared<'a> {
    pub(crate) join: bool,
    rest: bool,
    nodes: u32,
    entries: Entries<'a>,
    user_state: &'a [u8],
}

/// Whether bytes are such a message.
pub(crate) fn is_shared(bytes: &[u8]) -> bool {
    bytes.first() == Some(&MARK)
}

/// How long a stream's message is for the network: the push/pull that a message stands for, if it
/// stands for one.
pub(crate) fn wire_len(bytes: &[u8]) -> usize {
    match bytes.get(10..).and_then(<[u8]>::first_chunk) {
        Some(len) if is_shared(bytes) => u32::from_le_bytes(*len) as usize,
        _ => bytes.len(),
    }
}

/// Writes what `members`, who have a shelf, hold.
pub(crate) fn write(members: &Members, join: bool, user_state: &[u8], buf: &mut BytesMut) {
    let shelf = members.shelf().expect("who shares states has a shelf");
    let user_state_len = u32::try_from(user_state.len()).unwrap_or(u32::MAX);
    let header = PushPullHeader { join, nodes: members.len(), user_state_len };
    let mut len = header.encoded_len() + user_state.len();
    let mut count = 0;
    let start = buf.len();
    buf.put_bytes(0, HEADER_BYTES);
    let changes = members.changes();
    let flags = if join { JOIN } else { 0 } | if changes.is_some() { REST } else { 0 };
    if let Some(changes) = changes {
        len += shelf.len_at_rest_of_all();
        for slot in changes {
            len -= shelf.len_at_rest(slot);
            let entry = match members.get(slot) {
                Some(known) => Entry::of(shelf, Some(slot), known),
                None => Entry::Absent { place: slot },
            };
            len += entry.wire_len(shelf);
            entry.write(buf);
            count += 1;
        }
    } else {
        buf.reserve(4 * members.len() as usize);
        for (slot, known) in members.iter() {
            let entry = Entry::of(shelf, members.place(slot), known);
            len += entry.wire_len(shelf);
            entry.write(buf);
            count += 1;
        }
    }
    buf.extend_from_slice(user_state);
    let mut head = &mut buf[start..];
    head.put_u8(MARK);
    head.put_u8(flags);
    head.put_u32_le(members.len());
    head.put_u32_le(count);
    head.put_u32_le(u32::try_from(len).unwrap_or(u32::MAX));
    head.put_u32_le(user_state_len);
}

impl<'a> Shared<'a> {
    /// Reads a message; its entries are read as they are merged.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if it is none.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let missing = DecodeError::Truncated { need: HEADER_BYTES, have: bytes.len() };
        let (mut head, rest) = bytes.split_at_checked(HEADER_BYTES).ok_or(missing)?;
        let mark = head.get_u8();
        if mark != MARK {
            return Err(DecodeError::Unsupported(mark));
        }
        let (flags, nodes, left) = (head.get_u8(), head.get_u32_le(), head.get_u32_le());
        let need = head.split_off(4..).map_or(0, |mut last| last.get_u32_le()) as usize;
        let missing = DecodeError::Truncated { need, have: rest.len() };
        let at = rest.len().checked_sub(need).ok_or(missing)?;
        let (bytes, user_state) = rest.split_at(at);
        let (join, rest) = (flags & JOIN != 0, flags & REST != 0);
        Ok(Self { join, rest, nodes, entries: Entries { bytes, left }, user_state })
    }

    /// How many members it tells of.
    pub(crate) const fn len(&self) -> usize {
        self.nodes as usize
    }

    /// The application's state.
    pub(crate) const fn user_state(&self) -> &'a [u8] {
        self.user_state
    }

    /// Everybody of whom it tells.
    pub(crate) fn nodes(&self, shelf: &'a Base) -> impl Iterator<Item = NodeState<'a>> {
        let places = if self.rest { 0..shelf.len() as u32 } else { 0..0 };
        Joined::new(self.entries, places).filter_map(|entry| entry.node(shelf))
    }

    /// The entries that could teach `members` something, to be merged one by one, their number, and
    /// how many others there are: those say what `members` has from the same roster.
    pub(crate) fn news(&self, members: &Members) -> News<'a> {
        let Some(shelf) = members.shelf().filter(|_| self.rest) else {
            let Entries { bytes, left } = self.entries;
            return News { bytes: Cow::Borrowed(bytes), left, known: 0 };
        };
        let mut news = BytesMut::new();
        let mut left = 0;
        let mut add = |entry: Entry<'_>| {
            if !matches!(entry, Entry::Absent { .. }) {
                entry.write(&mut news);
                left += 1;
            }
        };
        match members.changes() {
            Some(mine) => Joined::new(self.entries, mine).for_each(&mut add),
            None => Joined::new(self.entries, 0..shelf.len() as u32).for_each(&mut add),
        }
        News { bytes: Cow::Owned(news.into()), left, known: self.nodes.saturating_sub(left) }
    }
}

/// What a message may teach one node.
#[derive(Debug)]
pub(crate) struct News<'a> {
    pub(crate) bytes: Cow<'a, [u8]>,
    pub(crate) left: u32,
    /// Members of whom nothing new is said.
    pub(crate) known: u32,
}
