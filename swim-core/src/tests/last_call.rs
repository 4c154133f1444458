//! Nobody who can answer is declared dead unasked.

use core::time::Duration;

use crate::testkit::{Net, Rule};
use crate::{Ablation, Config, State};

const ALL: Rule = |_, _, _| true;
const NONE: Rule = |_, _, _| false;

/// Two nodes that probe each other rarely. The link between them is down until shortly before the
/// suspicion ends, and up again for its last moments.
fn state_after_a_late_repair(last_call: bool) -> Option<State> {
    let ablation = Ablation { last_call, ..Ablation::default() };
    let config = Config::lan()
        .probe_interval(Duration::from_secs(10))
        .reconnect_interval(Duration::ZERO)
        .push_pull_interval(Duration::ZERO)
        .ablation(ablation);
    let mut net = Net::new(2, &config.build().unwrap(), 3);
    net.join(1, 0);
    net.run_for(Duration::from_secs(15));
    (net.lose_datagram, net.lose_stream) = (ALL, ALL);
    while net.state_of(0, 1) == Some(State::Alive) {
        net.run_for(Duration::from_millis(10));
    }
    // Among two nobody can confirm: the suspicion lasts four probe intervals.
    net.run_for(Duration::from_millis(39_300));
    assert_eq!(net.state_of(0, 1), Some(State::Suspect));
    (net.lose_datagram, net.lose_stream) = (NONE, NONE);
    net.run_for(Duration::from_millis(720));
    net.state_of(0, 1)
}

#[test]
fn a_suspect_is_asked_once_more_before_it_is_dead() {
    assert_eq!(state_after_a_late_repair(false), Some(State::Dead));
    assert_eq!(state_after_a_late_repair(true), Some(State::Alive));
}
