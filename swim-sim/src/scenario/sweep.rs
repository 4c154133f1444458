//! Sweeps: a scenario with some of its values varied.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Result, Scenario, ScenarioError};

/// A scenario, places in it, and the values to try there: one run for each combination of values
/// and each seed.
///
/// It is written as a scenario with one more table, whose keys are places of the scenario and whose
/// values are arrays. A value stands where the scenario's own would, so that the rules and errors
/// are those of scenarios.
///
/// ```
/// use swim_sim::scenario::Sweep;
///
/// let text = "name = \"loss\"\nnodes = 20\nduration = \"30s\"\nseeds = \"0..5\"\n\
///             [sweep]\nlinks.loss = [\"0%\", \"5%\"]\nconfig.suspicion_mult = [2, 4, 6]\n";
/// let sweep = Sweep::parse(text).unwrap();
/// assert_eq!(sweep.len(), 2 * 3 * 5);
/// let last = sweep.cell(29);
/// assert_eq!((last.values, last.seed), (vec!["5%", "6"], 4));
///
/// let e = Sweep::parse(&text.replace("5%", "500%")).unwrap_err();
/// assert_eq!(
///     e.to_string(),
///     "line 6: loss is \"500%\", expected a share such as \"5%\" or 0.05, from 0 to 1"
/// );
/// ```
#[derive(Clone, Debug)]
pub struct Sweep {
    base: Scenario,
    parameters: Vec<Parameter>,
    /// One for each combination of values; the last parameter changes fastest.
    scenarios: Vec<Scenario>,
}

/// A place in a scenario, and the values to try there.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Parameter {
    /// The place: `links.loss`, `timeline.0.who`.
    pub key: String,
    /// The values as they are written, texts without quotes.
    pub values: Vec<String>,
}

/// One run of a sweep.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Cell<'a> {
    /// Its number, from 0.
    pub index: u64,
    /// The value of each parameter.
    pub values: Vec<&'a str>,
    /// Its seed.
    pub seed: u64,
    /// What to run.
    pub scenario: &'a Scenario,
}

impl Sweep {
    /// Reads a sweep, and checks every combination of its values.
    ///
    /// # Errors
    ///
    /// As [`Scenario::parse`]; also if there is nothing to vary, or more than [`CELLS_MAX`] runs.
    pub fn parse(text: &str) -> Result<Self> {
        let mut base = super::table(text)?.into_inner();
        let varied = base.remove_entry(TABLE).map(|(key, table)| (key.span(), table));
        let (span, varied) = varied.ok_or_else(|| {
            ScenarioError::at(text, 0, "a sweep needs the table [sweep]".to_owned())
        })?;
        let places = places(text, &varied)?;
        if places.is_empty() {
            let what = "[sweep] names no place, such as links.loss = [\"0%\", \"5%\"]";
            return Err(ScenarioError::at(text, span.start, what.to_owned()));
        }
        let combinations = places
            .iter()
            .try_fold(1u64, |all, place| all.checked_mul(place.values.len() as u64))
            .filter(|&n| n <= COMBINATIONS_MAX);
        let combinations = combinations.ok_or_else(|| {
            let what = format!("[sweep] has more than {COMBINATIONS_MAX} combinations of values");
            ScenarioError::at(text, span.start, what)
        })?;
        let scenario = |i: u64| {
            let mut table = base.clone();
            for (place, value) in places.iter().zip(digits(&places, i)) {
                place.set(text, &mut table, value)?;
            }
            Scenario::of_table(text, &table)
        };
        let scenarios = (0..combinations).map(scenario).collect::<Result<Vec<_>>>()?;
        let base = scenarios.first().cloned().expect("every parameter has a value");
        let parameters = places.iter().map(|place| place.parameter(text)).collect();
        let sweep = Self { base, parameters, scenarios };
        if sweep.len() > CELLS_MAX {
            let what = format!("a sweep has at most {CELLS_MAX} runs, this one {}", sweep.len());
            return Err(ScenarioError::at(text, span.start, what));
        }
        Ok(sweep)
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.base.name
    }

    /// What varies.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// How many runs it has.
    pub fn len(&self) -> u64 {
        (self.scenarios.len() as u64).saturating_mul(self.seeds())
    }

    /// Whether it has none; never so.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many runs each combination of values has.
    pub const fn seeds(&self) -> u64 {
        self.base.seeds.end - self.base.seeds.start
    }

    /// A run by its number: all seeds of the first combination of values, then of the next.
    ///
    /// # Panics
    ///
    /// If `index` is not below [`Self::len`].
    pub fn cell(&self, index: u64) -> Cell<'_> {
        let combination = index / self.seeds();
        let scenario = &self.scenarios[combination as usize];
        let choice = digits(&self.parameters, combination);
        let values = self.parameters.iter().zip(choice).map(|(p, i)| p.values[i].as_str());
        let seed = self.base.seeds.start + index % self.seeds();
        Cell { index, values: values.collect(), seed, scenario }
    }
}

