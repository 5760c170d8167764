//! Scalable target of Application Auto Scaling: the bounds of a service's count of tasks, and what of scaling is suspended. AWS keeps
//! the count itself within the bounds.

use std::collections::BTreeSet;

use aws_sdk_applicationautoscaling::types::{ScalableDimension, ScalableTarget, ServiceNamespace, SuspendedState};
use serde::Serialize;

use crate::app::{AppName, Marks, Tags};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::diff::{self, Change, Edit};
use crate::error::{Class, Error};
use crate::manifest;
use crate::plan::{Summary, Verb};

/// What this is called in plans.
pub const RESOURCE: &str = "scalable target";
/// The only dimension that a service has.
pub const DIMENSION: ScalableDimension = ScalableDimension::EcsServiceDesiredCount;
/// The namespace of ECS.
pub const NAMESPACE: ServiceNamespace = ServiceNamespace::Ecs;
/// Most resource IDs that one call takes.
const BATCH: usize = 50;

/// Normal form of a scalable target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Fewest tasks.
    pub min_capacity: u32,
    /// Most tasks.
    pub max_capacity: u32,
    /// What does not happen for now; AWS's default is that everything does.
    pub suspended: manifest::Suspended,
}

/// A scalable target in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its ARN; absent where an emulator has none.
    pub arn: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// What it is.
    pub spec: Spec,
}

/// A scalable target whose tags are not read yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Untagged {
    /// Its ARN; absent where an emulator has none.
    pub arn: Option<String>,
    /// What it is.
    pub spec: Spec,
}

impl Untagged {
    /// With its tags.
    #[must_use]
    pub fn tagged(self, tags: Tags) -> Found {
        Found { arn: self.arn, tags, spec: self.spec }
    }
}

/// What may be done to a scalable target.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// RegisterScalableTarget with our tags. AWS refuses it if the target exists, as tags are taken at creation only.
    Register {
        /// Our marks, which name it.
        marks: Marks,
        /// What it will be.
        spec: Spec,
    },
    /// RegisterScalableTarget with the fields that change; AWS leaves the others as they are.
    Update {
        /// The app, which names it.
        app: AppName,
        /// What changes.
        edit: Edit<Spec>,
    },
    /// DeregisterScalableTarget. AWS deletes policies and scheduled actions that are left with it.
    Deregister {
        /// The app, which names it.
        app: AppName,
    },
}

/// The manifest's scalable target.
#[must_use]
pub fn desired(wanted: &manifest::Scaling) -> Spec {
    let manifest::Scaling { min_capacity, max_capacity, suspended, .. } = *wanted;
    Spec { min_capacity, max_capacity, suspended }
}

/// How Application Auto Scaling names a service.
#[must_use]
pub fn resource_id(app: &AppName) -> String {
    format!("service/{}/{}", app.cluster, app.name)
}

/// Reads scalable targets by resource ID. An endpoint without the operation has none.
pub async fn observe(aws: &Aws, resource_ids: BTreeSet<String>) -> Fetched<Untagged> {
    batch::fetch(resource_ids, BATCH, |ids: Vec<String>| async move {
        let call = aws.read.scaling.describe_scalable_targets().service_namespace(NAMESPACE);
        // No page size: with one, AWS truncates without a token.
        let pages = call.set_resource_ids(Some(ids)).scalable_dimension(DIMENSION).into_paginator().items().send();
        let id = |one: &ScalableTarget| Some(one.resource_id.clone());
        match batch::by_key(pages.try_collect(), Error::of("autoscaling:DescribeScalableTargets"), id).await {
            Ok(found) => Ok(found.into_iter().map(|(id, raw)| (id, untagged(&raw))).collect()),
            Err(error) if error.class == Class::Unsupported => Ok(std::collections::BTreeMap::new()),
            Err(error) => Err(error),
        }
    })
    .await
}

