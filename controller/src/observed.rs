//! What AWS has of one app, in normal form. Only complete pictures come here: what could not be read is an error before.

use std::collections::BTreeSet;

use crate::resource::service::History;
use crate::resource::target_group::Target;
use jiff::Timestamp;

use crate::resource::{
    alarm, listener, load_balancer, log_group, scalable_target, scaling_policy, scheduled_action, service,
    subscription, target_group, task_definition,
};

/// What AWS has of one app, and what has its names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Observed {
    /// Log groups of ours and those of the wanted names.
    pub log_groups: Vec<log_group::Found>,
    /// Revisions.
    pub task_definitions: task_definition::Found,
    /// Load balancers of ours and the one of the wanted name.
    pub load_balancers: Vec<load_balancer::Found>,
    /// Target groups of ours and the one of the wanted name.
    pub target_groups: Vec<target_group::Found>,
    /// All listeners of our load balancers.
    pub listeners: Vec<listener::Found>,
    /// Whether there is no cluster of the app's name, and so no service either.
    pub cluster_is_missing: bool,
    /// The service.
    pub service: Option<service::Found>,
    /// Health of the targets; read only while something waits for it.
    pub targets: Vec<Target>,
    /// What became of the service's deployments; read only if it differs.
    pub history: History,
    /// Tasks that stopped lately, newest first; read only to explain.
    pub stopped: Vec<service::Stopped>,
    /// Tasks that have ended by themselves since ECS last started some; read only to explain.
    pub ended: Vec<service::Ended>,
    /// Subscriptions whose endpoint is one of our load balancers.
    pub subscriptions: Vec<subscription::Found>,
    /// ARNs of wanted topics that are not there; read only where a subscription is missing.
    pub missing_topics: BTreeSet<String>,
    /// Auto scaling of the service.
    pub scaling: Scaling,
    /// When it was read, for what depends on the time of day: a schedule that is over.
    pub at: Timestamp,
}

/// What AWS has of a service's auto scaling.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scaling {
    /// The scalable target, whoever registered it.
    pub target: Option<scalable_target::Found>,
    /// All policies of the scalable target.
    pub policies: Vec<scaling_policy::Found>,
    /// All scheduled actions of the scalable target.
    pub actions: Vec<scheduled_action::Found>,
    /// Alarms of ours and those of the wanted names.
    pub alarms: Vec<alarm::Found>,
}

impl Observed {
    /// The load balancer of a name.
    #[must_use]
    pub fn load_balancer(&self, name: &str) -> Option<&load_balancer::Found> {
        self.load_balancers.iter().find(|found| found.name == name)
    }

    /// The target group of a name.
    #[must_use]
    pub fn target_group(&self, name: &str) -> Option<&target_group::Found> {
        self.target_groups.iter().find(|found| found.name == name)
    }
}
