//! Events on their way to all streams.

use std::sync::Arc;

use tokio::sync::broadcast;

use super::AgentEvent;

/// Takes events from the agent and gives each to every stream. Clones feed the same streams.
///
/// The agent never waits: a stream that falls more than 512 events behind loses the oldest.
#[derive(Clone, Debug)]
pub struct Feed(broadcast::Sender<Arc<AgentEvent>>);

impl Feed {
    /// A feed that nobody listens to yet.
    pub fn new() -> Self {
        Self(broadcast::Sender::new(EVENTS_MAX))
    }

    /// Tells all streams.
    pub fn publish(&self, event: AgentEvent) {
        // Without a stream there is nobody to tell.
        let _ = self.0.send(Arc::new(event));
    }

    pub(super) fn subscribe(&self) -> broadcast::Receiver<Arc<AgentEvent>> {
        self.0.subscribe()
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self::new()
    }
}

/// Serf's queue of a stream (section 8.4).
const EVENTS_MAX: usize = 512;
