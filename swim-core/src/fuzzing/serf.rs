//! Serf's messages, payloads, tags and coordinates.

use bytes::BytesMut;

use crate::wire::agree;
use crate::wire::serf::{
    Conflict, Coordinate, Filter, KeyRequest, KeyResponse, Message, PushPull, TAGS_BYTES_MAX, Tags,
    encode_tags,
};

/// Bytes where Serf has its own: what decodes is encoded to something that decodes to the same, the
/// two ways of decoding agree, and no list holds more elements than bytes.
pub fn serf(data: &[u8]) {
    if let Some((_, body)) = data.split_first() {
        agree::all_paths_agree(body);
    }
    if let Ok(message) = Message::decode(data) {
        encode(&message, |encoded| {
            assert_eq!(Message::decode(encoded), Ok(message));
        });
        if let Message::Query(query) = message {
            query.filters.into_iter().flatten().for_each(filter);
            query.payload.into_iter().for_each(payload);
        }
        if let Message::Response(response) = message {
            response.payload.into_iter().for_each(payload);
        }
    }
    state(data);
    payload(data);
    filter(data);
    tags(data);
    coordinate(data);
}

fn encode(message: &Message<'_>, check: impl FnOnce(&[u8])) {
    let mut out = BytesMut::new();
    let encoded_len = match message {
        Message::Leave(leave) => {
            leave.encode(&mut out);
            leave.encoded_len()
        }
        Message::Join(join) => {
            join.encode(&mut out);
            join.encoded_len()
        }
        Message::UserEvent(event) => {
            event.encode(&mut out);
            event.encoded_len()
        }
        Message::Query(query) => {
            query.encode(&mut out);
            query.encoded_len()
        }
        Message::Response(response) => {
            response.encode(&mut out);
            response.encoded_len()
        }
        Message::Relay(relay) => {
            relay.encode(&mut out);
            relay.encoded_len()
        }
    };
    assert_eq!(out.len(), encoded_len);
    check(&out);
}

fn state(data: &[u8]) {
    let Ok(state) = PushPull::decode(data) else { return };
    let mut out = BytesMut::new();
    state.encode(&mut out);
    assert_eq!(out.len(), state.encoded_len());
    assert_eq!(PushPull::decode(&out), Ok(state));
    let sets = state.events.into_iter().flatten().flatten();
    let events: usize = sets.map(|set| set.events.map_or(0, |events| events.len())).sum();
    let others = state.left.map_or(0, |left| left.len())
        + state.status_ltimes.map_or(0, |times| times.len());
    assert!(events + others <= data.len());
}

/// What queries and responses of Serf itself hold.
fn payload(data: &[u8]) {
    let mut out = BytesMut::new();
    if let Ok(conflict) = Conflict::decode(data) {
        conflict.encode(&mut out);
        assert_eq!(out.len(), conflict.encoded_len());
        assert_eq!(Conflict::decode(&out), Ok(conflict));
    } else if let Ok(request) = KeyRequest::decode(data) {
        request.encode(&mut out);
        assert_eq!(out.len(), request.encoded_len());
        assert_eq!(KeyRequest::decode(&out), Ok(request));
    } else if let Ok(response) = KeyResponse::decode(data) {
        response.encode(&mut out);
        assert_eq!(out.len(), response.encoded_len());
        assert_eq!(KeyResponse::decode(&out), Ok(response));
    }
}

fn filter(data: &[u8]) {
    let Ok(filter) = Filter::decode(data) else { return };
    let mut out = BytesMut::new();
    filter.encode(&mut out);
    assert_eq!(out.len(), filter.encoded_len());
    assert_eq!(Filter::decode(&out), Ok(filter));
}

fn tags(data: &[u8]) {
    let tags = Tags::decode(data);
    let mut out = BytesMut::new();
    match encode_tags(4, tags.iter(), &mut out) {
        Ok(()) => {
            assert!(out.len() <= TAGS_BYTES_MAX);
            assert!(Tags::decode(&out).iter().eq(tags.iter()));
        }
        Err(_) => assert!(out.is_empty()),
    }
}

fn coordinate(data: &[u8]) {
    let Ok(coordinate) = Coordinate::decode(data) else { return };
    let mut out = BytesMut::new();
    coordinate.encode(&mut out);
    assert_eq!(out.len(), coordinate.encoded_len());
    // NaN is unlike itself, but not its bytes.
    let mut again = BytesMut::new();
    Coordinate::decode(&out).expect("just encoded").encode(&mut again);
    assert_eq!(again, out);
}
