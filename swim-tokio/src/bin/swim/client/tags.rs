//! `swim tags`.

use std::collections::BTreeMap;

use super::{Failure, connect};
use crate::flags::TagsFlags;
use crate::say::say;

pub(super) async fn run(flags: &TagsFlags) -> Result<(), Failure> {
    if flags.set.is_empty() && flags.delete.is_empty() {
        return Err(Failure::usage("tags", ""));
    }
    let client = connect(&flags.rpc).await?;
    let set = pairs(&flags.set)?;
    let changed = client.tags(set, flags.delete.clone()).await;
    changed.map_err(|e| Failure::of("Error setting tags", &e))?;
    say!("Successfully updated agent tags");
    Ok(())
}

/// `KEY=VALUE`, each.
pub(super) fn pairs(texts: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    let pair = |text: &String| match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Failure::new(format!("Error: Invalid tag: '{text}'"))),
    };
    texts.iter().map(pair).collect()
}
