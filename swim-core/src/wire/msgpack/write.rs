//! Writing exactly what memberlist emits (section 0.1).

use bytes::BytesMut;

/// Appends `len` bytes to `out`, all of which `body` must write.
#[inline]
pub(crate) fn write(out: &mut BytesMut, len: usize, body: impl FnOnce(&mut Writer<'_>)) {
    let start = out.len();
    out.resize(start + len, 0);
    Writer::fill(&mut out[start..], body);
}

/// A cursor over space whose size was counted beforehand.
pub(crate) struct Writer<'b>(&'b mut [u8]);

impl<'b> Writer<'b> {
    /// Has `body` write all of `space`.
    #[inline]
    pub(crate) fn fill(space: &'b mut [u8], body: impl FnOnce(&mut Self)) {
        let mut writer = Self(space);
        body(&mut writer);
        debug_assert!(writer.0.is_empty(), "encoded_len counts every byte");
    }

    /// `N` bytes as they are: map headers, keys, constants.
    #[inline]
    pub(crate) fn put<const N: usize>(&mut self, bytes: &[u8; N]) {
        let (head, rest) = core::mem::take(&mut self.0).split_first_chunk_mut().expect(COUNTED);
        *head = *bytes;
        self.0 = rest;
    }

    /// `N` bytes between others, all of them in one move.
    #[inline(always)]
    pub(crate) fn between<const B: usize, const N: usize, const A: usize>(
        &mut self,
        before: &[u8; B],
        bytes: &[u8; N],
        after: &[u8; A],
    ) {
        let (all, rest) = self.split(B + N + A);
        all[..B].copy_from_slice(before);
        all[B..B + N].copy_from_slice(bytes);
        all[B + N..].copy_from_slice(after);
        self.0 = rest;
    }

    /// Bytes as they are.
    #[inline]
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        let (head, rest) = self.split(bytes.len());
        copy(head, bytes);
        self.0 = rest;
    }

    /// A byte string: most are short, and for those the cursor stays in registers.
    #[inline(always)]
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        match bytes.len() {
            len @ 0..=31 => self.put(&[0xa0 | len as u8]),
            _ => self.long_head(bytes.len()),
        }
        self.bytes(bytes);
    }

    /// A key of four letters and its byte string. Most are short: one move for key and head.
    #[inline(always)]
    pub(crate) fn keyed(&mut self, key: &[u8; 5], bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) if bytes.len() < 32 => {
                let [a, b, c, d, e] = *key;
                self.put(&[a, b, c, d, e, 0xa0 | bytes.len() as u8]);
                self.bytes(bytes);
            }
            _ => {
                self.put(key);
                self.opt_raw(bytes);
            }
        }
    }

    #[cold]
    fn long_head(&mut self, len: usize) {
        match len {
            0..=0xffff => self.put(&[0xda, (len >> 8) as u8, len as u8]),
            _ => {
                let [a, b, c, d] = u32::try_from(len).expect("a string below 4 GiB").to_be_bytes();
                self.put(&[0xdb, a, b, c, d]);
            }
        }
    }

    #[inline(always)]
    pub(crate) fn opt_raw(&mut self, bytes: Option<&[u8]>) {
        match bytes {
            Some(bytes) => self.raw(bytes),
            None => self.put(&[0xc0]),
        }
    }

    #[inline]
    pub(crate) fn uint(&mut self, n: u32) {
        let [a, b, c, d] = n.to_be_bytes();
        match n {
            0..=0x7f => self.put(&[d]),
            0x80..=0xff => self.put(&[0xcc, d]),
            0x100..=0xffff => self.put(&[0xcd, c, d]),
            _ => self.put(&[0xce, a, b, c, d]),
        }
    }

    /// A key of four letters and an integer of 16 bits, which ports mostly need.
    #[inline]
    pub(crate) fn keyed_port(&mut self, key: &[u8; 5], port: u16) {
        match (key, port.to_be_bytes()) {
            (&[k, l, m, n, o], [a, b]) if a > 0 => self.put(&[k, l, m, n, o, 0xcd, a, b]),
            _ => {
                self.put(key);
                self.uint(port.into());
            }
        }
    }

    #[inline]
    pub(crate) fn uint64(&mut self, n: u64) {
        match u32::try_from(n) {
            Ok(n) => self.uint(n),
            Err(_) => self.wide(0xcf, n),
        }
    }

    /// A signed field: unsigned formats unless negative.
    #[inline]
    pub(crate) fn int(&mut self, n: i64) {
        match u64::try_from(n) {
            Ok(n) => self.uint64(n),
            Err(_) => self.negative(n),
        }
    }

    fn negative(&mut self, n: i64) {
        let [.., a, b, c, d] = n.to_be_bytes();
        match n {
            -0x20.. => self.put(&[d]),
            -0x80.. => self.put(&[0xd0, d]),
            -0x8000.. => self.put(&[0xd1, c, d]),
            -0x8000_0000.. => self.put(&[0xd2, a, b, c, d]),
            _ => self.wide(0xd3, n as u64),
        }
    }

    /// Floats are always of the wide format.
    #[inline]
    pub(crate) fn f64(&mut self, n: f64) {
        self.wide(0xcb, n.to_bits());
    }

    #[inline]
    fn wide(&mut self, format: u8, n: u64) {
        self.put(&[format]);
        self.put(&n.to_be_bytes());
    }

    /// The head of a list.
    #[inline]
    pub(crate) fn list(&mut self, len: usize) {
        self.container(0x90, 0xdc, len);
    }

    /// The head of a map.
    #[inline]
    pub(crate) fn map(&mut self, pairs: usize) {
        self.container(0x80, 0xde, pairs);
    }

    fn container(&mut self, short: u8, long: u8, len: usize) {
        match len {
            0..=15 => self.put(&[short | len as u8]),
            16..=0xffff => self.put(&[long, (len >> 8) as u8, len as u8]),
            _ => {
                let [a, b, c, d] = u32::try_from(len).expect("fewer than 4 G values").to_be_bytes();
                self.put(&[long + 1, a, b, c, d]);
            }
        }
    }

    #[inline]
    pub(crate) fn bool(&mut self, yes: bool) {
        self.put(&[0xc2 | u8::from(yes)]);
    }

    #[inline]
    fn split(&mut self, at: usize) -> (&'b mut [u8], &'b mut [u8]) {
        core::mem::take(&mut self.0).split_at_mut_checked(at).expect(COUNTED)
    }
}

