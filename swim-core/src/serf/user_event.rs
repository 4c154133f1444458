//! User events: sent, passed on, and delivered once (serf spec 2.3).

use alloc::string::String;

use bytes::{Bytes, BytesMut};

use super::core::{Core, EVENTS};
use super::ring::{Heard, Ring};
use crate::serf::{Event, Rejected, UserEvent};
use crate::wire::serf;

/// Events of recent times.
pub(super) struct UserEvents {
    ring: Ring<Known>,
}

/// An event that was heard of, within the message that brought it.
pub(super) struct Known {
    pub(super) name: Bytes,
    pub(super) payload: Bytes,
}

/// What an event takes besides its bytes.
const KNOWN_BYTES: usize = 64;

impl UserEvents {
    pub(super) const fn new() -> Self {
        Self { ring: Ring::new() }
    }

    pub(super) const fn ring(&self) -> &Ring<Known> {
        &self.ring
    }

    /// From now on events of older times are not delivered.
    pub(super) fn raise_min_time(&mut self, time: u64) {
        self.ring.raise_min_time(time);
    }

    /// Sends an event of this node's own.
    pub(super) fn send(
        &mut self,
        cx: &mut Core,
        name: &str,
        payload: &[u8],
        coalesce: bool,
    ) -> Result<(), Rejected> {
        let ltime = cx.clocks.event.time();
        let name = name.as_bytes();
        let event = serf::UserEvent { ltime, name, payload: Some(payload), coalesce };
        event.fits(cx.config.knobs.user_event_bytes_max as usize)?;
        let mut message = BytesMut::with_capacity(event.encoded_len());
        event.encode(&mut message);
        self.take(cx, &event);
        cx.broadcast(EVENTS, message.freeze(), None);
        Ok(())
    }

    /// An event came by gossip: what is news is passed on as it came.
    pub(super) fn on_message(
        &mut self,
        cx: &mut Core,
        event: &serf::UserEvent<'_>,
        message: &[u8],
    ) {
        if self.take(cx, event) {
            cx.broadcast(EVENTS, Bytes::copy_from_slice(message), None);
        }
    }

    /// Delivers an event that is news; whether it is.
    pub(super) fn take(&mut self, cx: &mut Core, event: &serf::UserEvent<'_>) -> bool {
        cx.clocks.event.witness(event.ltime);
        let payload = event.payload.unwrap_or_default();
        let knobs = &cx.config.knobs;
        let slots = knobs.event_times_max;
        let is_same = |known: &Known| known.name == event.name && known.payload == payload;
        match self.ring.hear(slots, cx.clocks.event.time(), event.ltime, is_same) {
            Heard::New => {}
            heard => {
                let stats = cx.stats.count();
                match heard {
                    Heard::Old => stats.user_events_old += 1,
                    Heard::Again => stats.user_events_again += 1,
                    _ => stats.crowded += 1,
                }
                return false;
            }
        }
        let mut both = BytesMut::with_capacity(event.name.len() + payload.len());
        both.extend_from_slice(event.name);
        both.extend_from_slice(payload);
        let mut name = both.freeze();
        let payload = name.split_off(event.name.len());
        let text = String::from_utf8_lossy(&name).into_owned();
        let (bytes, bytes_max) = (name.len() + payload.len() + KNOWN_BYTES, knobs.event_bytes_max);
        let known = Known { name, payload: payload.clone() };
        let forgotten = self.ring.remember(slots, event.ltime, known, bytes, bytes_max as usize);
        let stats = cx.stats.count();
        stats.user_events_forgotten += forgotten as u64;
        stats.user_events += 1;
        let (ltime, coalesce) = (event.ltime, event.coalesce);
        cx.raise(Event::User(UserEvent { ltime, name: text, payload, coalesce }));
        true
    }
}
