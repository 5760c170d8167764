//! ECS service: existence, count, revision, network, load balancer, deployment settings. At most one UpdateService comes out of a
//! plan, none while ECS rolls back or the wanted rollout has failed. It must not touch fields a manifest cannot say.

pub mod ended;
pub mod history;
pub mod observe;
pub mod request;
pub mod spec;

use std::collections::BTreeSet;

use aws_smithy_types::DateTime;

use crate::app::{Marks, Owner, Tags};
use crate::aws::Aws;
use crate::desired::{Desired, Presence};
use crate::diff::{self, Change};
use crate::error::Error;
use crate::observed::Observed;
use crate::plan::{On, Plan, Summary, Verb, handover, scaling};
use crate::resource::task_definition::{self, Choice, Revision};
use crate::resource::{listener, target_group};

pub use ended::Ended;
pub use history::{Failure, History};
pub use spec::{Spec, Wanted, desired};

/// What this is called in plans.
pub const RESOURCE: &str = "service";
/// What a person can do about one that is not ours.
pub(crate) const REMEDY: &str =
    "give another `metadata.name`, delete the service that is there, or say its manager with `--manager`";

/// Where a service is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// It runs.
    Active,
    /// It was deleted and its tasks are stopping; its name is taken.
    Draining,
    /// Only its record is left.
    Inactive,
}

/// A service in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its ARN, which a later service of the same name has too.
    pub arn: String,
    /// Where it is in its life.
    pub life: Life,
    /// Its tags.
    pub tags: Tags,
    /// What it is.
    pub spec: Spec,
    /// ARN of its task definition revision.
    pub task_definition_arn: String,
    /// Tasks that run.
    pub running: u32,
    /// Tasks that start.
    pub pending: u32,
    /// Its deployments, newest first.
    pub deployments: Vec<Deployment>,
    /// What ECS reports, newest first.
    pub events: Vec<Event>,
    /// When ECS last started tasks, by the events that it keeps; absent if none tells of it.
    pub last_start: Option<DateTime>,
    /// When it was made.
    pub created_at: Option<DateTime>,
}

/// What ECS reports of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it happened.
    pub at: Option<DateTime>,
    /// In ECS's words.
    pub message: String,
}

/// A task of a service that has stopped.
#[derive(Debug, Clone, PartialEq)]
pub struct Stopped {
    /// ARN of its task definition revision.
    pub task_definition_arn: String,
    /// Why, in ECS's words.
    pub reason: String,
}

/// A deployment that still has, or should have, tasks.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    /// Whether it is the one that ECS works towards.
    pub primary: bool,
    /// ARN of its revision.
    pub task_definition_arn: String,
    /// `IN_PROGRESS`, `COMPLETED`, `FAILED`; empty where an emulator has none.
    pub rollout_state: String,
    /// Why, in ECS's words.
    pub reason: String,
    /// Tasks that failed to start or were unhealthy in a row.
    pub failed_tasks: u32,
    /// Tasks of it that run.
    pub running: u32,
    /// When it was made.
    pub created_at: Option<DateTime>,
    /// When it last changed.
    pub updated_at: Option<DateTime>,
}

impl Found {
    /// The deployment that ECS works towards.
    #[must_use]
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|one| one.primary)
    }

    /// Whether as many tasks as wanted are of the deployment that ECS works towards; older ones may still drain.
    #[must_use]
    pub fn is_deployed(&self) -> bool {
        let ended = |one: &Deployment| matches!(one.rollout_state.as_str(), "FAILED");
        self.primary().is_some_and(|one| one.running >= self.spec.desired_count && !ended(one))
    }

    /// Whether all tasks are of the one deployment, and as many as wanted.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        let finished = self.primary().is_none_or(|one| matches!(one.rollout_state.as_str(), "COMPLETED" | ""));
        self.deployments.len() <= 1 && finished && self.running == self.spec.desired_count && self.pending == 0
    }
}

/// What may be done to a service.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// CreateService with our tags and a client token.
    Create {
        /// Our marks, which name it.
        marks: Marks,
        /// What it will be.
        spec: Box<Spec>,
        /// Makes a repeated call the same call.
        token: String,
    },
    /// UpdateService with the changed fields.
    Update {
        /// Our marks, which name it.
        marks: Marks,
        /// What it will be.
        spec: Box<Spec>,
        /// ARN of the revision for which this was planned.
        after: String,
        /// What changes.
        changes: Vec<Change>,
    },
    /// DeleteService by force: its tasks are stopped.
    Delete {
        /// Our marks, which name it.
        marks: Marks,
        /// What forces a new one; empty = it is no longer wanted.
        replaced_for: Vec<Change>,
    },
}

/// The service if it is ACTIVE.
#[must_use]
pub fn active(observed: &Observed) -> Option<&Found> {
    observed.service.as_ref().filter(|found| found.life == Life::Active)
}

/// Whether ECS has given up on what it works towards.
#[must_use]
pub fn has_failed(observed: &Observed) -> bool {
    active(observed).and_then(Found::primary).is_some_and(|one| one.rollout_state == "FAILED")
}

