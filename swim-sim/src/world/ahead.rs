//! Nodes that run side by side.
//!
//! No packet takes less than the shortest delay, so within a window of that length no node can
//! hear what another does. What each does in it depends on its own mail and time-outs only: several
//! threads work that out ahead, and then the world tells it in the one order of all events, as if
//! each machine were asked when its turn comes. Links, oracles, streams and faults see that order
//! and nothing else, so that the number of threads cannot change a result.
//!
//! A window ends early where a stream goes on or a fault strikes. Frozen nodes are asked in turn,
//! and so is every node once a clock drifts or a node has moved.

use bytes::BytesMut;
use swim_core::{Input, Instant};

use super::alarm::Alarm;
use super::host::Host;
use super::step::sender;
use super::turn::{Cause, Log, Turn};
use super::{Item, World};
use crate::arena::Arena;
use crate::machine::Machine;
use crate::place;
use crate::prefetch::prefetch;
use crate::wheel::Due;

/// Items of a window for each thread, at least.
const ITEMS_MIN: usize = 64;

/// Items of a window at most, which bounds what is held for it.
const ITEMS_MAX: usize = 1 << 14;

/// Threads, and what they have worked out.
#[derive(Default)]
pub(super) struct Ahead {
    pool: Option<rayon::ThreadPool>,
    /// A window with fewer items is not worth waking them up for.
    items_min: usize,
    /// The window's items, in order.
    batch: Vec<Due<Item>>,
    /// The same by node: node, index into the batch.
    by_node: Vec<(u32, u32)>,
    /// One for each thread.
    pub(super) logs: Vec<Log>,
    /// For each node its log, its next turn there, and the end of its turns.
    plans: Vec<(u32, u32, u32)>,
    /// Turns not told yet.
    left: usize,
}

/// What all threads read.
struct Window<'w> {
    batch: &'w [Due<Item>],
    arena: &'w Arena,
    /// Time and key of what comes after the window.
    end: (u64, u64),
    /// Key bits of a deadline.
    class: u64,
    nodes: u32,
}

/// Nodes of one thread, the number of the first, and their items.
struct Share<'w, M> {
    hosts: &'w mut [Host<M>],
    first: u32,
    items: &'w [(u32, u32)],
    log: &'w mut Log,
}

impl<M: Machine> World<M> {
    /// Has so many threads work from now on. Their number changes no result.
    ///
    /// # Panics
    ///
    /// If the system has no room for them.
    pub fn set_threads(&mut self, threads: usize) {
        self.ahead = Ahead::default();
        if threads > 1 {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            self.ahead.pool = Some(pool.expect("the system starts threads"));
            self.ahead.items_min = ITEMS_MIN * threads;
            self.ahead.logs.resize_with(threads, Log::default);
            self.ahead.plans.resize(self.hosts.len(), (0, 0, 0));
        }
    }

    /// Does everything of the next window that is not after `until`; false if there is nothing.
    pub(super) fn step_window(&mut self, until: Instant) -> bool {
        let limit = match self.next_act <= until {
            // Acts of an instant come before what arrives in it.
            true => self.next_act.as_nanos().saturating_sub(1),
            false => until.as_nanos(),
        };
        let Some(first) = self.wheel.front(limit) else { return self.step_before(until) };
        if matches!(first.item, Item::Stream { .. }) {
            return self.step_before(until);
        }
        let wide = self.links.delay_min().as_nanos() as u64;
        let edge = (first.at + wide - 1).min(limit);
        let end = self.gather(edge);
        // Drifting clocks and moved nodes are rare, and the threads do not know of them.
        let plain = self.clocks.is_empty() && self.homes.is_empty();
        if plain && self.ahead.batch.len() >= self.ahead.items_min {
            self.work_ahead(end);
        }
        self.tell_window(end);
        true
    }

