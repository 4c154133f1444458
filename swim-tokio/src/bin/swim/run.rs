//! `swim agent`.

use std::process::ExitCode;
use std::time::Duration;

use swim_tokio::serf::SerfHandle;

use crate::flags::AgentFlags;
use crate::{log, print, setup};

/// Runs the agent until a signal makes it leave.
pub(crate) fn run(flags: &AgentFlags) -> Result<ExitCode, String> {
    let level = log::parse_level(&flags.log_level)?;
    let builder = setup::builder(flags)?;
    let _flush = log::start(level);
    // One thread does it all; the others are for large messages and the keyring file.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(2)
        .build()
        .map_err(|e| format!("cannot start: {e}"))?;
    let code = runtime.block_on(async {
        // Before the join: a signal must not find the agent without its handler.
        let mut signals = Signals::new().map_err(|e| format!("cannot handle signals: {e}"))?;
        let started = tokio::select! {
            started = builder.spawn() => started,
            () = signals.next() => return Ok(ExitCode::SUCCESS),
        };
        let (handle, events) = started.map_err(|e| e.to_string())?;
        banner(&handle, flags).await;
        let format = flags.events;
        let (quit, outvoted) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || print::print(events, format, quit));
        tokio::select! {
            () = signals.next() => Ok(leave(&handle, &mut signals).await),
            Ok(()) = outvoted => {
                tracing::error!("minority in name conflict resolution, quitting");
                handle.shutdown().await;
                Ok(ExitCode::FAILURE)
            }
            () = handle.stopped() => Err("the agent has stopped by itself".into()),
        }
    });
    // A thread that reads events or writes a file does not keep the program.
    runtime.shutdown_background();
    code
}

async fn banner(handle: &SerfHandle, flags: &AgentFlags) {
    let encrypted = handle.keyring().await.is_ok_and(|ring| !ring.is_empty());
    tracing::info!(
        "swim agent running! node name: {:?}, bind: {}, advertise: {}, encrypted: {encrypted}, \
         label: {:?}, profile: {}",
        handle.name(),
        handle.local_addr(),
        handle.advertised_addr(),
        flags.label,
        flags.profile.name(),
    );
}

/// Leaves the cluster; a second signal ends the wait.
async fn leave(handle: &SerfHandle, signals: &mut Signals) -> ExitCode {
    tracing::info!("leaving the cluster; interrupt again to stop at once");
    tokio::select! {
        left = tokio::time::timeout(LEAVE_TIMEOUT, handle.leave()) => match left {
            Ok(Ok(())) => tracing::info!("left the cluster"),
            Ok(Err(e)) => tracing::warn!("cannot leave: {e}"),
            Err(_) => tracing::warn!("leaving took longer than {LEAVE_TIMEOUT:?}"),
        },
        () = signals.next() => {
            tracing::warn!("stopped without leaving");
            return ExitCode::FAILURE;
        }
    }
    handle.shutdown().await;
    ExitCode::SUCCESS
}

/// SIGINT and SIGTERM.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        // Without a handler the default one ends the program.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Longer than a node waits for each of its steps: to tell of the leave, to leave, to let others
/// pass that on.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(12);
