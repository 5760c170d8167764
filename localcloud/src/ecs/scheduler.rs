//! The service scheduler: brings what a service has to what it should have. It runs whenever something changed and when a timer
//! says so; a run without anything to do changes nothing.

mod condition;
mod round;

use std::time::Duration;

use self::condition::{HEALTHY_AFTER, condition, grace_end};
use self::round::{Cause, Condition, Round, TaskView, Wish};
use super::deployment::{self, Failure, Rollout};
use super::service::{self, Service, ServiceKey, ServiceStatus, reconcile_at};
use super::service_deployment::{self, SdStatus};
use super::tags::Tags;
use super::task::start::{self, NewTask};
use super::task::{Status, StopCode, Task, lifecycle};
use super::{events, task_definition};
use crate::clock::CloudTime;
use crate::elb::{self, Target};
use crate::world::World;

/// A deployment of no tasks completes after this long (as observed at AWS), in cloud time.
const EMPTY_COMPLETES_AFTER: Duration = Duration::from_secs(17);

/// Looks at a service.
pub fn reconcile(world: &mut World, now: CloudTime, key: &ServiceKey) {
    match world.ecs.services.get(key).map(|service| service.status) {
        Some(ServiceStatus::Active) => roll(world, now, key),
        Some(ServiceStatus::Draining) => drain(world, now, key),
        Some(ServiceStatus::Inactive) | None => {}
    }
}

/// One round of an ACTIVE service.
fn roll(world: &mut World, now: CloudTime, key: &ServiceKey) {
    observe_health(world, now, key);
    deployment::judge(world, now, key);
    let Some(service) = world.ecs.services.get(key) else { return };
    let round = round::decide(&wish(service, now), &task_views(world, now, key, service));
    stop_tasks(world, now, key, &round.stop);
    start_tasks(world, now, key, round.start);
    settle(world, now, key, &round);
}

/// What the service should have.
fn wish(service: &Service, now: CloudTime) -> Wish {
    let settings = &service.deployment_settings;
    let primary = service.deployments.first();
    Wish {
        desired: service.desired as usize,
        lower: (service.desired as usize * settings.minimum_healthy_percent as usize).div_ceil(100),
        upper: service.desired as usize * settings.maximum_percent as usize / 100,
        abandoned: primary.is_none_or(|primary| primary.rollout == Rollout::Failed),
        paused: primary.is_some_and(|primary| now < primary.retry_at),
    }
}

/// The service's tasks that are meant to run.
fn task_views(world: &World, now: CloudTime, key: &ServiceKey, service: &Service) -> Vec<TaskView> {
    let primary = service.deployments.first().map(|primary| primary.number);
    let wanted = tasks(world, key).filter(|task| task.is_wanted());
    let views = wanted.map(|task| TaskView {
        id: task.id.clone(),
        primary: task.deployment == primary,
        condition: condition(world, now, service, task),
        created_at: task.created_at,
        instance: task.instance.clone(),
    });
    views.collect()
}

fn tasks<'a>(world: &'a World, key: &'a ServiceKey) -> impl Iterator<Item = &'a Task> {
    world.ecs.tasks.values().filter(move |task| task.service.as_ref() == Some(key))
}

/// Notes which tasks became healthy, and asks to be called when others may.
fn observe_health(world: &mut World, now: CloudTime, key: &ServiceKey) {
    let Some(service) = world.ecs.services.get(key) else { return };
    let (mut healthy, mut later) = (Vec::new(), Vec::new());
    for task in tasks(world, key).filter(|task| task.is_wanted()) {
        let condition = condition(world, now, service, task);
        if condition != Condition::Healthy {
            later.push(grace_end(service, task));
            later.extend(task.started_at.map(|started_at| started_at.after(HEALTHY_AFTER)));
        } else if !task.was_healthy {
            healthy.push((task.id.clone(), task.deployment));
        }
    }
    for (id, number) in healthy {
        if let Some(task) = world.ecs.tasks.get_mut(&id) {
            task.was_healthy = true;
        }
        if let (Some(number), Some(service)) = (number, world.ecs.services.get_mut(key)) {
            deployment::record_health(service, number);
        }
    }
    if let Some(at) = later.into_iter().filter(|at| *at > now).min() {
        reconcile_at(world, at, key);
    }
}

