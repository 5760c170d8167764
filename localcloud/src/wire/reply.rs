//! Answers as bytes: the envelopes of the three protocols.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};

use super::model::{Metadata, Model, Operation, Protocol};
use super::{cbor, xml};
use crate::call::ApiError;

const XML: &str = "text/xml";
const CBOR: &str = "application/cbor";

/// A response with its whole body.
pub type Reply = Response<Full<Bytes>>;

/// What was answered, ready to be written.
pub struct Success<'a> {
    /// The protocol of the request.
    pub protocol: Protocol,
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
    match (success.protocol, &success.operation.output) {
        (Protocol::Cbor, Some(shape)) => cbor_reply(200, request_id, cbor::write(success.model, shape, success.output)),
        (Protocol::Cbor, None) => {
            let mut reply = cbor_reply(200, request_id, Vec::new());
            reply.headers_mut().remove(header::CONTENT_TYPE);
            reply
        }
        (Protocol::Json, output) => {
            let body = output.as_ref().map(|_| success.output.to_string()).unwrap_or_default();
            reply(json_type(&success.model.metadata), 200, request_id, body)
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

/// Writes an error of the service with this metadata.
pub fn failure(protocol: Protocol, metadata: &Metadata, error: &ApiError, request_id: &str) -> Reply {
    let shape = metadata.error_shapes.get(&error.code).map_or(error.code.as_str(), String::as_str);
    let mut reply = match protocol {
        Protocol::Cbor => cbor_failure(shape, error, request_id),
        Protocol::Json => json_failure(json_type(metadata), shape, error, request_id),
        Protocol::Query => return xml_failure(&metadata.xml_namespace, error, request_id),
    };
    // A service that spoke awsQuery first keeps its codes in this header, and clients prefer it.
    let code = format!("{};{}", error.code, fault(error));
    if let Ok(code) = HeaderValue::from_str(&code).as_ref()
        && metadata.protocols.contains(&Protocol::Query)
    {
        reply.headers_mut().insert("x-amzn-query-error", code.clone());
    }
    reply
}

/// Writes an error of no known service in the protocol that the client speaks.
pub fn unroutable(protocol: Protocol, error: &ApiError, request_id: &str) -> Reply {
    match protocol {
        Protocol::Cbor => cbor_failure(&error.code, error, request_id),
        Protocol::Json => json_failure("application/x-amz-json-1.1", &error.code, error, request_id),
        Protocol::Query => xml_failure("", error, request_id),
    }
}

fn cbor_failure(shape: &str, error: &ApiError, request_id: &str) -> Reply {
    let shape = format!("com.amazonaws.cloudwatch#{shape}");
    cbor_reply(error.status, request_id, cbor::write_texts(&[("__type", &shape), ("message", &error.message)]))
}

/// Clients know the protocol by this header and refuse an answer without it.
fn cbor_reply(status: u16, request_id: &str, body: Vec<u8>) -> Reply {
    let mut reply = reply(CBOR, status, request_id, body);
    reply.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    reply
}

fn json_failure(content_type: &str, shape: &str, error: &ApiError, request_id: &str) -> Reply {
    let body = json!({"__type": shape, "message": error.message}).to_string();
    reply(content_type, error.status, request_id, body)
}

fn xml_failure(namespace: &str, error: &ApiError, request_id: &str) -> Reply {
    let kind = fault(error);
    let (code, message) = (xml::text(&error.code), xml::text(&error.message));
    let body = format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>"
    );
    reply(XML, error.status, request_id, body)
}

/// Whose fault an error is, in awsQuery's words.
fn fault(error: &ApiError) -> &'static str {
    if error.status < 500 { "Sender" } else { "Receiver" }
}

/// Something that is not an answer to an API call.
pub fn page(status: StatusCode, content_type: &str, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain");
    reply.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap_or(plain));
    reply
}

fn reply(content_type: &str, status: u16, request_id: &str, body: impl Into<Bytes>) -> Reply {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = page(status, content_type, body.into());
    if let Ok(id) = HeaderValue::from_str(request_id) {
        reply.headers_mut().insert("x-amzn-requestid", id);
    }
    reply
}

fn json_type(metadata: &Metadata) -> &'static str {
    if metadata.json_version == "1.0" { "application/x-amz-json-1.0" } else { "application/x-amz-json-1.1" }
}
