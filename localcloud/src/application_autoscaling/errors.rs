//! The errors of Application Auto Scaling, with its codes and, where known, its words. All of them are answered with HTTP status 400.

use super::resource::{DIMENSION, NAMESPACE, id};
use crate::call::ApiError;
use crate::ecs::ServiceKey;

/// `ValidationException`.
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationException", message)
}

/// `LimitExceededException`.
pub fn too_many(what: &str, limit: usize) -> ApiError {
    ApiError::new("LimitExceededException", format!("A scalable target can have at most {limit} {what}."))
}

/// `InvalidNextTokenException`.
pub fn invalid_token() -> ApiError {
    ApiError::new("InvalidNextTokenException", "The next token supplied was invalid.")
}

/// `ObjectNotFoundException`: there is no such scalable target.
pub fn target_missing(key: &ServiceKey) -> ApiError {
    missing("scalable target", key, "")
}

/// `ObjectNotFoundException`: there is no such policy or scheduled action; `what` says which kind.
pub fn part_missing(what: &str, key: &ServiceKey, name: &str) -> ApiError {
    let kind = what.rsplit(' ').next().unwrap_or(what);
    missing(what, key, &format!(", {kind} name {name}"))
}

fn missing(what: &str, key: &ServiceKey, rest: &str) -> ApiError {
    let resource = id(key);
    let message = format!(
        "No {what} found for service namespace: {NAMESPACE}, resource ID: {resource}, scalable dimension: {DIMENSION}{rest}"
    );
    ApiError::new("ObjectNotFoundException", message)
}

/// `ResourceNotFoundException`: the tag calls have this code for an ARN that names no scalable target.
pub fn arn_missing(arn: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", format!("The resource {arn} does not exist."))
}
