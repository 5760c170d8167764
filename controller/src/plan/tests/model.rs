//! A model of AWS, small enough to read: it takes actions and shows what would be observed. It panics when something that is not
//! ours is touched, or a call would be refused.

use crate::app::{MANAGER_TAG, Owner, Tags};
use crate::desired::Desired;
use crate::observed::{Observed, Scaling};
use crate::plan::{Action, plan};
use crate::resource::service::{Deployment, Life};
use crate::resource::target_group::Target;
use crate::resource::task_definition::{CONTENT_TAG, REVISION_TAG, ROLLOUT_TAG, Revision, choice};
use crate::resource::{
    alarm, listener, load_balancer, log_group, scalable_target, scaling_policy, scheduled_action, service,
    subscription, target_group, task_definition,
};

/// Passes within which everything has to converge.
const ENOUGH: usize = 20;

#[derive(Debug, Clone, Default)]
pub(super) struct World {
    pub(super) log_groups: Vec<log_group::Found>,
    pub(super) revisions: Vec<Revision>,
    pub(super) balancers: Vec<load_balancer::Found>,
    pub(super) groups: Vec<target_group::Found>,
    pub(super) listeners: Vec<listener::Found>,
    pub(super) service: Option<service::Found>,
    pub(super) subscriptions: Vec<subscription::Found>,
    pub(super) scaling: Scaling,
    made: u32,
}

impl World {
    pub(super) fn converged(desired: &Desired) -> Self {
        let mut world = Self::default();
        world.converge(desired);
        world
    }

    /// Makes passes until nothing is planned.
    pub(super) fn converge(&mut self, desired: &Desired) {
        for _ in 0..ENOUGH {
            if plan(desired, &self.observe(desired)).is_empty() {
                return;
            }
            self.pass(desired);
        }
        panic!("does not converge: {}", plan(desired, &self.observe(desired)));
    }

    pub(super) fn pass(&mut self, desired: &Desired) {
        for action in plan(desired, &self.observe(desired)).actions {
            self.apply(desired, action);
        }
    }

