//! What CreateService and UpdateService refuse about a workload.

use super::{LaunchType, Workload};
use crate::call::ApiError;
use crate::ecs::errors::{client, invalid};
use crate::ecs::task_definition::{self, NetworkMode, TaskDefinition};
use crate::elb;
use crate::world::World;

/// Checks that the workload can run.
pub fn workload(world: &World, workload: &Workload) -> Result<(), ApiError> {
    let definition = task_definition::find(&world.ecs, &workload.task_definition)
        .ok_or_else(|| client("TaskDefinition not found."))?;
    network(definition, workload)?;
    if workload.load_balancers.len() > 5 {
        return Err(invalid("load balancers can have at most 5 items."));
    }
    workload.load_balancers.iter().try_for_each(|balancer| {
        let Some(container) = definition.container(&balancer.container_name) else {
            return Err(invalid(format!(
                "The container {} does not exist in the task definition.",
                balancer.container_name
            )));
        };
        if !container.port_mappings.iter().any(|mapping| mapping.container_port == balancer.container_port) {
            return Err(invalid(format!(
                "The container {} did not have a container port {} defined.",
                balancer.container_name, balancer.container_port
            )));
        }
        target_group(world, &balancer.target_group_arn, definition.network_mode)
    })
}

/// Checks what the network mode and the launch type ask of each other.
pub fn network(definition: &TaskDefinition, workload: &Workload) -> Result<(), ApiError> {
    let awsvpc = definition.network_mode == NetworkMode::Awsvpc;
    if workload.launch_type == LaunchType::Fargate && !definition.fargate {
        return Err(invalid("Task definition does not support launch_type FARGATE."));
    }
    match &workload.network_configuration {
        None if awsvpc => {
            Err(invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified."))
        }
        Some(_) if !awsvpc => {
            Err(invalid("Network Configuration is not valid for the given networkMode of this task definition."))
        }
        Some(given) if given.awsvpc_configuration.subnets.is_empty() => Err(invalid("subnets can not be empty.")),
        _ => Ok(()),
    }
}

fn target_group(world: &World, arn: &str, mode: NetworkMode) -> Result<(), ApiError> {
    let Some(balancers) = elb::load_balancers_of(world, arn) else {
        return Err(invalid(format!("The target group with targetGroupArn {arn} does not exist.")));
    };
    if balancers.is_empty() {
        return Err(invalid(format!(
            "The target group with targetGroupArn {arn} does not have an associated load balancer."
        )));
    }
    let fitting = if mode == NetworkMode::Awsvpc { "ip" } else { "instance" };
    match elb::target_type(world, arn) {
        Some(kind) if kind != fitting => Err(invalid(format!(
            "The provided target group {arn} has target type {kind}, which is incompatible with the {} network mode specified in the task definition.",
            mode.name()
        ))),
        _ => Ok(()),
    }
}

/// A task definition that new tasks may use, as its ARN.
pub fn usable(world: &World, name_or_arn: &str) -> Result<String, ApiError> {
    task_definition::usable(&world.ecs, name_or_arn).map(|definition| definition.arn.clone())
}
