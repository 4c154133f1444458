//! One node of a world and its driver's state.

use core::time::Duration;
use std::collections::VecDeque;

use super::alarm::Alarm;
use crate::change::Stall;
use crate::digest::Digest;
use crate::machine::Machine;
use crate::oracle::Load;
use crate::stream::Mail;

/// A place for a process: up while it has a machine.
#[derive(Debug)]
pub(crate) struct Host<M> {
    pub(super) machine: Option<M>,
    pub(super) alarm: Alarm,
    /// Packets and streams sent in all lives; numbers the next.
    pub(super) number: u32,
    pub(super) digest: Digest,
    /// How many members the machine takes for live, as last looked at.
    pub(super) live: u32,
    pub(super) life: u32,
    /// It was told to leave: it is no member and no observer any more.
    pub(super) leaving: bool,
    /// Whether it was ever up.
    pub(super) started: bool,
    pub(super) stall: Option<Frozen>,
    /// Its machine has no power: nobody answers at its address.
    pub(super) dark: bool,
    /// Until when its interface sends, in nanoseconds.
    pub(super) busy_until_ns: u64,
    /// The highest incarnation of lives before this one.
    pub(super) issued: u32,
    pub(super) sent: u64,
    pub(super) sent_bytes: u64,
    pub(super) received: u64,
    pub(super) wakes: u64,
    /// Numbers its commands.
    pub(super) ops: u64,
    /// The command by which it joins, until that succeeds.
    pub(super) joining: Option<u64>,
}

/// A stall that is under way.
#[derive(Debug)]
pub(super) struct Frozen {
    pub(super) part: Stall,
    pub(super) number: u32,
    /// What arrived meanwhile.
    pub(super) inbox: VecDeque<Mail>,
    pub(super) inbox_bytes: usize,
    /// Datagrams that wait to be sent: to whom, buffer.
    pub(super) outbox: Vec<(u32, u32)>,
    /// A deadline passed meanwhile.
    pub(super) overslept: bool,
    /// Of a slow node, how long each input takes; it wakes up for one at a time.
    pub(super) cost: Option<Duration>,
    /// Whether a slow node is at work on one.
    pub(super) working: bool,
}

impl Frozen {
    pub(super) const fn new(part: Stall, number: u32) -> Self {
        Self {
            part,
            number,
            inbox: VecDeque::new(),
            inbox_bytes: 0,
            outbox: Vec::new(),
            overslept: false,
            cost: None,
            working: false,
        }
    }
}

impl<M> Default for Host<M> {
    fn default() -> Self {
        Self {
            machine: None,
            alarm: Alarm::default(),
            number: 0,
            digest: Digest::default(),
            live: 0,
            life: 0,
            leaving: false,
            started: false,
            stall: None,
            dark: false,
            busy_until_ns: 0,
            issued: 0,
            sent: 0,
            sent_bytes: 0,
            received: 0,
            wakes: 0,
            ops: 0,
            joining: None,
        }
    }
}

impl<M> Host<M> {
    /// Whether it is up and a member: its view counts.
    pub(crate) const fn observes(&self) -> bool {
        self.machine.is_some() && !self.leaving
    }

    /// Whether mail must wait.
    pub(super) const fn receives(&self) -> bool {
        self.stall.is_none()
    }

    /// Whether timers must wait.
    pub(super) fn timers_run(&self) -> bool {
        !matches!(self.stall, Some(Frozen { part: Stall::Loop, .. }))
    }

    /// Numbers a packet or stream.
    pub(super) const fn next_number(&mut self) -> u32 {
        self.number = self.number.wrapping_add(1);
        self.number
    }
}

impl<M: Machine> Host<M> {
    pub(super) fn load(&self) -> Load {
        let machine = self.machine.as_ref();
        Load {
            known: machine.map_or(0, Machine::known_len),
            queued: machine.map_or(0, Machine::queue_len),
            rumours: machine.map_or(0, Machine::rumours_len),
            sent: self.sent,
            received: self.received,
            wakes: self.wakes,
            timers: machine.map_or(0, Machine::timers_len),
            life: self.life,
        }
    }
}
