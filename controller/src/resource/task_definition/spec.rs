//! Normal form of a task definition, from the manifest and from AWS's answer. Absent and AWS's default are the same on both sides.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::{
    ContainerDefinition, LogConfiguration, NetworkMode, PortMapping, RuntimePlatform, TaskDefinition,
};
use serde::Serialize;

use crate::manifest::{self, Manifest};
use crate::resource::given::Given;

/// ECS's own time between SIGTERM and SIGKILL, in seconds.
const DEFAULT_STOP_TIMEOUT: u32 = 30;

/// Normal form of a task definition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// `bridge` or `awsvpc`.
    pub network_mode: String,
    /// CPU units of the task.
    pub cpu: Option<u32>,
    /// Memory of the task in MiB.
    pub memory: Option<u32>,
    /// Role of the containers' code.
    pub task_role_arn: Option<String>,
    /// Role of ECS.
    pub execution_role_arn: Option<String>,
    /// Launch types it is checked for, beside EC2, for which nothing more is checked.
    pub requires_compatibilities: BTreeSet<String>,
    /// Containers by name.
    pub containers: BTreeMap<String, Container>,
    /// What a revision has that a manifest cannot say; nothing, in one of ours.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub beyond_manifest: BTreeSet<String>,
}

/// Normal form of a container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Container {
    /// Image with tag or digest.
    pub image: String,
    /// CPU units.
    pub cpu: u32,
    /// Hard limit in MiB.
    pub memory: Option<u32>,
    /// Soft limit in MiB.
    pub memory_reservation: Option<u32>,
    /// Whether the task stops when it does.
    pub essential: bool,
    /// As `host:container/protocol`, host 0 = dynamic or the task's own.
    pub port_mappings: BTreeSet<String>,
    /// Plain variables.
    pub environment: BTreeMap<String, String>,
    /// Variables from SSM parameters.
    pub secrets: BTreeMap<String, String>,
    /// Arguments.
    pub command: Vec<String>,
    /// Program.
    pub entry_point: Vec<String>,
    /// Its own health check.
    pub health_check: Option<HealthCheck>,
    /// Seconds between SIGTERM and SIGKILL; absent = 30.
    pub stop_timeout: Option<u32>,
    /// Where output goes.
    pub logs: Option<Logs>,
}

/// Normal form of a container's health check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthCheck {
    /// What runs.
    pub command: Vec<String>,
    /// Seconds.
    pub interval: u32,
    /// Seconds.
    pub timeout: u32,
    /// Failures until unhealthy.
    pub retries: u32,
    /// Seconds; 0 = off.
    pub start_period: u32,
}

/// Normal form of a log configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Logs {
    /// Log driver.
    pub driver: String,
    /// Its options.
    pub options: BTreeMap<String, String>,
}

/// Option of the awslogs driver that names the log group.
pub const LOG_GROUP: &str = "awslogs-group";

/// Family and normal form of the manifest's task definition. `region` is where the logs go.
#[must_use]
pub fn desired(manifest: &Manifest, region: &str) -> (String, Spec) {
    let wanted = &manifest.spec.task_definition;
    let app = &manifest.metadata.name;
    let network_mode = match wanted.network_mode {
        manifest::NetworkMode::Bridge => "bridge",
        manifest::NetworkMode::Awsvpc => "awsvpc",
    };
    let compatibilities = match manifest.spec.launch_type {
        manifest::LaunchType::Ec2 => BTreeSet::new(),
        manifest::LaunchType::Fargate => BTreeSet::from(["FARGATE".to_owned()]),
    };
    let awsvpc = wanted.network_mode == manifest::NetworkMode::Awsvpc;
    let containers = wanted.containers.iter().map(|one| (one.name.clone(), container(one, app, region, awsvpc)));
    let spec = Spec {
        network_mode: network_mode.to_owned(),
        cpu: wanted.cpu,
        memory: wanted.memory,
        task_role_arn: wanted.task_role_arn.clone(),
        execution_role_arn: wanted.execution_role_arn.clone(),
        requires_compatibilities: compatibilities,
        containers: containers.collect(),
        beyond_manifest: BTreeSet::new(),
    };
    (wanted.family.clone().unwrap_or_else(|| format!("{}-{app}", manifest.spec.cluster)), spec)
}

