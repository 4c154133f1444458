//! An agent that is killed again and again while it writes its files.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use swim_tokio::agent::read_tags;
use swim_tokio::rpc::wire::{Member, MemberStatus, UserEvent};
use swim_tokio::rpc::{Client, ClientError};
use swim_tokio::swim_core::keyring::{Key, Keyring};
use swim_tokio::{format_key, parse_key, read_keyring, write_keyring};

use crate::ours::Swim;
use crate::serf::{Net, SOON};

const KILLS: u32 = 50;

/// Numbers that only look like chance.
struct Luck(u64);

impl Luck {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn key(&mut self) -> String {
        let bytes = [self.next().to_be_bytes(), self.next().to_be_bytes()].concat();
        format_key(&Key::new(&bytes).unwrap())
    }
}

#[tokio::test]
async fn an_agent_killed_50_times_while_it_writes_reads_its_files_and_rejoins() {
    let mut luck = Luck(0x5eed_0007);
    let net = Net::new();
    let dir = std::env::temp_dir().join(format!("swim-crashes-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let flag = |flag: &str, file: &str| format!("--{flag}={}", dir.join(file).display());
    let first = luck.key();
    let (tags, keys) = (dir.join("tags"), dir.join("keys"));
    let theirs = [format!("--encrypt={first}"), flag("keyring-file", "stays")];
    let stays = Swim::start_with_rpc("stays", net.addr(1), &theirs.each_ref().map(|f| &**f));
    let files =
        [flag("snapshot", "snapshot"), flag("keyring-file", "keys"), flag("tags-file", "tags")];
    write_keyring(&keys, &ring(&first)).unwrap();
    let files = files.each_ref().map(|f| &**f);
    let join = format!("--join={}", stays.addr());

    // Tags that were asked for, the last of which may or may not have been kept.
    let mut asked = vec![BTreeMap::new()];
    let (mut kept, mut torn) = (0, 0);
    for kill in 0..KILLS {
        let mut agent = if kill == 0 {
            Swim::start_with_rpc("goes", net.addr(2), &[&files[..], &[&join]].concat())
        } else {
            Swim::start_with_rpc("goes", net.addr(2), &files)
        };
        let client = Client::builder(agent.rpc().to_string()).connect().await.unwrap();
        wait_for(&client, "stays").await;
        let mine = client.members().await.unwrap();
        let mine = mine.into_iter().find(|member| member.name == "goes").unwrap().tags;
        assert!(asked[asked.len().saturating_sub(2)..].contains(&mine), "{mine:?} {asked:?}");
        kept += u32::from(kill > 0 && asked.last() == Some(&mine));
        asked = vec![mine];

        // Everything at once, so that all three files are being written when the end comes.
        let next = BTreeMap::from([("kill".to_owned(), kill.to_string())]);
        asked.push(next.clone());
        let new = luck.key();
        let old = format_key(read_keyring(&keys).unwrap().unwrap().primary().unwrap());
        let another = Client::builder(agent.rpc().to_string()).connect().await.unwrap();
        let third = Client::builder(agent.rpc().to_string()).connect().await.unwrap();
        let writing = async {
            tokio::join!(
                async { client.tags(next, Vec::new()).await },
                async {
                    another.install_key(&new).await?;
                    another.use_key(&new).await?;
                    another.remove_key(&old).await
                },
                async {
                    for n in 0.. {
                        third.event(UserEvent::new(format!("e{n}"), "", false)).await?;
                    }
                    Ok::<_, ClientError>(())
                },
            )
        };
        let life = Duration::from_micros(luck.below(60_000));
        let _ = tokio::time::timeout(life, writing).await;
        agent.kill();

        assert_whole(&tags, &keys, &asked);
        let text = std::fs::read(dir.join("snapshot")).unwrap();
        torn += u32::from(!text.ends_with(b"\n"));
    }
    println!("{KILLS} kills; {kept} changes of tags were kept, {torn} last lines were torn");
    // The luck is such that some changes came in time, and some too late.
    assert!((1..KILLS).contains(&kept), "{kept}");
    std::fs::remove_dir_all(&dir).unwrap();
}

fn ring(key: &str) -> Keyring {
    Keyring::new(parse_key(key).unwrap())
}

/// Until the agent has joined by what it knows from before.
async fn wait_for(client: &Client, name: &str) {
    let start = Instant::now();
    loop {
        let members = client.members().await.unwrap();
        let is_there = |m: &Member| m.name == name && m.status == MemberStatus::Alive;
        if members.iter().any(is_there) {
            return;
        }
        assert!(start.elapsed() < SOON, "alone: {members:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Both files are there as a whole, old or new.
fn assert_whole(tags: &Path, keys: &Path, asked: &[BTreeMap<String, String>]) {
    let found = read_tags(tags).unwrap().unwrap_or_default();
    assert!(asked.contains(&found), "{found:?} was never asked for: {asked:?}");
    assert!(!read_keyring(keys).unwrap().unwrap().is_empty());
}
