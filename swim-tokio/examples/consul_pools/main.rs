//! The gossip of three Consul datacenters in one process, over loopback:
//! `cargo run -p swim-tokio --example consul_pools`.
//!
//! Each datacenter is a LAN pool of its servers and clients; the servers of all are a WAN pool, in
//! which they are called `NAME.DATACENTER` and which fills itself by flood join. What is printed is
//! what an operator would want to see of it.

mod agent;
mod fired;
mod merge;
mod near;
mod server;
#[cfg(test)]
mod tests;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use agent::{Agent, Failure, Plan};
use fired::Fired;
use swim_tokio::swim_core::keyring::{Key, Keyring};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let key = Key::new(&[7; 32])?;
    let [mut dc1, mut dc2, mut dc3] = [const { Vec::new() }; 3];
    for (agents, dc, servers) in [(&mut dc1, 1, 3), (&mut dc2, 2, 2), (&mut dc3, 3, 1)] {
        for n in 1..=servers {
            agents.push(Agent::start(plan(dc, n, true, &key)).await?);
        }
        agents.push(Agent::start(plan(dc, 9, false, &key)).await?);
        join_lan(agents).await?;
    }
    // One server of each datacenter is all that an operator names.
    let seeds = [&dc2, &dc3].map(|dc| SocketAddr::new(dc[0].plan.ip, WAN_PORT));
    dc1[0].wan.as_ref().ok_or("a server has a WAN pool")?.join(seeds, false).await?;
    for agent in dc1.iter().chain(&dc2).chain(&dc3).filter(|agent| agent.wan.is_some()) {
        wait("the WAN pool has 6 servers", || agent.seen().all.all().count() == 6).await?;
    }
    println!("WAN pool after flood join, as {} has it:", dc1[1].plan.name);
    for (dc, servers) in dc1[1].seen().all.iter() {
        println!("  {dc}");
        servers.for_each(|server| println!("    {server}"));
    }

    dc1[0].tell_leader().await?;
    let (id, name) = ("00000000-0000-0000-0000-00000000002a".into(), "deploy".into());
    dc1[2].fire(&Fired { id, name, payload: b"v1".into() }).await?;
    let client = &dc1[3];
    wait("the events come", || {
        let seen = client.seen();
        !seen.leaders.is_empty() && !seen.fired.is_empty()
    })
    .await?;
    let seen = client.seen();
    println!("{} heard: leader {}, event {}", client.plan.name, seen.leaders[0], seen.fired[0]);
    let elsewhere = dc2.iter().chain(&dc3).any(|agent| !agent.seen().fired.is_empty());
    println!("heard in another datacenter: {elsewhere}");

    let start = Instant::now();
    let nearest = loop {
        let nearest = dc1[0].nearest().await?;
        if nearest.len() == 2 || start.elapsed() > PATIENCE {
            break nearest;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    // Over loopback either may be: what counts is the order.
    for (place, (rtt, dc)) in (1..).zip(&nearest) {
        println!("nearest to dc1, place {place}: {dc}, round trip {rtt:?}");
    }

    let stray = Agent::start(plan(2, 8, false, &key)).await?;
    match stray.lan.join([dc1[0].lan.local_addr()], false).await {
        Ok(_) => return Err("a client of dc2 got into dc1".into()),
        Err(refused) => println!("a client of dc2 joins dc1: {refused}"),
    }
    stray.lan.shutdown().await;

    let next = Key::new(&[8; 32])?;
    println!("a new key for the LAN pool of dc1:");
    for (step, report) in [
        ("installed by", dc1[0].lan.install_key(&next, 1).await?),
        ("in use by", dc1[0].lan.use_key(&next, 1).await?),
        ("old one removed by", dc1[0].lan.remove_key(&key, 1).await?),
        ("listed by", dc1[0].lan.list_keys(1).await?),
    ] {
        report.result()?;
        println!("  {step} {} of {} nodes", report.responses(), report.nodes());
    }

    let (leaver, failer) = (dc1.remove(2), dc1.remove(2));
    leaver.leave().await?;
    failer.lan.shutdown().await;
    let watcher = &dc1[0];
    wait("who left and who failed are gone", || watcher.seen().gone.len() == 2).await?;
    for (name, change) in watcher.seen().gone {
        println!("to take out of Raft: {name} ({change:?})");
    }
    wait("the WAN pool has 5 servers", || watcher.seen().all.all().count() == 5).await?;
    println!("servers left in the WAN pool: {}", watcher.seen().all.all().count());
    for agent in dc1.iter().chain(&dc2).chain(&dc3) {
        agent.leave().await?;
    }
    Ok(())
}

/// Agent `n` of datacenter `dc`, at 127.77.DC.N.
fn plan(dc: u8, n: u8, is_server: bool, key: &Key) -> Plan {
    let kind = if is_server { "server" } else { "client" };
    Plan {
        name: format!("{kind}-{n}"),
        dc: format!("dc{dc}"),
        id: format!("{dc:08x}-0000-0000-0000-{n:012x}"),
        ip: IpAddr::from(Ipv4Addr::new(127, 77, dc, n)),
        lan_port: LAN_PORT,
        wan_port: is_server.then_some(WAN_PORT),
        keyring: Some(Keyring::new(key.clone())),
    }
}

/// Joins the LAN pools of these agents, and waits until each knows all servers.
async fn join_lan(agents: &[Agent]) -> Result<(), Failure> {
    let (first, rest) = agents.split_first().ok_or("a datacenter has agents")?;
    for agent in rest {
        agent.lan.join([first.lan.local_addr()], true).await?;
    }
    let servers = agents.iter().filter(|agent| agent.wan.is_some()).count();
    for agent in agents {
        let knows_all = || agent.seen().near.all().count() == servers;
        wait("everybody knows the servers of the datacenter", knows_all).await?;
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

const LAN_PORT: u16 = 8301;
const WAN_PORT: u16 = 8302;
const PATIENCE: Duration = Duration::from_secs(20);
