//! What stands in front of the service: load balancer, listener, target group.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The Application Load Balancer in front of the service, with one listener and one target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoadBalancer {
    /// 1–32 letters, digits and `-`; no `-` at the ends, not starting `internal-`. Default: the app's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Default `internet-facing`.
    #[serde(default)]
    pub scheme: Scheme,
    /// At least two subnets, in different availability zones.
    pub subnets: Vec<String>,
    /// Security group IDs; absent = left as AWS chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<Vec<String>>,
    /// Seconds an idle connection is kept: 1–4000. Default 60.
    #[serde(default = "default_idle_timeout")]
    pub idle_timeout_seconds: u32,
    /// Where clients connect.
    pub listener: Listener,
    /// Where requests go.
    #[serde(default)]
    pub target_group: TargetGroup,
    /// The container and port that take the requests.
    pub container: ContainerPort,
    /// Seconds after a task's start in which failing health checks are ignored. Default 0.
    #[serde(default)]
    pub health_check_grace_period_seconds: u32,
}

fn default_idle_timeout() -> u32 {
    60
}

/// Whether a load balancer has public addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Public addresses.
    #[default]
    InternetFacing,
    /// Private addresses only.
    Internal,
}

/// Where clients connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listener {
    /// 1–65535.
    pub port: u32,
    /// Default `HTTP`.
    #[serde(default)]
    pub protocol: ListenerProtocol,
    /// ARN of the certificate; required with HTTPS, refused with HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_arn: Option<String>,
}

/// Protocol of a listener.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ListenerProtocol {
    /// Plain HTTP.
    #[default]
    Http,
    /// HTTP over TLS.
    Https,
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TargetGroup {
    /// 1–32 letters, digits and `-`; no `-` at the ends. Default: the app's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Port that targets get when none is given for them; ECS always gives one. AWS cannot change it. Default 80.
    pub port: u32,
    /// How the load balancer tells healthy targets.
    pub health_check: HealthCheck,
    /// Seconds a target keeps its open requests after deregistration: 0–3600. Default 300, AWS's own.
    pub deregistration_delay_seconds: u32,
    /// How requests are spread.
    pub algorithm: Algorithm,
}

impl Default for TargetGroup {
    fn default() -> Self {
        Self {
            name: None,
            port: 80,
            health_check: HealthCheck::default(),
            deregistration_delay_seconds: 300,
            algorithm: Algorithm::default(),
        }
    }
}

/// How a target group spreads requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Each target in turn.
    #[default]
    RoundRobin,
    /// The target with the fewest open requests.
    LeastOutstandingRequests,
}

/// Health check of a target group (AWS: ELBv2 CreateTargetGroup; the defaults are AWS's).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HealthCheck {
    /// 1–1024 characters. Default `/`.
    pub path: String,
    /// `traffic-port` or a port number. Default `traffic-port`.
    pub port: String,
    /// 5–300. Default 30.
    pub interval_seconds: u32,
    /// 2–120, less than the interval. Default 5.
    pub timeout_seconds: u32,
    /// 2–10. Default 5.
    pub healthy_threshold: u32,
    /// 2–10. Default 2.
    pub unhealthy_threshold: u32,
    /// Codes or ranges between 200 and 499, such as `200` or `200-299,301`. Default `200`.
    pub matcher: String,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            path: "/".into(),
            port: "traffic-port".into(),
            interval_seconds: 30,
            timeout_seconds: 5,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: "200".into(),
        }
    }
}

/// A container of the task and one of its ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerPort {
    /// Name of a container of the task definition.
    pub name: String,
    /// One of its container ports.
    pub port: u32,
}
