//! Writing a scenario as TOML.

use core::fmt;
use core::time::Duration;
use std::fmt::Write as _;

use super::{Measure, Scenario, settings, timeline};
use crate::machine::MachineKind;
use crate::text::duration_text;
use crate::world::Driver;

/// Keys of one table, in order.
#[derive(Debug, Default)]
pub(super) struct Entry(String);

impl Entry {
    /// A value that TOML writes without quotes.
    pub(super) fn plain(&mut self, key: &str, value: impl fmt::Display) {
        let _ = writeln!(self.0, "{key} = {value}");
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.plain(key, quoted(value));
    }

    /// A time; one that never ends is left out.
    pub(super) fn time(&mut self, key: &str, value: Duration) {
        if value != Duration::MAX {
            self.text(key, &duration_text(value));
        }
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}

/// The text of a scenario; reading it gives an equal one.
pub(super) fn toml(s: &Scenario) -> String {
    let mut top = Entry::default();
    top.text("name", &s.name);
    if !s.about.is_empty() {
        top.text("about", &s.about);
    }
    top.plain("nodes", s.world.nodes);
    if s.machine != MachineKind::default() {
        let word = MachineKind::WORDS.iter().find(|(_, kind)| *kind == s.machine);
        top.text("machine", word.map_or("", |(word, _)| word));
    }
    let seeds = &s.seeds;
    top.text("seeds", &format!("{}..{}", seeds.start, seeds.end));
    top.time("duration", s.duration);
    if s.cold {
        top.time("cold", s.world.join_window);
    }
    if s.world.driver == Driver::TimersFirst {
        top.text("driver", "timers-first");
    }
    if !s.watched {
        top.plain("oracles", false);
    }
    if s.measure != Measure::ALL {
        let words: Vec<String> = s.measure.iter().map(|m| format!("{:?}", m.word())).collect();
        top.plain("measure", format_args!("[{}]", words.join(", ")));
    }
    let mut out = top.into_text();
    let _ = write!(out, "\n[config]\n{}", settings::write(&s.world.core));
    let ablation = settings::write_ablation(&s.world.core);
    if !ablation.is_empty() {
        let _ = write!(out, "\n[config.ablation]\n{ablation}");
    }
    let _ = write!(out, "\n[links]\n{}", super::links::write(&s.world.links));
    for (at, fault) in &s.world.faults {
        let mut entry = Entry::default();
        timeline::write(*at, fault, &mut entry);
        let _ = write!(out, "\n[[timeline]]\n{}", entry.into_text());
    }
    out
}

/// A basic string of TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
