//! From a manifest's `scaling` to what the engine takes. What the model has no values for is left out, and said.

use interstella_autoscaling::alarm::{Comparison, Missing, Rule};
use interstella_autoscaling::combine;
use interstella_autoscaling::schedule::{Schedule, Span};
use interstella_autoscaling::series::Statistic;
use interstella_autoscaling::simulate::{Metric, Policy, Scheduled, StepAlarm, Target};
use interstella_autoscaling::step::{self, Step};
use interstella_autoscaling::tracking;
use interstella_controller::app::AppName;
use interstella_controller::manifest::{
    AdjustmentType, Aggregation, ComparisonOperator, PredefinedMetric, Scaling, ScheduledAction, StepScaling,
    TargetTracking, TreatMissingData,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::failure::Failure;

/// What is simulated, and what of the manifest is not.
#[derive(Debug)]
pub struct Converted {
    pub target: Target,
    /// A sentence for each thing that is left out.
    pub left_out: Vec<String>,
}

/// Converts `scaling` of an app that starts with `initial_capacity` tasks at `start`.
///
/// # Errors
/// If nothing is left that could scale the service, or a scheduled action cannot be read.
pub fn convert(
    scaling: &Scaling,
    app: &AppName,
    initial_capacity: u32,
    start: Timestamp,
) -> Result<Converted, Failure> {
    let mut left_out = Vec::new();
    let mut policies = Vec::new();
    let tracked = scaling.target_tracking.iter().map(|policy| tracking(policy, app));
    for policy in tracked.chain(scaling.step.iter().map(|policy| step(policy, app))) {
        match policy {
            Ok(policy) => policies.push(policy),
            Err(sentence) => left_out.push(sentence),
        }
    }
    if let Some(predictive) = &scaling.predictive {
        left_out.push(format!("policy {}: forecasts are not simulated", predictive.name));
    }
    let scheduled = scaling.scheduled.iter().map(|action| schedule(action, start)).collect::<Result<Vec<_>, _>>()?;
    if policies.is_empty() && scheduled.is_empty() && !left_out.is_empty() {
        return Err(Failure::new(format!("nothing is left to simulate: {}", left_out.join("; ")))
            .remedy("try a policy on requests or CPU, or settings as flags, such as --target 20"));
    }
    let suspended = combine::Suspended {
        scale_in: scaling.suspended.scale_in,
        scale_out: scaling.suspended.scale_out,
        scheduled: scaling.suspended.scheduled,
    };
    let Scaling { min_capacity, max_capacity, .. } = *scaling;
    let target = Target { initial_capacity, min_capacity, max_capacity, suspended, policies, scheduled };
    Ok(Converted { target, left_out })
}

fn tracking(policy: &TargetTracking, app: &AppName) -> Result<Policy, String> {
    let name = &policy.name;
    let metric = match policy.metric {
        Some(PredefinedMetric::ALBRequestCountPerTarget) => Metric::RequestCountPerTarget,
        Some(PredefinedMetric::ECSServiceAverageCPUUtilization) => Metric::CpuUtilization,
        Some(PredefinedMetric::ECSServiceAverageMemoryUtilization) => {
            return Err(format!("policy {name}: the model does not know what memory tasks use"));
        }
        Some(
            PredefinedMetric::ECSServiceAverageCPUUtilizationHighResolution
            | PredefinedMetric::ECSServiceAverageMemoryUtilizationHighResolution,
        ) => return Err(format!("policy {name}: the model has a value a minute, not every 20 seconds")),
        None => return Err(format!("policy {name}: the model has no values for custom metrics")),
    };
    let converted = tracking::TargetTracking {
        target: policy.target,
        scale_out_cooldown_seconds: policy.scale_out_cooldown,
        scale_in_cooldown_seconds: policy.scale_in_cooldown,
        disable_scale_in: policy.disable_scale_in,
    };
    Ok(Policy::tracking(&named(name), &format!("service/{}/{}", app.cluster, app.name), metric, converted))
}

/// A policy's or action's name in AWS.
fn named(name: &str) -> String {
    format!("interstella.{name}")
}

fn step(policy: &StepScaling, app: &AppName) -> Result<Policy, String> {
    let (name, alarm) = (&policy.name, &policy.alarm);
    let unknown = || format!("policy {name}: the model has no values for {} {}", alarm.namespace, alarm.metric_name);
    let metric = Metric::named(&alarm.namespace, &alarm.metric_name).ok_or_else(unknown)?;
    if alarm.dimensions.is_some() {
        return Err(format!("policy {name}: the model has values for the app's own dimensions only"));
    }
    if !alarm.period.is_multiple_of(60) {
        return Err(format!("policy {name}: the model has a value a minute, not every {} seconds", alarm.period));
    }
    let statistic = Statistic::parse(&alarm.statistic)
        .filter(|statistic| !matches!(statistic, Statistic::Percentile(_)))
        .ok_or_else(|| format!("policy {name}: the model does not have the statistic {}", alarm.statistic))?;
    let alarm = StepAlarm {
        name: format!("interstella.{}.{}.{name}", app.cluster, app.name),
        metric,
        statistic,
        period_seconds: alarm.period,
        rule: Rule {
            comparison: comparison(alarm.comparison_operator),
            threshold: alarm.threshold,
            evaluation_periods: alarm.evaluation_periods,
            datapoints_to_alarm: alarm.datapoints_to_alarm.unwrap_or(alarm.evaluation_periods),
            missing: missing(alarm.treat_missing_data),
        },
    };
    Ok(Policy::step(&named(name), steps(policy), alarm))
}

fn steps(policy: &StepScaling) -> step::StepScaling {
    let step = |step: &interstella_controller::manifest::StepAdjustment| Step {
        lower_bound: step.metric_interval_lower_bound,
        upper_bound: step.metric_interval_upper_bound,
        adjustment: step.scaling_adjustment,
    };
    step::StepScaling {
        adjustment_type: match policy.adjustment_type {
            AdjustmentType::ChangeInCapacity => step::AdjustmentType::ChangeInCapacity,
            AdjustmentType::PercentChangeInCapacity => step::AdjustmentType::PercentChangeInCapacity,
            AdjustmentType::ExactCapacity => step::AdjustmentType::ExactCapacity,
        },
        steps: policy.steps.iter().map(step).collect(),
        cooldown_seconds: policy.cooldown,
        min_adjustment_magnitude: policy.min_adjustment_magnitude,
        aggregation: match policy.metric_aggregation_type {
            Aggregation::Average => step::Aggregation::Average,
            Aggregation::Minimum => step::Aggregation::Minimum,
            Aggregation::Maximum => step::Aggregation::Maximum,
        },
    }
}

fn comparison(operator: ComparisonOperator) -> Comparison {
    match operator {
        ComparisonOperator::GreaterThanOrEqualToThreshold => Comparison::GreaterThanOrEqualToThreshold,
        ComparisonOperator::GreaterThanThreshold => Comparison::GreaterThanThreshold,
        ComparisonOperator::LessThanThreshold => Comparison::LessThanThreshold,
        ComparisonOperator::LessThanOrEqualToThreshold => Comparison::LessThanOrEqualToThreshold,
    }
}

fn missing(treat: TreatMissingData) -> Missing {
    match treat {
        TreatMissingData::Missing => Missing::Missing,
        TreatMissingData::Ignore => Missing::Ignore,
        TreatMissingData::Breaching => Missing::Breaching,
        TreatMissingData::NotBreaching => Missing::NotBreaching,
    }
}

fn schedule(action: &ScheduledAction, start: Timestamp) -> Result<Scheduled, Failure> {
    let what = || format!("scheduled action {}", action.name);
    let time = |text: &Option<String>| {
        let parsed = text.as_deref().map(str::parse::<Timestamp>).transpose();
        parsed.map_err(|error| Failure::because(format!("{}: its start or end is no time", what()), &error))
    };
    let schedule = Schedule::parse(&action.schedule)
        .map_err(|error| Failure::because(format!("{}: {}", what(), action.schedule), &error))?;
    let zone = action.timezone.as_deref().map_or(Ok(TimeZone::UTC), TimeZone::get);
    Ok(Scheduled {
        name: named(&action.name),
        schedule,
        zone: zone.map_err(|error| Failure::because(what(), &error))?,
        span: Span { start: time(&action.start_time)?.unwrap_or(start), end: time(&action.end_time)? },
        min_capacity: action.min_capacity,
        max_capacity: action.max_capacity,
    })
}
