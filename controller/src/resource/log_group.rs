//! CloudWatch Logs group: its existence and retention. It must not touch groups without our marks, nor their events.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudwatchlogs::types::LogGroup;
use serde::Serialize;

use crate::app::{Marks, Owner, Tags};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::desired::Desired;
use crate::diff::{self, Change};
use crate::error::{Class, Error};
use crate::manifest::Manifest;
use crate::observed::Observed;
use crate::plan::{self, On, Plan, Summary, Verb};

const RESOURCE: &str = "log group";
/// What a person can do about one that is not ours.
const REMEDY: &str = "set `create: false` under `logs` to use it as it is, or give another `group`";
/// Most names that one call takes.
const BATCH: usize = 50;

/// Normal form of a log group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Days that events are kept; absent = for ever.
    pub retention_days: Option<u32>,
}

/// A log group in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its name, which identifies it.
    pub name: String,
    /// Its tags.
    pub tags: Tags,
    /// What it is.
    pub spec: Spec,
}

/// A log group whose tags are not read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Untagged {
    /// Its name, which identifies it.
    pub name: String,
    /// Its ARN, in the form that calls about tags take.
    pub arn: String,
    /// What it is.
    pub spec: Spec,
}

impl Untagged {
    /// With its tags.
    #[must_use]
    pub fn tagged(self, tags: Tags) -> Found {
        Found { name: self.name, tags, spec: self.spec }
    }
}

/// What may be done to a log group.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// CreateLogGroup with our tags, then PutRetentionPolicy.
    Create {
        /// Its name.
        name: String,
        /// What it will be.
        spec: Spec,
        /// Our marks.
        marks: Marks,
    },
    /// PutRetentionPolicy or DeleteRetentionPolicy.
    Update {
        /// Its name.
        name: String,
        /// What it will be.
        spec: Spec,
        /// What changes.
        changes: Vec<Change>,
    },
    /// DeleteLogGroup.
    Delete {
        /// Its name.
        name: String,
    },
}

/// The log groups that the manifest has us make, by name.
#[must_use]
pub fn desired(manifest: &Manifest) -> BTreeMap<String, Spec> {
    let containers = manifest.spec.task_definition.containers.iter();
    let logs = containers.filter_map(|container| container.logs.as_ref()).filter(|logs| logs.create);
    logs.map(|logs| (logs.group.clone(), Spec { retention_days: logs.retention_days })).collect()
}

/// Reads log groups by name.
pub async fn observe(aws: &Aws, names: BTreeSet<String>) -> Fetched<Untagged> {
    batch::fetch(names, BATCH, |names: Vec<String>| async move {
        let call = aws.read.logs.describe_log_groups().set_log_group_identifiers(Some(names));
        let pages = call.into_paginator().items().send();
        let name = |one: &LogGroup| one.log_group_name.clone();
        let found = batch::by_key(pages.try_collect(), Error::of("logs:DescribeLogGroups"), name).await?;
        Ok(found.into_iter().map(|(name, raw)| (name.clone(), untagged(name, &raw))).collect())
    })
    .await
}

fn untagged(name: String, raw: &LogGroup) -> Untagged {
    let retention_days = raw.retention_in_days.and_then(|days| u32::try_from(days).ok());
    let arn = raw.log_group_arn().or(raw.arn()).unwrap_or_default().trim_end_matches(":*").to_owned();
    Untagged { name, arn, spec: Spec { retention_days } }
}

/// Reads the tags of one log group; absent when it is gone.
///
/// # Errors
/// When the read fails.
pub async fn observe_tags(aws: &Aws, arn: String) -> Result<Option<Tags>, Error> {
    let call = aws.read.logs.list_tags_for_resource().resource_arn(arn).send().await;
    match call.map_err(Error::of("logs:ListTagsForResource")) {
        Ok(answer) => Ok(Some(answer.tags.unwrap_or_default().into_iter().collect())),
        Err(error) if error.class == Class::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Plans what is missing or differs.
pub fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    for (name, spec) in &desired.log_groups {
        let Some(found) = observed.log_groups.iter().find(|found| found.name == *name) else {
            plan.act(Action::Create { name: name.clone(), spec: spec.clone(), marks: desired.marks.clone() });
            continue;
        };
        if let Owner::Another(owner) = desired.marks.owner(&found.tags) {
            plan.conflict(RESOURCE, name, owner, REMEDY);
            continue;
        }
        let changes = diff::diff(&found.spec, spec);
        if !changes.is_empty() {
            plan.act(Action::Update { name: name.clone(), spec: spec.clone(), changes });
        }
    }
}

/// Plans the removal of our groups that are no longer wanted, once no task can write to them.
pub fn plan_removal(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    for found in &observed.log_groups {
        let wanted = desired.is_present() && desired.log_groups.contains_key(&found.name);
        if wanted || desired.marks.owner(&found.tags) != Owner::Ours {
            continue;
        }
        match plan::blocked_by_tasks(desired, observed) {
            None => plan.act(Action::Delete { name: found.name.clone() }),
            Some(reason) => plan.wait(Verb::Delete, RESOURCE, &found.name, On::Aws, reason),
        }
    }
}

/// Makes the calls of one action.
///
/// # Errors
/// When a call fails.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Create { name, spec, marks } => {
            let tags = marks.tags().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            let call = aws.write.logs.create_log_group().log_group_name(name).set_tags(Some(tags)).send().await;
            call.map_err(Error::of("logs:CreateLogGroup"))?;
            // CreateLogGroup fails if the group exists, so this one is ours.
            if spec.retention_days.is_some() { put_retention(aws, name, spec).await } else { Ok(()) }
        }
        Action::Update { name, spec, .. } => put_retention(aws, name, spec).await,
        Action::Delete { name } => {
            let call = aws.write.logs.delete_log_group().log_group_name(name).send().await;
            call.map(drop).map_err(Error::of("logs:DeleteLogGroup"))
        }
    }
}

async fn put_retention(aws: &Aws, name: &str, spec: &Spec) -> Result<(), Error> {
    let Some(days) = spec.retention_days else {
        let call = aws.write.logs.delete_retention_policy().log_group_name(name).send().await;
        return call.map(drop).map_err(Error::of("logs:DeleteRetentionPolicy"));
    };
    let days = i32::try_from(days).unwrap_or(i32::MAX);
    let call = aws.write.logs.put_retention_policy().log_group_name(name).retention_in_days(days).send().await;
    call.map(drop).map_err(Error::of("logs:PutRetentionPolicy"))
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::Create { name, spec, .. } => Summary::new(Verb::Create, RESOURCE, name, diff::all(spec)),
            Self::Update { name, changes, .. } => Summary::new(Verb::Update, RESOURCE, name, changes.clone()),
            Self::Delete { name } => Summary::new(Verb::Delete, RESOURCE, name, Vec::new()),
        }
    }
}