/// What has so many values to choose from.
trait Choice {
    fn len(&self) -> usize;
}

impl Choice for Parameter {
    fn len(&self) -> usize {
        self.values.len()
    }
}

impl Choice for Place<'_> {
    fn len(&self) -> usize {
        self.values.len()
    }
}

/// Which value of each a combination takes: its number, written in digits of as many values.
fn digits(of: &[impl Choice], mut number: u64) -> Vec<usize> {
    let digit = |choice: &dyn Choice| {
        let digit = number % choice.len() as u64;
        number /= choice.len() as u64;
        digit as usize
    };
    let mut digits: Vec<usize> = of.iter().rev().map(|c| c as &dyn Choice).map(digit).collect();
    digits.reverse();
    digits
}

/// A key of the table `sweep`, in its parts, and its values.
#[derive(Debug)]
struct Place<'a> {
    /// Each part with its place in the text.
    path: Vec<Spanned<String>>,
    values: &'a [Spanned<DeValue<'a>>],
}

/// Every array in the table, in the order of the text.
fn places<'a>(text: &str, sweep: &'a Spanned<DeValue<'a>>) -> Result<Vec<Place<'a>>> {
    let mut open = vec![(Vec::new(), sweep)];
    let mut found = Vec::new();
    while let Some((path, value)) = open.pop() {
        match value.get_ref() {
            DeValue::Table(table) => {
                for (key, value) in table {
                    let mut path: Vec<Spanned<String>> = path.clone();
                    path.push(Spanned::new(key.span(), key.get_ref().clone().into_owned()));
                    open.push((path, value));
                }
            }
            DeValue::Array(values) if !values.is_empty() && !path.is_empty() => {
                found.push(Place { path, values });
            }
            _ => {
                let key = path.iter().map(|part| part.get_ref().as_str()).collect::<Vec<_>>();
                let source = &text[value.span()];
                let what = format!(
                    "{} is {source}, expected an array of values to try, such as [\"0%\", \"5%\"]",
                    if key.is_empty() { TABLE.to_owned() } else { key.join(".") }
                );
                return Err(ScenarioError::at(text, value.span().start, what));
            }
        }
    }
    found.sort_by_key(|place| place.path.last().map(|part| part.span().start));
    for place in &found {
        place.check(text)?;
    }
    Ok(found)
}

impl Place<'_> {
    fn check(&self, text: &str) -> Result<()> {
        let first = &self.path[0];
        if self.path.len() == 1 && FIXED.contains(&first.get_ref().as_str()) {
            let what = format!("{} is the same in all runs of a sweep", first.get_ref());
            return Err(ScenarioError::at(text, first.span().start, what));
        }
        Ok(())
    }

    fn parameter(&self, text: &str) -> Parameter {
        let parts: Vec<&str> = self.path.iter().map(|part| part.get_ref().as_str()).collect();
        let written = |value: &Spanned<DeValue<'_>>| match value.get_ref() {
            DeValue::String(text) => text.clone().into_owned(),
            _ => text[value.span()].split_whitespace().collect::<Vec<_>>().join(" "),
        };
        Parameter { key: parts.join("."), values: self.values.iter().map(written).collect() }
    }

    /// Puts a value into its place; tables on the way there are made.
    fn set<'v>(&'v self, text: &str, table: &mut DeTable<'v>, value: usize) -> Result<()> {
        let (last, way) = self.path.split_last().expect("a key has a part");
        let mut here = table;
        let mut way = way.iter();
        while let Some(part) = way.next() {
            let empty = || DeValue::Table(DeTable::new());
            let key = Spanned::new(part.span(), part.get_ref().as_str().into());
            let mut next = here.entry(key).or_insert_with(|| Spanned::new(part.span(), empty()));
            if next.get_ref().is_array() {
                next = entry(text, part, next, way.next())?;
            }
            let DeValue::Table(inner) = next.get_mut() else {
                return Err(wrong(text, part, "a table of the scenario"));
            };
            here = inner;
        }
        let name = last.get_ref().as_str();
        // The key of the sweep, so that an error about it names the line there.
        here.remove(name);
        here.insert(Spanned::new(last.span(), name.into()), self.values[value].clone());
        Ok(())
    }
}

/// The entry of an array that the next part of a key names.
fn entry<'t, 'v>(
    text: &str,
    array: &Spanned<String>,
    value: &'t mut Spanned<DeValue<'v>>,
    part: Option<&Spanned<String>>,
) -> Result<&'t mut Spanned<DeValue<'v>>> {
    let DeValue::Array(entries) = value.get_mut() else {
        return Err(wrong(text, array, "an array"));
    };
    let last = entries.len().saturating_sub(1);
    let part = part.unwrap_or(array);
    let index = part.get_ref().parse::<usize>().ok();
    let entry = index.and_then(|i| entries.get_mut(i));
    entry.ok_or_else(|| wrong(text, part, &format!("an entry from 0 to {last}")))
}

