//! What the agent counts and logs of its work, beside what a real agent does of the same.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::time::Instant;

use crate::cli::{run, with_rpc};
use crate::ours::Swim;
use crate::serf::{self, Net, SOON, Serf};
use crate::statsd::Statsd;

const KEY: &str = "cg8StVXbQJ0gPvMd9o7yrg==";

/// Figures that are the times of Go's functions and of its runtime.
const GOS_OWN: [&str; 6] = [
    "runtime.",
    "vm.",
    "memberlist.gossip",
    "memberlist.probeNode",
    "memberlist.pushPullNode",
    "serf.snapshot.",
];

/// Has an agent do a little of everything.
fn ask(rpc: SocketAddr) {
    let rpc = rpc.to_string();
    for (args, code) in [
        (&["event", "deploy", "v1"][..], 0),
        (&["event", "big", &"x".repeat(600)], 1),
        (&["query", "-relay-factor=1", "-timeout=2s", "load", "5"], 0),
        (&["query", "-node=two", "-timeout=100ms", "other"], 0),
        (&["query", "big", &"x".repeat(1000)], 1),
        (&["reachability"], 0),
        (&["keys", "-list"], 0),
        (&["keys", "-remove", KEY], 1),
        (&["tags", "-set", "a=1"], 0),
        (&["join", "127.0.0.1:1"], 1),
        (&["force-leave", "nope"], 0),
    ] {
        assert_eq!(run("serf", &with_rpc(args, &rpc), &[]).status.code(), Some(code), "{args:?}");
    }
}

/// Each has a second member with these flags, does a little of everything, and sees it fail.
async fn live_a_little(net: &Net, theirs: &Serf, ours: &Swim, flags: &[&str]) {
    let mut seconds = [1, 2].map(|n| {
        let join = format!("-join={}", net.addr(n));
        Serf::start("two", net.addr(n + 2), &[&[&*join], flags].concat())
    });
    theirs.wait_status("two", "alive", SOON).await;
    ours.wait_event("member-join", "two", SOON).await;
    ask(theirs.rpc());
    ask(ours.rpc());
    seconds.iter_mut().for_each(Serf::kill);
    theirs.wait_status("two", "failed", SOON).await;
    ours.wait_event("member-failed", "two", SOON).await;
}

/// Names and kinds of the figures that have come, without those of Go's own.
fn figures(statsd: &Statsd) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for line in statsd.lines() {
        let (name, value) = line.strip_prefix("serf-agent.").unwrap().split_once(':').unwrap();
        if !GOS_OWN.iter().any(|own| name.starts_with(own)) {
            found.insert(format!("{name}|{}", value.split_once('|').unwrap().1));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn whatever_theirs_counts_ours_counts_under_the_same_name_and_kind() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let statsd = [(); 2].map(|()| Statsd::start());
    let configs = statsd.each_ref().map(|statsd| {
        let addr = statsd.addr();
        let path = std::env::temp_dir().join(format!("swim-figures-{}.json", addr.port()));
        fs::write(&path, format!("{{\"statsd_addr\": \"{addr}\"}}")).unwrap();
        path
    });
    let flags = configs.each_ref().map(|path| format!("-config-file={}", path.display()));
    let (encrypt, script) = (format!("-encrypt={KEY}"), "-event-handler=query:load=echo hi");
    let theirs = Serf::start("one", net.addr(1), &[&flags[0], &encrypt, script]);
    let ours = Swim::start_with_rpc("one", net.addr(2), &[&flags[1], &encrypt, script]);
    configs.iter().for_each(|path| fs::remove_file(path).unwrap());
    live_a_little(&net, &theirs, &ours, &[&encrypt, script]).await;
    // Those of newer agents only.
    let newer = [
        "memberlist.health.score|g",
        "memberlist.node.instances.alive|g",
        "memberlist.node.instances.dead|g",
        "memberlist.node.instances.left|g",
        "memberlist.node.instances.suspect|g",
        "memberlist.queue.broadcasts|ms",
        "memberlist.size.local|g",
        "memberlist.size.remote|ms",
    ];
    let start = Instant::now();
    let theirs = loop {
        let [theirs, ours] = statsd.each_ref().map(figures);
        let lacks: Vec<_> = theirs.difference(&ours).map(String::as_str).collect();
        let older: Vec<_> = newer.iter().filter(|name| !ours.contains(**name)).collect();
        if lacks.is_empty() && older.is_empty() && theirs.contains("serf.member.failed|c") {
            break theirs;
        }
        assert!(start.elapsed() < SOON, "ours lacks {lacks:?} and {older:?} of {theirs:?}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    for name in ["query_duplicate_acks|c", "query_duplicate_responses|c", "msgs.sent|ms"] {
        assert!(theirs.contains(&format!("serf.{name}")), "{name} is not among {theirs:?}");
    }
    for name in ["_serf_ping", "_serf_list-keys", "_serf_remove-key", "load", "other"] {
        assert!(theirs.contains(&format!("serf.queries.{name}|c")), "{name}: {theirs:?}");
    }
    assert!(theirs.contains("agent.invoke.echo_hi|ms"), "{theirs:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_clients_ask_and_what_came_of_it_is_logged_as_theirs_logs_it() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let flags = ["-log-level=debug", &format!("-encrypt={KEY}")];
    let theirs = Serf::start("one", net.addr(1), &flags);
    let ours = Swim::start_with_rpc("one", net.addr(2), &flags);
    live_a_little(&net, &theirs, &ours, &flags[1..]).await;
    let leave = |rpc: SocketAddr| run("serf", &["leave", "-rpc-addr", &rpc.to_string()], &[]);
    assert!(leave(theirs.rpc()).status.success() && leave(ours.rpc()).status.success());
    for line in [
        "[INFO] agent.ipc: Accepted client: ",
        "[DEBUG] agent: Requesting user event send: deploy. Coalesced: true. Payload: \"v1\"",
        "[DEBUG] agent: Requesting user event send: big. Coalesced: true. Payload: \"xxx",
        "[WARN] agent: failed to send user event: \
         user event exceeds configured limit of 512 bytes before encoding",
        "[DEBUG] agent: Requesting query send: load. Payload: \"5\"",
        "[WARN] agent: failed to start user query: query exceeds limit of 1024 bytes",
        "[DEBUG] agent: Requesting query send: _serf_ping. Payload: \"\"",
        "[INFO] agent: Initiating key listing",
        "[INFO] serf: Received list-keys query",
        "[INFO] agent: Initiating key removal",
        "[INFO] serf: Received remove-key query",
        "[ERR] serf: Failed to remove key: ",
        "[INFO] agent: joining: [127.0.0.1:1] replay: false",
        "[WARN] agent: error joining: 1 error occurred:",
        "[INFO] agent: Force leaving node: nope",
        "[INFO] memberlist: Suspect two has failed, no acks received",
        "[INFO] agent.ipc: Graceful leave triggered",
        "[INFO] agent: requesting graceful leave from Serf",
    ] {
        theirs.wait_log(line, SOON).await;
        ours.wait_line(&[line], SOON).await;
    }
    // What theirs says nothing of.
    for line in [
        "[INFO] agent: Changing tags: set: [a=1] delete: []",
        "[INFO] agent: keys: 2/2 nodes responded",
        "[WARN] agent: keys: 2/2 nodes reported failure (2/2 nodes responded, 2 with an error)",
    ] {
        ours.wait_line(&[line], SOON).await;
    }
    assert!(!ours.lines().contains(KEY), "a key is for no log");
}
