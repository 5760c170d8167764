//! How the auto scaling of an app is. Bounds and policies come with every pass; alarms' states and activities are added when somebody
//! asks (`observe::explain`), and then one sentence says why nothing happens now. No I/O.

mod why;

use jiff::Timestamp;
use serde::Serialize;

use crate::desired::{self, Desired};
use crate::manifest::Suspended;
use crate::observed::Observed;
use crate::resource::scalable_target::Spec as Bounds;
use crate::resource::scaling_policy::{Found, Spec};
use crate::resource::service;

pub use why::why;

/// How the auto scaling of a service is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scaling {
    /// Fewest tasks, now.
    pub min: u32,
    /// Most tasks, now.
    pub max: u32,
    /// What has set both: `base`, the scheduled actions, or that the manifest does not produce them.
    pub source: String,
    /// Tasks that should run.
    pub desired: u32,
    /// What does not happen for now.
    pub suspended: Suspended,
    /// All policies, also those that are not ours.
    pub policies: Vec<Policy>,
    /// What scaling did last, newest first; empty unless it was asked for.
    pub activities: Vec<Activity>,
    /// Why nothing happens now; absent unless it was asked for.
    pub why: Option<String>,
    /// Whether a deployment is under way, in which nothing is scaled in.
    #[serde(skip)]
    pub is_deploying: bool,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Its name in AWS.
    pub name: String,
    /// `TargetTrackingScaling`, `StepScaling` or `PredictiveScaling`.
    pub r#type: &'static str,
    /// What it looks at; absent for a step policy, whose alarm says.
    pub metric: Option<String>,
    /// The value that it keeps.
    pub target: Option<f64>,
    /// What the value is counted in.
    pub unit: Option<String>,
    /// The alarms that set it off.
    pub alarms: Vec<Alarm>,
    /// Seconds after an activity that added and one that removed tasks in which no smaller one follows.
    #[serde(skip)]
    pub cooldowns: (u32, u32),
    /// Whether the policy can remove tasks.
    #[serde(skip)]
    pub scales_in: bool,
}

/// An alarm of a policy. All but the name is absent unless it was asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// `OK`, `ALARM` or `INSUFFICIENT_DATA`.
    pub state: Option<String>,
    /// Why, in CloudWatch's words.
    pub reason: Option<String>,
    /// The newest value that the state rests on.
    pub last_value: Option<f64>,
    /// When the state was last set.
    pub updated: Option<Timestamp>,
    /// Whether values above the threshold breach it, rather than those below.
    #[serde(skip)]
    pub is_high: bool,
}

/// What scaling did, or why it did not.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Activity {
    /// When it began.
    pub time: Timestamp,
    /// When it ended; a cooldown begins here.
    pub ended: Option<Timestamp>,
    /// `Successful`, `InProgress`, `Failed` and so on; `NotScaled` where nothing was to be done.
    pub status: String,
    /// Why it happened, in AWS's words.
    pub cause: String,
    /// What it did, in AWS's words.
    pub description: String,
}

/// How the scaling of an app is, as far as a pass sees it; absent without a scalable target.
#[must_use]
pub fn status(desired: &Desired, observed: &Observed) -> Option<Scaling> {
    let target = observed.scaling.target.as_ref()?;
    let service = service::active(observed)?;
    Some(Scaling {
        min: target.spec.min_capacity,
        max: target.spec.max_capacity,
        source: source(desired.scaling.as_ref(), &target.spec),
        desired: service.spec.desired_count,
        suspended: target.spec.suspended,
        policies: observed.scaling.policies.iter().map(policy).collect(),
        activities: Vec::new(),
        why: None,
        is_deploying: service.primary().is_some_and(|one| one.rollout_state == "IN_PROGRESS"),
    })
}

/// Which part of the manifest the bounds come from.
fn source(wanted: Option<&desired::Scaling>, found: &Bounds) -> String {
    let Some(wanted) = wanted else { return "not in the manifest".into() };
    let Bounds { min_capacity, max_capacity, .. } = *found;
    if (wanted.target.min_capacity, wanted.target.max_capacity) == (min_capacity, max_capacity) {
        return "base".into();
    }
    let sets = |one: Option<u32>, bound: u32| one.is_none_or(|one| one == bound);
    let fits = wanted
        .actions
        .iter()
        .filter(|(_, one)| sets(one.min_capacity, min_capacity) && sets(one.max_capacity, max_capacity));
    let names: Vec<&str> = fits.map(|(name, _)| name.as_str()).collect();
    if names.is_empty() { "not in the manifest".into() } else { format!("schedule {}", names.join(" or ")) }
}

fn policy(found: &Found) -> Policy {
    let (metric, target, cooldowns, scales_in) = match &found.spec {
        Spec::Tracking(one) => {
            let custom = one.custom_metric.as_ref().map(|custom| custom.metric_name.clone());
            let metric = one.metric.clone().or(custom.map(|name| name.unwrap_or_else(|| "metric math".into())));
            (metric, Some(one.target), (one.scale_out_cooldown, one.scale_in_cooldown), !one.disable_scale_in)
        }
        Spec::Step(one) => {
            let removes = one.adjustment_type == "ExactCapacity" || one.steps.iter().any(|step| step.adjustment < 0);
            (None, None, (one.cooldown, one.cooldown), removes)
        }
        Spec::Predictive(one) => (one.metric_pair.clone(), Some(one.target), (0, 0), false),
    };
    Policy {
        name: found.name.clone(),
        r#type: found.spec.kind(),
        metric,
        target,
        unit: found.spec.unit("target"),
        alarms: found.alarms.iter().map(|name| Alarm { name: name.clone(), ..Alarm::default() }).collect(),
        cooldowns,
        scales_in,
    }
}
