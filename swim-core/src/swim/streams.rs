//! What arrives on streams: requests of others, and replies to this node's own.

use alloc::string::{String, ToString as _};
use core::net::SocketAddr;

use super::exchange::Purpose;
use super::fast_join::JoinBy;
use super::merge::{NotMerged, Theirs};
use super::node::Node;
use crate::error::Rejected;
use crate::event::{ExchangeError, Via};
use crate::ids::{InboundId, OutboundId};
use crate::wire::{DecodeError, Kind, Message, UserHeader};

/// Largest user message on a stream (memberlist spec 3.5).
pub(crate) const USER_BYTES_MAX: usize = 20 * 1024 * 1024;

impl Node {
    pub(super) fn on_request(
        &mut self,
        id: InboundId,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Result<(), Rejected> {
        self.cx.stats.streams_in += 1;
        let kind = bytes.first().copied().and_then(Kind::from_byte);
        if Theirs::is_state(&self.cx, bytes) {
            self.count_state(bytes);
            return self.on_push_pull(id, bytes);
        }
        let taken = match kind {
            Some(Kind::Ping) => self.on_stream_ping(id, bytes),
            Some(Kind::User) => self.on_stream_message(id, from, bytes),
            _ => Err(Rejected::WrongPlane),
        };
        taken.inspect_err(|_| self.exchanges.close(&mut self.cx, id))
    }

    fn count_state(&mut self, bytes: &[u8]) {
        if let Some(figures) = self.cx.figures() {
            figures.states_in += 1;
            figures.state_bytes_in += bytes.len() as u64;
        }
    }

    /// Verify, ask the policy, answer, merge: Go answers first, which makes merges one-sided
    /// (hazard 31).
    fn on_push_pull(&mut self, id: InboundId, bytes: &[u8]) -> Result<(), Rejected> {
        let state = match Theirs::decode(bytes) {
            Ok(state) => state,
            Err(e) => {
                self.exchanges.refuse(&mut self.cx, id, e.to_string());
                return Err(Rejected::Malformed(e));
            }
        };
        let (cx, aside) = self.split();
        if let Err(why) = aside.merges.verify(cx, &state) {
            let (text, rejected) = refusal(why, self.cx.config.knobs.exchanges_max);
            self.exchanges.refuse(&mut self.cx, id, text);
            return Err(rejected);
        }
        let answered = self.exchanges.reply_state(&self.cx, id, state.is_join());
        answered.inspect_err(|_| self.exchanges.close(&mut self.cx, id))?;
        let by = if state.is_join() { JoinBy::Other } else { JoinBy::Nobody };
        let origin = self.fast_join.origin(by);
        let (cx, aside) = self.split();
        aside.merges.begin(cx, origin, &state);
        Ok(())
    }

    fn on_stream_ping(&mut self, id: InboundId, bytes: &[u8]) -> Result<(), Rejected> {
        let Message::Ping(ping) = Message::decode(bytes).map_err(Rejected::Malformed)? else {
            return Err(Rejected::WrongPlane);
        };
        if !ping.node.is_empty() && ping.node != self.cx.my_record().name_bytes() {
            return Err(Rejected::NotForMe);
        }
        self.exchanges.reply_ack(&self.cx, id, ping.seq)
    }

    fn on_stream_message(
        &mut self,
        id: InboundId,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Result<(), Rejected> {
        let body = &bytes[1..];
        let (header, used) = UserHeader::decode_prefix(body).map_err(Rejected::Malformed)?;
        let len = header.len as usize;
        if len > USER_BYTES_MAX {
            return Err(Rejected::PayloadTooLong { bytes: len, bytes_max: USER_BYTES_MAX });
        }
        let have = body.len() - used;
        let Some(payload) = body[used..].get(..len) else {
            return Err(Rejected::Malformed(DecodeError::Truncated { need: len, have }));
        };
        self.exchanges.close(&mut self.cx, id);
        if !payload.is_empty() {
            self.cx.deliver(from, Via::Stream, payload);
        }
        Ok(())
    }

    pub(super) fn on_reply(
        &mut self,
        id: OutboundId,
        result: Result<&[u8], ExchangeError>,
    ) -> Result<(), Rejected> {
        let purpose = self.exchanges.end(&mut self.cx, id)?;
        let result = result.and_then(|bytes| self.on_answer(&purpose, bytes));
        match purpose {
            Purpose::Join(..) if result.is_ok() => self.fast_join.begin(&mut self.cx),
            Purpose::Reconnect if result.is_ok() => self.fast_join.reconnected(&mut self.cx),
            _ => {}
        }
        self.exchanges.finish(&mut self.cx, &purpose, result);
        Ok(())
    }

    fn on_answer(&mut self, purpose: &Purpose, bytes: &[u8]) -> Result<(), ExchangeError> {
        match purpose {
            Purpose::Send { .. } => return Ok(()),
            Purpose::StreamPing { seq } => return self.on_stream_ack(*seq, bytes),
            Purpose::Join(..) | Purpose::Sync | Purpose::Reconnect => {}
        }
        match bytes.first().copied().and_then(Kind::from_byte) {
            _ if Theirs::is_state(&self.cx, bytes) => self.count_state(bytes),
            Some(Kind::Error) => return Err(ExchangeError::Remote),
            None if bytes.is_empty() => return Err(ExchangeError::Closed),
            _ => return Err(ExchangeError::Malformed),
        }
        let Ok(mut state) = Theirs::decode(bytes) else {
            self.cx.stats.rare().malformed += 1;
            return Err(ExchangeError::Malformed);
        };
        // The acceptor copies the flag; what this node asked for is what counts.
        state.set_join(purpose.is_join());
        let origin = self.fast_join.origin(match purpose {
            Purpose::Join(..) => JoinBy::Me,
            _ => JoinBy::Nobody,
        });
        let (cx, aside) = self.split();
        aside.merges.verify(cx, &state).map_err(|why| match why {
            NotMerged::Busy => ExchangeError::Busy,
            NotMerged::Vetoed(_) => ExchangeError::Vetoed,
            NotMerged::Incompatible => ExchangeError::Incompatible,
        })?;
        aside.merges.begin(cx, origin, &state);
        Ok(())
    }

    fn on_stream_ack(&mut self, seq: u32, bytes: &[u8]) -> Result<(), ExchangeError> {
        match Message::decode(bytes) {
            Ok(Message::Ack(ack)) if ack.seq == seq => {
                self.prober.on_stream_answer(seq);
                Ok(())
            }
            Err(DecodeError::Empty) => Err(ExchangeError::Closed),
            _ => Err(ExchangeError::Malformed),
        }
    }
}

fn refusal(why: NotMerged, exchanges_max: u32) -> (String, Rejected) {
    match why {
        NotMerged::Busy => ("too many merges are under way".into(), Rejected::Busy(exchanges_max)),
        NotMerged::Vetoed(text) => (text, Rejected::Vetoed),
        NotMerged::Incompatible => {
            ("no member speaks a compatible version".into(), Rejected::Incompatible)
        }
    }
}
