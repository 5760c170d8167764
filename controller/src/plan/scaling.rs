//! Auto scaling of the service as one decision: scalable target, then policies and scheduled actions, then the alarms that need a
//! policy's ARN; and whose the count of tasks is. What goes, goes the other way, before the service does.
//!
//! AWS is said to delete a scalable target with its service. That is not assumed: a service that was made anew is looked at like any.

mod bounds;

use crate::app::Owner;
use crate::desired::{Desired, Scaling};
use crate::diff::{Change, Edit};
use crate::observed::Observed;
use crate::plan::{On, Plan, Verb};
use crate::resource::metric::{Front, Source};
use crate::resource::scaling_policy::PREFIX;
use crate::resource::{alarm, scalable_target, scaling_policy, scheduled_action, service};

/// The scaling that should be.
fn wanted(desired: &Desired) -> Option<&Scaling> {
    desired.scaling.as_ref().filter(|_| desired.is_present())
}

/// The scalable target, if it is ours.
fn our_target<'a>(desired: &Desired, observed: &'a Observed) -> Option<&'a scalable_target::Found> {
    observed.scaling.target.as_ref().filter(|found| desired.marks.owner(&found.tags) == Owner::Ours)
}

/// Whether the count of tasks is auto scaling's: it is sent with the service's creation and never again. A scalable target moves it
/// whoever registered it, so the manifest's count comes back once none is left.
#[must_use]
pub fn has_the_count(desired: &Desired, observed: &Observed) -> bool {
    wanted(desired).is_some() || observed.scaling.target.is_some()
}

/// What a plan says of a count that is sent once our scalable target is gone.
#[must_use]
pub fn count_returns(desired: &Desired, observed: &Observed) -> Option<String> {
    let found = service::active(observed).filter(|_| desired.is_present() && desired.scaling.is_none())?;
    our_target(desired, observed)?;
    let (from, to) = (found.spec.desired_count, desired.service.desired_count);
    (from != to).then(|| format!("desiredCount goes from {from} to {to} once its scalable target is gone"))
}

/// Plans the removal of what is ours and no longer wanted: alarms, then policies and scheduled actions, then the target.
pub fn plan_removal(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let ours = |found: &&alarm::Found| desired.marks.owner(&found.tags) == Owner::Ours;
    let is_wanted = |found: &alarm::Found| wanted(desired).is_some_and(|one| one.alarms.contains_key(&found.name));
    for found in observed.scaling.alarms.iter().filter(ours).filter(|found| !is_wanted(found)) {
        plan.act(alarm::Action::Delete { name: found.name.clone() });
    }
    if our_target(desired, observed).is_none() {
        return;
    }
    let app = &desired.marks.app;
    for found in observed.scaling.policies.iter().filter(|found| found.name.starts_with(PREFIX)) {
        if let Some(replaced_for) = policy_going(desired, found) {
            plan.act(scaling_policy::Action::Delete { app: app.clone(), name: found.name.clone(), replaced_for });
        }
    }
    for found in observed.scaling.actions.iter().filter(|found| found.name.starts_with(PREFIX)) {
        if wanted(desired).is_none_or(|one| !one.actions.contains_key(&found.name)) {
            plan.act(scheduled_action::Action::Delete { app: app.clone(), name: found.name.clone() });
        }
    }
    plan_removal_of_target(desired, observed, plan);
}

/// Whether a policy of ours has to go, and then what forces a new one: AWS says nothing of a change of its type.
fn policy_going(desired: &Desired, found: &scaling_policy::Found) -> Option<Vec<Change>> {
    let Some(wanted) = wanted(desired).and_then(|one| one.policies.get(&found.name)) else { return Some(Vec::new()) };
    let (from, to) = (found.spec.kind(), wanted.kind());
    (from != to).then(|| vec![Change::new("type", from, to)])
}

/// With the target everything on it goes, so what is not ours keeps it.
fn plan_removal_of_target(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    if wanted(desired).is_some() {
        return;
    }
    let app = &desired.marks.app;
    match foreign(observed).next() {
        Some((kind, name)) => {
            let reason = format!("the {kind} {name} on it is not ours and would go with it; delete that first");
            plan.wait(Verb::Delete, scalable_target::RESOURCE, &app.name, On::Person, reason);
        }
        None => plan.act(scalable_target::Action::Deregister { app: app.clone() }),
    }
}

