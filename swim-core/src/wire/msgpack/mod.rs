//! The msgpack dialect of memberlist (section 0).

mod fast;
mod read;
mod write;

pub(super) use fast::Fast;
pub(super) use read::{Reader, Shape};
pub(super) use write::{
    F64_LEN, Writer, head_len, int_len, opt_raw_len, raw_len, uint_len, uint64_len, write,
};
