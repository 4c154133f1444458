//! Whose a name is, and who may enter.

use std::sync::Arc;
use std::time::Duration;

use swim_tokio::swim_core::serf::{Event, Status, Tags};
use swim_tokio::swim_core::{Admission, Candidate, Config, Member, Policy};

use crate::agents::serf;
use crate::ours::{Ours, SOON, agent, layer};
use crate::serf::{self as theirs, Net, Serf};

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_serf_that_takes_the_name_of_ours_gives_in() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let first = Serf::start("first", net.addr(1), &[]);
    let second = Ours::join("second", net.addr(2), first.addr()).await;
    let twin = Ours::join("twin", net.addr(3), first.addr()).await;
    for name in ["first", "twin"] {
        second.wait_status(name, Status::Alive).await;
    }
    let mut newcomer = Serf::launch("twin", net.addr(4), &[&format!("-join={}", first.addr())]);
    newcomer.exit(2 * SOON).await;
    assert!(newcomer.log().contains("minority in name conflict resolution"), "{}", newcomer.log());
    assert!(!twin.told().iter().any(|event| matches!(event, Event::Outvoted { .. })));
    let members = second.handle.members().await.unwrap();
    assert_eq!(members.get("twin").unwrap().addr().canonical(), net.addr(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn ours_that_takes_the_name_of_a_serf_is_outvoted() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let first = Serf::start("first", net.addr(1), &[]);
    let join = format!("-join={}", first.addr());
    let twin = Serf::start("twin", net.addr(2), &[&join]);
    let second = Serf::start("second", net.addr(3), &[&join]);
    for theirs in [&first, &second] {
        for name in ["first", "second", "twin"] {
            theirs.wait_status(name, "alive", SOON).await;
        }
    }
    let newcomer = Ours::join("twin", net.addr(4), first.addr()).await;
    let outvoted = newcomer.wait_event(|event| matches!(event, Event::Outvoted { .. })).await;
    let Event::Outvoted { votes, matching } = outvoted else { unreachable!() };
    assert_eq!((votes, matching), (2, 0));
    newcomer.handle.shutdown().await;
    assert_eq!(first.status_of("twin").unwrap(), "alive");
    assert!(!twin.log().contains("minority in name conflict"), "{}", twin.log());
}

/// Only nodes with the role `x`.
struct OnlyX;

impl Policy for OnlyX {
    fn admit(&self, _: &Member, them: &[Candidate<'_>], _: Admission) -> Result<(), String> {
        let is_x =
            |candidate: &Candidate<'_>| Tags::decode(candidate.meta).get("role") == Some("x");
        match them.iter().find(|candidate| !is_x(candidate)) {
            Some(other) => Err(format!("{} is no x", other.name)),
            None => Ok(()),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn who_is_vetoed_cannot_join_ours_and_gossip_does_not_bring_it_in() {
    if !theirs::is_there() {
        return;
    }
    let net = Net::new();
    let config = layer(Config::local().policy(Arc::new(OnlyX)));
    let x = Tags::new([("role", "x")]).unwrap();
    let ours = Ours::spawn(agent(config, "ours", net.addr(1)).tags(x)).await;
    let vetoed = Serf::start("vetoed", net.addr(2), &["-tag=role=y"]);
    let said = serf(vetoed.rpc(), &["join", &net.addr(1).to_string()]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert_eq!(ours.handle.members().await.unwrap().all().len(), 1);
    let welcome = Serf::start("welcome", net.addr(3), &["-tag=role=x"]);
    ours.handle.join([welcome.addr()], false).await.unwrap();
    // It brings in somebody whom ours does not want.
    vetoed.command(&["join", &welcome.addr().to_string()]);
    welcome.wait_status("vetoed", "alive", SOON).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let members = ours.handle.members().await.unwrap();
    let mut names: Vec<_> = members.all().iter().map(|member| member.name()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ours", "welcome"]);
    assert!(ours.handle.stats().await.unwrap().node.vetoed > 0);
}
