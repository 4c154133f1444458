//! What a snapshot says, and what is to be written of it (serf spec 7.2 to 7.4).

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

use bytes::BytesMut;

use crate::rng::{Rng, Seed};
use crate::serf::snapshot::Line;
use crate::serf::snapshot::line::is_writable;

/// The members that were there last, and the clocks: kept to be known after a restart.
///
/// What changes is appended to the caller's buffer as lines, which belong at the end of the file;
/// once it [is long](Self::wants_compaction), [`compact`](Self::compact) writes all that counts
/// into a new one.
#[derive(Clone, Debug)]
pub struct Snapshot {
    alive: BTreeMap<Box<str>, SocketAddr>,
    clock: u64,
    event_clock: u64,
    query_clock: u64,
    /// Members are known beyond a leave.
    rejoins: bool,
    /// This node leaves; of members nothing more is written.
    leaves: bool,
    file_bytes: u64,
    unwritable: u64,
}

impl Snapshot {
    /// How often the member clock is looked at.
    pub const CLOCK_INTERVAL: Duration = Duration::from_millis(500);

    /// An empty one, for a file that does not exist yet. With `rejoins`, a node that has left still
    /// knows whom to join.
    pub const fn new(rejoins: bool) -> Self {
        Self {
            alive: BTreeMap::new(),
            clock: 0,
            event_clock: 0,
            query_clock: 0,
            rejoins,
            leaves: false,
            file_bytes: 0,
            unwritable: 0,
        }
    }

    /// A member is there. `clock` is this node's member clock, and so in all that follow.
    pub fn on_alive(&mut self, name: &str, addr: SocketAddr, clock: u64, out: &mut BytesMut) {
        if self.writes_of(name) {
            self.write(Line::Alive { name, addr }, out);
        }
        self.on_clock(clock, out);
    }

    /// A member is gone, by a leave or a failure. That it is reaped, or updated, is not kept.
    pub fn on_not_alive(&mut self, name: &str, clock: u64, out: &mut BytesMut) {
        if self.writes_of(name) {
            self.write(Line::NotAlive { name }, out);
        }
        self.on_clock(clock, out);
    }

    /// Keeps the member clock; to be called every [`CLOCK_INTERVAL`](Self::CLOCK_INTERVAL), too.
    pub fn on_clock(&mut self, clock: u64, out: &mut BytesMut) {
        // The clock is one ahead of the latest time it has seen.
        if let Some(seen) = clock.checked_sub(1).filter(|seen| *seen > self.clock) {
            self.write(Line::Clock(seen), out);
        }
    }

    /// An application's event of this time was seen.
    pub fn on_user_event(&mut self, ltime: u64, out: &mut BytesMut) {
        if !self.leaves && ltime > self.event_clock {
            self.write(Line::EventClock(ltime), out);
        }
    }

    /// A query of this time was seen, one of Serf's own too.
    pub fn on_query(&mut self, ltime: u64, out: &mut BytesMut) {
        if !self.leaves && ltime > self.query_clock {
            self.write(Line::QueryClock(ltime), out);
        }
    }

    /// This node leaves. What was appended must reach the disk before it is gone.
    pub fn on_leave(&mut self, out: &mut BytesMut) {
        self.leaves = true;
        let (clock, event_clock, query_clock) = self.clocks();
        self.write(Line::Leave, out);
        // They count from nothing again only for whoever reads it.
        (self.clock, self.event_clock, self.query_clock) = (clock, event_clock, query_clock);
    }

    /// Whether the file is so long that it should be written anew.
    pub fn wants_compaction(&self) -> bool {
        self.file_bytes > COMPACTION_BYTES_MIN.max(2 * LINE_BYTES * self.alive.len() as u64)
    }

    /// Appends all that counts, for a new file that takes the place of the old one.
    pub fn compact(&mut self, out: &mut BytesMut) {
        let start = out.len();
        for (name, addr) in &self.alive {
            Line::Alive { name, addr: *addr }.write(out);
        }
        Line::Clock(self.clock).write(out);
        Line::EventClock(self.event_clock).write(out);
        Line::QueryClock(self.query_clock).write(out);
        self.file_bytes = (out.len() - start) as u64;
    }

