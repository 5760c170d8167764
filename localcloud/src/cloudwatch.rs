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
pub mod query;
pub mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use interstella_autoscaling::series::{Bucket, Point};
use serde_json::Value;

pub use self::alarm::{Alarm, AlarmConfiguration};
pub use self::query::{MetricStat, Query, Source, Watched};
pub use self::store::MetricName;
use crate::call::{Answer, ApiError, Call};
use crate::clock::CloudTime;
use crate::world::World;

/// Metrics and alarms. Histories are shared between copies until one of them changes.
#[derive(Debug, Clone, Default)]
pub struct CloudWatch {
    store: Arc<store::Store>,
    /// By name.
    alarms: BTreeMap<String, Alarm>,
}

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, input: Value) -> Answer {
    let _ = (world, call, input);
    Err(ApiError::not_implemented(format!("cloudwatch {operation}")))
}

/// Adds values to a metric. `at` is the start of the period in which they were measured, `unit` one of AWS's names of units, such
/// as `Percent`, `Count` or `None`.
pub fn put(world: &mut World, metric: &MetricName, unit: &str, at: CloudTime, bucket: &Bucket) {
    Arc::make_mut(&mut world.cloudwatch.store).put(metric, unit, at.timestamp(), bucket);
}

/// Evaluates every alarm that is due at `now`, a multiple of ten seconds of cloud time: alarms with periods under a minute each
/// time, the others at whole minutes (AWS: user guide, "Evaluating an alarm").
pub fn evaluate(world: &mut World, now: CloudTime) {
    let _ = (world, now);
}

/// Makes an alarm, or gives an existing one another configuration; its state and tags stay.
pub fn put_alarm(world: &mut World, now: CloudTime, configuration: AlarmConfiguration) {
    let alarm = Alarm {
        configuration_updated: now,
        state: interstella_autoscaling::alarm::State::InsufficientData,
        state_reason: "Unchecked: Initial alarm creation".to_owned(),
        state_reason_data: None,
        datapoints: Vec::new(),
        state_updated: now,
        state_transitioned: now,
        tags: BTreeMap::new(),
        configuration,
    };
    world.cloudwatch.alarms.insert(alarm.configuration.name.clone(), alarm);
}

/// Deletes alarms; names that no alarm has are passed over.
pub fn delete_alarms(world: &mut World, now: CloudTime, names: &[String]) {
    let _ = now;
    world.cloudwatch.alarms.retain(|name, _| !names.contains(name));
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

fn validation(message: impl Into<String>) -> ApiError {
    ApiError::new("ValidationError", message)
}
