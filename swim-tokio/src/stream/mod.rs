//! The stream plane: one task for each connection, off the task that owns the node.

mod budget;
mod frame;
mod inbound;
mod mail;
mod outbound;
mod slots;

pub(crate) use budget::Budget;
pub(crate) use inbound::{Inbound, serve};
pub(crate) use mail::{Answer, Mail, Mailbox, Shared};
pub(crate) use outbound::{Call, call};
pub(crate) use slots::{Slot, Slots};
