//! CloudWatch Logs: groups, streams and their events. What tasks write ends here.
//!
//! Events are bounded by count and bytes. Not here: their expiry by time (AWS takes up to three days over it), metric
//! filters, subscriptions, queries, encryption.

mod events;
mod group;
mod stream;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::call::{self, Answer, ApiError, Call};
use crate::clock::CloudTime;
use crate::world::World;

/// Log groups, in ASCII order of their names.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    groups: BTreeMap<String, group::Group>,
    /// Numbers events in order of arrival.
    ingested: u64,
}

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, input: Value) -> Answer {
    match operation {
        "CreateLogGroup" => group::create(world, call.now, read(operation, input)?),
        "DeleteLogGroup" => group::delete(world, &read(operation, input)?),
        "DescribeLogGroups" => group::describe(world, &read(operation, input)?),
        "PutRetentionPolicy" => group::put_retention(world, &read(operation, input)?),
        "DeleteRetentionPolicy" => group::delete_retention(world, &read(operation, input)?),
        "TagResource" => group::tag(world, read(operation, input)?),
        "UntagResource" => group::untag(world, &read(operation, input)?),
        "ListTagsForResource" => group::list_tags(world, &read(operation, input)?),
        "CreateLogStream" => stream::create(world, call.now, read(operation, input)?),
        "DeleteLogStream" => stream::delete(world, &read(operation, input)?),
        "DescribeLogStreams" => stream::describe(world, &read(operation, input)?),
        "PutLogEvents" => events::put(world, call.now, read(operation, input)?),
        "GetLogEvents" => events::get(world, &read(operation, input)?),
        "FilterLogEvents" => events::filter(world, &read(operation, input)?),
        _ => Err(ApiError::not_implemented(format!("logs {operation}"))),
    }
}

/// Appends a line of a task's output, making the stream if need be. A group that is missing loses it, as with AWS's log driver.
pub fn append(world: &mut World, now: CloudTime, group: &str, stream: &str, line: String) {
    let logs = &mut world.logs;
    let Some(group) = logs.groups.get_mut(group) else { return };
    logs.ingested += 1;
    let event =
        stream::Event { timestamp: now.as_millis(), ingested: now.as_millis(), number: logs.ingested, message: line };
    group.streams.push(now, stream, event);
}

/// Whether there is such a log group.
pub fn exists(world: &World, group: &str) -> bool {
    world.logs.groups.contains_key(group)
}

/// Makes a log group, unless there is one of that name, as AWS's log driver does where it may.
pub fn create_if_missing(world: &mut World, now: CloudTime, group: &str) {
    if let Err(error) = group::create(world, now, group::Create::named(group)) {
        tracing::debug!(group, %error, "no log group was made");
    }
}

/// Log groups with their tags, by ARN (without `:*`).
pub fn tagged(world: &World) -> Vec<(String, BTreeMap<String, String>)> {
    world.logs.groups.iter().map(|(name, group)| (group_arn(world, name), group.tags().clone())).collect()
}

fn read<T: serde::de::DeserializeOwned>(operation: &str, input: Value) -> Result<T, ApiError> {
    call::input("logs", operation, input)
}

fn group_arn(world: &World, name: &str) -> String {
    world.arn("logs", &format!("log-group:{name}"))
}

fn find<'a>(world: &'a World, name: &str) -> Result<&'a group::Group, ApiError> {
    world.logs.groups.get(name).ok_or_else(group_missing)
}

fn find_mut<'a>(world: &'a mut World, name: &str) -> Result<&'a mut group::Group, ApiError> {
    world.logs.groups.get_mut(name).ok_or_else(group_missing)
}

/// The group's name, given by itself or as a name or ARN in `logGroupIdentifier`.
fn named<'a>(world: &World, name: Option<&'a str>, identifier: Option<&'a str>) -> Result<&'a str, ApiError> {
    match (name, identifier) {
        (Some(name), None) => Ok(name),
        (None, Some(identifier)) => Ok(identifier.strip_prefix(&group_arn(world, "")).unwrap_or(identifier)),
        _ => Err(invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")),
    }
}

fn group_missing() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified log group does not exist.")
}

fn stream_missing() -> ApiError {
    ApiError::new("ResourceNotFoundException", "The specified log stream does not exist.")
}

fn invalid(message: impl Into<String>) -> ApiError {
    ApiError::new("InvalidParameterException", message)
}

/// How many items a page holds: what was asked for, from 1 to `max`.
fn page_size(asked: Option<usize>, max: usize) -> Result<usize, ApiError> {
    match asked {
        None => Ok(max),
        Some(size) if (1..=max).contains(&size) => Ok(size),
        Some(size) => Err(invalid(format!("limit must be from 1 to {max}, not {size}"))),
    }
}
