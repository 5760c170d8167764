//! The policy that scales out ahead of load that recurs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::default_cooldown;

/// Scales out ahead of load that recurs (AWS: PredictiveScalingPolicyConfiguration). It never scales in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Predictive {
    /// Name of the policy among all policies of this app, 1–244 characters; in AWS it is `interstella.<name>`.
    pub name: String,
    /// The load that is forecast and the metric that is kept.
    pub metric_pair: MetricPair,
    /// The value to keep: percent, or requests a minute for each task.
    pub target: f64,
    /// Whether forecasts are acted upon. Default `ForecastOnly`.
    #[serde(default)]
    pub mode: PredictiveMode,
    /// Seconds by which tasks are started ahead: 0–3600. Default 300, AWS's own.
    #[serde(default = "default_cooldown")]
    pub scheduling_buffer_time: u32,
    /// What happens when the forecast is above `maxCapacity`. Default `HonorMaxCapacity`.
    #[serde(default)]
    pub max_capacity_breach_behavior: MaxCapacityBreachBehavior,
    /// Percent above the forecast that the maximum may be raised to: 0–100; if and only if `IncreaseMaxCapacity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_capacity_buffer: Option<u32>,
}

/// A pair of load and scaling metric (AWS: PredefinedMetricPairType).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MetricPair {
    /// CPU of the service.
    ECSServiceCPUUtilization,
    /// Memory of the service.
    ECSServiceMemoryUtilization,
    /// Requests to the target group.
    ALBRequestCount,
}

/// Whether forecasts are acted upon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PredictiveMode {
    /// They are only made.
    #[default]
    ForecastOnly,
    /// They raise the count of tasks.
    ForecastAndScale,
}

/// What happens when a forecast is above the maximum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum MaxCapacityBreachBehavior {
    /// The maximum holds.
    #[default]
    HonorMaxCapacity,
    /// The maximum is raised.
    IncreaseMaxCapacity,
}
