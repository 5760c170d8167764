//! How a service's task is, by all that checks it.

use std::time::Duration;

use super::round::{Cause, Condition};
use crate::clock::CloudTime;
use crate::ecs::service::Service;
use crate::ecs::task::{HealthStatus, Status, Task, health};
use crate::elb;
use crate::world::World;

/// A task that nothing checks counts as healthy this long after it began to run (AWS's figure), in cloud time.
pub(super) const HEALTHY_AFTER: Duration = Duration::from_secs(40);

/// How a task is. It is healthy once every check that there is of it says so: the load balancers' and those of its
/// essential containers (AWS: `minimumHealthyPercent`, API reference). A container that is unhealthy while others still
/// wait for it counts as well: the task would never run (unverified).
pub(super) fn condition(world: &World, now: CloudTime, service: &Service, task: &Task) -> Condition {
    let running = task.started_at.filter(|_| task.status == Status::Running);
    let containers = health::of_task(world, task);
    let spared = now < grace_end(service, task);
    if containers == Some(HealthStatus::Unhealthy) && !spared {
        return Condition::Unhealthy(Cause::Containers);
    }
    let Some(started_at) = running else { return Condition::Starting };
    let passed = match containers {
        Some(status) => status == HealthStatus::Healthy,
        None => !task.targets.is_empty() || now >= started_at.after(HEALTHY_AFTER),
    };
    let states = || task.targets.iter().map(|(group, target)| (group, elb::health(world, group, target)));
    let in_state =
        |state: &str| states().find(|(_, health)| health.as_ref().is_some_and(|health| health.state == state));
    match in_state("unhealthy") {
        Some((group, _)) if !spared => Condition::Unhealthy(Cause::TargetGroup(group.clone())),
        None if passed && states().all(|(_, health)| health.is_some_and(|health| health.state == "healthy")) => {
            Condition::Healthy
        }
        _ => Condition::Warming,
    }
}

/// Until when the task's health checks are ignored: the service's grace period "after a task has first started" (AWS:
/// `healthCheckGracePeriodSeconds`, API reference).
pub(super) fn grace_end(service: &Service, task: &Task) -> CloudTime {
    task.started_at.unwrap_or(task.created_at).after(Duration::from_secs(service.grace_seconds.into()))
}
