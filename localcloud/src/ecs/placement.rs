//! Placement: on which container instance a task fits, with which host ports. Pure.

mod expression;
mod rules;

use std::ops::RangeInclusive;

use serde_json::Value;

use super::Ecs;
use super::container_instance::{ContainerInstance, Used, used};
use super::task::Status;
use super::task_definition::{NetworkMode, PortMapping, TaskDefinition};

pub use self::rules::{check, check_of_definition};

/// Host ports given out where a task definition names none.
const DYNAMIC_PORTS: RangeInclusive<u16> = 32_768..=60_999;

/// What a task needs of an instance.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// CPU units.
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    /// Ports of the instance, with the container that serves each. None where the task has a network interface of its own.
    pub ports: Vec<(String, PortMapping)>,
}

impl Needs {
    /// What a task of `definition` needs.
    pub fn of(definition: &TaskDefinition) -> Self {
        let mapped = matches!(definition.network_mode, NetworkMode::Bridge | NetworkMode::Host);
        let all = definition.containers.iter().flat_map(|container| {
            container.port_mappings.iter().map(|mapping| (container.name.clone(), mapping.clone()))
        });
        let ports = if mapped { all.collect() } else { Vec::new() };
        Self { cpu: definition.cpu_units(), memory: definition.memory_mib(), ports }
    }
}

/// For what a task is placed.
#[derive(Debug)]
pub struct Purpose<'a> {
    /// Cluster.
    pub cluster: &'a str,
    /// The task's `group`: its tasks are spread, or kept apart.
    pub group: &'a str,
    /// `placementConstraints` of the task definition.
    pub definition_constraints: &'a [Value],
    /// `placementConstraints` of the service or of RunTask.
    pub constraints: &'a [Value],
    /// `placementStrategy`.
    pub strategy: &'a [Value],
}

/// A container instance that may be the place.
struct Candidate<'a> {
    instance: &'a ContainerInstance,
    used: Used,
    /// Live tasks of the same group on it.
    siblings: usize,
}

/// A port of an instance or interface, given to a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Container.
    pub container: String,
    /// Port in it.
    pub container_port: u16,
    /// Port on the instance or interface.
    pub host_port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
}

/// A place for a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// ID of the container instance.
    pub instance: String,
    /// Host ports.
    pub bindings: Vec<Binding>,
}

/// Why a task fits nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoPlace {
    /// The cluster has no container instances.
    NoInstances,
    /// Every instance lacks something.
    Lacking {
        /// ID of the closest matching instance.
        instance: String,
        /// Its ARN.
        arn: String,
        /// What that one lacks.
        lack: Lack,
    },
}

/// What an instance lacks, from the furthest to the closest match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// Is none of those that an expression selects.
    Member,
    /// Runs a task of the group already.
    Distinct,
    /// CPU units.
    Cpu,
    /// Memory.
    Memory,
    /// A static host port.
    Port,
}

impl NoPlace {
    /// The event's words after "because".
    pub fn message(&self) -> String {
        let more = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
        match self {
            Self::NoInstances => format!(
                "no container instance met all of its requirements. Reason: No Container Instances were found in your cluster. {more}"
            ),
            Self::Lacking { instance, lack, .. } => {
                let why = match lack {
                    Lack::Member => "encountered error \"memberOf placement constraint unsatisfied.\"",
                    Lack::Distinct => "encountered error \"distinctInstance placement constraint unsatisfied.\"",
                    Lack::Cpu => "has insufficient CPU units available",
                    Lack::Memory => "has insufficient memory available",
                    Lack::Port => "is already using a port required by your task",
                };
                format!(
                    "no container instance met all of its requirements. The closest matching (container-instance {instance}) {why}. {more}"
                )
            }
        }
    }

    /// The reason in the `failures` of RunTask.
    pub fn failure_reason(&self) -> &'static str {
        match self {
            Self::NoInstances => "AGENT",
            Self::Lacking { lack: Lack::Member, .. } => "memberOf placement constraint unsatisfied.",
            Self::Lacking { lack: Lack::Distinct, .. } => "distinctInstance placement constraint unsatisfied.",
            Self::Lacking { lack: Lack::Cpu, .. } => "RESOURCE:CPU",
            Self::Lacking { lack: Lack::Memory, .. } => "RESOURCE:MEMORY",
            Self::Lacking { lack: Lack::Port, .. } => "RESOURCE:PORTS",
        }
    }
}

