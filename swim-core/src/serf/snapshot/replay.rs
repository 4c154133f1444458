//! Reading a snapshot at the start (serf spec 7.5).

use alloc::vec::Vec;

use crate::serf::snapshot::{Line, Snapshot};

/// What a snapshot held.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Who was there, and the clocks; it goes on from there.
    pub snapshot: Snapshot,
    /// How many of the bytes are whole lines: cut the file to that length before anything is
    /// appended, or the next line is lost, too.
    pub whole_bytes: usize,
    /// Bytes after the last whole line, as a crash leaves them.
    pub torn_bytes: usize,
    /// Lines that say nothing, and were passed over.
    pub bad_lines: u64,
    /// The numbers of the first of those, at most [`BAD_LINES_TOLD`](Self::BAD_LINES_TOLD). The
    /// first line of the file is number 1.
    pub bad_line_numbers: Vec<u64>,
    /// The number of whole lines; what is torn comes behind those.
    pub whole_lines: u64,
}

impl Replay {
    /// Of how many bad lines the numbers are kept.
    pub const BAD_LINES_TOLD: usize = 8;

    /// Reads a snapshot, whatever its bytes. With `rejoins`, a node that has left still knows whom
    /// to join.
    pub fn read(bytes: &[u8], rejoins: bool) -> Self {
        let mut snapshot = Snapshot::new(rejoins);
        let (mut whole_bytes, mut whole_lines) = (0, 0);
        let (mut bad_lines, mut bad_line_numbers) = (0, Vec::new());
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let Some(line_only) = line.strip_suffix(b"\n") else { break };
            whole_bytes += line.len();
            whole_lines += 1;
            if let Some(line) = Line::parse(line_only) {
                snapshot.apply(line);
                continue;
            }
            bad_lines += 1;
            if bad_line_numbers.len() < Self::BAD_LINES_TOLD {
                bad_line_numbers.push(whole_lines);
            }
        }
        snapshot.set_file_bytes(whole_bytes as u64);
        let torn_bytes = bytes.len() - whole_bytes;
        Self { snapshot, whole_bytes, torn_bytes, bad_lines, bad_line_numbers, whole_lines }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &[u8] = b"alive: n1 127.0.0.1:7946\nalive: n 2 127.0.0.2:7946\nclock: 5\n\
        alive: n3 127.0.0.3:7946\nnot-alive: n3\nevent-clock: 7\nquery-clock: 9\n";

    fn names(snapshot: &Snapshot) -> Vec<&str> {
        snapshot.alive().map(|(name, _)| name).collect()
    }

    #[test]
    fn the_lines_are_applied_in_their_order() {
        let replay = Replay::read(FILE, false);
        assert_eq!(names(&replay.snapshot), ["n 2", "n1"]);
        assert_eq!(replay.snapshot.clocks(), (5, 7, 9));
        assert_eq!((replay.whole_bytes, replay.torn_bytes, replay.bad_lines), (FILE.len(), 0, 0));
    }

    #[test]
    fn a_torn_or_corrupt_end_costs_nothing_that_came_before() {
        for cut in 0..FILE.len() {
            let replay = Replay::read(&FILE[..cut], false);
            assert_eq!(replay.whole_bytes + replay.torn_bytes, cut);
            assert_eq!(replay.bad_lines, 0);
            // Cut there, the file holds the same, and what is appended is a line of its own.
            let mut appended = FILE[..replay.whole_bytes].to_vec();
            appended.extend_from_slice(b"event-clock: 99\n");
            let again = Replay::read(&appended, false);
            assert_eq!(names(&again.snapshot), names(&replay.snapshot));
            assert_eq!(again.snapshot.clocks().1, 99);
        }
        let garbage = [FILE, b"\xff\x00\nclock: 1x\nclock: 6\n"].concat();
        let replay = Replay::read(&garbage, false);
        assert_eq!((replay.bad_lines, replay.snapshot.clocks()), (2, (6, 7, 9)));
        assert_eq!((&replay.bad_line_numbers[..], replay.whole_lines), (&[8, 9][..], 10));
        let replay = Replay::read(&b"?\n".repeat(1000), false);
        assert_eq!((replay.bad_lines, replay.bad_line_numbers), (1000, (1..=8).collect()));
    }

    #[test]
    fn a_leave_forgets_all_but_later_clocks() {
        let left = [FILE, b"leave\nclock: 6\n"].concat();
        let replay = Replay::read(&left, false);
        assert_eq!(names(&replay.snapshot), [""; 0]);
        assert_eq!(replay.snapshot.clocks(), (6, 0, 0));
        let replay = Replay::read(&left, true);
        assert_eq!(names(&replay.snapshot), ["n 2", "n1"]);
        assert_eq!(replay.snapshot.clocks(), (6, 7, 9));
    }
}