/// Copies between slices of equal length: most names, addresses and versions are short, and two
/// overlapping moves beat a call of `memcpy`.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        17..=32 => copy_ends::<16>(to, from),
        8..=16 => copy_ends::<8>(to, from),
        4..=7 => copy_ends::<4>(to, from),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first and the last `N` bytes.
#[inline]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk()) {
        *to = *from;
    }
}

#[inline]
pub(crate) const fn raw_len(bytes: &[u8]) -> usize {
    let len = bytes.len();
    len + match len {
        0..=31 => 1,
        32..=0xffff => 3,
        _ => 5,
    }
}

#[inline]
pub(crate) const fn opt_raw_len(bytes: Option<&[u8]>) -> usize {
    match bytes {
        Some(bytes) => raw_len(bytes),
        None => 1,
    }
}

#[inline]
pub(crate) const fn uint_len(n: u32) -> usize {
    match n {
        0..=0x7f => 1,
        0x80..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 5,
    }
}

#[inline]
pub(crate) const fn uint64_len(n: u64) -> usize {
    match n {
        0..=0xffff_ffff => uint_len(n as u32),
        _ => 9,
    }
}

#[inline]
pub(crate) const fn int_len(n: i64) -> usize {
    match n {
        0.. => uint64_len(n as u64),
        -0x20.. => 1,
        -0x80.. => 2,
        -0x8000.. => 3,
        -0x8000_0000.. => 5,
        _ => 9,
    }
}

/// Of the head of a list or map.
#[inline]
pub(crate) const fn head_len(len: usize) -> usize {
    match len {
        0..=15 => 1,
        16..=0xffff => 3,
        _ => 5,
    }
}

pub(crate) const F64_LEN: usize = 9;

const COUNTED: &str = "encoded_len counts every byte";
