//! Scripts on events: what they are told, and what becomes of what they say, under agents of both
//! kinds.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::cli::{run, with_rpc};
use crate::ours::Swim;
use crate::serf::{self, Net, SOON, Serf};

/// A directory of this test.
struct Dir(PathBuf);

impl Dir {
    fn new(what: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("swim-{what}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    /// A handler that keeps all that it is told in a file named after the event.
    fn dump(&self) -> String {
        format!(
            "f={}/$SERF_EVENT$SERF_USER_EVENT$SERF_QUERY_NAME; \
             (env | grep ^SERF_ | sort; echo --; cat) > $f.part; mv $f.part $f",
            self.0.display()
        )
    }

    async fn wait(&self, file: &str) {
        let start = Instant::now();
        while !self.0.join(file).exists() {
            assert!(start.elapsed() < SOON, "no {file}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let files = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap());
        files
            .map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()))
            .collect()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn command(rpc: SocketAddr, args: &[&str]) -> String {
    let output = run("serf", &with_rpc(args, &rpc.to_string()), &[]);
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn a_script_is_told_the_same_to_the_byte() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let dirs = [Dir::new("told-theirs"), Dir::new("told-ours")];
    let handlers = [0, 1].map(|n: usize| format!("-event-handler=*={}", dirs[n].dump()));
    let tag = "-tag=role=we\tb";
    let theirs = Serf::start("one", net.addr(1), &[tag, &handlers[0]]);
    let ours = Swim::start_with_rpc("one", net.addr(2), &[tag, &handlers[1]]);
    for (dir, rpc) in [(&dirs[0], theirs.rpc()), (&dirs[1], ours.rpc())] {
        dir.wait("member-join").await;
        command(rpc, &["event", "-coalesce=false", "plain", "a b\n"]);
        command(rpc, &["event", "-coalesce=false", "bare"]);
        command(rpc, &["event", "-coalesce=true", "open", "no newline"]);
        command(rpc, &["query", "-timeout=200ms", "load", "how much"]);
        command(rpc, &["tags", "-set", "a-b.c=x,y", "-delete", "role"]);
        for file in ["userplain", "userbare", "useropen", "queryload", "member-update"] {
            dir.wait(file).await;
        }
    }
    let theirs_ip = theirs.addr().ip().to_string();
    let ours_ip = ours.addr().ip().to_string();
    let settled = |files: BTreeMap<String, Vec<u8>>| {
        let text = |bytes| String::from_utf8(bytes).unwrap().replace(&ours_ip, &theirs_ip);
        files.into_iter().map(|(name, bytes)| (name, text(bytes))).collect::<BTreeMap<_, _>>()
    };
    let [theirs, ours] = dirs.each_ref().map(|dir| settled(dir.files()));
    assert_eq!(theirs.len(), 6, "{theirs:?}");
    assert_eq!(ours, theirs);
}

#[tokio::test]
async fn filters_choose_the_scripts_as_with_serf() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let dirs = [Dir::new("filters-theirs"), Dir::new("filters-ours")];
    let flags = |dir: &Dir| {
        let count = |name: &str| format!("echo $SERF_EVENT >> {}/{name}", dir.0.display());
        [
            format!("-event-handler={}", count("all")),
            format!("-event-handler=user:deploy={}", count("deploy")),
            format!("-event-handler=user={}", count("user")),
            format!("-event-handler=member-update,query:load={}", count("some")),
            format!("-event-handler=query:other={}", count("other")),
        ]
    };
    let flags = dirs.each_ref().map(flags);
    let flags = flags.each_ref().map(|flags| flags.each_ref().map(String::as_str));
    let theirs = Serf::start("one", net.addr(1), &flags[0]);
    let ours = Swim::start_with_rpc("one", net.addr(2), &flags[1]);
    for (dir, rpc) in [(&dirs[0], theirs.rpc()), (&dirs[1], ours.rpc())] {
        dir.wait("all").await;
        command(rpc, &["event", "-coalesce=false", "deploy"]);
        command(rpc, &["event", "-coalesce=false", "else"]);
        command(rpc, &["query", "-timeout=200ms", "load"]);
        command(rpc, &["tags", "-set", "a=1"]);
        let start = Instant::now();
        while dir.files()["all"].len() < "member-join\nuser\nuser\nquery\nmember-update\n".len() {
            assert!(start.elapsed() < SOON, "{:?}", dir.files());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The last event runs its other scripts, too.
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let [theirs, ours] = dirs.each_ref().map(Dir::files);
    assert!(theirs.contains_key("some") && !theirs.contains_key("other"), "{theirs:?}");
    assert_eq!(ours, theirs);
}

#[tokio::test]
async fn what_a_script_prints_answers_a_query_if_it_succeeds() {
    if !serf::is_there() {
        return;
    }
    let net = Net::new();
    let flags = [
        "-event-handler=query:load=echo load of $SERF_SELF_NAME: $(cat)",
        "-event-handler=query:fails=echo no; exit 1",
        "-event-handler=query:silent=true",
        "-event-handler=query:long=head -c 2000 /dev/zero | tr '\\0' x",
    ];
    let theirs = Serf::start("one", net.addr(1), &flags);
    let ours = Swim::start_with_rpc("one", net.addr(2), &flags);
    for query in [&["load", "x y"][..], &["fails"], &["silent"], &["long"]] {
        let told = [theirs.rpc(), ours.rpc()].map(|rpc| {
            let text = command(rpc, &[&["query", "-timeout=700ms"], query].concat());
            let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
            lines.sort();
            lines
        });
        assert_eq!(told[1], told[0], "{query:?}");
        let answered = told[0].iter().any(|line| line == "Total Responses: 1");
        assert_eq!(answered, query[0] == "load", "{told:?}");
    }
}
