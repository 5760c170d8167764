//! Wraps a connection's socket: gives each phase of a connection its time, and lets only well-formed heads through.
//!
//! hyper's own header timer also runs while a kept-alive connection is idle, and would close it before the load balancer does.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::head::HeadScan;
use crate::limits::Limits;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Phase {
    /// Nothing has come yet, or nothing since the last answer; its time is running.
    Waiting,
    /// A request's head is coming in.
    Head,
    /// A request is being handled; the handler has its own deadlines.
    Busy,
    /// An answer is ready; the idle time begins.
    Answered,
}

/// The phase, shared by the socket and the handler.
#[derive(Debug)]
pub(super) struct SharedPhase(AtomicU8);

impl SharedPhase {
    pub(super) fn set(&self, phase: Phase) {
        self.0.store(phase as u8, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Phase {
        let value = self.0.load(Ordering::Relaxed);
        [Phase::Waiting, Phase::Head, Phase::Answered]
            .into_iter()
            .find(|phase| *phase as u8 == value)
            .unwrap_or(Phase::Busy)
    }
}

/// See the module's text.
#[derive(Debug)]
pub(super) struct Guard {
    stream: TcpStream,
    phase: Arc<SharedPhase>,
    limits: Limits,
    deadline: Pin<Box<Sleep>>,
    scan: HeadScan,
}

impl Guard {
    pub(super) fn new(stream: TcpStream, limits: Limits) -> Self {
        let deadline = Box::pin(sleep_until(Instant::now() + limits.first_byte));
        let phase = Arc::new(SharedPhase(AtomicU8::new(Phase::Waiting as u8)));
        Guard { stream, phase, limits, deadline, scan: HeadScan::default() }
    }

    pub(super) fn phase(&self) -> Arc<SharedPhase> {
        Arc::clone(&self.phase)
    }

    /// Bytes came in.
    fn received(&mut self, bytes: &mut [u8]) {
        match self.phase.get() {
            Phase::Busy => return,
            Phase::Head => {}
            Phase::Waiting | Phase::Answered => {
                self.scan = HeadScan::default();
                self.enter(Phase::Head, self.limits.head);
            }
        }
        self.scan.check(bytes);
    }

    fn enter(&mut self, phase: Phase, time: Duration) {
        self.phase.set(phase);
        self.deadline.as_mut().reset(Instant::now() + time);
    }

    /// The socket is not ready: fails if the phase's time is over.
    fn poll_deadline<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        match self.phase.get() {
            Phase::Busy => return Poll::Pending,
            Phase::Answered => self.enter(Phase::Waiting, self.limits.idle),
            Phase::Waiting | Phase::Head => {}
        }
        self.deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Guard {
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

impl AsyncWrite for Guard {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_write(cx, bytes) {
            return Poll::Ready(result);
        }
        self.poll_deadline(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = Pin::new(&mut self.stream).poll_write_vectored(cx, slices) {
            return Poll::Ready(result);
        }
        self.poll_deadline(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
