//! One request to one target, and its answer.

use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Incoming};
use tokio::time::{Instant, timeout_at};

use super::answer;
use super::body::{self, Body, Download, Progress, Upload};
use super::counts::Counters;
use super::headers;
use super::pool::{self, ConnectError, Connection};
use super::table::{InFlight, LiveGroup};
use crate::elb::routing::Front;

/// Why a target gave no answer.
enum Failure {
    /// The connection was refused, reset, or spoke something else: 502.
    Broken,
    /// It was kept alive and the target had closed it before it answered anything.
    ClosedBefore,
    /// Nothing in time: 504.
    TimedOut,
}

/// Sends the request to a target of the group. Header fields are those for the target already.
pub(super) async fn to_group(group: &LiveGroup, front: &Front, request: Request<Incoming>) -> Response<Body> {
    let counters = &group.shared.counters;
    let Some((in_flight, fail_open)) = group.choose() else {
        counters.balancer_5xx();
        return answer::error(503);
    };
    counters.request(fail_open);
    let gone = in_flight.gone();
    let answer = tokio::select! {
        answer = exchange(&in_flight, front.idle_timeout, counters, request) => answer,
        () = gone => Err(Failure::Broken),
    };
    match answer {
        Ok((answer, sender)) => {
            let (mut parts, incoming) = answer.into_parts();
            if let Err(error) = headers::framing(parts.status, parts.version, &mut parts.headers) {
                // The connection goes with its sender: nobody knows where the next answer would begin.
                tracing::debug!(%error, "no answer from a target");
                counters.balancer_5xx();
                return answer::error(502);
            }
            headers::to_client(&mut parts.headers, front);
            let download = Download::new(incoming, sender, in_flight, front.idle_timeout);
            Response::from_parts(parts, download.boxed_unsync())
        }
        Err(failure) => {
            counters.balancer_5xx();
            answer::error(if matches!(failure, Failure::TimedOut) { 504 } else { 502 })
        }
    }
}

type Sender = hyper::client::conn::http1::SendRequest<Body>;

/// Sends the request; once more on a new connection if a kept one turned out to be closed and the request may be repeated.
async fn exchange(
    in_flight: &InFlight,
    idle_timeout: Duration,
    counters: &Counters,
    request: Request<Incoming>,
) -> Result<(Response<Incoming>, Sender), Failure> {
    let started = Instant::now();
    let target = in_flight.target();
    let address = target.address.ok_or(Failure::Broken)?;
    let again = repeatable(&request);
    let progress = Progress::new();
    let request = request.map(|inner| Upload { inner, progress: progress.clone() }.boxed_unsync());
    let connection = target.pool.connection(address, idle_timeout).await.map_err(|error| refused(counters, error))?;
    let mut result = send(connection, request, &progress, idle_timeout).await;
    if let (Err(Failure::ClosedBefore), Some(again)) = (&result, again) {
        let connection = pool::connect(address).await.map_err(|error| refused(counters, error))?;
        result = send(connection, again, &Progress::new(), idle_timeout).await;
    }
    let (answer, sender) = result?;
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    counters.target(answer.status().as_u16(), micros);
    Ok((answer, sender))
}

fn refused(counters: &Counters, error: ConnectError) -> Failure {
    counters.connection_error();
    match error {
        ConnectError::Failed => Failure::Broken,
        ConnectError::TimedOut => Failure::TimedOut,
    }
}

/// The same request again, if sending it twice does no harm: GET or HEAD without a body.
fn repeatable(request: &Request<Incoming>) -> Option<Request<Body>> {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD) && request.body().is_end_stream();
    safe.then(|| {
        let mut again = Request::new(body::empty());
        *again.method_mut() = request.method().clone();
        *again.uri_mut() = request.uri().clone();
        *again.headers_mut() = request.headers().clone();
        again
    })
}

async fn send(
    connection: Connection,
    request: Request<Body>,
    progress: &Progress,
    idle_timeout: Duration,
) -> Result<(Response<Incoming>, Sender), Failure> {
    let Connection { mut sender, reused } = connection;
    let mut answer = std::pin::pin!(sender.send_request(request));
    loop {
        let deadline = progress.last() + idle_timeout;
        match timeout_at(deadline, &mut answer).await {
            Ok(Ok(answer)) => return Ok((answer, sender)),
            Ok(Err(error)) => return Err(failure(&error, reused)),
            // The body has moved in the meantime.
            Err(_elapsed) if progress.last() + idle_timeout > deadline => {}
            Err(_elapsed) => return Err(Failure::TimedOut),
        }
    }
}

fn failure(error: &hyper::Error, reused: bool) -> Failure {
    tracing::debug!(%error, reused, "no answer from a target");
    let closed = error.is_incomplete_message() || error.is_canceled() || error.is_closed() || is_reset(error);
    if reused && closed { Failure::ClosedBefore } else { Failure::Broken }
}

/// Whether the connection broke below HTTP.
fn is_reset(error: &hyper::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<std::io::Error>() {
            return true;
        }
        source = error.source();
    }
    false
}
