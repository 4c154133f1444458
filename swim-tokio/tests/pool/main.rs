//! Two or three of our own agents, over loopback.

mod bounds;
mod keys;
mod membership;
mod messages;
mod sockets;
mod support;
