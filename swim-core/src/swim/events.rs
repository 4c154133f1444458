//! Events that wait for their consumer.

use alloc::collections::VecDeque;

use crate::event::Event;

/// A bounded queue: at the bound the oldest go, and their number is told.
pub(crate) struct Events {
    waiting: VecDeque<Event>,
    lagged: u64,
}

impl Events {
    pub(crate) fn new() -> Self {
        Self { waiting: VecDeque::new(), lagged: 0 }
    }

    /// Adds an event; whether another had to go.
    pub(crate) fn push(&mut self, event: Event, events_max: u32) -> bool {
        let full = self.waiting.len() >= events_max as usize;
        if full {
            // A command's end is awaited by somebody; anything else can be read from the members.
            let oldest = self.waiting.iter().position(|e| !matches!(e, Event::Done { .. }));
            self.waiting.remove(oldest.unwrap_or(0));
            self.lagged += 1;
        }
        self.waiting.push_back(event);
        full
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        if self.lagged > 0 {
            return Some(Event::Lagged(core::mem::take(&mut self.lagged)));
        }
        let event = self.waiting.pop_front();
        if self.waiting.is_empty() && self.waiting.capacity() > KEPT {
            self.waiting = VecDeque::new();
        }
        event
    }

    /// Gives an empty queue's memory back.
    pub(crate) fn trim(&mut self) {
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.lagged == 0
    }
}

/// An empty queue gives back the memory of more events than these: a merge raises a thousand at
/// once, and the next comes in minutes.
const KEPT: usize = 64;
