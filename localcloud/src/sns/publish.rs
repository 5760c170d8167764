//! Publishing: what a message may be, and who gets it.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, json};

use super::attribute::{self, Attributes};
use super::envelope::Content;
use super::{delivery, invalid, topic};
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

/// Bytes of a message with its attributes, or of all messages of a batch.
const MAX_BYTES: usize = 262_144;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Publish {
    topic_arn: Option<String>,
    target_arn: Option<String>,
    message: String,
    subject: Option<String>,
    #[serde(default)]
    message_attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct PublishBatch {
    topic_arn: String,
    publish_batch_request_entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entry {
    id: String,
    message: String,
    subject: Option<String>,
    #[serde(default)]
    message_attributes: Attributes,
}

/// Publishes one message.
pub(super) fn publish(world: &mut World, now: CloudTime, input: Publish) -> Answer {
    let arn = input.topic_arn.or(input.target_arn).ok_or_else(|| invalid("TopicArn or TargetArn Reason: no value"))?;
    topic::find(world, &arn)?;
    let content = content(input.message, input.subject, input.message_attributes)?;
    Ok(json!({ "MessageId": send(world, now, &arn, &content) }))
}

/// Publishes up to ten messages, each of which may fail for itself.
pub(super) fn publish_batch(world: &mut World, now: CloudTime, input: PublishBatch) -> Answer {
    topic::find(world, &input.topic_arn)?;
    check_batch(&input.publish_batch_request_entries)?;
    let mut successful = Vec::new();
    let mut failed = Vec::new();
    for entry in input.publish_batch_request_entries {
        match content(entry.message, entry.subject, entry.message_attributes) {
            Ok(content) => {
                let message_id = send(world, now, &input.topic_arn, &content);
                successful.push(json!({ "Id": entry.id, "MessageId": message_id }));
            }
            Err(error) => failed.push(json!({
                "Id": entry.id, "Code": error.code, "Message": error.message, "SenderFault": true,
            })),
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

/// Publishes what another service has to say to one of its topics; a topic that is gone gets nothing, as on AWS.
pub(super) fn notify(world: &mut World, now: CloudTime, topic_arn: &str, subject: &str, message: String) {
    if topic::find(world, topic_arn).is_ok() {
        let content = Content { message, subject: Some(subject.to_owned()), attributes: Map::new() };
        send(world, now, topic_arn, &content);
    }
}

fn send(world: &mut World, now: CloudTime, topic_arn: &str, content: &Content) -> String {
    let message_id = world.ids.uuid();
    if let Some(topic) = world.sns.topics.get_mut(topic_arn) {
        topic.counts.published += 1;
    }
    delivery::send_notifications(world, now, topic_arn, &message_id, content);
    message_id
}

fn check_batch(entries: &[Entry]) -> Result<(), ApiError> {
    if entries.is_empty() {
        return Err(ApiError::new("EmptyBatchRequest", "The batch request doesn't contain any entries."));
    }
    if entries.len() > 10 {
        return Err(ApiError::new("TooManyEntriesInBatchRequest", "The batch request contains more than 10 entries."));
    }
    let ids: BTreeSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
    if ids.len() < entries.len() {
        return Err(ApiError::new("BatchEntryIdsNotDistinct", "Two or more batch entries have the same Id."));
    }
    let bytes = |entry: &Entry| entry.message.len() + attribute::bytes(&entry.message_attributes);
    if entries.iter().map(bytes).sum::<usize>() > MAX_BYTES {
        return Err(ApiError::new("BatchRequestTooLong", format!("The batch is longer than {MAX_BYTES} bytes.")));
    }
    Ok(())
}

fn content(message: String, subject: Option<String>, attributes: Attributes) -> Result<Content, ApiError> {
    if message.is_empty() {
        return Err(invalid("Empty message"));
    }
    if message.len() + attribute::bytes(&attributes) > MAX_BYTES {
        return Err(invalid("Message too long"));
    }
    if let Some(subject) = &subject
        && (subject.is_empty() || subject.chars().count() > 100 || subject.chars().any(char::is_control))
    {
        return Err(invalid("Subject"));
    }
    Ok(Content { message, subject, attributes: attribute::shown(attributes)? })
}
