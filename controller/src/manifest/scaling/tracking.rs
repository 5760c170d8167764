//! Policies that keep a metric near a target value, and how a metric is named.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::default_cooldown;

/// Keeps a metric near a target value (AWS: Application Auto Scaling TargetTrackingScalingPolicyConfiguration).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetTracking {
    /// Name of the policy among all policies of this app, 1–244 characters; in AWS it is `interstella.<name>`.
    pub name: String,
    /// A metric that AWS knows for every service; give this or `customMetric`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<PredefinedMetric>,
    /// Any other metric; give this or `metric`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_metric: Option<CustomMetric>,
    /// The value to keep: percent for CPU and memory, requests a minute for each task for `ALBRequestCountPerTarget`.
    pub target: f64,
    /// Seconds after a scale-out in which only a larger one follows. Default 300, AWS's own.
    #[serde(default = "default_cooldown")]
    pub scale_out_cooldown: u32,
    /// Seconds after a scale-in in which no other follows. Default 300, AWS's own.
    #[serde(default = "default_cooldown")]
    pub scale_in_cooldown: u32,
    /// Whether this policy only ever adds tasks. Default false.
    #[serde(default)]
    pub disable_scale_in: bool,
}

/// A metric that Application Auto Scaling knows by name (AWS: MetricType).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum PredefinedMetric {
    /// CPU used, in percent of what the tasks reserve; a value a minute.
    ECSServiceAverageCPUUtilization,
    /// Memory used, in percent of what the tasks reserve; a value a minute.
    ECSServiceAverageMemoryUtilization,
    /// Requests a minute for each target of the load balancer's target group.
    ALBRequestCountPerTarget,
    /// CPU every 20 seconds. The service's monitoring must have that resolution, which the manifest cannot set.
    ECSServiceAverageCPUUtilizationHighResolution,
    /// Memory every 20 seconds. The service's monitoring must have that resolution, which the manifest cannot set.
    ECSServiceAverageMemoryUtilizationHighResolution,
}

/// Any metric of CloudWatch, or several with expressions over them (AWS: CustomizedMetricSpecification).
///
/// Either `namespace`, `metricName` and `statistic`, with `dimensions` and `unit`, or `metrics` alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomMetric {
    /// Namespace, such as `AWS/SQS`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name, such as `ApproximateNumberOfMessagesVisible`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// Dimensions by name, `{}` for none. Absent = the app's own; only in `AWS/ECS` and `AWS/ApplicationELB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<BTreeMap<String, String>>,
    /// How the values of a period become one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub statistic: Option<Statistic>,
    /// Unit of the metric; absent = any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Metric math instead of all the above: 1–10 queries, of which exactly one returns data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<MetricQuery>,
}

/// A metric or an expression (AWS: TargetTrackingMetricDataQuery). Give `metricStat` or `expression`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricQuery {
    /// Name in expressions: a lower-case letter, then letters, digits and `_`.
    pub id: String,
    /// What is computed from other queries, such as `m1 / m2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// The metric that is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_stat: Option<MetricStat>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether this is the value that is tracked. Default true.
    #[serde(default = "yes")]
    pub return_data: bool,
}

/// A metric with its statistic inside of metric math.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MetricStat {
    /// Namespace, such as `AWS/SQS`.
    pub namespace: String,
    /// Name, such as `ApproximateNumberOfMessagesVisible`.
    pub metric_name: String,
    /// Dimensions by name, `{}` for none. Absent = the app's own; only in `AWS/ECS` and `AWS/ApplicationELB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<BTreeMap<String, String>>,
    /// Statistic, such as `Average` or `p99`.
    pub stat: String,
    /// Unit of the metric; absent = any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// How the values of a period become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Statistic {
    /// Sum divided by the number of values.
    Average,
    /// The smallest.
    Minimum,
    /// The largest.
    Maximum,
    /// The number of values.
    SampleCount,
    /// All together.
    Sum,
}

const fn yes() -> bool {
    true
}
