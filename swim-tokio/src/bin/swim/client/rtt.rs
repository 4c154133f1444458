//! `swim rtt`.

use swim_tokio::rpc::Client;
use swim_tokio::rpc::wire::Coordinate;

use super::{Failure, connect};
use crate::flags::RttFlags;
use crate::say::say;

pub(super) async fn run(flags: &RttFlags) -> Result<(), Failure> {
    let client = connect(&flags.rpc).await?;
    let (one, two) = match &flags.args[..] {
        [one] => (one.clone(), own_name(&client).await?),
        [one, two] => (one.clone(), two.clone()),
        _ => return Err(Failure::usage("rtt", "One or two node names must be specified")),
    };
    let (a, b) = (coordinate(&client, &one).await?, coordinate(&client, &two).await?);
    let rtt = a.rtt(&b).ok_or_else(|| {
        Failure::new(format!("The coordinates of {one:?} and {two:?} do not fit together"))
    })?;
    say!("Estimated {one} <-> {two} rtt: {:.3} ms", rtt.as_secs_f64() * 1e3);
    Ok(())
}

async fn own_name(client: &Client) -> Result<String, Failure> {
    let mut stats = client.stats().await.map_err(|e| Failure::of("Unable to look up stats", &e))?;
    let name = stats.get_mut("agent").and_then(|agent| agent.remove("name"));
    name.ok_or_else(|| Failure::new("The agent does not tell its name"))
}

async fn coordinate(client: &Client, node: &str) -> Result<Coordinate, Failure> {
    let known = client.coordinate(node).await;
    let known = known.map_err(|e| Failure::of("Error getting coordinates", &e))?;
    known.ok_or_else(|| Failure::new(format!("Could not find a coordinate for node {node:?}")))
}
