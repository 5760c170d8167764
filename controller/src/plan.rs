//! What to do, decided from what should be and what is. No I/O, no clock, no environment, no failure.
//!
//! The plan is the product: what `interstella plan` prints, what the log says and what tests compare is its one `Display`. It holds
//! only what is possible now; what has to wait stands beside it, with the reason.

pub mod counts;
mod display;
pub mod handover;
pub mod scaling;

use serde::Serialize;

use crate::app::{AppName, Owner};
use crate::desired::{Desired, Presence};
use crate::diff::Change;
use crate::observed::Observed;
use crate::resource::{
    alarm, listener, load_balancer, log_group, scalable_target, scaling_policy, scheduled_action, service,
    subscription, target_group, task_definition,
};

/// Plans one app. Removals come first and in the other order, so that nothing is pulled from under what still uses it.
#[must_use]
pub fn plan(desired: &Desired, observed: &Observed) -> Plan {
    let mut plan = Plan::of(desired.marks.app.clone());
    if let Some(refusal) = &desired.refusal {
        let remedy = "say the right `--profile` or `--region`, or correct the pin in `metadata`";
        plan.conflict("app", &desired.marks.app.name, refusal.clone(), remedy);
        return plan;
    }
    if let Some(owner) = foreign_service(desired, observed) {
        // Without its service an app is nothing, so nothing is built around somebody else's.
        plan.conflict(service::RESOURCE, &desired.marks.app.name, owner, service::REMEDY);
        return plan;
    }
    if desired.presence == Presence::Undeclared {
        plan.note(format!("no manifest at hand declares it (interstella destroy {} removes it)", desired.marks.app));
        if let Some(arn) = service::failed_rollout(desired, observed) {
            let revision = task_definition::short(arn);
            plan.note(format!(
                "the last rollout, of {revision}, has failed; whether it is still wanted the manifest would tell"
            ));
        }
        return plan;
    }
    if observed.cluster_is_missing && desired.is_present() {
        let cluster = &desired.marks.app.cluster;
        let reason = format!(
            "there is no cluster {cluster}; make it (aws ecs create-cluster --cluster-name {cluster}), or name another"
        );
        plan.wait(Verb::Create, service::RESOURCE, &desired.marks.app.name, On::Person, reason);
        return plan;
    }
    subscription::plan_removal(desired, observed, &mut plan);
    scaling::plan_removal(desired, observed, &mut plan);
    service::plan_removal(desired, observed, &mut plan);
    listener::plan_removal(desired, observed, &mut plan);
    load_balancer::plan_removal(desired, observed, &mut plan);
    target_group::plan_removal(desired, observed, &mut plan);
    task_definition::plan_removal(desired, observed, &mut plan);
    log_group::plan_removal(desired, observed, &mut plan);
    if !desired.is_present() {
        return plan;
    }
    log_group::plan(desired, observed, &mut plan);
    task_definition::plan(desired, observed, &mut plan);
    load_balancer::plan(desired, observed, &mut plan);
    target_group::plan(desired, observed, &mut plan);
    listener::plan(desired, observed, &mut plan);
    service::plan(desired, observed, &mut plan);
    scaling::plan(desired, observed, &mut plan);
    subscription::plan(desired, observed, &mut plan);
    task_definition::older::plan(desired, observed, &mut plan);
    plan
}

fn foreign_service(desired: &Desired, observed: &Observed) -> Option<String> {
    let found = service::active(observed).filter(|_| desired.is_present())?;
    match desired.marks.owner(&found.tags) {
        Owner::Ours => None,
        Owner::Another(owner) => Some(owner),
    }
}

/// What to do for one app, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The app.
    pub name: AppName,
    /// What is possible now.
    pub actions: Vec<Action>,
    /// What is not possible yet.
    pub waiting: Vec<Waiting>,
    /// What somebody else has.
    pub conflicts: Vec<Conflict>,
    /// Why nothing is pushed until the manifest changes.
    pub stalled: Option<String>,
    /// What a person should know and nobody has to change.
    pub notes: Vec<String>,
}

