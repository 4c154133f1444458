//! Random members (hazard 35).

use std::collections::BTreeSet;
use std::format;

use crate::{Config, Identity, Instant, Node, Roster, Seed};

#[test]
fn a_pick_never_gives_fewer_than_there_are() {
    let config = Config::lan().build().expect("the preset is valid");
    // Some of these are scanned, for others a few members are drawn and the rest is walked over.
    for n in [1, 2, 3, 9, 24, 25, 33, 40, 200] {
        let identity = |i: u32| {
            let addr = core::net::SocketAddr::from(((0x0a00_0001 + i).to_be_bytes(), 7946));
            Identity::new(&format!("n{i}"), addr).expect("a name and a place")
        };
        let roster = Roster::new((0..n).map(identity));
        for seed in 0..20 {
            let now = Instant::from_secs(1);
            let mut node = Node::with_roster(config.clone(), &roster, 0, Seed::from(seed), now);
            for k in 0..=4 {
                for eligible in 0..=n.min(6) {
                    // They stand at the end, where a short walk misses them.
                    let wanted = |slot| slot >= n - eligible;
                    let picked = node.pick_members(k, |slot, _, _| wanted(slot));
                    let different: BTreeSet<u32> = picked.iter().copied().collect();
                    assert_eq!(different.len(), picked.len(), "nobody twice");
                    assert_eq!(picked.len(), k.min(eligible as usize), "{k} of {eligible} in {n}");
                    assert!(picked.iter().all(|&slot| wanted(slot)));
                }
            }
        }
    }
}
