//! Application load balancers.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::attributes::{self, Attributes};
use super::errors::{invalid, invalid_configuration, load_balancer_not_found};
use super::tags::{self, TagInput, Tags};
use super::{Timer, association, listener, network, paging};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::{self, World};

/// How long a load balancer is `provisioning`.
const PROVISIONING: Duration = Duration::from_millis(150);
/// Names or ARNs of one call.
const NAMED_MAX: usize = 20;
/// Hosted zone of load balancers in us-west-2, as AWS publishes it.
const HOSTED_ZONE: &str = "Z1H1FL5HABSF5";
/// The end of every DNS name. Curl and browsers take `.localhost` to loopback without asking a name server.
pub(super) const DNS_SUFFIX: &str = ".elb.localhost";

/// A load balancer.
#[derive(Debug, Clone)]
pub(super) struct LoadBalancer {
    pub(super) arn: String,
    pub(super) name: String,
    pub(super) dns_name: String,
    pub(super) attributes: Attributes,
    pub(super) tags: Tags,
    created: CloudTime,
    active: bool,
    settings: Settings,
}

/// What creation compares, and what the `Set…` calls change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Settings {
    scheme: String,
    ip_address_type: String,
    /// Subnets with their availability zones.
    subnets: BTreeSet<(String, String)>,
    security_groups: BTreeSet<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct CreateInput {
    name: String,
    subnets: Option<Vec<String>>,
    subnet_mappings: Option<Vec<SubnetMapping>>,
    security_groups: Option<Vec<String>>,
    scheme: Option<String>,
    #[serde(default)]
    tags: Vec<TagInput>,
    #[serde(rename = "Type")]
    kind: Option<String>,
    ip_address_type: Option<String>,
}

