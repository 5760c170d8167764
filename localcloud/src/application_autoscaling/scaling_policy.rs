//! Scaling policies: what a target does when an alarm goes off.
//!
//! A predictive policy is stored and described, but it never acts: it needs a day of data before its first forecast.

pub mod alarms;
mod label;
mod metric;
mod step;
mod tracking;

use interstella_autoscaling::combine::Policy;
use interstella_autoscaling::tracking::TargetTracking;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::errors::{invalid, part_missing, too_many};
use super::scalable_target::ScalableTarget;
use super::{paging, resource};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::cloudwatch::Watched;
use crate::ecs::ServiceKey;
use crate::world::World;

/// Policies that a target may have.
const LIMIT: usize = 50;

/// Policies on a page, at most.
const PAGE: usize = 10;

/// Names in a request, at most.
const NAMES: usize = 50;

/// A scaling policy.
#[derive(Debug, Clone)]
pub struct ScalingPolicy {
    pub(super) arn: String,
    created_at: CloudTime,
    /// As it was given.
    configuration: Value,
    pub(super) kind: Kind,
}

/// What kind of policy it is, with what that kind needs to act.
#[derive(Debug, Clone)]
pub enum Kind {
    /// TargetTrackingScaling, with its metric and the names of the alarms that were made for it.
    TargetTracking { policy: Policy, watched: Watched, alarms: alarms::Names },
    /// StepScaling, whose alarms are the user's.
    Step { policy: Policy },
    /// PredictiveScaling, which never acts here.
    Predictive,
}

impl ScalingPolicy {
    /// What the policy says, for the engine; `None`: it never acts.
    pub(super) fn policy(&self) -> Option<&Policy> {
        match &self.kind {
            Kind::TargetTracking { policy, .. } | Kind::Step { policy } => Some(policy),
            Kind::Predictive => None,
        }
    }
}

/// PolicyType of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum PolicyType {
    #[serde(rename = "TargetTrackingScaling")]
    TargetTracking,
    #[serde(rename = "StepScaling")]
    Step,
    #[serde(rename = "PredictiveScaling")]
    Predictive,
}

impl PolicyType {
    fn of(kind: &Kind) -> Self {
        match kind {
            Kind::TargetTracking { .. } => Self::TargetTracking,
            Kind::Step { .. } => Self::Step,
            Kind::Predictive => Self::Predictive,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::TargetTracking => "TargetTrackingScaling",
            Self::Step => "StepScaling",
            Self::Predictive => "PredictiveScaling",
        }
    }

    /// The member that holds a policy's configuration.
    fn member(self) -> String {
        let name = self.name();
        format!("{name}PolicyConfiguration")
    }
}

/// Input of PutScalingPolicy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Put {
    policy_name: String,
    service_namespace: String,
    resource_id: String,
    scalable_dimension: String,
    policy_type: Option<PolicyType>,
    step_scaling_policy_configuration: Option<Value>,
    target_tracking_scaling_policy_configuration: Option<Value>,
    predictive_scaling_policy_configuration: Option<Value>,
}

impl Put {
    /// The one configuration, of the policy's type.
    fn configuration(&mut self, policy_type: PolicyType) -> Result<Value, ApiError> {
        let given = [
            (PolicyType::TargetTracking, self.target_tracking_scaling_policy_configuration.take()),
            (PolicyType::Step, self.step_scaling_policy_configuration.take()),
            (PolicyType::Predictive, self.predictive_scaling_policy_configuration.take()),
        ];
        let mut given = given.into_iter().filter_map(|(of, value)| Some((of, value?)));
        match (given.next(), given.next()) {
            (Some((of, configuration)), None) if of == policy_type => Ok(configuration),
            _ => Err(invalid(format!(
                "A policy of the type {} has exactly one configuration: {}.",
                policy_type.name(),
                policy_type.member()
            ))),
        }
    }
}

/// PutScalingPolicy: makes a policy or replaces what it says. A target-tracking policy gets alarms of its own, under new names
/// each time; a step policy is set off by alarms that name its ARN.
///
/// # Errors
/// `ObjectNotFoundException` without scalable target, `LimitExceededException`, `ValidationException`.
pub fn put(world: &mut World, now: CloudTime, mut input: Put) -> Answer {
    let key = resource::key(&input.service_namespace, &input.resource_id, &input.scalable_dimension)?;
    let target = world.application_autoscaling.target(&key)?;
    let stored = target.policies.get(&input.policy_name).cloned();
    if stored.is_none() && target.policies.len() >= LIMIT {
        return Err(too_many("scaling policies", LIMIT));
    }
    check_name(&input.policy_name)?;
    let policy_type = input.policy_type.or_else(|| stored.as_ref().map(|stored| PolicyType::of(&stored.kind)));
    let policy_type = policy_type.ok_or_else(|| invalid("PolicyType must be given to make a scaling policy."))?;
    let configuration = input.configuration(policy_type)?;
    let draft = draft(world, &key, &input.policy_name, policy_type, &configuration)?;
    let (arn, created_at) = match &stored {
        Some(stored) => (stored.arn.clone(), stored.created_at),
        None => (new_arn(world, &key, &input.policy_name), now),
    };
    if let Some(stored) = &stored {
        alarms::delete(world, now, stored);
    }
    let kind = made(world, now, &key, &arn, draft);
    let policy = ScalingPolicy { arn: arn.clone(), created_at, configuration, kind };
    let shown = alarms::shown(world, &policy);
    world.application_autoscaling.target_mut(&key)?.policies.insert(input.policy_name, policy);
    Ok(json!({"PolicyARN": arn, "Alarms": shown}))
}