    /// The members that are there, by name.
    pub fn alive(&self) -> impl ExactSizeIterator<Item = (&str, SocketAddr)> + '_ {
        self.alive.iter().map(|(name, addr)| (&**name, *addr))
    }

    /// Whom to join after a restart, in random order: all but this node itself. One that answers is
    /// enough.
    pub fn rejoin_list(&self, me: &str, seed: Seed) -> Vec<(&str, SocketAddr)> {
        let mut rng = Rng::new(seed);
        let mut list: Vec<_> = self.alive().filter(|(name, _)| *name != me).collect();
        for last in (1..list.len()).rev() {
            list.swap(last, rng.below(last as u32 + 1) as usize);
        }
        list
    }

    /// The latest times seen of members, of applications' events and of queries; the clocks of a
    /// new start must be ahead of them, and events and queries up to them are old.
    pub const fn clocks(&self) -> (u64, u64, u64) {
        (self.clock, self.event_clock, self.query_clock)
    }

    /// Members that are not kept because of their names.
    pub const fn unwritable(&self) -> u64 {
        self.unwritable
    }

    pub(super) const fn set_file_bytes(&mut self, file_bytes: u64) {
        self.file_bytes = file_bytes;
    }

    pub(super) fn apply(&mut self, line: Line<'_>) {
        match line {
            Line::Alive { name, addr } => drop(self.alive.insert(name.into(), addr)),
            Line::NotAlive { name } => drop(self.alive.remove(name)),
            Line::Clock(time) => self.clock = time,
            Line::EventClock(time) => self.event_clock = time,
            Line::QueryClock(time) => self.query_clock = time,
            Line::Leave if self.rejoins => {}
            Line::Leave => {
                self.alive.clear();
                (self.clock, self.event_clock, self.query_clock) = (0, 0, 0);
            }
            Line::Ignored => {}
        }
    }

    fn write(&mut self, line: Line<'_>, out: &mut BytesMut) {
        let start = out.len();
        line.write(out);
        self.file_bytes += (out.len() - start) as u64;
        self.apply(line);
    }

    fn writes_of(&mut self, name: &str) -> bool {
        if self.leaves {
            return false;
        }
        self.unwritable += u64::from(!is_writable(name));
        is_writable(name)
    }
}

/// A file of less is not written anew.
const COMPACTION_BYTES_MIN: u64 = 128 * 1024;
/// What a member takes in the file, roughly.
const LINE_BYTES: u64 = 128;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serf::snapshot::Replay;

    fn addr(n: u8) -> SocketAddr {
        ([127, 0, 0, n], 7946).into()
    }

    #[test]
    fn what_is_written_is_what_is_read_again() {
        let (mut snapshot, mut out) = (Snapshot::new(false), BytesMut::new());
        snapshot.on_alive("n1", addr(1), 1, &mut out);
        snapshot.on_alive("n2", addr(2), 4, &mut out);
        snapshot.on_not_alive("n2", 4, &mut out);
        snapshot.on_user_event(3, &mut out);
        snapshot.on_user_event(3, &mut out);
        snapshot.on_query(2, &mut out);
        snapshot.on_clock(4, &mut out);
        let text = "alive: n1 127.0.0.1:7946\nalive: n2 127.0.0.2:7946\nclock: 3\nnot-alive: n2\n\
                    event-clock: 3\nquery-clock: 2\n";
        assert_eq!(out, text.as_bytes());
        let again = Replay::read(&out, false).snapshot;
        assert!(again.alive().eq([("n1", addr(1))]));
        assert_eq!(again.clocks(), (3, 3, 2));
    }

    #[test]
    fn a_name_cannot_write_lines_of_its_own() {
        let (mut snapshot, mut out) = (Snapshot::new(false), BytesMut::new());
        snapshot.on_alive("x\nleave", addr(1), 0, &mut out);
        snapshot.on_not_alive("x\nleave", 0, &mut out);
        assert!(out.is_empty());
        assert_eq!(snapshot.unwritable(), 2);
    }

    #[test]
    fn after_a_leave_only_the_clock_goes_on() {
        for (rejoins, known) in [(false, 0), (true, 1)] {
            let (mut snapshot, mut out) = (Snapshot::new(rejoins), BytesMut::new());
            snapshot.on_alive("n1", addr(1), 5, &mut out);
            out.clear();
            snapshot.on_leave(&mut out);
            snapshot.on_not_alive("n1", 6, &mut out);
            snapshot.on_user_event(9, &mut out);
            assert_eq!(&out[..], b"leave\nclock: 5\n");
            assert_eq!(snapshot.alive().len(), known);
        }
    }

    #[test]
    fn a_long_file_shrinks_to_what_counts() {
        let (mut snapshot, mut out) = (Snapshot::new(false), BytesMut::new());
        snapshot.on_alive("n1", addr(1), 1, &mut out);
        let mut clock = 1;
        while !snapshot.wants_compaction() {
            clock += 1;
            snapshot.on_clock(clock, &mut out);
        }
        assert!(out.len() as u64 > COMPACTION_BYTES_MIN && out.len() < 128 * 1024 + 100);
        let before = Replay::read(&out, false).snapshot;
        out.clear();
        snapshot.compact(&mut out);
        assert!(out.len() < 100 && !snapshot.wants_compaction());
        let after = Replay::read(&out, false).snapshot;
        assert!(after.alive().eq(before.alive()));
        assert_eq!((after.clocks(), snapshot.clocks()), (before.clocks(), before.clocks()));
    }

    #[test]
    fn whoever_restarts_joins_the_others_in_an_order_of_chance() {
        let (mut snapshot, mut out) = (Snapshot::new(false), BytesMut::new());
        for n in 0..20 {
            snapshot.on_alive(&std::format!("n{n}"), addr(n), 1, &mut out);
        }
        let (one, other) =
            (snapshot.rejoin_list("n7", Seed::from(1)), snapshot.rejoin_list("n7", Seed::from(2)));
        assert_eq!(one.len(), 19);
        assert!(one != other && one.iter().all(|(name, _)| *name != "n7"));
        let mut sorted = other.clone();
        sorted.sort();
        assert!(sorted.into_iter().eq(snapshot.alive().filter(|(name, _)| *name != "n7")));
    }
}
