//! Tasks of a service that ended by themselves or were found unhealthy, and why: what a person asks when a task was replaced.

use aws_sdk_ecs::types::{Task, TaskStopCode};
use aws_smithy_types::DateTime;

use crate::aws::Aws;
use crate::error::Error;
use crate::resource::service::observe::{stopped_tasks, why};

/// How the reason begins of a task that the service stopped because it has too many (AWS: ECS developer guide, "stopped tasks error
/// codes").
const SCALED_IN: &str = "Scaling activity initiated";

/// A task that has ended, or is ending, without its service wanting fewer.
#[derive(Debug, Clone, PartialEq)]
pub struct Ended {
    /// Its id, the last part of its ARN.
    pub id: String,
    /// When it began to stop, by AWS's clock.
    pub at: Option<DateTime>,
    /// Whether it had not come up.
    pub is_start: bool,
    /// Why, in ECS's words.
    pub reason: String,
}

/// The tasks of a service that have ended lately, as ECS remembers them for an hour or so.
///
/// # Errors
/// When the read fails; it explains only, so nothing depends on it.
pub async fn observe(aws: &Aws, cluster: &str, service: &str) -> Result<Vec<Ended>, Error> {
    Ok(stopped_tasks(aws, cluster, service).await?.iter().filter_map(ended).collect())
}

/// A task as one that has ended, unless its service has stopped it because it wants fewer or newer ones.
fn ended(task: &Task) -> Option<Ended> {
    if task.stopped_reason()?.starts_with(SCALED_IN) {
        return None;
    }
    Some(Ended {
        id: task.task_arn()?.rsplit('/').next()?.to_owned(),
        at: task.stopping_at.or(task.stopped_at),
        is_start: task.stop_code == Some(TaskStopCode::TaskFailedToStart),
        reason: why(task)?,
    })
}

#[cfg(test)]
mod tests {
    use aws_sdk_ecs::types::Container;

    use super::*;

    fn task(code: TaskStopCode, reason: &str, container: Container) -> Task {
        let arn = "arn:aws:ecs:us-west-2:123456789012:task/interstella/4f2a";
        Task::builder().task_arn(arn).stop_code(code).stopped_reason(reason).containers(container).build()
    }

    #[test]
    fn tells_why_in_ecs_words_and_leaves_out_what_the_service_wanted() {
        let container = || Container::builder().name("monolith");
        let exited = "Essential container in task exited";
        let pull = "CannotPullContainerError: not found";
        let scaled = "Scaling activity initiated by (deployment ecs-svc/1)";
        let unhealthy = "Task failed ELB health checks in (target-group monolith)";
        let table = [
            (TaskStopCode::EssentialContainerExited, exited, container().exit_code(137).build()),
            (TaskStopCode::TaskFailedToStart, pull, container().reason(pull).build()),
            (TaskStopCode::ServiceSchedulerInitiated, scaled, container().exit_code(143).build()),
            (TaskStopCode::ServiceSchedulerInitiated, unhealthy, container().build()),
        ];
        let told: Vec<_> =
            table.into_iter().map(|(code, reason, container)| ended(&task(code, reason, container))).collect();
        let one = |reason: &str, is_start| Some(Ended { id: "4f2a".into(), at: None, is_start, reason: reason.into() });
        let by_code = "Essential container in task exited (monolith: exited with 137)";
        assert_eq!(told, [one(by_code, false), one(pull, true), None, one(unhealthy, false)]);
    }
}
