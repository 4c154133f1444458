//! The node's values as those of the agent protocol.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use swim_core::coordinate::Coordinate;
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
        ("coordinate_resets", info.coordinate_resets.to_string()),
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

pub(super) fn coordinate(at: &Coordinate) -> wire::Coordinate {
    wire::Coordinate::new(at.vec.to_vec(), at.error, at.adjustment, at.height)
}

/// Why a join failed, in the form of Serf's text.
pub(super) fn join_error(error: &JoinError) -> String {
    let JoinError::Failed(failures) = error else { return error.to_string() };
    let count = failures.len();
    let what = if count == 1 { "error" } else { "errors" };
    let lines: String = failures.iter().map(failed_join).collect();
    format!("{count} {what} occurred:\n{lines}\n")
}

/// Serf names the address without the port, then what was done with it.
fn failed_join(SeedFailure { seed, why }: &SeedFailure) -> String {
    let Ok(addr) = seed.parse::<SocketAddr>() else {
        return format!("\t* Failed to join {seed}: {why}\n");
    };
    let why = match why.split_once(" (os error") {
        Some((why, _)) => format!("connect: {}", why.to_lowercase()),
        None => why.clone(),
    };
    format!("\t* Failed to join {}: dial tcp {addr}: {why}\n", addr.ip())
}