/// Kind and name of what somebody else has put on the target.
fn foreign(observed: &Observed) -> impl Iterator<Item = (&'static str, &str)> {
    let policies = observed.scaling.policies.iter().map(|one| (scaling_policy::RESOURCE, one.name.as_str()));
    let actions = observed.scaling.actions.iter().map(|one| (scheduled_action::RESOURCE, one.name.as_str()));
    policies.chain(actions).filter(|(_, name)| !name.starts_with(PREFIX))
}

/// Plans what is missing or differs.
pub fn plan(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let name = &desired.marks.app.name;
    let Some(wanted) = wanted(desired) else { return note_foreign_target(desired, observed, plan) };
    if let Some(Owner::Another(owner)) = observed.scaling.target.as_ref().map(|one| desired.marks.owner(&one.tags)) {
        let remedy = "take `scaling` out of the manifest, or deregister the scalable target that is there";
        return plan.conflict(scalable_target::RESOURCE, name, owner, remedy);
    }
    let Some(found) = service::active(observed).filter(|found| service::going(desired, found).is_none()) else {
        let reason = format!("needs the service {name}");
        plan.wait(Verb::Create, scalable_target::RESOURCE, name, On::Us, reason);
        return wait_for_target(wanted, name, plan);
    };
    let Some(target) = &observed.scaling.target else {
        let marks = desired.marks.clone();
        plan.act(scalable_target::Action::Register { marks, spec: wanted.target });
        return wait_for_target(wanted, name, plan);
    };
    plan_target(desired, wanted, target, plan);
    let source = source(desired, observed, found);
    plan_policies(desired, observed, wanted, &source, plan);
    plan_actions(desired, observed, wanted, plan);
    plan_alarms(desired, observed, wanted, &source, plan);
    for (kind, name) in foreign(observed) {
        plan.note(format!("the {kind} {name} is not ours ({PREFIX}…); it is left and takes part in scaling"));
    }
}

fn note_foreign_target(desired: &Desired, observed: &Observed, plan: &mut Plan) {
    let Some(found) = observed.scaling.target.as_ref() else { return };
    if let Owner::Another(owner) = desired.marks.owner(&found.tags) {
        let (min, max) = (found.spec.min_capacity, found.spec.max_capacity);
        plan.note(format!("desiredCount is left to a scalable target ({min}–{max} tasks) that is not ours: {owner}"));
    }
}

/// A first plan shows everything, also what has to wait.
fn wait_for_target(wanted: &Scaling, name: &str, plan: &mut Plan) {
    let reason = || format!("needs the scalable target {name}");
    let mut wait = |resource, name: &str| plan.wait(Verb::Create, resource, name, On::Us, reason());
    wanted.policies.keys().for_each(|name| wait(scaling_policy::RESOURCE, name));
    wanted.actions.keys().for_each(|name| wait(scheduled_action::RESOURCE, name));
    wanted.alarms.keys().for_each(|name| wait(alarm::RESOURCE, name));
}

fn plan_target(desired: &Desired, wanted: &Scaling, found: &scalable_target::Found, plan: &mut Plan) {
    let (from, to) = (found.spec, target_spec(wanted, found.spec));
    if from != to {
        plan.act(scalable_target::Action::Update { app: desired.marks.app.clone(), edit: Edit { from, to } });
    }
}

/// What a target should be. Bounds that a schedule produces are left where it has put them.
fn target_spec(wanted: &Scaling, found: scalable_target::Spec) -> scalable_target::Spec {
    if bounds::is_produced(wanted, &found) {
        scalable_target::Spec { suspended: wanted.target.suspended, ..found }
    } else {
        wanted.target
    }
}

/// Whether the plan would change a target that is ours, so that its own tags have to say that it is.
#[must_use]
pub fn moves_target(desired: &Desired, found: &scalable_target::Spec) -> bool {
    wanted(desired).is_none_or(|wanted| target_spec(wanted, *found) != *found)
}

/// Whether the plan would change an alarm that is ours, so that its own tags have to say that it is.
#[must_use]
pub fn moves_alarm(desired: &Desired, observed: &Observed, found: &alarm::Untagged) -> bool {
    let Some(one) = wanted(desired).and_then(|one| one.alarms.get(&found.name)) else { return true };
    let (Some(service), Some(policy)) = (service::active(observed), policy_of(observed, one)) else { return true };
    one.to_spec(&source(desired, observed, service), &policy.arn).as_ref() != Some(&found.spec)
}

