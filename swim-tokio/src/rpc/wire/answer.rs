//! What follows the header of an answer (section 8.3).

use std::collections::BTreeMap;

use bytes::BytesMut;
use swim_core::wire::msgpack::Reader;

use super::read::{fields, list, map, opt_map, single, text};
use super::write::Writer;
use super::{Accusation, BadMessage, Coordinate, Member};

/// Sections of names and values.
pub type Stats = BTreeMap<String, BTreeMap<String, String>>;

/// The body of an answer; most commands have none.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// How many of the given nodes were reached by a join.
    Joined(u32),
    /// Members.
    Members(Vec<Member>),
    /// What became of a command about keys.
    Keys(KeyReport),
    /// What `stats` tells.
    Stats(Stats),
    /// Where a node lies, if that is known.
    Coordinate(Option<Coordinate>),
    /// What was said of a node, in order.
    Why(Vec<Accusation>),
}

/// The sum of what all nodes answered to a command about keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyReport {
    /// What a node had to say, by its name; errors mostly.
    pub messages: BTreeMap<String, String>,
    /// How many nodes have a key, by its base64; only if keys were listed.
    pub keys: Option<BTreeMap<String, u32>>,
    /// Nodes that were asked.
    pub nodes: u32,
    /// Nodes that reported an error.
    pub errors: u32,
    /// Nodes that answered.
    pub responses: u32,
}

impl Answer {
    /// Decodes the body of the answer to `command`; `None` if that has no body.
    ///
    /// # Errors
    ///
    /// [`BadMessage`] says what is wrong with the bytes.
    pub fn decode(command: &str, bytes: &[u8]) -> Result<Option<Self>, BadMessage> {
        let mut from = Reader::new(bytes);
        Ok(Some(match command {
            "join" => Self::Joined(single(&mut from, "Num", |from| Ok(from.u32()?))?),
            "members" | "members-filtered" => {
                Self::Members(single(&mut from, "Members", |from| list(from, Member::read))?)
            }
            "install-key" | "use-key" | "remove-key" | "list-keys" => {
                Self::Keys(KeyReport::read(&mut from)?)
            }
            "stats" => Self::Stats(map(&mut from, |from| map(from, text))?),
            "get-coordinate" => {
                let (mut coordinate, mut ok) = (Coordinate::default(), false);
                fields(&mut from, &["Coord", "Ok"], |name, from| {
                    match name {
                        "Coord" => coordinate = Coordinate::read(from)?,
                        _ => ok = from.bool()?,
                    }
                    Ok(())
                })?;
                Self::Coordinate(ok.then_some(coordinate))
            }
            "why" => Self::Why(single(&mut from, "Said", |from| list(from, Accusation::read))?),
            _ => return Ok(None),
        }))
    }

    /// Whether the answer to `command` has a body. It has one in case of an error, too, unless the
    /// session itself refuses the command.
    pub fn follows(command: &str) -> bool {
        matches!(
            command,
            "join"
                | "members"
                | "members-filtered"
                | "install-key"
                | "use-key"
                | "remove-key"
                | "list-keys"
                | "stats"
                | "get-coordinate"
                | "why"
        )
    }

    /// Appends the body.
    pub fn encode(&self, out: &mut BytesMut) {
        let mut to = Writer::new(out);
        match self {
            Self::Joined(num) => {
                to.map(1).text("Num").uint((*num).into());
            }
            Self::Members(members) => write_members(to.map(1), members),
            Self::Keys(report) => report.write(&mut to),
            Self::Stats(stats) => {
                to.map(stats.len());
                for (section, values) in stats {
                    to.text(section).text_map(values);
                }
            }
            Self::Coordinate(known) => {
                to.map(2).text("Coord");
                match known {
                    Some(coordinate) => coordinate.write(&mut to),
                    None => Coordinate::default().write(&mut to),
                }
                to.text("Ok").bool(known.is_some());
            }
            Self::Why(said) => {
                to.map(1).text("Said").list(said.len());
                for one in said {
                    one.write(&mut to);
                }
            }
        }
    }
}

/// Key and value of the field `Members`.
pub(super) fn write_members(to: &mut Writer<'_>, members: &[Member]) {
    to.text("Members").list(members.len());
    for member in members {
        member.write(to);
    }
}

impl KeyReport {
    fn read(from: &mut Reader<'_>) -> Result<Self, BadMessage> {
        let mut report = Self::default();
        fields(from, &["Messages", "Keys", "NumNodes", "NumErr", "NumResp"], |name, from| {
            match name {
                "Messages" => report.messages = map(from, text)?,
                "Keys" => report.keys = opt_map(from, |from| Ok(from.u32()?))?,
                "NumNodes" => report.nodes = from.u32()?,
                "NumErr" => report.errors = from.u32()?,
                _ => report.responses = from.u32()?,
            }
            Ok(())
        })?;
        Ok(report)
    }

    fn write(&self, to: &mut Writer<'_>) {
        to.map(5).text("Keys");
        match &self.keys {
            None => {
                to.nil();
            }
            Some(keys) => {
                to.map(keys.len());
                for (key, nodes) in keys {
                    to.text(key).uint((*nodes).into());
                }
            }
        }
        to.text("Messages").text_map(&self.messages);
        to.text("NumErr").uint(self.errors.into()).text("NumNodes").uint(self.nodes.into());
        to.text("NumResp").uint(self.responses.into());
    }
}
