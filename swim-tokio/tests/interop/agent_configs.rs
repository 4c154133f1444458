//! Configuration files that either kind of agent takes, or refuses.

use std::fs;
use std::path::PathBuf;

use crate::cli::{SWIM, run, with_rpc};
use crate::ours::Swim;
use crate::serf::{self, Net, SOON, Serf};

/// A configuration file of this test, removed when the test ends.
struct File(PathBuf);

impl File {
    fn new(what: &str) -> Self {
        Self(std::env::temp_dir().join(format!("swim-{what}-{}.json", std::process::id())))
    }

    /// The flag that names it, once it says this.
    fn says(&self, text: &str) -> String {
        fs::write(&self.0, text).unwrap();
        format!("-config-file={}", self.0.display())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[tokio::test]
async fn what_serf_refuses_in_a_file_is_refused_with_key_value_and_line() {
    if !serf::is_there() {
        return;
    }
    let (net, file) = (Net::new(), File::new("refused"));
    for (text, says) in [
        ("{\n\"bogus\": 1}", "'' has invalid keys: bogus at line 2"),
        // The old agent knows nothing of mDNS, the new one nothing of such a key in it.
        ("{\"mdns\":\n{\"bogus\": 1}}", "'' has invalid keys: mdns.bogus at line 2"),
        ("{\"NodeName\": \"a\"}", "'' has invalid keys: NodeName at line 1"),
        (
            "{\"tags\": {\"a\": \"1\"}, \"TAGS\": {\"b\": \"1\"}}",
            "tags and TAGS are the same key at line 1",
        ),
        (
            "{\"tags\": {\"a\": 1}}",
            "tags.a: invalid type: integer `1`, expected a string at line 1",
        ),
        (
            "{\"RETRY_INTERVAL\": \"soon\"}",
            "retry_interval: \"soon\" is no duration such as 15s, 500ms or 1m30s at line 1",
        ),
        ("{\"protocol\": 9}", "Protocol version '9' too high. Must be in range: [2, 5]"),
        ("{\"profile\": \"x\"}", "Unknown profile: x. Valid profiles are: [lan wan local]"),
        (
            "{\"user_event_size_limit\": 100000}",
            "user_event_size_limit is 100000, not in 64..=9216",
        ),
        ("{\"reconnect_timeout\": 5}", "reconnect_timeout: invalid type: integer `5`"),
    ] {
        let config = file.says(text);
        // Without the profile that the helpers give.
        let base = ["-node=x", "-bind", &net.addr(1).to_string(), "-rpc-addr=127.0.0.1:0"];
        let args = [&["agent"][..], &base, &[&config]].concat();
        let theirs = run("serf", &args, &[]);
        assert_eq!(theirs.status.code(), Some(1), "{text}");
        let ours = run(SWIM, &args, &[]);
        assert_eq!(ours.status.code(), Some(1), "{text}");
        let line = String::from_utf8(ours.stderr).unwrap();
        assert!(line.contains(says) && line.lines().count() == 1, "{text}: {line}");
        assert!(ours.stdout.is_empty());
    }
}

#[tokio::test]
async fn what_serf_takes_in_a_file_means_the_same_to_ours() {
    if !serf::is_there() {
        return;
    }
    let (net, file) = (Net::new(), File::new("taken"));
    for (n, text, member) in [
        (1, "{\"TAGS\": {\"K\": \"v\"}, \"Role\": \"web\"}", &["-tag=K=v", "-tag=role=web"][..]),
        (3, "{\"tags\": {\"a\": \"1\"}, \"tags\": {\"b\": \"2\"}}", &["-tag=b=2", "-name=one"]),
        (5, "{\"tags\": null, \"start_join\": null, \"protocol\": null}", &["-name=one"]),
        (7, "null", &["-name=one"]),
    ] {
        let config = file.says(text);
        let theirs = Serf::start("one", net.addr(n), &[&config]);
        let ours = Swim::start_with_rpc("one", net.addr(n + 1), &[&config]);
        for rpc in [theirs.rpc(), ours.rpc()] {
            let args = [&["members", "-detailed"][..], member].concat();
            let found = run("serf", &with_rpc(&args, &rpc.to_string()), &[]);
            let found = String::from_utf8(found.stdout).unwrap();
            assert!(found.starts_with("one ") && !found.contains("a=1"), "{text}: {found}");
        }
    }
}

#[tokio::test]
async fn what_is_too_short_is_raised_by_both_and_both_say_so() {
    if !serf::is_there() {
        return;
    }
    let (net, file) = (Net::new(), File::new("raised"));
    let config = file.says(r#"{"broadcast_timeout": "10ms", "retry_interval": "20ms"}"#);
    let theirs = Serf::start("one", net.addr(1), &[&config]);
    theirs.wait_log("'BroadcastTimeout' is too low. Setting to 1s", SOON).await;
    let ours = Swim::start("one", net.addr(2), &[&config]);
    for (key, asked) in [("broadcast_timeout", "10ms"), ("retry_interval", "20ms")] {
        let says = format!("{key} is {asked}, less than 1s, which is taken instead");
        ours.wait_line(&["[WARN]", &says], SOON).await;
    }
}