/// AWS: 1 to 256 printable characters.
fn check_name(name: &str) -> Result<(), ApiError> {
    let fits = (1..=256).contains(&name.chars().count()) && !name.contains(char::is_control);
    if fits { Ok(()) } else { Err(invalid("A scaling policy's name has 1 to 256 printable characters.")) }
}

fn new_arn(world: &mut World, key: &ServiceKey, name: &str) -> String {
    let id = world.ids.uuid();
    world.arn("autoscaling", &format!("scalingPolicy:{id}:resource/ecs/{}:policyName/{name}", resource::id(key)))
}

/// A policy that has been checked and has no alarms yet.
enum Draft {
    TargetTracking(TargetTracking, Watched),
    Step(Policy),
    Predictive,
}

/// Checks a configuration, for target tracking also against the target's other policies.
fn draft(
    world: &World,
    key: &ServiceKey,
    name: &str,
    policy_type: PolicyType,
    configuration: &Value,
) -> Result<Draft, ApiError> {
    match policy_type {
        PolicyType::Step => Ok(Draft::Step(step::policy(&read(configuration)?)?)),
        PolicyType::Predictive => predictive(configuration).map(|()| Draft::Predictive),
        PolicyType::TargetTracking => {
            let given: tracking::Configuration = read(configuration)?;
            let watched = given.metric(world, key)?;
            check_unique(world.application_autoscaling.target(key)?, name, &watched)?;
            Ok(Draft::TargetTracking(given.policy()?, watched))
        }
    }
}

/// AWS: each target-tracking policy of a target has a metric of its own.
fn check_unique(target: &ScalableTarget, name: &str, watched: &Watched) -> Result<(), ApiError> {
    let mut others = target.policies.iter().filter(|(other, _)| *other != name);
    let same = |policy: &ScalingPolicy| match &policy.kind {
        Kind::TargetTracking { watched: other, .. } => metric::identity(other) == metric::identity(watched),
        Kind::Step { .. } | Kind::Predictive => false,
    };
    if others.any(|(_, policy)| same(policy)) {
        return Err(invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed."));
    }
    Ok(())
}

/// AWS: a predictive policy has exactly one metric specification.
fn predictive(configuration: &Value) -> Result<(), ApiError> {
    match configuration["MetricSpecifications"].as_array().map(Vec::len) {
        Some(1) => Ok(()),
        _ => Err(invalid("A predictive scaling policy has exactly one metric specification.")),
    }
}

/// Makes what belongs to a policy.
fn made(world: &mut World, now: CloudTime, key: &ServiceKey, arn: &str, draft: Draft) -> Kind {
    match draft {
        Draft::Step(policy) => Kind::Step { policy },
        Draft::Predictive => Kind::Predictive,
        Draft::TargetTracking(policy, watched) => {
            let alarms = alarms::make(world, now, key, arn, &policy, &watched);
            Kind::TargetTracking { policy: Policy::TargetTracking(policy), watched, alarms }
        }
    }
}

/// Reads a configuration, whose form the wire has checked against the model.
fn read<T: DeserializeOwned>(configuration: &Value) -> Result<T, ApiError> {
    T::deserialize(configuration).map_err(|error| invalid(format!("Invalid policy configuration: {error}")))
}

/// Input of DeleteScalingPolicy.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Delete {
    policy_name: String,
    service_namespace: String,
    resource_id: String,
    scalable_dimension: String,
}

/// DeleteScalingPolicy. The alarms of target tracking go with it, those of a step policy are the user's and stay.
///
/// # Errors
/// `ObjectNotFoundException` where there is no such policy.
pub fn delete(world: &mut World, now: CloudTime, input: &Delete) -> Answer {
    let key = resource::key(&input.service_namespace, &input.resource_id, &input.scalable_dimension)?;
    let missing = || part_missing("scaling policy", &key, &input.policy_name);
    let target = world.application_autoscaling.targets.get_mut(&key).ok_or_else(missing)?;
    let policy = target.policies.remove(&input.policy_name).ok_or_else(missing)?;
    alarms::delete(world, now, &policy);
    Ok(json!({}))
}

/// Input of DescribeScalingPolicies.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Describe {
    #[serde(default)]
    policy_names: Vec<String>,
    service_namespace: String,
    resource_id: Option<String>,
    scalable_dimension: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// DescribeScalingPolicies: those asked for, or all, each with the alarms that set it off.
pub fn describe(world: &World, input: &Describe) -> Answer {
    let wanted =
        resource::filter(&input.service_namespace, input.resource_id.as_deref(), input.scalable_dimension.as_deref())?;
    let names = &input.policy_names;
    if names.len() > NAMES {
        return Err(invalid(format!("PolicyNames can have at most {NAMES} elements.")));
    }
    let targets = world.application_autoscaling.targets.iter();
    let items = targets
        .filter(|(key, _)| wanted.as_ref().is_none_or(|wanted| wanted == *key))
        .flat_map(|(key, target)| target.policies.iter().map(move |(name, policy)| (key, name, policy)))
        .filter(|(_, name, _)| names.is_empty() || names.contains(name))
        .map(|(key, name, policy)| (policy.arn.clone(), view(world, key, name, policy)))
        .collect();
    paging::answer("ScalingPolicies", items, input.max_results, input.next_token.as_deref(), PAGE)
}

fn view(world: &World, key: &ServiceKey, name: &str, policy: &ScalingPolicy) -> Value {
    let policy_type = PolicyType::of(&policy.kind);
    let mut more = json!({
        "PolicyARN": policy.arn,
        "PolicyName": name,
        "PolicyType": policy_type.name(),
        "Alarms": alarms::shown(world, policy),
        "CreationTime": policy.created_at.as_epoch_seconds(),
    });
    more[policy_type.member()] = policy.configuration.clone();
    resource::shown(key, more)
}
