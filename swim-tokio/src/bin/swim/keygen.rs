//! `swim keygen`.

use std::process::ExitCode;

use swim_tokio::format_key;
use swim_tokio::swim_core::keyring::Key;

use crate::flags::KeygenFlags;
use crate::say::say;

pub(crate) fn run(flags: &KeygenFlags) -> Result<ExitCode, String> {
    let mut bytes = vec![0; flags.bytes.min(64)];
    getrandom::fill(&mut bytes).map_err(|e| format!("no random bytes: {e}"))?;
    let key = Key::new(&bytes)
        .map_err(|_| format!("a key has 16, 24 or 32 bytes, not {}", flags.bytes))?;
    say!("{}", format_key(&key));
    Ok(ExitCode::SUCCESS)
}
