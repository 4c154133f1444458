//! The program, as it is called from a shell.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use std::path::PathBuf;
use std::process::Command;

use swim_core::Instant;
use swim_sim::{World, WorldConfig};

/// Runs the program; its exit code, what it prints and what it complains of.
fn run(args: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_swim-sim")).args(args).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A file of this test with these bytes.
fn file(name: &str, bytes: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

const CRASH: &str = "name = \"small\"\nnodes = 6\nduration = \"40s\"\n\
                     measure = [\"detection\"]\n\
                     [[timeline]]\nat = \"3s\"\ndo = \"crash\"\nwho = \"n4\"\n";

#[test]
fn scenarios_are_listed_shown_and_run() {
    let (code, list, _) = run(&["scenarios"]);
    assert_eq!(code, 0);
    assert!(list.lines().count() >= 10 && list.contains("partition "), "{list}");
    let (_, text, _) = run(&["scenarios", "no-tcp"]);
    assert!(text.starts_with("name = \"no-tcp\""), "{text}");

    let small = file("small.toml", CRASH.as_bytes());
    let (code, out, _) = run(&["run", &small, "--seeds", "4..6"]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("seed 4") && out.contains("seed 5"), "{out}");
    assert!(out.contains("1 of 1 known to every live node"), "{out}");
    assert!(!out.contains("datagrams per node"), "it was not to be measured: {out}");
}

#[test]
fn a_scenario_that_makes_no_sense_is_refused_with_file_and_line() {
    let bad = file("bad.toml", CRASH.replace("n4", "n6").as_bytes());
    let (code, _, err) = run(&["run", &bad]);
    assert_eq!(code, 2);
    assert!(err.contains("bad.toml: line 8: who is \"n6\", expected nodes from n0 to n5"), "{err}");
    let (code, _, err) = run(&["run", "no-such"]);
    assert_eq!(code, 2);
    assert!(err.contains("\"no-such\" is no built-in scenario (crash, "), "{err}");
    let (code, _, err) = run(&["run", &bad, "--nodes", "7"]);
    assert_eq!((code, err.contains("cannot be used with")), (2, true), "{err}");
}

#[test]
fn a_fault_that_finds_nobody_to_strike_is_no_pass() {
    for (fault, says) in [
        ("--restart=3@1s", "VACUOUS restart at 1.000 s: 3 nodes too few could be struck"),
        ("--crash=9@1s", "VACUOUS crash at 2.000 s: 1 nodes too few could be struck"),
    ] {
        let args = ["run", "--nodes=10", "--duration=5s", fault];
        let more: &[&str] = if fault.contains("crash") { &["--crash=2@2s"] } else { &[] };
        let (code, out, _) = run(&[&args[..], more].concat());
        assert_eq!(code, 1, "{out}");
        assert!(out.contains(says), "{out}");
    }
}

#[test]
fn arguments_that_make_no_sense_together_are_refused_in_a_line() {
    let cuts = ["--partition=5/5@2s..6s", "--partition=4/6@4s..9s"];
    for (args, says) in [
        (&[&["run", "--nodes=10"], &cuts[..]].concat()[..], "overlap: one at a time"),
        (&["run", "crash", "--report", "x.html"], "cannot be used with"),
        (&["run", "--nodes=5", "--report", "/no/such/folder/x.html"], "/no/such/folder/x.html"),
        (&["run", "--nodes=10", "--partition=6/6@1s..2s"], "makes groups of 12 nodes, not 10"),
        (&["vopr", "--minutes", "0"], "0 is not in 1..=525600"),
        (&["vopr", "--jobs", "9999"], "9999 is not in 0..=1024"),
        (&["replay", "--seed=1", "--from=1s", "--seeds=2", "--view=n1"], "cannot be used with"),
        (&["rum"], "unrecognized subcommand"),
    ] {
        let (code, _, err) = run(args);
        assert_eq!(code, 2, "{args:?}: {err}");
        assert!(err.contains(says) && err.lines().count() == 1, "{args:?}: {err}");
    }
}

#[test]
fn output_that_cannot_be_written_ends_the_program_in_a_line() {
    let full = std::fs::File::create("/dev/full").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_swim-sim"));
    let output = command.arg("scenarios").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with("error: cannot print: ") && err.lines().count() == 1, "{err}");
}

#[test]
fn a_replay_stops_where_it_is_told_and_shows_a_view() {
    let small = file("replayed.toml", CRASH.as_bytes());
    let (code, out, _) = run(&["replay", &small, "--stop", "n4 failed", "--view", "n2"]);
    assert_eq!(code, 0, "{out}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines.iter().any(|l| l.contains("** n4 crashes")), "{out}");
    let stop = lines.iter().position(|l| l.starts_with("stopped at ")).unwrap();
    assert!(lines[..stop].iter().filter(|l| l.contains("n4 failed")).count() >= 1, "{out}");
    assert!(lines[stop + 1].starts_with("n2: incarnation 1, health "), "{out}");
    assert_eq!(lines[stop + 2..].iter().filter(|l| l.starts_with("  n")).count(), 6, "{out}");

    let (_, out, _) = run(&["replay", &small, "--until", "2s", "-q", "--steps", "3"]);
    assert!(out.starts_with("stopped at 2.000s\nstep 1: 2"), "{out}");
    assert_eq!(out.lines().filter(|l| l.starts_with("step ")).count(), 3, "{out}");
}

#[test]
fn branches_tell_how_often_a_failure_recurs() {
    // Nodes that suspect nobody first, on bad links: the accuracy oracle objects.
    let text = "name = \"hasty\"\nnodes = 15\nduration = \"40s\"\n[links]\nloss = \"30%\"\n\
                [config.ablation]\nsuspicion = false\n";
    let hasty = file("hasty.toml", text.as_bytes());
    let (code, out, _) = run(&["replay", &hasty, "--from", "1s", "--seeds", "3"]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("seed 1 itself: FAILED accuracy at "), "{out}");
    assert_eq!(out.lines().filter(|l| l.starts_with("links ")).count(), 3, "{out}");
    assert!(out.lines().last().unwrap().starts_with("accuracy recurs in "), "{out}");
}

#[test]
fn a_batch_that_passes_writes_no_scenario() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("vopr");
    let args = ["vopr", "--seeds", "3..5", "--nodes", "10", "--out", folder.to_str().unwrap()];
    let (code, out, err) = run(&args);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("2 worlds of 10 nodes: 2 passed, 0 failed"), "{out}");
    assert!(!folder.exists());
}

