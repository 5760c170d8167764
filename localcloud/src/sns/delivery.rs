//! Deliveries: who gets what, when it is tried again, and what becomes of what never arrived.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value};

use super::envelope::{self, Content, Origin};
use super::subscription::Subscription;
use super::topic::{self, Counts, Topic};
use super::{Timer, endpoint, policy};
use crate::clock::CloudTime;
use crate::effect::{DeliveryRequest, Effect};
use crate::event::{DeliveryKey, Event};
use crate::sqs;
use crate::world::{self, World};

/// Content type of deliveries, unless a delivery policy says otherwise.
const CONTENT_TYPE: &str = "text/plain; charset=UTF-8";

/// Deliveries under way at once. AWS names no such bound; here it keeps an endpoint that is slower than its topic from
/// filling the memory.
const MAX_UNDER_WAY: usize = 20_000;

/// Deliveries under way.
#[derive(Debug, Clone, Default)]
pub struct Deliveries {
    under_way: BTreeMap<u64, Delivery>,
    begun: u64,
}

/// One message on its way to one subscription.
#[derive(Debug, Clone)]
struct Delivery {
    subscription_arn: String,
    purpose: Purpose,
    endpoint: String,
    headers: Vec<(String, String)>,
    message: Map<String, Value>,
    raw: bool,
    /// Pauses before the retries that are left.
    delays: VecDeque<Duration>,
}

/// Why a delivery is made, which decides whether it is still wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// A published message, for as long as there is the subscription.
    Notification,
    /// A request to confirm, for as long as the subscription is pending.
    Confirmation,
    /// Word that the subscription has ended.
    Farewell,
}

/// Sends a published message to every confirmed subscription of the topic.
pub fn send_notifications(world: &mut World, now: CloudTime, topic_arn: &str, message_id: &str, content: &Content) {
    let confirmed: Vec<(String, Subscription)> = world
        .sns
        .subscriptions
        .iter()
        .filter(|(_, subscription)| subscription.topic_arn == topic_arn && !subscription.pending)
        .map(|(arn, subscription)| (arn.clone(), subscription.clone()))
        .collect();
    for (arn, subscription) in confirmed {
        let message = envelope::notification(message_id, origin(world, topic_arn), &arn, content);
        let delivery = delivery(world, &arn, &subscription, Purpose::Notification, message);
        if drawn(world) {
            let later = Duration::from_millis(world.ids.number() % 5000);
            begin(world, now, delivery.clone(), later);
        }
        begin(world, now, delivery, Duration::ZERO);
    }
}

/// Asks the endpoint to confirm.
pub fn send_confirmation(world: &mut World, now: CloudTime, arn: &str, subscription: &Subscription, token: &str) {
    let message_id = world.ids.uuid();
    let message = envelope::subscription_confirmation(&message_id, origin(world, &subscription.topic_arn), token);
    let delivery = delivery(world, arn, subscription, Purpose::Confirmation, message);
    begin(world, now, delivery, Duration::ZERO);
}

/// Tells the endpoint that its subscription has ended.
pub fn send_farewell(world: &mut World, now: CloudTime, arn: &str, subscription: &Subscription, token: &str) {
    let message_id = world.ids.uuid();
    let origin = origin(world, &subscription.topic_arn);
    let message = envelope::unsubscribe_confirmation(&message_id, origin, arn, token);
    let delivery = delivery(world, arn, subscription, Purpose::Farewell, message);
    begin(world, now, delivery, Duration::ZERO);
}

/// What a message says of its topic. One that is gone was as a new one is.
fn origin<'a>(world: &'a World, topic_arn: &'a str) -> Origin<'a> {
    let topic = world.sns.topics.get(topic_arn);
    let signature_version = topic.map_or(topic::DEFAULT_SIGNATURE_VERSION, Topic::signature_version);
    Origin { topic_arn, signature_version, endpoint_url: &world.endpoint_url }
}

