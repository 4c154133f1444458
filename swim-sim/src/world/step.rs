//! One step of a world: take the next item, hand it to its node, see what comes out.

use swim_core::{Command, Input, Instant, OpId};

use super::turn::Cause;
use super::watch::TICK;
use super::{Driver, Item, World};
use crate::change::Stall;
use crate::machine::Machine;
use crate::prefetch::prefetch;
use crate::stream::Mail;
use crate::wheel::Due;

/// Bytes that a socket holds for a node that does not read, as memberlist asks of the kernel.
const SOCKET_BYTES: usize = 2 << 20;
/// What a kernel charges for a datagram besides its bytes.
const DATAGRAM_OVERHEAD: usize = 256;

/// The node that sent what has this key.
pub(super) const fn sender(key: u64) -> u32 {
    (key >> 32) as u32
}

impl<M: Machine> World<M> {
    /// Does the next thing that is not after `until`; false if there is none.
    #[inline]
    pub(super) fn step_before(&mut self, until: Instant) -> bool {
        if self.next_act <= until {
            // Acts of an instant come before what arrives in it.
            let before = Instant::from_nanos(self.next_act.as_nanos().saturating_sub(1));
            if !self.step_wheel(before) {
                self.act_next();
            }
            return true;
        }
        self.step_wheel(until)
    }

    #[inline]
    fn step_wheel(&mut self, until: Instant) -> bool {
        let Some(due) = self.wheel.pop(until.as_nanos()) else { return false };
        if let Some(next) = self.wheel.peek()
            && let Item::Packet { to: node, .. } | Item::Timer { node, .. } = next.item
        {
            prefetch(&self.hosts[node as usize]);
        }
        self.take_up(due);
        true
    }

    /// Does what an item of the wheel stands for.
    #[inline]
    pub(super) fn take_up(&mut self, due: Due<Item>) {
        self.now = Instant::from_nanos(due.at);
        match due.item {
            Item::Packet { to, packet } => self.deliver(sender(due.key), to, packet),
            Item::Timer { node, generation } => self.wake(node, generation),
            Item::Stream { slot, generation, step } => self.step_stream(slot, generation, step),
        }
    }

    /// Does what the agenda or the oracles have for this instant.
    pub(super) fn act_next(&mut self) {
        self.now = self.now.max(self.next_act);
        if self.next_tick <= self.now {
            self.next_tick = self.now + TICK;
            self.tick();
        } else if let Some(act) = self.agenda.pop() {
            self.act(act);
        }
        self.next_act = self.agenda.next().min(self.next_tick);
    }

    /// Shows every oracle the world.
    fn tick(&mut self) {
        let mut oracles = core::mem::take(&mut self.oracles);
        for oracle in &mut oracles {
            if let Err(v) = oracle.on_tick(self) {
                self.note_violation(v);
            }
        }
        self.oracles = oracles;
    }

    /// A datagram arrives.
    #[inline]
    fn deliver(&mut self, from: u32, to: u32, packet: u32) {
        let (now, source) = (self.clock(to), self.addr(from));
        let host = &mut self.hosts[to as usize];
        if host.machine.is_none() {
            self.faults.to_the_dead += 1;
            return self.arena.give(packet);
        }
        if host.stall.is_some() {
            return self.park_datagram(from, to, packet);
        }
        host.received += 1;
        self.traffic.events += 1;
        if let Some((lane, turn)) = self.planned(to, Cause::Packet(packet)) {
            self.arena.give(packet);
            return self.tell_turn(to, lane, turn);
        }
        let Some(machine) = &mut self.hosts[to as usize].machine else { return };
        let bytes = self.arena.bytes(packet);
        let input = Input::Datagram { at: now, from: source, bytes };
        // A refusal is counted by the node itself.
        let _ = machine.handle(now, input);
        self.arena.give(packet);
        self.drain(to);
    }

    /// A deadline is reached, unless it has moved.
    #[inline]
    fn wake(&mut self, node: u32, generation: u32) {
        let host = &mut self.hosts[node as usize];
        if host.machine.is_none() || !host.alarm.ring(generation) {
            return;
        }
        if host.alarm.deadline > self.now {
            return self.arm(node);
        }
        if !host.timers_run() {
            if let Some(stall) = &mut host.stall {
                stall.overslept = true;
            }
            return self.begin_work(node);
        }
        if let Some((lane, turn)) = self.planned(node, Cause::Timeout) {
            self.hosts[node as usize].wakes += 1;
            self.traffic.events += 1;
            return self.tell_turn(node, lane, turn);
        }
        self.time_out(node);
        self.drain(node);
    }