fn container(wanted: &manifest::Container, app: &str, region: &str, awsvpc: bool) -> Container {
    let port = |one: &manifest::PortMapping| {
        let protocol = match one.protocol {
            manifest::TransportProtocol::Tcp => "tcp",
            manifest::TransportProtocol::Udp => "udp",
        };
        port_mapping(one.host_port.unwrap_or(0), one.container_port, protocol, awsvpc)
    };
    Container {
        image: wanted.image.clone(),
        cpu: wanted.cpu,
        memory: wanted.memory,
        memory_reservation: wanted.memory_reservation,
        essential: wanted.essential,
        port_mappings: wanted.port_mappings.iter().map(port).collect(),
        environment: wanted.environment.clone(),
        secrets: wanted.secrets.clone(),
        command: wanted.command.clone(),
        entry_point: wanted.entry_point.clone(),
        health_check: wanted.health_check.as_ref().map(|check| HealthCheck {
            command: check.command.clone(),
            interval: check.interval,
            timeout: check.timeout,
            retries: check.retries,
            start_period: check.start_period,
        }),
        stop_timeout: wanted.stop_timeout.filter(|seconds| *seconds != DEFAULT_STOP_TIMEOUT),
        logs: wanted.logs.as_ref().map(|logs| awslogs(logs, app, region)),
    }
}

fn awslogs(wanted: &manifest::Logs, app: &str, region: &str) -> Logs {
    let prefix = wanted.stream_prefix.as_deref().unwrap_or(app);
    let options = [(LOG_GROUP, wanted.group.as_str()), ("awslogs-region", region), ("awslogs-stream-prefix", prefix)];
    let options = options.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Logs { driver: "awslogs".into(), options }
}

/// In `awsvpc` AWS fills in the container's port as the host's.
fn port_mapping(host: u32, container: u32, protocol: &str, awsvpc: bool) -> String {
    let host = if awsvpc && host == container { 0 } else { host };
    format!("{host}:{container}/{protocol}")
}

/// Normal form of AWS's answer.
#[must_use]
pub fn from_aws(raw: &TaskDefinition) -> Spec {
    let network_mode = raw.network_mode().given().map_or("bridge", NetworkMode::as_str).to_owned();
    let awsvpc = network_mode == "awsvpc";
    let containers = raw.container_definitions().iter();
    let compatibilities = raw.requires_compatibilities().iter().map(|one| one.as_str().to_owned());
    let units = |text: Option<&str>| text.and_then(|text| text.parse().ok());
    Spec {
        cpu: units(raw.cpu()),
        memory: units(raw.memory()),
        task_role_arn: raw.task_role_arn.clone().given(),
        execution_role_arn: raw.execution_role_arn.clone().given(),
        requires_compatibilities: compatibilities.filter(|one| !matches!(one.as_str(), "" | "EC2")).collect(),
        containers: containers
            .clone()
            .map(|one| (one.name.clone().unwrap_or_default(), container_from_aws(one, awsvpc)))
            .collect(),
        beyond_manifest: beyond_task(raw).chain(containers.flat_map(beyond_container)).map(str::to_owned).collect(),
        network_mode,
    }
}

