//! What an administrator may do while hq runs: set rates, issue keys. For programs on this machine that have the token of the
//! user who runs it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::api_key::{ApiKey, KEY_LIFETIME};
use crate::clock;
use crate::rates::SetRateError;
use crate::refusal::Refusal;
use crate::server::Peer;
use crate::service::Shared;

/// A topic's rate, as it is sent and shown.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Rate {
    /// Orders a minute; 0 is paused.
    pub(crate) per_minute: f64,
}

/// A key just issued. The only time it is shown.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IssuedKey {
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) expires_at: Timestamp,
}

/// Lets requests of the owner's own programs through.
pub(crate) async fn owner_only(
    State(hq): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if !is_local(peer, request.headers()) {
        Refusal::NotLocal.into_response()
    } else if !hq.token.is_in(request.headers()) {
        Refusal::NoToken.into_response()
    } else {
        next.run(request).await
    }
}

/// A proxy on this machine connects from loopback too, on behalf of other hosts, but says so.
fn is_local(peer: IpAddr, headers: &HeaderMap) -> bool {
    let on_behalf = ["forwarded", "x-forwarded-for"];
    peer.to_canonical().is_loopback() && !on_behalf.iter().any(|name| headers.contains_key(*name))
}

pub(crate) async fn rates(State(hq): State<Arc<Shared>>) -> Json<BTreeMap<String, Rate>> {
    Json(hq.rates.all().into_iter().map(|(topic, per_minute)| (topic, Rate { per_minute })).collect())
}

pub(crate) async fn set_rate(
    State(hq): State<Arc<Shared>>,
    Path(topic): Path<String>,
    rate: Result<Json<Rate>, JsonRejection>,
) -> Result<Json<Rate>, Refusal> {
    let Json(rate) = rate.map_err(|error| Refusal::BadRequest(error.body_text()))?;
    hq.rates.set(&topic, rate.per_minute).map_err(|error| match error {
        SetRateError::UnknownTopic(..) => Refusal::NotFound(error.to_string()),
        SetRateError::Invalid(_) => Refusal::BadRequest(error.to_string()),
    })?;
    tracing::info!(topic, per_minute = rate.per_minute, "rate set");
    Ok(Json(rate))
}

pub(crate) async fn issue_key(State(hq): State<Arc<Shared>>) -> Result<Response, Refusal> {
    let Ok(key) = ApiKey::generate() else {
        return Ok(StatusCode::INTERNAL_SERVER_ERROR.into_response());
    };
    let (hash, expires_at) = (key.hash(), clock::now() + KEY_LIFETIME);
    hq.store.add_key(hash, expires_at).await?;
    hq.keys.add(hash, Some(expires_at));
    let issued = IssuedKey { key: key.expose().to_owned(), id: hash.id().to_string(), expires_at };
    tracing::info!(id = issued.id, %expires_at, "API key issued");
    Ok((StatusCode::CREATED, Json(issued)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_programs_of_this_machine_are_local() {
        let local = |peer: &str, header: Option<&'static str>| {
            let headers = header.map(|name| (http::HeaderName::from_static(name), http::HeaderValue::from_static("x")));
            is_local(peer.parse().unwrap(), &headers.into_iter().collect())
        };
        for peer in ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"] {
            assert!(local(peer, None), "{peer}");
        }
        for peer in ["192.168.0.7", "::ffff:10.0.0.1", "2001:db8::1", "0.0.0.0"] {
            assert!(!local(peer, None), "{peer}");
        }
        for header in ["forwarded", "x-forwarded-for"] {
            assert!(!local("127.0.0.1", Some(header)), "{header}");
        }
    }
}