    /// Takes the window's items; time and key of what comes after them.
    fn gather(&mut self, edge: u64) -> (u64, u64) {
        self.ahead.batch.clear();
        while let Some(&next) = self.wheel.front(edge) {
            let full = self.ahead.batch.len() == ITEMS_MAX;
            if full || matches!(next.item, Item::Stream { .. }) {
                return (next.at, next.key);
            }
            self.ahead.batch.extend(self.wheel.pop(edge));
        }
        (edge.saturating_add(1), 0)
    }

    /// Works out what each node does in the window.
    fn work_ahead(&mut self, end: (u64, u64)) {
        let (class, nodes) = (self.timer_class(), self.len());
        let Self { ahead, hosts, arena, .. } = self;
        let Ahead { pool, batch, by_node, logs, plans, left, .. } = ahead;
        let Some(pool) = pool else { return };
        by_node.clear();
        by_node.extend((0..).zip(&*batch).filter_map(|(i, due)| match due.item {
            Item::Packet { to: node, .. } | Item::Timer { node, .. } => Some((node, i)),
            Item::Stream { .. } => None,
        }));
        by_node.sort_unstable();
        let window = &Window { batch, arena, end, class, nodes };
        let shares = share_out(hosts, by_node, logs);
        pool.scope(|scope| {
            for share in shares {
                scope.spawn(move |_| share.work(window));
            }
        });
        for (lane, log) in (0..).zip(&*logs) {
            for &(node, start, end) in &log.nodes {
                plans[node as usize] = (lane, start, end);
                *left += (end - start) as usize;
            }
        }
    }

    /// Tells the window in order, with the deadlines that come up in it.
    fn tell_window(&mut self, end: (u64, u64)) {
        let batch = core::mem::take(&mut self.ahead.batch);
        for due in &batch {
            self.catch_up((due.at, due.key), due.at);
            self.take_up(*due);
        }
        self.ahead.batch = batch;
        self.catch_up(end, end.0.saturating_sub(1));
        assert_eq!(self.ahead.left, 0, "what was worked out ahead came to pass");
        for log in &mut self.ahead.logs {
            log.clear();
        }
    }

    /// Does what was added to the window and comes before `end`, and acts up to `acts_until`.
    fn catch_up(&mut self, end: (u64, u64), acts_until: u64) {
        loop {
            let next = self.wheel.front(end.0).map(|due| (due.at, due.key));
            let next = next.filter(|&next| next < end);
            if self.next_act.as_nanos() <= next.map_or(acts_until, |(at, _)| at) {
                self.act_next();
            } else if next.is_some() {
                let due = self.wheel.pop(end.0).expect("it stands in front");
                self.take_up(due);
            } else {
                return;
            }
        }
    }

    /// The turn of a node that was worked out ahead: its log and place there.
    #[inline]
    pub(super) fn planned(&mut self, node: u32, cause: Cause) -> Option<(usize, u32)> {
        if self.ahead.left == 0 {
            return None;
        }
        let (lane, next, end) = &mut self.ahead.plans[node as usize];
        if next >= end {
            return None;
        }
        let (lane, index) = (*lane as usize, *next);
        *next += 1;
        self.ahead.left -= 1;
        let turn = &self.ahead.logs[lane].turns[index as usize];
        assert_eq!((turn.at, turn.cause), (self.now, cause), "node {node} was worked out wrongly");
        Some((lane, index))
    }
}

/// Splits nodes into one range for each log, with about as many items each.
fn share_out<'w, M>(
    mut hosts: &'w mut [Host<M>],
    mut items: &'w [(u32, u32)],
    logs: &'w mut [Log],
) -> Vec<Share<'w, M>> {
    let mut first = 0;
    let mut lanes = logs.len();
    let mut shares = Vec::with_capacity(lanes);
    for log in logs {
        let mut cut = items.len().div_ceil(lanes);
        lanes -= 1;
        while cut > 0 && cut < items.len() && items[cut].0 == items[cut - 1].0 {
            cut += 1;
        }
        let (mine, rest) = items.split_at(cut);
        let end = rest.first().map_or(first + hosts.len() as u32, |&(node, _)| node);
        let (my_hosts, other_hosts) =
            core::mem::take(&mut hosts).split_at_mut((end - first) as usize);
        shares.push(Share { hosts: my_hosts, first, items: mine, log });
        (hosts, items, first) = (other_hosts, rest, end);
    }
    shares
}

