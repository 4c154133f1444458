//! What a peer may make us do.

/// Bounds on the work and memory that one datagram or exchange may cost.
///
/// memberlist nests without a bound on packets (hazard 10 of the memberlist spec); these defaults
/// leave room for all it sends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Layers (compound or compression) within each other in one datagram.
    ///
    /// Default 8; memberlist sends at most 2. Too small drops legal packets, too large costs a
    /// buffer per layer of compression.
    pub depth_max: u32,
    /// Parts of all compounds of one datagram together, empty ones included.
    ///
    /// Default 1024; memberlist sends at most 255.
    pub parts_max: usize,
    /// Bytes that all compressed messages of one datagram may expand to together.
    ///
    /// Default 256 KiB: four times the largest datagram. LZW can expand a thousandfold.
    pub decompressed_bytes_max: usize,
    /// Entries of a push/pull. Default 1,048,576, as in memberlist (spec 3.3).
    pub nodes_max: u32,
    /// Bytes of user state in a push/pull. Default 20 MiB, as in memberlist (spec 3.3).
    pub user_state_bytes_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth_max: 8,
            parts_max: 1024,
            decompressed_bytes_max: 256 * 1024,
            nodes_max: 1_048_576,
            user_state_bytes_max: 20 * 1024 * 1024,
        }
    }
}
