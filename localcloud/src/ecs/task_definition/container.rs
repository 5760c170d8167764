//! Container definitions: what AWS adds to them, and the part of them that the local cloud acts on.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::NetworkMode;
use super::dependency::Dependency;
use super::health_check::{HealthCheck, INTERVAL_SECONDS, RETRIES, TIMEOUT_SECONDS};
use crate::call::{ApiError, input};
use crate::ecs::errors::client;

/// Members that are kept and shown, and have no effect here; `tests/accepted/fields.txt` says why.
const STORED: [&str; 14] = [
    "repositoryCredentials",
    "user",
    "hostname",
    "privileged",
    "readonlyRootFilesystem",
    "dockerSecurityOptions",
    "dockerLabels",
    "ulimits",
    "systemControls",
    "linuxParameters",
    "versionConsistency",
    "interactive",
    "pseudoTerminal",
    "disableNetworking",
];

/// A container, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Container {
    /// Unique in the task definition.
    pub name: String,
    /// Image, with tag or digest.
    #[serde(default)]
    pub image: String,
    /// CPU units.
    pub cpu: u32,
    /// Hard limit in MiB.
    pub memory: Option<u32>,
    /// Soft limit in MiB.
    pub memory_reservation: Option<u32>,
    /// Whether the task ends with this container.
    pub essential: bool,
    /// Ports that the container serves.
    #[serde(default)]
    pub port_mappings: Vec<PortMapping>,
    /// Replaces the image's entry point.
    #[serde(default)]
    pub entry_point: Vec<String>,
    /// Replaces the image's command.
    #[serde(default)]
    pub command: Vec<String>,
    /// Environment.
    #[serde(default)]
    pub environment: Vec<Variable>,
    /// Environment out of parameters.
    #[serde(default)]
    pub secrets: Vec<Secret>,
    /// Where output goes.
    pub log_configuration: Option<LogConfiguration>,
    /// Seconds between SIGTERM and SIGKILL.
    pub stop_timeout: Option<u64>,
    /// Seconds that other containers wait for this one to be as they need it; `None`: for ever.
    pub start_timeout: Option<u64>,
    /// How its health is found out.
    pub health_check: Option<HealthCheck>,
    /// What has to be true of other containers before it starts.
    #[serde(default)]
    pub depends_on: Vec<Dependency>,
    /// Directory that its processes start in.
    pub working_directory: Option<String>,
    /// Where volumes are mounted.
    #[serde(default)]
    pub mount_points: Vec<MountPoint>,
    /// Containers whose mounts it has too.
    #[serde(default)]
    pub volumes_from: Vec<VolumeFrom>,
}

/// A mount of a volume. There are no mounts here: it is only held against the volumes there are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MountPoint {
    /// Name of a volume of the task definition.
    #[serde(default)]
    pub source_volume: String,
    #[serde(rename = "containerPath")]
    _container_path: Option<String>,
    #[serde(rename = "readOnly")]
    _read_only: Option<bool>,
}

/// All mounts of another container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct VolumeFrom {
    /// The other container.
    #[serde(default)]
    pub source_container: String,
    #[serde(rename = "readOnly")]
    _read_only: Option<bool>,
}

/// A port of a container.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PortMapping {
    /// Port in the container.
    pub container_port: u16,
    /// Port of the container instance; 0: any.
    #[serde(default)]
    pub host_port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// For Service Connect, which there is none of.
    #[serde(rename = "name")]
    _name: Option<String>,
    /// The same.
    #[serde(rename = "appProtocol")]
    _app_protocol: Option<String>,
}

/// An environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Name.
    pub name: String,
    /// Value.
    #[serde(default)]
    pub value: String,
}

/// An environment variable whose value is a parameter's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Secret {
    /// Name.
    pub name: String,
    /// Name or ARN of the parameter.
    pub value_from: String,
}

/// Log driver and its options.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LogConfiguration {
    /// `awslogs`, or one that writes nowhere here.
    pub log_driver: String,
    /// Options.
    #[serde(default)]
    pub options: BTreeMap<String, String>,
}

