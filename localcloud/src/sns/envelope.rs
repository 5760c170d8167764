//! The body of an HTTP delivery: its members, the text that is signed, and how it is written. Pure.

use serde_json::{Map, Value};

/// What a notification says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Content {
    /// The message.
    pub message: String,
    /// The subject, if it was published with one.
    pub subject: Option<String>,
    /// Message attributes: name → `{Type, Value}`.
    pub attributes: Map<String, Value>,
}

/// Where a message comes from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// ARN of the topic.
    pub topic_arn: &'a str,
    /// The topic's `SignatureVersion`: `1` or `2`.
    pub signature_version: &'a str,
    /// Where the cloud answers, without a slash at the end.
    pub endpoint_url: &'a str,
}

/// Members of a `Notification`, in SNS's order; what only the runtime knows is still empty.
pub fn notification(
    message_id: &str,
    origin: Origin<'_>,
    subscription_arn: &str,
    content: &Content,
) -> Map<String, Value> {
    let mut members = head("Notification", message_id);
    put(&mut members, "TopicArn", origin.topic_arn);
    if let Some(subject) = &content.subject {
        put(&mut members, "Subject", subject);
    }
    put(&mut members, "Message", &content.message);
    put_unsigned(&mut members, origin);
    let url = format!("{}/?Action=Unsubscribe&SubscriptionArn={subscription_arn}", origin.endpoint_url);
    put(&mut members, "UnsubscribeURL", &url);
    if !content.attributes.is_empty() {
        members.insert("MessageAttributes".to_owned(), Value::Object(content.attributes.clone()));
    }
    members
}

/// Members of a `SubscriptionConfirmation`.
pub fn subscription_confirmation(message_id: &str, origin: Origin<'_>, token: &str) -> Map<String, Value> {
    let topic_arn = origin.topic_arn;
    let message = format!(
        "You have chosen to subscribe to the topic {topic_arn}.\nTo confirm the subscription, visit the SubscribeURL included in \
         this message."
    );
    confirmation("SubscriptionConfirmation", message_id, origin, token, &message)
}

/// Members of an `UnsubscribeConfirmation`.
pub fn unsubscribe_confirmation(
    message_id: &str,
    origin: Origin<'_>,
    subscription_arn: &str,
    token: &str,
) -> Map<String, Value> {
    let message = format!(
        "You have chosen to deactivate subscription {subscription_arn}.\nTo cancel this operation and restore the subscription, \
         visit the SubscribeURL included in this message."
    );
    confirmation("UnsubscribeConfirmation", message_id, origin, token, &message)
}

fn confirmation(kind: &str, message_id: &str, origin: Origin<'_>, token: &str, message: &str) -> Map<String, Value> {
    let mut members = head(kind, message_id);
    let Origin { topic_arn, endpoint_url, .. } = origin;
    put(&mut members, "Token", token);
    put(&mut members, "TopicArn", topic_arn);
    put(&mut members, "Message", message);
    let url = format!("{endpoint_url}/?Action=ConfirmSubscription&TopicArn={topic_arn}&Token={token}");
    put(&mut members, "SubscribeURL", &url);
    put_unsigned(&mut members, origin);
    members
}

fn head(kind: &str, message_id: &str) -> Map<String, Value> {
    let mut members = Map::new();
    put(&mut members, "Type", kind);
    put(&mut members, "MessageId", message_id);
    members
}

/// The members that the runtime fills in, at their places, with the version that it is to sign with.
fn put_unsigned(members: &mut Map<String, Value>, origin: Origin<'_>) {
    put(members, "Timestamp", "");
    put(members, "SignatureVersion", origin.signature_version);
    put(members, "Signature", "");
    put(members, "SigningCertURL", "");
}

fn put(members: &mut Map<String, Value>, name: &str, value: &str) {
    members.insert(name.to_owned(), Value::from(value));
}

/// A member that is a string; empty if there is none.
pub fn text<'a>(members: &'a Map<String, Value>, name: &str) -> &'a str {
    members.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Whether the runtime has completed the message.
pub fn is_complete(members: &Map<String, Value>) -> bool {
    !text(members, "Signature").is_empty()
}

/// Completes a message. `sign` signs the text given and returns base64; `timestamp` is wall time, like `2012-05-02T00:54:06.655Z`.
pub fn complete<E>(
    members: &mut Map<String, Value>,
    timestamp: &str,
    certificate_url: &str,
    sign: impl FnOnce(&str) -> Result<String, E>,
) -> Result<(), E> {
    put(members, "Timestamp", timestamp);
    put(members, "SigningCertURL", certificate_url);
    let signature = sign(&string_to_sign(members))?;
    put(members, "Signature", &signature);
    Ok(())
}