/// One change to AWS. It leaves no choice to whoever executes it.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// CloudWatch Logs.
    LogGroup(log_group::Action),
    /// ECS task definition.
    TaskDefinition(task_definition::Action),
    /// Elastic Load Balancing load balancer.
    LoadBalancer(load_balancer::Action),
    /// Elastic Load Balancing target group.
    TargetGroup(target_group::Action),
    /// Elastic Load Balancing listener.
    Listener(listener::Action),
    /// ECS service.
    Service(service::Action),
    /// Application Auto Scaling scalable target.
    ScalableTarget(scalable_target::Action),
    /// Application Auto Scaling policy.
    ScalingPolicy(scaling_policy::Action),
    /// Application Auto Scaling scheduled action.
    ScheduledAction(scheduled_action::Action),
    /// CloudWatch alarm.
    Alarm(alarm::Action),
    /// SNS subscription.
    Subscription(subscription::Action),
}

/// What an action does to its resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verb {
    /// Makes it.
    Create,
    /// Changes it in place.
    Update,
    /// Deletes it so that it can be made anew.
    Replace,
    /// Deletes it.
    Delete,
}

impl Verb {
    /// The verb of a removal: a replacement if something forces one.
    #[must_use]
    pub fn of_removal(replaced_for: &[Change]) -> Self {
        if replaced_for.is_empty() { Self::Delete } else { Self::Replace }
    }
}

/// An action for people and programs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// What happens.
    pub action: Verb,
    /// To what kind of resource.
    pub resource: &'static str,
    /// To which.
    pub name: String,
    /// Field by field.
    pub changes: Vec<Change>,
    /// What else it entails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<&'static str>,
}

impl Summary {
    /// Without further effect.
    #[must_use]
    pub fn new(action: Verb, resource: &'static str, name: &str, changes: Vec<Change>) -> Self {
        Self { action, resource, name: name.to_owned(), changes, effect: None }
    }

    /// Of a removal, which is a replacement if something forces one.
    #[must_use]
    pub fn removal(resource: &'static str, name: &str, replaced_for: &[Change]) -> Self {
        let summary = Self::new(Verb::of_removal(replaced_for), resource, name, replaced_for.to_vec());
        if replaced_for.is_empty() { summary } else { summary.effect("deleted now, made anew by the next passes") }
    }

    /// With a further effect.
    #[must_use]
    pub fn effect(mut self, effect: &'static str) -> Self {
        self.effect = Some(effect);
        self
    }
}

/// Whose turn it is before a waiting action can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// An earlier action of ours.
    Us,
    /// AWS.
    Aws,
    /// A person.
    Person,
}

/// An action that is not possible yet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Waiting {
    /// To what kind of resource.
    pub resource: &'static str,
    /// To which.
    pub name: String,
    /// What would happen.
    pub action: Verb,
    /// Why it does not yet.
    pub reason: String,
    /// Whose turn it is.
    #[serde(skip)]
    pub on: On,
}

/// A resource of the wanted name that is not ours.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Conflict {
    /// What kind of resource.
    pub resource: &'static str,
    /// Its name.
    pub name: String,
    /// Whose it is, or why we refuse.
    pub reason: String,
    /// What a person can do about it.
    pub remedy: &'static str,
}

impl Plan {
    fn of(name: AppName) -> Self {
        Self { name, actions: Vec::new(), waiting: Vec::new(), conflicts: Vec::new(), stalled: None, notes: Vec::new() }
    }

    /// Adds an action.
    pub fn act(&mut self, action: impl Into<Action>) {
        self.actions.push(action.into());
    }

