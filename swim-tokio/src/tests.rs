//! What several unit tests need.

use std::sync::Arc;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::stream::{Budget, Shared};
use crate::throttle::Throttle;
use crate::transport::Names;

pub(crate) fn shared() -> Arc<Shared> {
    Arc::new(Shared {
        clock: Clock::new(),
        counters: Counters::default(),
        throttle: Throttle::default(),
        names: Names::default(),
        inbound: Budget::new(1 << 20),
        outbound: Budget::new(1 << 20),
    })
}
