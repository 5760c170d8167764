//! Policy of Application Auto Scaling: target tracking, step or predictive. The service has no tags for it, so its name says that it
//! is ours. The alarms that AWS makes for a target-tracking policy are AWS's.

mod request;
pub mod spec;

use std::collections::BTreeMap;

use aws_sdk_applicationautoscaling::types::ScalingPolicy;

use crate::app::AppName;
use crate::aws::Aws;
use crate::diff::{self, Change, Edit};
use crate::error::{Class, Error};
use crate::manifest;
use crate::plan::{Summary, Verb};
use crate::resource::scalable_target::{DIMENSION, NAMESPACE, resource_id};

pub use spec::{Spec, Wanted};

/// What this is called in plans.
pub const RESOURCE: &str = "scaling policy";
/// What the names of our policies, scheduled actions and alarms begin with.
pub const PREFIX: &str = "interstella.";

/// A policy in AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Its name.
    pub name: String,
    /// Its ARN, which an alarm sets off.
    pub arn: String,
    /// What it is.
    pub spec: Spec,
    /// Names of the alarms that set it off.
    pub alarms: Vec<String>,
}

/// What may be done to a policy.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// PutScalingPolicy of a new name.
    Create {
        /// The app, which names the scalable target.
        app: AppName,
        /// Its name.
        name: String,
        /// What it will be.
        spec: Box<Spec>,
    },
    /// PutScalingPolicy of an existing name, which replaces all of it and keeps its ARN.
    Update {
        /// The app, which names the scalable target.
        app: AppName,
        /// Its name.
        name: String,
        /// What changes.
        edit: Box<Edit<Spec>>,
    },
    /// DeleteScalingPolicy.
    Delete {
        /// The app, which names the scalable target.
        app: AppName,
        /// Its name.
        name: String,
        /// What forces a new one; empty = it is no longer wanted.
        replaced_for: Vec<Change>,
    },
}

/// The manifest's policies by their names in AWS.
#[must_use]
pub fn desired(wanted: &manifest::Scaling) -> BTreeMap<String, Wanted> {
    let name = |name: &str| format!("{PREFIX}{name}");
    let tracking = wanted.target_tracking.iter().map(|one| (name(&one.name), Wanted::Tracking(one.clone())));
    let step = wanted.step.iter().map(|one| (name(&one.name), Wanted::Step(one.clone())));
    let predictive = wanted.predictive.iter().map(|one| (name(&one.name), Wanted::Predictive(one.clone())));
    tracking.chain(step).chain(predictive).collect()
}

/// Whether a predictive policy may raise the scalable target's maximum by itself (AWS: MaxCapacityBreachBehavior).
#[must_use]
pub fn raises_maximum(wanted: &manifest::Predictive) -> bool {
    wanted.mode == manifest::PredictiveMode::ForecastAndScale
        && wanted.max_capacity_breach_behavior == manifest::MaxCapacityBreachBehavior::IncreaseMaxCapacity
}

/// Reads policies by resource ID: those of one, or of all services of the account and region. The second part is how many calls it
/// took. An endpoint without the operation has none.
///
/// # Errors
/// When the read fails.
pub async fn observe(aws: &Aws, resource_id: Option<String>) -> Result<(BTreeMap<String, Vec<Found>>, usize), Error> {
    let call = aws.read.scaling.describe_scaling_policies().service_namespace(NAMESPACE);
    let mut pages = call.set_resource_id(resource_id).into_paginator().send();
    let (mut found, mut calls) = (BTreeMap::<_, Vec<_>>::new(), 0);
    while let Some(page) = pages.next().await {
        calls += 1;
        let page = match page.map_err(Error::of("autoscaling:DescribeScalingPolicies")) {
            Err(error) if error.class == Class::Unsupported => break,
            page => page?,
        };
        for raw in page.scaling_policies() {
            found.entry(raw.resource_id.clone()).or_default().push(from_aws(raw));
        }
    }
    Ok((found, calls))
}

fn from_aws(raw: &ScalingPolicy) -> Found {
    Found {
        name: raw.policy_name.clone(),
        arn: raw.policy_arn.clone(),
        spec: spec::from_aws(raw),
        alarms: raw.alarms().iter().map(|alarm| alarm.alarm_name.clone()).collect(),
    }
}

/// Makes the call of one action.
///
/// # Errors
/// When it fails. A policy that is gone already is no failure of its removal.
pub async fn apply(aws: &Aws, action: &Action) -> Result<(), Error> {
    match action {
        Action::Create { app, name, spec } => request::put(aws, app, name, spec).await,
        Action::Update { app, name, edit } => request::put(aws, app, name, &edit.to).await,
        Action::Delete { app, name, .. } => {
            let call = aws.write.scaling.delete_scaling_policy().service_namespace(NAMESPACE).policy_name(name);
            let call = call.resource_id(resource_id(app)).scalable_dimension(DIMENSION).send().await;
            match call.map_err(Error::of("autoscaling:DeleteScalingPolicy")) {
                Err(error) if error.class != Class::NotFound => Err(error),
                _ => Ok(()),
            }
        }
    }
}

impl Action {
    /// What the action is, for people and programs.
    #[must_use]
    pub fn summary(&self) -> Summary {
        match self {
            Self::Create { name, spec, .. } => {
                let changes = diff::in_units(diff::all(spec.as_ref()), |path| spec.unit(path));
                Summary::new(Verb::Create, RESOURCE, name, changes)
            }
            Self::Update { name, edit, .. } => {
                let changes = diff::in_units(diff::diff(&edit.from, &edit.to), |path| edit.to.unit(path));
                Summary::new(Verb::Update, RESOURCE, name, changes)
            }
            Self::Delete { name, replaced_for, .. } => Summary::removal(RESOURCE, name, replaced_for),
        }
    }
}
