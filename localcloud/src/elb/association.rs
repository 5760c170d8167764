//! Which load balancers forward to which target groups. It follows from listeners and rules alone, and is recomputed whenever one of
//! them changes; a group's targets are checked only while a load balancer uses the group.

use std::collections::{BTreeMap, BTreeSet};

use super::action::Action;
use super::errors::target_group_not_found;
use super::{Elb, health};
use crate::call::ApiError;
use crate::clock::CloudTime;
use crate::world::World;

/// Whether a listener of the load balancer may take this action.
///
/// # Errors
/// The target group does not exist, or belongs to another load balancer.
pub(super) fn allowed(elb: &Elb, load_balancer_arn: &str, action: &Action) -> Result<(), ApiError> {
    for arn in action.target_groups() {
        let group = elb.target_groups.get(arn).ok_or_else(target_group_not_found)?;
        if group.load_balancers.iter().any(|other| other != load_balancer_arn) {
            let text = "The following target groups cannot be associated with more than one load balancer";
            return Err(ApiError::new("TargetGroupAssociationLimit", format!("{text}: {arn}")));
        }
    }
    Ok(())
}

/// Recomputes every group's load balancers and starts or ends health checks where the use of a group began or ended.
pub(super) fn refresh(world: &mut World, now: CloudTime) {
    let mut users = users(&world.elb);
    let mut changed = Vec::new();
    for (arn, group) in &mut world.elb.target_groups {
        let before = std::mem::replace(&mut group.load_balancers, users.remove(arn).unwrap_or_default());
        if before.is_empty() != group.load_balancers.is_empty() {
            changed.extend(group.targets.keys().map(|target| (arn.clone(), target.clone())));
        }
    }
    for (arn, target) in changed {
        health::use_changed(world, now, &arn, &target);
    }
}

fn users(elb: &Elb) -> BTreeMap<String, BTreeSet<String>> {
    let mut users: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let of_rules = elb.rules.values().filter_map(|rule| Some((elb.listeners.get(&rule.listener_arn)?, &rule.action)));
    let of_listeners = elb.listeners.values().map(|listener| (listener, &listener.default_action));
    for (listener, action) in of_listeners.chain(of_rules) {
        for group in action.target_groups() {
            users.entry(group.to_owned()).or_default().insert(listener.load_balancer_arn.clone());
        }
    }
    users
}
