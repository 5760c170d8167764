//! Probes and metrics, on a listener of their own. Nothing here shows configuration.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use interstella_guard::Stage;
use tokio::sync::watch;

use crate::metrics::Metrics;

/// The admin listener's routes.
#[derive(Clone)]
pub(crate) struct Admin {
    pub metrics: Arc<Metrics>,
    pub stage: watch::Receiver<Stage>,
}

impl Admin {
    /// Answers a request.
    pub(crate) async fn handle(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let is_ready = *self.stage.borrow() == Stage::Serving;
        let (status, text) = match (request.method(), request.uri().path()) {
            (&Method::GET, "/livez") => (StatusCode::OK, "ok".to_owned()),
            (&Method::GET, "/readyz") if is_ready => (StatusCode::OK, "ok".to_owned()),
            (&Method::GET, "/readyz") => (StatusCode::SERVICE_UNAVAILABLE, "draining".to_owned()),
            (&Method::GET, "/metrics") => (StatusCode::OK, self.metrics.encode()),
            _ => (StatusCode::NOT_FOUND, "not found".to_owned()),
        };
        let mut response = Response::new(Full::new(Bytes::from(text)));
        *response.status_mut() = status;
        let text_type = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, text_type);
        response
    }
}
