//! Queues: what dead letters need.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value)]

use std::time::Duration;

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::images::Images;
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::world::World;
use serde_json::{Value, json};

const URL: &str = "http://127.0.0.1:4566/123456789012/lost";

fn cloud() -> std::sync::Arc<Cloud> {
    let clock = Clock::stepped(CloudTime::from_millis(1_790_000_000_000));
    let cloud = Cloud::new(World::new("us-west-2", 7, Images::default()), clock, Box::new(Model::default()));
    let answer = cloud.call(Service::Sqs, "CreateQueue", json!({ "QueueName": "lost" })).unwrap();
    assert_eq!(answer["QueueUrl"], URL);
    cloud
}

fn receive(cloud: &std::sync::Arc<Cloud>) -> Vec<Value> {
    let input = json!({ "QueueUrl": URL, "MaxNumberOfMessages": 10, "MessageSystemAttributeNames": ["All"] });
    let answer = cloud.call(Service::Sqs, "ReceiveMessage", input).unwrap();
    answer["Messages"].as_array().cloned().unwrap_or_default()
}

fn counts(cloud: &std::sync::Arc<Cloud>) -> (String, String) {
    let answer =
        cloud.call(Service::Sqs, "GetQueueAttributes", json!({ "QueueUrl": URL, "AttributeNames": ["All"] })).unwrap();
    let count = |name: &str| answer["Attributes"][name].as_str().unwrap().to_owned();
    assert_eq!(answer["Attributes"]["QueueArn"], "arn:aws:sqs:us-west-2:123456789012:lost");
    (count("ApproximateNumberOfMessages"), count("ApproximateNumberOfMessagesNotVisible"))
}

#[test]
fn a_received_message_is_hidden_until_it_is_deleted_or_its_time_is_up() {
    let cloud = cloud();
    cloud.call(Service::Sqs, "SendMessage", json!({ "QueueUrl": URL, "MessageBody": "one" })).unwrap();
    let first = receive(&cloud);
    assert_eq!(first[0]["Body"], "one");
    assert_eq!(receive(&cloud), Vec::<Value>::new());
    assert_eq!(counts(&cloud), ("0".to_owned(), "1".to_owned()));
    cloud.advance(Duration::from_secs(30));
    assert_eq!(counts(&cloud), ("1".to_owned(), "0".to_owned()));
    let second = receive(&cloud);
    assert_eq!(second[0]["Attributes"]["ApproximateReceiveCount"], "2");
    let delete = |message: &Value| json!({ "QueueUrl": URL, "ReceiptHandle": message["ReceiptHandle"] });
    // The first receipt no longer holds.
    cloud.call(Service::Sqs, "DeleteMessage", delete(&first[0])).unwrap();
    assert_eq!(counts(&cloud).1, "1");
    cloud.call(Service::Sqs, "DeleteMessage", delete(&second[0])).unwrap();
    assert_eq!(counts(&cloud), ("0".to_owned(), "0".to_owned()));
}

#[test]
fn queues_are_found_listed_changed_and_deleted() {
    let cloud = cloud();
    let call = |operation: &str, input: Value| cloud.call(Service::Sqs, operation, input);
    assert_eq!(call("GetQueueUrl", json!({ "QueueName": "lost" })).unwrap()["QueueUrl"], URL);
    assert_eq!(call("ListQueues", json!({ "QueueNamePrefix": "lo" })).unwrap()["QueueUrls"], json!([URL]));
    call("SetQueueAttributes", json!({ "QueueUrl": URL, "Attributes": { "VisibilityTimeout": "5" } })).unwrap();
    let differs = json!({ "QueueName": "lost", "Attributes": { "VisibilityTimeout": "6" } });
    assert_eq!(call("CreateQueue", differs).unwrap_err().code, "QueueNameExists");
    let unknown = json!({ "QueueUrl": URL, "Attributes": { "RedrivePolicy": "{}" } });
    assert_eq!(call("SetQueueAttributes", unknown).unwrap_err().code, "NotImplemented");
    call("DeleteQueue", json!({ "QueueUrl": URL })).unwrap();
    assert_eq!(call("GetQueueUrl", json!({ "QueueName": "lost" })).unwrap_err().code, "QueueDoesNotExist");
}

#[test]
fn a_message_stays_for_the_retention_and_a_queue_is_bounded() {
    let cloud = cloud();
    let send = |body: String| cloud.call(Service::Sqs, "SendMessage", json!({ "QueueUrl": URL, "MessageBody": body }));
    send("old".to_owned()).unwrap();
    // The default is four days.
    cloud.advance(Duration::from_hours(4 * 24 - 1));
    send("young".to_owned()).unwrap();
    assert_eq!(counts(&cloud).0, "2");
    cloud.advance(Duration::from_hours(1));
    assert_eq!(counts(&cloud).0, "1");
    assert_eq!(receive(&cloud)[0]["Body"], "young");
    for number in 0..10_000 {
        send(number.to_string()).unwrap();
    }
    assert_eq!((counts(&cloud).0.as_str(), &receive(&cloud)[0]["Body"]), ("10000", &json!("0")));
}