/// Finds the place for a task.
pub fn place(ecs: &Ecs, needs: &Needs, purpose: &Purpose<'_>) -> Result<Place, NoPlace> {
    let candidates = candidates(ecs, purpose);
    let (distinct, expressions) = (rules::is_distinct(purpose), rules::expressions(purpose));
    let lack_of = |candidate: &Candidate<'_>| {
        let values = |subject: &str| rules::values(ecs, candidate, subject);
        if !expressions.iter().all(|expression| expression.holds(&values)) {
            return Some(Lack::Member);
        }
        if distinct && candidate.siblings > 0 {
            return Some(Lack::Distinct);
        }
        lack(candidate.instance, &candidate.used, needs)
    };
    let fitting = candidates.iter().filter(|candidate| lack_of(candidate).is_none());
    let best = fitting.min_by_key(|candidate| rules::rank(ecs, candidate, &candidates, purpose.strategy));
    if let Some(Candidate { instance, used, .. }) = best {
        return Ok(Place { instance: instance.id.clone(), bindings: bind(instance, used, needs) });
    }
    let closest = candidates
        .iter()
        .filter_map(|candidate| Some((lack_of(candidate)?, candidate.instance)))
        .max_by_key(|(lack, _)| *lack);
    Err(closest.map_or(NoPlace::NoInstances, |(lack, instance)| NoPlace::Lacking {
        instance: instance.id.clone(),
        arn: instance.arn.clone(),
        lack,
    }))
}

/// The instances of the cluster, with what runs on each.
fn candidates<'a>(ecs: &'a Ecs, purpose: &Purpose<'_>) -> Vec<Candidate<'a>> {
    let instances = ecs.instances.values().filter(|instance| instance.cluster == purpose.cluster);
    let siblings = |instance: &ContainerInstance| {
        let live = ecs.tasks.values().filter(|task| task.status != Status::Stopped);
        live.filter(|task| task.instance.as_ref() == Some(&instance.id) && task.group() == purpose.group).count()
    };
    let candidate = |instance| Candidate { instance, used: used(ecs, &instance.id), siblings: siblings(instance) };
    instances.map(candidate).collect()
}

fn lack(instance: &ContainerInstance, used: &Used, needs: &Needs) -> Option<Lack> {
    let taken = |mapping: &PortMapping| mapping.host_port != 0 && used.ports.contains(&mapping.host_port);
    if used.cpu + needs.cpu > instance.cpu {
        return Some(Lack::Cpu);
    }
    if used.memory + needs.memory > instance.memory {
        return Some(Lack::Memory);
    }
    needs.ports.iter().any(|(_, mapping)| taken(mapping)).then_some(Lack::Port)
}

/// Host ports for what is needed: the static ones as they are, the dynamic ones in turn.
fn bind(instance: &ContainerInstance, used: &Used, needs: &Needs) -> Vec<Binding> {
    let mut taken = used.ports.clone();
    taken.extend(needs.ports.iter().map(|(_, mapping)| mapping.host_port));
    let mut last = instance.last_dynamic_port;
    let mut dynamic = || {
        let from = last.map_or(*DYNAMIC_PORTS.start(), |last| last.saturating_add(1));
        let port = (from..=*DYNAMIC_PORTS.end()).chain(DYNAMIC_PORTS).find(|port| !taken.contains(port))?;
        taken.insert(port);
        last = Some(port);
        Some(port)
    };
    let mut bindings = Vec::new();
    for (container, mapping) in &needs.ports {
        let host_port = if mapping.host_port == 0 { dynamic() } else { Some(mapping.host_port) };
        bindings.extend(host_port.map(|host_port| Binding {
            container: container.clone(),
            container_port: mapping.container_port,
            host_port,
            protocol: mapping.protocol.clone(),
        }));
    }
    bindings
}

/// The last of the dynamic ports among bindings, to continue after.
pub fn last_dynamic(bindings: &[Binding]) -> Option<u16> {
    bindings.iter().map(|binding| binding.host_port).rfind(|port| DYNAMIC_PORTS.contains(port))
}
