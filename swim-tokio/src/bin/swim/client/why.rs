//! `swim why`.

use std::collections::BTreeMap;

use swim_tokio::rpc::wire::{Accusation, Saying};

use super::{Failure, connect};
use crate::flags::WhyFlags;
use crate::log::Date;
use crate::say::say;

pub(super) async fn run(flags: &WhyFlags) -> Result<(), Failure> {
    let [name] = &flags.args[..] else {
        return Err(Failure::usage("why", "The name of one node must be specified"));
    };
    let client = connect(&flags.rpc).await?;
    let members = client.members().await;
    let members = members.map_err(|e| Failure::of("Error retrieving members", &e))?;
    let member = members.into_iter().find(|member| member.name == *name);
    let member = member.ok_or_else(|| Failure::new(format!("No member is named {name:?}")))?;
    let said = client.why(name).await.map_err(|e| Failure::of("Error asking why", &e))?;
    let stats = client.stats().await.map_err(|e| Failure::of("Error asking why", &e))?;
    let agent = stats.get("agent").and_then(|agent| agent.get("name"));
    let itself = agent == Some(name);
    let which = if itself { ", the node of the agent itself" } else { "" };
    say!("{} is {}{which}", name.escape_debug(), member.status);
    for one in &said {
        let (at, text) = (one.at, text(one));
        say!("{}.{:03}  {text}", Date(at.as_secs()), at.subsec_millis());
    }
    if said.is_empty() {
        say!("Nobody has accused it, as far as the agent remembers");
    } else if itself {
        say!("{}", summary(&said));
    }
    Ok(())
}

/// How many accusations were refuted, and whose they were: `3 accusations refuted: 2 of a, 1 of b`.
fn summary(said: &[Accusation]) -> String {
    let mut by = BTreeMap::<&str, usize>::new();
    for one in said {
        let accuser = match one.what {
            Saying::RefutedSuspicion | Saying::RefutedDeath => &one.by,
            Saying::RefutedLeave => "somebody in its name",
            Saying::RefutedShown => "unknown nodes, by push/pull",
            _ => continue,
        };
        *by.entry(accuser).or_default() += 1;
    }
    let all: usize = by.values().sum();
    let by: Vec<_> = by.iter().map(|(by, n)| format!("{n} of {}", by.escape_debug())).collect();
    let plural = if all == 1 { "" } else { "s" };
    format!("{all} accusation{plural} refuted, as far as the agent remembers: {}", by.join(", "))
}

fn text(said: &Accusation) -> String {
    // Whoever sends a packet chooses it.
    let by = said.by.escape_debug();
    match said.what {
        Saying::Silent { helpers, nacks, stream } => {
            let through = match (helpers, nacks) {
                (0, _) => String::new(),
                (1, _) => format!(", nor through a helper (which {})", said_so(nacks)),
                _ => format!(", nor through {helpers} helpers ({nacks} of which said so)"),
            };
            let stream = if stream { ", nor by stream" } else { "" };
            format!("suspected: it did not answer the probe of {by}, the agent{through}{stream}")
        }
        Saying::Told => format!("suspected: {by} accuses it, by gossip"),
        Saying::Shown => "suspected: a push/pull showed it as suspect or dead".into(),
        Saying::Trusted => "trusted: it has proved to be alive".into(),
        Saying::Failed => format!("failed: by the word of {by}"),
        Saying::Left => format!("left: by the word of {by}"),
        Saying::RefutedSuspicion => format!("refuted: {by} took it for suspect"),
        Saying::RefutedDeath => format!("refuted: {by} took it for dead"),
        Saying::RefutedLeave => "refuted: somebody said in its name that it left".into(),
        Saying::RefutedShown => "refuted: a push/pull showed it as gone or suspect".into(),
        _ => "something that this program does not know".into(),
    }
}

fn said_so(nacks: u32) -> &'static str {
    if nacks > 0 { "said so" } else { "said nothing" }
}
