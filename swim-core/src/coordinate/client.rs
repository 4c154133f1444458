//! One node's part in the algorithm, and all that it knows of its peers.

use core::hash::Hash;
use core::time::Duration;

use crate::coordinate::peers::Peers;
use crate::coordinate::vivaldi::Vivaldi;
use crate::coordinate::{Config, Coordinate, Rejection};
use crate::rng::{Rng, Seed};

/// A node's coordinate, and what it takes to keep it up to date. `K` tells peers apart.
///
/// [`forget`](Self::forget) the peers that are gone: the coordinate and a few
/// samples of each are kept.
#[derive(Clone, Debug)]
pub struct Client<K> {
    config: Config,
    own: Vivaldi,
    peers: Peers<K>,
}

impl<K: Hash + Eq + Clone> Client<K> {
    /// A node at the origin. The seed decides where nodes go that are in the same place.
    pub fn new(config: Config, seed: Seed) -> Self {
        let rng = Rng::new(seed);
        let peers = Peers::new(rng.clone().next_u64());
        Self { own: Vivaldi::new(&config, rng), peers, config }
    }

    /// Where this node is.
    pub const fn coordinate(&self) -> &Coordinate {
        self.own.coordinate()
    }

    /// Where a peer was when it was last taken in. `None` if it never was, or was forgotten, or
    /// came when [`Config::peers_max`] others were known.
    pub fn peer(&self, peer: &K) -> Option<&Coordinate> {
        self.peers.coordinate(peer)
    }

    /// Puts this node elsewhere.
    ///
    /// # Errors
    ///
    /// [`Rejection::NotFinite`]; then it stays where it is.
    pub fn set_coordinate(&mut self, coordinate: Coordinate) -> Result<(), Rejection> {
        match coordinate.is_finite() {
            true => self.own.me = coordinate,
            false => return Err(Rejection::NotFinite),
        }
        Ok(())
    }

    /// Takes in that `peer` says it is at `other`, and that a message to it and back took `rtt`.
    ///
    /// # Errors
    ///
    /// [`Rejection`] says why that cannot be; it is counted and nothing else changes.
    pub fn update(
        &mut self,
        peer: &K,
        other: &Coordinate,
        rtt: Duration,
    ) -> Result<&Coordinate, Rejection> {
        let Self { config, own, peers } = self;
        own.check(other, rtt)?;
        let rtt = rtt.as_secs_f64();
        let known = peers.get(peer, config.peers_max);
        let rtt = known.map_or(rtt, |known| known.median(other, rtt, config));
        Ok(own.take(config, other, rtt))
    }

    /// Counts a coordinate that could not even be read.
    pub const fn reject(&mut self, rejection: Rejection) -> Rejection {
        self.own.reject(rejection)
    }

    /// Forgets a peer.
    pub fn forget(&mut self, peer: &K) {
        self.peers.forget(peer);
    }

    /// How often the coordinate came out as no number, and was put back to the origin.
    pub const fn resets(&self) -> u64 {
        self.own.resets()
    }

    /// How many updates were rejected.
    pub const fn rejected(&self) -> u64 {
        self.own.rejected()
    }

    /// How many updates had a round-trip time of zero, which no network has.
    pub const fn zero_rtts(&self) -> u64 {
        self.own.zero_rtts()
    }
}

#[cfg(test)]
#[expect(clippy::excessive_precision, reason = "digits as the Serf spec has them")]
mod tests {
    use super::*;

    const A: Coordinate = at([0.1, 0.2, 0.3, 0.0], 1.5, 0.0, 1e-5);
    const B: Coordinate = at([0.15, 0.1, 0.35, 0.02], 0.5, 0.002, 0.003);
    const NEAR_A: Coordinate = at([0.01, 0.0, -0.005, 0.0], 0.3, 1e-4, 5e-4);
    const NEAR_B: Coordinate = at([-0.004, 0.006, 0.0, 0.008], 0.8, -2e-4, 2e-4);

    const fn at([x, y, z, w]: [f64; 4], error: f64, adjustment: f64, height: f64) -> Coordinate {
        Coordinate { vec: [x, y, z, w, 0.0, 0.0, 0.0, 0.0], error, adjustment, height }
    }

    fn client(at: Coordinate) -> Client<u8> {
        let mut client = Client::new(Config::default(), Seed::from(1));
        client.set_coordinate(at).unwrap();
        client
    }

    #[track_caller]
    fn near(ours: &Coordinate, theirs: &Coordinate) {
        let numbers = |c: &Coordinate| [&c.vec[..], &[c.error, c.adjustment, c.height]].concat();
        for (x, y) in numbers(ours).into_iter().zip(numbers(theirs)) {
            assert!((x - y).abs() <= 1e-12, "{ours:?} is not {theirs:?}");
        }
    }

    fn ms(ms: f64) -> Duration {
        Duration::from_nanos((ms * 1e6) as u64)
    }

    /// D1 to D4 of the Serf spec.
    #[test]
    fn distances_are_adjusted_unless_nothing_is_left() {
        assert!((A.raw_distance(&B) - 0.12710673645990855).abs() < 1e-15);
        assert_eq!(A.distance_ns(&B), 129_106_736);
        assert_eq!(Coordinate { adjustment: -5.0, ..A }.distance_ns(&B), 127_106_736);
        let adjusted = Coordinate { adjustment: -0.05, height: 0.001, ..A };
        assert_eq!(adjusted.distance_ns(&B), 80_096_736);
        let origin = Coordinate::origin(&Config::default());
        assert_eq!(origin.distance(&origin), Duration::from_nanos(20_000));
        let below = Coordinate { height: -1.0, ..origin };
        assert_eq!(origin.distance(&below), Duration::ZERO);
    }