/// Whether fields beside the revision differ whose update starts a deployment.
#[must_use]
pub fn starts_deployment(desired: &Desired, observed: &Observed) -> bool {
    let Some(found) = active(observed) else { return false };
    let wanted = wanted(desired, observed, &found.spec.task_definition);
    wanted.is_ok_and(|wanted| changes(&found.spec, &wanted).iter().any(is_deployment))
}

fn is_deployment(change: &Change) -> bool {
    ["taskDefinition", "networkConfiguration", "loadBalancers"].iter().any(|path| change.path.starts_with(path))
}

fn is_immutable(change: &Change) -> bool {
    change.path == "launchType"
}

/// Whether an update would be planned, were there no failed rollout: only then is the history of deployments read.
#[must_use]
pub fn differs(desired: &Desired, observed: &Observed) -> bool {
    let Some(found) = active(observed).filter(|_| desired.is_present()) else { return false };
    match task_definition::choose(desired, observed) {
        Choice::Register => true,
        Choice::Use(arn) => match wanted(desired, observed, task_definition::short(&arn)) {
            Ok(wanted) => !changes(&found.spec, &wanted).is_empty(),
            // What else is wanted is not known yet.
            Err(_) => found.spec.task_definition != task_definition::short(&arn),
        },
    }
}

/// The rollout of what is wanted, if it has failed before, so that it must not be pushed again.
#[must_use]
pub fn failed_before<'a>(desired: &Desired, observed: &'a Observed) -> Option<&'a Failure> {
    let is_ours = |revision: &Revision| task_definition::choice::is_attempt(desired, revision);
    observed.history.failures.iter().find(|one| one.revision.as_ref().is_some_and(is_ours))
}

/// ARN of the revision whose rollout a person may start once more: the manifest's, if it has failed. Without a manifest it is the
/// one that failed last, if we registered it ourselves and nothing has been deployed since.
#[must_use]
pub fn failed_rollout<'a>(desired: &Desired, observed: &'a Observed) -> Option<&'a str> {
    let failure = match desired.presence {
        Presence::Absent => None,
        Presence::Present => failed_before(desired, observed),
        Presence::Undeclared => {
            let is_ours = |one: &Revision| desired.marks.owner(&one.tags) == Owner::Ours && one.is_original();
            let latest = observed.history.failures.iter().filter(|one| one.attempt.is_latest);
            latest.into_iter().find(|one| one.revision.as_ref().is_some_and(is_ours))
        }
    };
    if let Some(failure) = failure {
        return Some(&failure.attempt.task_definition);
    }
    let own = observed.task_definitions.own.as_ref().filter(|_| desired.is_present() && has_failed(observed))?;
    task_definition::choice::is_content(desired, own).then_some(own.arn.as_str())
}

/// Whether any tasks should run now, so that something can answer.
#[must_use]
pub fn wants_tasks(desired: &Desired, observed: &Observed) -> bool {
    let found = active(observed).filter(|_| scaling::has_the_count(desired, observed));
    found.map_or(desired.service.desired_count, |found| found.spec.desired_count) > 0
}

/// What the service should be now, with the given revision, or why that is not known yet.
fn wanted(desired: &Desired, observed: &Observed, task_definition: &str) -> Result<Spec, (On, String)> {
    let to_spec = |groups: &BTreeSet<String>| {
        let mut spec = desired.service.to_spec(task_definition, groups);
        if let Some(found) = active(observed).filter(|_| scaling::has_the_count(desired, observed)) {
            spec.desired_count = found.spec.desired_count;
        }
        spec
    };
    let Some(front) = &desired.front else { return Ok(to_spec(&BTreeSet::new())) };
    let (name, _) = &front.target_group;
    let group = observed.target_group(name).filter(|one| desired.marks.owner(&one.tags) == Owner::Ours);
    let group = group.filter(|one| target_group::going(desired, observed, one).is_none());
    let group = group.ok_or_else(|| (On::Us, format!("needs the target group {name}")))?;
    if !observed.listeners.iter().any(|one| one.spec.default_action.forwards_to(&group.arn)) {
        let reason = format!("needs the {} {}:{}", listener::RESOURCE, front.load_balancer.0, front.listener.port);
        return Err((On::Us, reason));
    }
    let kept = handover::kept(desired, observed);
    Ok(to_spec(&kept.chain([&group.arn]).cloned().collect()))
}

/// The differences, but for what is left alone when it is not declared: security groups are as AWS chose, and a network
/// configuration without `awsvpc` means nothing and cannot be taken away.
fn changes(found: &Spec, wanted: &Spec) -> Vec<Change> {
    let mut found = found.clone();
    match (&mut found.network_configuration, &wanted.network_configuration) {
        (network, None) => *network = None,
        (Some(network), Some(wanted)) if wanted.security_groups.is_none() => network.security_groups = None,
        _ => {}
    }
    if found.deployment.is_none() {
        found.deployment.clone_from(&wanted.deployment);
    }
    diff::diff(&found, wanted)
}

