//! The manifest exactly as a person writes it (`apiVersion: interstella.trade/v1`, `kind: Service`).
//!
//! Names and values follow ECS's own API in camelCase, so that whoever knows a task definition can write one. Where the
//! form differs the README has a table, and `load` takes ECS's own or says what to write instead.
//!
//! Nothing here decides anything: `load` brings text to these types, `validate` finds what the types cannot say,
//! and `desired` turns a valid manifest into what the cloud should hold.

pub mod diagnostic;
pub mod load;
pub mod pointer;
pub mod schema;
pub mod validate;
pub mod yaml;

mod load_balancer;
mod scaling;
mod service;
mod subscription;
mod task;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::AppName;

pub use load_balancer::{
    Algorithm, ContainerPort, HealthCheck, Listener, ListenerProtocol, LoadBalancer, Scheme, TargetGroup,
};
pub use scaling::{
    AdjustmentType, Aggregation, ComparisonOperator, CustomMetric, MaxCapacityBreachBehavior, MetricPair, MetricQuery,
    MetricStat, PredefinedMetric, Predictive, PredictiveMode, Scaling, ScheduledAction, Statistic, StepAdjustment,
    StepAlarm, StepScaling, Suspended, TargetTracking, TreatMissingData,
};
pub use service::{AssignPublicIp, CircuitBreaker, Deployment, NetworkConfiguration};
pub use subscription::{BackoffFunction, DeliveryPolicy, Subscription};
pub use task::{Container, ContainerHealthCheck, Logs, NetworkMode, PortMapping, TaskDefinition, TransportProtocol};

/// One document of a manifest file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Manifest {
    /// Version of this format.
    pub api_version: ApiVersion,
    /// What the document describes.
    pub kind: Kind,
    /// Identity of the app.
    pub metadata: Metadata,
    /// What the deployment should be.
    pub spec: Spec,
}

impl Manifest {
    /// Identity of the app in its account and region.
    pub fn app(&self) -> AppName {
        AppName { cluster: self.spec.cluster.clone(), name: self.metadata.name.clone() }
    }
}

/// The one version of the format there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ApiVersion {
    /// Version 1.
    #[serde(rename = "interstella.trade/v1")]
    V1,
}

/// The one kind of document there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Kind {
    /// An ECS service with everything around it.
    Service,
}

/// Identity of an app.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Name of the ECS service: 1–255 letters, digits, `_`, `-`. Other names derive from it unless given.
    pub name: String,
    /// Pin: the only AWS account (12 digits) this manifest may be applied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Pin: the only AWS region this manifest may be applied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
}

/// What the deployment should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spec {
    /// Name of the ECS cluster, which must exist.
    pub cluster: String,
    /// Where tasks run (AWS: ECS CreateService, `launchType`). Default `EC2`.
    #[serde(default)]
    pub launch_type: LaunchType,
    /// What a task is.
    pub task_definition: TaskDefinition,
    /// How many tasks run: 0–5000. With `scaling` this is only the count at creation.
    #[serde(default = "default_desired_count")]
    pub desired_count: u32,
    /// Subnets and security groups of the tasks; required with network mode `awsvpc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_configuration: Option<NetworkConfiguration>,
    /// The Application Load Balancer in front of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<LoadBalancer>,
    /// SNS topics that the load balancer's address is subscribed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscriptions: Vec<Subscription>,
    /// How ECS replaces tasks.
    #[serde(default)]
    pub deployment: Deployment,
    /// Application Auto Scaling of the count of tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// Allow fields that AWS cannot change in place to be changed by deleting and creating the resource. Default false.
    #[serde(default)]
    pub allow_replace: bool,
}

/// How many tasks run unless the manifest says.
pub(crate) fn default_desired_count() -> u32 {
    1
}

/// Where tasks run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum LaunchType {
    /// On the cluster's container instances.
    #[default]
    Ec2,
    /// On AWS Fargate.
    Fargate,
}
