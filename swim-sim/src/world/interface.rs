//! A node's interface: what is too large, what waits, what comes twice.

use super::{Item, World};
use crate::link::QUEUE_MAX;
use crate::machine::Machine;

impl<M: Machine> World<M> {
    /// Lets a datagram leave on links that do more to it than delay and lose it: how long it waits
    /// for the interface, in nanoseconds; `None` if it is dropped.
    pub(super) fn leave_interface(&mut self, from: u32, packet: u32) -> Option<u64> {
        let bytes = self.arena.bytes(packet).len();
        if self.links.is_oversized(bytes) {
            self.faults.oversized += 1;
            return None;
        }
        let busy = self.links.busy_ns(bytes);
        let now = self.now.as_nanos();
        let host = &mut self.hosts[from as usize];
        let start = host.busy_until_ns.max(now);
        if start - now > QUEUE_MAX.as_nanos() as u64 {
            self.faults.congested += 1;
            return None;
        }
        if busy > 0 {
            host.busy_until_ns = start + busy;
        }
        Some(start - now + busy)
    }

    /// How long a stream's message waits for the interface, and takes to get through it.
    pub(super) fn leave_by_stream(&mut self, from: u32, bytes: usize) -> u64 {
        if self.links.is_plain() {
            return 0;
        }
        let (busy, now) = (self.links.busy_ns(bytes), self.now.as_nanos());
        let host = &mut self.hosts[from as usize];
        let start = host.busy_until_ns.max(now);
        if busy > 0 {
            host.busy_until_ns = start + busy;
        }
        start - now + busy
    }

    /// Sends a second copy of a datagram that leaves after `wait`, if the network makes one.
    pub(super) fn duplicate(&mut self, from: u32, to: u32, number: u32, packet: u32, wait: u64) {
        if !self.links.is_duplicated(self.link_seed, from, to, number) {
            return;
        }
        let number = self.hosts[from as usize].next_number();
        let Some(delay) = self.links.fate(self.link_seed, from, to, number) else { return };
        self.faults.duplicated += 1;
        let copy = self.arena.copy(packet);
        let key = u64::from(from) << 32 | u64::from(number);
        let at = self.now.as_nanos() + wait + delay;
        self.wheel.push(at, key, Item::Packet { to, packet: copy });
    }
}
