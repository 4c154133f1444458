//! Pinging for others (memberlist spec 5.2, helper side).

use alloc::boxed::Box;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::ctx::Ctx;
use super::outbox::Packet;
use super::timers::Due;
use crate::config::Knobs;
use crate::ids::{Addr, NodeName};
use crate::wire;

/// Of all relays one requester may hold this part.
const SHARE: u32 = 4;

/// Pings relayed for others, by this node's sequence number.
pub(crate) struct Relays {
    waiting: HashMap<u32, Relay, FixedState>,
    /// How many of them each requester holds.
    held: HashMap<Addr, u32, FixedState>,
}

struct Relay {
    requester: Addr,
    /// Its name, if names are wanted.
    requester_name: Option<NodeName>,
    requester_seq: u32,
    nack_wanted: bool,
    answered: bool,
    /// The time for a nack has passed; the next time-out ends the relay.
    overtime: bool,
}

impl Relay {
    fn name(&self) -> &[u8] {
        self.requester_name.as_ref().map_or(b"", |name| name.as_str().as_bytes())
    }
}

impl Default for Relays {
    fn default() -> Self {
        let hasher = || FixedState::with_seed(0);
        Self { waiting: HashMap::with_hasher(hasher()), held: HashMap::with_hasher(hasher()) }
    }
}

impl Relays {
    /// A member asks this node to ping another for it; answers go to `requester`.
    pub(crate) fn on_request(
        &mut self,
        cx: &mut Ctx,
        requester: Addr,
        ask: &wire::IndirectPing<'_>,
    ) {
        let expires = cx.now + cx.config.knobs.probe_timeout;
        let nack = Packet::Nack { to: requester, seq: ask.seq, expires };
        let held = self.held.get(&requester).copied().unwrap_or(0);
        let max = cx.config.knobs.relays_max;
        let full = self.waiting.len() >= max as usize || held >= max.div_ceil(SHARE);
        let target = if full { None } else { target(cx, ask) };
        let Some(to) = target else {
            // The requester learns that this node lives, and that it cannot help.
            cx.stats.rare().relays_refused += 1;
            if ask.nack {
                cx.reply_by_name(ask.source.node, nack);
            }
            return;
        };
        let seq = cx.rng.next_u32();
        if !cx.reply(Packet::Relay { to: Box::new(to), seq, expires }) {
            return;
        }
        let relay = Relay {
            requester,
            requester_name: cx.names.then(|| NodeName::from_wire(ask.source.node).ok()).flatten(),
            requester_seq: ask.seq,
            nack_wanted: ask.nack,
            answered: false,
            overtime: false,
        };
        self.waiting.insert(seq, relay);
        *self.held.entry(requester).or_insert(0) += 1;
        // At the whole time-out a nack would come after the requester's deadline (hazard 34).
        cx.timers.push(cx.now + cx.config.knobs.probe_timeout * 4 / 5, Due::Relay(seq));
    }

    /// An ack arrived; whether it answers a relayed ping.
    pub(crate) fn on_ack(&mut self, cx: &mut Ctx, seq: u32) -> bool {
        let Some(relay) = self.waiting.get_mut(&seq) else { return false };
        if !core::mem::replace(&mut relay.answered, true) {
            let expires = cx.now + cx.config.knobs.probe_timeout;
            let (to, seq) = (relay.requester, relay.requester_seq);
            cx.reply_by_name(relay.name(), Packet::RelayedAck { to, seq, expires });
        }
        true
    }

    /// What must hold at all times.
    pub(crate) fn audit(&self, knobs: &Knobs) {
        assert!(self.waiting.len() <= knobs.relays_max as usize);
        assert_eq!(self.held.values().sum::<u32>() as usize, self.waiting.len());
    }

    /// The time of a relay has come: for its nack, then for its end.
    pub(crate) fn on_due(&mut self, cx: &mut Ctx, seq: u32) {
        let Some(relay) = self.waiting.get_mut(&seq) else { return };
        let probe_timeout = cx.config.knobs.probe_timeout;
        if !relay.overtime && !relay.answered {
            relay.overtime = true;
            cx.timers.push(cx.now + probe_timeout / 5, Due::Relay(seq));
            if relay.nack_wanted {
                let expires = cx.now + probe_timeout;
                let (to, seq) = (relay.requester, relay.requester_seq);
                cx.reply_by_name(relay.name(), Packet::Nack { to, seq, expires });
            }
            return;
        }
        let requester = relay.requester;
        self.waiting.remove(&seq);
        if let Some(held) = self.held.get_mut(&requester) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&requester);
            }
        }
    }
}

/// Where the relayed ping goes: unless the configuration trusts everybody, only to a member at its
/// known address, so that this node cannot be aimed at a third party (hazard 18).
fn target(cx: &Ctx, ask: &wire::IndirectPing<'_>) -> Option<(Addr, NodeName)> {
    let port = if ask.port == 0 { cx.my_record().port() } else { ask.port };
    let asked = Addr::from_wire(ask.target.unwrap_or_default(), port).ok()?;
    let name = NodeName::from_wire(ask.node).ok()?;
    if cx.config.knobs.plausible_addresses_only {
        let known = cx.members.find(ask.node)?;
        let known = cx.members.slot(known).record().addr();
        return known.same_place(&asked).then_some((known, name));
    }
    Some((asked, name))
}
