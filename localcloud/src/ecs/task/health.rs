//! Health of containers, by their health checks, and of tasks, by that of their containers.
//!
//! A check is made `interval` after its container's start, and again `interval` after each check has ended, as Docker
//! does. Intervals and the start period are cloud time; what a check itself takes is wall time, since a program runs in
//! that.

use super::{Stage, Task, containers, lifecycle};
use crate::clock::CloudTime;
use crate::ecs::task_definition::health_check::HealthCheck;
use crate::ecs::{Timer, events, task_definition};
use crate::effect::{ContainerCheck, Effect};
use crate::world::{self, World};

/// Whether a container, or a task, works (AWS: `healthStatus`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum HealthStatus {
    /// Nothing is known yet, or nothing is checked.
    #[default]
    Unknown,
    /// Its last checks passed.
    Healthy,
    /// Its last checks failed.
    Unhealthy,
}

impl HealthStatus {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Healthy => "HEALTHY",
            Self::Unhealthy => "UNHEALTHY",
        }
    }
}

/// What the checks of a container have shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Health {
    status: HealthStatus,
    /// Failures in a row that count.
    failures: u32,
}

impl Health {
    /// The sum of it.
    pub(super) fn status(self) -> HealthStatus {
        self.status
    }

    /// After one more check. Failures in the start period do not count, unless a check has passed before (AWS:
    /// HealthCheck, API reference).
    fn after(self, passed: bool, starting: bool, retries: u32) -> Self {
        if passed {
            return Self { status: HealthStatus::Healthy, failures: 0 };
        }
        if starting && self.status == HealthStatus::Unknown {
            return self;
        }
        let failures = self.failures.saturating_add(1);
        Self { status: if failures >= retries { HealthStatus::Unhealthy } else { self.status }, failures }
    }
}

/// Health of a task: that of its essential containers, the worst first. `None`: none of them is checked. AWS's
/// reference counts a container without a check as UNKNOWN; a service would wait for it for ever, so it does not count
/// here (unverified).
pub fn of_task(world: &World, task: &Task) -> Option<HealthStatus> {
    let definition = task_definition::find(&world.ecs, &task.definition)?;
    let checked = definition.containers.iter().filter(|defined| defined.essential && defined.health_check.is_some());
    let all: Vec<HealthStatus> =
        checked.filter_map(|defined| Some(task.container(&defined.name)?.health.status())).collect();
    let worst = [HealthStatus::Unhealthy, HealthStatus::Unknown, HealthStatus::Healthy];
    worst.into_iter().find(|status| all.contains(status))
}

/// Has the container checked after its interval, if it has a health check.
pub(super) fn check_later(world: &mut World, now: CloudTime, id: &str, name: &str) {
    if let Some(check) = check_of(world, id, name) {
        let timer = Timer::CheckContainer(id.to_owned(), name.to_owned());
        world.timers.set(now.after(check.interval()), world::Timer::Ecs(timer));
    }
}

/// Checks a container, unless it ends or has ended.
pub fn check(world: &mut World, id: &str, name: &str) {
    let Some(check) = check_of(world, id, name) else { return };
    world.effects.push(Effect::CheckContainer(ContainerCheck {
        task_id: id.to_owned(),
        container: name.to_owned(),
        command: check.command_line(),
        timeout: check.timeout(),
    }));
}

/// Takes in what a check has shown.
pub fn checked(world: &mut World, now: CloudTime, id: &str, name: &str, failure: Option<String>) {
    let Some(check) = check_of(world, id, name) else { return };
    let Some(task) = world.ecs.tasks.get_mut(id) else { return };
    let Some(container) = task.containers.iter_mut().find(|container| container.name == name) else { return };
    let starting = container.started_at.is_some_and(|started_at| now.since(started_at) < check.start_period());
    let before = container.health.status;
    container.health = container.health.after(failure.is_none(), starting, check.retries());
    let after = container.health.status;
    if after != before {
        // AWS shows only that it failed. Why stands where whoever looks for it sees it.
        container.reason = failure.filter(|_| after == HealthStatus::Unhealthy);
        task.version += 1;
        changed(world, now, id, after);
    }
    check_later(world, now, id, name);
}

/// What follows from a container's new health: others may have waited for it, and the service may think otherwise of
/// the task.
fn changed(world: &mut World, now: CloudTime, id: &str, status: HealthStatus) {
    let service = world.ecs.tasks.get(id).and_then(|task| task.service.clone());
    if let Some(key) = service.filter(|_| status == HealthStatus::Unhealthy) {
        let message = format!("(service {}) (task {id}) failed container health checks.", key.name);
        events::record(world, now, &key, message);
    }
    containers::advance(world, now, id);
    lifecycle::ring(world, now, id);
}

/// The health check of a container that runs and is meant to.
fn check_of(world: &World, id: &str, name: &str) -> Option<HealthCheck> {
    let task = world.ecs.tasks.get(id).filter(|task| task.is_wanted())?;
    task.container(name).filter(|container| container.stage == Stage::Running)?;
    task_definition::find(&world.ecs, &task.definition)?.container(name)?.health_check.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The health after each of some checks (`.` passes, `x` fails, `s` fails in the start period): `?`, healthy or
    /// unhealthy.
    fn course(retries: u32, checks: &str) -> String {
        let mut health = Health::default();
        let letter = |check| {
            health = health.after(check == '.', check == 's', retries);
            match health.status {
                HealthStatus::Unknown => '?',
                HealthStatus::Healthy => 'h',
                HealthStatus::Unhealthy => 'u',
            }
        };
        checks.chars().map(letter).collect()
    }

    #[test]
    fn so_many_failures_in_a_row_make_a_container_unhealthy_and_one_success_heals_it() {
        assert_eq!(course(3, "xxxx.xx.xxx"), "??uuhhhhhhu");
        assert_eq!(course(1, "x.x"), "uhu");
    }

    #[test]
    fn failures_in_the_start_period_count_once_a_check_has_passed() {
        assert_eq!(course(1, "sss."), "???h");
        assert_eq!(course(2, "s.ss"), "?hhu");
    }
}
