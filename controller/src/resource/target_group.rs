//! Target group: existence, health check, deregistration delay, algorithm. It must not touch its targets: ECS registers those.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetDescription, TargetGroup, TargetGroupAttribute, TargetTypeEnum,
};
use serde::Serialize;

use crate::app::{Marks, Owner, Tags};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::desired::Desired;
use crate::diff::{self, Change};
use crate::error::{Class, Error};
use crate::manifest::{self, NetworkMode};
use crate::observed::Observed;
use crate::plan::{self, On, Plan, Summary, Verb};
use crate::resource::{load_balancer, tags};

/// What this is called in plans.
pub const RESOURCE: &str = "target group";
/// Most names or ARNs that one call takes, by practice.
const BATCH: usize = 20;
const DELAY: &str = "deregistration_delay.timeout_seconds";
const ALGORITHM: &str = "load_balancing.algorithm.type";

/// Normal form of a target group. Its protocol is HTTP; its VPC is the load balancer's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Port for targets without one of their own; AWS cannot change it.
    pub port: u32,
    /// `instance` or `ip`; AWS cannot change it.
    pub target_type: String,
    /// How healthy targets are told.
    pub health_check: HealthCheck,
    /// The settings that AWS keeps as attributes.
    #[serde(flatten)]
    pub attributes: Attributes,
}

/// How healthy targets are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// Path that is asked for.
    pub path: String,
    /// `traffic-port` or a number.
    pub port: String,
    /// Seconds between checks.
    pub interval_seconds: u32,
    /// Seconds until a check counts as failed.
    pub timeout_seconds: u32,
    /// Good checks until healthy.
    pub healthy_threshold: u32,
    /// Bad checks until unhealthy.
    pub unhealthy_threshold: u32,
    /// HTTP codes that are good.
    pub matcher: String,
}

/// The settings that AWS keeps as attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Attributes {
    /// Seconds a target keeps open requests after deregistration.
    pub deregistration_delay_seconds: u32,
    /// `round_robin` or `least_outstanding_requests`.
    pub algorithm: String,
}

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

/// Name and normal form of the manifest's target group.
#[must_use]
pub fn desired(app: &str, mode: NetworkMode, wanted: &manifest::TargetGroup) -> (String, Spec) {
    let check = &wanted.health_check;
    let health_check = HealthCheck {
        path: check.path.clone(),
        port: check.port.clone(),
        interval_seconds: check.interval_seconds,
        timeout_seconds: check.timeout_seconds,
        healthy_threshold: check.healthy_threshold,
        unhealthy_threshold: check.unhealthy_threshold,
        matcher: check.matcher.clone(),
    };
    let target_type = match mode {
        NetworkMode::Bridge => "instance",
        NetworkMode::Awsvpc => "ip",
    };
    let algorithm = match wanted.algorithm {
        manifest::Algorithm::RoundRobin => "round_robin",
        manifest::Algorithm::LeastOutstandingRequests => "least_outstanding_requests",
    };
    let attributes = Attributes {
        deregistration_delay_seconds: wanted.deregistration_delay_seconds,
        algorithm: algorithm.to_owned(),
    };
    let spec = Spec { port: wanted.port, target_type: target_type.to_owned(), health_check, attributes };
    (wanted.name.clone().unwrap_or_else(|| app.to_owned()), spec)
}

/// Reads target groups by name.
pub async fn observe_names(aws: &Aws, names: BTreeSet<String>) -> Fetched<TargetGroup> {
    batch::fetch(names, BATCH, |names: Vec<String>| async move {
        // Half a page of two would make the other half look absent.
        let pages = aws.read.elb.describe_target_groups().set_names(Some(names)).into_paginator().items().send();
        let found = pages.try_collect().await.map_err(Error::of("elasticloadbalancing:DescribeTargetGroups"))?;
        Ok(found.into_iter().filter_map(|one| Some((one.target_group_name.clone()?, one))).collect())
    })
    .await
}

