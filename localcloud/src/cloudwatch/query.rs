//! What is read of metrics: one metric's statistic, or a list of queries with metric math over each other.

use std::collections::BTreeMap;

use interstella_autoscaling::series::{Point, Statistic, later, period_start};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::math::{Expression, Scope};
use super::store::{MetricName, Store};
use super::validation;
use crate::call::ApiError;

/// One metric's statistic over periods.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricStat {
    /// The metric.
    pub metric: MetricName,
    /// How the values of a period become one.
    pub statistic: Statistic,
    /// Length of a period.
    pub period_seconds: u32,
    /// Only values of this unit count; `None`: values of every unit.
    pub unit: Option<String>,
}

/// One of several queries (AWS: MetricDataQuery).
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// By which expressions name it.
    pub id: String,
    /// Where its values come from.
    pub source: Source,
    /// What people are shown in place of the identifier.
    pub label: Option<String>,
    /// Whether its values are answered, or only used by others.
    pub return_data: bool,
}

/// Where a query's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A metric.
    Metric(MetricStat),
    /// Metric math over the other queries.
    Expression {
        /// As it was given.
        text: String,
        /// The period that was given; `None`: that of the metrics.
        period_seconds: Option<u32>,
    },
}

/// What an alarm or a scaling policy looks at.
#[derive(Debug, Clone, PartialEq)]
pub enum Watched {
    /// One metric.
    Metric(MetricStat),
    /// Queries, of which exactly one returns data.
    Math(Vec<Query>),
}

impl Watched {
    /// Length of a period: the metric's, or the longest of the queries'.
    pub fn period_seconds(&self) -> u32 {
        match self {
            Self::Metric(stat) => stat.period_seconds,
            Self::Math(queries) => period_seconds(queries),
        }
    }

    /// The values of the newest `count` periods that ended by `end`, oldest first.
    pub fn points(&self, store: &Store, end: Timestamp, count: u32) -> Result<Vec<Point>, ApiError> {
        match self {
            Self::Metric(stat) => Ok(stat.points(store, end, count)),
            Self::Math(queries) => {
                let answered = queries.iter().find(|query| query.return_data);
                let answered =
                    answered.ok_or_else(|| validation("Exactly one of the queries must have ReturnData=true."))?;
                let mut scope = scope(queries, store, period_seconds(queries), (end, count))?;
                series(&mut scope, &answered.id, (end, count))
            }
        }
    }
}

impl MetricStat {
    /// The values of the newest `count` periods that ended by `end`, oldest first.
    pub fn points(&self, store: &Store, end: Timestamp, count: u32) -> Vec<Point> {
        store.points((&self.metric, self.unit.as_deref()), self.statistic, self.period_seconds, (end, count))
    }
}

/// The longest period among queries; a minute if none says its own.
pub fn period_seconds(queries: &[Query]) -> u32 {
    let periods = queries.iter().filter_map(|query| match &query.source {
        Source::Metric(stat) => Some(stat.period_seconds),
        Source::Expression { period_seconds, .. } => *period_seconds,
    });
    periods.max().unwrap_or(60)
}

/// The queries over the newest `count` periods of so many seconds that ended by `end`. A metric of another period is read in
/// this one, so that math is over equal periods.
pub(super) fn scope(
    queries: &[Query],
    store: &Store,
    period_seconds: u32,
    (end, count): (Timestamp, u32),
) -> Result<Scope, ApiError> {
    let mut scope = Scope { period_seconds, count: count as usize, ..Scope::default() };
    for query in queries {
        match &query.source {
            Source::Metric(stat) => {
                let points = MetricStat { period_seconds, ..stat.clone() }.points(store, end, count);
                scope.metrics.insert(query.id.clone(), points.iter().map(|point| point.value).collect());
            }
            Source::Expression { text, .. } => {
                let expression = Expression::parse(text).map_err(|error| in_query(&query.id, &error))?;
                scope.expressions.insert(query.id.clone(), expression);
            }
        }
    }
    Ok(scope)
}

/// The starts of the newest `count` periods that ended by `end`, oldest first.
fn starts(seconds: u32, (end, count): (Timestamp, u32)) -> impl Iterator<Item = Timestamp> {
    let end = period_start(end, seconds);
    (1..=i64::from(count)).rev().map(move |back| later(end, -back * i64::from(seconds)))
}

