//! Files that an agent keeps: written by one kind of agent, read by the other.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;
use swim_tokio::swim_core::journal::{JournalError, replay_serf};
use swim_tokio::swim_core::serf::Status;

use crate::cli::{run, with_rpc};
use crate::ours::Swim;
use crate::serf::{self, Net, SOON, Serf};
/// A Serf that finds itself alone gets less sure of itself, and takes its time.
const GONE: Duration = Duration::from_secs(60);

/// A file of this test, which does not exist yet.
struct Scratch(PathBuf);

impl Scratch {
    fn new(what: &str) -> Self {
        let path = std::env::temp_dir().join(format!("swim-{what}-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        Self(path)
    }

    fn path(&self) -> &Path {
        &self.0
    }

    fn flag(&self, flag: &str) -> String {
        format!("-{flag}={}", self.0.display())
    }

    fn mode(&self) -> u32 {
        fs::metadata(&self.0).unwrap().permissions().mode() & 0o777
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Until the file has a line like this.
async fn wait_text(file: &Scratch, text: &str) {
    let start = std::time::Instant::now();
    while !fs::read_to_string(file.path()).is_ok_and(|found| found.contains(text)) {
        assert!(start.elapsed() < SOON, "no {text:?} in {:?}", fs::read_to_string(file.path()));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn tags_are_kept_in_a_file_that_either_reads() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs_file, ours_file) = (Scratch::new("tags-theirs"), Scratch::new("tags-ours"));
    let set = ["tags", "-set", "a=1", "-set", "b=\"quoted\""];
    let theirs = Serf::start("one", net.addr(1), &[&theirs_file.flag("tags-file")]);
    theirs.command(&set);
    let ours = Swim::start_with_rpc("one", net.addr(2), &[&ours_file.flag("tags-file")]);
    assert!(run("serf", &with_rpc(&set, &ours.rpc().to_string()), &[]).status.success());
    assert_eq!(ours_file.text(), theirs_file.text());
    assert_eq!((ours_file.mode(), theirs_file.mode()), (0o600, 0o600));
    // A reload leaves the file as it is; Serf's empties it.
    ours.signal(Signal::SIGHUP);
    ours.wait_line(&["Reloading configuration"], SOON).await;
    let too_long = format!("a={}", "x".repeat(600));
    let refused =
        run("serf", &with_rpc(&["tags", "-set", &too_long], &ours.rpc().to_string()), &[]);
    assert!(!refused.status.success());
    assert_eq!(ours_file.text(), theirs_file.text(), "what is refused is not kept");
    drop((theirs, ours));
    // Each with the file of the other.
    let theirs = Serf::start("one", net.addr(1), &[&ours_file.flag("tags-file")]);
    let ours = Swim::start_with_rpc("one", net.addr(2), &[&theirs_file.flag("tags-file")]);
    for rpc in [theirs.rpc(), ours.rpc()] {
        let args = ["members", "-format=json", "-tag=a=1", "-tag=b=\"quoted\""];
        let found = run("serf", &with_rpc(&args, &rpc.to_string()), &[]);
        assert!(String::from_utf8_lossy(&found.stdout).contains("\"one\""), "{found:?}");
    }
}

#[tokio::test]
async fn keys_are_kept_in_a_file_that_either_reads() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let (old, new) = ("vb+0fFWl82XyjaWdhU62dbrILQmWj2TAKlmT/a6R6xc=", "QHOYjmYlxSCBhdfiolhtDQ==");
    let (theirs_file, ours_file) = (Scratch::new("keys-theirs"), Scratch::new("keys-ours"));
    for file in [&theirs_file, &ours_file] {
        fs::write(file.path(), format!("[\"{old}\"]")).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
    }
    let theirs = Serf::start("theirs", net.addr(1), &[&theirs_file.flag("keyring-file")]);
    let join = format!("-join={}", theirs.addr());
    let ours = Swim::start_with_rpc("ours", net.addr(2), &[&ours_file.flag("keyring-file"), &join]);
    theirs.wait_status("ours", "alive", SOON).await;
    for args in [["keys", "-install", new], ["keys", "-use", new], ["keys", "-remove", old]] {
        let output = run("serf", &with_rpc(&args, &ours.rpc().to_string()), &[]);
        assert!(output.status.success(), "{output:?}");
    }
    let keys = |file: &Scratch| serde_json::from_str::<Vec<String>>(&file.text()).unwrap();
    assert_eq!((keys(&theirs_file), keys(&ours_file)), (vec![new.into()], vec![new.into()]));
    assert_eq!(ours_file.mode(), 0o600);
    drop((theirs, ours));
    let theirs = Serf::start("theirs", net.addr(1), &[&ours_file.flag("keyring-file")]);
    let swapped = theirs_file.flag("keyring-file");
    let _ours = Swim::start_with_rpc("ours", net.addr(2), &[&swapped, &join]);
    theirs.wait_status("ours", "alive", SOON).await;
}

#[tokio::test]
async fn a_killed_agent_rejoins_by_its_snapshot_and_hears_no_event_again() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let file = Scratch::new("snapshot-ours");
    let (snapshot, join) = (file.flag("snapshot"), format!("-join={}", net.addr(1)));
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let mut ours = Swim::start_with_rpc("ours", net.addr(2), &[&snapshot, &join]);
    theirs.wait_status("ours", "alive", SOON).await;
    theirs.command(&["event", "-coalesce=false", "before"]);
    ours.wait_event("user", "before", SOON).await;
    wait_text(&file, "event-clock: 1\n").await;
    assert_eq!(file.mode(), 0o644);
    ours.kill();
    theirs.wait_status("ours", "failed", GONE).await;

    // A crash may cut off the last line.
    let whole = file.text();
    fs::write(file.path(), format!("{whole}alive: torn 127.0.0")).unwrap();
    let again = Swim::start_with_rpc("ours", net.addr(2), &[&snapshot]);
    again.wait_line(&["[WARN]", "the last 19 bytes are no whole line"], SOON).await;
    theirs.wait_status("ours", "alive", SOON).await;
    again.wait_event("member-join", "theirs", SOON).await;
    assert!(!file.text().contains("torn"));

    // Its own events are later than those before the restart.
    let rpc = again.rpc().to_string();
    let sent = run("serf", &with_rpc(&["event", "-coalesce=false", "after"], &rpc), &[]);
    assert!(sent.status.success());
    again.wait_event("user", "after", SOON).await;
    theirs.wait_log("messageUserEventType: after", SOON).await;
    assert!(!again.lines().contains("\"name\":\"before\""), "{}", again.lines());
    wait_text(&file, "event-clock: 2\n").await;
}

#[tokio::test]
async fn snapshots_of_either_are_read_by_the_other() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let (theirs_file, ours_file) =
        (Scratch::new("snapshot-for-ours"), Scratch::new("snapshot-for-theirs"));
    let stays = Serf::start("stays", net.addr(1), &[]);
    let join = format!("-join={}", stays.addr());
    let theirs = Serf::start("theirs", net.addr(2), &[&theirs_file.flag("snapshot"), &join]);
    let ours = Swim::start_with_rpc("ours", net.addr(3), &[&ours_file.flag("snapshot"), &join]);
    for name in ["theirs", "ours"] {
        stays.wait_status(name, "alive", SOON).await;
    }
    // Serf writes what it has to write with the next event.
    for n in 0..3 {
        stays.command(&["event", "-coalesce=false", &format!("e{n}")]);
        tokio::time::sleep(Duration::from_millis(600)).await;
    }
    wait_text(&theirs_file, "alive: stays").await;
    wait_text(&ours_file, "alive: stays").await;
    let clock = |file: &Scratch| {
        let text = file.text();
        let line = text.lines().rev().find(|line| line.starts_with("event-clock: ")).unwrap();
        line.to_owned()
    };
    assert_eq!(clock(&ours_file), "event-clock: 3");
    drop((theirs, ours));
    for name in ["theirs", "ours"] {
        stays.wait_status(name, "failed", GONE).await;
    }
    let member_time = || {
        let info = stays.output(&["info"]);
        let line = info.lines().find(|line| line.contains("member_time")).unwrap();
        line.trim().to_owned()
    };
    let before = member_time();
    // Names and addresses stay, the files are swapped.
    let _theirs = Serf::start("theirs", net.addr(2), &[&ours_file.flag("snapshot")]);
    let _ours = Swim::start_with_rpc("ours", net.addr(3), &[&theirs_file.flag("snapshot")]);
    for name in ["theirs", "ours"] {
        stays.wait_status(name, "alive", SOON).await;
    }
    // Neither says that it joins, since it goes on as a member.
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(member_time(), before, "{}", stays.log());
}

#[tokio::test]
async fn after_a_leave_it_stays_alone_unless_it_shall_rejoin() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let file = Scratch::new("snapshot-left");
    let (snapshot, join) = (file.flag("snapshot"), format!("-join={}", net.addr(1)));
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let leave = async |mut ours: Swim| {
        assert!(
            run("serf", &["leave", &format!("-rpc-addr={}", ours.rpc())], &[]).status.success()
        );
        assert_eq!(ours.exit(SOON).await, Some(0));
        theirs.wait_status("ours", "left", SOON).await;
    };
    let first = Swim::start_with_rpc("ours", net.addr(2), &[&snapshot, &join]);
    theirs.wait_status("ours", "alive", SOON).await;
    leave(first).await;
    assert!(file.text().contains("leave\n"));