    /// Adds an action that has to wait.
    pub fn wait(&mut self, action: Verb, resource: &'static str, name: &str, on: On, reason: String) {
        self.waiting.push(Waiting { resource, name: name.to_owned(), action, reason, on });
    }

    /// Adds a resource of the wanted name that is not ours, and what a person can do about it.
    pub fn conflict(&mut self, resource: &'static str, name: &str, owner: String, remedy: &'static str) {
        self.conflicts.push(Conflict { resource, name: name.to_owned(), reason: owner, remedy });
    }

    /// Adds a change that AWS cannot make in place and the manifest does not allow otherwise.
    pub fn refuse_replacement(&mut self, resource: &'static str, name: &str, changes: &[Change]) {
        let changes: Vec<_> = changes.iter().map(ToString::to_string).collect();
        let changes = changes.join(", ");
        let reason = format!("needs a new one ({changes}); give it another name or set allowReplace: true");
        self.wait(Verb::Replace, resource, name, On::Person, reason);
    }

    /// Says what a person should know; the app is as it should be nevertheless.
    pub fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// What a person should know: the notes, and what waits for a person.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let waiting = self.waiting.iter().filter(|waiting| waiting.on == On::Person).map(ToString::to_string);
        self.notes.iter().cloned().chain(waiting).collect()
    }

    /// Says that nothing is pushed until the manifest changes.
    pub fn stall(&mut self, reason: String) {
        self.stalled = Some(reason);
    }

    /// Whether AWS is as the manifest says, so that nothing follows either.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty() && self.waiting.is_empty() && self.conflicts.is_empty() && self.stalled.is_none()
    }
}

/// Why something that tasks use cannot go yet.
#[must_use]
pub fn blocked_by_tasks(desired: &Desired, observed: &Observed) -> Option<String> {
    let found = observed.service.as_ref().filter(|found| found.life != service::Life::Inactive)?;
    if !desired.is_present() {
        return Some("the service's tasks have to stop first".into());
    }
    let rolled_out = found.is_steady() && !service::differs(desired, observed);
    (!rolled_out).then(|| "tasks may still use it until the rollout is complete".into())
}

/// Why a target group, or the way to it, cannot go yet.
#[must_use]
pub fn blocked_by_service(desired: &Desired, observed: &Observed, target_group_arn: &str) -> Option<String> {
    let found = observed.service.as_ref().filter(|found| found.life != service::Life::Inactive)?;
    if !desired.is_present() {
        return Some("the service's tasks have to stop first".into());
    }
    if found.spec.target_groups().any(|arn| arn == target_group_arn) {
        return Some("the service still uses it".into());
    }
    (found.deployments.len() > 1).then(|| "tasks of the last deployment still use it".into())
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::LogGroup(action) => action.summary(),
            Self::TaskDefinition(action) => action.summary(),
            Self::LoadBalancer(action) => action.summary(),
            Self::TargetGroup(action) => action.summary(),
            Self::Listener(action) => action.summary(),
            Self::Service(action) => action.summary(),
            Self::ScalableTarget(action) => action.summary(),
            Self::ScalingPolicy(action) => action.summary(),
            Self::ScheduledAction(action) => action.summary(),
            Self::Alarm(action) => action.summary(),
            Self::Subscription(action) => action.summary(),
        }
    }
}

macro_rules! from_action {
    ($($variant:ident: $module:ident),* $(,)?) => {
        $(impl From<$module::Action> for Action {
            fn from(action: $module::Action) -> Self {
                Self::$variant(action)
            }
        })*
    };
}

from_action!(
    LogGroup: log_group,
    TaskDefinition: task_definition,
    LoadBalancer: load_balancer,
    TargetGroup: target_group,
    Listener: listener,
    Service: service,
    ScalableTarget: scalable_target,
    ScalingPolicy: scaling_policy,
    ScheduledAction: scheduled_action,
    Alarm: alarm,
    Subscription: subscription,
);

#[cfg(test)]
mod tests;
