//! Our command line and Serf's, side by side, against the same real agents.

use std::process::{Command, Output};
use std::time::Duration;

use crate::serf::{self, Net, SOON, Serf};

/// What of the output must be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Same {
    /// All of it, in this order.
    Text,
    /// All lines, in any order: Go's maps have none.
    Lines,
    /// The same with all digits alike: counters and times go on between the two runs.
    Shape,
    /// What stands before each ` = `, or each `:` of JSON: the values are each agent's own.
    Keys,
    /// The first line: what follows is each program's own help.
    FirstLine,
    /// The exit code only.
    Code,
}

#[tokio::test]
async fn commands_print_and_end_alike() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let one = Serf::start("one", net.addr(1), &["-tag=role=web"]);
    let two = Serf::start("two", net.addr(2), &["-tag=role=db"]);
    one.command(&["join", &two.addr().to_string()]);
    for (agent, name) in [(&one, "two"), (&two, "one")] {
        agent.wait_status(name, "alive", SOON).await;
    }
    wait_coordinates(&one).await;
    let seed = two.addr().to_string();
    let big = "x".repeat(600);
    let (big_tag, huge) = (format!("a={big}"), "x".repeat(1000));
    for (args, same) in [
        (&["members"][..], Same::Lines),
        (&["members", "-detailed"], Same::Lines),
        (&["members", "-format", "json", "-name=one"], Same::Text),
        (&["members", "-status=failed"], Same::Text),
        (&["members", "-status=failed", "-format=json"], Same::Text),
        (&["members", "-status=ali"], Same::Text),
        (&["members", "-tag", "role=w.*"], Same::Text),
        (&["members", "-role=web"], Same::Text),
        (&["members", "-name=("], Same::Text),
        (&["members", "-format=xml"], Same::Text),
        (&["members", "-tag", "x"], Same::Text),
        (&["members", "-bogus"], Same::Code),
        (&["members", "-name"], Same::Code),
        (&["event", "deploy", "v1"], Same::Text),
        (&["event", "-coalesce=false", "deploy", "-v1"], Same::Text),
        (&["event", "-coalesce=maybe", "deploy"], Same::Code),
        (&["event"], Same::FirstLine),
        (&["event", "a", "b", "c"], Same::FirstLine),
        (&["event", "deploy", &big], Same::Text),
        (&["query", "-timeout=300ms", "load", "x"], Same::Lines),
        (&["query", "-timeout=300ms", "-no-ack", "load"], Same::Text),
        (&["query", "-timeout=300ms", "-node=two", "load"], Same::Text),
        (&["query", "-timeout=300ms", "-tag", "role=^w", "-format=json", "load"], Same::Text),
        (&["query", "-timeout=300ms", "-relay-factor=1", "load"], Same::Lines),
        (&["query", "-relay-factor=300", "load"], Same::Text),
        (&["query", "-timeout=soon", "load"], Same::Code),
        (&["query", "-format=xml", "load"], Same::Text),
        (&["query", "_serf_foo"], Same::Text),
        (&["query", "load", &huge], Same::Text),
        (&["query"], Same::FirstLine),
        (&["info"], Same::Shape),
        (&["info", "-format=json"], Same::Shape),
        (&["info", "-format=xml"], Same::Text),
        (&["join", &seed], Same::Text),
        (&["join", "-replay", &seed, "127.0.0.1:1"], Same::Text),
        (&["join", "127.0.0.1:1"], Same::Text),
        (&["join"], Same::FirstLine),
        (&["tags", "-set", "a=1", "-set", "b=2"], Same::Text),
        (&["tags", "-delete=a", "-delete", "b"], Same::Text),
        (&["tags", "-set", "a"], Same::Text),
        (&["tags", "-set", &big_tag], Same::Text),
        (&["tags"], Same::Code),
        (&["keys", "-list"], Same::Lines),
        (&["keys", "-install=***"], Same::Text),
        (&["keys", "-list", "-use=x"], Same::Text),
        (&["keys"], Same::Code),
        (&["reachability"], Same::Text),
        (&["rtt", "one", "two"], Same::Shape),
        (&["rtt", "two"], Same::Shape),
        (&["rtt", "one", "nobody"], Same::Text),
        (&["rtt"], Same::FirstLine),
        (&["force-leave", "nobody"], Same::Text),
        (&["force-leave"], Same::FirstLine),
        (&["monitor", "-log-level=loud"], Same::Text),
        (&["fly"], Same::Code),
    ] {
        compare(&with_rpc(args, &one.rpc().to_string()), same, &[]);
    }
}

