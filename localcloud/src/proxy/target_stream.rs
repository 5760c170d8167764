//! The bytes of a connection to a target, below HTTP.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection to a target that is read on when the target takes no more of a request. The rest of the request is thrown away then,
/// because the target may have answered before it closed (RFC 9112 §9.5), and hyper gives a connection up with the first write
/// that fails. If there is no answer, reading fails or ends at once.
pub(super) struct TargetStream<S> {
    stream: S,
    takes_no_more: bool,
}

impl<S: AsyncWrite + Unpin> TargetStream<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, takes_no_more: false }
    }

    /// Writes by `write`. `offered` is the number of bytes it is given, all of which count as written if it fails.
    fn write(
        &mut self,
        offered: usize,
        write: impl FnOnce(Pin<&mut S>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.takes_no_more {
            return Poll::Ready(Ok(offered));
        }
        let written = ready!(write(Pin::new(&mut self.stream))).unwrap_or_else(|error| {
            tracing::debug!(%error, "a target takes no more of a request");
            self.takes_no_more = true;
            offered
        });
        Poll::Ready(Ok(written))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TargetStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TargetStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.write(bytes.len(), |stream| stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let offered = slices.iter().map(|slice| slice.len()).sum();
        self.write(offered, |stream| stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
