//! Every oracle bites: a planted bug for each, and none of them on healthy nodes.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;

use bytes::BytesMut;
use swim_core::{
    Ablation, Cause, Config, ConfigBuilder, Event, Exchange, Input, Instant, Member, Node,
    Rejected, State, Stats,
};
use swim_sim::{Fault, Machine, Seen, Split, Stall, Who, World, WorldConfig, place};

const NODES: u32 = 20;
/// Long enough for every formula at this size.
const END: Instant = Instant::from_secs(500);
/// The node with the bug, and the one that it wrongs.
const BAD: u32 = 7;
const VICTIM: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Bug {
    None,
    /// Never tells that a node failed.
    SwallowsDown,
    /// Reports a healthy node as failed.
    WrongDown,
    /// Reports whoever is suspected as failed at once.
    Hasty,
    /// Spreads a claim about another at an incarnation that it never had.
    RaisesIncarnation,
    /// Goes back to what it said before.
    LowersIncarnation,
    /// Reports a dead node as up again, at the incarnation at which it died.
    Resurrects,
    /// Knows more and more names.
    LeaksNames,
    /// Holds more and more broadcasts.
    LeaksQueue,
    /// Holds more and more claims.
    LeaksRumours,
    /// Waits for more and more deadlines.
    LeaksTimers,
    /// Sends everything many times.
    Floods,
    /// Wakes up again and again.
    Spins,
    /// Holds a live node as dead.
    WrongView,
    /// Does not hold a live node at all.
    ForgetsOne,
    /// Holds a node that died twice as dead at its first incarnation.
    HoldsOldDeath,
}

/// A node with a bug.
struct Planted {
    node: Node,
    bug: Bug,
    wakes: usize,
    planted: bool,
    events: VecDeque<Event>,
    packets: VecDeque<(SocketAddr, Vec<u8>)>,
    /// The victim as it was at the start.
    before: Option<Member>,
}

impl Planted {
    fn new(node: Node, bug: Bug) -> Self {
        let before = node.member(&place::name(VICTIM));
        let (events, packets) = (VecDeque::new(), VecDeque::new());
        Self { node, bug, wakes: 0, planted: false, events, packets, before }
    }

    /// Does the wrong thing once, half a minute in.
    fn plant(&mut self, now: Instant) {
        if self.planted || now < Instant::from_secs(30) {
            return;
        }
        self.planted = true;
        let Some(victim) = self.node.member(&place::name(VICTIM)) else { return };
        match self.bug {
            Bug::WrongDown => {
                let down = Event::Down { member: victim, cause: Cause::Failed, by: None };
                self.events.push_back(down);
            }
            Bug::RaisesIncarnation => {
                self.packets.push_back((place::addr(5), forged_alive(VICTIM, 9)));
            }
            _ => {}
        }
    }

    fn pass(&mut self, event: Event) {
        match (self.bug, &event) {
            (Bug::SwallowsDown, Event::Down { .. }) => return,
            (Bug::Resurrects, Event::Down { member, .. }) => {
                let up = Event::Up(member.clone());
                self.events.extend([event, up]);
                return;
            }
            (Bug::Hasty, Event::Suspected { member, by, .. }) => {
                let (member, by) = (member.clone(), Some(by.clone()));
                self.events.push_back(event);
                self.events.push_back(Event::Down { member, cause: Cause::Failed, by });
                return;
            }
            (Bug::Hasty, Event::Trusted(member)) => {
                self.events.push_back(Event::Up(member.clone()));
                return;
            }
            (Bug::LowersIncarnation, Event::Up(m)) if m.name() == place::name(VICTIM) => {
                let old = self.before.clone().map(Event::Changed);
                self.events.push_back(event);
                self.events.extend(old);
                return;
            }
            _ => {}
        }
        self.events.push_back(event);
    }
}

/// An alive message with changed metadata (memberlist spec 2.4).
fn forged_alive(node: u32, incarnation: u8) -> Vec<u8> {
    let SocketAddr::V4(addr) = place::addr(node) else { unreachable!("a world is IPv4") };
    let name = place::name(node);
    let mut bytes = b"\x04\x86\xa4Addr\xa4".to_vec();
    bytes.extend(addr.ip().octets());
    bytes.extend(b"\xabIncarnation");
    bytes.push(incarnation);
    bytes.extend(b"\xa4Meta\xa5wrong\xa4Node");
    bytes.push(0xa0 | name.len() as u8);
    bytes.extend(name.as_bytes());
    bytes.extend(b"\xa4Port\xcd\x1f\x0a\xa3Vsn\xa6\x01\x05\x02\x00\x00\x00");
    bytes
}

