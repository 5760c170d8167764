//! Errors of AWS calls, classified once, here.
//!
//! The class decides when the next pass comes (`requeue`); the message is for a person. Nothing else looks at error codes,
//! except a resource that expects one particular answer.

use std::fmt;

use aws_smithy_runtime_api::client::result::{DispatchFailure, SdkError};
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde::Serialize;

/// What an error means for what we do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Class {
    /// The thing is not there.
    NotFound,
    /// AWS asks to come again: throttled, or a fault of its own. The call had no effect.
    Retryable,
    /// Another change has to end first; AWS is at it.
    InProgress,
    /// Somebody else's resource is in the way.
    Conflict,
    /// The credentials may not do this.
    Denied,
    /// A quota of the account is used up.
    Quota,
    /// It will fail again until a person changes something.
    Terminal,
    /// No answer: the call may or may not have had its effect.
    Unknown,
    /// This endpoint does not have the operation (an emulator).
    Unsupported,
}

/// What kind of failure it is when no call could be signed.
const NO_CREDENTIALS: &str = "no credentials";

/// A failed call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Error {
    /// The operation, such as `ecs:CreateService`.
    pub operation: &'static str,
    /// Code on the wire, or what kind of failure it was without one.
    pub code: String,
    /// What AWS said.
    pub message: String,
    /// What it means.
    pub class: Class,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed: {}", self.operation, self.code)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        match self.remedy() {
            "" => Ok(()),
            remedy => write!(f, " ({remedy})"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    /// An error that no AWS code stands for.
    #[must_use]
    pub fn terminal(operation: &'static str, code: &str, message: impl Into<String>) -> Self {
        Self { operation, code: code.to_owned(), message: message.into(), class: Class::Terminal }
    }

    /// A call that was not made, because what it was planned for is no longer so. The next pass plans anew.
    #[must_use]
    pub fn overtaken(operation: &'static str, message: &str) -> Self {
        let (code, message) = ("overtaken".to_owned(), format!("{message}; planning anew"));
        Self { operation, code, message, class: Class::InProgress }
    }

    /// Classifies what the SDK returned. To be used as `map_err(Error::of("ecs:CreateService"))`.
    pub fn of<E: ProvideErrorMetadata>(operation: &'static str) -> impl Fn(SdkError<E, Response>) -> Self {
        move |error| Self::classify(operation, &error)
    }

    fn classify<E: ProvideErrorMetadata>(operation: &'static str, error: &SdkError<E, Response>) -> Self {
        let failed = |code: &str, class, message: String| Self { operation, code: code.to_owned(), message, class };
        match error {
            SdkError::ServiceError(service) => {
                let code = service.err().code().unwrap_or_default();
                let message = service.err().message().unwrap_or_default();
                if code.is_empty() && is_page_of_an_emulator(service.raw()) {
                    return failed("not implemented here", Class::Unsupported, String::new());
                }
                let class = class_of(code, service.raw().status().as_u16(), message);
                let code = if code.is_empty() { "an answer without a code" } else { code };
                failed(code, class, message.to_owned())
            }
            SdkError::ConstructionFailure(_) => failed("the request could not be built", Class::Terminal, chain(error)),
            SdkError::TimeoutError(_) => failed("no answer in time", Class::Unknown, String::new()),
            SdkError::ResponseError(response) if is_page_of_an_emulator(response.raw()) => {
                failed("not implemented here", Class::Unsupported, String::new())
            }
            SdkError::ResponseError(_) => failed("an unreadable answer", Class::Unknown, chain(error)),
            SdkError::DispatchFailure(dispatch) if dispatch.is_user() => {
                failed("the request could not be sent", Class::Terminal, chain(error))
            }
            SdkError::DispatchFailure(dispatch) if dispatch.is_other() && !is_about_connection(dispatch) => {
                failed(NO_CREDENTIALS, Class::Denied, chain(error))
            }
            _ => failed("no connection", Class::Unknown, chain(error)),
        }
    }

    fn remedy(&self) -> &'static str {
        match self.class {
            Class::Denied if self.code == NO_CREDENTIALS => "",
            Class::Denied => "check the credentials and allow this action in IAM",
            Class::Quota => "raise the quota or remove what is not needed",
            Class::Unknown if !self.is_read() => "it may have taken effect all the same; the next read shows it",
            _ => "",
        }
    }

    /// Whether the call only looks, so that it has no effect to ask for.
    fn is_read(&self) -> bool {
        let (_, call) = self.operation.split_once(':').unwrap_or_default();
        ["Describe", "List", "Get", "Filter", "BatchGet"].iter().any(|verb| call.starts_with(verb))
    }
}

