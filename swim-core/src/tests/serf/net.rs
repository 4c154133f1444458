//! A few Serf nodes in virtual time: `n0`, `n1`, ... at 10.0.0.1:7946 and so on.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::sync::Arc;
use std::vec::Vec;

use bytes::{Bytes, BytesMut};

use crate::journal::Recorder;
use crate::serf::{
    Change, Command, Event, Input, Outcome, QueryParams, Rejected, Serf, SerfConfig, Status, Tags,
};
use crate::{
    Config, Exchange, ExchangeError, Identity, InboundId, Instant, OpId, OutboundId, Seed,
};

const DELAY: Duration = Duration::from_millis(1);

/// What travels, as a rule sees it: from, to, and the bytes.
pub(super) type Rule = fn(from: usize, to: usize, bytes: &[u8]) -> bool;

pub(super) struct Net {
    now: Instant,
    stations: Vec<Station>,
    mail: BTreeMap<(Instant, u64), Mail>,
    posted: u64,
    /// Datagrams for which this holds are lost.
    pub(super) lose: Rule,
    /// Every datagram that was sent: from, to, and the bytes.
    pub(super) sent: Vec<(usize, SocketAddr, Bytes)>,
    /// Of every datagram and every stream: where to, and the member for whom it was said to be.
    pub(super) meant: Vec<(SocketAddr, Option<String>)>,
}

struct Station {
    serf: Recorder<Serf>,
    addr: SocketAddr,
    events: Vec<Event>,
    crashed: bool,
    inbound: BTreeMap<InboundId, (usize, OutboundId)>,
    ops: u64,
}

enum Mail {
    Datagram { from: SocketAddr, to: usize, bytes: Bytes },
    Request { from: usize, to: usize, id: OutboundId, bytes: Bytes },
    Reply { to: usize, id: OutboundId, result: Result<Bytes, ExchangeError> },
}

pub(super) fn swim() -> Arc<Config> {
    Config::lan().build().unwrap()
}

pub(super) fn config() -> Arc<SerfConfig> {
    SerfConfig::builder(swim()).build().unwrap()
}

pub(super) fn tags(role: &str) -> Tags {
    Tags::new([("role", role)]).unwrap()
}

impl Net {
    /// `n` nodes that do not know each other, with the role `web`.
    pub(super) fn new(n: usize, config: &Arc<SerfConfig>) -> Self {
        let mut net = Self {
            now: Instant::from_secs(1),
            stations: Vec::new(),
            mail: BTreeMap::new(),
            posted: 0,
            lose: |_, _, _| false,
            sent: Vec::new(),
            meant: Vec::new(),
        };
        for i in 0..n {
            net.add(Arc::clone(config), &format!("n{i}"), &tags("web"));
        }
        net
    }

    /// `n` nodes that know each other, and have told so.
    pub(super) fn joined(n: usize, config: &Arc<SerfConfig>) -> Self {
        let mut net = Self::new(n, config);
        for i in 1..n {
            net.join(i, 0);
        }
        net.run_for(Duration::from_secs(5));
        for i in 0..n {
            assert_eq!(net.serf(i).node().live_len(), n);
            net.take_events(i);
        }
        net
    }

    pub(super) fn add(&mut self, config: Arc<SerfConfig>, name: &str, tags: &Tags) -> usize {
        let i = self.stations.len();
        let base = u32::from(Ipv4Addr::new(10, 0, 0, 1));
        let addr = SocketAddr::new(Ipv4Addr::from(base + i as u32).into(), 7946);
        let me = Identity::new(name, addr).unwrap();
        let serf = Recorder::of_serf(config, me, tags, Seed::from(i as u64), self.now);
        self.stations.push(Station {
            serf,
            addr,
            events: Vec::new(),
            crashed: false,
            inbound: BTreeMap::new(),
            ops: 0,
        });
        self.drain(i);
        i
    }

    /// From now on answers, too, say for whom they are.
    pub(super) fn name_addressees(&mut self) {
        self.stations.iter_mut().for_each(|station| station.serf.name_addressees());
    }

    pub(super) fn serf(&self, i: usize) -> &Serf {
        self.stations[i].serf.machine()
    }

    /// What node `i` was given since it last started.
    pub(super) fn journal(&mut self, i: usize) -> Bytes {
        self.stations[i].serf.end()
    }

    pub(super) fn addr(&self, i: usize) -> SocketAddr {
        self.stations[i].addr
    }

