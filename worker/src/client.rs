//! The fulfilment API's client: one order, at most two attempts under one key, and a plain verdict on what is known after.

mod breaker;
mod verdict;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::Full;
use uuid::Uuid;

pub(crate) use verdict::Verdict;

use crate::clock::Clock;
use crate::config::ApiKey;
use crate::limits::Limits;
use crate::outbound::Outbound;
use breaker::Breaker;

const MAX_ANSWER_BYTES: usize = 64 * 1024;

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A verdict, in the future.
pub(crate) type Call<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// What fulfils orders.
pub(crate) trait FulfilmentApi: Send + Sync {
    /// How long to leave the API alone, if it asked for that.
    fn pause(&self) -> Option<Duration>;

    /// Sends one order. Never fails: what is not known is a verdict too.
    fn fulfil(&self, key: Uuid, body: String) -> Call<'_>;
}

/// The real API.
#[derive(Debug)]
pub(crate) struct HttpApi {
    outbound: Outbound,
    endpoint: Uri,
    api_key: ApiKey,
    idempotent: bool,
    breaker: Breaker,
    clock: Clock,
    limits: Limits,
}

impl HttpApi {
    pub(crate) fn new(
        outbound: Outbound,
        endpoint: Uri,
        api_key: ApiKey,
        idempotent: bool,
        clock: Clock,
        limits: Limits,
    ) -> Self {
        HttpApi { outbound, endpoint, api_key, idempotent, breaker: Breaker::default(), clock, limits }
    }

    async fn attempt(&self, key: Uuid, body: String, deadline: Duration) -> Verdict {
        let Some(request) = self.request(key, body) else {
            return Verdict::NotProcessed("the request cannot be built");
        };
        match self.outbound.send(request, deadline, MAX_ANSWER_BYTES).await {
            Ok(answer) => {
                let now = self.clock.now();
                if let Some(pause) = verdict::pause(answer.status, &answer.headers, now) {
                    self.breaker.open(now.as_millisecond(), pause);
                }
                if matches!(answer.status.as_u16(), 401 | 403) {
                    self.api_key.refused(now.as_millisecond()).await;
                }
                Verdict::of_status(answer.status.as_u16())
            }
            Err(error) => Verdict::of_error(error),
        }
    }

    fn request(&self, key: Uuid, body: String) -> Option<Request<Full<Bytes>>> {
        let key = HeaderValue::from_str(key.hyphenated().encode_lower(&mut Uuid::encode_buffer())).ok()?;
        let mut request = Request::new(Full::new(Bytes::from(body)));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        // Room for these and for what the transport adds.
        let headers = request.headers_mut();
        headers.reserve(6);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(API_KEY, self.api_key.header());
        headers.insert(IDEMPOTENCY_KEY, key);
        Some(request)
    }

    /// The same key may go out again if the API honours it, or if the first attempt certainly did nothing.
    fn may_repeat(&self, first: &Verdict) -> bool {
        match first {
            Verdict::NotSent => true,
            Verdict::Unknown(_) => self.idempotent && self.pause().is_none(),
            _ => false,
        }
    }
}

impl FulfilmentApi for HttpApi {
    fn pause(&self) -> Option<Duration> {
        self.breaker.pause(self.clock.now_ms())
    }

    fn fulfil(&self, key: Uuid, body: String) -> Call<'_> {
        Box::pin(async move {
            let started = tokio::time::Instant::now();
            let first = self.attempt(key, body.clone(), self.limits.attempt).await;
            if !self.may_repeat(&first) {
                return first;
            }
            tracing::warn!(verdict = %first, "repeating the call with the same key");
            let left = self.limits.call.saturating_sub(started.elapsed()).min(self.limits.attempt);
            let second = Box::pin(self.attempt(key, body, left)).await;
            first.then(second)
        })
    }
}
