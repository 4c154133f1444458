//! Events that Consul wraps: `consul:event:NAME`, with a msgpack map as payload.

use std::fmt;

use swim_tokio::swim_core::wire::msgpack::Reader;

/// An event that somebody fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fired {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) payload: Vec<u8>,
}

impl Fired {
    /// The name of every such event begins so.
    pub(crate) const PREFIX: &str = "consul:event:";

    /// The payload of the user event: `{ID, n, p, v: 1}`.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![0x84];
        text(&mut out, b"ID");
        text(&mut out, self.id.as_bytes());
        text(&mut out, b"n");
        text(&mut out, self.name.as_bytes());
        text(&mut out, b"p");
        text(&mut out, &self.payload);
        text(&mut out, b"v");
        out.push(1);
        out
    }

    /// What a payload says, if it is a map of the first version.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader::new(bytes);
        let (mut id, mut name, mut payload, mut version) = (None, None, Vec::new(), 0);
        for _ in 0..from.map().ok()?? {
            match from.text().ok()? {
                b"ID" => id = Some(String::from_utf8(from.text().ok()?.into()).ok()?),
                b"n" => name = Some(String::from_utf8(from.text().ok()?.into()).ok()?),
                b"p" => payload = from.bytes().ok()?.unwrap_or_default().into(),
                b"v" => version = from.u8().ok()?,
                // Filters by node, service and tag are the receiver's to apply.
                _ => from.skip().ok()?,
            }
        }
        (version == 1).then_some(Self { id: id?, name: name?, payload })
    }
}

impl fmt::Display for Fired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name, payload } = self;
        write!(f, "{name} {:?} ({id})", String::from_utf8_lossy(payload))
    }
}

/// A byte string as every msgpack of Consul's reads it. An event has no room for more than 64 KiB.
fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    match u8::try_from(bytes.len()) {
        Ok(len @ 0..32) => out.push(0xa0 | len),
        _ => {
            let len = u16::try_from(bytes.len()).expect("an event has at most 9 KiB");
            out.push(0xda);
            out.extend(len.to_be_bytes());
        }
    }
    out.extend(bytes);
}
