//! What is scaled: the desired count of an ECS service, as requests name it.

use serde_json::{Map, Value, json};

use super::errors::invalid;
use crate::call::ApiError;
use crate::ecs::ServiceKey;

/// The only service namespace here.
pub const NAMESPACE: &str = "ecs";

/// The only scalable dimension of that namespace.
pub const DIMENSION: &str = "ecs:service:DesiredCount";

/// The service that a request names by namespace, `service/<cluster>/<service>` and dimension.
///
/// # Errors
/// `NotImplemented` for what is not ECS, `ValidationException` for what AWS refuses.
pub fn key(namespace: &str, resource_id: &str, dimension: &str) -> Result<ServiceKey, ApiError> {
    check_namespace(namespace)?;
    if dimension != DIMENSION {
        return Err(invalid(format!(
            "Unsupported service namespace, resource type or scalable dimension: {namespace}, {dimension}. \
             The dimension of {NAMESPACE} is {DIMENSION}."
        )));
    }
    parse(resource_id)
}

/// The service that a filter names; `None`: it names none. A dimension alone is refused.
pub fn filter(
    namespace: &str,
    resource_id: Option<&str>,
    dimension: Option<&str>,
) -> Result<Option<ServiceKey>, ApiError> {
    check_namespace(namespace)?;
    match (resource_id, dimension) {
        (Some(resource_id), dimension) => key(namespace, resource_id, dimension.unwrap_or(DIMENSION)).map(Some),
        (None, Some(_)) => Err(invalid("A scalable dimension needs a resource ID beside it.")),
        (None, None) => Ok(None),
    }
}

/// Refuses every namespace but ECS's.
pub fn check_namespace(namespace: &str) -> Result<(), ApiError> {
    if namespace == NAMESPACE {
        return Ok(());
    }
    Err(ApiError::not_implemented(format!("application-autoscaling in the namespace {namespace}")))
}

/// Reads `service/<cluster>/<service>`.
pub fn parse(resource_id: &str) -> Result<ServiceKey, ApiError> {
    let parts: Vec<&str> = resource_id.split('/').collect();
    match parts[..] {
        ["service", cluster, name] if !cluster.is_empty() && !name.is_empty() => {
            Ok(ServiceKey { cluster: cluster.to_owned(), name: name.to_owned() })
        }
        _ => Err(invalid(format!(
            "Unsupported resource ID: {resource_id}. A service of ECS is service/<cluster name>/<service name>."
        ))),
    }
}

/// `service/<cluster>/<service>`.
pub fn id(key: &ServiceKey) -> String {
    format!("service/{}/{}", key.cluster, key.name)
}

/// The members of an answer that name what is scaled, with those of `more`.
pub fn shown(key: &ServiceKey, more: Value) -> Value {
    let mut members = Map::new();
    members.insert("ServiceNamespace".to_owned(), json!(NAMESPACE));
    members.insert("ResourceId".to_owned(), json!(id(key)));
    members.insert("ScalableDimension".to_owned(), json!(DIMENSION));
    if let Value::Object(more) = more {
        members.extend(more.into_iter().filter(|(_, value)| !value.is_null()));
    }
    Value::Object(members)
}
