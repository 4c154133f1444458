//! Packets under way, in buffers that are used again.

use bytes::BytesMut;

/// A pool of buffers by number. The one given back last is handed out first, while it is in cache;
/// after a while no packet allocates.
#[derive(Debug, Default)]
pub struct Arena {
    buffers: Vec<BytesMut>,
    free: Vec<u32>,
}

impl Arena {
    /// An empty pool.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty buffer.
    #[inline]
    pub fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.buffers.push(BytesMut::with_capacity(BYTES));
            u32::try_from(self.buffers.len() - 1).expect("fewer than 2^32 packets are under way")
        })
    }

    /// The buffer of a number from [`Self::take`].
    #[inline]
    pub fn buffer(&mut self, id: u32) -> &mut BytesMut {
        &mut self.buffers[id as usize]
    }

    /// The bytes in the buffer.
    #[inline]
    pub fn bytes(&self, id: u32) -> &[u8] {
        &self.buffers[id as usize]
    }

    /// A buffer with the same bytes.
    pub fn copy(&mut self, id: u32) -> u32 {
        let copy = self.take();
        let bytes = core::mem::take(&mut self.buffers[id as usize]);
        self.buffers[copy as usize].extend_from_slice(&bytes);
        self.buffers[id as usize] = bytes;
        copy
    }

    /// Takes these bytes for a buffer of its own, and hands out an empty one for them.
    #[inline]
    pub fn put(&mut self, bytes: BytesMut) -> (u32, BytesMut) {
        let id = self.take();
        (id, core::mem::replace(&mut self.buffers[id as usize], bytes))
    }

    /// Takes the buffer back.
    #[inline]
    pub fn give(&mut self, id: u32) {
        let buffer = &mut self.buffers[id as usize];
        buffer.clear();
        if buffer.capacity() > KEEP_BYTES {
            *buffer = BytesMut::with_capacity(BYTES);
        }
        self.free.push(id);
    }

    /// How many buffers are in use.
    pub fn in_use(&self) -> usize {
        self.buffers.len() - self.free.len()
    }
}

/// Room for a ping with some rumours; a buffer grows when it must.
const BYTES: usize = 256;
/// Buffers that have grown past this (full states, by stream) are not kept.
const KEEP_BYTES: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_come_back_empty_and_are_used_again() {
        let mut arena = Arena::new();
        let (a, b) = (arena.take(), arena.take());
        assert_ne!(a, b);
        arena.buffer(a).extend_from_slice(b"packet");
        assert_eq!(arena.bytes(a), b"packet");
        assert_eq!(arena.in_use(), 2);
        let c = arena.copy(a);
        assert_eq!((arena.bytes(a), arena.bytes(c)), (&b"packet"[..], &b"packet"[..]));
        arena.give(c);
        arena.give(a);
        assert_eq!(arena.take(), a);
        assert!(arena.bytes(a).is_empty());
        let (c, empty) = arena.put(BytesMut::from(&b"more"[..]));
        assert_eq!((arena.bytes(c), empty.len(), arena.in_use()), (&b"more"[..], 0, 3));
    }
}
