//! The HTTP server: routes, limits, drain. An accept loop of our own, because `axum::serve` sets neither a header timer
//! nor a limit on connections and buffers.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::StatusCode;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::service::Shared;
use crate::{admin, clock, receiving, stats};

/// The largest body that is read.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

const MAX_CONNECTIONS: usize = 1_024;
const READ_BUFFER_BYTES: usize = 16 * 1024;
/// Also how long an idle connection is kept: longer than a load balancer's 60 s.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);
/// From the end of the headers to the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
const ACCEPT_ERROR_PAUSE: Duration = Duration::from_millis(50);

/// The address at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// All routes.
pub(crate) fn router(hq: Arc<Shared>) -> Router {
    let admin = Router::new().route("/rates/{topic}", post(admin::set_rate)).route("/keys", post(admin::issue_key));
    #[cfg(feature = "faults")]
    let admin = admin.route("/faults", post(crate::faults::add).delete(crate::faults::clear));
    Router::new()
        .merge(admin.route_layer(from_fn(admin::local_only)))
        .route("/", get(stats::status_page))
        .route("/livez", get(|| async { "ok\n" }))
        .route("/stats", get(stats::stats))
        .route("/rates", get(admin::rates))
        .route("/receiving/", post(receiving::receive))
        .route("/receiving", post(receiving::receive))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(within_time))
        .with_state(hq)
}

async fn within_time(request: Request, next: Next) -> Response {
    let answer = tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await;
    answer.unwrap_or_else(|_| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

/// Serves until `shutdown`; then lets the requests in flight finish, for ten seconds at most.
pub(crate) async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let connections = GracefulShutdown::new();
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut shutdown = pin!(shutdown);
    loop {
        let connection = tokio::select! {
            () = &mut shutdown => break,
            connection = next_connection(&listener, &slots) => connection,
        };
        let Some((stream, peer, slot)) = connection else { continue };
        let router = router.clone().layer(Extension(Peer(peer)));
        tokio::spawn(serve_connection(stream, router, connections.watcher(), slot));
    }
    drop(listener);
    if tokio::time::timeout(DRAIN_TIMEOUT, connections.shutdown()).await.is_err() {
        tracing::warn!("requests still in flight after {} s are abandoned", DRAIN_TIMEOUT.as_secs());
    }
}

/// The next connection, once there is room for it; `None` after a failure that may pass, such as too many open files.
async fn next_connection(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, IpAddr, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer.ip(), slot)),
        Err(error) => {
            tracing::warn!("a connection was not accepted: {error}");
            clock::pause(ACCEPT_ERROR_PAUSE).await;
            None
        }
    }
}

async fn serve_connection(stream: TcpStream, router: Router, drain: Watcher, slot: OwnedSemaphorePermit) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("TCP_NODELAY: {error}");
    }
    let service = TowerToHyperService::new(router);
    #[cfg(feature = "faults")]
    let service = crate::faults::Resettable::new(service, &stream);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(READ_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = drain.watch(connection).await {
        tracing::debug!("a connection ended early: {error}");
    }
    drop(slot);
}
