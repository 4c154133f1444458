//! Both ways of decoding a body must agree: checked by property tests and by fuzzing.

use core::fmt::Debug;

use crate::wire::body::{Body, decode_general, decode_prefix};
use crate::wire::msgpack::Fast;
use crate::wire::{
    Ack, Alive, Claim, ErrorReply, IndirectPing, Nack, NodeState, Ping, PushPullHeader, UserHeader,
};

/// Panics if any body's fast path and general path differ on `bytes`.
pub(crate) fn all_paths_agree(bytes: &[u8]) {
    paths_agree::<Ping<'_>>(bytes);
    paths_agree::<IndirectPing<'_>>(bytes);
    paths_agree::<Ack<'_>>(bytes);
    paths_agree::<Nack>(bytes);
    paths_agree::<ErrorReply<'_>>(bytes);
    paths_agree::<Claim<'_>>(bytes);
    paths_agree::<Alive<'_>>(bytes);
    paths_agree::<PushPullHeader>(bytes);
    paths_agree::<NodeState<'_>>(bytes);
    paths_agree::<UserHeader>(bytes);
}

/// Whatever the fast path takes, the general one takes too, with the same result.
fn paths_agree<'a, B: Body<'a> + PartialEq + Debug>(bytes: &'a [u8]) {
    let mut fast = Fast::new(bytes);
    let general = decode_general::<B>(bytes);
    if let Some(body) = B::fast(&mut fast) {
        assert_eq!(general, Ok((body, bytes.len() - fast.left())));
    } else {
        assert_eq!(general, decode_prefix(bytes));
    }
}