/// What the app's own metrics are of. Requests are counted where they arrive: while they move from one target group to another that
/// is the group that the listener sends them to, so that no policy takes the silence of the new group for a lack of load.
fn source(desired: &Desired, observed: &Observed, service: &service::Found) -> Source {
    let balancer = desired.load_balancer().and_then(|(name, _)| observed.load_balancer(name));
    let front = balancer.and_then(|balancer| {
        let is_ours = |one: &&crate::resource::listener::Found| desired.marks.owner(&one.tags) == Owner::Ours;
        let mut listeners = observed.listeners.iter().filter(|one| one.load_balancer_arn == balancer.arn);
        let listener = listeners.find(is_ours)?;
        let wanted = desired.target_group().and_then(|(name, _)| observed.target_group(name)).map(|one| &one.arn);
        // AWS takes only a group that the service is in.
        let serving = |arn: &&String| listener.spec.default_action.sends_to(arn);
        let groups: Vec<&String> = service.spec.target_groups().filter(serving).collect();
        let group = groups.iter().find(|arn| Some(**arn) == wanted).or_else(|| groups.first())?;
        Front::new(&balancer.arn, group)
    });
    Source { cluster: desired.marks.app.cluster.clone(), service: desired.marks.app.name.clone(), front }
}

const NEEDS_FRONT: &str = "needs the target group that the load balancer sends the service's requests to";

fn plan_policies(desired: &Desired, observed: &Observed, wanted: &Scaling, source: &Source, plan: &mut Plan) {
    for (name, wanted) in &wanted.policies {
        let app = desired.marks.app.clone();
        let found = observed.scaling.policies.iter().find(|one| one.name == *name);
        let verb = if found.is_some() { Verb::Update } else { Verb::Create };
        let Some(to) = wanted.to_spec(source) else {
            plan.wait(verb, scaling_policy::RESOURCE, name, On::Us, NEEDS_FRONT.into());
            continue;
        };
        let name = name.clone();
        match found {
            None => plan.act(scaling_policy::Action::Create { app, name, spec: Box::new(to) }),
            Some(found) if policy_going(desired, found).is_some() || found.spec == to => {}
            Some(found) => {
                let edit = Box::new(Edit { from: found.spec.clone(), to });
                plan.act(scaling_policy::Action::Update { app, name, edit });
            }
        }
    }
}

fn plan_actions(desired: &Desired, observed: &Observed, wanted: &Scaling, plan: &mut Plan) {
    for (name, to) in &wanted.actions {
        let (app, name, to) = (desired.marks.app.clone(), name.clone(), to.clone());
        match observed.scaling.actions.iter().find(|one| one.name == *name) {
            None if to.is_over(observed.at) => {
                plan.note(format!("the scheduled action {name} is over; it is not made"));
            }
            None => plan.act(scheduled_action::Action::Create { app, name, spec: to }),
            Some(found) if found.spec == to => {}
            Some(found) => {
                let edit = Box::new(Edit { from: found.spec.clone(), to });
                plan.act(scheduled_action::Action::Update { app, name, edit });
            }
        }
    }
}

fn policy_of<'a>(observed: &'a Observed, wanted: &alarm::Wanted) -> Option<&'a scaling_policy::Found> {
    observed.scaling.policies.iter().find(|one| one.name == wanted.policy)
}

fn plan_alarms(desired: &Desired, observed: &Observed, wanted: &Scaling, source: &Source, plan: &mut Plan) {
    for (name, wanted) in &wanted.alarms {
        let found = observed.scaling.alarms.iter().find(|one| one.name == *name);
        if let Some(Owner::Another(owner)) = found.map(|one| desired.marks.owner(&one.tags)) {
            let remedy = "give the step policy another `name`, or delete the alarm that is there";
            plan.conflict(alarm::RESOURCE, name, owner, remedy);
            continue;
        }
        let verb = if found.is_some() { Verb::Update } else { Verb::Create };
        let Some(policy) = policy_of(observed, wanted).filter(|one| policy_going(desired, one).is_none()) else {
            let reason = format!("needs the ARN of the scaling policy {}", wanted.policy);
            plan.wait(verb, alarm::RESOURCE, name, On::Us, reason);
            continue;
        };
        let Some(to) = wanted.to_spec(source, &policy.arn) else {
            plan.wait(verb, alarm::RESOURCE, name, On::Us, NEEDS_FRONT.into());
            continue;
        };
        let (name, marks) = (name.clone(), desired.marks.clone());
        match found {
            None => plan.act(alarm::Action::Create { name, spec: Box::new(to), marks }),
            Some(found) if found.spec == to => {}
            Some(found) => {
                let edit = Box::new(Edit { from: found.spec.clone(), to });
                plan.act(alarm::Action::Update { name, edit });
            }
        }
    }
}
