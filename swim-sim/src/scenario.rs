//! Scenarios: worlds, what befalls them and what to measure, in a text.
//!
//! The format is TOML; `docs/scenarios.md` of this crate describes every key.

mod builtin;
mod error;
mod links;
mod orders;
mod read;
mod settings;
mod sweep;
mod timeline;
mod who;
mod write;

use core::ops::Range;
use core::time::Duration;

use swim_core::{Instant, Node};
use toml::Spanned;
use toml::de::DeTable;

pub use self::builtin::{BUILTIN, Builtin};
pub use self::error::ScenarioError;
use self::read::{Field, Section};
pub use self::sweep::{CELLS_MAX, Cell, Parameter, Sweep};
use crate::failure::Failure;
use crate::machine::{Machine, MachineKind};
use crate::place::NODES_MAX;
use crate::serf::SerfMachine;
use crate::swarm::Swarm;
use crate::text;
use crate::world::{Driver, Make, World, WorldConfig};

type Result<T> = core::result::Result<T, ScenarioError>;

/// A world, what befalls it, for how long it runs, and what to measure.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Scenario {
    /// What it is called.
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// The world, for the first seed.
    pub world: WorldConfig,
    /// What kind of nodes it has.
    pub machine: MachineKind,
    /// Whether its nodes start knowing nobody.
    pub cold: bool,
    /// How long it runs.
    pub duration: Duration,
    /// Its seeds: one run for each.
    pub seeds: Range<u64>,
    /// Whether the oracles watch.
    pub watched: bool,
    /// What to print.
    pub measure: Vec<Measure>,
}

/// A part of a summary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// How soon crashes were reported.
    Detection,
    /// Reports of nodes that were up.
    FalsePositives,
    /// Whether all views are equal, and since when.
    Views,
    /// Datagrams, streams and bytes.
    Traffic,
    /// What struck and what it cost.
    Faults,
    /// Events, queries and leaves of Serf nodes.
    Serf,
}

impl Measure {
    /// Everything that can be measured.
    pub const ALL: [Self; 6] = [
        Self::Faults,
        Self::Detection,
        Self::FalsePositives,
        Self::Views,
        Self::Serf,
        Self::Traffic,
    ];

    /// Its word in a scenario.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Detection => "detection",
            Self::FalsePositives => "false-positives",
            Self::Views => "views",
            Self::Traffic => "traffic",
            Self::Faults => "faults",
            Self::Serf => "serf",
        }
    }
}

impl Scenario {
    /// Reads a scenario.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] names the line, the key, its value and what was expected.
    ///
    /// ```
    /// use swim_sim::scenario::Scenario;
    ///
    /// let text = "name = \"two\"\nnodes = 2\nduration = \"10\"\n";
    /// let e = Scenario::parse(text).unwrap_err();
    /// assert!(e.to_string().starts_with("line 3: duration is \"10\", expected a time such as"));
    /// ```
    pub fn parse(text: &str) -> Result<Self> {
        Self::of_table(text, table(text)?.get_ref())
    }

