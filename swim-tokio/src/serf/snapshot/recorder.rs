//! What of the node's life is worth a line.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use bytes::BytesMut;
use swim_core::Instant;
use swim_core::serf::snapshot::Snapshot;
use swim_core::serf::{Change, Event, Serf};
use tokio::sync::oneshot;

use super::file::Found;
use super::writer::{Job, Writer};

/// Follows a node and has its snapshot written.
///
/// Lines go to the system as soon as the node has told what they say, so that nothing is lost if
/// the process dies; Serf keeps them for up to half a second. They are forced to disk when the node
/// stops.
pub(crate) struct Recorder {
    snapshot: Snapshot,
    writer: Writer,
    lines: BytesMut,
    leaves: bool,
    /// Lines are missing in the file: it has to be written anew.
    incomplete: bool,
    /// Before that, it is not tried again.
    retry_at: Instant,
}

impl Recorder {
    pub(crate) fn start(path: PathBuf, found: Found) -> io::Result<Self> {
        let Found { snapshot, file } = found;
        let writer = Writer::start(path, file)?;
        Ok(Self {
            snapshot,
            writer,
            lines: BytesMut::new(),
            leaves: false,
            incomplete: false,
            retry_at: Instant::ZERO,
        })
    }

    pub(crate) fn on_event(&mut self, serf: &Serf, event: &Event) {
        let Self { snapshot, lines, .. } = self;
        let [clock, ..] = serf.clocks();
        match event {
            Event::Members { change, members } => {
                for member in members {
                    let (name, addr) = (member.name(), member.addr().canonical());
                    match change {
                        Change::Join => snapshot.on_alive(name, addr, clock, lines),
                        Change::Leave | Change::Failed => {
                            snapshot.on_not_alive(name, clock, lines);
                        }
                        Change::Update | Change::Reap => {}
                    }
                }
            }
            Event::User(event) => snapshot.on_user_event(event.ltime, lines),
            Event::Query(query) => snapshot.on_query(query.ltime, lines),
            _ => {}
        }
    }

    /// The node was told to leave; whether it is told again does not matter.
    pub(crate) fn on_leave(&mut self) {
        if !self.leaves {
            self.leaves = true;
            self.snapshot.on_leave(&mut self.lines);
        }
    }

    /// To be called when the node has told all that it has to tell.
    pub(crate) fn flush(&mut self, serf: &Serf, now: Instant) {
        let [clock, _, query_clock] = serf.clocks();
        self.snapshot.on_clock(clock, &mut self.lines);
        // Serf's own queries are no events, and move the clock, too.
        self.snapshot.on_query(query_clock.saturating_sub(1), &mut self.lines);
        if !self.lines.is_empty() || self.incomplete {
            self.write(now);
        }
    }

    fn write(&mut self, now: Instant) {
        self.incomplete |= self.writer.has_failed();
        if self.incomplete && now < self.retry_at {
            return self.lines.clear();
        }
        let job = if self.incomplete || self.snapshot.wants_compaction() {
            self.lines.clear();
            self.snapshot.compact(&mut self.lines);
            Job::Replace(self.lines.split().freeze())
        } else {
            Job::Append(self.lines.split().freeze())
        };
        let is_new = matches!(job, Job::Replace(_));
        match self.writer.give(job) {
            Ok(()) if is_new && self.incomplete => {
                self.incomplete = false;
                self.retry_at = now + RETRY_INTERVAL;
            }
            Ok(()) => {}
            Err(_) => self.incomplete = true,
        }
    }

    /// Waits until all lines are on disk, but not for ever.
    pub(crate) async fn sync(&self) {
        let (done, synced) = oneshot::channel();
        let mut job = Job::Sync(done);
        let waiting = async {
            while let Err(back) = self.writer.give(job) {
                job = back;
                tokio::time::sleep(PAUSE).await;
            }
            // Fails if the thread has died, which the log has told.
            let _ = synced.await;
        };
        if tokio::time::timeout(SYNC_TIMEOUT, waiting).await.is_err() {
            tracing::warn!("the snapshot takes longer than {SYNC_TIMEOUT:?} to reach the disk");
        }
    }
}

/// After a file could not be written, as with Serf.
const RETRY_INTERVAL: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(10);
const SYNC_TIMEOUT: Duration = Duration::from_secs(2);
