//! Task definitions: families of numbered, immutable revisions.
//!
//! What a client sent is kept as it was sent, and answered with what AWS adds; the typed [`Container`]s beside it are what the local cloud
//! acts on.

mod check;
mod container;
pub mod dependency;
pub mod health_check;
mod list;
mod register;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::errors::client;
use super::tags::Tags;
use super::{Ecs, name_of};
use crate::call::ApiError;
use crate::clock::CloudTime;

pub use self::container::{Container, PortMapping, Secret};
pub use self::list::{delete, deregister, describe, list, list_families};
pub use self::register::register;

/// Revisions of a family that are kept although they are not ACTIVE and nothing runs them.
const MAX_INACTIVE: usize = 100;

/// A family.
#[derive(Debug, Clone, Default)]
pub struct Family {
    /// Number of the last revision, deleted ones included.
    last: u32,
    revisions: BTreeMap<u32, TaskDefinition>,
}

impl Family {
    /// Forgets the oldest revisions that are not ACTIVE and that nothing runs, if there are too many. AWS keeps them
    /// "indefinitely" today, and says that this may change.
    fn forget_surplus(&mut self, in_use: &BTreeSet<String>) {
        let over = self.revisions.values().filter(|one| one.status != Status::Active && !in_use.contains(&one.arn));
        let over: Vec<u32> = over.map(|one| one.revision).collect();
        for revision in &over[..over.len().saturating_sub(MAX_INACTIVE)] {
            self.revisions.remove(revision);
        }
    }

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
    /// `placementConstraints`.
    pub(super) placement_constraints: Vec<Value>,
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

/// Forgets revisions of a family that are over, if there are too many.
fn forget_surplus(ecs: &mut Ecs, family: &str) {
    let services = ecs.services.values().flat_map(|service| {
        let deployments = service.deployments.iter().chain(&service.last_completed).map(|one| &one.workload);
        deployments.chain([&service.workload]).map(|workload| workload.task_definition.clone())
    });
    let in_use: BTreeSet<String> =
        services.chain(ecs.tasks.values().map(|task| task.definition().to_owned())).collect();
    if let Some(family) = ecs.families.get_mut(family) {
        family.forget_surplus(&in_use);
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
