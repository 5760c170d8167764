//! The request of PutScalingPolicy, from the normal form. All of it is sent, as AWS replaces all of it.

use aws_sdk_applicationautoscaling::types as aas;
use aws_smithy_types::error::operation::BuildError;

use super::spec::{Adjustment, Custom, Predictive, Query, Spec, Stat, Step, Tracking};
use crate::app::AppName;
use crate::aws::Aws;
use crate::error::Error;
use crate::resource::scalable_target::{DIMENSION, NAMESPACE, resource_id};

const OPERATION: &str = "autoscaling:PutScalingPolicy";

/// PutScalingPolicy.
///
/// # Errors
/// When the call fails.
pub async fn put(aws: &Aws, app: &AppName, name: &str, spec: &Spec) -> Result<(), Error> {
    let call = aws.write.scaling.put_scaling_policy().service_namespace(NAMESPACE).policy_name(name);
    let call = call.resource_id(resource_id(app)).scalable_dimension(DIMENSION).policy_type(spec.kind().into());
    let incomplete = |error: BuildError| Error::terminal(OPERATION, "incomplete request", error.to_string());
    let call = match spec {
        Spec::Tracking(spec) => call.target_tracking_scaling_policy_configuration(tracking(spec).map_err(incomplete)?),
        Spec::Step(spec) => call.step_scaling_policy_configuration(step(spec).map_err(incomplete)?),
        Spec::Predictive(spec) => call.predictive_scaling_policy_configuration(predictive(spec).map_err(incomplete)?),
    };
    call.send().await.map(drop).map_err(Error::of(OPERATION))
}

fn count(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

fn tracking(spec: &Tracking) -> Result<aas::TargetTrackingScalingPolicyConfiguration, BuildError> {
    let Tracking {
        metric,
        resource_label,
        custom_metric,
        target,
        scale_out_cooldown,
        scale_in_cooldown,
        disable_scale_in,
    } = spec;
    let predefined = metric.as_ref().map(|metric| {
        let specification = aas::PredefinedMetricSpecification::builder().set_resource_label(resource_label.clone());
        specification.predefined_metric_type(metric.as_str().into()).build()
    });
    aas::TargetTrackingScalingPolicyConfiguration::builder()
        .target_value(*target)
        .set_predefined_metric_specification(predefined.transpose()?)
        .set_customized_metric_specification(custom_metric.as_ref().map(custom).transpose()?)
        .scale_out_cooldown(count(*scale_out_cooldown))
        .scale_in_cooldown(count(*scale_in_cooldown))
        .disable_scale_in(*disable_scale_in)
        .build()
}

fn custom(spec: &Custom) -> Result<aas::CustomizedMetricSpecification, BuildError> {
    let Custom { namespace, metric_name, dimensions, statistic, unit, metrics } = spec;
    let dimension = |(name, value)| aas::MetricDimension::builder().name(name).value(value).build();
    let dimensions: Vec<_> = dimensions.iter().map(dimension).collect::<Result<_, _>>()?;
    let queries: Vec<_> = metrics.iter().map(|(id, one)| query(id, one)).collect::<Result<_, _>>()?;
    Ok(aas::CustomizedMetricSpecification::builder()
        .set_namespace(namespace.clone())
        .set_metric_name(metric_name.clone())
        .set_dimensions(Some(dimensions).filter(|list| !list.is_empty()))
        .set_statistic(statistic.as_deref().map(Into::into))
        .set_unit(unit.clone())
        .set_metrics(Some(queries).filter(|list| !list.is_empty()))
        .build())
}

fn query(id: &str, spec: &Query) -> Result<aas::TargetTrackingMetricDataQuery, BuildError> {
    let Query { expression, metric_stat, label, return_data } = spec;
    aas::TargetTrackingMetricDataQuery::builder()
        .id(id)
        .set_expression(expression.clone())
        .set_metric_stat(metric_stat.as_ref().map(stat).transpose()?)
        .set_label(label.clone())
        .return_data(*return_data)
        .build()
}

fn stat(spec: &Stat) -> Result<aas::TargetTrackingMetricStat, BuildError> {
    let Stat { namespace, metric_name, dimensions, stat, unit } = spec;
    let dimension = |(name, value)| aas::TargetTrackingMetricDimension::builder().name(name).value(value).build();
    let dimensions: Vec<_> = dimensions.iter().map(dimension).collect::<Result<_, _>>()?;
    let metric = aas::TargetTrackingMetric::builder().namespace(namespace).metric_name(metric_name);
    let metric = metric.set_dimensions(Some(dimensions).filter(|list| !list.is_empty())).build();
    aas::TargetTrackingMetricStat::builder().metric(metric).stat(stat).set_unit(unit.clone()).build()
}

fn step(spec: &Step) -> Result<aas::StepScalingPolicyConfiguration, BuildError> {
    let Step { adjustment_type, steps, cooldown, min_adjustment_magnitude, metric_aggregation_type } = spec;
    let steps: Vec<_> = steps.iter().map(adjustment).collect::<Result<_, _>>()?;
    Ok(aas::StepScalingPolicyConfiguration::builder()
        .adjustment_type(adjustment_type.as_str().into())
        .set_step_adjustments(Some(steps))
        .cooldown(count(*cooldown))
        .set_min_adjustment_magnitude(min_adjustment_magnitude.map(count))
        .metric_aggregation_type(metric_aggregation_type.as_str().into())
        .build())
}

fn adjustment(spec: &Adjustment) -> Result<aas::StepAdjustment, BuildError> {
    let Adjustment { lower, upper, adjustment } = *spec;
    aas::StepAdjustment::builder()
        .set_metric_interval_lower_bound(lower)
        .set_metric_interval_upper_bound(upper)
        .scaling_adjustment(adjustment)
        .build()
}

fn predictive(spec: &Predictive) -> Result<aas::PredictiveScalingPolicyConfiguration, BuildError> {
    let Predictive {
        metric_pair,
        resource_label,
        target,
        mode,
        scheduling_buffer_time,
        max_capacity_breach_behavior,
        max_capacity_buffer,
    } = spec;
    let pair = aas::PredictiveScalingPredefinedMetricPairSpecification::builder();
    let pair = pair.set_predefined_metric_type(metric_pair.clone()).set_resource_label(resource_label.clone());
    let metric = aas::PredictiveScalingMetricSpecification::builder().target_value(*target);
    let metric = metric.predefined_metric_pair_specification(pair.build()?).build()?;
    aas::PredictiveScalingPolicyConfiguration::builder()
        .metric_specifications(metric)
        .mode(mode.as_str().into())
        .scheduling_buffer_time(count(*scheduling_buffer_time))
        .max_capacity_breach_behavior(max_capacity_breach_behavior.as_str().into())
        .set_max_capacity_buffer(max_capacity_buffer.map(count))
        .build()
}
