//! Why tasks do not run or serve, in the words of ECS and the load balancer. They explain only: nothing is decided by them.

use aws_smithy_types::DateTime;

use crate::observed::Observed;
use crate::resource::service::{Event, Failure};
use crate::resource::task_definition;

/// Most reasons of one kind that are told.
const TOLD: usize = 3;
/// Parts of what ECS reports when tasks cannot start or serve (AWS: ECS Developer Guide, service event messages).
const TROUBLE: [&str; 5] = ["unable to", "unhealthy", "health check", "throttled", "insufficient"];

/// Adds to `message` why the tasks that run, or should, do not serve.
pub(super) fn of_tasks(message: String, observed: &Observed) -> String {
    let Some(found) = &observed.service else { return message };
    let current = |arn: &str| found.deployments.iter().any(|one| one.task_definition_arn == arn);
    let mut parts = vec![message];
    parts.extend(stopped(observed, current));
    parts.extend(unhealthy(observed));
    parts.extend(found.events.first().map(|event| event.message.clone()));
    joined(parts)
}

/// Adds to `message` why ECS gave up on the deployment that it works towards.
pub(super) fn of_deployment(observed: &Observed) -> String {
    let Some(primary) = observed.service.as_ref().and_then(|found| found.primary()) else { return String::new() };
    let revision = task_definition::short(&primary.task_definition_arn);
    let message = format!("the rollout of {revision} has failed: {}", primary.reason.trim_end_matches('.'));
    let mut parts = vec![message];
    parts.extend(stopped(observed, |arn| arn == primary.task_definition_arn));
    parts.extend(unhealthy(observed));
    parts.extend(troubles(observed, primary.created_at));
    joined(parts)
}

/// Adds to `message` why a rollout failed that ECS may have gone back from.
pub(super) fn of_failure(message: &str, failure: Option<&Failure>, observed: &Observed) -> String {
    let mut parts = vec![message.to_owned()];
    if let Some(Failure { attempt, .. }) = failure {
        parts.extend(stopped(observed, |arn| arn == attempt.task_definition));
        parts.extend(troubles(observed, attempt.created_at));
    }
    joined(parts)
}

fn stopped(observed: &Observed, of: impl Fn(&str) -> bool) -> impl Iterator<Item = String> {
    let tasks = observed.stopped.iter().filter(move |task| of(&task.task_definition_arn));
    tasks.take(TOLD).map(|task| format!("a task stopped: {}", task.reason.trim_end_matches('.')))
}

fn unhealthy(observed: &Observed) -> impl Iterator<Item = String> {
    let targets = observed.targets.iter().filter(|target| target.state == "unhealthy");
    targets.take(TOLD).map(|target| format!("target {} is unhealthy: {}", target.id, target.reason))
}

/// What ECS has reported of trouble since a moment, newest first.
fn troubles(observed: &Observed, since: Option<DateTime>) -> impl Iterator<Item = String> {
    let events = observed.service.iter().flat_map(|found| &found.events);
    let recent = events.filter(move |event| event.at >= since);
    let is_trouble = |event: &&Event| TROUBLE.iter().any(|part| event.message.contains(part));
    recent.filter(is_trouble).take(TOLD).map(|event| event.message.trim_end_matches('.').to_owned())
}

fn joined(mut parts: Vec<String>) -> String {
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}