impl<M: Machine> Share<'_, M> {
    fn work(self, window: &Window<'_>) {
        let Self { hosts, first, items, log } = self;
        let mut left = items;
        for items in items.chunk_by(|a, b| a.0 == b.0) {
            let node = items[0].0;
            left = &left[items.len()..];
            if let Some(&(next, _)) = left.first() {
                prefetch(&hosts[(next - first) as usize]);
            }
            let host = &mut hosts[(node - first) as usize];
            if host.stall.is_none() {
                let start = log.turns.len() as u32;
                window.run(host, node, items, log);
                log.nodes.push((node, start, log.turns.len() as u32));
            }
        }
    }
}

impl Window<'_> {
    /// Gives a node its mail and time-outs, in order.
    fn run<M: Machine>(&self, host: &mut Host<M>, node: u32, items: &[(u32, u32)], log: &mut Log) {
        let key = self.class | u64::from(node);
        let Host { machine, alarm, digest, .. } = host;
        let Some(machine) = machine else { return };
        // The host's own alarm is set when the turns are told.
        let mut actor = Actor { machine, digest, alarm: *alarm, nodes: self.nodes };
        let mut added: Option<(Instant, u32)> = None;
        let mut items = items.iter().map(|&(_, i)| &self.batch[i as usize]).peekable();
        loop {
            let mail = items.peek().map_or(self.end, |due| (due.at, due.key));
            let rings = added.filter(|&(at, _)| (at.as_nanos(), key) < mail);
            let (now, entry) = if let Some((at, generation)) = rings {
                added = None;
                (at, Item::Timer { node, generation })
            } else if let Some(due) = items.next() {
                let from = sender(due.key);
                if let Item::Packet { packet, .. } = due.item {
                    let at = Instant::from_nanos(due.at);
                    let bytes = self.arena.bytes(packet);
                    let input = Input::Datagram { at, from: place::addr(from), bytes };
                    actor.take(at, Cause::Packet(packet), input, log);
                }
                (Instant::from_nanos(due.at), due.item)
            } else {
                return;
            };
            if let Item::Timer { generation, .. } = entry {
                if !actor.alarm.ring(generation) {
                    continue;
                }
                if actor.alarm.deadline <= now {
                    actor.take(now, Cause::Timeout, Input::Timeout, log);
                }
            }
            if let Some((at, generation)) = actor.alarm.arm(now) {
                let within = (at.as_nanos(), key) < self.end;
                added = within.then_some((at, generation));
            }
        }
    }
}

/// A machine at work.
struct Actor<'w, M> {
    machine: &'w mut M,
    digest: &'w mut crate::digest::Digest,
    alarm: Alarm,
    nodes: u32,
}

