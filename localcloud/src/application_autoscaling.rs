//! Application Auto Scaling: scalable targets, policies, scheduled actions and activities.

use serde_json::Value;

use crate::call::{Answer, ApiError, Call};
use crate::clock::CloudTime;
use crate::event::AlarmAction;
use crate::world::World;

/// Scalable targets and what scales them.
#[derive(Debug, Clone, Default)]
pub struct ApplicationAutoScaling {}

/// Answers a call.
pub fn call(_world: &mut World, _call: &Call, operation: &str, _input: Value) -> Answer {
    Err(ApiError::not_implemented(format!("application-autoscaling {operation}")))
}

/// Takes in that an alarm with a policy among its actions is in a state; called at every evaluation while it stays in ALARM.
pub fn alarm_fired(_world: &mut World, _now: CloudTime, _action: &AlarmAction) {}
