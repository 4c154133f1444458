//! What a recorded agent answered, taken apart.

use std::collections::BTreeMap;

use bytes::Bytes;
use swim_tokio::rpc::wire::{
    Answer, EventRecord, LogRecord, QueryRecord, Request, RequestHeader, ResponseHeader,
};

use crate::scripted::{Answers, Reply};
use crate::vectors::{Conversation, Side};

/// What it takes to answer a conversation as it was answered.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) answers: Answers,
    /// Lines that monitors were told of.
    pub(crate) log: Vec<String>,
    /// Records of streams, by the number of the value in the server's direction.
    pub(crate) events: BTreeMap<usize, EventRecord>,
    /// What the server said, by number of request: header and body or nothing, in order.
    pub(crate) said: BTreeMap<u64, Vec<Said>>,
    pub(crate) token: &'static str,
}

/// A header, and what follows it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    pub(crate) header: ResponseHeader,
    pub(crate) body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    None,
    Answer(Answer),
    Event(EventRecord),
    Log(LogRecord),
    Query(QueryRecord),
}

impl Script {
    pub(crate) fn of(conversation: &Conversation) -> Self {
        let values = conversation.values(Side::Server);
        let asks_token = conversation.id.contains("/auth") && !conversation.id.contains("without");
        let mut script = Self { token: if asks_token { "s3cret" } else { "" }, ..Self::default() };
        let commands = commands(conversation);
        script.said = said(&commands, &values, |position, seq, said| {
            if let Body::Event(event) = &said.body {
                script.events.insert(position, event.clone());
            }
            if let Body::Log(line) = &said.body
                && commands[&seq] == "monitor"
            {
                script.log.push(line.0.clone());
            }
        });
        for (seq, said) in &script.said {
            let Some(command) = commands.get(seq) else { continue };
            let mut said = said.iter();
            // A number may have been used twice.
            while let Some(first) = said.next() {
                let answer = match &first.body {
                    Body::Answer(answer) => Some(answer.clone()),
                    Body::None => None,
                    _ => continue,
                };
                let records = said.clone().filter_map(|said| match &said.body {
                    Body::Query(record) if *record != QueryRecord::Done => Some(record.clone()),
                    _ => None,
                });
                let reply =
                    Reply { error: first.header.error.clone(), answer, records: records.collect() };
                script.answers.entry(command.clone()).or_default().push_back(reply);
            }
        }
        script
    }
}

/// The commands of a conversation, by their numbers.
pub(crate) fn commands(conversation: &Conversation) -> BTreeMap<u64, String> {
    let mut values = conversation.values(Side::Client).into_iter();
    let mut commands = BTreeMap::new();
    while let Some(head) = values.next() {
        let header = RequestHeader::decode(&head).unwrap();
        if Request::has_body(&header.command) == Some(true) {
            values.next();
        }
        commands.insert(header.seq, header.command);
    }
    commands
}

/// Takes apart what a server said; tells `each` with its position among the values.
pub(crate) fn said(
    commands: &BTreeMap<u64, String>,
    values: &[Bytes],
    mut each: impl FnMut(usize, u64, &Said),
) -> BTreeMap<u64, Vec<Said>> {
    let mut all: BTreeMap<u64, Vec<Said>> = BTreeMap::new();
    let mut rest = values.iter().enumerate().peekable();
    while let Some((position, head)) = rest.next() {
        let header = ResponseHeader::decode(head).unwrap();
        let command = commands.get(&header.seq).map_or("", String::as_str);
        let earlier = all.entry(header.seq).or_default();
        let mut body = || rest.next().unwrap_or_else(|| panic!("{command}: no body")).1;
        let ok = header.error.is_empty();
        let refused = header.error == "Authentication required";
        let body = match command {
            "stream" if ok && !earlier.is_empty() => {
                Body::Event(EventRecord::decode(body()).unwrap())
            }
            "monitor" if ok && !earlier.is_empty() => Body::Log(LogRecord::decode(body()).unwrap()),
            "query" if ok && !earlier.is_empty() => {
                Body::Query(QueryRecord::decode(body()).unwrap())
            }
            _ if Answer::follows(command) && !refused && header.error != "Handshake required" => {
                Body::Answer(Answer::decode(command, body()).unwrap().unwrap())
            }
            _ => Body::None,
        };
        let said = Said { header, body };
        each(position, said.header.seq, &said);
        earlier.push(said);
    }
    all
}
