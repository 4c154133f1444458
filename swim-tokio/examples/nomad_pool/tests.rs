//! What the example shows, as tests.

use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::peer::{Peer, Peers};

/// Addresses that no other test has.
struct Net(u8);

impl Net {
    fn new() -> Self {
        static NEXT: AtomicU8 = AtomicU8::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    fn addr(&self, n: u8) -> SocketAddr {
        let second = 180 + (std::process::id() % 70) as u8;
        SocketAddr::from((Ipv4Addr::new(127, second, self.0, n), PORT))
    }

    /// A server of the region `global` that has joined the first one, if it is not that.
    async fn server(&self, n: u8, node: &'static str, expect: u32) -> Server {
        self.server_of("global", n, node, expect).await
    }

    async fn server_of(
        &self,
        region: &'static str,
        n: u8,
        node: &'static str,
        expect: u32,
    ) -> Server {
        let plan = Plan { node, region, expect, addr: self.addr(n) };
        let server = Server::start(plan).await.unwrap();
        if n > 1 {
            server.join(self.addr(1)).await.unwrap();
        }
        server
    }
}

#[tokio::test]
async fn three_that_expect_three_begin_once_and_later_ones_do_not_begin_again() {
    let net = Net::new();
    let mut servers = vec![net.server(1, "a", 3).await, net.server(2, "b", 3).await];
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(servers.iter().all(|server| server.state().raft.is_none()), "two are too few");
    servers.push(net.server(3, "c", 3).await);
    wait("it begins", || servers.iter().all(|s| s.state().raft.is_some())).await.unwrap();
    let peers = ["a.global", "b.global", "c.global"].map(String::from);
    assert!(servers.iter().all(|server| server.state().raft.as_deref() == Some(&peers)));
    // The first by name is the one to begin, but others know of a Raft.
    let late = net.server(4, "Late", 3).await;
    let knows = |server: &Server| server.state().peers.of_region("global").count();
    wait("it knows the others", || knows(&late) == 4).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(late.state().raft.is_none());
    let odd = net.server(5, "Odd", 5).await;
    wait("it sees the conflict", || !odd.state().conflicts.is_empty()).await.unwrap();
    assert!(odd.state().conflicts[0].ends_with("expects 3, not 5"), "{:?}", odd.state());
    servers.extend([late, odd]);
    assert_eq!(servers.iter().map(|server| server.state().bootstraps).sum::<u32>(), 1);
    assert!(servers[4].state().raft.is_none());
}

#[tokio::test]
async fn requests_find_a_server_of_the_region_that_is_up() {
    let net = Net::new();
    let here = net.server(1, "a", 3).await;
    let there =
        [net.server_of("europe", 2, "x", 3).await, net.server_of("europe", 3, "y", 3).await];
    let europe = |peers: &Peers| peers.of_region("europe").count();
    wait("both are known", || europe(&here.state().peers) == 2).await.unwrap();
    let peers = here.state().peers;
    let drawn = [0, 1, 2].map(|draw| peers.route("europe", draw).unwrap().name.clone());
    assert_eq!(drawn, ["x.europe", "y.europe", "x.europe"]);
    let rpc = SocketAddr::new(net.addr(2).ip(), 4647);
    assert_eq!(peers.by_rpc("europe", rpc).map(|peer| &peer.name[..]), Some("x.europe"));
    assert_eq!(peers.route("asia", 0), Err("No path to region"));
    there[0].serf.shutdown().await;
    let up = |peers: &Peers| peers.route("europe", 0).map(|peer| peer.name.clone());
    wait("the failed one gets nothing", || up(&here.state().peers).as_deref() == Ok("y.europe"))
        .await
        .unwrap();
    assert_eq!(europe(&here.state().peers), 2, "it is still in the table of all");
    there[1].leave().await.unwrap();
    wait("nobody is left", || up(&here.state().peers).is_err()).await.unwrap();
}

#[tokio::test]
async fn only_servers_get_in() {
    let net = Net::new();
    let _first = net.server(1, "a", 3).await;
    let config = SerfConfig::builder(Config::lan().build().unwrap()).build().unwrap();
    let stranger = SerfAgent::builder(config).name("stranger").bind(net.addr(2));
    let (stranger, _events) = stranger.spawn().await.unwrap();
    let refused = stranger.join([net.addr(1)], false).await.unwrap_err();
    assert!(refused.to_string().contains("stranger is no Nomad server"), "{refused}");
}

fn peer(name: &str, expect: u32) -> Peer {
    Peer {
        name: name.into(),
        region: "global".into(),
        dc: "dc1".into(),
        expect,
        bootstraps: false,
        votes: true,
        rpc: SocketAddr::from(([127, 0, 0, 1], 4647)),
        status: Status::Alive,
    }
}

#[test]
fn voters_that_expect_the_same_make_a_region_complete() {
    let verdict = |peers: &[Peer]| Verdict::of(3, peers);
    let mut peers = vec![peer("a", 3), peer("b", 3), peer("c", 3)];
    assert_eq!(verdict(&peers[..2]), Verdict::Waits { voters: 2, expect: 3 });
    assert!(matches!(verdict(&peers), Verdict::Complete(names) if names.len() == 3));
    peers[1].votes = false;
    assert_eq!(verdict(&peers), Verdict::Waits { voters: 2, expect: 3 });
    peers.push(peer("d", 0));
    assert!(matches!(verdict(&peers), Verdict::Complete(names) if names == ["a", "c", "d"]));
    peers[0].bootstraps = true;
    assert!(matches!(verdict(&peers), Verdict::Conflict(_)));
    peers[0] = peer("a", 5);
    assert_eq!(verdict(&peers), Verdict::Conflict("a expects 5, not 3".into()));
}