/// A subnet; an address in it cannot be chosen for an application load balancer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct SubnetMapping {
    subnet_id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DescribeInput {
    load_balancer_arns: Option<Vec<String>>,
    names: Option<Vec<String>>,
    marker: Option<String>,
    page_size: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DeleteInput {
    load_balancer_arn: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct SetSubnetsInput {
    load_balancer_arn: String,
    subnets: Option<Vec<String>>,
    subnet_mappings: Option<Vec<SubnetMapping>>,
    ip_address_type: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct SetSecurityGroupsInput {
    load_balancer_arn: String,
    security_groups: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct SetIpAddressTypeInput {
    load_balancer_arn: String,
    ip_address_type: String,
}

pub(super) fn create(world: &mut World, now: CloudTime, input: CreateInput) -> Answer {
    check_name(&input.name)?;
    if let Some(kind) = input.kind.filter(|kind| kind != "application") {
        return Err(ApiError::not_implemented(format!("elasticloadbalancing load balancers of type {kind}")));
    }
    let tags = tags::read(input.tags)?;
    let settings = Settings {
        scheme: input.scheme.unwrap_or_else(|| "internet-facing".to_owned()),
        ip_address_type: input.ip_address_type.unwrap_or_else(|| "ipv4".to_owned()),
        subnets: subnets(&world.region, input.subnets, input.subnet_mappings)?,
        security_groups: security_groups(&input.security_groups.unwrap_or_default())?,
    };
    if let Some(existing) = world.elb.load_balancers.values().find(|balancer| balancer.name == input.name) {
        if existing.settings != settings {
            let text =
                format!("A load balancer with the same name '{}' exists, but with different settings", input.name);
            return Err(ApiError::new("DuplicateLoadBalancerName", text));
        }
        return Ok(json!({ "LoadBalancers": [existing.describe()] }));
    }
    let balancer = make(world, now, input.name, settings, tags);
    let output = json!({ "LoadBalancers": [balancer.describe()] });
    world.timers.set(now.after(PROVISIONING), world::Timer::Elb(Timer::Provisioned(balancer.arn.clone())));
    world.elb.load_balancers.insert(balancer.arn.clone(), balancer);
    Ok(output)
}

fn make(world: &mut World, now: CloudTime, name: String, settings: Settings, tags: Tags) -> LoadBalancer {
    let id = world.ids.hex(16);
    let internal = settings.scheme == "internal";
    let label = if internal { format!("internal-{name}") } else { name.clone() };
    LoadBalancer {
        arn: world.arn("elasticloadbalancing", &format!("loadbalancer/app/{name}/{id}")),
        dns_name: format!("{label}-{}.{}{DNS_SUFFIX}", world.ids.number() % 10_000_000_000, world.region)
            .to_lowercase(),
        attributes: attributes::new_load_balancer(internal),
        tags,
        created: now,
        active: false,
        name,
        settings,
    }
}

pub(super) fn provisioned(world: &mut World, arn: &str) {
    if let Some(balancer) = world.elb.load_balancers.get_mut(arn) {
        balancer.active = true;
    }
}

pub(super) fn describe(world: &mut World, _now: CloudTime, input: DescribeInput) -> Answer {
    let DescribeInput { load_balancer_arns, names, marker, page_size } = input;
    let (arns, names) = (load_balancer_arns.unwrap_or_default(), names.unwrap_or_default());
    if !arns.is_empty() && !names.is_empty() {
        return Err(invalid("Load balancer names and load balancer ARNs cannot be specified at the same time"));
    }
    if arns.len().max(names.len()) > NAMED_MAX {
        return Err(invalid(format!("The number of load balancers cannot exceed {NAMED_MAX}")));
    }
    let all = world.elb.load_balancers.values();
    let found = paging::named(all, &arns, &names, |balancer| (&balancer.arn, &balancer.name));
    let found = found.ok_or_else(load_balancer_not_found)?;
    let items = found.into_iter().map(|balancer| (balancer.arn.clone(), balancer.describe())).collect();
    paging::answer("LoadBalancers", items, marker.as_deref(), page_size)
}

pub(super) fn delete(world: &mut World, now: CloudTime, input: DeleteInput) -> Answer {
    let arn = input.load_balancer_arn;
    let Some(balancer) = world.elb.load_balancers.get(&arn) else {
        // Deleting what is not there succeeds.
        return Ok(json!({}));
    };
    if attributes::is_on(&balancer.attributes, "deletion_protection.enabled") {
        let text = format!("Load balancer '{arn}' cannot be deleted because deletion protection is enabled");
        return Err(ApiError::new("OperationNotPermitted", text));
    }
    let listeners: Vec<String> = world
        .elb
        .listeners
        .values()
        .filter(|listener| listener.load_balancer_arn == arn)
        .map(|listener| listener.arn.clone())
        .collect();
    for listener_arn in listeners {
        listener::remove(&mut world.elb, &listener_arn);
    }
    world.elb.load_balancers.remove(&arn);
    association::refresh(world, now);
    Ok(json!({}))
}

pub(super) fn set_subnets(world: &mut World, _now: CloudTime, input: SetSubnetsInput) -> Answer {
    let subnets = subnets(&world.region, input.subnets, input.subnet_mappings)?;
    let balancer = world.elb.load_balancers.get_mut(&input.load_balancer_arn).ok_or_else(load_balancer_not_found)?;
    balancer.settings.subnets = subnets;
    if let Some(ip_address_type) = input.ip_address_type {
        balancer.settings.ip_address_type = ip_address_type;
    }
    let Settings { ip_address_type, .. } = &balancer.settings;
    Ok(json!({ "AvailabilityZones": balancer.zones(), "IpAddressType": ip_address_type }))
}

pub(super) fn set_security_groups(world: &mut World, _now: CloudTime, input: SetSecurityGroupsInput) -> Answer {
    let SetSecurityGroupsInput { load_balancer_arn, security_groups: ids } = input;
    let groups = security_groups(&ids)?;
    let balancer = world.elb.load_balancers.get_mut(&load_balancer_arn).ok_or_else(load_balancer_not_found)?;
    balancer.settings.security_groups = groups;
    Ok(json!({ "SecurityGroupIds": balancer.settings.security_groups }))
}

pub(super) fn set_ip_address_type(world: &mut World, _now: CloudTime, input: SetIpAddressTypeInput) -> Answer {
    let balancer = world.elb.load_balancers.get_mut(&input.load_balancer_arn).ok_or_else(load_balancer_not_found)?;
    balancer.settings.ip_address_type = input.ip_address_type;
    Ok(json!({ "IpAddressType": balancer.settings.ip_address_type }))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    check_resource_name("load balancer", name)?;
    if name.starts_with("internal-") {
        return Err(invalid(format!("The load balancer name '{name}' cannot begin with 'internal-'")));
    }
    Ok(())
}

/// The grammar that load balancers and target groups share.
pub(super) fn check_resource_name(noun: &str, name: &str) -> Result<(), ApiError> {
    let fault = if name.is_empty() || name.len() > 32 {
        "must be 1 to 32 characters long"
    } else if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        "can only contain characters that are alphanumeric characters or hyphens(-)"
    } else if name.starts_with('-') || name.ends_with('-') {
        "cannot begin or end with a hyphen(-)"
    } else {
        return Ok(());
    };
    Err(invalid(format!("The {noun} name '{name}' {fault}")))
}

/// Subnets with their zones.
fn subnets(
    region: &str,
    ids: Option<Vec<String>>,
    mappings: Option<Vec<SubnetMapping>>,
) -> Result<BTreeSet<(String, String)>, ApiError> {
    let ids = match (ids.unwrap_or_default(), mappings.unwrap_or_default()) {
        (ids, mappings) if mappings.is_empty() => ids,
        (ids, mappings) if ids.is_empty() => mappings.into_iter().map(|mapping| mapping.subnet_id).collect(),
        _ => return Err(invalid("You can specify subnets or subnet mappings, but not both")),
    };
    let mut subnets = BTreeSet::new();
    for id in ids {
        let zone = network::zone_of(region, &id)
            .ok_or_else(|| ApiError::new("SubnetNotFound", format!("The subnet ID '{id}' does not exist")))?;
        if !subnets.insert((id, zone)) {
            let text = "A load balancer cannot be attached to multiple subnets in the same Availability Zone";
            return Err(invalid_configuration(text));
        }
    }
    let zones: BTreeSet<&str> = subnets.iter().map(|(_, zone)| zone.as_str()).collect();
    if zones.len() < 2 {
        return Err(invalid("At least two subnets in two different Availability Zones must be specified"));
    }
    Ok(subnets)
}

fn security_groups(ids: &[String]) -> Result<BTreeSet<String>, ApiError> {
    if let Some(id) = ids.iter().find(|id| *id != network::SECURITY_GROUP) {
        return Err(ApiError::new("InvalidSecurityGroup", format!("The security group '{id}' does not exist")));
    }
    Ok(BTreeSet::from([network::SECURITY_GROUP.to_owned()]))
}

impl LoadBalancer {
    /// The last part of the ARN, `<name>/<id>`.
    pub(super) fn tail(&self) -> &str {
        self.arn.split_once("loadbalancer/app/").map_or("", |(_, tail)| tail)
    }

    fn describe(&self) -> Value {
        let Settings { scheme, ip_address_type, subnets: _, security_groups } = &self.settings;
        json!({
            "LoadBalancerArn": self.arn,
            "DNSName": self.dns_name,
            "CanonicalHostedZoneId": HOSTED_ZONE,
            "CreatedTime": self.created.as_epoch_seconds(),
            "LoadBalancerName": self.name,
            "Scheme": scheme,
            "VpcId": network::VPC,
            "State": { "Code": if self.active { "active" } else { "provisioning" } },
            "Type": "application",
            "AvailabilityZones": self.zones(),
            "SecurityGroups": security_groups,
            "IpAddressType": ip_address_type,
        })
    }

    fn zones(&self) -> Value {
        let zones = self.settings.subnets.iter();
        zones.map(|(id, zone)| json!({ "ZoneName": zone, "SubnetId": id, "LoadBalancerAddresses": [] })).collect()
    }
}
