//! Feeding packets to a receiver: drawn once and repeated, or fresh every time if they carry news.

use std::time::{Duration, Instant};

use crate::clock::{Summary, mean_without_preemption, thread_cpu_ns};
use crate::counting;
use crate::workload::{Case, Draft, Drafts, Receiver, UPDATES};

/// One receiver and what it is fed.
#[derive(Debug)]
pub struct Feed<R: Receiver> {
    n: u32,
    receiver: R,
    drafts: Drafts,
    case: Case,
    packets: Vec<R::Packet>,
    /// Times that the packets are handed in per run, if they may be repeated.
    passes: usize,
    /// Old news about every member.
    sweep: Vec<R::Packet>,
}

impl<R: Receiver> Feed<R> {
    /// Makes a receiver that knows `n` members.
    pub fn new(n: u32) -> Self {
        let receiver = R::knowing(n);
        let drafts = Drafts::new(n);
        let sweep = every_member(n).iter().map(|draft| receiver.encode(draft)).collect();
        Self { n, receiver, drafts, case: Case::Ping, packets: Vec::new(), passes: 1, sweep }
    }

    /// Members that the receiver knows.
    pub fn n(&self) -> u32 {
        self.n
    }

    /// The receiver.
    pub fn receiver(&mut self) -> &mut R {
        &mut self.receiver
    }

    /// The packets of the case.
    pub fn packets(&self) -> &[R::Packet] {
        &self.packets
    }

    /// Draws the packets of a case and warms up.
    pub fn begin(&mut self, case: Case) {
        self.case = case;
        self.packets = self.draw(self.packets_per_run());
        self.passes = 1;
        let pass = self.run() * self.packets.len() as f64;
        if case != Case::New {
            self.passes = (RUN_NS / pass).clamp(1.0, 100.0) as usize;
        }
    }

    fn draw(&mut self, packets: usize) -> Vec<R::Packet> {
        let drafts = self.drafts.draw(self.case, packets);
        drafts.iter().map(|draft| self.receiver.encode(draft)).collect()
    }

    fn packets_per_run(&self) -> usize {
        match (self.case, self.n) {
            (Case::New, 100_000..) => 20,
            (Case::New, _) => 300,
            (_, 100_000..) => 500,
            _ => 2_000,
        }
    }

    /// Nanoseconds per packet with warm caches: another side may have run since.
    pub fn run(&mut self) -> f64 {
        let end = Instant::now() + WARM_UP_MAX;
        for packet in self.sweep.iter().take_while(|_| Instant::now() < end) {
            self.receiver.take(packet);
        }
        let packets = self.packets.len() * self.passes;
        self.take(packets as u64) / packets as f64
    }

    /// Hands in this many packets and gives the nanoseconds that they take.
    ///
    /// # Panics
    ///
    /// If a ping was not answered.
    pub fn take(&mut self, packets: u64) -> f64 {
        if self.case == Case::New {
            return self.take_news(packets);
        }
        let before = self.receiver.sent().0;
        let start = thread_cpu_ns();
        for packet in self.packets.iter().cycle().take(packets as usize) {
            self.receiver.take(packet);
        }
        let ns = (thread_cpu_ns() - start) as f64;
        assert_eq!(self.receiver.sent().0 - before, packets, "every ping was answered");
        ns
    }

    /// News are news once only, and what is queued about them is sent away before the next packet,
    /// out of the measured time.
    fn take_news(&mut self, packets: u64) -> f64 {
        let mut samples: Vec<u64> = Vec::with_capacity(packets as usize);
        while samples.len() < packets as usize {
            let wanted = (packets as usize - samples.len()).min(self.packets_per_run());
            self.packets = self.draw(wanted);
            for packet in &self.packets {
                let start = Instant::now();
                self.receiver.take(packet);
                samples.push(start.elapsed().as_nanos() as u64);
                self.receiver.settle();
            }
        }
        mean_without_preemption(&mut samples) * packets as f64
    }

    /// Nanoseconds of single packets that meet cold caches.
    pub fn run_cold(&mut self, sweep: &mut Sweep) -> Summary {
        self.packets = self.draw(COLD_PACKETS);
        let mut samples = Vec::with_capacity(COLD_PACKETS);
        for packet in &self.packets {
            sweep.sweep();
            let start = Instant::now();
            self.receiver.take(packet);
            samples.push(start.elapsed().as_nanos() as f64);
            self.receiver.settle();
        }
        Summary::of(&mut samples)
    }

    /// Allocations per packet, with warm buffers.
    pub fn count(&mut self) -> f64 {
        self.packets = self.draw(self.packets_per_run());
        let mut allocations = 0;
        for packet in &self.packets {
            allocations += counting::allocations_of(|| self.receiver.take(packet));
            self.receiver.settle();
        }
        allocations as f64 / self.packets.len() as f64
    }
}

/// Packets that tell a receiver of every member what it knows.
fn every_member(n: u32) -> Vec<Draft> {
    let members: Vec<u32> = (1..n).collect();
    let draft = |members: &[u32]| {
        let updates = members.iter().map(|&member| (member, 0)).collect();
        Draft { sender: members[0], seq: 0, updates }
    };
    members.chunks(UPDATES).map(draft).collect()
}

/// Other work between two packets: it leaves nothing of a node in the caches.
#[derive(Debug)]
pub struct Sweep(Vec<u64>);

impl Default for Sweep {
    fn default() -> Self {
        Self(vec![1; SWEEP_BYTES / 8])
    }
}

impl Sweep {
    /// Does the other work.
    pub fn sweep(&mut self) {
        for line in self.0.chunks_exact_mut(8) {
            line[0] = std::hint::black_box(line[0].wrapping_add(1));
        }
    }
}

/// Larger than the last-level cache of common machines.
const SWEEP_BYTES: usize = 128 << 20;
/// Packets that meet cold caches.
const COLD_PACKETS: usize = 31;
/// How long a run should last at least.
const RUN_NS: f64 = 5e6;
/// How long a warm-up may take.
const WARM_UP_MAX: Duration = Duration::from_millis(50);
