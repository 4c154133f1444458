//! Blocks: between which nodes, on which transport, what share of packets the network drops.

use crate::draw::hash;
use crate::fault::Who;

/// Whose packets a block drops.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Ends {
    /// What is sent to these nodes: they hear less, and are heard.
    Into(Who),
    /// What these nodes send: they hear, and are heard less.
    OutOf(Who),
    /// What is sent to these nodes and what they send.
    Around(Who),
    /// What the first send to the second, not the other way: a one-way partition.
    OneWay(Who, Who),
    /// What the first and the second send to each other; third parties reach both: a partial
    /// partition.
    Between(Who, Who),
}

/// Which transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the protocol has two transports")]
pub enum Plane {
    /// Datagrams; streams pass: a firewall that blocks UDP.
    Datagrams,
    /// Streams; datagrams pass: a firewall that blocks TCP.
    Streams,
    /// Both.
    Both,
}

impl Plane {
    const fn covers(self, other: Self) -> bool {
        matches!((self, other), (Self::Both, _) | (Self::Datagrams, Self::Datagrams))
            || matches!((self, other), (Self::Streams, Self::Streams))
    }
}

/// All blocks of a world, on or off. Few, so that a packet looks at each.
#[derive(Debug, Default)]
pub(crate) struct Blocks {
    list: Vec<Block>,
    on: u32,
}

/// One block.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) from: Set,
    pub(crate) to: Set,
    /// Whether packets from `to` to `from` are dropped as well.
    pub(crate) both_ways: bool,
    pub(crate) plane: Plane,
    /// The share of packets that is dropped.
    pub(crate) share: f64,
    pub(crate) on: bool,
}

impl Blocks {
    /// Adds a block that is off; returns its number.
    pub(crate) fn add(&mut self, block: Block) -> usize {
        self.list.push(Block { on: false, ..block });
        self.list.len() - 1
    }

    pub(crate) fn turn(&mut self, number: usize, on: bool) {
        let block = &mut self.list[number];
        self.on += u32::from(on);
        self.on -= u32::from(block.on);
        block.on = on;
    }

    /// Whether any is on.
    #[inline]
    pub(crate) const fn any(&self) -> bool {
        self.on > 0
    }

    /// The share of packets from `from` to `to` that all blocks together drop.
    pub(crate) fn share(&self, plane: Plane, from: u32, to: u32) -> f64 {
        if self.on == 0 {
            return 0.0;
        }
        let pass = self.list.iter().filter(|b| b.on && b.plane.covers(plane) && b.hits(from, to));
        1.0 - pass.fold(1.0, |pass, b| pass * (1.0 - b.share))
    }

    /// Whether datagram `number` of `from` to `to` is dropped.
    pub(crate) fn drops(&self, seed: u64, from: u32, to: u32, number: u32) -> bool {
        let share = self.share(Plane::Datagrams, from, to);
        if share <= 0.0 {
            return false;
        }
        let ends = u64::from(from) << 32 | u64::from(to);
        let bits = hash(seed ^ SALT, ends, number.into(), 0);
        (bits >> 32) as f64 / (1u64 << 32) as f64 >= 1.0 - share
    }
}

impl Block {
    fn hits(&self, from: u32, to: u32) -> bool {
        self.from.has(from) && self.to.has(to)
            || self.both_ways && self.from.has(to) && self.to.has(from)
    }
}

/// Some nodes of a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    All,
    /// A bit for each.
    Some(Vec<u64>),
}

impl Set {
    pub(crate) fn of(nodes: &[u32], len: u32) -> Self {
        let mut words = vec![0u64; (len as usize).div_ceil(64)];
        for &node in nodes {
            words[node as usize / 64] |= 1 << (node % 64);
        }
        Self::Some(words)
    }

    pub(crate) fn has(&self, node: u32) -> bool {
        match self {
            Self::All => true,
            Self::Some(words) => words[node as usize / 64] >> (node % 64) & 1 != 0,
        }
    }
}

/// Tells what befalls a packet here from what befalls it on its link.
const SALT: u64 = 0x62_6c6f_636b;

#[cfg(test)]
mod tests {
    use super::*;

    fn block(from: &[u32], to: Set, both_ways: bool, plane: Plane, share: f64) -> Block {
        Block { from: Set::of(from, 100), to, both_ways, plane, share, on: false }
    }

    #[test]
    fn blocks_drop_their_share_their_way_while_they_are_on() {
        let mut blocks = Blocks::default();
        let all = blocks.add(block(&[70], Set::All, false, Plane::Datagrams, 1.0));
        let half = blocks.add(block(&[1], Set::of(&[2], 100), true, Plane::Both, 0.5));
        assert!(!blocks.any());
        assert!(!blocks.drops(1, 70, 3, 9));
        blocks.turn(all, true);
        blocks.turn(all, true);
        assert!(blocks.any());
        assert!((0..1000).all(|n| blocks.drops(1, 70, 3, n) && !blocks.drops(1, 3, 70, n)));
        assert_eq!(blocks.share(Plane::Streams, 70, 3), 0.0);
        blocks.turn(half, true);
        for (from, to) in [(1, 2), (2, 1)] {
            let dropped = (0..10_000).filter(|&n| blocks.drops(1, from, to, n)).count();
            assert!((4_800..5_200).contains(&dropped), "{dropped}");
            assert_eq!(blocks.share(Plane::Streams, from, to), 0.5);
        }
        assert!(!blocks.drops(1, 1, 3, 9));
        blocks.turn(half, false);
        blocks.turn(all, false);
        assert!(!blocks.any());
    }

    #[test]
    fn blocks_add_up_as_independent_losses() {
        let mut blocks = Blocks::default();
        for _ in 0..2 {
            let number = blocks.add(block(&[1], Set::All, false, Plane::Both, 0.5));
            blocks.turn(number, true);
        }
        assert_eq!(blocks.share(Plane::Datagrams, 1, 5), 0.75);
    }
}
