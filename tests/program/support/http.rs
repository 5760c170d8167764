//! Plain requests to programs of this machine.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

const TIMEOUT: Duration = Duration::from_secs(10);

/// GETs `url`, which may be one of `*.localhost`, and returns status and body.
pub async fn get(url: &str) -> Result<(u16, String), String> {
    send(url, &[], None).await
}

/// POSTs `body` with further headers, and returns status and body.
pub async fn post(url: &str, headers: &[(&str, &str)], body: String) -> Result<(u16, String), String> {
    send(url, headers, Some(body)).await
}

async fn send(url: &str, headers: &[(&str, &str)], body: Option<String>) -> Result<(u16, String), String> {
    let uri: http::Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
    let host = uri.authority().map(ToString::to_string).unwrap_or_default();
    // The C library may not know that *.localhost is loopback.
    let address = format!("http://127.0.0.1:{}{}", uri.port_u16().unwrap_or(80), uri.path());
    let method = if body.is_some() { http::Method::POST } else { http::Method::GET };
    let request = http::Request::builder().method(method).uri(address).header("host", host);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request = request.body(Full::new(Bytes::from(body.unwrap_or_default()))).unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer =
        tokio::time::timeout(TIMEOUT, client.request(request)).await.map_err(|_| format!("{url}: too late"))?;
    let (parts, body) = answer.map_err(|error| format!("{url}: {error:?}"))?.into_parts();
    let body = body.collect().await.map_err(|error| format!("{url}: {error}"))?.to_bytes();
    Ok((parts.status.as_u16(), String::from_utf8_lossy(&body).into_owned()))
}

/// GETs JSON.
pub async fn get_json(url: &str) -> Result<serde_json::Value, String> {
    let (status, body) = get(url).await?;
    if status != 200 {
        return Err(format!("{url}: {status} {body}"));
    }
    serde_json::from_str(&body).map_err(|error| format!("{url}: {error}: {body}"))
}
