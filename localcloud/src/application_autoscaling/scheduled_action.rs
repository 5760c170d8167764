//! Scheduled actions: they set a target's bounds at times, and move the count between them. Nothing puts the bounds back.

use std::sync::Arc;

use interstella_autoscaling::schedule::{Schedule, Span};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{invalid, part_missing, too_many};
use super::scalable_target::Bounds;
use super::{Timer, activity, change, paging, resource};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::ecs::ServiceKey;
use crate::world::{self, World};

/// Actions on a page, and names in a request, at most.
const PAGE: usize = 50;

/// Actions that a target may have.
const LIMIT: usize = 200;

/// A scheduled action.
#[derive(Debug, Clone)]
pub struct ScheduledAction {
    arn: String,
    created_at: CloudTime,
    /// As it was given.
    schedule: String,
    parsed: Arc<Schedule>,
    /// As it was given; UTC without.
    timezone: Option<String>,
    zone: TimeZone,
    start: Option<CloudTime>,
    end: Option<CloudTime>,
    action: TargetAction,
    /// When it happens next; timers for other moments have lost their reason.
    next: Option<CloudTime>,
}

/// What an action does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct TargetAction {
    min_capacity: Option<u32>,
    max_capacity: Option<u32>,
}

impl TargetAction {
    fn over(self, bounds: Bounds) -> Bounds {
        Bounds { min: self.min_capacity.unwrap_or(bounds.min), max: self.max_capacity.unwrap_or(bounds.max) }
    }

    fn check(self) -> Result<(), ApiError> {
        match (self.min_capacity, self.max_capacity) {
            (None, None) => Err(invalid("A scheduled action sets MinCapacity or MaxCapacity or both.")),
            (Some(min), Some(max)) if min > max => {
                Err(invalid(format!("Maximum capacity {max} cannot be less than minimum capacity {min}.")))
            }
            _ => Ok(()),
        }
    }
}

/// Input of PutScheduledAction. Times are seconds since the epoch.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Put {
    service_namespace: String,
    scheduled_action_name: String,
    resource_id: String,
    scalable_dimension: String,
    schedule: Option<String>,
    timezone: Option<String>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    scalable_target_action: Option<TargetAction>,
}

/// PutScheduledAction: makes an action or changes it. Start and end are those of the request, none where it has none; schedule,
/// time zone and bounds stay where the request leaves them out.
///
/// # Errors
/// `ObjectNotFoundException` without scalable target, `LimitExceededException`, `ValidationException`.
pub fn put(world: &mut World, now: CloudTime, input: Put) -> Answer {
    let key = resource::key(&input.service_namespace, &input.resource_id, &input.scalable_dimension)?;
    let target = world.application_autoscaling.target(&key)?;
    let name = input.scheduled_action_name.clone();
    let stored = target.schedules.get(&name).cloned();
    if stored.is_none() && target.schedules.len() >= LIMIT {
        return Err(too_many("scheduled actions", LIMIT));
    }
    check_name(&name)?;
    let (arn, created_at) = match &stored {
        Some(stored) => (stored.arn.clone(), stored.created_at),
        None => (new_arn(world, &key, &name), now),
    };
    let action = made(input, stored.as_ref(), arn, created_at)?;
    world.application_autoscaling.target_mut(&key)?.schedules.insert(name.clone(), action);
    // What is due at this very moment still happens.
    wait_for_next(world, now, CloudTime::from_millis(now.as_millis() - 1), &key, &name);
    Ok(json!({}))
}

fn new_arn(world: &mut World, key: &ServiceKey, name: &str) -> String {
    let id = world.ids.uuid();
    let resource = resource::id(key);
    world.arn("autoscaling", &format!("scheduledAction:{id}:resource/ecs/{resource}:scheduledActionName/{name}"))
}

