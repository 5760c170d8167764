//! How an alarm comes to a state, and what it does then.

use std::sync::Arc;

use interstella_autoscaling::alarm::{Evaluation, State};
use serde_json::json;

use super::Alarm;
use super::notification::{self, moment};
use crate::clock::CloudTime;
use crate::cloudwatch::query::Watched;
use crate::event::{AlarmAction, Event};
use crate::world::World;

const MINUTE_MILLIS: i64 = 60_000;

/// Evaluates every alarm that is due.
pub(crate) fn evaluate(world: &mut World, now: CloudTime) {
    let whole_minute = now.as_millis() % MINUTE_MILLIS == 0;
    let due = |alarm: &&Alarm| whole_minute || alarm.configuration.watched.period_seconds() < 60;
    let evaluated: Vec<(String, Evaluation)> =
        world.cloudwatch.alarms.values().filter(due).map(|alarm| evaluation(world, now, alarm)).collect();
    for (name, evaluation) in evaluated {
        let Some(alarm) = world.cloudwatch.alarms.get_mut(&name) else { continue };
        alarm.datapoints.clone_from(&evaluation.datapoints);
        if alarm.state == evaluation.state {
            if whole_minute {
                repeat(world, &name);
            }
            continue;
        }
        let data = reason_data(now, alarm, &evaluation);
        enter(world, now, &name, (evaluation.state, evaluation.reason, Some(data)));
    }
}

/// What the engine says about the alarm. PutMetricAlarm has tried its expression, so one that cannot be evaluated
/// lacks values, and that is missing data.
fn evaluation(world: &World, now: CloudTime, alarm: &Alarm) -> (String, Evaluation) {
    let configuration = &alarm.configuration;
    let rule = configuration.rule();
    let range = rule.evaluation_range();
    let points = configuration.watched.points(&world.cloudwatch.store, now.timestamp(), range).unwrap_or_default();
    (configuration.name.clone(), rule.evaluate(&points, alarm.state))
}

/// Puts an alarm into a state and invokes that state's actions if it was another before.
pub(super) fn enter(
    world: &mut World,
    now: CloudTime,
    name: &str,
    (state, reason, data): (State, String, Option<String>),
) {
    let Some(alarm) = world.cloudwatch.alarms.get_mut(name) else { return };
    let before = (alarm.state, std::mem::replace(&mut alarm.state_reason, reason), alarm.state_reason_data.take());
    alarm.state = state;
    alarm.state_reason_data = data;
    alarm.state_updated = now;
    if before.0 == state {
        return;
    }
    alarm.state_transitioned = now;
    let alarm = alarm.clone();
    let history = Arc::make_mut(&mut world.cloudwatch.history);
    history.transitioned(now, (before.0, &before.1, before.2.as_deref()), &alarm);
    let actions = if alarm.configuration.actions_enabled { alarm.configuration.actions(state) } else { &[] };
    for action in actions {
        Arc::make_mut(&mut world.cloudwatch.history).acted(now, &alarm, action);
        act(world, &alarm, before.0, action);
    }
}

/// Invokes scaling policies again while an alarm stays in its state, as CloudWatch does every minute; topics hear of changes only
/// (AWS: user guide, "Using Amazon CloudWatch alarms", alarm actions).
fn repeat(world: &mut World, name: &str) {
    let Some(alarm) = world.cloudwatch.alarms.get(name).filter(|alarm| alarm.configuration.actions_enabled) else {
        return;
    };
    let alarm = alarm.clone();
    let policies =
        alarm.configuration.actions(alarm.state).iter().filter(|arn| arn.starts_with("arn:aws:autoscaling:"));
    for action in policies {
        act(world, &alarm, alarm.state, action);
    }
}

fn act(world: &mut World, alarm: &Alarm, before: State, action: &str) {
    let (subject, notification) = notification::of(world, alarm, before);
    world.events.push(Event::AlarmAction(AlarmAction {
        action_arn: action.to_owned(),
        alarm: alarm.configuration.name.clone(),
        state: alarm.state,
        datapoints: alarm.datapoints.clone(),
        notification,
        subject,
    }));
}

/// The reason as JSON, as CloudWatch writes it into `StateReasonData`.
fn reason_data(now: CloudTime, alarm: &Alarm, evaluation: &Evaluation) -> String {
    let watched = &alarm.configuration.watched;
    let mut data = json!({"version": "1.0", "queryDate": moment(now.timestamp())});
    if let Some((start, _)) = evaluation.datapoints.first() {
        data["startDate"] = json!(moment(*start));
    }
    if let Watched::Metric(stat) = watched {
        data["statistic"] = json!(stat.statistic.to_string());
        if let Some(unit) = &stat.unit {
            data["unit"] = json!(unit);
        }
    }
    data["period"] = json!(watched.period_seconds());
    data["recentDatapoints"] = evaluation.datapoints.iter().map(|(_, value)| *value).collect();
    data["threshold"] = json!(alarm.configuration.threshold);
    let evaluated = evaluation.datapoints.iter().rev();
    data["evaluatedDatapoints"] =
        evaluated.map(|(at, value)| json!({"timestamp": moment(*at), "value": value})).collect();
    data.to_string()
}
