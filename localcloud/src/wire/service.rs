//! The cloud as a `tower::Service` over HTTP requests: served on a socket, or plugged into the SDK in process.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use http::request::Parts;
use http::{Method, Request, StatusCode};
use hyper::body::Body;
use serde_json::Value;

use super::body::{self, BoxError};
use super::conform::conform;
use super::model::{Model, Operation, Protocol};
use super::perform::{Performed, perform};
use super::reply::{self, Reply, Success};
use super::route::{Route, Unroutable, route};
use super::{cbor, errors, form, validate};
use crate::call::{ApiError, Service};
use crate::cloud::Cloud;
use crate::journal::{Entry, Outcome, is_mutating};

/// The cloud behind HTTP. Its error is a broken connection, which only a fault causes.
#[derive(Clone)]
pub struct CloudService {
    cloud: Arc<Cloud>,
    /// The access key that calls have to be signed with, if not any.
    access_key: Option<Arc<str>>,
}

/// Puts `cloud` behind HTTP.
pub fn service(cloud: Arc<Cloud>) -> CloudService {
    CloudService { cloud, access_key: None }
}

impl CloudService {
    /// The same for calls alone that are signed with that access key.
    #[must_use]
    pub fn signed_with(self, access_key: Option<Arc<str>>) -> Self {
        Self { access_key, ..self }
    }
}

impl<B> tower::Service<Request<B>> for CloudService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<BoxError>,
{
    type Response = Reply;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Reply>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let Self { cloud, access_key } = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            if let Some(reply) = outside_of_the_api(&cloud, &parts) {
                return Ok(reply);
            }
            match body::read(&parts, body).await {
                Ok(body) => answer(&cloud, access_key.as_deref(), &parts, &body).await,
                Err((status, text)) => Ok(reply::page(status, "text/plain", Bytes::from_static(text.as_bytes()))),
            }
        })
    }
}

/// Answers what is no API call: a page of the cloud, the health check, another method.
fn outside_of_the_api(cloud: &Cloud, parts: &Parts) -> Option<Reply> {
    match parts.method {
        Method::GET if parts.uri.path() == "/_interstella/health" => {
            let body = serde_json::json!({"status": "ok", "region": cloud.region()}).to_string();
            Some(reply::page(StatusCode::OK, "application/json", Bytes::from(body)))
        }
        Method::GET => {
            cloud.page(parts.uri.path()).map(|page| reply::page(StatusCode::OK, &page.content_type, page.body))
        }
        Method::POST => None,
        _ => {
            let text = Bytes::from_static(b"AWS's APIs take POST, and GET for a few calls\n");
            Some(reply::page(StatusCode::METHOD_NOT_ALLOWED, "text/plain", text))
        }
    }
}

/// Answers an API call.
async fn answer(cloud: &Arc<Cloud>, access_key: Option<&str>, parts: &Parts, body: &[u8]) -> io::Result<Reply> {
    let route = route(parts, body).and_then(|route| admitted(route, access_key, &parts.method));
    let (cloud, route) = match route.and_then(|route| Ok((in_region(cloud, &route, &parts.method)?, route))) {
        Ok(found) => found,
        Err(Unroutable { protocol, service, error }) => {
            let id = refused(cloud, service, "", &error);
            return Ok(reply::unroutable(protocol, &error, &id));
        }
    };
    let (service, model) = (route.service, Model::of(route.service));
    let fail = |error: &ApiError, id: &str| Ok(reply::failure(route.protocol, &model.metadata, error, id));
    let (operation, input) = match decode(model, &route, body) {
        Ok(decoded) => decoded,
        Err(error) => return fail(&error, &refused(&cloud, Some(service), &route.operation, &error)),
    };
    let Performed { sequence, answer } = perform(&cloud, service, &route.operation, input).await;
    let id = request_id(sequence);
    let lost = || io::Error::new(io::ErrorKind::ConnectionReset, "a scripted fault broke the connection");
    let output = answer.ok_or_else(lost)?.and_then(|output| fitting(&route, model, operation, output));
    match output {
        Ok(output) => {
            let name = &route.operation;
            Ok(reply::success(&Success { protocol: route.protocol, model, name, operation, output: &output }, &id))
        }
        Err(error) => fail(&error, &id),
    }
}

