//! Deliveries in cloud time: who gets what, retries by policy, dead letters.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value)]

use std::sync::Arc;
use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::images::Images;
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::world::World;
use serde_json::{Value, json};

const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:orderTopic";
const ENDPOINT: &str = "http://interstella-1.us-west-2.elb.localhost:5000/order/";
const QUEUE: &str = "arn:aws:sqs:us-west-2:123456789012:lost";
const QUEUE_URL: &str = "http://127.0.0.1:4566/123456789012/lost";

struct Orders {
    cloud: Arc<Cloud>,
    model: Model,
}

impl Orders {
    /// A cloud with the topic, a queue and one confirmed subscription with `attributes`.
    fn new(attributes: Value) -> Self {
        let model = Model::default();
        let clock = Clock::stepped(CloudTime::from_millis(1_790_000_000_000));
        let cloud = Cloud::new(World::new("us-west-2", 7, Images::default()), clock, Box::new(model.clone()));
        let orders = Self { cloud, model };
        orders.call(Service::Sns, "CreateTopic", json!({ "Name": "orderTopic" }));
        orders.call(Service::Sqs, "CreateQueue", json!({ "QueueName": "lost" }));
        orders.subscribe("http", ENDPOINT, attributes);
        orders.model.take_deliveries();
        orders
    }

