//! What the world does to its nodes.

use core::time::Duration;
use std::sync::Arc;

use swim_core::{Command, Seat};

use super::host::Frozen;
use super::{Knows, World, identity};
use crate::change::{Stall, Strike};
use crate::draw::node_seed;
use crate::fault::{Act, Fault, Split, Who};
use crate::machine::{Birth, Machine};
use crate::place;

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
        match fault {
            Fault::Crash(who) => {
                for node in self.select(&who, |h| h.machine.is_some() && !h.leaving) {
                    self.crash_node(node);
                }
            }
            Fault::Restart(who) => {
                for node in self.select(&who, |h| h.machine.is_none() && h.started && !h.leaving) {
                    self.restart_node(node);
                }
            }
            Fault::Leave(who) => {
                for node in self.select(&who, |h| h.observes() && h.stall.is_none()) {
                    self.leave(node);
                }
            }
            Fault::Stall { who, part, time } => {
                for node in self.select(&who, |h| h.machine.is_some() && h.stall.is_none()) {
                    self.stall_node(node, part, time);
                }
            }
            Fault::Stalls { who, part, course, time } => {
                self.stall_in_turns(&who, part, course, time);
            }
            Fault::Block { ends, plane, share, course, time } => {
                self.block(&ends, plane, share, course, time);
            }
            Fault::Partition(split) => self.split(&split),
            Fault::Heal => {
                self.end_blocks();
                if !self.groups.is_empty() {
                    self.faults.heals += 1;
                    self.groups = Arc::default();
                    self.tell_strike(Strike::Healed);
                    self.tracker.disturbed(self.now);
                }
            }
            Fault::Loss(loss) => {
                if let Ok(links) = self.links.with_loss(loss) {
                    self.links = links;
                    self.tell_strike(Strike::Loss(loss));
                }
            }
        }
    }

    /// The nodes that a fault strikes, of those that it applies to, in order of their numbers.
    pub(super) fn select(
        &mut self,
        who: &Who,
        applies: impl Fn(&super::Host<M>) -> bool,
    ) -> Vec<u32> {
        let fits = |node: &u32| self.hosts.get(*node as usize).is_some_and(&applies);
        let mut chosen: Vec<u32> = match who {
            Who::Node(node) => Some(*node).filter(fits).into_iter().collect(),
            Who::Nodes(nodes) => nodes.iter().copied().filter(fits).collect(),
            Who::All => return (0..self.len()).filter(fits).collect(),
            Who::Random(k) => {
                let mut nodes: Vec<u32> = (0..self.len()).filter(fits).collect();
                self.draw.choose(&mut nodes, *k as usize).to_vec()
            }
        };
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// Makes a node's machine.
    pub(super) fn start(&mut self, node: u32, knows: Knows) {
        let host = &mut self.hosts[node as usize];
        if host.started {
            host.life += 1;
        }
        let (life, now, converged) = (host.life, self.now, knows == Knows::Everybody);
        let seed = node_seed(self.seed, node, life);
        let birth = Birth {
            config: &self.core,
            index: node,
            life,
            identity: identity(node),
            seed,
            now,
            roster: &self.roster,
            converged,
        };
        host.machine = Some((self.make)(&birth));
        host.started = true;
        host.live = 0;
        (host.sent, host.sent_bytes, host.received, host.wakes) = (0, 0, 0, 0);
        self.tracker.observer_comes(now);
        self.tell_strike(Strike::Started { node, life, converged });
        self.drain(node);
    }

    fn join(&mut self, node: u32, seeds: &[u32]) {
        let seats = seeds.iter().map(|&i| Seat::from(place::addr(i))).collect();
        // The command may end before it returns, so its number is known before it starts.
        let host = &mut self.hosts[node as usize];
        host.joining = Some(host.ops + 1);
        if self.give_command(node, Command::Join(seats)).is_none() {
            self.hosts[node as usize].joining = None;
        }
    }

    /// Nodes to join by: some that are up, as an operator's list of seeds would name.
    fn draw_seeds(&mut self, node: u32) -> Vec<u32> {
        let mut up: Vec<u32> =
            (0..self.len()).filter(|&i| i != node && self.hosts[i as usize].observes()).collect();
        self.draw.choose(&mut up, SEEDS).to_vec()
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
        host.deadline = swim_core::Instant::MAX;
        host.armed = swim_core::Instant::MAX;
        host.generation = host.generation.wrapping_add(1);
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
        let number = (self.faults.io_stalls + self.faults.loop_stalls) as u32;
        let frozen = Frozen {
            part,
            number,
            inbox: Vec::new(),
            inbox_bytes: 0,
            outbox: Vec::new(),
            overslept: false,
        };
        self.hosts[node as usize].stall = Some(frozen);
        self.tell_strike(Strike::Stalled { node, part, until });
        self.tracker.disturbed(self.now);
        self.add_act(until, Act::Resume { node, stall: number });
    }

    fn split(&mut self, split: &Split) {
        let groups = self.groups_of(split);
        let mut sides = groups.clone();
        sides.sort_unstable();
        sides.dedup();
        if sides.len() < 2 {
            return;
        }
        self.faults.partitions += 1;
        self.groups = groups.into();
        self.tell_strike(Strike::Split(Arc::clone(&self.groups)));
        self.tracker.disturbed(self.now);
    }

    /// The group of each node.
    fn groups_of(&mut self, split: &Split) -> Vec<u16> {
        let mut groups = vec![0; self.hosts.len()];
        match split {
            Split::Groups(named) => {
                for (group, nodes) in (1..).zip(named) {
                    for &node in nodes {
                        if let Some(g) = groups.get_mut(node as usize) {
                            *g = group;
                        }
                    }
                }
            }
            Split::Sizes(sizes) => {
                let mut nodes: Vec<u32> = (0..self.len()).collect();
                let all = nodes.len();
                self.draw.choose(&mut nodes, all);
                let mut rest = nodes.as_slice();
                for (group, &size) in (0..).zip(sizes) {
                    let last = usize::from(group) + 1 == sizes.len();
                    let size = if last { rest.len() } else { rest.len().min(size as usize) };
                    let (taken, left) = rest.split_at(size);
                    for &node in taken {
                        groups[node as usize] = group;
                    }
                    rest = left;
                }
            }
        }
        groups
    }
}

/// Seeds that a node joins by.
const SEEDS: usize = 3;