fn container_from_aws(raw: &ContainerDefinition, awsvpc: bool) -> Container {
    let number = |value: Option<i32>| value.and_then(|value| u32::try_from(value).ok());
    let port = |one: &PortMapping| {
        let protocol = one.protocol().given().map_or("tcp", |protocol| protocol.as_str());
        port_mapping(number(one.host_port).unwrap_or(0), number(one.container_port).unwrap_or(0), protocol, awsvpc)
    };
    let environment = raw.environment().iter();
    Container {
        image: raw.image.clone().unwrap_or_default(),
        cpu: u32::try_from(raw.cpu).unwrap_or(0),
        memory: number(raw.memory),
        memory_reservation: number(raw.memory_reservation),
        essential: raw.essential.unwrap_or(true),
        port_mappings: raw.port_mappings().iter().map(port).collect(),
        environment: environment
            .filter_map(|one| Some((one.name.clone()?, one.value.clone().unwrap_or_default())))
            .collect(),
        secrets: raw.secrets().iter().map(|one| (one.name.clone(), one.value_from.clone())).collect(),
        command: raw.command().to_vec(),
        entry_point: raw.entry_point().to_vec(),
        health_check: raw.health_check().filter(|check| !check.command().is_empty()).map(|check| HealthCheck {
            command: check.command().to_vec(),
            interval: number(check.interval).unwrap_or(30),
            timeout: number(check.timeout).unwrap_or(5),
            retries: number(check.retries).unwrap_or(3),
            start_period: number(check.start_period).unwrap_or(0),
        }),
        stop_timeout: number(raw.stop_timeout).filter(|seconds| *seconds != DEFAULT_STOP_TIMEOUT),
        logs: raw.log_configuration().filter(has_driver).map(logs_from_aws),
    }
}

fn has_driver(raw: &&LogConfiguration) -> bool {
    !raw.log_driver().as_str().is_empty()
}

fn logs_from_aws(raw: &LogConfiguration) -> Logs {
    let options = raw.options().into_iter().flatten();
    Logs {
        driver: raw.log_driver().as_str().to_owned(),
        options: options.map(|(key, value)| (key.clone(), value.clone())).collect(),
    }
}

fn set(is_set: bool, name: &'static str) -> Option<&'static str> {
    is_set.then_some(name)
}

fn has_platform(raw: &RuntimePlatform) -> bool {
    raw.cpu_architecture().given().is_some() || raw.operating_system_family().given().is_some()
}

fn beyond_task(raw: &TaskDefinition) -> impl Iterator<Item = &'static str> {
    let beyond = [
        set(!raw.volumes().is_empty(), "volumes"),
        set(!raw.placement_constraints().is_empty(), "placementConstraints"),
        set(raw.runtime_platform().is_some_and(has_platform), "runtimePlatform"),
        set(raw.proxy_configuration().is_some(), "proxyConfiguration"),
        set(raw.ephemeral_storage().is_some(), "ephemeralStorage"),
        set(raw.pid_mode().given().is_some(), "pidMode"),
        set(raw.ipc_mode().given().is_some(), "ipcMode"),
    ];
    beyond.into_iter().flatten()
}

fn beyond_container(raw: &ContainerDefinition) -> impl Iterator<Item = &'static str> + use<> {
    let log = raw.log_configuration();
    let beyond = [
        set(!raw.mount_points().is_empty(), "mountPoints"),
        set(!raw.volumes_from().is_empty(), "volumesFrom"),
        set(!raw.links().is_empty(), "links"),
        set(!raw.environment_files().is_empty(), "environmentFiles"),
        set(!raw.depends_on().is_empty(), "dependsOn"),
        set(!raw.ulimits().is_empty(), "ulimits"),
        set(!raw.extra_hosts().is_empty(), "extraHosts"),
        set(!raw.system_controls().is_empty(), "systemControls"),
        set(!raw.resource_requirements().is_empty(), "resourceRequirements"),
        set(!raw.docker_security_options().is_empty(), "dockerSecurityOptions"),
        set(raw.docker_labels().is_some_and(|labels| !labels.is_empty()), "dockerLabels"),
        set(raw.privileged() == Some(true), "privileged"),
        set(raw.readonly_root_filesystem() == Some(true), "readonlyRootFilesystem"),
        set(raw.user().given().is_some(), "user"),
        set(raw.working_directory().given().is_some(), "workingDirectory"),
        set(raw.hostname().given().is_some(), "hostname"),
        set(raw.linux_parameters().is_some(), "linuxParameters"),
        set(raw.repository_credentials().is_some(), "repositoryCredentials"),
        set(raw.firelens_configuration().is_some(), "firelensConfiguration"),
        set(raw.restart_policy().is_some(), "restartPolicy"),
        set(raw.start_timeout().is_some(), "startTimeout"),
        set(log.is_some_and(|log| !log.secret_options().is_empty()), "logSecretOptions"),
    ];
    beyond.into_iter().flatten()
}
