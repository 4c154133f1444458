//! How many streams peers may hold open.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::limit::Source;

/// Counts the open inbound streams, all together and by source.
#[derive(Debug)]
pub(crate) struct Slots {
    open: Mutex<Open>,
    total_max: u32,
    source_max: u32,
}

#[derive(Debug, Default)]
struct Open {
    total: u32,
    by_source: HashMap<Source, u32>,
}

impl Slots {
    pub(crate) fn new(total_max: u32, source_max: u32) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), total_max, source_max })
    }

    /// A place for one more stream from `ip`, held until the slot is dropped.
    pub(crate) fn take(self: &Arc<Self>, ip: IpAddr) -> Option<Slot> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.total >= self.total_max {
            return None;
        }
        let source = Source::of(ip);
        let of_source = open.by_source.entry(source).or_default();
        if *of_source >= self.source_max {
            return None;
        }
        *of_source += 1;
        open.total += 1;
        Some(Slot { slots: self.clone(), source })
    }

    fn give_back(&self, source: Source) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.total -= 1;
        if let Some(of_source) = open.by_source.get_mut(&source) {
            *of_source -= 1;
            if *of_source == 0 {
                open.by_source.remove(&source);
            }
        }
    }
}

/// One open stream.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    source: Source,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.give_back(self.source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_does_not_take_every_slot() {
        let slots = Slots::new(3, 2);
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let first = slots.take(a).unwrap();
        let _second = slots.take(a).unwrap();
        assert!(slots.take(a).is_none());
        let _third = slots.take(b).unwrap();
        assert!(slots.take(b).is_none(), "all are taken");
        drop(first);
        assert!(slots.take(a).is_some());
        assert_eq!(slots.open.lock().unwrap().by_source.len(), 2);
    }

    #[test]
    fn addresses_of_one_prefix_are_one_source() {
        let slots = Slots::new(8, 1);
        let [a, b, c] =
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"].map(|a| a.parse().unwrap());
        let _first = slots.take(a).unwrap();
        assert!(slots.take(b).is_none());
        assert!(slots.take(c).is_some());
    }
}
