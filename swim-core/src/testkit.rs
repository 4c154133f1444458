//! A network of a few nodes in virtual time, for tests: this crate's own and an embedder's.
//!
//! Every link has the same delay. Datagrams and streams can be lost by rule. For clusters, faults
//! and oracles there is the simulator, `swim-sim`.
//!
//! ```
//! use swim_core::testkit::Net;
//! use swim_core::{Config, Event, State};
//! use core::time::Duration;
//!
//! let mut net = Net::new(2, &Config::lan().build()?, 7);
//! net.join(1, 0);
//! net.run_for(Duration::from_secs(1));
//! assert_eq!(net.state_of(0, 1), Some(State::Alive));
//! assert!(net.take_events(0).iter().any(|e| matches!(e, Event::Up(m) if m.name() == "n1")));
//! # Ok::<(), swim_core::ConfigError>(())
//! ```

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::config::Config;
use crate::event::{Event, ExchangeError};
use crate::ids::{InboundId, OpId, OutboundId};
use crate::input::{Command, Exchange, Input};
use crate::journal::{Recorder, Secrets};
use crate::member::{Identity, State};
use crate::rng::Seed;
use crate::swim::Node;
use crate::time::Instant;

/// Delay of every datagram, and of either direction of a stream.
pub const DELAY: Duration = Duration::from_millis(1);

/// What travels, as a rule sees it: from, to, and the bytes.
pub type Rule = fn(from: usize, to: usize, bytes: &[u8]) -> bool;

/// Nodes `n0`, `n1`, ... at 10.0.0.1:7946 and so on, and the network between them.
#[derive(Debug)]
pub struct Net {
    now: Instant,
    nodes: Vec<Station>,
    mail: BTreeMap<(Instant, u64), Mail>,
    posted: u64,
    /// Datagrams for which this holds are lost.
    pub lose_datagram: Rule,
    /// Streams for which this holds (with the request's bytes) time out.
    pub lose_stream: Rule,
}

#[derive(Debug)]
struct Station {
    node: Recorder,
    events: Vec<Event>,
    crashed: bool,
    asleep: bool,
    /// What arrived while it was asleep.
    missed: Vec<Mail>,
    inbound: BTreeMap<InboundId, (usize, OutboundId)>,
    ops: u64,
}

#[derive(Debug)]
enum Mail {
    Datagram { from: SocketAddr, to: usize, bytes: Bytes },
    Request { from: usize, to: usize, id: OutboundId, bytes: Bytes },
    Reply { to: usize, id: OutboundId, result: Result<Bytes, ExchangeError> },
}

impl Net {
    /// `n` nodes that do not know each other.
    pub fn new(n: usize, config: &Arc<Config>, seed: u64) -> Self {
        let never: Rule = |_, _, _| false;
        let mut net = Self {
            now: Instant::from_secs(1),
            nodes: Vec::new(),
            mail: BTreeMap::new(),
            posted: 0,
            lose_datagram: never,
            lose_stream: never,
        };
        for i in 0..n {
            net.add(Arc::clone(config), seed);
            net.drain(i);
        }
        net
    }

    /// Adds one more node and gives its index.
    pub fn add(&mut self, config: Arc<Config>, seed: u64) -> usize {
        let i = self.nodes.len();
        let me = Identity::new(&format!("n{i}"), addr(i)).expect("the kit's names are allowed");
        let seed = Seed::from(seed ^ (i as u64) << 32);
        let node = Recorder::new(config, me, seed, self.now, Secrets::Kept);
        self.nodes.push(Station {
            node,
            events: Vec::new(),
            crashed: false,
            asleep: false,
            missed: Vec::new(),
            inbound: BTreeMap::new(),
            ops: 0,
        });
        i
    }

    /// The time.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The `i`th node.
    pub fn node(&self, i: usize) -> &Node {
        self.nodes[i].node.node()
    }

    /// The journal of node `i`, which ends with this, and the digest of all that it gave out. To be
    /// called once for a node.
    pub fn journal(&mut self, i: usize) -> (Bytes, u64) {
        let station = &mut self.nodes[i].node;
        (station.end(), station.digest())
    }

    /// Where the `i`th node is.
    pub fn addr(&self, i: usize) -> SocketAddr {
        addr(i)
    }

    /// What node `i` holds of node `j`.
    pub fn state_of(&self, i: usize, j: usize) -> Option<State> {
        self.node(i).member(&format!("n{j}")).map(|member| member.state())
    }

    /// The events of node `i` since the last call.
    pub fn take_events(&mut self, i: usize) -> Vec<Event> {
        core::mem::take(&mut self.nodes[i].events)
    }

    /// Stops node `i` for good.
    pub fn crash(&mut self, i: usize) {
        self.nodes[i].crashed = true;
    }

    /// Gives node `i` a command, whose refusal is a test's mistake.
    pub fn command(&mut self, i: usize, command: Command) -> OpId {
        self.nodes[i].ops += 1;
        let op = OpId(self.nodes[i].ops);
        let taken = self.nodes[i].node.handle(self.now, Input::Command { op, command });
        taken.expect("the command is allowed");
        self.drain(i);
        op
    }

    /// Node `i` joins node `j`.
    pub fn join(&mut self, i: usize, j: usize) -> OpId {
        self.command(i, Command::Join(Vec::from([addr(j).into()])))
    }

    /// Hands a datagram from `from` to node `to` now.
    pub fn inject(&mut self, from: SocketAddr, to: usize, bytes: &[u8]) {
        let at = self.now;
        // A refusal is counted in the node's stats, which a test can look at.
        let _ = self.nodes[to].node.handle(at, Input::Datagram { at, from, bytes });
        self.drain(to);
    }

