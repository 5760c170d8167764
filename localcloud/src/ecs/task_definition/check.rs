//! What RegisterTaskDefinition refuses.

mod logs;
mod size;
mod volumes;

use std::collections::BTreeSet;

use super::health_check::HealthCheck;
use super::register::Register;
use super::{Container, NetworkMode, dependency};
use crate::call::ApiError;
use crate::ecs::errors::client;
use crate::ecs::placement;
use crate::region;

/// Containers that one task definition may have.
const CONTAINERS: usize = 10;

/// Checks a whole registration.
pub fn check(
    input: &Register,
    mode: NetworkMode,
    containers: &[Container],
    cpu: Option<u32>,
    memory: Option<u32>,
) -> Result<(), ApiError> {
    if input.enable_fault_injection == Some(true) {
        return Err(ApiError::not_implemented("ecs RegisterTaskDefinition with enableFaultInjection"));
    }
    let volumes = volumes::read(&input.volumes)?;
    check_name("Family", &input.family)?;
    if containers.is_empty() {
        return Err(client("Container list cannot be empty."));
    }
    if containers.len() > CONTAINERS {
        return Err(client(format!("Number of containers cannot be greater than {CONTAINERS}.")));
    }
    if !containers.iter().any(|container| container.essential) {
        return Err(client("At least one container must be marked essential."));
    }
    let mut names = BTreeSet::new();
    for container in containers {
        check_container(container, memory)?;
        if !names.insert(container.name.as_str()) {
            return Err(client("Container names should be unique."));
        }
    }
    if input.execution_role_arn.is_none() && containers.iter().any(|container| !container.secrets.is_empty()) {
        return Err(client(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
        ));
    }
    let problem = size::problem(containers, cpu, memory)
        .or_else(|| volumes::problem(containers, &volumes))
        .or_else(|| dependency::problem(containers));
    if let Some(problem) = problem {
        return Err(client(problem));
    }
    placement::check_of_definition(&input.placement_constraints)?;
    check_compatibilities(input, mode, containers, cpu, memory)
}

fn check_name(what: &str, name: &str) -> Result<(), ApiError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(fits) {
        return Err(client(format!("{what} contains invalid characters.")));
    }
    Ok(())
}

fn check_container(container: &Container, task_memory: Option<u32>) -> Result<(), ApiError> {
    check_name("Container.name", &container.name)?;
    let refuse = |why: &str| Err(client(format!("Invalid setting for container '{}'. {why}", container.name)));
    if container.image.is_empty() {
        return Err(client("Container.image should not be null or empty."));
    }
    match (container.memory, container.memory_reservation) {
        (None, None) if task_memory.is_none() => {
            return refuse("At least one of 'memory' or 'memoryReservation' must be specified.");
        }
        (Some(limit), _) if limit < 6 => return refuse("'memory' must be at least 6 MiB."),
        (Some(limit), Some(reserved)) if limit < reserved => {
            return refuse("The 'memoryReservation' value must be less than or equal to 'memory'.");
        }
        _ => {}
    }
    if let Some(problem) = container.health_check.as_ref().and_then(HealthCheck::problem) {
        return refuse(&problem);
    }
    let ports: BTreeSet<_> =
        container.port_mappings.iter().map(|port| (port.container_port, port.protocol.as_str())).collect();
    if ports.len() != container.port_mappings.len() {
        return refuse("Port mappings must be unique.");
    }
    if container.port_mappings.iter().any(|port| port.container_port == 0) {
        return refuse("'containerPort' must be between 1 and 65535.");
    }
    container.log_configuration.as_ref().map_or(Ok(()), logs::check)
}

/// Refuses logs and secrets of another region, which AWS takes: tasks here reach those of their own region alone.
pub fn check_regions(own_region: &str, containers: &[Container]) -> Result<(), ApiError> {
    let logs = containers.iter().filter_map(|container| container.log_configuration.as_ref());
    let logs = logs.filter_map(|logs| Some(("logs", logs.options.get("awslogs-region")?.as_str())));
    let secrets = containers.iter().flat_map(|container| &container.secrets);
    let mut named = logs.chain(secrets.filter_map(|secret| Some(("secrets", region::of_arn(&secret.value_from)?))));
    match named.find(|(_, region)| *region != own_region) {
        Some((what, region)) => Err(ApiError::not_implemented(format!("{what} in {region} of a task in {own_region}"))),
        None => Ok(()),
    }
}

fn check_compatibilities(
    input: &Register,
    mode: NetworkMode,
    containers: &[Container],
    cpu: Option<u32>,
    memory: Option<u32>,
) -> Result<(), ApiError> {
    if !input.requires_compatibilities.iter().any(|name| name == "FARGATE") {
        return Ok(());
    }
    let (Some(cpu), Some(memory)) = (cpu, memory) else {
        let missing = if cpu.is_none() { "cpu" } else { "memory" };
        return Err(client(format!("Fargate requires that '{missing}' be defined at the task level.")));
    };
    if mode != NetworkMode::Awsvpc {
        return Err(client("Fargate only supports network mode 'awsvpc'."));
    }
    if !suits_fargate(mode, Some(cpu), Some(memory)) {
        return Err(client(format!(
            "No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS documentation for the valid values."
        )));
    }
    let mut timeouts = containers
        .iter()
        .flat_map(|container| [("startTimeout", container.start_timeout), ("stopTimeout", container.stop_timeout)]);
    if let Some((member, _)) = timeouts.find(|(_, given)| given.is_some_and(|s| !(2..=120).contains(&s))) {
        return Err(client(format!("{member} must be between 2 and 120 seconds on Fargate.")));
    }
    if !input.placement_constraints.is_empty() {
        return Err(client("Fargate does not support task placement constraints."));
    }
    let logs = |container: &Container| container.log_configuration.as_ref().is_some_and(|l| l.log_driver == "awslogs");
    if input.execution_role_arn.is_none() && containers.iter().any(logs) {
        return Err(client(
            "Fargate requires task definition to have execution role ARN to support log driver awslogs.",
        ));
    }
    Ok(())
}

/// Whether a definition can run on Fargate: its network mode, and one of the pairs of CPU units and MiB there are.
pub fn suits_fargate(mode: NetworkMode, cpu: Option<u32>, memory: Option<u32>) -> bool {
    let (Some(cpu), Some(memory)) = (cpu, memory) else { return false };
    let gib = |range: std::ops::RangeInclusive<u32>, step: u32| {
        memory.is_multiple_of(1024)
            && range.contains(&(memory / 1024))
            && (memory / 1024 - range.start()).is_multiple_of(step)
    };
    let pair = match cpu {
        256 => [512, 1024, 2048].contains(&memory),
        512 => gib(1..=4, 1),
        1024 => gib(2..=8, 1),
        2048 => gib(4..=16, 1),
        4096 => gib(8..=30, 1),
        8192 => gib(16..=60, 4),
        16384 => gib(32..=120, 8),
        32768 => [61440, 122_880, 249_856].contains(&memory),
        _ => false,
    };
    pair && mode == NetworkMode::Awsvpc
}