impl Machine for Planted {
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        self.wakes += usize::from(matches!(input, Input::Timeout));
        self.plant(now);
        self.node.handle(now, input)
    }

    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<SocketAddr> {
        if let Some((to, bytes)) = self.packets.pop_front() {
            buf.extend_from_slice(&bytes);
            return Some(to);
        }
        let to = Machine::poll_transmit(&mut self.node, buf)?;
        if self.bug == Bug::Floods {
            self.packets.extend((0..100).map(|_| (to, buf.to_vec())));
        }
        Some(to)
    }

    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        self.node.poll_exchange(buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        while let Some(event) = self.node.poll_event() {
            self.pass(event);
        }
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let next = self.node.poll_timeout()?;
        let spins = self.bug == Bug::Spins && self.planted;
        Some(if spins { next.min(Instant::from_secs(31)) } else { next })
    }

    fn incarnation(&self) -> u32 {
        Machine::incarnation(&self.node)
    }

    fn view(&self, show: &mut dyn FnMut(Seen<'_>)) {
        let victim = place::name(VICTIM);
        self.node.view(&mut |seen| match self.bug {
            Bug::WrongView if seen.name == victim => show(Seen { state: State::Dead, ..seen }),
            Bug::ForgetsOne if seen.name == victim => {}
            Bug::HoldsOldDeath if seen.name == victim => show(Seen { incarnation: 1, ..seen }),
            _ => show(seen),
        });
    }

    fn live_len(&self) -> usize {
        self.node.live_len()
    }

    fn known_len(&self) -> usize {
        self.node.known_len() + if self.bug == Bug::LeaksNames { self.wakes } else { 0 }
    }

    fn queue_len(&self) -> usize {
        let leak = if self.bug == Bug::LeaksQueue { self.wakes * 1000 } else { 0 };
        Machine::queue_len(&self.node) + leak
    }

    fn rumours_len(&self) -> usize {
        let leak = if self.bug == Bug::LeaksRumours { self.wakes } else { 0 };
        self.node.rumours_len() + leak
    }

    fn timers_len(&self) -> usize {
        let leak = if self.bug == Bug::LeaksTimers { self.wakes * 10 } else { 0 };
        self.node.timers_len() + leak
    }

    fn health(&self) -> u32 {
        self.node.health()
    }

    fn stats(&self) -> Stats {
        self.node.stats()
    }
}

/// Runs 20 nodes, one of them with a bug; returns the names of the oracles that object.
fn run(bug: Bug, faults: Vec<(Instant, Fault)>) -> Vec<&'static str> {
    run_lossy(bug, 0.0, faults)
}

/// The same where this share of packets is lost.
fn run_lossy(bug: Bug, loss: f64, faults: Vec<(Instant, Fault)>) -> Vec<&'static str> {
    let mut config = WorldConfig::new(1, NODES);
    config.links = config.links.with_loss(loss).unwrap();
    config.core = Config::lan().evidence_events(true).build().unwrap();
    config.faults = faults;
    let mut world = World::converged_with(
        config,
        Box::new(move |birth| {
            Planted::new(birth.node(), if birth.index == BAD { bug } else { Bug::None })
        }),
    );
    world.watch_all();
    while world.now() < END && world.violations().is_empty() {
        world.run_until(world.now() + Duration::from_secs(1));
    }
    world.verdicts().iter().filter(|v| v.violations > 0).map(|v| v.oracle).collect()
}

fn crash() -> Vec<(Instant, Fault)> {
    vec![(Instant::from_secs(40), Fault::Crash(Who::Node(VICTIM)))]
}

#[test]
fn healthy_nodes_satisfy_every_oracle() {
    let mut faults = crash();
    faults.extend([
        (Instant::from_secs(50), Fault::Partition(Split::Sizes(vec![5, 15]))),
        (Instant::from_secs(90), Fault::Heal),
        (Instant::from_secs(100), Fault::Restart(Who::Node(VICTIM))),
        (
            Instant::from_secs(110),
            Fault::Stall { who: Who::Random(2), part: Stall::Io, time: Duration::from_secs(9) },
        ),
    ]);
    assert_eq!(run(Bug::None, faults), [""; 0]);
}

