//! PutMetricData: values of one's own metrics.

use std::sync::Arc;

use interstella_autoscaling::series::{Bucket, period_start};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use super::query::{Dimension, by_name};
use super::read::moment;
use super::{MetricName, invalid_combination, invalid_value};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

/// Metrics in a request.
const MAX_DATA: usize = 1000;
/// Values of a metric in a request.
const MAX_VALUES: usize = 150;
/// Values are between minus this and this: 2^360.
const MAX_VALUE: f64 = 2.348_542_582_773_833_3e108;
/// Seconds that a timestamp may lie back, and ahead.
const OLDEST: f64 = 14.0 * 86_400.0;
const NEWEST: f64 = 2.0 * 3_600.0;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PutMetricData {
    namespace: String,
    #[serde(default)]
    metric_data: Vec<Datum>,
    /// About entities only, which are not here.
    #[serde(rename = "StrictEntityValidation")]
    _strict: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Datum {
    metric_name: String,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    timestamp: Option<f64>,
    value: Option<f64>,
    statistic_values: Option<StatisticSet>,
    #[serde(default)]
    values: Vec<f64>,
    #[serde(default)]
    counts: Vec<f64>,
    unit: Option<String>,
    storage_resolution: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct StatisticSet {
    sample_count: f64,
    sum: f64,
    minimum: f64,
    maximum: f64,
}

/// Takes in every value of the request, or none if one is wrong.
pub(super) fn put(world: &mut World, now: CloudTime, input: PutMetricData) -> Answer {
    if input.namespace.starts_with("AWS/") {
        return Err(invalid_value(format!("The value {} for parameter Namespace is invalid.", input.namespace)));
    }
    if input.metric_data.len() > MAX_DATA {
        return Err(invalid_value(format!("The collection MetricData must not have a size greater than {MAX_DATA}.")));
    }
    let read: Result<Vec<_>, ApiError> = input.metric_data.into_iter().map(|datum| datum.read(now)).collect();
    let store = Arc::make_mut(&mut world.cloudwatch.store);
    for (mut metric, unit, at, bucket) in read? {
        metric.namespace.clone_from(&input.namespace);
        store.put(&metric, &unit, at, &bucket);
    }
    Ok(json!({}))
}

impl Datum {
    fn read(self, now: CloudTime) -> Result<(MetricName, String, Timestamp, Bucket), ApiError> {
        let at = self.at(now)?;
        let bucket = self.bucket()?;
        let metric =
            MetricName { namespace: String::new(), name: self.metric_name, dimensions: by_name(self.dimensions) };
        Ok((metric, self.unit.unwrap_or_else(|| "None".to_owned()), at, bucket))
    }

    /// The start of the second, or of the minute, to which the values belong.
    fn at(&self, now: CloudTime) -> Result<Timestamp, ApiError> {
        let seconds = self.timestamp.unwrap_or_else(|| now.as_epoch_seconds());
        let age = now.as_epoch_seconds() - seconds;
        if !(-NEWEST..=OLDEST).contains(&age) {
            let text = "must specify a time within the past two weeks and no more than two hours in the future";
            return Err(invalid_value(format!("The parameter MetricData.member.Timestamp {text}.")));
        }
        match self.storage_resolution.unwrap_or(60) {
            1 => Ok(period_start(moment(seconds), 1)),
            60 => Ok(period_start(moment(seconds), 60)),
            other => Err(invalid_value(format!(
                "The value {other} for parameter StorageResolution is invalid: it is 1 or 60."
            ))),
        }
    }

    fn bucket(&self) -> Result<Bucket, ApiError> {
        let bucket = match (self.value, &self.statistic_values, self.values.as_slice()) {
            (Some(value), None, []) => checked(value).map(|value| Some(Bucket::of(value)))?,
            (None, Some(set), []) => set.bucket()?,
            (None, None, values) if !values.is_empty() => self.counted()?,
            _ => {
                let text = "exactly one of the parameters Value, StatisticValues and Values is needed";
                return Err(invalid_combination(format!("For the metric {} {text}.", self.metric_name)));
            }
        };
        bucket.ok_or_else(|| invalid_value("The parameter SampleCount must be greater than 0."))
    }

    fn counted(&self) -> Result<Option<Bucket>, ApiError> {
        if self.values.len() > MAX_VALUES {
            return Err(invalid_value(format!(
                "The collection Values must not have a size greater than {MAX_VALUES}."
            )));
        }
        if !self.counts.is_empty() && self.counts.len() != self.values.len() {
            return Err(invalid_combination("The parameters Values and Counts must have the same size."));
        }
        let counts = self.counts.iter().copied().chain(std::iter::repeat(1.0));
        let mut buckets = Vec::with_capacity(self.values.len());
        for (value, count) in self.values.iter().zip(counts) {
            if checked(count)? <= 0.0 {
                return Err(invalid_value("The parameter Counts must have values greater than 0."));
            }
            buckets.push(Bucket::of_counted(checked(*value)?, count));
        }
        Ok(Bucket::merged(buckets))
    }
}

impl StatisticSet {
    /// A set of equal values keeps its percentiles (AWS: PutMetricData).
    fn bucket(&self) -> Result<Option<Bucket>, ApiError> {
        for value in [self.sample_count, self.sum, self.minimum, self.maximum] {
            checked(value)?;
        }
        if self.minimum > self.maximum {
            return Err(invalid_combination("The parameter Minimum must not be greater than Maximum."));
        }
        let equal = self.minimum == self.maximum && self.sum == self.minimum * self.sample_count;
        if equal && self.sample_count > 0.0 {
            return Ok(Some(Bucket::of_counted(self.minimum, self.sample_count)));
        }
        Ok(Bucket::of_statistics(self.sample_count, self.sum, self.minimum, self.maximum))
    }
}

fn checked(value: f64) -> Result<f64, ApiError> {
    if value.is_finite() && value.abs() <= MAX_VALUE {
        return Ok(value);
    }
    Err(invalid_value(format!("The value {value} must be in the range of -2^360 to 2^360.")))
}
