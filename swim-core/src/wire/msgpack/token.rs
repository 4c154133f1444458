//! One step over a msgpack value, without looking inside.

/// What stands at an offset: one scalar, or the head of an array or map.
///
/// To step over a whole value, keep a count of values to come: start at one, and for each token
/// take one off and add `children`. Nesting needs no stack, so depth costs nothing and needs no
/// bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// Bytes of the token with its payload; saturates, and may lie beyond the bytes at hand.
    pub len: usize,
    /// How many values an array or map holds: two for each entry of a map.
    pub children: u64,
}

/// The token at the start of `bytes`; `None` if its head, at most five bytes, is not complete.
///
/// # Errors
///
/// [`NotMsgpack`] if no value starts so.
pub fn token(bytes: &[u8]) -> Result<Option<Token>, NotMsgpack> {
    let Some(&first) = bytes.first() else { return Ok(None) };
    let scalar = |len| Ok(Some(Token { len, children: 0 }));
    let small = |children| Ok(Some(Token { len: 1, children }));
    // A big-endian length of `width` bytes, then `extra` bytes and that many more.
    let sized = |width: usize, extra: usize| {
        Ok(number(bytes, width).map(|n| {
            let len = usize::try_from(n).unwrap_or(usize::MAX);
            Token { len: len.saturating_add(1 + width + extra), children: 0 }
        }))
    };
    let counted = |width: usize, each: u64| {
        Ok(number(bytes, width).map(|n| Token { len: 1 + width, children: n * each }))
    };
    match first {
        0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => scalar(1),
        0x80..=0x8f => small(2 * u64::from(first & 0x0f)),
        0x90..=0x9f => small(u64::from(first & 0x0f)),
        0xa0..=0xbf => scalar(1 + usize::from(first & 0x1f)),
        0xc4 | 0xd9 => sized(1, 0),
        0xc5 | 0xda => sized(2, 0),
        0xc6 | 0xdb => sized(4, 0),
        0xc7 => sized(1, 1),
        0xc8 => sized(2, 1),
        0xc9 => sized(4, 1),
        0xcc | 0xd0 => scalar(2),
        0xcd | 0xd1 => scalar(3),
        0xca | 0xce | 0xd2 => scalar(5),
        0xcb | 0xcf | 0xd3 => scalar(9),
        0xd4..=0xd8 => scalar(2 + (1 << (first - 0xd4))),
        0xdc => counted(2, 1),
        0xdd => counted(4, 1),
        0xde => counted(2, 2),
        0xdf => counted(4, 2),
        0xc1 => Err(NotMsgpack),
    }
}

/// Byte `c1`, the only one that starts no msgpack value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NotMsgpack;

/// The big-endian number of `width` (1 to 4) bytes after the first byte.
fn number(bytes: &[u8], width: usize) -> Option<u64> {
    let digits = bytes.get(1..1 + width)?;
    Some(digits.iter().fold(0, |n, &digit| n << 8 | u64::from(digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_its_length() {
        let cases: &[(&[u8], usize, u64)] = &[
            (&[0x7f], 1, 0),
            (&[0xff], 1, 0),
            (&[0x82], 1, 4),
            (&[0x93], 1, 3),
            (&[0xa3], 4, 0),
            (&[0xc0], 1, 0),
            (&[0xc4, 5], 7, 0),
            (&[0xc5, 1, 0], 259, 0),
            (&[0xc6, 0, 1, 0, 0], 65541, 0),
            (&[0xc7, 5], 8, 0),
            (&[0xc8, 1, 0], 260, 0),
            (&[0xc9, 0, 0, 0, 2], 8, 0),
            (&[0xca], 5, 0),
            (&[0xcb], 9, 0),
            (&[0xcc], 2, 0),
            (&[0xd1], 3, 0),
            (&[0xd3], 9, 0),
            (&[0xd4], 3, 0),
            (&[0xd8], 18, 0),
            (&[0xd9, 5], 7, 0),
            (&[0xdc, 0, 3], 3, 3),
            (&[0xdd, 0xff, 0xff, 0xff, 0xff], 5, u32::MAX as u64),
            (&[0xde, 0, 3], 3, 6),
            (&[0xdf, 0xff, 0xff, 0xff, 0xff], 5, 2 * u32::MAX as u64),
        ];
        for &(bytes, len, children) in cases {
            assert_eq!(token(bytes), Ok(Some(Token { len, children })), "{bytes:x?}");
            assert_eq!(token(&bytes[..bytes.len() - 1]), Ok(None), "{bytes:x?}");
        }
        assert_eq!(token(&[0xc1]), Err(NotMsgpack));
    }
}
