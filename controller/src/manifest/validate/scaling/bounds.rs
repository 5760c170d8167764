//! Fewest and most tasks, whatever schedule has fired last.

use super::{MAX_TASKS, Problems, section, spec};
use crate::manifest::{Manifest, Scaling, ScheduledAction};

pub(super) fn check(manifest: &Manifest, scaling: &Scaling, problems: &mut Problems) {
    let path = section();
    let before = problems.0.len();
    problems.range(path.key("minCapacity"), scaling.min_capacity, 0..=MAX_TASKS, " tasks");
    problems.range(path.key("maxCapacity"), scaling.max_capacity, 0..=MAX_TASKS, " tasks");
    for (index, action) in scaling.scheduled.iter().enumerate() {
        let here = path.key("scheduled").index(index);
        for (key, count) in [("minCapacity", action.min_capacity), ("maxCapacity", action.max_capacity)] {
            if let Some(count) = count {
                problems.range(here.key(key), count, 0..=MAX_TASKS, " tasks");
            }
        }
    }
    if problems.0.len() > before {
        return;
    }
    let (min, max) = (scaling.min_capacity, scaling.max_capacity);
    if min > max {
        let what = format!("the minimum of {min} is above the maximum of {max}");
        return problems.add(path.key("minCapacity"), what, "exchange the two");
    }
    count_at_creation(manifest, scaling, problems);
    for index in 0..scaling.scheduled.len() {
        after_action(scaling, index, problems);
    }
}

/// Registering a scalable target moves the count into its bounds at once (AWS: RegisterScalableTarget).
fn count_at_creation(manifest: &Manifest, scaling: &Scaling, problems: &mut Problems) {
    let (min, max, count) = (scaling.min_capacity, scaling.max_capacity, manifest.spec.desired_count);
    if !(min..=max).contains(&count) && count <= MAX_TASKS {
        let what = format!(
            "the count at creation is {count}, and auto scaling would at once move it into its bounds of {min} to {max}"
        );
        let remedy = format!("set `desiredCount` to {min} to {max}; it is 1 if left out");
        problems.add(spec().key("desiredCount"), what, remedy);
    }
}

/// An action that sets one bound meets whatever the others have left of the other one. In the order of their times that
/// may be harmless, but an occurrence that is suspended or missed is not made up for.
fn after_action(scaling: &Scaling, index: usize, problems: &mut Problems) {
    let action = &scaling.scheduled[index];
    let path = section().key("scheduled").index(index);
    match (action.min_capacity, action.max_capacity) {
        (Some(min), Some(max)) if min > max => {
            let what = format!("the minimum of {min} is above the maximum of {max}");
            problems.add(path.key("minCapacity"), what, "exchange the two");
        }
        (Some(min), None) => {
            let others = all(scaling, scaling.max_capacity, |action| action.max_capacity);
            if let Some((max, whence)) = others.into_iter().min_by_key(|(max, _)| *max).filter(|(max, _)| min > *max) {
                let what = format!("the minimum of {min} would be above the maximum of {max} that {whence} sets");
                let remedy = "give `maxCapacity` here too, so that the pair holds whatever has fired before";
                problems.add(path.key("minCapacity"), what, remedy);
            }
        }
        (None, Some(max)) => {
            let others = all(scaling, scaling.min_capacity, |action| action.min_capacity);
            if let Some((min, whence)) = others.into_iter().max_by_key(|(min, _)| *min).filter(|(min, _)| *min > max) {
                let what = format!("the maximum of {max} would be below the minimum of {min} that {whence} sets");
                let remedy = "give `minCapacity` here too, so that the pair holds whatever has fired before";
                problems.add(path.key("maxCapacity"), what, remedy);
            }
        }
        (Some(_), Some(_)) | (None, None) => {}
    }
}

/// Every value that one of the two bounds ever has, and what sets it.
fn all(scaling: &Scaling, base: u32, of: fn(&ScheduledAction) -> Option<u32>) -> Vec<(u32, String)> {
    let named =
        |action: &ScheduledAction| of(action).map(|count| (count, format!("`{}`", super::shorten(&action.name))));
    std::iter::once((base, "`scaling`".to_owned())).chain(scaling.scheduled.iter().filter_map(named)).collect()
}
