//! Zones: groups of nodes with latencies of their own between them.

use super::latency::Delay;
use super::{Latency, LinkError};

/// Zones of nodes, such as data centres, and the latency from each to each.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "a table that is checked where it is used")]
pub struct Zones {
    /// How many nodes each has: the first so many nodes are the first zone, and so on. Nodes past
    /// the last belong to the last.
    pub sizes: Vec<u32>,
    /// The latency from the zone of the row to the zone of the column; it may differ each way.
    pub latency: Vec<Vec<Latency>>,
}

/// Zones that make sense, in the form that packets need.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix {
    /// The first node after each zone.
    ends: Vec<u32>,
    delays: Vec<Delay>,
}

impl Matrix {
    pub(super) fn new(zones: &Zones) -> Result<Self, LinkError> {
        let len = zones.sizes.len();
        let rows = zones.latency.len();
        let short = zones.latency.iter().find(|row| row.len() != len);
        if len == 0 || rows != len || short.is_some() {
            let columns = short.map_or(len, Vec::len);
            return Err(LinkError::Matrix { zones: len, rows, columns });
        }
        let mut end = 0u32;
        let add = |size: &u32| {
            end = end.saturating_add(*size);
            end
        };
        let ends = zones.sizes.iter().map(add).collect();
        let delays = zones.latency.iter().flatten().map(|&latency| Delay::new(latency));
        Ok(Self { ends, delays: delays.collect::<Result<_, _>>()? })
    }

    /// The zone of a node.
    fn zone(&self, node: u32) -> usize {
        self.ends.partition_point(|&end| end <= node).min(self.ends.len() - 1)
    }

    pub(super) fn delay(&self, from: u32, to: u32) -> Delay {
        self.delays[self.zone(from) * self.ends.len() + self.zone(to)]
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Delay> {
        self.delays.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn fixed(ms: u64) -> Latency {
        Latency::Fixed(Duration::from_millis(ms))
    }

    #[test]
    fn each_pair_of_zones_has_its_latency() {
        let latency = vec![vec![fixed(1), fixed(40)], vec![fixed(50), fixed(2)]];
        let matrix = Matrix::new(&Zones { sizes: vec![10, 5], latency }).unwrap();
        let delays = [(0, 9, 1), (9, 10, 40), (14, 3, 50), (10, 14, 2), (99, 14, 2)];
        for (from, to, ms) in delays {
            assert_eq!(matrix.delay(from, to).of(7), ms * 1_000_000, "{from} to {to}");
        }
    }

    #[test]
    fn a_matrix_has_a_row_and_a_column_for_each_zone() {
        for latency in [vec![vec![fixed(1)]], vec![vec![fixed(1)], vec![fixed(1), fixed(2)]]] {
            let zones = Zones { sizes: vec![1, 1], latency };
            assert!(matches!(Matrix::new(&zones), Err(LinkError::Matrix { zones: 2, .. })));
        }
        assert!(Matrix::new(&Zones { sizes: Vec::new(), latency: Vec::new() }).is_err());
    }
}
