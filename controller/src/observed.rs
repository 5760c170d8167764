//! What AWS has of one app, in normal form. Only complete pictures come here: what could not be read is an error before.

use crate::resource::service::History;
use crate::resource::target_group::Target;
use crate::resource::{listener, load_balancer, log_group, service, subscription, target_group, task_definition};

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
    /// The service.
    pub service: Option<service::Found>,
    /// Health of the targets; read only while something waits for it.
    pub targets: Vec<Target>,
    /// What became of the service's deployments; read only if it differs.
    pub history: History,
    /// Why tasks stopped lately; read only to explain.
    pub stopped: Vec<String>,
    /// Subscriptions whose endpoint is one of our load balancers.
    pub subscriptions: Vec<subscription::Found>,
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