/// Stops tasks, each with what showed that it is unhealthy if that is why.
fn stop_tasks(world: &mut World, now: CloudTime, key: &ServiceKey, stop: &[(String, Option<Cause>)]) {
    if stop.is_empty() {
        return;
    }
    let drains = |task: &&Task| task.status == Status::Running && !task.targets.is_empty();
    let draining = stop.iter().filter_map(|(id, _)| world.ecs.tasks.get(id)).filter(drains).count();
    if draining > 0 {
        let message = format!("(service {}) has begun draining connections on {draining} tasks.", key.name);
        events::record(world, now, key, message);
    }
    for (id, unhealthy) in stop {
        stop_task(world, now, key, id, unhealthy.as_ref());
    }
    let ids: Vec<String> = stop.iter().map(|(id, _)| id.clone()).collect();
    let message = format!("(service {}) has stopped {} running tasks: {}.", key.name, ids.len(), events::tasks(&ids));
    events::record(world, now, key, message);
}

fn stop_task(world: &mut World, now: CloudTime, key: &ServiceKey, id: &str, unhealthy: Option<&Cause>) {
    let Some(service) = world.ecs.services.get(key) else { return };
    let primary = service.deployments.first().map_or(0, |primary| primary.number);
    let reason = match unhealthy {
        Some(Cause::TargetGroup(group)) => format!("Task failed ELB health checks in (target-group {group})"),
        Some(Cause::Containers) => "Task failed container health checks".to_owned(),
        None => format!("Scaling activity initiated by (deployment {})", deployment::id(primary)),
    };
    let number = world.ecs.tasks.get(id).and_then(|task| task.deployment);
    if let (Some(_), Some(number)) = (unhealthy, number) {
        deployment::record_failure(world, now, key, number, Failure::Run);
    }
    lifecycle::stop(world, now, id, StopCode::ServiceSchedulerInitiated, &reason);
}

/// Starts `count` tasks of the PRIMARY deployment, as far as there is room for them.
fn start_tasks(world: &mut World, now: CloudTime, key: &ServiceKey, count: usize) {
    let Some(service) = world.ecs.services.get(key).cloned() else { return };
    let Some(primary) = service.deployments.first() else { return };
    let (mut started, mut no_place) = (Vec::new(), None);
    for _ in 0..count {
        let new = NewTask {
            workload: &primary.workload,
            cluster: &key.cluster,
            service: Some((key, primary.number)),
            started_by: Some(deployment::id(primary.number)),
            group: format!("service:{}", key.name),
            overrides: serde_json::json!({"containerOverrides": [], "inferenceAcceleratorOverrides": []}),
            execute_command: service.execute_command,
            tags: task_tags(world, key, &service),
            constraints: &service.placement_constraints,
            strategy: &service.placement_strategy,
        };
        match start::start(world, now, new) {
            Ok(id) => started.push(id),
            Err(reason) => {
                no_place = Some(reason);
                break;
            }
        }
    }
    if let Some(service) = world.ecs.services.get_mut(key) {
        service.unplaced = no_place.is_some();
    }
    if !started.is_empty() {
        let message =
            format!("(service {}) has started {} tasks: {}.", key.name, started.len(), events::tasks(&started));
        events::record(world, now, key, message);
    }
    if let Some(reason) = no_place {
        let message = format!("(service {}) was unable to place a task because {}", key.name, reason.message());
        events::record_once(world, now, key, message);
    }
}

/// Tags of a task of the service: those propagated, and ECS's own if enabled.
fn task_tags(world: &World, key: &ServiceKey, service: &Service) -> Tags {
    let definition = task_definition::find(&world.ecs, &service.workload.task_definition);
    let mut tags = match service.propagate_tags.as_str() {
        "SERVICE" => service.tags.clone(),
        "TASK_DEFINITION" => definition.map(|definition| definition.tags.clone()).unwrap_or_default(),
        _ => Tags::new(),
    };
    if service.managed_tags {
        tags.insert("aws:ecs:clusterName".to_owned(), key.cluster.clone());
        tags.insert("aws:ecs:serviceName".to_owned(), key.name.clone());
    }
    tags
}

