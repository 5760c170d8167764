//! Requests that the worker makes. Every one goes through here, so that each is bounded in time and size, follows no
//! redirect, and can be recorded by a test.

mod link;
mod pool;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tower::ServiceExt;

use link::{Failure, Link};
use pool::{Origin, Pool};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

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
    connector: HttpsConnector<HttpConnector>,
    observer: Option<Observer>,
    pool: Pool,
}

impl Outbound {
    /// Certificates are checked against Mozilla's roots, which are built in.
    pub(crate) fn new(observer: Option<Observer>) -> Result<Self, rustls::Error> {
        let mut http = HttpConnector::new();
        http.set_connect_timeout(Some(CONNECT_TIMEOUT));
        http.set_nodelay(true);
        http.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))?
            .https_or_http()
            .enable_http1()
            .wrap_connector(http);
        Ok(Outbound { connector, observer, pool: Pool::default() })
    }

    /// Sends one request to an absolute URL and reads the whole answer, within `deadline` and at most `body_limit` bytes of body.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        deadline: Duration,
        body_limit: usize,
    ) -> Result<Answer, SendError> {
        let exchange = self.exchange(request, body_limit);
        tokio::time::timeout(deadline, exchange).await.unwrap_or(Err(SendError::Unknown))
    }

    /// A connection that turns out to be closed before the request went out has cost nothing: the next one is tried, and in the
    /// end a new one.
    async fn exchange(&self, mut request: Request<Full<Bytes>>, body_limit: usize) -> Result<Answer, SendError> {
        let url = std::mem::take(request.uri_mut());
        let origin = Origin::of(&url).ok_or(SendError::NotSent)?;
        address(&mut request, &url).ok_or(SendError::NotSent)?;
        loop {
            let (mut link, is_new) = match self.pool.take(&origin) {
                Some(link) => (link, false),
                // In a box: what is rare must not make the future of every call large.
                None => (Box::pin(self.connect(url.clone())).await?, true),
            };
            match link.exchange(request, body_limit).await {
                Ok(answer) => {
                    self.pool.put(origin, link);
                    return Ok(answer);
                }
                Err(Failure::Unsent(unsent)) if !is_new => request = *unsent,
                Err(Failure::Unsent(_)) => return Err(SendError::NotSent),
                Err(Failure::Sent(error)) => return Err(error),
            }
        }
    }

    /// Opens a connection; the observer hears of it before.
    async fn connect(&self, url: Uri) -> Result<Box<Link>, SendError> {
        if let Some(observer) = &self.observer {
            observer(&url);
        }
        let stream = self.connector.clone().oneshot(url).await.map_err(|_| SendError::NotSent)?;
        Link::open(stream).await.map_err(|_| SendError::NotSent)
    }
}

/// Gives a request the form in which it goes to `url`'s host: its path alone, and the host in a header.
fn address(request: &mut Request<Full<Bytes>>, url: &Uri) -> Option<()> {
    let default_port = if url.scheme() == Some(&Scheme::HTTPS) { ":443" } else { ":80" };
    let authority = url.authority()?.as_str();
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = HeaderValue::from_str(host.strip_suffix(default_port).unwrap_or(host)).ok()?;
    request.headers_mut().insert(header::HOST, host);
    *request.uri_mut() = url.path_and_query().cloned().map(Uri::from).unwrap_or_default();
    Some(())
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound")
    }
}

#[cfg(test)]
mod tests;
