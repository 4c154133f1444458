//! The loop.

use std::pin::Pin;
use std::time::Duration;

use swim_core::{Input, Instant};
use tokio::sync::mpsc;
use tokio::time::Sleep;

use super::{Datagrams, Desk, KeySaver, Machine, Next, Outlet, Streams, Told as _};
use crate::clock::Clock;
use crate::stream::Mail;
use crate::transport::{Effort, Transport};

/// How long the transport may take to shut down.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// Owns a node and does for it what it cannot do: wait, receive, send.
///
/// After each wake-up it hands in what has arrived, a bounded batch; then the time-out if it is
/// due; then it does everything that the node wants done. That order matters after a stall: an
/// answer that lies in the socket must be in before the time-out that asks for it.
pub(crate) struct Driver<D: Desk, T> {
    pub(crate) node: D::Machine,
    pub(crate) clock: Clock,
    pub(crate) datagrams: Datagrams<T>,
    pub(crate) streams: Streams<T>,
    pub(crate) mail: mpsc::Receiver<Mail>,
    pub(crate) requests: mpsc::Receiver<D::Request>,
    pub(crate) desk: D,
    pub(crate) outlet: Outlet<<D::Machine as Machine>::Event>,
    pub(crate) keys: KeySaver,
}

/// Why the driver woke up, and what it already has in its hands.
enum Wake<R, S> {
    /// The transport is ready, it is time, or the consumer has room: look.
    Look,
    Accepted(S, std::net::SocketAddr),
    Mail(Mail),
    Request(R),
    /// Nobody is left who could ask for anything.
    Abandoned,
}

impl<D: Desk, T: Transport> Driver<D, T> {
    /// Letters, and requests, taken in one go.
    const BATCH: usize = 64;

    /// Runs until it is told to stop or every handle is gone, then closes the transport.
    pub(crate) async fn run(mut self) {
        let mut alarm = Box::pin(tokio::time::sleep_until(tokio::time::Instant::now()));
        self.drain(self.clock.now());
        loop {
            let wake = self.wait(alarm.as_mut()).await;
            let now = self.clock.now();
            if let Next::Stop = self.take_in(now, wake) {
                break;
            }
            if is_due(&self.node, now) {
                self.datagrams.take_in(&mut self.node, now, Effort::Ask);
                // Nothing can refuse the time.
                let _ = self.node.handle(now, Input::Timeout);
            }
            self.drain(now);
        }
        let Self { mut node, datagrams, streams, requests, mut desk, .. } = self;
        drop(datagrams);
        // What is on disk first: a transport of the embedder's may take its time.
        let transport = streams.close().await;
        desk.close().await;
        node.close().await;
        if tokio::time::timeout(SHUTDOWN_MAX, transport.shutdown()).await.is_err() {
            tracing::warn!("the transport has not shut down in {SHUTDOWN_MAX:?}");
        }
        // Whoever waits for the end sees it now.
        drop(requests);
    }

    async fn wait(&mut self, mut alarm: Pin<&mut Sleep>) -> Wake<D::Request, T::Stream> {
        let due = self.node.poll_timeout();
        if let Some(due) = due {
            if due <= self.clock.now() {
                // A large merge goes slice by slice; others have their turn between them.
                tokio::task::yield_now().await;
                return Wake::Look;
            }
            alarm.as_mut().reset(self.clock.tokio_instant(due));
        }
        let Self { datagrams, streams, mail, requests, outlet, .. } = self;
        tokio::select! {
            () = datagrams.ready() => Wake::Look,
            (stream, from) = streams.accept(), if !outlet.holds_back() => {
                Wake::Accepted(stream, from)
            }
            Some(mail) = mail.recv() => Wake::Mail(mail),
            request = requests.recv() => request.map_or(Wake::Abandoned, Wake::Request),
            () = alarm, if due.is_some() => Wake::Look,
            () = outlet.ready(), if outlet.is_behind() => Wake::Look,
        }
    }

    fn take_in(&mut self, now: Instant, wake: Wake<D::Request, T::Stream>) -> Next {
        self.datagrams.take_in(&mut self.node, now, Effort::Ready);
        let (mut mail, mut request) = (None, None);
        match wake {
            Wake::Look => {}
            Wake::Accepted(stream, from) => {
                self.streams.on_accepted(&self.node, now, stream, from);
            }
            Wake::Mail(one) => mail = Some(one),
            Wake::Request(one) => request = Some(one),
            Wake::Abandoned => return Next::Stop,
        }
        for _ in 0..Self::BATCH {
            let Some(mail) = mail.take().or_else(|| self.mail.try_recv().ok()) else { break };
            self.on_mail(now, mail);
        }
        for _ in 0..Self::BATCH {
            let next = request.take().or_else(|| self.requests.try_recv().ok());
            let Some(request) = next else { break };
            if let Next::Stop = self.desk.on_request(&mut self.node, now, request) {
                return Next::Stop;
            }
        }
        Next::Continue
    }

    fn on_mail(&mut self, now: Instant, mail: Mail) {
        let Self { node, streams, desk, keys, .. } = self;
        match mail {
            Mail::Request { id, from, message, answer } => {
                streams.on_request(node, now, id, from, &message, answer);
            }
            Mail::Reply { id, to, result, why } => {
                if let Some(why) = &why {
                    let told = desk.note_failure(to, why);
                    streams.report(now, to, &result, why, told);
                }
                streams.on_reply(node, now, id, to, result);
            }
            Mail::KeyringSaved { ops, result } => keys.on_saved(node, now, ops, result),
        }
    }

    /// Does what the node wants done. Doing one thing may raise another: the end of a broadcast is
    /// an event, an event about the keyring has an answer.
    fn drain(&mut self, now: Instant) {
        let Self { node, datagrams, streams, desk, outlet, keys, .. } = self;
        outlet.catch_up();
        loop {
            datagrams.send(node, now);
            streams.act(node);
            while let Some(event) = node.poll_event() {
                if let Some(op) = event.keyring_changed() {
                    keys.on_changed(node, now, op);
                }
                if let Some(event) = desk.on_event(node, event) {
                    outlet.push(event);
                }
            }
            if datagrams.is_blocked() || node.is_drained() {
                break;
            }
        }
        desk.on_drained(node, now);
        node.flush();
    }
}

fn is_due(node: &impl Machine, now: Instant) -> bool {
    node.poll_timeout().is_some_and(|due| due <= now)
}
