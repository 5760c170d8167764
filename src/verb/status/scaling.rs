//! The auto scaling of an app as text.

use std::fmt::Write as _;

use interstella_controller::status::scaling::{Activity, Alarm, Policy, Scaling};

/// Lines that each begin with a line break, as those of the status do.
pub fn text(scaling: &Scaling) -> String {
    let Scaling { min, max, source, desired, suspended, policies, activities, why, is_deploying: _ } = scaling;
    // Writing to a String does not fail.
    let mut text = format!("\n  scaling    {desired} of {min} to {max} tasks, bounds from {source}");
    let off = [(suspended.scale_in, "in"), (suspended.scale_out, "out"), (suspended.scheduled, "scheduled")];
    let off: Vec<&str> = off.into_iter().filter(|(is_off, _)| *is_off).map(|(_, name)| name).collect();
    if !off.is_empty() {
        let _ = write!(text, ", suspended: {}", off.join(", "));
    }
    policies.iter().for_each(|one| text.push_str(&policy(one)));
    activities.iter().for_each(|one| text.push_str(&activity(one)));
    if let Some(why) = why {
        let _ = write!(text, "\n    now      {why}");
    }
    text
}

fn policy(policy: &Policy) -> String {
    let Policy { name, r#type, metric, target, unit, alarms, .. } = policy;
    let metric = metric.as_deref().map(|metric| format!(" {metric}")).unwrap_or_default();
    let unit = unit.as_deref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let target = target.map(|target| format!(" at {target}{unit}")).unwrap_or_default();
    let mut text = format!("\n    policy   {name}: {type}{metric}{target}");
    alarms.iter().for_each(|one| text.push_str(&alarm(one, &unit)));
    text
}

fn alarm(alarm: &Alarm, unit: &str) -> String {
    let state = alarm.state.as_deref().unwrap_or("unknown");
    let value = alarm.last_value.map(|value| format!(", last value {value}{unit}")).unwrap_or_default();
    let since = alarm.updated.map(|at| format!(" since {at}")).unwrap_or_default();
    let reason = alarm.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("\n      alarm  {}: {state}{since}{value}{reason}", alarm.name)
}

fn activity(activity: &Activity) -> String {
    let Activity { time, status, cause, description, .. } = activity;
    format!("\n    activity {time} {status}: {description} Cause: {cause}")
}
