//! The journal of a Serf node.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::time::Duration;

use bytes::BytesMut;

use super::codec::{
    Reader, get_command, get_config, get_identity, get_seats, put_bytes, put_command, put_config,
    put_identity, put_option, put_seats, put_uint,
};
use super::machine::{Hiding, Machine};
use super::{Kind, Recorder};
use crate::input::{Exchange, Transmit};
use crate::member::Identity;
use crate::rng::Seed;
use crate::serf::{Command, Event, Input, QueryId, QueryParams, Rejected, Serf, SerfConfig, Tags};
use crate::swim::Node;
use crate::time::{Instant, nanos};

impl Recorder<Serf> {
    /// A node as of [`Serf::new`], recorded from its first input on. What its cluster says, keys
    /// among it, cannot be hidden: its meaning is Serf's, and a replay would go another way.
    pub fn of_serf(
        config: Arc<SerfConfig>,
        me: Identity,
        tags: &Tags,
        seed: Seed,
        now: Instant,
    ) -> Self {
        let mut header = Vec::new();
        put_serf_config(&mut header, &config);
        put_identity(&mut header, &me);
        put_tags(&mut header, tags);
        header.extend_from_slice(seed.as_bytes());
        let serf = Serf::new(config, me, tags, seed, now);
        Self::begin(serf, &header, now, None)
    }

    /// As [`Serf::resume`].
    pub fn resume(&mut self, member_time: u64, event_time: u64, query_time: u64) {
        let times = [member_time, event_time, query_time];
        self.write_resume(times);
        self.machine.resume(member_time, event_time, query_time);
    }
}

impl Machine for Serf {
    const KIND: Kind = Kind::Serf;
    type Command = Command;
    type Event = Event;
    type Rejected = Rejected;
    type Hiding = Infallible;

    fn handle(&mut self, now: Instant, input: Input<'_>) -> Result<(), Rejected> {
        Self::handle(self, now, input)
    }

    fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit> {
        Self::poll_transmit(self, buf)
    }

    fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        Self::poll_exchange(self, buf)
    }

    fn poll_event(&mut self) -> Option<Event> {
        Self::poll_event(self)
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Self::poll_timeout(self)
    }

    fn bare(&mut self) -> &mut Node {
        self.node_mut()
    }

    fn open(from: &mut Reader<'_>) -> Option<(Self, Instant)> {
        let config = get_serf_config(from)?;
        let me = get_identity(from)?;
        let tags = get_tags(from)?;
        let seed = Seed::from_bytes(*from.take(32)?.first_chunk()?);
        let now = Instant::from_nanos(from.uint()?);
        Some((Self::new(config, me, &tags, seed, now), now))
    }

    fn put_command(out: &mut Vec<u8>, command: &Command) {
        match command {
            Command::Join { seats, replay } => {
                out.extend_from_slice(&[0, (*replay).into()]);
                put_seats(out, seats);
            }
            Command::Leave => out.push(1),
            Command::ForceLeave { name, prune } => {
                out.extend_from_slice(&[2, (*prune).into()]);
                put_bytes(out, name.as_bytes());
            }
            Command::SetTags(tags) => {
                out.push(3);
                put_tags(out, tags);
            }
            Command::UserEvent { name, payload, coalesce } => {
                out.extend_from_slice(&[4, (*coalesce).into()]);
                put_bytes(out, name.as_bytes());
                put_bytes(out, payload);
            }
            Command::Query { name, payload, params } => {
                out.push(5);
                put_bytes(out, name.as_bytes());
                put_bytes(out, payload);
                put_params(out, params);
            }
            Command::Respond { query, payload } => {
                out.push(6);
                put_uint(out, query.0);
                put_bytes(out, payload);
            }
            Command::KeyringSaved(saved) => out.extend_from_slice(&[7, (*saved).into()]),
            Command::Reload(config) => {
                out.push(8);
                put_serf_config(out, config);
            }
            Command::Swim(command) => {
                out.push(9);
                put_command(out, command);
            }
            Command::Rejoin(seats) => {
                out.push(10);
                put_seats(out, seats);
            }
        }
    }

    fn get_command(from: &mut Reader<'_>) -> Option<Command> {
        Some(match from.byte()? {
            0 => Command::Join { replay: from.flag()?, seats: get_seats(from)? },
            1 => Command::Leave,
            2 => Command::ForceLeave { prune: from.flag()?, name: from.text()? },
            3 => Command::SetTags(get_tags(from)?),
            4 => {
                let coalesce = from.flag()?;
                Command::UserEvent { coalesce, name: from.text()?, payload: from.owned()? }
            }
            5 => {
                let (name, payload) = (from.text()?, from.owned()?);
                Command::Query { name, payload, params: get_params(from)? }
            }
            6 => Command::Respond { query: QueryId(from.uint()?), payload: from.owned()? },
            7 => Command::KeyringSaved(from.flag()?),
            8 => Command::Reload(get_serf_config(from)?),
            9 => Command::Swim(get_command(from)?),
            10 => Command::Rejoin(get_seats(from)?),
            _ => return None,
        })
    }

    fn resume(&mut self, [member_time, event_time, query_time]: [u64; 3]) -> Option<()> {
        Self::resume(self, member_time, event_time, query_time);
        Some(())
    }
}

