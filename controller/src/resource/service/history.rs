//! What became of a service's deployments: read only when something differs, so that a rollout that failed is not pushed again.
//! An endpoint without these operations has no record.

use std::cmp::Reverse;

use aws_sdk_ecs::types::{
    ServiceDeploymentBrief, ServiceDeploymentRollbackMonitorsStatus as Monitors, ServiceDeploymentStatus as Status,
};
use aws_smithy_types::DateTime;

use crate::app::AppName;
use crate::aws::Aws;
use crate::error::{Class, Error};
use crate::resource::service::Found;
use crate::resource::task_definition::Revision;

/// Most deployments that one call describes.
const BATCH: usize = 20;

/// What became of a service's deployments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// ECS is going back; why.
    pub rolling_back: Option<String>,
    /// Rollouts that failed.
    pub failures: Vec<Failure>,
}

/// A rollout that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What was tried, and when.
    pub attempt: Attempt,
    /// The revision that it tried to bring out; absent where ECS no longer has it. Its content says whose rollout this was: other
    /// tools copy the tags of one revision to the next.
    pub revision: Option<Revision>,
}

/// What ECS has on record, before the revisions' tags are known.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// ECS is going back; why.
    pub rolling_back: Option<String>,
    /// What failed, newest first, each revision once.
    pub failed: Vec<Attempt>,
}

/// An attempt to bring out a revision that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// ARN of the task definition revision.
    pub task_definition: String,
    /// Why, in ECS's words.
    pub reason: String,
    /// When its deployment was made.
    pub created_at: Option<DateTime>,
    /// Whether no other deployment has begun since.
    pub is_latest: bool,
}

impl Record {
    /// Adds an attempt at its place, before those of its time; it tells more than one of the same revision that is there.
    fn add(&mut self, attempt: Attempt) {
        self.failed.retain(|one| one.task_definition != attempt.task_definition);
        self.failed.insert(0, attempt);
        self.failed.sort_by_key(|one| Reverse(one.created_at));
    }
}

/// Reads what became of the deployments of a service.
///
/// # Errors
/// When a read fails for another reason than that the endpoint lacks it.
pub async fn observe(aws: &Aws, app: &AppName, service: &Found) -> Result<Record, Error> {
    let mut record = of_service(service);
    let briefs = match list(aws, app).await {
        Err(error) if error.class == Class::Unsupported => return Ok(record),
        briefs => briefs?,
    };
    record.rolling_back = briefs.iter().find(|one| is_rolling_back(one)).map(reason).or(record.rolling_back);
    if let Some(failed) = newest_failure(aws, &briefs).await?
        && let Some(task_definition) = target(aws, failed).await?
    {
        let is_latest = briefs.first().is_some_and(|newest| newest == failed);
        record.add(Attempt { task_definition, reason: reason(failed), created_at: failed.created_at, is_latest });
    }
    Ok(record)
}

/// What the service itself tells, which is all there is where nothing could be rolled back to.
fn of_service(service: &Found) -> Record {
    let mut record = Record::default();
    // ECS lists the newest first.
    for one in service.deployments.iter().rev().filter(|one| one.rollout_state == "FAILED") {
        let (task_definition, reason) = (one.task_definition_arn.clone(), one.reason.clone());
        record.add(Attempt { task_definition, reason, created_at: one.created_at, is_latest: one.primary });
    }
    record
}

/// All deployments on record, newest first.
async fn list(aws: &Aws, app: &AppName) -> Result<Vec<ServiceDeploymentBrief>, Error> {
    let mut briefs = Vec::new();
    let mut token = None;
    loop {
        let call = aws.read.ecs.list_service_deployments().cluster(&app.cluster).service(&app.name);
        let answer = call.max_results(100).set_next_token(token).send().await;
        let answer = answer.map_err(Error::of("ecs:ListServiceDeployments"))?;
        briefs.extend(answer.service_deployments.unwrap_or_default());
        token = answer.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            break;
        }
    }
    briefs.sort_by_key(|one| Reverse(one.created_at));
    Ok(briefs)
}

