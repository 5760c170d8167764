//! Task definitions: families of numbered, immutable revisions.
//!
//! What a client sent is kept as it was sent, and answered with what AWS adds; the typed [`Container`]s beside it are what the local cloud
//! acts on.

mod check;
mod container;
mod view;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::errors::{client, invalid, too_many};
use super::tags::{self, Tag, Tags};
use super::{Ecs, name_of, paging};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

pub use self::container::{Container, PortMapping, Secret};

/// A family.
#[derive(Debug, Clone, Default)]
pub struct Family {
    /// Number of the last revision, deleted ones included.
    last: u32,
    revisions: BTreeMap<u32, TaskDefinition>,
}

impl Family {
    /// ACTIVE revisions, oldest first.
    pub fn active(&self) -> impl DoubleEndedIterator<Item = &TaskDefinition> {
        self.revisions.values().filter(|definition| definition.status == Status::Active)
    }
}

/// Status of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Can be used.
    Active,
    /// Deregistered: runs where it runs.
    Inactive,
    /// Deleted, shown for a while.
    DeleteInProgress,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
            Self::DeleteInProgress => "DELETE_IN_PROGRESS",
        }
    }
}

/// How containers are connected (AWS: `networkMode`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// Ports of the container instance are mapped to containers.
    Bridge,
    /// Containers use the container instance's ports.
    Host,
    /// The task has a network interface of its own.
    Awsvpc,
    /// No network.
    None,
}

impl NetworkMode {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Host => "host",
            Self::Awsvpc => "awsvpc",
            Self::None => "none",
        }
    }
}

/// A revision.
#[derive(Debug, Clone)]
pub struct TaskDefinition {
    pub(super) arn: String,
    pub(super) family: String,
    pub(super) revision: u32,
    pub(super) status: Status,
    pub(super) network_mode: NetworkMode,
    pub(super) containers: Vec<Container>,
    /// CPU units of the whole task, if given.
    pub(super) cpu: Option<u32>,
    /// MiB of the whole task, if given.
    pub(super) memory: Option<u32>,
    pub(super) fargate: bool,
    pub(super) tags: Tags,
    /// What was sent, completed as AWS does.
    sent: Map<String, Value>,
    registered_at: CloudTime,
    deregistered_at: Option<CloudTime>,
    delete_requested_at: Option<CloudTime>,
}

impl TaskDefinition {
    /// CPU units that one task takes.
    pub fn cpu_units(&self) -> u32 {
        self.cpu.unwrap_or_else(|| self.containers.iter().map(|container| container.cpu).sum())
    }

    /// MiB that one task takes: of each container what is reserved, or else its limit.
    pub fn memory_mib(&self) -> u32 {
        let of = |container: &Container| container.memory_reservation.or(container.memory).unwrap_or(0);
        self.memory.unwrap_or_else(|| self.containers.iter().map(of).sum())
    }

    /// The container of that name.
    pub fn container(&self, name: &str) -> Option<&Container> {
        self.containers.iter().find(|container| container.name == name)
    }
}

/// The revision that a request means by `family`, `family:revision` or an ARN. A family alone means its latest ACTIVE revision.
pub fn find<'a>(ecs: &'a Ecs, name_or_arn: &str) -> Option<&'a TaskDefinition> {
    let (family, revision) = split(name_or_arn);
    let family = ecs.families.get(family)?;
    match revision {
        Some(revision) => family.revisions.get(&revision.parse().ok()?),
        None => family.active().next_back(),
    }
}

/// The revision of an ARN or `family:revision`, to change.
pub(super) fn find_mut<'a>(ecs: &'a mut Ecs, name_or_arn: &str) -> Option<&'a mut TaskDefinition> {
    let (family, revision) = split(name_or_arn);
    ecs.families.get_mut(family)?.revisions.get_mut(&revision?.parse().ok()?)
}

/// The ACTIVE revision that a request for new tasks means.
pub fn usable<'a>(ecs: &'a Ecs, name_or_arn: &str) -> Result<&'a TaskDefinition, ApiError> {
    let found = find(ecs, name_or_arn).ok_or_else(|| client("TaskDefinition not found."))?;
    if found.status == Status::Active { Ok(found) } else { Err(client("TaskDefinition is inactive")) }
}

fn split(name_or_arn: &str) -> (&str, Option<&str>) {
    let name = name_of(name_or_arn);
    name.split_once(':').map_or((name, None), |(family, revision)| (family, Some(revision)))
}

/// Input of RegisterTaskDefinition. Members that are only kept and shown are plain values.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Register {
    family: String,
    container_definitions: Vec<Map<String, Value>>,
    network_mode: Option<NetworkMode>,
    cpu: Option<String>,
    memory: Option<String>,
    task_role_arn: Option<String>,
    execution_role_arn: Option<String>,
    #[serde(default)]
    requires_compatibilities: Vec<String>,
    #[serde(default)]
    volumes: Vec<Value>,
    #[serde(default)]
    placement_constraints: Vec<Value>,
    #[serde(default)]
    tags: Vec<Tag>,
    runtime_platform: Option<Value>,
    ephemeral_storage: Option<Value>,
    pid_mode: Option<String>,
    ipc_mode: Option<String>,
    enable_fault_injection: Option<bool>,
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
    let tags = tags::from_list(std::mem::take(&mut input.tags))?;
    let family = world.ecs.families.entry(input.family.clone()).or_default();
    family.last += 1;
    let revision = family.last;
    let definition = TaskDefinition {
        arn: world.arn("ecs", &format!("task-definition/{}:{revision}", input.family)),
        fargate: check::suits_fargate(network_mode, cpu, memory),
        sent: sent(&input, network_mode, cpu, memory),
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

/// Input of DescribeTaskDefinition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Describe {
    task_definition: String,
    #[serde(default)]
    include: Vec<String>,
}