    /// Hands node `i` an input as of `now`, which need not be the network's time.
    pub fn handle_at(&mut self, i: usize, now: Instant, input: Input<'_>) {
        // A refusal is counted in the node's stats, which a test can look at.
        let _ = self.nodes[i].node.handle(now, input);
        self.drain(i);
    }

    /// Lets time pass for all but node `i`, which then gets its mail first, and its time-outs late.
    pub fn sleep(&mut self, i: usize, d: Duration) {
        let end = self.now + d;
        self.nodes[i].asleep = true;
        self.run_for(d);
        self.nodes[i].asleep = false;
        for mail in core::mem::take(&mut self.nodes[i].missed) {
            self.deliver(mail);
        }
        debug_assert_eq!(self.now, end);
        self.step();
    }

    /// Lets time pass.
    pub fn run_for(&mut self, d: Duration) {
        let end = self.now + d;
        while let Some(at) = self.next_at().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    fn next_at(&self) -> Option<Instant> {
        let mail = self.mail.keys().next().map(|&(at, _)| at);
        let live = self.nodes.iter().filter(|s| !s.crashed && !s.asleep);
        live.filter_map(|station| station.node.poll_timeout()).chain(mail).min()
    }

    /// Delivers the mail that is due, then the time-outs.
    fn step(&mut self) {
        while let Some((&(at, n), _)) = self.mail.first_key_value()
            && at <= self.now
        {
            if let Some(mail) = self.mail.remove(&(at, n)) {
                self.deliver(mail);
            }
        }
        for i in 0..self.nodes.len() {
            let station = &mut self.nodes[i];
            let runs = !station.crashed && !station.asleep;
            if runs && station.node.poll_timeout().is_some_and(|at| at <= self.now) {
                station.node.handle(self.now, Input::Timeout).expect("a time-out is never refused");
                self.drain(i);
            }
        }
    }

    fn deliver(&mut self, mail: Mail) {
        let now = self.now;
        let to = match mail {
            Mail::Datagram { to, .. } | Mail::Request { to, .. } | Mail::Reply { to, .. } => to,
        };
        if self.nodes[to].asleep {
            self.nodes[to].missed.push(mail);
            return;
        }
        let (to, input) = match &mail {
            Mail::Datagram { from, to, bytes } => {
                (*to, Input::Datagram { at: now, from: *from, bytes })
            }
            Mail::Request { from, to, id, bytes } => {
                let inbound = InboundId((*from as u64) << 32 | id.0);
                self.nodes[*to].inbound.insert(inbound, (*from, *id));
                (*to, Input::Request { id: inbound, from: addr(*from), bytes })
            }
            Mail::Reply { to, id, result } => {
                (*to, Input::Reply { id: *id, result: result.as_deref().map_err(|e| *e) })
            }
        };
        if self.nodes[to].crashed {
            return;
        }
        // A refusal is counted in the node's stats, which a test can look at.
        let _ = self.nodes[to].node.handle(now, input);
        self.drain(to);
    }

    fn drain(&mut self, i: usize) {
        let mut buf = BytesMut::new();
        while let Some(sent) = self.nodes[i].node.poll_transmit(&mut buf) {
            let bytes = buf.split().freeze();
            assert_eq!(bytes.len(), sent.len, "a datagram is all that was appended");
            if let Some(to) = self.index_of(sent.to)
                && !(self.lose_datagram)(i, to, &bytes)
            {
                self.post(DELAY, Mail::Datagram { from: addr(i), to, bytes });
            }
        }
        while let Some(exchange) = self.nodes[i].node.poll_exchange(&mut buf) {
            let bytes = buf.split().freeze();
            self.exchange(i, exchange, bytes);
        }
        while let Some(event) = self.nodes[i].node.poll_event() {
            self.nodes[i].events.push(event);
        }
        assert!(self.nodes[i].node.node().is_drained(), "every poll came to its end");
    }

    fn exchange(&mut self, i: usize, exchange: Exchange, bytes: Bytes) {
        match exchange {
            Exchange::Open { id, to, reply_due, deadline, .. } => {
                let lost = |result| Mail::Reply { to: i, id, result: Err(result) };
                match self.index_of(to) {
                    Some(to) if (self.lose_stream)(i, to, &bytes) => {
                        let wait = deadline.since(self.now);
                        self.post(wait, lost(ExchangeError::TimedOut));
                    }
                    Some(to) if !self.nodes[to].crashed => {
                        self.post(DELAY, Mail::Request { from: i, to, id, bytes });
                        if !reply_due {
                            self.post(DELAY, Mail::Reply { to: i, id, result: Ok(Bytes::new()) });
                        }
                    }
                    _ => self.post(DELAY, lost(ExchangeError::Refused)),
                }
            }
            Exchange::Reply { id, .. } | Exchange::Refuse { id, .. } => {
                self.answer(i, id, Ok(bytes));
            }
            Exchange::Close { id } => self.answer(i, id, Err(ExchangeError::Closed)),
            Exchange::Cancel { .. } => {}
        }
    }

    fn answer(&mut self, i: usize, id: InboundId, result: Result<Bytes, ExchangeError>) {
        if let Some((to, id)) = self.nodes[i].inbound.remove(&id) {
            self.post(DELAY, Mail::Reply { to, id, result });
        }
    }

    fn post(&mut self, delay: Duration, mail: Mail) {
        self.posted += 1;
        self.mail.insert((self.now + delay, self.posted), mail);
    }

    fn index_of(&self, at: SocketAddr) -> Option<usize> {
        (0..self.nodes.len()).find(|&i| addr(i) == at)
    }
}

fn addr(i: usize) -> SocketAddr {
    let base = u32::from(Ipv4Addr::new(10, 0, 0, 1));
    SocketAddr::new(Ipv4Addr::from(base + i as u32).into(), 7946)
}
