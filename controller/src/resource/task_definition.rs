//! Task definition: its revisions. It must never change one (AWS cannot), nor deregister one that ECS may still roll back to.

pub mod additions;
pub mod choice;
pub mod older;
pub mod request;
pub mod spec;

use std::collections::BTreeSet;

use aws_sdk_ecs::types::{TaskDefinitionField, TaskDefinitionStatus};
use serde::Serialize;

use crate::app::{Marks, Owner, Tags};
use crate::aws::Aws;
use crate::desired::Desired;
use crate::diff::{self, Change};
use crate::error::Error;
use crate::observed::Observed;
use crate::plan::{self, On, Plan, Summary, Verb};
use crate::resource::{service, tags};

pub use choice::{Choice, choose};
pub use spec::{Spec, desired};

/// What this is called in plans.
pub const RESOURCE: &str = "task definition";
/// Tag with the hash of a revision's normal form.
pub const CONTENT_TAG: &str = "interstella:content";
/// Tag with the hash of all that made the rollout for which a revision was registered.
pub const ROLLOUT_TAG: &str = "interstella:rollout";
/// Tag with the number that the revision was expected to get. In a copy made by another tool it is another one.
pub const REVISION_TAG: &str = "interstella:revision";

/// A revision in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Revision {
    /// Its ARN.
    pub arn: String,
    /// Its family.
    pub family: String,
    /// Its tags.
    pub tags: Tags,
    /// Whether ECS takes it for new deployments.
    pub active: bool,
    /// What it is.
    pub spec: Spec,
}

impl Revision {
    /// The rollout for which it was registered.
    #[must_use]
    pub fn rollout(&self) -> Option<&str> {
        self.tags.get(ROLLOUT_TAG).map(String::as_str)
    }

    /// Whether its tags were written for it, and not copied from another revision by a tool that registers what it found.
    #[must_use]
    pub fn is_original(&self) -> bool {
        let number = additions::number(self);
        number.is_some() && self.tags.get(REVISION_TAG).and_then(|text| text.parse().ok()) == number
    }
}

/// `family:revision` of a task definition's ARN.
#[must_use]
pub fn short(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// The revisions that matter to one app.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// The one the service has.
    pub own: Option<Revision>,
    /// The family's newest ACTIVE one; read only if the service's own is not what is wanted.
    pub newest: Option<Revision>,
    /// All ACTIVE ones of ours; read only when the app is to be removed.
    pub ours: Vec<Revision>,
    /// ACTIVE ones of ours beyond the newest that stay, oldest first; read only once after a rollout.
    pub older: Vec<Revision>,
}

/// Hashes of what an app should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hashes {
    /// Of the task definition's normal form.
    pub content: String,
    /// Of that, the service's fields and the health check.
    pub rollout: String,
}

/// What may be done to a family.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// RegisterTaskDefinition with our tags.
    Register {
        /// The family.
        family: String,
        /// What it will be.
        spec: Box<Spec>,
        /// Hashes for its tags.
        hashes: Hashes,
        /// Our marks.
        marks: Marks,
        /// The number that it will get, unless somebody registers another one before.
        number: u32,
        /// ARN of the family's newest ACTIVE revision for which this was planned.
        after: Option<String>,
        /// What differs from the revision that is there.
        changes: Vec<Change>,
    },
    /// DeregisterTaskDefinition.
    Deregister {
        /// ARN of the revision.
        arn: String,
    },
}

/// Reads one revision by ARN, or a family's newest ACTIVE one. Absent when there is none.
///
/// # Errors
/// When the read fails.
pub async fn observe(aws: &Aws, name: String) -> Result<Option<Revision>, Error> {
    let call = aws.read.ecs.describe_task_definition().task_definition(name).include(TaskDefinitionField::Tags);
    let answer = match call.send().await.map_err(Error::of("ecs:DescribeTaskDefinition")) {
        Ok(answer) => answer,
        // ECS has no code of its own for this.
        Err(error) if error.code == "ClientException" && is_absence(&error.message) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(raw) = answer.task_definition else { return Ok(None) };
    Ok(Some(Revision {
        arn: raw.task_definition_arn.clone().unwrap_or_default(),
        family: raw.family.clone().unwrap_or_default(),
        tags: tags::from_ecs(&answer.tags.unwrap_or_default()),
        active: raw.status == Some(TaskDefinitionStatus::Active),
        spec: spec::from_aws(&raw),
    }))
}

fn is_absence(message: &str) -> bool {
    message.contains("Unable to describe task definition") || message.contains("not found")
}

/// ARNs of all ACTIVE revisions of a family.
///
/// # Errors
/// When the read fails.
pub async fn observe_family(aws: &Aws, family: &str) -> Result<BTreeSet<String>, Error> {
    let call = aws.read.ecs.list_task_definitions().family_prefix(family).status(TaskDefinitionStatus::Active);
    let mut pages = call.into_paginator().send();
    let mut arns = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(Error::of("ecs:ListTaskDefinitions"))?;
        arns.extend(page.task_definition_arns.unwrap_or_default());
    }
    arns.retain(|arn| short(arn).rsplit_once(':').is_some_and(|(name, _)| name == family));
    Ok(arns)
}