/// moto answers an operation that it lacks with the error page of its web server, which AWS does not use; ministack answers a
/// service that it lacks with a text that AWS does not have, and no code.
fn is_page_of_an_emulator(response: &Response) -> bool {
    let server = response.headers().get("server").unwrap_or_default();
    match response.status().as_u16() {
        400 => response.body().bytes().is_some_and(|body| body.starts_with(LACKS_SERVICE)),
        500 => server.starts_with("Werkzeug"),
        _ => false,
    }
}

/// How the answer of ministack begins.
const LACKS_SERVICE: &[u8] = br#"{"error": "Unsupported service"#;

/// The text of a failed connection and of all its causes, as the outermost one alone says little.
fn chain<E, R>(error: &SdkError<E, R>) -> String {
    let SdkError::DispatchFailure(failure) = error else { return String::new() };
    let mut texts = Vec::new();
    let mut next = failure.as_connector_error().map(|error| error as &(dyn std::error::Error + 'static));
    while let Some(error) = next {
        texts.push(error.to_string());
        next = error.source();
    }
    texts.join(": ")
}

/// Whether a call could not be sent for want of a connection, such as one to a proxy that refuses, rather than of credentials.
fn is_about_connection(failure: &DispatchFailure) -> bool {
    let mut next = failure.as_connector_error().map(|error| error as &(dyn std::error::Error + 'static));
    while let Some(error) = next {
        if error.is::<std::io::Error>() || error.is::<hyper_util::client::legacy::Error>() {
            return true;
        }
        next = error.source();
    }
    false
}

/// The class of an error answer, from its code, HTTP status and message (AWS: the services' API references, "Errors").
#[must_use]
pub fn class_of(code: &str, status: u16, message: &str) -> Class {
    if is_unsupported(code, status, message) {
        return Class::Unsupported;
    }
    if let Some(class) = by_message(message) {
        return class;
    }
    by_code(code).unwrap_or(match status {
        401 | 403 => Class::Denied,
        404 => Class::NotFound,
        429 | 502..=504 => Class::Retryable,
        500..=599 => Class::Unknown,
        _ => Class::Terminal,
    })
}

fn is_unsupported(code: &str, status: u16, message: &str) -> bool {
    matches!(code, "UnknownOperationException" | "InvalidAction" | "NotImplemented" | "UnknownOperation")
        || status == 501
        || message.contains("not been implemented")
        || message.contains("not yet implemented")
        || message.contains("not implemented")
}

/// ECS answers most things with two codes; only the text tells them apart.
fn by_message(message: &str) -> Option<Class> {
    const IN_PROGRESS: [&str; 7] = [
        "Creation of service was not idempotent",
        "Unable to Start a service that is still Draining",
        "does not have an associated load balancer",
        "being passed has the proper permissions",
        "Unable to assume the service linked role",
        // RegisterScalableTarget may not see a service yet that was just made (the text is not in AWS's reference).
        "ECS service doesn't exist",
        "Subscription already exists with different attributes",
    ];
    if IN_PROGRESS.iter().any(|text| message.contains(text)) {
        return Some(Class::InProgress);
    }
    message.contains("Unreachable Endpoint").then_some(Class::Retryable)
}

fn by_code(code: &str) -> Option<Class> {
    Some(match code {
        "ServiceNotFoundException"
        | "LoadBalancerNotFound"
        | "LoadBalancerNotFoundException"
        | "TargetGroupNotFound"
        | "TargetGroupNotFoundException"
        | "ListenerNotFound"
        | "ListenerNotFoundException"
        | "ResourceNotFoundException"
        | "ResourceNotFound"
        // Also right after RegisterScalableTarget, which takes a moment to be seen by all (AWS: PutScalingPolicy).
        | "ObjectNotFoundException"
        | "NotFound"
        | "NotFoundException" => Class::NotFound,
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "Throttled"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "PriorRequestNotComplete"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "HealthUnavailable"
        | "PaginationTokenExpiredException"
        | "InvalidNextToken"
        | "InvalidNextTokenException" => Class::Retryable,
        // Faults inside AWS may come after the effect.
        "ServerException" | "InternalError" | "InternalFailure" | "InternalServiceException" | "InternalServiceFault" | "InternalServiceError" | "RequestTimeout" => {
            Class::Unknown
        }
        "ResourceInUse"
        | "ResourceInUseException"
        | "OperationAbortedException"
        | "ConcurrentAccess"
        | "ConflictException"
        // A change of the same scalable target or alarm is pending.
        | "ConcurrentUpdateException"
        | "ConcurrentModificationException"
        | "ServiceNotActiveException"
        | "ResourceAlreadyExistsException"
        | "TargetGroupAssociationLimit"
        | "UpdateInProgressException" => Class::InProgress,
        "DuplicateTargetGroupName" | "DuplicateLoadBalancerName" | "DuplicateListener" => Class::Conflict,
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "UnauthorizedOperation"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "RequestExpired"
        | "InvalidSecurity"
        // The role of Application Auto Scaling may not read the alarms (AWS: FailedResourceAccessException).
        | "FailedResourceAccessException" => Class::Denied,
        "LimitExceededException"
        | "LimitExceeded"
        | "TooManyTagsException"
        | "TooManyTargetGroups"
        | "TooManyLoadBalancers"
        | "TooManyListeners"
        | "TooManyTargets"
        | "TooManyTags"
        | "TooManyUniqueTargetGroupsPerLoadBalancer"
        | "SubscriptionLimitExceeded" => Class::Quota,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_have_had_an_effect_is_said_to() {
        let shown = |operation, class| {
            Error { operation, code: "no connection".into(), message: String::new(), class }.to_string()
        };
        assert_eq!(shown("ecs:DescribeServices", Class::Unknown), "ecs:DescribeServices failed: no connection");
        assert!(shown("ecs:UpdateService", Class::Unknown).ends_with("all the same; the next read shows it)"));
        assert!(shown("ecs:UpdateService", Class::Denied).contains("IAM"));
    }

    #[test]
    fn classes_follow_the_catalogue() {
        let table = [
            ("ThrottlingException", 400, "Rate exceeded", Class::Retryable),
            ("Throttled", 429, "", Class::Retryable),
            ("ServerException", 500, "", Class::Unknown),
            ("", 500, "", Class::Unknown),
            ("", 503, "", Class::Retryable),
            ("ServiceNotFoundException", 400, "", Class::NotFound),
            ("TargetGroupNotFound", 400, "One or more target groups not found", Class::NotFound),
            ("ClusterNotFoundException", 400, "Cluster not found.", Class::Terminal),
            ("ResourceInUse", 400, "Target group is currently in use by a listener or a rule", Class::InProgress),
            ("InvalidParameterException", 400, "Creation of service was not idempotent.", Class::InProgress),
            (
                "InvalidParameterException",
                400,
                "The target group with targetGroupArn x does not have an associated load balancer.",
                Class::InProgress,
            ),
            ("InvalidParameterException", 400, "maximumPercent must be at least 100", Class::Terminal),
            ("InvalidParameter", 400, "Unreachable Endpoint", Class::Retryable),
            ("DuplicateTargetGroupName", 400, "", Class::Conflict),
            ("OperationNotPermitted", 400, "deletion protection is enabled", Class::Terminal),
            ("AccessDeniedException", 400, "", Class::Denied),
            ("AuthorizationError", 403, "", Class::Denied),
            ("TooManyLoadBalancers", 400, "", Class::Quota),
            ("LimitExceededException", 400, "", Class::Quota),
            ("ObjectNotFoundException", 400, "", Class::NotFound),
            ("ConcurrentUpdateException", 400, "already has a pending update", Class::InProgress),
            ("ValidationException", 400, "ECS service doesn't exist: service/c/a", Class::InProgress),
            ("LimitExceeded", 400, "", Class::Quota),
            ("UnknownOperationException", 400, "", Class::Unsupported),
            ("", 501, "", Class::Unsupported),
        ];
        for (code, status, message, class) in table {
            assert_eq!(class_of(code, status, message), class, "{code} {status} {message}");
        }
    }
}
