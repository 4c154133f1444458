//! x
/// d
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError;
impl core::fmt::Display for DecodeError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("x")
    }
}
