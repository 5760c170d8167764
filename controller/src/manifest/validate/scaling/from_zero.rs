//! A service that scales in to no task and can never come back.
//!
//! Most metrics of a service come from its tasks: without one there is no value, the alarms wait for data, and no
//! policy ever adds the first task.

use super::{Problems, alarm, section, tracking};
use crate::manifest::pointer::Pointer;
use crate::manifest::{
    AdjustmentType, Manifest, PredictiveMode, Scaling, ScheduledAction, StepScaling, TreatMissingData,
};

pub(super) fn check(manifest: &Manifest, scaling: &Scaling, problems: &mut Problems) {
    let Some(path) = zero(scaling) else { return };
    let out: Vec<&StepScaling> = scaling.step.iter().filter(|policy| scales_out(policy)).collect();
    let forecast = scaling.predictive.as_ref().is_some_and(|policy| policy.mode == PredictiveMode::ForecastAndScale);
    let raised = scaling.scheduled.iter().any(|action| action.min_capacity.is_some_and(|min| min > 0));
    let policies = scaling.target_tracking.len() + out.len();
    // That a forecast alone brings back the first task is unverified; its load metrics have a history of two weeks.
    if policies == 0 || forecast || raised {
        return;
    }
    let silent = scaling.target_tracking.iter().all(|policy| tracking::is_silent_without_tasks(policy, manifest))
        && out.iter().all(|policy| waits_for_tasks(policy, manifest));
    if silent {
        let what = "at 0 tasks none of the policies' metrics has data, so no policy ever adds the first task";
        let remedy = "use 1 or more, or scale out on a metric from outside of the tasks, such as the depth of a queue";
        problems.add(path, what, remedy);
    }
}

/// Where 0 tasks are allowed for a time in which policies may add some.
fn zero(scaling: &Scaling) -> Option<Pointer> {
    let path = section();
    if scaling.min_capacity == 0 && scaling.max_capacity > 0 {
        return Some(path.key("minCapacity"));
    }
    let to_zero = |action: &ScheduledAction| action.min_capacity == Some(0) && action.max_capacity != Some(0);
    let index = scaling.scheduled.iter().position(to_zero)?;
    Some(path.key("scheduled").index(index).key("minCapacity"))
}

fn scales_out(policy: &StepScaling) -> bool {
    policy.adjustment_type == AdjustmentType::ExactCapacity
        || policy.steps.iter().any(|step| step.scaling_adjustment > 0)
}

fn waits_for_tasks(policy: &StepScaling, manifest: &Manifest) -> bool {
    let silent = alarm::metric(&policy.alarm).identity(&policy.alarm.statistic, manifest).is_silent_without_tasks();
    silent && policy.alarm.treat_missing_data != TreatMissingData::Breaching
}
