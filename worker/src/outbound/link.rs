//! One HTTP/1.1 connection, moved forward by whoever uses it.
//!
//! No task of its own stands behind it: an answer wakes the order that waits for it and nobody else, which halves what a call
//! costs. It follows that nothing happens on an idle connection until somebody uses it again.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Answer, SendError};

/// What a connector makes.
pub(super) type Stream = MaybeHttpsStream<TokioIo<TcpStream>>;

/// See the module's text.
pub(super) struct Link {
    sender: SendRequest<Full<Bytes>>,
    /// hyper's side of the connection; none when it has ended.
    driver: Option<Connection<Stream, Full<Bytes>>>,
}

/// Why a request has no answer.
pub(super) enum Failure {
    /// Not a byte of the request went out; here it is back.
    Unsent(Box<Request<Full<Bytes>>>),
    /// The request, or a part of it, went out.
    Sent(SendError),
}

impl Link {
    /// In a box, because it has kilobytes and changes hands twice for each call.
    pub(super) async fn open(stream: Stream) -> hyper::Result<Box<Self>> {
        let (sender, driver) = http1::handshake(stream).await?;
        Ok(Box::new(Link { sender, driver: Some(driver) }))
    }

    /// Whether the last exchange left the connection fit for another one. That the other side has closed it since comes out at
    /// the next exchange, which reads before it writes.
    pub(super) fn is_reusable(&self) -> bool {
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Sends one request, which has a `Host`, and reads the whole answer, at most `body_limit` bytes of body.
    pub(super) async fn exchange(
        &mut self,
        request: Request<Full<Bytes>>,
        body_limit: usize,
    ) -> Result<Answer, Failure> {
        let sending = self.sender.try_send_request(request);
        let response = self.drive(sending).await.map_err(|mut error| match error.take_message() {
            Some(request) => Failure::Unsent(Box::new(request)),
            None => Failure::Sent(SendError::Unknown),
        })?;
        let (head, body) = response.into_parts();
        let body = self.drive(Limited::new(body, body_limit).collect()).await.map_err(|error| {
            let is_too_long = error.is::<LengthLimitError>();
            Failure::Sent(if is_too_long { SendError::TooLong } else { SendError::Unknown })
        })?;
        Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
    }

    /// Waits for what only the connection's progress can bring about.
    async fn drive<F: Future>(&mut self, awaited: F) -> F::Output {
        let mut awaited = pin!(awaited);
        poll_fn(|cx| {
            if let ready @ Poll::Ready(_) = awaited.as_mut().poll(cx) {
                return ready;
            }
            self.advance(cx);
            awaited.as_mut().poll(cx)
        })
        .await
    }

    /// Writes and reads what can be at once. A connection that has ended has said so to whoever waits.
    fn advance(&mut self, cx: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && Pin::new(driver).poll(cx).is_ready()
        {
            self.driver = None;
        }
    }
}
