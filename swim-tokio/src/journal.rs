//! A machine, and the file of its journal if one is kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use swim_core::journal::{self, Recorded, Recorder};
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
    pub(crate) fn name_addressees(&mut self) {
        self.recorder.name_addressees();
    }

    fn flush(&mut self) {
        let Some(file) = &mut self.file else { return };
        if let Err(why) = file.flush(&mut self.recorder) {
            tracing::error!("journal {}: {why}; it ends here", file.path.display());
            file.send(self.recorder.stop());
            self.file = None;
        }
    }
}

impl<M: Recorded> Drop for Flight<M> {
    /// The input that ends a node by a panic is the one that matters most.
    fn drop(&mut self) {
        if let Some(file) = &mut self.file {
            file.send(self.recorder.take());
        }
    }
}

/// The file of a journal, and the thread that writes it, so that a slow disk does not hold up the
/// node.
pub(crate) struct JournalFile {
    path: PathBuf,
    jobs: Sender<Bytes>,
    /// Bytes that wait for the thread.
    queued: Arc<AtomicUsize>,
    ended: oneshot::Receiver<()>,
    bytes: u64,
}

impl JournalFile {
    /// Makes the file, readable for its owner only, for whoever starts an agent. Journals that are
    /// there are kept as `PATH.1` to `PATH.4`, the latest first.
    pub(crate) fn start(path: &Path) -> Result<Self, StartError> {
        let started = make_room(path).and_then(|()| Self::create(path));
        started.map_err(|error| StartError::Journal { path: path.to_owned(), error })
    }

    fn create(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Self::write_to(path, options.open(path)?)
    }

    fn write_to(path: &Path, file: impl Write + Send + 'static) -> io::Result<Self> {
        let (jobs, queue) = channel();
        let (done, ended) = oneshot::channel();
        let queued = Arc::<AtomicUsize>::default();
        let (shown, counter) = (path.to_owned(), queued.clone());
        let thread = std::thread::Builder::new().name("journal".into());
        thread.spawn(move || {
            if let Err(e) = write(file, &queue, &counter) {
                tracing::error!("journal {}: {e}; it ends here", shown.display());
            }
            // Nobody waits if the agent has gone.
            let _ = done.send(());
        })?;
        Ok(Self { path: path.to_owned(), jobs, queued, ended, bytes: 0 })
    }

    fn flush<M: Recorded>(&mut self, recorder: &mut Recorder<M>) -> Result<(), &'static str> {
        if recorder.pending() > 0 {
            self.send(recorder.take());
        }
        if self.queued.load(Ordering::Relaxed) > QUEUED_MAX {
            return Err("the disk is too slow");
        }
        if self.bytes > JOURNAL_BYTES_MAX {
            return Err("it has reached its largest size, 1 GiB");
        }
        Ok(())
    }

    fn send(&mut self, bytes: Bytes) {
        self.bytes += bytes.len() as u64;
        self.queued.fetch_add(bytes.len(), Ordering::Relaxed);
        // Fails if the thread could not write, which it has told.
        let _ = self.jobs.send(bytes);
    }

    async fn close(mut self, rest: Bytes) {
        self.send(rest);
        let Self { path, jobs, ended, .. } = self;
        drop(jobs);
        // The wait ends early if the thread has died, which the log has told.
        if tokio::time::timeout(CLOSE_TIMEOUT, ended).await.is_err() {
            let path = path.display();
            tracing::warn!("journal {path}: takes longer than {CLOSE_TIMEOUT:?} to reach the disk");
        }
    }
}

fn write(mut file: impl Write, queue: &Receiver<Bytes>, queued: &AtomicUsize) -> io::Result<()> {
    while let Ok(bytes) = queue.recv() {
        file.write_all(&bytes)?;
        queued.fetch_sub(bytes.len(), Ordering::Relaxed);
    }
    file.flush()
}

/// Renames the journals that are there. What is no journal is left alone.
fn make_room(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(e),
        Ok(found) if !found.is_file() => return Err(is_no_journal()),
        Ok(_) => {}
    }
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    if !head.is_empty() && journal::kind(&head).is_err() {
        return Err(is_no_journal());
    }
    for n in (1..KEPT_MAX).rev() {
        let (from, to) = (older(path, n), older(path, n + 1));
        if from.exists() {
            fs::rename(from, to)?;
        }
    }
    fs::rename(path, older(path, 1))
}

fn is_no_journal() -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, "it exists, and is no journal")
}

fn older(path: &Path, n: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{n}"));
    name.into()
}

/// A journal grows by what the node receives; it cannot be cut at its front.
const JOURNAL_BYTES_MAX: u64 = 1 << 30;
/// Bytes that wait in memory while the disk is slow, besides what came last.
const QUEUED_MAX: usize = 16 << 20;
/// Journals of earlier lives.
const KEPT_MAX: u32 = 4;
/// What tells that a file is a journal.
const HEAD_BYTES: u64 = 16;
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use swim_core::journal::{JournalError, Secrets, replay};
    use swim_core::{Config, Identity, Node, Seed};

    use super::*;

    /// A disk that takes nothing until it is told to.
    struct Slow(Receiver<()>, Arc<std::sync::Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            // Whoever lets go of the other end lets all pass.
            let _ = self.0.recv();
            self.1.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn recorder() -> Recorder<Node> {
        let me = Identity::new("a", SocketAddr::from(([127, 0, 0, 1], 1))).unwrap();
        let config = Config::local().build().unwrap();
        Recorder::new(config, me, Seed::from(1), Instant::from_secs(1), Secrets::Kept)
    }

    fn datagram(now: Instant, bytes: &[u8]) -> Input<'_> {
        Input::Datagram { at: now, from: SocketAddr::from(([127, 0, 0, 1], 2)), bytes }
    }

    #[tokio::test]
    async fn a_slow_disk_ends_a_journal_without_a_hole() {
        let (lets_pass, waits) = channel();
        let disk = Arc::<std::sync::Mutex<Vec<u8>>>::default();
        let file = JournalFile::write_to(Path::new("slow"), Slow(waits, disk.clone())).unwrap();
        let queued = file.queued.clone();
        let mut kept = Kept::recorded(recorder(), file);
        let (mut now, large) = (Instant::from_secs(1), vec![0; 60_000]);
        for _ in 0..2000 {
            now = now + Duration::from_millis(1);
            let _ = kept.handle(now, datagram(now, &large));
            kept.flush();
        }
        assert!(queued.load(Ordering::Relaxed) <= QUEUED_MAX + 2 * large.len());
        drop(lets_pass);
        drop(kept);
        while Arc::strong_count(&disk) > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let journal = disk.lock().unwrap();
        let replayed = replay(&journal).unwrap();
        assert!(replayed.digests_checked() > 2 && replayed.records() < 1000);
    }

    #[tokio::test]
    async fn the_input_before_a_panic_is_in_the_journal() {
        let (_, waits) = channel();
        let disk = Arc::<std::sync::Mutex<Vec<u8>>>::default();
        let file = JournalFile::write_to(Path::new("panic"), Slow(waits, disk.clone())).unwrap();
        let mut kept = Kept::recorded(recorder(), file);
        let now = Instant::from_secs(2);
        let _ = kept.handle(now, datagram(now, b"the last words"));
        // No flush: the driver's task unwinds.
        drop(kept);
        while Arc::strong_count(&disk) > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let journal = disk.lock().unwrap();
        assert!(journal.ends_with(b"the last words"));
        assert!(!matches!(replay(&journal), Err(JournalError::Malformed { .. })));
    }
}
