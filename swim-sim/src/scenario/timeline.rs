//! The timeline of a scenario: one entry for each fault or command.

use core::time::Duration;

use swim_core::Instant;

use super::read::{Field, Section};
use super::who::{names, text as who_text, who};
use super::write::Entry;
use super::{Result, orders};
use crate::block::{Ends, Plane};
use crate::change::Stall;
use crate::clock::DRIFT_MAX_PPM;
use crate::course::Course;
use crate::fault::{Fault, Split, Who};
use crate::machine::MachineKind;
use crate::text::duration_text;

/// What an entry does, by its key `do`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Verb {
    Crash,
    Vanish,
    Restart,
    Move,
    Leave,
    Reset,
    Stall,
    Slow,
    Drift,
    Block,
    Partition,
    Heal,
    Loss,
    Broadcast,
    Meta,
    Join,
    Event,
    Query,
    ForceLeave,
    Tags,
}

impl Verb {
    /// The machine that takes it, if not all do, and what another knows instead.
    const fn only(self) -> Option<(MachineKind, &'static str)> {
        match self {
            Self::Event | Self::Query | Self::ForceLeave | Self::Tags => {
                Some((MachineKind::Serf, "set machine = \"serf\""))
            }
            Self::Broadcast => Some((MachineKind::Node, "Serf nodes send an event or a query")),
            Self::Meta => Some((MachineKind::Node, "Serf nodes have tags")),
            _ => None,
        }
    }
}

const VERBS: &[(&str, Verb)] = &[
    ("crash", Verb::Crash),
    ("vanish", Verb::Vanish),
    ("restart", Verb::Restart),
    ("move", Verb::Move),
    ("leave", Verb::Leave),
    ("reset", Verb::Reset),
    ("stall", Verb::Stall),
    ("slow", Verb::Slow),
    ("drift", Verb::Drift),
    ("block", Verb::Block),
    ("partition", Verb::Partition),
    ("heal", Verb::Heal),
    ("loss", Verb::Loss),
    ("broadcast", Verb::Broadcast),
    ("meta", Verb::Meta),
    ("join", Verb::Join),
    ("event", Verb::Event),
    ("query", Verb::Query),
    ("force-leave", Verb::ForceLeave),
    ("tags", Verb::Tags),
];

const PARTS: &[(&str, Stall)] = &[("io", Stall::Io), ("loop", Stall::Loop)];

const PLANES: &[(&str, Plane)] =
    &[("datagrams", Plane::Datagrams), ("streams", Plane::Streams), ("both", Plane::Both)];

/// Makes the ends of a block of `who` and, where two sides are meant, `and`.
#[derive(Clone, Copy, Debug)]
enum Shape {
    One(fn(Who) -> Ends),
    Two(fn(Who, Who) -> Ends),
}

const SHAPES: &[(&str, Shape)] = &[
    ("into", Shape::One(Ends::Into)),
    ("out-of", Shape::One(Ends::OutOf)),
    ("around", Shape::One(Ends::Around)),
    ("one-way", Shape::Two(Ends::OneWay)),
    ("between", Shape::Two(Ends::Between)),
];

/// The words that the key `do` knows.
#[cfg(test)]
pub(super) fn verbs() -> impl Iterator<Item = &'static str> {
    VERBS.iter().map(|(word, _)| *word)
}

/// What entries must fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) nodes: u32,
    pub(super) machine: MachineKind,
    pub(super) duration: Duration,
}

/// Reads one entry: what strikes, once or several times.
pub(super) fn entry(field: &Field<'_>, bounds: &Bounds) -> Result<Vec<(Instant, Fault)>> {
    let mut entry = field.section("a timeline entry")?;
    let at = entry.need("at")?;
    let time = at.time()?;
    if time >= bounds.duration {
        let end = duration_text(bounds.duration);
        return Err(at.wrong(format_args!("a time before the end of the run, {end}")));
    }
    let verb = entry.need("do")?;
    let word = verb.one_of(VERBS)?;
    entry.set_title(format!("do = {:?}", verb.str("a verb")?));
    if let Some((machine, instead)) = word.only().filter(|(only, _)| *only != bounds.machine) {
        let (whose, whose_not) = match machine {
            MachineKind::Serf => ("Serf", "bare"),
            MachineKind::Node => ("bare", "Serf"),
        };
        let expected = format!("what {whose_not} nodes do; this is for {whose} nodes: {instead}");
        return Err(verb.wrong(expected));
    }
    let fault = fault(word, &mut entry, bounds.nodes)?;
    let times = repeats(&mut entry, time, bounds)?;
    entry.end()?;
    Ok(times.into_iter().map(|at| (Instant::ZERO + at, fault.clone())).collect())
}

