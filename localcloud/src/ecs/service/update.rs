//! UpdateService and DeleteService.

use serde::Deserialize;
use serde_json::Value;

use super::settings::{self, Given};
use super::{LoadBalancer, NetworkConfiguration, Service, ServiceKey, ServiceStatus, Workload, check, reconcile_at};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::ecs::errors::{self, invalid};
use crate::ecs::{deployment, placement};
use crate::event::Event;
use crate::world::World;

/// Input of UpdateService. What is left out stays; an empty list clears.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Update {
    cluster: Option<String>,
    service: String,
    desired_count: Option<i64>,
    task_definition: Option<String>,
    deployment_configuration: Option<Given>,
    availability_zone_rebalancing: Option<String>,
    network_configuration: Option<NetworkConfiguration>,
    placement_constraints: Option<Vec<Value>>,
    placement_strategy: Option<Vec<Value>>,
    platform_version: Option<String>,
    #[serde(default)]
    force_new_deployment: bool,
    health_check_grace_period_seconds: Option<u32>,
    deployment_controller: Option<super::create::DeploymentController>,
    enable_execute_command: Option<bool>,
    #[serde(rename = "enableECSManagedTags")]
    enable_ecs_managed_tags: Option<bool>,
    load_balancers: Option<Vec<LoadBalancer>>,
    propagate_tags: Option<String>,
    #[serde(default)]
    service_registries: Vec<Value>,
    #[serde(default)]
    capacity_provider_strategy: Vec<Value>,
}

/// UpdateService: a changed workload, or force, is a new deployment.
pub fn update(world: &mut World, now: CloudTime, input: Update) -> Answer {
    refuse_unsupported(&input)?;
    let key = super::active(&world.ecs, input.cluster.as_deref(), &input.service)?;
    let Some(service) = world.ecs.services.get(&key) else { return Err(errors::service_not_found()) };
    let workload = changed_workload(world, service, &input)?;
    let force = input.force_new_deployment;
    let mut changed = service.clone();
    if let Some(count) = input.desired_count {
        scale(&mut changed, now, u32::try_from(count).map_err(|_| invalid("Task count can not be lesser than 0"))?);
    }
    apply(&mut changed, input)?;
    let deploys = force || workload != changed.workload;
    changed.workload = workload;
    world.ecs.services.insert(key.clone(), changed);
    if deploys {
        deployment::begin(world, now, &key);
    } else {
        reconcile_at(world, now, &key);
    }
    super::answer(world, &key, true)
}

fn refuse_unsupported(input: &Update) -> Result<(), ApiError> {
    for (member, given) in [
        ("serviceRegistries", &input.service_registries),
        ("capacityProviderStrategy", &input.capacity_provider_strategy),
    ] {
        if !given.is_empty() {
            return Err(ApiError::not_implemented(format!("ecs UpdateService with {member}")));
        }
    }
    input.deployment_configuration.as_ref().map_or(Ok(()), settings::refuse_unsupported)?;
    input.deployment_controller.as_ref().map_or(Ok(()), super::create::DeploymentController::check)
}

/// Sets how many tasks the service should have, whoever asks for it. The PRIMARY deployment tells when that changed.
pub fn scale(service: &mut Service, now: CloudTime, count: u32) {
    if service.desired == count {
        return;
    }
    service.desired = count;
    if let Some(primary) = service.deployments.first_mut() {
        primary.updated_at = now;
    }
}

/// The workload after the update, checked.
fn changed_workload(world: &World, service: &Service, input: &Update) -> Result<Workload, ApiError> {
    let mut workload = service.workload.clone();
    if let Some(name) = &input.task_definition {
        // An INACTIVE revision cannot be updated to, but a service that runs it may name it again.
        let same =
            crate::ecs::task_definition::find(&world.ecs, name).is_some_and(|d| d.arn == workload.task_definition);
        if !same {
            workload.task_definition = check::usable(world, name)?;
        }
    }
    if let Some(network) = &input.network_configuration {
        workload.network_configuration = Some(network.clone());
    }
    if let Some(version) = &input.platform_version {
        workload.platform_version = Some(version.clone());
    }
    if let Some(balancers) = &input.load_balancers {
        workload.load_balancers.clone_from(balancers);
    }
    if workload != service.workload || input.force_new_deployment {
        check::workload(world, &workload)?;
    }
    Ok(workload)
}

/// Takes over everything else that does not make a deployment.
fn apply(service: &mut Service, input: Update) -> Result<(), ApiError> {
    if let Some(given) = &input.deployment_configuration {
        service.deployment_settings = service.deployment_settings.with(given)?;
    }
    if let Some(rebalancing) = input.availability_zone_rebalancing {
        service.zone_rebalancing = rebalancing;
    }
    let constraints = input.placement_constraints.unwrap_or_else(|| service.placement_constraints.clone());
    let strategy = input.placement_strategy.unwrap_or_else(|| service.placement_strategy.clone());
    placement::check(service.workload.launch_type, &constraints, &strategy)?;
    (service.placement_constraints, service.placement_strategy) = (constraints, strategy);
    service.grace_seconds = input.health_check_grace_period_seconds.unwrap_or(service.grace_seconds);
    service.execute_command = input.enable_execute_command.unwrap_or(service.execute_command);
    service.managed_tags = input.enable_ecs_managed_tags.unwrap_or(service.managed_tags);
    if let Some(propagate) = input.propagate_tags {
        service.propagate_tags = propagate;
    }
    Ok(())
}

/// Input of DeleteService.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    cluster: Option<String>,
    service: String,
    #[serde(default)]
    force: bool,
}

/// DeleteService: DRAINING until the tasks have ended. Repeating it changes nothing.
pub fn delete(world: &mut World, now: CloudTime, input: &Delete) -> Answer {
    let key: ServiceKey = super::key(&world.ecs, input.cluster.as_deref(), &input.service)?;
    let service = world.ecs.services.get_mut(&key).ok_or_else(errors::service_not_found)?;
    match service.status {
        ServiceStatus::Inactive => return Err(errors::service_not_found()),
        ServiceStatus::Draining => {}
        ServiceStatus::Active => {
            if service.desired > 0 && !input.force {
                return Err(invalid("The service cannot be stopped while it is scaled above 0."));
            }
            service.status = ServiceStatus::Draining;
            service.desired = 0;
            world.events.push(Event::ServiceDeleted(key.clone()));
            reconcile_at(world, now, &key);
        }
    }
    super::answer(world, &key, true)
}
