//! Events on their way to the embedder.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::Told;
use crate::stream::Shared;

/// Hands events to their consumer and never waits for it.
#[derive(Debug)]
pub(crate) struct Outlet<E> {
    consumer: mpsc::Sender<E>,
    /// What the consumer's queue has no room for, older than everything dropped.
    held: VecDeque<E>,
    held_max: usize,
    /// How many were dropped after those held, and not told yet.
    lagged: u64,
    shared: Arc<Shared>,
}

impl<E: Told> Outlet<E> {
    pub(crate) fn new(consumer: mpsc::Sender<E>, held_max: usize, shared: Arc<Shared>) -> Self {
        Self { consumer, held: VecDeque::new(), held_max, lagged: 0, shared }
    }

    pub(crate) fn push(&mut self, event: E) {
        if self.is_behind() {
            self.catch_up();
        }
        let event = if self.is_behind() {
            event
        } else {
            match self.consumer.try_send(event) {
                Ok(()) | Err(TrySendError::Closed(_)) => return,
                Err(TrySendError::Full(event)) => event,
            }
        };
        if self.lagged == 0 && self.held.len() < self.held_max {
            self.held.push_back(event);
        } else {
            // A gap in the node's own queue is a gap here too.
            let missed = event.as_lagged().unwrap_or(1);
            self.lagged += missed;
            self.shared.counters.events_lagged.add(missed);
        }
    }

    /// Whether something waits for room in the consumer's queue.
    pub(crate) fn is_behind(&self) -> bool {
        self.lagged > 0 || !self.held.is_empty()
    }

    /// Whether events are held back for a consumer that must not miss any.
    pub(crate) fn holds_back(&self) -> bool {
        !self.held.is_empty()
    }

    /// Waits until there is room.
    pub(crate) async fn ready(&self) {
        // The permit is given back at once: only this task sends.
        drop(self.consumer.reserve().await);
    }

    /// Hands over what there is room for.
    pub(crate) fn catch_up(&mut self) {
        while self.is_behind() {
            match self.consumer.try_reserve() {
                Ok(permit) => match self.held.pop_front() {
                    Some(event) => permit.send(event),
                    None => permit.send(E::lagged(std::mem::take(&mut self.lagged))),
                },
                Err(TrySendError::Full(())) => return,
                Err(TrySendError::Closed(())) => {
                    self.held.clear();
                    self.lagged = 0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use swim_core::Event;

    use super::*;
    use crate::tests::shared;

    fn event(n: u64) -> Event {
        Event::Message {
            from: std::net::SocketAddr::from(([127, 0, 0, 1], 1)),
            via: swim_core::Via::Datagram,
            payload: n.to_be_bytes().to_vec().into(),
        }
    }

    fn number(event: &Event) -> u64 {
        match event {
            Event::Message { payload, .. } => u64::from_be_bytes(payload[..].try_into().unwrap()),
            Event::Lagged(n) => 1000 + n,
            _ => unreachable!(),
        }
    }

    fn drain(events: &mut mpsc::Receiver<Event>) -> Vec<u64> {
        std::iter::from_fn(|| events.try_recv().ok()).map(|e| number(&e)).collect()
    }

    #[tokio::test]
    async fn a_gap_is_told_where_it_is() {
        let (consumer, mut events) = mpsc::channel(2);
        let mut outlet = Outlet::new(consumer, 0, shared());
        (0..5).for_each(|n| outlet.push(event(n)));
        assert_eq!(drain(&mut events), [0, 1]);
        outlet.push(event(5));
        assert_eq!(drain(&mut events), [1003, 5]);
        (6..9).for_each(|n| outlet.push(event(n)));
        assert_eq!(drain(&mut events), [6, 7]);
        outlet.ready().await;
        outlet.catch_up();
        assert_eq!(drain(&mut events), [1001], "without another event");
        assert!(!outlet.is_behind());
    }

    #[test]
    fn events_are_held_back_up_to_a_bound() {
        let (consumer, mut events) = mpsc::channel(2);
        let mut outlet = Outlet::new(consumer, 2, shared());
        (0..6).for_each(|n| outlet.push(event(n)));
        assert!(outlet.holds_back());
        assert_eq!(drain(&mut events), [0, 1]);
        outlet.catch_up();
        assert_eq!(drain(&mut events), [2, 3]);
        outlet.catch_up();
        assert_eq!(drain(&mut events), [1002]);
    }

    #[test]
    fn without_a_consumer_nothing_is_kept() {
        let (consumer, events) = mpsc::channel(1);
        let mut outlet = Outlet::new(consumer, 8, shared());
        (0..4).for_each(|n| outlet.push(event(n)));
        drop(events);
        outlet.push(event(4));
        assert!(!outlet.is_behind());
    }
}
