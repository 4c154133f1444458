//! Running a script.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::Handler;
use super::input::{environment, standard_input};
use crate::rpc::AgentEvent;

/// What scripts are told of the agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "what Serf tells")]
pub struct SelfInfo {
    /// Its name.
    pub name: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What became of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Invoked {
    /// Whether it ended with 0.
    pub success: bool,
    /// The last 8192 bytes of its standard output and standard error.
    pub output: Vec<u8>,
    /// How many bytes before those were dropped.
    pub dropped: u64,
    /// How long it took.
    pub took: Duration,
}

impl Invoked {
    /// What answers a query: the output, if there is some and the script was successful.
    pub fn response(&self) -> Option<&[u8]> {
        (self.success && !self.output.is_empty()).then_some(&self.output)
    }
}

/// Runs a handler's script by the system's shell and waits for its end.
///
/// Scripts are to run one after another, as Serf's do: whoever calls this waits for one before the
/// next. A script that takes longer than a second is one warning in the log.
///
/// # Errors
///
/// What the system says if there is no shell to run it.
pub async fn invoke(handler: &Handler, me: &SelfInfo, event: &AgentEvent) -> io::Result<Invoked> {
    let started = Instant::now();
    // One pipe for both, so that what is written to them keeps its order.
    let (reader, writer) = io::pipe()?;
    let mut child = shell(handler.script())
        .envs(environment(me, event))
        .stdin(Stdio::piped())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .kill_on_drop(true)
        .spawn()?;
    let stdin = child.stdin.take();
    let input = standard_input(event);
    let feed = async {
        if let Some(mut stdin) = stdin {
            // A script need not read it.
            let _ = stdin.write_all(&input).await;
        }
    };
    let reading = tokio::task::spawn_blocking(move || drain(reader));
    let slow = tokio::time::sleep(SLOW_AFTER);
    let running = async {
        let ((), tail) = tokio::join!(feed, reading);
        let tail = tail.map_err(io::Error::other)??;
        Ok::<_, io::Error>((child.wait().await?, tail))
    };
    let mut running = std::pin::pin!(running);
    let (status, tail) = tokio::select! {
        ended = &mut running => ended?,
        () = slow => {
            tracing::warn!("script {:?} is slow: it blocks other handlers", handler.script());
            running.await?
        }
    };
    let Tail { kept, dropped } = tail;
    let took = started.elapsed();
    Ok(Invoked { success: status.success(), output: kept.into(), dropped, took })
}

#[cfg(unix)]
fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(script);
    command
}

#[cfg(not(unix))]
fn shell(script: &str) -> Command {
    let mut command = Command::new("cmd");
    command.arg("/C").arg(script);
    command
}

fn drain(mut from: impl Read) -> io::Result<Tail> {
    let mut tail = Tail::default();
    let mut buffer = [0; 4096];
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok(tail),
            read => tail.add(&buffer[..read]),
        }
    }
}

/// The end of an output.
#[derive(Default)]
struct Tail {
    kept: VecDeque<u8>,
    dropped: u64,
}

impl Tail {
    fn add(&mut self, bytes: &[u8]) {
        self.kept.extend(bytes);
        let excess = self.kept.len().saturating_sub(OUTPUT_BYTES_MAX);
        self.kept.drain(..excess);
        self.dropped += excess as u64;
    }
}

/// Serf keeps so much of a script's output.
const OUTPUT_BYTES_MAX: usize = 8192;

const SLOW_AFTER: Duration = Duration::from_secs(1);

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::QueryToken;

    async fn run(script: &str) -> Invoked {
        let event = AgentEvent::Query {
            token: QueryToken(1),
            ltime: 3,
            name: "load".into(),
            payload: "how much".into(),
            timeout: Duration::from_secs(1),
        };
        invoke(&script.parse().unwrap(), &SelfInfo::default(), &event).await.unwrap()
    }

    #[tokio::test]
    async fn output_of_a_script_that_succeeds_is_the_response() {
        let response = async |script| run(script).await.response().map(<[u8]>::to_vec);
        assert_eq!(response("cat; echo $SERF_QUERY_NAME >&2").await.unwrap(), b"how much\nload\n");
        assert_eq!(response("*=echo no; exit 1").await, None);
        assert_eq!(response("true").await, None);
    }

    #[tokio::test]
    async fn the_last_8192_bytes_are_kept() {
        let invoked = run("printf a; head -c 8190 /dev/zero | tr '\\0' b; printf cd").await;
        assert_eq!((invoked.output.len(), invoked.dropped), (8192, 1));
        assert_eq!((invoked.output[0], &invoked.output[8189..]), (b'b', &b"bcd"[..]));
    }

    #[tokio::test]
    async fn a_script_that_does_not_read_gets_its_input_cut() {
        assert!(run("exec 0<&-; sleep 0.1").await.success);
    }
}
