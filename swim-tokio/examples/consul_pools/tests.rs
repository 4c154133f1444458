//! What the example shows, as tests.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use swim_tokio::swim_core::serf::Status;

use super::*;
use crate::server::Servers;

/// Agents of datacenters that no other test has: `servers[i]` servers in the `i`th, and a client.
async fn datacenters(servers: &[u8]) -> Vec<Vec<Agent>> {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let net = NEXT.fetch_add(1, Ordering::Relaxed);
    let second = 180 + (std::process::id() % 70) as u8;
    let key = Key::new(&[7; 32]).unwrap();
    let mut datacenters = Vec::new();
    for (dc, servers) in (1..).zip(servers) {
        let mut agents = Vec::new();
        for n in (1..=*servers).chain([9]) {
            let mut plan = plan(dc, n, n < 9, &key);
            plan.ip = IpAddr::from(Ipv4Addr::new(127, second, net, 16 * dc + n));
            agents.push(Agent::start(plan).await.unwrap());
        }
        join_lan(&agents).await.unwrap();
        datacenters.push(agents);
    }
    datacenters
}

async fn link(dcs: &[Vec<Agent>], servers: usize) {
    let seeds = dcs[1..].iter().map(|dc| dc[0].wan.as_ref().unwrap().local_addr());
    dcs[0][0].wan.as_ref().unwrap().join(seeds, false).await.unwrap();
    for agent in dcs.iter().flatten().filter(|agent| agent.wan.is_some()) {
        wait("the WAN pool is whole", || agent.seen().all.all().count() == servers).await.unwrap();
    }
}

#[tokio::test]
async fn flood_join_fills_the_wan_pool_with_servers_of_both_datacenters() {
    let dcs = datacenters(&[3, 2]).await;
    link(&dcs, 5).await;
    let wan = dcs[1][1].wan.as_ref().unwrap().members().await.unwrap();
    let mut names: Vec<_> = wan.all().iter().map(|member| member.name()).collect();
    names.sort_unstable();
    let all = ["server-1.dc1", "server-1.dc2", "server-2.dc1", "server-2.dc2", "server-3.dc1"];
    assert_eq!(names, all);
    // Again changes nothing.
    dcs[0][0].flood_all().await;
    assert_eq!(dcs[0][0].seen().all.all().count(), 5);
    let (lan, wan) = (&dcs[0][0].lan, dcs[0][0].wan.as_ref().unwrap());
    assert!(lan.members().await.unwrap().all().iter().all(|m| !m.name().contains("dc2")));
    assert!(lan.stats().await.unwrap().info.encrypted);
    assert!(!wan.stats().await.unwrap().info.encrypted, "pools have nothing in common");
}

#[tokio::test]
async fn tables_by_events_are_those_of_the_lists_of_members() {
    let dcs = datacenters(&[2, 1]).await;
    link(&dcs, 3).await;
    for agent in dcs.iter().flatten() {
        let lan = agent.lan.members().await.unwrap();
        assert_eq!(agent.seen().near, Servers::of_members(lan.all()));
    }
    let failer = &dcs[0][1];
    failer.lan.shutdown().await;
    failer.wan.as_ref().unwrap().shutdown().await;
    let watcher = &dcs[0][0];
    let has_failed = |servers: Servers| servers.all().any(|s| s.status == Status::Failed);
    wait("a failed server is kept, as failed", || {
        has_failed(watcher.seen().near) && has_failed(watcher.seen().all)
    })
    .await
    .unwrap();
    let wan = watcher.wan.as_ref().unwrap().members().await.unwrap();
    assert_eq!(watcher.seen().all, Servers::of_members(wan.all()));
}

/// A real agent, killed when the test ends.
struct Real(Child);

impl Drop for Real {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        self.0.wait().unwrap();
    }
}

