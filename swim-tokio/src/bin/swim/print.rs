//! Events on standard output.

use std::io::{self, Write as _};
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use swim_tokio::swim_core::{Cause, Member, Via};
use swim_tokio::{Event, Events};

use crate::flags::Format;

/// Prints events until the agent stops or nobody reads them any more. Runs on a thread of its own:
/// a reader that does not keep up misses events, and is told how many, but does not stop the node.
pub(crate) fn print(mut events: Events, format: Format) {
    while let Some(event) = events.blocking_recv() {
        let Some(line) = line(&event, format) else { continue };
        let mut out = io::stdout().lock();
        let printed = writeln!(out, "{line}").and_then(|()| out.flush());
        if printed.is_err() {
            tracing::warn!("nobody reads the events any more");
            return;
        }
    }
}

/// The line for an event; `None` for those that say nothing about members or messages.
fn line(event: &Event, format: Format) -> Option<String> {
    let object = object(event)?;
    Some(match format {
        Format::Json => object.to_string(),
        Format::Text => text(&object),
    })
}

fn object(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Up(member) => about("member-join", member),
        Event::Down { member, cause: Cause::Failed, .. } => about("member-failed", member),
        Event::Down { member, cause: Cause::Left, .. } => about("member-leave", member),
        Event::Changed(member) => about("member-update", member),
        Event::Reaped(member) => about("member-reap", member),
        Event::Conflict { existing, other } => {
            let SocketAddrParts { ip, port } = parts(other.addr().canonical());
            let mut object = about("member-conflict", existing);
            object["other_addr"] = ip.into();
            object["other_port"] = port.into();
            object
        }
        Event::Message { from, via, payload } => {
            let SocketAddrParts { ip, port } = parts(*from);
            let via = if *via == Via::Stream { "stream" } else { "datagram" };
            let payload = STANDARD.encode(payload);
            json!({ "event": "message", "addr": ip, "port": port, "via": via, "payload": payload })
        }
        Event::Lagged(count) => json!({ "event": "lagged", "count": count }),
        _ => return None,
    })
}

fn about(event: &str, member: &Member) -> Value {
    let SocketAddrParts { ip, port } = parts(member.addr().canonical());
    json!({
        "event": event,
        "name": member.name(),
        "addr": ip,
        "port": port,
        "incarnation": member.incarnation().0,
        "meta": STANDARD.encode(member.meta()),
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
        "message" => {
            format!("message {} {} {}", addr("addr", "port"), string("via"), string("payload"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_in_either_form() {
        let event = Event::Message {
            from: "[::1]:7".parse().unwrap(),
            via: Via::Stream,
            payload: b"a\nb".to_vec().into(),
        };
        assert_eq!(
            line(&event, Format::Json).unwrap(),
            r#"{"addr":"::1","event":"message","payload":"YQpi","port":7,"via":"stream"}"#
        );
        assert_eq!(line(&event, Format::Text).unwrap(), "message [::1]:7 stream YQpi");
        assert_eq!(line(&Event::Lagged(3), Format::Text).unwrap(), "lagged 3 events");
    }
}