/// Plans a new revision if none that is there will do.
pub fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    match choose(desired, observed) {
        Choice::Use(arn) => note_additions(desired, observed, &arn, plan),
        Choice::Register if service::failed_before(desired, observed).is_some() => {}
        Choice::Register => plan_registration(desired, observed, plan),
    }
}

fn plan_registration(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let (family, spec) = &desired.task_definition;
    let Found { own, newest, .. } = &observed.task_definitions;
    let there = own.as_ref().or(newest.as_ref());
    let of_family = own.iter().chain(newest).filter(|one| one.family == *family);
    plan.act(Action::Register {
        family: family.clone(),
        spec: Box::new(spec.clone()),
        hashes: desired.hashes.clone(),
        marks: desired.marks.clone(),
        number: of_family.filter_map(additions::number).max().map_or(1, |last| last.saturating_add(1)),
        after: newest.as_ref().filter(|one| one.active).map(|one| one.arn.clone()),
        changes: there.map_or_else(|| diff::all(spec), |there| diff::diff(&there.spec, spec)),
    });
}

/// Says what AWS answers beyond the manifest; nothing has to be done about it.
fn note_additions(desired: &Desired, observed: &Observed, arn: &str, plan: &mut Plan) {
    let Found { own, newest, .. } = &observed.task_definitions;
    let Some(used) = own.iter().chain(newest).find(|one| one.arn == arn) else { return };
    let added = additions::additions(desired, used).unwrap_or_default();
    if !added.is_empty() {
        let added: Vec<_> = added.iter().map(|change| format!("{} {}", change.path, change.from)).collect();
        let (what, revision) = (added.join(", "), short(arn));
        plan.note(format!("AWS answers more of {RESOURCE} {revision} than the manifest says, which is left: {what}"));
    }
}

/// Plans the deregistration of our revisions, once no task runs any more.
pub fn plan_removal(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    if !desired.is_going() {
        return;
    }
    for revision in &observed.task_definitions.ours {
        if !revision.active || desired.marks.owner(&revision.tags) != Owner::Ours {
            continue;
        }
        match plan::blocked_by_tasks(desired, observed) {
            None => plan.act(Action::Deregister { arn: revision.arn.clone() }),
            Some(reason) => plan.wait(Verb::Delete, RESOURCE, short(&revision.arn), On::Aws, reason),
        }
    }
}

/// Makes the call of one action.
///
/// # Errors
/// When it fails.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Register { family, spec, hashes, marks, number, after, changes: _ } => {
            // Another controller may have registered the same a moment ago. Registering is not idempotent, so one look is taken
            // as late as can be; the next pass decides what to do with what it found.
            let newest = observe(aws, family.clone()).await?.filter(|one| one.active).map(|one| one.arn);
            if newest != *after {
                return Err(Error::overtaken(request::OPERATION, "another revision was registered meanwhile"));
            }
            let number = number.to_string();
            let Hashes { content, rollout } = hashes;
            let ours = [(CONTENT_TAG, content.as_str()), (ROLLOUT_TAG, rollout), (REVISION_TAG, &number)];
            let call = aws.write.ecs.register_task_definition().family(family);
            let call = request::fill(call, spec)?.set_tags(Some(tags::for_ecs(marks, &ours))).send().await;
            call.map(drop).map_err(Error::of(request::OPERATION))
        }
        Action::Deregister { arn } => {
            let call = aws.write.ecs.deregister_task_definition().task_definition(arn).send().await;
            call.map(drop).map_err(Error::of("ecs:DeregisterTaskDefinition"))
        }
    }
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::Register { family, changes, .. } => {
                Summary::new(Verb::Create, RESOURCE, family, changes.clone()).effect("a new revision")
            }
            Self::Deregister { arn } => Summary::new(Verb::Delete, RESOURCE, short(arn), Vec::new()),
        }
    }
}
