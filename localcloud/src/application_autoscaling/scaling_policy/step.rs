//! The configuration of a step policy.

use interstella_autoscaling::combine::Policy;
use interstella_autoscaling::step::{AdjustmentType, Aggregation, Step, StepScaling};
use serde::Deserialize;

use super::tracking::cooldown;
use crate::application_autoscaling::errors::invalid;
use crate::call::ApiError;

/// Steps of a policy, at most.
const MOST_STEPS: usize = 20;

/// StepScalingPolicyConfiguration of the API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Configuration {
    adjustment_type: Option<String>,
    #[serde(default)]
    step_adjustments: Vec<StepAdjustment>,
    min_adjustment_magnitude: Option<i64>,
    cooldown: Option<i64>,
    metric_aggregation_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct StepAdjustment {
    metric_interval_lower_bound: Option<f64>,
    metric_interval_upper_bound: Option<f64>,
    scaling_adjustment: i32,
}

/// What a configuration says.
///
/// # Errors
/// `ValidationException` for what AWS refuses.
pub fn policy(given: &Configuration) -> Result<Policy, ApiError> {
    let adjustment_type = adjustment_type(given.adjustment_type.as_deref())?;
    let mut steps: Vec<Step> = given.step_adjustments.iter().map(read).collect();
    steps.sort_by(|a, b| lower(a).total_cmp(&lower(b)));
    check(&steps)?;
    let exact = adjustment_type == AdjustmentType::ExactCapacity;
    if exact && steps.iter().any(|step| step.adjustment < 0) {
        return Err(invalid("With ExactCapacity a scaling adjustment cannot be negative."));
    }
    let percent = adjustment_type == AdjustmentType::PercentChangeInCapacity;
    let magnitude = given.min_adjustment_magnitude.map(|magnitude| match u32::try_from(magnitude) {
        Ok(magnitude @ 1..) if percent => Ok(magnitude),
        Ok(1..) => Err(invalid("MinAdjustmentMagnitude is only for the adjustment type PercentChangeInCapacity.")),
        _ => Err(invalid("MinAdjustmentMagnitude must be at least 1.")),
    });
    Ok(Policy::StepScaling(StepScaling {
        adjustment_type,
        steps,
        cooldown_seconds: cooldown("Cooldown", given.cooldown)?,
        min_adjustment_magnitude: magnitude.transpose()?,
        aggregation: aggregation(given.metric_aggregation_type.as_deref())?,
    }))
}

fn adjustment_type(name: Option<&str>) -> Result<AdjustmentType, ApiError> {
    match name {
        Some("ChangeInCapacity") => Ok(AdjustmentType::ChangeInCapacity),
        Some("PercentChangeInCapacity") => Ok(AdjustmentType::PercentChangeInCapacity),
        Some("ExactCapacity") => Ok(AdjustmentType::ExactCapacity),
        _ => Err(invalid("AdjustmentType is ChangeInCapacity, PercentChangeInCapacity or ExactCapacity.")),
    }
}

fn aggregation(name: Option<&str>) -> Result<Aggregation, ApiError> {
    match name {
        None | Some("Average") => Ok(Aggregation::Average),
        Some("Minimum") => Ok(Aggregation::Minimum),
        Some("Maximum") => Ok(Aggregation::Maximum),
        Some(_) => Err(invalid("MetricAggregationType is Average, Minimum or Maximum.")),
    }
}

fn read(given: &StepAdjustment) -> Step {
    Step {
        lower_bound: given.metric_interval_lower_bound,
        upper_bound: given.metric_interval_upper_bound,
        adjustment: given.scaling_adjustment,
    }
}

fn lower(step: &Step) -> f64 {
    step.lower_bound.unwrap_or(f64::NEG_INFINITY)
}

fn upper(step: &Step) -> f64 {
    step.upper_bound.unwrap_or(f64::INFINITY)
}

/// AWS: API reference, StepAdjustment. `steps` are in the order of their lower bounds.
fn check(steps: &[Step]) -> Result<(), ApiError> {
    let (Some(first), Some(last)) = (steps.first(), steps.last()) else {
        return Err(invalid("A step scaling policy has at least one step adjustment."));
    };
    if steps.len() > MOST_STEPS {
        return Err(invalid(format!("A step scaling policy has at most {MOST_STEPS} step adjustments.")));
    }
    if steps.iter().any(|step| lower(step) >= upper(step)) {
        return Err(invalid("The lower bound of a step adjustment must be less than its upper bound."));
    }
    if let Some(pair) = steps.windows(2).find(|pair| upper(&pair[0]) != lower(&pair[1])) {
        let what = if upper(&pair[0]) > lower(&pair[1]) { "overlap" } else { "have a gap between them" };
        return Err(invalid(format!("The intervals of step adjustments {what}; each must begin where another ends.")));
    }
    if first.lower_bound.is_some_and(|bound| bound < 0.0) {
        return Err(invalid("With a negative lower bound, one step adjustment must have no lower bound."));
    }
    if last.upper_bound.is_some_and(|bound| bound > 0.0) {
        return Err(invalid("With a positive upper bound, one step adjustment must have no upper bound."));
    }
    Ok(())
}