/// What `serf` prints with these arguments; `None` without a `serf`, which is told.
fn serf(args: &[&str]) -> Option<String> {
    match Command::new("serf").args(args).output() {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(e) => {
            let required = std::env::var_os("SWIM_REQUIRE_SERF").is_some_and(|value| value == "1");
            assert!(!required, "there is no serf, and SWIM_REQUIRE_SERF is set: {e}");
            println!("skipped: there is no serf: {e}");
            None
        }
    }
}

/// Datacenter and name of every server, where it takes RPCs and how it is.
type Table = BTreeMap<(String, String), (String, String)>;

/// The table that the list of `serf members` gives.
fn table_of(list: &str) -> Table {
    let list: serde_json::Value = serde_json::from_str(list).unwrap_or_default();
    let members = list["members"].as_array().into_iter().flatten();
    let servers = members.filter(|member| member["tags"]["role"] == "consul");
    let row = |member: &serde_json::Value| {
        let tag = |key: &str| member["tags"][key].as_str().unwrap().to_owned();
        let addr: SocketAddr = member["addr"].as_str().unwrap().parse().unwrap();
        let text = |key: &str| member[key].as_str().unwrap().to_owned();
        let rpc = format!("{}:{}", addr.ip(), tag("port"));
        ((tag("dc"), text("name")), (rpc, text("status")))
    };
    servers.map(row).collect()
}

#[tokio::test]
async fn the_table_of_servers_is_that_of_the_list_of_a_real_agent() {
    if serf(&["version"]).is_none() {
        return;
    }
    let dcs = datacenters(&[3]).await;
    let agents = &dcs[0];
    let seed = agents[0].lan.local_addr();
    let IpAddr::V4(ip) = seed.ip() else { unreachable!("bound to 127.0.0.0/8") };
    let [a, b, c, d] = ip.octets();
    let ip = Ipv4Addr::new(a, b, c, d + 7);
    let key = swim_tokio::format_key(&Key::new(&[7; 32]).unwrap());
    let real = Command::new("serf")
        .args(["agent", "-node=client-8", "-tag=role=node", "-tag=dc=dc1", "-protocol=4"])
        .args([format!("-bind={ip}:{LAN_PORT}"), format!("-rpc-addr={ip}:7373")])
        .args([format!("-encrypt={key}"), format!("-join={seed}")])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let _real = Real(real.unwrap());
    let rpc = format!("-rpc-addr={ip}:7373");
    let theirs = || table_of(&serf(&["members", "-format=json", &rpc]).unwrap());
    let ours = |agent: &Agent| -> Table {
        let servers = agent.seen().near;
        let row = |s: &server::Server| {
            let (rpc, status) = (s.rpc.to_string(), s.status.to_string());
            ((s.dc.clone(), s.name.clone()), (rpc, status))
        };
        servers.all().map(row).collect()
    };
    for failed in [0, 1] {
        if failed == 1 {
            agents[2].lan.shutdown().await;
        }
        for agent in agents.iter().filter(|agent| failed == 0 || agent.plan.name != "server-3") {
            wait("both tables are whole, and equal", || {
                let (ours, theirs) = (ours(agent), theirs());
                let down = theirs.values().filter(|(_, status)| status == "failed").count();
                ours.len() == 3 && down == failed && ours == theirs
            })
            .await
            .unwrap();
        }
    }
}

#[tokio::test]
async fn events_stay_in_their_datacenter_and_others_are_ignored() {
    let dcs = datacenters(&[1, 1]).await;
    link(&dcs, 2).await;
    let fired = Fired { id: "x".repeat(36), name: "deploy".into(), payload: b"v1".into() };
    dcs[0][0].fire(&fired).await.unwrap();
    dcs[0][0].tell_leader().await.unwrap();
    dcs[0][0].lan.user_event("other:event:deploy", "", false).await.unwrap();
    dcs[0][0].lan.user_event("consul:event:bad", "no map", false).await.unwrap();
    for agent in &dcs[0] {
        wait("the events come", || agent.seen().leaders == ["server-1"]).await.unwrap();
        wait("and the wrapped one", || agent.seen().fired == [fired.clone()]).await.unwrap();
    }
    assert!(dcs[1].iter().all(|agent| agent.seen().fired.is_empty()));
}

