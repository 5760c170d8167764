//! The newest values of what alarms look at. An alarm's own record has only those that led to its last change of state.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{Metric, MetricAlarm, MetricDataQuery, MetricStat, ScanBy, Statistic};
use aws_smithy_types::DateTime;
use jiff::{Timestamp, ToSpan};

use crate::aws::Aws;
use crate::error::Error;

/// How far back a value is looked for: as long as the low alarm of target tracking looks.
const BACK_MINUTES: i64 = 15;
/// How far ahead of what is known of AWS's time: that of a local cloud may pass faster than ours.
const AHEAD_HOURS: i64 = 72;

/// A value with the end of the period that it is of.
pub(crate) type Newest = (Timestamp, f64);

/// The newest value of each alarm on a single metric, by the alarm's name. `known` is what AWS's time is at least.
///
/// # Errors
/// When the read fails.
pub(crate) async fn values(
    aws: &Aws,
    alarms: &[&MetricAlarm],
    known: Timestamp,
) -> Result<BTreeMap<String, Newest>, Error> {
    let queries: Vec<MetricDataQuery> = alarms.iter().enumerate().filter_map(query).collect();
    if queries.is_empty() {
        return Ok(BTreeMap::new());
    }
    let at = |time: Timestamp| DateTime::from_secs(time.as_second());
    let (from, to) = (known - BACK_MINUTES.minutes(), known + AHEAD_HOURS.hours());
    let call = aws.read.cloudwatch.get_metric_data().set_metric_data_queries(Some(queries));
    let call = call.start_time(at(from)).end_time(at(to)).scan_by(ScanBy::TimestampDescending).send().await;
    let answer = call.map_err(Error::of("cloudwatch:GetMetricData"))?;
    let newest = answer.metric_data_results().iter().filter_map(|one| {
        let (_, alarm) = alarms.iter().enumerate().find(|(index, _)| Some(id(*index).as_str()) == one.id())?;
        let start = Timestamp::from_second(one.timestamps().first()?.secs()).ok()?;
        let end = start + i64::from(alarm.period.unwrap_or(0)).seconds();
        Some((alarm.alarm_name.clone()?, (end, *one.values().first()?)))
    });
    Ok(newest.collect())
}

fn id(index: usize) -> String {
    format!("alarm{index}")
}

/// What the alarm looks at. One on metric math has no single metric; its values are in its reason only.
fn query((index, alarm): (usize, &&MetricAlarm)) -> Option<MetricDataQuery> {
    let metric = Metric::builder().namespace(alarm.namespace()?).metric_name(alarm.metric_name()?);
    let metric = metric.set_dimensions(alarm.dimensions.clone()).build();
    let statistic = alarm.statistic().map(Statistic::as_str).or(alarm.extended_statistic())?;
    let stat = MetricStat::builder().metric(metric).period(alarm.period()?).stat(statistic);
    let stat = stat.set_unit(alarm.unit.clone()).build();
    Some(MetricDataQuery::builder().id(id(index)).metric_stat(stat).build())
}
