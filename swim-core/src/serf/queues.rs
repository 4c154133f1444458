//! Broadcasts that wait, and telling of it when they are many (serf spec 1.8).

use alloc::boxed::Box;

use super::core::{Core, EVENTS, INTENTS, QUERIES};
use super::timers::Due;
use crate::ids::Lane;
use crate::serf::{Event, Queue};

/// Some queue is or was deep, and it will be looked whether it still is. By queue: how many
/// broadcasts were dropped since the last look.
#[derive(Default)]
pub(super) struct Backlog([u64; Queue::ALL.len()]);

impl Queue {
    const fn of(lane: Lane) -> Self {
        match lane {
            INTENTS => Self::Intent,
            QUERIES => Self::Query,
            EVENTS => Self::Event,
        }
    }

    const fn lane(self) -> Lane {
        match self {
            Self::Intent => INTENTS,
            Self::Query => QUERIES,
            Self::Event => EVENTS,
        }
    }
}

impl Core {
    /// As many broadcasts of one kind may wait.
    pub(super) fn waiting_max(&self) -> u32 {
        let knobs = &self.config.knobs;
        match knobs.min_queue_depth {
            0 => knobs.max_queue_depth,
            min => min.max(u32::try_from(2 * self.node.known_len()).unwrap_or(u32::MAX)),
        }
    }

    fn is_deep(&self, queue: Queue) -> bool {
        self.node.queue_len(queue.lane()) >= self.config.knobs.queue_depth_warning as usize
    }

    /// A broadcast has come into this lane, and others had to go.
    pub(super) fn look_after(&mut self, lane: Lane, dropped: u64) {
        let queue = Queue::of(lane);
        if dropped == 0 && (self.backlog.is_some() || !self.is_deep(queue)) {
            return;
        }
        if self.backlog.is_none() {
            self.arm_queue_check();
        }
        self.backlog.get_or_insert_default().0[queue as usize] += dropped;
    }

    fn arm_queue_check(&mut self) {
        let at = self.now() + self.config.knobs.queue_check_interval;
        self.timers.push(at, Due::QueueCheck);
    }

    /// Tells of queues that are deep, and looks again later if there are any.
    pub(super) fn on_queue_check(&mut self) {
        let Some(backlog) = self.backlog.take() else { return };
        for queue in Queue::ALL {
            let (deep, dropped) = (self.is_deep(queue), backlog.0[queue as usize]);
            if deep || dropped > 0 {
                let waiting = self.node.queue_len(queue.lane());
                let waiting_max = self.waiting_max();
                self.raise(Event::QueueDeep { queue, waiting, dropped, waiting_max });
            }
            if deep && self.backlog.is_none() {
                self.arm_queue_check();
                self.backlog = Some(Box::default());
            }
        }
    }
}