/// Attempts a delivery, if it is still wanted.
pub fn attempt(world: &mut World, delivery_id: u64) {
    let Some(delivery) = world.sns.deliveries.under_way.get(&delivery_id) else { return };
    let subscription = world.sns.subscriptions.get(&delivery.subscription_arn);
    let wanted = match delivery.purpose {
        Purpose::Notification => subscription.is_some(),
        Purpose::Confirmation => subscription.is_some_and(|subscription| subscription.pending),
        Purpose::Farewell => true,
    };
    if !wanted {
        world.sns.deliveries.under_way.remove(&delivery_id);
        return;
    }
    let moved_port = endpoint::read(&delivery.endpoint).ok().and_then(|endpoint| endpoint.moved_port(world));
    world.effects.push(Effect::Deliver(DeliveryRequest {
        delivery_id,
        endpoint: delivery.endpoint.clone(),
        moved_port,
        headers: delivery.headers.clone(),
        message: delivery.message.clone(),
        raw: delivery.raw,
    }));
}

/// Takes in the end of an attempt: delivered, to be tried again, or a dead letter.
pub fn ended(world: &mut World, now: CloudTime, delivery_id: u64, status: Option<u16>, message: Map<String, Value>) {
    let Some(mut delivery) = world.sns.deliveries.under_way.remove(&delivery_id) else { return };
    delivery.message = message;
    let accepted = status.is_some_and(counts_as_delivered);
    if delivery.endpoint.starts_with("arn:") {
        // The runtime has only completed it.
        if accepted {
            hand_to_queue(world, delivery_id, delivery);
        } else {
            bury(world, now, &delivery);
        }
    } else if accepted {
        count(world, &delivery, |counts| counts.delivered += 1);
    } else {
        match delivery.delays.pop_front() {
            Some(delay) => {
                let message_id = envelope::text(&delivery.message, "MessageId");
                tracing::debug!(message_id, status, delay_s = delay.as_secs(), "not delivered, to be tried again");
                schedule(world, now, delivery_id, delivery, delay);
            }
            None => bury(world, now, &delivery),
        }
    }
}

/// Sends a completed message to its queue, in whatever region that is. It is under way until the queue has answered.
fn hand_to_queue(world: &mut World, delivery_id: u64, delivery: Delivery) {
    world.events.push(Event::MessageForQueue {
        queue_arn: delivery.endpoint.clone(),
        body: body(&delivery),
        delivery: DeliveryKey { region: world.region.clone(), delivery_id },
    });
    world.sns.deliveries.under_way.insert(delivery_id, delivery);
}

/// Takes in whether a queue has taken its message. A queue that is gone stays gone: no retry would help.
pub fn queue_answered(world: &mut World, now: CloudTime, delivery_id: u64, taken: bool) {
    let Some(delivery) = world.sns.deliveries.under_way.remove(&delivery_id) else { return };
    if taken {
        count(world, &delivery, |counts| counts.delivered += 1);
    } else {
        bury(world, now, &delivery);
    }
}

/// Counts what became of a notification for its topic; a confirmation is none.
fn count(world: &mut World, delivery: &Delivery, add: fn(&mut Counts)) {
    let topic = delivery.subscription_arn.rsplit_once(':').map_or("", |(topic, _)| topic);
    let topic = world.sns.topics.get_mut(topic).filter(|_| delivery.purpose == Purpose::Notification);
    if let Some(topic) = topic {
        add(&mut topic.counts);
    }
}

/// SNS takes every answer for an acceptance but 429 and 5xx: also a 302 or a 400.
fn counts_as_delivered(status: u16) -> bool {
    (200..500).contains(&status) && status != 429
}

fn delivery(
    world: &World,
    arn: &str,
    subscription: &Subscription,
    purpose: Purpose,
    message: Map<String, Value>,
) -> Delivery {
    let policy = effective_policy(world, subscription);
    // Confirmations are never raw: the receiver needs the token.
    let raw = subscription.raw && purpose == Purpose::Notification;
    let content_type =
        policy.request_policy.map_or_else(|| CONTENT_TYPE.to_owned(), |request| request.header_content_type);
    Delivery {
        subscription_arn: arn.to_owned(),
        purpose,
        endpoint: subscription.endpoint.clone(),
        headers: headers(arn, purpose, raw, &message, content_type),
        message,
        raw,
        delays: policy.healthy_retry_policy.map(|retry| policy::delays(&retry).into()).unwrap_or_default(),
    }
}

