//! Both ways of decoding a body must agree: checked by property tests and by fuzzing.

use core::fmt::Debug;

use crate::wire::body::{Body, decode_general, decode_prefix};
use crate::wire::msgpack::Fast;
use crate::wire::serf::{Coordinate, Join, Leave, Query, Response, UserEvent};
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
    serf_paths_agree(bytes);
}

/// The same for Serf's bodies that have a fast path.
fn serf_paths_agree(bytes: &[u8]) {
    paths_agree::<Join<'_>>(bytes);
    paths_agree::<Leave<'_>>(bytes);
    paths_agree::<UserEvent<'_>>(bytes);
    paths_agree::<Query<'_>>(bytes);
    paths_agree::<Response<'_>>(bytes);
    // NaN is unlike itself, so what counts is that both decode or neither does.
    let mut fast = Fast::new(bytes);
    if Coordinate::fast(&mut fast).is_some() {
        let general = decode_general::<Coordinate<'_>>(bytes);
        assert_eq!(general.map(|(_, len)| len), Ok(bytes.len() - fast.left()));
    }
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
