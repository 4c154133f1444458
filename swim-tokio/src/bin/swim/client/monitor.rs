//! `swim monitor`.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::IpAddr;
use std::pin::pin;

use swim_tokio::rpc::ClientError;
use swim_tokio::rpc::wire::{EventRecord, Member};

use super::{Failure, connect};
use crate::flags::MonitorFlags;

/// Prints until it is interrupted, which is no failure, or the agent ends, which is one.
pub(super) async fn run(flags: &MonitorFlags) -> Result<(), Failure> {
    let client = connect(&flags.rpc).await?;
    let events = client.stream("*").await;
    let mut events = events.map_err(|e| Failure::of("Error starting stream", &e))?;
    let log = client.monitor(&flags.log_level).await;
    let mut log = log.map_err(|e| Failure::of("Error starting monitor", &e))?;
    let mut interrupt = pin!(tokio::signal::ctrl_c());
    loop {
        let text = tokio::select! {
            _ = &mut interrupt => return Ok(()),
            line = log.recv() => line.map(|line| line.map(|line| line.0)),
            event = events.recv() => event.map(|event| event.map(|event| describe(&event))),
        };
        match text {
            Ok(Some(text)) => {
                let mut out = std::io::stdout().lock();
                writeln!(out, "{text}")?;
                out.flush()?;
            }
            Ok(None) | Err(ClientError::Closed) => {
                return Err(Failure::new(
                    "\nRemote side ended the monitor! This usually means that the\n\
                     remote side has exited or crashed.",
                ));
            }
            Err(e) => return Err(Failure::of("Error reading from the agent", &e)),
        }
    }
}

/// An event in the form of `serf monitor`, which is Go's notation for values.
fn describe(event: &EventRecord) -> String {
    let mut text = String::from("Event Info:");
    let mut line = |key: &str, value: &str| {
        let _ = write!(text, "\n\t{key}: {value}");
    };
    match event {
        EventRecord::Members { change, members } => {
            line("Event", &format!("{:?}", change.as_str()));
            let members = members.iter().map(go_member).collect::<Vec<_>>().join(", ");
            line("Members", &format!("[]interface {{}}{{{members}}}"));
        }
        EventRecord::User { ltime, name, payload, coalesce } => {
            line("Event", "\"user\"");
            line("LTime", &go_number(*ltime));
            line("Name", &format!("{name:?}"));
            line("Payload", &go_bytes("[]byte", payload));
            line("Coalesce", &coalesce.to_string());
        }
        EventRecord::Query { id, ltime, name, payload } => {
            line("Event", "\"query\"");
            line("ID", &go_number(*id));
            line("LTime", &go_number(*ltime));
            line("Name", &format!("{name:?}"));
            line("Payload", &go_bytes("[]byte", payload));
        }
        other => line("Event", &format!("{other:?}")),
    }
    text
}

fn go_member(member: &Member) -> String {
    let ip = match member.addr.ip() {
        IpAddr::V4(ip) => go_bytes("[]uint8", &ip.octets()),
        IpAddr::V6(ip) => go_bytes("[]uint8", &ip.octets()),
    };
    let tags = member.tags.iter().map(|(key, value)| format!("{key:?}:{value:?}"));
    let tags = tags.collect::<Vec<_>>().join(", ");
    let [d_min, d_max, d_cur] = member.delegate;
    let [p_min, p_max, p_cur] = member.protocol;
    let (name, port, status) = (&member.name, member.addr.port(), member.status.as_str());
    let map = "map[interface {}]interface {}";
    format!(
        "{map}{{\"Addr\":{ip}, \"DelegateCur\":{d_cur}, \"DelegateMax\":{d_max}, \
         \"DelegateMin\":{d_min}, \"Name\":{name:?}, \"Port\":{}, \"ProtocolCur\":{p_cur}, \
         \"ProtocolMax\":{p_max}, \"ProtocolMin\":{p_min}, \"Status\":{status:?}, \
         \"Tags\":{map}{{{tags}}}}}",
        go_number(port.into())
    )
}

/// Small numbers arrive as signed, which Go prints in decimal; others in hex.
fn go_number(n: u64) -> String {
    if n < 128 { n.to_string() } else { format!("{n:#x}") }
}

fn go_bytes(kind: &str, bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "<nil>".into();
    }
    let bytes = bytes.iter().map(|byte| format!("{byte:#x}")).collect::<Vec<_>>().join(", ");
    format!("{kind}{{{bytes}}}")
}
