//! Events on standard output.

use std::cell::Cell;
use std::io::{self, Write as _};
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use swim_tokio::swim_core::serf::{Change, Event, Member};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::flags::Format;

/// Prints events on a thread of its own: a reader that does not keep up misses events, and is told
/// how many, but does not stop the agent.
pub(crate) struct Printer {
    events: Sender<Event>,
    /// How many were missed and not told yet.
    missed: Cell<u64>,
}

impl Printer {
    pub(crate) fn start(format: Format) -> Self {
        // A channel of the standard library would set aside the room for all events at once.
        let (events, taken) = channel(EVENTS_MAX);
        std::thread::spawn(move || print_all(taken, format));
        Self { events, missed: Cell::new(0) }
    }

    /// Never waits.
    pub(crate) fn print(&self, event: Event) {
        let missed = self.missed.get();
        if missed > 0 && self.events.try_send(Event::Lagged(missed)).is_ok() {
            self.missed.set(0);
        }
        if let Err(TrySendError::Full(_)) = self.events.try_send(event) {
            self.missed.set(self.missed.get() + 1);
        }
    }
}

/// Until the agent ends or nobody reads any more.
fn print_all(mut events: Receiver<Event>, format: Format) {
    while let Some(event) = events.blocking_recv() {
        for object in objects(&event) {
            if write(&object, format).is_err() {
                return tracing::warn!("nobody reads the events any more");
            }
        }
    }
}

fn write(object: &Value, format: Format) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match format {
        Format::Json => writeln!(out, "{object}")?,
        Format::Text => writeln!(out, "{}", text(object))?,
    }
    out.flush()
}

/// What is told of an event; nothing of those that say nothing about members, events or queries.
fn objects(event: &Event) -> Vec<Value> {
    vec![match event {
        Event::Members { change, members } => {
            let event = match change {
                Change::Join => "member-join",
                Change::Leave => "member-leave",
                Change::Failed => "member-failed",
                Change::Update => "member-update",
                Change::Reap => "member-reap",
            };
            return members.iter().map(|member| about(event, member)).collect();
        }
        Event::User(event) => json!({
            "event": "user",
            "name": event.name,
            "ltime": event.ltime,
            "coalesce": event.coalesce,
            "payload": STANDARD.encode(&event.payload),
        }),
        Event::Query(query) => json!({
            "event": "query",
            "name": query.name,
            "ltime": query.ltime,
            "source": query.source,
            "payload": STANDARD.encode(&query.payload),
        }),
        Event::Conflict { existing, other } => {
            let SocketAddrParts { ip, port } = parts(other.addr().canonical());
            let mut object = about("member-conflict", existing);
            object["other_addr"] = ip.into();
            object["other_port"] = port.into();
            object
        }
        Event::Lagged(count) => json!({ "event": "lagged", "count": count }),
        _ => return Vec::new(),
    }]
}

fn about(event: &str, member: &Member) -> Value {
    let SocketAddrParts { ip, port } = parts(member.addr().canonical());
    let tags: serde_json::Map<String, Value> =
        member.tags().iter().map(|(key, value)| (key.into(), value.into())).collect();
    json!({
        "event": event,
        "name": member.name(),
        "addr": ip,
        "port": port,
        "status": member.status().to_string(),
        "tags": tags,
        "versions": member.versions().as_bytes(),
    })
}

struct SocketAddrParts {
    ip: String,
    port: u16,
}

fn parts(addr: SocketAddr) -> SocketAddrParts {
    SocketAddrParts { ip: addr.ip().to_string(), port: addr.port() }
}

/// The same for people: `member-join node-a 10.0.0.1:7946`.
fn text(object: &Value) -> String {
    let string = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| object.get(key).and_then(Value::as_u64).unwrap_or_default();
    let addr = |ip: &str, port: &str| match string(ip) {
        v6 if v6.contains(':') => format!("[{v6}]:{}", number(port)),
        v4 => format!("{v4}:{}", number(port)),
    };
    match string("event") {
        "lagged" => format!("lagged {} events", number("count")),
        event @ ("user" | "query") => {
            format!("{event} {} {}", string("name").escape_debug(), string("payload"))
        }
        "member-conflict" => format!(
            "member-conflict {} {} {}",
            string("name").escape_debug(),
            addr("addr", "port"),
            addr("other_addr", "other_port")
        ),
        event => format!("{event} {} {}", string("name").escape_debug(), addr("addr", "port")),
    }
}

/// Events that wait for their reader.
const EVENTS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line_in_either_form() {
        let object = json!({ "event": "user", "name": "a\nb", "payload": "YQpi", "ltime": 7 });
        assert_eq!(text(&object), r"user a\nb YQpi");
        let lagged = objects(&Event::Lagged(3));
        assert_eq!(text(&lagged[0]), "lagged 3 events");
        assert_eq!(lagged[0].to_string(), r#"{"count":3,"event":"lagged"}"#);
    }
}
