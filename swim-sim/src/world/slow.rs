//! Nodes whose processor is slow: each input takes its time.

use core::time::Duration;

use super::World;
use super::host::Frozen;
use crate::change::Stall;
use crate::fault::Act;
use crate::machine::Machine;
use crate::stream::Mail;

impl<M: Machine> World<M> {
    /// Makes a node take `cost` for each input, unless it is down, frozen or slow already. A slow
    /// node is a frozen driver that wakes up for one input at a time.
    pub(super) fn slow_down(&mut self, node: u32, cost: Duration) {
        let host = &mut self.hosts[node as usize];
        if host.machine.is_none() || host.stall.is_some() {
            return;
        }
        self.faults.slowed += 1;
        let number = self.next_stall();
        let frozen = Frozen { cost: Some(cost), ..Frozen::new(Stall::Loop, number) };
        self.hosts[node as usize].stall = Some(frozen);
    }

    /// Lets it run at full speed again; it does what waits.
    pub(super) fn speed_up(&mut self, node: u32) {
        let stall = &self.hosts[node as usize].stall;
        if stall.as_ref().is_some_and(|s| s.cost.is_some()) {
            self.resume(node);
        }
    }

    /// Something waits for a node that is not ready: if it is slow and idle, it begins with it.
    pub(super) fn begin_work(&mut self, node: u32) {
        let Some(stall) = &mut self.hosts[node as usize].stall else { return };
        let Some(cost) = stall.cost.filter(|_| !stall.working) else { return };
        stall.working = true;
        let number = stall.number;
        self.add_act(self.now + cost, Act::Work { node, stall: number });
    }

    /// A slow node has worked through one message, and a time-out if one is due.
    pub(super) fn work(&mut self, node: u32, number: u32) {
        let host = &mut self.hosts[node as usize];
        if host.stall.as_ref().is_none_or(|s| s.number != number) {
            return;
        }
        let Some(mut stall) = host.stall.take() else { return };
        if let Some(mail) = stall.inbox.pop_front() {
            if let Mail::Datagram { packet, .. } = mail {
                stall.inbox_bytes -= self.charge(packet);
            }
            self.read(node, mail);
        }
        if core::mem::take(&mut stall.overslept) {
            self.time_out(node);
        }
        self.drain(node);
        // It may have come to its end.
        if self.hosts[node as usize].machine.is_none() {
            return;
        }
        let more = !stall.inbox.is_empty();
        stall.working = false;
        self.hosts[node as usize].stall = Some(stall);
        if more {
            self.begin_work(node);
        }
    }
}
