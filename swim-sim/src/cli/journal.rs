//! Journals: what one node was given, once more.

use super::say::say;
use std::process::ExitCode;

use swim_core::journal::{JournalError, Replay};
use swim_core::{Cause, Event, Instant, Member};

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
    match run(bytes, look) {
        Ok(replay) => {
            show(&replay);
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("{file}: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run<'a>(bytes: &'a [u8], look: &Look<'_>) -> Result<Replay<'a>, JournalError> {
    let mut replay = Replay::open(bytes)?;
    let mut events = Vec::new();
    let mut stopped = false;
    while !stopped
        && look.until.is_none_or(|until| replay.now() < until)
        && replay.step(|event| events.push(event))?
    {
        for event in events.drain(..) {
            let line = format!("{:>10} {}", replay.now().to_string(), words(&event));
            stopped |= look.stop.is_some_and(|stop| line.contains(stop));
            if !look.quiet {
                say!("{line}");
            }
        }
    }
    Ok(replay)
}

fn show(replay: &Replay<'_>) {
    let node = replay.node();
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
    for m in node.members() {
        say!("  {:<16} {:<8} {}", m.name(), m.state().to_string(), m.incarnation().0);
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
