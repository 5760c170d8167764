//! Which listeners have to go, and what they wait for: somebody may still get requests through them.

use super::{Found, RESOURCE};
use crate::app::Owner;
use crate::desired::Desired;
use crate::observed::Observed;
use crate::plan::{self, On, Plan, Verb, handover};
use crate::resource::listener::Action;
use crate::resource::{load_balancer, target_group};

/// Plans the removal of our listeners on load balancers that go, or in front of a target group that is replaced, and of
/// surplus ones.
pub fn plan_removal(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    for found in observed.listeners.iter().filter(|one| desired.marks.owner(&one.tags) == Owner::Ours) {
        let balancer = observed.load_balancers.iter().find(|one| one.arn == found.load_balancer_arn);
        let Some(balancer) = balancer else { continue };
        let name = format!("{}:{}", balancer.name, found.spec.port);
        if !is_going(desired, observed, found, balancer) {
            continue;
        }
        match blocked(desired, observed, found, balancer) {
            None => plan.act(Action::Delete { arn: found.arn.clone(), name }),
            Some(reason) => plan.wait(Verb::Delete, RESOURCE, &name, On::Aws, reason),
        }
    }
}

fn is_going(desired: &Desired, observed: &Observed, found: &Found, balancer: &load_balancer::Found) -> bool {
    if load_balancer::going(desired, balancer).is_some() {
        return true;
    }
    let replaced = observed.target_groups.iter().any(|group| {
        found.spec.default_action.forwards_to(&group.arn)
            && target_group::going(desired, observed, group).is_some_and(|changes| !changes.is_empty())
    });
    replaced || is_surplus(desired, observed, found)
}

/// One listener is enough: beside the one at the wanted port, others of ours are left from a change of port that was cut short.
fn is_surplus(desired: &Desired, observed: &Observed, found: &Found) -> bool {
    let Some(front) = &desired.front else { return false };
    let same = observed.listeners.iter().filter(|one| one.load_balancer_arn == found.load_balancer_arn);
    found.spec.port != front.listener.port
        && same
            .into_iter()
            .any(|one| one.spec.port == front.listener.port && desired.marks.owner(&one.tags) == Owner::Ours)
}

/// Why a listener cannot be deleted yet: tasks still get their requests through it.
fn blocked(desired: &Desired, observed: &Observed, found: &Found, balancer: &load_balancer::Found) -> Option<String> {
    let mut groups = observed.target_groups.iter().filter(|group| found.spec.default_action.forwards_to(&group.arn));
    groups.find_map(|group| blocked_by_group(desired, observed, (found, balancer), group))
}

fn blocked_by_group(
    desired: &Desired,
    observed: &Observed,
    (found, balancer): (&Found, &load_balancer::Found),
    group: &target_group::Found,
) -> Option<String> {
    let moves = target_group::going(desired, observed, group).is_none_or(|changes| !changes.is_empty());
    if !moves {
        let reason = plan::blocked_by_service(desired, observed, &group.arn)?;
        return if desired.target_group().is_some() {
            handover::blocked(desired, observed, balancer)
        } else {
            Some(reason)
        };
    }
    // The target group stays, and can have one load balancer only: the old one serves until the new one can.
    let (name, _) = desired.load_balancer()?;
    let next = observed.load_balancer(name);
    let ready = next.is_some_and(|one| one.arn == found.load_balancer_arn || one.state.starts_with("active"));
    (!ready).then(|| format!("serves until the load balancer {name} is active"))
}
