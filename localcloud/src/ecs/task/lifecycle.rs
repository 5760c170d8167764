//! The life of a task: PROVISIONING, PENDING, RUNNING, DEACTIVATING, STOPPING, STOPPED.
//!
//! ```text
//!   start ─▶ PROVISIONING ─timer▶ PENDING ─TaskStarted▶ RUNNING ─stop▶ DEACTIVATING ─drained▶ STOPPING ─ContainerExited▶ STOPPED
//! ```
//! Without targets there is nothing to drain, and a task that never ran goes to STOPPED by the shortest way. Every step that changes what a
//! service has rings its scheduler.

use std::time::Duration;

use super::{Status, StopCode, launch};
use crate::clock::CloudTime;
use crate::ecs::deployment::{self, Failure};
use crate::ecs::service::reconcile_at;
use crate::ecs::{Timer, events, task_definition};
use crate::effect::{Effect, Report};
use crate::elb;
use crate::world::{self, World};

/// How long it takes to find out that a task cannot start, in cloud time.
const FAILING: Duration = Duration::from_millis(200);

/// How long a STOPPED task can be described, in cloud time.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// STOPPED tasks that can be described; the oldest give way.
const MAX_STOPPED: usize = 5_000;

/// Seconds between SIGTERM and SIGKILL unless a container says otherwise.
const STOP_TIMEOUT_SECONDS: u64 = 30;

/// PENDING: starts the containers, or finds out that they cannot start.
pub fn launch(world: &mut World, now: CloudTime, id: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id).filter(|task| task.status == Status::Provisioning) else { return };
    task.set_status(Status::Pending);
    match launch::prepare(world, id) {
        Ok(launch) => {
            if let Some(task) = world.ecs.tasks.get_mut(id) {
                task.launched = true;
                task.pull_stopped_at = Some(now);
            }
            world.effects.push(Effect::StartTask(launch));
        }
        Err(reason) => {
            let report = Report::TaskFailedToStart { task_id: id.to_owned(), reason };
            world.timers.set(now.after(FAILING), world::Timer::Report(report));
        }
    }
}

/// RUNNING: registers the task with its target groups.
pub fn started(world: &mut World, now: CloudTime, id: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id).filter(|task| task.status == Status::Pending) else { return };
    task.set_status(Status::Running);
    task.started_at = Some(now);
    let (targets, service) = (task.targets.clone(), task.service.clone());
    for (group, target) in &targets {
        elb::register(world, now, group, target);
        if let Some(key) = &service {
            let message = format!("(service {}) registered 1 targets in (target-group {group})", key.name);
            events::record(world, now, key, message);
        }
    }
    ring(world, now, id);
}

/// Takes in that the task could not be started.
pub fn failed_to_start(world: &mut World, now: CloudTime, id: &str, reason: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id).filter(|task| task.status != Status::Stopped) else { return };
    if task.is_wanted() {
        task.stop_wanted = true;
        task.stopping_at = Some(now);
        task.stop_code = Some(StopCode::TaskFailedToStart);
        task.stopped_reason = Some(reason.to_owned());
        if let Some(container) = task.containers.first_mut() {
            container.reason = Some(reason.to_owned());
        }
        let (service, number) = (task.service.clone(), task.deployment);
        if let (Some(key), Some(number)) = (service, number) {
            deployment::record_failure(world, now, &key, number, Failure::Start);
        }
    }
    finish(world, now, id);
}

/// Takes in that a container ended. The task ends with an essential one.
pub fn container_exited(world: &mut World, now: CloudTime, id: &str, name: &str, exit_code: i32) {
    let Some(task) = world.ecs.tasks.get_mut(id).filter(|task| task.status != Status::Stopped) else { return };
    let Some(container) = task.containers.iter_mut().find(|container| container.name == name) else { return };
    container.exit_code = Some(exit_code);
    let definition = task.definition.clone();
    let (ended, wanted, stopping) = (task.has_ended(), task.is_wanted(), task.status == Status::Stopping);
    let essential = task_definition::find(&world.ecs, &definition)
        .and_then(|definition| definition.container(name).map(|container| container.essential))
        .unwrap_or(true);
    if wanted && (essential || ended) {
        essential_container_exited(world, now, id, name, exit_code);
    }
    if ended {
        finish(world, now, id);
    } else if essential && !stopping {
        end_containers(world, id);
    }
}

