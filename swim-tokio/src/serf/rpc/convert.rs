//! The node's values as those of the agent protocol.

use std::collections::BTreeMap;

use swim_core::serf::{Change, Info, Member, Status, Tags};

use crate::error::{JoinError, SeedFailure};
use crate::rpc::wire::{self, MemberChange, MemberStatus};

pub(super) fn member(member: &Member) -> wire::Member {
    let status = match member.status() {
        Status::Alive => MemberStatus::Alive,
        Status::Leaving => MemberStatus::Leaving,
        Status::Left => MemberStatus::Left,
        Status::Failed => MemberStatus::Failed,
    };
    let mut told = wire::Member::new(member.name(), member.addr().canonical(), status);
    let ((min, max, current), app) = (member.versions().protocol(), member.versions().app());
    told.protocol = [min, max, current];
    told.delegate = [app.0, app.1, app.2];
    told.tags = tags(&member.tags());
    told
}

pub(super) fn tags(tags: &Tags) -> BTreeMap<String, String> {
    tags.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

pub(super) const fn change(change: Change) -> MemberChange {
    match change {
        Change::Join => MemberChange::Join,
        Change::Leave => MemberChange::Leave,
        Change::Failed => MemberChange::Failed,
        Change::Update => MemberChange::Update,
        Change::Reap => MemberChange::Reap,
    }
}

/// The section `serf` of the figures.
pub(super) fn info(info: &Info) -> BTreeMap<String, String> {
    let entries = [
        // This node's coordinates are never reset.
        ("coordinate_resets", "0".into()),
        ("encrypted", info.encrypted.to_string()),
        ("event_queue", info.event_queue.to_string()),
        ("event_time", info.event_time.to_string()),
        ("failed", info.failed.to_string()),
        ("health_score", info.health_score.to_string()),
        ("intent_queue", info.intent_queue.to_string()),
        ("left", info.left.to_string()),
        ("member_time", info.member_time.to_string()),
        ("members", info.members.to_string()),
        ("query_queue", info.query_queue.to_string()),
        ("query_time", info.query_time.to_string()),
    ];
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// Why a join failed, in the form of Serf's text.
pub(super) fn join_error(error: &JoinError) -> String {
    let JoinError::Failed(failures) = error else { return error.to_string() };
    let count = failures.len();
    let what = if count == 1 { "error" } else { "errors" };
    let line =
        |SeedFailure { seed, why }: &SeedFailure| format!("\t* Failed to join {seed}: {why}\n");
    format!("{count} {what} occurred:\n{}\n", failures.iter().map(line).collect::<String>())
}
