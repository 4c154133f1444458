//! As much of HTTP as it takes to hand out one page.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use swim_tokio::rpc::Server;
use swim_tokio::serf::SerfHandle;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::page::page;

/// Serves `GET /metrics` until the program ends.
pub(crate) async fn serve(
    addr: SocketAddr,
    handle: SerfHandle,
    rpc: Arc<Server>,
    pool: Arc<str>,
) -> Result<(), String> {
    let listener = TcpListener::bind(addr).await;
    let listener = listener.map_err(|e| format!("cannot serve metrics at {addr}: {e}"))?;
    let local = listener.local_addr().unwrap_or(addr);
    tracing::info!("metrics: http://{local}/metrics");
    tokio::spawn(async move {
        let places = Arc::new(Semaphore::new(CLIENTS_MAX));
        while let Ok(place) = places.clone().acquire_owned().await {
            let Ok((stream, _)) = listener.accept().await else {
                // There are no more descriptors: it may come again at once.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let (handle, rpc, pool) = (handle.clone(), rpc.clone(), pool.clone());
            tokio::spawn(async move {
                // Whoever reads slowly, or goes, is no reason to tell anybody.
                let _ = timeout(CLIENT_TIMEOUT, answer(stream, &handle, &rpc, &pool)).await;
                drop(place);
            });
        }
    });
    Ok(())
}

async fn answer(
    mut stream: TcpStream,
    handle: &SerfHandle,
    rpc: &Server,
    pool: &str,
) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX || stream.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    let (status, body) = match request(&head) {
        Some(("GET", "/metrics")) => match handle.stats().await {
            Ok(stats) => ("200 OK", page(&stats, rpc.stats(), pool)),
            Err(e) => ("503 Service Unavailable", format!("{e}\n")),
        },
        Some(("GET", _)) => ("404 Not Found", "it is at /metrics\n".into()),
        Some(_) => ("405 Method Not Allowed", "it only takes GET\n".into()),
        None => ("400 Bad Request", "that is no HTTP\n".into()),
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

/// Method and path, without what stands behind a question mark.
fn request(head: &[u8]) -> Option<(&str, &str)> {
    let line = head.split(|byte| *byte == b'\r').next()?;
    let mut words = str::from_utf8(line).ok()?.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let is_http = words.next()?.starts_with("HTTP/1.") && words.next().is_none();
    is_http.then(|| (method, path.split('?').next().unwrap_or(path)))
}

const CLIENTS_MAX: usize = 16;
const CLIENT_TIMEOUT: Duration = Duration::from_secs(10);
const HEAD_BYTES_MAX: usize = 8192;
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_what_is_wanted() {
        for (head, wanted) in [
            ("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n", Some(("GET", "/metrics"))),
            ("GET /metrics?x=1 HTTP/1.0\r\n\r\n", Some(("GET", "/metrics"))),
            ("POST / HTTP/1.1\r\n\r\n", Some(("POST", "/"))),
            ("GET /metrics\r\n\r\n", None),
            ("GET / x HTTP/1.1\r\n\r\n", None),
            ("\r\n\r\n", None),
        ] {
            assert_eq!(request(head.as_bytes()), wanted, "{head:?}");
        }
    }
}
