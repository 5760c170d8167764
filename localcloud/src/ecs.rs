//! Elastic Container Service: clusters, task definitions, services, deployments and tasks.
//!
//! Handlers change records and set timers; tasks are started and stopped by effects, and everything that follows from a
//! change is decided by `scheduler::reconcile`. Nothing here waits, listens or starts a process. What has no effect
//! here, such as a volume, is kept and shown as it was given; `tests/accepted` names every such member with the reason.

pub mod cluster;
pub mod container_instance;
mod deployment;
mod errors;
mod events;
mod identifiers;
mod paging;
mod placement;
mod scaling;
mod scheduler;
mod service;
mod service_deployment;
mod tags;
mod task;
mod task_definition;
mod usage;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::call::{Answer, ApiError, Call, input};
use crate::clock::CloudTime;
use crate::effect::Report;
use crate::elb::Target;
use crate::world::World;

use self::identifiers::name_of;
pub use self::scaling::{desired_count, is_deploying, running_count, set_desired_count, target_groups};
pub use self::service::ServiceKey;
pub use self::tags::tagged;
pub use self::usage::{ServiceTasks, running_tasks};

/// Everything ECS holds.
#[derive(Debug, Clone, Default)]
pub struct Ecs {
    clusters: BTreeMap<String, cluster::Cluster>,
    /// By the ID in the container instance's ARN.
    instances: BTreeMap<String, container_instance::ContainerInstance>,
    families: BTreeMap<String, task_definition::Family>,
    services: BTreeMap<ServiceKey, service::Service>,
    /// By the ID in the task's ARN.
    tasks: BTreeMap<String, task::Task>,
    /// Requests that came with a client token, by operation, cluster and token.
    remembered: BTreeMap<(&'static str, String, String), Remembered>,
}

/// A request that came with a client token.
#[derive(Debug, Clone)]
struct Remembered {
    at: CloudTime,
    request: Value,
    /// What it made: the name of a service, or the IDs of tasks.
    made: Vec<String>,
}

/// How long a client token holds, in cloud time. AWS does not say (unverified); its other services say a day or less.
const TOKEN_LIFE: Duration = Duration::from_hours(24);
/// Client tokens that are remembered; the oldest give way.
const MAX_TOKENS: usize = 1_000;

impl Ecs {
    /// Remembers what a request with a client token made, and forgets what is too old or too much.
    fn remember(&mut self, token: (&'static str, String, String), remembered: Remembered) {
        let now = remembered.at;
        self.remembered.retain(|_, earlier| now.since(earlier.at) < TOKEN_LIFE);
        if self.remembered.len() >= MAX_TOKENS {
            let oldest = self.remembered.iter().min_by_key(|(_, earlier)| earlier.at).map(|(token, _)| token.clone());
            oldest.and_then(|token| self.remembered.remove(&token));
        }
        self.remembered.insert(token, remembered);
    }
}

/// What happens later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timer {
    /// Looks at a service again.
    Reconcile(ServiceKey),
    /// A placed task has what it needs; its containers can start.
    LaunchTask(String),
    /// A container may have waited long enough for another.
    StartContainers(String),
    /// The health check of a container (task, container) is due.
    CheckContainer(String, String),
    /// A task stopped long ago is not described any more.
    ForgetTask(String),
    /// A service deleted long ago is not described any more.
    ForgetService(ServiceKey),
}

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, input: Value) -> Answer {
    let now = call.now;
    identifiers::check_region(&world.region, &input)?;
    match operation {
        "CreateCluster" => cluster::create(world, read(operation, input)?),
        "DeleteCluster" => cluster::delete(world, &read(operation, input)?),
        "DescribeClusters" => cluster::describe(world, &read(operation, input)?),
        "ListClusters" => cluster::list(world, &read(operation, input)?),
        "DescribeContainerInstances" => container_instance::describe(world, &read(operation, input)?),
        "ListContainerInstances" => container_instance::list(world, &read(operation, input)?),
        "RegisterTaskDefinition" => task_definition::register(world, now, read(operation, input)?),
        "DescribeTaskDefinition" => task_definition::describe(world, &read(operation, input)?),
        "DeregisterTaskDefinition" => task_definition::deregister(world, now, &read(operation, input)?),
        "DeleteTaskDefinitions" => task_definition::delete(world, now, &read(operation, input)?),
        "ListTaskDefinitions" => task_definition::list(world, &read(operation, input)?),
        "ListTaskDefinitionFamilies" => task_definition::list_families(world, &read(operation, input)?),
        "CreateService" => service::create(world, now, input),
        "UpdateService" => service::update(world, now, read(operation, input)?),
        "DeleteService" => service::delete(world, now, &read(operation, input)?),
        "DescribeServices" => service::describe(world, &read(operation, input)?),
        "ListServices" => service::list(world, &read(operation, input)?),
        "RunTask" => task::run(world, now, input),
        "StopTask" => task::stop(world, now, read(operation, input)?),
        "DescribeTasks" => task::describe(world, &read(operation, input)?),
        "ListTasks" => task::list(world, &read(operation, input)?),
        "ListServiceDeployments" => service_deployment::api::list(world, &read(operation, input)?),
        "DescribeServiceDeployments" => service_deployment::api::describe(world, &read(operation, input)?),
        "DescribeServiceRevisions" => service_deployment::api::describe_revisions(world, &read(operation, input)?),
        "StopServiceDeployment" => service_deployment::api::stop(world, now, &read(operation, input)?),
        "TagResource" => tags::tag(world, read(operation, input)?),
        "UntagResource" => tags::untag(world, &read(operation, input)?),
        "ListTagsForResource" => tags::list_for_resource(world, &read(operation, input)?),
        _ => Err(ApiError::not_implemented(format!("ecs {operation}"))),
    }
}

