//! How an agent starts, changes while it runs, and ends.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::cli::{SWIM, run, with_rpc};
use crate::ours::Swim;
use crate::serf::{self, Net, SOON, Serf};

fn members(rpc: SocketAddr, args: &[&str]) -> String {
    let args = [&["members"], args].concat();
    let output = run("serf", &with_rpc(&args, &rpc.to_string()), &[]);
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_join_is_tried_until_somebody_is_there() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let seed = net.addr(1).to_string();
    let retry = ["-retry-join", &seed, "-retry-interval=1s"];
    let ours = Swim::start_with_rpc("ours", net.addr(2), &retry);
    ours.wait_line(&["[WARN] agent: Join failed", "retrying in 1s"], SOON).await;
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    theirs.wait_status("ours", "alive", SOON).await;
}

#[tokio::test]
async fn a_join_is_tried_again_as_often_as_with_serf() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let nobody = net.addr(9).to_string();
    let flags = |max| ["-retry-join", &nobody, "-retry-interval=1s", max].map(str::to_owned);
    let attempts = |log: &str| log.matches("joining: [").count();
    // Without an end: both still try when the others have long given up.
    let forever = flags("-retry-max=0");
    let forever: Vec<_> = forever.iter().map(String::as_str).collect();
    let theirs_forever = Serf::start("forever", net.addr(1), &forever);
    let ours_forever = Swim::start_with_rpc("forever", net.addr(2), &forever);
    for (n, max, tried) in [(3, "-retry-max=1", 2), (5, "-retry-max=2", 3)] {
        let limited = flags(max);
        let limited: Vec<_> = limited.iter().map(String::as_str).collect();
        let mut theirs = Serf::launch("limited", net.addr(n), &limited);
        let mut ours = Swim::start("limited", net.addr(n + 1), &limited);
        assert_eq!((theirs.exit(SOON).await, ours.exit(SOON).await), (Some(1), Some(1)), "{max}");
        let says = "maximum retry join attempts made, exiting";
        theirs.wait_log(says, SOON).await;
        ours.wait_line(&[says], SOON).await;
        for log in [theirs.log(), ours.lines()] {
            assert_eq!(attempts(&log), tried, "{max}: {log}");
        }
    }
    let start = std::time::Instant::now();
    while attempts(&theirs_forever.log()).min(attempts(&ours_forever.lines())) < 5 {
        assert!(start.elapsed() < SOON, "{}", ours_forever.lines());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_reload_changes_handlers_tags_and_the_level_of_the_log() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let path = std::env::temp_dir().join(format!("swim-reload-{}.json", std::process::id()));
    let write = |level: &str, tag: &str, answer: &str| {
        let text = format!(
            "{{\"log_level\": \"{level}\", \"tags\": {{\"version\": \"{tag}\"}}, \
             \"event_handlers\": [\"query:load=echo {answer}\"]}}"
        );
        fs::write(&path, text).unwrap();
    };
    write("info", "1", "one");
    let config = format!("-config-file={}", path.display());
    let ours = Swim::start_with_rpc("ours", net.addr(1), &[&config]);
    let answer = || {
        let rpc = ours.rpc().to_string();
        let query = ["query", "-timeout=500ms", "load"];
        String::from_utf8(run("serf", &with_rpc(&query, &rpc), &[]).stdout).unwrap()
    };
    assert!(answer().contains("Response from 'ours': one"));
    assert!(members(ours.rpc(), &[]).contains("version=1"));
    assert!(!ours.lines().contains("[DEBUG]"));

    write("debug", "2", "two");
    ours.signal(Signal::SIGHUP);
    ours.wait_event("member-update", "ours", SOON).await;
    assert!(members(ours.rpc(), &[]).contains("version=2"));
    assert!(answer().contains("Response from 'ours': two"));
    ours.wait_line(&["[DEBUG] serf: messageQueryType: load"], SOON).await;

    // What is wrong changes nothing.
    fs::write(&path, "{\"bogus\": 1}").unwrap();
    ours.signal(Signal::SIGHUP);
    ours.wait_line(&["[ERR]", "Failed to reload configs", "invalid keys: bogus"], SOON).await;
    assert!(answer().contains("Response from 'ours': two"));
    fs::remove_file(&path).unwrap();
}

