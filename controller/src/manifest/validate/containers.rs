//! Each container by itself.

use super::{MOST, Problems, grammar, secrecy, task_definition};
use crate::manifest::pointer::Pointer;
use crate::manifest::{Container, ContainerHealthCheck, LaunchType, Logs, Manifest, NetworkMode, PortMapping};

/// Docker reserves this much for any container, in MiB.
const MIN_MEMORY: u32 = 6;

/// Ports of a container instance that are taken: SSH, Docker, the ECS agent (AWS: ECS PortMapping).
const RESERVED_HOST_PORTS: [u32; 6] = [22, 2375, 2376, 51678, 51679, 51680];

/// Longest name of a log stream (AWS: Logs CreateLogStream), and the length of the task's ID at its end.
const MAX_STREAM_NAME: usize = 512;
const TASK_ID: usize = 32;

/// Retention times that CloudWatch Logs knows, in days (AWS: Logs PutRetentionPolicy).
const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

pub(super) fn check(manifest: &Manifest, problems: &mut Problems) {
    let task = &manifest.spec.task_definition;
    for (index, container) in task.containers.iter().enumerate() {
        let path = task_definition().key("containers").index(index);
        problems.grammar(path.key("name"), &container.name, grammar::ecs_name, grammar::ECS_NAME);
        problems.grammar(
            path.key("image"),
            &container.image,
            grammar::image,
            "write it as repository:tag, in lower case",
        );
        memory(container, &path, problems);
        ports(container, task.network_mode, &path.key("portMappings"), problems);
        variables(container, &path, problems);
        if let Some(check) = &container.health_check {
            health_check(check, &path.key("healthCheck"), problems);
        }
        stop_timeout(container, manifest.spec.launch_type, &path, problems);
        if let Some(logs) = &container.logs {
            log_settings(logs, &path.key("logs"), problems);
            stream_name(logs, &container.name, &manifest.metadata.name, &path.key("logs"), problems);
        }
    }
}

/// Fargate stops within 2 to 120 seconds (AWS: ECS ContainerDefinition). On EC2 the agent waits as long as the field's
/// 32 bits say; that less than 2 seconds is possible there is unverified.
fn stop_timeout(container: &Container, launch_type: LaunchType, path: &Pointer, problems: &mut Problems) {
    let Some(seconds) = container.stop_timeout else { return };
    let (allowed, unit) = match launch_type {
        LaunchType::Fargate => (2..=120, " seconds, which is what Fargate allows"),
        LaunchType::Ec2 => (0..=MOST, " seconds"),
    };
    problems.range(path.key("stopTimeout"), seconds, allowed, unit);
}

fn memory(container: &Container, path: &Pointer, problems: &mut Problems) {
    problems.range(path.key("cpu"), container.cpu, 0..=MOST, " CPU units");
    let fields = [("memory", container.memory), ("memoryReservation", container.memory_reservation)];
    for (key, value) in fields {
        let Some(value) = value else { continue };
        if value < MIN_MEMORY {
            let remedy = format!("use {MIN_MEMORY} MiB or more; Docker needs that much");
            problems.add(path.key(key), format!("{value} MiB is too little for a container"), remedy);
        }
        problems.range(path.key(key), value, 0..=MOST, " MiB");
    }
    if let (Some(hard), Some(soft)) = (container.memory, container.memory_reservation)
        && soft > hard
    {
        let what = format!("the soft limit of {soft} MiB is above the hard limit `memory` of {hard} MiB");
        problems.add(path.key("memoryReservation"), what, "lower it, or raise `memory`");
    }
}

fn ports(container: &Container, mode: NetworkMode, path: &Pointer, problems: &mut Problems) {
    let mut seen = std::collections::HashSet::new();
    for (index, mapping) in container.port_mappings.iter().enumerate() {
        let here = path.index(index);
        problems.range(here.key("containerPort"), mapping.container_port, 1..=65535, "");
        host_port(mapping, mode, &here, problems);
        if mode == NetworkMode::Bridge && !seen.insert((mapping.container_port, mapping.protocol as u8)) {
            let what = format!("container port {} is mapped twice", mapping.container_port);
            problems.add(here, what, "keep one of the two");
        }
    }
}

