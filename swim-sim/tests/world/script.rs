//! Machines that follow a script, and a log of what happens to them.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use swim_core::{Event, Exchange, Input, Instant, OutboundId, Rejected, Stats};
use swim_sim::{Driver, Links, Machine, Seen, World, WorldConfig, place};

pub(crate) const MS: fn(u64) -> Duration = Duration::from_millis;

pub(crate) fn ms(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// What a scripted machine does at a time.
#[derive(Clone, Debug)]
pub(crate) enum Do {
    Send(u32, &'static str),
    /// Opens a stream to a node, with a deadline.
    Open(u32, &'static str, Instant),
    /// Wakes up.
    Nothing,
}

/// What happened: when, to whom, what.
pub(crate) type Log = Arc<Mutex<Vec<(u64, u32, String)>>>;

/// A machine that does what its script says, answers each request by its echo, and tells the log.
pub(crate) struct Scripted {
    me: u32,
    script: VecDeque<(Instant, Do)>,
    log: Log,
    sends: VecDeque<(u32, String)>,
    exchanges: VecDeque<(Exchange, String)>,
    /// Does not answer requests.
    mute: bool,
}

impl Scripted {
    fn tell(&self, now: Instant, what: String) {
        self.log.lock().unwrap().push((now.as_nanos() / 1000, self.me, what));
    }
}

impl Machine for Scripted {
    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match input {
            Input::Timeout => {
                self.tell(now, "time".into());
                while let Some((_, act)) = self.script.pop_front_if(|(at, _)| *at <= now) {
                    match act {
                        Do::Send(to, bytes) => self.sends.push_back((to, bytes.into())),
                        Do::Open(to, bytes, deadline) => {
                            let id = OutboundId(self.script.len() as u64);
                            let (to, len) = (place::addr(to), bytes.len());
                            let open = Exchange::Open {
                                id,
                                to,
                                name: None,
                                len,
                                reply_due: true,
                                deadline,
                            };
                            self.exchanges.push_back((open, bytes.into()));
                        }
                        Do::Nothing => {}
                    }
                }
            }
            Input::Datagram { at, from, bytes } => {
                // Who has moved is told by its address.
                let from = place::node_at(from).map_or_else(|| from.to_string(), |i| i.to_string());
                let at = at.as_nanos() / 1000;
                self.tell(now, format!("{} from {from} at {at}", text(bytes)));
            }
            Input::Request { id, bytes, .. } => {
                self.tell(now, format!("asked {}", text(bytes)));
                if !self.mute {
                    let reply = Exchange::Reply { id, len: bytes.len() };
                    self.exchanges.push_back((reply, text(bytes)));
                }
            }
            Input::Reply { result, .. } => {
                self.tell(now, format!("answer {:?}", result.map(text)));
            }
            _ => {}
        }
        Ok(())
    }

    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<SocketAddr> {
        let (to, bytes) = self.sends.pop_front()?;
        buf.extend_from_slice(bytes.as_bytes());
        Some(place::addr(to))
    }

    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        let (exchange, bytes) = self.exchanges.pop_front()?;
        buf.extend_from_slice(bytes.as_bytes());
        Some(exchange)
    }

    fn poll_event(&mut self) -> Option<Event> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.script.front().map(|(at, _)| *at)
    }

    fn incarnation(&self) -> u32 {
        1
    }

    fn view(&self, _: &mut dyn FnMut(Seen<'_>)) {}

    fn live_len(&self) -> usize {
        1
    }

    fn known_len(&self) -> usize {
        1
    }

    fn queue_len(&self) -> usize {
        0
    }

    fn timers_len(&self) -> usize {
        0
    }

    fn rumours_len(&self) -> usize {
        0
    }

    fn health(&self) -> u32 {
        0
    }

    fn stats(&self) -> Stats {
        Stats::default()
    }
}

/// A world of three machines on links of 1 ms, of which the first follows `script`.
pub(crate) fn world(driver: Driver, script: Vec<(Instant, Do)>) -> (World<Scripted>, Log) {
    scripted(driver, [script, Vec::new(), Vec::new()], false)
}

pub(crate) fn scripted(
    driver: Driver,
    scripts: [Vec<(Instant, Do)>; 3],
    mute: bool,
) -> (World<Scripted>, Log) {
    on_links(Links::fixed(MS(1)).unwrap(), driver, scripts, mute)
}

pub(crate) fn on_links(
    links: Links,
    driver: Driver,
    scripts: [Vec<(Instant, Do)>; 3],
    mute: bool,
) -> (World<Scripted>, Log) {
    let log = Log::default();
    let mut config = WorldConfig::new(1, 3);
    config.links = links;
    config.driver = driver;
    let shared = Arc::clone(&log);
    let world = World::converged_with(
        config,
        Box::new(move |birth| Scripted {
            me: birth.index,
            script: scripts[birth.index as usize].clone().into(),
            log: Arc::clone(&shared),
            sends: VecDeque::new(),
            exchanges: VecDeque::new(),
            mute,
        }),
    );
    (world, log)
}

/// What was told to a node, with the time in microseconds.
pub(crate) fn told(log: &Log, node: u32) -> Vec<(u64, String)> {
    let log = log.lock().unwrap();
    log.iter().filter(|(_, n, _)| *n == node).map(|(at, _, what)| (*at, what.clone())).collect()
}

pub(crate) fn lines(log: &Log, node: u32) -> Vec<String> {
    told(log, node).into_iter().map(|(at, what)| format!("{at} {what}")).collect()
}
