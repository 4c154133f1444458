//! Which datacenter is near, by the coordinates of its servers.

use std::time::Duration;

use swim_tokio::swim_core::coordinate::Coordinate;

/// Datacenters, nearest first, each with the median of the round trips to its servers. One of which
/// no server has told its coordinate is left out.
pub(crate) fn nearest(
    me: &Coordinate,
    others: impl IntoIterator<Item = (String, Vec<Coordinate>)>,
) -> Vec<(Duration, String)> {
    let median = |servers: Vec<Coordinate>| {
        let mut trips: Vec<_> = servers.iter().map(|server| me.distance(server)).collect();
        trips.sort_unstable();
        trips.get(trips.len() / 2).copied()
    };
    let known = others.into_iter().filter_map(|(dc, servers)| Some((median(servers)?, dc)));
    let mut nearest: Vec<_> = known.collect();
    nearest.sort_unstable();
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many milliseconds from the origin.
    fn at(millis: f64) -> Coordinate {
        let vec = [millis / 1e3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];
        Coordinate { vec, error: 0.1, adjustment: 0.0, height: 0.0 }
    }

    #[test]
    fn of_three_datacenters_the_one_with_the_least_median_is_first() {
        let millis = Duration::from_millis;
        // One server that is near makes no datacenter near, nor one that is far a far one.
        let others = [
            ("far", vec![at(5.0), at(90.0), at(80.0)]),
            ("near", vec![at(20.0), at(500.0), at(10.0)]),
            ("middle", vec![at(40.0)]),
            ("silent", vec![]),
        ];
        let others = others.map(|(dc, servers)| (dc.to_owned(), servers));
        let wanted = [(20, "near"), (40, "middle"), (80, "far")];
        let wanted = wanted.map(|(ms, dc)| (millis(ms), dc.to_owned()));
        assert_eq!(nearest(&at(0.0), others), wanted);
    }
}
