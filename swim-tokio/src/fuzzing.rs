//! What the fuzz targets of this crate do, one function each. Not part of the API: `fuzz/` calls
//! it, and a test replays the corpus on the stable toolchain.

use bytes::BytesMut;

use crate::rpc::wire::{
    Answer, EventRecord, Frames, LogRecord, QueryRecord, Request, RequestHeader, ResponseHeader,
};

/// A stream of the agent protocol: it falls into the same values however it is cut, a value within
/// the bound ends or is refused, and what decodes is encoded to something that decodes to the same.
pub fn rpc(data: &[u8]) {
    let Some((cut, data)) = data.split_first() else { return };
    let whole = values(data, data.len().max(1));
    assert_eq!(whole, values(data, usize::from(*cut).max(1)), "pieces change nothing");
    let mut command = String::new();
    for value in whole {
        if let Ok(header) = RequestHeader::decode(&value) {
            let again = encoded(|out| header.encode(out));
            assert_eq!(RequestHeader::decode(&again).as_ref(), Ok(&header));
            command = header.command;
        }
        if let Ok(header) = ResponseHeader::decode(&value) {
            let again = encoded(|out| header.encode(out));
            assert_eq!(ResponseHeader::decode(&again), Ok(header));
        }
        for command in COMMANDS.iter().copied().chain([command.as_str()]) {
            request(command, &value);
            answer(command, &value);
        }
        records(&value);
    }
}

/// The values of a stream that comes in pieces of so many bytes.
fn values(data: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let mut frames = Frames::new(BYTES_MAX);
    let mut values = Vec::new();
    for piece in data.chunks(piece) {
        frames.buffer().extend_from_slice(piece);
        loop {
            match frames.take() {
                Ok(Some(value)) => {
                    assert!(!value.is_empty() && value.len() <= BYTES_MAX);
                    values.push(value.to_vec());
                }
                Ok(None) => break,
                Err(_) => return values,
            }
        }
    }
    values
}

fn request(command: &str, body: &[u8]) {
    let Ok(Some(request)) = Request::decode(command, body) else { return };
    let again = encoded(|out| request.encode(7, out));
    let [header, body @ ..] = &values(&again, again.len())[..] else {
        panic!("a request has a header")
    };
    let header = RequestHeader::decode(header).expect("just encoded");
    let body = body.first().map(Vec::as_slice).unwrap_or_default();
    assert_eq!(Request::decode(&header.command, body), Ok(Some(request)));
}

fn answer(command: &str, body: &[u8]) {
    let Ok(Some(answer)) = Answer::decode(command, body) else { return };
    let again = encoded(|out| answer.encode(out));
    // NaN is unlike itself, but not its bytes.
    let decoded = Answer::decode(command, &again).expect("just encoded").expect("a body");
    assert_eq!(encoded(|out| decoded.encode(out)), again);
}

fn records(value: &[u8]) {
    if let Ok(record) = EventRecord::decode(value) {
        let again = encoded(|out| record.encode(out));
        assert_eq!(EventRecord::decode(&again), Ok(record));
    }
    if let Ok(record) = LogRecord::decode(value) {
        let again = encoded(|out| record.encode(out));
        assert_eq!(LogRecord::decode(&again), Ok(record));
    }
    if let Ok(record) = QueryRecord::decode(value) {
        let again = encoded(|out| record.encode(out));
        assert_eq!(QueryRecord::decode(&again), Ok(record));
    }
}

fn encoded(write: impl FnOnce(&mut BytesMut)) -> BytesMut {
    let mut out = BytesMut::new();
    write(&mut out);
    out
}

/// A configuration file: it is read or refused with a reason, and merging it with itself, and into
/// nothing, is possible whatever it says.
#[cfg(feature = "agent")]
pub fn config(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    match crate::agent::AgentConfig::parse(text) {
        Ok(config) => {
            let mut merged = crate::agent::AgentConfig::default();
            merged.merge(config.clone());
            merged.merge(config);
        }
        Err(why) => assert!(!why.is_empty()),
    }
}

const BYTES_MAX: usize = 1 << 16;

const COMMANDS: [&str; 10] = [
    "handshake",
    "event",
    "join",
    "members-filtered",
    "tags",
    "stream",
    "query",
    "respond",
    "get-coordinate",
    "install-key",
];
