//! Scalable targets: services whose desired count is moved between two bounds.

use std::collections::BTreeMap;

use interstella_autoscaling::combine::Suspended;
use interstella_autoscaling::cooldown::Cooldowns;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::{invalid, target_missing};
use super::scaling_policy::{ScalingPolicy, alarms};
use super::scheduled_action::ScheduledAction;
use super::tags::{self, Tags};
use super::{change, paging, resource};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::ecs::{self, ServiceKey};
use crate::world::{ACCOUNT, World};

/// Targets on a page, and IDs in a request, at most.
const PAGE: usize = 50;

/// The service-linked role that AWS makes for scaling ECS services.
const ROLE: &str = "role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService";

/// A scalable target.
#[derive(Debug, Clone)]
pub struct ScalableTarget {
    pub(super) arn: String,
    pub(super) bounds: Bounds,
    pub(super) suspended: Suspended,
    pub(super) created_at: CloudTime,
    pub(super) tags: Tags,
    /// By name.
    pub(super) policies: BTreeMap<String, ScalingPolicy>,
    /// By name.
    pub(super) schedules: BTreeMap<String, ScheduledAction>,
    /// The last scalings by policies.
    pub(super) cooldowns: Cooldowns,
}

/// Fewest and most tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Fewest tasks.
    pub min: u32,
    /// Most tasks.
    pub max: u32,
}

impl Bounds {
    /// These bounds with those that a request names in their place.
    ///
    /// # Errors
    /// `ValidationException` for a negative bound and for a minimum above the maximum.
    pub fn with(base: Option<Self>, min: Option<i64>, max: Option<i64>) -> Result<Self, ApiError> {
        let bound = |name: &str, given: Option<i64>, stored: Option<u32>| match (given, stored) {
            (Some(given), _) => u32::try_from(given).map_err(|_| invalid(format!("{name} cannot be negative."))),
            (None, Some(stored)) => Ok(stored),
            (None, None) => Err(invalid(format!("{name} must be given to register a new scalable target."))),
        };
        let min = bound("MinCapacity", min, base.map(|base| base.min))?;
        let max = bound("MaxCapacity", max, base.map(|base| base.max))?;
        if min > max {
            return Err(invalid(format!("Maximum capacity {max} cannot be less than minimum capacity {min}.")));
        }
        Ok(Self { min, max })
    }
}

/// Input of RegisterScalableTarget. What is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Register {
    service_namespace: String,
    resource_id: String,
    scalable_dimension: String,
    min_capacity: Option<i64>,
    max_capacity: Option<i64>,
    suspended_state: Option<SuspendedState>,
    #[serde(default)]
    tags: Tags,
    /// AWS ignores it for ECS: the service-linked role is always used.
    #[serde(rename = "RoleARN")]
    _role: Option<String>,
}

/// Which of the three are switched off; what is left out stays as it is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct SuspendedState {
    dynamic_scaling_in_suspended: Option<bool>,
    dynamic_scaling_out_suspended: Option<bool>,
    scheduled_scaling_suspended: Option<bool>,
}

impl SuspendedState {
    fn over(&self, base: Suspended) -> Suspended {
        Suspended {
            scale_in: self.dynamic_scaling_in_suspended.unwrap_or(base.scale_in),
            scale_out: self.dynamic_scaling_out_suspended.unwrap_or(base.scale_out),
            scheduled: self.scheduled_scaling_suspended.unwrap_or(base.scheduled),
        }
    }
}

/// RegisterScalableTarget: makes a target or changes it, and moves the service's count between the bounds at once, even where
/// the request names no bound.
///
/// # Errors
/// `ValidationException` for a service that is not ACTIVE, for bounds that are none, and for tags of a target that exists.
pub fn register(world: &mut World, now: CloudTime, input: Register) -> Answer {
    let key = resource::key(&input.service_namespace, &input.resource_id, &input.scalable_dimension)?;
    if ecs::desired_count(world, &key).is_none() {
        return Err(invalid(format!("ECS service doesn't exist: {}", resource::id(&key))));
    }
    let stored = world.application_autoscaling.targets.get(&key);
    if stored.is_some() && !input.tags.is_empty() {
        // The words are unverified.
        return Err(invalid(
            "The scalable target already exists. To tag an existing scalable target, use TagResource.",
        ));
    }
    let bounds = Bounds::with(stored.map(|target| target.bounds), input.min_capacity, input.max_capacity)?;
    let before = stored.map(|target| target.suspended).unwrap_or_default();
    let suspended = input.suspended_state.map_or(before, |state| state.over(before));
    if stored.is_none() {
        create(world, now, &key, bounds, tags::merged(&Tags::new(), input.tags)?);
    }
    let target = world.application_autoscaling.target_mut(&key)?;
    (target.bounds, target.suspended) = (bounds, suspended);
    let arn = target.arn.clone();
    change::into_bounds(world, now, &key);
    Ok(json!({"ScalableTargetARN": arn}))
}

