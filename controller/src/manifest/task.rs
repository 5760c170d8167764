//! What a task is: its containers, their ports, environment, health checks and logs.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// CPU units of the whole task (1024 = 1 vCPU), or text such as `.25 vCPU`; required on Fargate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<u32>,
    /// Memory of the whole task in MiB, or text such as `0.5 GB`; required on Fargate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u32>,
    /// Role that the containers' own code uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_role_arn: Option<String>,
    /// Role that ECS uses to pull images, read secrets and write logs; required with `secrets`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,
    /// How many of the newest ACTIVE revisions stay, so that one can go back to them: 1–1000. Older ones of ours are deregistered
    /// once a rollout is complete. Default 10.
    #[serde(default = "default_keep_revisions")]
    pub keep_revisions: u32,
    /// The containers: 1–10.
    pub containers: Vec<Container>,
}

fn default_keep_revisions() -> u32 {
    10
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
    /// Plain environment variables, by name or as ECS's list of `name` and `value`. Values that look like secrets are refused: they belong into `secrets`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// Environment variables that ECS reads when a task starts: name, path or ARN of an SSM parameter, or ARN of a
    /// Secrets Manager secret; by name or as ECS's list of `name` and `valueFrom`.
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
    /// Seconds between SIGTERM and SIGKILL; on Fargate 2–120. Default 30.
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
