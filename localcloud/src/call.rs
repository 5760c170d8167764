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
    /// Simple Queue Service (`sqs`), of which only what dead letters need. awsJson1.0, target `AmazonSQS`.
    Sqs,
    /// Systems Manager, of which only parameters (`ssm`).
    Ssm,
    /// Elastic Container Registry (`ecr`).
    Ecr,
    /// Security Token Service (`sts`).
    Sts,
    /// Resource Groups Tagging (`tagging`).
    Tagging,
    /// CloudWatch's metrics and alarms (`monitoring`), in each of its three protocols.
    CloudWatch,
    /// Application Auto Scaling (`application-autoscaling`). awsJson1.1, target `AnyScaleFrontendService`.
    ApplicationAutoScaling,
}

impl Service {
    /// Every service there is.
    pub const ALL: [Self; 11] = [
        Self::Ecs,
        Self::Elb,
        Self::Logs,
        Self::Sns,
        Self::Ssm,
        Self::Ecr,
        Self::Sts,
        Self::Tagging,
        Self::Sqs,
        Self::CloudWatch,
        Self::ApplicationAutoScaling,
    ];

    /// Its name in a SigV4 credential scope.
    pub const fn scope(self) -> &'static str {
        match self {
            Self::Ecs => "ecs",
            Self::Elb => "elasticloadbalancing",
            Self::Logs => "logs",
            Self::Sns => "sns",
            Self::Ssm => "ssm",
            Self::Ecr => "ecr",
            Self::Sts => "sts",
            Self::Tagging => "tagging",
            Self::Sqs => "sqs",
            Self::CloudWatch => "monitoring",
            Self::ApplicationAutoScaling => "application-autoscaling",
        }
    }
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.scope())
    }
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

    /// The local cloud cannot do this; said loudly, never answered with an empty success. The code is `NotImplemented` and the
    /// status 501, which no SDK retries.
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
