//! The lines of a snapshot.

use bytes::BytesMut;

use crate::serf::snapshot::{Line, Replay};

/// Any file: it is read to its last whole line, what is written of it afterwards reads back the
/// same, and a compacted file holds what the long one did.
pub fn snapshot(data: &[u8]) {
    let Some((settings, data)) = data.split_first() else { return };
    let rejoins = settings & 1 == 0;
    let replay = Replay::read(data, rejoins);
    assert_eq!(replay.whole_bytes + replay.torn_bytes, data.len());
    for line in data.split(|byte| *byte == b'\n') {
        let Some(parsed) = Line::parse(line) else { continue };
        let mut out = BytesMut::new();
        parsed.write(&mut out);
        if let Some((b'\n', written)) = out.split_last() {
            assert_eq!(Line::parse(written), Some(parsed));
        }
    }
    let mut snapshot = replay.snapshot;
    let whole = &data[..replay.whole_bytes];
    let mut appended = whole.to_vec();
    let mut out = BytesMut::new();
    let (clock, event_clock, query_clock) = snapshot.clocks();
    let addr = core::net::SocketAddr::from(([127, 0, 0, 1], 7946));
    snapshot.on_alive("new", addr, clock.saturating_add(2), &mut out);
    snapshot.on_user_event(event_clock.saturating_add(1), &mut out);
    snapshot.on_query(query_clock.saturating_add(1), &mut out);
    appended.extend_from_slice(&out);
    let again = Replay::read(&appended, rejoins);
    assert_eq!(again.bad_lines, replay.bad_lines);
    assert!(again.snapshot.alive().eq(snapshot.alive()));
    assert_eq!(again.snapshot.clocks(), snapshot.clocks());
    let mut compacted = BytesMut::new();
    snapshot.compact(&mut compacted);
    let short = Replay::read(&compacted, rejoins);
    assert_eq!((short.bad_lines, short.torn_bytes), (0, 0));
    assert!(short.snapshot.alive().eq(snapshot.alive()));
    assert_eq!(short.snapshot.clocks(), snapshot.clocks());
}
