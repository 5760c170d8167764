//! How many tasks run, and whether ECS can ever replace them.

use super::{MOST, Problems, spec};
use crate::manifest::Manifest;

/// Most tasks of a service (AWS: ECS quotas).
const MAX_TASKS: u32 = 5000;

pub(super) fn check(manifest: &Manifest, problems: &mut Problems) {
    let desired = manifest.spec.desired_count;
    problems.range(spec().key("desiredCount"), desired, 0..=MAX_TASKS, " tasks");
    let deployment = &manifest.spec.deployment;
    let path = spec().key("deployment");
    let before = problems.0.len();
    problems.range(path.key("minimumHealthyPercent"), deployment.minimum_healthy_percent, 0..=100, " percent");
    problems.range(path.key("maximumPercent"), deployment.maximum_percent, 100..=MOST, " percent");
    if problems.0.len() == before {
        progress(manifest, problems);
    }
    if deployment.circuit_breaker.rollback && !deployment.circuit_breaker.enable {
        let what = "rollback does nothing while the circuit breaker is off";
        problems.add(path.key("circuitBreaker").key("rollback"), what, "set `enable: true`, or `rollback: false`");
    }
}

/// ECS keeps at least ⌈desired × minimum⌉ tasks and at most ⌊desired × maximum⌋: one of the two must leave room.
fn progress(manifest: &Manifest, problems: &mut Problems) {
    let deployment = &manifest.spec.deployment;
    let (low, high) = (u64::from(deployment.minimum_healthy_percent), u64::from(deployment.maximum_percent));
    // A service that is off may be switched on later; with a hundred tasks only the percentages themselves can be wrong.
    let desired = if manifest.spec.desired_count == 0 { 100 } else { u64::from(manifest.spec.desired_count) };
    let lower = (desired * low).div_ceil(100);
    let upper = desired * high / 100;
    if lower >= desired && upper <= desired {
        let what =
            format!("with {desired} desired, ECS may neither stop a task ({low} %) nor start one more ({high} %)");
        let remedy = "raise maximumPercent to 200, or lower minimumHealthyPercent";
        problems.add(spec().key("deployment"), what, remedy);
    }
}
