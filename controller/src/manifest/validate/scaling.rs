//! Auto scaling, which keeps its place in the format and is refused for now.

use super::{Problem, Problems, spec};
use crate::manifest::Manifest;

pub(super) fn check(manifest: &Manifest, problems: &mut Problems) {
    let Some(scaling) = &manifest.spec.scaling else { return };
    problems.0.push(unsupported());
    if scaling.min_capacity > scaling.max_capacity {
        let (min, max) = (scaling.min_capacity, scaling.max_capacity);
        let path = spec().key("scaling").key("minCapacity");
        problems.add(path, format!("the minimum of {min} is above the maximum of {max}"), "exchange the two");
    }
}

/// The answer to any `scaling`, whatever stands in it.
pub(in super::super) fn unsupported() -> Problem {
    Problem {
        path: spec().key("scaling"),
        what: "scaling is not supported yet".into(),
        remedy: "remove it and set `desiredCount`".into(),
    }
}
