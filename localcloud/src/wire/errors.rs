//! How each service words the errors that have nothing to do with one operation: throttling, validation, unknown operations.

use super::conform::Misfit;
use super::model::Protocol;
use super::validate::{Constraint, Violation};
use crate::call::{ApiError, Service};

/// Too many requests.
pub fn throttled(service: Service) -> ApiError {
    let (code, status) = match service {
        Service::Elb | Service::Sts | Service::CloudWatch => ("Throttling", 400),
        Service::Sns => ("Throttled", 429),
        Service::Sqs => ("RequestThrottled", 403),
        Service::Tagging => ("ThrottledException", 429),
        Service::Ecs | Service::Logs | Service::Ssm | Service::Ecr | Service::ApplicationAutoScaling => {
            ("ThrottlingException", 400)
        }
    };
    ApiError::with_status(code, status, "Rate exceeded")
}

/// An operation that AWS does not have.
pub fn unknown_operation(protocol: Protocol, service: Service, operation: &str) -> ApiError {
    let message = format!("Could not find operation {operation} of {service}");
    match protocol {
        Protocol::Cbor | Protocol::Json => ApiError::new("UnknownOperationException", message),
        Protocol::Query => ApiError::new("InvalidAction", message),
    }
}

/// An input whose types are wrong, or with a parameter that the model lacks. AWS ignores such a parameter; here it is an error,
/// so that a typing mistake or a newer client shows.
pub fn misfit(protocol: Protocol, service: Service, operation: &str, misfit: &Misfit) -> ApiError {
    match (misfit, protocol) {
        (Misfit::Unknown(path), _) => ApiError::not_implemented(format!(
            "{service} {operation} with the parameter {path}, which its model of the service does not have"
        )),
        (Misfit::Type { .. }, Protocol::Cbor | Protocol::Json) => {
            ApiError::new("SerializationException", misfit.to_string())
        }
        (Misfit::Type { .. }, Protocol::Query) => ApiError::new("MalformedInput", misfit.to_string()),
    }
}

/// An answer of this cloud that a client could not read: a mistake in this program.
pub fn unfit_answer(service: Service, operation: &str, misfit: &Misfit) -> ApiError {
    let message = format!("the local cloud answers {service} {operation} wrongly: {misfit}");
    ApiError::with_status("InternalFailure", 500, message)
}

/// An input that breaks constraints of the model; `violations` is not empty. Codes are the services' own, texts are theirs
/// where known (`Scheduling strategy should be one of [REPLICA,DAEMON]`) and otherwise those that most services share.
pub fn invalid(service: Service, operation: &str, violations: &[Violation]) -> ApiError {
    let code = match service {
        Service::Ecs if operation == "RegisterTaskDefinition" => "ClientException",
        Service::Ecs | Service::Logs | Service::Ecr | Service::Tagging => "InvalidParameterException",
        Service::CloudWatch if violations.iter().all(|violation| violation.constraint == Constraint::Required) => {
            "MissingParameter"
        }
        Service::Elb | Service::Sts | Service::CloudWatch => "ValidationError",
        Service::Sns => "InvalidParameter",
        Service::Sqs => "InvalidParameterValue",
        Service::Ssm | Service::ApplicationAutoScaling => "ValidationException",
    };
    let message = match (service, violations) {
        (Service::Ecs, [Violation { path, constraint: Constraint::OneOf(values), .. }, ..]) => {
            format!("{} should be one of [{}]", words(&path.to_string()), values.join(","))
        }
        (Service::CloudWatch, [Violation { path, constraint: Constraint::Required, .. }, ..]) => {
            format!("The parameter {path} is required.")
        }
        (Service::Sns, [violation, ..]) => {
            format!("Invalid parameter: {} Reason: {}", violation.path, asked(&violation.constraint))
        }
        _ => shared_text(violations),
    };
    ApiError::new(code, message)
}

fn shared_text(violations: &[Violation]) -> String {
    let each: Vec<String> = violations.iter().map(one_text).collect();
    let plural = if violations.len() == 1 { "" } else { "s" };
    format!("{} validation error{plural} detected: {}", violations.len(), each.join("; "))
}

fn one_text(violation: &Violation) -> String {
    let found = match (&violation.found, &violation.constraint) {
        (_, Constraint::Required) => "Value null".to_owned(),
        (Some(serde_json::Value::String(text)), _) => format!("Value '{text}'"),
        (Some(value), _) => format!("Value '{value}'"),
        (None, _) => "Value".to_owned(),
    };
    let path = violation.path.to_string();
    let path: Vec<String> = path.split('.').map(uncapitalized).collect();
    format!("{found} at '{}' failed to satisfy constraint: {}", path.join("."), asked(&violation.constraint))
}

fn asked(constraint: &Constraint) -> String {
    match constraint {
        Constraint::Required => "Member must not be null".to_owned(),
        Constraint::OneOf(values) => format!("Member must satisfy enum value set: [{}]", values.join(", ")),
        Constraint::Min(least) => format!("Member must have a value or length greater than or equal to {least}"),
        Constraint::Max(most) => format!("Member must have a value or length less than or equal to {most}"),
        Constraint::Pattern(pattern) => format!("Member must satisfy regular expression pattern: {pattern}"),
    }
}

/// `schedulingStrategy` as `Scheduling strategy`, the way ECS speaks of its parameters.
fn words(path: &str) -> String {
    let name = path.rsplit('.').next().unwrap_or(path);
    let mut words = String::new();
    for (index, letter) in name.chars().enumerate() {
        match (index, letter.is_ascii_uppercase()) {
            (0, _) => words.push(letter.to_ascii_uppercase()),
            (_, true) => words.extend([' ', letter.to_ascii_lowercase()]),
            (_, false) => words.push(letter),
        }
    }
    words
}

fn uncapitalized(segment: &str) -> String {
    let mut letters = segment.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::model::Model;
    use crate::wire::validate::violations;

    fn text(service: Service, operation: &str, input: &serde_json::Value) -> String {
        let model = Model::of(service);
        let shape = model.operations[operation].input.as_deref().unwrap();
        invalid(service, operation, &violations(model, shape, input)).to_string()
    }

    #[test]
    fn each_service_in_its_own_words() {
        let cases = [
            (
                Service::Ecs,
                "CreateService",
                json!({"serviceName": "s", "schedulingStrategy": "SOME"}),
                "InvalidParameterException: Scheduling strategy should be one of [REPLICA,DAEMON]",
            ),
            (
                Service::Elb,
                "DescribeTags",
                json!({}),
                "ValidationError: 1 validation error detected: Value null at 'resourceArns' failed to satisfy constraint: \
                    Member must not be null",
            ),
            (
                Service::Sns,
                "Subscribe",
                json!({"Protocol": "http"}),
                "InvalidParameter: Invalid parameter: TopicArn Reason: Member must not be null",
            ),
            (
                Service::Logs,
                "DescribeLogGroups",
                json!({"limit": 51}),
                "InvalidParameterException: 1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: \
                    Member must have a value or length less than or equal to 50",
            ),
        ];
        for (service, operation, input, wanted) in cases {
            assert_eq!(text(service, operation, &input), wanted);
        }
    }
}
