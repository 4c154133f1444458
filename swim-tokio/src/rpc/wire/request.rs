//! What a client asks for (section 8.3).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use swim_core::wire::msgpack::Reader;

use super::read::{bytes, fields, list, map, single, text};
use super::write::Writer;
use super::{BadMessage, RequestHeader};

/// A command with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Request {
    /// Opens the session, in this version of the protocol.
    Handshake(i64),
    /// Shows the token that the agent asks for.
    Auth(String),
    /// Sends a user event to all.
    Event(UserEvent),
    /// Makes a failed node one that has left.
    ForceLeave {
        /// Its name.
        node: String,
        /// Whether it is forgotten at once.
        prune: bool,
    },
    /// Joins other nodes.
    Join {
        /// Their addresses, perhaps with names before them: `node/10.0.0.1:7946`.
        existing: Vec<String>,
        /// Whether user events of the past are wanted.
        replay: bool,
    },
    /// Asks for all members.
    Members,
    /// Asks for some of them.
    MembersFiltered(MemberFilter),
    /// Changes the agent's own tags; deletes first.
    Tags {
        /// What to set.
        set: BTreeMap<String, String>,
        /// What to delete.
        delete: Vec<String>,
    },
    /// Asks for events; the filter is a list with commas, `*` is all.
    Stream(String),
    /// Asks for log lines from this level upwards.
    Monitor(String),
    /// Ends the stream that the request of this number began.
    Stop(u64),
    /// Makes the agent leave the cluster and end.
    Leave,
    /// Asks nodes a question.
    Query(Query),
    /// Answers a query that a stream told of.
    Respond {
        /// Its number in that record.
        id: u64,
        /// The answer.
        payload: Bytes,
    },
    /// Gives all nodes this key (in base64).
    InstallKey(String),
    /// Makes all nodes seal with this key (in base64).
    UseKey(String),
    /// Takes this key (in base64) from all nodes.
    RemoveKey(String),
    /// Asks all nodes for their keys.
    ListKeys,
    /// Asks for figures.
    Stats,
    /// Asks for the coordinate of this node.
    Coordinate(String),
    /// Asks what was said of this node. Serf's agents do not know this command.
    Why(String),
}

/// A user event to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserEvent {
    /// Its name.
    pub name: String,
    /// Its payload.
    pub payload: Bytes,
    /// Whether a later one of the same name may stand for it.
    pub coalesce: bool,
}

impl UserEvent {
    /// An event.
    pub fn new(name: impl Into<String>, payload: impl Into<Bytes>, coalesce: bool) -> Self {
        Self { name: name.into(), payload: payload.into(), coalesce }
    }
}

/// Which members are asked for: those that match all of these regular expressions from end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MemberFilter {
    /// Expressions for values of tags; a member without the tag has the empty value.
    pub tags: BTreeMap<String, String>,
    /// For the status; empty for any.
    pub status: String,
    /// For the name; empty for any.
    pub name: String,
}

/// A query to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Query {
    /// Its name.
    pub name: String,
    /// Its payload.
    pub payload: Bytes,
    /// Nodes that are asked; all if there are none.
    pub nodes: Vec<String>,
    /// Regular expressions that the tags of those who are asked match somewhere.
    pub tags: BTreeMap<String, String>,
    /// Whether each node is to say that it has the query.
    pub ack: bool,
    /// Nodes through which each answer is relayed in addition.
    pub relay_factor: u8,
    /// How long answers are taken; zero for what suits the size of the cluster.
    pub timeout: Duration,
}

impl Query {
    /// A query to all nodes, without acknowledgements.
    pub fn new(name: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self { name: name.into(), payload: payload.into(), ..Self::default() }
    }
}

