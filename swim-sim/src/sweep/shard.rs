//! A part of a sweep, for one of several machines.

use core::fmt;

/// Every `of`-th run, from the `index`-th on, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    pub(crate) index: u32,
    pub(crate) of: u32,
}

impl Shard {
    /// All of a sweep.
    pub(crate) const ALL: Self = Self { index: 0, of: 1 };

    /// Reads `2/4`: the third of four, since schedulers count from 0.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let expected = || {
            format!("{text:?} is not K/N with K from 0 to N-1 and N at most {OF_MAX}, such as 0/4")
        };
        let (index, of) = text.split_once('/').ok_or_else(expected)?;
        let number = |t: &str| t.parse::<u32>().map_err(|_| expected());
        let shard = Self { index: number(index)?, of: number(of)? };
        if shard.index < shard.of && shard.of <= OF_MAX { Ok(shard) } else { Err(expected()) }
    }

    /// Whether this run is one of it. Neighbours, which cost much the same, go to different shards.
    pub(crate) const fn holds(self, cell: u64) -> bool {
        cell % self.of as u64 == self.index as u64
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// More shards than any scheduler gives one job.
const OF_MAX: u32 = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_split_the_runs_without_rest() {
        let shards: Vec<Shard> = (0..3).map(|k| Shard::parse(&format!("{k}/3")).unwrap()).collect();
        for cell in 0..10 {
            assert_eq!(shards.iter().filter(|s| s.holds(cell)).count(), 1, "{cell}");
        }
        for bad in ["3/3", "1", "0/0", "-1/2", "a/b", "1/100001"] {
            assert!(Shard::parse(bad).unwrap_err().contains(bad), "{bad}");
        }
    }
}
