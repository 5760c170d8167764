//! The small part of Simple Queue Service that dead letters need: standard queues with a visibility timeout.
//!
//! Long polls are answered at once. Not here: FIFO queues, a queue's own redrive, message attributes, MD5 sums, batches; what a
//! client asks of these is refused by name.

mod message;
mod queue;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::call::{self, Answer, ApiError, Call};
use crate::clock::CloudTime;
use crate::region;
use crate::world::{ACCOUNT, World};

pub use queue::Counts;

/// Queues, by name.
#[derive(Debug, Clone, Default)]
pub struct Sqs {
    queues: BTreeMap<String, queue::Queue>,
}

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, input: Value) -> Answer {
    match operation {
        "CreateQueue" => queue::create(world, read(operation, input)?),
        "DeleteQueue" => queue::delete(world, &read(operation, input)?),
        "ListQueues" => queue::list(world, &read(operation, input)?),
        "GetQueueUrl" => queue::url(world, &read(operation, input)?),
        "GetQueueAttributes" => queue::attributes(world, call.now, &read(operation, input)?),
        "SetQueueAttributes" => queue::set_attributes(world, read(operation, input)?),
        "PurgeQueue" => queue::purge(world, &read(operation, input)?),
        "SendMessage" => message::send(world, call.now, read(operation, input)?),
        "ReceiveMessage" => message::receive(world, call.now, &read(operation, input)?),
        "DeleteMessage" => message::delete(world, &read(operation, input)?),
        _ => Err(ApiError::not_implemented(format!("sqs {operation}"))),
    }
}

/// Puts a message into the queue with the ARN, on behalf of SNS. False if there is no such queue.
pub fn put(world: &mut World, now: CloudTime, queue_arn: &str, body: String) -> bool {
    let prefix = world.arn("sqs", "");
    let message = message::Message::new(world.ids.uuid(), body, now, now);
    let queue = queue_arn.strip_prefix(&prefix).and_then(|name| world.sqs.queues.get_mut(name));
    let Some(queue) = queue else { return false };
    queue.push(now, message);
    true
}

/// Whether an ARN can be that of a queue of this account, in any region.
pub(crate) fn is_queue(arn: &str) -> bool {
    match arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", "aws", "sqs", region, ACCOUNT, name] => region::is_name(region) && !name.is_empty(),
        _ => false,
    }
}

/// What each queue counts at `now`, by name.
#[must_use]
pub fn counts(world: &World, now: CloudTime) -> BTreeMap<String, Counts> {
    world.sqs.queues.iter().map(|(name, queue)| (name.clone(), queue.counts(now))).collect()
}

fn read<T: serde::de::DeserializeOwned>(operation: &str, input: Value) -> Result<T, ApiError> {
    call::input("sqs", operation, input)
}
