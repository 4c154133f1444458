//! What a driver counts, beside what its node counts.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! counters {
    ($( $(#[$doc:meta])* $name:ident ),* $(,)?) => {
        /// What a driver has counted since it was started.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct DriverStats { $( $(#[$doc])* pub $name: u64, )* }

        impl DriverStats {
            /// Every counter with its name.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$( (stringify!($name), self.$name) ),*].into_iter()
            }
        }

        /// The same, shared with the tasks of the streams.
        #[derive(Debug, Default)]
        pub(crate) struct Counters { $( pub(crate) $name: Counter, )* }

        impl Counters {
            pub(crate) fn read(&self) -> DriverStats {
                DriverStats { $( $name: self.$name.0.load(Ordering::Relaxed), )* }
            }
        }
    };
}

counters! {
    /// Datagrams received.
    datagrams_received,
    /// Datagrams dropped because their source sent too many.
    datagrams_limited,
    /// Datagrams dropped because of their label, encryption or checksum.
    datagrams_unopened,
    /// Datagrams sent.
    datagrams_sent,
    /// Datagrams that could not be sent.
    datagrams_unsent,
    /// Datagrams among them that were refused because names are required and none was known.
    datagrams_unnamed,
    /// Times that the transport was full and sending paused.
    send_pauses,
    /// Streams accepted.
    streams_accepted,
    /// Streams closed at once because their source opened too many in a short time.
    streams_limited,
    /// Streams closed at once because too many were open.
    streams_crowded,
    /// Streams closed because all of them together held too many bytes.
    streams_bytes_limited,
    /// Streams closed because of their label, encryption, compression or form.
    streams_unopened,
    /// Streams that broke or took too long before their message was in.
    streams_broken,
    /// Streams that could not be accepted, for lack of file descriptors say.
    streams_unaccepted,
    /// Streams opened.
    streams_opened,
    /// Streams opened that brought no answer, and those refused for want of a name.
    streams_failed,
    /// Streams not opened because names are required and none was known.
    streams_unnamed,
    /// Events that the consumer missed.
    events_lagged,
}

#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn up(&self) {
        self.add(1);
    }
}
