//! The thread that writes the file, so that a slow disk does not hold up the node.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use bytes::Bytes;
use tokio::sync::oneshot;

/// Hands text to the thread, which ends with this.
pub(super) struct Writer {
    jobs: SyncSender<Job>,
    failed: Arc<AtomicBool>,
}

pub(super) enum Job {
    /// Write this at the end.
    Append(Bytes),
    /// Write this into a new file that takes the place of the old one.
    Replace(Bytes),
    /// Tell once all that came before is on disk.
    Sync(oneshot::Sender<()>),
}

impl Writer {
    pub(super) fn start(path: PathBuf, file: File) -> io::Result<Self> {
        let (jobs, queue) = sync_channel(JOBS_MAX);
        let failed = Arc::<AtomicBool>::default();
        let thread = Thread { path, file, failed: failed.clone() };
        std::thread::Builder::new().name("snapshot".into()).spawn(move || thread.run(&queue))?;
        Ok(Self { jobs, failed })
    }

    /// Gives the job back if too many wait. Never waits.
    pub(super) fn give(&self, job: Job) -> Result<(), Job> {
        self.jobs.try_send(job).map_err(|e| match e {
            TrySendError::Full(job) | TrySendError::Disconnected(job) => job,
        })
    }

    /// Whether something could not be written since the last [`Job::Replace`] that was.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

struct Thread {
    path: PathBuf,
    file: File,
    failed: Arc<AtomicBool>,
}

impl Thread {
    fn run(mut self, queue: &Receiver<Job>) {
        while let Ok(job) = queue.recv() {
            let done = match job {
                Job::Append(_) if self.failed.load(Ordering::Relaxed) => Ok(()),
                Job::Append(text) => self.file.write_all(&text),
                Job::Replace(text) => super::file::replace(&self.path, &text).map(|file| {
                    self.file = file;
                    self.failed.store(false, Ordering::Relaxed);
                }),
                Job::Sync(done) => {
                    let synced = self.file.sync_all();
                    // Whoever waited may have gone.
                    let _ = done.send(());
                    synced
                }
            };
            if let Err(e) = done {
                tracing::error!("snapshot {}: {e}", self.path.display());
                self.failed.store(true, Ordering::Relaxed);
            }
        }
    }
}

/// Each is what the node had to say at one time.
const JOBS_MAX: usize = 256;
