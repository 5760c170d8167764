//! TODO
use crate::call::{Answer, ApiError, Call};
use crate::clock::CloudTime;
use crate::world::World;
use serde_json::Value;
/// State.
#[derive(Debug, Default)]
pub struct Elb {}
/// What happens later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timer {}
/// Answers a call.
pub fn call(_world: &mut World, _call: &Call, operation: &str, _input: Value) -> Answer {
    Err(ApiError::not_implemented(format!("elb {operation}")))
}
/// Fires a timer.
pub fn fire(_world: &mut World, _now: CloudTime, timer: Timer) {
    match timer {}
}

/// A target of a target group, as the API names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// EC2 instance ID or address of a network interface.
    pub id: String,
    /// Port on it.
    pub port: u16,
}
/// State of a target (AWS: ELBv2 `TargetHealth`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    /// `initial`, `healthy`, `unhealthy`, `draining` or `unused`.
    pub state: String,
    /// Reason code.
    pub reason: Option<String>,
}
/// Registers a target on behalf of ECS. The target's address is looked up in `World::addresses` whenever it is needed.
pub fn register(_world: &mut World, _now: CloudTime, _target_group_arn: &str, _target: &Target) {}
/// Deregisters a target on behalf of ECS: `draining`, then gone after the deregistration delay.
pub fn deregister(_world: &mut World, _now: CloudTime, _target_group_arn: &str, _target: &Target) {}
/// Health of a registered target; `None` once it is not registered any more (draining is over).
pub fn health(_world: &World, _target_group_arn: &str, _target: &Target) -> Option<TargetHealth> {
    None
}
/// Load balancers that forward to the target group through a listener or rule; `None`: there is no such target group.
pub fn load_balancers_of(_world: &World, _target_group_arn: &str) -> Option<Vec<String>> {
    None
}
/// Takes in the result of a health check.
pub fn checked(
    _world: &mut World,
    _now: CloudTime,
    _target_group_arn: &str,
    _target: &Target,
    _result: crate::effect::CheckResult,
) {
}
