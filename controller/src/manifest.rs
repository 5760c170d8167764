//! The manifest exactly as a person writes it (`apiVersion: interstella.trade/v1`, `kind: Service`).
//!
//! Names, nesting and values follow ECS's own API in camelCase, so that whoever knows a task definition can write one.
//! Nothing here decides anything: `load` brings text to these types, `validate` finds what the types cannot say,
//! and `desired` turns a valid manifest into what the cloud should hold.

pub mod diagnostic;
pub mod load;
pub mod pointer;
pub mod schema;
pub mod validate;
pub mod yaml;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::AppName;

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
    /// Application Auto Scaling. Not supported yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// Allow fields that AWS cannot change in place to be changed by deleting and creating the resource. Default false.
    #[serde(default)]
    pub allow_replace: bool,
}

fn default_desired_count() -> u32 {
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

/// Docker network mode of a task.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NetworkMode {
    /// Docker's bridge: container ports are mapped to host ports, static or dynamic.
    #[default]
    Bridge,
    /// Each task has a network interface and address of its own.
    Awsvpc,
}

/// What a task is (AWS: ECS RegisterTaskDefinition).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TaskDefinition {
    /// Family of the revisions: 1–255 letters, digits, `_`, `-`. Default: `<cluster>-<name>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub family: Option<String>,
    /// Docker network mode. Default `bridge`; Fargate needs `awsvpc`.
    #[serde(default)]
    pub network_mode: NetworkMode,
    /// CPU units of the whole task (1024 = 1 vCPU); required on Fargate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    /// Memory of the whole task in MiB; required on Fargate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u32>,
    /// Role that the containers' own code uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_role_arn: Option<String>,
    /// Role that ECS uses to pull images, read secrets and write logs; required with `secrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,
    /// The containers: 1–10.
    pub containers: Vec<Container>,
}

/// One container of a task (AWS: ECS ContainerDefinition).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Container {
    /// Name: 1–255 letters, digits, `_`, `-`, unique in the task.
    pub name: String,
    /// Image, `repository:tag` or `repository@sha256:…`; without either ECS takes the tag `latest`.
    pub image: String,
    /// CPU units reserved for this container. Default 0.
    #[serde(default)]
    pub cpu: u32,
    /// Hard memory limit in MiB, from 6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u32>,
    /// Soft memory limit in MiB; on EC2 one of `memory` and `memoryReservation` is required.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_reservation: Option<u32>,
    /// Whether the task stops when this container does. Default true.
    #[serde(default = "default_true")]
    pub essential: bool,
    /// Ports the container listens on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub port_mappings: Vec<PortMapping>,
    /// Plain environment variables. Values that look like secrets are refused: they belong into `secrets`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Environment variables that ECS reads when a task starts: name, path or ARN of an SSM parameter, or ARN of a
    /// Secrets Manager secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Arguments for the entry point.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// The program to start, instead of the image's own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entry_point: Vec<String>,
    /// The container's own health check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<ContainerHealthCheck>,
    /// Seconds between SIGTERM and SIGKILL: 2–120. Default 30.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<u32>,
    /// Where the container's output goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logs: Option<Logs>,
}

fn default_true() -> bool {
    true
}

/// A port the container listens on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PortMapping {
    /// Port in the container: 1–65535.
    pub container_port: u32,
    /// Port on the container instance; absent or 0 = a free one for each task (dynamic port mapping).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_port: Option<u32>,
    /// Default `tcp`.
    #[serde(default)]
    pub protocol: TransportProtocol,
}

/// Transport protocol of a port mapping.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TransportProtocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// The container's own health check (AWS: ECS HealthCheck).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerHealthCheck {
    /// `["CMD", …]` or `["CMD-SHELL", "…"]`.
    pub command: Vec<String>,
    /// 5–300 seconds. Default 30.
    #[serde(default = "default_container_interval")]
    pub interval: u32,
    /// 2–60 seconds. Default 5.
    #[serde(default = "default_container_timeout")]
    pub timeout: u32,
    /// 1–10. Default 3.
    #[serde(default = "default_container_retries")]
    pub retries: u32,
    /// 0–300 seconds. Default 0 (off).
    #[serde(default)]
    pub start_period: u32,
}