impl Request {
    /// The name of the command.
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Handshake(_) => "handshake",
            Self::Auth(_) => "auth",
            Self::Event(_) => "event",
            Self::ForceLeave { .. } => "force-leave",
            Self::Join { .. } => "join",
            Self::Members => "members",
            Self::MembersFiltered(_) => "members-filtered",
            Self::Tags { .. } => "tags",
            Self::Stream(_) => "stream",
            Self::Monitor(_) => "monitor",
            Self::Stop(_) => "stop",
            Self::Leave => "leave",
            Self::Query(_) => "query",
            Self::Respond { .. } => "respond",
            Self::InstallKey(_) => "install-key",
            Self::UseKey(_) => "use-key",
            Self::RemoveKey(_) => "remove-key",
            Self::ListKeys => "list-keys",
            Self::Stats => "stats",
            Self::Coordinate(_) => "get-coordinate",
            Self::Why(_) => "why",
        }
    }

    /// Whether a body follows the header of this command; `None` if there is no such command.
    pub fn has_body(command: &str) -> Option<bool> {
        match command {
            "members" | "leave" | "list-keys" | "stats" => Some(false),
            "handshake" | "auth" | "event" | "force-leave" | "join" | "members-filtered"
            | "tags" | "stream" | "monitor" | "stop" | "query" | "respond" | "install-key"
            | "use-key" | "remove-key" | "get-coordinate" | "why" => Some(true),
            _ => None,
        }
    }

    /// Decodes the body of `command`, of which there must be one; `None` if there is no such
    /// command. The body is not looked at if the command has none.
    ///
    /// # Errors
    ///
    /// [`BadMessage`] says what is wrong with the bytes.
    pub fn decode(command: &str, body: &[u8]) -> Result<Option<Self>, BadMessage> {
        let from = &mut Reader::new(body);
        Ok(Some(match command {
            "handshake" => Self::Handshake(single(from, "Version", |from| Ok(from.i64()?))?),
            "auth" => Self::Auth(single(from, "AuthKey", text)?),
            "event" => Self::Event(UserEvent::read(from)?),
            "force-leave" => {
                let (mut node, mut prune) = (String::new(), false);
                fields(from, &["Node", "Prune"], |name, from| {
                    match name {
                        "Node" => node = text(from)?,
                        _ => prune = from.bool()?,
                    }
                    Ok(())
                })?;
                Self::ForceLeave { node, prune }
            }
            "join" => {
                let (mut existing, mut replay) = (Vec::new(), false);
                fields(from, &["Existing", "Replay"], |name, from| {
                    match name {
                        "Existing" => existing = list(from, text)?,
                        _ => replay = from.bool()?,
                    }
                    Ok(())
                })?;
                Self::Join { existing, replay }
            }
            "members" => Self::Members,
            "members-filtered" => Self::MembersFiltered(MemberFilter::read(from)?),
            "tags" => {
                let (mut set, mut delete) = (BTreeMap::new(), Vec::new());
                fields(from, &["Tags", "DeleteTags"], |name, from| {
                    match name {
                        "Tags" => set = map(from, text)?,
                        _ => delete = list(from, text)?,
                    }
                    Ok(())
                })?;
                Self::Tags { set, delete }
            }
            "stream" => Self::Stream(single(from, "Type", text)?),
            "monitor" => Self::Monitor(single(from, "LogLevel", text)?),
            "stop" => Self::Stop(single(from, "Stop", |from| Ok(from.u64()?))?),
            "leave" => Self::Leave,
            "query" => Self::Query(Query::read(from)?),
            "respond" => {
                let (mut id, mut payload) = (0, Bytes::new());
                fields(from, &["ID", "Payload"], |name, from| {
                    match name {
                        "ID" => id = from.u64()?,
                        _ => payload = bytes(from)?,
                    }
                    Ok(())
                })?;
                Self::Respond { id, payload }
            }
            "install-key" => Self::InstallKey(single(from, "Key", text)?),
            "use-key" => Self::UseKey(single(from, "Key", text)?),
            "remove-key" => Self::RemoveKey(single(from, "Key", text)?),
            "list-keys" => Self::ListKeys,
            "stats" => Self::Stats,
            "get-coordinate" => Self::Coordinate(single(from, "Node", text)?),
            "why" => Self::Why(single(from, "Node", text)?),
            _ => return Ok(None),
        }))
    }

    /// Appends header and body.
    pub fn encode(&self, seq: u64, out: &mut BytesMut) {
        RequestHeader::new(self.command(), seq).encode(out);
        let mut to = Writer::new(out);
        match self {
            Self::Members | Self::Leave | Self::ListKeys | Self::Stats => {}
            Self::Handshake(version) => {
                to.map(1).text("Version").int(*version);
            }
            Self::Auth(token) => {
                to.map(1).text("AuthKey").text(token);
            }
            Self::Event(event) => {
                to.map(3).text("Coalesce").bool(event.coalesce).text("Name").text(&event.name);
                to.text("Payload").bytes(&event.payload);
            }
            Self::ForceLeave { node, prune } => {
                to.map(2).text("Node").text(node).text("Prune").bool(*prune);
            }
            Self::Join { existing, replay } => {
                to.map(2).text("Existing").texts(existing).text("Replay").bool(*replay);
            }
            Self::MembersFiltered(filter) => {
                to.map(3).text("Name").text(&filter.name).text("Status").text(&filter.status);
                to.text("Tags").text_map(&filter.tags);
            }
            Self::Tags { set, delete } => {
                to.map(2).text("DeleteTags").texts(delete).text("Tags").text_map(set);
            }
            Self::Stream(filter) => {
                to.map(1).text("Type").text(filter);
            }
            Self::Monitor(level) => {
                to.map(1).text("LogLevel").text(level);
            }
            Self::Stop(seq) => {
                to.map(1).text("Stop").uint(*seq);
            }
            Self::Query(query) => query.write(&mut to),
            Self::Respond { id, payload } => {
                to.map(2).text("ID").uint(*id).text("Payload").bytes(payload);
            }
            Self::InstallKey(key) | Self::UseKey(key) | Self::RemoveKey(key) => {
                to.map(1).text("Key").text(key);
            }
            Self::Coordinate(node) | Self::Why(node) => {
                to.map(1).text("Node").text(node);
            }
        }
    }
}

