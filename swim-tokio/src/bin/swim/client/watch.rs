//! `swim members --watch`.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use super::members::{filter, table};
use super::{Failure, connect};
use crate::flags::MembersFlags;

/// Draws the table anew whenever a member changes, in place in a terminal; else it prints each
/// changed table below the last one. Ends when the agent does.
pub(super) async fn run(flags: &MembersFlags) -> Result<(), Failure> {
    let filter = filter(flags)?;
    let client = connect(&flags.rpc).await?;
    let failed = |e| Failure::of("Error retrieving members", &e);
    let mut events = client.stream(MEMBER_EVENTS).await.map_err(failed)?;
    let in_place = std::io::stdout().is_terminal();
    let mut shown = String::new();
    loop {
        let mut members = client.members_filtered(filter.clone()).await.map_err(failed)?;
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let text = table(&members, flags.detailed);
        if text != shown {
            draw(&text, members.len(), in_place)?;
            shown = text;
        }
        // Agents gather events for a second before they tell of them; some changes are none.
        tokio::select! {
            event = events.recv() => drop(event.map_err(failed)?),
            () = tokio::time::sleep(REFRESH) => {}
        }
    }
}

fn draw(text: &str, members: usize, in_place: bool) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    if in_place {
        // To the top left corner, and clear what is below.
        write!(out, "\x1b[H\x1b[J{members} members (Ctrl-C ends)\n\n")?;
    }
    out.write_all(text.as_bytes())?;
    if !in_place {
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

const MEMBER_EVENTS: &str = "member-join,member-leave,member-failed,member-update,member-reap";

const REFRESH: Duration = Duration::from_secs(2);
