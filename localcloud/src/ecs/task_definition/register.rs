//! RegisterTaskDefinition.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{NetworkMode, Status, TaskDefinition, check, container, view};
use crate::call::Answer;
use crate::clock::CloudTime;
use crate::ecs::tags::{self, Tag};
use crate::world::World;

/// Input of RegisterTaskDefinition. Members that are only kept and shown are plain values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Register {
    pub(super) family: String,
    container_definitions: Vec<Map<String, Value>>,
    network_mode: Option<NetworkMode>,
    cpu: Option<String>,
    memory: Option<String>,
    task_role_arn: Option<String>,
    pub(super) execution_role_arn: Option<String>,
    #[serde(default)]
    pub(super) requires_compatibilities: Vec<String>,
    #[serde(default)]
    pub(super) volumes: Vec<Value>,
    #[serde(default)]
    pub(super) placement_constraints: Vec<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
    runtime_platform: Option<Value>,
    ephemeral_storage: Option<Value>,
    pid_mode: Option<String>,
    ipc_mode: Option<String>,
    pub(super) enable_fault_injection: Option<bool>,
}

/// RegisterTaskDefinition: never idempotent, always the next number.
pub fn register(world: &mut World, now: CloudTime, mut input: Register) -> Answer {
    let network_mode = input.network_mode.unwrap_or(NetworkMode::Bridge);
    for definition in &mut input.container_definitions {
        container::complete(definition, network_mode)?;
    }
    let containers = container::typed(&input.container_definitions)?;
    let cpu = input.cpu.as_deref().map(container::cpu_units).transpose()?;
    let memory = input.memory.as_deref().map(container::memory_mib).transpose()?;
    check::check(&input, network_mode, &containers, cpu, memory)?;
    check::check_regions(&world.region, &containers)?;
    let tags = tags::from_list(std::mem::take(&mut input.tags))?;
    let family = world.ecs.families.entry(input.family.clone()).or_default();
    family.last += 1;
    let revision = family.last;
    let definition = TaskDefinition {
        arn: world.arn("ecs", &format!("task-definition/{}:{revision}", input.family)),
        fargate: check::suits_fargate(network_mode, cpu, memory),
        sent: sent(&input, network_mode, cpu, memory),
        placement_constraints: input.placement_constraints,
        family: input.family,
        revision,
        status: Status::Active,
        network_mode,
        containers,
        cpu,
        memory,
        tags,
        registered_at: now,
        deregistered_at: None,
        delete_requested_at: None,
    };
    let answer = json!({"taskDefinition": view::view(&definition), "tags": tags::to_list(&definition.tags)});
    world.ecs.families.entry(definition.family.clone()).or_default().revisions.insert(revision, definition);
    Ok(answer)
}

/// What is kept for the answers.
fn sent(input: &Register, network_mode: NetworkMode, cpu: Option<u32>, memory: Option<u32>) -> Map<String, Value> {
    let mut sent = Map::new();
    let mut keep = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            sent.insert(name.to_owned(), value);
        }
    };
    let text = |text: &Option<String>| text.clone().map(Value::String);
    keep("containerDefinitions", Some(json!(input.container_definitions)));
    keep("taskRoleArn", text(&input.task_role_arn));
    keep("executionRoleArn", text(&input.execution_role_arn));
    // AWS shows the mode only where it is not left to the default.
    keep("networkMode", input.network_mode.map(|_| network_mode.name().into()));
    keep("cpu", cpu.map(|cpu| cpu.to_string().into()));
    keep("memory", memory.map(|memory| memory.to_string().into()));
    keep("volumes", Some(json!(input.volumes)));
    keep("placementConstraints", Some(json!(input.placement_constraints)));
    let compatibilities = &input.requires_compatibilities;
    keep("requiresCompatibilities", (!compatibilities.is_empty()).then(|| json!(compatibilities)));
    keep("runtimePlatform", input.runtime_platform.clone());
    keep("ephemeralStorage", input.ephemeral_storage.clone());
    keep("pidMode", text(&input.pid_mode));
    keep("ipcMode", text(&input.ipc_mode));
    keep("enableFaultInjection", input.enable_fault_injection.map(Value::Bool));
    sent
}
