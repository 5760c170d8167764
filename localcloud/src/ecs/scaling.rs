//! What those who scale services ask of them and do to them.

use super::deployment::Counts;
use super::service::{self, Service, ServiceKey, ServiceStatus, reconcile_at};
use super::service_deployment::ServiceDeployment;
use crate::clock::CloudTime;
use crate::world::World;

/// How many tasks an ACTIVE service should have; `None`: there is no such service.
pub fn desired_count(world: &World, key: &ServiceKey) -> Option<u32> {
    active(world, key).map(|service| service.desired)
}

/// How many tasks of a service are RUNNING.
pub fn running_count(world: &World, key: &ServiceKey) -> u32 {
    Counts::of_service(&world.ecs, key).running
}

/// Whether a deployment of the service, or the rollback of one, is under way.
pub fn is_deploying(world: &World, key: &ServiceKey) -> bool {
    let last = active(world, key).and_then(|service| service.service_deployments.last());
    last.is_some_and(ServiceDeployment::is_ongoing)
}

/// ARNs of the target groups that the service's tasks are registered in.
pub fn target_groups(world: &World, key: &ServiceKey) -> Vec<String> {
    let balancers = active(world, key).map(|service| service.workload.load_balancers.as_slice()).unwrap_or_default();
    balancers.iter().map(|balancer| balancer.target_group_arn.clone()).collect()
}

/// Sets how many tasks an ACTIVE service should have, as UpdateService does. `false`: there is no such service.
pub fn set_desired_count(world: &mut World, now: CloudTime, key: &ServiceKey, count: u32) -> bool {
    let found = world.ecs.services.get_mut(key).filter(|service| service.status == ServiceStatus::Active);
    let Some(service) = found else { return false };
    service::scale(service, now, count);
    reconcile_at(world, now, key);
    true
}

fn active<'a>(world: &'a World, key: &ServiceKey) -> Option<&'a Service> {
    world.ecs.services.get(key).filter(|service| service.status == ServiceStatus::Active)
}
