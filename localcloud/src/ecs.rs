//! TODO
use crate::call::{Answer, ApiError, Call};
use crate::clock::CloudTime;
use crate::world::World;
use serde_json::Value;
/// State.
#[derive(Debug, Default)]
pub struct Ecs {}
/// What happens later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timer {}
/// Answers a call.
pub fn call(_world: &mut World, _call: &Call, operation: &str, _input: Value) -> Answer {
    Err(ApiError::not_implemented(format!("ecs {operation}")))
}
/// Fires a timer.
pub fn fire(_world: &mut World, _now: CloudTime, timer: Timer) {
    match timer {}
}
/// Takes in a report about a task.
pub fn report(_world: &mut World, _now: CloudTime, _report: crate::effect::Report) {}
