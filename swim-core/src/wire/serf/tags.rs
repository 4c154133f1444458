//! Tags in the metadata of a node (section 1.5).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::msgpack::{Reader, head_len, raw_len, write};
use crate::wire::serf::{Items, List, TAGS_BYTES_MAX, TooLong};

/// The tags of a node, as its metadata have them (serf spec 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tags<'a> {
    /// The whole of metadata that are no map.
    role: Option<&'a [u8]>,
    pairs: List<'a, (&'a [u8], &'a [u8])>,
    error: Option<DecodeError>,
}

impl<'a> Tags<'a> {
    /// Decodes metadata of any version of Serf.
    ///
    /// There are always some tags, as Serf sees it: what is not a map is the value of the tag
    /// `role`, and of a broken map those tags count that come before the break.
    pub fn decode(meta: &'a [u8]) -> Self {
        let Some((&MAGIC, map)) = meta.split_first() else {
            return Self { role: Some(meta), pairs: List::default(), error: None };
        };
        let (pairs, error) = List::read_map_leniently(&mut Reader::new(map));
        Self { role: None, pairs, error }
    }

    /// Names and values in the order of the sender. A name may come twice; the last one counts.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone + use<'a> {
        let role: Option<(&'a [u8], &'a [u8])> = self.role.map(|role| (&b"role"[..], role));
        let pairs: Items<'a, _> = self.pairs.iter();
        role.into_iter().chain(pairs)
    }

    /// The value of a tag.
    pub fn find(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.iter().filter(|(key, _)| *key == name).last().map(|(_, value)| value)
    }

    /// Why there are not as many tags as were announced.
    pub const fn error(&self) -> Option<DecodeError> {
        self.error
    }
}

/// Appends the metadata of a node with these tags, as a Serf of the version `protocol` would.
///
/// Below version 3 it is the bare value of the tag `role`, and the others are left out.
///
/// # Errors
///
/// [`TooLong`] if that is more than [`TAGS_BYTES_MAX`] bytes; then nothing is appended.
pub fn encode_tags<'a>(
    protocol: u8,
    tags: impl Iterator<Item = (&'a [u8], &'a [u8])> + Clone,
    out: &mut BytesMut,
) -> Result<(), TooLong> {
    let role = || tags.clone().filter(|(key, _)| *key == b"role").last();
    let is_map = protocol >= PROTOCOL_OF_MAPS;
    let (count, len) = match is_map {
        true => tags.clone().fold((0, 1), |(count, len), (key, value)| {
            (count + 1, len + raw_len(key) + raw_len(value))
        }),
        false => (0, role().map_or(0, |(_, role)| role.len())),
    };
    let len = if is_map { len + head_len(count) } else { len };
    if len > TAGS_BYTES_MAX {
        return Err(TooLong::Tags { len, max: TAGS_BYTES_MAX });
    }
    write(out, len, |to| {
        if !is_map {
            return to.bytes(role().map_or(b"", |(_, role)| role));
        }
        to.put(&[MAGIC]);
        to.map(count);
        for (key, value) in tags.clone() {
            to.raw(key);
            to.raw(value);
        }
    });
    Ok(())
}

/// The first byte of tags that are a map.
const MAGIC: u8 = 0xff;
const PROTOCOL_OF_MAPS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_512_bytes_are_the_most() {
        let value = [b'x'; 600];
        let encode = |len: usize, protocol| {
            let mut out = BytesMut::new();
            let tags = [(&b"role"[..], &value[..len])];
            encode_tags(protocol, tags.into_iter(), &mut out).map(|()| out.len())
        };
        assert_eq!(encode(502, 4), Ok(512));
        let error = encode(503, 4).unwrap_err();
        assert_eq!(error, TooLong::Tags { len: 513, max: 512 });
        assert_eq!(error.to_string(), "Encoded length of tags exceeds limit of 512 bytes");
        assert_eq!(encode(512, 2), Ok(512));
        assert_eq!(encode(513, 2), Err(TooLong::Tags { len: 513, max: 512 }));
    }

    #[test]
    fn the_last_of_two_tags_of_one_name_counts() {
        let tags = Tags::decode(b"\xff\x82\xa1k\xa1a\xa1k\xa1b");
        assert_eq!(tags.find(b"k"), Some(&b"b"[..]));
        assert_eq!(tags.find(b"other"), None);
        assert_eq!(tags.error(), None);
    }
}
