//! What the three profiles look like on the wire.

use core::time::Duration;
use std::vec::Vec;

use super::net::Net;
use crate::Config;
use crate::serf::SerfConfig;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Pauses between the datagrams of node 0 that are marked, while the network runs for `time`.
fn pauses(net: &mut Net, is_marked: fn(&[u8]) -> bool, time: Duration) -> Vec<Duration> {
    let step = Duration::from_millis(10);
    let (mut pauses, mut last, mut now) = (Vec::new(), None, Duration::ZERO);
    while now < time {
        net.sent.clear();
        net.run_for(step);
        now += step;
        if net.sent.iter().any(|(from, _, bytes)| *from == 0 && is_marked(bytes)) {
            pauses.extend(last.map(|last| now - last));
            last = Some(now);
        }
    }
    pauses
}

#[test]
fn each_profile_probes_and_gossips_at_its_own_pace() {
    for (profile, probe, gossip) in [
        (Config::lan(), MS(1000), MS(200)),
        (Config::wan(), MS(5000), MS(500)),
        (Config::local(), MS(1000), MS(100)),
    ] {
        let config = SerfConfig::builder(profile.build().unwrap()).build().unwrap();
        let mut net = Net::joined(2, &config);
        net.run_for(Duration::from_secs(30));
        let is_ping = |bytes: &[u8]| bytes.starts_with(&[0]);
        let probes = pauses(&mut net, is_ping, 10 * probe);
        assert!(probes.len() >= 8, "{probes:?}");
        assert!(probes.iter().all(|pause| pause.abs_diff(probe) <= MS(10)), "{probes:?}");
        net.user_event(0, "measured", b"");
        // One that goes with a ping is no gossip.
        let is_event = |bytes: &[u8]| bytes.starts_with(&[8, 3]);
        let gossips = pauses(&mut net, is_event, Duration::from_secs(10));
        assert!(!gossips.is_empty());
        let in_time = |pause: &Duration| (1..4).any(|n| pause.abs_diff(n * gossip) <= MS(10));
        assert!(gossips.iter().all(in_time), "{gossips:?}");
    }
}
