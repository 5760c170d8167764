//! The policy that scales out ahead of recurring load (AWS: PredictiveScalingPolicyConfiguration).

use super::{Problems, section, tracking};
use crate::manifest::{Manifest, MaxCapacityBreachBehavior, MetricPair, Predictive, Scaling};

pub(super) fn check(manifest: &Manifest, scaling: &Scaling, problems: &mut Problems) {
    let Some(policy) = &scaling.predictive else { return };
    let path = section().key("predictive");
    if policy.metric_pair == MetricPair::ALBRequestCount && manifest.spec.load_balancer.is_none() {
        let what = "requests are counted by a load balancer, and there is none";
        problems.add(path.key("metricPair"), what, "add `loadBalancer`, or forecast another metric");
    }
    let percent = policy.metric_pair != MetricPair::ALBRequestCount;
    tracking::target(policy.target, percent, manifest, path.key("target"), problems);
    problems.range(path.key("schedulingBufferTime"), policy.scheduling_buffer_time, 0..=3600, " seconds");
    buffer(policy, problems);
}

/// AWS requires the buffer with `IncreaseMaxCapacity` and refuses it without.
fn buffer(policy: &Predictive, problems: &mut Problems) {
    let path = section().key("predictive");
    match (policy.max_capacity_breach_behavior, policy.max_capacity_buffer) {
        (MaxCapacityBreachBehavior::IncreaseMaxCapacity, Some(percent)) => {
            problems.range(path.key("maxCapacityBuffer"), percent, 0..=100, " percent");
        }
        (MaxCapacityBreachBehavior::IncreaseMaxCapacity, None) => {
            let what = "`maxCapacityBuffer` is missing: `IncreaseMaxCapacity` needs it";
            problems.add(
                path,
                what,
                "add it: percent above the forecast up to which the maximum may be raised, 0 to 100",
            );
        }
        (MaxCapacityBreachBehavior::HonorMaxCapacity, Some(_)) => {
            let what = "the maximum is not raised, so it has no buffer";
            let remedy = "remove it, or set `maxCapacityBreachBehavior: IncreaseMaxCapacity`";
            problems.add(path.key("maxCapacityBuffer"), what, remedy);
        }
        (MaxCapacityBreachBehavior::HonorMaxCapacity, None) => {}
    }
}
