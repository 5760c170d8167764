//! Target group: existence, health check, deregistration delay, algorithm. It must not touch its targets: ECS registers those.

mod observe;
mod request;
mod spec;

use crate::app::{Marks, Owner, Tags};
use crate::aws::Aws;
use crate::desired::Desired;
use crate::diff::{self, Change};
use crate::error::Error;
use crate::observed::Observed;
use crate::plan::{self, On, Plan, Summary, Verb};
use crate::resource::load_balancer;

pub use observe::{observe_arns, observe_attributes, observe_names, observe_targets};
pub use spec::{Attributes, Spec, desired, found};

/// What this is called in plans.
pub const RESOURCE: &str = "target group";
/// What a person can do about one that is not ours.
const REMEDY: &str = "give another `loadBalancer.targetGroup.name`, or delete the target group that is there";
const DELAY: &str = "deregistration_delay.timeout_seconds";
const ALGORITHM: &str = "load_balancing.algorithm.type";

/// A target group in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its VPC.
    pub vpc_id: String,
    /// Load balancers that forward to it.
    pub load_balancer_arns: Vec<String>,
    /// Its tags.
    pub tags: Tags,
    /// What it is.
    pub spec: Spec,
}

/// A registered target and its health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Instance ID or address, and port.
    pub id: String,
    /// `initial`, `healthy`, `unhealthy`, `draining`, `unused`.
    pub state: String,
    /// Why, in AWS's words.
    pub reason: String,
}

/// What may be done to a target group.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// CreateTargetGroup with our tags. The attributes follow once it is seen to be ours.
    Create {
        /// Its name.
        name: String,
        /// The load balancer's VPC.
        vpc_id: String,
        /// What it will be.
        spec: Spec,
        /// Our marks.
        marks: Marks,
    },
    /// ModifyTargetGroup, ModifyTargetGroupAttributes, as the changes need.
    Update {
        /// Its ARN.
        arn: String,
        /// Its name.
        name: String,
        /// What it will be.
        spec: Spec,
        /// What changes.
        changes: Vec<Change>,
    },
    /// DeleteTargetGroup.
    Delete {
        /// Its ARN.
        arn: String,
        /// Its name.
        name: String,
        /// What forces a new one; empty = it is no longer wanted.
        replaced_for: Vec<Change>,
    },
}

/// Plans what is missing or differs.
pub fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let Some(front) = &desired.front else { return };
    let (name, spec) = &front.target_group;
    let Some(found) = observed.target_group(name) else { return plan_creation(desired, observed, plan) };
    if let Owner::Another(owner) = desired.marks.owner(&found.tags) {
        return plan.conflict(RESOURCE, name, owner, REMEDY);
    }
    let changes = changes(observed, desired, found, spec);
    if going(desired, observed, found).is_some() || changes.is_empty() {
        return;
    }
    if changes.iter().any(is_immutable) {
        return plan.refuse_replacement(RESOURCE, name, &changes);
    }
    plan.act(Action::Update { arn: found.arn.clone(), name: name.clone(), spec: spec.clone(), changes });
}

fn plan_creation(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let Some(front) = &desired.front else { return };
    let (name, spec) = &front.target_group;
    let (load_balancer, _) = &front.load_balancer;
    let ready = observed.load_balancer(load_balancer).filter(|found| is_staying(desired, found));
    let Some(found) = ready else {
        let reason = format!("needs the VPC of the load balancer {load_balancer}");
        return plan.wait(Verb::Create, RESOURCE, name, On::Us, reason);
    };
    let (name, vpc_id, marks) = (name.clone(), found.vpc_id.clone(), desired.marks.clone());
    plan.act(Action::Create { name, vpc_id, spec: spec.clone(), marks });
}

fn is_staying(desired: &Desired, found: &load_balancer::Found) -> bool {
    desired.marks.owner(&found.tags) == Owner::Ours && load_balancer::going(desired, found).is_none()
}

/// The differences, and among them another VPC than the load balancer's.
fn changes(observed: &Observed, desired: &Desired, found: &Found, wanted: &Spec) -> Vec<Change> {
    let mut changes = diff::diff(&found.spec, wanted);
    let load_balancer = desired.load_balancer().and_then(|(name, _)| observed.load_balancer(name));
    let vpc_id = load_balancer.filter(|one| is_staying(desired, one)).map(|one| &one.vpc_id);
    if let Some(vpc_id) = vpc_id.filter(|vpc_id| **vpc_id != found.vpc_id) {
        changes.push(Change::new("vpcId", found.vpc_id.as_str(), vpc_id.as_str()));
    }
    changes
}

fn is_immutable(change: &Change) -> bool {
    matches!(change.path.as_str(), "port" | "targetType" | "vpcId")
}

/// Whether a target group of ours has to go, and then what forces a new one (nothing = it is no longer wanted).
#[must_use]
pub fn going(desired: &Desired, observed: &Observed, found: &Found) -> Option<Vec<Change>> {
    if desired.marks.owner(&found.tags) != Owner::Ours {
        return None;
    }
    let Some((_, spec)) = desired.target_group().filter(|(name, _)| *name == found.name) else {
        return Some(Vec::new());
    };
    let changes = changes(observed, desired, found, spec);
    (desired.allow_replace && changes.iter().any(is_immutable)).then_some(changes)
}

/// Plans the removal of our target groups that are no longer wanted or have to be replaced.
pub fn plan_removal(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    for found in &observed.target_groups {
        let Some(replaced_for) = going(desired, observed, found) else { continue };
        match blocked(desired, observed, found, !replaced_for.is_empty()) {
            None => plan.act(Action::Delete { arn: found.arn.clone(), name: found.name.clone(), replaced_for }),
            Some((on, reason)) => plan.wait(Verb::of_removal(&replaced_for), RESOURCE, &found.name, on, reason),
        }
    }
}

/// Why a target group cannot be deleted yet. A replacement has the same name, so it cannot wait for the service to move.
fn blocked(desired: &Desired, observed: &Observed, found: &Found, replaced: bool) -> Option<(On, String)> {
    if observed.listeners.iter().any(|one| one.spec.default_action.forwards_to(&found.arn)) {
        return Some((On::Us, "the listener that forwards to it has to go first".into()));
    }
    if !found.load_balancer_arns.is_empty() {
        return Some((On::Aws, "a load balancer still forwards to it".into()));
    }
    if replaced {
        None
    } else {
        plan::blocked_by_service(desired, observed, &found.arn).map(|reason| (On::Aws, reason))
    }
}

/// Makes the calls of one action.
///
/// # Errors
/// When a call fails.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Create { name, vpc_id, spec, marks } => request::create(aws, name, vpc_id, spec, marks).await,
        Action::Update { arn, spec, changes, .. } => request::update(aws, arn, spec, changes).await,
        Action::Delete { arn, .. } => {
            let call = aws.write.elb.delete_target_group().target_group_arn(arn).send().await;
            call.map(drop).map_err(Error::of("elasticloadbalancing:DeleteTargetGroup"))
        }
    }
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::Create { name, spec, .. } => Summary::new(Verb::Create, RESOURCE, name, diff::all(spec)),
            Self::Update { name, changes, .. } => Summary::new(Verb::Update, RESOURCE, name, changes.clone()),
            Self::Delete { name, replaced_for, .. } => Summary::removal(RESOURCE, name, replaced_for),
        }
    }
}
