//! What was said of a member that may have failed. Serf's agents do not tell that.

use std::time::Duration;

use swim_core::wire::msgpack::Reader;

use super::BadMessage;
use super::read::{fields, text};
use super::write::Writer;

/// Something that was said of a member, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Accusation {
    /// When the agent heard it, since 1970.
    pub at: Duration,
    /// What.
    pub what: Saying,
    /// Who said it; empty if nobody did or it is not known.
    pub by: String,
}

/// What was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Saying {
    /// The agent's own probe found it silent.
    Silent {
        /// Through how many helpers it was asked, besides directly.
        helpers: u32,
        /// How many of them said that they had no answer either.
        nacks: u32,
        /// Whether it was asked by stream, too.
        stream: bool,
    },
    /// Another node accuses it, by gossip.
    Told,
    /// A push/pull showed it as suspect or dead.
    Shown,
    /// It proved to be alive.
    Trusted,
    /// It failed, by the word of `by`.
    Failed,
    /// It left, by the word of `by`.
    Left,
    /// The agent's node itself: it was said to be suspect, and has refuted it.
    RefutedSuspicion,
    /// The agent's node itself: it was said to be dead, and has refuted it.
    RefutedDeath,
    /// The agent's node itself: somebody said in its name that it left, and it has refuted it.
    RefutedLeave,
    /// The agent's node itself: a push/pull showed it as gone or suspect, and it has refuted it.
    RefutedShown,
    /// Something that this version does not know.
    #[default]
    Unknown,
}

impl Accusation {
    /// Something that was said at this time, by this node.
    pub fn new(at: Duration, what: Saying, by: impl Into<String>) -> Self {
        Self { at, what, by: by.into() }
    }

    pub(super) fn read(from: &mut Reader<'_>) -> Result<Self, BadMessage> {
        let (mut at_ms, mut by, mut what) = (0, String::new(), String::new());
        let (mut helpers, mut nacks, mut stream) = (0, 0, false);
        fields(from, FIELDS, |name, from| {
            match name {
                "By" => by = text(from)?,
                "Helpers" => helpers = from.u32()?,
                "Nacks" => nacks = from.u32()?,
                "Stream" => stream = from.bool()?,
                "Time" => at_ms = from.u64()?,
                _ => what = text(from)?,
            }
            Ok(())
        })?;
        let what = match &*what {
            "silent" => Saying::Silent { helpers, nacks, stream },
            "told" => Saying::Told,
            "shown" => Saying::Shown,
            "trusted" => Saying::Trusted,
            "failed" => Saying::Failed,
            "left" => Saying::Left,
            "refuted-suspect" => Saying::RefutedSuspicion,
            "refuted-dead" => Saying::RefutedDeath,
            "refuted-left" => Saying::RefutedLeave,
            "refuted-shown" => Saying::RefutedShown,
            _ => Saying::Unknown,
        };
        Ok(Self { at: Duration::from_millis(at_ms), what, by })
    }

    pub(super) fn write(&self, to: &mut Writer<'_>) {
        let (helpers, nacks, stream) = match self.what {
            Saying::Silent { helpers, nacks, stream } => (helpers, nacks, stream),
            _ => (0, 0, false),
        };
        let what = match self.what {
            Saying::Silent { .. } => "silent",
            Saying::Told => "told",
            Saying::Shown => "shown",
            Saying::Trusted => "trusted",
            Saying::Failed => "failed",
            Saying::Left => "left",
            Saying::RefutedSuspicion => "refuted-suspect",
            Saying::RefutedDeath => "refuted-dead",
            Saying::RefutedLeave => "refuted-left",
            Saying::RefutedShown => "refuted-shown",
            Saying::Unknown => "",
        };
        to.map(FIELDS.len()).text("By").text(&self.by).text("Helpers").uint(helpers.into());
        to.text("Nacks").uint(nacks.into()).text("Stream").bool(stream);
        to.text("Time").uint(u64::try_from(self.at.as_millis()).unwrap_or(u64::MAX));
        to.text("What").text(what);
    }
}

const FIELDS: &[&str] = &["By", "Helpers", "Nacks", "Stream", "Time", "What"];