fn default_container_interval() -> u32 {
    30
}
fn default_container_timeout() -> u32 {
    5
}
fn default_container_retries() -> u32 {
    3
}

/// A CloudWatch Logs group for a container's output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Logs {
    /// Name of the log group: 1–512 of `.-_/#A-Za-z0-9`, not starting `aws/`.
    pub group: String,
    /// Days that events are kept, one of CloudWatch Logs' values; absent = for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retention_days: Option<u32>,
    /// false: the group exists and belongs to somebody else. Default true.
    #[serde(default = "default_true")]
    pub create: bool,
    /// Prefix of the log streams. Default: the app's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_prefix: Option<String>,
}

/// Subnets and security groups of tasks with network mode `awsvpc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NetworkConfiguration {
    /// 1–16 subnet IDs.
    pub subnets: Vec<String>,
    /// 0–5 security group IDs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub security_groups: Vec<String>,
    /// Whether tasks get a public address. Default `DISABLED`.
    #[serde(default)]
    pub assign_public_ip: AssignPublicIp,
}

/// Whether a task gets a public address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AssignPublicIp {
    /// Yes.
    Enabled,
    /// No.
    #[default]
    Disabled,
}

/// The Application Load Balancer in front of the service, with one listener and one target group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoadBalancer {
    /// 1–32 letters, digits and `-`; no `-` at the ends, not starting `internal-`. Default: the app's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Default `internet-facing`.
    #[serde(default)]
    pub scheme: Scheme,
    /// At least two subnets, in different availability zones.
    pub subnets: Vec<String>,
    /// Security group IDs; absent = left as AWS chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security_groups: Option<Vec<String>>,
    /// Seconds an idle connection is kept: 1–4000. Default 60.
    #[serde(default = "default_idle_timeout")]
    pub idle_timeout_seconds: u32,
    /// Where clients connect.
    pub listener: Listener,
    /// Where requests go.
    #[serde(default)]
    pub target_group: TargetGroup,
    /// The container and port that take the requests.
    pub container: ContainerPort,
    /// Seconds after a task's start in which failing health checks are ignored. Default 0.
    #[serde(default)]
    pub health_check_grace_period_seconds: u32,
}

fn default_idle_timeout() -> u32 {
    60
}

/// Whether a load balancer has public addresses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// Public addresses.
    #[default]
    InternetFacing,
    /// Private addresses only.
    Internal,
}

/// Where clients connect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Listener {
    /// 1–65535.
    pub port: u32,
    /// Default `HTTP`.
    #[serde(default)]
    pub protocol: ListenerProtocol,
    /// ARN of the certificate; required with HTTPS, refused with HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_arn: Option<String>,
}

/// Protocol of a listener.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ListenerProtocol {
    /// Plain HTTP.
    #[default]
    Http,
    /// HTTP over TLS.
    Https,
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TargetGroup {
    /// 1–32 letters, digits and `-`; no `-` at the ends. Default: the app's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Port that targets get when none is given for them; ECS always gives one. AWS cannot change it. Default 80.
    pub port: u32,
    /// How the load balancer tells healthy targets.
    pub health_check: HealthCheck,
    /// Seconds a target keeps its open requests after deregistration: 0–3600. Default 300, AWS's own.
    pub deregistration_delay_seconds: u32,
    /// How requests are spread.
    pub algorithm: Algorithm,
}

impl Default for TargetGroup {
    fn default() -> Self {
        Self {
            name: None,
            port: 80,
            health_check: HealthCheck::default(),
            deregistration_delay_seconds: 300,
            algorithm: Algorithm::default(),
        }
    }
}

/// How a target group spreads requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Each target in turn.
    #[default]
    RoundRobin,
    /// The target with the fewest open requests.
    LeastOutstandingRequests,
}

