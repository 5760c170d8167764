//! Subnets and security groups of tasks.

use super::{Problems, grammar, spec};
use crate::manifest::pointer::Pointer;
use crate::manifest::{AssignPublicIp, LaunchType, Manifest, NetworkMode};

/// Most subnets of a service (AWS: ECS AwsVpcConfiguration).
const MAX_SUBNETS: usize = 16;
/// Most security groups (AWS: ECS AwsVpcConfiguration; ELBv2 quotas).
const MAX_SECURITY_GROUPS: usize = 5;

pub(super) fn check(manifest: &Manifest, problems: &mut Problems) {
    let path = spec().key("networkConfiguration");
    let mode = manifest.spec.task_definition.network_mode;
    match (&manifest.spec.network_configuration, mode) {
        (None, NetworkMode::Bridge) => {}
        (None, NetworkMode::Awsvpc) => {
            let what = "`networkConfiguration` is missing: tasks with network mode awsvpc need subnets";
            problems.add(spec(), what, "add `networkConfiguration: { subnets: [...] }`");
        }
        (Some(_), NetworkMode::Bridge) => {
            let what = "tasks with network mode bridge use their container instance's network";
            problems.add(path, what, "remove it, or set `networkMode: awsvpc`");
        }
        (Some(network), NetworkMode::Awsvpc) => {
            let count = network.subnets.len();
            if !(1..=MAX_SUBNETS).contains(&count) {
                let what = format!("a service has 1 to {MAX_SUBNETS} subnets, not {count}");
                problems.add(path.key("subnets"), what, "change the list");
            }
            subnets(&network.subnets, &path.key("subnets"), problems);
            security_groups(&network.security_groups, &path.key("securityGroups"), problems);
            let public = network.assign_public_ip == AssignPublicIp::Enabled;
            if public && manifest.spec.launch_type == LaunchType::Ec2 {
                let what = "only tasks on Fargate can have a public address";
                problems.add(path.key("assignPublicIp"), what, "remove it, or set `launchType: FARGATE`");
            }
        }
    }
}

/// Checks subnet IDs and that none stands twice.
pub(super) fn subnets(ids: &[String], path: &Pointer, problems: &mut Problems) {
    for (index, id) in ids.iter().enumerate() {
        problems.grammar(
            path.index(index),
            id,
            grammar::subnet_id,
            "use the ID of a subnet, such as subnet-0a1b2c3d4e5f60001",
        );
    }
    problems.distinct(path, "subnet", ids.iter());
}

/// Checks security group IDs, their number, and that none stands twice.
pub(super) fn security_groups(ids: &[String], path: &Pointer, problems: &mut Problems) {
    for (index, id) in ids.iter().enumerate() {
        let remedy = "use the ID of a security group, such as sg-0a1b2c3d4e5f60001";
        problems.grammar(path.index(index), id, grammar::security_group_id, remedy);
    }
    problems.distinct(path, "security group", ids.iter());
    if ids.len() > MAX_SECURITY_GROUPS {
        let what = format!("{} security groups are more than {MAX_SECURITY_GROUPS}", ids.len());
        problems.add(path.clone(), what, "remove some");
    }
}
