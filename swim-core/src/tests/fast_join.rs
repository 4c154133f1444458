//! Fast join: who tells whom of members that a push/pull taught.

use core::time::Duration;

use crate::testkit::Net;
use crate::{Config, State};

/// Three members of one cluster, and one node that is alone.
fn three_and_one(rounds: u32) -> Net {
    let mut net = Net::new(4, &Config::lan().fast_join_rounds(rounds).build().unwrap(), 3);
    net.join(1, 0);
    net.join(2, 0);
    net.run_for(Duration::from_secs(20));
    assert_eq!([0, 1, 2].map(|i| net.node(i).rumours_len()), [0; 3], "all is told");
    net
}

#[test]
fn a_newborn_tells_of_itself_only() {
    let mut net = three_and_one(8);
    net.join(3, 0);
    net.run_for(Duration::from_millis(20));
    assert_eq!((net.node(3).live_len(), net.node(3).rumours_len()), (4, 1));
    net.run_for(Duration::from_secs(5));
    assert!((0..3).all(|i| net.state_of(i, 3) == Some(State::Alive)));
}

#[test]
fn without_fast_join_a_newborn_repeats_what_it_hears() {
    let mut net = three_and_one(0);
    net.join(3, 0);
    net.run_for(Duration::from_millis(20));
    assert_eq!(net.node(3).rumours_len(), 4);
}

#[test]
fn a_member_that_joins_another_cluster_tells_its_own() {
    let mut net = three_and_one(8);
    net.join(1, 3);
    net.run_for(Duration::from_millis(20));
    assert_eq!(net.node(1).rumours_len(), 1, "of the newcomer");
    assert_eq!(net.node(3).rumours_len(), 4, "whoever is asked to join repeats all it hears");
}
