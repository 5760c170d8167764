//! The calls about service deployments and service revisions.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{SdStatus, ServiceDeployment, ServiceRevision, revision_arn, revision_summary};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::ecs::deployment::{self, Rollout};
use crate::ecs::errors::{invalid, service_not_found, too_many};
use crate::ecs::service::{LaunchType, Service, ServiceKey, key, reconcile_at};
use crate::ecs::{Ecs, cluster, paging};
use crate::world::World;

/// Input of ListServiceDeployments.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct List {
    service: String,
    cluster: Option<String>,
    #[serde(default)]
    status: Vec<String>,
    created_at: Option<CreatedAt>,
    max_results: Option<usize>,
    next_token: Option<String>,
}

/// A span of time, in epoch seconds.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreatedAt {
    before: Option<f64>,
    after: Option<f64>,
}

impl CreatedAt {
    fn holds(&self, moment: CloudTime) -> bool {
        let seconds = moment.as_epoch_seconds();
        self.before.is_none_or(|before| seconds <= before) && self.after.is_none_or(|after| seconds >= after)
    }
}

/// ListServiceDeployments: newest first.
pub fn list(world: &World, input: &List) -> Answer {
    let key = key(&world.ecs, input.cluster.as_deref(), &input.service)?;
    let service = world.ecs.services.get(&key).ok_or_else(service_not_found)?;
    let wanted = |deployment: &ServiceDeployment| {
        (input.status.is_empty() || input.status.iter().any(|status| status == deployment.status.name()))
            && input.created_at.as_ref().is_none_or(|span| span.holds(deployment.created_at))
    };
    let cluster_arn = cluster::arn(world, &key.cluster);
    let brief = |(index, deployment): (usize, &ServiceDeployment)| {
        let mut brief = times(deployment);
        brief.insert("serviceDeploymentArn".to_owned(), json!(deployment.arn));
        brief.insert("serviceArn".to_owned(), json!(service.arn));
        brief.insert("clusterArn".to_owned(), json!(cluster_arn));
        brief.insert("targetServiceRevisionArn".to_owned(), json!(revision_arn(service, deployment.target)));
        brief.remove("updatedAt");
        paging::Item { key: format!("{index:010}"), value: Value::Object(brief) }
    };
    let items = service
        .service_deployments
        .iter()
        .enumerate()
        .filter(|(_, deployment)| wanted(deployment))
        .map(brief)
        .collect();
    let request =
        paging::Request { max_results: input.max_results, next_token: input.next_token.as_deref(), default_size: 20 };
    paging::answer("serviceDeployments", items, paging::Order::Descending, &request)
}

/// What brief and full answers share: status and times.
fn times(deployment: &ServiceDeployment) -> Map<String, Value> {
    let mut view = Map::new();
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("status", json!(deployment.status.name()));
    if !deployment.reason.is_empty() {
        put("statusReason", json!(deployment.reason));
    }
    put("createdAt", json!(deployment.created_at.as_epoch_seconds()));
    put("startedAt", json!(deployment.created_at.as_epoch_seconds()));
    put("updatedAt", json!(deployment.updated_at.as_epoch_seconds()));
    if let Some(finished_at) = deployment.finished_at {
        put("finishedAt", json!(finished_at.as_epoch_seconds()));
    }
    view
}

/// Input of DescribeServiceDeployments.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Describe {
    service_deployment_arns: Vec<String>,
}

/// DescribeServiceDeployments: at most 20.
pub fn describe(world: &World, input: &Describe) -> Answer {
    if input.service_deployment_arns.len() > 20 {
        return Err(too_many("serviceDeploymentArns", 20));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in &input.service_deployment_arns {
        match find(&world.ecs, arn) {
            Some((key, service, deployment)) => found.push(view(world, key, service, deployment)),
            None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
        }
    }
    Ok(json!({"serviceDeployments": found, "failures": failures}))
}

fn find<'a>(ecs: &'a Ecs, arn: &str) -> Option<(&'a ServiceKey, &'a Service, &'a ServiceDeployment)> {
    ecs.services.iter().find_map(|(key, service)| {
        service.service_deployments.iter().find(|d| d.arn == arn).map(|deployment| (key, service, deployment))
    })
}