fn untagged(raw: &ScalableTarget) -> Untagged {
    let count = |value: i32| u32::try_from(value).unwrap_or(0);
    let state = raw.suspended_state();
    let is = |field: fn(&SuspendedState) -> Option<bool>| state.and_then(field).unwrap_or(false);
    Untagged {
        arn: raw.scalable_target_arn.clone(),
        spec: Spec {
            min_capacity: count(raw.min_capacity),
            max_capacity: count(raw.max_capacity),
            suspended: manifest::Suspended {
                scale_in: is(|state| state.dynamic_scaling_in_suspended),
                scale_out: is(|state| state.dynamic_scaling_out_suspended),
                scheduled: is(|state| state.scheduled_scaling_suspended),
            },
        },
    }
}

/// Reads the tags of one scalable target; absent when it is gone.
///
/// # Errors
/// When the read fails.
pub async fn observe_tags(aws: &Aws, arn: String) -> Result<Option<Tags>, Error> {
    let call = aws.read.scaling.list_tags_for_resource().resource_arn(arn).send().await;
    match call.map_err(Error::of("autoscaling:ListTagsForResource")) {
        Ok(answer) => Ok(Some(answer.tags.unwrap_or_default().into_iter().collect())),
        Err(error) if error.class == Class::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the call of one action.
///
/// # Errors
/// When it fails. A target that is gone already is no failure of its removal.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Register { marks, spec } => {
            let Spec { min_capacity, max_capacity, suspended } = *spec;
            let tags = marks.tags().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
            let register = aws.write.scaling.register_scalable_target().service_namespace(NAMESPACE);
            let register = register.resource_id(resource_id(&marks.app)).scalable_dimension(DIMENSION);
            let register = register.min_capacity(count(min_capacity)).max_capacity(count(max_capacity));
            let register = register.suspended_state(suspended_state(suspended)).set_tags(Some(tags));
            register.send().await.map(drop).map_err(Error::of("autoscaling:RegisterScalableTarget"))
        }
        Action::Update { app, edit } => update(aws, app, edit).await,
        Action::Deregister { app } => {
            let call = aws.write.scaling.deregister_scalable_target().service_namespace(NAMESPACE);
            let call = call.resource_id(resource_id(app)).scalable_dimension(DIMENSION).send().await;
            match call.map_err(Error::of("autoscaling:DeregisterScalableTarget")) {
                Err(error) if error.class != Class::NotFound => Err(error),
                _ => Ok(()),
            }
        }
    }
}

async fn update(aws: &Aws, app: &AppName, Edit { from, to }: &Edit<Spec>) -> Result<(), Error> {
    let Spec { min_capacity, max_capacity, suspended } = *to;
    // A schedule may fire between our read and this call, so what does not change is not sent.
    let register = aws.write.scaling.register_scalable_target().service_namespace(NAMESPACE);
    let register = register
        .resource_id(resource_id(app))
        .scalable_dimension(DIMENSION)
        .set_min_capacity((from.min_capacity != min_capacity).then(|| count(min_capacity)))
        .set_max_capacity((from.max_capacity != max_capacity).then(|| count(max_capacity)))
        .set_suspended_state((from.suspended != suspended).then(|| suspended_state(suspended)));
    register.send().await.map(drop).map_err(Error::of("autoscaling:RegisterScalableTarget"))
}

fn suspended_state(suspended: manifest::Suspended) -> SuspendedState {
    let manifest::Suspended { scale_in, scale_out, scheduled } = suspended;
    let state = SuspendedState::builder().dynamic_scaling_in_suspended(scale_in);
    state.dynamic_scaling_out_suspended(scale_out).scheduled_scaling_suspended(scheduled).build()
}

fn count(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::Register { marks, spec } => {
                Summary::new(Verb::Create, RESOURCE, &marks.app.name, in_units(diff::all(spec)))
            }
            Self::Update { app, edit: Edit { from, to } } => {
                Summary::new(Verb::Update, RESOURCE, &app.name, in_units(diff::diff(from, to)))
            }
            Self::Deregister { app } => Summary::new(Verb::Delete, RESOURCE, &app.name, Vec::new()),
        }
    }
}

fn in_units(changes: Vec<Change>) -> Vec<Change> {
    diff::in_units(changes, |path| path.ends_with("Capacity").then(|| "tasks".to_owned()))
}