#[test]
fn completeness_misses_a_report_that_never_comes() {
    assert_eq!(run(Bug::SwallowsDown, crash()), ["completeness"]);
}

#[test]
fn accuracy_objects_to_a_healthy_node_reported_as_failed() {
    assert_eq!(run(Bug::WrongDown, Vec::new()), ["accuracy"]);
}

#[test]
fn accuracy_objects_to_more_wrong_reports_than_loss_explains() {
    assert_eq!(run_lossy(Bug::None, 0.2, Vec::new()), [""; 0]);
    assert_eq!(run_lossy(Bug::Hasty, 0.2, Vec::new()), ["accuracy"]);
}

#[test]
fn incarnation_objects_to_one_that_its_owner_never_had() {
    assert!(run(Bug::RaisesIncarnation, Vec::new()).contains(&"incarnation"));
}

#[test]
fn incarnation_objects_to_one_that_falls() {
    // A restarted node comes back at a higher incarnation; the bad one then falls back.
    let mut faults = crash();
    faults.push((Instant::from_secs(100), Fault::Restart(Who::Node(VICTIM))));
    assert!(run(Bug::LowersIncarnation, faults).contains(&"incarnation"));
}

#[test]
fn resurrection_objects_to_the_dead_who_return_unchanged() {
    assert!(run(Bug::Resurrects, crash()).contains(&"resurrection"));
}

#[test]
fn bounded_objects_to_tables_queues_and_messages_without_bound() {
    let leaks = [Bug::LeaksNames, Bug::LeaksQueue, Bug::LeaksRumours, Bug::LeaksTimers];
    for bug in leaks.into_iter().chain([Bug::Floods, Bug::Spins]) {
        assert_eq!(run(bug, Vec::new()), ["bounded"], "{bug:?}");
    }
}

#[test]
fn convergence_objects_to_views_that_differ_at_the_end() {
    for bug in [Bug::WrongView, Bug::ForgetsOne] {
        assert_eq!(run(bug, Vec::new()), ["convergence"], "{bug:?}");
    }
}

#[test]
fn convergence_objects_to_deaths_at_two_incarnations() {
    let at = |s, fault| (Instant::from_secs(s), fault);
    let crash = |s| at(s, Fault::Crash(Who::Node(VICTIM)));
    let faults = || vec![crash(5), at(30, Fault::Restart(Who::Node(VICTIM))), crash(50)];
    assert_eq!(run(Bug::None, faults()), [""; 0]);
    assert_eq!(run(Bug::HoldsOldDeath, faults()), ["convergence"]);
}

/// Runs nodes of the core with other settings; returns the names of the oracles that object.
fn run_settings(
    core: ConfigBuilder,
    loss: f64,
    faults: Vec<(Instant, Fault)>,
) -> Vec<&'static str> {
    let mut config = WorldConfig::new(1, NODES);
    config.core = core.evidence_events(true).build().unwrap();
    config.links = config.links.with_loss(loss).unwrap();
    config.faults = faults;
    let mut world = World::converged(config);
    world.watch_all();
    world.run_until(END);
    world.verdicts().iter().filter(|v| v.violations > 0).map(|v| v.oracle).collect()
}

#[test]
fn nodes_that_cannot_refute_do_not_get_away_with_it() {
    let core = Config::lan().ablation(Ablation { refute: false, ..Ablation::default() });
    let time = Duration::from_secs(15);
    let stall = Fault::Stall { who: Who::Random(3), part: Stall::Io, time };
    let found = run_settings(core, 0.0, vec![(Instant::from_secs(10), stall)]);
    assert_eq!(found, ["accuracy"]);
}

#[test]
fn nodes_that_suspect_nobody_first_are_not_accurate() {
    let core = Config::lan().ablation(Ablation { suspicion: false, ..Ablation::default() });
    let found = run_settings(core, 0.2, Vec::new());
    assert!(found.contains(&"accuracy"), "{found:?}");
}

#[test]
fn nodes_that_never_look_for_the_failed_do_not_converge() {
    let core = Config::lan().reconnect_interval(Duration::ZERO);
    let faults = vec![
        (Instant::from_secs(10), Fault::Partition(Split::Sizes(vec![10, 10]))),
        (Instant::from_secs(100), Fault::Heal),
    ];
    assert_eq!(run_settings(core, 0.0, faults), ["convergence"]);
}
