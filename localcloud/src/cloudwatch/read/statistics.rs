//! GetMetricStatistics.

use interstella_autoscaling::series::{Bucket, Statistic, later};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Span;
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::cloudwatch::query::{Dimension, by_name, statistic};
use crate::cloudwatch::{MetricName, invalid_combination};
use crate::world::World;

/// Datapoints of an answer.
const MAX_POINTS: u32 = 1440;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct GetMetricStatistics {
    namespace: String,
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    start_time: f64,
    end_time: f64,
    period: u32,
    #[serde(default)]
    statistics: Vec<String>,
    #[serde(default)]
    extended_statistics: Vec<String>,
    unit: Option<String>,
}

/// The statistics of every period that has values, one datapoint for each unit.
pub(crate) fn statistics(world: &World, now: CloudTime, input: GetMetricStatistics) -> Answer {
    let span = Span::read(input.start_time, input.end_time)?;
    span.check_period(now, input.period)?;
    let (end, count) = span.periods(input.period);
    check_count(span.length(input.period))?;
    let read = |names: &[String]| names.iter().map(|name| statistic(name)).collect::<Result<Vec<_>, ApiError>>();
    let (plain, extended) = (read(&input.statistics)?, read(&input.extended_statistics)?);
    if plain.is_empty() == extended.is_empty() {
        return Err(invalid_combination("Exactly one of the parameters Statistics and ExtendedStatistics is needed."));
    }
    let name =
        MetricName { namespace: input.namespace, name: input.metric_name, dimensions: by_name(input.dimensions) };
    let store = &world.cloudwatch.store;
    let units: Vec<&str> = store.units(&name).filter(|unit| input.unit.as_ref().is_none_or(|of| of == unit)).collect();
    let mut datapoints = Vec::new();
    for back in (1..=i64::from(count)).rev() {
        let at = later(end, -back * i64::from(input.period));
        for unit in &units {
            if let Some(bucket) = store.bucket(&name, Some(unit), input.period, at) {
                datapoints.push(datapoint(at.as_second(), unit, &bucket, (&plain, &extended)));
            }
        }
    }
    Ok(json!({"Label": name.name, "Datapoints": datapoints}))
}

fn check_count(count: u32) -> Result<(), ApiError> {
    if count <= MAX_POINTS {
        return Ok(());
    }
    Err(invalid_combination(format!(
        "You have requested up to {count} datapoints, which exceeds the limit of {MAX_POINTS}. You may reduce the datapoints \
         requested by increasing Period, or decreasing the time range."
    )))
}

fn datapoint(second: i64, unit: &str, bucket: &Bucket, (plain, extended): (&[Statistic], &[Statistic])) -> Value {
    let values = |statistics: &[Statistic]| -> Map<String, Value> {
        let known = statistics.iter().filter_map(|of| Some((of.to_string(), json!(bucket.statistic(*of)?))));
        known.collect()
    };
    let mut datapoint = values(plain);
    datapoint.insert("Timestamp".to_owned(), json!(second));
    datapoint.insert("Unit".to_owned(), json!(unit));
    if !extended.is_empty() {
        datapoint.insert("ExtendedStatistics".to_owned(), Value::Object(values(extended)));
    }
    Value::Object(datapoint)
}
