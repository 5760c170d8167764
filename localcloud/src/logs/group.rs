//! Log groups: creation, retention, tags, listing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::stream::Streams;
use super::{find, find_mut, group_arn, group_missing, invalid, page_size};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::page;
use crate::world::World;

/// Days that a retention policy may say.
const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// A log group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    created: CloudTime,
    retention_days: Option<u32>,
    tags: BTreeMap<String, String>,
    pub(super) streams: Streams,
}

impl Group {
    pub(super) fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Create {
    log_group_name: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    log_group_class: Option<String>,
}

impl Create {
    /// That of a group with this name and nothing else.
    pub(super) fn named(name: &str) -> Self {
        Self { log_group_name: name.to_owned(), tags: BTreeMap::new(), log_group_class: None }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Named {
    log_group_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
    next_token: Option<String>,
    limit: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PutRetention {
    log_group_name: String,
    retention_in_days: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SetTags {
    resource_arn: String,
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RemoveTags {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Tagged {
    resource_arn: String,
}

/// Creates a group.
pub(super) fn create(world: &mut World, now: CloudTime, input: Create) -> Answer {
    check_name(&input.log_group_name)?;
    if let Some(class) = input.log_group_class.filter(|class| class != "STANDARD") {
        return Err(ApiError::not_implemented(format!("the log group class {class}")));
    }
    if world.logs.groups.contains_key(&input.log_group_name) {
        return Err(ApiError::new("ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    let group = Group { created: now, tags: input.tags, ..Group::default() };
    world.logs.groups.insert(input.log_group_name, group);
    Ok(json!({}))
}

/// Deletes a group with its streams.
pub(super) fn delete(world: &mut World, input: &Named) -> Answer {
    world.logs.groups.remove(&input.log_group_name).ok_or_else(group_missing)?;
    Ok(json!({}))
}

/// Lists groups by prefix, by a part of the name, or by identifiers.
pub(super) fn describe(world: &World, input: &Describe) -> Answer {
    let ways = [
        input.log_group_name_prefix.is_some(),
        input.log_group_name_pattern.is_some(),
        input.log_group_identifiers.is_some(),
    ];
    if ways.iter().filter(|given| **given).count() > 1 {
        return Err(invalid("LogGroup name prefix, name pattern and identifiers are mutually exclusive parameters."));
    }
    let groups: Vec<(&String, &Group)> =
        world.logs.groups.iter().filter(|(name, _)| wanted(world, input, name)).collect();
    let size = page_size(input.limit, 50)?;
    let (groups, next) = page::page(groups, |(name, _)| name.as_str(), input.next_token.as_deref(), size)
        .ok_or_else(|| invalid("The specified nextToken is invalid."))?;
    let mut answer = json!({
        "logGroups": groups.iter().map(|(name, group)| show(world, name, group)).collect::<Vec<_>>(),
    });
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    Ok(answer)
}

fn wanted(world: &World, input: &Describe, name: &str) -> bool {
    let by_prefix = input.log_group_name_prefix.as_deref().is_none_or(|prefix| name.starts_with(prefix));
    let by_pattern = input.log_group_name_pattern.as_deref().is_none_or(|part| {
        // AWS's patterns are parts of the name, whatever the case.
        name.to_ascii_lowercase().contains(&part.to_ascii_lowercase())
    });
    let by_identifier = input.log_group_identifiers.as_ref().is_none_or(|identifiers| {
        identifiers.iter().any(|identifier| identifier == name || *identifier == group_arn(world, name))
    });
    by_prefix && by_pattern && by_identifier
}

fn show(world: &World, name: &str, group: &Group) -> Value {
    let arn = group_arn(world, name);
    let mut shown = json!({
        "logGroupName": name,
        "creationTime": group.created.as_millis(),
        "metricFilterCount": 0,
        // The older member's form ends in `:*`, the newer one's does not; calls about tags take the newer one.
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "storedBytes": group.streams.bytes(),
        "logGroupClass": "STANDARD",
    });
    if let Some(days) = group.retention_days {
        shown["retentionInDays"] = json!(days);
    }
    shown
}

/// Sets for how long events are kept.
pub(super) fn put_retention(world: &mut World, input: &PutRetention) -> Answer {
    if !RETENTION_DAYS.contains(&input.retention_in_days) {
        return Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum \
             value set: {RETENTION_DAYS:?}",
            input.retention_in_days
        )));
    }
    find_mut(world, &input.log_group_name)?.retention_days = Some(input.retention_in_days);
    Ok(json!({}))
}

/// Lets events be kept for ever.
pub(super) fn delete_retention(world: &mut World, input: &Named) -> Answer {
    find_mut(world, &input.log_group_name)?.retention_days = None;
    Ok(json!({}))
}

/// Adds tags, or changes their values.
pub(super) fn tag(world: &mut World, input: SetTags) -> Answer {
    let name = name_in_arn(world, &input.resource_arn)?;
    find_mut(world, &name)?.tags.extend(input.tags);
    Ok(json!({}))
}

/// Removes tags.
pub(super) fn untag(world: &mut World, input: &RemoveTags) -> Answer {
    let name = name_in_arn(world, &input.resource_arn)?;
    find_mut(world, &name)?.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

/// Lists a group's tags.
pub(super) fn list_tags(world: &World, input: &Tagged) -> Answer {
    let name = name_in_arn(world, &input.resource_arn)?;
    Ok(json!({ "tags": find(world, &name)?.tags }))
}

/// The group that an ARN names. AWS refuses the form that ends in `:*` here.
fn name_in_arn(world: &World, arn: &str) -> Result<String, ApiError> {
    let name = arn.strip_prefix(&group_arn(world, "")).filter(|name| !name.ends_with(":*"));
    name.map(str::to_owned).ok_or_else(|| invalid(format!("'{arn}' is not the ARN of a log group (without ':*')")))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/#".contains(&byte);
    if name.is_empty() || name.len() > 512 || name.starts_with("aws/") || !name.bytes().all(allowed) {
        return Err(invalid(format!(
            "Value '{name}' at 'logGroupName' failed to satisfy constraint: 1 to 512 of letters, digits and ._-/#, not beginning \
             with aws/"
        )));
    }
    Ok(())
}
