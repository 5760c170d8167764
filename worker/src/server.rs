//! The accept loop: HTTP/1.1 with a bound on everything a peer can make the worker hold.
//!
//! Above the cap on connections a small reserve still answers health checks and says "try later" to the rest; above the reserve
//! a connection is closed at once. Accepting never spins and never stops.

mod body;
mod guard;
mod head;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use crate::limits::Limits;
pub(crate) use body::{BodyError, Budget, ReadBody, read_body};
use guard::{Guard, Phase};

const MAX_HEAD_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// Connections beyond the cap that are answered from the reserve.
const RESERVE: usize = 64;
/// File descriptors for everything but accepted connections.
const OTHER_FILES: u64 = 128;
/// Connections that wait to be accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: u32 = 4096;
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// How far the server is on its way down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Taking orders.
    Serving,
    /// Told to stop: not ready, but still taking orders until everybody knows.
    Draining,
    /// Finishing what was begun.
    Closed,
}

/// What answers requests.
pub(crate) trait Handler: Clone + Send + Sync + 'static {
    /// `shed` says that the connection is above the cap: only cheap answers, please.
    fn handle(&self, request: Request<Incoming>, shed: bool) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// Who may connect.
#[derive(Debug)]
pub(crate) struct Doors {
    cap: Arc<Semaphore>,
    reserve: Arc<Semaphore>,
    connections: Gauge,
    limits: Limits,
}

impl Doors {
    /// At most `wanted` connections, and at most what the limit on open files leaves room for.
    pub(crate) fn new(wanted: usize, connections: Gauge, limits: Limits) -> Self {
        let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let cap = cap(wanted, files);
        Doors { cap: Arc::new(Semaphore::new(cap)), reserve: Arc::new(Semaphore::new(RESERVE)), connections, limits }
    }

    /// A place for a connection, and whether it is one of the reserve.
    fn admit(&self) -> Option<(OwnedSemaphorePermit, bool)> {
        let regular = Arc::clone(&self.cap).try_acquire_owned().map(|permit| (permit, false));
        regular.or_else(|_| Arc::clone(&self.reserve).try_acquire_owned().map(|permit| (permit, true))).ok()
    }
}

fn cap(wanted: usize, files: Option<u64>) -> usize {
    let taken = OTHER_FILES + RESERVE as u64;
    let room = files.map_or(u64::MAX, |files| files.saturating_sub(taken)).max(16);
    wanted.min(usize::try_from(room).unwrap_or(usize::MAX))
}

/// Listens on `address`. A burst of connections waits in the kernel's queue; the usual length of 128 is less than a load balancer
/// opens at once, and whoever finds the queue full tries again only after a second, health checks too.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until the stage is [`Stage::Closed`], then returns when every connection has ended.
pub(crate) async fn serve<H: Handler>(
    listener: TcpListener,
    handler: H,
    doors: Doors,
    mut stage: watch::Receiver<Stage>,
) {
    let (open, mut all_ended) = mpsc::channel::<()>(1);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stage.wait_for(|stage| *stage == Stage::Closed) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                if let Some((place, shed)) = doors.admit() {
                    let connection = Connection {
                        place,
                        shed,
                        gauge: doors.connections.clone(),
                        limits: doors.limits,
                        stage: stage.clone(),
                        open: open.clone(),
                    };
                    connection.start(stream, handler.clone());
                }
            }
            Err(error) => back_off(&error).await,
        }
    }
    drop((listener, open));
    // Nothing is ever sent: this ends when every connection has dropped its end.
    let _ = all_ended.recv().await;
}

/// A peer that gave up is nothing; being out of file descriptors needs a rest.
#[expect(clippy::disallowed_methods, reason = "accept fails again at once while descriptors are short")]
async fn back_off(error: &io::Error) {
    if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
        tracing::warn!(%error, "cannot accept connections");
        tokio::time::sleep(ACCEPT_BACKOFF).await;
    }
}

struct Connection {
    place: OwnedSemaphorePermit,
    shed: bool,
    gauge: Gauge,
    limits: Limits,
    stage: watch::Receiver<Stage>,
    /// Dropped when the connection has ended.
    open: mpsc::Sender<()>,
}

impl Connection {
    fn start<H: Handler>(self, stream: TcpStream, handler: H) {
        let Connection { place, shed, gauge, limits, mut stage, open } = self;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection ended before it began");
            return;
        }
        let guard = Guard::new(stream, limits);
        let phase = guard.phase();
        let seen = Arc::clone(&phase);
        let service = service_fn(move |request: Request<Incoming>| {
            let (handler, phase) = (handler.clone(), Arc::clone(&phase));
            async move {
                phase.set(Phase::Busy);
                let response = handler.handle(request, shed).await;
                phase.set(Phase::Answered);
                Ok::<_, Infallible>(response)
            }
        });
        let connection = http1::Builder::new()
            .keep_alive(!shed)
            .max_headers(MAX_HEADERS)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(guard), service);
        gauge.inc();
        tokio::spawn(async move {
            let mut connection = pin!(connection);
            let closed = async { drop(stage.wait_for(|stage| *stage == Stage::Closed).await) };
            let ended = tokio::select! {
                biased;
                ended = connection.as_mut() => ended,
                () = closed => {
                    connection.as_mut().graceful_shutdown();
                    // hyper would still wait for the first byte of a peer that has begun nothing.
                    if seen.get() == Phase::Waiting { Ok(()) } else { connection.await }
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            gauge.dec();
            drop((place, open));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w62_connections_stay_below_the_limit_on_open_files() {
        assert_eq!(cap(1024, Some(256)), 256 - 128 - 64);
        assert_eq!(cap(1024, Some(100_000)), 1024);
        assert_eq!(cap(1024, None), 1024);
        assert_eq!(cap(1024, Some(64)), 16);
    }
}
