//! How requests move from one target group to another without a moment in which they reach nobody.
//!
//! ECS takes a target group only while a listener forwards to it, and a task stays in the groups that its deployment began with. So
//! the listener first forwards to both, with all weight on the old group; then the service takes both, which is one rollout; once
//! every task is healthy in the new group the listener forwards to that one alone; and the service drops the old one, which is
//! another rollout. All of it follows from what is observed: no step is remembered, and each may be cut short.

use crate::app::Owner;
use crate::desired::Desired;
use crate::observed::Observed;
use crate::resource::{listener, load_balancer, service, target_group};

/// Groups of ours that the service's tasks are in and that are no longer wanted, while another one is.
fn outgoing<'a>(desired: &'a Desired, observed: &'a Observed) -> impl Iterator<Item = &'a target_group::Found> {
    let wanted = desired.target_group();
    let service = service::active(observed).filter(|_| wanted.is_some());
    let groups = service.into_iter().flat_map(|found| found.spec.target_groups());
    let found = groups.filter_map(|arn| observed.target_groups.iter().find(|group| group.arn == *arn));
    // A group that is replaced has the name of the one that is wanted, so the two cannot stand side by side.
    found.filter(|group| target_group::going(desired, observed, group).is_some_and(|changes| changes.is_empty()))
}

/// Whether requests are on their way from one group to another.
#[must_use]
pub fn is_under_way(desired: &Desired, observed: &Observed) -> bool {
    outgoing(desired, observed).next().is_some()
}

/// Whether as many tasks as there should be are healthy in the wanted group.
fn is_ready(desired: &Desired, observed: &Observed) -> bool {
    let Some((name, _)) = desired.target_group() else { return false };
    let (Some(found), Some(group)) = (service::active(observed), observed.target_group(name)) else { return false };
    let healthy = observed.targets.iter().filter(|target| target.state == "healthy").count();
    found.spec.target_groups().any(|arn| *arn == group.arn)
        && u32::try_from(healthy).is_ok_and(|healthy| healthy >= found.spec.desired_count)
}

/// The group that a listener of this load balancer leaves all requests to for now, instead of the wanted one. A listener that
/// sends requests to the wanted group already never goes back: a read of the service may be older than one of the listener.
#[must_use]
pub fn stand_in<'a>(
    desired: &'a Desired,
    observed: &'a Observed,
    balancer: &load_balancer::Found,
    listener: Option<&listener::Found>,
    wanted: &target_group::Found,
) -> Option<&'a target_group::Found> {
    if is_ready(desired, observed) || listener.is_some_and(|one| one.spec.default_action.sends_to(&wanted.arn)) {
        return None;
    }
    outgoing(desired, observed).find(|group| group.load_balancer_arns.iter().all(|arn| *arn == balancer.arn))
}

/// ARNs of the groups that the service stays in beside the wanted one: requests still come through them.
pub fn kept<'a>(desired: &'a Desired, observed: &'a Observed) -> impl Iterator<Item = &'a String> {
    let ours = |one: &&listener::Found| desired.marks.owner(&one.tags) == Owner::Ours;
    let sends = move |group: &&target_group::Found| {
        observed.listeners.iter().filter(ours).any(|one| one.spec.default_action.sends_to(&group.arn))
    };
    outgoing(desired, observed).filter(sends).map(|group| &group.arn)
}

/// Why a listener in front of a group that is no longer wanted cannot go yet, although another group is wanted.
#[must_use]
pub fn blocked(desired: &Desired, observed: &Observed, balancer: &load_balancer::Found) -> Option<String> {
    let (name, _) = desired.target_group()?;
    if !is_ready(desired, observed) {
        return Some(format!("serves until all tasks are healthy in the target group {name}"));
    }
    let mut subscriptions = observed.subscriptions.iter().filter(|one| one.arn.is_some());
    let subscribed = subscriptions.any(|one| one.host == balancer.dns_name);
    (subscribed && load_balancer::going(desired, balancer).is_some()).then(|| "its subscription has to go first".into())
}
