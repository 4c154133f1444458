//! How often each kind of fault struck.

/// How often each kind of fault struck.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct FaultCounts {
    /// Processes that ended without a word.
    pub crashes: u64,
    /// Crashed nodes that started again.
    pub restarts: u64,
    /// Nodes that were told to leave.
    pub leaves: u64,
    /// Stalls of input and output.
    pub io_stalls: u64,
    /// Stalls of whole drivers.
    pub loop_stalls: u64,
    /// Partitions begun.
    pub partitions: u64,
    /// Partitions ended.
    pub heals: u64,
    /// Blocks begun.
    pub blocks: u64,
    /// Datagrams lost by chance.
    pub lost: u64,
    /// Datagrams between the sides of a partition.
    pub cut: u64,
    /// Datagrams that a block dropped.
    pub blocked: u64,
    /// Datagrams to nodes that were down.
    pub to_the_dead: u64,
    /// Datagrams that found the socket of a frozen node full.
    pub overflowed: u64,
    /// Streams that failed for one of these reasons.
    pub streams_failed: u64,
}

impl FaultCounts {
    /// Every counter with its name.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let Self {
            crashes,
            restarts,
            leaves,
            io_stalls,
            loop_stalls,
            partitions,
            heals,
            blocks,
            ..
        } = *self;
        let Self { lost, cut, blocked, to_the_dead, overflowed, streams_failed, .. } = *self;
        [
            ("crashes", crashes),
            ("restarts", restarts),
            ("leaves", leaves),
            ("io_stalls", io_stalls),
            ("loop_stalls", loop_stalls),
            ("partitions", partitions),
            ("heals", heals),
            ("blocks", blocks),
            ("lost", lost),
            ("cut", cut),
            ("blocked", blocked),
            ("to_the_dead", to_the_dead),
            ("overflowed", overflowed),
            ("streams_failed", streams_failed),
        ]
        .into_iter()
    }

    /// Adds the counts of another world.
    pub const fn add(&mut self, o: &Self) {
        self.crashes += o.crashes;
        self.restarts += o.restarts;
        self.leaves += o.leaves;
        self.io_stalls += o.io_stalls;
        self.loop_stalls += o.loop_stalls;
        self.partitions += o.partitions;
        self.heals += o.heals;
        self.blocks += o.blocks;
        self.lost += o.lost;
        self.cut += o.cut;
        self.blocked += o.blocked;
        self.to_the_dead += o.to_the_dead;
        self.overflowed += o.overflowed;
        self.streams_failed += o.streams_failed;
    }
}