fn create(world: &mut World, now: CloudTime, key: &ServiceKey, bounds: Bounds, tags: Tags) {
    let id = world.ids.hex(32);
    let target = ScalableTarget {
        arn: world.arn("application-autoscaling", &format!("scalable-target/0ec5{id}")),
        bounds,
        suspended: Suspended::default(),
        created_at: now,
        tags,
        policies: BTreeMap::new(),
        schedules: BTreeMap::new(),
        cooldowns: Cooldowns::default(),
    };
    world.application_autoscaling.targets.insert(key.clone(), target);
}

/// Input of DeregisterScalableTarget.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Deregister {
    service_namespace: String,
    resource_id: String,
    scalable_dimension: String,
}

/// DeregisterScalableTarget: with the target go its policies, their alarms and its scheduled actions. The count stays.
///
/// # Errors
/// `ObjectNotFoundException` where there is no such target.
pub fn deregister(world: &mut World, now: CloudTime, input: &Deregister) -> Answer {
    let key = resource::key(&input.service_namespace, &input.resource_id, &input.scalable_dimension)?;
    world.application_autoscaling.target(&key)?;
    remove(world, now, &key);
    Ok(json!({}))
}

/// Removes a target with all that belongs to it.
pub fn remove(world: &mut World, now: CloudTime, key: &ServiceKey) {
    let Some(target) = world.application_autoscaling.targets.remove(key) else { return };
    for policy in target.policies.values() {
        alarms::delete(world, now, policy);
    }
}

/// Input of DescribeScalableTargets.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Describe {
    service_namespace: String,
    #[serde(default)]
    resource_ids: Vec<String>,
    scalable_dimension: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

/// DescribeScalableTargets: those asked for, or all. IDs that name none are left out.
pub fn describe(world: &World, input: &Describe) -> Answer {
    let first = input.resource_ids.first().map(String::as_str);
    resource::filter(&input.service_namespace, first, input.scalable_dimension.as_deref())?;
    if input.resource_ids.len() > PAGE {
        return Err(invalid(format!("ResourceIds can have at most {PAGE} elements.")));
    }
    let keys = input.resource_ids.iter().map(|id| resource::parse(id)).collect::<Result<Vec<_>, _>>()?;
    let targets = world.application_autoscaling.targets.iter();
    let wanted = targets.filter(|(key, _)| keys.is_empty() || keys.contains(key));
    let items = wanted.map(|(key, target)| (resource::id(key), view(key, target))).collect();
    paging::answer("ScalableTargets", items, input.max_results, input.next_token.as_deref(), PAGE)
}

/// A target as it is described. `PredictedCapacity` is absent, as nothing is forecast here.
fn view(key: &ServiceKey, target: &ScalableTarget) -> Value {
    let Suspended { scale_in, scale_out, scheduled } = target.suspended;
    let more = json!({
        "MinCapacity": target.bounds.min,
        "MaxCapacity": target.bounds.max,
        "RoleARN": format!("arn:aws:iam::{ACCOUNT}:{ROLE}"),
        "CreationTime": target.created_at.as_epoch_seconds(),
        "SuspendedState": {
            "DynamicScalingInSuspended": scale_in,
            "DynamicScalingOutSuspended": scale_out,
            "ScheduledScalingSuspended": scheduled,
        },
        "ScalableTargetARN": target.arn,
    });
    resource::shown(key, more)
}

impl super::ApplicationAutoScaling {
    /// The target of a service.
    ///
    /// # Errors
    /// `ObjectNotFoundException`.
    pub(super) fn target(&self, key: &ServiceKey) -> Result<&ScalableTarget, ApiError> {
        self.targets.get(key).ok_or_else(|| target_missing(key))
    }

    /// The target of a service, to change.
    ///
    /// # Errors
    /// `ObjectNotFoundException`.
    pub(super) fn target_mut(&mut self, key: &ServiceKey) -> Result<&mut ScalableTarget, ApiError> {
        self.targets.get_mut(key).ok_or_else(|| target_missing(key))
    }
}
