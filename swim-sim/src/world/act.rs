//! What the world does to its nodes.

use core::time::Duration;
use std::sync::Arc;

use swim_core::{Command, Seat};

use super::host::Frozen;
use super::{Knows, World, identity};
use crate::change::{Stall, Strike};
use crate::draw::{Draw, hash, node_seed};
use crate::fault::{Act, Fault, Who};
use crate::machine::{Birth, Machine};

impl<M: Machine> World<M> {
    pub(super) fn act(&mut self, act: Act) {
        match act {
            Act::Fault(fault) => self.apply(fault),
            Act::Start(node) => {
                self.start(node, Knows::Itself);
                if node != 0 {
                    self.join(node, &[0]);
                }
            }
            Act::Join { node, life } => {
                let host = &self.hosts[node as usize];
                if host.life == life && host.observes() {
                    let seeds = self.draw_seeds(node);
                    self.join(node, &seeds);
                }
            }
            Act::Resume { node, stall } => {
                if self.hosts[node as usize].stall.as_ref().is_some_and(|s| s.number == stall) {
                    self.tell_strike(Strike::Resumed(node));
                    self.resume(node);
                }
            }
            Act::Work { node, stall } => self.work(node, stall),
            Act::Turn { spell, on } => self.turn(spell, on),
            Act::EndSpell(spell) => self.end_spell(spell),
            Act::End { node, life } => {
                let host = &self.hosts[node as usize];
                if host.life == life && host.leaving {
                    self.stop(node);
                    self.tell_strike(Strike::Gone(node));
                }
            }
        }
    }

    fn apply(&mut self, fault: Fault) {
        let Some(fault) = self.concrete(fault) else { return };
        if let Some(strikes) = &mut self.strikes {
            strikes.push((self.now, fault.clone()));
        }
        match fault {
            Fault::Crash(who) => self.each(&who, |world, node| drop(world.crash_node(node))),
            Fault::Vanish(who) => self.each(&who, |world, node| {
                world.hosts[node as usize].dark = true;
                world.crash_node(node);
            }),
            Fault::Restart(who) => self.each(&who, Self::restart_node),
            Fault::Move(who) => self.each(&who, |world, node| {
                world.faults.moves += 1;
                world.tell_strike(Strike::Moved(node));
                world.move_home(node);
                world.restart_node(node);
            }),
            Fault::Leave(who) => self.each(&who, Self::leave),
            Fault::Reset(who) => self.each(&who, Self::break_streams),
            Fault::Stall { who, part, time } => {
                self.each(&who, |world, node| world.stall_node(node, part, time));
            }
            Fault::Stalls { who, part, course, time } => {
                self.stall_in_turns(&who, part, course, time);
            }
            Fault::Slow { who, cost, course, time } => self.slow(&who, cost, course, time),
            Fault::Drift { who, ppm, time } => self.drift(&who, ppm, time),
            Fault::Block { ends, plane, share, course, time } => {
                self.block(&ends, plane, share, course, time);
            }
            Fault::Partition(split) => self.split(split.named()),
            Fault::Heal => self.heal_all(),
            Fault::Loss(loss) => {
                if let Ok(links) = self.links.clone().with_loss(loss) {
                    self.links = links;
                    self.tell_strike(Strike::Loss(loss));
                }
            }
            Fault::Command { who, order } => self.each(&who, |world, node| {
                world.order(node, &order);
            }),
        }
    }

    fn each(&mut self, who: &Who, mut act: impl FnMut(&mut Self, u32)) {
        for &node in who.named() {
            act(self, node);
        }
    }

    fn heal_all(&mut self) {
        self.end_blocks();
        if !self.groups.is_empty() {
            self.faults.heals += 1;
            self.groups = Arc::default();
            self.tell_strike(Strike::Healed);
            self.tracker.disturbed(self.now);
        }
    }

    /// Makes a node's machine.
    pub(super) fn start(&mut self, node: u32, knows: Knows) {
        let host = &mut self.hosts[node as usize];
        if host.started {
            host.life += 1;
        }
        host.dark = false;
        let (life, now, converged) = (host.life, self.now, knows == Knows::Everybody);
        let seed = node_seed(self.seed, node, life);
        let birth = Birth {
            config: &self.core,
            index: node,
            life,
            identity: identity(node, &self.domain, self.addr(node)),
            seed,
            now: self.clock(node),
            domain: &self.domain,
            roster: &self.roster,
            converged,
            shares_states: self.shares_states,
            ledger: &self.ledger,
        };
        let machine = (self.make)(&birth);
        let host = &mut self.hosts[node as usize];
        host.machine = Some(machine);
        host.started = true;
        host.live = 0;
        (host.sent, host.sent_bytes, host.received, host.wakes) = (0, 0, 0, 0);
        self.tracker.observer_comes(now);
        self.tell_strike(Strike::Started { node, life, converged });
        self.drain(node);
    }

