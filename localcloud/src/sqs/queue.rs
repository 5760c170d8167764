//! Queues: creation, attributes, lookup by URL.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::message::Message;
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::page;
use crate::world::{ACCOUNT, World};

/// Attributes that can be set, with AWS's defaults and the largest value.
const ATTRIBUTES: [(&str, u64, u64); 5] = [
    ("DelaySeconds", 0, 900),
    ("MaximumMessageSize", 1_048_576, 1_048_576),
    ("MessageRetentionPeriod", 345_600, 1_209_600),
    ("ReceiveMessageWaitTimeSeconds", 0, 20),
    ("VisibilityTimeout", 30, 43_200),
];

/// Messages that a queue holds. AWS has no such bound.
const MAX_MESSAGES: usize = 10_000;

/// A queue.
#[derive(Debug, Clone, Default)]
pub struct Queue {
    /// Attributes that were set.
    attributes: BTreeMap<String, u64>,
    /// In the order in which they were sent.
    pub(super) messages: VecDeque<Message>,
    /// Messages that were ever sent to it.
    pub(super) sent: u64,
}

impl Queue {
    /// The value of an attribute, AWS's default if it was not set.
    pub(super) fn attribute(&self, name: &str) -> u64 {
        let default = || ATTRIBUTES.iter().find(|(known, ..)| *known == name).map_or(0, |(_, default, _)| *default);
        self.attributes.get(name).copied().unwrap_or_else(default)
    }