    pub(super) fn stop_tasks(&mut self) {
        if let Some(found) = self.service.as_mut().filter(|found| found.life == Life::Draining) {
            found.life = Life::Inactive;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        let live = self.service.as_ref().is_some_and(|found| found.life != Life::Inactive);
        let active = self.revisions.iter().any(|one| one.active);
        let parts = self.log_groups.len() + self.balancers.len() + self.groups.len() + self.listeners.len();
        !live && !active && self.scaling == Scaling::default() && parts + self.subscriptions.len() == 0
    }

    pub(super) fn observe(&self, desired: &Desired) -> Observed {
        let mut observed = Observed {
            log_groups: self.log_groups.clone(),
            load_balancers: self.balancers.clone(),
            target_groups: self.groups.clone(),
            listeners: self.listeners.clone(),
            service: self.service.clone(),
            subscriptions: self.subscriptions.clone(),
            scaling: self.scaling.clone(),
            ..Observed::default()
        };
        for group in &mut observed.target_groups {
            let forwarding = self.listeners.iter().filter(|one| one.spec.default_action.forwards_to(&group.arn));
            group.load_balancer_arns = forwarding.map(|one| one.load_balancer_arn.clone()).collect();
        }
        let own = service::active(&observed).map(|found| found.task_definition_arn.clone());
        let find = |arn: &String| self.revisions.iter().find(|one| one.arn == *arn).cloned();
        observed.task_definitions.own = own.as_ref().and_then(find);
        if choice::choose(desired, &observed) == choice::Choice::Register {
            observed.task_definitions.newest = self.revisions.iter().rfind(|one| one.active).cloned();
        }
        observed.task_definitions.ours = self.revisions.iter().filter(|one| one.active).cloned().collect();
        observed.targets = self.targets(desired, &observed);
        observed
    }

    /// All tasks are healthy at once, in the groups that they are in.
    fn targets(&self, desired: &Desired, observed: &Observed) -> Vec<Target> {
        let group = desired.target_group().and_then(|(name, _)| observed.target_group(name));
        let (Some(found), Some(group)) = (service::active(observed), group) else { return Vec::new() };
        let attached = self.listeners.iter().any(|one| one.spec.default_action.forwards_to(&group.arn));
        if !attached || !found.spec.target_groups().any(|arn| *arn == group.arn) {
            return Vec::new();
        }
        let healthy = |n| Target { id: format!("i:{n}"), state: "healthy".into(), reason: String::new() };
        (0..found.spec.desired_count).map(healthy).collect()
    }

    fn arn(&mut self, kind: &str, name: &str) -> String {
        self.made += 1;
        format!("arn:{kind}/{name}/{}", self.made)
    }

    pub(super) fn apply(&mut self, desired: &Desired, action: Action) {
        let tags: Tags = desired.marks.tags().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        match action {
            Action::LogGroup(action) => self.log_group(desired, action, tags),
            Action::TaskDefinition(action) => self.task_definition(action, tags),
            Action::LoadBalancer(action) => self.load_balancer(desired, action, tags),
            Action::TargetGroup(action) => self.target_group(desired, action, tags),
            Action::Listener(action) => self.listener(desired, action, tags),
            Action::Service(action) => self.service(desired, action, tags),
            Action::ScalableTarget(action) => self.scalable_target(desired, action, tags),
            Action::ScalingPolicy(action) => self.scaling_policy(desired, action),
            Action::ScheduledAction(action) => self.scheduled_action(desired, action),
            Action::Alarm(action) => self.alarm(desired, action, tags),
            Action::Subscription(action) => self.subscription(action),
        }
    }

    fn log_group(&mut self, desired: &Desired, action: log_group::Action, tags: Tags) {
        match action {
            log_group::Action::Create { name, spec, .. } => {
                assert!(self.log_groups.iter().all(|one| one.name != name), "exists");
                self.log_groups.push(log_group::Found { name, tags, spec });
            }
            log_group::Action::Update { name, spec, .. } => {
                let found = self.log_groups.iter_mut().find(|one| one.name == name).unwrap();
                ours(desired, &found.tags);
                found.spec = spec;
            }
            log_group::Action::Delete { name } => self.log_groups.retain(|one| {
                let going = one.name == name;
                if going {
                    ours(desired, &one.tags);
                }
                !going
            }),
        }
    }

    fn task_definition(&mut self, action: task_definition::Action, mut tags: Tags) {
        match action {
            task_definition::Action::Register { family, spec, hashes, number, .. } => {
                tags.insert(REVISION_TAG.into(), number.to_string());
                tags.insert(CONTENT_TAG.into(), hashes.content);
                tags.insert(ROLLOUT_TAG.into(), hashes.rollout);
                let arn = format!("arn:task-definition/{family}:{}", self.revisions.len() + 1);
                self.revisions.push(Revision { arn, family, tags, active: true, spec: *spec });
            }
            task_definition::Action::Deregister { arn } => {
                self.revisions.iter_mut().find(|one| one.arn == arn).unwrap().active = false;
            }
        }
    }

    fn load_balancer(&mut self, desired: &Desired, action: load_balancer::Action, tags: Tags) {
        match action {
            load_balancer::Action::Create { name, mut spec, .. } => {
                assert!(self.balancers.iter().all(|one| one.name != name), "exists");
                let arn = self.arn("loadbalancer/app", &name);
                spec.idle_timeout_seconds = 60;
                let dns_name = format!("{name}-{}.elb", self.made);
                let (vpc_id, state) = ("vpc".to_owned(), "active".to_owned());
                let deletion_protection = false;
                let found =
                    load_balancer::Found { arn, name, dns_name, vpc_id, state, tags, deletion_protection, spec };
                self.balancers.push(found);
            }
            load_balancer::Action::Update { arn, spec, .. } => {
                let found = self.balancers.iter_mut().find(|one| one.arn == arn).unwrap();
                ours(desired, &found.tags);
                found.spec = spec;
            }
            load_balancer::Action::Delete { arn, .. } => {
                ours(desired, &self.balancers.iter().find(|one| one.arn == arn).unwrap().tags);
                self.balancers.retain(|one| one.arn != arn);
                self.listeners.retain(|one| one.load_balancer_arn != arn);
            }
        }
    }

    fn target_group(&mut self, desired: &Desired, action: target_group::Action, tags: Tags) {
        match action {
            target_group::Action::Create { name, vpc_id, mut spec, .. } => {
                assert!(self.groups.iter().all(|one| one.name != name), "exists");
                spec.attributes.deregistration_delay_seconds = 300;
                spec.attributes.algorithm = "round_robin".into();
                let arn = self.arn("targetgroup", &name);
                let load_balancer_arns = Vec::new();
                self.groups.push(target_group::Found { arn, name, vpc_id, load_balancer_arns, tags, spec });
            }
            target_group::Action::Update { arn, spec, .. } => {
                let found = self.groups.iter_mut().find(|one| one.arn == arn).unwrap();
                ours(desired, &found.tags);
                found.spec = spec;
            }
            target_group::Action::Delete { arn, .. } => {
                assert!(!self.listeners.iter().any(|one| one.spec.default_action.forwards_to(&arn)), "in use");
                ours(desired, &self.groups.iter().find(|one| one.arn == arn).unwrap().tags);
                self.groups.retain(|one| one.arn != arn);
            }
        }
    }

    fn listener(&mut self, desired: &Desired, action: listener::Action, tags: Tags) {
        match action {
            listener::Action::Create { load_balancer_arn, spec, .. } => {
                let shared = |one: &listener::Found| {
                    spec.default_action.groups.keys().any(|arn| one.spec.default_action.forwards_to(arn))
                };
                let taken = |one: &listener::Found| one.load_balancer_arn != load_balancer_arn && shared(one);
                assert!(!self.listeners.iter().any(taken), "a target group has one load balancer");
                let arn = self.arn("listener", "x");
                self.listeners.push(listener::Found { arn, load_balancer_arn, tags, spec });
            }
            listener::Action::Update { arn, spec, .. } => {
                let found = self.listeners.iter_mut().find(|one| one.arn == arn).unwrap();
                ours(desired, &found.tags);
                found.spec = spec;
            }
            listener::Action::Delete { arn, .. } => {
                ours(desired, &self.listeners.iter().find(|one| one.arn == arn).unwrap().tags);
                self.listeners.retain(|one| one.arn != arn);
            }
        }
    }

    fn service(&mut self, desired: &Desired, action: service::Action, tags: Tags) {
        match action {
            service::Action::Create { spec, .. } => {
                assert!(self.service.as_ref().is_none_or(|one| one.life == Life::Inactive), "exists");
                self.assert_attached(&spec);
                self.service = Some(running(*spec, tags));
            }
            service::Action::Update { spec, changes, .. } => {
                let tags = self.service.as_ref().unwrap().tags.clone();
                ours(desired, &tags);
                if changes.iter().any(|change| change.path.starts_with("loadBalancers")) {
                    self.assert_attached(&spec);
                }
                self.service = Some(running(*spec, tags));
            }
            service::Action::Delete { .. } => {
                let found = self.service.as_mut().unwrap();
                ours(desired, &found.tags);
                found.life = Life::Draining;
            }
        }
    }

    fn assert_attached(&self, spec: &service::Spec) {
        for arn in spec.target_groups() {
            let attached = self.listeners.iter().any(|one| one.spec.default_action.forwards_to(arn));
            assert!(attached, "no associated load balancer");
        }
    }

    fn scalable_target(&mut self, desired: &Desired, action: scalable_target::Action, tags: Tags) {
        match action {
            scalable_target::Action::Register { spec, .. } => {
                assert!(self.scaling.target.is_none(), "exists");
                assert!(self.service.as_ref().is_some_and(|one| one.life == Life::Active), "no service");
                self.scaling.target = Some(scalable_target::Found { arn: Some("arn:target".into()), tags, spec });
            }
            scalable_target::Action::Update { edit, .. } => {
                self.our_target(desired);
                self.scaling.target.as_mut().unwrap().spec = edit.to;
            }
            scalable_target::Action::Deregister { .. } => {
                self.our_target(desired);
                self.scaling = Scaling { alarms: std::mem::take(&mut self.scaling.alarms), ..Scaling::default() };
            }
        }
    }

    fn our_target(&self, desired: &Desired) {
        ours(desired, &self.scaling.target.as_ref().expect("no scalable target").tags);
    }

    fn scaling_policy(&mut self, desired: &Desired, action: scaling_policy::Action) {
        self.our_target(desired);
        let (name, spec) = match action {
            scaling_policy::Action::Create { name, spec, .. } => (name, Some(*spec)),
            scaling_policy::Action::Update { name, edit, .. } => (name, Some(edit.to)),
            scaling_policy::Action::Delete { name, .. } => (name, None),
        };
        assert!(name.starts_with("interstella."), "touched {name}");
        let kept = self.scaling.policies.iter().position(|one| one.name == name);
        let kept = kept.map(|index| self.scaling.policies.remove(index));
        if let Some(spec) = spec {
            assert!(kept.as_ref().is_none_or(|one| one.spec.kind() == spec.kind()), "another type");
            let arn = kept.map_or_else(|| self.arn("policy", &name), |one| one.arn);
            self.scaling.policies.push(scaling_policy::Found { name, arn, spec, alarms: Vec::new() });
        }
    }

    fn scheduled_action(&mut self, desired: &Desired, action: scheduled_action::Action) {
        self.our_target(desired);
        let (name, spec) = match action {
            scheduled_action::Action::Create { name, spec, .. } => (name, Some(spec)),
            scheduled_action::Action::Update { name, edit, .. } => (name, Some(edit.to)),
            scheduled_action::Action::Delete { name, .. } => (name, None),
        };
        assert!(name.starts_with("interstella."), "touched {name}");
        self.scaling.actions.retain(|one| one.name != name);
        self.scaling.actions.extend(spec.map(|spec| scheduled_action::Found { name, spec }));
    }

    fn alarm(&mut self, desired: &Desired, action: alarm::Action, tags: Tags) {
        let index = |name: &str| self.scaling.alarms.iter().position(|one| one.name == name);
        match action {
            alarm::Action::Create { name, spec, .. } => {
                assert!(index(&name).is_none(), "exists");
                self.scaling.alarms.push(alarm::Found { name, tags, spec: *spec });
            }
            alarm::Action::Update { name, edit } => {
                let index = index(&name).unwrap();
                ours(desired, &self.scaling.alarms[index].tags);
                self.scaling.alarms[index].spec = edit.to;
            }
            alarm::Action::Delete { name } => {
                let index = index(&name).unwrap();
                ours(desired, &self.scaling.alarms[index].tags);
                self.scaling.alarms.remove(index);
            }
        }
    }

    fn subscription(&mut self, action: subscription::Action) {
        match action {
            subscription::Action::Subscribe { topic, endpoint, spec, .. } => {
                let arn = Some(self.arn("sns", "x"));
                let host = endpoint.split(['/', ':']).nth(3).unwrap().to_owned();
                assert!(self.balancers.iter().any(|one| one.dns_name == host), "{host} is no host");
                self.subscriptions.push(subscription::Found { arn, topic, endpoint, host, spec: Some(spec) });
            }
            subscription::Action::Update { arn, spec, .. } => {
                let found = self.subscriptions.iter_mut().find(|one| one.arn.as_ref() == Some(&arn)).unwrap();
                found.spec = Some(spec);
            }
            subscription::Action::Unsubscribe { arn, .. } => {
                self.subscriptions.retain(|one| one.arn.as_ref() != Some(&arn));
            }
        }
    }
}

fn ours(desired: &Desired, tags: &Tags) {
    assert_eq!(desired.marks.owner(tags), Owner::Ours, "touched something with {:?}", tags.get(MANAGER_TAG));
}

fn running(spec: service::Spec, tags: Tags) -> service::Found {
    let task_definition_arn = format!("arn:task-definition/{}", spec.task_definition);
    service::Found {
        arn: "arn:service".into(),
        life: Life::Active,
        tags,
        running: spec.desired_count,
        pending: 0,
        deployments: vec![Deployment {
            primary: true,
            task_definition_arn: task_definition_arn.clone(),
            rollout_state: "COMPLETED".into(),
            reason: String::new(),
            failed_tasks: 0,
            running: spec.desired_count,
            created_at: None,
            updated_at: None,
        }],
        task_definition_arn,
        events: Vec::new(),
        last_start: None,
        created_at: None,
        spec,
    }
}
