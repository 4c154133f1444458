//! `swim info`.

use super::gojson::{to_json, unknown_format};
use super::{Failure, connect};
use crate::flags::InfoFlags;
use crate::say::say;

pub(super) async fn run(flags: &InfoFlags) -> Result<(), Failure> {
    let client = connect(&flags.rpc).await?;
    let stats = client.stats().await;
    let stats = stats.map_err(|e| Failure::of("Error querying agent", &e))?;
    match flags.format.as_str() {
        "text" => {
            for (section, values) in &stats {
                say!("{section}:");
                for (key, value) in values {
                    say!("\t{key} = {value}");
                }
            }
        }
        "json" => say!("{}", to_json(&stats)?),
        other => return Err(unknown_format(other)),
    }
    Ok(())
}
