//! RunTask and StopTask.

use serde::Deserialize;
use serde_json::{Value, json};

use super::start::{self, NewTask};
use super::{StopCode, lifecycle, view};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::ecs::errors::invalid;
use crate::ecs::placement::{self, NoPlace};
use crate::ecs::service::{LaunchType, NetworkConfiguration, Workload, check_network};
use crate::ecs::tags::{self, Tag, Tags};
use crate::ecs::{Remembered, cluster, name_of, read, task_definition};
use crate::world::World;

/// Input of RunTask.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Run {
    cluster: Option<String>,
    task_definition: String,
    count: Option<u32>,
    launch_type: Option<LaunchType>,
    platform_version: Option<String>,
    network_configuration: Option<NetworkConfiguration>,
    #[serde(default)]
    overrides: Overrides,
    #[serde(default)]
    placement_constraints: Vec<Value>,
    #[serde(default)]
    placement_strategy: Vec<Value>,
    started_by: Option<String>,
    group: Option<String>,
    #[serde(default)]
    tags: Vec<Tag>,
    propagate_tags: Option<String>,
    #[serde(default, rename = "enableECSManagedTags")]
    enable_ecs_managed_tags: bool,
    #[serde(default)]
    enable_execute_command: bool,
    client_token: Option<String>,
}

/// `overrides`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Overrides {
    #[serde(default)]
    container_overrides: Vec<ContainerOverride>,
}

/// What is overridden of a container.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ContainerOverride {
    name: String,
    command: Option<Vec<String>>,
    #[serde(default)]
    environment: Vec<Value>,
}

impl Overrides {
    /// As the API shows them.
    fn view(&self) -> Value {
        let of = |given: &ContainerOverride| {
            let mut shown = json!({"name": given.name});
            if let Some(command) = &given.command {
                shown["command"] = json!(command);
            }
            if !given.environment.is_empty() {
                shown["environment"] = json!(given.environment);
            }
            shown
        };
        json!({
            "containerOverrides": self.container_overrides.iter().map(of).collect::<Vec<_>>(),
            "inferenceAcceleratorOverrides": [],
        })
    }
}

/// RunTask: places up to ten tasks; those without a place are `failures`.
pub fn run(world: &mut World, now: CloudTime, value: Value) -> Answer {
    let request = value.clone();
    let mut input: Run = read("RunTask", value)?;
    let cluster = cluster::resolve(&world.ecs, input.cluster.as_deref())?;
    let token = input.client_token.take().map(|token| ("RunTask", cluster.clone(), token));
    if let Some(earlier) = token.as_ref().and_then(|token| world.ecs.remembered.get(token)) {
        if earlier.request != request {
            return Err(ApiError::new("ConflictException", "The client token was used with another request."));
        }
        return Ok(answer(world, &earlier.made, &[]));
    }
    let workload = workload(world, &input)?;
    let tags = tags_of(world, &input, &workload, &cluster)?;
    let count = input.count.unwrap_or(1);
    if !(1..=10).contains(&count) {
        return Err(invalid("Task count must be between 1 and 10."));
    }
    let family = task_definition::find(&world.ecs, &workload.task_definition).map(|d| d.family.clone());
    let group = input.group.clone().unwrap_or_else(|| format!("family:{}", family.unwrap_or_default()));
    let (mut made, mut failures) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let new = NewTask {
            workload: &workload,
            cluster: &cluster,
            service: None,
            started_by: input.started_by.clone(),
            group: group.clone(),
            overrides: input.overrides.view(),
            execute_command: input.enable_execute_command,
            tags: tags.clone(),
            constraints: &input.placement_constraints,
            strategy: &input.placement_strategy,
        };
        match start::start(world, now, new) {
            Ok(id) => made.push(id),
            Err(NoPlace::NoInstances) => {
                return Err(invalid("No Container Instances were found in your cluster."));
            }
            Err(no_place) => failures.push(no_place),
        }
    }
    let answer = answer(world, &made, &failures);
    if let Some(token) = token {
        world.ecs.remember(token, Remembered { at: now, request, made });
    }
    Ok(answer)
}

fn workload(world: &World, input: &Run) -> Result<Workload, ApiError> {
    let definition = task_definition::usable(&world.ecs, &input.task_definition)?;
    let launch_type = input.launch_type.unwrap_or(LaunchType::Ec2);
    let fargate = launch_type == LaunchType::Fargate;
    let workload = Workload {
        task_definition: definition.arn.clone(),
        launch_type,
        platform_version: fargate.then(|| input.platform_version.clone().unwrap_or_else(|| "LATEST".to_owned())),
        network_configuration: input.network_configuration.clone(),
        load_balancers: Vec::new(),
    };
    check_network(definition, &workload)?;
    placement::check(launch_type, &input.placement_constraints, &input.placement_strategy)?;
    for given in &input.overrides.container_overrides {
        if definition.container(&given.name).is_none() {
            return Err(invalid(format!(
                "Override for container named {} is not a container in the TaskDefinition.",
                given.name
            )));
        }
    }
    Ok(workload)
}

fn tags_of(world: &World, input: &Run, workload: &Workload, cluster: &str) -> Result<Tags, ApiError> {
    let mut all = Tags::new();
    if input.propagate_tags.as_deref() == Some("TASK_DEFINITION") {
        let definition = task_definition::find(&world.ecs, &workload.task_definition);
        all.extend(definition.map(|definition| definition.tags.clone()).unwrap_or_default());
    }
    all.extend(tags::from_list(input.tags.clone())?);
    if input.enable_ecs_managed_tags {
        all.insert("aws:ecs:clusterName".to_owned(), cluster.to_owned());
    }
    Ok(all)
}

fn answer(world: &World, made: &[String], failures: &[NoPlace]) -> Value {
    let tasks = made.iter().filter_map(|id| world.ecs.tasks.get(id)).map(|task| view::view(world, task, true));
    let failure = |no_place: &NoPlace| {
        let NoPlace::Lacking { arn, .. } = no_place else { return Value::Null };
        json!({"arn": arn, "reason": no_place.failure_reason()})
    };
    json!({"tasks": tasks.collect::<Vec<_>>(), "failures": failures.iter().map(failure).collect::<Vec<_>>()})
}

/// Input of StopTask.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    cluster: Option<String>,
    task: String,
    reason: Option<String>,
}

/// StopTask.
pub fn stop(world: &mut World, now: CloudTime, input: Stop) -> Answer {
    let cluster = cluster::resolve(&world.ecs, input.cluster.as_deref())?;
    let id = name_of(&input.task).to_owned();
    if world.ecs.tasks.get(&id).is_none_or(|task| task.cluster != cluster) {
        return Err(invalid("The referenced task was not found."));
    }
    let reason = input.reason.unwrap_or_else(|| "Task stopped by user".to_owned());
    lifecycle::stop(world, now, &id, StopCode::UserInitiated, &reason);
    let task = world.ecs.tasks.get(&id).ok_or_else(|| invalid("The referenced task was not found."))?;
    Ok(json!({"task": view::view(world, task, false)}))
}
