//! The HTTP server: routes, limits, drain.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::StatusCode;
use hyper_util::service::TowerToHyperService;
use interstella_guard::doors::{Size, descriptors};
use interstella_guard::{Arrival, Bounds, Doors, Gate, serve_until};
use tokio::net::{TcpListener, TcpStream};

use crate::service::Shared;
use crate::{admin, receiving, stats};

/// The largest body that is read.
pub(crate) const MAX_BODY_BYTES: usize = 64 * 1024;

const SIZE: Size = Size { connections: 1024, reserve: 16 };
/// The share of the process's file descriptors that connections may take, as `interstella up` is more than hq.
const SHARE_OF_DESCRIPTORS: usize = 6;
/// From the end of the headers to the answer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// The address at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// All routes.
pub(crate) fn router(hq: Arc<Shared>) -> Router {
    let admin = Router::new().route("/rates/{topic}", post(admin::set_rate)).route("/keys", post(admin::issue_key));
    #[cfg(feature = "faults")]
    let admin = admin.route("/faults", post(crate::faults::add).delete(crate::faults::clear));
    Router::new()
        .merge(admin.route_layer(from_fn_with_state(Arc::clone(&hq), admin::owner_only)))
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
pub(crate) async fn serve(listener: TcpListener, router: Router, gate: Gate, shutdown: impl Future<Output = ()>) {
    let doors = Doors::new(SIZE.within(descriptors() / SHARE_OF_DESCRIPTORS));
    let service = |_stream: &TcpStream, Arrival { peer, .. }: Arrival| {
        let service = TowerToHyperService::new(router.clone().layer(Extension(Peer(peer.ip()))));
        #[cfg(feature = "faults")]
        let service = crate::faults::Resettable::new(service, _stream);
        service
    };
    let serving = |stage| interstella_guard::serve(listener, doors, gate, Bounds::default(), stage, service);
    if !serve_until(shutdown, DRAIN_TIMEOUT, serving).await {
        tracing::warn!("requests still in flight after {} s are abandoned", DRAIN_TIMEOUT.as_secs());
    }
}
