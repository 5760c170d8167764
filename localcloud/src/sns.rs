//! TODO
use crate::call::{Answer, ApiError, Call};
use crate::clock::CloudTime;
use crate::world::World;
use serde_json::Value;
/// State.
#[derive(Debug, Default)]
pub struct Sns {}
/// What happens later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timer {}
/// Answers a call.
pub fn call(_world: &mut World, _call: &Call, operation: &str, _input: Value) -> Answer {
    Err(ApiError::not_implemented(format!("sns {operation}")))
}
/// Fires a timer.
pub fn fire(_world: &mut World, _now: CloudTime, timer: Timer) {
    match timer {}
}
/// Takes in what came of a delivery.
pub fn delivered(_world: &mut World, _now: CloudTime, _delivery_id: u64, _status: Option<u16>) {}