    pub(super) fn join(&mut self, node: u32, seeds: &[u32]) {
        let seats = seeds.iter().map(|&i| Seat::from(self.addr(i))).collect();
        // The command may end before it returns, so its number is known before it starts.
        let host = &mut self.hosts[node as usize];
        host.joining = Some(host.ops + 1);
        if self.give_command(node, Command::Join(seats)).is_none() {
            self.hosts[node as usize].joining = None;
        }
    }

    /// Nodes to join by: some that are up, as an operator's list of seeds would name. What else is
    /// drawn does not change them.
    fn draw_seeds(&self, node: u32) -> Vec<u32> {
        let host = &self.hosts[node as usize];
        let label = hash(self.seed, node.into(), host.life.into(), host.ops);
        let mut up: Vec<u32> =
            (0..self.len()).filter(|&i| i != node && self.hosts[i as usize].observes()).collect();
        Draw::new(label, "seeds").choose(&mut up, SEEDS).to_vec()
    }

    /// Ends a node's process without a word; its machine is left.
    pub(super) fn crash_node(&mut self, node: u32) -> Option<M> {
        let machine = self.stop(node)?;
        self.faults.crashes += 1;
        self.tell_strike(Strike::Crashed(node));
        self.tracker.crashed(self.now, node, &self.hosts);
        Some(machine)
    }

    /// Ends a node's process.
    fn stop(&mut self, node: u32) -> Option<M> {
        let host = &mut self.hosts[node as usize];
        let machine = host.machine.take()?;
        if !host.leaving {
            self.tracker.observer_goes(self.now, node, host.live);
        }
        host.issued = host.issued.max(machine.incarnation());
        host.alarm.stop();
        host.joining = None;
        self.past.words(host.digest.value(), node.into());
        host.digest = crate::digest::Digest::default();
        self.discard_mail(node);
        self.hang_up_all(node);
        Some(machine)
    }

    fn restart_node(&mut self, node: u32) {
        self.faults.restarts += 1;
        self.tracker.restarted(node);
        self.start(node, Knows::Itself);
        self.tracker.disturbed(self.now);
        let seeds = self.draw_seeds(node);
        self.join(node, &seeds);
    }

    fn leave(&mut self, node: u32) {
        self.faults.leaves += 1;
        let host = &mut self.hosts[node as usize];
        host.leaving = true;
        let live = host.live;
        self.tell_strike(Strike::Leaving(node));
        self.tracker.observer_goes(self.now, node, live);
        self.tracker.disturbed(self.now);
        self.give_command(node, Command::Leave);
    }

    pub(super) fn stall_node(&mut self, node: u32, part: Stall, time: Duration) {
        match part {
            Stall::Io => self.faults.io_stalls += 1,
            Stall::Loop => self.faults.loop_stalls += 1,
        }
        let until = self.now + time;
        let number = self.next_stall();
        self.hosts[node as usize].stall = Some(Frozen::new(part, number));
        self.tell_strike(Strike::Stalled { node, part, until });
        self.tracker.disturbed(self.now);
        self.add_act(until, Act::Resume { node, stall: number });
    }

    /// Tells stalls and slow nodes apart, each counted before.
    pub(super) const fn next_stall(&self) -> u32 {
        (self.faults.io_stalls + self.faults.loop_stalls + self.faults.slowed) as u32
    }

    fn split(&mut self, named: &[Vec<u32>]) {
        let mut groups = vec![0; self.hosts.len()];
        for (group, nodes) in (1..).zip(named) {
            for &node in nodes {
                if let Some(g) = groups.get_mut(node as usize) {
                    *g = group;
                }
            }
        }
        if groups.iter().all(|g| *g == groups[0]) {
            return;
        }
        self.faults.partitions += 1;
        self.groups = groups.into();
        self.tell_strike(Strike::Split(Arc::clone(&self.groups)));
        self.tracker.disturbed(self.now);
    }
}

/// Seeds that a node joins by.
const SEEDS: usize = 3;
