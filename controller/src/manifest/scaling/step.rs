//! Policies with steps, each with the alarm that sets it off.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::default_cooldown;

/// Adds or removes tasks by how far an alarm's threshold is passed (AWS: StepScalingPolicyConfiguration).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepScaling {
    /// Name of the policy among all policies of this app, 1–244 characters; in AWS it is `interstella.<name>`.
    pub name: String,
    /// What an adjustment means.
    pub adjustment_type: AdjustmentType,
    /// 1–20 steps that leave no gap and do not overlap.
    pub steps: Vec<StepAdjustment>,
    /// Seconds after an adjustment in which only a larger one counts. Default 300, AWS's own.
    #[serde(default = "default_cooldown")]
    pub cooldown: u32,
    /// Fewest tasks that a change in percent adds or removes; only with `PercentChangeInCapacity`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_adjustment_magnitude: Option<u32>,
    /// How the alarm's values become the one that picks the step. Default `Average`.
    #[serde(default)]
    pub metric_aggregation_type: Aggregation,
    /// The alarm that sets the policy off.
    pub alarm: StepAlarm,
}

/// What an adjustment means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AdjustmentType {
    /// So many tasks more, or fewer.
    ChangeInCapacity,
    /// So many percent more, or fewer.
    PercentChangeInCapacity,
    /// Exactly so many tasks.
    ExactCapacity,
}

/// One step: an interval of metric values, counted from the alarm's threshold, and what to do in it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepAdjustment {
    /// Lower end, counted from the threshold; absent = no lower end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_interval_lower_bound: Option<f64>,
    /// Upper end, counted from the threshold; absent = no upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_interval_upper_bound: Option<f64>,
    /// Tasks or percent, negative to scale in; with `ExactCapacity` the count itself.
    pub scaling_adjustment: i32,
}

/// How several values become one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Aggregation {
    /// Their average.
    #[default]
    Average,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
}

/// The alarm that sets off a step policy (CloudWatch PutMetricAlarm), in AWS `interstella.<cluster>.<app>.<policy>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepAlarm {
    /// Namespace, such as `AWS/ECS`.
    pub namespace: String,
    /// Name, such as `CPUUtilization`.
    pub metric_name: String,
    /// Dimensions by name, `{}` for none. Absent = the app's own; only in `AWS/ECS` and `AWS/ApplicationELB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<BTreeMap<String, String>>,
    /// `Average`, `Minimum`, `Maximum`, `SampleCount`, `Sum`, or a percentile such as `p99`.
    pub statistic: String,
    /// Seconds: 10, 20, 30 or a multiple of 60; AWS's own metrics have a value a minute. Default 60.
    #[serde(default = "default_period")]
    pub period: u32,
    /// Periods that are looked at.
    pub evaluation_periods: u32,
    /// How many of them have to breach; absent = all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datapoints_to_alarm: Option<u32>,
    /// The value that is compared with.
    pub threshold: f64,
    /// How.
    pub comparison_operator: ComparisonOperator,
    /// What a period without data counts as. Default `missing`, AWS's own.
    #[serde(default)]
    pub treat_missing_data: TreatMissingData,
    /// Unit of the metric; absent = any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// How an alarm compares a value with its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ComparisonOperator {
    /// At or above it.
    GreaterThanOrEqualToThreshold,
    /// Above it.
    GreaterThanThreshold,
    /// Below it.
    LessThanThreshold,
    /// At or below it.
    LessThanOrEqualToThreshold,
}

/// What a period without data counts as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum TreatMissingData {
    /// As nothing: too much of it makes the state INSUFFICIENT_DATA.
    #[default]
    Missing,
    /// The state stays.
    Ignore,
    /// As a breach.
    Breaching,
    /// As none.
    NotBreaching,
}

const fn default_period() -> u32 {
    60
}
