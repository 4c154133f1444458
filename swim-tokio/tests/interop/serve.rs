//! The real `serf` command against agents of ours.

use std::process::{Command, Output};
use std::sync::Arc;

use swim_tokio::rpc::{Feed, LogTap, Server, ServerConfig};
use swim_tokio::serf::{SerfAgent, SerfBackend, SerfHandle};
use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::serf::{SerfConfig, Tags};

use crate::serf::{self, Net, SOON, Serf};

/// An agent of ours that the command can speak to.
struct Ours {
    handle: SerfHandle,
    backend: SerfBackend,
    server: Server,
}

impl Ours {
    async fn start(net: &Net, n: u8) -> Self {
        let swim = Config::local().build().unwrap();
        let config = SerfConfig::builder(swim).build().unwrap();
        let (handle, events) = SerfAgent::builder(config)
            .name("ours")
            .tags(Tags::new([("role", "web")]).unwrap())
            .bind(net.addr(n))
            .spawn()
            .await
            .unwrap();
        let backend = SerfBackend::new(handle.clone());
        let feed = Feed::new();
        let feeding = (backend.clone(), feed.clone());
        tokio::spawn(async move { feeding.0.feed(events, feeding.1, |_| {}).await });
        let addr = "127.0.0.1:0".parse().unwrap();
        let config = ServerConfig::new();
        let agent = Arc::new(backend.clone());
        let server = Server::bind(addr, agent, feed, LogTap::new(), config).await.unwrap();
        Self { handle, backend, server }
    }

    /// Standard output and exit code of a command of `serf`.
    async fn serf(&self, args: &[&str]) -> (String, Option<i32>) {
        let rpc = format!("-rpc-addr={}", self.server.local_addr());
        let mut command = Command::new("serf");
        command.arg(args[0]).arg(rpc).args(&args[1..]);
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        let Output { stdout, status, .. } = run.await.unwrap();
        (String::from_utf8(stdout).unwrap(), status.code())
    }
}

#[tokio::test]
async fn the_serf_command_speaks_to_our_agent() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let ours = Ours::start(&net, 1).await;
    let theirs = Serf::start("theirs", net.addr(2), &["-tag=role=db"]);
    let seed = theirs.addr().to_string();
    let joined = "Successfully joined cluster by contacting 1 nodes.\n";
    assert_eq!(ours.serf(&["join", &seed]).await, (joined.into(), Some(0)));
    theirs.wait_status("ours", "alive", SOON).await;

    let (text, code) = ours.serf(&["members", "-name=ours"]).await;
    assert_eq!((text, code), (format!("ours  {}  alive  role=web\n", net.addr(1)), Some(0)));
    let (text, _) = ours.serf(&["members", "-detailed", "-tag", "role=d.*"]).await;
    assert!(text.starts_with(&format!("theirs  {seed}  alive  role=db  Protocol")), "{text}");

    let changed = ("Successfully updated agent tags\n".into(), Some(0));
    assert_eq!(ours.serf(&["tags", "-set", "a=1", "-delete", "role"]).await, changed);
    let (text, _) = ours.serf(&["members", "-name=ours"]).await;
    assert!(text.ends_with("alive  a=1\n"), "{text}");

    let sent = "Event 'deploy' dispatched! Coalescing enabled: true\n";
    assert_eq!(ours.serf(&["event", "deploy", "v1"]).await, (sent.into(), Some(0)));
    theirs.wait_log("messageUserEventType: deploy", SOON).await;

    let (text, code) = ours.serf(&["query", "-timeout=1s", "load"]).await;
    for line in ["Ack from 'ours'", "Ack from 'theirs'", "Total Acks: 2", "Total Responses: 0"] {
        assert!(text.lines().any(|found| found == line), "{text}");
    }
    assert_eq!(code, Some(0));
    let (text, code) = ours.serf(&["reachability"]).await;
    assert!(text.ends_with("Successfully contacted all live nodes\n"), "{text}");
    assert_eq!(code, Some(0));

    let (text, _) = ours.serf(&["info"]).await;
    for line in ["\tname = ours", "\tmembers = 2", "\tencrypted = false", "\ta = 1"] {
        assert!(text.lines().any(|found| found == line), "{text}");
    }
    let (text, code) = ours.serf(&["keys", "-list"]).await;
    assert!(text.ends_with("Failed to gather member keys: 2/2 nodes reported failure\n"), "{text}");
    assert_eq!(code, Some(1));
    assert_eq!(ours.serf(&["force-leave", "nobody"]).await, (String::new(), Some(0)));

    let left = ("Graceful leave complete\n".to_owned(), Some(0));
    let (told, ()) = tokio::join!(ours.serf(&["leave"]), ours.backend.stopped());
    assert_eq!(told, left);
    theirs.wait_status("ours", "left", SOON).await;
    ours.handle.shutdown().await;
}
