//! Every order that SNS has published, through a queue of the auditor's own, against every effect in headquarters' records.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use super::aws::TOPIC;
use super::fleet::{Fleet, call};
use crate::orders;

const QUEUE: &str = "audit";

/// A subscription of a queue to the order topic.
pub struct Audit {
    endpoint: String,
    queue_url: String,
}

/// What became of the orders.
#[derive(Debug)]
pub struct Findings {
    /// Orders that were published.
    pub published: usize,
    /// Published orders without an effect.
    pub lost: Vec<Uuid>,
    /// Orders with more than one effect.
    pub doubled: Vec<Uuid>,
    /// Effects without an order.
    pub forged: Vec<Uuid>,
    /// The longest time from an order's publication to its effect.
    pub longest_wait: SignedDuration,
}

impl Audit {
    /// Begins to listen.
    pub async fn begin(fleet: &Fleet) -> Self {
        let endpoint = fleet.endpoint.clone();
        let created = call(&endpoint, "sqs", "AmazonSQS.CreateQueue", &json!({ "QueueName": QUEUE })).await;
        let queue_url = created["QueueUrl"].as_str().unwrap().to_owned();
        let arn = format!("arn:aws:sqs:us-west-2:123456789012:{QUEUE}");
        fleet.aws().sns.subscribe().topic_arn(TOPIC).protocol("sqs").endpoint(arn).send().await.unwrap();
        Self { endpoint, queue_url }
    }

    /// Compares what was heard with what is recorded in `database`.
    pub async fn findings(&self, database: &Path) -> Findings {
        let (published, effects) = (self.published().await, orders::effects(database));
        let has_effect = |key: &&Uuid| effects.contains_key(*key);
        let wait = |(key, at): (&Uuid, &Timestamp)| Some(effects.get(key)?.0.duration_since(*at));
        Findings {
            published: published.len(),
            lost: published.keys().filter(|key| !has_effect(key)).copied().collect(),
            doubled: effects.iter().filter(|(_, (_, count))| *count > 1).map(|(key, _)| *key).collect(),
            forged: effects.keys().filter(|key| !published.contains_key(*key)).copied().collect(),
            longest_wait: published.iter().filter_map(wait).max().unwrap_or_default(),
        }
    }

    /// When each order was published, by the key under which the worker reports it.
    async fn published(&self) -> BTreeMap<Uuid, Timestamp> {
        // What was received once is not seen again.
        let input = json!({ "QueueUrl": self.queue_url, "MaxNumberOfMessages": 10, "VisibilityTimeout": 43_200 });
        let mut published = BTreeMap::new();
        loop {
            let answer = call(&self.endpoint, "sqs", "AmazonSQS.ReceiveMessage", &input).await;
            let Some(messages) = answer["Messages"].as_array() else { return published };
            published.extend(messages.iter().map(|message| read(message["Body"].as_str().unwrap())));
        }
    }
}

fn read(body: &str) -> (Uuid, Timestamp) {
    let envelope: Value = serde_json::from_str(body).unwrap();
    let text = |name: &str| envelope[name].as_str().unwrap_or_else(|| panic!("no {name} in {body}"));
    (orders::key(TOPIC, text("MessageId")), text("Timestamp").parse().unwrap())
}
