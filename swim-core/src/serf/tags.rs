//! The tags of a node (serf spec 1.5).

use alloc::collections::BTreeMap;
use alloc::string::String;

use bytes::BytesMut;

use crate::wire::serf::{self, TooLong, encode_tags};

/// Names and values that a node announces, at most 512 bytes once encoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags(BTreeMap<String, String>);

impl Tags {
    /// These tags, if they fit; of two with one name the last counts.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if they take more than 512 bytes.
    pub fn new<K: Into<String>, V: Into<String>>(
        tags: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, TooLong> {
        let tags: BTreeMap<_, _> = tags.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        let tags = Self(tags);
        encode_tags(MAPS, tags.pairs(), &mut BytesMut::new())?;
        Ok(tags)
    }

    /// The tags in the metadata of a node of any version. What is not UTF-8 is replaced.
    pub fn decode(meta: &[u8]) -> Self {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        Self(serf::Tags::decode(meta).iter().map(|(k, v)| (text(k), text(v))).collect())
    }

    /// The value of a tag.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone + '_ {
        self.0.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These tags without those named, and with others set.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if they take more than 512 bytes.
    pub fn changed<'a>(
        &self,
        delete: impl IntoIterator<Item = &'a str>,
        set: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, TooLong> {
        let mut tags = self.0.clone();
        for name in delete {
            tags.remove(name);
        }
        tags.extend(set.into_iter().map(|(k, v)| (String::from(k), String::from(v))));
        Self::new(tags)
    }

    /// The metadata of a node with these tags that speaks this version of Serf's protocol.
    pub(crate) fn encode(&self, protocol: u8) -> BytesMut {
        let mut out = BytesMut::new();
        let encoded = encode_tags(protocol, self.pairs(), &mut out);
        encoded.expect("the map was measured, and a bare role is shorter");
        out
    }

    fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> + Clone {
        self.0.iter().map(|(k, v)| (k.as_bytes(), v.as_bytes()))
    }
}

/// The oldest version of Serf's protocol whose tags are a map.
const MAPS: u8 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_back_from_their_metadata() {
        let tags = Tags::new([("role", "web"), ("dc", "east"), ("role", "db")]).unwrap();
        assert_eq!(Tags::decode(&tags.encode(4)), tags);
        assert_eq!(tags.get("role"), Some("db"));
        assert_eq!(&tags.encode(2)[..], b"db");
        let other = tags.changed(["dc"], [("x", "1")]).unwrap();
        assert_eq!(other.iter().collect::<Vec<_>>(), [("role", "db"), ("x", "1")]);
    }

    #[test]
    fn tags_that_do_not_fit_are_refused() {
        let long = "x".repeat(503);
        let refused = Tags::new([("role", long)]).unwrap_err();
        assert_eq!(refused, TooLong::Tags { len: 513, max: 512 });
    }
}
