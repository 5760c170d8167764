//! Scaling activities: what was done to a service's count and why, newest first. They outlive their target.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use interstella_autoscaling::activity::{
    Status, description, description_of_bounds, description_of_none, scheduled_cause, status_message,
    status_message_of_bounds,
};
use interstella_autoscaling::combine::NotScaled;
use serde::Deserialize;
use serde_json::{Value, json};

use super::scalable_target::Bounds;
use super::{paging, resource};
use crate::call::Answer;
use crate::clock::CloudTime;
use crate::ecs::ServiceKey;
use crate::world::World;

/// Activities on a page, at most.
const PAGE: usize = 50;

/// Activities that are kept for a service.
const KEPT: usize = 1_000;
/// How long an activity is kept, in cloud time (AWS: six weeks).
const LIFE: Duration = Duration::from_hours(6 * 7 * 24);

/// The activities of one service, newest first. Copies of the world share them until one changes.
pub type Activities = Arc<VecDeque<Activity>>;

/// A scaling activity.
#[derive(Debug, Clone)]
pub struct Activity {
    id: String,
    cause: String,
    outcome: Outcome,
    started_at: CloudTime,
    ended_at: Option<CloudTime>,
}

/// What an activity came to.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// The count was set.
    Set {
        to: u32,
        status: Status,
        /// The count that was found afterwards.
        found: u32,
    },
    /// A scheduled action set the bounds.
    Bounded(Bounds),
    /// The count stayed.
    NotScaled(NotScaled),
}

/// Records that the count is being set, and returns the activity's ID.
pub fn begin(world: &mut World, now: CloudTime, key: &ServiceKey, cause: String, to: u32) -> String {
    let outcome = Outcome::Set { to, status: Status::InProgress, found: to };
    record(world, key, Activity { id: String::new(), cause, outcome, started_at: now, ended_at: None })
}

/// Records that an alarm led to no scaling, unless the newest activity says the same already.
pub fn not_scaled(world: &mut World, now: CloudTime, key: &ServiceKey, cause: String, reason: NotScaled) {
    let outcome = Outcome::NotScaled(reason);
    let newest = world.application_autoscaling.activities.get(key).and_then(|all| all.front());
    if newest.is_some_and(|newest| newest.outcome == outcome && newest.cause == cause) {
        return;
    }
    record(world, key, Activity { id: String::new(), cause, outcome, started_at: now, ended_at: Some(now) });
}

/// Records that a scheduled action has set the bounds. As recorded on AWS, such an activity has no end.
pub fn scheduled(world: &mut World, now: CloudTime, key: &ServiceKey, action: &str, bounds: Bounds) {
    let (cause, outcome) = (scheduled_cause(action), Outcome::Bounded(bounds));
    record(world, key, Activity { id: String::new(), cause, outcome, started_at: now, ended_at: None });
}

fn record(world: &mut World, key: &ServiceKey, mut activity: Activity) -> String {
    let id = world.ids.uuid();
    activity.id.clone_from(&id);
    let now = activity.started_at;
    let is_over = |activity: &Activity| now.since(activity.started_at) > LIFE;
    world.application_autoscaling.activities.retain(|_, all| all.front().is_some_and(|newest| !is_over(newest)));
    let all = world.application_autoscaling.activities.entry(key.clone()).or_default();
    let all = Arc::make_mut(all);
    all.push_front(activity);
    all.truncate(KEPT);
    while all.back().is_some_and(is_over) {
        all.pop_back();
    }
    id
}

/// Ends the activity called `id`; `found` is the service's count then.
pub fn end(world: &mut World, now: CloudTime, key: &ServiceKey, id: &str, status: Status, found: u32) {
    let Some(all) = world.application_autoscaling.activities.get_mut(key) else { return };
    let Some(activity) = Arc::make_mut(all).iter_mut().find(|activity| activity.id == id) else { return };
    activity.ended_at = Some(now);
    if let Outcome::Set { status: stored_status, found: stored_found, .. } = &mut activity.outcome {
        (*stored_status, *stored_found) = (status, found);
    }
}

/// Input of DescribeScalingActivities.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Describe {
    service_namespace: String,
    resource_id: Option<String>,
    scalable_dimension: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
    #[serde(default)]
    include_not_scaled_activities: bool,
}

/// DescribeScalingActivities: newest first; those that did not scale only where they are asked for.
pub fn describe(world: &World, input: &Describe) -> Answer {
    let wanted =
        resource::filter(&input.service_namespace, input.resource_id.as_deref(), input.scalable_dimension.as_deref())?;
    let services = world.application_autoscaling.activities.iter();
    let services = services.filter(|(key, _)| wanted.as_ref().is_none_or(|wanted| wanted == *key));
    let mut found: Vec<(&ServiceKey, &Activity)> = services
        .flat_map(|(key, all)| all.iter().map(move |activity| (key, activity)))
        .filter(|(_, activity)| {
            input.include_not_scaled_activities || !matches!(activity.outcome, Outcome::NotScaled(_))
        })
        .collect();
    // Stable, so activities of one service stay in their order.
    found.sort_by_key(|(_, activity)| std::cmp::Reverse(activity.started_at));
    let items = found.into_iter().map(|(key, activity)| (activity.id.clone(), view(key, activity))).collect();
    paging::answer("ScalingActivities", items, input.max_results, input.next_token.as_deref(), PAGE)
}

fn view(key: &ServiceKey, activity: &Activity) -> Value {
    let (description, status, message, reasons) = match &activity.outcome {
        Outcome::Set { to, status, found } => (description(*to), *status, status_message(*status, *to, *found), None),
        Outcome::Bounded(Bounds { min, max }) => {
            (description_of_bounds(*min, *max), Status::Successful, status_message_of_bounds(*min, *max), None)
        }
        Outcome::NotScaled(reason) => {
            let text = description_of_none().to_owned();
            (text, reason.status(), String::new(), Some(json!([reason_view(*reason)])))
        }
    };
    let more = json!({
        "ActivityId": activity.id,
        "Description": description,
        "Cause": activity.cause,
        "StartTime": activity.started_at.as_epoch_seconds(),
        "EndTime": activity.ended_at.map(CloudTime::as_epoch_seconds),
        "StatusCode": status.name(),
        "StatusMessage": (!message.is_empty()).then_some(message),
        "NotScaledReasons": reasons,
    });
    resource::shown(key, more)
}

/// A reason with the capacity that it is about.
fn reason_view(reason: NotScaled) -> Value {
    let code = reason.code();
    match reason {
        NotScaled::AnticipatedFlapping => json!({"Code": code}),
        NotScaled::AlreadyAtMaxCapacity(capacity) => json!({"Code": code, "MaxCapacity": capacity}),
        NotScaled::AlreadyAtMinCapacity(capacity) => json!({"Code": code, "MinCapacity": capacity}),
        NotScaled::AlreadyAtDesiredCapacity(capacity) => json!({"Code": code, "CurrentCapacity": capacity}),
    }
}
