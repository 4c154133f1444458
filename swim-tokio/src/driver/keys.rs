//! Storing the keyring when it changes.

use std::path::PathBuf;

use swim_core::{Input, Instant, OpId};

use super::Machine;
use crate::keyring_file::write_keyring;
use crate::stream::{Mail, Mailbox};

/// Writes the keyring file off the driver's task, one write at a time.
#[derive(Debug)]
pub(crate) struct KeySaver {
    /// Without a file the keys live in memory only, and every change counts as stored.
    path: Option<PathBuf>,
    mailbox: Mailbox,
    writing: bool,
    /// Changes since the write under way began; one more write stores them all.
    waiting: Vec<OpId>,
}

impl KeySaver {
    pub(crate) const fn new(path: Option<PathBuf>, mailbox: Mailbox) -> Self {
        Self { path, mailbox, writing: false, waiting: Vec::new() }
    }

    pub(crate) fn on_changed(&mut self, node: &mut impl Machine, now: Instant, op: OpId) {
        if self.path.is_none() {
            return answer(node, now, op, true);
        }
        self.waiting.push(op);
        self.write(node);
    }

    pub(crate) fn on_saved(
        &mut self,
        node: &mut impl Machine,
        now: Instant,
        ops: Vec<OpId>,
        result: Result<(), String>,
    ) {
        self.writing = false;
        if let Err(e) = &result {
            tracing::error!("the keyring has changed, but was not stored: {e}");
        }
        for op in ops {
            answer(node, now, op, result.is_ok());
        }
        self.write(node);
    }

    fn write(&mut self, node: &impl Machine) {
        let Some(path) = self.path.clone() else { return };
        if self.writing || self.waiting.is_empty() {
            return;
        }
        self.writing = true;
        let ops = std::mem::take(&mut self.waiting);
        let ring = node.node().keyring().clone();
        let mailbox = self.mailbox.clone();
        tokio::task::spawn_blocking(move || {
            let result = write_keyring(&path, &ring).map_err(|e| e.to_string());
            // Fails only if the driver has stopped.
            let _ = mailbox.blocking_send(Mail::KeyringSaved { ops, result });
        });
    }
}

fn answer<M: Machine>(node: &mut M, now: Instant, op: OpId, saved: bool) {
    let command = M::keyring_saved(saved);
    if let Err(e) = node.handle(now, Input::Command { op, command }) {
        tracing::debug!("answer about the keyring not taken: {e}");
    }
}
