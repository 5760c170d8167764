//! Deployments of a service: how one begins, completes, fails and is rolled back. Which tasks to start and stop for it is the
//! scheduler's.

use std::time::Duration;

use serde_json::{Value, json};

use super::Ecs;
use super::events;
use super::service::{LaunchType, Service, ServiceKey, ServiceStatus, Workload, reconcile_at};
use super::service_deployment::{self, Rollback, SdStatus};
use super::task::{Status, Task};
use crate::clock::CloudTime;
use crate::world::World;

/// The platform version that `LATEST` means on Fargate.
const FARGATE_LATEST: &str = "1.4.0";

/// Failures in a row that are retried at once.
const FREE_RETRIES: u32 = 2;

/// The longest pause after tasks that did not start (AWS's figure).
const LONGEST_START_PAUSE: Duration = Duration::from_secs(15 * 60);

/// The longest pause after tasks that ended before they were healthy. AWS does not throttle these, but there a task takes long to
/// start by itself; here it would be a loop without a break.
const LONGEST_CRASH_PAUSE: Duration = Duration::from_secs(15);

/// Rollout state of a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    /// Being rolled out.
    InProgress,
    /// Reached a steady state once.
    Completed,
    /// Given up: it gets no new tasks.
    Failed,
}

impl Rollout {
    fn name(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// A deployment: PRIMARY if it is its service's first.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The number in `ecs-svc/<number>`, and in the ARN of its service revision.
    pub number: u64,
    /// What it runs.
    pub workload: Workload,
    /// How far it is.
    pub rollout: Rollout,
    /// In words.
    pub reason: String,
    /// When it began.
    pub created_at: CloudTime,
    /// When it, or the desired count, last changed.
    pub updated_at: CloudTime,
    /// Failures in a row.
    pub failed_tasks: u32,
    /// Failures in a row, for the pauses; unlike `failed_tasks` always reset by a healthy task.
    setbacks: u32,
    /// No task is started before.
    pub retry_at: CloudTime,
}

/// How a task failed its deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It never ran.
    Start,
    /// It ran, and ended or was replaced before it was healthy, or failed its health checks.
    Run,
}

/// `ecs-svc/<number>`.
pub fn id(number: u64) -> String {
    format!("ecs-svc/{number}")
}

/// Begins a deployment of the service's workload as the new PRIMARY.
pub fn begin(world: &mut World, now: CloudTime, key: &ServiceKey) {
    let number = world.ids.number();
    let deployment_id = world.ids.hex(21);
    let arn = world.arn("ecs", &format!("service-deployment/{}/{}/{deployment_id}", key.cluster, key.name));
    let Some(service) = world.ecs.services.get(key) else { return };
    let workload = service.workload.clone();
    let revision = service_deployment::ServiceRevision::new(&world.ecs, number, &workload, now);
    let Some(service) = world.ecs.services.get_mut(key) else { return };
    service_deployment::supersede(service, now);
    let sources = service.deployments.iter().map(|deployment| deployment.number).collect();
    let begun = service_deployment::ServiceDeployment::new(arn, now, number, sources);
    service_deployment::add(service, begun, revision);
    service.deployments.insert(
        0,
        Deployment {
            number,
            workload,
            rollout: Rollout::InProgress,
            reason: format!("ECS deployment {} in progress.", id(number)),
            created_at: now,
            updated_at: now,
            failed_tasks: 0,
            setbacks: 0,
            retry_at: now,
        },
    );
    service.steady = false;
    reconcile_at(world, now, key);
}

/// Counts a failure of a task against its deployment, and pauses after several.
pub fn record_failure(world: &mut World, now: CloudTime, key: &ServiceKey, number: u64, failure: Failure) {
    let Some(service) = world.ecs.services.get_mut(key) else { return };
    let Some(deployment) = service.deployments.iter_mut().find(|deployment| deployment.number == number) else {
        return;
    };
    deployment.failed_tasks += 1;
    deployment.setbacks += 1;
    let pause = pause(failure, deployment.setbacks);
    deployment.retry_at = now.after(pause);
    let retry_at = deployment.retry_at;
    if pause.is_zero() {
        return;
    }
    if failure == Failure::Start {
        let message = format!("(service {}) is unable to consistently start tasks successfully.", key.name);
        events::record_once(world, now, key, message);
    }
    reconcile_at(world, retry_at, key);
}

