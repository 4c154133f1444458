//! Faults with every choice made: which nodes, which groups.

use swim_core::Instant;

use super::{Host, World};
use crate::block::Ends;
use crate::fault::{Fault, Order, Split, Who};
use crate::machine::Machine;

impl<M: Machine> World<M> {
    /// Keeps a list of what strikes, from now on.
    pub fn record_strikes(&mut self) {
        self.strikes.get_or_insert_default();
    }

    /// What has struck since [`Self::record_strikes`], with every choice made: given to another
    /// world of the same seed it does the same, and each fault can be left out by itself.
    pub fn strikes(&self) -> &[(Instant, Fault)] {
        self.strikes.as_deref().unwrap_or_default()
    }

    /// What was asked for and did not strike as many nodes as it should have, in words.
    pub fn unmet(&self) -> &[String] {
        &self.unmet
    }

    /// The fault with its choices made; `None` if it strikes nobody.
    pub(super) fn concrete(&mut self, fault: Fault) -> Option<Fault> {
        let (name, missed) = (fault.name(), self.missed);
        let concrete = self.choose(fault);
        let missed = self.missed - missed;
        if missed > 0 {
            let at = self.now.as_secs_f64();
            self.unmet.push(format!("{name} at {at:.3} s: {missed} nodes too few could be struck"));
        }
        concrete
    }

    fn choose(&mut self, fault: Fault) -> Option<Fault> {
        Some(match fault {
            Fault::Crash(who) => Fault::Crash(self.chosen(&who, is_member)?),
            Fault::Vanish(who) => Fault::Vanish(self.chosen(&who, is_member)?),
            Fault::Restart(who) => Fault::Restart(self.chosen(&who, is_gone)?),
            Fault::Move(who) => Fault::Move(self.chosen(&who, is_gone)?),
            Fault::Leave(who) => Fault::Leave(self.chosen(&who, is_ready)?),
            Fault::Reset(who) => Fault::Reset(self.chosen(&who, is_up)?),
            Fault::Stall { who, part, time } => {
                Fault::Stall { who: self.chosen(&who, is_running)?, part, time }
            }
            Fault::Stalls { who, part, course, time } => {
                Fault::Stalls { who: self.chosen(&who, is_up)?, part, course, time }
            }
            Fault::Slow { who, cost, course, time } => {
                Fault::Slow { who: self.chosen(&who, is_up)?, cost, course, time }
            }
            Fault::Drift { who, ppm, time } => {
                Fault::Drift { who: self.chosen(&who, |_| true)?, ppm, time }
            }
            Fault::Block { ends, plane, share, course, time } => {
                Fault::Block { ends: self.chosen_ends(&ends)?, plane, share, course, time }
            }
            Fault::Partition(Split::Sizes(sizes)) => {
                Fault::Partition(Split::Groups(self.draw_groups(&sizes)))
            }
            Fault::Command { who, order } => {
                let who = self.chosen(&who, is_ready)?;
                Fault::Command { who, order: self.chosen_order(order)? }
            }
            Fault::Partition(_) | Fault::Heal | Fault::Loss(_) => fault,
        })
    }

    fn chosen(&mut self, who: &Who, applies: fn(&Host<M>) -> bool) -> Option<Who> {
        let nodes = self.select(who, applies);
        let wanted = match who {
            Who::Node(_) => 1,
            Who::Nodes(nodes) => nodes.len(),
            Who::Random(k) => *k as usize,
            Who::All => 0,
        };
        self.missed += wanted.saturating_sub(nodes.len());
        match nodes[..] {
            [] => None,
            [node] => Some(Who::Node(node)),
            _ => Some(Who::Nodes(nodes)),
        }
    }

    /// Whoever is named may be forced to leave; who is drawn is down.
    fn chosen_order(&mut self, order: Order) -> Option<Order> {
        let Order::ForceLeave { of, prune } = order else { return Some(order) };
        let of = match &of {
            Who::Node(_) | Who::Nodes(_) => of,
            Who::All | Who::Random(_) => self.chosen(&of, is_gone)?,
        };
        Some(Order::ForceLeave { of, prune })
    }

    /// Sides that are all nodes stay that: they need no list.
    fn chosen_ends(&mut self, ends: &Ends) -> Option<Ends> {
        let mut side = |who: &Who| match who {
            Who::All => Some(Who::All),
            who => self.chosen(who, |_| true),
        };
        Some(match ends {
            Ends::Into(who) => Ends::Into(side(who)?),
            Ends::OutOf(who) => Ends::OutOf(side(who)?),
            Ends::Around(who) => Ends::Around(side(who)?),
            Ends::OneWay(a, b) => Ends::OneWay(side(a)?, side(b)?),
            Ends::Between(a, b) => Ends::Between(side(a)?, side(b)?),
        })
    }

    /// The nodes that a fault strikes, of those that it applies to, in order of their numbers.
    pub(super) fn select(&mut self, who: &Who, applies: impl Fn(&Host<M>) -> bool) -> Vec<u32> {
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

    /// Groups of these sizes, of all nodes; what is left over joins the last.
    fn draw_groups(&mut self, sizes: &[u32]) -> Vec<Vec<u32>> {
        let mut nodes: Vec<u32> = (0..self.len()).collect();
        let all = nodes.len();
        self.draw.choose(&mut nodes, all);
        let mut rest = nodes.as_slice();
        let mut groups = Vec::new();
        for (i, &size) in sizes.iter().enumerate() {
            let last = i + 1 == sizes.len();
            let size = if last { rest.len() } else { rest.len().min(size as usize) };
            let (taken, left) = rest.split_at(size);
            groups.push(taken.to_vec());
            rest = left;
        }
        for group in &mut groups {
            group.sort_unstable();
        }
        groups
    }
}

fn is_member<M>(host: &Host<M>) -> bool {
    host.observes()
}

fn is_gone<M>(host: &Host<M>) -> bool {
    host.machine.is_none() && host.started && !host.leaving
}

fn is_ready<M>(host: &Host<M>) -> bool {
    host.observes() && host.stall.is_none()
}

fn is_up<M>(host: &Host<M>) -> bool {
    host.machine.is_some()
}

fn is_running<M>(host: &Host<M>) -> bool {
    host.machine.is_some() && host.stall.is_none()
}
