//! What is read of metrics: one metric's statistic, or a list of queries with metric math over each other.

use interstella_autoscaling::series::{Point, Statistic};
use jiff::Timestamp;

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
            Self::Math(_) => Err(validation("metric math is not there yet")),
        }
    }
}

impl MetricStat {
    fn points(&self, store: &Store, end: Timestamp, count: u32) -> Vec<Point> {
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