/// Sees whether a deployment is complete, an old one gone, the service steady or stuck.
fn settle(world: &mut World, now: CloudTime, key: &ServiceKey, round: &Round) {
    forget_empty_deployments(world, key);
    let Some(service) = world.ecs.services.get(key) else { return };
    let Some(primary) = service.deployments.first() else { return };
    let views = task_views(world, now, key, service);
    let as_wished =
        views.len() == service.desired as usize && views.iter().all(|v| v.primary && v.condition == Condition::Healthy);
    let alone = service.deployments.len() == 1;
    let draining = tasks(world, key).any(|task| task.status == Status::Deactivating);
    let in_progress = primary.rollout == Rollout::InProgress;
    let empty_until = primary.updated_at.after(EMPTY_COMPLETES_AFTER);
    if as_wished && alone && in_progress && service.desired == 0 && now < empty_until {
        reconcile_at(world, empty_until, key);
        return;
    }
    let was_steady = service.steady;
    let steady = as_wished && alone && !draining && primary.rollout != Rollout::Failed;
    if steady && in_progress {
        deployment::complete(world, now, key);
    }
    if let Some(service) = world.ecs.services.get_mut(key) {
        service.steady = steady;
    }
    if steady && !was_steady {
        events::record(world, now, key, format!("(service {}) has reached a steady state.", key.name));
    }
    if round.stuck && in_progress {
        let why = "was unable to stop or start tasks during a deployment because of the service deployment configuration. Update the minimumHealthyPercent or maximumPercent value and try again.";
        events::record_once(world, now, key, format!("(service {}) {why}", key.name));
    }
}

/// Removes deployments that are not PRIMARY and have no task left.
fn forget_empty_deployments(world: &mut World, key: &ServiceKey) {
    let live: Vec<u64> =
        tasks(world, key).filter(|task| task.status != Status::Stopped).filter_map(|task| task.deployment).collect();
    let Some(service) = world.ecs.services.get_mut(key) else { return };
    let primary = service.deployments.first().map(|primary| primary.number);
    service.deployments.retain(|deployment| Some(deployment.number) == primary || live.contains(&deployment.number));
}

/// Ends a DRAINING service: all its tasks, then itself.
fn drain(world: &mut World, now: CloudTime, key: &ServiceKey) {
    let wanted = tasks(world, key).filter(|task| task.is_wanted()).map(|task| (task.id.clone(), None));
    let stop: Vec<_> = wanted.collect();
    stop_tasks(world, now, key, &stop);
    if tasks(world, key).any(|task| task.status < Status::Stopping) {
        return;
    }
    let Some(service) = world.ecs.services.get_mut(key) else { return };
    service_deployment::finish(service, now, SdStatus::Stopped, "The service was deleted.");
    service::retire(world, now, key);
}

/// Takes in that the health of a target changed.
pub fn target_changed(world: &mut World, now: CloudTime, group: &str, target: &Target) {
    let held = |task: &&Task| task.is_wanted() && task.targets.iter().any(|(arn, held)| arn == group && held == target);
    let Some(task) = world.ecs.tasks.values().find(held) else { return };
    let Some(key) = task.service.clone() else { return };
    let on_interface = task.interface.is_some();
    if let Some(health) = elb::health(world, group, target).filter(|health| health.state == "unhealthy") {
        let place = if on_interface { String::new() } else { format!("(instance {}) ", target.id) };
        let reason = unhealthy_reason(health.reason.as_deref());
        let message = format!(
            "(service {}) {place}(port {}) is unhealthy in (target-group {group}) due to (reason {reason})",
            key.name, target.port
        );
        events::record(world, now, &key, message);
    }
    reconcile_at(world, now, &key);
}

/// The words of an event for the reason code of a target's health.
fn unhealthy_reason(code: Option<&str>) -> &str {
    match code {
        Some("Target.Timeout") => "Request timed out",
        Some("Target.ResponseCodeMismatch" | "Target.FailedHealthChecks") => "Health checks failed",
        Some(other) => other,
        None => "unknown",
    }
}