fn host_port(mapping: &PortMapping, mode: NetworkMode, path: &Pointer, problems: &mut Problems) {
    let Some(port) = mapping.host_port else { return };
    let path = path.key("hostPort");
    if mode == NetworkMode::Awsvpc && port != mapping.container_port {
        let what = format!("with network mode awsvpc the host port is the container port, {}", mapping.container_port);
        return problems.add(path, what, "leave `hostPort` out");
    }
    problems.range(path.clone(), port, 0..=65535, "; 0 or no value takes a free port");
    if mode == NetworkMode::Bridge && RESERVED_HOST_PORTS.contains(&port) {
        problems.add(path, format!("port {port} of a container instance is reserved"), "use another port");
    }
}

fn variables(container: &Container, path: &Pointer, problems: &mut Problems) {
    const NAME: &str = "use a name without `=` and spaces, such as LOG_LEVEL";
    for (name, value) in &container.environment {
        let here = path.key("environment").key(name);
        problems.grammar(here.clone(), name, grammar::variable, NAME);
        if secrecy::is_secret(name, value) {
            let remedy = "store the value as an SSM parameter and name that under `secrets`";
            problems.add(here.clone(), "this looks like a secret, and a manifest is no place for one", remedy);
        }
        if container.secrets.contains_key(name) {
            problems.add(here, "the variable stands in `environment` and in `secrets`", "keep one of the two");
        }
    }
    for (name, reference) in &container.secrets {
        let here = path.key("secrets").key(name);
        problems.grammar(here.clone(), name, grammar::variable, NAME);
        if !secrecy::is_reference(reference) {
            // The text is not shown: somebody may have written the secret itself.
            let remedy = "give the name, path or ARN of an SSM parameter, or the ARN of a Secrets Manager secret";
            problems.add(here, "this does not say where the secret is", remedy);
        }
    }
}

fn health_check(check: &ContainerHealthCheck, path: &Pointer, problems: &mut Problems) {
    let command: Vec<&str> = check.command.iter().map(String::as_str).collect();
    let complete = match command.as_slice() {
        ["CMD", arguments @ ..] => !arguments.is_empty(),
        ["CMD-SHELL", line] => !line.is_empty(),
        _ => false,
    };
    if !complete {
        let remedy = "write [\"CMD\", program, arguments…] or [\"CMD-SHELL\", \"one line\"]";
        problems.add(path.key("command"), "this is not a health check's command", remedy);
    }
    problems.range(path.key("interval"), check.interval, 5..=300, " seconds");
    problems.range(path.key("timeout"), check.timeout, 2..=60, " seconds");
    problems.range(path.key("retries"), check.retries, 1..=10, "");
    problems.range(path.key("startPeriod"), check.start_period, 0..=300, " seconds");
}

fn log_settings(logs: &Logs, path: &Pointer, problems: &mut Problems) {
    problems.grammar(path.key("group"), &logs.group, grammar::log_group_name, grammar::LOG_GROUP_NAME);
    if let Some(prefix) = &logs.stream_prefix {
        let remedy = "use 1 or more characters without `:` and `*`";
        problems.grammar(path.key("streamPrefix"), prefix, grammar::stream_prefix, remedy);
    }
    let Some(days) = logs.retention_days else { return };
    let path = path.key("retentionDays");
    if days == 0 {
        let what = "CloudWatch Logs has no retention of 0 days";
        problems.add(path, what, "leave `retentionDays` out: without it events are kept for ever");
    } else if !RETENTION_DAYS.contains(&days) {
        let nearest = RETENTION_DAYS.iter().min_by_key(|known| known.abs_diff(days)).copied().unwrap_or(7);
        let what = format!("CloudWatch Logs cannot keep events for {days} days");
        let remedy = format!("use {nearest}, the nearest value it knows, or leave it out to keep them for ever");
        problems.add(path, what, remedy);
    } else if !logs.create {
        let what = "the retention of a log group that is not ours is not changed";
        problems.add(path, what, "remove `retentionDays`, or `create: false`");
    }
}

/// The agent names streams `<prefix>/<container>/<task>` (AWS: ECS developer guide, awslogs-stream-prefix).
fn stream_name(logs: &Logs, container: &str, app: &str, path: &Pointer, problems: &mut Problems) {
    let prefix = logs.stream_prefix.as_deref().unwrap_or(app);
    let most = MAX_STREAM_NAME.saturating_sub(container.chars().count() + TASK_ID + 2);
    if prefix.chars().count() > most {
        let what =
            format!("log streams `<prefix>/<container>/<task>` would have more than {MAX_STREAM_NAME} characters");
        let remedy = format!("give a prefix of up to {most} characters");
        problems.add(path.key("streamPrefix"), what, remedy);
    }
}