/// How long to wait after the n-th failure in a row.
fn pause(failure: Failure, setbacks: u32) -> Duration {
    let Some(doublings) = setbacks.checked_sub(FREE_RETRIES + 1) else { return Duration::ZERO };
    let (first, longest) = match failure {
        Failure::Start => (Duration::from_secs(10), LONGEST_START_PAUSE),
        Failure::Run => (Duration::from_secs(1), LONGEST_CRASH_PAUSE),
    };
    first.saturating_mul(2_u32.saturating_pow(doublings)).min(longest)
}

/// Takes in that a task of the deployment became healthy.
pub fn record_health(service: &mut Service, number: u64) {
    let reset = service.deployment_settings.circuit_breaker.reset_on_healthy_task;
    if let Some(deployment) = service.deployments.iter_mut().find(|deployment| deployment.number == number) {
        deployment.setbacks = 0;
        if reset {
            deployment.failed_tasks = 0;
        }
    }
}

/// Trips the circuit breaker if the PRIMARY deployment has failed too often.
pub fn judge(world: &mut World, now: CloudTime, key: &ServiceKey) {
    let Some(service) = world.ecs.services.get(key) else { return };
    let breaker = &service.deployment_settings.circuit_breaker;
    let Some(primary) = service.deployments.first() else { return };
    let threshold = breaker.threshold(service.desired);
    if !breaker.enable || primary.rollout != Rollout::InProgress || primary.failed_tasks < threshold {
        return;
    }
    let rollback = breaker.rollback;
    let reason = "ECS deployment circuit breaker: tasks failed to start.";
    let message =
        format!("(service {}) (deployment {}) deployment failed: tasks failed to start.", key.name, id(primary.number));
    events::record(world, now, key, message);
    fail(world, now, key, reason, rollback);
}

/// Ends the PRIMARY deployment as failed and, if `rollback`, brings the last completed one back. Without one it stalls.
pub fn fail(world: &mut World, now: CloudTime, key: &ServiceKey, reason: &str, rollback: bool) {
    let Some(service) = world.ecs.services.get_mut(key) else { return };
    let Some(primary) = service.deployments.first_mut() else { return };
    primary.rollout = Rollout::Failed;
    primary.reason = reason.to_owned();
    primary.updated_at = now;
    let target = if rollback { service.last_completed.take() } else { None };
    let Some(target) = target else {
        let returning = service.service_deployments.last().is_some_and(|d| d.status == SdStatus::RollbackInProgress);
        let status = if rollback || returning { SdStatus::RollbackFailed } else { SdStatus::Stopped };
        service_deployment::finish(service, now, status, reason);
        return;
    };
    let number = target.number;
    let reason_back = format!("ECS deployment circuit breaker: rolling back to deploymentId {}.", id(number));
    let threshold_rollback = Rollback { reason: reason.to_owned(), started_at: now, revision: number };
    service_deployment::roll_back(service, now, threshold_rollback);
    // Its tasks may still run, as those of an ACTIVE deployment.
    service.deployments.retain(|deployment| deployment.number != number);
    service.workload.clone_from(&target.workload);
    service.deployments.insert(
        0,
        Deployment {
            rollout: Rollout::InProgress,
            reason: reason_back,
            updated_at: now,
            failed_tasks: 0,
            setbacks: 0,
            retry_at: now,
            ..target
        },
    );
    events::record(world, now, key, format!("(service {}) rolling back to deployment {}.", key.name, id(number)));
}

