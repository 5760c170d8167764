//! One HTTP health check, as a load balancer makes it: GET on a new connection.

use std::net::{IpAddr, SocketAddr};

use http::Request;
use http::header::{CONNECTION, HOST, HeaderValue, USER_AGENT};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::effect::{CheckResult, HealthCheckRequest};

/// What checks call themselves. Not in a source of AWS's, but seen in every access log.
const AGENT: HeaderValue = HeaderValue::from_static("ELB-HealthChecker/2.0");

/// Makes the check. Only the status counts; the body is not read.
pub async fn check(request: HealthCheckRequest) -> CheckResult {
    match timeout(request.timeout, status(&request)).await {
        Ok(Some(status)) => CheckResult::Status(status),
        Ok(None) => CheckResult::Failed,
        Err(_elapsed) => CheckResult::Timeout,
    }
}

/// The status answered; `None`: no connection, one that broke, or something other than HTTP.
async fn status(check: &HealthCheckRequest) -> Option<u16> {
    let stream = TcpStream::connect(check.address?).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let request = request(check)?;
    let mut answer = std::pin::pin!(sender.send_request(request));
    // The connection makes progress only while it is polled, and is closed by being dropped. A target that answers and hangs up at once
    // may end it first; the answer is there then.
    let answer = tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ended = connection => answer.await,
    };
    answer.ok().map(|answer| answer.status().as_u16())
}

fn request(check: &HealthCheckRequest) -> Option<Request<Empty<Bytes>>> {
    // AWS names the target by its address. An instance's own is virtual here, so that of its process stands for it.
    let address = check.address?;
    let host = match check.target.id.parse::<IpAddr>() {
        Ok(own) => SocketAddr::new(own, check.target.port),
        Err(_) => address,
    };
    Request::get(&check.path)
        .header(HOST, host.to_string())
        .header(USER_AGENT, AGENT)
        .header(CONNECTION, "close")
        .body(Empty::new())
        .ok()
}
