//! Events that wait for their consumer.

use alloc::collections::VecDeque;

use crate::serf::Event;

/// A bounded queue: at the bound the oldest go, and their number is told.
#[derive(Default)]
pub(super) struct Events {
    waiting: VecDeque<Event>,
    lagged: u64,
}

impl Events {
    /// Adds an event; whether another had to go.
    pub(super) fn push(&mut self, event: Event, events_max: u32) -> bool {
        let full = self.waiting.len() >= events_max as usize;
        if full {
            // A command's end is awaited by somebody.
            let oldest = self.waiting.iter().position(|e| !matches!(e, Event::Done { .. }));
            self.waiting.remove(oldest.unwrap_or(0));
            self.lagged += 1;
        }
        self.waiting.push_back(event);
        full
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        if self.lagged > 0 {
            return Some(Event::Lagged(core::mem::take(&mut self.lagged)));
        }
        self.waiting.pop_front()
    }

    /// Gives an empty queue's memory back.
    pub(super) fn trim(&mut self) {
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.lagged == 0
    }
}
