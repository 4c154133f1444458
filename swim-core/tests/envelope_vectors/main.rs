//! The outermost layers against bytes that the original software wrote or judged, against the
//! examples of the specification, and against arbitrary bytes.
//!
//! Each test of a file prints how many records it ran and asserts the number, so that a file which
//! silently shrinks is noticed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[cfg(feature = "encryption")]
mod cipher;
#[cfg(feature = "encryption")]
mod combined;
#[cfg(feature = "encryption")]
mod encrypted;
mod examples;
#[cfg(feature = "encryption")]
mod live;
mod plain;
mod properties;
#[cfg(feature = "encryption")]
mod streams;
mod support;
