//! Wraps a connection's socket: gives each phase of a connection its time, lets only bytes with one reading through, makes room when
//! told to, and closes so that the peer can still read the last answer.
//!
//! hyper's own header timer also runs while a kept-alive connection is idle, and would close it before the load balancer does.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::doors::Place;
use crate::framing::Framing;
use crate::serve::Bounds;

/// For how long a connection that we close is still read, so that its peer sees the answer and not a reset: a socket that is closed
/// with unread bytes sends a reset, which may overtake the answer (RFC 9112 §9.6).
const LINGER: Duration = Duration::from_secs(2);

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Phase {
    /// Nothing has come yet.
    #[default]
    New,
    /// A request's head is coming in.
    Head,
    /// A request is being handled, or its answer is on its way out; the service has its own deadlines.
    Busy,
    /// An answer is written; the idle time begins.
    Answered,
    /// Nothing has come since the last answer.
    Idle,
    /// We have closed our side, and read on so that the peer can read the last answer.
    Closing,
}

/// The phase, shared by the socket, the service and the doors.
#[derive(Debug, Default)]
pub struct SharedPhase {
    value: AtomicU8,
    /// Rings when an answer is written.
    free: AtomicWaker,
}

impl SharedPhase {
    /// Says what the connection does from now on.
    pub fn set(&self, phase: Phase) {
        self.value.store(phase as u8, Ordering::Release);
    }

    /// An answer is written: the idle time begins. hyper has mostly looked for further bytes by then and does not do so again by
    /// itself, so it is woken.
    pub(crate) fn answered(&self) {
        self.set(Phase::Answered);
        self.free.wake();
    }

    /// What the connection does.
    pub fn get(&self) -> Phase {
        let value = self.value.load(Ordering::Acquire);
        [Phase::New, Phase::Head, Phase::Answered, Phase::Idle, Phase::Closing]
            .into_iter()
            .find(|phase| *phase as u8 == value)
            .unwrap_or(Phase::Busy)
    }
}

/// See the module's text.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    place: Place,
    phase: Arc<SharedPhase>,
    bounds: Bounds,
    deadline: Pin<Box<Sleep>>,
    /// Runs while the peer does not read.
    stalled: Option<Pin<Box<Sleep>>>,
    /// Runs from our end of the connection to its own.
    linger: Option<Pin<Box<Sleep>>>,
    framing: Framing,
}

impl Socket {
    /// Takes over a connection that was admitted to `place`.
    #[must_use]
    pub fn new(stream: TcpStream, place: Place, bounds: Bounds) -> Self {
        // Answers are written in one piece; waiting to fill a packet would only delay them, and failing to say so costs only time.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let deadline = timer(bounds.first_byte);
        let phase = place.phase();
        Socket { stream, place, phase, bounds, deadline, stalled: None, linger: None, framing: Framing::default() }
    }

    /// What the connection does, to be kept up to date by whoever answers.
    #[must_use]
    pub fn phase(&self) -> Arc<SharedPhase> {
        Arc::clone(&self.phase)
    }

    /// Bytes came in.
    fn received(&mut self, bytes: &mut [u8]) {
        if matches!(self.phase.get(), Phase::New | Phase::Idle | Phase::Answered) {
            self.enter(Phase::Head, self.bounds.head);
        }
        self.framing.check(bytes);
    }

    fn enter(&mut self, phase: Phase, time: Duration) {
        self.phase.set(phase);
        self.deadline.as_mut().reset(Instant::now() + time);
    }

    /// Nothing has come: fails if the phase's time is over or somebody else needs the place.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.phase.free.register(cx.waker());
        match self.phase.get() {
            Phase::Busy => return Poll::Pending,
            // A second request that came with the first may have begun.
            Phase::Answered if self.framing.is_within_head() => self.enter(Phase::Head, self.bounds.head),
            Phase::Answered => self.enter(Phase::Idle, self.bounds.idle),
            Phase::New | Phase::Head | Phase::Idle | Phase::Closing => {}
        }
        if self.place.must_leave(cx.waker()) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        self.deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Takes note of whether the peer reads; fails when it has not for the idle time.
    fn wrote<T>(&mut self, cx: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.stalled = None;
            return result;
        }
        let stalled = self.stalled.get_or_insert_with(|| timer(self.bounds.idle));
        stalled.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

fn timer(time: Duration) -> Pin<Box<Sleep>> {
    Box::pin(sleep_until(Instant::now() + time))
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let already = buf.filled().len();
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_read(cx, buf) {
            if let Some(bytes) = buf.filled_mut().get_mut(already..).filter(|bytes| !bytes.is_empty()) {
                self.received(bytes);
            }
            return Poll::Ready(result);
        }
        self.poll_deadline(cx)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    /// Says that nothing more comes, and reads on until the peer has said so too or the time is up.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.linger.is_none() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.phase.set(Phase::Closing);
        }
        let linger = this.linger.get_or_insert_with(|| timer(LINGER));
        if linger.as_mut().poll(cx).is_ready() || this.place.must_leave(cx.waker()) {
            return Poll::Ready(Ok(()));
        }
        let mut bin = [0; 8192];
        loop {
            let mut buf = ReadBuf::new(&mut bin);
            let read = ready!(Pin::new(&mut this.stream).poll_read(cx, &mut buf));
            if read.is_err() || buf.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
        }
    }
}
