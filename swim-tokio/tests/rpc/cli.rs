//! Our command line prints what Serf's printed, when agents answer as they answered it.

#![cfg(unix)]

use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::script::Script;
use crate::scripted::Scripted;
use crate::vectors::{conversations_of, records};

#[tokio::test]
async fn every_recorded_command_prints_the_same_and_ends_the_same() {
    let mut count = 0;
    for file in ["rpc_old.jsonl", "rpc_new.jsonl"] {
        for record in records(file) {
            if let Some(argv) = record["argv"].as_array() {
                compare(&record, argv).await;
                count += 1;
            }
        }
    }
    assert_eq!(count, 102);
}

async fn compare(record: &Value, argv: &[Value]) {
    let id = record["id"].as_str().unwrap();
    let [conversation] = &conversations_of(record)[..] else { panic!("{id}: one connection") };
    let scripted = Scripted::start(&Script::of(conversation)).await;
    let mut args: Vec<&str> = argv[1..].iter().map(|arg| arg.as_str().unwrap()).collect();
    let rpc = format!("-rpc-addr={}", scripted.server.local_addr());
    args.insert(1, &rpc);
    let theirs = record["stdout"].as_str().unwrap();
    let (ours, code) = run(&args, theirs.lines().count()).await;
    if id == "cli/monitor" {
        // The recording is cut.
        assert!(theirs.lines().count() > 70 && ours.starts_with(theirs), "{id}: {ours}");
    } else {
        assert_eq!(settled(&ours), settled(theirs), "{id}");
    }
    assert_eq!(code.map(i64::from), record["exit"].as_i64(), "{id}");
}

/// Standard output and exit code. What goes on until it is interrupted is, after so many lines.
async fn run(args: &[&str], lines: usize) -> (String, Option<i32>) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_swim"))
        .args(args)
        .env_remove("SERF_RPC_ADDR")
        .env_remove("SERF_RPC_AUTH")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    let reading = async {
        if args[0] == "monitor" && lines > 1 {
            for _ in 0..lines {
                out.read_line(&mut text).await.unwrap();
            }
            interrupt(&child);
        }
        out.read_to_string(&mut text).await.unwrap();
    };
    tokio::time::timeout(Duration::from_secs(30), reading).await.unwrap();
    (text, child.wait().await.unwrap().code())
}

fn interrupt(child: &Child) {
    kill(Pid::from_raw(child.id().unwrap().cast_signed()), Signal::SIGINT).unwrap();
}

/// Without the random order in which Go prints maps: nodes of a report, and tags.
fn settled(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(settled_line).collect();
    let failed = |line: &String| line.starts_with("failed:");
    if let Some(first) = lines.iter().position(failed) {
        let count = lines.iter().filter(|line| failed(line)).count();
        lines[first..first + count].sort();
    }
    lines.join("\n")
}

fn settled_line(line: &str) -> String {
    let sort = |word: &str| {
        let mut tags: Vec<_> = word.split(',').collect();
        tags.sort_unstable();
        tags.join(",")
    };
    let is_tags = |word: &str| word.contains('=') && word.contains(',') && !word.contains('"');
    let words = line.split(' ').map(|word| if is_tags(word) { sort(word) } else { word.into() });
    words.collect::<Vec<_>>().join(" ")
}