/// Adds what AWS adds to a container definition in its answers.
pub fn complete(definition: &mut Map<String, Value>, network_mode: NetworkMode) -> Result<(), ApiError> {
    let mut default = |member: &str, value: Value| {
        definition.entry(member).or_insert(value);
    };
    default("cpu", json!(0));
    default("essential", json!(true));
    for list in ["portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"] {
        default(list, json!([]));
    }
    for mapping in definition.get_mut("portMappings").and_then(Value::as_array_mut).into_iter().flatten() {
        complete_port(mapping, network_mode)?;
    }
    if let Some(check) = definition.get_mut("healthCheck").and_then(Value::as_object_mut) {
        check.entry("interval").or_insert(json!(INTERVAL_SECONDS));
        check.entry("timeout").or_insert(json!(TIMEOUT_SECONDS));
        check.entry("retries").or_insert(json!(RETRIES));
    }
    Ok(())
}

fn complete_port(mapping: &mut Value, network_mode: NetworkMode) -> Result<(), ApiError> {
    let Some(mapping) = mapping.as_object_mut() else { return Ok(()) };
    let container_port = mapping.get("containerPort").cloned().unwrap_or(json!(0));
    let same = matches!(network_mode, NetworkMode::Awsvpc | NetworkMode::Host);
    let host_port = mapping.entry("hostPort").or_insert(json!(0));
    if same && *host_port == json!(0) {
        *host_port = container_port.clone();
    }
    if same && *host_port != container_port {
        let mode = network_mode.name();
        return Err(client(format!(
            "When networkMode={mode}, the host ports and container ports in port mappings must match."
        )));
    }
    mapping.entry("protocol").or_insert(json!("tcp"));
    Ok(())
}

/// The typed view of completed definitions. A member that is neither acted upon nor stored is refused by name, unless
/// it asks for nothing.
pub fn typed(definitions: &[Map<String, Value>]) -> Result<Vec<Container>, ApiError> {
    let typed = |definition: &Map<String, Value>| {
        let asks = |(name, value): &(&String, &Value)| !STORED.contains(&name.as_str()) && !asks_for_nothing(value);
        let acted: Map<String, Value> =
            definition.iter().filter(asks).map(|(name, value)| (name.clone(), value.clone())).collect();
        input("ecs", "RegisterTaskDefinition, containerDefinitions,", acted.into())
    };
    definitions.iter().map(typed).collect()
}

/// Whether a member says what holds without it.
fn asks_for_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty() || members.get("enabled") == Some(&Value::Bool(false)),
        _ => false,
    }
}

/// CPU units of a task's `cpu`: a number of units, or of vCPUs as in `1 vCPU`.
pub fn cpu_units(text: &str) -> Result<u32, ApiError> {
    quantity(text, "vcpu").ok_or_else(|| client("Invalid 'cpu' setting for task."))
}

/// MiB of a task's `memory`: a number of MiB, or of GB as in `1 GB`.
pub fn memory_mib(text: &str) -> Result<u32, ApiError> {
    quantity(text, "gb").ok_or_else(|| client("Invalid 'memory' setting for task."))
}

/// A whole number, or a number of `unit`s of 1024.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before the cast")]
fn quantity(text: &str, unit: &str) -> Option<u32> {
    let text = text.trim().to_ascii_lowercase();
    if let Ok(plain) = text.parse() {
        return Some(plain);
    }
    let units: f64 = text.strip_suffix(unit)?.trim().parse().ok()?;
    let plain = units * 1024.0;
    (plain.fract() == 0.0 && (1.0..=f64::from(u32::MAX)).contains(&plain)).then_some(plain as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_plain_or_have_a_unit() {
        assert_eq!(cpu_units("256").unwrap(), 256);
        assert_eq!(cpu_units(".25 vCPU").unwrap(), 256);
        assert_eq!(memory_mib("1 GB").unwrap(), 1024);
        assert_eq!(memory_mib("0.5GB").unwrap(), 512);
        assert!(memory_mib("much").is_err());
        assert!(cpu_units("-1 vcpu").is_err());
    }
}
