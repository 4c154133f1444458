//! A member without tokio or any other runtime: a loop around `swim_core::Node` with blocking
//! sockets, and a thread for each stream.
//!
//! `cargo run -p swim-tokio --example blocking -- NAME BIND [JOIN]`, each address an `IP:PORT`.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant as Clock};

use bytes::BytesMut;
use swim_core::envelope::{Crc, FrameBuffers, FrameReader, Label, Lzw, Outer};
use swim_core::keyring::Keyring;
use swim_core::wire::stream::{Limits, Role};
use swim_core::{
    Command, Config, Event, Exchange, ExchangeError, Identity, InboundId, Input, Instant, Node,
    OpId, OutboundId, Seat, Seed,
};
use swim_tokio::swim_core;

/// What the threads of streams hand to the loop.
enum Mail {
    Request(InboundId, SocketAddr, Vec<u8>, TcpStream),
    Reply(OutboundId, Result<Vec<u8>, ExchangeError>),
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, bind, seeds @ ..] = &args[..] else { return Err("usage: NAME BIND [JOIN]".into()) };
    let bind: SocketAddr = bind.parse()?;
    let udp = UdpSocket::bind(bind)?;
    let tcp = TcpListener::bind(bind)?;
    let me = Identity::new(name, bind)?.app_versions(2, 5, 4)?;
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::from)?;

    let clock = Clock::now();
    let now = || Instant::ZERO + clock.elapsed();
    let mut node = Node::new(Config::lan().build()?, me, Seed::from_bytes(seed), now());
    let (mail, inbox) = channel();
    let acceptor = mail.clone();
    thread::spawn(move || accept(&tcp, &acceptor));
    let seats = seeds.iter().map(|s| s.parse().map(|addr: SocketAddr| Seat::from(addr)));
    let join = Command::Join(seats.collect::<Result<_, _>>()?);
    node.handle(now(), Input::Command { op: OpId(1), command: join })?;

    let mut waiting = HashMap::new();
    let (mut datagram, mut opened) = ([0; 65_536], BytesMut::new());
    loop {
        drain(&mut node, &udp, &mail, &mut waiting);
        // Streams have no way to interrupt this wait, so it is short.
        let due = node.poll_timeout().unwrap_or(Instant::MAX).since(now());
        let wait = due.clamp(Duration::from_millis(1), Duration::from_millis(20));
        udp.set_read_timeout(Some(wait))?;
        // All that has arrived, before the time-out: an answer in the socket is no silence.
        let mut received = udp.recv_from(&mut datagram);
        udp.set_nonblocking(true)?;
        while let Ok((len, from)) = received {
            let at = now();
            if let Ok(bytes) = outer(&Keyring::empty()).open_packet(&datagram[..len], &mut opened) {
                let _ = node.handle(at, Input::Datagram { at, from, bytes });
            }
            received = udp.recv_from(&mut datagram);
        }
        udp.set_nonblocking(false)?;
        for mail in inbox.try_iter() {
            // What the node refuses it has counted.
            let _ = match mail {
                Mail::Request(id, from, bytes, stream) => {
                    waiting.insert(id, stream);
                    node.handle(now(), Input::Request { id, from, bytes: &bytes })
                }
                Mail::Reply(id, reply) => {
                    let result = reply.as_deref().map_err(|e| *e);
                    node.handle(now(), Input::Reply { id, result })
                }
            };
        }
        if node.poll_timeout().is_some_and(|due| due <= now()) {
            let _ = node.handle(now(), Input::Timeout);
        }
    }
}

/// Does everything that the node wants done.
fn drain(
    node: &mut Node,
    udp: &UdpSocket,
    mail: &Sender<Mail>,
    waiting: &mut HashMap<InboundId, TcpStream>,
) {
    let mut buf = BytesMut::new();
    while let Some(sent) = node.poll_transmit(&mut buf) {
        let message = buf.split();
        let crc = if sent.crc { Crc::Add } else { Crc::Omit };
        let mut sealed = BytesMut::new();
        let ring = Keyring::empty();
        if outer(&ring).seal_packet(crc, [0; 12], &message, None, &mut sealed).is_ok() {
            let _ = udp.send_to(&sealed, sent.to);
        }
    }
    while let Some(exchange) = node.poll_exchange(&mut buf) {
        let message = buf.split();
        match exchange {
            Exchange::Open { id, to, reply_due, .. } => {
                let mail = mail.clone();
                let open = move || {
                    let reply = call(to, &message, reply_due).map_err(|_| ExchangeError::Closed);
                    let _ = mail.send(Mail::Reply(id, reply));
                };
                thread::spawn(open);
            }
            Exchange::Reply { id, .. } | Exchange::Refuse { id, .. } => {
                if let Some(mut stream) = waiting.remove(&id) {
                    let _ = stream.write_all(&message);
                }
            }
            Exchange::Close { id } => drop(waiting.remove(&id)),
            _ => {}
        }
    }
    while let Some(event) = node.poll_event() {
        match event {
            Event::Up(member) => println!("up: {} at {}", member.name(), member.addr()),
            Event::Down { member, cause, .. } => println!("{cause:?}: {}", member.name()),
            _ => {}
        }
    }
}

fn accept(tcp: &TcpListener, mail: &Sender<Mail>) {
    let open = Arc::new(());
    for (n, stream) in tcp.incoming().enumerate() {
        let Ok(mut stream) = stream else { continue };
        // Peers do not decide how many threads there are.
        if Arc::strong_count(&open) > STREAMS_MAX {
            continue;
        }
        let (mail, open) = (mail.clone(), Arc::clone(&open));
        let serve = move || {
            let from = stream.peer_addr()?;
            let request = receive(&mut stream, Role::Acceptor)?;
            let _ = mail.send(Mail::Request(InboundId(n as u64), from, request, stream));
            drop(open);
            io::Result::Ok(())
        };
        thread::spawn(serve);
    }
}

fn call(to: SocketAddr, message: &[u8], reply_due: bool) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect_timeout(&to, TIMEOUT)?;
    stream.write_all(message)?;
    if reply_due { receive(&mut stream, Role::Dialer) } else { Ok(Vec::new()) }
}

/// Reads the one message of a stream.
fn receive(stream: &mut TcpStream, role: Role) -> io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    let ring = Keyring::empty();
    let mut reader = FrameReader::new(outer(&ring), role, Limits::default());
    let (mut received, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut chunk)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            len => received.extend_from_slice(&chunk[..len]),
        }
        if let Some(frame) = reader.advance(&received).map_err(io::Error::other)? {
            let mut buffers = FrameBuffers::default();
            let opened =
                outer(&ring).open_frame(role, &received[frame], &mut Lzw::default(), &mut buffers);
            return Ok(opened.map_err(io::Error::other)?.to_vec());
        }
    }
}

/// No label and no encryption.
fn outer(ring: &Keyring) -> Outer<'_> {
    Outer::new(Label::EMPTY, ring)
}

const TIMEOUT: Duration = Duration::from_secs(10);
const STREAMS_MAX: usize = 64;
