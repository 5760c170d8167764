//! The accept loop: HTTP/1.1 with a bound on everything that a peer can make us hold. Accepting never spins and never stops.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{Either, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::doors::{Doors, Place};
use crate::gate::{Gate, Refusal};
use crate::socket::{Phase, SharedPhase, Socket};

/// Connections that wait to be accepted; the kernel caps it at `net.core.somaxconn`.
const BACKLOG: u32 = 4096;
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// Above the cap nobody's body is waited for: the reserve is for those who look whether we are alive.
const OVERLOADED: Refusal = (StatusCode::SERVICE_UNAVAILABLE, "overloaded");

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// How much, and for how long, a connection may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// From a connection's start to its first byte.
    pub first_byte: Duration,
    /// From a head's first byte to its last.
    pub head: Duration,
    /// From an answer to the next request; also for how long a peer may not read an answer. It should be longer than the peer keeps
    /// an idle connection, so that the peer closes first and never meets our close.
    pub idle: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// Fields of a request's head.
    pub fields: usize,
}

impl Default for Bounds {
    /// For programs of our own and the SDKs, which keep idle connections for 90 s.
    fn default() -> Self {
        Bounds {
            first_byte: Duration::from_secs(10),
            head: Duration::from_secs(5),
            idle: Duration::from_secs(100),
            head_bytes: 16 * 1024,
            fields: 64,
        }
    }
}

/// How far a server is on its way down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Taking requests.
    Serving,
    /// Told to stop: not ready, but still taking requests until everybody knows.
    Draining,
    /// Finishing what was begun.
    Closed,
}

/// What is known of a connection before its first request.
#[derive(Debug, Clone, Copy)]
pub struct Arrival {
    /// The address at its other end.
    pub peer: SocketAddr,
    /// Whether it is above the cap: only cheap answers, please.
    pub is_shed: bool,
}

/// Listens on `address`. A burst of connections waits in the kernel's queue; the usual length of 128 is less than a load balancer
/// opens at once, and whoever finds the queue full tries again only after a second, health checks too.
///
/// # Errors
/// What the operating system says, for example that the port is taken.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Runs `serving`, which is given the stage, until `shutdown` resolves; then what is being answered has `grace` to end. Returns whether
/// it has; what has not is cut off.
pub async fn serve_until<F: Future<Output = ()>>(
    shutdown: impl Future<Output = ()>,
    grace: Duration,
    serving: impl FnOnce(watch::Receiver<Stage>) -> F,
) -> bool {
    let (stage, stages) = watch::channel(Stage::Serving);
    let mut serving = pin!(serving(stages));
    tokio::select! {
        () = &mut serving => return true,
        () = shutdown => drop(stage.send_replace(Stage::Closed)),
    }
    tokio::time::timeout(grace, serving).await.is_ok()
}

/// Serves until the stage is [`Stage::Closed`], then returns when every connection has ended; dropped, it ends them all.
/// `service` makes what answers one connection's requests.
pub async fn serve<S, B>(
    listener: TcpListener,
    doors: Doors,
    gate: Gate,
    bounds: Bounds,
    mut stage: watch::Receiver<Stage>,
    service: impl Fn(&TcpStream, Arrival) -> S,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<BoxError>,
{
    let gate = Arc::new(gate);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stage.wait_for(|stage| *stage == Stage::Closed) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let Some(place) = doors.admit() else { continue };
                let service = service(&stream, Arrival { peer, is_shed: place.is_shed() });
                connections.spawn(connection(stream, place, Arc::clone(&gate), bounds, stage.clone(), service));
            }
            Err(error) => back_off(&error, &doors).await,
        }
        while connections.try_join_next().is_some() {}
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A peer that gave up is nothing; being out of file descriptors needs a rest, and somebody to make room.
#[expect(clippy::disallowed_methods, reason = "accept fails again at once while descriptors are short")]
async fn back_off(error: &io::Error, doors: &Doors) {
    if !matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset) {
        tracing::warn!(%error, has_room = doors.make_room(), "cannot accept connections");
        tokio::time::sleep(ACCEPT_BACKOFF).await;
    }
}

async fn connection<S, B>(
    stream: TcpStream,
    place: Place,
    gate: Arc<Gate>,
    bounds: Bounds,
    mut stage: watch::Receiver<Stage>,
    service: S,
) where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<BoxError> + Send,
    B: Body<Data = Bytes> + Unpin + Send + 'static,
    B::Error: Into<BoxError>,
{
    let is_shed = place.is_shed();
    let socket = Socket::new(stream, place, bounds);
    let phase = socket.phase();
    let service = service_fn(|request: Request<Incoming>| answer(&phase, is_shed, &gate, &service, request));
    let connection = http1::Builder::new()
        .keep_alive(!is_shed)
        .max_headers(bounds.fields)
        .max_buf_size(bounds.head_bytes)
        .serve_connection(TokioIo::new(socket), service);
    let mut connection = pin!(connection);
    let closed = async { drop(stage.wait_for(|stage| *stage == Stage::Closed).await) };
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = closed => {
            connection.as_mut().graceful_shutdown();
            // hyper would still wait for the first byte of a peer that has begun nothing.
            if matches!(phase.get(), Phase::New | Phase::Idle | Phase::Closing) { Ok(()) } else { connection.await }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer<S, B>(
    phase: &Arc<SharedPhase>,
    is_shed: bool,
    gate: &Gate,
    service: &S,
    request: Request<Incoming>,
) -> Result<Response<Watched<Either<Full<Bytes>, B>>>, S::Error>
where
    S: Service<Request<Incoming>, Response = Response<B>>,
{
    let busy = watched(phase);
    let (parts, body) = request.into_parts();
    let is_too_much = is_shed && !matches!(parts.method, Method::GET | Method::HEAD);
    let response = match gate.check(&parts) {
        Ok(()) if is_too_much => refuse(OVERLOADED).map(Either::Left),
        Ok(()) => service.call(Request::from_parts(parts, body)).await?.map(Either::Right),
        Err(refusal) => refuse(refusal).map(Either::Left),
    };
    Ok(busy.until_sent(response))
}

fn refuse((status, text): Refusal) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Marks a connection as busy until it is dropped.
#[derive(Debug)]
pub struct Busy(Arc<SharedPhase>);

/// Marks the connection as busy, for as long as a request is handled and its answer is on its way.
#[must_use]
pub fn watched(phase: &Arc<SharedPhase>) -> Busy {
    phase.set(Phase::Busy);
    Busy(Arc::clone(phase))
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.answered();
    }
}

impl Busy {
    /// The response, during whose body the connection stays busy.
    #[must_use]
    pub fn until_sent<B>(self, response: Response<B>) -> Response<Watched<B>> {
        response.map(|body| Watched { body, _busy: self })
    }
}

/// A body whose connection is busy until it has ended.
#[derive(Debug)]
pub struct Watched<B> {
    body: B,
    _busy: Busy,
}

impl<B: Body + Unpin> Body for Watched<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
