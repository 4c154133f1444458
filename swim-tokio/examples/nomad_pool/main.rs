//! The gossip of Nomad's servers in one process, over loopback:
//! `cargo run -p swim-tokio --example nomad_pool`.
//!
//! All servers of all regions are one pool. A region begins once as many of its servers are there
//! as each of them was told to expect; requests find their way by a table of servers by region.
//! What is printed is what an operator would want to see of it.

mod bootstrap;
mod peer;
mod server;
#[cfg(test)]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use bootstrap::Verdict;
use server::{Failure, Plan, Server};
use swim_tokio::serf::SerfAgent;
use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::serf::{SerfConfig, Status};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let addr = |n| SocketAddr::from((Ipv4Addr::new(127, 78, 0, n), PORT));
    let mut global = Vec::new();
    for (n, node) in (1..).zip(["one", "two", "three"]) {
        let plan = Plan { node, region: "global", expect: 3, addr: addr(n) };
        let server = Server::start(plan).await?;
        if n > 1 {
            server.join(addr(1)).await?;
        }
        global.push(server);
        let peers = || global[0].state().peers;
        wait("it is in the table", || peers().of_region("global").count() == global.len()).await?;
        println!("region global: {}", Verdict::of(3, peers().of_region("global")));
    }
    wait("the region begins", || global.iter().all(|s| s.state().raft.is_some())).await?;
    let bootstraps: u32 = global.iter().map(|server| server.state().bootstraps).sum();
    let raft = global[0].state().raft.unwrap_or_default().join(", ");
    println!("times that a server began the region: {bootstraps}; peers of Raft: {raft}");

    let odd =
        Server::start(Plan { node: "odd", region: "global", expect: 5, addr: addr(4) }).await?;
    odd.join(addr(1)).await?;
    wait("it sees the conflict", || !odd.state().conflicts.is_empty()).await?;
    println!("{}, told to expect 5, does not begin: {}", odd.serf.name(), odd.state().conflicts[0]);

    let plan = Plan { node: "uno", region: "europe", expect: 1, addr: addr(5) };
    let europe = Server::start(plan).await?;
    europe.join(addr(1)).await?;
    wait("both regions are known", || global[1].state().peers.regions().count() == 2).await?;
    let peers = global[1].state().peers;
    println!("servers, as {} has them:", global[1].serf.name());
    for region in peers.regions() {
        println!("  {region}");
        peers.of_region(region).for_each(|peer| println!("    {peer}"));
    }
    let to = peers.route("europe", 0)?.rpc;
    let found = peers.by_rpc("europe", to).map_or("nobody", |peer| &peer.name);
    println!("a request to europe goes to {to}, which is {found}");
    match peers.route("asia", 0) {
        Ok(peer) => return Err(format!("{peer} is not in asia").into()),
        Err(none) => println!("a request to asia: {none}"),
    }

    let serf = SerfConfig::builder(Config::lan().build()?).build()?;
    let (stranger, _events) =
        SerfAgent::builder(serf).name("stranger").bind(addr(9)).spawn().await?;
    match stranger.join([addr(1)], false).await {
        Ok(_) => return Err("a stranger got in".into()),
        Err(refused) => println!("somebody without tags joins: {refused}"),
    }
    stranger.shutdown().await;

    europe.leave().await?;
    odd.serf.shutdown().await;
    wait("europe is gone", || global[1].state().peers.route("europe", 0).is_err()).await?;
    if let Err(none) = global[1].state().peers.route("europe", 0) {
        println!("a request to europe, which has left: {none}");
    }
    let is_failed =
        |s: &Server| s.state().peers.of_region("global").any(|p| p.status == Status::Failed);
    wait("the odd one has failed", || is_failed(&global[1])).await?;
    global[1].serf.force_leave("odd.global", true).await?;
    wait("it is forced out", || global[1].state().peers.of_region("global").count() == 3).await?;
    println!(
        "odd.global failed and was forced out; what {} had to reconcile with Raft:",
        global[1].serf.name()
    );
    for (name, change) in global[1].state().reconciled {
        println!("  {name} {change:?}");
    }
    for server in &global {
        server.leave().await?;
    }
    Ok(())
}

async fn wait(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), Failure> {
    let start = Instant::now();
    while !holds() {
        if start.elapsed() > PATIENCE {
            return Err(format!("this did not come true in {PATIENCE:?}: {what}").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

const PORT: u16 = 4648;
const PATIENCE: Duration = Duration::from_secs(20);
