//! One bounded HTTP request to a program on this machine.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::failure::Failure;

/// The controller answers a release once a running pass has ended.
const TIMEOUT: Duration = Duration::from_secs(40);

/// Sends a POST without a body and returns the status.
pub async fn post(url: &str, path: &str, headers: &[(&str, &str)]) -> Result<u16, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::because(format!("cannot reach {url}"), error);
    let mut request = http::Request::post(format!("{}{path}", url.trim_end_matches('/')));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Full::<Bytes>::default()).map_err(|error| failed(&error))?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    match tokio::time::timeout(TIMEOUT, client.request(request)).await {
        Ok(Ok(response)) => Ok(response.status().as_u16()),
        Ok(Err(error)) => Err(failed(&error)),
        Err(elapsed) => Err(failed(&elapsed)),
    }
}
