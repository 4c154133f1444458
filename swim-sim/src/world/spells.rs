//! Faults that last for a time and come and go in it.

use core::time::Duration;

use swim_core::Instant;

use super::World;
use crate::block::{Block, Ends, Plane, Set};
use crate::change::{Stall, Strike};
use crate::course::Course;
use crate::fault::{Act, DRIFT_IMPAIRS_PPM, Who};
use crate::machine::Machine;

/// A fault under way.
#[derive(Debug)]
pub(super) struct Spell {
    what: Lasting,
    course: Course,
    until: Instant,
}

/// What comes and goes.
#[derive(Debug)]
enum Lasting {
    Stall {
        nodes: Vec<u32>,
        part: Stall,
    },
    Slow {
        nodes: Vec<u32>,
        cost: Duration,
    },
    Drift {
        nodes: Vec<u32>,
        ppm: i32,
    },
    /// A block by its number, and the nodes that it is about.
    Block {
        number: usize,
        nodes: Vec<u32>,
    },
}

impl<M: Machine> World<M> {
    /// Freezes nodes again and again.
    pub(super) fn stall_in_turns(
        &mut self,
        who: &Who,
        part: Stall,
        course: Course,
        time: Duration,
    ) {
        self.begin_for(who, course, time, |nodes| Lasting::Stall { nodes, part });
    }

    /// Makes nodes slow.
    pub(super) fn slow(&mut self, who: &Who, cost: Duration, course: Course, time: Duration) {
        for &node in who.named() {
            self.impair(node);
        }
        self.begin_for(who, course, time, |nodes| Lasting::Slow { nodes, cost });
    }

    /// Lets clocks drift.
    pub(super) fn drift(&mut self, who: &Who, ppm: i32, time: Duration) {
        self.faults.drifts += who.named().len() as u64;
        if ppm.abs() > DRIFT_IMPAIRS_PPM {
            for &node in who.named() {
                self.impair(node);
            }
        }
        self.begin_for(who, Course::Steady, time, |nodes| Lasting::Drift { nodes, ppm });
    }

    /// Begins a fault for all nodes at once, or for each by itself if it comes in bursts.
    fn begin_for(
        &mut self,
        who: &Who,
        course: Course,
        time: Duration,
        make: impl Fn(Vec<u32>) -> Lasting,
    ) {
        if let Course::Bursts { .. } = course {
            for &node in who.named() {
                self.begin(make(vec![node]), course, time);
            }
        } else {
            self.begin(make(who.named().to_vec()), course, time);
        }
    }

    /// Drops packets for a time.
    pub(super) fn block(
        &mut self,
        ends: &Ends,
        plane: Plane,
        share: f64,
        course: Course,
        time: Duration,
    ) {
        let mut named = Vec::new();
        let (from, to, both_ways) = match ends {
            Ends::Into(who) => (Set::All, self.side(who, &mut named), false),
            Ends::OutOf(who) => (self.side(who, &mut named), Set::All, false),
            Ends::Around(who) => (self.side(who, &mut named), Set::All, true),
            Ends::OneWay(a, b) => (self.side(a, &mut named), self.side(b, &mut named), false),
            Ends::Between(a, b) => (self.side(a, &mut named), self.side(b, &mut named), true),
        };
        named.sort_unstable();
        named.dedup();
        if named.is_empty() {
            return;
        }
        let number = self.blocks.add(Block { from, to, both_ways, plane, share, on: false });
        self.faults.blocks += 1;
        for &node in &named {
            self.impair(node);
        }
        self.begin(Lasting::Block { number, nodes: named }, course, time);
    }

    /// One side of a block.
    fn side(&mut self, who: &Who, named: &mut Vec<u32>) -> Set {
        let nodes = self.select(who, |_| true);
        let set = if *who == Who::All { Set::All } else { Set::of(&nodes, self.len()) };
        named.extend(nodes);
        set
    }

    fn begin(&mut self, what: Lasting, course: Course, time: Duration) {
        let number = self.spells.len();
        self.spells.push(Some(Spell { what, course, until: self.now + time }));
        if self.now + time < Instant::MAX {
            self.add_act(self.now + time, Act::EndSpell(number));
        }
        self.turn(number, course.starts_on());
    }

    /// A fault comes or goes.
    pub(super) fn turn(&mut self, number: usize, on: bool) {
        let Some(spell) = self.spells[number].take() else { return };
        let length = spell.course.length(on, &mut self.draw);
        let end = length.map_or(spell.until, |length| (self.now + length).min(spell.until));
        match &spell.what {
            Lasting::Stall { nodes, part } if on => {
                for &node in nodes {
                    let host = &self.hosts[node as usize];
                    if host.machine.is_some() && host.stall.is_none() {
                        self.stall_node(node, *part, end.since(self.now));
                    }
                }
            }
            Lasting::Stall { .. } => {}
            Lasting::Slow { nodes, cost } => {
                for &node in nodes {
                    if on {
                        self.slow_down(node, *cost);
                    } else {
                        self.speed_up(node);
                    }
                }
            }
            Lasting::Drift { nodes, ppm } => {
                for &node in nodes {
                    self.set_rate(node, if on { *ppm } else { 0 });
                }
            }
            Lasting::Block { number, .. } => self.blocks.turn(*number, on),
        }
        self.spells[number] = Some(spell);
        if length.is_some() {
            self.add_act(end, Act::Turn { spell: number, on: !on });
        }
    }

    /// A fault is over.
    pub(super) fn end_spell(&mut self, number: usize) {
        let Some(spell) = self.spells[number].take() else { return };
        let (nodes, impaired) = match spell.what {
            Lasting::Stall { .. } => return,
            Lasting::Slow { nodes, .. } => {
                for &node in &nodes {
                    self.speed_up(node);
                }
                (nodes, true)
            }
            Lasting::Drift { nodes, ppm } => {
                for &node in &nodes {
                    self.set_rate(node, 0);
                }
                (nodes, ppm.abs() > DRIFT_IMPAIRS_PPM)
            }
            Lasting::Block { number, nodes } => {
                self.blocks.turn(number, false);
                (nodes, true)
            }
        };
        for node in nodes.into_iter().filter(|_| impaired) {
            self.relieve(node);
        }
    }

    /// All blocks are over.
    pub(super) fn end_blocks(&mut self) {
        for number in 0..self.spells.len() {
            if let Some(Spell { what: Lasting::Block { .. }, .. }) = &self.spells[number] {
                self.end_spell(number);
            }
        }
    }

    /// A node comes under one fault of its links or its host more.
    fn impair(&mut self, node: u32) {
        self.impairments.resize(self.hosts.len(), 0);
        self.impairments[node as usize] += 1;
        if self.impairments[node as usize] == 1 {
            self.tell_strike(Strike::Impaired(node));
            self.tracker.disturbed(self.now);
        }
    }

    fn relieve(&mut self, node: u32) {
        self.impairments[node as usize] -= 1;
        if self.impairments[node as usize] == 0 {
            self.tell_strike(Strike::Relieved(node));
            self.tracker.disturbed(self.now);
        }
    }

    /// Whether a node's links are blocked, at least in turns, or its host is impaired.
    pub fn is_impaired(&self, node: u32) -> bool {
        self.impairments.get(node as usize).is_some_and(|&n| n > 0)
    }
}
