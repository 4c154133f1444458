//! Starting the agent, and ending it.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use swim_tokio::rpc::{Feed, Server, ServerConfig};
use swim_tokio::serf::{SerfBackend, SerfHandle};
use swim_tokio::swim_core::serf::Tags;
use tokio::task::JoinHandle;

use super::discover::Discovery;
use super::handlers::Handlers;
use super::metrics::Push;
use super::print::Printer;
use super::pump::{End, Pump};
use super::settings::Settings;
use super::signals::{Signal, Signals};
use super::{joins, metrics, node};
use crate::flags::AgentFlags;
#[cfg(unix)]
use crate::log::Syslog;
use crate::log::{self, Log, Sinks};

/// Runs the agent until a signal, a client or the cluster makes it end.
pub(crate) fn run(flags: &AgentFlags) -> Result<ExitCode, String> {
    let settings = Settings::read(flags)?;
    // Whatever is wrong with the settings comes before the first line of the log.
    let builder = node::builder(&settings)?;
    let log = log::start(settings.level, &settings.config.label, sinks(&settings, flags)?);
    settings.warn_of_least();
    // One thread does it all; the others are for large messages and files.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(BLOCKING_THREADS_MAX)
        .build()
        .map_err(|e| format!("cannot start: {e}"))?;
    let code = runtime.block_on(async {
        // Before the join: a signal must not find the agent without its handler.
        let mut signals = Signals::new().map_err(|e| format!("cannot handle signals: {e}"))?;
        let started = builder.spawn().await.map_err(|e| e.to_string())?;
        let (handle, events) = started;
        let (handlers, queue) = Handlers::new(settings.handlers.clone());
        let backend = backend(&settings, &handle, &handlers);
        let feed = Feed::new();
        let config = ServerConfig::new().token(&settings.config.rpc_auth);
        let server = Arc::new(backend.clone());
        let server = Server::bind(settings.rpc, server, feed.clone(), log.tap().clone(), config);
        let server = server.await.map_err(|e| format!("cannot listen on {}: {e}", settings.rpc))?;
        let server = Arc::new(server);
        if let Some(addr) = settings.metrics {
            let pool = settings.config.label.as_str().into();
            metrics::serve(addr, handle.clone(), server.clone(), pool).await?;
        }
        let push = Push::start(&settings.config, &handle, &server);
        tokio::spawn(handlers.clone().run(queue, backend.clone(), push.clone()));
        let pump = Pump {
            backend: backend.clone(),
            feed,
            handlers: handlers.clone(),
            printer: Printer::start(flags.events),
            push,
        };
        let pump = tokio::spawn(pump.run(events));
        let running = Running { settings, handle, backend, handlers, server, log: log.clone() };
        let discovery = Discovery::start(&running.settings.config, &running.handle)?;
        running.banner().await;
        let code = running.main(flags, &mut signals, pump).await;
        drop(discovery);
        running.handle.shutdown().await;
        code
    });
    log.flush();
    // A thread that reads events or writes a file does not keep the program.
    runtime.shutdown_background();
    code
}

fn sinks(settings: &Settings, flags: &AgentFlags) -> Result<Sinks, String> {
    let format = flags.log_format;
    #[cfg(unix)]
    {
        let config = &settings.config;
        let syslog = config.enable_syslog.then(|| Syslog::open(&config.syslog_facility));
        let syslog = syslog.transpose().map_err(|e| e.to_string())?;
        Ok(Sinks { format, syslog })
    }
    #[cfg(not(unix))]
    if settings.config.enable_syslog {
        Err("there is no syslog on this system".into())
    } else {
        Ok(Sinks { format })
    }
}

fn backend(settings: &Settings, handle: &SerfHandle, handlers: &Handlers) -> SerfBackend {
    let handlers = handlers.clone();
    let backend = SerfBackend::new(handle.clone()).handlers(move || handlers.entries());
    match &*settings.config.tags_file {
        "" => backend,
        path => {
            let path = std::path::PathBuf::from(path);
            backend.store_tags(move |tags| {
                let tags = tags.iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
                swim_tokio::agent::write_tags(&path, &tags).map_err(|e| e.to_string())
            })
        }
    }
}

/// An agent that has started.
struct Running {
    settings: Settings,
    handle: SerfHandle,
    backend: SerfBackend,
    handlers: Handlers,
    server: Arc<Server>,
    log: Log,
}

