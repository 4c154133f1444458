//! Commands of a timeline, as a node takes them.

use bytes::Bytes;
use swim_core::serf::{self, QueryParams};
use swim_core::{Command, Lane, OpId};

use super::World;
use crate::change::Strike;
use crate::fault::Order;
use crate::machine::Machine;
use crate::place;

impl<M: Machine> World<M> {
    /// Gives a node the command that an order stands for.
    pub(super) fn order(&mut self, node: u32, order: &Order) {
        match order {
            Order::Broadcast(text) => {
                let payload = Bytes::copy_from_slice(text.as_bytes());
                let (lane, key) = (Lane::Normal, None);
                self.give_command(node, Command::Broadcast { lane, key, payload });
            }
            Order::SetMeta(text) => {
                let meta = Bytes::copy_from_slice(text.as_bytes());
                self.give_command(node, Command::SetMeta(meta));
            }
            Order::Join(seeds) => self.join(node, seeds),
            Order::Event { name, bytes } => {
                let (name, payload) = (name.clone(), self.payload(node, *bytes as usize));
                self.give_serf(node, serf::Command::UserEvent { name, payload, coalesce: false });
            }
            Order::Query { name, deadline, ack, relay } => {
                let mut params = QueryParams::new();
                (params.timeout, params.ack, params.relay_factor) = (*deadline, *ack, *relay);
                let (name, payload) = (name.clone(), self.payload(node, 0));
                self.give_serf(node, serf::Command::Query { name, payload, params });
            }
            Order::ForceLeave { of, prune } => {
                for &subject in of.named() {
                    self.tell_strike(Strike::ForcedOut { node: subject, by: node });
                    let name = place::name(subject);
                    self.give_serf(node, serf::Command::ForceLeave { name, prune: *prune });
                }
            }
            Order::Tags(tags) => self.give_serf(node, serf::Command::SetTags(tags.clone())),
        }
    }

    /// A payload that no other command of this world has, with dots up to so many bytes.
    fn payload(&self, node: u32, bytes: usize) -> Bytes {
        let host = &self.hosts[node as usize];
        let text = format!("{}.{}.{}", place::name(node), host.life, host.ops + 1);
        format!("{text:.<bytes$}").into()
    }

    /// Hands a command of the Serf layer to a node. One that it does not take is as one that found
    /// nobody.
    fn give_serf(&mut self, node: u32, command: serf::Command) {
        let now = self.clock(node);
        let host = &mut self.hosts[node as usize];
        let Some(machine) = &mut host.machine else { return };
        host.ops += 1;
        let what = match &command {
            serf::Command::UserEvent { .. } => "event",
            serf::Command::Query { .. } => "query",
            serf::Command::SetTags(_) => "tags",
            _ => "force-leave",
        };
        if !machine.command(now, OpId(host.ops), command) {
            let at = self.now.as_secs_f64();
            let name = place::name(node);
            self.unmet.push(format!("{what} at {at:.3} s: {name} does not take it"));
        }
        self.drain(node);
    }
}
