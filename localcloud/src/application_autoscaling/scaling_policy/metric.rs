//! The metrics of target tracking: the predefined ones of ECS, and customized ones.

use std::collections::BTreeMap;

use interstella_autoscaling::series::Statistic;
use interstella_autoscaling::tracking::Resolution;
use serde::Deserialize;

use super::label;
use crate::application_autoscaling::errors::invalid;
use crate::call::ApiError;
use crate::cloudwatch::{MetricName, MetricStat, Query, Source, Watched};
use crate::ecs::ServiceKey;
use crate::world::World;

/// How often the metrics have a value. Those that have one every 20 seconds are refused, so it is always a minute.
pub const RESOLUTION: Resolution = Resolution::Standard;

/// What tells one metric from another (recorded on AWS): each source with its statistic, and the expressions. Units, IDs and
/// labels tell nothing apart, nor does the order of dimensions.
#[derive(Debug, PartialEq)]
pub struct Identity<'a> {
    sources: Vec<(&'a MetricName, Statistic)>,
    expressions: Vec<&'a str>,
}

/// What tells this metric from others.
pub fn identity(watched: &Watched) -> Identity<'_> {
    let (mut sources, mut expressions) = (Vec::new(), Vec::new());
    match watched {
        Watched::Metric(stat) => sources.push((&stat.metric, stat.statistic)),
        Watched::Math(queries) => {
            for query in queries {
                match &query.source {
                    Source::Metric(stat) => sources.push((&stat.metric, stat.statistic)),
                    Source::Expression { text, .. } => expressions.push(text.as_str()),
                }
            }
        }
    }
    sources.sort_by_key(|(metric, statistic)| (*metric, statistic.to_string()));
    expressions.sort_unstable();
    Identity { sources, expressions }
}

/// A dimension of the API.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct Dimension {
    name: String,
    value: String,
}

fn stat(
    namespace: &str,
    name: &str,
    dimensions: impl IntoIterator<Item = (String, String)>,
    statistic: Statistic,
    unit: Option<&str>,
) -> MetricStat {
    let dimensions: BTreeMap<String, String> = dimensions.into_iter().collect();
    MetricStat {
        metric: MetricName { namespace: namespace.to_owned(), name: name.to_owned(), dimensions },
        statistic,
        period_seconds: RESOLUTION.period_seconds(),
        unit: unit.map(str::to_owned),
    }
}

fn pairs(dimensions: &[Dimension]) -> impl Iterator<Item = (String, String)> {
    dimensions.iter().map(|dimension| (dimension.name.clone(), dimension.value.clone()))
}

fn statistic(name: &str) -> Result<Statistic, ApiError> {
    Statistic::parse(name).ok_or_else(|| invalid(format!("There is no statistic {name}.")))
}

/// PredefinedMetricSpecification of the API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Predefined {
    predefined_metric_type: String,
    resource_label: Option<String>,
}

