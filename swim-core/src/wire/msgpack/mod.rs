//! The msgpack dialect of memberlist (section 0).
//!
//! Messages of gossip are decoded and encoded by this module's parent. What is public here is for
//! the agent's protocol, which is msgpack in the same dialect on a stream of its own: [`Reader`]
//! takes values apart, `token` finds where one ends.

mod fast;
mod read;
mod token;
mod write;

pub(super) use fast::Fast;
pub use read::{Reader, Shape};
pub use token::{NotMsgpack, Token, token};
pub(super) use write::{
    F64_LEN, Writer, head_len, int_len, opt_raw_len, raw_len, uint_len, uint64_len, write,
};
