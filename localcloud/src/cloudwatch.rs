//! CloudWatch: metrics, metric math and alarms.
//!
//! ```text
//!   metrics of what runs, PutMetricData ─▶ store ─ points ─▶ query, math ─▶ GetMetricData, GetMetricStatistics
//!                                                              │
//!                                             alarm ◀──────────┘ state, history ─ events ─▶ topics, scaling policies
//! ```
//!
//! How an alarm decides is `interstella_autoscaling`'s business; here it is stored, asked at the right moments and told. Not here:
//! composite and log alarms, anomaly detection, Metrics Insights, dashboards, trimmed statistics; each is refused by name.

pub mod alarm;
mod data;
pub mod math;
pub mod query;
mod read;
pub mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use interstella_autoscaling::series::{Bucket, Point};
use serde_json::Value;

pub use self::alarm::{Alarm, AlarmConfiguration};
pub use self::query::{MetricStat, Query, Source, Watched};
pub use self::store::MetricName;
use crate::call::{self, Answer, ApiError, Call};
use crate::clock::CloudTime;
use crate::world::World;

/// Metrics and alarms. Histories are shared between copies until one of them changes.
#[derive(Debug, Clone, Default)]
pub struct CloudWatch {
    store: Arc<store::Store>,
    /// By name.
    alarms: BTreeMap<String, Alarm>,
    history: Arc<alarm::History>,
}

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, input: Value) -> Answer {
    let now = call.now;
    match operation {
        "PutMetricData" => data::put(world, now, read_input(operation, input)?),
        "GetMetricData" => read::metric_data(world, now, &read_input(operation, input)?),
        "GetMetricStatistics" => read::statistics(world, now, read_input(operation, input)?),
        "ListMetrics" => read::list(world, now, &read_input(operation, input)?),
        "PutMetricAlarm" => alarm::put::put(world, now, read_input(operation, input)?),
        "DescribeAlarms" => alarm::describe::describe(world, &read_input(operation, input)?),
        "DescribeAlarmsForMetric" => alarm::describe::for_metric(world, read_input(operation, input)?),
        "DescribeAlarmHistory" => alarm::describe::history(world, &read_input(operation, input)?),
        "DeleteAlarms" => alarm::change::delete(world, now, &read_input(operation, input)?),
        "SetAlarmState" => alarm::change::set_state(world, now, read_input(operation, input)?),
        "EnableAlarmActions" => alarm::change::enable_actions(world, now, &read_input(operation, input)?, true),
        "DisableAlarmActions" => alarm::change::enable_actions(world, now, &read_input(operation, input)?, false),
        "TagResource" => alarm::tags::tag(world, read_input(operation, input)?),
        "UntagResource" => alarm::tags::untag(world, &read_input(operation, input)?),
        "ListTagsForResource" => alarm::tags::list(world, &read_input(operation, input)?),
        _ => Err(ApiError::not_implemented(format!("cloudwatch {operation}"))),
    }
}

/// Adds values to a metric. `at` is the start of the period in which they were measured, `unit` one of AWS's names of units, such
/// as `Percent`, `Count` or `None`.
pub fn put(world: &mut World, metric: &MetricName, unit: &str, at: CloudTime, bucket: &Bucket) {
    Arc::make_mut(&mut world.cloudwatch.store).put(metric, unit, at.timestamp(), bucket);
}

/// Evaluates every alarm that is due at `now`, a multiple of ten seconds of cloud time: alarms with periods under a minute each
/// time, the others at whole minutes (AWS: user guide, "Evaluating an alarm").
pub fn evaluate(world: &mut World, now: CloudTime) {
    alarm::state::evaluate(world, now);
}

/// Makes an alarm, or gives an existing one another configuration; its state and tags stay.
pub fn put_alarm(world: &mut World, now: CloudTime, configuration: AlarmConfiguration) {
    alarm::put::configure(world, now, configuration, BTreeMap::new());
}

/// Deletes alarms; names that no alarm has are passed over.
pub fn delete_alarms(world: &mut World, now: CloudTime, names: &[String]) {
    alarm::change::delete_all(world, now, names);
}

/// The alarm of this name.
pub fn alarm<'a>(world: &'a World, name: &str) -> Option<&'a Alarm> {
    world.cloudwatch.alarms.get(name)
}

/// Names of the alarms that invoke `action` when they are in ALARM.
pub fn alarms_with_action<'a>(world: &'a World, action: &'a str) -> impl Iterator<Item = &'a str> {
    let named = move |alarm: &&Alarm| alarm.configuration.alarm_actions.iter().any(|given| given == action);
    world.cloudwatch.alarms.values().filter(named).map(|alarm| alarm.configuration.name.as_str())
}

/// The values of the newest `count` periods that ended by `end`, oldest first. Fails if an expression cannot be evaluated.
pub fn points(world: &World, watched: &Watched, end: CloudTime, count: u32) -> Result<Vec<Point>, ApiError> {
    watched.points(&world.cloudwatch.store, end.timestamp(), count)
}

/// Alarms with their tags, by ARN.
pub fn tagged(world: &World) -> Vec<(String, BTreeMap<String, String>)> {
    let alarms = world.cloudwatch.alarms.iter();
    alarms.map(|(name, alarm)| (alarm::arn(world, name), alarm.tags.clone())).collect()
}

fn read_input<T: serde::de::DeserializeOwned>(operation: &str, input: Value) -> Result<T, ApiError> {
    call::input("cloudwatch", operation, input)
}

fn invalid_value(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterValue", message)
}

fn invalid_combination(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterCombination", message)
}

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}
