//! A mixed pool at rest.

use std::time::Duration;

use swim_tokio::swim_core::Config;

use crate::ours::{self, failures};
use crate::serf::{self, Net, Serf};

#[tokio::test]
async fn three_and_three_run_a_minute_without_a_failure() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let seed = net.addr(1).to_string();
    let mut theirs = vec![Serf::start("theirs-1", net.addr(1), &[])];
    for n in 2..=3 {
        theirs.push(Serf::start(&format!("theirs-{n}"), net.addr(n), &[&format!("-join={seed}")]));
    }
    let mut ours = Vec::new();
    for n in 1..=3 {
        let config = Config::local().evidence_events(true);
        let builder = ours::builder(config, &format!("ours-{n}"), net.addr(10 + n));
        ours.push(builder.join([seed.as_str()]).spawn().await.unwrap());
    }
    tokio::time::sleep(Duration::from_secs(60)).await;
    for theirs in &theirs {
        let members = theirs.members();
        assert_eq!(members.len(), 6, "{members:?}");
        assert!(members.iter().all(|m| m["status"] == "alive"), "{members:?}");
        let log = theirs.log();
        for bad in ["EventMemberFailed", "Suspect", "[ERR]", "[WARN]"] {
            assert!(!log.contains(bad), "{bad} in\n{log}");
        }
    }
    for (handle, events) in &mut ours {
        let snapshot = handle.members().await.unwrap();
        assert_eq!((snapshot.live().count(), snapshot.all().len()), (6, 6));
        assert_eq!(snapshot.health(), 0);
        assert!(failures(events).is_empty());
        let stats = handle.stats().await.unwrap();
        assert_eq!(stats.node.suspicions, 0, "{stats:?}");
        assert_eq!(stats.node.malformed, 0, "{stats:?}");
        assert!(stats.node.probes >= 55, "{stats:?}");
        assert_eq!(stats.driver.datagrams_unopened, 0, "{stats:?}");
    }
}
