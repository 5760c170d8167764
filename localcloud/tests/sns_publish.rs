//! What Publish takes of message attributes, and how it refuses the rest.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use interstella_localcloud::call::Service;
use interstella_localcloud::clock::{Clock, CloudTime};
use interstella_localcloud::cloud::Cloud;
use interstella_localcloud::images::Images;
use interstella_localcloud::runtime::model::Model;
use interstella_localcloud::world::World;
use serde_json::{Value, json};

/// What publishing a message with this attribute leads to.
fn publish(name: &str, attribute: Value) -> String {
    let world = World::new("us-west-2", 7, Images::default());
    let cloud = Cloud::new(world, Clock::stepped(CloudTime::default()), Box::new(Model::default()));
    let topic = cloud.call(Service::Sns, "CreateTopic", json!({ "Name": "t" })).unwrap()["TopicArn"].clone();
    let mut attributes = serde_json::Map::new();
    attributes.insert(name.to_owned(), attribute);
    let input = json!({ "TopicArn": topic, "Message": "m", "MessageAttributes": attributes });
    match cloud.call(Service::Sns, "Publish", input) {
        Ok(answer) if answer["MessageId"].is_string() => "published".to_owned(),
        Ok(answer) => answer.to_string(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn attributes_have_a_known_type_and_a_value() {
    for (kind, value) in [("String", "v"), ("String.Array", "[\"a\"]"), ("Number", "-1.5e3"), ("Number.int", "7")] {
        assert_eq!(publish("a.b-c_1", json!({ "DataType": kind, "StringValue": value })), "published", "{kind}");
    }
    assert_eq!(publish("a", json!({ "DataType": "Binary", "BinaryValue": "AAE=" })), "published");
    let refused = |attribute: Value| {
        let text = publish("a", attribute);
        text.strip_prefix("ParameterValueInvalid: ").unwrap_or_else(|| panic!("{text}")).to_owned()
    };
    insta::assert_snapshot!([
        refused(json!({ "DataType": "Colour", "StringValue": "blue" })),
        refused(json!({ "DataType": "", "StringValue": "v" })),
        refused(json!({ "DataType": "String", "StringValue": "" })),
        refused(json!({ "DataType": "String" })),
        refused(json!({ "DataType": "Binary", "BinaryValue": "" })),
        refused(json!({ "DataType": "Binary", "StringValue": "v" })),
        refused(json!({ "DataType": "String", "StringValue": "v", "BinaryValue": "AAE=" })),
        refused(json!({ "DataType": "Number", "StringValue": "seven" })),
    ].join("\n"), @r"
    The message attribute 'a' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.
    The message attribute 'a' must contain non-empty message attribute type.
    The message attribute 'a' must contain non-empty message attribute value for message attribute type 'String'.
    The message attribute 'a' must contain non-empty message attribute value for message attribute type 'String'.
    The message attribute 'a' must contain non-empty message attribute value for message attribute type 'Binary'.
    The message attribute 'a' with type 'Binary' must use the value of that type alone.
    The message attribute 'a' with type 'String' must use the value of that type alone.
    Could not cast message attribute 'a' value to number.
    ");
}

#[test]
fn names_are_what_sns_takes_and_attributes_count_as_the_message() {
    for name in ["", ".a", "a.", "a..b", "a b", &"a".repeat(257)] {
        let text = publish(name, json!({ "DataType": "String", "StringValue": "v" }));
        assert!(text.starts_with("ParameterValueInvalid: The message attribute '"), "{text}");
    }
    let with = |length: usize| publish("a", json!({ "DataType": "String", "StringValue": "v".repeat(length) }));
    let room = 262_144 - "m".len() - "a".len() - "String".len();
    assert_eq!(with(room), "published");
    assert_eq!(with(room + 1), "InvalidParameter: Invalid parameter: Message too long");
}
