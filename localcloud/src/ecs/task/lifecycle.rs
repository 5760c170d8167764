//! The life of a task: PROVISIONING, PENDING, RUNNING, DEACTIVATING, STOPPING, STOPPED.
//!
//! ```text
//!   start ─▶ PROVISIONING ─timer▶ PENDING ─all started▶ RUNNING ─stop▶ DEACTIVATING ─drained▶ STOPPING ─all ended▶ STOPPED
//! ```
//! Without targets there is nothing to drain, and a task that never ran goes to STOPPED by the shortest way. Every step
//! that changes what a service has rings its scheduler.

use std::time::Duration;

use super::{Status, StopCode, containers, launch};
use crate::clock::CloudTime;
use crate::ecs::deployment::{self, Failure};
use crate::ecs::service::reconcile_at;
use crate::ecs::{Timer, events};
use crate::effect::Report;
use crate::elb;
use crate::world::{self, World};

/// How long it takes to find out that a task cannot start, in cloud time.
const FAILING: Duration = Duration::from_millis(200);

/// How long a STOPPED task can be described, in cloud time.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Why a task stopped that an essential container has left, in AWS's words.
const CONTAINER_EXITED: &str = "Essential container in task exited";

/// STOPPED tasks that can be described; the oldest give way.
const MAX_STOPPED: usize = 1_000;

/// PENDING: starts the containers, or finds out that they cannot start.
pub fn launch(world: &mut World, now: CloudTime, id: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id).filter(|task| task.status == Status::Provisioning) else { return };
    task.set_status(Status::Pending);
    match launch::prepare(world, now, id) {
        Ok(launches) => {
            if let Some(task) = world.ecs.tasks.get_mut(id) {
                task.pull_stopped_at = Some(now);
            }
            containers::launch(world, now, id, launches);
        }
        Err(reason) => {
            let report = Report::TaskFailedToStart { task_id: id.to_owned(), reason };
            world.timers.set(now.after(FAILING), world::Timer::Report(report));
        }
    }
}

/// RUNNING, once all containers have started: registers the task with its target groups.
pub(super) fn running(world: &mut World, now: CloudTime, id: &str) {
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

/// Takes in that the task could not be started, as a whole or for one of its containers.
pub fn failed_to_start(world: &mut World, now: CloudTime, id: &str, reason: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id).filter(|task| task.status != Status::Stopped) else { return };
    if task.is_wanted() {
        task.mark_stopping(now, StopCode::TaskFailedToStart, reason);
        // A reason that no container has yet is that of the first.
        if task.containers.iter().all(|container| container.reason.is_none())
            && let Some(container) = task.containers.first_mut()
        {
            container.reason = Some(reason.to_owned());
        }
        let (service, number) = (task.service.clone(), task.deployment);
        if let (Some(key), Some(number)) = (service, number) {
            deployment::record_failure(world, now, &key, number, Failure::Start);
        }
    }
    end_containers(world, now, id);
}

/// Takes in that an essential container ended, or the last one.
pub(super) fn essential_container_exited(world: &mut World, now: CloudTime, id: &str, name: &str, exit_code: i32) {
    let Some(task) = world.ecs.tasks.get_mut(id).filter(|task| task.status != Status::Stopped) else { return };
    if task.is_wanted() {
        task.mark_stopping(now, StopCode::EssentialContainerExited, CONTAINER_EXITED);
        record_exit(world, now, id, name, exit_code);
    }
    end_containers(world, now, id);
}

/// Tells the task's service of the container that ended, and the deployment of the failure that this was.
fn record_exit(world: &mut World, now: CloudTime, id: &str, name: &str, exit_code: i32) {
    let Some(task) = world.ecs.tasks.get(id) else { return };
    let (was_healthy, ran) = (task.was_healthy, task.started_at.is_some());
    let (Some(key), Some(number)) = (task.service.clone(), task.deployment) else { return };
    // AWS leaves this to the task's stop reason; here the service says it too, since it is what someone looks for
    // first.
    let why = format!("{CONTAINER_EXITED} (container {name}, exit code {exit_code})");
    events::record(world, now, &key, format!("(service {}) (task {id}) stopped: {why}.", key.name));
    if !was_healthy {
        deployment::record_failure(world, now, &key, number, if ran { Failure::Run } else { Failure::Start });
    }
}

/// Ends a task: drains it from its target groups first.
pub fn stop(world: &mut World, now: CloudTime, id: &str, code: StopCode, reason: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id).filter(|task| task.is_wanted()) else { return };
    task.mark_stopping(now, code, reason);
    if task.status == Status::Running && !task.targets.is_empty() {
        task.set_status(Status::Deactivating);
        deregister(world, now, id);
        drained(world, now, id);
    } else {
        end_containers(world, now, id);
    }
    ring(world, now, id);
}

/// Takes in that a target of the task may be gone: once all are, the containers end.
pub fn drained(world: &mut World, now: CloudTime, id: &str) {
    let Some(task) = world.ecs.tasks.get(id).filter(|task| task.status == Status::Deactivating) else { return };
    if task.targets.iter().all(|(group, target)| elb::health(world, group, target).is_none()) {
        end_containers(world, now, id);
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

/// STOPPING: has what still runs end. STOPPED, if nothing does.
fn end_containers(world: &mut World, now: CloudTime, id: &str) {
    let Some(task) = world.ecs.tasks.get(id) else { return };
    let was_running = task.status == Status::Running;
    containers::end(world, id);
    // A task that crashed is still a target: soon nothing answers there any more.
    if was_running {
        deregister(world, now, id);
    }
    let Some(task) = world.ecs.tasks.get_mut(id) else { return };
    if task.has_ended() {
        finish(world, now, id);
    } else if task.status != Status::Stopping {
        task.set_status(Status::Stopping);
    }
}

/// STOPPED: gives back what the task held.
fn finish(world: &mut World, now: CloudTime, id: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id) else { return };
    task.set_status(Status::Stopped);
    task.stopping_at = task.stopping_at.or(Some(now));
    task.stopped_at = Some(now);
    launch::release(world, id);
    world.timers.set(now.after(REMEMBERED), world::Timer::Ecs(Timer::ForgetTask(id.to_owned())));
    forget_surplus(world, id);
    ring(world, now, id);
    ring_waiting(world, now);
}

/// Forgets the task that stopped first, if there are too many; `id` is the one that has just stopped.
fn forget_surplus(world: &mut World, id: &str) {
    let stopped = || world.ecs.tasks.values().filter(|task| task.status == Status::Stopped);
    if world.ecs.tasks.len() <= MAX_STOPPED || stopped().count() <= MAX_STOPPED {
        return;
    }
    let others = stopped().filter(|task| task.id != id);
    if let Some(first) = others.min_by_key(|task| task.stopped_at).map(|task| task.id.clone()) {
        world.ecs.tasks.remove(&first);
    }
}

/// Has the scheduler look at the task's service.
pub(super) fn ring(world: &mut World, now: CloudTime, id: &str) {
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
