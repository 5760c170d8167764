//! The errors of ECS, with the codes and words of AWS. All of them are answered with HTTP status 400.

use crate::call::ApiError;

/// Code of most refusals.
pub const INVALID_PARAMETER: &str = "InvalidParameterException";

/// `InvalidParameterException`.
pub fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new(INVALID_PARAMETER, message)
}

/// `ClientException`, the code for task definitions.
pub fn client(message: impl Into<String>) -> ApiError {
    ApiError::new("ClientException", message)
}

/// The cluster does not exist or is INACTIVE.
pub fn cluster_not_found() -> ApiError {
    ApiError::new("ClusterNotFoundException", "Cluster not found.")
}

/// The service does not exist. AWS sends this one without a message.
pub fn service_not_found() -> ApiError {
    ApiError::new("ServiceNotFoundException", "")
}

/// The service is not ACTIVE.
pub fn service_not_active() -> ApiError {
    ApiError::new("ServiceNotActiveException", "Service was not ACTIVE.")
}

/// A list is longer than the call takes.
pub fn too_many(what: &str, limit: usize) -> ApiError {
    invalid(format!("{what} cannot have more than {limit} elements"))
}
