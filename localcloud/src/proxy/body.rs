//! Bodies on their way through, frame by frame, never collected.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::client::conn::http1::SendRequest;
use tokio::time::{Instant, Sleep};

use super::table::InFlight;

/// Any body of the proxy.
pub(super) type Body = UnsyncBoxBody<Bytes, BodyError>;

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
pub(super) enum BodyError {
    /// The sender's connection.
    #[error("the body broke off: {0}")]
    Broken(#[from] hyper::Error),
    /// The idle timeout.
    #[error("the body stalled for longer than the idle timeout")]
    Stalled,
    /// The target's deregistration delay.
    #[error("the target's deregistration delay is over")]
    Deregistered,
}

/// A body that is there already.
pub(super) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

/// No body.
pub(super) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

/// When a request last made progress. Its answer is waited for from then.
#[derive(Clone)]
pub(super) struct Progress(Arc<Mutex<Instant>>);

impl Progress {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }

    fn made(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    pub(super) fn last(&self) -> Instant {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's body, which notes its progress.
pub(super) struct Upload {
    pub(super) inner: Incoming,
    pub(super) progress: Progress,
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let frame = Pin::new(&mut self.inner).poll_frame(context);
        if frame.is_ready() {
            self.progress.made();
        }
        frame.map_err(BodyError::from)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// An answer's body: it holds the request in flight until it ends, and then gives the connection back.
pub(super) struct Download {
    inner: Incoming,
    idle_timeout: Duration,
    stalled: Pin<Box<Sleep>>,
    gone: Pin<Box<dyn Future<Output = ()> + Send>>,
    in_flight: InFlight,
    sender: Option<SendRequest<Body>>,
    ended: bool,
}

impl Download {
    pub(super) fn new(inner: Incoming, sender: SendRequest<Body>, in_flight: InFlight, idle_timeout: Duration) -> Self {
        Self {
            inner,
            idle_timeout,
            stalled: Box::pin(tokio::time::sleep_until(Instant::now() + idle_timeout)),
            gone: Box::pin(in_flight.gone()),
            in_flight,
            sender: Some(sender),
            ended: false,
        }
    }
}

impl HttpBody for Download {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.inner).poll_frame(context) {
            let deadline = Instant::now() + this.idle_timeout;
            this.stalled.as_mut().reset(deadline);
            this.ended = frame.is_none();
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::from)));
        }
        if this.gone.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(BodyError::Deregistered)));
        }
        this.stalled.as_mut().poll(context).map(|()| Some(Err(BodyError::Stalled)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Download {
    /// A connection whose answer was not read to the end is closed, not kept.
    fn drop(&mut self) {
        if (self.ended || self.inner.is_end_stream())
            && let Some(sender) = self.sender.take()
        {
            self.in_flight.target().pool.put(sender);
        }
    }
}