    /// V1, A1 and G1.
    #[test]
    fn the_three_forces_move_a_node_one_after_the_other() {
        let mut client = client(A);
        client.own.spring(&client.config, &B, 0.2);
        let vec = [
            0.094644304363195583,
            0.21071139127360886,
            0.29464430436319555,
            -0.0021422782547217676,
        ];
        let height = 0.00033241287733562605;
        near(client.coordinate(), &at(vec, 1.285212435, 0.0, height));
        client.own.adjust(&B, 0.2);
        let adjustment = 0.0014819590915688956;
        near(client.coordinate(), &at(vec, 1.285212435, adjustment, height));
        client.own.gravitate(&client.config);
        let vec =
            [0.094642714088982283, 0.21070785076587048, 0.29463935356089976, -0.00214224225879059];
        near(client.coordinate(), &at(vec, 1.285212435, adjustment, 0.00033240712389517559));
    }

    /// The sequence of the Serf spec.
    #[test]
    fn a_node_settles_between_two_others() {
        let mut client = client(at([0.001, 0.002, 0.003, 0.0], 1.5, 0.0, 1e-5));
        for (peer, rtt) in [(0, 12.0), (1, 9.0), (0, 30.0), (0, 13.0), (1, 8.5), (1, 0.0)] {
            client.update(&peer, [&NEAR_A, &NEAR_B][usize::from(peer)], ms(rtt)).unwrap();
        }
        assert_eq!(client.zero_rtts(), 1);
        let vec = [
            -0.0011244737585704167,
            0.0026664480883262618,
            0.0043876008745367791,
            0.00053818890196440832,
        ];
        let error = 0.67795521169358119;
        near(client.coordinate(), &at(vec, error, 0.00016177796498140267, 0.00011127483669711244));
        assert_eq!(client.coordinate().distance_ns(&NEAR_A), 15_681_177);
        assert_eq!(client.coordinate().distance_ns(&NEAR_B), 9_984_431);
        for _ in 0..25 {
            client.update(&0, &NEAR_A, ms(12.0)).unwrap();
            client.update(&1, &NEAR_B, ms(9.0)).unwrap();
        }
        let vec = [
            0.00078326852919724911,
            0.0023369941211065911,
            0.0024482790808950531,
            0.00079988887452343024,
        ];
        let error = 0.064954010615462923;
        near(client.coordinate(), &at(vec, error, -0.00039931223185264502, 1e-5));
    }

    /// O1 and R1.
    #[test]
    fn a_fresh_node_leaves_the_origin() {
        let origin = Coordinate::origin(&Config::default());
        let mut first = client(origin);
        first.update(&0, &NEAR_A, ms(12.0)).unwrap();
        let vec = [-3.9068020478251689e-05, 0.0, 1.9534010239125845e-05, 0.0];
        let expected = at(vec, 1.1911399479166667, 6.5997067111518095e-06, 1.1992468938099177e-05);
        near(first.coordinate(), &expected);
        let mut second = client(origin);
        let after = second.update(&0, &origin, ms(10.0)).unwrap();
        let norm = after.vec.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!((norm - 0.00124749990188).abs() < 1e-13, "{norm}");
    }

    /// RS.
    #[test]
    fn a_coordinate_that_is_no_number_starts_anew() {
        let mut client = client(at([0.1, 0.0, 0.0, 0.0], 1.5, 0.0, 1e-5));
        let far = at([1e308, 0.0, 0.0, 0.0], 0.1, 0.0, 1.0);
        let after = client.update(&0, &far, ms(1.0)).copied();
        assert_eq!(after, Ok(Coordinate::origin(&Config::default())));
        assert_eq!((client.resets(), client.rejected()), (1, 0));
    }

    /// J.
    #[test]
    fn what_cannot_be_is_rejected_and_counted() {
        let mut client = client(A);
        let max = Duration::from_secs(10);
        let rtt = max + Duration::from_nanos(1);
        let too_slow = Err(Rejection::TooSlow { rtt, max });
        assert_eq!(client.update(&0, &B, rtt).map(|_| ()), too_slow);
        let bad = [
            Coordinate { error: f64::INFINITY, ..B },
            Coordinate { adjustment: f64::NAN, ..B },
            Coordinate { height: f64::NEG_INFINITY, ..B },
            Coordinate { vec: [f64::NAN; 8], ..B },
        ];
        for bad in bad {
            assert_eq!(client.update(&0, &bad, ms(1.0)).map(|_| ()), Err(Rejection::NotFinite));
            assert_eq!(client.set_coordinate(bad), Err(Rejection::NotFinite));
        }
        assert_eq!((client.rejected(), *client.coordinate()), (5, A));
        assert!(client.update(&0, &Coordinate { error: -1.0, ..B }, max).is_ok());
    }

    #[test]
    fn peers_beyond_the_bound_are_not_remembered() {
        let config = Config::default().peers_max(1);
        let mut client = Client::new(config, Seed::from(1));
        for peer in 0..100 {
            client.update(&peer, &B, ms(20.0)).unwrap();
        }
        assert_eq!((client.peer(&0), client.peer(&1)), (Some(&B), None));
        client.forget(&0);
        assert_eq!(client.peer(&0), None);
    }

    #[test]
    fn equal_seeds_go_the_same_way() {
        let run = |seed| {
            let mut client = Client::new(Config::default(), Seed::from(seed));
            let origin = Coordinate::origin(&Config::default());
            *client.update(&0, &origin, ms(10.0)).unwrap()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }
}