/// Plans what is missing or differs.
pub fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let name = &desired.marks.app.name;
    let found = match &observed.service {
        Some(found) if found.life == Life::Draining => {
            return plan.wait(Verb::Create, RESOURCE, name, On::Aws, "one of the same name is draining".into());
        }
        Some(found) if found.life == Life::Active => found,
        inactive => return plan_creation(desired, observed, inactive.as_ref(), plan),
    };
    if let Owner::Another(owner) = desired.marks.owner(&found.tags) {
        return plan.conflict(RESOURCE, name, owner, REMEDY);
    }
    if going(desired, found).is_none() {
        plan_update(desired, observed, found, plan);
    }
}

fn plan_creation(desired: &Desired, observed: &Observed, predecessor: Option<&Found>, plan: &mut Plan) {
    let name = &desired.marks.app.name;
    let wait = |(on, reason), plan: &mut Plan| plan.wait(Verb::Create, RESOURCE, name, on, reason);
    let Choice::Use(arn) = task_definition::choose(desired, observed) else {
        return wait((On::Us, format!("needs a revision of {}", desired.task_definition.0)), plan);
    };
    match wanted(desired, observed, task_definition::short(&arn)) {
        Err(reason) => wait(reason, plan),
        Ok(spec) => {
            let token = request::token(&desired.marks.app, &spec, predecessor.and_then(|one| one.created_at));
            plan.act(Action::Create { marks: desired.marks.clone(), spec: Box::new(spec), token });
        }
    }
}

fn plan_update(desired: &Desired, observed: &Observed, found: &Found, plan: &mut Plan) {
    let name = &desired.marks.app.name;
    if let Some(Failure { attempt, .. }) = failed_before(desired, observed) {
        let (revision, reason) =
            (task_definition::short(&attempt.task_definition), attempt.reason.trim_end_matches('.'));
        return plan.stall(format!("the rollout of {revision} has failed: {reason}"));
    }
    let wait = |(on, reason), plan: &mut Plan| plan.wait(Verb::Update, RESOURCE, name, on, reason);
    let Choice::Use(arn) = task_definition::choose(desired, observed) else {
        return wait((On::Us, format!("needs a revision of {}", desired.task_definition.0)), plan);
    };
    let spec = match wanted(desired, observed, task_definition::short(&arn)) {
        Ok(spec) => spec,
        Err(reason) => return wait(reason, plan),
    };
    if let Some(reason) = scaling::count_returns(desired, observed) {
        wait((On::Us, reason), plan);
    }
    let (immutable, changes): (Vec<_>, Vec<_>) = changes(&found.spec, &spec).into_iter().partition(is_immutable);
    if !immutable.is_empty() {
        plan.refuse_replacement(RESOURCE, name, &immutable);
    }
    if changes.is_empty() {
        return;
    }
    if let Some(reason) = &observed.history.rolling_back {
        return wait((On::Aws, format!("ECS is rolling back: {reason}")), plan);
    }
    let after = found.task_definition_arn.clone();
    plan.act(Action::Update { marks: desired.marks.clone(), spec: Box::new(spec), after, changes });
}

/// Whether our service has to go, and then what forces a new one (nothing = it is no longer wanted).
#[must_use]
pub fn going(desired: &Desired, found: &Found) -> Option<Vec<Change>> {
    if found.life != Life::Active || desired.marks.owner(&found.tags) != Owner::Ours {
        return None;
    }
    if !desired.is_present() {
        return Some(Vec::new());
    }
    let (from, to) = (&found.spec.launch_type, &desired.service.launch_type);
    (desired.allow_replace && from != to).then(|| vec![Change::new("launchType", from.as_str(), to.as_str())])
}

/// Plans the removal of our service when the app goes or it has to be replaced.
pub fn plan_removal(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let Some(found) = &observed.service else { return };
    if let Some(replaced_for) = going(desired, found) {
        plan.act(Action::Delete { marks: desired.marks.clone(), replaced_for });
    } else if found.life == Life::Draining && !desired.is_present() {
        // Tasks on their way down count as neither running nor pending, so a number would mislead.
        plan.wait(Verb::Delete, RESOURCE, &desired.marks.app.name, On::Aws, "its tasks are stopping".into());
    }
}

/// Makes the call of one action.
///
/// # Errors
/// When it fails.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Create { marks, spec, token } => request::create(aws, marks, spec, token).await,
        Action::Update { marks, spec, after, changes } => request::update(aws, &marks.app, spec, after, changes).await,
        Action::Delete { marks, .. } => {
            let call = aws.write.ecs.delete_service().cluster(&marks.app.cluster).service(&marks.app.name).force(true);
            call.send().await.map(drop).map_err(Error::of("ecs:DeleteService"))
        }
    }
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::Create { marks, spec, .. } => {
                Summary::new(Verb::Create, RESOURCE, &marks.app.name, diff::all(spec.as_ref()))
            }
            Self::Update { marks, changes, .. } => {
                let effect = if changes.iter().any(is_deployment) { "a new deployment" } else { "in place" };
                Summary::new(Verb::Update, RESOURCE, &marks.app.name, changes.clone()).effect(effect)
            }
            Self::Delete { marks, replaced_for } => Summary::removal(RESOURCE, &marks.app.name, replaced_for),
        }
    }
}
