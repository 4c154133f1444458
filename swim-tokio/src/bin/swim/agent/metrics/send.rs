//! Lines on their way to statsd (UDP) and statsite (TCP).

use std::io;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// Gathers lines for a moment, then sends them together.
pub(super) async fn run(addr: String, is_udp: bool, mut lines: mpsc::Receiver<String>) {
    let mut stream = None;
    while let Some(mut batch) = lines.recv().await {
        sleep(GATHER).await;
        while batch.len() < BATCH_BYTES
            && let Ok(line) = lines.try_recv()
        {
            batch += &line;
        }
        let sent = if is_udp {
            by_udp(&addr, &batch).await
        } else {
            by_tcp(&addr, &batch, &mut stream).await
        };
        if let Err(e) = sent {
            tracing::debug!("metrics to {addr}: {e}");
        }
    }
}

async fn by_udp(addr: &str, batch: &str) -> io::Result<()> {
    let to = tokio::net::lookup_host(addr).await?.next().ok_or(io::ErrorKind::NotFound)?;
    let from = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    UdpSocket::bind(from).await?.send_to(batch.as_bytes(), to).await.map(drop)
}

async fn by_tcp(addr: &str, batch: &str, stream: &mut Option<TcpStream>) -> io::Result<()> {
    let mut open = match stream.take() {
        Some(open) => open,
        None => timeout(TCP_TIMEOUT, TcpStream::connect(addr)).await??,
    };
    timeout(TCP_TIMEOUT, open.write_all(batch.as_bytes())).await??;
    *stream = Some(open);
    Ok(())
}

/// What fits a datagram, with a last line.
const BATCH_BYTES: usize = 1200;
const GATHER: Duration = Duration::from_millis(100);
const TCP_TIMEOUT: Duration = Duration::from_secs(5);
