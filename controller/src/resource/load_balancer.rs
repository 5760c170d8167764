//! Application Load Balancer: existence, subnets, security groups, idle timeout. It must not touch other attributes.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    LoadBalancer, LoadBalancerAttribute, LoadBalancerSchemeEnum, LoadBalancerTypeEnum,
};
use serde::Serialize;

use crate::app::{Marks, Owner, Tags};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::desired::Desired;
use crate::diff::{self, Change};
use crate::error::{Class, Error};
use crate::manifest;
use crate::observed::Observed;
use crate::plan::{On, Plan, Summary, Verb};
use crate::resource::given::{self, Given};
use crate::resource::tags;

/// What this is called in plans.
pub const RESOURCE: &str = "load balancer";
/// What a person can do about one that is not ours.
const REMEDY: &str = "give another `loadBalancer.name`, or delete the load balancer that is there";
/// Most names or ARNs that one call takes.
const BATCH: usize = 20;
const DESCRIBE: &str = "elasticloadbalancing:DescribeLoadBalancers";
const IDLE_TIMEOUT: &str = "idle_timeout.timeout_seconds";
const DELETION_PROTECTION: &str = "deletion_protection.enabled";

/// Normal form of a load balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// `internet-facing` or `internal`; AWS cannot change it.
    pub scheme: String,
    /// Subnet IDs.
    pub subnets: BTreeSet<String>,
    /// Security group IDs; absent = as AWS chose.
    pub security_groups: Option<BTreeSet<String>>,
    /// Seconds an idle connection is kept.
    pub idle_timeout_seconds: u32,
}

/// The attributes we read, which are not in the main answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attributes {
    /// Seconds an idle connection is kept.
    pub idle_timeout_seconds: u32,
    /// Whether AWS refuses to delete it.
    pub deletion_protection: bool,
}

/// A load balancer in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// Its DNS name.
    pub dns_name: String,
    /// Its VPC.
    pub vpc_id: String,
    /// `provisioning`, `active`, `active_impaired` or `failed`.
    pub state: String,
    /// Its tags.
    pub tags: Tags,
    /// Whether AWS refuses to delete it.
    pub deletion_protection: bool,
    /// What it is.
    pub spec: Spec,
}

/// What may be done to a load balancer.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// CreateLoadBalancer with our tags. The attributes follow once it is seen to be ours.
    Create {
        /// Its name.
        name: String,
        /// What it will be.
        spec: Spec,
        /// Our marks.
        marks: Marks,
    },
    /// SetSubnets, SetSecurityGroups, ModifyLoadBalancerAttributes, as the changes need.
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
    /// DeleteLoadBalancer.
    Delete {
        /// Its ARN.
        arn: String,
        /// Its name.
        name: String,
        /// What forces a new one; empty = it is no longer wanted.
        replaced_for: Vec<Change>,
    },
}

/// Name and normal form of the manifest's load balancer.
#[must_use]
pub fn desired(app: &str, wanted: &manifest::LoadBalancer) -> (String, Spec) {
    let scheme = match wanted.scheme {
        manifest::Scheme::InternetFacing => "internet-facing",
        manifest::Scheme::Internal => "internal",
    };
    let spec = Spec {
        scheme: scheme.to_owned(),
        subnets: wanted.subnets.iter().cloned().collect(),
        security_groups: wanted.security_groups.as_ref().map(|groups| groups.iter().cloned().collect()),
        idle_timeout_seconds: wanted.idle_timeout_seconds,
    };
    (wanted.name.clone().unwrap_or_else(|| app.to_owned()), spec)
}

/// Reads load balancers by name.
pub async fn observe_names(aws: &Aws, names: BTreeSet<String>) -> Fetched<LoadBalancer> {
    batch::fetch(names, BATCH, |names: Vec<String>| {
        let pages = aws.read.elb.describe_load_balancers().set_names(Some(names)).into_paginator().items().send();
        batch::by_key(pages.try_collect(), Error::of(DESCRIBE), |one: &LoadBalancer| one.load_balancer_name.clone())
    })
    .await
}

