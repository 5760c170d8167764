//! Reading services: many in one call, with tags. What ECS says of one in prose is only kept to explain.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use aws_sdk_ecs::types::{Container, DesiredStatus, Service, ServiceEvent, ServiceField, Task};

use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::error::Error;
use crate::resource::service::{Deployment, Event, Found, Life, Stopped, spec};
use crate::resource::tags;

/// Most services that one call takes.
const BATCH: usize = 10;
/// Events kept for explanation.
const EVENTS: usize = 20;
/// Stopped tasks looked at for explanation.
const STOPPED: usize = 100;

/// Reads services of one cluster by name.
pub async fn observe(aws: &Aws, cluster: &str, names: BTreeSet<String>) -> Fetched<Found> {
    batch::fetch(names, BATCH, |names: Vec<String>| async move {
        let call = aws.read.ecs.describe_services().cluster(cluster).set_services(Some(names));
        let answer = call.include(ServiceField::Tags).send().await.map_err(Error::of("ecs:DescribeServices"))?;
        let services = answer.services.unwrap_or_default().into_iter();
        Ok(services.filter_map(|one| Some((one.service_name.clone()?, found(&one)))).collect())
    })
    .await
}

fn found(raw: &Service) -> Found {
    let count = |value: i32| u32::try_from(value).unwrap_or(0);
    let deployments = raw.deployments().iter().map(|one| Deployment {
        primary: one.status() == Some("PRIMARY"),
        task_definition_arn: one.task_definition.clone().unwrap_or_default(),
        rollout_state: one.rollout_state().map_or("", |state| state.as_str()).to_owned(),
        reason: one.rollout_state_reason.clone().unwrap_or_default(),
        failed_tasks: count(one.failed_tasks),
        running: count(one.running_count),
        created_at: one.created_at,
        updated_at: one.updated_at,
    });
    let events =
        raw.events().iter().filter_map(|event| Some(Event { at: event.created_at, message: event.message.clone()? }));
    Found {
        arn: raw.service_arn.clone().unwrap_or_default(),
        life: match raw.status() {
            Some("DRAINING") => Life::Draining,
            Some("INACTIVE") => Life::Inactive,
            _ => Life::Active,
        },
        tags: tags::from_ecs(raw.tags()),
        spec: spec::from_aws(raw),
        task_definition_arn: raw.task_definition.clone().unwrap_or_default(),
        running: count(raw.running_count),
        pending: count(raw.pending_count),
        deployments: deployments.collect(),
        events: events.take(EVENTS).collect(),
        last_start: raw.events().iter().filter(|one| tells_of_a_start(one)).filter_map(|one| one.created_at).max(),
        created_at: raw.created_at,
    }
}

/// AWS words it "(service NAME) has started N tasks: (task ID)."
fn tells_of_a_start(event: &ServiceEvent) -> bool {
    event.message().is_some_and(|message| message.contains(" has started "))
}

/// Tasks of the service that stopped lately, newest first, each reason of a revision once.
///
/// # Errors
/// When the read fails; it explains only, so nothing depends on it.
pub async fn observe_stopped(aws: &Aws, cluster: &str, service: &str) -> Result<Vec<Stopped>, Error> {
    let mut tasks = stopped_tasks(aws, cluster, service).await?;
    tasks.sort_by_key(|task| Reverse(task.stopped_at));
    let mut stopped: Vec<Stopped> = Vec::new();
    for task in tasks {
        let (Some(reason), Some(task_definition_arn)) = (why(&task), task.task_definition_arn) else { continue };
        let one = Stopped { task_definition_arn, reason };
        if !stopped.contains(&one) {
            stopped.push(one);
        }
    }
    Ok(stopped)
}

/// The tasks of a service that have stopped, or are to stop, as ECS remembers them for an hour or so.
///
/// # Errors
/// When the read fails.
pub(super) async fn stopped_tasks(aws: &Aws, cluster: &str, service: &str) -> Result<Vec<Task>, Error> {
    let call = aws.read.ecs.list_tasks().cluster(cluster).service_name(service).desired_status(DesiredStatus::Stopped);
    let answer = call.send().await.map_err(Error::of("ecs:ListTasks"))?;
    let arns: Vec<String> = answer.task_arns.unwrap_or_default().into_iter().take(STOPPED).collect();
    if arns.is_empty() {
        return Ok(Vec::new());
    }
    let call = aws.read.ecs.describe_tasks().cluster(cluster).set_tasks(Some(arns)).send().await;
    Ok(call.map_err(Error::of("ecs:DescribeTasks"))?.tasks.unwrap_or_default())
}

/// Why a task stopped, with what the first container to say anything of its own adds: why it did not start, or how it exited.
pub(super) fn why(task: &Task) -> Option<String> {
    let reason = task.stopped_reason.as_deref()?.trim_end_matches('.');
    let exited = |code: i32| (code != 0).then(|| format!("exited with {code}"));
    let of_container = |one: &Container| {
        let what = one.reason.clone().or_else(|| one.exit_code.and_then(exited))?;
        Some((one.name.clone().unwrap_or_default(), what))
    };
    // ECS often says of the task just what it says of the container.
    let more = task.containers().iter().find_map(of_container).filter(|(_, what)| !reason.contains(what.as_str()));
    Some(more.map_or_else(|| reason.to_owned(), |(name, what)| format!("{reason} ({name}: {what})")))
}