/// Reads target groups by ARN.
pub async fn observe_arns(aws: &Aws, arns: BTreeSet<String>) -> Fetched<TargetGroup> {
    batch::fetch(arns, BATCH, |arns: Vec<String>| async move {
        // Half a page of two would make the other half look absent.
        let pages =
            aws.read.elb.describe_target_groups().set_target_group_arns(Some(arns)).into_paginator().items().send();
        let found = pages.try_collect().await.map_err(Error::of("elasticloadbalancing:DescribeTargetGroups"))?;
        Ok(found.into_iter().filter_map(|one| Some((one.target_group_arn.clone()?, one))).collect())
    })
    .await
}

/// Reads the attributes of one target group; absent when it is gone.
///
/// # Errors
/// When the read fails.
pub async fn observe_attributes(aws: &Aws, arn: String) -> Result<Option<Attributes>, Error> {
    let call = aws.read.elb.describe_target_group_attributes().target_group_arn(arn).send().await;
    let found = match call.map_err(Error::of("elasticloadbalancing:DescribeTargetGroupAttributes")) {
        Err(error) if error.class == Class::NotFound => return Ok(None),
        answer => answer?,
    };
    let value = |key| found.attributes().iter().find(|one| one.key() == Some(key)).and_then(|one| one.value());
    Ok(Some(Attributes {
        deregistration_delay_seconds: value(DELAY).and_then(|seconds| seconds.parse().ok()).unwrap_or(300),
        algorithm: value(ALGORITHM).unwrap_or("round_robin").to_owned(),
    }))
}

/// Reads the health of one target group's targets. A group that is gone has none.
///
/// # Errors
/// When the read fails.
pub async fn observe_targets(aws: &Aws, arn: String) -> Result<Option<Vec<Target>>, Error> {
    let call = aws.read.elb.describe_target_health().target_group_arn(arn).send().await;
    let answer = match call.map_err(Error::of("elasticloadbalancing:DescribeTargetHealth")) {
        Err(error) if error.class == Class::NotFound => return Ok(None),
        answer => answer?,
    };
    let targets = answer.target_health_descriptions().iter().map(|one| {
        let id = one.target().and_then(|target| target.id()).unwrap_or_default();
        let port = one.target().and_then(TargetDescription::port).unwrap_or_default();
        let health = one.target_health();
        let state = health.and_then(|health| health.state()).map_or("", |state| state.as_str());
        let reason = health.and_then(|health| health.description()).unwrap_or_default();
        Target { id: format!("{id}:{port}"), state: state.to_owned(), reason: reason.to_owned() }
    });
    Ok(Some(targets.collect()))
}

/// Puts together what the reads brought.
#[must_use]
pub fn found(raw: &TargetGroup, tags: Tags, attributes: Attributes) -> Found {
    let number = |value: Option<i32>, default| value.and_then(|value| u32::try_from(value).ok()).unwrap_or(default);
    let health_check = HealthCheck {
        path: raw.health_check_path.clone().unwrap_or_else(|| "/".into()),
        port: raw.health_check_port.clone().unwrap_or_else(|| "traffic-port".into()),
        interval_seconds: number(raw.health_check_interval_seconds, 30),
        timeout_seconds: number(raw.health_check_timeout_seconds, 5),
        healthy_threshold: number(raw.healthy_threshold_count, 5),
        unhealthy_threshold: number(raw.unhealthy_threshold_count, 2),
        matcher: raw.matcher().and_then(|matcher| matcher.http_code()).unwrap_or("200").to_owned(),
    };
    let target_type = raw.target_type().map_or("instance", TargetTypeEnum::as_str).to_owned();
    Found {
        arn: raw.target_group_arn.clone().unwrap_or_default(),
        name: raw.target_group_name.clone().unwrap_or_default(),
        vpc_id: raw.vpc_id.clone().unwrap_or_default(),
        load_balancer_arns: raw.load_balancer_arns.clone().unwrap_or_default(),
        tags,
        spec: Spec { port: number(raw.port, 80), target_type, health_check, attributes },
    }
}

