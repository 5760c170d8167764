//! Target groups: HTTP, with targets that are instances or addresses.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::attributes::{self, Attributes};
use super::errors::{invalid, load_balancer_not_found, target_group_not_found};
use super::health::{self, Registration};
use super::health_check::{HealthCheck, HealthCheckInput, MatcherInput};
use super::load_balancer::check_resource_name;
use super::tags::{self, TagInput, Tags};
use super::{Target, network, paging, targets};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

/// What the targets of a group are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TargetType {
    /// EC2 instances, by ID.
    Instance,
    /// IP addresses.
    Ip,
}

impl TargetType {
    /// As the API names it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Ip => "ip",
        }
    }
}

/// A target group.
#[derive(Debug, Clone)]
pub(super) struct TargetGroup {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) settings: Settings,
    pub(super) attributes: Attributes,
    pub(super) tags: Tags,
    pub(super) targets: BTreeMap<Target, Registration>,
    /// Load balancers that use the group: see `association`.
    pub(super) load_balancers: BTreeSet<String>,
}

/// What creation compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) target_type: TargetType,
    pub(super) port: u16,
    pub(super) health_check: HealthCheck,
    ip_address_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct CreateInput {
    name: String,
    protocol: Option<String>,
    protocol_version: Option<String>,
    port: Option<u16>,
    vpc_id: Option<String>,
    health_check_protocol: Option<String>,
    health_check_port: Option<String>,
    health_check_enabled: Option<bool>,
    health_check_path: Option<String>,
    health_check_interval_seconds: Option<u64>,
    health_check_timeout_seconds: Option<u64>,
    healthy_threshold_count: Option<u32>,
    unhealthy_threshold_count: Option<u32>,
    matcher: Option<MatcherInput>,
    target_type: Option<String>,
    #[serde(default)]
    tags: Vec<TagInput>,
    ip_address_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct ModifyInput {
    target_group_arn: String,
    health_check_protocol: Option<String>,
    health_check_port: Option<String>,
    health_check_enabled: Option<bool>,
    health_check_path: Option<String>,
    health_check_interval_seconds: Option<u64>,
    health_check_timeout_seconds: Option<u64>,
    healthy_threshold_count: Option<u32>,
    unhealthy_threshold_count: Option<u32>,
    matcher: Option<MatcherInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DescribeInput {
    load_balancer_arn: Option<String>,
    target_group_arns: Option<Vec<String>>,
    names: Option<Vec<String>>,
    marker: Option<String>,
    page_size: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DeleteInput {
    target_group_arn: String,
}

pub(super) fn create(world: &mut World, _now: CloudTime, input: CreateInput) -> Answer {
    let name = input.name.clone();
    check_resource_name("target group", &name)?;
    let (settings, tags) = read(input)?;
    if let Some(existing) = world.elb.target_groups.values().find(|group| group.name == name) {
        if existing.settings != settings {
            let text = format!("A target group with the same name '{name}' exists, but with different settings");
            return Err(ApiError::new("DuplicateTargetGroupName", text));
        }
        return Ok(json!({ "TargetGroups": [existing.describe()] }));
    }
    let id = world.ids.hex(16);
    let group = TargetGroup {
        arn: world.arn("elasticloadbalancing", &format!("targetgroup/{name}/{id}")),
        name,
        settings,
        attributes: attributes::new_target_group(),
        tags,
        targets: BTreeMap::new(),
        load_balancers: BTreeSet::new(),
    };
    let output = json!({ "TargetGroups": [group.describe()] });
    world.elb.target_groups.insert(group.arn.clone(), group);
    Ok(output)
}

fn read(input: CreateInput) -> Result<(Settings, Tags), ApiError> {
    let target_type = match input.target_type.as_deref() {
        None | Some("instance") => TargetType::Instance,
        Some("ip") => TargetType::Ip,
        Some(other) => {
            return Err(ApiError::not_implemented(format!("elasticloadbalancing target groups of type {other}")));
        }
    };
    match input.protocol.as_deref() {
        None => return Err(invalid("A protocol must be specified")),
        Some("HTTP") => {}
        Some(other) => {
            return Err(ApiError::not_implemented(format!("elasticloadbalancing targets that speak {other}")));
        }
    }
    if let Some(version) = input.protocol_version.filter(|version| version != "HTTP1") {
        return Err(ApiError::not_implemented(format!("elasticloadbalancing targets that speak {version}")));
    }
    let port = input.port.filter(|port| *port > 0).ok_or_else(|| invalid("A port must be specified"))?;
    let vpc = input.vpc_id.ok_or_else(|| invalid("A VPC ID must be specified"))?;
    if vpc != network::VPC {
        return Err(invalid(format!("The VPC ID '{vpc}' is not found")));
    }
    let health_check = HealthCheck::default().with(HealthCheckInput {
        protocol: input.health_check_protocol,
        port: input.health_check_port,
        enabled: input.health_check_enabled,
        path: input.health_check_path,
        interval_seconds: input.health_check_interval_seconds,
        timeout_seconds: input.health_check_timeout_seconds,
        healthy_threshold_count: input.healthy_threshold_count,
        unhealthy_threshold_count: input.unhealthy_threshold_count,
        matcher: input.matcher,
    })?;
    let ip_address_type = input.ip_address_type.unwrap_or_else(|| "ipv4".to_owned());
    Ok((Settings { target_type, port, health_check, ip_address_type }, tags::read(input.tags)?))
}

pub(super) fn describe(world: &mut World, _now: CloudTime, input: DescribeInput) -> Answer {
    let DescribeInput { load_balancer_arn, target_group_arns, names, marker, page_size } = input;
    let (arns, names) = (target_group_arns.unwrap_or_default(), names.unwrap_or_default());
    let ways =
        usize::from(load_balancer_arn.is_some()) + usize::from(!arns.is_empty()) + usize::from(!names.is_empty());
    if ways > 1 {
        return Err(invalid(
            "You can specify only one of a load balancer ARN, target group ARNs and target group names",
        ));
    }
    if load_balancer_arn.as_ref().is_some_and(|arn| !world.elb.load_balancers.contains_key(arn)) {
        return Err(load_balancer_not_found());
    }
    let of_balancer =
        |group: &&TargetGroup| load_balancer_arn.as_ref().is_none_or(|arn| group.load_balancers.contains(arn));
    let all = world.elb.target_groups.values().filter(of_balancer);
    let found = paging::named(all, &arns, &names, |group| (&group.arn, &group.name));
    let found = found.ok_or_else(target_group_not_found)?;
    let items = found.into_iter().map(|group| (group.arn.clone(), group.describe())).collect();
    paging::answer("TargetGroups", items, marker.as_deref(), page_size)
}

pub(super) fn modify(world: &mut World, now: CloudTime, input: ModifyInput) -> Answer {
    let group = world.elb.target_groups.get_mut(&input.target_group_arn).ok_or_else(target_group_not_found)?;
    group.settings.health_check = group.settings.health_check.with(HealthCheckInput {
        protocol: input.health_check_protocol,
        port: input.health_check_port,
        enabled: input.health_check_enabled,
        path: input.health_check_path,
        interval_seconds: input.health_check_interval_seconds,
        timeout_seconds: input.health_check_timeout_seconds,
        healthy_threshold_count: input.healthy_threshold_count,
        unhealthy_threshold_count: input.unhealthy_threshold_count,
        matcher: input.matcher,
    })?;
    let output = json!({ "TargetGroups": [group.describe()] });
    health::reschedule(world, now, &input.target_group_arn);
    Ok(output)
}

pub(super) fn delete(world: &mut World, now: CloudTime, input: DeleteInput) -> Answer {
    let arn = input.target_group_arn;
    let Some(group) = world.elb.target_groups.get(&arn) else {
        // Deleting what is not there succeeds.
        return Ok(json!({}));
    };
    if !group.load_balancers.is_empty() {
        let text = format!("Target group '{arn}' is currently in use by a listener or a rule");
        return Err(ApiError::new("ResourceInUse", text));
    }
    if let Some(group) = world.elb.target_groups.remove(&arn) {
        for target in group.targets.keys() {
            targets::gone(world, now, &arn, target);
        }
    }
    Ok(json!({}))
}

impl TargetGroup {
    fn describe(&self) -> Value {
        let Settings { target_type, port, health_check, ip_address_type } = &self.settings;
        let mut group = Map::new();
        group.insert("TargetGroupArn".to_owned(), self.arn.as_str().into());
        group.insert("TargetGroupName".to_owned(), self.name.as_str().into());
        group.insert("Protocol".to_owned(), "HTTP".into());
        group.insert("Port".to_owned(), (*port).into());
        group.insert("VpcId".to_owned(), network::VPC.into());
        health_check.describe(&mut group);
        group.insert("LoadBalancerArns".to_owned(), self.load_balancers.iter().cloned().collect());
        group.insert("TargetType".to_owned(), target_type.as_str().into());
        group.insert("ProtocolVersion".to_owned(), "HTTP1".into());
        group.insert("IpAddressType".to_owned(), ip_address_type.as_str().into());
        Value::Object(group)
    }
}
