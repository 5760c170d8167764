//! Normal form of a service, from the manifest and from AWS's answer. Absent and AWS's default are the same on both sides.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecs::types::{AssignPublicIp, DeploymentConfiguration, LaunchType, NetworkConfiguration, Service};
use serde::Serialize;

use crate::manifest::{self, Manifest};
use crate::resource::given::{self, Given};
use crate::resource::task_definition;

/// Normal form of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spec {
    /// `EC2` or `FARGATE`; empty = a capacity provider strategy. AWS cannot change it.
    pub launch_type: String,
    /// `family:revision`.
    pub task_definition: String,
    /// Tasks.
    pub desired_count: u32,
    /// Subnets and security groups of the tasks.
    pub network_configuration: Option<Network>,
    /// Target group ARNs by `container:port`: one, but for the time in which requests move from one group to another.
    pub load_balancers: BTreeMap<String, BTreeSet<String>>,
    /// Seconds.
    pub health_check_grace_period_seconds: u32,
    /// How ECS replaces tasks; absent where an emulator does not tell.
    pub deployment: Option<Deployment>,
}

/// Normal form of a deployment configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// Percent of the count.
    pub minimum_healthy_percent: u32,
    /// Percent of the count.
    pub maximum_percent: u32,
    /// Whether ECS gives up on failing deployments.
    pub circuit_breaker: CircuitBreaker,
}

/// Normal form of a network configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Subnet IDs.
    pub subnets: BTreeSet<String>,
    /// Security group IDs; absent = as AWS chose.
    pub security_groups: Option<BTreeSet<String>>,
    /// `ENABLED` or `DISABLED`.
    pub assign_public_ip: String,
}

/// Normal form of the deployment circuit breaker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// Whether ECS gives up.
    pub enable: bool,
    /// Whether it goes back then.
    pub rollback: bool,
}

/// What the manifest says of the service; revision and target group are known once they exist.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wanted {
    /// `EC2` or `FARGATE`.
    pub launch_type: String,
    /// Tasks.
    pub desired_count: u32,
    /// Subnets and security groups of the tasks.
    pub network_configuration: Option<Network>,
    /// `container:port` that takes the requests.
    pub container: Option<String>,
    /// Seconds.
    pub health_check_grace_period_seconds: u32,
    /// How ECS replaces tasks.
    pub deployment: Deployment,
}

impl Spec {
    /// ARNs of the target groups that its tasks are in.
    pub fn target_groups(&self) -> impl Iterator<Item = &String> {
        self.load_balancers.values().flatten()
    }
}

impl Wanted {
    /// The normal form, with a revision (`family:revision`) and the ARNs of its target groups, if there are to be any.
    #[must_use]
    pub fn to_spec(&self, task_definition: &str, target_groups: &BTreeSet<String>) -> Spec {
        let container = self.container.iter().filter(|_| !target_groups.is_empty());
        Spec {
            launch_type: self.launch_type.clone(),
            task_definition: task_definition.to_owned(),
            desired_count: self.desired_count,
            network_configuration: self.network_configuration.clone(),
            load_balancers: container.map(|container| (container.clone(), target_groups.clone())).collect(),
            health_check_grace_period_seconds: self.health_check_grace_period_seconds,
            deployment: Some(self.deployment.clone()),
        }
    }
}

/// The manifest's service.
#[must_use]
pub fn desired(manifest: &Manifest) -> Wanted {
    let spec = &manifest.spec;
    let launch_type = match spec.launch_type {
        manifest::LaunchType::Ec2 => "EC2",
        manifest::LaunchType::Fargate => "FARGATE",
    };
    let balancer = spec.load_balancer.as_ref();
    Wanted {
        launch_type: launch_type.to_owned(),
        desired_count: spec.desired_count,
        network_configuration: spec.network_configuration.as_ref().map(network),
        container: balancer.map(|one| format!("{}:{}", one.container.name, one.container.port)),
        health_check_grace_period_seconds: balancer.map_or(0, |one| one.health_check_grace_period_seconds),
        deployment: Deployment {
            minimum_healthy_percent: spec.deployment.minimum_healthy_percent,
            maximum_percent: spec.deployment.maximum_percent,
            circuit_breaker: CircuitBreaker {
                enable: spec.deployment.circuit_breaker.enable,
                rollback: spec.deployment.circuit_breaker.rollback,
            },
        },
    }
}

fn network(wanted: &manifest::NetworkConfiguration) -> Network {
    let groups = &wanted.security_groups;
    let assign_public_ip = match wanted.assign_public_ip {
        manifest::AssignPublicIp::Enabled => "ENABLED",
        manifest::AssignPublicIp::Disabled => "DISABLED",
    };
    Network {
        subnets: wanted.subnets.iter().cloned().collect(),
        security_groups: (!groups.is_empty()).then(|| groups.iter().cloned().collect()),
        assign_public_ip: assign_public_ip.to_owned(),
    }
}

/// Normal form of AWS's answer.
#[must_use]
pub fn from_aws(raw: &Service) -> Spec {
    let mut load_balancers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in raw.load_balancers() {
        if let (Some(name), Some(port), Some(arn)) = (one.container_name(), one.container_port, &one.target_group_arn) {
            load_balancers.entry(format!("{name}:{port}")).or_default().insert(arn.clone());
        }
    }
    Spec {
        launch_type: raw.launch_type().map_or("", LaunchType::as_str).to_owned(),
        task_definition: task_definition::short(raw.task_definition().unwrap_or_default()).to_owned(),
        desired_count: count(Some(raw.desired_count), 0),
        network_configuration: raw.network_configuration().and_then(network_from_aws),
        load_balancers,
        health_check_grace_period_seconds: count(raw.health_check_grace_period_seconds, 0),
        deployment: raw.deployment_configuration().map(deployment_from_aws),
    }
}

/// A value of AWS's that is a count, or what it stands for when absent.
fn count(value: Option<i32>, default: u32) -> u32 {
    value.and_then(|value| u32::try_from(value).ok()).unwrap_or(default)
}

fn deployment_from_aws(raw: &DeploymentConfiguration) -> Deployment {
    let breaker = raw.deployment_circuit_breaker();
    Deployment {
        minimum_healthy_percent: count(raw.minimum_healthy_percent, 100),
        maximum_percent: count(raw.maximum_percent, 200),
        circuit_breaker: CircuitBreaker {
            enable: breaker.is_some_and(|one| one.enable),
            rollback: breaker.is_some_and(|one| one.rollback),
        },
    }
}

fn network_from_aws(raw: &NetworkConfiguration) -> Option<Network> {
    let raw = raw.awsvpc_configuration()?;
    Some(Network {
        subnets: given::names(raw.subnets()),
        security_groups: Some(given::names(raw.security_groups())),
        assign_public_ip: raw.assign_public_ip().given().map_or("DISABLED", AssignPublicIp::as_str).to_owned(),
    })
}