impl Hiding<Command> for Infallible {
    fn hide(&mut self, _: &Input<'_>, _: impl FnOnce(&Input<'_>)) {
        match *self {}
    }
}

fn put_serf_config(out: &mut Vec<u8>, config: &SerfConfig) {
    put_config(out, config.swim());
    config.put_knobs(out);
}

fn get_serf_config(from: &mut Reader<'_>) -> Option<Arc<SerfConfig>> {
    let swim = get_config(from)?;
    SerfConfig::builder(swim).get_knobs(&mut from.0)?.build().ok()
}

fn put_tags(out: &mut Vec<u8>, tags: &Tags) {
    put_pairs(out, tags.iter());
}

fn get_tags(from: &mut Reader<'_>) -> Option<Tags> {
    Tags::new(get_pairs(from)?).ok()
}

fn put_pairs<'a>(out: &mut Vec<u8>, pairs: impl ExactSizeIterator<Item = (&'a str, &'a str)>) {
    put_uint(out, pairs.len() as u64);
    for (name, value) in pairs {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value.as_bytes());
    }
}

fn get_pairs(from: &mut Reader<'_>) -> Option<Vec<(String, String)>> {
    from.list(|from| Some((from.text()?, from.text()?)))
}

fn put_params(out: &mut Vec<u8>, params: &QueryParams) {
    put_uint(out, params.nodes.len() as u64);
    for node in &params.nodes {
        put_bytes(out, node.as_bytes());
    }
    put_pairs(out, params.tags.iter().map(|(name, regex)| (name.as_str(), regex.as_str())));
    out.extend_from_slice(&[params.ack.into(), params.relay_factor]);
    put_option(out, params.timeout, |out, timeout| put_uint(out, nanos(timeout)));
}

fn get_params(from: &mut Reader<'_>) -> Option<QueryParams> {
    Some(QueryParams {
        nodes: from.list(Reader::text)?,
        tags: get_pairs(from)?,
        ack: from.flag()?,
        relay_factor: from.byte()?,
        timeout: from.option(|from| from.uint().map(Duration::from_nanos))?,
    })
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use bytes::Bytes;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::config::Config;
    use crate::input::{self, Seat};

    fn text() -> impl Strategy<Value = String> {
        ".{0,20}"
    }

    fn pairs() -> impl Strategy<Value = Vec<(String, String)>> {
        vec((text(), text()), 0..3)
    }

    fn command() -> impl Strategy<Value = Command> {
        let payload = || vec(any::<u8>(), 0..40).prop_map(Bytes::from);
        let params = (vec(text(), 0..3), pairs(), any::<(bool, u8, Option<u64>)>());
        let params = params.prop_map(|(nodes, tags, (ack, relay_factor, timeout_ns))| {
            let timeout = timeout_ns.map(Duration::from_nanos);
            QueryParams { nodes, tags, ack, relay_factor, timeout }
        });
        let seat = Seat::from(core::net::SocketAddr::from(([10, 0, 0, 1], 7946)));
        let again = seat.clone();
        prop_oneof![
            any::<bool>()
                .prop_map(move |replay| Command::Join { seats: [seat.clone()].into(), replay }),
            Just(Command::Leave),
            (text(), any::<bool>()).prop_map(|(name, prune)| Command::ForceLeave { name, prune }),
            pairs().prop_map(|tags| Command::SetTags(Tags::new(tags).expect("few and short"))),
            (text(), payload(), any::<bool>()).prop_map(|(name, payload, coalesce)| {
                Command::UserEvent { name, payload, coalesce }
            }),
            (text(), payload(), params)
                .prop_map(|(name, payload, params)| { Command::Query { name, payload, params } }),
            (any::<u64>(), payload())
                .prop_map(|(id, payload)| Command::Respond { query: QueryId(id), payload }),
            any::<bool>().prop_map(Command::KeyringSaved),
            (1u32..1000).prop_map(|queries_max| {
                let config = SerfConfig::builder(Config::wan().build().expect("the defaults"));
                Command::Reload(config.queries_max(queries_max).build().expect("in its range"))
            }),
            Just(Command::Swim(input::Command::KeyringSaved(true))),
            Just(Command::Rejoin([again].into())),
        ]
    }

    proptest! {
        #[test]
        fn every_command_of_serf_survives_the_journal(command in command()) {
            let mut out = Vec::new();
            Serf::put_command(&mut out, &command);
            let mut from = Reader(&out);
            let back = Serf::get_command(&mut from).expect("it was just written");
            prop_assert!(from.0.is_empty(), "{} bytes left", from.0.len());
            prop_assert_eq!(format!("{back:?}"), format!("{command:?}"));
        }
    }
}
