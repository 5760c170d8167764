//! What is answered on which path. `/` answers always; orders are taken while there is room.
//!
//! Nothing here trusts a header, and no answer holds text that a sender wrote.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use interstella_guard::Stage;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use uuid::Uuid;

use crate::body::{BodyError, Budget, ReadBody, read_body};
use crate::clock::Clock;
use crate::fulfil::{Delivery, Fulfiller, Reply};
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::order;
use crate::sns::{Confirmer, Envelope, Kind, Refusal, Topic, Verifier, WRONG_CLOCK};

const WELCOME: &str = "Welcome to the monolith";
const RETRY_SOON: Duration = Duration::from_secs(1);

/// What the routes need.
pub(crate) struct Parts {
    pub verifier: Verifier,
    pub fulfiller: Fulfiller,
    pub confirmer: Confirmer,
    pub metrics: Arc<Metrics>,
    pub clock: Clock,
    pub direct_fulfil: bool,
    /// One permit for each order that may be worked on at once. A fixed number, and not one that adapts to the API's answers: what
    /// it protects is this worker's memory; the API is protected by its own 429 and the breaker; and when an attempt takes its full
    /// four seconds, a smaller number would only turn orders that wait here into orders that wait at SNS.
    pub in_flight: Arc<Semaphore>,
    pub stage: watch::Receiver<Stage>,
    pub limits: Limits,
}

/// The public listener's routes.
#[derive(Clone)]
pub(crate) struct Routes {
    parts: Arc<Parts>,
    budget: Budget,
}

/// What comes of a request.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    status: StatusCode,
    text: &'static str,
    retry_after: Option<Duration>,
}

impl Outcome {
    fn new(status: StatusCode, text: &'static str) -> Self {
        Outcome { status, text, retry_after: None }
    }

    fn later(text: &'static str, retry_after: Option<Duration>) -> Self {
        Outcome { status: StatusCode::SERVICE_UNAVAILABLE, text, retry_after: Some(retry_after.unwrap_or(RETRY_SOON)) }
    }
}

impl From<Reply> for Outcome {
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Ended(text) => Outcome::new(StatusCode::OK, text),
            Reply::TryLater(text, retry_after) => Outcome::later(text, retry_after),
        }
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Malformed(text) => Outcome::new(StatusCode::BAD_REQUEST, text),
            Refusal::Forged(text) => Outcome::new(StatusCode::FORBIDDEN, text),
            Refusal::Unverifiable(text) => Outcome::later(text, None),
        }
    }
}

