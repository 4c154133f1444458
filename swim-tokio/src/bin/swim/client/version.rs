//! `swim version`.

use super::Failure;
use crate::say::say;

/// Versions of the crate, and of Serf's protocol.
#[expect(clippy::unnecessary_wraps, reason = "as the other commands")]
pub(super) fn run() -> Result<(), Failure> {
    say!("{}", env!("CARGO_PKG_VERSION"));
    say!("Agent Protocol: 5 (Understands back to: 2)");
    Ok(())
}
