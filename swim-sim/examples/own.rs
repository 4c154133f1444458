//! A machine and an oracle of one's own in a simulated world.
//!
//! The machine is the plainest failure detector there is: everybody tells everybody each second
//! that it is alive, and who has been silent for five seconds is down. The oracle looks at all
//! views each second and objects to live nodes that somebody takes for dead. On good links it has
//! nothing to object to; at a loss of 40 % it does, since one silence of five seconds in a hundred
//! is bad luck.
//!
//! `cargo run --release -p swim-sim --example own`

use core::net::SocketAddr;
use core::time::Duration;

use bytes::BytesMut;
use swim_core::{Event, Exchange, Input, Instant, Rejected, State, Stats};
use swim_sim::oracle::{Inspect, Oracle, Violation};
use swim_sim::{Fault, Links, Machine, Seen, Who, World, WorldConfig, place};

const NODES: u32 = 20;
const BEAT: Duration = Duration::from_secs(1);
const SILENCE: Duration = Duration::from_secs(5);

/// One node: when it last heard of each, and what it has still to send.
struct Heart {
    me: u32,
    now: Instant,
    next_beat: Instant,
    heard: Vec<Instant>,
    /// Whom to send to next; [`NODES`] if this beat is out.
    to: u32,
}

impl Heart {
    fn is_live(&self, node: usize) -> bool {
        node == self.me as usize || self.now.since(self.heard[node]) < SILENCE
    }
}

impl Machine for Heart {
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        self.now = now;
        match input {
            Input::Timeout if now >= self.next_beat => {
                self.to = 0;
                self.next_beat = now + BEAT;
            }
            Input::Datagram { at, from, .. } => {
                if let Some(node) = place::node_at(from) {
                    self.heard[node as usize] = at;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<SocketAddr> {
        if self.to == self.me {
            self.to += 1;
        }
        if self.to >= NODES {
            return None;
        }
        buf.extend_from_slice(b"alive");
        self.to += 1;
        Some(place::addr(self.to - 1))
    }

    fn poll_exchange(&mut self, _: &mut BytesMut) -> Option<Exchange> {
        None
    }

    fn poll_event(&mut self) -> Option<Event> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.next_beat)
    }

    fn incarnation(&self) -> u32 {
        1
    }

    fn view(&self, show: &mut dyn FnMut(Seen<'_>)) {
        for node in 0..NODES {
            let state = if self.is_live(node as usize) { State::Alive } else { State::Dead };
            show(Seen { name: &place::name(node), incarnation: 1, state });
        }
    }

    fn live_len(&self) -> usize {
        (0..NODES as usize).filter(|&node| self.is_live(node)).count()
    }

    fn known_len(&self) -> usize {
        NODES as usize
    }

    fn queue_len(&self) -> usize {
        0
    }

    fn rumours_len(&self) -> usize {
        0
    }

    fn timers_len(&self) -> usize {
        1
    }

    fn health(&self) -> u32 {
        0
    }

    fn stats(&self) -> Stats {
        Stats::default()
    }
}

/// Nobody takes a node for dead that is up.
#[derive(Default)]
struct NoSlander {
    cases: u64,
}

impl Oracle for NoSlander {
    fn name(&self) -> &'static str {
        "no slander"
    }

    fn on_tick(&mut self, world: &dyn Inspect) -> Result<(), Violation> {
        let mut wrong = Ok(());
        for observer in (0..world.nodes()).filter(|&node| world.observes(node)) {
            world.view(observer, &mut |seen| {
                let up = place::node_named(seen.name).is_some_and(|node| world.observes(node));
                self.cases += 1;
                if up && !seen.state.is_live() {
                    let text = format!("n{observer} takes {} for dead, which is up", seen.name);
                    wrong = Err(Violation::new("no slander", world.now(), text));
                }
            });
        }
        wrong
    }

    fn cases(&self) -> u64 {
        self.cases
    }
}

/// Runs two minutes with a crash; how many nodes hold n7 for live at the end, and the violations.
fn run(loss: f64) -> (usize, usize, Option<String>) {
    let mut config = WorldConfig::new(1, NODES);
    config.links = Links::default().with_loss(loss).expect("a share from 0 to 1");
    config.faults = vec![(Instant::from_secs(60), Fault::Crash(Who::Node(7)))];
    let mut world = World::converged_with(
        config,
        Box::new(|birth| Heart {
            me: birth.index,
            now: birth.now,
            next_beat: birth.now,
            heard: vec![birth.now; NODES as usize],
            to: NODES,
        }),
    );
    world.watch(NoSlander::default());
    world.run_until(Instant::from_secs(120));
    let fooled = (0..NODES).filter_map(|node| world.machine(node)).filter(|m| m.is_live(7)).count();
    let first = world.violations().first().map(ToString::to_string);
    (fooled, world.violations().len(), first)
}

fn main() {
    for loss in [0.0, 0.4] {
        let (fooled, violations, first) = run(loss);
        println!("loss {:.0} %: {fooled} nodes hold the crashed one for live", loss * 100.0);
        println!("  {violations} violations{}", first.map_or(String::new(), |v| format!(", {v}")));
        assert_eq!(fooled, 0, "five silent seconds are over");
        assert_eq!(violations > 0, loss > 0.0, "only loss makes a live node silent");
    }
}