    fn call(&self, service: Service, operation: &str, input: Value) -> Value {
        self.cloud.call(service, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    fn subscribe(&self, protocol: &str, endpoint: &str, attributes: Value) {
        let input = json!({ "TopicArn": TOPIC, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes });
        self.call(Service::Sns, "Subscribe", input);
    }

    /// Publishes an order and returns its message ID.
    fn publish(&self) -> String {
        let input = json!({ "TopicArn": TOPIC, "Message": "{\"bundle\": 1}" });
        self.call(Service::Sns, "Publish", input)["MessageId"].as_str().unwrap().to_owned()
    }

    /// Message IDs of what was delivered since the last look.
    fn delivered(&self) -> Vec<String> {
        let deliveries = self.model.take_deliveries();
        deliveries.iter().map(|delivery| delivery.message["MessageId"].as_str().unwrap().to_owned()).collect()
    }

    /// Seconds, counted from now, at which attempts are made in the next hour and a half.
    fn attempts(&self) -> Vec<u64> {
        (0..5400)
            .flat_map(|second| {
                let made = self.delivered().len();
                self.cloud.advance(Duration::from_secs(1));
                std::iter::repeat_n(second, made)
            })
            .collect()
    }

    /// Bodies of what is in the queue.
    fn dead_letters(&self) -> Vec<String> {
        let input = json!({ "QueueUrl": QUEUE_URL, "MaxNumberOfMessages": 10 });
        let answer = self.call(Service::Sqs, "ReceiveMessage", input);
        let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
        messages.iter().map(|message| message["Body"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_message_reaches_every_confirmed_subscription_once() {
    let orders = Orders::new(json!({}));
    orders.subscribe("http", "http://localhost:6000/", json!({}));
    orders.model.answer_deliveries(None);
    orders.subscribe("http", "http://localhost:7000/", json!({}));
    orders.model.answer_deliveries(Some(200));
    orders.model.take_deliveries();
    let id = orders.publish();
    let deliveries = orders.model.take_deliveries();
    let mut endpoints: Vec<&str> = deliveries.iter().map(|delivery| delivery.endpoint.as_str()).collect();
    endpoints.sort_unstable();
    assert_eq!(endpoints, [ENDPOINT, "http://localhost:6000/"]);
    for delivery in &deliveries {
        assert_eq!(delivery.message["MessageId"], id);
        assert_eq!(delivery.message["Message"], "{\"bundle\": 1}");
        let names: Vec<&str> = delivery.message.keys().map(String::as_str).collect();
        let expected = [
            "Type",
            "MessageId",
            "TopicArn",
            "Message",
            "Timestamp",
            "SignatureVersion",
            "Signature",
            "SigningCertURL",
            "UnsubscribeURL",
        ];
        assert_eq!(names, expected);
    }
}

#[test]
fn what_was_published_while_pending_is_not_delivered_later() {
    let orders = Orders::new(json!({}));
    orders.model.answer_deliveries(None);
    orders.subscribe("http", "http://localhost:7000/", json!({}));
    let before = orders.publish();
    orders.model.answer_deliveries(Some(200));
    orders.model.take_deliveries();
    // The confirmation is tried again, and this time answered.
    orders.cloud.advance(Duration::from_secs(20));
    let after = orders.publish();
    let deliveries = orders.model.take_deliveries();
    let to_the_late_one: Vec<&Value> = deliveries
        .iter()
        .filter(|delivery| delivery.endpoint.contains("7000") && delivery.message["Type"] == "Notification")
        .map(|delivery| &delivery.message["MessageId"])
        .collect();
    assert_eq!(to_the_late_one, [&json!(after)]);
    assert_ne!(before, after);
}

#[test]
fn server_errors_429_and_silence_are_tried_again_and_everything_else_counts_as_delivered() {
    for (status, attempts) in [
        (Some(200), 1),
        (Some(204), 1),
        (Some(302), 1),
        (Some(400), 1),
        (Some(404), 1),
        (Some(499), 1),
        (Some(429), 4),
        (Some(500), 4),
        (Some(503), 4),
        (Some(101), 4),
        (None, 4),
    ] {
        let orders = Orders::new(json!({}));
        orders.model.answer_deliveries(status);
        let id = orders.publish();
        orders.cloud.advance(Duration::from_secs(120));
        assert_eq!(orders.delivered(), vec![id; attempts], "{status:?}");
    }
}

#[test]
fn retries_follow_the_policy_in_cloud_time() {
    let orders = Orders::new(json!({}));
    orders.model.answer_deliveries(Some(503));
    orders.publish();
    assert_eq!(orders.attempts(), [0, 20, 40, 60]);
    let policy = json!({ "healthyRetryPolicy": {
        "minDelayTarget": 10, "maxDelayTarget": 40, "numRetries": 6, "numNoDelayRetries": 1, "numMinDelayRetries": 1,
        "numMaxDelayRetries": 1, "backoffFunction": "linear",
    }});
    let orders = Orders::new(json!({ "DeliveryPolicy": policy.to_string() }));
    orders.model.answer_deliveries(Some(503));
    orders.publish();
    assert_eq!(orders.attempts(), [0, 0, 10, 30, 60, 100, 140]);
}

#[test]
fn an_endpoint_that_comes_back_gets_the_message_once_more() {
    let orders = Orders::new(json!({}));
    orders.model.answer_deliveries(Some(503));
    let id = orders.publish();
    orders.cloud.advance(Duration::from_secs(25));
    orders.model.answer_deliveries(Some(200));
    orders.cloud.advance(Duration::from_secs(600));
    assert_eq!(orders.delivered(), vec![id; 3]);
}

#[test]
fn a_throttled_subscription_gets_so_many_a_second() {
    let orders = Orders::new(json!({ "DeliveryPolicy": r#"{"throttlePolicy":{"maxReceivesPerSecond":2}}"# }));
    for _ in 0..6 {
        orders.publish();
    }
    // The confirmation has had its half second of the first one.
    assert_eq!(orders.attempts(), [1, 1, 2, 2, 3, 3]);
}

#[test]
fn exhausted_messages_end_in_the_dead_letter_queue_as_they_were_sent() {
    let orders = Orders::new(json!({ "RedrivePolicy": json!({ "deadLetterTargetArn": QUEUE }).to_string() }));
    orders.model.answer_deliveries(Some(503));
    let id = orders.publish();
    orders.cloud.advance(Duration::from_secs(59));
    assert_eq!(orders.dead_letters(), Vec::<String>::new());
    orders.cloud.advance(Duration::from_secs(1));
    let letters = orders.dead_letters();
    assert_eq!(letters.len(), 1);
    let envelope: Value = serde_json::from_str(&letters[0]).unwrap();
    assert_eq!((&envelope["MessageId"], &envelope["Message"]), (&json!(id), &json!("{\"bundle\": 1}")));
}

#[test]
fn client_errors_are_lost_without_a_dead_letter() {
    let orders = Orders::new(json!({ "RedrivePolicy": json!({ "deadLetterTargetArn": QUEUE }).to_string() }));
    orders.model.answer_deliveries(Some(400));
    orders.publish();
    orders.cloud.advance(Duration::from_hours(2));
    assert_eq!(orders.dead_letters(), Vec::<String>::new());
}

#[test]
fn queues_are_subscribed_without_confirmation() {
    let orders = Orders::new(json!({}));
    orders.subscribe("sqs", QUEUE, json!({ "RawMessageDelivery": "true" }));
    orders.publish();
    assert_eq!(orders.dead_letters(), ["{\"bundle\": 1}"]);
}

#[test]
fn a_batch_takes_what_is_right_and_names_what_is_not() {
    let orders = Orders::new(json!({}));
    let entries = json!([{ "Id": "a", "Message": "one" }, { "Id": "b", "Message": "" }]);
    let answer =
        orders.call(Service::Sns, "PublishBatch", json!({ "TopicArn": TOPIC, "PublishBatchRequestEntries": entries }));
    assert_eq!(answer["Successful"][0]["Id"], "a");
    assert_eq!(answer["Failed"][0]["Id"], "b");
    assert_eq!(orders.delivered().len(), 1);
}

#[test]
fn tests_can_ask_for_duplicates() {
    let orders = Orders::new(json!({}));
    orders.cloud.with_world(|world, _| world.sns.duplicate_percent = 100);
    let id = orders.publish();
    orders.cloud.advance(Duration::from_secs(5));
    assert_eq!(orders.delivered(), vec![id; 2]);
}

/// A subscription that takes one message a second is owed more and more by a topic that is faster.
#[test]
fn what_a_slow_subscription_is_owed_is_bounded_and_the_rest_is_a_dead_letter() {
    let orders = Orders::new(json!({
        "DeliveryPolicy": r#"{"throttlePolicy":{"maxReceivesPerSecond":1}}"#,
        "RedrivePolicy": json!({ "deadLetterTargetArn": QUEUE }).to_string(),
    }));
    for _ in 0..20_050 {
        orders.publish();
    }
    let queue = json!({ "QueueUrl": QUEUE_URL, "AttributeNames": ["ApproximateNumberOfMessages"] });
    let dead = || orders.call(Service::Sqs, "GetQueueAttributes", queue.clone())["Attributes"].clone();
    let buried = dead()["ApproximateNumberOfMessages"].as_str().unwrap().parse::<u32>().unwrap();
    assert!((40..=50).contains(&buried), "{buried} of 20050 were given up");
    orders.cloud.advance(Duration::from_hours(6));
    assert_eq!(orders.model.take_deliveries().len(), 10_000, "the model remembers no more");
    orders.publish();
    assert_eq!(dead()["ApproximateNumberOfMessages"], buried.to_string(), "there is room again");
}
