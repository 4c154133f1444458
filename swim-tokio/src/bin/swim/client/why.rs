//! `swim why`.

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
    say!("{} is {}", name.escape_debug(), member.status);
    for one in &said {
        let (at, text) = (one.at, text(one));
        say!("{}.{:03}  {text}", Date(at.as_secs()), at.subsec_millis());
    }
    if said.is_empty() {
        say!("Nobody has accused it, as far as the agent remembers");
    }
    Ok(())
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
        _ => "something that this program does not know".into(),
    }
}

fn said_so(nacks: u32) -> &'static str {
    if nacks > 0 { "said so" } else { "said nothing" }
}
