//! What streams tell (section 8.4).

use std::fmt;

use bytes::{Bytes, BytesMut};
use swim_core::wire::msgpack::Reader;

use super::answer::write_members;
use super::read::{bytes, fields, list, single, text};
use super::write::Writer;
use super::{BadMessage, Member};

/// A record of `stream`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventRecord {
    /// Something happened to members.
    Members {
        /// What.
        change: MemberChange,
        /// To whom.
        members: Vec<Member>,
    },
    /// A user event.
    User {
        /// When it was issued, by the cluster's clock of events.
        ltime: u64,
        /// Its name.
        name: String,
        /// Its payload.
        payload: Bytes,
        /// Whether a later one of the same name may stand for it.
        coalesce: bool,
    },
    /// A query, to be answered by [`Respond`](super::Request::Respond).
    Query {
        /// Names it on this connection.
        id: u64,
        /// When it was issued, by the cluster's clock of queries.
        ltime: u64,
        /// Its name.
        name: String,
        /// Its payload.
        payload: Bytes,
    },
}

/// What can happen to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MemberChange {
    /// It is there.
    Join,
    /// It has left.
    Leave,
    /// It does not answer any more.
    Failed,
    /// Its tags or its address have changed.
    Update,
    /// It is forgotten.
    Reap,
}

impl MemberChange {
    /// Its name in filters and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Join => "member-join",
            Self::Leave => "member-leave",
            Self::Failed => "member-failed",
            Self::Update => "member-update",
            Self::Reap => "member-reap",
        }
    }

    /// The change of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Self::Join, Self::Leave, Self::Failed, Self::Update, Self::Reap];
        all.into_iter().find(|change| change.as_str() == name)
    }
}

impl fmt::Display for MemberChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl EventRecord {
    /// # Errors
    ///
    /// [`BadMessage`] says what is wrong with the bytes.
    pub fn decode(record: &[u8]) -> Result<Self, BadMessage> {
        let (mut event, mut members) = (String::new(), Vec::new());
        let (mut id, mut ltime, mut coalesce) = (0, 0, false);
        let (mut name, mut payload) = (String::new(), Bytes::new());
        let names = ["Event", "Members", "ID", "LTime", "Name", "Payload", "Coalesce"];
        fields(&mut Reader::new(record), &names, |field, from| {
            match field {
                "Event" => event = text(from)?,
                "Members" => members = list(from, Member::read)?,
                "ID" => id = from.u64()?,
                "LTime" => ltime = from.u64()?,
                "Name" => name = text(from)?,
                "Payload" => payload = bytes(from)?,
                _ => coalesce = from.bool()?,
            }
            Ok(())
        })?;
        Ok(match event.as_str() {
            "user" => Self::User { ltime, name, payload, coalesce },
            "query" => Self::Query { id, ltime, name, payload },
            other => match MemberChange::from_name(other) {
                Some(change) => Self::Members { change, members },
                None => return Err(BadMessage::Record(event)),
            },
        })
    }

    /// Appends the record.
    pub fn encode(&self, out: &mut BytesMut) {
        let mut to = Writer::new(out);
        match self {
            Self::Members { change, members } => {
                to.map(2).text("Event").text(change.as_str());
                write_members(&mut to, members);
            }
            Self::User { ltime, name, payload, coalesce } => {
                to.map(5).text("Coalesce").bool(*coalesce).text("Event").text("user");
                to.text("LTime").uint(*ltime).text("Name").text(name);
                to.text("Payload").bytes(payload);
            }
            Self::Query { id, ltime, name, payload } => {
                to.map(5).text("Event").text("query").text("ID").uint(*id);
                to.text("LTime").uint(*ltime).text("Name").text(name);
                to.text("Payload").bytes(payload);
            }
        }
    }
}

/// A record of `monitor`: one line of the agent's log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a line is a line")]
pub struct LogRecord(pub String);

impl LogRecord {
    /// # Errors
    ///
    /// [`BadMessage`] says what is wrong with the bytes.
    pub fn decode(record: &[u8]) -> Result<Self, BadMessage> {
        single(&mut Reader::new(record), "Log", text).map(Self)
    }

    /// Appends the record.
    pub fn encode(&self, out: &mut BytesMut) {
        Writer::new(out).map(1).text("Log").text(&self.0);
    }
}

/// A record of `query`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryRecord {
    /// A node has the query. When the query ends, an agent may tell of one without a name: ignore
    /// it.
    Ack {
        /// The node.
        from: String,
    },
    /// A node answers. Without a name: as above.
    Response {
        /// The node.
        from: String,
        /// The answer.
        payload: Bytes,
    },
    /// The time for answers is over. It is the last record.
    Done,
}

impl QueryRecord {
    /// # Errors
    ///
    /// [`BadMessage`] says what is wrong with the bytes.
    pub fn decode(record: &[u8]) -> Result<Self, BadMessage> {
        let (mut kind, mut sender, mut payload) = (String::new(), String::new(), Bytes::new());
        fields(&mut Reader::new(record), &["Type", "From", "Payload"], |field, from| {
            match field {
                "Type" => kind = text(from)?,
                "From" => sender = text(from)?,
                _ => payload = bytes(from)?,
            }
            Ok(())
        })?;
        Ok(match kind.as_str() {
            "ack" => Self::Ack { from: sender },
            "response" => Self::Response { from: sender, payload },
            "done" => Self::Done,
            _ => return Err(BadMessage::Record(kind)),
        })
    }

    /// Appends the record.
    pub fn encode(&self, out: &mut BytesMut) {
        let (kind, from, payload): (_, &str, &[u8]) = match self {
            Self::Ack { from } => ("ack", from, b""),
            Self::Response { from, payload } => ("response", from, payload),
            Self::Done => ("done", "", b""),
        };
        Writer::new(out)
            .map(3)
            .text("From")
            .text(from)
            .text("Payload")
            .bytes(payload)
            .text("Type")
            .text(kind);
    }
}
