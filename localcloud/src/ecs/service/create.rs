//! CreateService.

use std::collections::VecDeque;

use serde::Deserialize;
use serde_json::Value;

use super::settings::{self, DeploymentSettings, Given};
use super::{LaunchType, LoadBalancer, NetworkConfiguration, Service, ServiceKey, ServiceStatus, Workload, check};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::ecs::errors::invalid;
use crate::ecs::tags::{self, Tag};
use crate::ecs::{Remembered, cluster, deployment, placement, read};
use crate::world::{ACCOUNT, World};

/// Input of CreateService.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Create {
    cluster: Option<String>,
    service_name: String,
    task_definition: Option<String>,
    desired_count: Option<i64>,
    #[serde(default)]
    load_balancers: Vec<LoadBalancer>,
    client_token: Option<String>,
    launch_type: Option<LaunchType>,
    platform_version: Option<String>,
    role: Option<String>,
    deployment_configuration: Option<Given>,
    #[serde(default)]
    placement_constraints: Vec<Value>,
    #[serde(default)]
    placement_strategy: Vec<Value>,
    network_configuration: Option<NetworkConfiguration>,
    health_check_grace_period_seconds: Option<u32>,
    scheduling_strategy: Option<String>,
    deployment_controller: Option<DeploymentController>,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default, rename = "enableECSManagedTags")]
    enable_ecs_managed_tags: bool,
    propagate_tags: Option<String>,
    #[serde(default)]
    enable_execute_command: bool,
    availability_zone_rebalancing: Option<String>,
    #[serde(default)]
    service_registries: Vec<Value>,
    #[serde(default)]
    capacity_provider_strategy: Vec<Value>,
}

/// `deploymentController`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeploymentController {
    #[serde(rename = "type")]
    kind: String,
}

impl DeploymentController {
    /// Refuses all but ECS's own.
    pub fn check(&self) -> Result<(), ApiError> {
        if self.kind == "ECS" {
            return Ok(());
        }
        Err(ApiError::not_implemented(format!("ecs services with deploymentController {}", self.kind)))
    }
}

/// CreateService. It is idempotent only by client token.
pub fn create(world: &mut World, now: CloudTime, value: Value) -> Answer {
    let mut request = value.clone();
    let input: Create = read("CreateService", value)?;
    refuse_unsupported(&input)?;
    let cluster = cluster::resolve(&world.ecs, input.cluster.as_deref())?;
    let key = ServiceKey { cluster, name: input.service_name.clone() };
    // With the same token and only other tags the original is returned, its tags untouched.
    if let Some(members) = request.as_object_mut() {
        members.remove("tags");
    }
    let token = input.client_token.clone().map(|token| ("CreateService", key.cluster.clone(), token));
    let earlier = token.as_ref().and_then(|token| world.ecs.remembered.get(token));
    if earlier.is_some_and(|earlier| earlier.request == request) && world.ecs.services.contains_key(&key) {
        return super::answer(world, &key, true);
    }
    let service = new_service(world, now, &key, input)?;
    world.ecs.services.insert(key.clone(), service);
    if let Some(token) = token {
        world.ecs.remember(token, Remembered { at: now, request, made: vec![key.name.clone()] });
    }
    deployment::begin(world, now, &key);
    super::answer(world, &key, true)
}

