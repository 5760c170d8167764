//! One bounded HTTP request to a program on this machine.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, HeaderValue};
use http::request::Builder;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::failure::Failure;

/// The controller answers a release once a running pass has ended.
const TIMEOUT: Duration = Duration::from_secs(40);

/// Longest answer that is read: that of a controller of some thousand apps.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// Sends a POST without a body, in the name of this user, and returns the status.
pub async fn post(url: &str, path: &str, authorization: HeaderValue) -> Result<u16, Failure> {
    let request = Request::post(at(url, path)).header(AUTHORIZATION, authorization);
    Ok(send(url, request).await?.0)
}

/// Sends a GET and returns status and body.
pub async fn get(url: &str, path: &str) -> Result<(u16, Bytes), Failure> {
    send(url, Request::get(at(url, path))).await
}

fn at(url: &str, path: &str) -> String {
    format!("{}{path}", url.trim_end_matches('/'))
}

async fn send(url: &str, request: Builder) -> Result<(u16, Bytes), Failure> {
    let failed = |error: &dyn std::error::Error| Failure::because(format!("cannot reach {url}"), error);
    match tokio::time::timeout(TIMEOUT, exchange(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(error.as_ref())),
        Err(elapsed) => Err(failed(&elapsed)),
    }
}

async fn exchange(request: Builder) -> Result<(u16, Bytes), Box<dyn std::error::Error + Send + Sync>> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let (head, body) = client.request(request.body(Full::<Bytes>::default())?).await?.into_parts();
    Ok((head.status.as_u16(), Limited::new(body, MOST_BYTES).collect().await?.to_bytes()))
}