/// Reads a handler's input.
fn read<T: DeserializeOwned>(operation: &str, value: Value) -> Result<T, ApiError> {
    input("ecs", operation, value)
}

/// Fires a timer.
pub fn fire(world: &mut World, now: CloudTime, timer: Timer) {
    match timer {
        Timer::Reconcile(key) => scheduler::reconcile(world, now, &key),
        Timer::LaunchTask(id) => task::lifecycle::launch(world, now, &id),
        Timer::StartContainers(id) => task::containers::advance(world, now, &id),
        Timer::CheckContainer(id, container) => task::health::check(world, &id, &container),
        Timer::ForgetTask(id) => {
            world.ecs.tasks.remove(&id);
        }
        Timer::ForgetService(key) => service::forget(world, now, &key),
    }
}

/// Takes in a report about a task.
pub fn report(world: &mut World, now: CloudTime, report: Report) {
    match report {
        Report::TaskFailedToStart { task_id, reason } => {
            task::lifecycle::failed_to_start(world, now, &task_id, &reason);
        }
        Report::ContainerStarted { task_id, container } => {
            task::containers::started(world, now, &task_id, &container);
        }
        Report::ContainerFailedToStart { task_id, container, reason } => {
            task::containers::failed_to_start(world, now, &task_id, &container, &reason);
        }
        Report::ContainerExited { task_id, container, exit_code } => {
            task::containers::exited(world, now, &task_id, &container, exit_code);
        }
        Report::ContainerChecked { task_id, container, failure } => {
            task::health::checked(world, now, &task_id, &container, failure);
        }
        Report::LogLine { .. }
        | Report::TargetChecked { .. }
        | Report::TasksMeasured(_)
        | Report::Delivered { .. }
        | Report::SubscriptionConfirmed { .. } => {}
    }
}

/// Takes in that the health of a target changed, on each transition.
pub fn target_changed(world: &mut World, now: CloudTime, target_group_arn: &str, target: &Target) {
    scheduler::target_changed(world, now, target_group_arn, target);
}

/// Takes in that a target is not registered any more: its draining is over.
pub fn target_gone(world: &mut World, now: CloudTime, target_group_arn: &str, target: &Target) {
    let waiting: Vec<String> = world
        .ecs
        .tasks
        .values()
        .filter(|task| task.targets.iter().any(|(arn, held)| arn == target_group_arn && held == target))
        .map(|task| task.id.clone())
        .collect();
    for id in waiting {
        task::lifecycle::drained(world, now, &id);
    }
}