/// When an entry strikes: `every` and `times` repeat it.
fn repeats(entry: &mut Section<'_>, first: Duration, bounds: &Bounds) -> Result<Vec<Duration>> {
    let (every, times) = match (entry.take("every"), entry.take("times")) {
        (None, None) => return Ok(vec![first]),
        (Some(every), Some(times)) => (every, times),
        (Some(field), None) | (None, Some(field)) => {
            return Err(field.refused("every and times go together"));
        }
    };
    let (pause, count) = (every.time()?, times.integer(1, REPEATS_MAX)? as u32);
    let last = pause.checked_mul(count - 1).and_then(|time| time.checked_add(first));
    if last.is_none_or(|last| last >= bounds.duration) {
        let end = duration_text(bounds.duration);
        return Err(
            times.wrong(format_args!("fewer, so that the last comes before the end, {end}"))
        );
    }
    Ok((0..count).map(|nth| first + pause * nth).collect())
}

fn fault(verb: Verb, entry: &mut Section<'_>, nodes: u32) -> Result<Fault> {
    Ok(match verb {
        Verb::Crash => Fault::Crash(need_who(entry, nodes)?),
        Verb::Vanish => Fault::Vanish(need_who(entry, nodes)?),
        Verb::Restart => Fault::Restart(need_who(entry, nodes)?),
        Verb::Move => Fault::Move(need_who(entry, nodes)?),
        Verb::Leave => Fault::Leave(need_who(entry, nodes)?),
        Verb::Reset => Fault::Reset(need_who(entry, nodes)?),
        Verb::Stall => stall(entry, nodes)?,
        Verb::Slow => {
            let who = need_who(entry, nodes)?;
            let cost = entry.need("cost")?.time()?;
            let time = entry.need("time")?.time()?;
            Fault::Slow { who, cost, course: course(entry)?, time }
        }
        Verb::Drift => {
            let who = need_who(entry, nodes)?;
            let most = i64::from(DRIFT_MAX_PPM);
            let ppm = entry.need("ppm")?.integer(-most, most)? as i32;
            Fault::Drift { who, ppm, time: time_or_for_good(entry)? }
        }
        Verb::Block => block(entry, nodes)?,
        Verb::Partition => Fault::Partition(split(entry, nodes)?),
        Verb::Heal => Fault::Heal,
        Verb::Loss => Fault::Loss(entry.need("share")?.share()?),
        Verb::Broadcast
        | Verb::Meta
        | Verb::Join
        | Verb::Event
        | Verb::Query
        | Verb::ForceLeave
        | Verb::Tags => {
            let order = orders::read(verb, entry, nodes)?;
            Fault::Command { who: need_who(entry, nodes)?, order }
        }
    })
}

fn need_who(entry: &mut Section<'_>, nodes: u32) -> Result<Who> {
    who(&entry.need("who")?, nodes)
}

fn time_or_for_good(entry: &mut Section<'_>) -> Result<Duration> {
    entry.take("time").map_or(Ok(Duration::MAX), |time| time.time())
}

fn stall(entry: &mut Section<'_>, nodes: u32) -> Result<Fault> {
    let who = need_who(entry, nodes)?;
    let part = entry.need("part")?.one_of(PARTS)?;
    let time = entry.need("time")?.time()?;
    Ok(match course(entry)? {
        Course::Steady => Fault::Stall { who, part, time },
        course => Fault::Stalls { who, part, course, time },
    })
}

fn block(entry: &mut Section<'_>, nodes: u32) -> Result<Fault> {
    let shape = entry.take("ends").map_or(Ok(SHAPES[2].1), |ends| ends.one_of(SHAPES))?;
    let who_field = need_who(entry, nodes)?;
    let ends = match shape {
        Shape::One(make) => make(who_field),
        Shape::Two(make) => make(who_field, who(&entry.need("and")?, nodes)?),
    };
    let plane = entry.take("plane").map_or(Ok(Plane::Both), |plane| plane.one_of(PLANES))?;
    let share = entry.take("share").map_or(Ok(1.0), |share| share.share())?;
    let time = time_or_for_good(entry)?;
    Ok(Fault::Block { ends, plane, share, course: course(entry)?, time })
}

/// `on` and `off` make turns, with `random = true` bursts of these means.
fn course(entry: &mut Section<'_>) -> Result<Course> {
    let (on, off, random) = (entry.take("on"), entry.take("off"), entry.take("random"));
    let random = match &random {
        Some(field) => field.flag()?,
        None => false,
    };
    match (on, off) {
        (None, None) if !random => Ok(Course::Steady),
        (Some(on), Some(off)) => {
            let (on, off) = (on.time()?, off.time()?);
            Ok(if random { Course::Bursts { on, off } } else { Course::Turns { on, off } })
        }
        (Some(field), None) | (None, Some(field)) => Err(field.refused("on and off go together")),
        (None, None) => Err(entry.missing("with random = true needs the keys on and off")),
    }
}