/// The series of one of the queries in `scope`, with the starts of its periods.
pub(super) fn series(scope: &mut Scope, id: &str, window: (Timestamp, u32)) -> Result<Vec<Point>, ApiError> {
    let values = scope.series(id).map_err(|error| in_query(id, &error))?;
    Ok(starts(scope.period_seconds, window).zip(values).map(|(at, value)| Point { at, value }).collect())
}

fn in_query(id: &str, error: &str) -> ApiError {
    validation(format!("Error in expression '{id}': {error}"))
}

/// A query as the API has it. `Period` stands beside an expression or in a `MetricStat`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct QueryInput {
    id: String,
    metric_stat: Option<MetricStatInput>,
    expression: Option<String>,
    label: Option<String>,
    return_data: Option<bool>,
    period: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct MetricStatInput {
    metric: MetricInput,
    period: u32,
    stat: String,
    unit: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct MetricInput {
    namespace: Option<String>,
    metric_name: Option<String>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
}

/// A dimension as the API has it.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Dimension {
    name: String,
    value: String,
}

impl QueryInput {
    /// The query, checked as far as that is possible without the others.
    pub(crate) fn read(self) -> Result<Query, ApiError> {
        let begins = self.id.starts_with(|c: char| c.is_ascii_lowercase());
        if !begins || !self.id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let text = "must begin with a lower case letter and have letters, digits and underscores only";
            return Err(validation(format!("The query id '{}' {text}.", self.id)));
        }
        let source = match (self.metric_stat, self.expression) {
            (Some(stat), None) => Source::Metric(stat.read()?),
            (None, Some(text)) => {
                Expression::parse(&text).map_err(|error| in_query(&self.id, &error))?;
                Source::Expression { text, period_seconds: self.period }
            }
            _ => return Err(validation(format!("The query '{}' must have either MetricStat or Expression.", self.id))),
        };
        Ok(Query { id: self.id, source, label: self.label, return_data: self.return_data.unwrap_or(true) })
    }
}

impl MetricStatInput {
    fn read(self) -> Result<MetricStat, ApiError> {
        let MetricInput { namespace, metric_name, dimensions } = self.metric;
        let (Some(namespace), Some(name)) = (namespace, metric_name) else {
            return Err(validation("A metric must have a Namespace and a MetricName."));
        };
        let metric = MetricName { namespace, name, dimensions: by_name(dimensions) };
        Ok(MetricStat { metric, statistic: statistic(&self.stat)?, period_seconds: self.period, unit: self.unit })
    }
}

/// Dimensions by name.
pub(crate) fn by_name(dimensions: Vec<Dimension>) -> BTreeMap<String, String> {
    dimensions.into_iter().map(|dimension| (dimension.name, dimension.value)).collect()
}

/// Reads a statistic's name, or says which ones there are.
pub(crate) fn statistic(name: &str) -> Result<Statistic, ApiError> {
    let trimmed = ["tm", "wm", "tc", "ts", "pr", "TM", "WM", "TC", "TS", "PR", "IQM"];
    Statistic::parse(name).ok_or_else(|| {
        if trimmed.iter().any(|prefix| name.starts_with(prefix)) {
            ApiError::not_implemented(format!(
                "the statistic {name}; SampleCount, Average, Sum, Minimum, Maximum and p0-p100 are"
            ))
        } else {
            super::invalid_value(format!("The value {name} for parameter Stat is not supported."))
        }
    })
}

impl MetricName {
    /// Dimensions as the API has them.
    pub(crate) fn dimensions_view(&self) -> Vec<Value> {
        self.dimensions.iter().map(|(name, value)| json!({"Name": name, "Value": value})).collect()
    }

    /// The metric as the API has it.
    pub(crate) fn view(&self) -> Value {
        json!({"Namespace": self.namespace, "MetricName": self.name, "Dimensions": self.dimensions_view()})
    }
}

impl Query {
    /// The query as the API has it.
    pub(crate) fn view(&self) -> Value {
        let mut view = json!({"Id": self.id, "ReturnData": self.return_data});
        if let Some(label) = &self.label {
            view["Label"] = json!(label);
        }
        match &self.source {
            Source::Metric(stat) => {
                let metric = stat.metric.view();
                view["MetricStat"] =
                    json!({"Metric": metric, "Period": stat.period_seconds, "Stat": stat.statistic.to_string()});
                if let Some(unit) = &stat.unit {
                    view["MetricStat"]["Unit"] = json!(unit);
                }
            }
            Source::Expression { text, period_seconds } => {
                view["Expression"] = json!(text);
                if let Some(seconds) = period_seconds {
                    view["Period"] = json!(seconds);
                }
            }
        }
        view
    }
}
