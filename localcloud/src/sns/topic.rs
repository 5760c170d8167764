//! Topics: creation, attributes, tags.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::policy::{self, TopicPolicy};
use super::{invalid, list_page, not_found};
use crate::call::{Answer, ApiError};
use crate::world::{ACCOUNT, World};

/// The signature version of a topic that nobody has set one for: RSA with SHA-1 (AWS: SNS developer guide, "Configuring the message
/// signature version").
pub(super) const DEFAULT_SIGNATURE_VERSION: &str = "1";

/// A topic.
#[derive(Debug, Clone, Default)]
pub struct Topic {
    /// Attributes that were set, by AWS's names.
    attributes: BTreeMap<String, String>,
    /// `DeliveryPolicy`, read.
    pub(super) policy: Option<TopicPolicy>,
    tags: BTreeMap<String, String>,
    /// Subscriptions that were deleted.
    pub(super) deleted_subscriptions: u64,
    pub(super) counts: Counts,
}

/// What a topic has counted since it was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Messages that were published.
    pub published: u64,
    /// Notifications that an endpoint took.
    pub delivered: u64,
    /// Notifications that were given up.
    pub failed: u64,
}

impl Topic {
    pub(super) fn tags(&self) -> &BTreeMap<String, String> {
        &self.tags
    }

