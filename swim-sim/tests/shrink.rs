//! From a long schedule that fails to a short one that fails the same way.

use core::net::SocketAddr;
use core::time::Duration;

use bytes::BytesMut;
use swim_core::{Event, Exchange, Input, Instant, Node, Rejected, Stats};
use swim_sim::failure::Failure;
use swim_sim::scenario::Scenario;
use swim_sim::swarm::Swarm;
use swim_sim::{Fault, Links, Machine, Make, Seen};

/// A node with a bug that needs two faults: after it has seen one member fail and come back, it
/// tells of no failure any more.
struct Tired {
    node: Node,
    failures: u32,
    tired: bool,
}

impl Machine for Tired {
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        self.node.handle(now, input)
    }

    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<SocketAddr> {
        Machine::poll_transmit(&mut self.node, buf)
    }

    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        self.node.poll_exchange(buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        loop {
            let event = self.node.poll_event()?;
            match event {
                Event::Down { .. } if self.tired => {}
                Event::Down { .. } => {
                    self.failures += 1;
                    return Some(event);
                }
                Event::Up(_) => {
                    self.tired |= self.failures > 0;
                    return Some(event);
                }
                _ => return Some(event),
            }
        }
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.node.poll_timeout()
    }

    fn incarnation(&self) -> u32 {
        Machine::incarnation(&self.node)
    }

    fn view(&self, show: &mut dyn FnMut(Seen<'_>)) {
        self.node.view(show);
    }

    fn live_len(&self) -> usize {
        self.node.live_len()
    }

    fn known_len(&self) -> usize {
        self.node.known_len()
    }

    fn queue_len(&self) -> usize {
        Machine::queue_len(&self.node)
    }

    fn rumours_len(&self) -> usize {
        self.node.rumours_len()
    }

    fn timers_len(&self) -> usize {
        Machine::timers_len(&self.node)
    }

    fn health(&self) -> u32 {
        self.node.health()
    }

    fn stats(&self) -> Stats {
        self.node.stats()
    }
}

fn tired() -> Make<Tired> {
    Box::new(|birth| Tired { node: birth.node(), failures: 0, tired: false })
}

/// The first drawn world with many faults that fails by the bug.
fn failing() -> (Scenario, Failure) {
    let fails = |seed| {
        let scenario = Scenario::of_swarm(&Swarm::draw(seed, 20));
        let failure = Failure::of_machines(&scenario, &tired)?;
        let busy = scenario.world.faults.len() >= 8 && failure.oracle == "completeness";
        busy.then_some((scenario, failure))
    };
    (0..200).find_map(fails).expect("two crashes in many faults are no rare draw")
}

#[test]
fn a_long_schedule_shrinks_to_the_few_faults_that_matter() {
    let (scenario, failure) = failing();
    let shrunk = failure.shrink(&scenario, 2000, &tired);
    let small = &shrunk.scenario;
    let text = small.to_toml();
    // A crash, a return, a crash; or a partition that heals, and a crash.
    let faults = &small.world.faults;
    assert!((2..=3).contains(&faults.len()), "{text}");
    assert!(faults.iter().any(|(_, fault)| matches!(fault, Fault::Crash(_))), "{text}");
    assert!(small.world.nodes <= 5, "{text}");
    assert!(small.duration < scenario.duration / 2, "{text}");
    assert_eq!(small.world.links, Links::default(), "{text}");

    // It fails again, from its text, and does not without the bug.
    let back = Scenario::parse(&text).unwrap();
    let again = Failure::of_machines(&back, &tired).unwrap();
    assert_eq!(again.oracle, failure.oracle, "{text}");
    assert_eq!(Failure::of_machines(small, &tired).unwrap(), again);
    assert_eq!(Failure::of(&back), None, "{text}");
    // Without any one of its faults it passes.
    for i in 0..faults.len() {
        let mut less = back.clone();
        less.world.faults.remove(i);
        let failure = Failure::of_machines(&less, &tired);
        assert!(failure.is_none_or(|f| f.oracle != again.oracle), "fault {i} of\n{text}");
    }
}

#[test]
fn tries_are_bounded_and_what_is_left_still_fails() {
    let (scenario, failure) = failing();
    let shrunk = failure.shrink(&scenario, 20, &tired);
    assert!(shrunk.tries <= 21, "{}", shrunk.tries);
    let again = Failure::of_machines(&shrunk.scenario, &tired).unwrap();
    assert_eq!(again.oracle, failure.oracle);
}

#[test]
fn a_panic_is_a_failure_with_its_text_and_time() {
    let make = || -> Make<Tired> {
        Box::new(|birth| {
            assert!(birth.life == 0, "no second life");
            Tired { node: birth.node(), failures: 0, tired: false }
        })
    };
    let text = "name = \"x\"\nnodes = 5\nduration = \"60s\"\n\
                [[timeline]]\nat = \"5s\"\ndo = \"crash\"\nwho = \"n1\"\n\
                [[timeline]]\nat = \"9s\"\ndo = \"restart\"\nwho = \"n1\"\n";
    let scenario = Scenario::parse(text).unwrap();
    let failure = Failure::of_machines(&scenario, &make).unwrap();
    assert_eq!((failure.oracle.as_str(), failure.text.as_str()), ("panic", "no second life"));
    assert_eq!(failure.at, Instant::ZERO + Duration::from_secs(9));
}