impl Predefined {
    /// The metric it stands for.
    ///
    /// # Errors
    /// `ValidationException` for a metric that is not one of ECS, or whose resource label does not fit.
    pub fn metric(&self, world: &World, key: &ServiceKey) -> Result<Watched, ApiError> {
        let of_ecs = |name: &str| {
            if self.resource_label.is_some() {
                return Err(invalid("ResourceLabel is only for the metric type ALBRequestCountPerTarget."));
            }
            let dimensions = [("ClusterName", &key.cluster), ("ServiceName", &key.name)];
            let dimensions = dimensions.map(|(name, value)| (name.to_owned(), value.clone()));
            Ok(Watched::Metric(stat("AWS/ECS", name, dimensions, Statistic::Average, None)))
        };
        match self.predefined_metric_type.as_str() {
            "ECSServiceAverageCPUUtilization" => of_ecs("CPUUtilization"),
            "ECSServiceAverageMemoryUtilization" => of_ecs("MemoryUtilization"),
            "ALBRequestCountPerTarget" => {
                let label = self.resource_label.as_deref().unwrap_or_default();
                let label = label::admit(world, key, label)?;
                let dimensions = [("LoadBalancer", label.load_balancer), ("TargetGroup", label.target_group)];
                let dimensions = dimensions.map(|(name, value)| (name.to_owned(), value.to_owned()));
                // Sum and the unit were recorded on AWS.
                let (namespace, name) = ("AWS/ApplicationELB", "RequestCountPerTarget");
                Ok(Watched::Metric(stat(namespace, name, dimensions, Statistic::Sum, Some("None"))))
            }
            "ECSServiceAverageCPUUtilizationHighResolution" | "ECSServiceAverageMemoryUtilizationHighResolution" => {
                // AWS refuses so until a deployment with such a setting has completed; here services have none. The words
                // are unverified.
                Err(invalid(format!(
                    "The metric type {} needs a service whose monitoring has a resolution of 20 seconds.",
                    self.predefined_metric_type
                )))
            }
            other => Err(invalid(format!("The metric type {other} is not one of the service namespace ecs."))),
        }
    }
}

/// CustomizedMetricSpecification of the API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Customized {
    metric_name: Option<String>,
    namespace: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    statistic: Option<String>,
    unit: Option<String>,
    metrics: Option<Vec<MathQuery>>,
}

impl Customized {
    /// The metric it describes.
    ///
    /// # Errors
    /// `ValidationException` for a description that is incomplete, or both of a metric and of metric math.
    pub fn metric(&self) -> Result<Watched, ApiError> {
        match (&self.namespace, &self.metric_name, &self.statistic, &self.metrics) {
            (Some(namespace), Some(name), Some(name_of_statistic), None) => {
                let (dimensions, unit) = (pairs(&self.dimensions), self.unit.as_deref());
                Ok(Watched::Metric(stat(namespace, name, dimensions, statistic(name_of_statistic)?, unit)))
            }
            (None, None, None, Some(queries)) if self.dimensions.is_empty() && self.unit.is_none() => math(queries),
            _ => Err(invalid(
                "A customized metric has Namespace, MetricName and Statistic, or Metrics in their place, not both.",
            )),
        }
    }
}

/// One metric or expression of metric math, TargetTrackingMetricDataQuery of the API. Unlike CloudWatch's it has no period.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct MathQuery {
    id: String,
    expression: Option<String>,
    label: Option<String>,
    metric_stat: Option<MathStat>,
    return_data: Option<bool>,
}

/// TargetTrackingMetricStat of the API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct MathStat {
    metric: MathMetric,
    stat: String,
    unit: Option<String>,
}

/// TargetTrackingMetric of the API.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct MathMetric {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

impl MathQuery {
    /// The query as CloudWatch has it.
    fn query(&self) -> Result<Query, ApiError> {
        let source = match (&self.metric_stat, &self.expression) {
            (Some(given), None) => {
                let MathMetric { namespace, metric_name, dimensions } = &given.metric;
                let (dimensions, unit) = (pairs(dimensions), given.unit.as_deref());
                Source::Metric(stat(namespace, metric_name, dimensions, statistic(&given.stat)?, unit))
            }
            (None, Some(text)) => Source::Expression { text: text.clone(), period_seconds: None },
            _ => return Err(invalid("Each element of Metrics has either Expression or MetricStat.")),
        };
        let (id, label) = (self.id.clone(), self.label.clone());
        Ok(Query { id, source, label, return_data: self.return_data.unwrap_or(true) })
    }
}

fn math(given: &[MathQuery]) -> Result<Watched, ApiError> {
    let queries = given.iter().map(MathQuery::query).collect::<Result<Vec<_>, _>>()?;
    if queries.iter().filter(|query| query.return_data).count() != 1 {
        return Err(invalid("Exactly one element of Metrics must have ReturnData true, which is the default."));
    }
    Ok(Watched::Math(queries))
}
