//! From a request to what is done with it: bounds, the load balancer by Host, the rule, the action.

use std::sync::Arc;

use http::header::{HOST, HeaderValue, UPGRADE};
use http::uri::Authority;
use http::{Method, Request, Response, Uri, Version};
use hyper::body::Incoming;

use super::answer;
use super::body::Body;
use super::forward;
use super::headers::{self, Client};
use super::pattern;
use super::sockets::Sockets;
use super::table::{Table, weighted};
use crate::elb::routing::Front;
use crate::elb::{Action, Ports};

/// Bytes of a request's target (ALB: request line of 16 K).
const TARGET_BYTES_MAX: usize = 16 * 1024;

/// Answers one request. `turn` is a number of its own, `trace` an ID of its own for X-Amzn-Trace-Id.
pub(super) async fn answer(
    table: Arc<Table>,
    sockets: &Sockets,
    client: Client,
    turn: usize,
    trace: String,
    mut request: Request<Incoming>,
) -> Response<Body> {
    if let Some(status) = refusal(&request) {
        return answer::error(status);
    }
    let host = host_of(&request);
    let fronts = table.routing.ports.get(&client.listener_port).map_or(&[][..], Vec::as_slice);
    let Some(front) = front_for(fronts, &host) else {
        return answer::unknown_host(fronts.iter().map(|front| front.dns_name.as_str()));
    };
    match action_for(front, &host, request.uri().path()) {
        Action::FixedResponse(response) => answer::fixed(response),
        Action::Redirect(redirect) => {
            answer::redirect(redirect, &request, &host, client.listener_port, |port| sockets.socket(port))
        }
        Action::Forward(groups) => {
            let chosen = weighted(turn, groups.iter().map(|(_, weight)| *weight)).and_then(|index| groups.get(index));
            let Some(group) = chosen.and_then(|(arn, _)| table.groups.get(arn)) else {
                return answer::error(503);
            };
            prepare(&mut request, front, client, &trace);
            forward::to_group(group, front, request).await
        }
    }
}

/// Makes the request one for a target.
fn prepare(request: &mut Request<Incoming>, front: &Front, client: Client, trace: &str) {
    headers::to_target(request.headers_mut(), front, client, trace);
    if let Some(authority) = request.uri().authority()
        && let Ok(host) = HeaderValue::try_from(authority.as_str())
    {
        request.headers_mut().insert(HOST, host);
    }
    // Targets get the path alone, whatever form the client used.
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let path = if path.is_empty() { "/" } else { path };
    if let Ok(uri) = path.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    *request.version_mut() = Version::HTTP_11;
}

/// Status of the refusal of a request that no load balancer passes on.
fn refusal(request: &Request<Incoming>) -> Option<u16> {
    let upgrade = request.headers().get(UPGRADE).and_then(|value| value.to_str().ok());
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if matches!(*request.method(), Method::TRACE | Method::CONNECT) {
        Some(405)
    } else if target > TARGET_BYTES_MAX {
        Some(414)
    } else if !headers::within_bounds(request.headers()) || lacks_host(request) {
        Some(400)
    } else if headers::forwarded_too_often(request.headers()) {
        Some(answer::TOO_MANY_HOPS)
    } else if upgrade.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket")) {
        // An ALB would pass it on; here that is not implemented, which has to be seen.
        Some(501)
    } else {
        None
    }
}

/// HTTP/1.1 demands a Host, and no request may have two (RFC 9112 §3.2).
fn lacks_host(request: &Request<Incoming>) -> bool {
    let has_two = request.headers().get_all(HOST).iter().nth(1).is_some();
    has_two || (request.version() == Version::HTTP_11 && host_header(request).is_none())
}

fn host_header(request: &Request<Incoming>) -> Option<&str> {
    let of_uri = request.uri().authority().map(Authority::as_str);
    of_uri.or_else(|| request.headers().get(HOST)?.to_str().ok())
}

/// The host asked for, in lower case, without port and final dot.
fn host_of(request: &Request<Incoming>) -> String {
    let host = host_header(request).unwrap_or("");
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => host,
    };
    host.trim_end_matches('.').to_lowercase()
}

/// The load balancer that is meant; the only one on the port is meant by any name.
fn front_for<'a>(fronts: &'a [Front], host: &str) -> Option<&'a Front> {
    match fronts {
        [only] => Some(only),
        several => several.iter().find(|front| front.dns_name == host),
    }
}

fn action_for<'a>(front: &'a Front, host: &str, path: &str) -> &'a Action {
    let mut rules = front.rules.iter();
    let rule = rules.find(|(conditions, _)| pattern::all_hold(conditions, host, path));
    rule.map_or(&front.default_action, |(_, action)| action)
}