impl From<BodyError> for Outcome {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::TooLarge => Outcome::new(StatusCode::PAYLOAD_TOO_LARGE, "body too large"),
            BodyError::TooSlow => Outcome::new(StatusCode::REQUEST_TIMEOUT, "body too slow"),
            BodyError::NoRoom => Outcome::later("no room for the body", None),
            BodyError::Broken => Outcome::new(StatusCode::BAD_REQUEST, "body broken off"),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Path {
    Sns,
    Direct,
}

impl Routes {
    /// Answers a request.
    pub(crate) async fn handle(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let is_draining = *self.parts.stage.borrow() != Stage::Serving;
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let is_post = request.method() == Method::POST;
        let outcome = match request.uri().path() {
            "/" if is_read && is_draining => Outcome::later("draining", None),
            "/" if is_read => Outcome::new(StatusCode::OK, WELCOME),
            // SNS follows no redirect, so the path without its last slash is an alias.
            "/order/" | "/order" if is_post => self.take(request, Path::Sns).await,
            "/fulfill/" | "/fulfill" if !self.parts.direct_fulfil => Outcome::new(StatusCode::NOT_FOUND, "not found"),
            "/fulfill/" | "/fulfill" if is_post => self.take(request, Path::Direct).await,
            "/" => return respond(METHOD, Some("GET, HEAD"), false),
            "/order/" | "/order" | "/fulfill/" | "/fulfill" => return respond(METHOD, Some("POST"), true),
            _ => Outcome::new(StatusCode::NOT_FOUND, "not found"),
        };
        // A peer that sent what is too long or too slow cannot be kept: the rest of its body is still coming.
        let is_cut = matches!(outcome.status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT);
        respond(outcome, None, is_draining || is_cut)
    }
}

const METHOD: Outcome =
    Outcome { status: StatusCode::METHOD_NOT_ALLOWED, text: "method not allowed", retry_after: None };

fn respond(outcome: Outcome, allow: Option<&'static str>, close: bool) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(outcome.text.as_bytes())));
    *response.status_mut() = outcome.status;
    let headers = response.headers_mut();
    // Room for these and for what the transport adds.
    headers.reserve(6);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Some(retry_after) = outcome.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(retry_after.as_millis().div_ceil(1000) as u64));
    }
    if let Some(allow) = allow {
        headers.insert(header::ALLOW, HeaderValue::from_static(allow));
    }
    if close {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

impl Routes {
    pub(crate) fn new(parts: Parts) -> Self {
        Routes { parts: Arc::new(parts), budget: Budget::default() }
    }

    /// Reads the body, then works in a task of its own, which goes on when the sender goes away and whose panic ends only it.
    async fn take(&self, request: Request<Incoming>, path: Path) -> Outcome {
        let (head, body) = request.into_parts();
        let body = match read_body(body, &self.budget, self.parts.limits.body).await {
            Ok(body) => body,
            Err(error) => return self.rejected(error.into()),
        };
        let Ok(permit) = Arc::clone(&self.parts.in_flight).try_acquire_owned() else { return self.overloaded() };
        let this = self.clone();
        // In a box, because tokio moves a task's future three times, and this one has kilobytes.
        let work = tokio::spawn(Box::pin(async move {
            let outcome = match path {
                Path::Sns => this.receive(&head.headers, body, permit).await,
                Path::Direct => this.direct(&head.headers, body, permit).await,
            };
            outcome.unwrap_or_else(|refusal| this.rejected(refusal.into()))
        }));
        work.await.unwrap_or_else(|_| {
            self.parts.metrics.panics.inc();
            Outcome::new(StatusCode::INTERNAL_SERVER_ERROR, "the worker made a mistake")
        })
    }

    async fn receive(
        &self,
        headers: &HeaderMap,
        body: ReadBody,
        permit: OwnedSemaphorePermit,
    ) -> Result<Outcome, Refusal> {
        let outcome = match self.read(headers, &body).await? {
            Read::Order(delivery) => {
                // Working takes a while: the body gives its memory back first.
                drop(body);
                self.parts.fulfiller.process(&delivery).await.into()
            }
            Read::Handled(text) => Outcome::new(StatusCode::OK, text),
        };
        drop(permit);
        Ok(outcome)
    }

    async fn read(&self, headers: &HeaderMap, body: &ReadBody) -> Result<Read, Refusal> {
        let verified = self.parts.verifier.verify(headers, body.bytes()).await;
        let (envelope, topic) = verified.inspect_err(|refusal| self.watch(*refusal))?;
        // What has come meanwhile is verified first, so that a burst's orders go through each step together. Measured on one core it
        // makes an order nearly a tenth cheaper, probably because the step's code stays in the processor's nearest cache.
        tokio::task::yield_now().await;
        match envelope.kind {
            Kind::Notification => Ok(Read::Order(delivery(envelope, topic))),
            Kind::SubscriptionConfirmation => {
                // In a box, because it is rare and its future has kilobytes.
                Box::pin(self.parts.confirmer.confirm(&envelope, topic)).await?;
                tracing::info!(topic = topic.arn(), "Subscription confirmed");
                Ok(Read::Handled("confirmed"))
            }
            Kind::UnsubscribeConfirmation => {
                self.parts.metrics.alarm("unsubscribed");
                Ok(Read::Handled("noted"))
            }
        }
    }

    /// The monolith's own path: the body is the order, and an `Idempotency-Key` makes a repetition harmless.
    async fn direct(
        &self,
        headers: &HeaderMap,
        body: ReadBody,
        permit: OwnedSemaphorePermit,
    ) -> Result<Outcome, Refusal> {
        let text = std::str::from_utf8(body.bytes()).map_err(|_| Refusal::Malformed("body is not UTF-8"))?;
        order::Order::parse(text).map_err(Refusal::Malformed)?;
        let id = match headers.get("idempotency-key").map(HeaderValue::to_str) {
            Some(Ok(id)) => id.to_owned(),
            Some(Err(_)) => return Err(Refusal::Malformed("Idempotency-Key is not text")),
            None => Uuid::new_v4().to_string(),
        };
        let published = self.parts.clock.now();
        let delivery = Delivery { key: order::key("direct", &id), message: text.to_owned(), published };
        let outcome = self.parts.fulfiller.process(&delivery).await.into();
        drop(permit);
        Ok(outcome)
    }

    fn overloaded(&self) -> Outcome {
        self.rejected(Outcome::later("overloaded", None))
    }

    fn rejected(&self, outcome: Outcome) -> Outcome {
        self.parts.metrics.reject(outcome.text);
        outcome
    }

    /// Unsigned messages mean that the subscription is set up wrongly, or that somebody found the port.
    fn watch(&self, refusal: Refusal) {
        tracing::warn!(?refusal, "a message was refused");
        match refusal {
            Refusal::Forged("unsigned" | "raw deliveries carry no signature") => self.parts.metrics.alarm("unsigned"),
            WRONG_CLOCK => self.parts.metrics.alarm("clock"),
            _ => {}
        }
    }
}

/// A genuine message.
#[derive(Debug)]
enum Read {
    Order(Delivery),
    Handled(&'static str),
}

fn delivery(envelope: Envelope<'_>, topic: &Topic) -> Delivery {
    Delivery {
        key: order::key(topic.arn(), &envelope.message_id),
        message: envelope.message.into_owned(),
        published: envelope.timestamp,
    }
}
