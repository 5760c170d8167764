//! `POST /faults`: the fulfilment API misbehaves on request, so that tests see what its callers do. Compiled only with the
//! cargo feature `faults`, which no production build has.
//!
//! `{"fault": {"delayMs": 500}}`, `{"fault": {"status": 429, "retryAfterSeconds": 2}}`, `{"fault": "reset"}` or
//! `{"fault": "hang"}`, each with `"when"` (`"before"`, the default, or `"after"` the effect), `"count"` (how often; without
//! it until `DELETE /faults`) and `"fraction"` (of the requests; 1). A hang ends with the server's own time limit.

use std::net::TcpStream as StdTcpStream;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::header::RETRY_AFTER;
use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use serde::Deserialize;
use socket2::SockRef;
use tokio::net::TcpStream;

use crate::clock;
use crate::refusal::Refusal;
use crate::service::Shared;

/// On which side of the effect a fault strikes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum When {
    #[default]
    Before,
    After,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", untagged)]
enum Kind {
    Delay { delay_ms: u64 },
    Status { status: u16, retry_after_seconds: Option<u32> },
    Silence(Silence),
}

/// No answer at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Silence {
    Reset,
    Hang,
}

/// One fault with how often it is to strike.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fault {
    fault: Kind,
    #[serde(default)]
    when: When,
    count: Option<u32>,
    #[serde(default = "always")]
    fraction: f64,
    /// The share of a strike that has built up; a fault strikes when it reaches one. No dice, so a test can repeat itself.
    #[serde(skip)]
    due: f64,
}

fn always() -> f64 {
    1.0
}

impl Fault {
    fn strikes(&mut self, when: When) -> bool {
        if self.when != when || self.count == Some(0) {
            return false;
        }
        self.due += self.fraction;
        if self.due < 1.0 {
            return false;
        }
        self.due -= 1.0;
        self.count = self.count.map(|count| count - 1);
        true
    }
}

/// The faults in force. The first that strikes decides.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

/// Marks an answer in whose place the connection is reset.
#[derive(Clone, Copy)]
struct ResetInstead;

impl Faults {
    /// Lets a fault strike if one is due. An answer it returns is given instead of the right one.
    pub(crate) async fn strike(&self, when: When) -> Option<Response> {
        match self.due(when)? {
            Kind::Delay { delay_ms } => {
                clock::pause(Duration::from_millis(delay_ms)).await;
                None
            }
            Kind::Status { status, retry_after_seconds } => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut answer = (status, "a fault on request\n").into_response();
                answer.headers_mut().extend(retry_after_seconds.map(|seconds| (RETRY_AFTER, seconds.into())));
                Some(answer)
            }
            Kind::Silence(Silence::Reset) => {
                let mut answer = StatusCode::INTERNAL_SERVER_ERROR.into_response();
                answer.extensions_mut().insert(ResetInstead);
                Some(answer)
            }
            Kind::Silence(Silence::Hang) => std::future::pending().await,
        }
    }

    fn due(&self, when: When) -> Option<Kind> {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        faults.iter_mut().find_map(|fault| fault.strikes(when).then_some(fault.fault))
    }
}

pub(crate) async fn add(
    State(hq): State<Arc<Shared>>,
    fault: Result<Json<Fault>, JsonRejection>,
) -> Result<StatusCode, Refusal> {
    let Json(fault) = fault.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    if !(0.0..=1.0).contains(&fault.fraction) {
        return Err(Refusal::BadRequest("fraction is 0 to 1".to_owned()));
    }
    hq.faults.0.lock().unwrap_or_else(PoisonError::into_inner).push(fault);
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn clear(State(hq): State<Arc<Shared>>) -> StatusCode {
    hq.faults.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    StatusCode::NO_CONTENT
}

/// A connection's service that can reset its connection in place of an answer.
pub(crate) struct Resettable {
    inner: TowerToHyperService<Router>,
    socket: Option<Arc<StdTcpStream>>,
}

/// The connection is to be reset.
#[derive(Debug, thiserror::Error)]
#[error("reset on request")]
pub(crate) struct ResetOnRequest;

impl Resettable {
    pub(crate) fn new(inner: TowerToHyperService<Router>, stream: &TcpStream) -> Self {
        let socket = stream.as_fd().try_clone_to_owned().ok();
        Self { inner, socket: socket.map(|fd: OwnedFd| Arc::new(StdTcpStream::from(fd))) }
    }
}

impl Service<Request<Incoming>> for Resettable {
    type Response = Response;
    type Error = ResetOnRequest;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Response, ResetOnRequest>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let (answer, socket) = (self.inner.call(request), self.socket.clone());
        Box::pin(async move {
            let answer = answer.await.map_err(|never| match never {})?;
            if answer.extensions().get::<ResetInstead>().is_none() {
                return Ok(answer);
            }
            // With a linger time of zero, closing a socket sends a reset.
            if let Some(socket) = &socket {
                let _ = SockRef::from(socket.as_ref()).set_linger(Some(Duration::ZERO));
            }
            Err(ResetOnRequest)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> Fault {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn strikes_as_often_as_told() {
        let mut twice = fault(r#"{"fault": "reset", "count": 2, "when": "after"}"#);
        assert!(!twice.strikes(When::Before));
        assert_eq!([(); 4].map(|()| twice.strikes(When::After)), [true, true, false, false]);
        let mut half = fault(r#"{"fault": {"delayMs": 5}, "fraction": 0.5}"#);
        assert_eq!([(); 4].map(|()| half.strikes(When::Before)), [false, true, false, true]);
    }

    #[test]
    fn reads_every_kind() {
        assert_eq!(fault(r#"{"fault": {"delayMs": 5}}"#).fault, Kind::Delay { delay_ms: 5 });
        let throttled = Kind::Status { status: 429, retry_after_seconds: Some(2) };
        assert_eq!(fault(r#"{"fault": {"status": 429, "retryAfterSeconds": 2}}"#).fault, throttled);
        assert_eq!(fault(r#"{"fault": "hang"}"#).fault, Kind::Silence(Silence::Hang));
        assert!(serde_json::from_str::<Fault>(r#"{"fault": "explode"}"#).is_err());
    }
}
