//! TODO
use crate::call::{Answer, ApiError, Call};
use crate::world::World;
use serde_json::Value;
/// Answers a call.
pub fn call(_world: &mut World, _call: &Call, operation: &str, _input: Value) -> Answer {
    Err(ApiError::not_implemented(format!("sts {operation}")))
}
