//! What the embedder asks for.

use alloc::sync::Arc;

use super::exchange::Purpose;
use super::node::Node;
use super::outbox::Direct;
use super::streams::USER_BYTES_MAX;
use crate::config::Config;
use crate::error::Rejected;
use crate::event::{Event, Outcome};
use crate::ids::{Addr, META_BYTES_MAX, OpId};
use crate::input::{Command, KeyCommand};
use crate::wire::Limits;

impl Node {
    pub(super) fn on_command(&mut self, op: OpId, command: Command) -> Result<(), Rejected> {
        let cx = &mut self.cx;
        match command {
            Command::Join(_) | Command::SetMeta(_) | Command::SetAddress(_) if cx.leaving => {
                return Err(Rejected::Leaving);
            }
            Command::Join(seats) => {
                self.fast_join.prepare(cx);
                self.exchanges.join(cx, op, seats);
            }
            Command::Leave => {
                if cx.leaving {
                    return Err(Rejected::Leaving);
                }
                cx.leave(op, Outcome::Left);
            }
            Command::SetMeta(meta) => {
                if meta.len() > META_BYTES_MAX {
                    return Err(Rejected::MetaTooLong(meta.len()));
                }
                let record = cx.my_record().with(cx.my_record().addr(), &meta);
                cx.renew(record, Some((op, Outcome::Applied)));
            }
            Command::SetAddress(addr) => return self.set_address(op, addr),
            Command::Broadcast { lane, key, payload } => {
                too_long(payload.len(), cx.broadcast_bytes_max())?;
                let lane_len_max = cx.config.knobs.lane_len_max;
                let ended = cx.rumours.push_user(lane, key, payload, Some(op), lane_len_max);
                cx.end_broadcasts(ended);
                cx.arm_gossip();
            }
            Command::SetAckPayload(payload) => {
                // An ack should fit into the smallest datagram that is packed to.
                too_long(payload.len(), META_BYTES_MAX)?;
                cx.app().ack_payload = payload;
                cx.done(op, Outcome::Applied);
            }
            Command::SetAppState(state) => {
                too_long(state.len(), Limits::default().user_state_bytes_max as usize)?;
                cx.app().app_state = state;
                cx.done(op, Outcome::Applied);
            }
            Command::Ping { name, to } => {
                let (cx, aside) = self.split();
                aside.pings.begin(cx, op, name, to)?;
            }
            Command::Send { to, reliable: false, payload } => {
                too_long(payload.len(), usize::from(u16::MAX) - cx.outer_bytes() - 64)?;
                let bytes_max = cx.config.knobs.direct_bytes_max;
                if !cx.out.direct(Direct { to, payload }, bytes_max) {
                    return Err(Rejected::QueueFull(bytes_max));
                }
            }
            Command::Send { to, reliable: true, payload } => {
                too_long(payload.len(), USER_BYTES_MAX)?;
                let deadline = cx.now + cx.config.knobs.stream_timeout;
                let purpose = Purpose::Send { op, payload };
                self.exchanges.open(cx, to, purpose, deadline)?;
            }
            Command::Key(change) => return self.change_keys(op, change),
            Command::KeyringSaved(saved) => {
                cx.done(op, if saved { Outcome::Applied } else { Outcome::NotSaved });
            }
            Command::Reload(config) => return self.reload(op, config),
        }
        Ok(())
    }

    /// The name must be free before another address can take it: leave, then come back.
    fn set_address(&mut self, op: OpId, addr: Addr) -> Result<(), Rejected> {
        let cx = &mut self.cx;
        if addr.port() == 0 || addr.canonical().ip().is_unspecified() {
            return Err(Rejected::Unreachable);
        }
        cx.move_to(addr, op);
        Ok(())
    }

    fn change_keys(&mut self, op: OpId, change: KeyCommand) -> Result<(), Rejected> {
        let cx = &mut self.cx;
        let changed = match change {
            KeyCommand::Install(key) => cx.keyring.add(key),
            KeyCommand::Use(key) => cx.keyring.use_key(&key),
            KeyCommand::Remove(key) => cx.keyring.remove(&key),
        };
        if changed.map_err(Rejected::Keyring)? {
            cx.raise(Event::KeyringChanged(op));
            cx.end_misfits();
        } else {
            cx.done(op, Outcome::Applied);
        }
        Ok(())
    }

    fn reload(&mut self, op: OpId, config: Arc<Config>) -> Result<(), Rejected> {
        if let Some(knob) = self.cx.config.fixed_difference(&config) {
            return Err(Rejected::FixedKnob(knob));
        }
        let keys = &config.keyring;
        if *keys != self.cx.config.keyring && *keys != self.cx.keyring {
            return Err(Rejected::FixedKnob("keyring"));
        }
        self.cx.config = config;
        self.cx.adjust_awareness(0);
        self.cx.end_misfits();
        self.prober.hasten(&mut self.cx);
        super::upkeep::rearm(&mut self.cx);
        self.cx.done(op, Outcome::Applied);
        Ok(())
    }
}

fn too_long(bytes: usize, bytes_max: usize) -> Result<(), Rejected> {
    if bytes > bytes_max { Err(Rejected::PayloadTooLong { bytes, bytes_max }) } else { Ok(()) }
}