#[tokio::test]
async fn the_files_of_a_directory_configure_either_agent_alike() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let dir = std::env::temp_dir().join(format!("swim-conf-d-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    for (name, text) in [
        ("10-first.json", r#"{"node_name": "first", "tags": {"a": "1", "b": "1"}, "role": "x"}"#),
        ("20-second.json", r#"{"node_name": "second", "tags": {"b": "2"}, "role": "web"}"#),
        ("30-ignored.txt", r#"{"node_name": "third"}"#),
    ] {
        fs::write(dir.join(name), text).unwrap();
    }
    let config = format!("-config-dir={}", dir.display());
    // The name of the flag goes before that of the files.
    let theirs = Serf::start("one", net.addr(1), &[&config, "-tag=c=3"]);
    let ours = Swim::start_with_rpc("one", net.addr(2), &[&config, "-tag=c=3"]);
    let only = ["-tag=a=1", "-tag=b=2", "-tag=c=3", "-tag=role=web", "-name=one"];
    for rpc in [theirs.rpc(), ours.rpc()] {
        assert!(members(rpc, &only).starts_with("one "), "{}", members(rpc, &[]));
    }
    fs::write(dir.join("40-wrong.json"), r#"{"bogus": 1}"#).unwrap();
    let mut theirs = Serf::launch("two", net.addr(3), &[&config]);
    let mut ours = Swim::start("two", net.addr(4), &[&config]);
    assert_eq!(theirs.exit(SOON).await, Some(1));
    assert_eq!(ours.exit(SOON).await, Some(1));
    for says in [theirs.log(), ours.lines()] {
        assert!(says.contains("'' has invalid keys: bogus"), "{says}");
    }
    fs::remove_dir_all(&dir).unwrap();
}

#[tokio::test]
async fn whoever_takes_the_name_of_another_ends() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let one = Serf::start("one", net.addr(1), &[]);
    let join = format!("-join={}", one.addr());
    let two = Serf::start("two", net.addr(2), &[&join]);
    let _three = Serf::start("three", net.addr(3), &[&join]);
    for name in ["two", "three"] {
        one.wait_status(name, "alive", SOON).await;
    }
    let mut ours = Swim::start("two", net.addr(4), &[&join]);
    assert_eq!(ours.exit(SOON).await, Some(1));
    let lines = ours.lines();
    assert!(lines.contains("[ERR] serf: minority in name conflict resolution"), "{lines}");
    assert_eq!(one.status_of("two").as_deref(), Some("alive"));
    assert_eq!(two.status_of("two").as_deref(), Some("alive"));
}

#[tokio::test]
async fn others_are_told_the_address_to_advertise() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let join = format!("-join={}", theirs.addr());
    let told = SocketAddr::new(net.addr(2).ip(), 17999).to_string();
    let flags = ["-iface=lo", "-advertise", &told, &join];
    // The loopback interface has 127.0.0.1 only, of which all the others are neighbours.
    let bind = SocketAddr::new([127, 0, 0, 1].into(), 0);
    let _ours = Swim::start("ours", bind, &[&flags[..], &["-rpc-addr=127.0.0.1:0"]].concat());
    theirs.wait_status("ours", "alive", SOON).await;
    let member = theirs.members().into_iter().find(|member| member["name"] == "ours").unwrap();
    assert_eq!(member["addr"], told);
    let elsewhere = Swim::start("else", net.addr(4), &["-iface=lo"]).exit(SOON).await;
    assert_eq!(elsewhere, Some(1), "127.x is no address of the interface");
}

#[tokio::test]
async fn figures_are_pushed_under_the_names_of_serf() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let path = std::env::temp_dir().join(format!("swim-statsd-{}.json", std::process::id()));
    let config = format!("-config-file={}", path.display());
    let statsd = [(); 2].map(|()| std::net::UdpSocket::bind("127.0.0.1:0").unwrap());
    let write = |statsd: &std::net::UdpSocket| {
        let addr = statsd.local_addr().unwrap();
        fs::write(&path, format!("{{\"statsd_addr\": \"{addr}\"}}")).unwrap();
    };
    write(&statsd[0]);
    let theirs = Serf::start("one", net.addr(1), &[&config]);
    write(&statsd[1]);
    let ours = Swim::start_with_rpc("one", net.addr(2), &[&config]);
    fs::remove_file(&path).unwrap();
    for rpc in [theirs.rpc(), ours.rpc()] {
        for args in [&["event", "deploy"][..], &["query", "-timeout=100ms", "load"]] {
            assert!(run("serf", &with_rpc(args, &rpc.to_string()), &[]).status.success());
        }
    }
    let [theirs, ours] = statsd.each_ref().map(lines_about_events);
    assert_eq!(ours, theirs);
}

/// The lines about the node's own join, an event, a query and the ack of the node itself; of what
/// else it counts, the names.
fn lines_about_events(statsd: &std::net::UdpSocket) -> BTreeSet<String> {
    let lines = [
        "serf.member.join",
        "serf.events",
        "serf.events.deploy",
        "serf.queries",
        "serf.queries.load",
        "serf.query_acks",
    ];
    // Ours adds up what happens within a second.
    let names = ["agent.ipc.accept", "agent.ipc.command"];
    statsd.set_read_timeout(Some(SOON)).unwrap();
    let (mut found, mut buffer) = (BTreeSet::new(), [0; 4096]);
    while found.len() < lines.len() + names.len() {
        let len = statsd.recv(&mut buffer).unwrap_or_else(|e| panic!("{e}: only {found:?}"));
        for line in String::from_utf8_lossy(&buffer[..len]).lines() {
            let Some((name, _)) = line.strip_prefix("serf-agent.").unwrap().split_once(':') else {
                panic!("{line}");
            };
            if lines.contains(&name) {
                found.insert(line.to_owned());
            } else if names.contains(&name) {
                found.insert(name.to_owned());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_agent_that_wants_valid_names_takes_no_others_in() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let path = std::env::temp_dir().join(format!("swim-names-{}.json", std::process::id()));
    fs::write(&path, r#"{"validate_node_names": true}"#).unwrap();
    let config = format!("-config-file={}", path.display());
    let ours = Swim::start_with_rpc("ours.a-1", net.addr(1), &[&config]);
    fs::remove_file(&path).unwrap();
    let join = |serf: &Serf| {
        let args = ["join", &ours.addr().to_string()];
        run("serf", &with_rpc(&args, &serf.rpc().to_string()), &[]).status.code()
    };
    let bad = Serf::start("not_valid", net.addr(2), &[]);
    assert_eq!(join(&bad), Some(1));
    let good = Serf::start("valid", net.addr(3), &[]);
    assert_eq!(join(&good), Some(0));
    ours.wait_event("member-join", "valid", SOON).await;
    // Nor does it hear of it by another.
    bad.command(&["join", &good.addr().to_string()]);
    good.wait_status("not_valid", "alive", SOON).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(!ours.lines().contains("not_valid\",\"port"), "{}", ours.lines());
    let members = run(SWIM, &with_rpc(&["members"], &ours.rpc().to_string()), &[]);
    let members = String::from_utf8(members.stdout).unwrap();
    assert!(members.contains("valid") && !members.contains("not_valid"), "{members}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_agent_tells_who_accused_whom() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let join = format!("-join={}", theirs.addr());
    let mut killed = Serf::start("killed", net.addr(2), &[&join]);
    let ours = Swim::start_with_rpc("ours", net.addr(3), &[&join]);
    for name in ["theirs", "killed"] {
        ours.wait_event("member-join", name, SOON).await;
    }
    let why = |name: &str, rpc: SocketAddr| {
        let output = run(SWIM, &with_rpc(&["why", name], &rpc.to_string()), &[]);
        (String::from_utf8(output.stdout).unwrap(), output.status.code())
    };
    let quiet = "killed is alive\nNobody has accused it, as far as the agent remembers\n";
    assert_eq!(why("killed", ours.rpc()), (quiet.into(), Some(0)));
    killed.kill();
    ours.wait_event("member-failed", "killed", SOON).await;
    let (text, code) = why("killed", ours.rpc());
    assert_eq!((text.lines().next(), code), (Some("killed is failed"), Some(0)));
    let said: Vec<_> = text.lines().skip(1).filter_map(|line| line.split_once("  ")).collect();
    let first = said.first().unwrap().1;
    assert!(first.starts_with("suspected: "), "{text}");
    let last = said.last().unwrap().1;
    assert!(last.starts_with("failed: by the word of "), "{text}");
    assert_eq!(why("nobody", ours.rpc()), ("No member is named \"nobody\"\n".into(), Some(1)));
    // Serf's agents do not know the command.
    let refused = "Error asking why: Unsupported command\n";
    assert_eq!(why("killed", theirs.rpc()), (refused.into(), Some(1)));
}
