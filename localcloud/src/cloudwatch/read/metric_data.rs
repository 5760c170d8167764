//! GetMetricData: several metrics and expressions at once.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use interstella_autoscaling::series::Point;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Span;
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::cloudwatch::query::{self, Query, QueryInput, Source};
use crate::cloudwatch::validation;
use crate::world::World;

/// Queries in a request.
const MAX_QUERIES: usize = 500;
/// Datapoints of an answer; further ones are on the next page.
const MAX_POINTS: usize = 100_800;
/// Periods that a query may span. The history is shorter; this bounds what a request makes the cloud compute.
const MAX_PERIODS: u32 = 100_800;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct GetMetricData {
    metric_data_queries: Vec<Value>,
    start_time: f64,
    end_time: f64,
    next_token: Option<String>,
    scan_by: Option<String>,
    max_datapoints: Option<usize>,
    /// About the time zone of labels, which are not computed here.
    #[serde(rename = "LabelOptions")]
    _label_options: Option<Value>,
}

/// The values of every query that returns data.
pub(crate) fn metric_data(world: &World, now: CloudTime, input: &GetMetricData) -> Answer {
    let span = Span::read(input.start_time, input.end_time)?;
    let queries = queries(&input.metric_data_queries)?;
    let results = results(world, now, span, &queries)?;
    let ascending = input.scan_by.as_deref() == Some("TimestampAscending");
    let most = input.max_datapoints.unwrap_or(MAX_POINTS).min(MAX_POINTS);
    let skip = match &input.next_token {
        None => 0,
        Some(token) => {
            token.parse().map_err(|_| ApiError::new("InvalidNextToken", "The parameter NextToken is not valid."))?
        }
    };
    Ok(page(&results, ascending, skip, most))
}

fn queries(given: &[Value]) -> Result<Vec<Query>, ApiError> {
    if given.len() > MAX_QUERIES {
        return Err(validation(format!(
            "The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."
        )));
    }
    let read = |value: &Value| {
        crate::call::input::<QueryInput>("cloudwatch", "GetMetricData", value.clone()).and_then(QueryInput::read)
    };
    let queries: Vec<Query> = given.iter().map(read).collect::<Result<_, _>>()?;
    unique(&queries)?;
    Ok(queries)
}

/// Refuses two queries with one identifier.
pub(crate) fn unique(queries: &[Query]) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    match queries.iter().find(|query| !seen.insert(&query.id)) {
        Some(twice) => Err(validation(format!("The query id '{}' is not unique.", twice.id))),
        None => Ok(()),
    }
}

/// Every query that returns data with its values, oldest first, without periods that have none. A metric comes in its own period,
/// an expression in the one that it names or else the longest of all.
fn results<'q>(
    world: &World,
    now: CloudTime,
    span: Span,
    queries: &'q [Query],
) -> Result<Vec<(&'q Query, Vec<Point>)>, ApiError> {
    let store = &world.cloudwatch.store;
    let mut scopes = BTreeMap::new();
    let mut results = Vec::new();
    for query in queries.iter().filter(|query| query.return_data) {
        let seconds = match &query.source {
            Source::Metric(stat) => stat.period_seconds,
            Source::Expression { period_seconds, .. } => {
                period_seconds.unwrap_or_else(|| query::period_seconds(queries))
            }
        };
        span.check_period(now, seconds)?;
        let window = span.periods(seconds);
        if window.1 > MAX_PERIODS {
            return Err(validation(format!("The query '{}' spans more than {MAX_PERIODS} periods.", query.id)));
        }
        let points = match &query.source {
            Source::Metric(stat) => stat.points(store, window.0, window.1),
            Source::Expression { .. } => {
                let scope = match scopes.entry(seconds) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(place) => place.insert(query::scope(queries, store, seconds, window)?),
                };
                query::series(scope, &query.id, window)?
            }
        };
        results.push((query, points.into_iter().filter(|point| point.value.is_some()).collect()));
    }
    Ok(results)
}

/// At most `most` points of the results after the first `skip` of them all. A result that goes on is partial.
fn page(results: &[(&Query, Vec<Point>)], ascending: bool, skip: usize, most: usize) -> Value {
    let mut shown = Vec::new();
    let (mut before, end) = (0, skip.saturating_add(most));
    let total: usize = results.iter().map(|(_, points)| points.len()).sum();
    for (query, points) in results {
        let (first, last) = (before, before + points.len());
        before = last;
        // What has no points is shown once, where it stands.
        let here =
            if points.is_empty() { first >= skip && (first < end || total <= end) } else { last > skip && first < end };
        if !here {
            continue;
        }
        let mut ordered = points.clone();
        if !ascending {
            ordered.reverse();
        }
        let part = &ordered[skip.saturating_sub(first).min(ordered.len())..(end - first).min(ordered.len())];
        let status = if last > end { "PartialData" } else { "Complete" };
        shown.push(result(query, part, status));
    }
    let next = (total > end).then(|| end.to_string());
    json!({"MetricDataResults": shown, "NextToken": next, "Messages": []})
}

fn result(query: &Query, points: &[Point], status: &str) -> Value {
    let name = match &query.source {
        Source::Metric(stat) => &stat.metric.name,
        Source::Expression { .. } => &query.id,
    };
    json!({
        "Id": query.id,
        "Label": query.label.as_ref().unwrap_or(name),
        "Timestamps": points.iter().map(|point| point.at.as_second()).collect::<Vec<_>>(),
        "Values": points.iter().map(|point| point.value).collect::<Vec<_>>(),
        "StatusCode": status,
    })
}
