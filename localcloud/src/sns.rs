//! Simple Notification Service: topics, subscriptions and at-least-once deliveries over HTTP and to queues.
//!
//! Everything here is bookkeeping in cloud time. Signing, wall time and sockets belong to the runtime, which completes a message at
//! its first attempt and hands it back with the report, so that a retry repeats the very same bytes. Not here: FIFO topics,
//! filter policies, encryption, platform endpoints and endpoints off loopback; each is refused by name.

mod attribute;
pub mod delivery;
pub mod endpoint;
pub mod envelope;
pub mod policy;
mod publish;
mod subscription;
mod subscription_attributes;
mod topic;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::call::{self, Answer, ApiError, Call};
use crate::clock::CloudTime;
use crate::world::World;
use crate::{page, region};

pub use topic::Counts;

/// Topics, subscriptions and deliveries under way.
#[derive(Debug, Clone, Default)]
pub struct Sns {
    /// By ARN.
    topics: BTreeMap<String, topic::Topic>,
    /// By ARN, pending ones included.
    subscriptions: BTreeMap<String, subscription::Subscription>,
    /// Confirmation tokens that were sent.
    tokens: BTreeMap<String, subscription::Token>,
    deliveries: delivery::Deliveries,
    /// Of a hundred notifications, how many are delivered twice. SNS promises no less than once, and tests hold receivers to it.
    pub duplicate_percent: u8,
}

/// What happens later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Timer {
    /// A delivery is attempted.
    Attempt {
        /// The delivery.
        delivery_id: u64,
    },
    /// A subscription that nobody has confirmed disappears.
    ExpirePending {
        /// The subscription.
        subscription_arn: String,
    },
}

/// Answers a call.
pub fn call(world: &mut World, call: &Call, operation: &str, input: Value) -> Answer {
    check_region(world, &input)?;
    match operation {
        "CreateTopic" => topic::create(world, read(operation, input)?),
        "DeleteTopic" => topic::delete(world, &read(operation, input)?),
        "ListTopics" => topic::list(world, &read(operation, input)?),
        "GetTopicAttributes" => topic::attributes(world, &read(operation, input)?),
        "SetTopicAttributes" => topic::set_attribute(world, read(operation, input)?),
        "TagResource" => topic::tag(world, read(operation, input)?),
        "UntagResource" => topic::untag(world, &read(operation, input)?),
        "ListTagsForResource" => topic::list_tags(world, &read(operation, input)?),
        "Subscribe" => subscription::subscribe(world, call.now, read(operation, input)?),
        "ConfirmSubscription" => subscription::confirm(world, call.now, &read(operation, input)?),
        "Unsubscribe" => subscription::unsubscribe(world, call.now, &read(operation, input)?),
        "ListSubscriptions" => subscription::list(world, &read(operation, input)?),
        "ListSubscriptionsByTopic" => subscription::list_by_topic(world, &read(operation, input)?),
        "GetSubscriptionAttributes" => subscription_attributes::get(world, &read(operation, input)?),
        "SetSubscriptionAttributes" => subscription_attributes::set(world, read(operation, input)?),
        "Publish" => publish::publish(world, call.now, read(operation, input)?),
        "PublishBatch" => publish::publish_batch(world, call.now, read(operation, input)?),
        _ => Err(ApiError::not_implemented(format!("sns {operation}"))),
    }
}

/// Fires a timer.
pub fn fire(world: &mut World, _now: CloudTime, timer: Timer) {
    match timer {
        Timer::Attempt { delivery_id } => delivery::attempt(world, delivery_id),
        Timer::ExpirePending { subscription_arn } => subscription::expire_pending(world, &subscription_arn),
    }
}

/// Takes in what came of a delivery; `message` is the message as it was sent.
pub fn delivered(
    world: &mut World,
    now: CloudTime,
    delivery_id: u64,
    status: Option<u16>,
    message: Map<String, Value>,
) {
    delivery::ended(world, now, delivery_id, status, message);
}

/// Takes in whether the queue of a delivery has taken its message.
pub(crate) fn queue_answered(world: &mut World, now: CloudTime, delivery_id: u64, taken: bool) {
    delivery::queue_answered(world, now, delivery_id, taken);
}

/// Takes in that the receiver of a confirmation has answered with its token, as if it had called `ConfirmSubscription`.
pub fn confirmed(world: &mut World, now: CloudTime, topic_arn: &str, token: &str) {
    let input = subscription::Confirm::new(topic_arn, token);
    if let Err(error) = subscription::confirm(world, now, &input) {
        // The subscription or its topic was deleted in the meantime; a real receiver would get this as an answer.
        tracing::debug!(topic_arn, %error, "confirmation came to nothing");
    }
}

/// What each topic has counted, by name.
#[must_use]
pub fn counts(world: &World) -> BTreeMap<String, Counts> {
    let name = |arn: &str| arn.rsplit(':').next().unwrap_or(arn).to_owned();
    world.sns.topics.iter().map(|(arn, topic)| (name(arn), topic.counts)).collect()
}

/// Publishes what an alarm has to say, as CloudWatch does with its right to a topic.
pub fn notify(world: &mut World, now: CloudTime, topic_arn: &str, subject: &str, message: String) {
    publish::notify(world, now, topic_arn, subject, message);
}

/// Topics with their tags, by ARN.
pub fn tagged(world: &World) -> Vec<(String, BTreeMap<String, String>)> {
    world.sns.topics.iter().map(|(arn, topic)| (arn.clone(), topic.tags().clone())).collect()
}

/// Refuses the topics and subscriptions of other regions. (The words of a subscription's are unverified.)
fn check_region(world: &World, input: &Value) -> Result<(), ApiError> {
    let is_elsewhere = |member: &&str| {
        let arn = input.get(*member).and_then(Value::as_str);
        arn.and_then(region::of_arn).is_some_and(|region| region != world.region)
    };
    match ["TopicArn", "TargetArn", "SubscriptionArn", "ResourceArn"].iter().find(|member| is_elsewhere(member)) {
        Some(member) => Err(invalid(member)),
        None => Ok(()),
    }
}

fn read<T: serde::de::DeserializeOwned>(operation: &str, input: Value) -> Result<T, ApiError> {
    call::input("sns", operation, input)
}

/// Items of a listing on a page; SNS has no page size to choose.
const PAGE: usize = 100;

/// One page of `items` under the name `member`.
fn list_page<T>(
    member: &str,
    items: Vec<T>,
    key: impl Fn(&T) -> &str,
    token: Option<&str>,
    show: impl Fn(&T) -> Value,
) -> Answer {
    let (items, next) = page::page(items, key, token, PAGE).ok_or_else(|| invalid("NextToken"))?;
    let mut answer = json!({ member: items.iter().map(show).collect::<Vec<_>>() });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

/// `InvalidParameter` in SNS's words.
fn invalid(what: impl std::fmt::Display) -> ApiError {
    ApiError::new("InvalidParameter", format!("Invalid parameter: {what}"))
}

/// `NotFound`, for example of a topic.
fn not_found(what: &str) -> ApiError {
    ApiError::with_status("NotFound", 404, format!("{what} does not exist"))
}
