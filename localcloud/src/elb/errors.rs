//! Errors as AWS words them, where its words are known.

use crate::call::ApiError;

/// An invalid parameter that the service's model does not rule out by itself. AWS answers these with a code outside its model.
pub(super) fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}

/// Settings that do not go together.
pub(super) fn invalid_configuration(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidConfigurationRequest", message)
}

/// No such load balancer.
pub(super) fn load_balancer_not_found() -> ApiError {
    ApiError::new("LoadBalancerNotFound", "One or more load balancers not found")
}

/// No such target group.
pub(super) fn target_group_not_found() -> ApiError {
    ApiError::new("TargetGroupNotFound", "One or more target groups not found")
}

/// No such listener.
pub(super) fn listener_not_found() -> ApiError {
    ApiError::new("ListenerNotFound", "One or more listeners not found")
}

/// No such rule.
pub(super) fn rule_not_found() -> ApiError {
    ApiError::new("RuleNotFound", "One or more rules not found")
}