fn new_service(world: &World, now: CloudTime, key: &ServiceKey, input: Create) -> Result<Service, ApiError> {
    check_name(&key.name)?;
    let desired = match input.desired_count {
        None => return Err(invalid("DesiredCount is missing")),
        Some(count) => u32::try_from(count).map_err(|_| invalid("DesiredCount can not be lesser than 0"))?,
    };
    let given = input.deployment_configuration.unwrap_or_default();
    let deployment_settings = DeploymentSettings::default().with(&given)?;
    let zone_rebalancing = zone_rebalancing(input.availability_zone_rebalancing, deployment_settings.maximum_percent)?;
    let launch_type = input.launch_type.unwrap_or(LaunchType::Ec2);
    placement::check(launch_type, &input.placement_constraints, &input.placement_strategy)?;
    match world.ecs.services.get(key).map(|service| service.status) {
        Some(ServiceStatus::Active) => return Err(invalid("Creation of service was not idempotent.")),
        Some(ServiceStatus::Draining) => {
            return Err(invalid("Unable to Start a service that is still Draining."));
        }
        Some(ServiceStatus::Inactive) | None => {}
    }
    let task_definition = input.task_definition.ok_or_else(|| invalid("TaskDefinition can not be blank."))?;
    let workload = Workload {
        task_definition: check::usable(world, &task_definition)?,
        launch_type,
        platform_version: platform_version(launch_type, input.platform_version)?,
        network_configuration: input.network_configuration,
        load_balancers: input.load_balancers,
    };
    check::workload(world, &workload)?;
    let role = workload_role(&workload, input.role);
    Ok(Service {
        arn: world.arn("ecs", &format!("service/{}/{}", key.cluster, key.name)),
        status: ServiceStatus::Active,
        inactive_at: None,
        desired,
        workload,
        deployment_settings,
        grace_seconds: input.health_check_grace_period_seconds.unwrap_or(0),
        placement_constraints: input.placement_constraints,
        placement_strategy: input.placement_strategy,
        role,
        managed_tags: input.enable_ecs_managed_tags,
        propagate_tags: input.propagate_tags.unwrap_or_else(|| "NONE".to_owned()),
        execute_command: input.enable_execute_command,
        zone_rebalancing,
        created_at: now,
        tags: tags::from_list(input.tags)?,
        deployments: Vec::new(),
        last_completed: None,
        revisions: Vec::new(),
        service_deployments: Vec::new(),
        events: VecDeque::new(),
        steady: false,
        unplaced: false,
    })
}

fn refuse_unsupported(input: &Create) -> Result<(), ApiError> {
    let refuse = |what: String| Err(ApiError::not_implemented(format!("ecs CreateService with {what}")));
    if let Some(strategy) = &input.scheduling_strategy {
        match strategy.as_str() {
            "REPLICA" => {}
            "DAEMON" => return refuse("schedulingStrategy DAEMON".to_owned()),
            _ => return Err(invalid("Scheduling strategy should be one of [REPLICA,DAEMON]")),
        }
    }
    input.deployment_configuration.as_ref().map_or(Ok(()), settings::refuse_unsupported)?;
    input.deployment_controller.as_ref().map_or(Ok(()), DeploymentController::check)?;
    if !input.service_registries.is_empty() {
        return refuse("serviceRegistries".to_owned());
    }
    if !input.capacity_provider_strategy.is_empty() {
        return refuse("capacityProviderStrategy".to_owned());
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(fits) {
        return Err(invalid("Service name must match [a-zA-Z0-9-_]{1,255}"));
    }
    Ok(())
}

/// `availabilityZoneRebalancing`: ENABLED by default, but not where `maximumPercent` leaves it no room.
fn zone_rebalancing(given: Option<String>, maximum_percent: u32) -> Result<String, ApiError> {
    match given {
        Some(given) if given == "ENABLED" && maximum_percent == 100 => {
            Err(invalid("AvailabilityZoneRebalancing requires maximumPercent to be greater than 100."))
        }
        Some(given) => Ok(given),
        None if maximum_percent == 100 => Ok("DISABLED".to_owned()),
        None => Ok("ENABLED".to_owned()),
    }
}

fn platform_version(launch_type: LaunchType, given: Option<String>) -> Result<Option<String>, ApiError> {
    match launch_type {
        LaunchType::Fargate => Ok(Some(given.unwrap_or_else(|| "LATEST".to_owned()))),
        LaunchType::Ec2 if given.is_some() => {
            Err(invalid("The platform version must be null when specifying an EC2 launch type."))
        }
        LaunchType::Ec2 => Ok(None),
    }
}

/// The role shown: the one given, or ECS's own where ECS works on load balancers or network interfaces.
fn workload_role(workload: &Workload, given: Option<String>) -> Option<String> {
    let needed = !workload.load_balancers.is_empty() || workload.network_configuration.is_some();
    let own = || format!("arn:aws:iam::{ACCOUNT}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS");
    given.or_else(|| needed.then(own))
}
