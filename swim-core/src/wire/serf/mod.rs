//! Serf's messages, tags and coordinates: bytes to values and back, without state.
//!
//! What travels inside of memberlist's user messages, push/pull user state, node metadata and acks.
//! The rules are those of [`wire`](crate::wire): decoders borrow and never allocate, encoders
//! append exactly the bytes that Debian's Serf 0.9.4 would (which every Serf and Consul reads), and
//! the signed formats of newer ones are read as well. Section numbers in this module are those of
//! the Serf specification.
//!
//! * [`Message`] is what gossip and direct datagrams carry; [`PushPull`] is the state of a stream;
//! * [`Conflict`], [`KeyRequest`] and [`KeyResponse`] are payloads of queries and their responses;
//! * [`Filter`] is an element of [`Query::filters`];
//! * [`Tags`] are the metadata of a node, [`Coordinate`] the payload of its acks.
//!
//! Lists stay in the bytes they came in: a [`List`] was checked as a whole when its message was
//! decoded, and hands out its elements one by one.
//!
//! Names are bytes, and which nodes, tags or events make sense is for the state machine to judge.
//! So is what is too long to be sent: [`TooLong`] has the checks of section 1.7.

mod conflict;
mod coordinate;
mod filter;
mod intent;
mod key;
mod kind;
mod limits;
mod list;
mod message;
mod push_pull;
mod query;
mod relay;
mod response;
mod tags;
mod user_event;

#[cfg(test)]
mod proptests;

pub use conflict::{Conflict, MemberRecord};
pub use coordinate::Coordinate;
pub use filter::Filter;
pub use intent::{Join, Leave};
pub use key::{KeyRequest, KeyResponse};
pub use kind::Kind;
pub use limits::{
    QUERY_BYTES, RESPONSE_BYTES, TAGS_BYTES_MAX, TooLong, USER_EVENT_BYTES, USER_EVENT_BYTES_MAX,
};
pub use list::{Items, List};
pub use message::Message;
pub use push_pull::{Event, EventSet, PushPull, PushPullFields, Slot};
pub use query::Query;
pub use relay::{Destination, Relay};
pub use response::Response;
pub use tags::{Tags, encode_tags};
pub use user_event::UserEvent;
