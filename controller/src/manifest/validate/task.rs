//! The task as a whole: its size, its roles, and what its containers must agree on.

use std::collections::HashMap;

use super::{MOST, Problems, arn, grammar, task_definition};
use crate::manifest::pointer::Pointer;
use crate::manifest::{Container, LaunchType, Logs, Manifest, NetworkMode, Spec, TaskDefinition};

/// Most containers of a task definition (AWS: ECS quotas).
const MAX_CONTAINERS: usize = 10;
/// Most CPU units of a task, 192 vCPUs (AWS: ECS RegisterTaskDefinition).
const MAX_TASK_CPU: u32 = 196_608;

pub(super) fn check(manifest: &Manifest, problems: &mut Problems) {
    let task = &manifest.spec.task_definition;
    if let Some(family) = &task.family {
        problems.grammar(task_definition().key("family"), family, grammar::ecs_name, grammar::ECS_NAME);
    }
    size(task, problems);
    problems.range(task_definition().key("keepRevisions"), task.keep_revisions, 1..=1000, "");
    containers(task, problems);
    roles(manifest, problems);
    match manifest.spec.launch_type {
        LaunchType::Fargate => fargate(task, problems),
        LaunchType::Ec2 => ec2(task, problems),
    }
    reservations(task, problems);
    host_ports(&manifest.spec, problems);
    log_groups(task, problems);
}

/// What any task can have; what Fargate offers is less (AWS: ECS RegisterTaskDefinition).
fn size(task: &TaskDefinition, problems: &mut Problems) {
    if let Some(cpu) = task.cpu {
        problems.range(task_definition().key("cpu"), cpu, 1..=MAX_TASK_CPU, " CPU units");
    }
    if let Some(memory) = task.memory {
        problems.range(task_definition().key("memory"), memory, 1..=MOST, " MiB");
    }
}

fn containers(task: &TaskDefinition, problems: &mut Problems) {
    let path = task_definition().key("containers");
    let count = task.containers.len();
    if !(1..=MAX_CONTAINERS).contains(&count) {
        problems.add(
            path.clone(),
            format!("a task has 1 to {MAX_CONTAINERS} containers, not {count}"),
            "change the list",
        );
    }
    let mut seen = HashMap::new();
    for (index, container) in task.containers.iter().enumerate() {
        if let Some(first) = seen.insert(container.name.as_str(), index) {
            let what = format!("containers {first} and {index} have the same name");
            problems.add(path.index(index).key("name"), what, "give each container a name of its own");
        }
    }
    if count > 0 && !task.containers.iter().any(|container| container.essential) {
        problems.add(path, "no container is essential", "let at least one have `essential: true`, the default");
    }
}

fn roles(manifest: &Manifest, problems: &mut Problems) {
    let task = &manifest.spec.task_definition;
    if let Some(role) = &task.task_role_arn {
        arn::role(problems, task_definition().key("taskRoleArn"), role, &manifest.metadata);
    }
    if let Some(role) = &task.execution_role_arn {
        arn::role(problems, task_definition().key("executionRoleArn"), role, &manifest.metadata);
        return;
    }
    let fargate = manifest.spec.launch_type == LaunchType::Fargate;
    let reason = if task.containers.iter().any(|container| !container.secrets.is_empty()) {
        "`executionRoleArn` is missing: ECS reads `secrets` with it"
    } else if fargate && task.containers.iter().any(|container| container.logs.is_some()) {
        "`executionRoleArn` is missing: on Fargate ECS writes `logs` with it"
    } else {
        return;
    };
    problems.add(task_definition(), reason, "add `executionRoleArn` with the ARN of a role that ECS tasks may assume");
}

fn fargate(task: &TaskDefinition, problems: &mut Problems) {
    if task.network_mode != NetworkMode::Awsvpc {
        let path = task_definition().key("networkMode");
        problems.add(path, "Fargate runs tasks with network mode awsvpc only", "set `networkMode: awsvpc`");
    }
    let (Some(cpu), Some(memory)) = (task.cpu, task.memory) else {
        let what = "Fargate needs `cpu` and `memory` of the whole task";
        problems.add(task_definition(), what, "add both, such as `cpu: 256` and `memory: 512`");
        return;
    };
    let Some(allowed) = fargate_memory(cpu) else {
        let remedy = "use 256, 512, 1024, 2048, 4096, 8192, 16384 or 32768";
        return problems.add(task_definition().key("cpu"), format!("Fargate has no size with {cpu} CPU units"), remedy);
    };
    if !allowed.contains(&memory) {
        let sizes: Vec<String> = allowed.iter().map(u32::to_string).collect();
        let what = format!("Fargate does not offer {memory} MiB with {cpu} CPU units");
        problems.add(task_definition().key("memory"), what, format!("use one of {}", sizes.join(", ")));
    }
}

