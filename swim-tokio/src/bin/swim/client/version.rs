//! `swim version`.

use super::Failure;

/// Versions of the crate, and of Serf's protocol.
#[expect(clippy::unnecessary_wraps, reason = "as the other commands")]
pub(super) fn run() -> Result<(), Failure> {
    println!("{}", env!("CARGO_PKG_VERSION"));
    println!("Agent Protocol: 5 (Understands back to: 2)");
    Ok(())
}
