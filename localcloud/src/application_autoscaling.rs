//! Application Auto Scaling, of which only the desired count of ECS services: targets, policies, scheduled actions, activities.
//!
//! It stores and answers. What an alarm leads to is decided by the engine (`interstella_autoscaling`), which the simulator uses
//! too; counts are set through ECS, which does not know of it. Not here: forecasts of predictive policies.

mod acting;
mod activity;
mod change;
mod errors;
mod paging;
mod resource;
mod scalable_target;
mod scaling_policy;
mod scheduled_action;
mod tags;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::call::{Answer, ApiError, Call, input};
use crate::clock::CloudTime;
use crate::ecs::ServiceKey;
use crate::world::World;

pub use self::acting::alarm_fired;
pub use self::tags::all as tagged;

/// Everything Application Auto Scaling holds.
#[derive(Debug, Clone, Default)]
pub struct ApplicationAutoScaling {
    targets: BTreeMap<ServiceKey, scalable_target::ScalableTarget>,
    /// Also of services that are no targets any more.
    activities: BTreeMap<ServiceKey, activity::Activities>,
    /// Changes that are not fulfilled yet.
    under_way: BTreeMap<ServiceKey, change::UnderWay>,
}

/// What happens later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timer {
    /// Looks whether a change has been fulfilled.
    Fulfilled {
        /// The service.
        key: ServiceKey,
        /// ID of the change's activity.
        activity: String,
    },
    /// A scheduled action is due.
    Scheduled {
        /// The service.
        key: ServiceKey,
        /// Name of the action.
        name: String,
        /// The moment it is due at.
        at: CloudTime,
    },
}

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, input: Value) -> Answer {
    let now = call.now;
    match operation {
        "RegisterScalableTarget" => scalable_target::register(world, now, read(operation, input)?),
        "DeregisterScalableTarget" => scalable_target::deregister(world, now, &read(operation, input)?),
        "DescribeScalableTargets" => scalable_target::describe(world, &read(operation, input)?),
        "PutScalingPolicy" => scaling_policy::put(world, now, read(operation, input)?),
        "DeleteScalingPolicy" => scaling_policy::delete(world, now, &read(operation, input)?),
        "DescribeScalingPolicies" => scaling_policy::describe(world, &read(operation, input)?),
        "PutScheduledAction" => scheduled_action::put(world, now, read(operation, input)?),
        "DeleteScheduledAction" => scheduled_action::delete(world, &read(operation, input)?),
        "DescribeScheduledActions" => scheduled_action::describe(world, &read(operation, input)?),
        "DescribeScalingActivities" => activity::describe(world, &read(operation, input)?),
        "TagResource" => tags::tag(world, read(operation, input)?),
        "UntagResource" => tags::untag(world, &read(operation, input)?),
        "ListTagsForResource" => tags::list(world, &read(operation, input)?),
        _ => Err(ApiError::not_implemented(format!("application-autoscaling {operation}"))),
    }
}

/// Fires a timer.
pub fn fire(world: &mut World, now: CloudTime, timer: Timer) {
    match timer {
        Timer::Fulfilled { key, activity } => change::look(world, now, &key, activity),
        Timer::Scheduled { key, name, at } => scheduled_action::occur(world, now, &key, &name, at),
    }
}

/// Takes in that a service is being deleted: its scalable target goes with it.
pub fn service_deleted(world: &mut World, now: CloudTime, key: &ServiceKey) {
    scalable_target::remove(world, now, key);
}

/// Reads a handler's input.
fn read<T: DeserializeOwned>(operation: &str, value: Value) -> Result<T, ApiError> {
    input("application-autoscaling", operation, value)
}
