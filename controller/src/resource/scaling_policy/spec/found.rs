//! From AWS's answer to the normal form of a policy.

use aws_sdk_applicationautoscaling::types::{
    CustomizedMetricSpecification, PredictiveScalingPolicyConfiguration, ScalingPolicy, StepScalingPolicyConfiguration,
    TargetTrackingMetric, TargetTrackingMetricDataQuery, TargetTrackingMetricStat,
    TargetTrackingScalingPolicyConfiguration,
};

use crate::resource::given::Given;

use super::{Adjustment, Custom, DEFAULT_SECONDS, Predictive, Query, Spec, Stat, Step, Tracking};

/// Normal form of AWS's answer. A policy without a configuration of its type differs from every wanted one.
#[must_use]
pub fn from_aws(raw: &ScalingPolicy) -> Spec {
    if let Some(raw) = raw.step_scaling_policy_configuration() {
        return Spec::Step(step(raw));
    }
    if let Some(raw) = raw.predictive_scaling_policy_configuration() {
        return Spec::Predictive(predictive(raw));
    }
    Spec::Tracking(tracking(raw.target_tracking_scaling_policy_configuration()))
}

fn seconds(value: Option<i32>) -> u32 {
    value.and_then(|value| u32::try_from(value).ok()).unwrap_or(DEFAULT_SECONDS)
}

fn tracking(raw: Option<&TargetTrackingScalingPolicyConfiguration>) -> Tracking {
    let predefined = raw.and_then(|raw| raw.predefined_metric_specification());
    Tracking {
        metric: predefined.map(|one| one.predefined_metric_type.as_str().to_owned()),
        resource_label: predefined.and_then(|one| one.resource_label.clone().given()),
        custom_metric: raw.and_then(|raw| raw.customized_metric_specification()).map(custom),
        target: raw.map(|raw| raw.target_value).unwrap_or_default(),
        scale_out_cooldown: seconds(raw.and_then(|raw| raw.scale_out_cooldown)),
        scale_in_cooldown: seconds(raw.and_then(|raw| raw.scale_in_cooldown)),
        disable_scale_in: raw.and_then(|raw| raw.disable_scale_in).unwrap_or(false),
    }
}

fn custom(raw: &CustomizedMetricSpecification) -> Custom {
    Custom {
        namespace: raw.namespace.clone(),
        metric_name: raw.metric_name.clone(),
        dimensions: raw.dimensions().iter().map(|one| (one.name.clone(), one.value.clone())).collect(),
        statistic: raw.statistic().given().map(|statistic| statistic.as_str().to_owned()),
        unit: raw.unit.clone().given(),
        metrics: raw.metrics().iter().map(|one| (one.id.clone(), query(one))).collect(),
    }
}

fn query(raw: &TargetTrackingMetricDataQuery) -> Query {
    Query {
        expression: raw.expression.clone().given(),
        metric_stat: raw.metric_stat().map(stat),
        label: raw.label.clone().given(),
        return_data: raw.return_data.unwrap_or(true),
    }
}

fn stat(raw: &TargetTrackingMetricStat) -> Stat {
    let metric = raw.metric();
    let dimensions = metric.map(TargetTrackingMetric::dimensions).unwrap_or_default();
    Stat {
        namespace: metric.and_then(|one| one.namespace.clone()).unwrap_or_default(),
        metric_name: metric.and_then(|one| one.metric_name.clone()).unwrap_or_default(),
        dimensions: dimensions.iter().map(|one| (one.name.clone(), one.value.clone())).collect(),
        stat: raw.stat.clone(),
        unit: raw.unit.clone().given(),
    }
}

fn step(raw: &StepScalingPolicyConfiguration) -> Step {
    let steps = raw.step_adjustments().iter().map(|one| Adjustment {
        lower: one.metric_interval_lower_bound,
        upper: one.metric_interval_upper_bound,
        adjustment: one.scaling_adjustment,
    });
    Step {
        adjustment_type: raw.adjustment_type().map(|one| one.as_str().to_owned()).unwrap_or_default(),
        steps: Adjustment::sorted(steps.collect()),
        cooldown: seconds(raw.cooldown),
        min_adjustment_magnitude: raw.min_adjustment_magnitude.and_then(|value| u32::try_from(value).ok()),
        metric_aggregation_type: raw.metric_aggregation_type().given().map_or("Average", |one| one.as_str()).to_owned(),
    }
}

fn predictive(raw: &PredictiveScalingPolicyConfiguration) -> Predictive {
    let metric = raw.metric_specifications().first();
    let pair = metric.and_then(|one| one.predefined_metric_pair_specification());
    Predictive {
        metric_pair: pair.map(|one| one.predefined_metric_type.clone()),
        resource_label: pair.and_then(|one| one.resource_label.clone().given()),
        target: metric.map(|one| one.target_value).unwrap_or_default(),
        mode: raw.mode().given().map_or("ForecastOnly", |one| one.as_str()).to_owned(),
        scheduling_buffer_time: seconds(raw.scheduling_buffer_time),
        max_capacity_breach_behavior: raw
            .max_capacity_breach_behavior()
            .given()
            .map_or("HonorMaxCapacity", |one| one.as_str())
            .to_owned(),
        max_capacity_buffer: raw.max_capacity_buffer.and_then(|value| u32::try_from(value).ok()),
    }
}