/// Completes the PRIMARY deployment.
pub fn complete(world: &mut World, now: CloudTime, key: &ServiceKey) {
    let Some(service) = world.ecs.services.get_mut(key) else { return };
    let Some(primary) = service.deployments.first_mut() else { return };
    let id = id(primary.number);
    primary.rollout = Rollout::Completed;
    primary.reason = format!("ECS deployment {id} completed.");
    primary.updated_at = now;
    service.last_completed = Some(primary.clone());
    let returning = service.service_deployments.last().is_some_and(|d| d.status == SdStatus::RollbackInProgress);
    let status = if returning { SdStatus::RollbackSuccessful } else { SdStatus::Successful };
    service_deployment::finish(service, now, status, "");
    events::record(world, now, key, format!("(service {}) (deployment {id}) deployment completed.", key.name));
}

/// How many tasks there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// RUNNING.
    pub running: u32,
    /// Not yet RUNNING.
    pub pending: u32,
    /// Meant to run.
    pub requested: u32,
}

impl Counts {
    /// Of all deployments.
    pub fn of_service(ecs: &Ecs, key: &ServiceKey) -> Self {
        Self::of(ecs, |task| task.service.as_ref() == Some(key))
    }

    /// Of one deployment.
    pub fn of_deployment(ecs: &Ecs, key: &ServiceKey, number: u64) -> Self {
        Self::of(ecs, |task| task.deployment == Some(number) && task.service.as_ref() == Some(key))
    }

    fn of(ecs: &Ecs, wanted: impl Fn(&Task) -> bool) -> Self {
        ecs.tasks.values().filter(|task| wanted(task)).fold(Self::default(), |counts, task| Self {
            running: counts.running + u32::from(task.status == Status::Running),
            pending: counts.pending + u32::from(task.status.is_starting()),
            requested: counts.requested + u32::from(task.is_wanted()),
        })
    }
}

/// The `deployments` of a service.
pub fn views(ecs: &Ecs, key: &ServiceKey, service: &Service) -> Vec<Value> {
    let all = service.deployments.iter().enumerate();
    all.filter(|_| service.status != ServiceStatus::Inactive)
        .map(|(index, deployment)| view(ecs, key, service, deployment, index == 0))
        .collect()
}

fn view(ecs: &Ecs, key: &ServiceKey, service: &Service, deployment: &Deployment, primary: bool) -> Value {
    let counts = Counts::of_deployment(ecs, key, deployment.number);
    let workload = &deployment.workload;
    let mut view = json!({
        "id": id(deployment.number),
        "status": if primary { "PRIMARY" } else { "ACTIVE" },
        "taskDefinition": workload.task_definition,
        "desiredCount": if primary { service.desired } else { counts.requested },
        "pendingCount": counts.pending,
        "runningCount": counts.running,
        "failedTasks": deployment.failed_tasks,
        "createdAt": deployment.created_at.as_epoch_seconds(),
        "updatedAt": deployment.updated_at.as_epoch_seconds(),
        "launchType": workload.launch_type,
        "rolloutState": deployment.rollout.name(),
        "rolloutStateReason": deployment.reason,
    });
    if workload.launch_type == LaunchType::Fargate {
        view["platformVersion"] = json!(resolved_platform_version(workload));
        view["platformFamily"] = json!("Linux");
    }
    if let Some(network) = &workload.network_configuration {
        view["networkConfiguration"] = json!(network);
    }
    view
}

/// Fargate's version with `LATEST` resolved.
pub fn resolved_platform_version(workload: &Workload) -> Option<&str> {
    workload.platform_version.as_deref().map(|version| if version == "LATEST" { FARGATE_LATEST } else { version })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_after_two_free_retries_and_have_an_end() {
        let starts = [1, 2, 3, 4, 9, 10, 60].map(|n| pause(Failure::Start, n).as_secs());
        assert_eq!(starts, [0, 0, 10, 20, 640, 900, 900]);
        let runs = [2, 3, 4, 7, 60].map(|n| pause(Failure::Run, n).as_secs());
        assert_eq!(runs, [0, 1, 2, 15, 15]);
    }
}
