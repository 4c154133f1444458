//! What an agent says when it refuses a command before looking at it (section 8.2). No body follows
//! these, whatever the command.

pub(crate) const HANDSHAKE_REQUIRED: &str = "Handshake required";
pub(crate) const HANDSHAKE_DONE: &str = "Handshake already performed";
pub(crate) const VERSION: &str = "Unsupported IPC version";
pub(crate) const AUTH_REQUIRED: &str = "Authentication required";
pub(crate) const COMMAND: &str = "Unsupported command";

pub(crate) const ALL: &[&str] =
    &[HANDSHAKE_REQUIRED, HANDSHAKE_DONE, VERSION, AUTH_REQUIRED, COMMAND];
