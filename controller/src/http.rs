//! The controller's HTTP interface: is it alive, what does it count, how are the apps. It shows, and can let go of an app; it
//! changes nothing in AWS.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;

use crate::controller::Shared;

/// Header that a page in a browser cannot send to another origin unasked.
const RELEASE_HEADER: &str = "x-interstella";
/// How long to wait for a running pass to end before an app counts as let go.
const RELEASE_PATIENCE: Duration = Duration::from_secs(30);

/// The routes.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/api/v1/apps", get(apps))
        .route("/api/v1/apps/{name}", get(app))
        .route("/api/v1/apps/{name}/release", post(release))
        .with_state(shared)
}

async fn livez(State(shared): State<Arc<Shared>>) -> Response {
    answer(shared.is_alive(), "the loop has not gone round for long")
}

async fn readyz(State(shared): State<Arc<Shared>>) -> Response {
    answer(shared.is_ready(), "the first pass is not made yet")
}

fn answer(good: bool, otherwise: &'static str) -> Response {
    if good {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{otherwise}\n")).into_response()
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.text()).into_response()
}

async fn apps(State(shared): State<Arc<Shared>>) -> Response {
    Json(json!({ "apps": shared.apps(), "problems": shared.problems() })).into_response()
}

async fn app(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    match shared.find(&name).as_slice() {
        [] => (StatusCode::NOT_FOUND, Json(json!({ "error": format!("no app {name:?} is managed here") })))
            .into_response(),
        [one] => Json(one).into_response(),
        _ => {
            let error = format!("several apps are named {name:?}; say <cluster>%2F<name>");
            (StatusCode::CONFLICT, Json(json!({ "error": error }))).into_response()
        }
    }
}

/// Lets go of an app, and answers once that is so: a pass that runs is waited for.
async fn release(State(shared): State<Arc<Shared>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    if !headers.contains_key(RELEASE_HEADER) {
        return (StatusCode::FORBIDDEN, format!("the header {RELEASE_HEADER} is missing\n")).into_response();
    }
    let released = shared.release(&name);
    let done = shared.released(&name, RELEASE_PATIENCE).await;
    let status = if done { StatusCode::OK } else { StatusCode::ACCEPTED };
    (status, Json(json!({ "released": released }))).into_response()
}