/// Memory sizes in MiB that Fargate offers with `cpu` units (AWS: ECS developer guide, task size).
fn fargate_memory(cpu: u32) -> Option<Vec<u32>> {
    let gib = |from: usize, to: usize, step: usize| {
        (from..=to).step_by(step).filter_map(|gib| u32::try_from(gib * 1024).ok())
    };
    Some(match cpu {
        256 => vec![512, 1024, 2048],
        512 => gib(1, 4, 1).collect(),
        1024 => gib(2, 8, 1).collect(),
        2048 => gib(4, 16, 1).collect(),
        4096 => gib(8, 30, 1).collect(),
        8192 => gib(16, 60, 4).collect(),
        16384 => gib(32, 120, 8).collect(),
        32768 => [60, 120, 244].map(|gib| gib * 1024).into(),
        _ => return None,
    })
}

fn ec2(task: &TaskDefinition, problems: &mut Problems) {
    if task.memory.is_some() {
        return;
    }
    for (index, container) in task.containers.iter().enumerate() {
        if container.memory.is_none() && container.memory_reservation.is_none() {
            let path = task_definition().key("containers").index(index);
            let what = "neither `memory` nor `memoryReservation` is given, so ECS cannot place the task";
            problems.add(path, what, "add `memoryReservation: 128` (MiB), or `memory` for a hard limit");
        }
    }
}

/// What the containers reserve must fit into the task's size, if it has one.
fn reservations(task: &TaskDefinition, problems: &mut Problems) {
    let total =
        |of: fn(&Container) -> u32| task.containers.iter().map(|container| u64::from(of(container))).sum::<u64>();
    let reserved_cpu = total(|container| container.cpu);
    let reserved_memory = total(|container| container.memory_reservation.or(container.memory).unwrap_or(0));
    let limits = [("cpu", task.cpu, reserved_cpu, "CPU units"), ("memory", task.memory, reserved_memory, "MiB")];
    for (key, limit, reserved, unit) in limits {
        if let Some(limit) = limit.filter(|limit| reserved > u64::from(*limit)) {
            let what = format!("the containers reserve {reserved} {unit}, the task has {limit}");
            problems.add(task_definition().key(key), what, "raise it, or lower the containers' shares");
        }
    }
}

/// Two containers of one task cannot take one port of the same network interface.
fn host_ports(spec: &Spec, problems: &mut Problems) {
    let mut seen = HashMap::new();
    for (index, container) in spec.task_definition.containers.iter().enumerate() {
        for (position, mapping) in container.port_mappings.iter().enumerate() {
            let host_port = match spec.task_definition.network_mode {
                NetworkMode::Bridge => mapping.host_port.filter(|port| *port != 0),
                NetworkMode::Awsvpc => Some(mapping.container_port),
            };
            let Some(port) = host_port else { continue };
            if let Some(first) = seen.insert((port, mapping.protocol as u8), container.name.as_str()) {
                let path: Pointer =
                    task_definition().key("containers").index(index).key("portMappings").index(position);
                let what = format!("port {port} is already taken by container `{first}` of this task");
                problems.add(path, what, "use another port, or in bridge mode leave `hostPort` out");
            }
        }
    }
}

/// Containers may share a log group, but must then agree about it.
fn log_groups(task: &TaskDefinition, problems: &mut Problems) {
    let mut seen: HashMap<&str, &Logs> = HashMap::new();
    for (index, container) in task.containers.iter().enumerate() {
        let Some(logs) = &container.logs else { continue };
        let first = *seen.entry(&logs.group).or_insert(logs);
        if (first.retention_days, first.create) != (logs.retention_days, logs.create) {
            let path = task_definition().key("containers").index(index).key("logs");
            let what = format!("log group `{}` has other settings in a container above", super::shorten(&logs.group));
            problems.add(path, what, "give it the same `retentionDays` and `create` everywhere");
        }
    }
}
