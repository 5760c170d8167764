//! Mounts of volumes and containers that are not there.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::Container;
use crate::call::{ApiError, input};

/// A volume. There are no mounts here, so that of what it is nothing but the name counts; kinds that would have to be
/// connected to are refused.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Volume {
    #[serde(default)]
    name: String,
    #[serde(rename = "host")]
    _host: Option<Value>,
    #[serde(rename = "dockerVolumeConfiguration")]
    _docker: Option<Value>,
}

/// Reads `volumes`.
pub(super) fn read(volumes: &[Value]) -> Result<Vec<Volume>, ApiError> {
    volumes.iter().map(|volume| input("ecs", "RegisterTaskDefinition, volumes,", volume.clone())).collect()
}

/// What AWS refuses of the containers' mounts, given the task definition's `volumes` (MountPoint and VolumeFrom, API
/// reference; the words are unverified).
pub(super) fn problem(containers: &[Container], volumes: &[Volume]) -> Option<String> {
    let names: Vec<&str> = volumes.iter().map(|volume| volume.name.as_str()).collect();
    if names.iter().any(|name| name.is_empty()) {
        return Some("Volume name should not be null or empty.".to_owned());
    }
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        return Some("Volume names should be unique.".to_owned());
    }
    containers.iter().find_map(|container| of_container(containers, container, &names))
}

fn of_container(containers: &[Container], container: &Container, volumes: &[&str]) -> Option<String> {
    let refuse = |why: String| Some(format!("Invalid setting for container '{}'. {why}", container.name));
    let mut mounts = container.mount_points.iter().map(|mount| mount.source_volume.as_str());
    if let Some(unknown) = mounts.find(|name| !volumes.contains(name)) {
        return refuse(format!("Unknown volume '{unknown}'."));
    }
    let mut sources = container.volumes_from.iter().map(|from| from.source_container.as_str());
    let known = |name: &str| name != container.name && containers.iter().any(|other| other.name == name);
    let unknown = sources.find(|name| !known(name))?;
    refuse(format!("'volumesFrom' names no other container with '{unknown}'."))
}