    pub(super) fn time_out(&mut self, node: u32) {
        let now = self.clock(node);
        let host = &mut self.hosts[node as usize];
        host.wakes += 1;
        self.traffic.events += 1;
        if let Some(machine) = &mut host.machine {
            let _ = machine.handle(now, Input::Timeout);
        }
    }

    /// Makes sure that the wheel has an entry at or before the node's deadline.
    #[inline]
    pub(super) fn arm(&mut self, node: u32) {
        if let Some((at, generation)) = self.hosts[node as usize].alarm.arm(self.now) {
            let key = self.timer_class() | u64::from(node);
            self.wheel.push(at.as_nanos(), key, Item::Timer { node, generation });
        }
    }

    /// Key bits of deadlines.
    #[inline]
    pub(super) fn timer_class(&self) -> u64 {
        if self.driver == Driver::MailFirst { TIMER } else { 0 }
    }

    /// Keeps a datagram for a frozen node, if its socket has room.
    fn park_datagram(&mut self, from: u32, to: u32, packet: u32) {
        let bytes = self.charge(packet);
        let stall = self.hosts[to as usize].stall.as_mut().expect("the node is frozen");
        if stall.inbox_bytes + bytes > SOCKET_BYTES {
            self.faults.overflowed += 1;
            return self.arena.give(packet);
        }
        stall.inbox_bytes += bytes;
        stall.inbox.push_back(Mail::Datagram { at: self.now, from, packet });
        self.begin_work(to);
    }

    /// What a datagram takes of a socket's room, in bytes.
    pub(super) fn charge(&self, packet: u32) -> usize {
        self.arena.bytes(packet).len() + DATAGRAM_OVERHEAD
    }

    /// A frozen node goes on: it sends what waited, then reads its mail and runs its timers.
    pub(super) fn resume(&mut self, node: u32) {
        let Some(stall) = self.hosts[node as usize].stall.take() else { return };
        for (to, packet) in stall.outbox {
            self.launch(node, to, packet);
        }
        let late = stall.overslept && stall.part == Stall::Loop;
        if late && self.driver == Driver::TimersFirst {
            self.time_out(node);
        }
        for mail in stall.inbox {
            self.read(node, mail);
        }
        if late && self.driver == Driver::MailFirst {
            self.time_out(node);
        }
        self.drain(node);
    }

    /// Hands over mail that waited.
    pub(super) fn read(&mut self, node: u32, mail: Mail) {
        match mail {
            Mail::Datagram { at, from, packet } => {
                let (now, at, source) = (self.clock(node), self.local(node, at), self.addr(from));
                let host = &mut self.hosts[node as usize];
                host.received += 1;
                self.traffic.events += 1;
                let bytes = self.arena.bytes(packet);
                if let Some(machine) = &mut host.machine {
                    let input = Input::Datagram { at, from: source, bytes };
                    let _ = machine.handle(now, input);
                }
                self.arena.give(packet);
            }
            Mail::Request { slot, generation, from, packet } => {
                self.take_request(node, slot, generation, from, packet);
            }
            Mail::Outcome { slot, generation, error } => self.conclude(slot, generation, error),
        }
    }

    /// Throws away what waited for a node that is gone.
    pub(super) fn discard_mail(&mut self, node: u32) {
        let Some(stall) = self.hosts[node as usize].stall.take() else { return };
        for mail in stall.inbox {
            match mail {
                Mail::Datagram { packet, .. } => self.arena.give(packet),
                Mail::Request { slot, generation, packet, .. } => {
                    self.arena.give(packet);
                    self.reset(slot, generation);
                }
                Mail::Outcome { .. } => {}
            }
        }
        for (_, packet) in stall.outbox {
            self.arena.give(packet);
        }
    }

    /// Hands a command to a node; returns its number.
    pub(super) fn give_command(&mut self, node: u32, command: Command) -> Option<u64> {
        let now = self.clock(node);
        let host = &mut self.hosts[node as usize];
        let machine = host.machine.as_mut()?;
        host.ops += 1;
        let op = host.ops;
        let taken = machine.handle(now, Input::Command { op: OpId(op), command });
        self.drain(node);
        taken.ok().map(|()| op)
    }
}

/// Key bit of deadlines where mail comes first.
const TIMER: u64 = 1 << 63;
