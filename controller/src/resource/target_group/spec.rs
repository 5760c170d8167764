//! Normal form of a target group, from the manifest and from AWS's answer. Absent and AWS's default are the same on both sides.

use aws_sdk_elasticloadbalancingv2::types::{TargetGroup, TargetTypeEnum};
use serde::Serialize;

use super::Found;
use crate::app::Tags;
use crate::manifest::{self, HealthCheck, NetworkMode};
use crate::resource::given::Given;

/// Normal form of a target group. Its protocol is HTTP; its VPC is the load balancer's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Port for targets without one of their own; AWS cannot change it.
    pub port: u32,
    /// `instance` or `ip`; AWS cannot change it.
    pub target_type: String,
    /// How healthy targets are told. The manifest names all of it, with AWS's own defaults.
    pub health_check: HealthCheck,
    /// The settings that AWS keeps as attributes.
    #[serde(flatten)]
    pub attributes: Attributes,
}

/// The settings that AWS keeps as attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attributes {
    /// Seconds a target keeps open requests after deregistration.
    pub deregistration_delay_seconds: u32,
    /// `round_robin` or `least_outstanding_requests`.
    pub algorithm: String,
}

/// Name and normal form of the manifest's target group.
#[must_use]
pub fn desired(app: &str, mode: NetworkMode, wanted: &manifest::TargetGroup) -> (String, Spec) {
    let target_type = match mode {
        NetworkMode::Bridge => "instance",
        NetworkMode::Awsvpc => "ip",
    };
    let algorithm = match wanted.algorithm {
        manifest::Algorithm::RoundRobin => "round_robin",
        manifest::Algorithm::LeastOutstandingRequests => "least_outstanding_requests",
    };
    let attributes = Attributes {
        deregistration_delay_seconds: wanted.deregistration_delay_seconds,
        algorithm: algorithm.to_owned(),
    };
    let health_check = wanted.health_check.clone();
    let spec = Spec { port: wanted.port, target_type: target_type.to_owned(), health_check, attributes };
    (wanted.name.clone().unwrap_or_else(|| app.to_owned()), spec)
}

/// Puts together what the reads brought.
#[must_use]
pub fn found(raw: &TargetGroup, tags: Tags, attributes: Attributes) -> Found {
    let number = |value: Option<i32>, default| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(default);
    let default = HealthCheck::default();
    let health_check = HealthCheck {
        path: raw.health_check_path.clone().given().unwrap_or(default.path),
        port: raw.health_check_port.clone().given().unwrap_or(default.port),
        interval_seconds: number(raw.health_check_interval_seconds, default.interval_seconds),
        timeout_seconds: number(raw.health_check_timeout_seconds, default.timeout_seconds),
        healthy_threshold: number(raw.healthy_threshold_count, default.healthy_threshold),
        unhealthy_threshold: number(raw.unhealthy_threshold_count, default.unhealthy_threshold),
        matcher: raw.matcher().and_then(|matcher| matcher.http_code()).given().map_or(default.matcher, str::to_owned),
    };
    let target_type = raw.target_type().given().map_or("instance", TargetTypeEnum::as_str).to_owned();
    Found {
        arn: raw.target_group_arn.clone().unwrap_or_default(),
        name: raw.target_group_name.clone().unwrap_or_default(),
        vpc_id: raw.vpc_id.clone().unwrap_or_default(),
        load_balancer_arns: raw.load_balancer_arns.clone().unwrap_or_default(),
        tags,
        spec: Spec { port: number(raw.port, 80), target_type, health_check, attributes },
    }
}
