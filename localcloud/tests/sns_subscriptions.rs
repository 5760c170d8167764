//! Topics and subscriptions through the API: creation, confirmation, attributes, ending.

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

struct Sns {
    cloud: Arc<Cloud>,
    model: Model,
}

impl Sns {
    /// A cloud with the topic, at a moment on a second.
    fn new() -> Self {
        let model = Model::default();
        let clock = Clock::stepped(CloudTime::from_millis(1_790_000_000_000));
        let cloud = Cloud::new(World::new("us-west-2", 7, Images::default()), clock, Box::new(model.clone()));
        let sns = Self { cloud, model };
        sns.ok("CreateTopic", json!({ "Name": "orderTopic" }));
        sns
    }

    fn ok(&self, operation: &str, input: Value) -> Value {
        self.cloud.call(Service::Sns, operation, input).unwrap_or_else(|error| panic!("{operation}: {error}"))
    }

    /// Code and message of the error.
    fn error(&self, operation: &str, input: Value) -> String {
        let answer = self.cloud.call(Service::Sns, operation, input);
        answer.map_or_else(|error| error.to_string(), |answer| panic!("{operation} succeeded: {answer}"))
    }

    fn subscribe(&self) -> Value {
        self.ok("Subscribe", json!({ "TopicArn": TOPIC, "Protocol": "http", "Endpoint": ENDPOINT }))
    }

    /// Subscribes with nobody there to confirm, and returns the ARN.
    fn subscribe_unheard(&self) -> String {
        self.model.answer_deliveries(None);
        let input = json!({
            "TopicArn": TOPIC, "Protocol": "http", "Endpoint": ENDPOINT, "ReturnSubscriptionArn": true,
        });
        self.ok("Subscribe", input)["SubscriptionArn"].as_str().unwrap().to_owned()
    }

    fn listed(&self) -> Vec<String> {
        let answer = self.ok("ListSubscriptionsByTopic", json!({ "TopicArn": TOPIC }));
        let arns = answer["Subscriptions"].as_array().unwrap().iter();
        arns.map(|subscription| subscription["SubscriptionArn"].as_str().unwrap().to_owned()).collect()
    }

    fn attributes(&self, arn: &str) -> Value {
        self.ok("GetSubscriptionAttributes", json!({ "SubscriptionArn": arn }))["Attributes"].clone()
    }

