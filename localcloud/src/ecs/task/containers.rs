//! The life of a task's containers: each starts once what it depends on is as it needs it, and ends before that does.
//!
//! ```text
//!   Waiting ─advance▶ Starting ─ContainerStarted▶ Running ─ContainerExited▶ Ended
//! ```
//! A task is RUNNING once each of its containers has started (as AWS's agent has it; unverified on Fargate).

use std::time::Duration;

use super::order::{self, Outlook};
use super::{Stage, TaskContainer, health, lifecycle};
use crate::clock::CloudTime;
use crate::ecs::{Timer, task_definition};
use crate::effect::{ContainerLaunch, Effect};
use crate::world::{self, World};

/// Seconds between SIGTERM and SIGKILL unless a container says otherwise.
const STOP_TIMEOUT_SECONDS: u64 = 30;

/// Gives every container what starts it, and starts those that depend on none.
pub(super) fn launch(world: &mut World, now: CloudTime, id: &str, launches: Vec<ContainerLaunch>) {
    for launch in launches {
        if let Some(container) = container_mut(world, id, &launch.name) {
            container.launch = Some(launch);
        }
    }
    advance(world, now, id);
}

/// Starts every container that can start now. One that never can ends the task.
pub fn advance(world: &mut World, now: CloudTime, id: &str) {
    for (name, outlook) in outlooks(world, now, id) {
        match outlook {
            Outlook::Ready => start(world, id, &name),
            Outlook::Waits(None) => {}
            Outlook::Waits(Some(at)) => {
                world.timers.set(at, world::Timer::Ecs(Timer::StartContainers(id.to_owned())));
            }
            Outlook::Never(why) => return give_up(world, now, id, &name, &why),
        }
    }
    let started = |container: &TaskContainer| matches!(container.stage, Stage::Running | Stage::Ended);
    if world.ecs.tasks.get(id).is_some_and(|task| task.is_wanted() && task.containers.iter().all(started)) {
        lifecycle::running(world, now, id);
    }
}

/// The containers that wait with something to start them, and what they wait for.
fn outlooks(world: &World, now: CloudTime, id: &str) -> Vec<(String, Outlook)> {
    let Some(task) = world.ecs.tasks.get(id).filter(|task| task.is_wanted()) else { return Vec::new() };
    let Some(definition) = task_definition::find(&world.ecs, &task.definition) else { return Vec::new() };
    let waiting = task.containers.iter().filter(|container| container.launch.is_some());
    let outlook = |container: &TaskContainer| {
        let defined = definition.container(&container.name)?;
        Some((container.name.clone(), order::outlook(defined, &definition.containers, &task.containers, now)))
    };
    waiting.filter_map(outlook).collect()
}

fn start(world: &mut World, id: &str, name: &str) {
    let Some(container) = container_mut(world, id, name) else { return };
    let Some(launch) = container.launch.take() else { return };
    container.stage = Stage::Starting;
    world.effects.push(Effect::StartContainer(launch));
}

/// Ends a task one of whose containers can never start: "this results in the task transitioning to a STOPPED state"
/// (AWS: `startTimeout`, API reference; the words are unverified).
fn give_up(world: &mut World, now: CloudTime, id: &str, name: &str, why: &str) {
    let reason = format!("CannotStartContainerError: container {name} cannot start: {why}");
    if let Some(container) = container_mut(world, id, name) {
        container.reason = Some(reason.clone());
    }
    lifecycle::failed_to_start(world, now, id, &reason);
}

/// Takes in that a container runs.
pub fn started(world: &mut World, now: CloudTime, id: &str, name: &str) {
    let Some(container) = container_mut(world, id, name).filter(|c| c.stage == Stage::Starting) else { return };
    container.stage = Stage::Running;
    container.started_at = Some(now);
    health::check_later(world, now, id, name);
    advance(world, now, id);
}

/// Takes in that a container could not be started. The task ends with an essential one.
pub fn failed_to_start(world: &mut World, now: CloudTime, id: &str, name: &str, reason: &str) {
    let Some(container) = container_mut(world, id, name).filter(|container| container.is_live()) else { return };
    container.stage = Stage::Ended;
    container.reason = Some(reason.to_owned());
    let ended = world.ecs.tasks.get(id).is_some_and(super::Task::has_ended);
    if ended || is_essential(world, id, name) {
        lifecycle::failed_to_start(world, now, id, reason);
    } else {
        next(world, now, id);
    }
}

/// Takes in that a container ended. The task ends with an essential one.
pub fn exited(world: &mut World, now: CloudTime, id: &str, name: &str, exit_code: i32) {
    let Some(container) = container_mut(world, id, name).filter(|container| container.is_live()) else { return };
    container.stage = Stage::Ended;
    container.exit_code = Some(exit_code);
    // One that ended at once has run all the same.
    container.started_at = container.started_at.or(Some(now));
    let ended = world.ecs.tasks.get(id).is_some_and(super::Task::has_ended);
    if ended || is_essential(world, id, name) {
        lifecycle::essential_container_exited(world, now, id, name, exit_code);
    } else {
        next(world, now, id);
    }
}

/// What follows in a task that lives on, or is ending, without one of its containers.
fn next(world: &mut World, now: CloudTime, id: &str) {
    advance(world, now, id);
    if world.ecs.tasks.get(id).is_some_and(|task| task.status == super::Status::Stopping) {
        end_next(world, id);
    }
}

/// Has all containers end, in the reverse of the order in which they start; those that have not started never will.
pub(super) fn end(world: &mut World, id: &str) {
    let Some(task) = world.ecs.tasks.get_mut(id) else { return };
    for container in task.containers.iter_mut().filter(|container| container.stage == Stage::Waiting) {
        container.stage = Stage::Ended;
        container.launch = None;
    }
    end_next(world, id);
}

/// Has the runtime end the containers on which no live one depends.
fn end_next(world: &mut World, id: &str) {
    let Some(task) = world.ecs.tasks.get(id) else { return };
    let Some(definition) = task_definition::find(&world.ecs, &task.definition) else { return };
    let ending: Vec<(String, Duration)> = order::can_end(&definition.containers, &task.containers)
        .into_iter()
        .filter(|container| !container.stop_asked)
        .map(|container| {
            let timeout = definition.container(&container.name).and_then(|defined| defined.stop_timeout);
            (container.name.clone(), Duration::from_secs(timeout.unwrap_or(STOP_TIMEOUT_SECONDS)))
        })
        .collect();
    for (name, grace) in ending {
        if let Some(container) = container_mut(world, id, &name) {
            container.stop_asked = true;
        }
        world.effects.push(Effect::StopContainer { task_id: id.to_owned(), container: name, grace });
    }
}

fn is_essential(world: &World, id: &str, name: &str) -> bool {
    let definition = world.ecs.tasks.get(id).and_then(|task| task_definition::find(&world.ecs, &task.definition));
    definition.and_then(|definition| definition.container(name)).is_none_or(|container| container.essential)
}

fn container_mut<'a>(world: &'a mut World, id: &str, name: &str) -> Option<&'a mut TaskContainer> {
    world.ecs.tasks.get_mut(id)?.containers.iter_mut().find(|container| container.name == name)
}
