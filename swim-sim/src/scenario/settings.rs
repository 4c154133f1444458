//! The settings of a scenario's nodes: a preset, a variant, knobs and research switches.

use std::sync::Arc;

use serde_json::{Map, Value};
use swim_core::{Ablation, Config, ConfigBuilder, KnobError, KnobValue};
use toml::de::DeValue;

use super::read::{Field, Section};
use super::write::Entry;
use super::{Result, ScenarioError};
use crate::text::duration_text;

type Make = fn() -> ConfigBuilder;

const PRESETS: &[(&str, Make)] =
    &[("lan", Config::lan), ("wan", Config::wan), ("local", Config::local)];

type Change = fn(ConfigBuilder) -> ConfigBuilder;

const VARIANTS: &[(&str, Change)] = &[
    ("swim2002", ConfigBuilder::swim2002),
    ("memberlist2018", ConfigBuilder::memberlist2018),
    ("lifeguard", ConfigBuilder::lifeguard),
];

/// Reads the table `config`. Oracles need to know who accuses whom.
pub(super) fn read(config: &mut Section<'_>, watched: bool) -> Result<Arc<Config>> {
    let preset = config.take("preset").map_or(Ok(PRESETS[0].1), |p| p.one_of(PRESETS))?;
    let mut builder = preset().evidence_events(watched);
    if let Some(variant) = config.take("variant") {
        builder = variant.one_of(VARIANTS)?(builder);
    }
    if let Some(table) = config.take("ablation") {
        builder = read_ablation(&table, builder)?;
    }
    for (name, field) in config.rest() {
        let value = knob(&field)?;
        builder = builder.knob(name, value).map_err(|e| wrong(&field, name, e))?;
    }
    // Each knob was checked where it stands.
    Ok(builder.build().expect("knobs within their ranges make a configuration"))
}

/// A time is a text, a count a number.
fn knob(field: &Field<'_>) -> Result<KnobValue> {
    Ok(match field.value() {
        DeValue::Boolean(flag) => KnobValue::Flag(*flag),
        DeValue::Integer(_) => KnobValue::Number(field.integer(0, u32::MAX.into())? as u32),
        _ => KnobValue::Time(field.time()?),
    })
}

fn wrong(field: &Field<'_>, name: &str, e: KnobError) -> ScenarioError {
    match e {
        KnobError::Unknown => {
            let config = Config::lan().build().expect("the preset is valid");
            let knobs: Vec<&str> = config.knobs().into_iter().map(|(name, _)| name).collect();
            let expected = format!("preset, variant, ablation or a knob: {}", knobs.join(", "));
            field.refused(format_args!("{name} is no key of config, which knows {expected}"))
        }
        KnobError::Kind { expected } => field.wrong(expected),
        e => field.refused(e),
    }
}

fn read_ablation(table: &Field<'_>, builder: ConfigBuilder) -> Result<ConfigBuilder> {
    let so_far = builder.clone().build().map_err(|e| table.refused(e))?;
    let mut switches = switches(so_far.ablation());
    for (name, field) in table.section("config.ablation")?.rest() {
        let known = switches.keys().cloned().collect::<Vec<_>>().join(", ");
        let Some(switch) = switches.get_mut(name) else {
            return Err(field.refused(format_args!("{name} is no switch; there are {known}")));
        };
        *switch = Value::Bool(field.flag()?);
    }
    let ablation = serde_json::from_value(Value::Object(switches)).map_err(|e| table.refused(e))?;
    Ok(builder.ablation(ablation))
}

/// Every research switch by its name.
fn switches(ablation: &Ablation) -> Map<String, Value> {
    match serde_json::to_value(ablation) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// Writes the table `config`: the preset that is nearest, and the knobs that differ from it.
pub(super) fn write(config: &Config) -> String {
    let differing = |make: Make| {
        let preset = make().build().expect("a preset is valid").knobs();
        let pairs = config.knobs().into_iter().zip(preset);
        pairs.filter(|(a, b)| a != b).map(|(a, _)| a).collect::<Vec<_>>()
    };
    let mut out = Entry::default();
    let all = PRESETS.iter().map(|&(name, make)| (name, differing(make)));
    let (preset, knobs) = all.min_by_key(|(_, knobs)| knobs.len()).unwrap_or_default();
    out.text("preset", preset);
    for (name, value) in knobs.into_iter().filter(|(name, _)| *name != "evidence_events") {
        match value {
            KnobValue::Number(n) => out.plain(name, n),
            KnobValue::Time(time) => out.text(name, &duration_text(time)),
            KnobValue::Flag(flag) => out.plain(name, flag),
            _ => {}
        }
    }
    out.into_text()
}

/// Writes the research switches that differ from their defaults.
pub(super) fn write_ablation(config: &Config) -> String {
    let mut out = Entry::default();
    let usual = switches(&Ablation::default());
    for (name, value) in switches(config.ablation()) {
        if usual.get(&name) != Some(&value) {
            out.plain(&name, value);
        }
    }
    out.into_text()
}
