//! Where orders go: to a topic of SNS, or straight to a load balancer.

use std::time::Duration;

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sns::types::PublishBatchRequestEntry;
use bytes::Bytes;
use http::Uri;
use http::header::{CONTENT_TYPE, HOST};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use crate::failure::Failure;

/// What is ordered, as headquarters does.
const ORDER: &str = "{\"bundle\":1}";
/// Most messages of one `PublishBatch` (AWS: SNS API reference).
const BATCH: usize = 10;
/// Longest wait for a load balancer's answer: more than the 15 seconds that SNS would wait.
const TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const NO_ANSWER: &str = "no answer";

/// What came of one order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The HTTP status, `published`, or the error's code.
    pub status: String,
    /// Whether somebody else is responsible for the order now.
    pub accepted: bool,
}

impl Outcome {
    fn published() -> Self {
        Self { status: "published".to_owned(), accepted: true }
    }

    fn failed(status: &str) -> Self {
        Self { status: status.to_owned(), accepted: false }
    }
}

/// Where orders go.
#[derive(Debug)]
pub enum Target {
    /// An SNS topic. Calls are never repeated: one without an answer may have been heard, and the order would exist
    /// twice.
    Topic {
        /// SNS in the topic's region.
        client: aws_sdk_sns::Client,
        /// The topic.
        arn: String,
    },
    /// A URL that takes an order as the body of a POST and answers when it is fulfilled.
    Url(Box<Address>),
}

/// A URL and a pool of connections to it.
#[derive(Debug)]
pub struct Address {
    client: Client<HttpConnector, Full<Bytes>>,
    /// The URL with the address to connect to.
    uri: Uri,
    /// The name that the load balancer knows itself by.
    host: String,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// If it is none that begins with `http://`.
    pub fn parse(url: &str) -> Result<Self, Failure> {
        let refused = || {
            Failure::new(format!("orders cannot be sent to {url:?}"))
                .remedy("give a URL such as http://HOST:PORT/fulfill/; `interstella status` shows the endpoint")
        };
        let given: Uri = url.parse().map_err(|_| refused())?;
        let (Some("http"), Some(authority)) = (given.scheme_str(), given.authority()) else { return Err(refused()) };
        let host = authority.host();
        // The C library may not know that these names mean this machine.
        let address = if host.ends_with(".localhost") { "127.0.0.1" } else { host };
        let port = authority.port_u16().unwrap_or(80);
        let uri = format!("http://{address}:{port}{}", given.path()).parse().map_err(|_| refused())?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, uri, host: authority.to_string() })
    }

    async fn post(&self) -> Outcome {
        let request = http::Request::post(&self.uri)
            .header(HOST, &self.host)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from_static(ORDER.as_bytes())));
        let Ok(request) = request else { return Outcome::failed("no request") };
        let exchange = async {
            let answer = self.client.request(request).await.ok()?;
            let status = answer.status();
            // Read to the end, so that the connection can be used again.
            answer.into_body().collect().await.ok()?;
            Some(Outcome { status: status.as_u16().to_string(), accepted: status.is_success() })
        };
        let answer = tokio::time::timeout(TIMEOUT, exchange).await.ok().flatten();
        answer.unwrap_or_else(|| Outcome::failed(NO_ANSWER))
    }
}

impl Target {
    /// How many orders go out with one call at most.
    pub fn batch(&self) -> usize {
        match self {
            Self::Topic { .. } => BATCH,
            Self::Url(_) => 1,
        }
    }

    /// Sends `orders`, at most [`Self::batch`], and says what came of each.
    pub async fn send(&self, orders: usize) -> Vec<Outcome> {
        match self {
            Self::Topic { client, arn } if orders == 1 => vec![publish(client, arn).await],
            Self::Topic { client, arn } => publish_batch(client, arn, orders).await,
            Self::Url(address) => vec![address.post().await],
        }
    }
}

async fn publish(client: &aws_sdk_sns::Client, arn: &str) -> Outcome {
    match client.publish().topic_arn(arn).message(ORDER).send().await {
        Ok(_) => Outcome::published(),
        Err(error) => Outcome::failed(code(&error)),
    }
}

async fn publish_batch(client: &aws_sdk_sns::Client, arn: &str, orders: usize) -> Vec<Outcome> {
    let mut entries = Vec::with_capacity(orders);
    for id in 0..orders {
        match PublishBatchRequestEntry::builder().id(id.to_string()).message(ORDER).build() {
            Ok(entry) => entries.push(entry),
            Err(_) => return vec![Outcome::failed("no request"); orders],
        }
    }
    let request = client.publish_batch().topic_arn(arn).set_publish_batch_request_entries(Some(entries));
    match request.send().await {
        Ok(answer) => {
            let failed = answer.failed().iter().map(|one| Outcome::failed(one.code()));
            let published = answer.successful().iter().map(|_| Outcome::published());
            // What the answer does not mention is not known to have been published.
            let silent = std::iter::repeat(Outcome::failed(NO_ANSWER));
            failed.chain(published).chain(silent).take(orders).collect()
        }
        Err(error) => vec![Outcome::failed(code(&error)); orders],
    }
}

fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> &str {
    error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or(NO_ANSWER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_with_the_address_behind_the_name() {
        for (url, expected) in [
            (
                "http://lb.us-west-2.localhost:5000/fulfill/",
                Some(("http://127.0.0.1:5000/fulfill/", "lb.us-west-2.localhost:5000")),
            ),
            ("http://10.0.0.1/fulfill/", Some(("http://10.0.0.1:80/fulfill/", "10.0.0.1"))),
            ("https://10.0.0.1/fulfill/", None),
            ("lb:5000/fulfill/", None),
            ("", None),
        ] {
            let read = Address::parse(url).ok().map(|address| (address.uri.to_string(), address.host));
            assert_eq!(read, expected.map(|(uri, host)| (uri.to_owned(), host.to_owned())), "{url}");
        }
    }
}
