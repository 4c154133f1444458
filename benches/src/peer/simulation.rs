//! A deterministic simulation of foca nodes in virtual time, on one thread: what a capable user
//! would write. One heap of small entries, recycled packet buffers, the small identity.

use core::cmp::Reverse;
use core::num::NonZeroU32;
use core::time::Duration;
use std::collections::BinaryHeap;

use foca::{Config, Foca, Member, NoCustomBroadcast, Notification, Runtime, Timer};
use rand::rngs::SmallRng;
use rand::{Rng as _, RngExt as _, SeedableRng as _};

use super::codec::Raw;
use super::identity::{Content as _, Small};

/// Virtual time in microseconds.
type Micros = u64;

/// Delay of every packet.
const LATENCY: Micros = 1_000;

/// What a run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Packets delivered, timers fired and actions of the harness.
    pub events: u64,
    /// Packets sent.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Members that came up at some node.
    pub ups: u64,
    /// Members that went down at some node.
    pub downs: u64,
    /// Inputs that a node refused.
    pub errors: u64,
    /// Over time, node and kind of all events: equal for equal seeds.
    pub digest: u64,
}

/// The nodes and what travels between them.
pub struct Simulation {
    nodes: Vec<Foca<Small, Raw<Small>, SmallRng, NoCustomBroadcast>>,
    queue: Queue,
    now: Micros,
    rng: SmallRng,
    totals: Totals,
}

impl core::fmt::Debug for Simulation {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} focas at {} us", self.nodes.len(), self.now)
    }
}

impl Simulation {
    /// `n` nodes with foca's LAN settings that do not know each other.
    pub fn new(n: u32, seed: u64) -> Self {
        let mut rng = SmallRng::seed_from_u64(seed);
        let config = Config::new_lan(NonZeroU32::new(n).expect("a cluster is not empty"));
        let mut node = |i| {
            let rng = SmallRng::seed_from_u64(rng.next_u64());
            Foca::new(Small::of(i), config.clone(), rng, Raw::new())
        };
        let nodes = (0..n).map(&mut node).collect();
        Self { nodes, queue: Queue::default(), now: 0, rng, totals: Totals::default() }
    }

    /// Lets every node but the first join by it, at random within `window`.
    pub fn join_within(&mut self, window: Duration) {
        for node in 1..self.nodes.len() as u32 {
            let at = self.rng.random_range(0..micros(window));
            self.queue.push(at, Event::Join { node });
        }
    }

    /// Gives every node the whole roster, at random within `window`.
    pub fn preload_within(&mut self, window: Duration) {
        for node in 0..self.nodes.len() as u32 {
            let at = self.rng.random_range(0..micros(window));
            self.queue.push(at, Event::Preload { node });
        }
    }

    /// Virtual time.
    pub fn now(&self) -> Duration {
        Duration::from_micros(self.now)
    }

    /// What was done so far.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Runs until `until`, or until `stop` holds after an event; whether it did.
    pub fn run(&mut self, until: Duration, mut stop: impl FnMut(&Totals) -> bool) -> bool {
        while let Some((at, event)) = self.queue.pop(micros(until)) {
            self.now = at;
            self.step(event);
            if stop(&self.totals) {
                return true;
            }
        }
        self.now = micros(until);
        false
    }

    fn step(&mut self, event: Event) {
        let (node, kind) = match &event {
            Event::Packet { to, .. } => (*to, 1),
            Event::Timer { node, .. } => (*node, 2),
            Event::Join { node } => (*node, 3),
            Event::Preload { node } => (*node, 4),
            Event::Free => unreachable!("free places are not in the heap"),
        };
        self.totals.events += 1;
        for word in [self.now, u64::from(node), kind] {
            self.totals.digest = (self.totals.digest ^ word).wrapping_mul(0x100_0000_01b3);
        }
        let n = self.nodes.len() as u32;
        let foca = &mut self.nodes[node as usize];
        let driver =
            Driver { now: self.now, node, queue: &mut self.queue, totals: &mut self.totals };
        let taken = match event {
            Event::Packet { data, .. } => {
                let taken = foca.handle_data(&data, driver);
                self.queue.recycle(data);
                taken
            }
            Event::Timer { timer, .. } => foca.handle_timer(timer, driver),
            Event::Join { .. } => foca.announce(Small::of(0), driver),
            Event::Preload { node } => {
                let others = (0..n).filter(|&i| i != node).map(|i| Member::alive(Small::of(i)));
                foca.apply_many(others, false, driver)
            }
            Event::Free => unreachable!("free places are not in the heap"),
        };
        self.totals.errors += u64::from(taken.is_err());
    }
}

struct Driver<'a> {
    now: Micros,
    node: u32,
    queue: &'a mut Queue,
    totals: &'a mut Totals,
}

impl Runtime<Small> for Driver<'_> {
    #[inline]
    fn notify(&mut self, notification: Notification<'_, Small>) {
        match notification {
            Notification::MemberUp(_) => self.totals.ups += 1,
            Notification::MemberDown(_) => self.totals.downs += 1,
            _ => {}
        }
    }

    #[inline]
    fn send_to(&mut self, to: Small, data: &[u8]) {
        self.totals.packets += 1;
        self.totals.bytes += data.len() as u64;
        let data = self.queue.buffer(data);
        self.queue.push(self.now + LATENCY, Event::Packet { to: to.index(), data });
    }

    #[inline]
    fn submit_after(&mut self, timer: Timer<Small>, after: Duration) {
        self.queue.push(self.now + micros(after), Event::Timer { node: self.node, timer });
    }
}

enum Event {
    Packet { to: u32, data: Vec<u8> },
    Timer { node: u32, timer: Timer<Small> },
    Join { node: u32 },
    Preload { node: u32 },
    Free,
}

/// Events by time, then by order of arrival.
#[derive(Default)]
struct Queue {
    heap: BinaryHeap<Reverse<(Micros, u64, u32)>>,
    places: Vec<Event>,
    free: Vec<u32>,
    buffers: Vec<Vec<u8>>,
    pushed: u64,
}

impl Queue {
    #[inline]
    fn push(&mut self, at: Micros, event: Event) {
        let place = match self.free.pop() {
            Some(place) => {
                self.places[place as usize] = event;
                place
            }
            None => {
                self.places.push(event);
                self.places.len() as u32 - 1
            }
        };
        self.pushed += 1;
        self.heap.push(Reverse((at, self.pushed, place)));
    }

    #[inline]
    fn pop(&mut self, until: Micros) -> Option<(Micros, Event)> {
        let &Reverse((at, _, place)) = self.heap.peek()?;
        if at > until {
            return None;
        }
        self.heap.pop();
        self.free.push(place);
        Some((at, core::mem::replace(&mut self.places[place as usize], Event::Free)))
    }

    #[inline]
    fn buffer(&mut self, data: &[u8]) -> Vec<u8> {
        let mut buffer = self.buffers.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(data);
        buffer
    }

    #[inline]
    fn recycle(&mut self, buffer: Vec<u8>) {
        if self.buffers.len() < BUFFERS_MAX {
            self.buffers.push(buffer);
        }
    }
}

/// Buffers kept at most.
const BUFFERS_MAX: usize = 65_536;

fn micros(d: Duration) -> Micros {
    d.as_micros() as Micros
}