    /// What node `i` takes the member of this name for.
    pub(super) fn status(&self, i: usize, name: &str) -> Option<Status> {
        self.serf(i).member(name).map(|member| member.status())
    }

    pub(super) fn take_events(&mut self, i: usize) -> Vec<Event> {
        core::mem::take(&mut self.stations[i].events)
    }

    /// What node `i` was told of members since the last look at its events.
    pub(super) fn take_changes(&mut self, i: usize) -> Vec<(Change, String)> {
        let told = self.take_events(i);
        let told = told.into_iter().filter_map(|event| match event {
            Event::Members { change, members } => Some((change, members)),
            _ => None,
        });
        told.flat_map(|(change, members)| {
            members.into_iter().map(move |m| (change, m.name().into()))
        })
        .collect()
    }

    pub(super) fn crash(&mut self, i: usize) {
        self.stations[i].crashed = true;
    }

    /// Starts node `i` anew, at the same address and with the same name.
    pub(super) fn restart(&mut self, i: usize, config: Arc<SerfConfig>) {
        let name = self.serf(i).me().name().to_owned();
        let me = Identity::new(&name, self.stations[i].addr).unwrap();
        let seed = Seed::from(1000 + i as u64);
        self.stations[i].serf = Recorder::of_serf(config, me, &tags("web"), seed, self.now);
        self.stations[i].crashed = false;
        self.drain(i);
    }

    /// Node `i` goes on where an earlier life of it stopped.
    pub(super) fn resume(&mut self, i: usize, member: u64, event: u64, query: u64) {
        self.stations[i].serf.resume(member, event, query);
    }

    /// Tells node `i` whether a change of its keyring was stored.
    pub(super) fn answer_keys(&mut self, i: usize, op: OpId, saved: bool) {
        let command = Command::KeyringSaved(saved);
        self.stations[i].serf.handle(self.now, Input::Command { op, command }).unwrap();
        self.drain(i);
    }

    /// The state that node `i` sends to somebody who joins it.
    pub(super) fn state_of(&mut self, i: usize) -> Bytes {
        let seats = Vec::from(["10.9.9.9:7946".parse::<SocketAddr>().unwrap().into()]);
        let command = Command::Join { seats, replay: true };
        let serf = &mut self.stations[i].serf;
        serf.handle(self.now, Input::Command { op: OpId(9999), command }).unwrap();
        let mut buf = BytesMut::new();
        while serf.poll_transmit(&mut buf).is_some() {
            buf.clear();
        }
        assert!(matches!(serf.poll_exchange(&mut buf), Some(Exchange::Open { .. })));
        buf.freeze()
    }

    pub(super) fn try_command(&mut self, i: usize, command: Command) -> Result<OpId, Rejected> {
        let station = &mut self.stations[i];
        station.ops += 1;
        let op = OpId(station.ops);
        let taken = station.serf.handle(self.now, Input::Command { op, command });
        self.drain(i);
        taken.map(|()| op)
    }

    pub(super) fn command(&mut self, i: usize, command: Command) -> OpId {
        self.try_command(i, command).expect("the command is allowed")
    }

    pub(super) fn join(&mut self, i: usize, j: usize) -> OpId {
        self.join_with(i, j, true)
    }

    pub(super) fn join_with(&mut self, i: usize, j: usize, replay: bool) -> OpId {
        let seats = Vec::from([self.addr(j).into()]);
        self.command(i, Command::Join { seats, replay })
    }

    pub(super) fn user_event(&mut self, i: usize, name: &str, payload: &[u8]) {
        let (name, payload) = (name.into(), Bytes::copy_from_slice(payload));
        self.command(i, Command::UserEvent { name, payload, coalesce: false });
    }

    pub(super) fn query(&mut self, i: usize, name: &str, params: QueryParams) -> OpId {
        let (name, payload) = (name.into(), Bytes::from_static(b"?"));
        self.command(i, Command::Query { name, payload, params })
    }

    /// Hands a Serf message to node `to`, as gossip from `from`.
    pub(super) fn inject(&mut self, from: SocketAddr, to: usize, message: &[u8]) {
        self.inject_datagram(from, to, &[b"\x08", message].concat());
    }

    /// Hands a datagram to node `to`.
    pub(super) fn inject_datagram(&mut self, from: SocketAddr, to: usize, bytes: &[u8]) {
        let input = Input::Datagram { at: self.now, from, bytes };
        // A refusal is counted in the node's stats, which a test can look at.
        let _ = self.stations[to].serf.handle(self.now, input);
        self.drain(to);
    }

