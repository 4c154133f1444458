//! Taking a datagram apart.

use alloc::boxed::Box;
use core::net::SocketAddr;

use smallvec::SmallVec;

use super::claims::Origin;
use super::members::{Members, SlotId};
use super::node::Node;
use crate::error::Rejected;
use crate::time::Instant;
use crate::wire::{self, FlatParts, Kind, Limits, Message, Parts, Scratch};

/// Claims that are looked up together.
const BATCH: usize = 32;

/// A table of this many members does not stay in the nearest cache.
const WARM_ABOVE: u32 = 256;

/// Pings, and requests to ping, that a datagram may bring. Each may be answered by a whole one: a
/// few hundred bytes of pings would bring a megabyte of acks to an address that is easily forged.
/// memberlist packs one into a datagram, and answers any number.
const REQUESTS_MAX: u32 = 2;

const ALIVE: u8 = Kind::Alive.byte();
const SUSPECT: u8 = Kind::Suspect.byte();
const DEAD: u8 = Kind::Dead.byte();
const PING: u8 = Kind::Ping.byte();
const INDIRECT_PING: u8 = Kind::IndirectPing.byte();

/// What became of the parts of a datagram.
#[derive(Default)]
struct Outcome {
    any_taken: bool,
    refused: Option<Rejected>,
    requests: u32,
}

impl Node {
    pub(super) fn on_datagram(
        &mut self,
        at: Instant,
        from: SocketAddr,
        bytes: &[u8],
    ) -> Result<(), Rejected> {
        self.cx.stats.datagrams_in += 1;
        self.cx.stats.bytes_in += bytes.len() as u64;
        let mut outcome = Outcome::default();
        match FlatParts::read(bytes, &Limits::default()) {
            Some(parts) => self.on_flat(at, from, parts, &mut outcome),
            None => self.on_nested(at, from, bytes, &mut outcome),
        }
        match outcome.refused {
            Some(why) if !outcome.any_taken => Err(why),
            _ => Ok(()),
        }
    }

    /// Takes a message, or a compound of messages. Claims that members are alive are most of what
    /// arrives: they are decoded and looked up several at once, so that the waits for memory
    /// overlap.
    fn on_flat(
        &mut self,
        at: Instant,
        from: SocketAddr,
        parts: FlatParts<'_>,
        outcome: &mut Outcome,
    ) {
        if self.cx.members.is_far() {
            warm_accused(&self.cx.members, parts.clone());
        }
        let mut claims: SmallVec<[wire::Alive<'_>; BATCH]> = SmallVec::new();
        for part in parts {
            let taken = match part.split_first() {
                Some((&ALIVE, body)) => match wire::Alive::decode(body) {
                    Ok(claim) => {
                        claims.push(claim);
                        Ok(())
                    }
                    Err(why) => Err(Rejected::Malformed(why)),
                },
                _ => {
                    self.on_claims(from, &mut claims);
                    self.on_part(at, from, part, outcome)
                }
            };
            self.note(taken, outcome);
            if claims.len() == BATCH {
                self.on_claims(from, &mut claims);
            }
        }
        self.on_claims(from, &mut claims);
    }

    fn on_claims(&mut self, from: SocketAddr, claims: &mut SmallVec<[wire::Alive<'_>; BATCH]>) {
        if claims.is_empty() {
            return;
        }
        let looks = look_up(&self.cx.members, claims);
        for (claim, (hash, guess)) in claims.iter().zip(looks) {
            let slot = self.cx.members.find_near(guess, hash, claim.node);
            self.cx.on_alive_at(Origin::Datagram(from), claim, slot);
        }
        claims.clear();
    }

    /// Takes any datagram, layer by layer.
    fn on_nested(&mut self, at: Instant, from: SocketAddr, bytes: &[u8], outcome: &mut Outcome) {
        let (mut kept, mut fresh) = (self.scratch.take(), Scratch::default());
        let scratch = kept.as_deref_mut().unwrap_or(&mut fresh);
        let mut parts = Parts::new(bytes, scratch, Limits::default());
        while let Some(part) = parts.next_part() {
            let taken = match part {
                Ok(part) => self.on_part(at, from, part, outcome),
                Err(why) => Err(Rejected::Nesting(why)),
            };
            self.note(taken, outcome);
        }
        self.scratch = kept.or_else(|| fresh.is_used().then(|| Box::new(fresh)));
    }

    fn on_part(
        &mut self,
        at: Instant,
        from: SocketAddr,
        part: &[u8],
        outcome: &mut Outcome,
    ) -> Result<(), Rejected> {
        if matches!(part, [PING | INDIRECT_PING, ..]) {
            outcome.requests += 1;
            if outcome.requests > REQUESTS_MAX {
                self.cx.stats.rare().requests_dropped += 1;
                return Ok(());
            }
        }
        match &Message::decode(part) {
            Ok(message) => self.on_message(at, from, message),
            Err(why) => Err(Rejected::Malformed(*why)),
        }
    }

    fn note(&mut self, taken: Result<(), Rejected>, outcome: &mut Outcome) {
        let Err(why) = taken else {
            outcome.any_taken = true;
            return;
        };
        outcome.refused = Some(why);
        self.cx.count_refusal(why);
    }
}

/// Where the members that these claims are about probably are, by the hashes of their names; what
/// they will be found by is in the cache then. Short loops, each of which the processor can run
/// ahead of its own misses.
#[inline]
fn look_up(members: &Members, claims: &[wire::Alive<'_>]) -> [(u64, SlotId); BATCH] {
    let mut looks = [(0, 0); BATCH];
    for ((hash, _), claim) in looks.iter_mut().zip(claims) {
        *hash = members.hash(claim.node);
    }
    let looked = &mut looks[..claims.len().min(BATCH)];
    for (hash, guess) in &mut *looked {
        *guess = members.guess(*hash);
    }
    if members.slots_len() > WARM_ABOVE {
        let touched = looked.iter().fold(0, |all, &(_, guess)| all ^ members.touch(guess));
        core::hint::black_box(touched);
    }
    looks
}

/// Touches what the accused of a datagram are known by.
fn warm_accused(members: &Members, parts: FlatParts<'_>) {
    let accused = |part: &[u8]| {
        let (&(SUSPECT | DEAD), body) = part.split_first()? else { return None };
        let claim = wire::Claim::decode(body).ok()?;
        Some(members.guess(members.hash(claim.node)))
    };
    let slots: SmallVec<[SlotId; BATCH]> = parts.filter_map(accused).collect();
    if slots.len() > 1 {
        core::hint::black_box(members.touch_changes(&slots));
    }
}