fn split(entry: &mut Section<'_>, nodes: u32) -> Result<Split> {
    if let Some(groups) = entry.take("groups") {
        let expected = "an array of groups, such as [\"n0-n9\", \"n10 n12\"]";
        let mut named = Vec::new();
        for group in groups.list(expected)? {
            named.push(match who(&group, nodes)? {
                Who::Node(node) => vec![node],
                Who::Nodes(nodes) => nodes,
                _ => return Err(group.wrong(expected)),
            });
        }
        return Ok(Split::Groups(named));
    }
    let sizes = entry.need("sizes")?;
    let expected = format!("sizes that make {nodes} nodes, such as \"10%/90%\" or \"10/40\"");
    sizes_of(sizes.str(&expected)?, nodes).ok_or_else(|| sizes.wrong(&expected))
}

fn sizes_of(text: &str, nodes: u32) -> Option<Split> {
    let size = |word: &str| match word.strip_suffix('%') {
        Some(percent) => {
            let share = percent.parse::<f64>().ok().filter(|p| (0.0..=100.0).contains(p))?;
            Some((share / 100.0 * f64::from(nodes)).round() as u32)
        }
        None => word.parse().ok(),
    };
    let sizes: Vec<u32> = text.split('/').map(size).collect::<Option<_>>()?;
    let sum: u64 = sizes.iter().map(|&s| u64::from(s)).sum();
    // Shares such as 33%/33%/33% may miss the whole by rounding.
    let fits = sizes.len() >= 2 && sum.abs_diff(nodes.into()) <= sizes.len() as u64;
    fits.then_some(Split::Sizes(sizes))
}

/// Writes one entry.
pub(super) fn write(at: Instant, fault: &Fault, out: &mut Entry) {
    out.text("at", &duration_text(at.since(Instant::ZERO)));
    let mut verb = |word: &str, who: &Who| {
        out.text("do", word);
        out.text("who", &who_text(who));
    };
    match fault {
        Fault::Crash(who) => verb("crash", who),
        Fault::Vanish(who) => verb("vanish", who),
        Fault::Restart(who) => verb("restart", who),
        Fault::Move(who) => verb("move", who),
        Fault::Leave(who) => verb("leave", who),
        Fault::Reset(who) => verb("reset", who),
        Fault::Stall { who, part, time } => {
            verb("stall", who);
            out.text("part", word(PARTS, part));
            out.time("time", *time);
        }
        Fault::Stalls { who, part, course, time } => {
            verb("stall", who);
            out.text("part", word(PARTS, part));
            out.time("time", *time);
            write_course(*course, out);
        }
        Fault::Slow { who, cost, course, time } => {
            verb("slow", who);
            out.time("cost", *cost);
            out.time("time", *time);
            write_course(*course, out);
        }
        Fault::Drift { who, ppm, time } => {
            verb("drift", who);
            out.plain("ppm", *ppm);
            out.time("time", *time);
        }
        Fault::Block { ends, plane, share, course, time } => {
            let (shape, who, and) = match ends {
                Ends::Into(who) => ("into", who, None),
                Ends::OutOf(who) => ("out-of", who, None),
                Ends::Around(who) => ("around", who, None),
                Ends::OneWay(who, and) => ("one-way", who, Some(and)),
                Ends::Between(who, and) => ("between", who, Some(and)),
            };
            verb("block", who);
            out.text("ends", shape);
            if let Some(and) = and {
                out.text("and", &who_text(and));
            }
            out.text("plane", word(PLANES, plane));
            out.plain("share", format_args!("{share:?}"));
            out.time("time", *time);
            write_course(*course, out);
        }
        Fault::Partition(split) => {
            out.text("do", "partition");
            write_split(split, out);
        }
        Fault::Heal => out.text("do", "heal"),
        Fault::Loss(share) => {
            out.text("do", "loss");
            out.plain("share", format_args!("{share:?}"));
        }
        Fault::Command { who, order } => {
            verb(order.name(), who);
            orders::write(order, out);
        }
    }
}

fn write_course(course: Course, out: &mut Entry) {
    let (on, off, random) = match course {
        Course::Steady => return,
        Course::Turns { on, off } => (on, off, false),
        Course::Bursts { on, off } => (on, off, true),
    };
    out.time("on", on);
    out.time("off", off);
    if random {
        out.plain("random", true);
    }
}

fn write_split(split: &Split, out: &mut Entry) {
    match split {
        Split::Groups(groups) => {
            let groups: Vec<String> = groups.iter().map(|g| format!("{:?}", names(g))).collect();
            out.plain("groups", format_args!("[{}]", groups.join(", ")));
        }
        Split::Sizes(sizes) => {
            let sizes: Vec<String> = sizes.iter().map(u32::to_string).collect();
            out.text("sizes", &sizes.join("/"));
        }
    }
}

/// The word for a value.
fn word<T: PartialEq>(words: &[(&'static str, T)], value: &T) -> &'static str {
    words.iter().find(|(_, v)| v == value).map_or("", |(word, _)| word)
}

/// Times that an entry is repeated at most.
const REPEATS_MAX: i64 = 100_000;
