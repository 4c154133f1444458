//! The outer layers of datagrams and streams, as a node's configuration and keyring say.

use std::sync::Arc;

use swim_core::envelope::{EncryptionVersion, Label, LabelCheck, Outer, Verify};
use swim_core::keyring::Keyring;
use swim_core::{Config, Node};

/// Configuration and keyring of one moment, for a task that outlives a borrow of the node.
#[derive(Clone, Debug)]
pub(crate) struct Layers {
    pub(crate) config: Arc<Config>,
    keyring: Keyring,
}

impl Layers {
    pub(crate) fn of(node: &Node) -> Self {
        Self { config: node.config().clone(), keyring: node.keyring().clone() }
    }

    pub(crate) fn outer(&self) -> Outer<'_> {
        outer(&self.config, &self.keyring)
    }
}

/// The settings of the outer layers.
pub(crate) fn outer<'a>(config: &'a Config, keyring: &'a Keyring) -> Outer<'a> {
    let label = Label::new(config.label()).expect("a configured label has at most 255 bytes");
    let mut outer = Outer::new(label, keyring);
    if config.protocol_version() < 2 {
        outer.version = EncryptionVersion::V0;
    }
    outer.incoming = verify(config.verify_incoming());
    outer.outgoing = verify(config.verify_outgoing());
    if config.skip_inbound_label_check() {
        outer.label_check = LabelCheck::Stripped;
    }
    outer
}

const fn verify(enforced: bool) -> Verify {
    if enforced { Verify::Enforced } else { Verify::Tolerant }
}
