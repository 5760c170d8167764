//! Auto scaling: the bounds, the policies with their metrics and alarms, the schedules.
//!
//! Besides what AWS refuses this finds what AWS accepts and what can nevertheless never act, such as a service that starts
//! at no task with a metric that only tasks publish.

mod alarm;
mod bounds;
mod cron;
mod from_zero;
mod grammar;
mod math;
mod metrics;
mod names;
mod predictive;
mod schedule;
mod scheduled;
mod step;
mod tracking;

use super::{MOST, Problems, shorten, spec};
use crate::manifest::Manifest;
use crate::manifest::pointer::Pointer;

/// Most tasks of a service (AWS: ECS quotas).
const MAX_TASKS: u32 = 5000;

pub(super) fn check(manifest: &Manifest, problems: &mut Problems) {
    let Some(scaling) = &manifest.spec.scaling else { return };
    bounds::check(manifest, scaling, problems);
    names::check(manifest, scaling, problems);
    tracking::check(manifest, scaling, problems);
    step::check(manifest, scaling, problems);
    scheduled::check(scaling, problems);
    predictive::check(manifest, scaling, problems);
    from_zero::check(manifest, scaling, problems);
}

/// The place of all this.
fn section() -> Pointer {
    spec().key("scaling")
}

#[cfg(test)]
mod tests;