/// DescribeTaskDefinition.
pub fn describe(world: &World, input: &Describe) -> Answer {
    let definition =
        find(&world.ecs, &input.task_definition).ok_or_else(|| client("Unable to describe task definition."))?;
    let mut answer = json!({"taskDefinition": view::view(definition)});
    if input.include.iter().any(|field| field == "TAGS") {
        answer["tags"] = tags::to_list(&definition.tags);
    }
    Ok(answer)
}

/// Input of DeregisterTaskDefinition.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Deregister {
    task_definition: String,
}

/// DeregisterTaskDefinition: the revision becomes INACTIVE.
pub fn deregister(world: &mut World, now: CloudTime, input: &Deregister) -> Answer {
    if split(&input.task_definition).1.is_none() {
        return Err(client("Revision is missing."));
    }
    let definition = find_mut(&mut world.ecs, &input.task_definition)
        .ok_or_else(|| client("The specified task definition does not exist."))?;
    if definition.status == Status::Active {
        definition.status = Status::Inactive;
        definition.deregistered_at = Some(now);
    }
    Ok(json!({"taskDefinition": view::view(definition)}))
}

/// Input of DeleteTaskDefinitions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Delete {
    task_definitions: Vec<String>,
}

/// DeleteTaskDefinitions: only INACTIVE ones; they stay visible as DELETE_IN_PROGRESS.
pub fn delete(world: &mut World, now: CloudTime, input: &Delete) -> Answer {
    if input.task_definitions.len() > 10 {
        return Err(too_many("taskDefinitions", 10));
    }
    let (mut deleted, mut failures) = (Vec::new(), Vec::new());
    for name in &input.task_definitions {
        let arn = world.arn("ecs", &format!("task-definition/{}", name_of(name)));
        match find_mut(&mut world.ecs, name) {
            None => failures.push(json!({"arn": arn, "reason": "TASK_DEFINITION_NOT_FOUND"})),
            Some(definition) if definition.status == Status::Active => {
                let detail = "The specified task definition is still in ACTIVE status. Please deregister the target and try again.";
                failures.push(json!({"arn": arn, "reason": "TASK_DEFINITION_ACTIVE", "detail": detail}));
            }
            Some(definition) => {
                definition.status = Status::DeleteInProgress;
                definition.delete_requested_at = Some(now);
                deleted.push(view::view(definition));
            }
        }
    }
    Ok(json!({"taskDefinitions": deleted, "failures": failures}))
}

/// Input of ListTaskDefinitions and ListTaskDefinitionFamilies, which has no `sort`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct List {
    family_prefix: Option<String>,
    status: Option<String>,
    sort: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

impl List {
    fn page(&self) -> paging::Request<'_> {
        paging::Request { max_results: self.max_results, next_token: self.next_token.as_deref(), default_size: 100 }
    }
}

/// ListTaskDefinitions: `familyPrefix` is, despite its name, the whole name of a family.
pub fn list(world: &World, input: &List) -> Answer {
    let status = input.status.as_deref().unwrap_or("ACTIVE");
    let families =
        world.ecs.families.iter().filter(|(name, _)| input.family_prefix.as_ref().is_none_or(|p| p == *name));
    let found = families.flat_map(|(_, family)| family.revisions.values()).filter(|d| d.status.name() == status);
    // A space sorts before every character of a name, so that `a` comes before `a-b`.
    let items =
        found.map(|d| paging::Item { key: format!("{} {:010}", d.family, d.revision), value: d.arn.clone().into() });
    let order = match input.sort.as_deref() {
        Some("DESC") => paging::Order::Descending,
        _ => paging::Order::Ascending,
    };
    paging::answer("taskDefinitionArns", items.collect(), order, &input.page())
}

/// ListTaskDefinitionFamilies: by default those that have or had revisions.
pub fn list_families(world: &World, input: &List) -> Answer {
    let status = input.status.as_deref().unwrap_or("ALL");
    let prefix = input.family_prefix.as_deref().unwrap_or_default();
    if !["ALL", "ACTIVE", "INACTIVE"].contains(&status) {
        return Err(invalid("status should be one of [ACTIVE, INACTIVE, ALL]"));
    }
    let wanted = |family: &Family| status == "ALL" || (status == "ACTIVE") == family.active().next().is_some();
    let found = world.ecs.families.iter().filter(|(name, family)| name.starts_with(prefix) && wanted(family));
    let items = found.map(|(name, _)| paging::Item { key: name.clone(), value: name.clone().into() }).collect();
    paging::answer("families", items, paging::Order::Ascending, &input.page())
}
