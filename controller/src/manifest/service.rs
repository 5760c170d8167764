//! How the service runs its tasks: network, replacement.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Subnets and security groups of tasks with network mode `awsvpc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkConfiguration {
    /// 1–16 subnet IDs.
    pub subnets: Vec<String>,
    /// 0–5 security group IDs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
    /// Whether tasks get a public address. Default `DISABLED`.
    #[serde(default)]
    pub assign_public_ip: AssignPublicIp,
}

/// Whether a task gets a public address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AssignPublicIp {
    /// Yes.
    Enabled,
    /// No.
    #[default]
    Disabled,
}

/// How ECS replaces tasks (AWS: ECS DeploymentConfiguration).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Deployment {
    /// Lower bound of healthy tasks, in percent of the desired count: 0–100. Default 100.
    pub minimum_healthy_percent: u32,
    /// Upper bound of running and pending tasks, in percent of the desired count: 100 or more. Default 200.
    pub maximum_percent: u32,
    /// Whether ECS gives up on a deployment whose tasks keep failing.
    pub circuit_breaker: CircuitBreaker,
}

impl Default for Deployment {
    fn default() -> Self {
        Self { minimum_healthy_percent: 100, maximum_percent: 200, circuit_breaker: CircuitBreaker::default() }
    }
}

/// Whether ECS gives up on a deployment whose tasks keep failing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CircuitBreaker {
    /// Default false.
    #[serde(default)]
    pub enable: bool,
    /// Whether ECS goes back to the last completed deployment. Default false.
    #[serde(default)]
    pub rollback: bool,
}
