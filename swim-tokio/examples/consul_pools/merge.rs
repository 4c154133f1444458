//! Who may enter which pool.

use std::time::Duration;

use swim_tokio::swim_core::serf::Tags;
use swim_tokio::swim_core::{Admission, Candidate, Member, Policy, State};

/// The LAN pool: agents of one datacenter, each with an ID of its own.
pub(crate) struct Lan {
    pub(crate) dc: String,
    pub(crate) id: String,
}

impl Policy for Lan {
    fn admit(&self, me: &Member, them: &[Candidate<'_>], _: Admission) -> Result<(), String> {
        let mut ids = Vec::new();
        for candidate in them {
            let (name, tags) = (candidate.name, Tags::decode(candidate.meta));
            let id = tags.get("id").unwrap_or_default().to_ascii_lowercase();
            // Who has left is of no account, whatever it was.
            if !id.is_empty() && candidate.state == State::Left {
                continue;
            }
            let is_agent = matches!(tags.get("role"), Some("consul" | "node"));
            if !is_agent {
                return Err(format!("{name} is no Consul agent"));
            }
            if tags.get("dc") != Some(&self.dc) {
                let dc = tags.get("dc").unwrap_or_default();
                return Err(format!("{name} is of datacenter {dc}, not {}", self.dc));
            }
            if id.is_empty() {
                continue;
            }
            let is_mine = id.eq_ignore_ascii_case(&self.id) && name != me.name();
            if is_mine || ids.contains(&id) {
                return Err(format!("{name} has the ID {id} of another node"));
            }
            ids.push(id);
        }
        Ok(())
    }

    /// A member may say how long it is to be remembered, once it has failed or left.
    fn reap_after(&self, member: &Member) -> Option<Duration> {
        let tags = Tags::decode(member.meta());
        let seconds = tags.get("rc_tm")?.strip_suffix('s')?.parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
}

/// The WAN pool: servers of any datacenter.
pub(crate) struct Wan;

impl Policy for Wan {
    fn admit(&self, _: &Member, them: &[Candidate<'_>], _: Admission) -> Result<(), String> {
        let is_server = |candidate: &Candidate<'_>| {
            let tags = Tags::decode(candidate.meta);
            let name_ends = tags.get("dc").is_some_and(|dc| candidate.name.ends_with(dc));
            tags.get("role") == Some("consul") && name_ends
        };
        match them.iter().find(|candidate| !is_server(candidate)) {
            Some(other) => Err(format!("{} is no Consul server", other.name)),
            None => Ok(()),
        }
    }
}
