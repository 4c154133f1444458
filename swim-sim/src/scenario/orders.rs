//! Commands in a timeline: what nodes are told, apart from what befalls them.

use swim_core::serf::Tags;

use super::Result;
use super::read::{Field, Section};
use super::timeline::Verb;
use super::who::{names, text as who_text, who};
use super::write::{Entry, quoted};
use crate::fault::{EVENT_BYTES_MIN, Order, Who};

/// Reads the keys of a command, all but who gets it.
pub(super) fn read(verb: Verb, entry: &mut Section<'_>, nodes: u32) -> Result<Order> {
    Ok(match verb {
        Verb::Broadcast => Order::Broadcast(payload(entry)?),
        Verb::Meta => Order::SetMeta(payload(entry)?),
        Verb::Event => {
            let field = entry.take("bytes");
            let (least, most) = (EVENT_BYTES_MIN.into(), EVENT_BYTES_MAX);
            let bytes = field.map_or(Ok(least), |bytes| bytes.integer(least, most))? as u32;
            Order::Event { name: name(entry, "event")?, bytes }
        }
        Verb::Query => {
            let deadline = entry.take("deadline").map(|deadline| deadline.time()).transpose()?;
            let ack = entry.take("ack").map_or(Ok(false), |ack| ack.flag())?;
            let relay = entry.take("relay").map_or(Ok(0), |relay| relay.integer(0, RELAYS_MAX))?;
            Order::Query { name: name(entry, "query")?, deadline, ack, relay: relay as u8 }
        }
        Verb::ForceLeave => {
            let of = who(&entry.need("of")?, nodes)?;
            let prune = entry.take("prune").map_or(Ok(false), |prune| prune.flag())?;
            Order::ForceLeave { of, prune }
        }
        Verb::Tags => Order::Tags(tags(&entry.need("tags")?)?),
        _ => {
            let by = entry.need("by")?;
            match who(&by, nodes)? {
                Who::Node(node) => Order::Join(vec![node]),
                Who::Nodes(nodes) => Order::Join(nodes),
                _ => return Err(by.wrong("named nodes, such as \"n0 n1\"")),
            }
        }
    })
}

fn payload(entry: &mut Section<'_>) -> Result<String> {
    Ok(entry.need("payload")?.str("a text")?.to_owned())
}

fn name(entry: &mut Section<'_>, usual: &str) -> Result<String> {
    let Some(field) = entry.take("name") else { return Ok(usual.to_owned()) };
    let expected = "a name of 1 to 64 bytes that does not start with _serf_";
    let name = field.str(expected)?;
    let fits = (1..=NAME_MAX).contains(&name.len()) && !name.starts_with("_serf_");
    if fits { Ok(name.to_owned()) } else { Err(field.wrong(expected)) }
}

fn tags(field: &Field<'_>) -> Result<Tags> {
    let expected = "an array of tags, such as [\"role=web\", \"dc=east\"]";
    let mut pairs = Vec::new();
    for tag in field.list(expected)? {
        let pair = tag.str(expected)?.split_once('=').ok_or_else(|| tag.wrong(expected))?;
        pairs.push(pair);
    }
    Tags::new(pairs).map_err(|e| field.refused(e))
}

/// Writes the keys of a command, all but who gets it.
pub(super) fn write(order: &Order, out: &mut Entry) {
    match order {
        Order::Broadcast(payload) | Order::SetMeta(payload) => out.text("payload", payload),
        Order::Join(seeds) => out.text("by", &names(seeds)),
        Order::Event { name, bytes } => {
            out.text("name", name);
            out.plain("bytes", bytes);
        }
        Order::Query { name, deadline, ack, relay } => {
            out.text("name", name);
            if let Some(deadline) = deadline {
                out.time("deadline", *deadline);
            }
            out.plain("ack", ack);
            out.plain("relay", relay);
        }
        Order::ForceLeave { of, prune } => {
            out.text("of", &who_text(of));
            out.plain("prune", prune);
        }
        Order::Tags(tags) => {
            let tags = tags.iter().map(|(name, value)| quoted(&format!("{name}={value}")));
            out.plain("tags", format_args!("[{}]", tags.collect::<Vec<_>>().join(", ")));
        }
    }
}

/// Bytes of the name of an event or query at most.
const NAME_MAX: usize = 64;

/// Bytes of a user event's payload at most, so that its name and header fit Serf's default of 512.
const EVENT_BYTES_MAX: i64 = 400;

/// Nodes that relay an answer at most.
const RELAYS_MAX: i64 = 255;
