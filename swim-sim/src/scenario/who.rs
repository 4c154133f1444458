//! Nodes as a scenario names them.

use super::ScenarioError;
use super::read::Field;
use crate::fault::Who;
use crate::place;

/// `n3`, `n3 n7`, `n10-n19`, `3 random`, `10% random`, `all`.
pub(super) fn who(field: &Field<'_>, nodes: u32) -> Result<Who, ScenarioError> {
    let last = nodes - 1;
    let expected = format!(
        "nodes from n0 to n{last}, such as \"n3\", \"n3 n7\", \"n0-n9\", \"3 random\", \
         \"10% random\" or \"all\""
    );
    let wrong = || field.wrong(&expected);
    let text = field.str(&expected)?;
    if text == "all" {
        return Ok(Who::All);
    }
    if let Some(count) = text.strip_suffix(" random") {
        let count = match count.strip_suffix('%') {
            Some(percent) => {
                let share = percent.parse::<f64>().map_err(|_| wrong())? / 100.0;
                (share * f64::from(nodes)).round()
            }
            None => f64::from(count.parse::<u32>().map_err(|_| wrong())?),
        };
        let fits = (0.0..=f64::from(nodes)).contains(&count);
        return if fits { Ok(Who::Random(count as u32)) } else { Err(wrong()) };
    }
    let mut named = Vec::new();
    for word in text.split_whitespace() {
        let (first, end) = word.split_once('-').unwrap_or((word, word));
        let node = |name| place::node_named(name).filter(|&i| i < nodes).ok_or_else(wrong);
        named.extend(node(first)?..=node(end)?);
    }
    match named[..] {
        [] => Err(wrong()),
        [node] => Ok(Who::Node(node)),
        _ => Ok(Who::Nodes(named)),
    }
}

/// The text that [`who`] reads as this.
pub(super) fn text(who: &Who) -> String {
    match who {
        Who::All => "all".to_owned(),
        Who::Random(count) => format!("{count} random"),
        Who::Node(node) => place::name(*node),
        Who::Nodes(nodes) => names(nodes),
    }
}

/// Names of nodes, with runs of numbers drawn together.
pub(super) fn names(nodes: &[u32]) -> String {
    let runs = nodes.chunk_by(|a, b| a + 1 == *b);
    let words = runs.map(|run| match run {
        [first, .., last] => format!("n{first}-n{last}"),
        _ => run.iter().map(|n| format!("n{n}")).collect(),
    });
    words.collect::<Vec<_>>().join(" ")
}