    fn tokens(&self) -> Vec<String> {
        let deliveries = self.model.take_deliveries();
        deliveries.iter().map(|delivery| delivery.message["Token"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_topic_is_created_once() {
    let sns = Sns::new();
    let again = sns.ok("CreateTopic", json!({ "Name": "orderTopic", "Attributes": {} }));
    assert_eq!(again["TopicArn"], TOPIC);
    assert_eq!(sns.ok("ListTopics", json!({}))["Topics"], json!([{ "TopicArn": TOPIC }]));
    let attributes = &sns.ok("GetTopicAttributes", json!({ "TopicArn": TOPIC }))["Attributes"];
    assert_eq!(attributes["SignatureVersion"], "1");
    assert!(attributes["EffectiveDeliveryPolicy"].as_str().unwrap().contains(r#""numRetries":3"#));
    insta::assert_snapshot!(
        sns.error("CreateTopic", json!({ "Name": "a topic" })), @"InvalidParameter: Invalid parameter: Topic Name");
    insta::assert_snapshot!(
        sns.error("CreateTopic", json!({ "Name": "orderTopic", "Tags": [{ "Key": "a", "Value": "b" }] })),
        @"InvalidParameter: Invalid parameter: Tags Reason: Topic already exists with different tags");
    sns.ok("DeleteTopic", json!({ "TopicArn": TOPIC }));
    sns.ok("DeleteTopic", json!({ "TopicArn": TOPIC }));
    insta::assert_snapshot!(
        sns.error("Publish", json!({ "TopicArn": TOPIC, "Message": "m" })), @"NotFound: Topic does not exist");
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    let sns = Sns::new();
    let subscribe = |more: Value| {
        let mut input = json!({ "TopicArn": TOPIC, "Protocol": "http", "Endpoint": ENDPOINT });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        sns.error("Subscribe", input)
    };
    insta::assert_snapshot!([
        sns.error("SetTopicAttributes", json!({ "TopicArn": TOPIC, "AttributeName": "SignatureVersion", "AttributeValue": "3" })),
        sns.error("CreateTopic", json!({ "Name": "a.fifo" })),
        sns.error("CreateTopic", json!({ "Name": "a", "Attributes": { "KmsMasterKeyId": "k" } })),
        sns.error("Publish", json!({ "PhoneNumber": "+1", "Message": "m" })),
        sns.error("CreatePlatformEndpoint", json!({})),
        subscribe(json!({ "Protocol": "https", "Endpoint": "https://localhost/" })),
        subscribe(json!({ "Protocol": "email", "Endpoint": "a@b" })),
        subscribe(json!({ "Endpoint": "http://example.com/" })),
        subscribe(json!({ "Attributes": { "FilterPolicy": "{\"a\":[\"b\"]}" } })),
        subscribe(json!({ "Attributes": { "Colour": "blue" } })),
    ].join("\n"), @r"
    InvalidParameter: Invalid parameter: SignatureVersion: 3
    NotImplemented: the local cloud does not implement FIFO topics
    NotImplemented: the local cloud does not implement the topic attribute KmsMasterKeyId=k
    NotImplemented: the local cloud does not implement sns Publish with unknown field `PhoneNumber`, expected one of `TopicArn`, `TargetArn`, `Message`, `Subject`, `MessageAttributes`
    NotImplemented: the local cloud does not implement sns CreatePlatformEndpoint
    NotImplemented: the local cloud does not implement https endpoints; load balancers here speak HTTP, subscribe http
    NotImplemented: the local cloud does not implement endpoints of the protocol email
    NotImplemented: the local cloud does not implement deliveries off this machine, here to example.com
    NotImplemented: the local cloud does not implement the subscription attribute FilterPolicy
    InvalidParameter: Invalid parameter: AttributeName
    ");
}

#[test]
fn nothing_is_delivered_to_the_products_own_ports_and_a_users_own_endpoint_goes_on_working() {
    let sns = Sns::new();
    sns.cloud
        .with_world(|world, _| world.own_ports.extend([(4566, "the local cloud's own API"), (8889, "headquarters")]));
    let subscribe = |url: &str| json!({ "TopicArn": TOPIC, "Protocol": "http", "Endpoint": url });
    for url in ["http://127.0.0.1:8889/keys", "http://localhost:8889/", "http://[::1]:4566/?Action=DeleteTopic"] {
        let refused = sns.error("Subscribe", subscribe(url));
        assert!(refused.contains("which takes no deliveries"), "{url}: {refused}");
    }
    let refused = sns.error("Subscribe", subscribe("http://localhost:99999/"));
    assert!(refused.starts_with("InvalidParameter"), "{refused}");
    sns.ok("Subscribe", subscribe("http://127.0.0.1:9000/mine"));
}

#[test]
fn an_endpoint_that_answers_is_confirmed_and_subscribing_again_changes_nothing() {
    let sns = Sns::new();
    assert_eq!(sns.subscribe()["SubscriptionArn"], "pending confirmation");
    let arn = sns.listed().remove(0);
    assert!(arn.starts_with(TOPIC), "{arn}");
    sns.model.take_deliveries();
    assert_eq!(sns.subscribe()["SubscriptionArn"], arn);
    assert_eq!(sns.model.take_deliveries(), []);
    assert_eq!(sns.attributes(&arn)["PendingConfirmation"], "false");
    assert_eq!(sns.attributes(&arn)["RawMessageDelivery"], "false");
    let input = json!({
        "TopicArn": TOPIC, "Protocol": "http", "Endpoint": ENDPOINT, "Attributes": { "RawMessageDelivery": "true" },
    });
    insta::assert_snapshot!(sns.error("Subscribe", input),
        @"InvalidParameter: Invalid parameter: Attributes Reason: Subscription already exists with different attributes");
}

#[test]
fn a_confirmation_carries_what_sns_sends() {
    let sns = Sns::new();
    sns.subscribe();
    let delivery = sns.model.take_deliveries().remove(0);
    let header =
        |name: &str| delivery.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str());
    assert_eq!(header("x-amz-sns-message-type"), Some("SubscriptionConfirmation"));
    assert_eq!(header("x-amz-sns-message-id"), delivery.message["MessageId"].as_str());
    assert_eq!(header("x-amz-sns-topic-arn"), Some(TOPIC));
    assert_eq!(header("x-amz-sns-subscription-arn"), None);
    assert_eq!(header("content-type"), Some("text/plain; charset=UTF-8"));
    assert_eq!(header("user-agent"), Some("Amazon Simple Notification Service Agent"));
    let token = delivery.message["Token"].as_str().unwrap();
    assert_eq!(
        delivery.message["SubscribeURL"],
        format!("http://127.0.0.1:4566/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token={token}")
    );
}

#[test]
fn any_of_the_tokens_confirms_for_two_days() {
    let sns = Sns::new();
    let arn = sns.subscribe_unheard();
    sns.subscribe();
    let tokens = sns.tokens();
    assert_eq!(tokens.len(), 2);
    assert_eq!(sns.listed(), ["PendingConfirmation"]);
    let confirm = |token: &str| json!({ "TopicArn": TOPIC, "Token": token, "AuthenticateOnUnsubscribe": "true" });
    insta::assert_snapshot!(
        sns.error("ConfirmSubscription", confirm("nonsense")), @"InvalidParameter: Invalid parameter: Token");
    sns.cloud.advance(Duration::from_hours(47));
    assert_eq!(sns.ok("ConfirmSubscription", confirm(&tokens[0]))["SubscriptionArn"], arn);
    assert_eq!(sns.ok("ConfirmSubscription", confirm(&tokens[0]))["SubscriptionArn"], arn);
    assert_eq!(sns.attributes(&arn)["ConfirmationWasAuthenticated"], "true");
    assert_eq!(sns.listed(), [arn]);
    sns.cloud.advance(Duration::from_hours(1));
    insta::assert_snapshot!(
        sns.error("ConfirmSubscription", confirm(&tokens[1])), @"InvalidParameter: Invalid parameter: Token");
}

#[test]
fn a_pending_subscription_cannot_be_ended_and_goes_by_itself() {
    let sns = Sns::new();
    let arn = sns.subscribe_unheard();
    insta::assert_snapshot!(sns.error("Unsubscribe", json!({ "SubscriptionArn": arn })),
        @"InvalidParameter: Invalid parameter: SubscriptionArn Reason: a subscription that is pending confirmation cannot be deleted");
    insta::assert_snapshot!(sns.error("Unsubscribe", json!({ "SubscriptionArn": "PendingConfirmation" })),
        @"InvalidParameter: Invalid parameter: SubscriptionArn Reason: An ARN must have at least 6 elements, not 1");
    sns.cloud.advance(Duration::from_hours(71));
    assert_eq!(sns.listed(), ["PendingConfirmation"]);
    sns.cloud.advance(Duration::from_hours(1));
    assert_eq!(sns.listed(), Vec::<String>::new());
}

#[test]
fn five_thousand_may_wait_to_be_confirmed() {
    let sns = Sns::new();
    sns.model.answer_deliveries(None);
    let endpoint =
        |number: u32| json!({ "TopicArn": TOPIC, "Protocol": "http", "Endpoint": format!("{ENDPOINT}{number}") });
    for number in 0..5000 {
        sns.ok("Subscribe", endpoint(number));
    }
    assert!(sns.error("Subscribe", endpoint(5000)).starts_with("SubscriptionLimitExceeded: "));
    sns.ok("Subscribe", endpoint(7));
}

#[test]
fn ending_a_subscription_is_said_to_its_endpoint_and_can_be_repeated() {
    let sns = Sns::new();
    sns.subscribe();
    let arn = sns.listed().remove(0);
    sns.model.take_deliveries();
    sns.ok("Unsubscribe", json!({ "SubscriptionArn": arn }));
    sns.ok("Unsubscribe", json!({ "SubscriptionArn": arn }));
    assert_eq!(sns.listed(), Vec::<String>::new());
    let farewells = sns.model.take_deliveries();
    assert_eq!(farewells.len(), 1);
    assert_eq!(farewells[0].message["Type"], "UnsubscribeConfirmation");
    let token = &farewells[0].message["Token"];
    insta::assert_snapshot!(sns.error("ConfirmSubscription", json!({ "TopicArn": TOPIC, "Token": token })),
        @"NotFound: Subscription does not exist");
}

#[test]
fn attributes_can_be_set_and_taken_back() {
    let sns = Sns::new();
    sns.subscribe();
    let arn = sns.listed().remove(0);
    let set =
        |name: &str, value: &str| json!({ "SubscriptionArn": arn, "AttributeName": name, "AttributeValue": value });
    let policy = r#"{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":60,"numRetries":50}}"#;
    sns.ok("SetSubscriptionAttributes", set("DeliveryPolicy", policy));
    let redrive = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-west-2:123456789012:lost"}"#;
    sns.ok("SetSubscriptionAttributes", set("RedrivePolicy", redrive));
    let attributes = sns.attributes(&arn);
    assert_eq!(attributes["DeliveryPolicy"], policy);
    assert_eq!(attributes["RedrivePolicy"], redrive);
    assert!(attributes["EffectiveDeliveryPolicy"].as_str().unwrap().contains(r#""numRetries":50"#));
    insta::assert_snapshot!(sns.error("SetSubscriptionAttributes", set("RedrivePolicy", r#"{"deadLetterTargetArn":"lost"}"#)),
        @"InvalidParameter: Invalid parameter: RedrivePolicy: deadLetterTargetArn is an invalid arn");
    sns.ok("SetSubscriptionAttributes", set("DeliveryPolicy", ""));
    sns.ok("SetSubscriptionAttributes", set("RedrivePolicy", ""));
    let attributes = sns.attributes(&arn);
    assert_eq!((attributes.get("DeliveryPolicy"), attributes.get("RedrivePolicy")), (None, None));
}

#[test]
fn listings_have_a_hundred_on_a_page() {
    let sns = Sns::new();
    for number in 0..150 {
        let endpoint = format!("http://localhost:5000/{number}");
        sns.ok("Subscribe", json!({ "TopicArn": TOPIC, "Protocol": "http", "Endpoint": endpoint }));
    }
    let first = sns.ok("ListSubscriptions", json!({}));
    let second = sns.ok("ListSubscriptions", json!({ "NextToken": first["NextToken"] }));
    let count = |page: &Value| page["Subscriptions"].as_array().unwrap().len();
    assert_eq!((count(&first), count(&second), second.get("NextToken")), (100, 50, None));
}

#[test]
fn tags_are_merged_and_removed() {
    let sns = Sns::new();
    let tags = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect::<Vec<_>>()
    };
    sns.ok("TagResource", json!({ "ResourceArn": TOPIC, "Tags": tags(&[("a", "1"), ("b", "2")]) }));
    sns.ok("TagResource", json!({ "ResourceArn": TOPIC, "Tags": tags(&[("b", "3")]) }));
    sns.ok("UntagResource", json!({ "ResourceArn": TOPIC, "TagKeys": ["a"] }));
    let listed = sns.ok("ListTagsForResource", json!({ "ResourceArn": TOPIC }));
    assert_eq!(listed["Tags"], json!(tags(&[("b", "3")])));
    insta::assert_snapshot!(sns.error("ListTagsForResource", json!({ "ResourceArn": "arn:aws:sns:x" })),
        @"ResourceNotFound: Resource does not exist");
}
