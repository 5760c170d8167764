//! `dependsOn` of container definitions: what one names, and what RegisterTaskDefinition refuses of them all.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Container;

/// That a container starts only after another.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dependency {
    /// The other container.
    pub container_name: String,
    /// What has to be true of it.
    pub condition: Condition,
}

/// What a container waits for (AWS: ContainerDependency, API reference).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Condition {
    /// The other has started.
    Start,
    /// The other has ended.
    Complete,
    /// The other has ended with exit code 0.
    Success,
    /// The other's health check has passed.
    Healthy,
}

impl Condition {
    /// As the API spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "START",
            Self::Complete => "COMPLETE",
            Self::Success => "SUCCESS",
            Self::Healthy => "HEALTHY",
        }
    }
}

/// What AWS refuses of the dependencies between `containers` (ContainerDependency, API reference; the words are
/// unverified).
pub fn problem(containers: &[Container]) -> Option<String> {
    let pairs = || containers.iter().flat_map(|of| of.depends_on.iter().map(move |on| (of, on)));
    pairs().find_map(|(of, on)| one_problem(containers, of, on)).or_else(|| cycle(containers))
}

fn one_problem(containers: &[Container], of: &Container, on: &Dependency) -> Option<String> {
    let (name, other, condition) = (&of.name, &on.container_name, on.condition.name());
    let Some(target) = containers.iter().find(|container| container.name == *other) else {
        return Some(format!("Invalid 'dependsOn' setting for container '{name}': there is no container '{other}'."));
    };
    match on.condition {
        Condition::Complete | Condition::Success if target.essential => Some(format!(
            "Invalid 'dependsOn' setting for container '{name}': the condition {condition} can't be set on '{other}', which is essential."
        )),
        Condition::Healthy if target.health_check.is_none() => Some(format!(
            "Invalid 'dependsOn' setting for container '{name}': the condition {condition} needs a health check of '{other}'."
        )),
        _ => None,
    }
}

/// A cycle: what is left when containers that depend on nothing left are taken away again and again.
fn cycle(containers: &[Container]) -> Option<String> {
    let mut left: BTreeSet<&str> = containers.iter().map(|container| container.name.as_str()).collect();
    loop {
        let waits = |container: &&Container| {
            container.depends_on.iter().any(|dependency| left.contains(dependency.container_name.as_str()))
        };
        let still: BTreeSet<&str> = containers.iter().filter(waits).map(|container| container.name.as_str()).collect();
        if still.is_empty() {
            return None;
        }
        if still.len() == left.len() {
            let names: Vec<&str> = still.into_iter().collect();
            return Some(format!("There is a cycle in the 'dependsOn' settings of containers: {}.", names.join(", ")));
        }
        left = still;
    }
}
