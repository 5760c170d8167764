//! Tags of load balancers, target groups, listeners and rules.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Elb;
use super::errors::{invalid, listener_not_found, load_balancer_not_found, rule_not_found, target_group_not_found};
use super::ports::SOCKET_TAG;
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

/// Tags of one resource.
const TAGS_MAX: usize = 50;
/// Resources of one call.
const RESOURCES_MAX: usize = 20;

/// Tags by key.
pub(super) type Tags = BTreeMap<String, String>;

/// A tag as sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct TagInput {
    key: String,
    value: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct AddInput {
    resource_arns: Vec<String>,
    tags: Vec<TagInput>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct RemoveInput {
    resource_arns: Vec<String>,
    tag_keys: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub(super) struct DescribeInput {
    resource_arns: Vec<String>,
}

/// The tags of a new resource.
///
/// # Errors
/// A key twice, or too many.
pub(super) fn read(inputs: Vec<TagInput>) -> Result<Tags, ApiError> {
    let mut tags = Tags::new();
    for TagInput { key, value } in inputs {
        if let Some((key, _)) = tags.get_key_value(&key) {
            return Err(ApiError::new("DuplicateTagKeys", format!("The tag key '{key}' is specified more than once")));
        }
        if key == SOCKET_TAG {
            return Err(invalid(format!("The tag key '{key}' is the local cloud's own and cannot be written")));
        }
        tags.insert(key, value.unwrap_or_default());
    }
    check_count(&tags)?;
    Ok(tags)
}

fn check_count(tags: &Tags) -> Result<(), ApiError> {
    if tags.len() > TAGS_MAX {
        return Err(ApiError::new("TooManyTags", format!("A resource can have at most {TAGS_MAX} tags")));
    }
    Ok(())
}

pub(super) fn add(world: &mut World, _now: CloudTime, input: AddInput) -> Answer {
    let added = read(input.tags)?;
    for arn in &input.resource_arns {
        let mut tags = of(&mut world.elb, arn)?.clone();
        tags.extend(added.clone());
        check_count(&tags)?;
    }
    for arn in &input.resource_arns {
        of(&mut world.elb, arn)?.extend(added.clone());
    }
    Ok(json!({}))
}

pub(super) fn remove(world: &mut World, _now: CloudTime, input: RemoveInput) -> Answer {
    let RemoveInput { resource_arns, tag_keys } = input;
    for arn in &resource_arns {
        of(&mut world.elb, arn)?;
    }
    for arn in &resource_arns {
        of(&mut world.elb, arn)?.retain(|key, _| !tag_keys.contains(key));
    }
    Ok(json!({}))
}

pub(super) fn describe(world: &mut World, _now: CloudTime, input: DescribeInput) -> Answer {
    let DescribeInput { resource_arns } = input;
    if resource_arns.len() > RESOURCES_MAX {
        return Err(invalid(format!("The number of resources cannot exceed {RESOURCES_MAX}")));
    }
    let mut descriptions = Vec::new();
    for arn in &resource_arns {
        let mut tags = of(&mut world.elb, arn)?.clone();
        tags.extend(socket_tag(&world.elb, arn));
        let tags: Value = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        descriptions.push(json!({ "ResourceArn": arn, "Tags": tags }));
    }
    Ok(json!({ "TagDescriptions": descriptions }))
}

/// Where a listener's clients connect, if that is not its own port.
fn socket_tag(elb: &Elb, arn: &str) -> Option<(String, String)> {
    let socket = elb.ports.moved(elb.listeners.get(arn)?.port)?;
    Some((SOCKET_TAG.to_owned(), socket.to_string()))
}

/// The tags of whatever has this ARN.
fn of<'a>(elb: &'a mut Elb, arn: &str) -> Result<&'a mut Tags, ApiError> {
    let resource = arn.splitn(6, ':').nth(5).and_then(|resource| resource.split('/').next());
    match resource {
        Some("loadbalancer") => {
            elb.load_balancers.get_mut(arn).map(|balancer| &mut balancer.tags).ok_or_else(load_balancer_not_found)
        }
        Some("targetgroup") => {
            elb.target_groups.get_mut(arn).map(|group| &mut group.tags).ok_or_else(target_group_not_found)
        }
        Some("listener") => {
            elb.listeners.get_mut(arn).map(|listener| &mut listener.tags).ok_or_else(listener_not_found)
        }
        Some("listener-rule") => elb.rules.get_mut(arn).map(|rule| &mut rule.tags).ok_or_else(rule_not_found),
        _ => Err(invalid(format!("'{arn}' is not a valid load balancer, target group, listener or rule ARN"))),
    }
}

/// The tags of everything.
pub(super) fn all(elb: &Elb) -> Vec<(String, Tags)> {
    let load_balancers = elb.load_balancers.iter().map(|(arn, balancer)| (arn, &balancer.tags));
    let target_groups = elb.target_groups.iter().map(|(arn, group)| (arn, &group.tags));
    let listeners = elb.listeners.iter().map(|(arn, listener)| (arn, &listener.tags));
    let rules = elb.rules.iter().map(|(arn, rule)| (arn, &rule.tags));
    let everything = load_balancers.chain(target_groups).chain(listeners).chain(rules);
    everything.map(|(arn, tags)| (arn.clone(), tags.clone())).collect()
}
