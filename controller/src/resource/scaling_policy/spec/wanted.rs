//! From the manifest's policy to the normal form, once the app's load balancer and target group are known.

use super::{Adjustment, Custom, Predictive, Query, Spec, Stat, Step, Tracking};
use crate::manifest::{self, CustomMetric, MetricPair, MetricQuery, MetricStat, PredefinedMetric};
use crate::resource::metric::{Source, word};

/// What the manifest says of a policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// Keeps a metric near a value.
    Tracking(manifest::TargetTracking),
    /// Adds or removes tasks by how far an alarm's threshold is passed.
    Step(manifest::StepScaling),
    /// Scales out ahead of load that recurs.
    Predictive(manifest::Predictive),
}

impl Wanted {
    /// The kind of policy, in AWS's word.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tracking(_) => "TargetTrackingScaling",
            Self::Step(_) => "StepScaling",
            Self::Predictive(_) => "PredictiveScaling",
        }
    }

    /// The normal form, or nothing while the load balancer or target group that it counts the requests of is not known.
    #[must_use]
    pub fn to_spec(&self, source: &Source) -> Option<Spec> {
        match self {
            Self::Tracking(wanted) => tracking(wanted, source).map(Spec::Tracking),
            Self::Step(wanted) => Some(Spec::Step(step(wanted))),
            Self::Predictive(wanted) => predictive(wanted, source).map(Spec::Predictive),
        }
    }
}

fn tracking(wanted: &manifest::TargetTracking, source: &Source) -> Option<Tracking> {
    Some(Tracking {
        metric: wanted.metric.as_ref().map(word),
        resource_label: label(wanted.metric == Some(PredefinedMetric::ALBRequestCountPerTarget), source)?,
        custom_metric: match &wanted.custom_metric {
            Some(metric) => Some(custom(metric, source)?),
            None => None,
        },
        target: wanted.target,
        scale_out_cooldown: wanted.scale_out_cooldown,
        scale_in_cooldown: wanted.scale_in_cooldown,
        disable_scale_in: wanted.disable_scale_in,
    })
}

/// The resource label, if there has to be one; nothing at all while it is not known.
fn label(is_needed: bool, source: &Source) -> Option<Option<String>> {
    if is_needed { source.front.as_ref().map(|front| Some(front.label())) } else { Some(None) }
}

fn custom(wanted: &CustomMetric, source: &Source) -> Option<Custom> {
    let namespace = wanted.namespace.as_deref().unwrap_or_default();
    let queries: Option<_> = wanted.metrics.iter().map(|one| Some((one.id.clone(), query(one, source)?))).collect();
    Some(Custom {
        namespace: wanted.namespace.clone(),
        metric_name: wanted.metric_name.clone(),
        dimensions: source.dimensions(namespace, wanted.dimensions.as_ref())?,
        statistic: wanted.statistic.as_ref().map(word),
        unit: wanted.unit.clone(),
        metrics: queries?,
    })
}

fn query(wanted: &MetricQuery, source: &Source) -> Option<Query> {
    Some(Query {
        expression: wanted.expression.clone(),
        metric_stat: match &wanted.metric_stat {
            Some(one) => Some(stat(one, source)?),
            None => None,
        },
        label: wanted.label.clone(),
        return_data: wanted.return_data,
    })
}

fn stat(wanted: &MetricStat, source: &Source) -> Option<Stat> {
    Some(Stat {
        namespace: wanted.namespace.clone(),
        metric_name: wanted.metric_name.clone(),
        dimensions: source.dimensions(&wanted.namespace, wanted.dimensions.as_ref())?,
        stat: wanted.stat.clone(),
        unit: wanted.unit.clone(),
    })
}

fn step(wanted: &manifest::StepScaling) -> Step {
    let steps = wanted.steps.iter().map(|one| Adjustment {
        lower: one.metric_interval_lower_bound,
        upper: one.metric_interval_upper_bound,
        adjustment: one.scaling_adjustment,
    });
    Step {
        adjustment_type: word(&wanted.adjustment_type),
        steps: Adjustment::sorted(steps.collect()),
        cooldown: wanted.cooldown,
        min_adjustment_magnitude: wanted.min_adjustment_magnitude,
        metric_aggregation_type: word(&wanted.metric_aggregation_type),
    }
}

fn predictive(wanted: &manifest::Predictive, source: &Source) -> Option<Predictive> {
    Some(Predictive {
        metric_pair: Some(word(&wanted.metric_pair)),
        resource_label: label(wanted.metric_pair == MetricPair::ALBRequestCount, source)?,
        target: wanted.target,
        mode: word(&wanted.mode),
        scheduling_buffer_time: wanted.scheduling_buffer_time,
        max_capacity_breach_behavior: word(&wanted.max_capacity_breach_behavior),
        max_capacity_buffer: wanted.max_capacity_buffer,
    })
}
