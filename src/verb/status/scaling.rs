//! The auto scaling of an app as text.

use std::fmt::Write as _;

use interstella_controller::status::scaling::{Activity, Alarm, Policy, Scaling};

use crate::moment::Reader;
use crate::output::count;

/// Lines that each begin with a line break, as those of the status do.
pub fn text(scaling: &Scaling, reader: &Reader) -> String {
    let Scaling { min, max, source, desired, suspended, policies, activities, why, is_deploying: _ } = scaling;
    let most = count(*max, "task", "tasks");
    // Writing to a String does not fail.
    let mut text = format!("\n  scaling      {desired} of {min} to {most}, bounds from {source}");
    let off = [(suspended.scale_in, "in"), (suspended.scale_out, "out"), (suspended.scheduled, "scheduled")];
    let off: Vec<&str> = off.into_iter().filter(|(is_off, _)| *is_off).map(|(_, name)| name).collect();
    if !off.is_empty() {
        let _ = write!(text, ", suspended: {}", off.join(", "));
    }
    policies.iter().for_each(|one| text.push_str(&policy(one, reader)));
    activities.iter().for_each(|one| text.push_str(&activity(one, reader)));
    if let Some(why) = why {
        let _ = write!(text, "\n    now      {why}");
    }
    text
}

fn policy(policy: &Policy, reader: &Reader) -> String {
    let Policy { name, r#type, metric, target, unit, alarms, .. } = policy;
    let metric = metric.as_deref().map(|metric| format!(" {metric}")).unwrap_or_default();
    let unit = unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let target = target.map(|target| format!(" at {target}{unit}")).unwrap_or_default();
    let mut text = format!("\n    policy   {name}: {type}{metric}{target}");
    alarms.iter().for_each(|one| text.push_str(&alarm(one, &unit, reader)));
    text
}

fn alarm(alarm: &Alarm, unit: &str, reader: &Reader) -> String {
    let state = alarm.state.as_deref().unwrap_or("unknown");
    let value = alarm.last_value.map(|value| format!(", last value {value}{unit}")).unwrap_or_default();
    let since = alarm.updated.map(|at| format!(" since {}", reader.time_and_age(at))).unwrap_or_default();
    let reason = alarm.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("\n      alarm  {}: {state}{since}{value}{reason}", alarm.name)
}

fn activity(activity: &Activity, reader: &Reader) -> String {
    let Activity { time, status, cause, description, .. } = activity;
    let time = reader.time_and_age(*time);
    format!("\n    activity {time} {status}: {description} Cause: {cause}")
}