fn is_rolling_back(brief: &ServiceDeploymentBrief) -> bool {
    matches!(brief.status(), Some(Status::RollbackRequested | Status::RollbackInProgress))
}

fn is_rolled_back(brief: &ServiceDeploymentBrief) -> bool {
    is_rolling_back(brief) || matches!(brief.status(), Some(Status::RollbackSuccessful | Status::RollbackFailed))
}

fn reason(brief: &ServiceDeploymentBrief) -> String {
    let status = brief.status().map_or("", |status| status.as_str());
    brief.status_reason.clone().filter(|reason| !reason.is_empty()).unwrap_or_else(|| status.to_owned())
}

/// The newest deployment that failed. A stopped one may also just have been overtaken by the next; its monitors tell.
async fn newest_failure<'a>(
    aws: &Aws,
    briefs: &'a [ServiceDeploymentBrief],
) -> Result<Option<&'a ServiceDeploymentBrief>, Error> {
    let rolled_back = briefs.iter().position(is_rolled_back);
    let newer = briefs.get(..rolled_back.unwrap_or(briefs.len())).unwrap_or_default();
    let stopped = newer.iter().filter(|one| one.status() == Some(&Status::Stopped));
    let arns: Vec<String> = stopped.filter_map(|one| one.service_deployment_arn.clone()).take(BATCH).collect();
    let fallback = rolled_back.and_then(|at| briefs.get(at));
    if arns.is_empty() {
        return Ok(fallback);
    }
    let call = aws.read.ecs.describe_service_deployments().set_service_deployment_arns(Some(arns)).send().await;
    let described = match call.map_err(Error::of("ecs:DescribeServiceDeployments")) {
        Err(error) if error.class == Class::Unsupported => return Ok(fallback),
        answer => answer?.service_deployments.unwrap_or_default(),
    };
    let tripped = described.iter().filter(|one| {
        let breaker = one.deployment_circuit_breaker().and_then(|one| one.status());
        let alarms = one.alarms().and_then(|one| one.status());
        breaker == Some(&Monitors::Triggered) || alarms == Some(&Monitors::Triggered)
    });
    let tripped: Vec<_> = tripped.filter_map(|one| one.service_deployment_arn()).collect();
    let is_tripped =
        |one: &&ServiceDeploymentBrief| one.service_deployment_arn().is_some_and(|arn| tripped.contains(&arn));
    Ok(newer.iter().find(is_tripped).or(fallback))
}

/// The task definition revision that a deployment tried to bring out.
async fn target(aws: &Aws, brief: &ServiceDeploymentBrief) -> Result<Option<String>, Error> {
    let Some(arn) = brief.target_service_revision_arn() else { return Ok(None) };
    let call = aws.read.ecs.describe_service_revisions().service_revision_arns(arn).send().await;
    match call.map_err(Error::of("ecs:DescribeServiceRevisions")) {
        Err(error) if error.class == Class::Unsupported => Ok(None),
        answer => Ok(answer?.service_revisions.unwrap_or_default().into_iter().find_map(|one| one.task_definition)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_failure_comes_first_and_each_revision_once() {
        let attempt = |revision: &str, reason: &str, secs| Attempt {
            task_definition: revision.to_owned(),
            reason: reason.to_owned(),
            created_at: Some(DateTime::from_secs(secs)),
            is_latest: false,
        };
        let mut record = Record::default();
        record.add(attempt("monolith:10", "of the service", 30));
        record.add(attempt("monolith:2", "rolled back", 20));
        record.add(attempt("monolith:9", "unhealthy", 40));
        record.add(attempt("monolith:10", "on record", 30));
        let failed: Vec<_> =
            record.failed.iter().map(|one| (one.task_definition.as_str(), one.reason.as_str())).collect();
        assert_eq!(failed, [("monolith:9", "unhealthy"), ("monolith:10", "on record"), ("monolith:2", "rolled back")]);
    }
}