fn headers(
    arn: &str,
    purpose: Purpose,
    raw: bool,
    message: &Map<String, Value>,
    content_type: String,
) -> Vec<(String, String)> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = vec![
        header("x-amz-sns-message-type", envelope::text(message, "Type")),
        header("x-amz-sns-message-id", envelope::text(message, "MessageId")),
        header("x-amz-sns-topic-arn", envelope::text(message, "TopicArn")),
    ];
    if purpose != Purpose::Confirmation {
        headers.push(header("x-amz-sns-subscription-arn", arn));
    }
    if raw {
        headers.push(header("x-amz-sns-rawdelivery", "true"));
    }
    headers.push(("content-type".to_owned(), content_type));
    headers.push(header("user-agent", "Amazon Simple Notification Service Agent"));
    headers
}

fn effective_policy(world: &World, subscription: &Subscription) -> policy::DeliveryPolicy {
    let topic = world.sns.topics.get(&subscription.topic_arn).and_then(|topic| topic.policy.as_ref());
    policy::effective(topic, subscription.policy.as_ref().map(|(_, policy)| policy))
}

fn begin(world: &mut World, now: CloudTime, delivery: Delivery, delay: Duration) {
    if world.sns.deliveries.under_way.len() >= MAX_UNDER_WAY {
        tracing::warn!(
            endpoint = delivery.endpoint,
            "{MAX_UNDER_WAY} deliveries are under way already; this one is given up"
        );
        return bury(world, now, &delivery);
    }
    world.sns.deliveries.begun += 1;
    let delivery_id = world.sns.deliveries.begun;
    schedule(world, now, delivery_id, delivery, delay);
}

/// Attempts the delivery after `delay`, or later if the subscription's throttle policy says so.
fn schedule(world: &mut World, now: CloudTime, delivery_id: u64, delivery: Delivery, delay: Duration) {
    let mut at = now.after(delay);
    if let Some(throttled) = throttled(world, &delivery, at) {
        at = throttled;
    }
    world.sns.deliveries.under_way.insert(delivery_id, delivery);
    if at <= now {
        attempt(world, delivery_id);
    } else {
        world.timers.set(at, world::Timer::Sns(Timer::Attempt { delivery_id }));
    }
}

/// The moment at which a throttle policy lets an attempt wanted at `at` happen; it is reserved for it.
fn throttled(world: &mut World, delivery: &Delivery, at: CloudTime) -> Option<CloudTime> {
    let subscription = world.sns.subscriptions.get(&delivery.subscription_arn)?;
    let throttle = effective_policy(world, subscription).throttle_policy?;
    let interval = Duration::from_secs(1) / throttle.max_receives_per_second.max(1);
    let subscription = world.sns.subscriptions.get_mut(&delivery.subscription_arn)?;
    let allowed = at.max(subscription.next_attempt);
    subscription.next_attempt = allowed.after(interval);
    Some(allowed)
}

/// Whether chance has this notification delivered twice.
fn drawn(world: &mut World) -> bool {
    let percent = u64::from(world.sns.duplicate_percent);
    percent > 0 && world.ids.number() % 100 < percent
}

fn body(delivery: &Delivery) -> String {
    if delivery.raw {
        envelope::text(&delivery.message, "Message").to_owned()
    } else {
        envelope::render(&delivery.message)
    }
}

/// Puts a notification that could not be delivered into the dead-letter queue that the subscription has by now.
fn bury(world: &mut World, now: CloudTime, delivery: &Delivery) {
    count(world, delivery, |counts| counts.failed += 1);
    if delivery.purpose != Purpose::Notification {
        return;
    }
    let message_id = envelope::text(&delivery.message, "MessageId");
    let redrive =
        world.sns.subscriptions.get(&delivery.subscription_arn).and_then(|subscription| subscription.redrive.clone());
    let Some((_, redrive)) = redrive else {
        tracing::warn!(message_id, endpoint = delivery.endpoint, "not delivered, and there is no dead-letter queue");
        return;
    };
    if !sqs::put(world, now, &redrive.dead_letter_target_arn, body(delivery)) {
        tracing::warn!(message_id, queue = redrive.dead_letter_target_arn, "the dead-letter queue does not exist");
    }
}