#[test]
fn journals_replay_too() {
    let mut world = World::recorded(WorldConfig::new(1, 4));
    let mut journal = Vec::new();
    world.run_until(Instant::from_secs(20));
    world.record(2, &mut journal).unwrap();
    journal.extend_from_slice(&world.remove(2).unwrap().finish());
    let path = file("n2.journal", &journal);
    let (code, out, _) = run(&["replay", &path]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("up: n0, incarnation 1"), "{out}");
    assert!(out.contains("\nn2 after ") && out.contains(" 4 live members\n"), "{out}");

    let cut = file("cut.journal", &journal[..journal.len() - 3]);
    let (code, _, err) = run(&["replay", &cut, "-q"]);
    assert_eq!(code, 1);
    assert!(err.contains("cut.journal: journal makes no sense at byte "), "{err}");
}

#[test]
fn a_plan_answers_in_words_and_a_table() {
    let args = ["plan", "--nodes", "12", "--rtt", "20ms", "--set", "suspicion_mult=2"];
    let (code, out, err) = run(&[&args[..], &["--effort", "0.02"]].concat());
    assert_eq!(code, 0, "{err}");
    let told =
        ["With your lan:", "A crash is noticed by the first node after ", " 95 % confidence"];
    for text in told.iter().chain(&["crash known to all, p99, s", "wan ", "local "]) {
        assert!(out.contains(text), "{text}\n{out}");
    }
    let (code, _, err) = run(&["plan", "--nodes", "1"]);
    assert_eq!((code, err.as_str()), (2, "error: --nodes is 1, not in 2..=20000\n"));
    let (code, _, err) = run(&["plan", "--nodes", "9", "--set", "suspicion=2"]);
    assert_eq!((code, err.contains("--set suspicion: no such setting; there are ")), (2, true));
    let (code, _, err) = run(&["plan", "--nodes", "9", "--set", "suspicion_mult=0"]);
    assert_eq!((code, err.contains("suspicion_mult is 0, not in ")), (2, true), "{err}");
    let (code, _, err) = run(&["plan", "--nodes", "9", "--rtt", "1us"]);
    assert_eq!((code, err.contains("--rtt is 1µs, not in 250µs..=60s")), (2, true), "{err}");
}

#[test]
fn serf_nodes_run_by_every_command() {
    let args = ["--machine", "serf", "--nodes", "12"];
    let run_args = ["--events", "3@5s", "--queries", "2@6s", "--leave", "1@20s"];
    let times = ["--duration", "60s", "--json"];
    let (code, out, err) = run(&[&["run"], &args[..], &run_args, &times].concat());
    assert_eq!(code, 0, "{out}{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let serf = &report["serf"];
    // Who leaves is told of nothing at the end.
    assert_eq!((&serf["events"], &serf["delivered"]["due"]), (&3.into(), &33.into()), "{serf}");
    assert_eq!(serf["delivered"]["got"], 33);
    assert_eq!((&serf["queries"], &serf["answers"]), (&2.into(), &24.into()));
    assert_eq!((&serf["left"], &serf["leaves_told"]["got"]), (&1.into(), &11.into()));
    assert_eq!(report["oracles"].as_array().unwrap().len(), 10);
    let (code, _, err) = run(&["run", "--nodes", "12", "--events", "3@5s"]);
    assert_eq!((code, err.contains("--events is for Serf nodes: set --machine serf")), (2, true));

    let (_, out, err) = run(&[&["vopr", "--seeds", "1"], &args[..], &["--json"]].concat());
    let batch: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&batch["seeds"], &batch["failed"]), (&1.into(), &serde_json::json!([])), "{err}");
    assert!(batch["tally"]["events"].as_u64() > Some(0), "{out}");
    let (code, out, err) = run(&[&["replay", "--seed", "1", "--quiet"], &args[..]].concat());
    assert!(code == 0 && out.starts_with("stopped at "), "{out}{err}");
}

#[test]
fn a_sweep_of_serf_worlds_tells_how_many_events_came() {
    let text = "name = \"s\"\nnodes = 10\nmachine = \"serf\"\nduration = \"90s\"\nseeds = \"0..2\"\n\
                [[timeline]]\nat = \"2s\"\ndo = \"event\"\nwho = \"1 random\"\n\
                every = \"100ms\"\ntimes = 5\n[sweep]\nlinks.loss = [\"0%\", \"20%\"]\n";
    let sweep = file("serf-sweep.toml", text.as_bytes());
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("serf-sweep");
    let _ = std::fs::remove_dir_all(&dir);
    let (code, out, err) = run(&["sweep", &sweep, "--out", dir.to_str().unwrap()]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("events delivered, share") && out.contains("2/2"), "{out}");
    let rows = std::fs::read_to_string(dir.join("results.jsonl")).unwrap();
    let delivered = rows.lines().filter(|row| row.contains("\"delivered\":1.0")).count();
    assert_eq!(delivered, 4, "{rows}");
}
