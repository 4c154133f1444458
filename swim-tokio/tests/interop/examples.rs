//! The examples of embedding join a real agent, as the README says.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::serf::{self, Net, SOON, Serf};

/// A running example, killed when the test ends.
struct Example(Child);

impl Drop for Example {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// The example's program, which is built unless all targets are tested anyway.
fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().unwrap().with_file_name("examples").join(name);
    if !path.exists() {
        let args = ["test", "--locked", "-p", "swim-tokio", "--no-run", "--example", name];
        assert!(Command::new(env!("CARGO")).args(args).status().unwrap().success());
    }
    path
}

#[tokio::test]
async fn both_examples_join_a_serf_agent() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let mut running = Vec::new();
    for (n, name) in [(2, "tokio"), (3, "blocking")] {
        let args = [name, &net.addr(n).to_string(), &theirs.addr().to_string()];
        let child = Command::new(program(name)).args(args).stdout(Stdio::null()).spawn().unwrap();
        running.push(Example(child));
        theirs.wait_status(name, "alive", SOON).await;
    }
    // They stay, by answering probes.
    tokio::time::sleep(Duration::from_secs(5)).await;
    for name in ["tokio", "blocking"] {
        assert_eq!(theirs.status_of(name).unwrap(), "alive", "{}", theirs.log());
    }
    assert!(!theirs.log().contains("EventMemberFailed"), "{}", theirs.log());
}
