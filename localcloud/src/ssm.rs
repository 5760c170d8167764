//! Systems Manager, of which only parameters: what ECS resolves a task's `secrets` from.

mod parameter;
mod read;
mod write;

use std::collections::BTreeMap;

use serde_json::Value;

pub use self::parameter::Parameter;
use crate::call::{Answer, ApiError, Call, input};
use crate::world::World;

/// Every parameter, by name.
#[derive(Debug, Clone, Default)]
pub struct Ssm(BTreeMap<String, Parameter>);

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, given: Value) -> Answer {
    match operation {
        "PutParameter" => write::put(world, call, input("ssm", operation, given)?),
        "DeleteParameter" => write::delete(world, &input("ssm", operation, given)?),
        "DeleteParameters" => write::delete_several(world, &input("ssm", operation, given)?),
        "GetParameter" => read::get(world, &input("ssm", operation, given)?),
        "GetParameters" => read::get_several(world, &input("ssm", operation, given)?),
        "DescribeParameters" => read::describe(world, &input("ssm", operation, given)?),
        _ => Err(ApiError::not_implemented(format!("ssm {operation}"))),
    }
}

/// The parameter with this name or ARN, as `valueFrom` of a container's secret gives it.
pub fn get<'a>(world: &'a World, name_or_arn: &str) -> Option<&'a Parameter> {
    if !name_or_arn.starts_with("arn:") {
        return world.ssm.0.get(name_or_arn);
    }
    world.ssm.0.values().find(|parameter| parameter.arn(world) == name_or_arn)
}

#[cfg(test)]
mod tests;