/// The action that a request makes of what is stored.
fn made(
    input: Put,
    stored: Option<&ScheduledAction>,
    arn: String,
    created_at: CloudTime,
) -> Result<ScheduledAction, ApiError> {
    let missing = |what: &str| invalid(format!("{what} must be given to make a scheduled action."));
    let schedule = input.schedule.or_else(|| stored.map(|stored| stored.schedule.clone()));
    let schedule = schedule.ok_or_else(|| missing("Schedule"))?;
    let parsed = Schedule::parse(&schedule).map_err(|why| invalid(format!("Invalid schedule {schedule}: {why}")))?;
    let timezone = input.timezone.or_else(|| stored.and_then(|stored| stored.timezone.clone()));
    let zone = TimeZone::get(timezone.as_deref().unwrap_or("UTC"))
        .map_err(|_| invalid(format!("Unknown time zone {}.", timezone.as_deref().unwrap_or_default())))?;
    let action = input.scalable_target_action.or_else(|| stored.map(|stored| stored.action));
    let action = action.ok_or_else(|| missing("ScalableTargetAction"))?;
    action.check()?;
    let (start, end) = (input.start_time.map(from_epoch_seconds), input.end_time.map(from_epoch_seconds));
    if start.zip(end).is_some_and(|(start, end)| start >= end) {
        return Err(invalid("StartTime must be before EndTime."));
    }
    let parsed = Arc::new(parsed);
    Ok(ScheduledAction { arn, created_at, schedule, parsed, timezone, zone, start, end, action, next: None })
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of this era fit")]
fn from_epoch_seconds(seconds: f64) -> CloudTime {
    CloudTime::from_millis((seconds * 1000.0).round() as i64)
}

/// AWS: no control characters, none of `: / |`, no space at either end.
fn check_name(name: &str) -> Result<(), ApiError> {
    let fits = !name.is_empty()
        && name.chars().count() <= 256
        && name.trim_matches(' ') == name
        && !name.contains(|letter: char| letter.is_control() || ":/|".contains(letter));
    if fits {
        return Ok(());
    }
    Err(invalid("A scheduled action's name has 1 to 256 characters, none of : / | and no space at either end."))
}

/// Sets the timer for the first occurrence after `after`.
fn wait_for_next(world: &mut World, now: CloudTime, after: CloudTime, key: &ServiceKey, name: &str) {
    let Ok(target) = world.application_autoscaling.target_mut(key) else { return };
    let Some(action) = target.schedules.get_mut(name) else { return };
    let span = Span {
        start: action.start.unwrap_or(action.created_at).timestamp(),
        end: action.end.map(CloudTime::timestamp),
    };
    let next = action.parsed.next(&action.zone, span, after.timestamp());
    action.next = next.map(CloudTime::from_timestamp);
    if let Some(at) = action.next {
        let timer = Timer::Scheduled { key: key.clone(), name: name.to_owned(), at };
        world.timers.set(at.max(now), world::Timer::ApplicationAutoScaling(timer));
    }
}

/// An occurrence: sets the bounds, moves the count between them, and waits for the next. That is two activities where the count
/// moves (AWS: user guide, "Scaling activities"). One that is suspended is not made up
/// for, and one that would leave the minimum above the maximum changes nothing (unverified).
pub fn occur(world: &mut World, now: CloudTime, key: &ServiceKey, name: &str, at: CloudTime) {
    let Ok(target) = world.application_autoscaling.target_mut(key) else { return };
    let Some(action) = target.schedules.get(name).filter(|action| action.next == Some(at)) else { return };
    let bounds = action.action.over(target.bounds);
    if !target.suspended.scheduled && bounds.min <= bounds.max {
        target.bounds = bounds;
        activity::scheduled(world, now, key, name, bounds);
        change::into_bounds(world, now, key);
    }
    wait_for_next(world, now, at, key, name);
}

/// Input of DeleteScheduledAction.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Delete {
    service_namespace: String,
    scheduled_action_name: String,
    resource_id: String,
    scalable_dimension: String,
}

/// DeleteScheduledAction. The bounds that it set stay.
///
/// # Errors
/// `ObjectNotFoundException` where there is no such action.
pub fn delete(world: &mut World, input: &Delete) -> Answer {
    let key = resource::key(&input.service_namespace, &input.resource_id, &input.scalable_dimension)?;
    let missing = || part_missing("scheduled action", &key, &input.scheduled_action_name);
    let target = world.application_autoscaling.targets.get_mut(&key).ok_or_else(missing)?;
    target.schedules.remove(&input.scheduled_action_name).ok_or_else(missing)?;
    Ok(json!({}))
}

/// Input of DescribeScheduledActions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Describe {
    service_namespace: String,
    #[serde(default)]
    scheduled_action_names: Vec<String>,
    resource_id: Option<String>,
    scalable_dimension: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// DescribeScheduledActions: those asked for, or all.
pub fn describe(world: &World, input: &Describe) -> Answer {
    let wanted =
        resource::filter(&input.service_namespace, input.resource_id.as_deref(), input.scalable_dimension.as_deref())?;
    let names = &input.scheduled_action_names;
    if names.len() > PAGE {
        return Err(invalid(format!("ScheduledActionNames can have at most {PAGE} elements.")));
    }
    let targets = world.application_autoscaling.targets.iter();
    let items = targets
        .filter(|(key, _)| wanted.as_ref().is_none_or(|wanted| wanted == *key))
        .flat_map(|(key, target)| target.schedules.iter().map(move |(name, action)| (key, name, action)))
        .filter(|(_, name, _)| names.is_empty() || names.contains(name))
        .map(|(key, name, action)| (action.arn.clone(), view(key, name, action)))
        .collect();
    paging::answer("ScheduledActions", items, input.max_results, input.next_token.as_deref(), PAGE)
}

fn view(key: &ServiceKey, name: &str, action: &ScheduledAction) -> Value {
    let mut bounds = serde_json::Map::new();
    let TargetAction { min_capacity, max_capacity } = action.action;
    for (member, bound) in [("MinCapacity", min_capacity), ("MaxCapacity", max_capacity)] {
        bounds.extend(bound.map(|bound| (member.to_owned(), json!(bound))));
    }
    let more = json!({
        "ScheduledActionName": name,
        "ScheduledActionARN": action.arn,
        "Schedule": action.schedule,
        "Timezone": action.timezone,
        "StartTime": action.start.map(CloudTime::as_epoch_seconds),
        "EndTime": action.end.map(CloudTime::as_epoch_seconds),
        "ScalableTargetAction": bounds,
        "CreationTime": action.created_at.as_epoch_seconds(),
    });
    resource::shown(key, more)
}
