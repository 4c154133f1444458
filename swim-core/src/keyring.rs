//! x
/// k
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key;
/// k
#[derive(Clone, Debug, Default)]
pub struct Keyring;