fn view(world: &World, key: &ServiceKey, service: &Service, deployment: &ServiceDeployment) -> Value {
    let breaker = &service.deployment_settings.circuit_breaker;
    let live = service.deployments.iter().find(|d| d.number == deployment.target && deployment.is_ongoing());
    let failures = live.map_or(deployment.failures, |live| live.failed_tasks.max(deployment.failures));
    let threshold = breaker.threshold(service.desired);
    let monitoring = match deployment.status {
        _ if !breaker.enable => "DISABLED",
        _ if deployment.rollback.is_some() || failures >= threshold => "TRIGGERED",
        SdStatus::InProgress => "MONITORING",
        _ => "MONITORING_COMPLETE",
    };
    let summary = |number: &u64| revision_summary(&world.ecs, key, service, *number);
    let mut view = times(deployment);
    let mut put = |name: &str, value: Value| {
        view.insert(name.to_owned(), value);
    };
    put("serviceDeploymentArn", json!(deployment.arn));
    put("serviceArn", json!(service.arn));
    put("clusterArn", json!(cluster::arn(world, &key.cluster)));
    put("sourceServiceRevisions", deployment.sources.iter().map(summary).collect());
    put("targetServiceRevision", summary(&deployment.target));
    put("deploymentConfiguration", service.deployment_settings.view());
    put("deploymentCircuitBreaker", json!({"status": monitoring, "failureCount": failures, "threshold": threshold}));
    put("alarms", json!({"status": "DISABLED", "alarmNames": [], "triggeredAlarmNames": []}));
    if let Some(rollback) = &deployment.rollback {
        put(
            "rollback",
            json!({
                "reason": rollback.reason,
                "startedAt": rollback.started_at.as_epoch_seconds(),
                "serviceRevisionArn": revision_arn(service, rollback.revision),
            }),
        );
    }
    Value::Object(view)
}

/// Input of DescribeServiceRevisions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DescribeRevisions {
    service_revision_arns: Vec<String>,
}

/// DescribeServiceRevisions: at most 20.
pub fn describe_revisions(world: &World, input: &DescribeRevisions) -> Answer {
    if input.service_revision_arns.len() > 20 {
        return Err(too_many("serviceRevisionArns", 20));
    }
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for arn in &input.service_revision_arns {
        let revision = world.ecs.services.iter().find_map(|(key, service)| {
            let revision = service.revisions.iter().find(|revision| revision_arn(service, revision.number) == *arn)?;
            Some(revision_view(world, key, service, revision))
        });
        match revision {
            Some(view) => found.push(view),
            None => failures.push(json!({"arn": arn, "reason": "MISSING"})),
        }
    }
    Ok(json!({"serviceRevisions": found, "failures": failures}))
}

fn revision_view(world: &World, key: &ServiceKey, service: &Service, revision: &ServiceRevision) -> Value {
    let workload = &revision.workload;
    let images = revision.images.iter().map(|(name, image)| match world.images.resolve(image) {
        Some(found) => json!({"containerName": name, "image": image, "imageDigest": found.digest}),
        None => json!({"containerName": name, "image": image}),
    });
    let mut view = json!({
        "serviceRevisionArn": revision_arn(service, revision.number),
        "serviceArn": service.arn,
        "clusterArn": cluster::arn(world, &key.cluster),
        "taskDefinition": workload.task_definition,
        "launchType": workload.launch_type,
        "loadBalancers": workload.load_balancers,
        "containerImages": images.collect::<Vec<_>>(),
        "guardDutyEnabled": false,
        "createdAt": revision.created_at.as_epoch_seconds(),
    });
    if workload.launch_type == LaunchType::Fargate {
        view["platformVersion"] = json!(deployment::resolved_platform_version(workload));
        view["platformFamily"] = json!("Linux");
    }
    if let Some(network) = &workload.network_configuration {
        view["networkConfiguration"] = json!(network);
    }
    view
}

/// Input of StopServiceDeployment.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Stop {
    service_deployment_arn: String,
    stop_type: Option<String>,
}

/// StopServiceDeployment: rolls an ongoing deployment back.
pub fn stop(world: &mut World, now: CloudTime, input: &Stop) -> Answer {
    if let Some(other) = input.stop_type.as_deref().filter(|kind| *kind != "ROLLBACK") {
        return Err(ApiError::not_implemented(format!("ecs StopServiceDeployment with stopType {other}")));
    }
    let missing = || ApiError::new("ServiceDeploymentNotFoundException", "Service deployment not found.");
    let (key, service, deployment) = find(&world.ecs, &input.service_deployment_arn).ok_or_else(missing)?;
    let rolling = service.deployments.first().is_some_and(|primary| primary.rollout == Rollout::InProgress);
    if deployment.status != SdStatus::InProgress || !rolling {
        return Err(ApiError::new(
            "ConflictException",
            "The service deployment is not in a state that can be stopped.",
        ));
    }
    if service.last_completed.is_none() {
        return Err(invalid("There is no completed deployment to roll back to."));
    }
    let key = key.clone();
    deployment::fail(world, now, &key, "Service deployment was stopped by StopServiceDeployment.", true);
    reconcile_at(world, now, &key);
    Ok(json!({"serviceDeploymentArn": input.service_deployment_arn}))
}
