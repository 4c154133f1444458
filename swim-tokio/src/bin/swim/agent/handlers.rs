//! Scripts on events, one at a time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use swim_tokio::agent::{Handler, SelfInfo, invoke};
use swim_tokio::rpc::{AgentEvent, Backend as _};
use swim_tokio::serf::SerfBackend;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::metrics::Push;

/// The scripts of the agent, which a reload may replace. Clones are the same.
#[derive(Clone)]
pub(crate) struct Handlers {
    scripts: Arc<Mutex<Arc<[Handler]>>>,
    queue: mpsc::Sender<AgentEvent>,
}

/// Events that wait for scripts.
pub(crate) struct Queue(mpsc::Receiver<AgentEvent>);

impl Handlers {
    pub(crate) fn new(handlers: Vec<Handler>) -> (Self, Queue) {
        let (queue, events) = mpsc::channel(EVENTS_MAX);
        (Self { scripts: Arc::new(Mutex::new(handlers.into())), queue }, Queue(events))
    }

    /// From the next event on these run.
    pub(crate) fn replace(&self, handlers: Vec<Handler>) {
        *self.scripts.lock().unwrap_or_else(PoisonError::into_inner) = handlers.into();
    }

    /// Has the scripts run that want this event, after those of earlier events. Never waits: the
    /// event is dropped, and the log says so, if too many wait already.
    pub(crate) fn push(&self, event: &AgentEvent) {
        if !self.now().iter().any(|handler| handler.wants(event)) {
            return;
        }
        if let Err(TrySendError::Full(_)) = self.queue.try_send(event.clone()) {
            tracing::warn!("an event was dropped: {EVENTS_MAX} wait for scripts already");
        }
    }

    /// As `stats` tells them.
    pub(crate) fn entries(&self) -> BTreeMap<String, String> {
        self.now().iter().flat_map(Handler::entries).collect()
    }

    /// Runs scripts until the agent ends.
    pub(crate) async fn run(self, mut queue: Queue, backend: SerfBackend, push: Push) {
        let handle = backend.handle();
        while let Some(event) = queue.0.recv().await {
            let Ok(me) = handle.me().await else { return };
            let tags = me.tags().iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
            let me = SelfInfo { name: me.name().to_owned(), tags };
            for handler in self.now().iter().filter(|handler| handler.wants(&event)) {
                run(handler, &me, &event, &backend, &push).await;
            }
        }
    }

    fn now(&self) -> Arc<[Handler]> {
        self.scripts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn run(
    handler: &Handler,
    me: &SelfInfo,
    event: &AgentEvent,
    backend: &SerfBackend,
    push: &Push,
) {
    let name = match event {
        AgentEvent::Members { change, .. } => change.as_str(),
        AgentEvent::User { .. } => "user",
        _ => "query",
    };
    let script = handler.script();
    let done = match invoke(handler, me, event).await {
        Ok(done) => done,
        Err(e) => return tracing::error!("Error invoking script '{script}': {e}"),
    };
    push.on_script(script, done.took);
    if done.dropped > 0 {
        tracing::warn!("Script '{script}' generated {} bytes more than are kept", done.dropped);
    }
    let output = String::from_utf8_lossy(&done.output);
    tracing::debug!("Event '{name}' script output: {output}");
    if !done.success {
        tracing::error!("Error invoking script '{script}': it failed");
    }
    if let AgentEvent::Query { token, name, .. } = event
        && let Some(response) = done.response()
        && let Err(why) = backend.respond(*token, response.to_vec().into()).await
    {
        tracing::warn!("Failed to respond to query '{name}': {why}");
    }
}

/// Events that wait for a slow script at most.
const EVENTS_MAX: usize = 1024;
