//! Kept-alive connections to one target.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::body::Body;
use super::target_stream::TargetStream;

/// Wall time for a connection to be made (ALB: 10 s).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Wall time for a connection to become ready after its last answer was read; it is a matter of one poll.
const READY_TIMEOUT: Duration = Duration::from_millis(50);
/// Idle connections to one target.
const IDLE_MAX: usize = 128;
/// Bytes of an answer's head (ALB: 32 K).
const RESPONSE_HEAD_MAX: usize = 32 * 1024;

/// The idle connections.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<(SendRequest<Body>, Instant)>>,
}

/// A connection for one request.
pub(super) struct Connection {
    pub(super) sender: SendRequest<Body>,
    /// Whether it has carried a request before.
    pub(super) reused: bool,
}

/// Why there is no connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectError {
    /// Refused, reset or unreachable.
    Failed,
    /// No answer in time.
    TimedOut,
}

impl Pool {
    /// A connection that was not idle for longer than `idle_timeout`, or a new one.
    pub(super) async fn connection(
        &self,
        address: SocketAddr,
        idle_timeout: Duration,
    ) -> Result<Connection, ConnectError> {
        while let Some((mut sender, since)) = self.take() {
            let usable = !sender.is_closed() && since.elapsed() < idle_timeout;
            if usable && matches!(timeout(READY_TIMEOUT, sender.ready()).await, Ok(Ok(()))) {
                return Ok(Connection { sender, reused: true });
            }
        }
        connect(address).await
    }

    /// Takes a connection back after its answer was read to the end.
    pub(super) fn put(&self, sender: SendRequest<Body>) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(sender, _)| !sender.is_closed());
        if idle.len() < IDLE_MAX && !sender.is_closed() {
            idle.push((sender, Instant::now()));
        }
    }

    /// The connection used last, so that the others grow old.
    fn take(&self) -> Option<(SendRequest<Body>, Instant)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// A new connection.
pub(super) async fn connect(address: SocketAddr) -> Result<Connection, ConnectError> {
    let stream = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
    let stream = stream.map_err(|_elapsed| ConnectError::TimedOut)?.map_err(|_refused| ConnectError::Failed)?;
    // Small requests should not wait for more to come; failing to say so costs only time.
    let _best_effort = stream.set_nodelay(true);
    let stream = TokioIo::new(TargetStream::new(stream));
    let handshake = http1::Builder::new().max_header_size(RESPONSE_HEAD_MAX).handshake(stream).await;
    let (sender, connection) = handshake.map_err(|_broken| ConnectError::Failed)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%address, %error, "connection to a target ended");
        }
    });
    Ok(Connection { sender, reused: false })
}
