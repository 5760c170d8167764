//! Tags of scalable targets, the only things of Application Auto Scaling that have any.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;

use super::errors::{arn_missing, invalid};
use super::scalable_target::ScalableTarget;
use crate::call::{Answer, ApiError};
use crate::world::World;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Tags that one scalable target may have.
const LIMIT: usize = 50;

/// Input of TagResource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "Tags")]
    tags: Tags,
}

/// Input of UntagResource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Untag {
    #[serde(rename = "ResourceARN")]
    arn: String,
    #[serde(rename = "TagKeys")]
    keys: Vec<String>,
}

/// Input of ListTagsForResource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    #[serde(rename = "ResourceARN")]
    arn: String,
}

/// `tags` with `more` over them.
///
/// # Errors
/// `ValidationException` for a key or value that is no tag, `TooManyTagsException` for more than fifty.
pub fn merged(tags: &Tags, more: Tags) -> Result<Tags, ApiError> {
    for (key, value) in &more {
        if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
            return Err(invalid("Tag keys have 1 to 128 characters, tag values at most 256."));
        }
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys must not begin with aws:, which is reserved."));
        }
    }
    let mut merged = tags.clone();
    merged.extend(more);
    if merged.len() > LIMIT {
        return Err(ApiError::new("TooManyTagsException", format!("A resource can have at most {LIMIT} tags.")));
    }
    Ok(merged)
}

/// TagResource: merges by key.
pub fn tag(world: &mut World, input: Tag) -> Answer {
    let target = by_arn_mut(world, &input.arn)?;
    target.tags = merged(&target.tags, input.tags)?;
    Ok(json!({}))
}

/// UntagResource. Keys that are not there are nothing to do.
pub fn untag(world: &mut World, input: &Untag) -> Answer {
    let target = by_arn_mut(world, &input.arn)?;
    target.tags.retain(|key, _| !input.keys.contains(key));
    Ok(json!({}))
}

/// ListTagsForResource.
pub fn list(world: &mut World, input: &List) -> Answer {
    Ok(json!({"Tags": by_arn_mut(world, &input.arn)?.tags}))
}

/// Every scalable target's ARN and tags.
pub fn all(world: &World) -> Vec<(String, Tags)> {
    let targets = world.application_autoscaling.targets.values();
    targets.map(|target| (target.arn.clone(), target.tags.clone())).collect()
}

fn by_arn_mut<'a>(world: &'a mut World, arn: &str) -> Result<&'a mut ScalableTarget, ApiError> {
    let mut targets = world.application_autoscaling.targets.values_mut();
    targets.find(|target| target.arn == arn).ok_or_else(|| arn_missing(arn))
}
