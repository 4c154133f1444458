//! How an agent that is told to end looks to others.

use std::fs;

use nix::sys::signal::Signal;

use crate::ours::Swim;
use crate::serf::{self, Net, SOON, Serf};

#[tokio::test]
async fn theirs_sees_a_leave_or_a_failure_as_the_signal_and_the_configuration_say() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let path = std::env::temp_dir().join(format!("swim-inverted-{}.json", std::process::id()));
    fs::write(&path, r#"{"leave_on_terminate": true, "skip_leave_on_interrupt": true}"#).unwrap();
    let inverted = format!("-config-file={}", path.display());
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let join = format!("-join={}", theirs.addr());
    // One after the other: who leaves tells a few, and those must not be leaving, too.
    for (n, signal, flags, code, status) in [
        (2, Signal::SIGINT, &[&*join][..], 0, "left"),
        (3, Signal::SIGTERM, &[&join], 1, "failed"),
        (4, Signal::SIGINT, &[&join, &inverted], 1, "failed"),
        (5, Signal::SIGTERM, &[&join, &inverted], 0, "left"),
    ] {
        let name = format!("ours-{n}");
        let mut swim = Swim::start(&name, net.addr(n), flags);
        theirs.wait_status(&name, "alive", SOON).await;
        swim.signal(signal);
        assert_eq!(swim.exit(SOON).await, Some(code), "{name}: {signal}");
        theirs.wait_status(&name, status, 2 * SOON).await;
    }
    fs::remove_file(&path).unwrap();
}
