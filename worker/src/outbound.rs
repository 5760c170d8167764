//! Requests that the worker makes. Every one goes through here, so that each is bounded in time and size, follows no
//! redirect, and can be recorded by a test.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
const IDLE_CONNECTIONS: usize = 64;

/// Is told the URL of every connection before it is opened.
pub type Observer = Arc<dyn Fn(&Uri) + Send + Sync>;

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SendError {
    /// No connection: the other side certainly has not seen the request.
    #[error("no connection")]
    NotSent,
    /// The answer has more than the bytes that are read. The other side may have acted on the request.
    #[error("the answer is too long")]
    TooLong,
    /// The other side may have acted on the request.
    #[error("the answer was lost or late")]
    Unknown,
}

/// The client. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Outbound {
    client: Client<Observed<HttpsConnector<HttpConnector>>, Full<Bytes>>,
}

impl Outbound {
    /// Certificates are checked against Mozilla's roots, which are built in.
    pub(crate) fn new(observer: Option<Observer>) -> Result<Self, rustls::Error> {
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        http.set_nodelay(true);
        http.enforce_http(false);
        let https = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(Observed { inner: https, observer });
        Ok(Outbound { client })
    }

    /// Sends one request and reads the whole answer, within `deadline` and at most `body_limit` bytes of body.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Duration,
        body_limit: usize,
    ) -> Result<Answer, SendError> {
        let exchange = async {
            let response = self.client.request(request).await;
            let response =
                response.map_err(|error| if error.is_connect() { SendError::NotSent } else { SendError::Unknown })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, body_limit).collect().await.map_err(|error| {
                if error.is::<LengthLimitError>() { SendError::TooLong } else { SendError::Unknown }
            })?;
            Ok(Answer { status: head.status, headers: head.headers, body: body.to_bytes() })
        };
        tokio::time::timeout(deadline, exchange).await.unwrap_or(Err(SendError::Unknown))
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound")
    }
}

/// A connector that tells an observer before it connects.
#[derive(Clone)]
struct Observed<C> {
    inner: C,
    observer: Option<Observer>,
}

impl<C> Service<Uri> for Observed<C>
where
    C: Service<Uri>,
    C::Future: Send + 'static,
{
    type Response = C::Response;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<C::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        if let Some(observer) = &self.observer {
            observer(&uri);
        }
        Box::pin(self.inner.call(uri))
    }
}
