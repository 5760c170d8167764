//! Services: what they are, and the calls that name them. What follows from a change is the scheduler's.

mod check;
mod create;
mod settings;
mod update;
mod view;

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::deployment::Deployment;
use super::errors::{self, invalid};
use super::events::Event;
use super::service_deployment::{ServiceDeployment, ServiceRevision};
use super::tags::Tags;
use super::{Ecs, Timer, cluster, name_of, paging};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::{self, World};

pub use self::check::network as check_network;
pub use self::create::create;
pub use self::settings::DeploymentSettings;
pub use self::update::{delete, scale, update};

/// Names a service: its cluster's name and its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceKey {
    /// Name of the cluster.
    pub cluster: String,
    /// Name of the service.
    pub name: String,
}

/// Status of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceStatus {
    /// Runs tasks.
    Active,
    /// Deleted, its tasks are ending.
    Draining,
    /// Deleted, its tasks have ended.
    Inactive,
}

impl ServiceStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Draining => "DRAINING",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// Where tasks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LaunchType {
    /// On container instances.
    Ec2,
    /// On no instance that anyone sees.
    Fargate,
}

/// A target group that a container's port is registered in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LoadBalancer {
    /// Target group.
    pub target_group_arn: String,
    /// Container.
    pub container_name: String,
    /// Port of the container.
    pub container_port: u16,
}

/// Where network interfaces of tasks are made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct NetworkConfiguration {
    /// The only kind there is.
    pub awsvpc_configuration: AwsvpcConfiguration,
}

/// Subnets and security groups of network interfaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AwsvpcConfiguration {
    /// Subnets.
    pub subnets: Vec<String>,
    /// Security groups.
    #[serde(default)]
    pub security_groups: Vec<String>,
    /// `ENABLED` or `DISABLED`.
    #[serde(default = "disabled")]
    pub assign_public_ip: String,
}

fn disabled() -> String {
    "DISABLED".to_owned()
}

/// The part of a service whose change is a new deployment, and which a rollback brings back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// ARN of the task definition.
    pub task_definition: String,
    /// Where tasks run.
    pub launch_type: LaunchType,
    /// Fargate's version, as asked for.
    pub platform_version: Option<String>,
    /// Required by awsvpc.
    pub network_configuration: Option<NetworkConfiguration>,
    /// Target groups.
    pub load_balancers: Vec<LoadBalancer>,
}

/// A service.
#[derive(Debug, Clone)]
pub struct Service {
    pub(super) arn: String,
    pub(super) status: ServiceStatus,
    /// When it became INACTIVE.
    pub(super) inactive_at: Option<CloudTime>,
    pub(super) desired: u32,
    pub(super) workload: Workload,
    pub(super) deployment_settings: DeploymentSettings,
    /// Cloud seconds from a task's start in which its health does not count.
    pub(super) grace_seconds: u32,
    pub(super) placement_constraints: Vec<Value>,
    pub(super) placement_strategy: Vec<Value>,
    pub(super) role: Option<String>,
    pub(super) managed_tags: bool,
    pub(super) propagate_tags: String,
    pub(super) execute_command: bool,
    pub(super) zone_rebalancing: String,
    pub(super) created_at: CloudTime,
    pub(super) tags: Tags,
    /// PRIMARY first, then those that still have tasks.
    pub(super) deployments: Vec<Deployment>,
    /// What a rollback returns to.
    pub(super) last_completed: Option<Deployment>,
    /// Oldest first.
    pub(super) revisions: Vec<ServiceRevision>,
    /// Oldest first.
    pub(super) service_deployments: Vec<ServiceDeployment>,
    /// Newest first.
    pub(super) events: VecDeque<Event>,
    /// Whether the steady state was announced and still holds.
    pub(super) steady: bool,
    /// Whether a task found no place.
    pub(super) unplaced: bool,
}

/// How long an INACTIVE service is described, in cloud time. AWS: "may be cleaned up and purged" at some time
/// (unverified when).
const INACTIVE_LIFE: Duration = Duration::from_hours(24);
/// INACTIVE services that are described; the oldest give way.
const MAX_INACTIVE: usize = 500;

/// Makes a service INACTIVE: from now on it is only described, and not for ever.
pub(super) fn retire(world: &mut World, now: CloudTime, key: &ServiceKey) {
    let Some(service) = world.ecs.services.get_mut(key) else { return };
    service.status = ServiceStatus::Inactive;
    service.inactive_at = Some(now);
    service.deployments.clear();
    service.last_completed = None;
    world.timers.set(now.after(INACTIVE_LIFE), world::Timer::Ecs(Timer::ForgetService(key.clone())));
    let retired = world.ecs.services.iter().filter_map(|(key, service)| Some((service.inactive_at?, key)));
    let mut retired: Vec<_> = retired.collect();
    retired.sort_unstable();
    let surplus = retired.len().saturating_sub(MAX_INACTIVE);
    for key in retired.into_iter().take(surplus).map(|(_, key)| key.clone()).collect::<Vec<_>>() {
        world.ecs.services.remove(&key);
    }
}

