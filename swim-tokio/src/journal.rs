//! A machine, and the file of its journal if one is kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use swim_core::journal::{Recorded, Recorder};
use swim_core::serf::Serf;
use swim_core::{Exchange, Input, Instant, Transmit};
use tokio::sync::oneshot;

use crate::error::StartError;

/// What the driver runs: a machine, with or without a journal. It is read as the machine, and given
/// its inputs by the functions here.
pub(crate) enum Kept<M: Recorded> {
    Plain(M),
    Recorded(Box<Flight<M>>),
}

impl Kept<Serf> {
    pub(crate) fn resume(&mut self, member_time: u64, event_time: u64, query_time: u64) {
        match self {
            Self::Plain(serf) => serf.resume(member_time, event_time, query_time),
            Self::Recorded(flight) => flight.recorder.resume(member_time, event_time, query_time),
        }
    }
}

/// A machine on record.
pub(crate) struct Flight<M: Recorded> {
    recorder: Recorder<M>,
    file: Option<JournalFile>,
}

impl<M: Recorded> Kept<M> {
    pub(crate) fn recorded(recorder: Recorder<M>, file: JournalFile) -> Self {
        Self::Recorded(Box::new(Flight { recorder, file: Some(file) }))
    }

    pub(crate) fn handle(
        &mut self,
        now: Instant,
        input: Input<'_, M::Command>,
    ) -> Result<(), M::Rejected> {
        match self {
            Self::Plain(machine) => machine.handle(now, input),
            Self::Recorded(flight) => flight.recorder.handle(now, input),
        }
    }

    pub(crate) fn poll_transmit(&mut self, buf: &mut BytesMut) -> Option<Transmit> {
        match self {
            Self::Plain(machine) => machine.poll_transmit(buf),
            Self::Recorded(flight) => flight.recorder.poll_transmit(buf),
        }
    }

    pub(crate) fn poll_exchange(&mut self, buf: &mut BytesMut) -> Option<Exchange> {
        match self {
            Self::Plain(machine) => machine.poll_exchange(buf),
            Self::Recorded(flight) => flight.recorder.poll_exchange(buf),
        }
    }

    pub(crate) fn poll_event(&mut self) -> Option<M::Event> {
        match self {
            Self::Plain(machine) => machine.poll_event(),
            Self::Recorded(flight) => flight.recorder.poll_event(),
        }
    }

    /// Has what came since the last time written. To be called when the machine waits.
    pub(crate) fn flush(&mut self) {
        if let Self::Recorded(flight) = self {
            flight.flush();
        }
    }

    /// Ends the journal and waits until it is on disk, but not for ever.
    pub(crate) async fn close(&mut self) {
        if let Self::Recorded(flight) = self
            && let Some(file) = flight.file.take()
        {
            file.close(flight.recorder.stop()).await;
        }
    }
}

impl<M: Recorded> Deref for Kept<M> {
    type Target = M;

    fn deref(&self) -> &M {
        match self {
            Self::Plain(machine) => machine,
            Self::Recorded(flight) => flight.recorder.machine(),
        }
    }
}

impl<M: Recorded> Flight<M> {
    fn flush(&mut self) {
        let Some(file) = &mut self.file else { return };
        if let Err(why) = file.flush(&mut self.recorder) {
            tracing::error!("journal {}: {why}; it ends here", file.path.display());
            // A last digest, if there is room for it.
            let _ = file.jobs.try_send(self.recorder.stop());
            self.file = None;
        }
    }
}

/// The file of a journal, and the thread that writes it, so that a slow disk does not hold up the
/// node.
pub(crate) struct JournalFile {
    path: PathBuf,
    jobs: SyncSender<Bytes>,
    ended: oneshot::Receiver<()>,
    /// What there was no room for.
    waits: Option<Bytes>,
    bytes: u64,
}

impl JournalFile {
    /// Makes the file, readable for its owner only. One that is there is kept as `PATH.old`.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        match fs::rename(path, old(path)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        let (jobs, queue) = sync_channel(JOBS_MAX);
        let (done, ended) = oneshot::channel();
        let shown = path.to_owned();
        let thread = std::thread::Builder::new().name("journal".into());
        thread.spawn(move || {
            if let Err(e) = write(file, &queue) {
                tracing::error!("journal {}: {e}", shown.display());
            }
            // Nobody waits if the agent has gone.
            let _ = done.send(());
        })?;
        Ok(Self { path: path.to_owned(), jobs, ended, waits: None, bytes: 0 })
    }

    /// As [`create`](Self::create), for whoever starts an agent.
    pub(crate) fn start(path: &Path) -> Result<Self, StartError> {
        Self::create(path).map_err(|error| StartError::Journal { path: path.to_owned(), error })
    }

    fn flush<M: Recorded>(&mut self, recorder: &mut Recorder<M>) -> Result<(), &'static str> {
        loop {
            let bytes = match self.waits.take() {
                Some(bytes) => bytes,
                None if recorder.pending() == 0 => return Ok(()),
                None => recorder.take(),
            };
            let len = bytes.len() as u64;
            match self.jobs.try_send(bytes) {
                Ok(()) => self.bytes += len,
                Err(TrySendError::Full(bytes)) => {
                    self.waits = Some(bytes);
                    if recorder.pending() > PENDING_MAX {
                        return Err("the disk is too slow");
                    }
                    return Ok(());
                }
                Err(TrySendError::Disconnected(_)) => return Err("it cannot be written"),
            }
            if self.bytes > JOURNAL_BYTES_MAX {
                return Err("it has reached its largest size, 1 GiB");
            }
        }
    }

    async fn close(self, rest: Bytes) {
        let Self { path, jobs, ended, waits, .. } = self;
        let waiting = async {
            for mut bytes in waits.into_iter().chain([rest]) {
                while let Err(TrySendError::Full(back)) = jobs.try_send(bytes) {
                    bytes = back;
                    tokio::time::sleep(PAUSE).await;
                }
            }
            drop(jobs);
            // Fails if the thread has died, which the log has told.
            let _ = ended.await;
        };
        if tokio::time::timeout(CLOSE_TIMEOUT, waiting).await.is_err() {
            let path = path.display();
            tracing::warn!("journal {path}: takes longer than {CLOSE_TIMEOUT:?} to reach the disk");
        }
    }
}

fn write(mut file: File, queue: &Receiver<Bytes>) -> io::Result<()> {
    while let Ok(bytes) = queue.recv() {
        file.write_all(&bytes)?;
    }
    file.sync_all()
}

fn old(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".old");
    name.into()
}

/// A journal grows by what the node receives; it cannot be cut at its front.
const JOURNAL_BYTES_MAX: u64 = 1 << 30;
/// Bytes that wait in memory while the disk is slow.
const PENDING_MAX: usize = 16 << 20;
/// Each is what came between two times that the node waited.
const JOBS_MAX: usize = 256;
const PAUSE: Duration = Duration::from_millis(10);
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
