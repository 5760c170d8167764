//! Tags of clusters, container instances, task definitions, services and tasks.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::invalid;
use super::service::ServiceStatus;
use super::{cluster, service, task_definition};
use crate::call::{Answer, ApiError};
use crate::world::World;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Tags that one resource may have.
const LIMIT: usize = 50;

/// A tag as the API has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tag {
    key: String,
    #[serde(default)]
    value: String,
}

/// Reads tags given at creation.
pub fn from_list(tags: Vec<Tag>) -> Result<Tags, ApiError> {
    let mut all = Tags::new();
    merge(&mut all, tags)?;
    Ok(all)
}

/// Shows tags as the API does.
pub fn to_list(tags: &Tags) -> Value {
    tags.iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
}

fn merge(into: &mut Tags, tags: Vec<Tag>) -> Result<(), ApiError> {
    for tag in tags {
        if tag.key.is_empty() || tag.key.chars().count() > 128 || tag.value.chars().count() > 256 {
            return Err(invalid("Tag keys have 1 to 128 characters, tag values at most 256."));
        }
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid("Tag keys must not begin with aws:, which is reserved."));
        }
        into.insert(tag.key, tag.value);
    }
    if into.len() > LIMIT {
        return Err(invalid(format!("A resource can have at most {LIMIT} tags.")));
    }
    Ok(())
}

/// Input of TagResource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TagResource {
    resource_arn: String,
    tags: Vec<Tag>,
}

/// Input of UntagResource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct UntagResource {
    resource_arn: String,
    tag_keys: Vec<String>,
}

/// Input of ListTagsForResource.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListTagsForResource {
    resource_arn: String,
}

/// TagResource: merges by key.
pub fn tag(world: &mut World, input: TagResource) -> Answer {
    let tags = tags_of(world, &input.resource_arn)?;
    let mut merged = tags.clone();
    merge(&mut merged, input.tags)?;
    *tags = merged;
    Ok(json!({}))
}

/// UntagResource.
pub fn untag(world: &mut World, input: &UntagResource) -> Answer {
    let tags = tags_of(world, &input.resource_arn)?;
    tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

/// ListTagsForResource.
pub fn list_for_resource(world: &mut World, input: &ListTagsForResource) -> Answer {
    Ok(json!({"tags": to_list(tags_of(world, &input.resource_arn)?)}))
}

/// The tags behind an ARN.
fn tags_of<'a>(world: &'a mut World, arn: &str) -> Result<&'a mut Tags, ApiError> {
    let resource = arn.splitn(6, ':').nth(5).ok_or_else(|| invalid(format!("Invalid resource ARN: {arn}")))?;
    let mut parts = resource.split('/');
    let (kind, first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default(), parts.next());
    let ecs = &mut world.ecs;
    let found = match (kind, second) {
        ("cluster", None) => cluster::active_mut(ecs, first).map(|cluster| &mut cluster.tags),
        ("task-definition", None) => task_definition::find_mut(ecs, first).map(|definition| &mut definition.tags),
        ("service", Some(name)) => {
            let key = service::ServiceKey { cluster: first.to_owned(), name: name.to_owned() };
            let found = ecs.services.get_mut(&key).filter(|service| service.status != ServiceStatus::Inactive);
            found.map(|service| &mut service.tags)
        }
        ("task", Some(id)) => ecs.tasks.get_mut(id).map(|task| &mut task.tags),
        ("container-instance", Some(id)) => ecs.instances.get_mut(id).map(|instance| &mut instance.tags),
        _ => return Err(invalid(format!("Invalid resource ARN: {arn}"))),
    };
    found.ok_or_else(|| invalid("The specified resource wasn't found."))
}

/// ARN and tags of every live service and every ACTIVE task definition.
pub fn tagged(world: &World) -> Vec<(String, Tags)> {
    let services = world.ecs.services.values().filter(|service| service.status != ServiceStatus::Inactive);
    let definitions = world.ecs.families.values().flat_map(task_definition::Family::active);
    services
        .map(|service| (service.arn.clone(), service.tags.clone()))
        .chain(definitions.map(|definition| (definition.arn.clone(), definition.tags.clone())))
        .collect()
}
