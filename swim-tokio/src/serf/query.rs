//! Answers to a query.

use bytes::Bytes;
use swim_core::NodeName;
use tokio::sync::mpsc;

/// An answer to a query.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answer {
    /// A node has got the query. Only if the query asks for it.
    Ack {
        /// Who.
        from: NodeName,
    },
    /// A node answered.
    Response {
        /// Who.
        from: NodeName,
        /// What it said.
        payload: Bytes,
    },
}

/// The answers to a query, as they come. Dropping it drops those that come later.
#[derive(Debug)]
pub struct Answers(pub(crate) mpsc::Receiver<Answer>);

impl Answers {
    /// The next answer; `None` once the time of the query is over.
    ///
    /// Cancel safe: no answer is lost if the future is dropped.
    pub async fn recv(&mut self) -> Option<Answer> {
        self.0.recv().await
    }
}