#[tokio::test]
async fn strangers_and_twins_are_refused() {
    let dcs = datacenters(&[1, 1]).await;
    let [dc1, dc2] = &dcs[..] else { unreachable!("two were asked for") };
    let refused = dc2[1].lan.join([dc1[0].lan.local_addr()], false).await.unwrap_err();
    assert!(refused.to_string().contains("is of datacenter"), "{refused}");
    let mut twin = dc1[1].plan.clone();
    twin.name = "twin".into();
    twin.lan_port += 10;
    let twin = Agent::start(twin).await.unwrap();
    let refused = twin.lan.join([dc1[1].lan.local_addr()], false).await.unwrap_err();
    assert!(refused.to_string().contains("has the ID"), "{refused}");
    for pool in [&dc1[0].lan, &dc2[0].lan] {
        assert_eq!(pool.members().await.unwrap().all().len(), 2);
    }
    // Who has another ID knows of no twins. It is the twin that refuses then, on the answer.
    let refused = twin.lan.join([dc1[0].lan.local_addr()], false).await.unwrap_err();
    assert!(refused.to_string().contains("the policy refuses"), "{refused}");
    assert_eq!(twin.lan.members().await.unwrap().all().len(), 1);
    // Nor does the WAN pool take clients.
    let wan = dc1[0].wan.as_ref().unwrap();
    let client = dc1[1].lan.join([wan.local_addr()], false).await;
    assert!(client.is_err());
    assert_eq!(wan.members().await.unwrap().all().len(), 1);
}

#[tokio::test]
async fn the_other_datacenters_have_round_trips_and_the_nearest_is_first() {
    let dcs = datacenters(&[1, 1, 1]).await;
    link(&dcs, 3).await;
    let start = Instant::now();
    loop {
        let nearest = dcs[0][0].nearest().await.unwrap();
        if let [(first, one), (second, other)] = &nearest[..] {
            assert_eq!(BTreeSet::from([&**one, other]), BTreeSet::from(["dc2", "dc3"]));
            assert!(first <= second && *second < Duration::from_secs(1), "{nearest:?}");
            break;
        }
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_client_that_fails_is_forgotten_after_the_time_it_asked_for() {
    let dcs = datacenters(&[1]).await;
    let [server, client] = &dcs[0][..] else { unreachable!("a server and a client") };
    let name = client.lan.name().as_str();
    client.lan.shutdown().await;
    let status = async || server.lan.members().await.unwrap().get(name).map(|m| m.status());
    let start = Instant::now();
    while status().await != Some(Status::Failed) {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The pool's own time is 72 hours.
    wait("it is forgotten", || !server.seen().gone.is_empty()).await.unwrap();
    assert_eq!(status().await, None);
}

#[test]
fn a_wrapped_event_has_consuls_bytes() {
    let id = "01234567-89ab-cdef-0123-456789abcdef";
    let fired = Fired { id: id.into(), name: "deploy".into(), payload: b"v1".into() };
    let head = [b"\x84\xa2ID\xda\x00\x24", id.as_bytes()].concat();
    let bytes = [&head[..], b"\xa1n\xa6deploy\xa1p\xa2v1\xa1v\x01"].concat();
    assert_eq!(fired.encode(), bytes);
    assert_eq!(Fired::decode(&bytes), Some(fired.clone()));
    // As newer agents write the same.
    let head = [b"\x84\xa2ID\xd9\x24", id.as_bytes()].concat();
    let newer = [&head[..], b"\xa1n\xa6deploy\xa1p\xc4\x02v1\xa1v\x01"].concat();
    assert_eq!(Fired::decode(&newer), Some(fired));
    assert_eq!(Fired::decode(b"\x80"), None);
    assert_eq!(Fired::decode(b"no map"), None);
}
