//! Listener: the one that takes the app's requests to its target group. It must not touch other listeners of the load balancer.

mod default_action;
mod removal;

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{Certificate, Listener as ElbListener, ProtocolEnum};
use serde::Serialize;

use crate::app::{Marks, Owner, Tags};
use crate::aws::Aws;
use crate::batch::{self, Fetched};
use crate::desired::Desired;
use crate::diff::{self, Change};
use crate::error::{Class, Error};
use crate::manifest;
use crate::observed::Observed;
use crate::plan::{On, Plan, Summary, Verb, handover};
use crate::resource::given::Given;
use crate::resource::{load_balancer, tags, target_group};

pub use default_action::DefaultAction;
pub use removal::plan_removal;

/// What this is called in plans.
pub const RESOURCE: &str = "listener";
/// What a person can do about one that is not ours.
const REMEDY: &str = "give another `loadBalancer.listener.port`, or delete the listener that is there";
/// Most ARNs that one call takes, by practice.
const BATCH: usize = 20;
const DESCRIBE: &str = "elasticloadbalancing:DescribeListeners";

/// What the manifest says of the listener; where it forwards to is known once the target group exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    /// Port.
    pub port: u32,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// ARN of the certificate.
    pub certificate_arn: Option<String>,
}

/// Normal form of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// Port.
    pub port: u32,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// ARN of the certificate.
    pub certificate_arn: Option<String>,
    /// What it does with requests.
    pub default_action: DefaultAction,
}

impl Spec {
    fn new(wanted: &Wanted, default_action: DefaultAction) -> Self {
        let Wanted { port, protocol, certificate_arn } = wanted.clone();
        Self { port, protocol, certificate_arn, default_action }
    }
}

/// A listener in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its ARN.
    pub arn: String,
    /// ARN of its load balancer.
    pub load_balancer_arn: String,
    /// Its tags.
    pub tags: Tags,
    /// What it is.
    pub spec: Spec,
}

/// What may be done to a listener.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// CreateListener with our tags.
    Create {
        /// Load balancer and port, for people.
        name: String,
        /// ARN of its load balancer.
        load_balancer_arn: String,
        /// What it will be.
        spec: Spec,
        /// Our marks.
        marks: Marks,
    },
    /// ModifyListener.
    Update {
        /// Its ARN.
        arn: String,
        /// Load balancer and port, for people.
        name: String,
        /// What it will be.
        spec: Spec,
        /// What changes.
        changes: Vec<Change>,
    },
    /// DeleteListener.
    Delete {
        /// Its ARN.
        arn: String,
        /// Load balancer and port, for people.
        name: String,
    },
}

/// The manifest's listener.
#[must_use]
pub fn desired(wanted: &manifest::Listener) -> Wanted {
    let protocol = match wanted.protocol {
        manifest::ListenerProtocol::Http => "HTTP",
        manifest::ListenerProtocol::Https => "HTTPS",
    };
    Wanted { port: wanted.port, protocol: protocol.to_owned(), certificate_arn: wanted.certificate_arn.clone() }
}

/// Reads listeners by ARN.
pub async fn observe_arns(aws: &Aws, arns: BTreeSet<String>) -> Fetched<ElbListener> {
    batch::fetch(arns, BATCH, |arns: Vec<String>| {
        let pages = aws.read.elb.describe_listeners().set_listener_arns(Some(arns)).into_paginator().items().send();
        batch::by_key(pages.try_collect(), Error::of(DESCRIBE), |one: &ElbListener| one.listener_arn.clone())
    })
    .await
}

/// Reads all listeners of one load balancer. One that is gone has none.
///
/// # Errors
/// When the read fails.
pub async fn observe(aws: &Aws, load_balancer_arn: String) -> Result<Option<Vec<ElbListener>>, Error> {
    let mut pages = aws.read.elb.describe_listeners().load_balancer_arn(load_balancer_arn).into_paginator().send();
    let mut listeners = Vec::new();
    while let Some(page) = pages.next().await {
        match page.map_err(Error::of(DESCRIBE)) {
            Ok(page) => listeners.extend(page.listeners.unwrap_or_default()),
            Err(error) if error.class == Class::NotFound => return Ok(None),
            Err(error) => return Err(error),
        }
    }
    Ok(Some(listeners))
}

/// Puts together what the reads brought.
#[must_use]
pub fn found(raw: &ElbListener, tags: Tags) -> Found {
    let certificate = raw.certificates().iter().find_map(|one| one.certificate_arn.clone().given());
    Found {
        arn: raw.listener_arn.clone().unwrap_or_default(),
        load_balancer_arn: raw.load_balancer_arn.clone().unwrap_or_default(),
        tags,
        spec: Spec {
            port: raw.port.and_then(|port| u32::try_from(port).ok()).unwrap_or_default(),
            protocol: raw.protocol().map_or("", ProtocolEnum::as_str).to_owned(),
            certificate_arn: certificate,
            default_action: DefaultAction::from_aws(raw.default_actions()),
        },
    }
}