impl<M: Machine> Actor<'_, M> {
    /// Hands over an input, and logs what comes out.
    fn take(&mut self, now: Instant, cause: Cause, input: Input<'_>, log: &mut Log) {
        // A refusal is counted by the node itself.
        let _ = self.machine.handle(now, input);
        let at = now.as_nanos();
        loop {
            let mut bytes = log.stock.pop().unwrap_or_else(|| BytesMut::with_capacity(256));
            let Some(to) = self.machine.poll_transmit(&mut bytes) else {
                log.stock.push(bytes);
                break;
            };
            let target = place::node_at(to).filter(|&node| node < self.nodes);
            self.digest.datagram(at, u64::from(target.unwrap_or(u32::MAX)), &bytes);
            log.datagrams.push((target, bytes));
        }
        loop {
            let mut bytes = log.stock.pop().unwrap_or_default();
            let Some(exchange) = self.machine.poll_exchange(&mut bytes) else {
                log.stock.push(bytes);
                break;
            };
            self.digest.exchange(at, &exchange, &bytes);
            log.exchanges.push((exchange, bytes));
        }
        while let Some(event) = self.machine.poll_event() {
            self.digest.event(at, &event);
            log.events.push(event);
        }
        let deadline = self.machine.poll_timeout().unwrap_or(Instant::MAX);
        if deadline != self.alarm.deadline {
            self.alarm.deadline = deadline;
            self.digest.deadline(deadline.as_nanos());
        }
        log.turns.push(Turn {
            at: now,
            cause,
            datagrams: log.datagrams.len() as u32,
            exchanges: log.exchanges.len() as u32,
            events: log.events.len() as u32,
            deadline,
            live: self.machine.live_len() as u32,
        });
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::change::Stall;
    use crate::fault::{Fault, Split, Who};
    use crate::link::Links;
    use crate::world::WorldConfig;

    /// Long delays make wide windows, and every kind of fault strikes within one.
    fn world(threads: usize, cold: bool) -> World {
        let mut config = WorldConfig::new(11, 60);
        config.core = swim_core::Config::lan().evidence_events(true).build().unwrap();
        let delays = [Duration::from_millis(9), Duration::from_millis(40)];
        config.links = Links::uniform(delays[0], delays[1]).unwrap().with_loss(0.03).unwrap();
        let at = |ms: u64| Instant::from_nanos(ms * 1_000_000);
        let stall = |part| Fault::Stall { who: Who::Random(4), part, time: Duration::from_secs(7) };
        config.faults = vec![
            (at(9_001), Fault::Crash(Who::Random(3))),
            (at(15_777), stall(Stall::Io)),
            (at(18_333), stall(Stall::Loop)),
            (at(30_000), Fault::Partition(Split::Sizes(vec![20, 40]))),
            (at(45_500), Fault::Heal),
            (at(50_123), Fault::Restart(Who::Random(2))),
            (at(55_000), Fault::Leave(Who::Random(1))),
        ];
        let mut world = if cold { World::cold(config) } else { World::converged(config) };
        world.watch_all();
        world.set_threads(threads);
        world.ahead.items_min = 1;
        world
    }

    fn course(world: &World) -> String {
        let digests: Vec<u64> = world.hosts.iter().map(|h| h.digest.value()).collect();
        let (traffic, faults) = (world.traffic(), world.fault_counts());
        let crashes = world.tracker().crashes();
        let violations = world.violations();
        format!("{traffic:?} {faults:?} {crashes:?} {violations:?} {digests:x?}")
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        for cold in [false, true] {
            let mut one = world(1, cold);
            let mut others = [world(2, cold), world(3, cold), world(8, cold)];
            for second in (0..80).step_by(5) {
                one.run_until(Instant::from_secs(second));
                for world in &mut others {
                    world.run_until(Instant::from_secs(second));
                    assert_eq!(course(world), course(&one), "by {second} s");
                }
            }
            assert!(one.fault_counts().partitions == 1 && one.traffic().events > 10_000);
        }
    }

    #[test]
    fn nodes_are_shared_out_whole() {
        let mut hosts: Vec<Host<swim_core::Node>> = (0..7).map(|_| Host::default()).collect();
        let items = [(1, 0), (1, 4), (1, 5), (2, 1), (6, 2), (6, 3)];
        let mut logs: Vec<Log> = (0..4).map(|_| Log::default()).collect();
        let shares = share_out(&mut hosts, &items, &mut logs);
        assert_eq!(shares.iter().map(|s| s.items.len()).sum::<usize>(), items.len());
        assert_eq!(shares.iter().map(|s| s.hosts.len()).sum::<usize>(), 7);
        for share in &shares {
            let end = share.first + share.hosts.len() as u32;
            assert!(share.items.iter().all(|&(node, _)| (share.first..end).contains(&node)));
        }
    }
}
