//! Answers as bytes: the envelopes of the two protocols.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};

use super::model::{Metadata, Model, Operation, Protocol};
use super::xml;
use crate::call::ApiError;

const XML: &str = "text/xml";

/// A response with its whole body.
pub type Reply = Response<Full<Bytes>>;

/// What was answered, ready to be written.
pub struct Success<'a> {
    /// The service's model.
    pub model: &'a Model,
    /// The operation's name.
    pub name: &'a str,
    /// The operation.
    pub operation: &'a Operation,
    /// The output, which fits the model.
    pub output: &'a Value,
}

/// Writes a success.
pub fn success(success: &Success<'_>, request_id: &str) -> Reply {
    match (success.model.metadata.protocol, &success.operation.output) {
        (Protocol::Json, output) => {
            let body = output.as_ref().map(|_| success.output.to_string()).unwrap_or_default();
            reply(content_type(&success.model.metadata), 200, request_id, body)
        }
        (Protocol::Query, output) => {
            let result = match (output, &success.operation.result_wrapper) {
                (Some(shape), Some(wrapper)) => {
                    format!("<{wrapper}>{}</{wrapper}>", xml::content(success.model, shape, success.output))
                }
                _ => String::new(),
            };
            let (name, namespace) = (success.name, &success.model.metadata.xml_namespace);
            let body = format!(
                "<{name}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{request_id}</RequestId>\
                 </ResponseMetadata></{name}Response>"
            );
            reply(XML, 200, request_id, body)
        }
    }
}

/// Writes an error in the protocol of the service with this metadata.
pub fn failure(metadata: &Metadata, error: &ApiError, request_id: &str) -> Reply {
    match metadata.protocol {
        Protocol::Json => json_failure(content_type(metadata), error, request_id),
        Protocol::Query => xml_failure(&metadata.xml_namespace, error, request_id),
    }
}

/// Writes an error of no known service in the protocol that the client speaks.
pub fn unroutable(protocol: Protocol, error: &ApiError, request_id: &str) -> Reply {
    match protocol {
        Protocol::Json => json_failure("application/x-amz-json-1.1", error, request_id),
        Protocol::Query => xml_failure("", error, request_id),
    }
}

fn json_failure(content_type: &str, error: &ApiError, request_id: &str) -> Reply {
    let body = json!({"__type": error.code, "message": error.message}).to_string();
    reply(content_type, error.status, request_id, body)
}

fn xml_failure(namespace: &str, error: &ApiError, request_id: &str) -> Reply {
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    let (code, message) = (xml::text(&error.code), xml::text(&error.message));
    let body = format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>"
    );
    reply(XML, error.status, request_id, body)
}

/// Something that is not an answer to an API call.
pub fn page(status: StatusCode, content_type: &str, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain");
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap_or(plain));
    reply
}

fn reply(content_type: &str, status: u16, request_id: &str, body: String) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = page(status, content_type, Bytes::from(body));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        reply.headers_mut().insert("x-amzn-requestid", id);
    }
    reply
}

fn content_type(metadata: &Metadata) -> &'static str {
    match (metadata.protocol, metadata.json_version.as_str()) {
        (Protocol::Query, _) => XML,
        (Protocol::Json, "1.0") => "application/x-amz-json-1.0",
        (Protocol::Json, _) => "application/x-amz-json-1.1",
    }
}
