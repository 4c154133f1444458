//! A foca that takes packets into nowhere.

use core::num::NonZeroU32;
use core::time::Duration;
use std::hint::black_box;

use bytes::BufMut as _;
use foca::{
    Codec as _, Config, Foca, Header, Identity, Member, Message, NoCustomBroadcast, Notification,
    Runtime, State, Timer,
};
use rand::SeedableRng as _;
use rand::rngs::SmallRng;

use super::codec::Raw;
use super::identity::Content;
use crate::workload::{Draft, KNOWN_INCARNATION, Receiver};

/// A foca and what it handed out.
pub struct Theirs<T: Content> {
    foca: Foca<T, Raw<T>, SmallRng, NoCustomBroadcast>,
    sink: Sink,
}

impl<T: Content> core::fmt::Debug for Theirs<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "foca of {}", self.foca.num_members())
    }
}

/// The members that a foca of `n` knows besides itself.
pub fn members<T: Content>(n: u32) -> impl Iterator<Item = Member<T>> {
    (1..n).map(|i| Member::new(T::of(i), KNOWN_INCARNATION as u16, State::Alive))
}

/// A foca that was given these members at once.
pub fn loaded<T: Content>(n: u32, members: impl Iterator<Item = Member<T>>) -> Theirs<T> {
    let size = NonZeroU32::new(n).expect("a cluster is not empty");
    let rng = SmallRng::seed_from_u64(7);
    let mut foca = Foca::new(T::of(0), Config::new_lan(size), rng, Raw::new());
    let mut sink = Sink::default();
    foca.apply_many(members, false, &mut sink).expect("the workload's members are accepted");
    Theirs { foca, sink }
}

impl<T: Content> Theirs<T> {
    /// How many members it knows, itself not counted.
    pub fn known(&self) -> usize {
        self.foca.num_members()
    }
}

impl<T: Content> Receiver for Theirs<T> {
    type Packet = Vec<u8>;

    fn knowing(n: u32) -> Self {
        let theirs = loaded(n, members(n));
        assert_eq!(theirs.known(), n as usize - 1);
        theirs
    }

    fn encode(&self, draft: &Draft) -> Vec<u8> {
        let mut codec = Raw::new();
        let mut out = Vec::new();
        let header = Header {
            src: T::of(draft.sender),
            src_incarnation: KNOWN_INCARNATION as u16,
            dst: T::of(0),
            message: Message::Ping(draft.seq as u8),
        };
        codec.encode_header(&header, &mut out).expect("a vector has room");
        out.put_u16(draft.updates.len() as u16);
        for &(i, incarnation) in &draft.updates {
            let incarnation = incarnation.try_into().expect("foca's incarnations have 16 bits");
            let member = Member::new(T::of(i), incarnation, State::Alive);
            codec.encode_member(&member, &mut out).expect("a vector has room");
        }
        assert!(out.len() <= 1400, "the packet fits a datagram");
        out
    }

    #[inline]
    fn take(&mut self, packet: &Vec<u8>) {
        self.foca.handle_data(packet, &mut self.sink).expect("the workload's packets are accepted");
    }

    fn settle(&mut self) {
        while self.foca.updates_backlog() > 0 {
            self.foca.gossip(&mut self.sink).expect("gossip of what is queued works");
        }
    }

    fn sent(&self) -> (u64, u64) {
        (self.sink.packets, self.sink.bytes)
    }
}

#[derive(Debug, Default)]
struct Sink {
    packets: u64,
    bytes: u64,
}

impl<T: Identity> Runtime<T> for Sink {
    fn notify(&mut self, notification: Notification<'_, T>) {
        black_box(&notification);
    }

    fn send_to(&mut self, to: T, data: &[u8]) {
        black_box((&to, data));
        self.packets += 1;
        self.bytes += data.len() as u64;
    }

    fn submit_after(&mut self, event: Timer<T>, after: Duration) {
        black_box((&event, after));
    }
}