/// Plans what is missing or differs.
pub fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let Some(front) = &desired.front else { return };
    let (load_balancer, _) = &front.load_balancer;
    let name = format!("{load_balancer}:{}", front.listener.port);
    let (load_balancer, target_group) = match parts(desired, observed) {
        Ok(parts) => parts,
        Err((on, reason)) => return plan.wait(Verb::Create, RESOURCE, &name, on, reason),
    };
    let listeners = || observed.listeners.iter().filter(|one| one.load_balancer_arn == load_balancer.arn);
    let at_port = listeners().find(|one| one.spec.port == front.listener.port);
    if let Some(Owner::Another(owner)) = at_port.map(|found| desired.marks.owner(&found.tags)) {
        return plan.conflict(RESOURCE, &name, owner, REMEDY);
    }
    let ours = at_port.or_else(|| listeners().find(|one| desired.marks.owner(&one.tags) == Owner::Ours));
    let stand_in = handover::stand_in(desired, observed, load_balancer, ours, target_group);
    let spec = Spec::new(&front.listener, DefaultAction::forward(target_group, stand_in));
    if let Some(group) = stand_in {
        let reason = format!("requests stay with {} until all tasks are healthy in {}", group.name, target_group.name);
        plan.wait(Verb::Update, RESOURCE, &name, On::Aws, reason);
    }
    let Some(found) = ours else {
        let (load_balancer_arn, marks) = (load_balancer.arn.clone(), desired.marks.clone());
        return plan.act(Action::Create { name, load_balancer_arn, spec, marks });
    };
    let changes = diff::diff(&found.spec, &spec);
    if !changes.is_empty() {
        plan.act(Action::Update { arn: found.arn.clone(), name, spec, changes });
    }
}

/// The load balancer and target group to be connected, or why they cannot be yet.
fn parts<'a>(
    desired: &Desired,
    observed: &'a Observed,
) -> Result<(&'a load_balancer::Found, &'a target_group::Found), (On, String)> {
    let missing = |what: &str, name: &str| (On::Us, format!("needs the {what} {name}"));
    let names = desired.load_balancer().zip(desired.target_group());
    let Some(((load_balancer, _), (target_group, _))) = names else { return Err((On::Us, String::new())) };
    let ours = |tags: &Tags| desired.marks.owner(tags) == Owner::Ours;
    let found = observed.load_balancer(load_balancer).filter(|one| ours(&one.tags));
    let balancer = found.filter(|one| load_balancer::going(desired, one).is_none());
    let balancer = balancer.ok_or_else(|| missing(load_balancer::RESOURCE, load_balancer))?;
    if balancer.state == "failed" {
        return Err((On::Person, format!("AWS failed to make the load balancer {load_balancer}")));
    }
    let found = observed.target_group(target_group).filter(|one| ours(&one.tags));
    let group = found.filter(|one| target_group::going(desired, observed, one).is_none());
    let group = group.ok_or_else(|| missing(target_group::RESOURCE, target_group))?;
    if group.load_balancer_arns.iter().any(|arn| *arn != balancer.arn) {
        return Err((On::Aws, format!("the target group {target_group} still belongs to another load balancer")));
    }
    Ok((balancer, group))
}

/// Makes the calls of one action.
///
/// # Errors
/// When a call fails.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Create { load_balancer_arn, spec, marks, .. } => {
            let call = aws.write.elb.create_listener().load_balancer_arn(load_balancer_arn).port(port(spec));
            let call = call.protocol(spec.protocol.as_str().into()).default_actions(spec.default_action.to_aws());
            let call = call.set_certificates(certificates(spec)).set_tags(Some(tags::for_elb(marks))).send().await;
            call.map(drop).map_err(Error::of("elasticloadbalancing:CreateListener"))
        }
        Action::Update { arn, spec, .. } => {
            let call = aws.write.elb.modify_listener().listener_arn(arn).port(port(spec));
            let call = call.protocol(spec.protocol.as_str().into()).default_actions(spec.default_action.to_aws());
            let call = call.set_certificates(certificates(spec)).send().await;
            call.map(drop).map_err(Error::of("elasticloadbalancing:ModifyListener"))
        }
        Action::Delete { arn, .. } => {
            let call = aws.write.elb.delete_listener().listener_arn(arn).send().await;
            call.map(drop).map_err(Error::of("elasticloadbalancing:DeleteListener"))
        }
    }
}

fn port(spec: &Spec) -> i32 {
    i32::try_from(spec.port).unwrap_or(i32::MAX)
}

fn certificates(spec: &Spec) -> Option<Vec<Certificate>> {
    spec.certificate_arn.as_ref().map(|arn| vec![Certificate::builder().certificate_arn(arn).build()])
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::Create { name, spec, .. } => Summary::new(Verb::Create, RESOURCE, name, diff::all(spec)),
            Self::Update { name, changes, .. } => Summary::new(Verb::Update, RESOURCE, name, changes.clone()),
            Self::Delete { name, .. } => Summary::new(Verb::Delete, RESOURCE, name, Vec::new()),
        }
    }
}
