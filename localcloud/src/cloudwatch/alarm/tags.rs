//! Tags of alarms.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::arn;
use crate::call::{Answer, ApiError};
use crate::world::World;

/// Tags that a resource may have.
const MAX_TAGS: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(crate) struct Tag {
    pub key: String,
    pub value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetTags {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags")]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveTags {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "TagKeys")]
    keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tagged {
    #[serde(rename = "ResourceARN")]
    arn: String,
}

/// Adds tags, or changes their values.
pub(crate) fn tag(world: &mut World, input: SetTags) -> Answer {
    let tags = tags_of(world, &input.arn)?;
    let mut all = tags.clone();
    all.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
    if all.len() > MAX_TAGS {
        return Err(super::super::invalid_value(format!("A resource has at most {MAX_TAGS} tags.")));
    }
    *tags = all;
    Ok(json!({}))
}

/// Removes tags.
pub(crate) fn untag(world: &mut World, input: &RemoveTags) -> Answer {
    tags_of(world, &input.arn)?.retain(|key, _| !input.keys.contains(key));
    Ok(json!({}))
}

/// Lists an alarm's tags.
pub(crate) fn list(world: &mut World, input: &Tagged) -> Answer {
    let tags = tags_of(world, &input.arn)?;
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    Ok(json!({"Tags": tags}))
}

fn tags_of<'a>(world: &'a mut World, resource: &str) -> Result<&'a mut BTreeMap<String, String>, ApiError> {
    let name = resource.strip_prefix(&arn(world, "")).map(str::to_owned);
    let alarm = name.and_then(|name| world.cloudwatch.alarms.get_mut(&name));
    alarm.map(|alarm| &mut alarm.tags).ok_or_else(|| {
        let text = format!("The alarm {resource} does not exist.");
        ApiError::with_status("ResourceNotFoundException", 404, text)
    })
}
