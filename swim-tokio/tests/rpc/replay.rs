//! Our server is told what recorded clients said, and answers what the recorded agents answered.

use std::time::Duration;

use bytes::Bytes;
use swim_tokio::rpc::wire::Frames;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::script::{Script, commands, said};
use crate::scripted::Scripted;
use crate::vectors::{Conversation, Side, conversations};

#[tokio::test]
async fn old_conversations_are_answered_alike() {
    let mut values = 0;
    for conversation in conversations("rpc_old.jsonl") {
        values += replay(&conversation).await;
    }
    assert_eq!(values, 1090);
}

#[tokio::test]
async fn new_conversations_are_answered_alike() {
    let mut values = 0;
    for conversation in conversations("rpc_new.jsonl") {
        values += replay(&conversation).await;
    }
    assert_eq!(values, 765);
}

/// Compares what is said for each request; how many values that were.
async fn replay(conversation: &Conversation) -> usize {
    let id = &conversation.id;
    let script = Script::of(conversation);
    let scripted = Scripted::start(&script).await;
    let stream = TcpStream::connect(scripted.server.local_addr()).await.unwrap();
    let mut client = Player { id, stream, frames: Frames::new(1 << 20), values: Vec::new() };
    let mut recorded = Frames::new(1 << 20);
    let mut expected = Vec::new();
    let mut closes = false;
    for (side, bytes) in &conversation.chunks {
        match (side, bytes) {
            (Side::Client, Some(bytes)) => client.stream.write_all(bytes).await.unwrap(),
            (Side::Client, None) => break,
            (Side::Server, None) => closes = true,
            (Side::Server, Some(bytes)) => {
                recorded.buffer().extend_from_slice(bytes);
                while let Some(value) = recorded.take().unwrap() {
                    if let Some(event) = script.events.get(&expected.len()) {
                        scripted.publish(event.clone());
                    }
                    expected.push(value);
                }
                client.read(expected.len() - repeated(id, expected.len())).await;
            }
        }
    }
    if closes {
        assert!(client.is_closed().await, "{id}: the connection is still open");
    }
    let commands = commands(conversation);
    let ours = said(&commands, &client.values, |_, _, _| {});
    let mut theirs = script.said;
    if let Some(said) = theirs.get_mut(&2).filter(|_| repeated(id, 3) == 1) {
        said.pop();
    }
    assert_eq!(ours, theirs, "{id}");
    if id == "cli/leave" {
        assert!(*scripted.stopped.borrow(), "the agent goes on");
    }
    client.values.len()
}

/// An agent that wants a token takes the body of a command for a header, and refuses that, too.
/// Ours passes over it, as the last of the three values.
fn repeated(id: &str, values: usize) -> usize {
    usize::from(id == "cli/auth-missing" && values == 3)
}

struct Player<'a> {
    id: &'a str,
    stream: TcpStream,
    frames: Frames,
    values: Vec<Bytes>,
}

impl Player<'_> {
    /// Reads until there are so many values.
    async fn read(&mut self, count: usize) {
        while self.values.len() < count {
            if self.more().await == 0 {
                panic!("{}: closed after {} of {count} values", self.id, self.values.len());
            }
        }
    }

    async fn is_closed(&mut self) -> bool {
        self.more().await == 0
    }

    async fn more(&mut self) -> usize {
        let reading = self.stream.read_buf(self.frames.buffer());
        let read = tokio::time::timeout(Duration::from_secs(30), reading).await;
        let read = read.unwrap_or_else(|_| panic!("{}: silence after {:?}", self.id, self.values));
        // A connection that is closed with bytes unread is reset.
        let read = read.unwrap_or(0);
        while let Some(value) = self.frames.take().unwrap() {
            self.values.push(value);
        }
        read
    }
}
