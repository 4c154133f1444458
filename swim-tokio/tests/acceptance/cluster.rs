//! Several of ours and several of theirs in one pool.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use swim_tokio::swim_core::Config;
use swim_tokio::swim_core::keyring::{Key, Keyring};
use swim_tokio::swim_core::serf::{Change, Event, QueryParams};
use swim_tokio::{format_key, read_keyring};

use crate::agents::serf;
use crate::diary::Scratch;
use crate::ours::{Ours, SOON, agent, gather, layer};
use crate::serf::{Net, Serf};

/// A pool whose first members are theirs.
#[derive(Debug)]
pub(crate) struct Cluster {
    theirs: Vec<Arc<Serf>>,
    ours: Vec<Ours>,
    /// Where the keyrings are, if it is encrypted.
    rings: Option<Scratch>,
}

impl Cluster {
    /// A pool of so many of each, who know each other.
    pub(crate) async fn start(net: &Net, theirs: u8, ours: u8, key: Option<&Key>) -> Self {
        let rings = key.map(|_| Scratch::new());
        let mut cluster = Self { theirs: Vec::new(), ours: Vec::new(), rings };
        // Each joins by all before it: gossip may miss somebody, and push/pulls are rare.
        for n in 0..theirs {
            let mut flags: Vec<_> = (0..n).map(|m| format!("-join={}", net.addr(1 + m))).collect();
            if let (Some(key), Some(rings)) = (key, &cluster.rings) {
                let path = rings.path(&format!("theirs-{n}"));
                std::fs::write(&path, format!("[\"{}\"]", format_key(key))).unwrap();
                flags.push(format!("-keyring-file={}", path.display()));
            }
            flags.push("-event-handler=query:load=echo idle".into());
            let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
            let started = Serf::start(&format!("theirs-{n}"), net.addr(1 + n), &flags);
            cluster.theirs.push(Arc::new(started));
        }
        for n in 0..ours {
            let name = format!("ours-{n}");
            let mut swim = Config::local();
            if let Some(key) = key {
                swim = swim.keyring(Keyring::new(key.clone()));
            }
            let mut builder = agent(layer(swim), &name, net.addr(101 + n)).join(cluster.addrs());
            if let Some(rings) = &cluster.rings {
                builder = builder.keyring_file(rings.path(&name));
            }
            cluster.ours.push(Ours::spawn(builder).await);
        }
        for theirs in &cluster.theirs {
            for name in cluster.names() {
                theirs.wait_status(&name, "alive", SOON).await;
            }
        }
        let all = cluster.len();
        for ours in &cluster.ours {
            let start = Instant::now();
            while ours.handle.stats().await.unwrap().info.members < all {
                assert!(start.elapsed() < SOON);
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        cluster
    }

    fn addrs(&self) -> Vec<SocketAddr> {
        let ours = self.ours.iter().map(|ours| ours.handle.local_addr());
        self.theirs.iter().map(|theirs| theirs.addr()).chain(ours).collect()
    }

    pub(crate) const fn len(&self) -> usize {
        self.theirs.len() + self.ours.len()
    }

    fn names(&self) -> Vec<String> {
        let theirs = (0..self.theirs.len()).map(|n| format!("theirs-{n}"));
        theirs.chain((0..self.ours.len()).map(|n| format!("ours-{n}"))).collect()
    }

    pub(crate) fn theirs(&self) -> &Serf {
        &self.theirs[0]
    }

    pub(crate) fn ours(&self) -> &Ours {
        &self.ours[0]
    }

    /// Has a node send an event.
    pub(crate) async fn send(&self, node: usize, name: &str) {
        match self.theirs.get(node) {
            Some(theirs) => {
                let said = serf(theirs.rpc(), &["event", "-coalesce=false", name]).await;
                assert_eq!(said.code, Some(0), "{said:?}");
            }
            None => {
                let ours = &self.ours[node - self.theirs.len()];
                ours.handle.user_event(name, "", false).await.unwrap();
            }
        }
    }

    /// Has a node ask all; who acknowledged, and who answered.
    pub(crate) async fn ask(&self, node: usize) -> (Vec<String>, Vec<String>) {
        let Some(theirs) = self.theirs.get(node) else {
            let params = QueryParams::new().ack(true);
            let ours = &self.ours[node - self.theirs.len()];
            let answers = ours.handle.query("load", "", params).await.unwrap();
            let (acks, responses) = gather(answers).await;
            let who = |text: String| text.split(':').next().unwrap().to_owned();
            return (acks, responses.into_iter().map(who).collect());
        };
        let said = serf(theirs.rpc(), &["query", "load"]).await;
        let who = |start: &str| {
            let lines = said.out.lines().filter_map(|line| line.strip_prefix(start));
            lines.filter_map(|line| Some(line.split_once('\'')?.0.to_owned())).collect()
        };
        (who("Ack from '"), who("Response from '"))
    }

    /// How often each node was told of each event.
    pub(crate) fn heard(&self) -> Vec<BTreeMap<String, u32>> {
        let mut heard = vec![BTreeMap::new(); self.len()];
        let (of_theirs, of_ours) = heard.split_at_mut(self.theirs.len());
        for (theirs, heard) in self.theirs.iter().zip(of_theirs) {
            let log = theirs.log();
            let names =
                log.lines().filter_map(|line| line.split_once("Received event: user-event: "));
            names.for_each(|(_, name)| *heard.entry(name.into()).or_default() += 1);
        }
        for (ours, heard) in self.ours.iter().zip(of_ours) {
            for event in ours.told() {
                if let Event::User(event) = event {
                    *heard.entry(event.name).or_default() += 1;
                }
            }
        }
        heard
    }

    /// Who was not told of which of so many events, and the log of each of theirs among them.
    pub(crate) fn missing(&self, sent: usize) -> String {
        let mut text = String::new();
        for (n, (name, heard)) in self.names().iter().zip(self.heard()).enumerate() {
            let missing: Vec<_> = (0..sent)
                .map(|n| format!("event-{n}"))
                .filter(|e| !heard.contains_key(e))
                .collect();
            if missing.is_empty() {
                continue;
            }
            writeln!(text, "{name} misses {missing:?}").unwrap();
            if let Some(theirs) = self.theirs.get(n) {
                writeln!(text, "{}", theirs.log()).unwrap();
            }
        }
        text
    }

    /// Nobody has failed in anybody's eyes.
    pub(crate) fn assert_steady(&self) {
        for theirs in &self.theirs {
            let log = theirs.log();
            assert!(!log.contains("EventMemberFailed"), "{log}");
        }
        for ours in &self.ours {
            let told = ours.told();
            let joins = |event: &Event| match event {
                Event::Members { change, .. } => *change == Change::Join,
                _ => true,
            };
            assert!(told.iter().all(joins), "{told:?}");
        }
    }

    /// Every keyring file has this key and no other.
    pub(crate) fn assert_keys(&self, key: &Key) {
        for name in self.names() {
            let path = self.rings.as_ref().unwrap().path(&name);
            let ring = read_keyring(&path).unwrap().unwrap();
            assert_eq!(ring.keys().collect::<Vec<_>>(), [key], "{name}");
        }
    }
}