#[tokio::test]
async fn keys_tokens_and_unreachable_agents_are_told_alike() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let path = std::env::temp_dir().join(format!("swim-cli-{}.json", std::process::id()));
    std::fs::write(&path, r#"{"rpc_auth": "s3cret"}"#).unwrap();
    let config = format!("-config-file={}", path.display());
    let key = "vb+0fFWl82XyjaWdhU62dbrILQmWj2TAKlmT/a6R6xc=";
    let agent = Serf::start("one", net.addr(1), &["-encrypt", key, &config]);
    std::fs::remove_file(&path).unwrap();
    let rpc = agent.rpc().to_string();
    let env = [("SERF_RPC_ADDR", &*rpc), ("SERF_RPC_AUTH", "s3cret")];
    for args in [
        &["keys", "-list"][..],
        &["keys", "-install=QHOYjmYlxSCBhdfiolhtDQ=="],
        &["keys", "-use=QHOYjmYlxSCBhdfiolhtDQ=="],
        &["keys", "-remove=QHOYjmYlxSCBhdfiolhtDQ=="],
        &["keys", "-use=CQkJCQkJCQkJCQkJCQkJCQ=="],
        &["keys", "-install=c2hvcnQ="],
        &["members"],
    ] {
        compare(args, Same::Lines, &env);
    }
    for args in [&["members", "-rpc-auth=wrong"][..], &["members"], &["leave"]] {
        compare(&with_rpc(args, &rpc), Same::Text, &[]);
    }
    let nobody = net.addr(2).to_string();
    for addr in [&*nobody, "nowhere"] {
        compare(&with_rpc(&["members"], addr), Same::Text, &[]);
    }
    // The second finds nobody any more: so each has an agent of its own.
    let left = [net.addr(3), net.addr(4)].map(|addr| Serf::start("leaves", addr, &[]));
    let theirs = run("serf", &["leave", "-rpc-addr", &left[0].rpc().to_string()], &[]);
    let ours = run(SWIM, &["leave", "-rpc-addr", &left[1].rpc().to_string()], &[]);
    assert_eq!((ours.stdout, ours.status.code()), (theirs.stdout, theirs.status.code()));
}

pub(crate) fn with_rpc<'a>(args: &[&'a str], rpc: &'a str) -> Vec<&'a str> {
    let flag = ["-rpc-addr", rpc];
    [&args[..1], &flag, &args[1..]].concat()
}

fn compare(args: &[&str], same: Same, env: &[(&str, &str)]) {
    let (theirs, ours) = (run("serf", args, env), run(SWIM, args, env));
    assert_eq!(ours.status.code(), theirs.status.code(), "{args:?}");
    let texts = [theirs, ours].map(|output| settled(&output, same));
    assert_eq!(texts[0], texts[1], "{args:?}");
}

pub(crate) fn run(program: &str, args: &[&str], env: &[(&str, &str)]) -> Output {
    let mut command = Command::new(program);
    command.env_remove("SERF_RPC_ADDR").env_remove("SERF_RPC_AUTH");
    command.args(args).envs(env.iter().copied()).output().unwrap()
}

/// What must be equal.
pub(crate) fn settled(output: &Output, same: Same) -> String {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    match same {
        Same::Text => return text,
        Same::Code => lines.clear(),
        Same::FirstLine => lines.truncate(1),
        Same::Keys => {
            lines.iter_mut().for_each(|line| *line = key(line).to_owned());
            lines.sort();
        }
        Same::Lines | Same::Shape => lines.sort(),
    }
    let mut text = lines.join("\n");
    if same == Same::Shape {
        text.retain(|c| !c.is_ascii_digit());
    }
    text
}

fn key(line: &str) -> &str {
    line.split_once(" = ").or_else(|| line.split_once("\": \"")).map_or(line, |(key, _)| key)
}

/// Coordinates are known when both nodes have probed each other.
async fn wait_coordinates(agent: &Serf) {
    let rpc = agent.rpc().to_string();
    let start = std::time::Instant::now();
    while !run("serf", &["rtt", "-rpc-addr", &rpc, "one", "two"], &[]).status.success() {
        assert!(start.elapsed() < SOON, "no coordinates");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

pub(crate) const SWIM: &str = env!("CARGO_BIN_EXE_swim");
