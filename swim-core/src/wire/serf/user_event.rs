//! An application's event (sections 1.4, 2.3).

use bytes::BytesMut;

use crate::wire::DecodeError;
use crate::wire::body::Body;
use crate::wire::msgpack::{Fast, Reader, opt_raw_len, raw_len, uint64_len, write};
use crate::wire::serf::kind::decoder;
use crate::wire::serf::{Kind, TooLong};

/// An application's event, for every member (serf spec 2.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UserEvent<'a> {
    /// The issuer's event clock.
    pub ltime: u64,
    /// What happened; with payload and time it tells events apart.
    pub name: &'a [u8],
    /// The application's bytes.
    pub payload: Option<&'a [u8]>,
    /// Of several with this name that come at about the same time, the last is enough.
    pub coalesce: bool,
}

decoder!(UserEvent, UserEvent);

impl UserEvent<'_> {
    /// Checks what is to be sent against a limit, as Serf does before and after encoding (serf spec
    /// 1.7).
    ///
    /// # Errors
    ///
    /// [`TooLong`] if name and payload, or the whole message, exceed `bytes_max`.
    pub const fn fits(&self, bytes_max: usize) -> Result<(), TooLong> {
        let payload = match self.payload {
            Some(payload) => payload.len(),
            None => 0,
        };
        let (content, len) = (self.name.len() + payload, self.encoded_len());
        match () {
            () if content > bytes_max => {
                Err(TooLong::UserEventContent { len: content, max: bytes_max })
            }
            () if len > bytes_max => Err(TooLong::UserEvent { len, max: bytes_max }),
            () => Ok(()),
        }
    }

    /// Appends type byte and body.
    pub fn encode(&self, out: &mut BytesMut) {
        write(out, self.encoded_len(), |to| {
            to.put(&[Kind::UserEvent.byte(), 0x84]);
            to.put(b"\xa2CC");
            to.bool(self.coalesce);
            to.put(b"\xa5LTime");
            to.uint64(self.ltime);
            to.put(b"\xa4Name");
            to.raw(self.name);
            to.put(b"\xa7Payload");
            to.opt_raw(self.payload);
        });
    }

    /// How many bytes [`encode`](Self::encode) appends.
    pub const fn encoded_len(&self) -> usize {
        let ltime = 6 + uint64_len(self.ltime);
        2 + 4 + ltime + 5 + raw_len(self.name) + 8 + opt_raw_len(self.payload)
    }
}

impl<'a> Body<'a> for UserEvent<'a> {
    const FIELDS: &'static [&'static [u8]] = &[b"LTime", b"Name", b"Payload", b"CC"];

    fn fast(from: &mut Fast<'a>) -> Option<Self> {
        from.expect(b"\x84\xa2CC")?;
        let coalesce = from.bool()?;
        from.expect(b"\xa5LTime")?;
        let ltime = from.u64()?;
        from.expect(b"\xa4Name")?;
        let name = from.raw()?;
        from.expect(b"\xa7Payload")?;
        let payload = from.opt_raw()?;
        Some(Self { ltime, name, payload, coalesce })
    }

    fn set(&mut self, field: usize, from: &mut Reader<'a>) -> Result<(), DecodeError> {
        match field {
            0 => self.ltime = from.u64()?,
            1 => self.name = from.text()?,
            2 => self.payload = from.bytes()?,
            3 => self.coalesce = from.bool()?,
            _ => from.skip()?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_judged_before_the_whole() {
        let payload = [0; 600];
        let event =
            |len| UserEvent { name: b"big", payload: Some(&payload[..len]), ..Default::default() };
        assert_eq!(event(510).fits(512), Err(TooLong::UserEventContent { len: 513, max: 512 }));
        assert_eq!(event(509).fits(512), Err(TooLong::UserEvent { len: 542, max: 512 }));
        assert_eq!((event(479).encoded_len(), event(479).fits(512)), (512, Ok(())));
    }
}
