//! Every object of every recorded conversation is decoded and encoded again.

use std::collections::BTreeMap;

use bytes::BytesMut;
use swim_tokio::rpc::wire::{
    Answer, BadMessage, EventRecord, LogRecord, QueryRecord, Request, RequestHeader, ResponseHeader,
};

use crate::vectors::{Conversation, Side, conversations};

/// How often something was seen.
type Counts = BTreeMap<&'static str, usize>;

#[test]
fn what_an_old_agent_and_client_say_is_written_alike() {
    let mut counts = Counts::new();
    for conversation in conversations("rpc_old.jsonl") {
        replay(&conversation, true, &mut counts);
    }
    assert_eq!(
        counts,
        BTreeMap::from([
            ("answer", 42),
            ("event record", 6),
            ("log record", 403),
            ("query record", 30),
            ("request", 169),
            ("same bytes", 627),
        ])
    );
}

#[test]
fn what_a_new_agent_and_client_say_is_understood() {
    let mut counts = Counts::new();
    for conversation in conversations("rpc_new.jsonl") {
        replay(&conversation, false, &mut counts);
    }
    assert_eq!(
        counts,
        BTreeMap::from([
            ("answer", 42),
            ("event record", 6),
            ("log record", 245),
            ("query record", 30),
            ("request", 160),
            ("same bytes", 458),
        ])
    );
}

/// Reads both directions, as a server and as a client would.
fn replay(conversation: &Conversation, alike: bool, counts: &mut Counts) {
    let id = &conversation.id;
    let requests = requests(conversation, alike, counts);
    let mut values = conversation.values(Side::Server).into_iter();
    let mut answered = BTreeMap::new();
    while let Some(head) = values.next() {
        let header = ResponseHeader::decode(&head).unwrap();
        same(id, "header", &head, true, counts, |out| header.encode(out));
        // A request that was refused before its body was read is not known by its number.
        let Some(command) = requests.get(&header.seq).cloned() else { continue };
        let is_record = answered.insert(header.seq, ()).is_some();
        if header.error == "Authentication required" {
            continue;
        }
        if is_record && header.error.is_empty() && records(&command) {
            let body = values.next().unwrap_or_else(|| panic!("{id}: a header without a record"));
            record(id, &command, &body, alike, counts);
        } else if Answer::follows(&command) {
            let Some(body) = values.next() else { continue };
            let answer = Answer::decode(&command, &body).unwrap().unwrap();
            let in_order = alike && in_order(&answer);
            same(id, "answer", &body, in_order, counts, |out| answer.encode(out));
            assert_eq!(
                Answer::decode(&command, &encoded(|out| answer.encode(out))).unwrap(),
                Some(answer)
            );
        }
    }
}

fn requests(
    conversation: &Conversation,
    alike: bool,
    counts: &mut Counts,
) -> BTreeMap<u64, String> {
    let mut values = conversation.values(Side::Client).into_iter();
    let mut commands = BTreeMap::new();
    while let Some(head) = values.next() {
        let header = RequestHeader::decode(&head).unwrap();
        let Some(has_body) = Request::has_body(&header.command) else { continue };
        let body = if has_body { values.next().unwrap() } else { Default::default() };
        let request = Request::decode(&header.command, &body).unwrap().unwrap();
        assert_eq!(request.command(), header.command);
        let both = [&head[..], &body].concat();
        let in_order = alike && conversation.is_of_cli() && is_ordered(&request, &conversation.id);
        same(&conversation.id, "request", &both, in_order, counts, |out| {
            request.encode(header.seq, out);
        });
        commands.insert(header.seq, header.command);
    }
    commands
}

fn record(id: &str, command: &str, body: &[u8], alike: bool, counts: &mut Counts) {
    match command {
        "stream" => {
            let record = EventRecord::decode(body).unwrap();
            let ordered = match &record {
                EventRecord::Members { members, .. } => members.iter().all(|m| m.tags.len() < 2),
                _ => true,
            };
            same(id, "event record", body, alike && ordered, counts, |out| record.encode(out));
        }
        "monitor" => {
            let record = LogRecord::decode(body).unwrap();
            same(id, "log record", body, true, counts, |out| record.encode(out));
        }
        _ => {
            let record = QueryRecord::decode(body).unwrap();
            same(id, "query record", body, true, counts, |out| record.encode(out));
        }
    }
}

/// Counts, and compares the bytes if they are `alike` by rights.
fn same(
    id: &str,
    what: &'static str,
    bytes: &[u8],
    alike: bool,
    counts: &mut Counts,
    encode: impl FnOnce(&mut BytesMut),
) {
    let ours = encoded(encode);
    assert!(!alike || ours == bytes, "{id}: {what}\n{ours:02x?}\n{bytes:02x?}");
    if what != "header" {
        *counts.entry(what).or_default() += 1;
        *counts.entry("same bytes").or_default() += usize::from(ours == bytes);
    }
}

fn encoded(encode: impl FnOnce(&mut BytesMut)) -> BytesMut {
    let mut out = BytesMut::new();
    encode(&mut out);
    out
}

/// Whether the commands' headers with their numbers are followed by records, after the first.
fn records(command: &str) -> bool {
    matches!(command, "stream" | "monitor" | "query")
}

/// Go writes maps in random order.
fn in_order(answer: &Answer) -> bool {
    match answer {
        Answer::Members(members) => members.iter().all(|member| member.tags.len() < 2),
        Answer::Keys(report) => {
            report.messages.len() < 2 && report.keys.as_ref().is_none_or(|keys| keys.len() < 2)
        }
        Answer::Stats(_) => false,
        _ => true,
    }
}

/// The test of reachability has a nil map of filters, which means what our empty one means.
fn is_ordered(request: &Request, id: &str) -> bool {
    match request {
        Request::Tags { set, .. } => set.len() < 2,
        Request::Query(_) => id != "cli/reachability",
        _ => true,
    }
}

#[test]
fn what_is_wrong_with_a_body_is_said() {
    let decode = |body: &[u8]| Answer::decode("members", body).unwrap_err().to_string();
    assert_eq!(
        decode(b"\x81\xa7Members\x91\x81\xa4Addr\xc4\x03abc"),
        "an address of 3 bytes, neither 4 nor 16"
    );
    assert_eq!(decode(b"\x81\xa7Members\x91\x81\xa6Status\xa4gone"), "member status \"gone\"");
    assert_eq!(EventRecord::decode(b"\x81\xa5Event\xa3new"), Err(BadMessage::Record("new".into())));
}
