//! Journals: what one node was given, once more.

use super::say::say;
use std::process::ExitCode;

use swim_core::journal::{JournalError, Kind, Recorded, Replay, kind};
use swim_core::serf::{self, Change, Serf};
use swim_core::{Cause, Event, Instant, Member, Node};

/// The bytes of a file that is a journal.
pub(super) fn load(file: &str) -> Option<Vec<u8>> {
    let bytes = std::fs::read(file).ok()?;
    bytes.starts_with(b"swimjnl").then_some(bytes)
}

/// Where to stop, and what to print.
#[derive(Debug)]
pub(super) struct Look<'a> {
    pub(super) until: Option<Instant>,
    pub(super) stop: Option<&'a str>,
    pub(super) quiet: bool,
}

/// Replays a journal to where it should stop, and shows the node that is there.
pub(super) fn replay(file: &str, bytes: &[u8], look: &Look<'_>) -> ExitCode {
    let ended = match kind(bytes) {
        Ok(Kind::Bare) => Replay::open(bytes).and_then(|replay| run(replay, look, words, show)),
        Ok(Kind::Serf) => {
            Replay::open_serf(bytes).and_then(|replay| run(replay, look, serf_words, show_serf))
        }
        Ok(other) => {
            eprintln!("{file}: this is the journal of {other}, which this version cannot replay");
            return ExitCode::FAILURE;
        }
        Err(error) => Err(error),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{file}: {e}");
            ExitCode::FAILURE
        }
    }
}

/// Shows the node that is there, even where the journal cannot be read further: that of a node
/// that was killed may end in the middle of a record.
fn run<M: Recorded>(
    mut replay: Replay<'_, M>,
    look: &Look<'_>,
    words: impl Fn(&M::Event) -> String,
    show: impl FnOnce(&Replay<'_, M>),
) -> Result<(), JournalError> {
    let mut events = Vec::new();
    let mut stopped = false;
    let ended = loop {
        if stopped || look.until.is_some_and(|until| replay.now() >= until) {
            break Ok(());
        }
        match replay.step(|event| events.push(event)) {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
        for event in events.drain(..) {
            let line = format!("{:>10} {}", replay.now().to_string(), words(&event));
            stopped |= look.stop.is_some_and(|stop| line.contains(stop));
            if !look.quiet {
                say!("{line}");
            }
        }
    };
    show(&replay);
    ended
}

fn show(replay: &Replay<'_>) {
    let node = replay.node();
    show_node(replay, node);
    for m in node.members() {
        say!("  {:<16} {:<8} {}", m.name(), m.state().to_string(), m.incarnation().0);
    }
}

fn show_serf(replay: &Replay<'_, Serf>) {
    let serf = replay.machine();
    show_node(replay, serf.node());
    let [members, events, queries] = serf.clocks();
    say!("clocks: members {members}, events {events}, queries {queries}");
    for m in serf.members() {
        let tags: Vec<_> = m.tags().iter().map(|(k, v)| format!("{k}={v}")).collect();
        say!("  {:<16} {:<8} {}", m.name(), m.status().to_string(), tags.join(","));
    }
}

fn show_node<M: Recorded>(replay: &Replay<'_, M>, node: &Node) {
    say!(
        "{} after {} records at {}: incarnation {}, health {}, {} live members",
        node.me().name(),
        replay.records(),
        replay.now(),
        node.me().incarnation().0,
        node.health(),
        node.live_len(),
    );
    say!("digest {:016x}, {} compared", replay.digest(), replay.digests_checked());
}

/// An event of a Serf node in a line.
fn serf_words(event: &serf::Event) -> String {
    match event {
        serf::Event::Members { change, members } => {
            let what = match change {
                Change::Join => "join",
                Change::Leave => "leave",
                Change::Failed => "failed",
                Change::Update => "update",
                Change::Reap => "reap",
            };
            let names: Vec<_> = members.iter().map(|m| m.name()).collect();
            format!("member-{what}: {}", names.join(", "))
        }
        serf::Event::User(e) => {
            format!("user event {} at {}, {} bytes", e.name, e.ltime, e.payload.len())
        }
        serf::Event::Query(q) => format!("query {} at {} from {}", q.name, q.ltime, q.source),
        serf::Event::Ack { from, .. } => format!("ack from {from}"),
        serf::Event::Response { from, payload, .. } => {
            format!("answer from {from}, {} bytes", payload.len())
        }
        serf::Event::KeyringChanged(_) => "the keyring changed".into(),
        other => format!("{other:?}"),
    }
}

/// An event in a line.
fn words(event: &Event) -> String {
    let member = |m: &Member| format!("{}, incarnation {}", m.name(), m.incarnation().0);
    match event {
        Event::Up(m) => format!("up: {}", member(m)),
        Event::Down { member: m, cause, by } => {
            let by = by.as_ref().map_or(String::new(), |by| format!(", says {}", by.as_str()));
            let why = if *cause == Cause::Failed { "failed" } else { "left" };
            format!("{why}: {}{by}", member(m))
        }
        Event::Changed(m) => format!("changed: {}", member(m)),
        Event::Reaped(m) => format!("forgotten: {}", m.name()),
        Event::Suspected { member: m, by, .. } => {
            format!("suspected: {}, says {}", member(m), by.as_str())
        }
        Event::Trusted(m) => format!("trusted: {}", member(m)),
        other => format!("{other:?}"),
    }
}