    /// A duration among the attributes, which count in seconds.
    pub(super) fn seconds(&self, name: &str) -> Duration {
        Duration::from_secs(self.attribute(name))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Create {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ByUrl {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct ByName {
    queue_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct List {
    queue_name_prefix: Option<String>,
    next_token: Option<String>,
    max_results: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct GetAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SetAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

/// What a queue counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Messages that can be received.
    pub visible: u64,
    /// Messages that were received and not deleted yet.
    pub in_flight: u64,
    /// Messages that were ever sent to it.
    pub sent: u64,
}

impl Queue {
    /// Adds a message. What is older than the queue's retention goes (AWS: `MessageRetentionPeriod`), and the oldest of too many.
    pub(super) fn push(&mut self, now: CloudTime, message: Message) {
        self.sent += 1;
        self.expire(now);
        if self.messages.len() >= MAX_MESSAGES {
            tracing::warn!("a queue holds {MAX_MESSAGES} messages; the oldest is dropped");
            self.messages.pop_front();
        }
        self.messages.push_back(message);
    }

    /// Drops what is older than the retention.
    pub(super) fn expire(&mut self, now: CloudTime) {
        let retention = self.seconds("MessageRetentionPeriod");
        while self.messages.front().is_some_and(|message| now.since(message.sent()) >= retention) {
            self.messages.pop_front();
        }
    }

    /// What it counts at `now`.
    pub(super) fn counts(&self, now: CloudTime) -> Counts {
        let retention = self.seconds("MessageRetentionPeriod");
        let kept = || self.messages.iter().filter(|message| now.since(message.sent()) < retention);
        let visible = kept().filter(|message| message.is_visible(now)).count();
        let delayed = kept().filter(|message| message.is_delayed(now)).count();
        let number = |count| u64::try_from(count).unwrap_or(u64::MAX);
        let in_flight = kept().count() - visible - delayed;
        Counts { visible: number(visible), in_flight: number(in_flight), sent: self.sent }
    }
}

/// Creates a queue, or returns the one there is if its attributes are the same.
pub(super) fn create(world: &mut World, input: Create) -> Answer {
    check_name(&input.queue_name)?;
    let attributes = read_attributes(input.attributes)?;
    let queue = Queue { attributes, messages: VecDeque::new(), sent: 0 };
    if let Some(there) = world.sqs.queues.get(&input.queue_name) {
        if queue.attributes.keys().any(|name| queue.attribute(name) != there.attribute(name)) {
            let message = "A queue already exists with the same name and a different value for an attribute.";
            return Err(ApiError::new("QueueNameExists", message));
        }
    } else {
        world.sqs.queues.insert(input.queue_name.clone(), queue);
    }
    Ok(json!({ "QueueUrl": url_of(world, &input.queue_name) }))
}

/// Deletes a queue with its messages.
pub(super) fn delete(world: &mut World, input: &ByUrl) -> Answer {
    find(world, &input.queue_url)?;
    world.sqs.queues.remove(name_of(&input.queue_url));
    Ok(json!({}))
}

/// Lists queues' URLs.
pub(super) fn list(world: &World, input: &List) -> Answer {
    let prefix = input.queue_name_prefix.as_deref().unwrap_or_default();
    let names: Vec<&String> = world.sqs.queues.keys().filter(|name| name.starts_with(prefix)).collect();
    let size = input.max_results.unwrap_or(1000).clamp(1, 1000);
    let (names, next) = page::page(names, |name| name.as_str(), input.next_token.as_deref(), size)
        .ok_or_else(|| ApiError::new("InvalidParameterValue", "Invalid value for the parameter NextToken."))?;
    let urls: Vec<String> = names.iter().map(|name| url_of(world, name)).collect();
    let mut answer = json!({ "QueueUrls": urls });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

/// Finds a queue's URL.
pub(super) fn url(world: &World, input: &ByName) -> Answer {
    if !world.sqs.queues.contains_key(&input.queue_name) {
        return Err(does_not_exist());
    }
    Ok(json!({ "QueueUrl": url_of(world, &input.queue_name) }))
}

/// Shows attributes, all of them for `All`.
pub(super) fn attributes(world: &mut World, now: CloudTime, input: &GetAttributes) -> Answer {
    let arn = world.arn("sqs", name_of(&input.queue_url));
    let queue = find(world, &input.queue_url)?;
    let Counts { visible, in_flight, .. } = queue.counts(now);
    let delayed = queue.messages.iter().filter(|message| message.is_delayed(now)).count();
    let mut shown: BTreeMap<&str, String> = BTreeMap::from([
        ("QueueArn", arn),
        ("ApproximateNumberOfMessages", visible.to_string()),
        ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
    ]);
    shown.extend(ATTRIBUTES.iter().map(|(name, ..)| (*name, queue.attribute(name).to_string())));
    let wanted = &input.attribute_names;
    if !wanted.iter().any(|name| name == "All") {
        if let Some(unknown) = wanted.iter().find(|name| !shown.contains_key(name.as_str())) {
            return Err(ApiError::not_implemented(format!("the queue attribute {unknown}")));
        }
        shown.retain(|name, _| wanted.iter().any(|wanted| wanted == name));
    }
    Ok(json!({ "Attributes": shown }))
}

/// Sets attributes; the others stay.
pub(super) fn set_attributes(world: &mut World, input: SetAttributes) -> Answer {
    let attributes = read_attributes(input.attributes)?;
    find(world, &input.queue_url)?.attributes.extend(attributes);
    Ok(json!({}))
}

/// Deletes all messages.
pub(super) fn purge(world: &mut World, input: &ByUrl) -> Answer {
    find(world, &input.queue_url)?.messages.clear();
    Ok(json!({}))
}

/// The queue behind a URL. Only the name counts: a client may know this cloud by another host.
pub(super) fn find<'a>(world: &'a mut World, url: &str) -> Result<&'a mut Queue, ApiError> {
    world.sqs.queues.get_mut(name_of(url)).ok_or_else(does_not_exist)
}

fn url_of(world: &World, name: &str) -> String {
    format!("{}/{ACCOUNT}/{name}", world.endpoint_url)
}

fn name_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

fn does_not_exist() -> ApiError {
    ApiError::new("QueueDoesNotExist", "The specified queue does not exist.")
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.ends_with(".fifo") {
        return Err(ApiError::not_implemented("FIFO queues"));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > 80 || !name.bytes().all(allowed) {
        let message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    Ok(())
}

fn read_attributes(given: BTreeMap<String, String>) -> Result<BTreeMap<String, u64>, ApiError> {
    given.into_iter().map(read_attribute).collect()
}

fn read_attribute((name, value): (String, String)) -> Result<(String, u64), ApiError> {
    let known = ATTRIBUTES.iter().find(|(known, ..)| *known == name);
    let (_, _, max) = known.ok_or_else(|| ApiError::not_implemented(format!("the queue attribute {name}")))?;
    let number = value.parse().ok().filter(|number| number <= max);
    let invalid = || ApiError::new("InvalidAttributeValue", format!("Invalid value for the parameter {name}."));
    Ok((name.clone(), number.ok_or_else(invalid)?))
}
