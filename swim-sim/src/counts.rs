//! How often each kind of fault struck.

/// Writes the struct, its iterator and its sum from one list.
macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident;)*) => {
        /// How often each kind of fault struck.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
        #[non_exhaustive]
        pub struct FaultCounts {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl FaultCounts {
            /// Every counter with its name.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name)),*].into_iter()
            }

            /// Adds the counts of another world.
            pub const fn add(&mut self, other: &Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counts! {
    /// Processes that ended without a word.
    crashes;
    /// Crashed nodes that started again.
    restarts;
    /// Those of them that did so at another address.
    moves;
    /// Nodes that were told to leave.
    leaves;
    /// Stalls of input and output.
    io_stalls;
    /// Stalls of whole drivers.
    loop_stalls;
    /// Times that a node became slow.
    slowed;
    /// Clocks that began to drift.
    drifts;
    /// Partitions begun.
    partitions;
    /// Partitions ended.
    heals;
    /// Blocks begun.
    blocks;
    /// Streams broken by a fault or by their link.
    resets;
    /// Datagrams lost by chance.
    lost;
    /// Datagrams between the sides of a partition.
    cut;
    /// Datagrams that a block dropped.
    blocked;
    /// Datagrams larger than the MTU.
    oversized;
    /// Datagrams that found their node's interface with a full queue.
    congested;
    /// Datagrams that came twice.
    duplicated;
    /// Datagrams to nodes that were down.
    to_the_dead;
    /// Datagrams that found the socket of a frozen node full.
    overflowed;
    /// Streams that failed for one of these reasons.
    streams_failed;
}
