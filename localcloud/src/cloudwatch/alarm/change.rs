//! Calls that change alarms besides PutMetricAlarm.

use std::sync::Arc;

use interstella_autoscaling::series::later;
use serde::Deserialize;
use serde_json::{Value, json};

use super::state::enter;
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::cloudwatch::validation;
use crate::world::World;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct AlarmNames {
    #[serde(default)]
    alarm_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct SetAlarmState {
    alarm_name: String,
    state_value: String,
    state_reason: String,
    state_reason_data: Option<String>,
}

/// Deletes alarms. That a name without an alarm is passed over is unverified; the model has an error that may be for it.
pub(crate) fn delete(world: &mut World, now: CloudTime, input: &AlarmNames) -> Answer {
    delete_all(world, now, &input.alarm_names);
    Ok(json!({}))
}

/// Deletes the alarms that are there.
pub(crate) fn delete_all(world: &mut World, now: CloudTime, names: &[String]) {
    let cloudwatch = &mut world.cloudwatch;
    for name in names {
        if let Some(alarm) = cloudwatch.alarms.remove(name) {
            Arc::make_mut(&mut cloudwatch.history).configured(now, "deleted", &alarm.configuration);
        }
    }
}

/// Puts an alarm into a state until it is evaluated the next time.
pub(crate) fn set_state(world: &mut World, now: CloudTime, input: SetAlarmState) -> Answer {
    let not_found = || ApiError::with_status("ResourceNotFound", 404, "");
    let alarm = world.cloudwatch.alarms.get_mut(&input.alarm_name).ok_or_else(not_found)?;
    let state = super::state(&input.state_value);
    let state = state.ok_or_else(|| validation(format!("The state {} is not known.", input.state_value)))?;
    let values = input.state_reason_data.as_deref().map(recent_datapoints).transpose()?.unwrap_or_default();
    let seconds = i64::from(alarm.configuration.watched.period_seconds());
    let newest_first = values.iter().rev().zip(1..);
    alarm.datapoints = newest_first.map(|(value, back)| (later(now.timestamp(), -back * seconds), *value)).collect();
    alarm.datapoints.reverse();
    enter(world, now, &input.alarm_name, (state, input.state_reason, input.state_reason_data));
    Ok(json!({}))
}

/// The values in what SetAlarmState was given as reason: JSON, which need not have any.
fn recent_datapoints(data: &str) -> Result<Vec<f64>, ApiError> {
    let invalid = |_| ApiError::new("InvalidFormat", "StateReasonData is not valid JSON.");
    let data: Value = serde_json::from_str(data).map_err(invalid)?;
    let values = data.get("recentDatapoints").and_then(Value::as_array);
    Ok(values.into_iter().flatten().filter_map(Value::as_f64).collect())
}

/// Lets alarms act or not.
pub(crate) fn enable_actions(world: &mut World, now: CloudTime, input: &AlarmNames, enabled: bool) -> Answer {
    let cloudwatch = &mut world.cloudwatch;
    for name in &input.alarm_names {
        let Some(alarm) = cloudwatch.alarms.get_mut(name) else { continue };
        if alarm.configuration.actions_enabled != enabled {
            alarm.configuration.actions_enabled = enabled;
            alarm.configuration_updated = now;
            Arc::make_mut(&mut cloudwatch.history).configured(now, "updated", &alarm.configuration);
        }
    }
    Ok(json!({}))
}
