//! What nodes know of time and place: their clocks and their addresses.

use core::net::SocketAddr;

use swim_core::Instant;

use super::World;
use crate::clock::Clock;
use crate::machine::Machine;
use crate::place;

impl<M: Machine> World<M> {
    /// What a node's clock shows.
    #[inline]
    pub(super) fn clock(&self, node: u32) -> Instant {
        self.local(node, self.now)
    }

    /// What a node's clock shows at a time of the world.
    #[inline]
    pub(super) fn local(&self, node: u32, at: Instant) -> Instant {
        self.clocks.get(node as usize).map_or(at, |clock| clock.local(at))
    }

    /// When a node's clock shows a time.
    #[inline]
    pub(super) fn world_time(&self, node: u32, local: Instant) -> Instant {
        self.clocks.get(node as usize).map_or(local, |clock| clock.world(local))
    }

    /// Lets a node's clock run at another rate.
    pub(super) fn set_rate(&mut self, node: u32, ppm: i32) {
        self.clocks.resize(self.hosts.len(), Clock::default());
        self.clocks[node as usize].set_rate(self.now, ppm);
        // Its deadline comes sooner or later now.
        self.drain(node);
    }

    /// Where a node listens.
    #[inline]
    pub(super) fn addr(&self, node: u32) -> SocketAddr {
        match self.homes.get(node as usize) {
            None => place::addr(node),
            Some(&moves) => place::addr_after(node, moves),
        }
    }

    /// Which node listens at an address.
    #[inline]
    pub(super) fn node_at(&self, addr: SocketAddr) -> Option<u32> {
        let found = if self.homes.is_empty() {
            place::node_at(addr)
        } else {
            let current = |&(node, moves): &(u32, u8)| {
                self.homes.get(node as usize).is_some_and(|&home| home == moves)
            };
            place::resolve(addr).filter(current).map(|(node, _)| node)
        };
        found.filter(|&node| (node as usize) < self.hosts.len())
    }

    /// Gives a node another address.
    pub(super) fn move_home(&mut self, node: u32) {
        self.homes.resize(self.hosts.len(), 0);
        let home = &mut self.homes[node as usize];
        *home = (*home + 1).min(place::MOVES_MAX);
    }
}
