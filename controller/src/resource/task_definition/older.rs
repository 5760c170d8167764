//! Revisions of a live app that nobody needs any more (AWS: ECS DeregisterTaskDefinition). The newest stay, so that a person can go
//! back to them; so does whatever a deployment refers to. Tasks and services that use a deregistered one go on running.

use std::collections::BTreeSet;

use super::{Action, short};
use crate::app::Owner;
use crate::desired::Desired;
use crate::observed::Observed;
use crate::plan::Plan;
use crate::resource::service::{self, Found};

/// Most revisions that one pass deregisters.
const AT_ONCE: usize = 10;

/// Plans the deregistration of our older revisions, while the service rests on a completed deployment: ECS rolls back to the last
/// one that was, and to no other.
pub fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let Some(found) = service::active(observed).filter(|found| is_at_rest(desired, observed, found)) else { return };
    let used: BTreeSet<&str> = referred_to(found).collect();
    let ours = observed.task_definitions.older.iter();
    let ours = ours.filter(|one| one.active && desired.marks.owner(&one.tags) == Owner::Ours);
    for revision in ours.filter(|one| !used.contains(one.arn.as_str())).take(AT_ONCE) {
        plan.act(Action::Deregister { arn: revision.arn.clone() });
    }
}

/// Whether the service runs what it should, and nothing else.
#[must_use]
pub fn is_at_rest(desired: &Desired, observed: &Observed, found: &Found) -> bool {
    desired.is_present() && found.is_steady() && !service::differs(desired, observed)
}

fn referred_to(found: &Found) -> impl Iterator<Item = &str> {
    let deployments = found.deployments.iter().map(|one| one.task_definition_arn.as_str());
    std::iter::once(found.task_definition_arn.as_str()).chain(deployments)
}

/// Of a family's ACTIVE revisions, those beyond the newest `keep`, oldest first.
#[must_use]
pub fn beyond(arns: BTreeSet<String>, keep: usize) -> Vec<String> {
    let number = |arn: &str| short(arn).rsplit_once(':').and_then(|(_, number)| number.parse::<u64>().ok());
    let mut arns: Vec<String> = arns.into_iter().collect();
    arns.sort_by_key(|arn| number(arn));
    arns.truncate(arns.len().saturating_sub(keep));
    arns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_those_with_the_highest_numbers() {
        let arn = |number: &u32| format!("arn:aws:ecs:r:1:task-definition/f:{number}");
        let (all, oldest): (_, Vec<_>) = ([9, 10, 11, 100, 2], [2, 9, 10].iter().map(arn).collect());
        assert_eq!(beyond(all.iter().map(arn).collect(), 2), oldest);
        assert!(beyond([1, 2].iter().map(arn).collect(), 10).is_empty());
    }
}