    /// `SignatureVersion`: how messages of the topic are signed, `1` (SHA-1) or `2` (SHA-256).
    pub(super) fn signature_version(&self) -> &str {
        self.attributes.get("SignatureVersion").map_or(DEFAULT_SIGNATURE_VERSION, String::as_str)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Create {
    name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default)]
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Named {
    topic_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct List {
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SetAttribute {
    topic_arn: String,
    attribute_name: String,
    #[serde(default)]
    attribute_value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct SetTags {
    resource_arn: String,
    tags: Vec<Tag>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct RemoveTags {
    resource_arn: String,
    tag_keys: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub(super) struct Tagged {
    resource_arn: String,
}

/// Creates a topic, or returns the one there is if nothing about it differs.
pub(super) fn create(world: &mut World, input: Create) -> Answer {
    check_name(&input.name)?;
    let arn = world.arn("sns", &input.name);
    let tags: BTreeMap<String, String> = input.tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    if let Some(topic) = world.sns.topics.get(&arn) {
        if !tags.is_empty() && topic.tags != tags {
            return Err(invalid("Tags Reason: Topic already exists with different tags"));
        }
        if input.attributes.iter().any(|(name, value)| topic.attributes.get(name) != Some(value)) {
            return Err(invalid("Attributes Reason: Topic already exists with different attributes"));
        }
        return Ok(json!({ "TopicArn": arn }));
    }
    let mut topic = Topic { tags, ..Topic::default() };
    for (name, value) in input.attributes {
        set(&mut topic, name, value)?;
    }
    world.sns.topics.insert(arn.clone(), topic);
    Ok(json!({ "TopicArn": arn }))
}

/// Deletes a topic and its subscriptions. One that is not there counts as deleted.
pub(super) fn delete(world: &mut World, input: &Named) -> Answer {
    world.sns.topics.remove(&input.topic_arn);
    world.sns.subscriptions.retain(|_, subscription| subscription.topic_arn != input.topic_arn);
    Ok(json!({}))
}

/// Lists topics.
pub(super) fn list(world: &World, input: &List) -> Answer {
    let arns: Vec<&String> = world.sns.topics.keys().collect();
    list_page("Topics", arns, |arn| arn.as_str(), input.next_token.as_deref(), |arn| json!({ "TopicArn": arn }))
}

/// Shows a topic's attributes, AWS's defaults included.
pub(super) fn attributes(world: &World, input: &Named) -> Answer {
    let arn = &input.topic_arn;
    let topic = find(world, arn)?;
    let of_topic = || world.sns.subscriptions.values().filter(|subscription| &subscription.topic_arn == arn);
    let mut shown: BTreeMap<&str, String> = BTreeMap::from([
        ("TopicArn", arn.clone()),
        ("Owner", ACCOUNT.to_owned()),
        ("DisplayName", String::new()),
        ("Policy", default_access_policy(arn)),
        ("SignatureVersion", topic.signature_version().to_owned()),
        ("EffectiveDeliveryPolicy", json!(topic.policy.clone().unwrap_or_default()).to_string()),
        ("SubscriptionsConfirmed", of_topic().filter(|subscription| !subscription.pending).count().to_string()),
        ("SubscriptionsPending", of_topic().filter(|subscription| subscription.pending).count().to_string()),
        ("SubscriptionsDeleted", topic.deleted_subscriptions.to_string()),
    ]);
    shown.extend(topic.attributes.iter().map(|(name, value)| (name.as_str(), value.clone())));
    Ok(json!({ "Attributes": shown }))
}

/// Sets one attribute.
pub(super) fn set_attribute(world: &mut World, input: SetAttribute) -> Answer {
    let topic = world.sns.topics.get_mut(&input.topic_arn).ok_or_else(|| not_found("Topic"))?;
    set(topic, input.attribute_name, input.attribute_value)?;
    Ok(json!({}))
}

fn set(topic: &mut Topic, name: String, value: String) -> Result<(), ApiError> {
    match (name.as_str(), value.as_str()) {
        ("DeliveryPolicy", "") => {
            topic.policy = None;
            topic.attributes.remove(&name);
            return Ok(());
        }
        ("DeliveryPolicy", text) => topic.policy = Some(policy::read_topic_policy(text).map_err(invalid)?),
        ("SignatureVersion", "1" | "2") | ("FifoTopic", "false") | ("DisplayName" | "Policy", _) => {}
        ("SignatureVersion" | "FifoTopic", other) if other != "true" => {
            return Err(invalid(format!("{name}: {other}")));
        }
        _ => return Err(ApiError::not_implemented(format!("the topic attribute {name}={value}"))),
    }
    topic.attributes.insert(name, value);
    Ok(())
}

/// Adds tags, or changes their values.
pub(super) fn tag(world: &mut World, input: SetTags) -> Answer {
    let topic = tagged_topic(world, &input.resource_arn)?;
    topic.tags.extend(input.tags.into_iter().map(|tag| (tag.key, tag.value)));
    Ok(json!({}))
}

/// Removes tags.
pub(super) fn untag(world: &mut World, input: &RemoveTags) -> Answer {
    let topic = tagged_topic(world, &input.resource_arn)?;
    topic.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(json!({}))
}

/// Lists a topic's tags.
pub(super) fn list_tags(world: &mut World, input: &Tagged) -> Answer {
    let topic = tagged_topic(world, &input.resource_arn)?;
    let tags: Vec<Value> = topic.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}

/// The topic, or SNS's error.
pub(super) fn find<'a>(world: &'a World, arn: &str) -> Result<&'a Topic, ApiError> {
    world.sns.topics.get(arn).ok_or_else(|| not_found("Topic"))
}

/// Calls about tags have an error code of their own.
fn tagged_topic<'a>(world: &'a mut World, arn: &str) -> Result<&'a mut Topic, ApiError> {
    let topic = world.sns.topics.get_mut(arn);
    topic.ok_or_else(|| ApiError::with_status("ResourceNotFound", 404, "Resource does not exist"))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    if name.ends_with(".fifo") {
        return Err(ApiError::not_implemented("FIFO topics"));
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > 256 || !name.bytes().all(allowed) {
        return Err(invalid("Topic Name"));
    }
    Ok(())
}

/// What AWS gives a topic: its owner may do everything.
fn default_access_policy(arn: &str) -> String {
    json!({
        "Version": "2008-10-17",
        "Id": "__default_policy_ID",
        "Statement": [{
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission", "SNS:RemovePermission",
                "SNS:DeleteTopic", "SNS:Subscribe", "SNS:ListSubscriptionsByTopic", "SNS:Publish"],
            "Resource": arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": ACCOUNT } },
        }],
    })
    .to_string()
}
