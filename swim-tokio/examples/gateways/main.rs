//! Two datacenters that reach each other through a gateway only, in one process and without a
//! socket: `cargo run -p swim-tokio --example gateways`.
//!
//! Within a datacenter an address leads to its node. From one to the other only names lead,
//! `NODE.DATACENTER`: the gateway looks the name up and passes on what is for it. It is what a mesh
//! gateway does for Consul's servers, and all that it takes is a `Transport` that reads the name of
//! whom something is for.

mod inbox;
mod port;
mod site;
#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use site::Gateway;
use swim_tokio::Events;
use swim_tokio::serf::{Answer, SerfAgent, SerfHandle};
use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::serf::{Event, QueryParams, SerfConfig, Status};

/// Whatever went wrong, for people.
type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let gateway = Gateway::new();
    let (east, west) = (gateway.site("east", 1), gateway.site("west", 2));
    let mut nodes = Vec::new();
    for (site, node) in [(&east, "a"), (&east, "b"), (&west, "c"), (&west, "d")] {
        let port = site.port(node);
        println!("{} listens at {} of its datacenter", port.name(), port.addr());
        nodes.push(start(port).await?);
    }

    match nodes[0].0.join([nodes[2].0.local_addr()], false).await {
        Ok(_) => return Err("an address alone led to another datacenter".into()),
        Err(refused) => println!("by address: {refused}"),
    }
    let seed = seat(&nodes[0].0);
    for (node, _) in &nodes[1..] {
        node.join([seed.as_str()], false).await?;
    }
    wait_for_all(&nodes).await?;
    println!("by name all of them meet");

    nodes[0].0.user_event("deploy", "v2", false).await?;
    let (name, payload) = deployed(&mut nodes[3].1).await?;
    println!("{} heard of {name}: {payload}", nodes[3].0.name());
    let from = ask(&nodes).await?;
    println!("{} asked, and heard from {}", nodes[0].0.name(), from.join(", "));

    let passed = gateway.passed();
    let (datagrams, streams, unknown) = (passed.datagrams, passed.streams, passed.unknown);
    println!("through the gateway: {datagrams} datagrams, {streams} streams; to nobody: {unknown}");
    for (node, _) in &nodes {
        node.shutdown().await;
    }
    Ok(())
}

/// A Serf node at a port of its datacenter.
async fn start(port: port::Port) -> Result<(SerfHandle, Events<Event>), Failure> {
    // In so small a pool the usual two tellings miss somebody now and then.
    let swim = Config::local().retransmit_mult(6).build()?;
    let config = SerfConfig::builder(swim).build()?;
    let agent = SerfAgent::builder(config).name(port.name()).transport(port).require_node_names();
    Ok(agent.spawn().await?)
}

/// What others join by: a name and an address.
fn seat(node: &SerfHandle) -> String {
    format!("{}/{}", node.name(), node.local_addr())
}

async fn wait_for_all(nodes: &[(SerfHandle, Events<Event>)]) -> Result<(), Failure> {
    let start = Instant::now();
    for (node, _) in nodes {
        loop {
            let members = node.members().await?;
            let alive = members.all().iter().filter(|member| member.status() == Status::Alive);
            if alive.count() == nodes.len() {
                break;
            }
            if start.elapsed() > PATIENCE {
                return Err(format!("{} does not see all of them alive", node.name()).into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

/// The next user event: its name and payload.
async fn deployed(events: &mut Events<Event>) -> Result<(String, String), Failure> {
    let next = async {
        loop {
            match events.recv().await {
                Some(Event::User(event)) => {
                    let payload = String::from_utf8_lossy(&event.payload).into_owned();
                    return Ok((event.name, payload));
                }
                Some(_) => {}
                None => return Err("the node has stopped".into()),
            }
        }
    };
    tokio::time::timeout(PATIENCE, next).await?
}

/// Asks who is there: those who acknowledge it.
async fn ask(nodes: &[(SerfHandle, Events<Event>)]) -> Result<Vec<String>, Failure> {
    let params = QueryParams::new().ack(true).relay_factor(1);
    let mut answers = nodes[0].0.query("who", "", params).await?;
    let mut from = Vec::new();
    while from.len() < nodes.len() {
        match tokio::time::timeout(PATIENCE, answers.recv()).await? {
            Some(Answer::Ack { from: name }) => from.push(name.to_string()),
            Some(_) => {}
            None => return Err(format!("only {} acknowledged", from.join(", ")).into()),
        }
    }
    from.sort_unstable();
    Ok(from)
}

/// More than anything here takes.
const PATIENCE: Duration = Duration::from_secs(30);