/// Health check of a target group (AWS: ELBv2 CreateTargetGroup; the defaults are AWS's).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct HealthCheck {
    /// 1–1024 characters. Default `/`.
    pub path: String,
    /// `traffic-port` or a port number. Default `traffic-port`.
    pub port: String,
    /// 5–300. Default 30.
    pub interval_seconds: u32,
    /// 2–120, less than the interval. Default 5.
    pub timeout_seconds: u32,
    /// 2–10. Default 5.
    pub healthy_threshold: u32,
    /// 2–10. Default 2.
    pub unhealthy_threshold: u32,
    /// Codes or ranges between 200 and 499, such as `200` or `200-299,301`. Default `200`.
    pub matcher: String,
}

impl Default for HealthCheck {
    fn default() -> Self {
        Self {
            path: "/".into(),
            port: "traffic-port".into(),
            interval_seconds: 30,
            timeout_seconds: 5,
            healthy_threshold: 5,
            unhealthy_threshold: 2,
            matcher: "200".into(),
        }
    }
}

/// A container of the task and one of its ports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContainerPort {
    /// Name of a container of the task definition.
    pub name: String,
    /// One of its container ports.
    pub port: u32,
}

/// A topic that the load balancer's address is subscribed to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscription {
    /// ARN of the topic, a standard one.
    pub topic: String,
    /// Path on the load balancer, starting with `/`.
    pub path: String,
    /// How SNS retries; absent = AWS's default, which gives up after about a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_policy: Option<DeliveryPolicy>,
    /// ARN of the SQS queue that takes messages that could not be delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letter_queue: Option<String>,
}

/// How SNS retries an HTTP delivery (AWS: SNS developer guide, `healthyRetryPolicy`). The whole must end within 3600 s.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeliveryPolicy {
    /// All retries together: 0–100.
    pub num_retries: u32,
    /// Retries without delay. Default 0.
    #[serde(default)]
    pub num_no_delay_retries: u32,
    /// Retries at the minimum delay. Default 0.
    #[serde(default)]
    pub num_min_delay_retries: u32,
    /// Retries at the maximum delay. Default 0.
    #[serde(default)]
    pub num_max_delay_retries: u32,
    /// Seconds, from 1.
    pub min_delay_target: u32,
    /// Seconds, to 3600.
    pub max_delay_target: u32,
    /// How the delay grows between minimum and maximum. Default `linear`.
    #[serde(default)]
    pub backoff_function: BackoffFunction,
    /// Deliveries a second at most; absent = no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_receives_per_second: Option<u32>,
}

/// How a delay grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackoffFunction {
    /// By equal steps.
    #[default]
    Linear,
    /// By growing steps.
    Arithmetic,
    /// By a factor.
    Geometric,
    /// By powers.
    Exponential,
}

/// How ECS replaces tasks (AWS: ECS DeploymentConfiguration).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Deployment {
    /// Lower bound of healthy tasks, in percent of the desired count: 0–100. Default 100.
    pub minimum_healthy_percent: u32,
    /// Upper bound of running and pending tasks, in percent of the desired count: 100–400. Default 200.
    pub maximum_percent: u32,
    /// Whether ECS gives up on a deployment whose tasks keep failing.
    pub circuit_breaker: CircuitBreaker,
}

impl Default for Deployment {
    fn default() -> Self {
        Self { minimum_healthy_percent: 100, maximum_percent: 200, circuit_breaker: CircuitBreaker::default() }
    }
}

/// Whether ECS gives up on a deployment whose tasks keep failing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CircuitBreaker {
    /// Default false.
    #[serde(default)]
    pub enable: bool,
    /// Whether ECS goes back to the last completed deployment. Default false.
    #[serde(default)]
    pub rollback: bool,
}

/// Application Auto Scaling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Scaling {
    /// Fewest tasks.
    pub min_capacity: u32,
    /// Most tasks.
    pub max_capacity: u32,
}
