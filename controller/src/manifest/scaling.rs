//! How many tasks run, by itself: the scalable target of Application Auto Scaling with its policies, schedules and alarms.
//!
//! Names and values are those of the Application Auto Scaling and CloudWatch APIs; a policy that needs an alarm of ours has it
//! declared inside it, because neither means anything without the other.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Application Auto Scaling of the service's task count. While it is there, `desiredCount` is only the count at creation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scaling {
    /// Fewest tasks: 0–5000.
    pub min_capacity: u32,
    /// Most tasks: 0–5000.
    pub max_capacity: u32,
    /// Policies that keep a metric near a target value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_tracking: Vec<TargetTracking>,
    /// Policies that add or remove tasks by how far an alarm's threshold is passed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub step: Vec<StepScaling>,
    /// Changes of the bounds at given times.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scheduled: Vec<ScheduledAction>,
    /// A policy that scales out ahead of load that recurs by the day or week; at most one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictive: Option<Predictive>,
    /// What is switched off for now.
    #[serde(default, skip_serializing_if = "Suspended::is_none")]
    pub suspended: Suspended,
}

/// Keeps a metric near a target value (AWS: Application Auto Scaling TargetTrackingScalingPolicyConfiguration).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TargetTracking {
    /// Name of the policy among those of this app; in AWS it is `interstella.<name>`.
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
    /// As `ECSServiceAverageCPUUtilization`, every 20 seconds.
    ECSServiceAverageCPUUtilizationHighResolution,
    /// As `ECSServiceAverageMemoryUtilization`, every 20 seconds.
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
    /// Dimensions by name. Absent in `AWS/ECS` and `AWS/ApplicationELB`: this app's own service, or load balancer and target group.
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
    /// Dimensions by name. Absent in `AWS/ECS` and `AWS/ApplicationELB`: this app's own service, or load balancer and target group.
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

/// Adds or removes tasks by how far an alarm's threshold is passed (AWS: StepScalingPolicyConfiguration).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepScaling {
    /// Name of the policy among those of this app; in AWS it is `interstella.<name>`.
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

/// The alarm that sets a step policy off (AWS: CloudWatch PutMetricAlarm). In AWS it is `interstella.<cluster>.<app>.<policy>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepAlarm {
    /// Namespace, such as `AWS/ECS`.
    pub namespace: String,
    /// Name, such as `CPUUtilization`.
    pub metric_name: String,
    /// Dimensions by name. Absent in `AWS/ECS` and `AWS/ApplicationELB`: this app's own service, or load balancer and target group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<BTreeMap<String, String>>,
    /// `Average`, `Minimum`, `Maximum`, `SampleCount`, `Sum`, or a percentile such as `p99`.
    pub statistic: String,
    /// Seconds: 10, 20, 30 or a multiple of 60. Default 60.
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

/// A change of the bounds at given times (AWS: PutScheduledAction). Nothing reverts it but another one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScheduledAction {
    /// Name of the action among those of this app; in AWS it is `interstella.<name>`.
    pub name: String,
    /// `at(yyyy-mm-ddThh:mm:ss)`, `rate(n minutes|hours|days)` or `cron(minute hour day-of-month month day-of-week year)`.
    pub schedule: String,
    /// IANA name of the time zone of `at` and `cron`. Default `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Fewest tasks from then on; absent = as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_capacity: Option<u32>,
    /// Most tasks from then on; absent = as before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_capacity: Option<u32>,
    /// When it begins to hold, in UTC, such as `2026-12-01T00:00:00Z`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<String>,
    /// When it no longer holds, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<String>,
}

/// Scales out ahead of load that recurs (AWS: PredictiveScalingPolicyConfiguration). It never scales in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Predictive {
    /// Name of the policy among those of this app; in AWS it is `interstella.<name>`.
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
    /// Percent above the forecast up to which the maximum may be raised: 0–100; only with `IncreaseMaxCapacity`.
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

/// What of auto scaling is switched off (AWS: SuspendedState).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Suspended {
    /// Policies do not remove tasks.
    #[serde(rename = "in")]
    pub scale_in: bool,
    /// Policies do not add tasks.
    #[serde(rename = "out")]
    pub scale_out: bool,
    /// Scheduled actions do not happen.
    pub scheduled: bool,
}

impl Suspended {
    /// Whether nothing is switched off.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// AWS's default cooldown for ECS services, and its default scheduling buffer, in seconds.
const fn default_cooldown() -> u32 {
    300
}

const fn default_period() -> u32 {
    60
}

const fn yes() -> bool {
    true
}
