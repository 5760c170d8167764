//! Normal form of a policy, from the manifest and from AWS's answer. Its keys are the manifest's; absent and AWS's default are the
//! same on both sides.

mod found;
mod wanted;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use crate::diff;
use crate::resource::metric::Dimensions;

pub use found::from_aws;
pub use wanted::Wanted;

/// AWS's default of every cooldown of an ECS service and of the scheduling buffer, in seconds.
const DEFAULT_SECONDS: u32 = 300;
/// What a target of requests is counted in: users keep asking.
const REQUESTS: &str = "requests a minute for each task";

/// Normal form of a policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Spec {
    /// Keeps a metric near a value.
    #[serde(rename = "TargetTrackingScaling")]
    Tracking(Tracking),
    /// Adds or removes tasks by how far an alarm's threshold is passed.
    #[serde(rename = "StepScaling")]
    Step(Step),
    /// Scales out ahead of load that recurs.
    #[serde(rename = "PredictiveScaling")]
    Predictive(Predictive),
}

/// Normal form of a target-tracking policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracking {
    /// A metric that AWS knows by name; or else `custom_metric`.
    pub metric: Option<String>,
    /// Whose requests are counted.
    pub resource_label: Option<String>,
    /// Any other metric.
    pub custom_metric: Option<Custom>,
    /// The value to keep.
    #[serde(serialize_with = "diff::number")]
    pub target: f64,
    /// Seconds.
    pub scale_out_cooldown: u32,
    /// Seconds.
    pub scale_in_cooldown: u32,
    /// Whether it only ever adds tasks.
    pub disable_scale_in: bool,
}

/// Normal form of a customized metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Custom {
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub metric_name: Option<String>,
    /// Dimensions.
    pub dimensions: Dimensions,
    /// How the values of a period become one.
    pub statistic: Option<String>,
    /// Unit; absent = any.
    pub unit: Option<String>,
    /// Metric math instead of all the above, by ID.
    pub metrics: BTreeMap<String, Query>,
}

/// Normal form of a metric or an expression.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Query {
    /// What is computed.
    pub expression: Option<String>,
    /// What is read.
    pub metric_stat: Option<Stat>,
    /// For people.
    pub label: Option<String>,
    /// Whether this is the value that is tracked; absent in AWS = it is.
    pub return_data: bool,
}

/// Normal form of a metric inside of metric math.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stat {
    /// Namespace.
    pub namespace: String,
    /// Name.
    pub metric_name: String,
    /// Dimensions.
    pub dimensions: Dimensions,
    /// Statistic.
    pub stat: String,
    /// Unit; absent = any.
    pub unit: Option<String>,
}

/// Normal form of a step policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What an adjustment means.
    pub adjustment_type: String,
    /// The steps, the lowest first.
    pub steps: Vec<Adjustment>,
    /// Seconds.
    pub cooldown: u32,
    /// Fewest tasks that a change in percent adds or removes.
    pub min_adjustment_magnitude: Option<u32>,
    /// How several values become one; absent in AWS = `Average`.
    pub metric_aggregation_type: String,
}

/// One step. As text, and so in plans: `0..20: +1`, by how far the threshold is passed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjustment {
    /// Lower end; absent = none.
    pub lower: Option<f64>,
    /// Upper end; absent = none.
    pub upper: Option<f64>,
    /// Tasks or percent, or with `ExactCapacity` the count itself.
    pub adjustment: i32,
}

/// Normal form of a predictive policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Predictive {
    /// Load and scaling metric; absent for what a manifest cannot say.
    pub metric_pair: Option<String>,
    /// Whose requests are counted.
    pub resource_label: Option<String>,
    /// The value to keep.
    #[serde(serialize_with = "diff::number")]
    pub target: f64,
    /// Whether forecasts are acted upon.
    pub mode: String,
    /// Seconds by which tasks are started ahead.
    pub scheduling_buffer_time: u32,
    /// What happens when a forecast is above the maximum.
    pub max_capacity_breach_behavior: String,
    /// Percent above the forecast up to which the maximum may be raised.
    pub max_capacity_buffer: Option<u32>,
}

impl Spec {
    /// The kind of policy, in AWS's word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tracking(_) => "TargetTrackingScaling",
            Self::Step(_) => "StepScaling",
            Self::Predictive(_) => "PredictiveScaling",
        }
    }

    /// What the value at a path is counted in, for people.
    #[must_use]
    pub fn unit(&self, path: &str) -> Option<String> {
        let unit = match path {
            "target" => return self.unit_of_target(),
            "scaleOutCooldown" | "scaleInCooldown" | "cooldown" | "schedulingBufferTime" => "s",
            "maxCapacityBuffer" => "%",
            "minAdjustmentMagnitude" => "tasks",
            "steps" => match self {
                Self::Step(step) => step.unit(),
                Self::Tracking(_) | Self::Predictive(_) => return None,
            },
            _ => return None,
        };
        Some(unit.to_owned())
    }

    fn unit_of_target(&self) -> Option<String> {
        let metric = match self {
            Self::Tracking(Tracking { custom_metric: Some(custom), .. }) => return custom.unit.clone(),
            Self::Tracking(tracking) => tracking.metric.as_deref()?,
            Self::Predictive(predictive) => predictive.metric_pair.as_deref()?,
            Self::Step(_) => return None,
        };
        Some(if metric.starts_with("ALBRequestCount") { REQUESTS } else { "%" }.to_owned())
    }
}

impl Step {
    /// What its adjustments are counted in, for people.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        match self.adjustment_type.as_str() {
            "PercentChangeInCapacity" => "percent more or fewer",
            "ExactCapacity" => "tasks",
            _ => "tasks more or fewer",
        }
    }
}

impl Adjustment {
    /// Puts the lowest step first; AWS says nothing of the order in which it gives them back.
    fn sorted(mut steps: Vec<Self>) -> Vec<Self> {
        let start = |step: &Self| step.lower.unwrap_or(f64::NEG_INFINITY);
        steps.sort_by(|one, other| start(one).total_cmp(&start(other)));
        steps
    }
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |end: Option<f64>| end.map(|end| end.to_string()).unwrap_or_default();
        write!(f, "{}..{}: {:+}", end(self.lower), end(self.upper), self.adjustment)
    }
}

impl Serialize for Adjustment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