    /// Reads a scenario that is a table of a text.
    fn of_table(text: &str, table: &DeTable<'_>) -> Result<Self> {
        let mut top = Section::new("a scenario", text, 0, table);
        let name = top.need("name")?.str("a name")?.to_owned();
        let about = top.take("about").map_or(Ok(""), |about| about.str("a text"))?.to_owned();
        let nodes = top.need("nodes")?.integer(2, NODES_MAX.into())? as u32;
        let machine = match top.take("machine") {
            Some(machine) => machine.one_of(&MachineKind::WORDS)?,
            None => MachineKind::default(),
        };
        let duration = top.need("duration")?.time()?;
        let seeds = top.take("seeds").map_or(Ok(1..2), |seeds| read_seeds(&seeds))?;
        let cold = top.take("cold").map(|cold| cold.time()).transpose()?;
        let watched = top.take("oracles").map_or(Ok(true), |oracles| oracles.flag())?;
        let mut world = WorldConfig::new(seeds.start, nodes);
        world.join_window = cold.unwrap_or(world.join_window);
        if let Some(driver) = top.take("driver") {
            let words = [("mail-first", Driver::MailFirst), ("timers-first", Driver::TimersFirst)];
            world.driver = driver.one_of(&words)?;
        }
        let all = || Ok(Measure::ALL.to_vec());
        let measure = top.take("measure").map_or_else(all, |m| measures(&m))?;
        if let Some(config) = top.take("config") {
            world.core = settings::read(&mut config.section("config")?, watched)?;
        } else {
            let core = world.core.to_builder().evidence_events(watched);
            world.core = core.build().expect("the preset is valid");
        }
        if let Some(table) = top.take("links") {
            world.links = links::read(&mut table.section("links")?)?;
        }
        let bounds = timeline::Bounds { nodes, machine, duration };
        if let Some(entries) = top.take("timeline") {
            for entry in entries.list("an array of tables, [[timeline]]")? {
                world.faults.extend(timeline::entry(&entry, &bounds)?);
            }
        }
        top.end()?;
        // What strikes in one instant does so in the order of the file.
        world.faults.sort_by_key(|(at, _)| *at);
        let cold = cold.is_some();
        Ok(Self { name, about, world, machine, cold, duration, seeds, watched, measure })
    }

    /// The scenario as TOML; [`Self::parse`] reads it back as it was.
    pub fn to_toml(&self) -> String {
        write::toml(self)
    }

    /// When it ends.
    pub fn end(&self) -> Instant {
        Instant::ZERO + self.duration
    }

    /// Its world at the start, for one seed, of bare nodes.
    pub fn world(&self, seed: u64) -> World {
        self.world_with(seed, nodes())
    }

    /// The same of Serf nodes.
    pub fn serf_world(&self, seed: u64) -> World<SerfMachine> {
        self.world_with(seed, SerfMachine::make())
    }

    /// The same of other machines. The oracles of the Serf layer watch if it is a Serf world.
    pub fn world_with<M: Machine>(&self, seed: u64, make: Make<M>) -> World<M> {
        let config = WorldConfig { seed, ..self.world.clone() };
        let mut world = if self.cold {
            World::cold_with(config, make)
        } else {
            World::converged_with(config, make)
        };
        if self.watched {
            world.watch_all();
        }
        if self.watched && self.machine == MachineKind::Serf {
            world.watch_serf();
        }
        world
    }

    /// Runs a world to the end, or to the first violation; whether there was none.
    pub fn run<M: Machine>(&self, world: &mut World<M>) -> bool {
        while world.now() < self.end() && world.violations().is_empty() {
            world.run_until((world.now() + SLICE).min(self.end()));
        }
        if world.violations().is_empty() {
            world.verdicts();
        }
        world.violations().is_empty()
    }

    /// The scenario that a swarm's draw stands for.
    pub fn of_swarm(swarm: &Swarm) -> Self {
        let seed = swarm.config.seed;
        Self {
            name: format!("seed-{seed}"),
            about: format!("Drawn by swim-sim vopr: {swarm}"),
            world: swarm.config.clone(),
            machine: swarm.machine,
            cold: swarm.cold,
            duration: swarm.chaos + swarm.calm,
            seeds: seed..seed.saturating_add(1),
            watched: true,
            measure: Measure::ALL.to_vec(),
        }
    }

    /// The same with every choice made, of nodes and of groups, as its first seed makes them.
    pub fn concrete<M: Machine>(&self, make: Make<M>) -> Self {
        let mut world = self.world_with(self.seeds.start, make);
        world.record_strikes();
        // A panic ends the run, not the record.
        let _ = Failure::run(self, &mut world);
        let faults = world.strikes().to_vec();
        Self { world: WorldConfig { faults, ..self.world.clone() }, ..self.clone() }
    }