    let alone = Swim::start_with_rpc("ours", net.addr(2), &[&snapshot]);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(theirs.status_of("ours").as_deref(), Some("left"), "{}", alone.lines());
    let rpc = alone.rpc().to_string();
    let seed = theirs.addr().to_string();
    assert!(run("serf", &with_rpc(&["join", &seed], &rpc), &[]).status.success());
    theirs.wait_status("ours", "alive", SOON).await;
    leave(alone).await;

    let _back = Swim::start_with_rpc("ours", net.addr(2), &[&snapshot, "-rejoin"]);
    theirs.wait_status("ours", "alive", SOON).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_journal_of_an_agent_among_serfs_replays_bit_for_bit() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let (file, snapshot) = (Scratch::new("journal"), Scratch::new("journal-snapshot"));
    let old = Scratch(PathBuf::from(format!("{}.1", file.path().display())));
    let theirs = Serf::start("theirs", net.addr(1), &[]);
    let join = format!("-join={}", theirs.addr());
    let mut killed = Serf::start("killed", net.addr(2), &[&join]);
    let flags = [&file.flag("journal")[..], &snapshot.flag("snapshot"), &join];
    let mut ours = Swim::start_with_rpc("ours", net.addr(3), &flags);
    for name in ["theirs", "killed"] {
        ours.wait_event("member-join", name, SOON).await;
    }
    let rpc = ours.rpc().to_string();
    theirs.command(&["event", "-coalesce=false", "deploy", "v1"]);
    ours.wait_event("user", "deploy", SOON).await;
    for args in [&["query", "-timeout=1s", "load"][..], &["tags", "-set", "role=db"]] {
        assert!(run("serf", &with_rpc(args, &rpc), &[]).status.success());
    }
    killed.kill();
    ours.wait_event("member-failed", "killed", SOON).await;
    ours.signal(Signal::SIGINT);
    assert_eq!(ours.exit(SOON).await, Some(0));

    let journal = fs::read(file.path()).unwrap();
    let replayed = replay_serf(&journal).unwrap();
    assert!(replayed.digests_checked() > 1, "{} digests", replayed.digests_checked());
    let serf = replayed.machine();
    let status = |name| serf.member(name).map(|member| member.status());
    assert_eq!((status("killed"), status("theirs")), (Some(Status::Failed), Some(Status::Alive)));
    assert_eq!(serf.me().tags().get("role"), Some("db"));
    assert!(serf.has_left());
    assert_eq!(file.mode(), 0o600);

    // A next life begins a journal of its own, and may end in the middle of a record.
    let mut again = Swim::start_with_rpc("ours", net.addr(3), &flags);
    again.wait_event("member-join", "theirs", SOON).await;
    again.kill();
    assert_eq!(fs::read(old.path()).unwrap(), journal);
    let cut = fs::read(file.path()).unwrap();
    match replay_serf(&cut) {
        Ok(_) | Err(JournalError::Malformed { .. }) => {}
        Err(other) => panic!("{other}"),
    }
}
