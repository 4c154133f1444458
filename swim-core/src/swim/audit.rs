//! What must hold of a node between any two calls; for tests and fuzzing, in time O(n).

use super::node::Node;

impl Node {
    /// Panics if an invariant does not hold.
    pub(crate) fn audit(&self) {
        let (cx, knobs) = (&self.cx, &self.cx.config.knobs);
        cx.members.audit();
        cx.out.audit(knobs);
        cx.timers.audit(cx.members.slots_len(), knobs);
        self.exchanges.audit(knobs);
        if let Some(aside) = self.aside() {
            aside.relays.audit(knobs);
            aside.merges.audit();
        }
        assert!(cx.members.get(cx.me).is_some(), "a node knows itself");
    }

    /// Whether a large push/pull has slices left, so that a time-out is due at once.
    pub(crate) fn is_merging(&self) -> bool {
        self.aside().is_some_and(|aside| aside.merges.is_merging())
    }
}
