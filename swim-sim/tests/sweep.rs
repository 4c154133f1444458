//! Sweeps that are killed, resumed, split and put together again.

#![expect(clippy::unwrap_used, reason = "a test fails where it must")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

/// 60 runs of some 10 ms each.
const SWEEP: &str = "name = \"small\"\nnodes = 12\nduration = \"40s\"\nseeds = \"0..10\"\n\
                     [[timeline]]\nat = \"3s\"\ndo = \"crash\"\nwho = \"n4\"\n\
                     [sweep]\nlinks.loss = [\"0%\", \"5%\"]\nconfig.suspicion_mult = [2, 4, 6]\n";
const RUNS: usize = 60;

const RESULTS: [&str; 3] = ["results.jsonl", "results.csv", "summary.csv"];

/// An empty folder of this test.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sweep").join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn swim_sim(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swim-sim"));
    command.current_dir(folder).args(args);
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    swim_sim(folder, args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The results of the sweep, run at once.
fn uninterrupted(folder: &Path) -> Vec<Vec<u8>> {
    fs::write(folder.join("small.toml"), SWEEP).unwrap();
    let out = run(folder, &["sweep", "small.toml", "--out", "whole"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let table = text(&out.stdout);
    assert!(table.contains("config.suspicion_mult") && table.contains("10/10"), "{table}");
    results(&folder.join("whole"))
}

fn results(folder: &Path) -> Vec<Vec<u8>> {
    RESULTS.map(|name| fs::read(folder.join(name)).unwrap()).to_vec()
}

#[test]
fn killed_three_times_and_resumed_it_equals_an_uninterrupted_one() {
    let folder = folder("killed");
    let whole = uninterrupted(&folder);
    let rows = folder.join("cut/runs-0-of-1.jsonl");
    let written = || fs::read(&rows).unwrap_or_default();
    let lines = || written().iter().filter(|&&b| b == b'\n').count();
    for part in 1..=3 {
        let args = ["sweep", "small.toml", "--out", "cut", "--jobs", "1"];
        let mut child = swim_sim(&folder, &args).spawn().unwrap();
        while lines() < part * 5 {
            assert!(child.try_wait().unwrap().is_none(), "it ended before it was killed");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert!((part * 5..RUNS).contains(&lines()), "{} lines", lines());
        // What was being written when it was killed.
        let mut torn = written();
        torn.extend_from_slice(b"{\"cell\":59,\"seed\":9,\"outc");
        fs::write(&rows, torn).unwrap();
    }
    let before = lines();
    let out = run(&folder, &["sweep", "small.toml", "--out", "cut"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let told = format!("60 runs, 60 here, {before} of them done before");
    assert!(text(&out.stderr).contains(&told), "{told}\n{}", text(&out.stderr));
    assert_eq!(lines(), RUNS, "nothing is run twice");
    assert_eq!(results(&folder.join("cut")), whole);
}

#[test]
fn four_shards_merged_equal_one_machine() {
    let folder = folder("shards");
    let whole = uninterrupted(&folder);
    let dirs = ["part-0", "part-1", "part-2", "part-3"];
    for (k, dir) in dirs.iter().enumerate() {
        let out =
            run(&folder, &["sweep", "small.toml", "--shard", &format!("{k}/4"), "--out", dir]);
        assert!(out.status.success(), "{}", text(&out.stderr));
        assert!(!folder.join(dir).join("results.csv").exists(), "it is not the whole");
    }
    let out = run(&folder, &["merge", "part-0", "part-1", "part-3", "--out", "all"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("15 of 60 runs are missing: 2 6 10"), "{out:?}");
    let out = run(&folder, &[&["merge"], &dirs[..], &["--out", "all"]].concat());
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert_eq!(results(&folder.join("all")), whole);
}

/// What the scripts for schedulers run, with the variables that a scheduler sets.
#[test]
fn the_scripts_for_schedulers_run_every_shard() {
    let folder = folder("schedulers");
    let whole = uninterrupted(&folder);
    let cluster = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster");
    let bin = Path::new(env!("CARGO_BIN_EXE_swim-sim")).parent().unwrap();
    let path = format!("{}:{}", bin.display(), env::var("PATH").unwrap());
    for k in ["0", "1", "2"] {
        let out = Command::new("sh")
            .arg(cluster.join("slurm/sweep.sbatch"))
            .args(["small.toml", "by-slurm"])
            .current_dir(&folder)
            .env("PATH", &path)
            .envs([("SLURM_ARRAY_TASK_ID", k), ("SLURM_ARRAY_TASK_COUNT", "3")])
            .env("SLURM_CPUS_PER_TASK", "1")
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", text(&out.stderr));
    }
    assert!(run(&folder, &["merge", "by-slurm"]).status.success());
    assert_eq!(results(&folder.join("by-slurm")), whole);

    // The shell line of the manifest, in folders that are here instead of the volumes.
    let manifest = fs::read_to_string(cluster.join("kubernetes/sweep.yaml")).unwrap();
    let line = manifest.lines().map(str::trim).find(|l| l.starts_with("swim-sim sweep ")).unwrap();
    let line = line.replace("/sweep/sweep.toml", "small.toml").replace("/results", "by-job");
    for k in ["0", "1", "2"] {
        let out = Command::new("sh")
            .args(["-c", &line])
            .current_dir(&folder)
            .env("PATH", &path)
            .envs([("JOB_COMPLETION_INDEX", k), ("SHARDS", "3"), ("JOBS", "1")])
            .output()
            .unwrap();
        assert!(out.status.success(), "{line}\n{}", text(&out.stderr));
    }
    assert!(run(&folder, &["merge", "by-job"]).status.success());
    assert_eq!(results(&folder.join("by-job")), whole);
}

#[test]
fn a_folder_of_another_sweep_is_refused_and_so_is_a_broken_line() {
    let folder = folder("refused");
    let whole = SWEEP.replace("0..10", "0..1");
    fs::write(folder.join("small.toml"), &whole).unwrap();
    assert!(run(&folder, &["sweep", "small.toml"]).status.success());
    let csv = fs::read_to_string(folder.join("small/results.csv")).unwrap();
    assert_eq!(csv.lines().count(), 7, "{csv}");

    fs::write(folder.join("small.toml"), whole.replace("nodes = 12", "nodes = 13")).unwrap();
    let out = run(&folder, &["sweep", "small.toml"]);
    assert_eq!(out.status.code(), Some(2));
    let told = "small/sweep.toml is another sweep, from line 2 on; choose another --out";
    assert!(text(&out.stderr).contains(told), "{}", text(&out.stderr));

    fs::write(folder.join("small.toml"), &whole).unwrap();
    let rows = folder.join("small/runs-0-of-1.jsonl");
    fs::write(&rows, fs::read_to_string(&rows).unwrap() + "nonsense\n").unwrap();
    let out = run(&folder, &["sweep", "small.toml"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("line 7 is no result of this sweep"), "{out:?}");

    let out = run(&folder, &["sweep", "small.toml", "--shard", "4/4"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(text(&out.stderr).contains("\"4/4\" is not K/N with K from 0 to N-1"), "{out:?}");
}
