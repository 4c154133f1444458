//! Values on the command line. An error names the value and says what was expected.

use core::fmt;
use core::ops::RangeInclusive;
use core::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::fault::Split;
use crate::machine::MachineKind;
pub(super) use crate::text::{duration, seeds, share};

/// A kind of nodes, by its word.
pub(super) fn machine() -> impl TypedValueParser<Value = MachineKind> {
    let words = MachineKind::WORDS;
    PossibleValuesParser::new(words.map(|(word, _)| word)).map(move |text| {
        let kind = words.iter().find(|(word, _)| *word == text);
        kind.map_or_else(MachineKind::default, |(_, kind)| *kind)
    })
}

/// Nodes at a time: `10@20s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct At {
    pub(super) count: u32,
    pub(super) at: Duration,
}

pub(super) fn at(text: &str) -> Result<At, String> {
    let expected = || format!("{text:?} is not COUNT@TIME, such as 10@20s");
    let (count, time) = text.split_once('@').ok_or_else(expected)?;
    Ok(At { count: count.parse().map_err(|_| expected())?, at: duration(time)? })
}

/// Nodes at a time, for some time: `5@20s+3s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AtFor {
    pub(super) count: u32,
    pub(super) at: Duration,
    pub(super) time: Duration,
}

pub(super) fn at_for(text: &str) -> Result<AtFor, String> {
    let expected = || format!("{text:?} is not COUNT@TIME+LENGTH, such as 5@20s+3s");
    let (count, times) = text.split_once('@').ok_or_else(expected)?;
    let (start, length) = times.split_once('+').ok_or_else(expected)?;
    let count = count.parse().map_err(|_| expected())?;
    Ok(AtFor { count, at: duration(start)?, time: duration(length)? })
}

/// Groups for a time: `50%/50%@30s..60s` or `10/90@30s..60s`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cut {
    groups: Vec<Size>,
    pub(super) from: Duration,
    pub(super) until: Duration,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Size {
    Nodes(u32),
    Share(f64),
}

pub(super) fn cut(text: &str) -> Result<Cut, String> {
    let expected = || format!("{text:?} is not A/B@START..END, such as 10%/90%@30s..60s");
    let (groups, times) = text.split_once('@').ok_or_else(expected)?;
    let (from, until) = times.split_once("..").ok_or_else(expected)?;
    let size = |size: &str| {
        if size.ends_with('%') {
            return share(size).map(Size::Share);
        }
        size.parse().map(Size::Nodes).map_err(|_| expected())
    };
    let groups = groups.split('/').map(size).collect::<Result<Vec<_>, _>>()?;
    if groups.len() < 2 {
        return Err(expected());
    }
    let cut = Cut { groups, from: duration(from)?, until: duration(until)?, text: text.into() };
    if cut.until <= cut.from {
        return Err(format!("{text:?} ends before it starts"));
    }
    Ok(cut)
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Cut {
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.from < other.until && other.from < self.until
    }

    /// The groups in a world of so many nodes.
    pub(super) fn split(&self, nodes: u32) -> Result<Split, String> {
        let count = |size: &Size| match *size {
            Size::Nodes(n) => n,
            Size::Share(share) => (share * f64::from(nodes)).round() as u32,
        };
        let sizes: Vec<u32> = self.groups.iter().map(count).collect();
        if sizes.contains(&0) {
            return Err(format!("{:?} makes a group of no node of {nodes}", self.text));
        }
        let sum: u64 = sizes.iter().map(|&s| u64::from(s)).sum();
        // Shares such as 33%/33%/33% may miss the whole by rounding.
        let shares = self.groups.iter().filter(|size| matches!(size, Size::Share(_))).count();
        if sum.abs_diff(nodes.into()) > shares as u64 {
            return Err(format!("{:?} makes groups of {sum} nodes, not {nodes}", self.text));
        }
        Ok(Split::Sizes(sizes))
    }
}

/// Whether random worlds can have so many nodes.
pub(super) fn swarm_nodes(nodes: u32) -> Result<(), String> {
    if SWARM_NODES.contains(&nodes) {
        return Ok(());
    }
    Err(format!("--nodes is {nodes}, not in {SWARM_NODES:?}"))
}

/// The smallest and largest of something: `1ms..5ms`, or one value for both.
pub(super) fn delays(text: &str) -> Result<(Duration, Duration), String> {
    let Some((min, max)) = text.split_once("..") else {
        let delay = duration(text)?;
        return Ok((delay, delay));
    };
    Ok((duration(min)?, duration(max)?))
}

/// Sizes of random worlds.
const SWARM_NODES: RangeInclusive<u32> = 5..=500;

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn values_are_read() {
        assert_eq!(duration("60s"), Ok(S(60)));
        assert_eq!(duration("1.5m"), Ok(S(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(share("5%"), Ok(0.05));
        assert_eq!(share("0.2"), Ok(0.2));
        assert_eq!(at("10@20s"), Ok(At { count: 10, at: S(20) }));
        assert_eq!(at_for("5@1m+3s"), Ok(AtFor { count: 5, at: S(60), time: S(3) }));
        assert_eq!(delays("1ms..2ms").map(|d| d.1), Ok(Duration::from_millis(2)));
        assert_eq!(seeds("3..5"), Ok(3..5));
        assert_eq!(seeds("7"), Ok(7..8));
        let halves = cut("50%/50%@30s..1m").unwrap();
        assert_eq!((halves.from, halves.until), (S(30), S(60)));
        assert_eq!(halves.split(9), Ok(Split::Sizes(vec![5, 5])));
        assert_eq!(cut("1/2/3@1s..2s").unwrap().split(6), Ok(Split::Sizes(vec![1, 2, 3])));
    }

    #[test]
    fn errors_name_the_value_and_what_was_expected() {
        let e = duration("60").unwrap_err();
        assert_eq!(e, "\"60\" is not a time such as 500ms, 60s, 2m or 1h");
        assert_eq!(at("10").unwrap_err(), "\"10\" is not COUNT@TIME, such as 10@20s");
        assert_eq!(at("10@x").unwrap_err(), "\"x\" is not a time such as 500ms, 60s, 2m or 1h");
        assert_eq!(
            share("120%").unwrap_err(),
            "\"120%\" is not a share such as 5% or 0.05, from 0 to 1"
        );
        assert_eq!(cut("1/2@3s..2s").unwrap_err(), "\"1/2@3s..2s\" ends before it starts");
        assert_eq!(
            cut("5/5@1s..2s").unwrap().split(50).unwrap_err(),
            "\"5/5@1s..2s\" makes groups of 10 nodes, not 50"
        );
        assert!(cut("6/6@1s..2s").unwrap().split(10).is_err());
        assert!(cut("0/10@1s..2s").unwrap().split(10).is_err());
        assert_eq!(seeds("5..5").unwrap_err(), "\"5..5\" holds no seed");
        for bad in ["-1s", "nans", "infs", "1e99s", "s", "1d"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        for bad in ["5@1s", "5+1s", "x@1s+1s"] {
            assert!(at_for(bad).is_err(), "{bad}");
        }
    }
}
