//! A change of a service's count: the activity that tells of it, from the order to ECS until as many tasks run.

use std::time::Duration;

use interstella_autoscaling::activity::{Cause, Status};
use interstella_autoscaling::combine::within_bounds;

use super::{Timer, activity};
use crate::clock::CloudTime;
use crate::ecs::{self, ServiceKey};
use crate::world::{self, World};

/// How often a change under way is looked at, in cloud time. AWS's rhythm is not documented.
const RHYTHM: Duration = Duration::from_secs(1);

/// A change that is not yet fulfilled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnderWay {
    /// ID of its activity.
    activity: String,
    /// The count that was ordered.
    to: u32,
}

/// Sets the count and begins the activity that tells of it. A change that is under way has been overridden by that (unverified
/// for changes of Application Auto Scaling's own).
pub fn begin(world: &mut World, now: CloudTime, key: &ServiceKey, to: u32, cause: &Cause) {
    if let Some(earlier) = world.application_autoscaling.under_way.remove(key) {
        activity::end(world, now, key, &earlier.activity, Status::Overridden, to);
    }
    if !ecs::set_desired_count(world, now, key, to) {
        return;
    }
    let activity = activity::begin(world, now, key, cause.to_string(), to);
    let under_way = UnderWay { activity: activity.clone(), to };
    world.application_autoscaling.under_way.insert(key.clone(), under_way);
    look_again(world, now, key, activity);
}

fn look_again(world: &mut World, now: CloudTime, key: &ServiceKey, activity: String) {
    let timer = Timer::Fulfilled { key: key.clone(), activity };
    world.timers.set(now.after(RHYTHM), world::Timer::ApplicationAutoScaling(timer));
}

/// Looks whether a change has been fulfilled or overridden; cooldowns begin then.
pub fn look(world: &mut World, now: CloudTime, key: &ServiceKey, activity: String) {
    let under_way = world.application_autoscaling.under_way.get(key);
    let Some(to) = under_way.filter(|change| change.activity == activity).map(|change| change.to) else { return };
    // A service that is being deleted has been set to no tasks.
    let desired = ecs::desired_count(world, key).unwrap_or(0);
    let status = if desired != to {
        Status::Overridden
    } else if ecs::running_count(world, key) == to {
        Status::Successful
    } else {
        return look_again(world, now, key, activity);
    };
    world.application_autoscaling.under_way.remove(key);
    activity::end(world, now, key, &activity, status, desired);
    if let Some(target) = world.application_autoscaling.targets.get_mut(key) {
        target.cooldowns.ended(now.timestamp());
    }
}

/// Moves the count between the target's bounds, if it is beyond one.
pub fn into_bounds(world: &mut World, now: CloudTime, key: &ServiceKey) {
    let Some(target) = world.application_autoscaling.targets.get(key) else { return };
    let bounds = target.bounds;
    let Some(count) = ecs::desired_count(world, key) else { return };
    let Some(cause) = Cause::of_bounds(count, bounds.min, bounds.max) else { return };
    begin(world, now, key, within_bounds(count, bounds.min, bounds.max), &cause);
}
