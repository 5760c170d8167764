//! Service deployments and service revisions: the history of a service, which outlives its deployments.

pub mod api;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::deployment::Counts;
use super::service::{Service, ServiceKey, ServiceStatus, Workload};
use super::{Ecs, task_definition};
use crate::clock::CloudTime;

/// What a deployment rolled out, for good.
#[derive(Debug, Clone)]
pub struct ServiceRevision {
    number: u64,
    workload: Workload,
    created_at: CloudTime,
    /// Container and image.
    images: Vec<(String, String)>,
}

impl ServiceRevision {
    /// The revision that a deployment with that number rolls out.
    pub fn new(ecs: &Ecs, number: u64, workload: &Workload, now: CloudTime) -> Self {
        let containers = task_definition::find(ecs, &workload.task_definition).map(|d| d.containers.as_slice());
        let images = containers.unwrap_or_default().iter().map(|c| (c.name.clone(), c.image.clone())).collect();
        Self { number, workload: workload.clone(), created_at: now, images }
    }
}

/// Status of a service deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SdStatus {
    /// Being rolled out.
    InProgress,
    /// Rolled out.
    Successful,
    /// Given up, or replaced by a later one.
    Stopped,
    /// Failed; the last completed deployment is coming back.
    RollbackInProgress,
    /// Failed; the last completed deployment is back.
    RollbackSuccessful,
    /// Failed, with nothing to return to.
    RollbackFailed,
}

impl SdStatus {
    fn name(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Successful => "SUCCESSFUL",
            Self::Stopped => "STOPPED",
            Self::RollbackInProgress => "ROLLBACK_IN_PROGRESS",
            Self::RollbackSuccessful => "ROLLBACK_SUCCESSFUL",
            Self::RollbackFailed => "ROLLBACK_FAILED",
        }
    }
}

/// How a service deployment is rolled back.
#[derive(Debug, Clone)]
pub struct Rollback {
    /// In words.
    pub reason: String,
    /// When it began.
    pub started_at: CloudTime,
    /// Number of the revision that comes back.
    pub revision: u64,
}

/// A service deployment.
#[derive(Debug, Clone)]
pub struct ServiceDeployment {
    pub(super) arn: String,
    pub(super) status: SdStatus,
    reason: String,
    created_at: CloudTime,
    updated_at: CloudTime,
    finished_at: Option<CloudTime>,
    target: u64,
    sources: Vec<u64>,
    rollback: Option<Rollback>,
    /// Failures that the deployment ended with.
    failures: u32,
}

impl ServiceDeployment {
    /// One that begins.
    pub fn new(arn: String, now: CloudTime, target: u64, sources: Vec<u64>) -> Self {
        Self {
            arn,
            status: SdStatus::InProgress,
            reason: String::new(),
            created_at: now,
            updated_at: now,
            finished_at: None,
            target,
            sources,
            rollback: None,
            failures: 0,
        }
    }

    /// Whether it still runs.
    pub fn is_ongoing(&self) -> bool {
        matches!(self.status, SdStatus::InProgress | SdStatus::RollbackInProgress)
    }
}

/// Service deployments that are kept of a service, with their revisions. AWS keeps them for 90 days (unverified).
const KEPT: usize = 100;

/// Adds a service deployment and the revision that it rolls out. The oldest give way, with the revisions that nothing needs.
pub fn add(service: &mut Service, deployment: ServiceDeployment, revision: ServiceRevision) {
    service.service_deployments.push(deployment);
    service.revisions.push(revision);
    let surplus = service.service_deployments.len().saturating_sub(KEPT);
    service.service_deployments.drain(..surplus);
    let shown = |deployment: &ServiceDeployment| {
        let back = deployment.rollback.as_ref().map(|rollback| rollback.revision);
        deployment.sources.iter().copied().chain([deployment.target]).chain(back).collect::<Vec<_>>()
    };
    let mut needed: BTreeSet<u64> = service.service_deployments.iter().flat_map(shown).collect();
    let running = service.deployments.iter().chain(&service.last_completed);
    needed.extend(running.map(|deployment| deployment.number));
    service.revisions.retain(|revision| needed.contains(&revision.number));
}

/// Ends the current service deployment.
pub fn finish(service: &mut Service, now: CloudTime, status: SdStatus, reason: &str) {
    let failures = service.deployments.first().map_or(0, |primary| primary.failed_tasks);
    let Some(current) = service.service_deployments.last_mut().filter(|current| current.is_ongoing()) else { return };
    if current.rollback.is_none() {
        current.failures = failures;
    }
    if !reason.is_empty() {
        current.reason = reason.to_owned();
    }
    current.status = status;
    current.updated_at = now;
    current.finished_at = Some(now);
}

/// Ends the current service deployment because another one begins.
pub fn supersede(service: &mut Service, now: CloudTime) {
    let returning = service.service_deployments.last().is_some_and(|d| d.status == SdStatus::RollbackInProgress);
    let status = if returning { SdStatus::RollbackFailed } else { SdStatus::Stopped };
    finish(service, now, status, "Service deployment was stopped because a newer service deployment was started.");
}

/// Turns the current service deployment to its rollback.
pub fn roll_back(service: &mut Service, now: CloudTime, rollback: Rollback) {
    let failures = service.deployments.first().map_or(0, |primary| primary.failed_tasks);
    if let Some(current) = service.service_deployments.last_mut() {
        current.status = SdStatus::RollbackInProgress;
        current.reason.clone_from(&rollback.reason);
        current.updated_at = now;
        current.failures = failures;
        current.rollback = Some(rollback);
    }
}

/// The `currentServiceRevisions` of a service.
pub fn current_revisions(ecs: &Ecs, key: &ServiceKey, service: &Service) -> Value {
    if service.status == ServiceStatus::Inactive {
        return json!([]);
    }
    service.deployments.iter().map(|d| revision_summary(ecs, key, service, d.number)).collect()
}

fn revision_arn(service: &Service, number: u64) -> String {
    format!("{}/{number}", service.arn.replacen(":service/", ":service-revision/", 1))
}

fn revision_summary(ecs: &Ecs, key: &ServiceKey, service: &Service, number: u64) -> Value {
    let counts = Counts::of_deployment(ecs, key, number);
    let primary = service.deployments.first().is_some_and(|primary| primary.number == number);
    json!({
        "arn": revision_arn(service, number),
        "requestedTaskCount": if primary { service.desired } else { counts.requested },
        "runningTaskCount": counts.running,
        "pendingTaskCount": counts.pending,
    })
}