/// Reads load balancers by ARN.
pub async fn observe_arns(aws: &Aws, arns: BTreeSet<String>) -> Fetched<LoadBalancer> {
    batch::fetch(arns, BATCH, |arns: Vec<String>| {
        let call = aws.read.elb.describe_load_balancers().set_load_balancer_arns(Some(arns));
        let pages = call.into_paginator().items().send();
        batch::by_key(pages.try_collect(), Error::of(DESCRIBE), |one: &LoadBalancer| one.load_balancer_arn.clone())
    })
    .await
}

/// Reads the attributes of one load balancer; absent when it is gone.
///
/// # Errors
/// When the read fails.
pub async fn observe_attributes(aws: &Aws, arn: String) -> Result<Option<Attributes>, Error> {
    let call = aws.read.elb.describe_load_balancer_attributes().load_balancer_arn(arn).send().await;
    let found = match call.map_err(Error::of("elasticloadbalancing:DescribeLoadBalancerAttributes")) {
        Err(error) if error.class == Class::NotFound => return Ok(None),
        answer => answer?,
    };
    let value = |key| found.attributes().iter().find(|one| one.key() == Some(key)).and_then(|one| one.value());
    Ok(Some(Attributes {
        idle_timeout_seconds: value(IDLE_TIMEOUT).and_then(|seconds| seconds.parse().ok()).unwrap_or(60),
        deletion_protection: value(DELETION_PROTECTION) == Some("true"),
    }))
}

/// Puts together what the reads brought.
#[must_use]
pub fn found(raw: &LoadBalancer, tags: Tags, attributes: Attributes) -> Found {
    let subnets = raw.availability_zones().iter().filter_map(|zone| zone.subnet_id.clone().given());
    Found {
        arn: raw.load_balancer_arn.clone().unwrap_or_default(),
        name: raw.load_balancer_name.clone().unwrap_or_default(),
        dns_name: raw.dns_name.clone().unwrap_or_default().to_ascii_lowercase(),
        vpc_id: raw.vpc_id.clone().unwrap_or_default(),
        state: raw.state().and_then(|state| state.code()).map_or("", |code| code.as_str()).to_owned(),
        tags,
        deletion_protection: attributes.deletion_protection,
        spec: Spec {
            scheme: raw.scheme().given().map_or("internet-facing", LoadBalancerSchemeEnum::as_str).to_owned(),
            subnets: subnets.collect(),
            security_groups: Some(given::names(raw.security_groups())),
            idle_timeout_seconds: attributes.idle_timeout_seconds,
        },
    }
}

/// Plans what is missing or differs.
pub fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let Some(front) = &desired.front else { return };
    let (name, spec) = &front.load_balancer;
    let Some(found) = observed.load_balancer(name) else {
        plan.act(Action::Create { name: name.clone(), spec: spec.clone(), marks: desired.marks.clone() });
        return;
    };
    if let Owner::Another(owner) = desired.marks.owner(&found.tags) {
        return plan.conflict(RESOURCE, name, owner, REMEDY);
    }
    let changes = changes(&found.spec, spec);
    if going(desired, found).is_some() || changes.is_empty() {
        return;
    }
    if changes.iter().any(is_immutable) {
        return plan.refuse_replacement(RESOURCE, name, &changes);
    }
    plan.act(Action::Update { arn: found.arn.clone(), name: name.clone(), spec: spec.clone(), changes });
}

fn is_immutable(change: &Change) -> bool {
    change.path == "scheme"
}

fn changes(found: &Spec, wanted: &Spec) -> Vec<Change> {
    let mut found = found.clone();
    if wanted.security_groups.is_none() {
        found.security_groups = None;
    }
    diff::diff(&found, wanted)
}

/// Whether a load balancer of ours has to go, and then what forces a new one (nothing = it is no longer wanted).
#[must_use]
pub fn going(desired: &Desired, found: &Found) -> Option<Vec<Change>> {
    if desired.marks.owner(&found.tags) != Owner::Ours {
        return None;
    }
    let Some((_, spec)) = desired.load_balancer().filter(|(name, _)| *name == found.name) else {
        return Some(Vec::new());
    };
    let changes = changes(&found.spec, spec);
    (desired.allow_replace && changes.iter().any(is_immutable)).then_some(changes)
}

