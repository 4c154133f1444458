//! `swim-sim plan`: what a cluster would do, before there is one.

use core::time::Duration;
use std::process::ExitCode;
use std::sync::Arc;

use swim_core::{Config, ConfigBuilder, KnobError, KnobValue};

use super::say::say;
use super::{progress, usage, value};
use crate::link::{DELAY_MAX, DELAY_MIN, Links};
use crate::plan::{self, Question};
use crate::text;

/// Tell what a cluster of so many nodes would do: detection, news, false positives, traffic.
///
/// Runs the shipped code in worlds of that size and tells in plain words what it has measured, how
/// sure that is, and how the other profiles compare. The same question has the same answer.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0, or 2 if an argument makes no sense.\n\nExamples:\n  \
                  swim-sim plan --nodes 300\n  \
                  swim-sim plan --nodes 300 --loss 2% --rtt 80ms --profile wan\n  \
                  swim-sim plan --nodes 300 --set suspicion_mult=6 --set probe_interval=2s")]
pub(super) struct Args {
    /// How many nodes the cluster has
    #[arg(long, value_name = "N")]
    nodes: u32,
    /// Share of packets that the network loses: 2% or 0.02
    #[arg(long, value_name = "P", default_value = "0%", value_parser = value::share)]
    loss: f64,
    /// Round trip between two nodes; single packets take up to a fifth more or less [default: that
    /// of a local network, 1ms to 4ms]
    #[arg(long, value_name = "T", value_parser = value::duration)]
    rtt: Option<Duration>,
    /// The profile that is asked about; the others are compared with it
    #[arg(long, value_enum, default_value_t = Profile::Lan)]
    profile: Profile,
    /// Change a setting of the profile: your own settings are then asked about; may be repeated
    #[arg(long, value_name = "KNOB=VALUE", value_parser = knob)]
    set: Vec<(String, KnobValue)>,
    /// Measure so many times as much, for narrower bounds, or less for a faster answer
    #[arg(long, value_name = "K", default_value_t = 1.0, value_parser = effort)]
    effort: f64,
    /// Print one JSON object instead of words
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Profile {
    /// A local network
    Lan,
    /// The internet
    Wan,
    /// One machine
    Local,
}

impl Profile {
    const ALL: [Self; 3] = [Self::Lan, Self::Wan, Self::Local];

    const fn name(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Wan => "wan",
            Self::Local => "local",
        }
    }

    fn builder(self) -> ConfigBuilder {
        match self {
            Self::Lan => Config::lan(),
            Self::Wan => Config::wan(),
            Self::Local => Config::local(),
        }
    }
}

/// Answers the question that the arguments ask.
pub(super) fn main(args: &Args) -> ExitCode {
    let question = match args.question() {
        Ok(question) => question,
        Err(text) => return usage(&text),
    };
    let bar = progress::bar(question.worlds(), "worlds");
    let answers = question.answer(&|| bar.inc(1));
    bar.finish_and_clear();
    if args.json {
        let json = serde_json::to_string_pretty(&answers).expect("answers are plain data");
        say!("{json}");
    } else {
        say!("{}", plan::text(&question, &answers).trim_end());
    }
    ExitCode::SUCCESS
}

impl Args {
    fn question(&self) -> Result<Question, String> {
        if !(2..=NODES_MAX).contains(&self.nodes) {
            return Err(format!("--nodes is {}, not in 2..={NODES_MAX}", self.nodes));
        }
        let (least, most) = (DELAY_MIN * 5 / 2, DELAY_MAX);
        if let Some(rtt) = self.rtt.filter(|rtt| !(least..=most).contains(rtt)) {
            return Err(format!("--rtt is {rtt:?}, not in {least:?}..={most:?}"));
        }
        let links = match self.rtt {
            Some(rtt) => Links::uniform(rtt / 2 * 4 / 5, rtt / 2 * 6 / 5),
            None => Ok(Links::default()),
        };
        let links =
            links.and_then(|links| links.with_loss(self.loss)).map_err(|e| e.to_string())?;
        let mut settings = Vec::new();
        if !self.set.is_empty() {
            settings.push((format!("your {}", self.profile.name()), self.own()?));
        }
        let mut profiles = vec![self.profile];
        profiles.extend(Profile::ALL.into_iter().filter(|p| *p != self.profile));
        for profile in profiles {
            let config = profile.builder().build().map_err(|e| e.to_string())?;
            settings.push((profile.name().to_owned(), config));
        }
        let (nodes, loss, rtt, effort) = (self.nodes, self.loss, self.rtt, self.effort);
        Ok(Question { nodes, links, loss, rtt, settings, effort })
    }

    /// The user's own settings.
    fn own(&self) -> Result<Arc<Config>, String> {
        let mut builder = self.profile.builder();
        for (name, value) in &self.set {
            builder = builder.knob(name, *value).map_err(|e| match e {
                KnobError::Unknown => {
                    let known: Vec<&str> = knobs().into_iter().map(|(name, _)| name).collect();
                    format!("--set {name}: no such setting; there are {}", known.join(", "))
                }
                KnobError::Kind { expected } => format!("--set {name}: expected {expected}"),
                e => format!("--set {name}: {e}"),
            })?;
        }
        builder.build().map_err(|e| e.to_string())
    }
}

fn knobs() -> Vec<(&'static str, KnobValue)> {
    Config::lan().build().expect("the preset is valid").knobs()
}

fn effort(text: &str) -> Result<f64, String> {
    let effort = text.parse::<f64>().ok().filter(|e| (0.01..=1000.0).contains(e));
    effort.ok_or_else(|| format!("{text:?} is not a number from 0.01 to 1000"))
}

/// `suspicion_mult=6`, `probe_interval=2s`, `stream_pings=false`.
fn knob(text: &str) -> Result<(String, KnobValue), String> {
    let expected = || format!("{text:?} is not KNOB=VALUE, such as suspicion_mult=6");
    let (name, value) = text.split_once('=').ok_or_else(expected)?;
    let value = match value {
        "true" => KnobValue::Flag(true),
        "false" => KnobValue::Flag(false),
        _ => match value.parse() {
            Ok(number) => KnobValue::Number(number),
            Err(_) => KnobValue::Time(text::duration(value)?),
        },
    };
    Ok((name.to_owned(), value))
}

/// A node holds every other: larger worlds take hours and more memory than most machines have.
const NODES_MAX: u32 = 20_000;