/// Forgets a service that has been INACTIVE for long enough. One of the same name may have come since.
pub(super) fn forget(world: &mut World, now: CloudTime, key: &ServiceKey) {
    let inactive_at = world.ecs.services.get(key).and_then(|service| service.inactive_at);
    if inactive_at.is_some_and(|inactive_at| now.since(inactive_at) >= INACTIVE_LIFE) {
        world.ecs.services.remove(key);
    }
}

/// The key that a request means.
pub(super) fn key(ecs: &Ecs, cluster: Option<&str>, service: &str) -> Result<ServiceKey, ApiError> {
    // The ARN of a service names its cluster; a request's own cluster, or its absence, does not overrule that.
    let from_arn = service.split(":service/").nth(1).and_then(|path| path.split('/').next());
    let cluster = cluster::resolve(ecs, from_arn.or(cluster))?;
    Ok(ServiceKey { cluster, name: name_of(service).to_owned() })
}

/// The ACTIVE service that a request means.
pub(super) fn active(ecs: &Ecs, cluster: Option<&str>, service: &str) -> Result<ServiceKey, ApiError> {
    let key = key(ecs, cluster, service)?;
    match ecs.services.get(&key).map(|service| service.status) {
        Some(ServiceStatus::Active) => Ok(key),
        Some(ServiceStatus::Draining | ServiceStatus::Inactive) => Err(errors::service_not_active()),
        None => Err(errors::service_not_found()),
    }
}

/// Has the scheduler look at a service at `at`.
pub(super) fn reconcile_at(world: &mut World, at: CloudTime, key: &ServiceKey) {
    world.timers.set(at, world::Timer::Ecs(Timer::Reconcile(key.clone())));
}

/// The `service` of an answer.
fn answer(world: &World, key: &ServiceKey, with_tags: bool) -> Answer {
    let service = world.ecs.services.get(key).ok_or_else(errors::service_not_found)?;
    Ok(json!({"service": view::view(world, key, service, with_tags)}))
}

/// Input of DescribeServices.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Describe {
    cluster: Option<String>,
    services: Vec<String>,
    #[serde(default)]
    include: Vec<String>,
}

/// DescribeServices: at most ten, INACTIVE ones too.
pub fn describe(world: &World, input: &Describe) -> Answer {
    if input.services.is_empty() {
        return Err(invalid("Services cannot be empty."));
    }
    if input.services.len() > 10 {
        return Err(errors::too_many("services", 10));
    }
    let cluster = cluster::resolve(&world.ecs, input.cluster.as_deref())?;
    let with_tags = input.include.iter().any(|field| field == "TAGS");
    let (mut services, mut failures) = (Vec::new(), Vec::new());
    for name in &input.services {
        let key = ServiceKey { cluster: cluster.clone(), name: name_of(name).to_owned() };
        match world.ecs.services.get(&key) {
            Some(service) => services.push(view::view(world, &key, service, with_tags)),
            None => {
                let arn = world.arn("ecs", &format!("service/{}/{}", key.cluster, key.name));
                failures.push(json!({"arn": arn, "reason": "MISSING"}));
            }
        }
    }
    Ok(json!({"services": services, "failures": failures}))
}

/// Input of ListServices.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct List {
    cluster: Option<String>,
    launch_type: Option<LaunchType>,
    scheduling_strategy: Option<String>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// ListServices: ACTIVE ones, ten to a page unless asked otherwise.
pub fn list(world: &World, input: &List) -> Answer {
    let cluster = cluster::resolve(&world.ecs, input.cluster.as_deref())?;
    let replica = input.scheduling_strategy.as_deref().is_none_or(|strategy| strategy == "REPLICA");
    let wanted = |key: &ServiceKey, service: &Service| {
        replica
            && key.cluster == cluster
            && service.status == ServiceStatus::Active
            && input.launch_type.is_none_or(|launch_type| launch_type == service.workload.launch_type)
    };
    let found = world.ecs.services.iter().filter(|(key, service)| wanted(key, service));
    let items = found.map(|(key, service)| paging::Item { key: key.name.clone(), value: service.arn.clone().into() });
    let request =
        paging::Request { max_results: input.max_results, next_token: input.next_token.as_deref(), default_size: 10 };
    paging::answer("serviceArns", items.collect(), paging::Order::Ascending, &request)
}
