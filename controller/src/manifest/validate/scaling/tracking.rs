//! Policies that keep a metric near a target value.

use std::collections::HashMap;

use super::metrics::{ECS, Identity, LOAD_BALANCER, Metric};
use super::{MOST, Problems, math, section};
use crate::manifest::pointer::Pointer;
use crate::manifest::{LaunchType, Manifest, PredefinedMetric, Scaling, TargetTracking};

pub(super) fn check(manifest: &Manifest, scaling: &Scaling, problems: &mut Problems) {
    let path = section().key("targetTracking");
    let mut seen: HashMap<Identity, &str> = HashMap::new();
    for (index, policy) in scaling.target_tracking.iter().enumerate() {
        let here = path.index(index);
        let at = one(policy, manifest, &here, problems);
        let Some(identity) = identity(policy, manifest) else { continue };
        if let Some(first) = seen.get(&identity) {
            let what = format!("policy `{}` already tracks this metric", super::shorten(first));
            let remedy = "remove one of the two: Application Auto Scaling takes one policy for each metric";
            problems.add(at, what, remedy);
        } else {
            seen.insert(identity, &policy.name);
        }
    }
}

/// Returns the place where the metric is named.
fn one(policy: &TargetTracking, manifest: &Manifest, path: &Pointer, problems: &mut Problems) -> Pointer {
    let before = problems.0.len();
    let at = metric(policy, manifest, path, problems);
    if problems.0.len() == before {
        let percent = identity(policy, manifest).is_some_and(|identity| identity.is_utilization());
        target(policy.target, percent, manifest, path.key("target"), problems);
    }
    problems.range(path.key("scaleOutCooldown"), policy.scale_out_cooldown, 0..=MOST, " seconds");
    problems.range(path.key("scaleInCooldown"), policy.scale_in_cooldown, 0..=MOST, " seconds");
    at
}

fn metric(policy: &TargetTracking, manifest: &Manifest, path: &Pointer, problems: &mut Problems) -> Pointer {
    match (policy.metric, &policy.custom_metric) {
        (Some(PredefinedMetric::ALBRequestCountPerTarget), None) if manifest.spec.load_balancer.is_none() => {
            let what = "requests are counted by a load balancer, and there is none";
            problems.add(path.key("metric"), what, "add `loadBalancer`, or track another metric");
            path.key("metric")
        }
        (Some(_), None) => path.key("metric"),
        (None, Some(custom)) => {
            math::check(custom, manifest, &path.key("customMetric"), problems);
            path.key("customMetric")
        }
        (Some(_), Some(_)) => {
            let what = "`metric` and `customMetric` exclude each other";
            problems.add(path.key("customMetric"), what, "keep one of the two: a policy tracks one metric");
            path.key("customMetric")
        }
        (None, None) => {
            let what = "the policy has no metric";
            problems.add(
                path.clone(),
                what,
                "add `metric`, such as ECSServiceAverageCPUUtilization, or `customMetric`",
            );
            path.clone()
        }
    }
}

/// A target value that some capacity can meet; `percent` says whether it is CPU or memory of the service.
pub(super) fn target(value: f64, percent: bool, manifest: &Manifest, path: Pointer, problems: &mut Problems) {
    // AWS takes up to 2^360 (TargetTrackingScalingPolicyConfiguration); nothing is proportional to 0 or less.
    if !(value > 0.0 && value <= 2f64.powi(360)) {
        let what = format!("no capacity is proportional to a target of {value}");
        return problems.add(path, what, "use a number above 0");
    }
    // On a container instance both may exceed what a task reserves.
    if percent && manifest.spec.launch_type == LaunchType::Fargate && value >= 100.0 {
        let what = format!("on Fargate the metric never exceeds 100 %, so a target of {value} % never adds a task");
        problems.add(path, what, "use a target below 100, such as 60");
    }
}

/// The metric that `policy` tracks; `None` for an expression, and for a policy that names none or two.
fn identity(policy: &TargetTracking, manifest: &Manifest) -> Option<Identity> {
    match (policy.metric, &policy.custom_metric) {
        (Some(metric), None) => Some(predefined(metric, manifest)),
        (None, Some(custom)) => math::identity(custom, manifest),
        (Some(_), Some(_)) | (None, None) => None,
    }
}

/// The metric of CloudWatch behind a predefined one. That the high-resolution ones count as the same metric is
/// unverified; they are the same values, read three times a minute.
fn predefined(metric: PredefinedMetric, manifest: &Manifest) -> Identity {
    let (namespace, name, statistic) = match metric {
        PredefinedMetric::ECSServiceAverageCPUUtilization
        | PredefinedMetric::ECSServiceAverageCPUUtilizationHighResolution => (ECS, "CPUUtilization", "Average"),
        PredefinedMetric::ECSServiceAverageMemoryUtilization
        | PredefinedMetric::ECSServiceAverageMemoryUtilizationHighResolution => (ECS, "MemoryUtilization", "Average"),
        PredefinedMetric::ALBRequestCountPerTarget => (LOAD_BALANCER, "RequestCountPerTarget", "Sum"),
    };
    Metric { namespace, name, dimensions: None, unit: None }.identity(statistic, manifest)
}

/// Whether every metric of the policy has no data while the app has no task.
pub(super) fn is_silent_without_tasks(policy: &TargetTracking, manifest: &Manifest) -> bool {
    let read = match (policy.metric, &policy.custom_metric) {
        (Some(metric), _) => vec![predefined(metric, manifest)],
        (None, Some(custom)) => math::identities(custom, manifest),
        (None, None) => Vec::new(),
    };
    !read.is_empty() && read.iter().all(Identity::is_silent_without_tasks)
}