/// Plans what is missing or differs.
pub fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let Some(front) = &desired.front else { return };
    let (name, spec) = &front.target_group;
    let Some(found) = observed.target_group(name) else { return plan_creation(desired, observed, plan) };
    if let Owner::Another(owner) = desired.marks.owner(&found.tags) {
        return plan.conflict(RESOURCE, name, owner);
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
        let (from, to) = (found.vpc_id.as_str().into(), vpc_id.as_str().into());
        changes.push(Change { path: "vpcId".into(), from, to });
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
        Action::Create { name, vpc_id, spec, marks } => create(aws, name, vpc_id, spec, marks).await,
        Action::Update { arn, spec, changes, .. } => update(aws, arn, spec, changes).await,
        Action::Delete { arn, .. } => {
            let call = aws.write.elb.delete_target_group().target_group_arn(arn).send().await;
            call.map(drop).map_err(Error::of("elasticloadbalancing:DeleteTargetGroup"))
        }
    }
}

async fn create(aws: &Aws, name: &str, vpc_id: &str, spec: &Spec, marks: &Marks) -> Result<(), Error> {
    let check = &spec.health_check;
    let call = aws.write.elb.create_target_group().name(name).vpc_id(vpc_id).protocol(ProtocolEnum::Http);
    let call = call.port(count(spec.port)).target_type(spec.target_type.as_str().into());
    let call = call.health_check_protocol(ProtocolEnum::Http).health_check_enabled(true);
    let call = call.health_check_path(&check.path).health_check_port(&check.port).matcher(matcher(check));
    let call = call.health_check_interval_seconds(count(check.interval_seconds));
    let call = call.health_check_timeout_seconds(count(check.timeout_seconds));
    let call = call.healthy_threshold_count(count(check.healthy_threshold));
    let call = call.unhealthy_threshold_count(count(check.unhealthy_threshold));
    let call = call.set_tags(Some(tags::for_elb(marks))).send().await;
    call.map(drop).map_err(Error::of("elasticloadbalancing:CreateTargetGroup"))
}

async fn update(aws: &Aws, arn: &str, spec: &Spec, changes: &[Change]) -> Result<(), Error> {
    let (check, elb) = (&spec.health_check, &aws.write.elb);
    let (of_check, of_attributes): (Vec<_>, Vec<_>) =
        changes.iter().partition(|change| change.path.starts_with("healthCheck."));
    if !of_check.is_empty() {
        let call = elb.modify_target_group().target_group_arn(arn).health_check_path(&check.path);
        let call = call.health_check_port(&check.port).matcher(matcher(check));
        let call = call.health_check_interval_seconds(count(check.interval_seconds));
        let call = call.health_check_timeout_seconds(count(check.timeout_seconds));
        let call = call.healthy_threshold_count(count(check.healthy_threshold));
        let call = call.unhealthy_threshold_count(count(check.unhealthy_threshold)).send().await;
        call.map_err(Error::of("elasticloadbalancing:ModifyTargetGroup"))?;
    }
    if !of_attributes.is_empty() {
        let attribute = |key: &str, value: &str| TargetGroupAttribute::builder().key(key).value(value).build();
        let delay = attribute(DELAY, &spec.attributes.deregistration_delay_seconds.to_string());
        let call = elb.modify_target_group_attributes().target_group_arn(arn).attributes(delay);
        let call = call.attributes(attribute(ALGORITHM, &spec.attributes.algorithm)).send().await;
        call.map_err(Error::of("elasticloadbalancing:ModifyTargetGroupAttributes"))?;
    }
    Ok(())
}

fn matcher(check: &HealthCheck) -> Matcher {
    Matcher::builder().http_code(&check.matcher).build()
}

/// Validation keeps all numbers far below; AWS would refuse what is cut here.
fn count(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
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