/// The text that SNS signs: names and values of certain members, in order of the names.
pub fn string_to_sign(members: &Map<String, Value>) -> String {
    let names: &[&str] = if text(members, "Type") == "Notification" {
        &["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    } else {
        &["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    };
    names
        .iter()
        .filter(|name| members.contains_key(**name))
        .map(|name| format!("{name}\n{}\n", text(members, name)))
        .collect()
}

/// Writes the body as SNS does: one member on a line, a space on both sides of the colon, message attributes one on a line.
pub fn render(members: &Map<String, Value>) -> String {
    let lines: Vec<String> = members
        .iter()
        .map(|(name, value)| match value {
            Value::Object(attributes) => format!("  {} : {{\n{}\n  }}", quoted(name), render_attributes(attributes)),
            value => format!("  {} : {value}", quoted(name)),
        })
        .collect();
    format!("{{\n{}\n}}", lines.join(",\n"))
}

fn render_attributes(attributes: &Map<String, Value>) -> String {
    let lines: Vec<String> = attributes.iter().map(|(name, value)| format!("    {} : {value}", quoted(name))).collect();
    lines.join(",\n")
}

fn quoted(name: &str) -> Value {
    Value::from(name)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-west-2:123456789012:orderTopic";
    const ORIGIN: Origin<'_> = Origin { topic_arn: TOPIC, signature_version: "2", endpoint_url: "http://h:1" };

    fn completed(mut members: Map<String, Value>) -> Map<String, Value> {
        let sign = |text: &str| Ok::<_, ()>(format!("signed {} bytes", text.len()));
        complete(&mut members, "2026-11-22T20:00:00.655Z", "http://h:1/S.pem", sign).unwrap();
        members
    }

    #[test]
    fn a_notification_looks_like_snss() {
        let attributes = Map::from_iter([("rush".to_owned(), serde_json::json!({"Type": "String", "Value": "yes"}))]);
        let content =
            Content { message: "{\"bundle\": 1}".to_owned(), subject: Some("an \"order\"".to_owned()), attributes };
        let members = completed(notification("m-1", ORIGIN, "arn:s", &content));
        insta::assert_snapshot!(render(&members), @r#"
        {
          "Type" : "Notification",
          "MessageId" : "m-1",
          "TopicArn" : "arn:aws:sns:us-west-2:123456789012:orderTopic",
          "Subject" : "an \"order\"",
          "Message" : "{\"bundle\": 1}",
          "Timestamp" : "2026-11-22T20:00:00.655Z",
          "SignatureVersion" : "2",
          "Signature" : "signed 163 bytes",
          "SigningCertURL" : "http://h:1/S.pem",
          "UnsubscribeURL" : "http://h:1/?Action=Unsubscribe&SubscriptionArn=arn:s",
          "MessageAttributes" : {
            "rush" : {"Type":"String","Value":"yes"}
          }
        }
        "#);
        let read: Map<String, Value> = serde_json::from_str(&render(&members)).unwrap();
        assert_eq!(read, members);
    }

    #[test]
    fn a_confirmation_looks_like_snss() {
        let members = completed(subscription_confirmation("m-2", Origin { signature_version: "1", ..ORIGIN }, "abc"));
        insta::assert_snapshot!(render(&members), @r#"
        {
          "Type" : "SubscriptionConfirmation",
          "MessageId" : "m-2",
          "Token" : "abc",
          "TopicArn" : "arn:aws:sns:us-west-2:123456789012:orderTopic",
          "Message" : "You have chosen to subscribe to the topic arn:aws:sns:us-west-2:123456789012:orderTopic.\nTo confirm the subscription, visit the SubscribeURL included in this message.",
          "SubscribeURL" : "http://h:1/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-west-2:123456789012:orderTopic&Token=abc",
          "Timestamp" : "2026-11-22T20:00:00.655Z",
          "SignatureVersion" : "1",
          "Signature" : "signed 436 bytes",
          "SigningCertURL" : "http://h:1/S.pem"
        }
        "#);
    }

    #[test]
    fn what_is_signed_is_the_unescaped_values_in_order_of_names() {
        let content = Content { message: "a\n\"b\"".to_owned(), ..Content::default() };
        let members = completed(notification("m-3", Origin { topic_arn: "t", ..ORIGIN }, "s", &content));
        assert_eq!(
            string_to_sign(&members),
            "Message\na\n\"b\"\nMessageId\nm-3\nTimestamp\n2026-11-22T20:00:00.655Z\nTopicArn\nt\nType\nNotification\n"
        );
    }
}