/// Plans the removal of our load balancers that are no longer wanted or have to be replaced.
pub fn plan_removal(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    for found in &observed.load_balancers {
        let Some(replaced_for) = going(desired, found) else { continue };
        match blocked(desired, observed, found) {
            None => plan.act(Action::Delete { arn: found.arn.clone(), name: found.name.clone(), replaced_for }),
            Some((on, reason)) => plan.wait(Verb::of_removal(&replaced_for), RESOURCE, &found.name, on, reason),
        }
    }
}

/// Why a load balancer cannot be deleted yet. A subscription can only be recognised by the DNS name, so it goes first.
fn blocked(desired: &Desired, observed: &Observed, found: &Found) -> Option<(On, String)> {
    if found.deletion_protection {
        return Some((On::Person, "deletion protection is on; switch it off to let it go".into()));
    }
    let mut listeners = observed.listeners.iter().filter(|listener| listener.load_balancer_arn == found.arn);
    if let Some(foreign) = listeners.clone().find(|one| desired.marks.owner(&one.tags) != Owner::Ours) {
        return Some((On::Person, format!("its listener on port {} is not ours", foreign.spec.port)));
    }
    if listeners.next().is_some() {
        return Some((On::Us, "its listener has to go first".into()));
    }
    let subscribed = observed.subscriptions.iter().any(|one| one.arn.is_some() && one.host == found.dns_name);
    subscribed.then(|| (On::Us, "its subscription has to go first".into()))
}

/// Makes the calls of one action.
///
/// # Errors
/// When a call fails.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Create { name, spec, marks } => {
            let call = aws.write.elb.create_load_balancer().name(name).r#type(LoadBalancerTypeEnum::Application);
            let call = call.scheme(spec.scheme.as_str().into()).set_subnets(Some(list(&spec.subnets)));
            let call = call.set_security_groups(spec.security_groups.as_ref().map(list));
            let call = call.set_tags(Some(tags::for_elb(marks))).send().await;
            call.map(drop).map_err(Error::of("elasticloadbalancing:CreateLoadBalancer"))
        }
        Action::Update { arn, spec, changes, .. } => update(aws, arn, spec, changes).await,
        Action::Delete { arn, .. } => {
            let call = aws.write.elb.delete_load_balancer().load_balancer_arn(arn).send().await;
            call.map(drop).map_err(Error::of("elasticloadbalancing:DeleteLoadBalancer"))
        }
    }
}

async fn update(aws: &Aws, arn: &str, spec: &Spec, changes: &[Change]) -> Result<(), Error> {
    let changed = |path: &str| changes.iter().any(|change| change.path == path);
    let elb = &aws.write.elb;
    if changed("subnets") {
        let call = elb.set_subnets().load_balancer_arn(arn).set_subnets(Some(list(&spec.subnets))).send().await;
        call.map_err(Error::of("elasticloadbalancing:SetSubnets"))?;
    }
    if let (true, Some(groups)) = (changed("securityGroups"), &spec.security_groups) {
        let call = elb.set_security_groups().load_balancer_arn(arn).set_security_groups(Some(list(groups)));
        call.send().await.map_err(Error::of("elasticloadbalancing:SetSecurityGroups"))?;
    }
    if changed("idleTimeoutSeconds") {
        let value = spec.idle_timeout_seconds.to_string();
        let attribute = LoadBalancerAttribute::builder().key(IDLE_TIMEOUT).value(value).build();
        let call = elb.modify_load_balancer_attributes().load_balancer_arn(arn).attributes(attribute).send().await;
        call.map_err(Error::of("elasticloadbalancing:ModifyLoadBalancerAttributes"))?;
    }
    Ok(())
}

fn list(set: &BTreeSet<String>) -> Vec<String> {
    set.iter().cloned().collect()
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
