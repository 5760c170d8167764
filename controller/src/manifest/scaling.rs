//! How many tasks run, by itself: the scalable target of Application Auto Scaling, its policies, schedules and alarms.
//!
//! Names and values are those of the Application Auto Scaling and CloudWatch APIs. A policy that needs an alarm of ours
//! has it declared inside it, because neither means anything without the other.

mod predictive;
mod scheduled;
mod step;
mod tracking;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use predictive::{MaxCapacityBreachBehavior, MetricPair, Predictive, PredictiveMode};
pub use scheduled::ScheduledAction;
pub use step::{
    AdjustmentType, Aggregation, ComparisonOperator, StepAdjustment, StepAlarm, StepScaling, TreatMissingData,
};
pub use tracking::{CustomMetric, MetricQuery, MetricStat, PredefinedMetric, Statistic, TargetTracking};

/// Application Auto Scaling of the service's task count. With it, `desiredCount` is only the count at creation.
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
