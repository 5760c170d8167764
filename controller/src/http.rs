//! The controller's HTTP interface: is it alive, what does it count, how are the apps. It shows, and lets go of an app for whoever
//! has the token of its user; it changes nothing in AWS.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use hyper_util::service::TowerToHyperService;
use interstella_guard::doors::{Size, descriptors};
use interstella_guard::{Arrival, Bounds, Doors, Gate, Token, serve_until};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::controller::Shared;

const SIZE: Size = Size { connections: 128, reserve: 16 };
/// The share of the process's file descriptors that connections may take; the calls to AWS need most of the others.
const SHARE_OF_DESCRIPTORS: usize = 8;
/// How long requests that are being answered may take to end.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(2);
/// How long to wait for a running pass to end before an app counts as let go.
const RELEASE_PATIENCE: Duration = Duration::from_secs(30);

#[derive(Clone)]
struct Served {
    shared: Arc<Shared>,
    token: Token,
}

/// Serves until `shutdown` resolves. `names` are those by which it may be called besides those of its address, in lower case;
/// `token` is what whoever changes something has to show.
///
/// # Errors
/// When the listener has no address.
pub async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    token: Token,
    names: Vec<String>,
    shutdown: impl Future<Output = ()>,
) -> std::io::Result<()> {
    let gate = Gate { also: names, ..Gate::of(listener.local_addr()?) };
    let doors = Doors::new(SIZE.within(descriptors() / SHARE_OF_DESCRIPTORS));
    let service = TowerToHyperService::new(router(Served { shared, token }));
    let service = move |_: &TcpStream, _: Arrival| service.clone();
    let serving = |stage| interstella_guard::serve(listener, doors, gate, Bounds::default(), stage, service);
    // What is cut off is a look at the apps, or a release that `destroy` asks for again.
    let _all_ended = serve_until(shutdown, SHUTDOWN_GRACE, serving).await;
    Ok(())
}

fn router(served: Served) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/api/v1/apps", get(apps))
        .route("/api/v1/apps/{name}", get(app))
        .route("/api/v1/apps/{name}/release", post(release))
        .with_state(served)
}

async fn livez(State(Served { shared, .. }): State<Served>) -> Response {
    answer(shared.is_alive(), "the loop has not gone round for long")
}

async fn readyz(State(Served { shared, .. }): State<Served>) -> Response {
    answer(shared.is_ready(), "the first pass is not made yet")
}

fn answer(good: bool, otherwise: &'static str) -> Response {
    if good {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{otherwise}\n")).into_response()
    }
}

async fn metrics(State(Served { shared, .. }): State<Served>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.text()).into_response()
}

async fn apps(State(Served { shared, .. }): State<Served>) -> Response {
    let (apps, problems, released) = (shared.apps(), shared.problems(), shared.let_go());
    let last = shared.transitions.latest();
    Json(json!({ "apps": apps, "problems": problems, "released": released, "last": last })).into_response()
}

async fn app(State(Served { shared, .. }): State<Served>, Path(name): Path<String>) -> Response {
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
async fn release(State(served): State<Served>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let Served { shared, token } = served;
    if !token.is_in(&headers) {
        let text = "letting go of an app takes the token of the user who runs the controller; `interstella destroy --stop` has it\n";
        return (StatusCode::UNAUTHORIZED, text).into_response();
    }
    let released = shared.release(&name);
    let done = shared.released(&name, RELEASE_PATIENCE).await;
    let status = if done { StatusCode::OK } else { StatusCode::ACCEPTED };
    (status, Json(json!({ "released": released }))).into_response()
}
