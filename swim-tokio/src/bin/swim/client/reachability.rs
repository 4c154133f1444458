//! `swim reachability`.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use swim_tokio::rpc::wire::{MemberStatus, Query, QueryRecord};
use swim_tokio::rpc::{Client, Records};

use super::{Failure, connect};
use crate::flags::ReachabilityFlags;
use crate::say::say;

pub(super) async fn run(flags: &ReachabilityFlags) -> Result<(), Failure> {
    let client = connect(&flags.rpc).await?;
    let members = client.members().await;
    let members = members.map_err(|e| Failure::of("Error getting members", &e))?;
    let alive: BTreeSet<&str> = members
        .iter()
        .filter(|member| member.status == MemberStatus::Alive)
        .map(|member| &*member.name)
        .collect();
    say!("Total members: {}, live members: {}", members.len(), alive.len());
    let mut test = Test { verbose: flags.verbose, started: Instant::now(), ..Test::new() };
    test.run(&client).await?;
    test.judge(&alive)
}

/// A query that every node acknowledges by itself.
const PING: &str = "_serf_ping";

struct Test {
    verbose: bool,
    started: Instant,
    /// Until the last acknowledgement.
    last: Duration,
    acks: BTreeSet<String>,
    repeated: usize,
}

impl Test {
    fn new() -> Self {
        Self {
            verbose: false,
            started: Instant::now(),
            last: Duration::ZERO,
            acks: BTreeSet::new(),
            repeated: 0,
        }
    }

    async fn run(&mut self, client: &Client) -> Result<(), Failure> {
        let failed = |e| Failure::of("Error sending query", &e);
        let mut query = Query::new(PING, "");
        query.ack = true;
        let mut records: Records<QueryRecord> = client.query(query).await.map_err(failed)?;
        say!("Starting reachability test...");
        while let Some(record) = records.recv().await.map_err(failed)? {
            let QueryRecord::Ack { from } = record else { continue };
            self.last = self.started.elapsed();
            if self.verbose {
                say!("\tAck from '{from}'");
            }
            self.repeated += usize::from(!self.acks.insert(from));
        }
        if self.verbose {
            say!(
                "Query time: {:.2} sec, time to last response: {:.2} sec",
                self.started.elapsed().as_secs_f64(),
                self.last.as_secs_f64()
            );
        }
        Ok(())
    }

    fn judge(&self, alive: &BTreeSet<&str>) -> Result<(), Failure> {
        let missing = alive.iter().filter(|name| !self.acks.contains(**name));
        let missing: Vec<_> = missing.map(|name| format!("\t{name}\n")).collect();
        let unknown = self.acks.iter().filter(|name| !alive.contains(name.as_str())).count();
        if !missing.is_empty() {
            return Err(Failure::new(format!(
                "Received less acks than live nodes! Missing acks from:\n{}{LOST}",
                missing.concat()
            )));
        }
        if unknown > 0 {
            return Err(Failure::new(format!(
                "Received more acks than live nodes! {unknown} nodes that are not known to be alive \
                 answered: the members may just have changed"
            )));
        }
        if self.repeated > 0 {
            return Err(Failure::new(format!(
                "Duplicate acks received! {} came more than once: something repeats datagrams, or \
                 two nodes have one name",
                self.repeated
            )));
        }
        say!("Successfully contacted all live nodes");
        Ok(())
    }
}

const LOST: &str =
    "These nodes are known to be alive, but their datagrams do not arrive. Look whether
UDP and TCP of their gossip port pass in both directions, whether the address that
they advertise is the one they listen on, and whether a NAT stands between.";
