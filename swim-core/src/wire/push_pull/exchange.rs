//! A whole push/pull message (section 3.3).

use crate::wire::{DecodeError, Kind, Limits, NodeState, PushPullHeader};

/// A push/pull message that was checked as a whole: header, entries, user state.
#[derive(Clone, Copy, Debug)]
pub struct PushPull<'a> {
    /// The exchange is a join, not the periodic one.
    pub join: bool,
    nodes: u32,
    /// Type byte, header and entries; every entry has decoded once.
    bytes: &'a [u8],
    /// Where the entries start in `bytes`.
    start: usize,
    user_state: &'a [u8],
}

impl<'a> PushPull<'a> {
    /// Checks a message, type byte included; bytes after the user state are ignored.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if the header exceeds `limits` (memberlist spec 3.3) or anything announced
    /// is missing or malformed. Then no part of the message is of use.
    pub fn decode(bytes: &'a [u8], limits: &Limits) -> Result<Self, DecodeError> {
        let (kind, body) = bytes.split_first().ok_or(DecodeError::Empty)?;
        if *kind != Kind::PushPull.byte() {
            return Err(DecodeError::Unsupported(*kind));
        }
        let (header, header_len) = PushPullHeader::decode_prefix(body)?;
        at_most(header.nodes, limits.nodes_max)?;
        at_most(header.user_state_len, limits.user_state_bytes_max)?;
        let start = 1 + header_len;
        let mut end = start;
        for _ in 0..header.nodes {
            end += NodeState::decode_prefix(&bytes[end..])?.1;
        }
        let (bytes, rest) = bytes.split_at(end);
        let need = header.user_state_len as usize;
        let user_state =
            rest.get(..need).ok_or(DecodeError::Truncated { need, have: rest.len() })?;
        Ok(Self { join: header.join, nodes: header.nodes, bytes, start, user_state })
    }

    /// How many entries there are.
    pub const fn len(&self) -> usize {
        self.nodes as usize
    }

    /// True if there are no entries.
    pub const fn is_empty(&self) -> bool {
        self.nodes == 0
    }

    /// The entries, in the order of the sender's list.
    pub const fn nodes(&self) -> Nodes<'a> {
        Nodes::resume(self.bytes, self.start, self.nodes)
    }

    /// The application's state; empty means that there is none.
    pub const fn user_state(&self) -> &'a [u8] {
        self.user_state
    }
}

/// The entries of a push/pull.
///
/// A merge that goes on in slices keeps the message with [`offset`](Self::offset) and
/// [`left`](Self::left), and later carries on with [`resume`](Self::resume).
#[derive(Clone, Debug)]
pub struct Nodes<'a> {
    bytes: &'a [u8],
    offset: usize,
    left: u32,
}

impl<'a> Nodes<'a> {
    /// The iterator that had this offset and this many entries left, over the same bytes or a copy
    /// of them. Over other bytes it ends where they make no sense.
    pub const fn resume(bytes: &'a [u8], offset: usize, left: u32) -> Self {
        Self { bytes, offset, left }
    }

    /// Where the next entry starts, counted from the type byte of the message.
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// The bytes of the entries still to come.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.offset..).unwrap_or_default()
    }

    /// How many entries are still to come.
    pub const fn left(&self) -> u32 {
        self.left
    }
}

impl<'a> Iterator for Nodes<'a> {
    type Item = NodeState<'a>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let Some(Ok((node, len))) = self.bytes.get(self.offset..).map(NodeState::decode_prefix)
        else {
            self.left = 0;
            return None;
        };
        self.offset += len;
        Some(node)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.left as usize))
    }
}

impl core::iter::FusedIterator for Nodes<'_> {}

fn at_most(value: u32, max: u32) -> Result<(), DecodeError> {
    match value <= max {
        true => Ok(()),
        false => Err(DecodeError::TooLarge { value: u64::from(value), max: u64::from(max) }),
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use super::*;

    fn message(nodes: u32, user_state: &[u8]) -> BytesMut {
        let mut out = BytesMut::new();
        let user_state_len = user_state.len() as u32;
        PushPullHeader { join: true, nodes, user_state_len }.encode(&mut out);
        for incarnation in 0..nodes {
            NodeState { name: b"n", incarnation, ..NodeState::default() }.encode(&mut out);
        }
        out.extend_from_slice(user_state);
        out
    }

    #[test]
    fn a_merge_in_slices_sees_every_entry_once() {
        let bytes = message(7, b"xyz");
        let checked = PushPull::decode(&bytes, &Limits::default()).unwrap();
        assert_eq!((checked.len(), checked.user_state()), (7, &b"xyz"[..]));
        let copy = bytes.to_vec();
        let (mut offset, mut left) = (checked.nodes().offset(), checked.nodes().left());
        let mut seen = Vec::new();
        while left > 0 {
            let mut slice = Nodes::resume(&copy, offset, left);
            seen.extend(slice.by_ref().take(3).map(|node| node.incarnation));
            (offset, left) = (slice.offset(), slice.left());
        }
        assert_eq!(seen, [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn what_exceeds_the_limits_is_refused_at_the_header() {
        let limits = Limits { nodes_max: 6, ..Limits::default() };
        let error = DecodeError::TooLarge { value: 7, max: 6 };
        assert_eq!(PushPull::decode(&message(7, b""), &limits).unwrap_err(), error);
        let limits = Limits { user_state_bytes_max: 2, ..Limits::default() };
        let error = DecodeError::TooLarge { value: 3, max: 2 };
        assert_eq!(PushPull::decode(&message(7, b"xyz"), &limits).unwrap_err(), error);
    }

    #[test]
    fn every_prefix_is_refused() {
        let bytes = message(2, b"xyz");
        for end in 0..bytes.len() {
            assert!(PushPull::decode(&bytes[..end], &Limits::default()).is_err(), "{end}");
        }
    }
}
