//! What every API handler gets and returns besides its input and output.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::clock::CloudTime;

/// A service of AWS, named by its SigV4 scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Elastic Container Service (`ecs`).
    Ecs,
    /// Elastic Load Balancing v2 (`elasticloadbalancing`).
    Elb,
    /// CloudWatch Logs (`logs`).
    Logs,
    /// Simple Notification Service (`sns`).
    Sns,
    /// Systems Manager, of which only parameters (`ssm`).
    Ssm,
    /// Elastic Container Registry (`ecr`).
    Ecr,
    /// Security Token Service (`sts`).
    Sts,
    /// Resource Groups Tagging (`tagging`).
    Tagging,
}

/// The circumstances of one API call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Cloud time of the call.
    pub now: CloudTime,
}

/// An API error as AWS answers it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The code on the wire, such as `ServiceNotFoundException`.
    pub code: String,
    /// What a person reads.
    pub message: String,
    /// HTTP status.
    pub status: u16,
}

impl ApiError {
    /// A client error with HTTP status 400, which most are.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), status: 400 }
    }

    /// A client error with another status.
    pub fn with_status(code: &str, status: u16, message: impl Into<String>) -> Self {
        Self { status, ..Self::new(code, message) }
    }

    /// The local cloud cannot do this; said loudly, never answered with an empty success.
    pub fn not_implemented(what: impl std::fmt::Display) -> Self {
        Self::with_status("NotImplemented", 501, format!("the local cloud does not implement {what}"))
    }
}

/// What a handler returns.
pub type Answer = Result<Value, ApiError>;

/// Reads a handler's input into its type. An unsupported parameter is an error that names it, so the types behind `T` say
/// `deny_unknown_fields`.
pub fn input<T: DeserializeOwned>(service: &str, operation: &str, input: Value) -> Result<T, ApiError> {
    serde_json::from_value(input)
        .map_err(|error| ApiError::not_implemented(format!("{service} {operation} with {error}")))
}
