//! Which bounds of a scalable target are as the manifest says, although a scheduled action has rewritten them.

use crate::desired::Scaling;
use crate::resource::scalable_target::Spec;

/// Whether the manifest produces these bounds.
///
/// The bounds begin as the base pair (minimum, maximum). Each declared action, whenever it happens, puts the one or the two that it
/// names in place of what is there. The produced pairs are all that some sequence of actions leads to, which are
///
/// - the base pair,
/// - the pair of each action that names both,
/// - the minimum of each action that names it alone, with the base's maximum or that of any action,
/// - the maximum of each action that names it alone, with the base's minimum or that of any action.
///
/// With a forecast that may raise the maximum, any maximum above a produced one is produced too (AWS: `IncreaseMaxCapacity`).
pub fn is_produced(wanted: &Scaling, found: &Spec) -> bool {
    let base = (wanted.target.min_capacity, wanted.target.max_capacity);
    let actions = || wanted.actions.values().map(|one| (one.min_capacity, one.max_capacity));
    let min = found.min_capacity;
    let is_max = |max: u32| max == found.max_capacity || (wanted.raises_maximum && max < found.max_capacity);
    let any_min = || base.0 == min || actions().any(|(one, _)| one == Some(min));
    let any_max = || is_max(base.1) || actions().any(|(_, one)| one.is_some_and(is_max));
    let produces = |action: (Option<u32>, Option<u32>)| match action {
        (Some(one), Some(max)) => one == min && is_max(max),
        (Some(one), None) => one == min && any_max(),
        (None, Some(max)) => is_max(max) && any_min(),
        (None, None) => false,
    };
    (base.0 == min && is_max(base.1)) || actions().any(produces)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::manifest::Suspended;
    use crate::resource::scheduled_action;

    type Bounds = (Option<u32>, Option<u32>);

    fn spec((min_capacity, max_capacity): (u32, u32)) -> Spec {
        Spec { min_capacity, max_capacity, suspended: Suspended::default() }
    }

    fn wanted(base: (u32, u32), actions: &[Bounds], raises_maximum: bool) -> Scaling {
        let action = |(index, (min_capacity, max_capacity)): (usize, &Bounds)| {
            let spec = scheduled_action::Spec {
                schedule: "rate(1 day)".into(),
                timezone: "UTC".into(),
                min_capacity: *min_capacity,
                max_capacity: *max_capacity,
                start_time: None,
                end_time: None,
            };
            (index.to_string(), spec)
        };
        Scaling {
            target: spec(base),
            policies: [].into(),
            actions: actions.iter().enumerate().map(action).collect(),
            alarms: [].into(),
            raises_maximum,
        }
    }

    /// All pairs that some sequence of actions leads to, one action after the other.
    fn reached(base: (u32, u32), actions: &[Bounds]) -> BTreeSet<(u32, u32)> {
        let (mut seen, mut next) = (BTreeSet::new(), vec![base]);
        while let Some(at) = next.pop() {
            if seen.insert(at) {
                next.extend(actions.iter().map(|(min, max)| (min.unwrap_or(at.0), max.unwrap_or(at.1))));
            }
        }
        seen
    }

    proptest! {
        #[test]
        fn the_rule_is_what_sequences_of_actions_reach(
            base in (0_u32..4, 4_u32..8),
            actions in prop::collection::vec((prop::option::of(0_u32..4), prop::option::of(4_u32..8)), 0..4),
        ) {
            let actions: Vec<Bounds> = actions.into_iter().filter(|one| *one != (None, None)).collect();
            let (wanted, reached) = (wanted(base, &actions, false), reached(base, &actions));
            for pair in (0..4).flat_map(|min| (4..8).map(move |max| (min, max))) {
                prop_assert_eq!(is_produced(&wanted, &spec(pair)), reached.contains(&pair), "{:?}", pair);
            }
        }
    }

    #[test]
    fn a_forecast_may_raise_the_maximum_and_nothing_else() {
        let wanted = wanted((1, 10), &[], true);
        let table = [((1, 10), true), ((1, 14), true), ((1, 9), false), ((2, 14), false)];
        for (pair, produced) in table {
            assert_eq!(is_produced(&wanted, &spec(pair)), produced, "{pair:?}");
        }
    }
}
