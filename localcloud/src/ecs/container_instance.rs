//! Container instances: virtual machines that only exist in the books. What they have left is counted from their tasks, never
//! kept, so it cannot drift.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::too_many;
use super::tags::{self, Tags};
use super::task::Status;
use super::{Ecs, cluster, name_of, paging};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

/// Ports that the agent and SSH hold on every instance, as AWS shows them.
const RESERVED_PORTS: [u16; 5] = [22, 2375, 2376, 51678, 51679];

/// A container instance.
#[derive(Debug, Clone)]
pub struct ContainerInstance {
    pub(super) id: String,
    pub(super) arn: String,
    pub(super) cluster: String,
    pub(super) ec2_instance_id: String,
    pub(super) availability_zone: String,
    /// CPU units.
    pub(super) cpu: u32,
    /// MiB.
    pub(super) memory: u32,
    registered_at: CloudTime,
    pub(super) tags: Tags,
    /// The dynamic host port given out last.
    pub(super) last_dynamic_port: Option<u16>,
}

impl ContainerInstance {
    /// Names and values of its attributes.
    pub(super) fn attributes(&self) -> [(&'static str, String); 2] {
        [("ecs.availability-zone", self.availability_zone.clone()), ("ecs.os-type", "linux".to_owned())]
    }
}

/// What tasks take of an instance.
#[derive(Debug, Default)]
pub(super) struct Used {
    pub cpu: u32,
    pub memory: u32,
    pub ports: BTreeSet<u16>,
    pub tasks: usize,
    pub running: usize,
    pub pending: usize,
}

/// Adds a container instance with `cpu` units and `memory` MiB to a cluster, and returns its EC2 instance ID.
pub fn register(world: &mut World, now: CloudTime, cluster: &str, cpu: u32, memory: u32) -> String {
    let id = world.ids.hex(32);
    let ec2_instance_id = format!("i-{}", world.ids.hex(17));
    let in_cluster = world.ecs.instances.values().filter(|instance| instance.cluster == cluster).count();
    let zone = if in_cluster.is_multiple_of(2) { 'a' } else { 'b' };
    let instance = ContainerInstance {
        arn: world.arn("ecs", &format!("container-instance/{cluster}/{id}")),
        availability_zone: format!("{}{zone}", world.region),
        cluster: cluster.to_owned(),
        ec2_instance_id: ec2_instance_id.clone(),
        id: id.clone(),
        cpu,
        memory,
        registered_at: now,
        tags: Tags::new(),
        last_dynamic_port: None,
    };
    world.ecs.instances.insert(id, instance);
    ec2_instance_id
}

/// What the tasks on an instance take of it: all that are not STOPPED.
pub(super) fn used(ecs: &Ecs, id: &str) -> Used {
    let mut used = Used { ports: RESERVED_PORTS.into(), ..Used::default() };
    for task in ecs.tasks.values().filter(|task| task.status != Status::Stopped) {
        if task.instance.as_deref() != Some(id) {
            continue;
        }
        used.cpu += task.cpu;
        used.memory += task.memory;
        used.tasks += 1;
        used.running += usize::from(task.status == Status::Running);
        used.pending += usize::from(task.status.is_starting());
        if task.interface.is_none() {
            used.ports.extend(task.bindings.iter().map(|binding| binding.host_port));
        }
    }
    used
}

/// Input of DescribeContainerInstances.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DescribeContainerInstances {
    cluster: Option<String>,
    container_instances: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

/// Input of ListContainerInstances.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListContainerInstances {
    cluster: Option<String>,
    status: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// DescribeContainerInstances.
pub fn describe(world: &World, input: &DescribeContainerInstances) -> Answer {
    let cluster = cluster::resolve(&world.ecs, input.cluster.as_deref())?;
    if input.container_instances.len() > 100 {
        return Err(too_many("containerInstances", 100));
    }
    if let Some(other) = input.include.iter().find(|field| *field != "TAGS") {
        return Err(ApiError::not_implemented(format!("ecs DescribeContainerInstances with include {other}")));
    }
    let (mut instances, mut failures) = (Vec::new(), Vec::new());
    for id in input.container_instances.iter().map(|instance| name_of(instance)) {
        match world.ecs.instances.get(id).filter(|instance| instance.cluster == cluster) {
            Some(instance) => instances.push(view(world, instance, !input.include.is_empty())),
            None => {
                let arn = world.arn("ecs", &format!("container-instance/{cluster}/{id}"));
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"containerInstances": instances, "failures": failures}))
}

/// ListContainerInstances: all of them are ACTIVE.
pub fn list(world: &World, input: &ListContainerInstances) -> Answer {
    let cluster = cluster::resolve(&world.ecs, input.cluster.as_deref())?;
    let all = input.status.as_deref().is_none_or(|status| status == "ACTIVE");
    let found = world.ecs.instances.values().filter(|instance| all && instance.cluster == cluster);
    let items = found.map(|i| paging::Item { key: i.id.clone(), value: i.arn.clone().into() }).collect();
    let request =
        paging::Request { max_results: input.max_results, next_token: input.next_token.as_deref(), default_size: 100 };
    paging::answer("containerInstanceArns", items, paging::Order::Ascending, &request)
}

fn view(world: &World, instance: &ContainerInstance, with_tags: bool) -> Value {
    let used = used(&world.ecs, &instance.id);
    let reserved: BTreeSet<u16> = RESERVED_PORTS.into();
    let (cpu_left, memory_left) = (instance.cpu.saturating_sub(used.cpu), instance.memory.saturating_sub(used.memory));
    json!({
        "containerInstanceArn": instance.arn,
        "ec2InstanceId": instance.ec2_instance_id,
        "version": 1,
        "versionInfo": {},
        "remainingResources": resources(cpu_left, memory_left, &used.ports),
        "registeredResources": resources(instance.cpu, instance.memory, &reserved),
        "status": "ACTIVE",
        "agentConnected": true,
        "runningTasksCount": used.running,
        "pendingTasksCount": used.pending,
        "attributes": instance.attributes().map(|(name, value)| json!({"name": name, "value": value})),
        "registeredAt": instance.registered_at.as_epoch_seconds(),
        "attachments": [],
        "tags": if with_tags { tags::to_list(&instance.tags) } else { json!([]) },
    })
}

fn resources(cpu: u32, memory: u32, ports: &BTreeSet<u16>) -> Value {
    let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
    let number = |name: &str, value: u32| json!({"name": name, "type": "INTEGER", "doubleValue": 0.0, "longValue": 0, "integerValue": value});
    json!([
        number("CPU", cpu),
        number("MEMORY", memory),
        {"name": "PORTS", "type": "STRINGSET", "doubleValue": 0.0, "longValue": 0, "integerValue": 0, "stringSetValue": ports},
        {"name": "PORTS_UDP", "type": "STRINGSET", "doubleValue": 0.0, "longValue": 0, "integerValue": 0, "stringSetValue": []},
    ])
}