impl Running {
    /// Joins, then waits for whatever ends the agent; its exit code is Serf's.
    async fn main(
        &self,
        flags: &AgentFlags,
        signals: &mut Signals,
        mut pump: JoinHandle<End>,
    ) -> Result<ExitCode, String> {
        let joining = async {
            joins::at_start(&self.handle, &self.settings.config).await?;
            joins::retry(&self.handle, &self.settings.config).await?;
            std::future::pending::<Result<ExitCode, String>>().await
        };
        let mut joining = std::pin::pin!(joining);
        loop {
            tokio::select! {
                failed = &mut joining => return failed,
                signal = signals.next() => match signal {
                    Signal::Reload => self.reload(flags),
                    Signal::Figures => self.print_figures().await,
                    signal => return Ok(self.end(signal, signals).await),
                },
                () = self.backend.stopped() => return Ok(ExitCode::SUCCESS),
                end = &mut pump => return match end {
                    Ok(End::Outvoted) => Ok(ExitCode::FAILURE),
                    _ => Err("the agent has stopped by itself".into()),
                },
            }
        }
    }

    /// What to do on a signal that is to end the agent. A second one ends it at once.
    async fn end(&self, signal: Signal, signals: &mut Signals) -> ExitCode {
        let config = &self.settings.config;
        let graceful = match signal {
            Signal::Interrupt => !config.skip_leave_on_interrupt,
            _ => config.leave_on_terminate,
        };
        if !graceful {
            tracing::warn!("stopped without leaving");
            return ExitCode::FAILURE;
        }
        tracing::info!("Gracefully shutting down agent...");
        tokio::select! {
            left = tokio::time::timeout(LEAVE_TIMEOUT, self.handle.leave()) => match left {
                Ok(Ok(())) => ExitCode::SUCCESS,
                Ok(Err(e)) => {
                    tracing::error!("Error: {e}");
                    ExitCode::FAILURE
                }
                Err(_) => {
                    tracing::error!("leaving took longer than {LEAVE_TIMEOUT:?}");
                    ExitCode::FAILURE
                }
            },
            () = async { while signals.next().await == Signal::Figures {} } => {
                tracing::warn!("stopped without leaving");
                ExitCode::FAILURE
            }
        }
    }

    /// Reads the configuration again: log level, handlers and tags take effect, as with Serf. The
    /// tags are told meanwhile: another signal need not wait for that.
    fn reload(&self, flags: &AgentFlags) {
        tracing::info!("Reloading configuration...");
        let settings = match Settings::read(flags) {
            Ok(settings) => settings,
            Err(why) => return tracing::error!("Failed to reload configs: {why}"),
        };
        self.log.set_level(settings.level);
        self.handlers.replace(settings.handlers);
        // Serf would set the tags of the configuration, which are none, and so empty the file.
        if settings.config.tags_file.is_empty() {
            tokio::spawn(tell_tags(self.handle.clone(), settings.tags));
        }
    }

    /// Prints all figures on standard error, as they are served to Prometheus; in a log of JSON
    /// they are the message of one line.
    async fn print_figures(&self) {
        if let Ok(stats) = self.handle.stats().await {
            let label = &self.settings.config.label;
            self.log.page(metrics::page(&stats, self.server.stats(), label));
        }
    }

    async fn banner(&self) {
        let Settings { config, .. } = &self.settings;
        let encrypted = self.handle.keyring().await.is_ok_and(|ring| !ring.is_empty());
        tracing::info!(
            "swim agent running! node name: {:?}, bind: {}, advertise: {}, rpc: {}, \
             encrypted: {encrypted}, snapshot: {}, label: {:?}, profile: {}",
            self.handle.name(),
            self.handle.local_addr(),
            self.handle.advertised_addr(),
            self.server.local_addr(),
            !config.snapshot_path.is_empty(),
            config.label,
            if config.profile.is_empty() { "lan" } else { &config.profile },
        );
    }
}

async fn tell_tags(handle: SerfHandle, tags: Tags) {
    match handle.set_tags(tags).await {
        Ok(()) => tracing::debug!("The tags of the configuration were told"),
        Err(e) => tracing::error!("Failed to update tags: {e}"),
    }
}

/// Serf's: for all that a leave takes.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(3);

/// For files and large messages.
const BLOCKING_THREADS_MAX: usize = 4;
