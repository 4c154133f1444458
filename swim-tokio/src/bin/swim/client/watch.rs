//! `swim members --watch`.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use super::members::{filter, table};
use super::{Failure, connect};
use crate::flags::MembersFlags;

/// Draws the table anew whenever a member or the size of the terminal changes, in place and no
/// larger than the terminal; without a terminal it prints each changed table below the last one.
/// Ends when the agent does.
pub(super) async fn run(flags: &MembersFlags) -> Result<(), Failure> {
    let filter = filter(flags)?;
    let client = connect(&flags.rpc).await?;
    let failed = |e| Failure::of("Error retrieving members", &e);
    let mut events = client.stream(MEMBER_EVENTS).await.map_err(failed)?;
    let in_place = std::io::stdout().is_terminal();
    let mut resizes = Resizes::new()?;
    let mut shown = String::new();
    loop {
        let mut members = client.members_filtered(filter.clone()).await.map_err(failed)?;
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let text = table(&members, flags.detailed);
        let text = if in_place { frame(&text, members.len(), size()) } else { text + "\n" };
        if text != shown {
            let mut out = std::io::stdout().lock();
            out.write_all(text.as_bytes())?;
            out.flush()?;
            shown = text;
        }
        // Agents gather events for a second before they tell of them; some changes are none.
        tokio::select! {
            event = events.recv() => drop(event.map_err(failed)?),
            () = resizes.next() => {}
            () = tokio::time::sleep(REFRESH) => {}
        }
    }
}

/// Columns and rows of a terminal.
type Size = (usize, usize);

/// What shows the table from the top left corner on, and clears what was there: as many rows as the
/// terminal has, none longer than it is wide, and how many more there would be.
fn frame(table: &str, members: usize, size: Option<Size>) -> String {
    let (columns, rows) = size.unwrap_or((usize::MAX, usize::MAX));
    let mut lines = vec![format!("{members} members (Ctrl-C ends)"), String::new()];
    lines.extend(table.lines().map(Into::into));
    if lines.len() > rows {
        let hidden = lines.len() - rows.max(1) + 1;
        lines.truncate(rows.max(1) - 1);
        lines.push(format!("... and {hidden} more: the terminal is too small"));
    }
    // Names and tags are what members say of themselves; none shall drive the terminal.
    let harmless = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let lines = lines.iter().map(|l| l.chars().map(harmless).take(columns).collect::<String>());
    // No newline at the end, which would move all up in a terminal that is full.
    format!("\x1b[H\x1b[J{}", lines.collect::<Vec<_>>().join("\n"))
}

/// Of the terminal on standard output, if it says.
#[cfg(unix)]
fn size() -> Option<Size> {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    let (columns, rows) = (usize::from(size.ws_col), usize::from(size.ws_row));
    (columns > 0 && rows > 0).then_some((columns, rows))
}

#[cfg(not(unix))]
fn size() -> Option<Size> {
    None
}

/// Tells when the terminal has another size.
struct Resizes {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Resizes {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            #[cfg(unix)]
            signal: {
                use tokio::signal::unix::{SignalKind, signal};

                let cannot = |e| Failure::new(format!("cannot handle signals: {e}"));
                signal(SignalKind::window_change()).map_err(cannot)?
            },
        })
    }

    /// Cancel safe.
    async fn next(&mut self) {
        #[cfg(unix)]
        if self.signal.recv().await.is_some() {
            return;
        }
        std::future::pending().await
    }
}

const MEMBER_EVENTS: &str = "member-join,member-leave,member-failed,member-update,member-reap";

const REFRESH: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_fits_the_terminal_and_says_what_is_hidden() {
        let table = "a  10.0.0.1\nb  10.0.0.2\nc  10.0.0.3\n";
        let clear = "\x1b[H\x1b[J";
        let head = "3 members (Ctrl-C ends)\n\n";
        let all = format!("{clear}{head}{}", table.trim_end());
        for size in [None, Some((80, 24)), Some((80, 5))] {
            assert_eq!(frame(table, 3, size), all);
        }
        let more = |hidden| format!("... and {hidden} more: the terminal is too small");
        let four = format!("{clear}{head}a  10.0.0.1\n{}", more(2));
        assert_eq!(frame(table, 3, Some((80, 4))), four);
        assert_eq!(frame(table, 3, Some((80, 1))), format!("{clear}{}", more(5)));
        for (columns, rows) in [(4, 3), (1, 1), (7, 5), (20, 4)] {
            let frame = frame(table, 3, Some((columns, rows)));
            let lines: Vec<_> = frame.strip_prefix(clear).unwrap().split('\n').collect();
            assert!(lines.len() <= rows && lines.iter().all(|line| line.len() <= columns));
        }
    }
}
