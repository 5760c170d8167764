//! Policies that add or remove tasks by how far an alarm's threshold is passed.

use super::{MAX_TASKS, MOST, Problems, alarm, section};
use crate::manifest::pointer::Pointer;
use crate::manifest::{AdjustmentType, ComparisonOperator, Manifest, Scaling, StepAdjustment, StepScaling};

/// Most steps of a policy (AWS: Application Auto Scaling quotas).
const MAX_STEPS: usize = 20;

pub(super) fn check(manifest: &Manifest, scaling: &Scaling, problems: &mut Problems) {
    for (index, policy) in scaling.step.iter().enumerate() {
        let path = section().key("step").index(index);
        adjustments(policy, &path, problems);
        magnitude(policy, path.key("minAdjustmentMagnitude"), problems);
        problems.range(path.key("cooldown"), policy.cooldown, 0..=MOST, " seconds");
        alarm::check(&policy.alarm, manifest, &path.key("alarm"), problems);
    }
}

fn magnitude(policy: &StepScaling, path: Pointer, problems: &mut Problems) {
    let Some(magnitude) = policy.min_adjustment_magnitude else { return };
    if policy.adjustment_type == AdjustmentType::PercentChangeInCapacity {
        problems.range(path, magnitude, 1..=MAX_TASKS, " tasks");
    } else {
        let what = "only a change in percent has a smallest magnitude";
        problems.add(path, what, "remove it, or use `adjustmentType: PercentChangeInCapacity`");
    }
}

fn adjustments(policy: &StepScaling, path: &Pointer, problems: &mut Problems) {
    let list = path.key("steps");
    let count = policy.steps.len();
    if !(1..=MAX_STEPS).contains(&count) {
        let what = format!("a policy has 1 to {MAX_STEPS} steps, not {count}");
        return problems.add(list, what, "change the list");
    }
    let before = problems.0.len();
    for (index, step) in policy.steps.iter().enumerate() {
        bounds(step, &list.index(index), problems);
    }
    if problems.0.len() == before {
        neighbours(&policy.steps, &list, problems);
        open_ends(&policy.steps, &list, problems);
    }
    effect(policy, &list, problems);
}

fn bounds(step: &StepAdjustment, path: &Pointer, problems: &mut Problems) {
    match (step.metric_interval_lower_bound, step.metric_interval_upper_bound) {
        (None, None) => {
            let what = "the step has neither a lower nor an upper bound";
            let remedy = "add `metricIntervalLowerBound: 0` to act above the threshold, \
                          or `metricIntervalUpperBound: 0` to act below it";
            problems.add(path.clone(), what, remedy);
        }
        (Some(lower), Some(upper)) if lower >= upper => {
            let what = format!("the lower bound of {lower} is not below the upper bound of {upper}");
            problems.add(path.key("metricIntervalLowerBound"), what, "exchange the two, or give two that differ");
        }
        (Some(_), Some(_)) | (Some(_), None) | (None, Some(_)) => {}
    }
}

fn lower(step: &StepAdjustment) -> f64 {
    step.metric_interval_lower_bound.unwrap_or(f64::NEG_INFINITY)
}

fn upper(step: &StepAdjustment) -> f64 {
    step.metric_interval_upper_bound.unwrap_or(f64::INFINITY)
}

/// Each step begins where the one below it ends (AWS: StepAdjustment).
fn neighbours(steps: &[StepAdjustment], list: &Pointer, problems: &mut Problems) {
    let mut order: Vec<(usize, &StepAdjustment)> = steps.iter().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| lower(a).total_cmp(&lower(b)).then(upper(a).total_cmp(&upper(b))));
    for pair in order.windows(2) {
        let [(below, first), (above, second)] = pair else { continue };
        let (end, start) = (upper(first), lower(second));
        if start < end {
            let what = format!("steps {below} and {above} overlap");
            let remedy = "let each step begin where the one below it ends";
            problems.add(list.index(*above), what, remedy);
        } else if start > end {
            let what = format!("between steps {below} and {above} there is a gap, from {end} to {start}");
            let remedy =
                format!("set `metricIntervalLowerBound: {end}` here, or add a step with `scalingAdjustment: 0`");
            problems.add(list.index(*above), what, remedy);
        }
    }
}

/// Above a positive bound and below a negative one nothing may be left out (AWS: StepAdjustment).
fn open_ends(steps: &[StepAdjustment], list: &Pointer, problems: &mut Problems) {
    let highest = steps.iter().enumerate().max_by(|(_, a), (_, b)| upper(a).total_cmp(&upper(b)));
    if let Some((index, step)) = highest.filter(|(_, step)| upper(step).is_finite() && upper(step) > 0.0) {
        let what = format!("no step covers what is more than {} above the threshold", upper(step));
        problems.add(list.index(index).key("metricIntervalUpperBound"), what, "remove it from the highest step");
    }
    let lowest = steps.iter().enumerate().min_by(|(_, a), (_, b)| lower(a).total_cmp(&lower(b)));
    if let Some((index, step)) = lowest.filter(|(_, step)| lower(step).is_finite() && lower(step) < 0.0) {
        let what = format!("no step covers what is more than {} below the threshold", -lower(step));
        problems.add(list.index(index).key("metricIntervalLowerBound"), what, "remove it from the lowest step");
    }
}

fn effect(policy: &StepScaling, list: &Pointer, problems: &mut Problems) {
    for (index, step) in policy.steps.iter().enumerate() {
        let path = list.index(index);
        if policy.adjustment_type == AdjustmentType::ExactCapacity && step.scaling_adjustment < 0 {
            let what = format!("a service cannot have {} tasks", step.scaling_adjustment);
            problems.add(path.key("scalingAdjustment"), what, "with `ExactCapacity` give the count itself, 0 or more");
        }
        if let Some(side) = never_applies(policy.alarm.comparison_operator, step) {
            let what = format!("the alarm fires {side} the threshold only, where this step does not apply");
            problems.add(path, what, "turn the signs of its bounds, or the alarm's `comparisonOperator`");
        }
    }
    let changes = policy.adjustment_type != AdjustmentType::ExactCapacity;
    if changes && policy.steps.iter().all(|step| step.scaling_adjustment == 0) {
        let what = "no step changes the count of tasks";
        problems.add(list.clone(), what, "give one a `scalingAdjustment` other than 0");
    }
}

/// The side of the threshold on which alone the alarm fires, if `step` lies wholly on the other one. At the threshold
/// itself the lower bound is included and the upper one is not (AWS: StepAdjustment).
fn never_applies(operator: ComparisonOperator, step: &StepAdjustment) -> Option<&'static str> {
    let (never, side) = match operator {
        ComparisonOperator::GreaterThanThreshold => (upper(step) <= 0.0, "above"),
        ComparisonOperator::GreaterThanOrEqualToThreshold => (upper(step) <= 0.0, "at or above"),
        ComparisonOperator::LessThanThreshold => (lower(step) >= 0.0, "below"),
        ComparisonOperator::LessThanOrEqualToThreshold => (lower(step) > 0.0, "at or below"),
    };
    never.then_some(side)
}