    pub(super) fn run_for(&mut self, d: Duration) {
        let end = self.now + d;
        while let Some(at) = self.next_at().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    fn next_at(&self) -> Option<Instant> {
        let mail = self.mail.keys().next().map(|&(at, _)| at);
        let live = self.stations.iter().filter(|s| !s.crashed);
        live.filter_map(|station| station.serf.poll_timeout()).chain(mail).min()
    }

    fn step(&mut self) {
        while let Some((&(at, n), _)) = self.mail.first_key_value()
            && at <= self.now
        {
            let mail = self.mail.remove(&(at, n)).unwrap();
            self.deliver(mail);
        }
        for i in 0..self.stations.len() {
            let station = &mut self.stations[i];
            if !station.crashed && station.serf.poll_timeout().is_some_and(|at| at <= self.now) {
                station.serf.handle(self.now, Input::Timeout).unwrap();
                self.drain(i);
                let next = self.stations[i].serf.poll_timeout();
                let merges = self.serf(i).node().has_mail();
                assert!(merges || next.is_none_or(|at| at > self.now), "a time-out moves on");
            }
        }
    }

    fn deliver(&mut self, mail: Mail) {
        let now = self.now;
        let (to, input) = match &mail {
            Mail::Datagram { from, to, bytes } => {
                (*to, Input::Datagram { at: now, from: *from, bytes })
            }
            Mail::Request { from, to, id, bytes } => {
                let inbound = InboundId((*from as u64) << 32 | id.0);
                let from_addr = self.addr(*from);
                self.stations[*to].inbound.insert(inbound, (*from, *id));
                (*to, Input::Request { id: inbound, from: from_addr, bytes })
            }
            Mail::Reply { to, id, result } => {
                (*to, Input::Reply { id: *id, result: result.as_deref().map_err(|e| *e) })
            }
        };
        if !self.stations[to].crashed {
            // A refusal is counted in the node's stats, which a test can look at.
            let _ = self.stations[to].serf.handle(now, input);
            self.drain(to);
        }
    }

    fn drain(&mut self, i: usize) {
        let mut buf = BytesMut::new();
        let from = self.addr(i);
        while let Some(sent) = self.stations[i].serf.poll_transmit(&mut buf) {
            let bytes = buf.split().freeze();
            self.sent.push((i, sent.to, bytes.clone()));
            let node = self.serf(i).node();
            let name = node.addressee(&sent);
            self.meant.push((sent.to, name.map(Into::into)));
            let to = self.stations.iter().position(|s| s.addr == sent.to);
            if let Some(to) = to
                && !(self.lose)(i, to, &bytes)
            {
                self.post(DELAY, Mail::Datagram { from, to, bytes });
            }
        }
        while let Some(exchange) = self.stations[i].serf.poll_exchange(&mut buf) {
            let bytes = buf.split().freeze();
            self.exchange(i, exchange, bytes);
        }
        while let Some(event) = self.stations[i].serf.poll_event() {
            self.stations[i].events.push(event);
        }
        assert!(self.serf(i).is_drained(), "every poll came to its end");
        self.serf(i).node().audit();
    }

    fn exchange(&mut self, i: usize, exchange: Exchange, bytes: Bytes) {
        match exchange {
            Exchange::Open { id, to, name, .. } => {
                self.meant.push((to, name.map(|name| name.as_str().into())));
                match self.stations.iter().position(|s| s.addr == to && !s.crashed) {
                    Some(to) => self.post(DELAY, Mail::Request { from: i, to, id, bytes }),
                    None => {
                        let result = Err(ExchangeError::Refused);
                        self.post(DELAY, Mail::Reply { to: i, id, result });
                    }
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
        if let Some((to, id)) = self.stations[i].inbound.remove(&id) {
            self.post(DELAY, Mail::Reply { to, id, result });
        }
    }

    fn post(&mut self, delay: Duration, mail: Mail) {
        self.posted += 1;
        self.mail.insert((self.now + delay, self.posted), mail);
    }
}

/// How commands ended, among events.
pub(super) fn outcomes(events: &[Event]) -> Vec<Outcome> {
    let ends = events.iter().filter_map(|event| match event {
        Event::Done { outcome, .. } => Some(outcome.clone()),
        _ => None,
    });
    ends.collect()
}
