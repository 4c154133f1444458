//! What nodes put out: datagrams, stream actions, events, the next deadline.

use core::time::Duration;

use swim_core::{Event, Instant, Member, Outcome};

use super::{Item, World};
use crate::change::{Change, Claim, Says, Stall};
use crate::fault::Act;
use crate::machine::Machine;
use crate::place;

impl<M: Machine> World<M> {
    /// Polls everything that a node has to say.
    #[inline]
    pub(super) fn drain(&mut self, node: u32) {
        self.drain_datagrams(node);
        if self.hosts[node as usize].receives() {
            while self.drain_exchange(node) {}
        }
        while self.drain_event(node) {}
        let Some(machine) = &self.hosts[node as usize].machine else { return };
        let deadline = machine.poll_timeout().unwrap_or(Instant::MAX);
        let live = machine.live_len() as u32;
        let deadline = self.world_time(node, deadline);
        let host = &mut self.hosts[node as usize];
        if deadline != host.alarm.deadline {
            host.digest.deadline(deadline.as_nanos());
        }
        self.settle(node, deadline, live);
    }

    /// Notes when a node wants to be woken, and how many members it takes for live.
    #[inline]
    pub(super) fn settle(&mut self, node: u32, deadline: Instant, live: u32) {
        let host = &mut self.hosts[node as usize];
        host.alarm.deadline = deadline;
        if live != host.live {
            let before = core::mem::replace(&mut host.live, live);
            if host.observes() {
                self.tracker.observer_sees(self.now, before, live);
            }
        }
        self.arm(node);
    }

    #[inline]
    fn drain_datagrams(&mut self, node: u32) {
        loop {
            let packet = self.arena.take();
            let host = &mut self.hosts[node as usize];
            let buffer = self.arena.buffer(packet);
            let Some(to) = host.machine.as_mut().and_then(|m| m.poll_transmit(buffer)) else {
                return self.arena.give(packet);
            };
            let target = self.node_at(to);
            let host = &mut self.hosts[node as usize];
            host.digest.datagram(
                self.now.as_nanos(),
                u64::from(target.unwrap_or(u32::MAX)),
                self.arena.bytes(packet),
            );
            self.send(node, target, packet);
        }
    }

    /// Sends a datagram, if a node listens where it goes.
    #[inline]
    pub(super) fn send(&mut self, node: u32, target: Option<u32>, packet: u32) {
        let bytes = self.arena.bytes(packet).len() as u64;
        let host = &mut self.hosts[node as usize];
        host.sent += 1;
        host.sent_bytes += bytes;
        self.traffic.datagrams += 1;
        self.traffic.datagram_bytes += bytes;
        let Some(to) = target else { return self.arena.give(packet) };
        match &mut host.stall {
            Some(stall) if stall.part == Stall::Io => stall.outbox.push((to, packet)),
            _ => self.launch(node, to, packet),
        }
    }

    /// Puts a datagram on its way, if it survives that.
    #[inline]
    pub(super) fn launch(&mut self, from: u32, to: u32, packet: u32) {
        let number = self.hosts[from as usize].next_number();
        let wait = if self.links.is_plain() {
            0
        } else if let Some(wait) = self.leave_interface(from, packet) {
            wait
        } else {
            return self.arena.give(packet);
        };
        if self.cut(from, to) {
            self.faults.cut += 1;
            return self.arena.give(packet);
        }
        if self.blocks.any() && self.blocks.drops(self.link_seed, from, to, number) {
            self.faults.blocked += 1;
            return self.arena.give(packet);
        }
        if !self.links.is_plain() {
            self.duplicate(from, to, number, packet, wait);
        }
        let Some(delay) = self.links.fate(self.link_seed, from, to, number) else {
            self.faults.lost += 1;
            return self.arena.give(packet);
        };
        let key = u64::from(from) << 32 | u64::from(number);
        self.wheel.push(self.now.as_nanos() + wait + delay, key, Item::Packet { to, packet });
    }

    /// Whether a partition lies between two nodes.
    #[inline]
    pub(super) fn cut(&self, a: u32, b: u32) -> bool {
        !self.groups.is_empty() && self.groups[a as usize] != self.groups[b as usize]
    }

    fn drain_event(&mut self, node: u32) -> bool {
        let host = &mut self.hosts[node as usize];
        let Some(event) = host.machine.as_mut().and_then(Machine::poll_event) else {
            return false;
        };
        host.digest.event(self.now.as_nanos(), &event);
        self.hear(node, &event);
        true
    }

    /// A node said something.
    pub(super) fn hear(&mut self, node: u32, event: &Event) {
        let (member, says) = match event {
            Event::Up(m) => (m, Says::Up),
            Event::Changed(m) => (m, Says::Changed),
            Event::Trusted(m) => (m, Says::Trusted),
            Event::Reaped(m) => (m, Says::Reaped),
            Event::Suspected { member, by, .. } => {
                (member, Says::Suspected { by: place::node_named(by.as_str()) })
            }
            Event::Down { member, cause, by } => {
                let by = by.as_ref().and_then(|by| place::node_named(by.as_str()));
                (member, Says::Down { cause: *cause, by })
            }
            Event::Done { op, outcome } => {
                return self.on_done(node, op.0, outcome);
            }
            _ => return,
        };
        self.on_claim(node, member, says);
    }

    /// A node said something about a member.
    fn on_claim(&mut self, observer: u32, member: &Member, says: Says) {
        let Some(subject) = place::node_named(member.name()).filter(|&i| i < self.len()) else {
            return;
        };
        if let Says::Down { .. } = says {
            let impaired = self.is_impaired(observer) || self.is_impaired(subject);
            let reachable = !self.cut(observer, subject) && !impaired;
            let up = self.hosts[subject as usize].observes();
            self.tracker.down(self.now, observer, subject, up, reachable);
        }
        if self.oracles.is_empty() {
            return;
        }
        let incarnation = member.incarnation().0;
        let issued = self.issued(subject);
        let elsewhere = member.addr().canonical() != self.addr(subject);
        let claim = Claim { observer, subject, incarnation, issued, elsewhere, says };
        self.tell(&Change::claim(self.now, claim));
    }

    /// The highest incarnation that a node itself has ever had.
    fn issued(&self, node: u32) -> u32 {
        let host = &self.hosts[node as usize];
        host.machine.as_ref().map_or(0, Machine::incarnation).max(host.issued)
    }

    /// A command ended: a join that reached nobody is tried again, a node that has left ends.
    fn on_done(&mut self, node: u32, op: u64, outcome: &Outcome) {
        let host = &mut self.hosts[node as usize];
        let life = host.life;
        match *outcome {
            Outcome::Joined { reached: 0, .. } if host.joining == Some(op) => {
                self.add_act(self.now + REJOIN_PAUSE, Act::Join { node, life });
            }
            Outcome::Joined { .. } if host.joining == Some(op) => host.joining = None,
            Outcome::Left if host.leaving => {
                self.add_act(self.now + LEAVE_PAUSE, Act::End { node, life });
            }
            _ => {}
        }
    }
}

/// Pause before a failed join is tried again, with other seeds.
const REJOIN_PAUSE: Duration = Duration::from_secs(5);

/// How long a node that has left goes on answering.
const LEAVE_PAUSE: Duration = Duration::from_secs(1);
