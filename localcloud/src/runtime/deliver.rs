//! One delivery of SNS: signed, posted, its status read. For the runtime, and for tests that bring one of their own.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::signer::Signer;
use crate::cloud::Cloud;
use crate::effect::DeliveryRequest;
use crate::sns::{endpoint, envelope};

/// How long an endpoint may take, as with AWS.
const TIMEOUT: Duration = Duration::from_secs(15);

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// Makes the delivery. Returns the HTTP status (`None` after a time-out or transport error) and the message as it was sent.
pub async fn deliver(signer: &Signer, cloud: &Cloud, request: DeliveryRequest) -> (Option<u16>, Map<String, Value>) {
    let DeliveryRequest { delivery_id: _, endpoint, moved_port, headers, mut message, raw } = request;
    if !envelope::is_complete(&message)
        && let Err(error) = signer.complete(cloud, &mut message).await
    {
        tracing::error!(%error, "a message could not be signed");
        return (None, message);
    }
    if endpoint.starts_with("arn:") {
        return (Some(200), message);
    }
    let body = if raw { envelope::text(&message, "Message").to_owned() } else { envelope::render(&message) };
    let status = match timeout(TIMEOUT, post(&endpoint, moved_port, &headers, body)).await {
        Ok(Ok(status)) => Some(status),
        Ok(Err(error)) => {
            tracing::debug!(%error, endpoint, "a delivery failed");
            None
        }
        Err(_) => {
            tracing::debug!(endpoint, "a delivery timed out");
            None
        }
    };
    (status, message)
}

/// Posts on a connection of its own. Only the status counts: the answer's body is not read.
async fn post(url: &str, moved_port: Option<u16>, headers: &[(String, String)], body: String) -> Result<u16, AnyError> {
    let endpoint = endpoint::read(url)?;
    let port = moved_port.unwrap_or(endpoint.address.port());
    let stream = TcpStream::connect((endpoint.address.ip(), port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut request = Request::post(endpoint.path).header(header::HOST, endpoint.host);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let request = request.header(header::CONNECTION, "close").body(Full::new(Bytes::from(body)))?;
    let answer = async { sender.send_request(request).await.map(|response| response.status().as_u16()) };
    tokio::pin!(answer);
    tokio::select! {
        status = &mut answer => Ok(status?),
        // The connection may end together with the answer.
        ended = connection => { ended?; Ok(answer.await?) }
    }
}