impl UserEvent {
    fn read(from: &mut Reader<'_>) -> Result<Self, BadMessage> {
        let mut event = Self::default();
        fields(from, &["Name", "Payload", "Coalesce"], |name, from| {
            match name {
                "Name" => event.name = text(from)?,
                "Payload" => event.payload = bytes(from)?,
                _ => event.coalesce = from.bool()?,
            }
            Ok(())
        })?;
        Ok(event)
    }
}

impl MemberFilter {
    fn read(from: &mut Reader<'_>) -> Result<Self, BadMessage> {
        let mut filter = Self::default();
        fields(from, &["Tags", "Status", "Name"], |name, from| {
            match name {
                "Tags" => filter.tags = map(from, text)?,
                "Status" => filter.status = text(from)?,
                _ => filter.name = text(from)?,
            }
            Ok(())
        })?;
        Ok(filter)
    }
}

impl Query {
    fn read(from: &mut Reader<'_>) -> Result<Self, BadMessage> {
        let mut query = Self::default();
        fields(from, QUERY_FIELDS, |name, from| {
            match name {
                "FilterNodes" => query.nodes = list(from, text)?,
                "FilterTags" => query.tags = map(from, text)?,
                "RequestAck" => query.ack = from.bool()?,
                "RelayFactor" => query.relay_factor = from.u8()?,
                // Serf takes what is not above zero for "as usual".
                "Timeout" => {
                    query.timeout = Duration::from_nanos(from.i64()?.try_into().unwrap_or(0));
                }
                "Name" => query.name = text(from)?,
                _ => query.payload = bytes(from)?,
            }
            Ok(())
        })?;
        Ok(query)
    }

    fn write(&self, to: &mut Writer<'_>) {
        to.map(7).text("FilterNodes").texts(&self.nodes).text("FilterTags").text_map(&self.tags);
        to.text("Name").text(&self.name).text("Payload").bytes(&self.payload);
        to.text("RelayFactor").uint(self.relay_factor.into()).text("RequestAck").bool(self.ack);
        to.text("Timeout").int(self.timeout.as_nanos().try_into().unwrap_or(i64::MAX));
    }
}

/// In the order in which Serf declares them.
const QUERY_FIELDS: &[&str] =
    &["FilterNodes", "FilterTags", "RequestAck", "RelayFactor", "Timeout", "Name", "Payload"];
