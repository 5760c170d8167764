//! What a runtime needs to start a task: images resolved to programs, secrets to values, ports to loopback addresses.
//! Whatever is missing is a reason in ECS's words.

use serde_json::Value;

use super::{Task, start};
use crate::clock::CloudTime;
use crate::ecs::task_definition::{self, Container, Secret};
use crate::effect::ContainerLaunch;
use crate::world::World;
use crate::{logs, ssm};

/// Prepares the launch of a task's containers, in the order of the task definition, and binds the task's addresses.
pub fn prepare(world: &mut World, now: CloudTime, id: &str) -> Result<Vec<ContainerLaunch>, String> {
    let missing = || "CannotStartContainerError: the task definition is gone".to_owned();
    let task = world.ecs.tasks.get(id).cloned().ok_or_else(missing)?;
    let definition = task_definition::find(&world.ecs, &task.definition).cloned().ok_or_else(missing)?;
    let mut containers = Vec::new();
    for container in &definition.containers {
        containers.push(container_launch(world, now, &task, container)?);
    }
    bind(world, &task, &mut containers)?;
    note_digests(world, id);
    Ok(containers)
}

/// A container's launch, without its ports.
fn container_launch(
    world: &mut World,
    now: CloudTime,
    task: &Task,
    container: &Container,
) -> Result<ContainerLaunch, String> {
    let environment = environment(world, task, container)?;
    let image = &container.image;
    let program = world.images.resolve(image).map(|found| found.program.clone()).ok_or_else(|| {
        format!(
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref {image}: {image}: not found"
        )
    })?;
    let command = overridden(task, &container.name)
        .and_then(|given| given["command"].as_array())
        .map(|words| words.iter().filter_map(Value::as_str).map(str::to_owned).collect());
    Ok(ContainerLaunch {
        task_id: task.id.clone(),
        name: container.name.clone(),
        program,
        entry_point: container.entry_point.clone(),
        command: command.unwrap_or_else(|| container.command.clone()),
        environment,
        working_directory: container.working_directory.clone(),
        ports: Vec::new(),
        log: log(world, now, task, container)?,
    })
}

/// Notes what each container's image was when it was pulled.
fn note_digests(world: &mut World, id: &str) {
    let World { ecs, images, .. } = world;
    for container in ecs.tasks.get_mut(id).into_iter().flat_map(|task| &mut task.containers) {
        container.image_digest = images.resolve(&container.image).map(|image| image.digest.clone());
    }
}

/// What RunTask overrides of a container.
fn overridden<'a>(task: &'a Task, name: &str) -> Option<&'a Value> {
    task.overrides["containerOverrides"].as_array()?.iter().find(|given| given["name"] == name)
}

/// The environment: the definition's, the overrides, the secrets; a later value replaces an earlier one.
fn environment(world: &World, task: &Task, container: &Container) -> Result<Vec<(String, String)>, String> {
    let mut environment: Vec<(String, String)> = Vec::new();
    let mut set = |name: &str, value: &str| {
        environment.retain(|(known, _)| known != name);
        environment.push((name.to_owned(), value.to_owned()));
    };
    for variable in &container.environment {
        set(&variable.name, &variable.value);
    }
    for variable in overridden(task, &container.name).and_then(|o| o["environment"].as_array()).into_iter().flatten() {
        set(variable["name"].as_str().unwrap_or_default(), variable["value"].as_str().unwrap_or_default());
    }
    for secret in &container.secrets {
        set(&secret.name, secret_value(world, secret)?);
    }
    Ok(environment)
}

fn secret_value<'a>(world: &'a World, secret: &Secret) -> Result<&'a str, String> {
    ssm::get(world, &secret.value_from).map(|parameter| parameter.value.as_str()).ok_or_else(|| {
        format!(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been retried 1 time(s): invalid ssm parameters: {}",
            secret.value_from
        )
    })
}

/// Log group and stream `prefix/container/task` of a container that logs to CloudWatch.
fn log(
    world: &mut World,
    now: CloudTime,
    task: &Task,
    container: &Container,
) -> Result<Option<(String, String)>, String> {
    let Some(configuration) = container.log_configuration.as_ref().filter(|logs| logs.log_driver == "awslogs") else {
        return Ok(None);
    };
    let group = configuration.options.get("awslogs-group").cloned().unwrap_or_default();
    if configuration.options.get("awslogs-create-group").is_some_and(|create| create == "true") {
        logs::create_if_missing(world, now, &group);
    }
    if !logs::exists(world, &group) {
        return Err(
            "CannotStartContainerError: Error response from daemon: failed to initialize logging driver: failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist."
                .to_owned(),
        );
    }
    let stream = match configuration.options.get("awslogs-stream-prefix") {
        Some(prefix) => format!("{prefix}/{}/{}", container.name, task.id),
        None => format!("{}-{}", task.id, container.name),
    };
    Ok(Some((group, stream)))
}

/// Binds every port of the task to a loopback address.
fn bind(world: &mut World, task: &Task, containers: &mut [ContainerLaunch]) -> Result<(), String> {
    let Some(host) = start::host(world, task) else { return Ok(()) };
    for binding in &task.bindings {
        let Some(address) = world.addresses.bind(&host, binding.host_port) else {
            release(world, &task.id);
            return Err("CannotStartContainerError: no loopback port between 20000 and 31999 is free on this machine; stop what holds them".to_owned());
        };
        if let Some(container) = containers.iter_mut().find(|container| container.name == binding.container) {
            container.ports.push((binding.container_port, address));
        }
    }
    Ok(())
}

/// Gives the task's addresses back.
pub fn release(world: &mut World, id: &str) {
    let Some(task) = world.ecs.tasks.get(id) else { return };
    let Some(host) = start::host(world, task) else { return };
    let ports: Vec<u16> = task.bindings.iter().map(|binding| binding.host_port).collect();
    for port in ports {
        world.addresses.release(&host, port);
    }
}
