//! An oracle that objects to nothing and writes everything down.

use core::fmt;

use super::{Oracle, Violation};
use crate::change::{Change, Says, What};

/// Writes a line per change to a sink.
pub struct Trace {
    sink: Sink,
    cases: u64,
}

type Sink = Box<dyn FnMut(&dyn fmt::Display) + Send>;

impl Trace {
    /// A trace into `sink`.
    pub fn new(sink: impl FnMut(&dyn fmt::Display) + Send + 'static) -> Self {
        Self { sink: Box::new(sink), cases: 0 }
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace").field("cases", &self.cases).finish_non_exhaustive()
    }
}

impl Oracle for Trace {
    fn name(&self) -> &'static str {
        "trace"
    }

    fn on_change(&mut self, change: &Change) -> Result<(), Violation> {
        self.cases += 1;
        if !is_own_start(change) {
            (self.sink)(change);
        }
        Ok(())
    }

    fn cases(&self) -> u64 {
        self.cases
    }
}

/// Whether a node merely reports itself.
fn is_own_start(change: &Change) -> bool {
    matches!(&change.what, What::Claim(c) if c.observer == c.subject && c.says == Says::Up)
}
