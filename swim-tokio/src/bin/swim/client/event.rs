//! `swim event`.

use swim_tokio::rpc::wire::UserEvent;

use super::{Failure, connect};
use crate::flags::EventFlags;
use crate::say::say;

pub(super) async fn run(flags: &EventFlags) -> Result<(), Failure> {
    let (name, payload) = name_and_payload("event", "An event name", &flags.args)?;
    let client = connect(&flags.rpc).await?;
    let event = UserEvent::new(name, payload.to_owned(), flags.coalesce);
    client.event(event).await.map_err(|e| Failure::of("Error sending event", &e))?;
    say!("Event '{name}' dispatched! Coalescing enabled: {}", flags.coalesce);
    Ok(())
}

/// The arguments of `event` and `query`.
pub(super) fn name_and_payload<'a>(
    command: &str,
    what: &str,
    args: &'a [String],
) -> Result<(&'a str, &'a str), Failure> {
    match args {
        [] => Err(Failure::usage(command, &format!("{what} must be specified."))),
        [name] => Ok((name, "")),
        [name, payload] => Ok((name, payload)),
        _ => {
            let why = "Too many command line arguments. Only a name and payload must be specified.";
            Err(Failure::usage(command, why))
        }
    }
}
