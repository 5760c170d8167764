//! Messages: sending, receiving with a visibility timeout, deleting by receipt handle.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::queue;
use crate::call::{Answer, ApiError};
use crate::clock::CloudTime;
use crate::world::World;

/// A message in a queue.
#[derive(Debug, Clone, Default)]
pub struct Message {
    id: String,
    body: String,
    sent: CloudTime,
    visible_from: CloudTime,
    /// Of the latest receipt, the only one that deletes.
    receipt_handle: Option<String>,
    first_received: Option<CloudTime>,
    receive_count: u32,
}

impl Message {
    /// A message that can be received from `visible_from` on.
    pub(super) fn new(id: String, body: String, sent: CloudTime, visible_from: CloudTime) -> Self {
        Self { id, body, sent, visible_from, ..Self::default() }
    }

    pub(super) fn sent(&self) -> CloudTime {
        self.sent
    }

    pub(super) fn is_visible(&self, now: CloudTime) -> bool {
        self.visible_from <= now
    }

    /// Whether it waits for the first time it can be received.
    pub(super) fn is_delayed(&self, now: CloudTime) -> bool {
        !self.is_visible(now) && self.receive_count == 0
    }

    fn shown(&self, attributes: &[String]) -> Value {
        let first_received = self.first_received.unwrap_or_default();
        let all = [
            ("SentTimestamp", self.sent.as_millis().to_string()),
            ("ApproximateReceiveCount", self.receive_count.to_string()),
            ("ApproximateFirstReceiveTimestamp", first_received.as_millis().to_string()),
        ];
        let wanted = |name: &str| attributes.iter().any(|attribute| attribute == "All" || attribute == name);
        let attributes: serde_json::Map<String, Value> = all
            .into_iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| (name.to_owned(), json!(value)))
            .collect();
        let mut shown = json!({ "MessageId": self.id, "ReceiptHandle": self.receipt_handle, "Body": self.body });
        if !attributes.is_empty() {
            shown["Attributes"] = Value::Object(attributes);
        }
        shown
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Send {
    queue_url: String,
    message_body: String,
    delay_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Receive {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    /// Accepted, for messages here have none.
    #[serde(default, rename = "MessageAttributeNames")]
    _message_attribute_names: Vec<String>,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u64>,
    /// Accepted, but nothing is waited for.
    #[serde(rename = "WaitTimeSeconds")]
    _wait_time_seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Delete {
    queue_url: String,
    receipt_handle: String,
}

/// Sends a message.
pub(super) fn send(world: &mut World, now: CloudTime, input: Send) -> Answer {
    let id = world.ids.uuid();
    let queue = queue::find(world, &input.queue_url)?;
    let size = u64::try_from(input.message_body.len()).unwrap_or(u64::MAX);
    if size == 0 || size > queue.attribute("MaximumMessageSize") {
        return Err(ApiError::new(
            "InvalidParameterValue",
            "The message body is empty or longer than the queue allows.",
        ));
    }
    let delay = input.delay_seconds.map_or_else(|| queue.seconds("DelaySeconds"), Duration::from_secs);
    queue.push(now, Message::new(id.clone(), input.message_body, now, now.after(delay)));
    Ok(json!({ "MessageId": id }))
}

/// Receives up to ten messages and hides them for the visibility timeout.
pub(super) fn receive(world: &mut World, now: CloudTime, input: &Receive) -> Answer {
    let wanted = input.max_number_of_messages.unwrap_or(1);
    if !(1..=10).contains(&wanted) {
        let message = "Value for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10.";
        return Err(ApiError::new("InvalidParameterValue", message));
    }
    queue::find(world, &input.queue_url)?;
    let handles: Vec<String> = (0..wanted).map(|_| world.ids.hex(32)).collect();
    let queue = queue::find(world, &input.queue_url)?;
    let hidden = input.visibility_timeout.map_or_else(|| queue.seconds("VisibilityTimeout"), Duration::from_secs);
    let attributes = [input.attribute_names.as_slice(), input.message_system_attribute_names.as_slice()].concat();
    let mut received = Vec::new();
    queue.expire(now);
    let visible = queue.messages.iter_mut().filter(|message| message.is_visible(now));
    for (message, handle) in visible.zip(handles) {
        message.visible_from = now.after(hidden);
        message.receipt_handle = Some(handle);
        message.first_received.get_or_insert(now);
        message.receive_count += 1;
        received.push(message.shown(&attributes));
    }
    // AWS leaves the member out when there is nothing.
    Ok(if received.is_empty() { json!({}) } else { json!({ "Messages": received }) })
}

/// Deletes the message of a receipt handle. One that no longer holds deletes nothing, which is not an error.
pub(super) fn delete(world: &mut World, input: &Delete) -> Answer {
    let queue = queue::find(world, &input.queue_url)?;
    queue.messages.retain(|message| message.receipt_handle.as_ref() != Some(&input.receipt_handle));
    Ok(json!({}))
}
