//! AWS/SNS and AWS/SQS: what topics and queues have counted anyway.

use std::collections::BTreeMap;

use super::{metric, put_value};
use crate::clock::CloudTime;
use crate::world::World;
use crate::{sns, sqs};

/// The counts when the minute began.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    topics: BTreeMap<String, sns::Counts>,
    sent: BTreeMap<String, u64>,
}

/// Puts the minute that ended, and begins the next. Counts of topics and of sent messages are there only when there was something.
pub(super) fn put(world: &mut World, now: CloudTime, minute: CloudTime) {
    let topics = sns::counts(world);
    let queues = sqs::counts(world, now);
    let before = std::mem::take(&mut world.metrics.messages);
    for (topic, counts) in &topics {
        let earlier = before.topics.get(topic).copied().unwrap_or_default();
        let deltas = [
            ("NumberOfMessagesPublished", since(counts.published, earlier.published)),
            ("NumberOfNotificationsDelivered", since(counts.delivered, earlier.delivered)),
            ("NumberOfNotificationsFailed", since(counts.failed, earlier.failed)),
        ];
        for (name, delta) in deltas.into_iter().filter(|(_, delta)| *delta > 0) {
            put_value(world, &metric("AWS/SNS", name, &[("TopicName", topic)]), "Count", minute, number(delta));
        }
    }
    for (queue, counts) in &queues {
        let dimensions = [("QueueName", queue.as_str())];
        let sent = since(counts.sent, before.sent.get(queue).copied().unwrap_or_default());
        let values = [
            ("ApproximateNumberOfMessagesVisible", Some(counts.visible)),
            ("ApproximateNumberOfMessagesNotVisible", Some(counts.in_flight)),
            ("NumberOfMessagesSent", (sent > 0).then_some(sent)),
        ];
        for (name, value) in values.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            put_value(world, &metric("AWS/SQS", name, &dimensions), "Count", minute, number(value));
        }
    }
    let sent = queues.into_iter().map(|(queue, counts)| (queue, counts.sent)).collect();
    world.metrics.messages = Samples { topics, sent };
}

/// What was counted since `before`. A topic or queue of the same name that was made anew has begun at zero.
fn since(count: u64, before: u64) -> u64 {
    count.checked_sub(before).unwrap_or(count)
}

#[expect(clippy::cast_precision_loss, reason = "a minute has fewer messages than a double counts exactly")]
fn number(count: u64) -> f64 {
    count as f64
}