    /// Runs for another time; what would strike later is left out.
    pub fn set_duration(&mut self, duration: Duration) {
        self.duration = duration;
        let end = self.end();
        self.world.faults.retain(|(at, _)| *at < end);
    }
}

/// A text as a table, with the place of everything in it.
fn table(text: &str) -> Result<Spanned<DeTable<'_>>> {
    DeTable::parse(text).map_err(|e| {
        let at = e.span().map_or(0, |span| span.start);
        ScenarioError::at(text, at, e.message().to_owned())
    })
}

fn read_seeds(field: &Field<'_>) -> Result<Range<u64>> {
    let expected = "seeds such as \"0..10\", or one seed";
    if let toml::de::DeValue::Integer(_) = field.value() {
        let seed = field.integer(0, i64::MAX)? as u64;
        return Ok(seed..seed + 1);
    }
    text::seeds(field.str(expected)?).map_err(|_| field.wrong(expected))
}

fn measures(field: &Field<'_>) -> Result<Vec<Measure>> {
    let words = Measure::ALL.map(|measure| (measure.word(), measure));
    let list = field.list("an array such as [\"detection\", \"views\"]")?;
    list.iter().map(|word| word.one_of(&words)).collect()
}

/// Makes bare nodes.
pub(crate) fn nodes() -> Make<Node> {
    Box::new(|birth| birth.node())
}