/// A part of a key that leads nowhere.
fn wrong(text: &str, part: &Spanned<String>, expected: &str) -> ScenarioError {
    let what = format!("{} in [sweep], expected {expected}", part.get_ref());
    ScenarioError::at(text, part.span().start, what)
}

/// The table that says what varies.
const TABLE: &str = "sweep";

/// Keys that every run has in common.
const FIXED: [&str; 5] = ["name", "about", "seeds", "measure", TABLE];

/// How many combinations of values a sweep may have: each is a scenario in memory.
const COMBINATIONS_MAX: u64 = 10_000;

/// How many runs a sweep may have.
pub const CELLS_MAX: u64 = 10_000_000;

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;
    use crate::fault::{Fault, Who};

    const TEXT: &str = "name = \"x\"\nnodes = 10\nduration = \"60s\"\nseeds = \"3..5\"\n\
                        [[timeline]]\nat = \"1s\"\ndo = \"crash\"\nwho = \"n1\"\n[sweep]\n";

    fn sweep(lines: &str) -> Result<Sweep> {
        Sweep::parse(&format!("{TEXT}{lines}"))
    }

    #[test]
    fn the_last_parameter_changes_fastest_and_seeds_faster_still() {
        let sweep =
            sweep("nodes = [10, 20]\ntimeline.0.who = [\"n2\", \"n3\"]\nlinks.loss = [0.1]");
        let sweep = sweep.unwrap();
        let all: Vec<(Vec<&str>, u64)> =
            (0..sweep.len()).map(|i| sweep.cell(i)).map(|cell| (cell.values, cell.seed)).collect();
        assert_eq!(all.len(), 8);
        assert_eq!(all[0], (vec!["10", "n2", "0.1"], 3));
        assert_eq!(all[1], (vec!["10", "n2", "0.1"], 4));
        assert_eq!(all[2], (vec!["10", "n3", "0.1"], 3));
        assert_eq!(all[7], (vec!["20", "n3", "0.1"], 4));
        let last = sweep.cell(7).scenario;
        assert_eq!((last.world.nodes, last.world.links.loss()), (20, 0.1));
        assert_eq!(last.world.faults[0].1, Fault::Crash(Who::Node(3)));
    }

    #[test]
    fn whole_tables_vary_too() {
        let sweep = sweep("config = [{ preset = \"wan\" }, { suspicion_mult = 9 }]").unwrap();
        let config = |i| sweep.cell(i).scenario.world.core.clone();
        assert_eq!(config(0).probe_interval(), Duration::from_secs(5));
        assert_eq!(config(2).suspicion_mult(), 9);
        assert_eq!(sweep.parameters()[0].values[1], "{ suspicion_mult = 9 }");
    }

    #[test]
    fn an_error_names_the_line_in_the_sweep() {
        let cases = [
            ("", "line 9: [sweep] names no place"),
            ("nodes = 5", "line 10: nodes is 5, expected an array of values to try"),
            ("nodes = []", "line 10: nodes is [], expected an array of values to try"),
            ("nodes = [10, 1]", "line 10: nodes is 1, expected an integer from 2 to "),
            ("seeds = [1]", "line 10: seeds is the same in all runs of a sweep"),
            ("nods = [1]", "line 10: unknown key nods in a scenario, which knows name"),
            ("links.los = [0.1]", "line 10: unknown key los in links, which knows latency"),
            ("nodes.x = [1]", "line 10: nodes in [sweep], expected a table of the scenario"),
            ("timeline.1.who = [\"n1\"]", "line 10: 1 in [sweep], expected an entry from 0 to 0"),
            ("timeline.0.who = [\"n99\"]", "line 10: who is \"n99\", expected nodes from n0 to n9"),
            ("links.mtu = [1500,\n9]", "line 11: mtu: MTU is 9 bytes, at least 1280"),
        ];
        for (lines, expected) in cases {
            let e = sweep(lines).unwrap_err().to_string();
            assert!(e.starts_with(expected), "{lines}\n{e}");
        }
        let e = Sweep::parse("name = \"x\"\nnodes = 2\nduration = \"1s\"\n").unwrap_err();
        assert_eq!(e.to_string(), "line 1: a sweep needs the table [sweep]");
    }

    #[test]
    fn runs_are_bounded() {
        let many: Vec<String> = (2..200).map(|n| n.to_string()).collect();
        let two = format!("nodes = [{0}]\nlinks.mtu = [{0}]", many.join(", "));
        let e = sweep(&two).unwrap_err().to_string();
        assert_eq!(e, "line 9: [sweep] has more than 10000 combinations of values");
        let text = TEXT.replace("3..5", "0..9000000") + "nodes = [5, 6]";
        let e = Sweep::parse(&text).unwrap_err().to_string();
        assert_eq!(e, "line 9: a sweep has at most 10000000 runs, this one 18000000");
    }
}