fn essential_container_exited(world: &mut World, now: CloudTime, id: &str, name: &str, exit_code: i32) {
    let Some(task) = world.ecs.tasks.get_mut(id) else { return };
    let reason = "Essential container in task exited";
    task.stop_wanted = true;
    task.stopping_at = Some(now);
    task.stop_code = Some(StopCode::EssentialContainerExited);
    task.stopped_reason = Some(reason.to_owned());
    let (was_healthy, ran) = (task.was_healthy, task.started_at.is_some());
    let (Some(key), Some(number)) = (task.service.clone(), task.deployment) else { return };
    // AWS leaves this to the task's stop reason; here the service says it too, since it is what someone looks for first.
    let why = format!("{reason} (container {name}, exit code {exit_code})");
    events::record(world, now, &key, format!("(service {}) (task {id}) stopped: {why}.", key.name));
    if !was_healthy {
        deployment::record_failure(world, now, &key, number, if ran { Failure::Run } else { Failure::Start });
    }
}

/// Ends a task: drains it from its target groups first.
pub fn stop(world: &mut World, now: CloudTime, id: &str, code: StopCode, reason: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id).filter(|task| task.is_wanted()) else { return };
    task.stop_wanted = true;
    task.stopping_at = Some(now);
    task.stop_code = Some(code);
    task.stopped_reason = Some(reason.to_owned());
    let (status, launched) = (task.status, task.launched);
    match status {
        Status::Running if !task.targets.is_empty() => {
            task.set_status(Status::Deactivating);
            deregister(world, now, id);
            drained(world, now, id);
        }
        _ if !launched => finish(world, now, id),
        _ => end_containers(world, id),
    }
    ring(world, now, id);
}

/// Takes in that a target of the task may be gone: once all are, the containers end.
pub fn drained(world: &mut World, now: CloudTime, id: &str) {
    let Some(task) = world.ecs.tasks.get(id).filter(|task| task.status == Status::Deactivating) else { return };
    if task.targets.iter().all(|(group, target)| elb::health(world, group, target).is_none()) {
        end_containers(world, id);
        ring(world, now, id);
    }
}

/// Takes the task out of its target groups.
fn deregister(world: &mut World, now: CloudTime, id: &str) {
    let Some(task) = world.ecs.tasks.get(id) else { return };
    let (targets, service) = (task.targets.clone(), task.service.clone());
    for (group, target) in &targets {
        if elb::health(world, group, target).is_none() {
            continue;
        }
        elb::deregister(world, now, group, target);
        if let Some(key) = &service {
            let message = format!("(service {}) deregistered 1 targets in (target-group {group})", key.name);
            events::record(world, now, key, message);
        }
    }
}

/// STOPPING: has the runtime end what still runs.
fn end_containers(world: &mut World, id: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id) else { return };
    task.set_status(Status::Stopping);
    let definition = task.definition.clone();
    let timeouts = task_definition::find(&world.ecs, &definition).into_iter().flat_map(|definition| {
        definition.containers.iter().map(|container| container.stop_timeout.unwrap_or(STOP_TIMEOUT_SECONDS))
    });
    let grace = Duration::from_secs(timeouts.max().unwrap_or(STOP_TIMEOUT_SECONDS));
    world.effects.push(Effect::StopTask { task_id: id.to_owned(), grace });
}

/// STOPPED: gives back what the task held.
fn finish(world: &mut World, now: CloudTime, id: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id) else { return };
    let was_running = task.status == Status::Running;
    task.set_status(Status::Stopped);
    task.stopping_at = task.stopping_at.or(Some(now));
    task.stopped_at = Some(now);
    // A task that crashed is still a target: nothing answers there any more.
    if was_running {
        deregister(world, now, id);
    }
    launch::release(world, id);
    world.timers.set(now.after(REMEMBERED), world::Timer::Ecs(Timer::ForgetTask(id.to_owned())));
    forget_surplus(world);
    ring(world, now, id);
    ring_waiting(world, now);
}

/// Forgets the task that stopped first, if there are too many.
fn forget_surplus(world: &mut World) {
    let stopped = || world.ecs.tasks.values().filter(|task| task.status == Status::Stopped);
    if stopped().count() > MAX_STOPPED
        && let Some(id) = stopped().min_by_key(|task| task.stopped_at).map(|task| task.id.clone())
    {
        world.ecs.tasks.remove(&id);
    }
}

/// Has the scheduler look at the task's service.
fn ring(world: &mut World, now: CloudTime, id: &str) {
    if let Some(key) = world.ecs.tasks.get(id).and_then(|task| task.service.clone()) {
        reconcile_at(world, now, &key);
    }
}

/// Has the scheduler look at services for whose tasks there was no place.
fn ring_waiting(world: &mut World, now: CloudTime) {
    let waiting = world.ecs.services.iter().filter(|(_, service)| service.unplaced).map(|(key, _)| key.clone());
    for key in waiting.collect::<Vec<_>>() {
        reconcile_at(world, now, &key);
    }
}