/// Time between two looks at the violations.
const SLICE: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = include_str!("scenario/full.toml");
    const SERF: &str = include_str!("scenario/serf.toml");

    #[test]
    fn what_was_written_reads_back_as_it_was() {
        for text in BUILTIN.iter().map(|b| b.text).chain([FULL, SERF]) {
            let scenario = Scenario::parse(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            let written = scenario.to_toml();
            let back = Scenario::parse(&written).unwrap_or_else(|e| panic!("{e}\n{written}"));
            assert_eq!(back.to_toml(), written);
            assert_eq!(back.world.faults, scenario.world.faults, "{written}");
            assert_eq!(back.world.links, scenario.world.links, "{written}");
            let knobs = |s: &Scenario| (s.world.core.knobs(), *s.world.core.ablation());
            assert_eq!(knobs(&back), knobs(&scenario), "{written}");
            let rest = |s: &Scenario| {
                let Scenario { world, cold, duration, seeds, watched, .. } = s.clone();
                let how = (cold, duration, seeds, watched);
                (world.nodes, s.machine, world.join_window, world.driver, how)
            };
            assert_eq!(rest(&back), rest(&scenario), "{written}");
        }
    }

    #[test]
    fn every_verb_stands_in_a_full_scenario() {
        for verb in timeline::verbs() {
            let entry = format!("do = {verb:?}");
            assert!(FULL.contains(&entry) || SERF.contains(&entry), "{verb}");
        }
    }

    /// The error that a scenario with one more line gives.
    fn error(line: &str) -> String {
        let text = format!("name = \"x\"\nnodes = 10\nduration = \"60s\"\n{line}\n");
        Scenario::parse(&text).unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_the_line_the_key_the_value_and_what_was_expected() {
        let cases = [
            ("nods = 3", "line 4: unknown key nods in a scenario, which knows name, about, "),
            ("cold = 5", "line 4: cold is 5, expected a time such as \"500ms\", \"60s\""),
            ("seeds = \"9..3\"", "line 4: seeds is \"9..3\", expected seeds such as \"0..10\""),
            ("driver = \"go\"", "line 4: driver is \"go\", expected one of mail-first, timers-f"),
            ("measure = [\"speed\"]", "line 4: measure is \"speed\", expected one of faults, "),
            ("[links]\nloss = \"120%\"", "line 5: loss is \"120%\", expected a share such as"),
            ("[links]\nmtu = 9", "line 5: mtu: MTU is 9 bytes, at least 1280"),
            ("[links]\nlatency = \"9us\"", "line 5: latency: delay is 9µs, not in 100µs..=60s"),
            ("[config]\npreset = \"man\"", "line 5: preset is \"man\", expected one of lan, wan"),
            ("[config]\nprobe_interval = 3", "line 5: probe_interval is 3, expected a time"),
            ("[config]\nawareness_max = 0", "line 5: awareness_max: awareness_max is 0, not in 1"),
            ("[config]\nprobes = 3", "line 5: probes: probes is no key of config, which knows "),
            ("[config.ablation]\nbudy = true", "line 5: budy: budy is no switch; there are "),
            ("[[timeline]]\ndo = \"heal\"", "line 4: a timeline entry needs the key at"),
            (
                "[[timeline]]\nat = \"1m\"\ndo = \"heal\"",
                "line 5: at is \"1m\", expected a time before the end of the run, 60s",
            ),
            (
                "[[timeline]]\nat = \"1s\"\ndo = \"crash\"",
                "line 4: do = \"crash\" needs the key who",
            ),
            (
                "[[timeline]]\nat = \"1s\"\ndo = \"crash\"\nwho = \"n10\"",
                "line 7: who is \"n10\", expected nodes from n0 to n9, such as \"n3\"",
            ),
            (
                "[[timeline]]\nat = \"1s\"\ndo = \"crash\"\nwho = \"n1\"\nshare = 1",
                "line 8: unknown key share in do = \"crash\", which knows at, do, who",
            ),
            (
                "[[timeline]]\nat = \"1s\"\ndo = \"partition\"\nsizes = \"3/3\"",
                "line 7: sizes is \"3/3\", expected sizes that make 10 nodes, such as",
            ),
            (
                "[[timeline]]\nat = \"1s\"\ndo = \"block\"\nwho = \"all\"\non = \"1s\"",
                "line 8: on: on and off go together",
            ),
            ("machine = \"go\"", "line 4: machine is \"go\", expected one of node, serf"),
            (
                "[[timeline]]\nat = \"1s\"\ndo = \"event\"\nwho = \"n1\"",
                "line 6: do is \"event\", expected what bare nodes do; this is for Serf nodes: set",
            ),
            (
                "machine = \"serf\"\n[[timeline]]\nat = \"1s\"\ndo = \"meta\"\nwho = \"n1\"",
                "line 7: do is \"meta\", expected what Serf nodes do; this is for bare nodes: Serf",
            ),
            (
                "machine = \"serf\"\n[[timeline]]\nat = \"1s\"\ndo = \"event\"\nwho = \"n1\"\nbytes = 9",
                "line 9: bytes is 9, expected an integer from 24 to 400",
            ),
            (
                "machine = \"serf\"\n[[timeline]]\nat = \"1s\"\ndo = \"tags\"\nwho = \"n1\"\ntags = [\"web\"]",
                "line 9: tags is \"web\", expected an array of tags, such as",
            ),
            (
                "[[timeline]]\nat = \"1s\"\ndo = \"crash\"\nwho = \"n1\"\nevery = \"1s\"",
                "line 8: every: every and times go together",
            ),
            (
                "[[timeline]]\nat = \"1s\"\ndo = \"heal\"\nevery = \"30s\"\ntimes = 3",
                "line 8: times is 3, expected fewer, so that the last comes before the end, 60s",
            ),
            ("nodes = 11", "line 4: duplicate key"),
        ];
        for (line, expected) in cases {
            let e = error(line);
            assert!(e.starts_with(expected), "{line}\n{e}");
        }
    }

    #[test]
    fn a_scenario_runs_as_its_world_would() {
        let scenario = Scenario::parse(FULL).unwrap();
        let digest = |scenario: &Scenario| {
            let mut world = scenario.world(3);
            world.run_until(Instant::from_secs(60));
            world.digest()
        };
        let back = Scenario::parse(&scenario.to_toml()).unwrap();
        assert_eq!(digest(&back), digest(&scenario));
    }
}