/// Refuses what the caller may not do: anything without the access key that is wanted, and changes by GET.
fn admitted(route: Route, access_key: Option<&str>, method: &Method) -> Result<Route, Unroutable> {
    let refuse = |code, status, text: &str| {
        let error = ApiError::with_status(code, status, text);
        Err(Unroutable { protocol: route.protocol, service: Some(route.service), error })
    };
    let is_subscribers = is_subscribers(&route);
    let shown = route.access_key.as_deref().unwrap_or_default();
    let is_right = |wanted: &str| verify_slices_are_equal(shown.as_bytes(), wanted.as_bytes()).is_ok();
    let has_key = access_key.is_none_or(is_right);
    if !has_key && !is_subscribers {
        return refuse("InvalidClientTokenId", 403, "The access key is not the one that this cloud was started with.");
    }
    // A page in a browser can have a GET sent by anybody who looks at it.
    if method == Method::GET && is_mutating(&route.operation) && !is_subscribers {
        return refuse("MethodNotAllowed", 405, "What changes something is sent with POST.");
    }
    Ok(route)
}

/// The cloud as seen from the region that the request is for. What a subscriber does without an account begins none, and a GET
/// changes nothing.
fn in_region(cloud: &Arc<Cloud>, route: &Route, method: &Method) -> Result<Arc<Cloud>, Unroutable> {
    let Some(region) = &route.region else { return Ok(Arc::clone(cloud)) };
    let seen = match cloud.has_region(region) {
        false if is_subscribers(route) => return Ok(Arc::clone(cloud)),
        false if method == Method::GET => {
            Err(ApiError::with_status("MethodNotAllowed", 405, "The first call to a region is sent with POST."))
        }
        _ => cloud.in_region(region),
    };
    seen.map_err(|error| Unroutable { protocol: route.protocol, service: Some(route.service), error })
}

/// What a subscriber does without an account, by a link in a message (AWS: SNS API reference, ConfirmSubscription, Unsubscribe).
fn is_subscribers(route: &Route) -> bool {
    route.service == Service::Sns && matches!(route.operation.as_str(), "ConfirmSubscription" | "Unsubscribe")
}

/// Reads and checks the input of a call.
fn decode<'m>(model: &'m Model, route: &Route, body: &[u8]) -> Result<(&'m Operation, Value), ApiError> {
    let Route { service, protocol, operation: name, fields, region: _, access_key: _ } = route;
    let protocol = *protocol;
    let known = model.operations.get(name).ok_or_else(|| errors::unknown_operation(protocol, *service, name));
    let operation = known?;
    let Some(shape) = &operation.input else {
        return Err(ApiError::not_implemented(format!("{service} {name}")));
    };
    let read = match protocol {
        Protocol::Query => form::read(model, shape, fields),
        Protocol::Json => conform(model, shape, json(body)?),
        Protocol::Cbor => conform(model, shape, cbor::read(body).map_err(unreadable)?),
    };
    let input = read.map_err(|misfit| errors::misfit(protocol, *service, name, &misfit))?;
    let violations = validate::violations(model, shape, &input);
    if violations.is_empty() { Ok((operation, input)) } else { Err(errors::invalid(*service, name, &violations)) }
}

fn json(body: &[u8]) -> Result<Value, ApiError> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(unreadable)
}

fn unreadable(error: impl std::fmt::Display) -> ApiError {
    ApiError::new("SerializationException", error.to_string())
}

/// The output as the model has it; anything else is a mistake of the handler and said as such.
fn fitting(route: &Route, model: &Model, operation: &Operation, output: Value) -> Result<Value, ApiError> {
    match &operation.output {
        Some(shape) => conform(model, shape, output)
            .map_err(|misfit| errors::unfit_answer(route.service, &route.operation, &misfit)),
        None => Ok(Value::Null),
    }
}

/// Enters a call that did not get as far as the cloud in the journal.
fn refused(cloud: &Cloud, service: Option<Service>, operation: &str, error: &ApiError) -> String {
    let sequence = cloud.journal.record(Entry {
        sequence: 0,
        at: cloud.now(),
        service,
        operation: operation.to_owned(),
        mutating: is_mutating(operation),
        input: Value::Null,
        outcome: Outcome::Error(error.code.clone()),
    });
    request_id(sequence)
}

/// The call's place in the journal, in the form of AWS's request IDs.
fn request_id(sequence: u64) -> String {
    uuid::Uuid::from_u128(u128::from(sequence)).to_string()
}
